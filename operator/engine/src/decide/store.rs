//! All verdict blocks made so far, shared by requirements that ask the same, and kept up to date.
//!
//! A cluster that changed is only noted; a block has its bits for it set again when it is asked for, because of many
//! requirements few are asked for in a turn. What rests on tenants, tiers, freezes or the calendar empties the store.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::build::{self, Buffers, Memo};
use super::rules::Judge;
use super::snapshot::{ClusterSlot, Snapshot};
use super::spec::Requirement;
use super::verdicts::Verdicts;
use super::view::{Demand, View};
use crate::terms::{Digest, DigestAlgorithm, Hasher};

/// Fewer blocks than this are not worth a thread.
const LEAST_PER_THREAD: usize = 16;
/// Of more changed clusters than this a block is made anew: the mask path takes them all at once.
const FEW: usize = 8;
/// Notes of changed clusters kept at most; blocks that have not been asked for since are made anew.
const NOTES: usize = 4096;

#[derive(Debug)]
struct Block {
    requirement: Arc<Requirement>,
    verdicts: Verdicts,
    /// Up to which note of changed clusters it is right.
    seen: usize,
    /// Once asked for.
    digest: OnceLock<Digest>,
}

/// The store.
#[derive(Debug, Default)]
pub(crate) struct VerdictStore {
    ids: BTreeMap<Arc<Requirement>, usize>,
    blocks: Vec<Block>,
    /// What the blocks hold for: revision of the rules, and the instants between which no date matters.
    valid: Option<(u64, Timestamp, Option<Timestamp>)>,
    memo: Memo,
    buffers: Buffers,
    /// Slots of clusters that changed, in order, and how many notes were dropped before them.
    notes: Vec<usize>,
    dropped: usize,
    /// Digest of the names of all clusters.
    roster: OnceLock<Digest>,
}

impl VerdictStore {
    /// Empties the store unless what it holds is right for this view. Answers whether it is.
    pub(crate) fn keep_for(&mut self, view: &View<'_>) -> bool {
        let revision = view.snapshot.revision();
        let holds = self.valid.is_some_and(|(known, from, until)| {
            known == revision && from <= view.as_of && until.is_none_or(|until| view.as_of < until)
        });
        if !holds {
            *self = Self::default();
        }
        self.valid = Some((revision, view.as_of, view.calendar.next_change()));
        holds
    }

    /// A cluster changed, came or went.
    pub(crate) fn cluster_changed(&mut self, slot: ClusterSlot) {
        if self.notes.len() >= NOTES {
            self.dropped += self.notes.len();
            self.notes.clear();
        }
        self.notes.push(slot.index());
    }

    /// The fleet has other clusters than before: digests are of bits in the order of their names.
    pub(crate) fn roster_changed(&mut self) {
        self.roster = OnceLock::new();
        self.blocks.iter_mut().for_each(|block| block.digest = OnceLock::new());
    }

    fn now(&self) -> usize {
        self.dropped + self.notes.len()
    }

    /// The block of a requirement, made when it is asked for first, and right for this view.
    pub(crate) fn of(&mut self, view: &View<'_>, requirement: &Arc<Requirement>) -> usize {
        if let Some(id) = self.ids.get(requirement).copied() {
            self.bring(view, id);
            return id;
        }
        let block = self.build(view, requirement);
        self.enter(requirement, block)
    }

    /// Brings a block up to date.
    pub(crate) fn bring(&mut self, view: &View<'_>, id: usize) {
        let now = self.now();
        let Some(block) = self.blocks.get(id).filter(|block| block.seen < now) else { return };
        let requirement = Arc::clone(&block.requirement);
        let missed = block.seen.checked_sub(self.dropped).and_then(|at| self.notes.get(at..));
        let slots: Option<BTreeSet<usize>> = missed.map(|notes| notes.iter().copied().collect());
        let mut right = false;
        if let Some(slots) = slots.filter(|slots| slots.len() <= FEW) {
            let demand = self.demand(view, &requirement);
            let judge = Judge { view, requirement: &requirement, demand: &demand };
            if let Some(block) = self.blocks.get_mut(id) {
                right = slots.into_iter().all(|slot| block.verdicts.refresh(&judge, slot));
            }
        }
        let fresh = if right { None } else { Some(self.build(view, &requirement)) };
        if let Some(block) = self.blocks.get_mut(id) {
            block.seen = now;
            block.digest = OnceLock::new();
            if let Some(fresh) = fresh {
                block.verdicts = fresh;
            }
        }
    }

