//! Every rule on all clusters at once: the verdict block of a requirement.
//!
//! A block holds one mask per rule and answer other than Pass, one for what is eligible, one per group of the placement
//! and one per plane of accepted pools, all in one allocation. [`super::rules`] says what the rules mean; here only the
//! sets are made. When a single cluster changes, its one bit is set again through the scalar path.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::build::{self, Buffers, Memo};
use super::mask;
use super::rule::{Answer, Rule};
use super::rules::Judge;
use super::snapshot::{ClusterSlot, Snapshot};
use super::spec::Requirement;
use super::view::{Demand, View};
use crate::terms::{Digest, DigestAlgorithm, Hasher};

/// Fewer blocks than this are not worth a thread.
const LEAST_PER_THREAD: usize = 16;

/// No mask.
pub(crate) const NONE: u16 = u16::MAX;

/// The verdicts of one requirement on all clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    pub(crate) width: usize,
    pub(crate) groups: usize,
    pub(crate) planes: usize,
    pub(crate) strict: bool,
    /// Place of the mask of each rule for Warn, Unknown, Fail; [`NONE`] when it is empty.
    pub(crate) at: [[u16; 3]; Rule::COUNT],
    /// Eligible; groups; planes of accepted pools; stored masks.
    pub(crate) bits: Vec<u64>,
}

impl Verdicts {
    fn mask(&self, at: usize) -> &[u64] {
        self.bits.get(at * self.width..(at + 1) * self.width).unwrap_or_default()
    }

    /// Clusters that every rule lets in.
    pub(crate) fn eligible(&self) -> &[u64] {
        self.mask(0)
    }

    /// Clusters of a group of the placement that no earlier group has.
    pub(crate) fn group(&self, group: usize) -> &[u64] {
        if group < self.groups { self.mask(1 + group) } else { &[] }
    }

    /// How many groups the placement has; 0 when it names none.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// Whether the k-th pool of the cluster passes all pool rules.
    pub(crate) fn accepts(&self, plane: usize, slot: usize) -> bool {
        plane < self.planes && mask::has(self.mask(1 + self.groups + plane), slot)
    }

