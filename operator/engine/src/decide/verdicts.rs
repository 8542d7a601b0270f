//! Every rule on all clusters at once: the verdict block of a requirement.
//!
//! A block holds one mask per rule and answer other than Pass, one for what is eligible, one per group of the placement
//! and one per plane of accepted pools, all in one allocation. [`super::rules`] says what the rules mean; here only the
//! sets are made. When a single cluster changes, its one bit is set again through the scalar path.

use super::mask;
use super::rule::{Answer, Rule};
use super::rules::Judge;
use super::snapshot::{ClusterSlot, Snapshot};
use crate::terms::{Digest, DigestAlgorithm, Hasher};

/// No mask.
pub(crate) const NONE: u16 = u16::MAX;

/// The verdicts of one requirement on all clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    pub(crate) width: usize,
    pub(crate) groups: usize,
    pub(crate) planes: usize,
    /// Parts of the requirement, each with its planes of accepted pools; 1 where it has none.
    pub(crate) parts: usize,
    pub(crate) strict: bool,
    /// Place of the mask of each rule for Warn, Unknown, Fail; [`NONE`] when it is empty.
    pub(crate) at: [[u16; 3]; Rule::COUNT],
    /// Eligible; groups; planes of accepted pools by part; stored masks.
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

    /// Whether the k-th pool of the cluster passes all pool rules for a part.
    pub(crate) fn accepts(&self, part: usize, plane: usize, slot: usize) -> bool {
        part < self.parts && plane < self.planes && mask::has(self.mask(self.place_of(part, plane)), slot)
    }

    fn place_of(&self, part: usize, plane: usize) -> usize {
        1 + self.groups + part * self.planes + plane
    }

    /// Planes of pools of a part.
    pub(crate) fn accepted(&self, part: usize) -> impl Iterator<Item = &[u64]> {
        (0..self.planes).map(move |plane| self.mask(self.place_of(part, plane)))
    }

    /// Clusters of which a rule says exactly this (not Pass); empty when there are none.
    pub(super) fn saying(&self, rule: Rule, answer: Answer) -> &[u64] {
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
    pub(super) fn digest(&self, snapshot: &Snapshot, roster: &Digest) -> Digest {
        let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
        hasher.field(b"jiuzhou-verdicts/1");
        hasher.field(roster.bytes());
        hasher.field(&[u8::from(self.strict)]);
        let mut ranked = vec![0_u64; mask::words(snapshot.len())];
        let mut put = |name: &[u8], words: &[u64]| {
            if words.iter().all(|word| *word == 0) {
                return;
            }
            ranked.fill(0);
            for slot in mask::iter(words) {
                let rank = snapshot.name_rank(ClusterSlot::new(slot));
                mask::assign(&mut ranked, rank as usize, true);
            }
            hasher.field(name);
            let bytes: Vec<u8> = ranked.iter().flat_map(|word| word.to_le_bytes()).collect();
            hasher.field(&bytes);
        };
        let narrow = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        for rule in Rule::ALL {
            for answer in [Answer::Warn, Answer::Unknown, Answer::Fail] {
                put(&[b'r', narrow(rule.index()), answer as u8], self.saying(rule, answer));
            }
        }
        for group in 0..self.groups {
            put(&[b'g', narrow(group), narrow(group >> 8)], self.group(group));
        }
        for part in 0..self.parts {
            for (plane, words) in self.accepted(part).enumerate() {
                let name = [b'p', narrow(plane), narrow(plane >> 8), narrow(part), narrow(part >> 8)];
                // The only part has no number.
                put(name.get(..if part == 0 { 3 } else { 5 }).unwrap_or_default(), words);
            }
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
        for (part, (_, judge)) in judge.parts().into_iter().enumerate() {
            for plane in 0..self.planes {
                let pool = cluster.and_then(|cluster| Some((cluster, cluster.pools.get(plane)?)));
                let accepted = pool.is_some_and(|(cluster, pool)| judge.accepts(cluster, pool));
                self.put_at(self.place_of(part, plane), slot, accepted);
            }
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