    fn enter(&mut self, requirement: &Arc<Requirement>, verdicts: Verdicts) -> usize {
        let id = self.blocks.len();
        let requirement = Arc::clone(requirement);
        self.ids.insert(Arc::clone(&requirement), id);
        self.blocks.push(Block { requirement, verdicts, seen: self.now(), digest: OnceLock::new() });
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
        let block = self.blocks.get(id)?;
        let roster = self.roster.get_or_init(|| {
            let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
            snapshot.clusters().for_each(|(_, cluster)| hasher.field(cluster.name.as_bytes()));
            hasher.finish()
        });
        Some(*block.digest.get_or_init(|| block.verdicts.digest(snapshot, roster)))
    }

    /// A block that was asked for with [`Self::of`] in this view.
    pub(crate) fn block(&self, id: usize) -> Option<&Verdicts> {
        self.blocks.get(id).map(|block| &block.verdicts)
    }

    /// How many distinct requirements have been judged.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    fn build(&mut self, view: &View<'_>, requirement: &Requirement) -> Verdicts {
        let demand = self.demand(view, requirement);
        let judge = Judge { view, requirement, demand: &demand };
        build::block(judge, &mut self.buffers, &mut self.memo)
    }

    /// What a requirement and its parts demand; the affinity is derived once for all that ask the same of nodes.
    fn demand(&mut self, view: &View<'_>, requirement: &Requirement) -> Demand {
        let mut demand = Demand::new(view.snapshot, requirement);
        for part in &mut demand.parts {
            let alone = std::mem::take(&mut part.demand);
            part.demand = self.derived(view, &part.requirement, alone);
        }
        self.derived(view, requirement, demand)
    }

    fn derived(&mut self, view: &View<'_>, requirement: &Requirement, demand: Demand) -> Demand {
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
    use crate::decide::mask;
    use crate::decide::rule::Rule;

    /// One in three has parts.
    fn requirement(dice: &mut Dice) -> Arc<Requirement> {
        let mut spec = fixture::spec(dice, 0, true);
        if dice.one_in(3) {
            fixture::parted(dice, &mut spec);
        }
        spec.requirement
    }

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
                for (part, (name, judge)) in judge.parts().into_iter().enumerate() {
                    let accepted = judge.accepts(cluster, pool);
                    assert_eq!(block.accepts(part, plane, slot.index()), accepted, "{} {name}", pool.name);
                }
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
                    let requirement = requirement(&mut dice);
                    let id = store.of(&view, &requirement);
                    assert_scalar_equals_mask(&view, &requirement, store.block(id).unwrap());
                }
            }
        }

        #[test]
        fn blocks_and_digests_do_not_depend_on_threads_or_slots(seed in any::<u64>()) {
            let mut dice = Dice::new(seed);
            let fleet = fixture::fleet(&mut dice, 9);
            let requirements: Vec<_> = (0..80).map(|_| requirement(&mut dice)).collect();
            let told = |snapshot: &Snapshot, threads: usize| {
                let view = View::new(snapshot, fixture::now());
                let mut store = VerdictStore::default();
                store.prepare(&view, &requirements, NonZeroUsize::new(threads).unwrap());
                let ids: Vec<_> = requirements.iter().map(|requirement| store.of(&view, requirement)).collect();
                let digests: Vec<_> = ids.iter().map(|id| store.digest(snapshot, *id).unwrap()).collect();
                let blocks: Vec<_> = store.blocks.into_iter().map(|block| block.verdicts).collect();
                (ids, blocks, digests)
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
            let requirements: Vec<_> = (0..3).map(|_| requirement(&mut dice)).collect();
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
                store.cluster_changed(slot);
                if dice.one_in(2) {
                    continue;
                }
                let view = View::new(&snapshot, fixture::now());
                for requirement in &requirements {
                    let id = store.of(&view, requirement);
                    assert_scalar_equals_mask(&view, requirement, store.block(id).unwrap());
                }
            }
        }
    }
}