    /// Planes of pools.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = &[u64]> {
        (0..self.planes).map(|plane| self.mask(1 + self.groups + plane))
    }

    /// Clusters of which a rule says exactly this (not Pass); empty when there are none.
    fn saying(&self, rule: Rule, answer: Answer) -> &[u64] {
        let Some(column) = (answer as usize).checked_sub(1) else { return &[] };
        match self.at.get(rule.index()).and_then(|at| at.get(column)) {
            Some(at) if *at != NONE => self.mask(usize::from(*at)),
            _ => &[],
        }
    }

    /// What a rule says of a cluster.
    #[must_use]
    pub fn answer(&self, rule: Rule, slot: ClusterSlot) -> Answer {
        [Answer::Fail, Answer::Unknown, Answer::Warn]
            .into_iter()
            .find(|answer| mask::has(self.saying(rule, *answer), slot.index()))
            .unwrap_or_default()
    }

    /// Whether a rule keeps a cluster out.
    #[must_use]
    pub fn refuses(&self, rule: Rule, slot: ClusterSlot) -> bool {
        mask::has(self.saying(rule, Answer::Fail), slot.index())
            || (self.strict && mask::has(self.saying(rule, Answer::Unknown), slot.index()))
    }

    /// Clusters that nothing but rules which pass by themselves ([`Rule::PASSING`]) keeps out.
    pub(crate) fn waiting(&self) -> Vec<u64> {
        let mut waiting = vec![0; self.width];
        let refusing = |rule| {
            let unknown = if self.strict { self.saying(rule, Answer::Unknown) } else { &[] };
            [self.saying(rule, Answer::Fail), unknown]
        };
        for said in Rule::PASSING.into_iter().flat_map(refusing) {
            waiting.iter_mut().zip(said).for_each(|(word, said)| *word |= said);
        }
        let others = Rule::ALL.into_iter().filter(|rule| !Rule::PASSING.contains(rule));
        for said in others.flat_map(refusing) {
            waiting.iter_mut().zip(said).for_each(|(word, said)| *word &= !said);
        }
        waiting
    }

    /// How many clusters a rule keeps out.
    #[must_use]
    pub fn refused(&self, rule: Rule) -> u32 {
        let unknown = if self.strict { mask::count(self.saying(rule, Answer::Unknown)) } else { 0 };
        mask::count(self.saying(rule, Answer::Fail)) + unknown
    }

    /// Digest in canonical form: clusters in the order of their names, whatever slots they have, and no empty masks.
    /// `roster` stands for those names.
    fn digest(&self, snapshot: &Snapshot, roster: &Digest) -> Digest {
        let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
        hasher.field(b"jiuzhou-verdicts/1");
        hasher.field(roster.bytes());
        hasher.field(&[u8::from(self.strict)]);
        let mut ranked = vec![0_u64; mask::words(snapshot.len())];
        let mut put = |name: [u8; 3], words: &[u64]| {
            if words.iter().all(|word| *word == 0) {
                return;
            }
            ranked.fill(0);
            for slot in mask::iter(words) {
                let rank = snapshot.name_rank(ClusterSlot::new(slot));
                mask::assign(&mut ranked, rank as usize, true);
            }
            hasher.field(&name);
            let bytes: Vec<u8> = ranked.iter().flat_map(|word| word.to_le_bytes()).collect();
            hasher.field(&bytes);
        };
        let narrow = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        for rule in Rule::ALL {
            for answer in [Answer::Warn, Answer::Unknown, Answer::Fail] {
                put([b'r', narrow(rule.index()), answer as u8], self.saying(rule, answer));
            }
        }
        for group in 0..self.groups {
            put([b'g', narrow(group), narrow(group >> 8)], self.group(group));
        }
        for (plane, words) in self.accepted().enumerate() {
            put([b'p', narrow(plane), narrow(plane >> 8)], words);
        }
        hasher.finish()
    }

    /// Sets the bits of one cluster again by the scalar path. `false` when the block has no room for it (the fleet grew
    /// past its width or a cluster has more pools than planes) and must be made anew.
    pub(crate) fn refresh(&mut self, judge: &Judge<'_>, slot: usize) -> bool {
        let snapshot = judge.view.snapshot;
        if snapshot.width() > self.width || snapshot.index.planes.len() > self.planes {
            return false;
        }
        let cluster = snapshot.cluster(ClusterSlot::new(slot));
        let mut eligible = cluster.is_some();
        for rule in Rule::ALL {
            let answer = cluster.map_or(Answer::Pass, |cluster| judge.check(rule, slot, cluster).answer);
            eligible &= !judge.refuses(answer);
            for (column, kind) in [Answer::Warn, Answer::Unknown, Answer::Fail].into_iter().enumerate() {
                self.put(rule, column, slot, answer == kind);
            }
        }
        let group = cluster.and_then(|cluster| judge.group(cluster));
        for at in 0..self.groups {
            self.put_at(1 + at, slot, group == Some(at));
        }
        for plane in 0..self.planes {
            let pool = cluster.and_then(|cluster| Some((cluster, cluster.pools.get(plane)?)));
            let accepted = pool.is_some_and(|(cluster, pool)| judge.accepts(cluster, pool));
            self.put_at(1 + self.groups + plane, slot, accepted);
        }
        self.put_at(0, slot, eligible);
        true
    }

    fn put_at(&mut self, at: usize, slot: usize, value: bool) {
        let words = self.bits.get_mut(at * self.width..(at + 1) * self.width).unwrap_or_default();
        mask::assign(words, slot, value);
    }

    fn put(&mut self, rule: Rule, column: usize, slot: usize, value: bool) {
        let Some(place) = self.at.get_mut(rule.index()).and_then(|at| at.get_mut(column)) else { return };
        if *place == NONE {
            if !value {
                return;
            }
            let Ok(next) = u16::try_from(self.bits.len() / self.width.max(1)) else { return };
            *place = next;
            self.bits.resize(self.bits.len() + self.width, 0);
        }
        let at = usize::from(*place);
        self.put_at(at, slot, value);
    }
}

/// All verdict blocks made so far, shared by requirements that ask the same.
///
/// A store outlives a planner ([`super::Planner::resume`]) as long as it is told of every changed cluster of its one
/// snapshot; it empties itself when tenants, tiers, freezes or what holds by the calendar have changed meanwhile.
#[derive(Debug, Default)]
pub struct VerdictStore {
    ids: BTreeMap<Arc<Requirement>, usize>,
    blocks: Vec<Verdicts>,
    /// What the blocks hold for: revision of the rules, and the instants between which no date matters.
    valid: Option<(u64, Timestamp, Option<Timestamp>)>,
    memo: Memo,
    buffers: Buffers,
    /// By block: its digest, once asked for.
    digests: Vec<OnceLock<Digest>>,
    /// Digest of the names of all clusters.
    roster: OnceLock<Digest>,
}

impl VerdictStore {
    /// Empties the store unless what it holds is right for this view.
    pub(crate) fn keep_for(&mut self, view: &View<'_>) {
        let revision = view.snapshot.revision();
        let holds = self.valid.is_some_and(|(known, from, until)| {
            known == revision && from <= view.as_of && until.is_none_or(|until| view.as_of < until)
        });
        if !holds {
            self.ids.clear();
            self.blocks.clear();
            self.digests.clear();
            self.memo = Memo::default();
        }
        self.valid = Some((revision, view.as_of, view.next_change));
    }

    /// The block of a requirement, made when it is asked for first.
    pub(crate) fn of(&mut self, view: &View<'_>, requirement: &Arc<Requirement>) -> usize {
        if let Some(id) = self.ids.get(requirement) {
            return *id;
        }
        let block = self.build(view, requirement);
        self.enter(requirement, block)
    }

    fn enter(&mut self, requirement: &Arc<Requirement>, block: Verdicts) -> usize {
        self.blocks.push(block);
        self.digests.push(OnceLock::new());
        let id = self.blocks.len() - 1;
        self.ids.insert(Arc::clone(requirement), id);
        id
    }

    /// Makes the blocks of all these requirements that are not known yet, on several threads. Blocks and their order are
    /// the same for any number of threads: each depends on its requirement and the snapshot alone.
    pub(crate) fn prepare(&mut self, view: &View<'_>, requirements: &[Arc<Requirement>], threads: NonZeroUsize) {
        let mut seen = BTreeSet::new();
        let fresh: Vec<&Arc<Requirement>> =
            requirements.iter().filter(|r| !self.ids.contains_key(*r) && seen.insert(*r)).collect();
        let each = fresh.len().div_ceil(threads.get()).max(LEAST_PER_THREAD);
        if threads.get() == 1 || fresh.len() <= each {
            for requirement in fresh {
                self.of(view, requirement);
            }
            return;
        }
        let work = |part: &[&Arc<Requirement>]| {
            let mut store = Self::default();
            let blocks: Vec<Verdicts> = part.iter().map(|requirement| store.build(view, requirement)).collect();
            (blocks, store.memo)
        };
        let parts: Vec<&[&Arc<Requirement>]> = fresh.chunks(each).collect();
        let made: Vec<Option<(Vec<Verdicts>, Memo)>> = std::thread::scope(|scope| {
            let running: Vec<_> = parts.iter().map(|part| scope.spawn(|| work(part))).collect();
            running.into_iter().map(|thread| thread.join().ok()).collect()
        });
        for (part, made) in parts.into_iter().zip(made) {
            // A thread that came to grief leaves its part to be made when it is asked for.
            let Some((blocks, memo)) = made else { continue };
            self.memo.join(memo);
            for (requirement, block) in part.iter().zip(blocks) {
                self.enter(requirement, block);
            }
        }
    }

    /// Digest of a block; see [`super::Decision::verdicts`].
    pub(crate) fn digest(&self, snapshot: &Snapshot, id: usize) -> Option<Digest> {
        let (block, cell) = (self.blocks.get(id)?, self.digests.get(id)?);
        let roster = self.roster.get_or_init(|| {
            let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
            snapshot.clusters().for_each(|(_, cluster)| hasher.field(cluster.name.as_bytes()));
            hasher.finish()
        });
        Some(*cell.get_or_init(|| block.digest(snapshot, roster)))
    }

    pub(crate) fn block(&self, id: usize) -> Option<&Verdicts> {
        self.blocks.get(id)
    }

    /// How many distinct requirements have been judged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether nothing has been judged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// A cluster changed, came or went: its bit is set again in every block by the scalar path. Returns the requirements
    /// for which it became eligible or ceased to be: only workloads that ask one of these are woken.
    pub fn cluster_changed(
        &mut self,
        snapshot: &Snapshot,
        as_of: Timestamp,
        slot: ClusterSlot,
    ) -> Vec<Arc<Requirement>> {
        let view = &View::new(snapshot, as_of);
        self.roster = OnceLock::new();
        self.digests.iter_mut().for_each(|digest| *digest = OnceLock::new());
        let mut flipped = Vec::new();
        let ids: Vec<_> = self.ids.iter().map(|(requirement, id)| (Arc::clone(requirement), *id)).collect();
        for (requirement, id) in ids {
            let demand = self.demand(view, &requirement);
            let judge = Judge { view, requirement: &requirement, demand: &demand };
            let Some(block) = self.blocks.get_mut(id) else { continue };
            let before = mask::has(block.eligible(), slot.index());
            if !block.refresh(&judge, slot.index()) {
                let fresh = self.build(view, &requirement);
                if let Some(place) = self.blocks.get_mut(id) {
                    *place = fresh;
                }
            }
            let after = self.blocks.get(id).is_some_and(|block| mask::has(block.eligible(), slot.index()));
            if before != after {
                flipped.push(requirement);
            }
        }
        flipped
    }

    fn build(&mut self, view: &View<'_>, requirement: &Requirement) -> Verdicts {
        let demand = self.demand(view, requirement);
        let judge = Judge { view, requirement, demand: &demand };
        build::block(judge, &mut self.buffers, &mut self.memo)
    }

    /// What a requirement demands; the affinity is derived once for all that ask the same of nodes.
    fn demand(&mut self, view: &View<'_>, requirement: &Requirement) -> Demand {
        let demand = Demand::new(view.snapshot, requirement);
        let zones = view.snapshot.tenants.get(&requirement.tenant).map(|tenant| &tenant.zones);
        let free =
            requirement.platforms.is_empty() && requirement.zone.is_none() && zones.is_none_or(BTreeSet::is_empty);
        if requirement.images.is_empty() && free {
            return demand;
        }
        let Requirement { images, platforms, zone, allow_emulation, .. } = requirement;
        let zones = zones.cloned().unwrap_or_default();
        let seen = (images.clone(), platforms.clone(), *allow_emulation, demand.tiers);
        let key = (seen, zone.clone(), zones, demand.strict);
        let derived =
            self.memo.derived.entry(key).or_insert_with(|| Arc::clone(demand.affinity(view.snapshot, requirement)));
        let derived = Arc::clone(derived);
        demand.derived(derived)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decide::fixture::{self, Dice};

    fn assert_scalar_equals_mask(view: &View<'_>, requirement: &Requirement, block: &Verdicts) {
        let demand = Demand::new(view.snapshot, requirement);
        let judge = Judge { view, requirement, demand: &demand };
        for (slot, cluster) in view.snapshot.clusters() {
            let mut eligible = true;
            for rule in Rule::ALL {
                let check = judge.check(rule, slot.index(), cluster);
                assert_eq!(block.answer(rule, slot), check.answer, "{rule:?} on {}: {check:?}", cluster.name);
                eligible &= !judge.refuses(check.answer);
            }
            assert_eq!(mask::has(block.eligible(), slot.index()), eligible, "{}", cluster.name);
            for (plane, pool) in cluster.pools.iter().enumerate() {
                assert_eq!(block.accepts(plane, slot.index()), judge.accepts(cluster, pool), "{}", pool.name);
            }
            for group in 0..block.groups() {
                assert_eq!(mask::has(block.group(group), slot.index()), judge.group(cluster) == Some(group));
            }
        }
    }

    proptest! {
        #[test]
        fn the_scalar_path_equals_the_mask_path(seed in any::<u64>()) {
            let mut dice = Dice::new(seed);
            let snapshot = Snapshot::new(fixture::fleet(&mut dice, 70)).unwrap();
            for as_of in fixture::instants() {
                let view = View::new(&snapshot, as_of);
                let mut store = VerdictStore::default();
                for _ in 0..4 {
                    let requirement = Arc::new(fixture::requirement(&mut dice));
                    let id = store.of(&view, &requirement);
                    assert_scalar_equals_mask(&view, &requirement, store.block(id).unwrap());
                }
            }
        }

        #[test]
        fn blocks_and_digests_do_not_depend_on_threads_or_slots(seed in any::<u64>()) {
            let mut dice = Dice::new(seed);
            let fleet = fixture::fleet(&mut dice, 9);
            let requirements: Vec<_> = (0..80).map(|_| Arc::new(fixture::requirement(&mut dice))).collect();
            let told = |snapshot: &Snapshot, threads: usize| {
                let view = View::new(snapshot, fixture::now());
                let mut store = VerdictStore::default();
                store.prepare(&view, &requirements, NonZeroUsize::new(threads).unwrap());
                let ids: Vec<_> = requirements.iter().map(|requirement| store.of(&view, requirement)).collect();
                let digests: Vec<_> = ids.iter().map(|id| store.digest(snapshot, *id).unwrap()).collect();
                (ids, store.blocks.clone(), digests)
            };
            let fresh = Snapshot::new(fleet.clone()).unwrap();
            let alone = told(&fresh, 1);
            for threads in [2, 3, 5] {
                assert_eq!(told(&fresh, threads), alone);
            }
            // The same fleet in other slots, with a vacant one and a plane nobody uses.
            let mut lived = Snapshot::new(crate::decide::FleetInput { clusters: vec![], ..fleet.clone() }).unwrap();
            let mut clusters = fleet.clusters;
            clusters.push(fixture::cluster(&mut dice, "暂存"));
            dice.shuffle(&mut clusters);
            clusters.into_iter().for_each(|cluster| _ = lived.upsert_cluster(cluster));
            lived.remove_cluster("暂存");
            prop_assert_eq!(told(&lived, 2).2, alone.2);
        }

        #[test]
        fn a_block_kept_up_to_date_says_what_a_fresh_one_says(seed in any::<u64>()) {
            let mut dice = Dice::new(seed);
            let mut snapshot = Snapshot::new(fixture::fleet(&mut dice, 12)).unwrap();
            let requirements: Vec<_> = (0..3).map(|_| Arc::new(fixture::requirement(&mut dice))).collect();
            let mut store = VerdictStore::default();
            {
                let view = View::new(&snapshot, fixture::now());
                requirements.iter().for_each(|requirement| { store.of(&view, requirement); });
            }
            for _ in 0..12 {
                let name = format!("集群-{}", dice.below(15));
                let slot = if dice.one_in(3) {
                    snapshot.remove_cluster(&name)
                } else {
                    Some(snapshot.upsert_cluster(fixture::cluster(&mut dice, &name)))
                };
                let Some(slot) = slot else { continue };
                store.cluster_changed(&snapshot, fixture::now(), slot);
                let view = View::new(&snapshot, fixture::now());
                for requirement in &requirements {
                    let id = store.of(&view, requirement);
                    assert_scalar_equals_mask(&view, requirement, store.block(id).unwrap());
                }
            }
        }
    }
}
