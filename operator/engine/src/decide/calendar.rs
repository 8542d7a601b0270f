//! What of a fleet depends on the instant: tiers and protection levels, which rest on documents with terms, and freezes.
//!
//! Worked out once for all clusters. It holds until the next date that matters, so whoever decides again before then
//! keeps it, and brings only the clusters up to date that have changed.

use jiff::Timestamp;

use super::input::ClusterInput;
use super::mask::Mask;
use super::snapshot::{ClusterSlot, Snapshot};
use super::tier;

/// The highest protection level there is (GB/T 22240).
const LEVELS: u8 = 5;

/// What of a cluster depends on the instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dated {
    /// Tiers from the lowest that hold for certain, and that would if everything Unknown held.
    pub(crate) tiers: (usize, usize),
    /// Highest protection level with a verified report, and with any.
    pub(crate) protection: (u8, u8),
}

/// A fleet at an instant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calendar {
    /// Revision of what it rests on beside clusters, and the instant.
    made: Option<(u64, Timestamp)>,
    /// By slot.
    dated: Vec<Dated>,
    /// By slot: when anything of the cluster next begins or ceases to count.
    next: Vec<Option<Timestamp>>,
    /// When a freeze or a grant next begins or ends.
    next_of_rules: Option<Timestamp>,
    /// `[n]`: clusters with at least n tiers, for certain and possibly.
    pub(crate) tiers: Vec<(Mask, Mask)>,
    /// `[level]`: clusters with at least that protection level, for certain and possibly.
    pub(crate) protection: Vec<(Mask, Mask)>,
    /// Freezes that hold now, by name.
    pub(crate) freezes: Vec<(String, Mask)>,
    next_change: Option<Timestamp>,
}

impl Calendar {
    pub(crate) fn new(snapshot: &Snapshot, as_of: Timestamp) -> Self {
        let freezes = snapshot.freezes.values().filter(|freeze| freeze.term.holds(as_of));
        let next = snapshot.freezes.values().filter_map(|f| f.term.next_change(as_of)).min();
        let grants = snapshot.tenants.values().flat_map(|t| t.grants.iter().flatten());
        let mut calendar = Self {
            made: Some((snapshot.revision(), as_of)),
            dated: Vec::new(),
            next: Vec::new(),
            next_of_rules: next.into_iter().chain(grants.filter_map(|g| g.term.next_change(as_of))).min(),
            tiers: vec![Default::default(); snapshot.tiers.len() + 1],
            protection: vec![Default::default(); usize::from(LEVELS) + 1],
            freezes: freezes.map(|freeze| (freeze.name.clone(), Mask::default())).collect(),
            next_change: None,
        };
        calendar.grow(snapshot);
        for (slot, cluster) in snapshot.clusters() {
            calendar.enter(snapshot, slot, Some(cluster), as_of);
        }
        calendar.find_next();
        calendar
    }

    /// Whether it says the same of that instant.
    pub(crate) fn holds(&self, snapshot: &Snapshot, as_of: Timestamp) -> bool {
        self.made.is_some_and(|(revision, from)| {
            revision == snapshot.revision() && from <= as_of && self.next_change.is_none_or(|until| as_of < until)
        })
    }

    /// These clusters changed, came or went. Asked of a calendar that holds.
    pub(crate) fn bring(&mut self, snapshot: &Snapshot, slots: impl Iterator<Item = ClusterSlot>, as_of: Timestamp) {
        self.made = Some((snapshot.revision(), as_of));
        self.grow(snapshot);
        for slot in slots {
            self.enter(snapshot, slot, snapshot.cluster(slot).map(|cluster| &**cluster), as_of);
        }
        self.find_next();
    }

    fn grow(&mut self, snapshot: &Snapshot) {
        self.dated.resize(snapshot.slots(), Dated::default());
        self.next.resize(snapshot.slots(), None);
    }

    fn find_next(&mut self) {
        self.next_change = self.next.iter().flatten().copied().chain(self.next_of_rules).min();
    }

    fn enter(&mut self, snapshot: &Snapshot, slot: ClusterSlot, cluster: Option<&ClusterInput>, as_of: Timestamp) {
        let slot = slot.index();
        let dated = cluster.map(|cluster| date(snapshot, cluster, as_of));
        for (n, (certain, possible)) in self.tiers.iter_mut().enumerate() {
            certain.assign(slot, dated.is_some_and(|dated| n <= dated.tiers.0));
            possible.assign(slot, dated.is_some_and(|dated| n <= dated.tiers.1));
        }
        for (level, (certain, possible)) in (0..=LEVELS).zip(self.protection.iter_mut()) {
            certain.assign(slot, dated.is_some_and(|dated| level <= dated.protection.0));
            possible.assign(slot, dated.is_some_and(|dated| level <= dated.protection.1));
        }
        for (name, frozen) in &mut self.freezes {
            let which = snapshot.freezes.get(name).map(|freeze| &freeze.clusters);
            let meant = |cluster: &ClusterInput| {
                which.is_some_and(|which| which.as_ref().is_none_or(|w| w.matches(&cluster.name, &cluster.labels)))
            };
            frozen.assign(slot, cluster.is_some_and(meant));
        }
        if let (Some(place), Some(next)) = (self.dated.get_mut(slot), self.next.get_mut(slot)) {
            *place = dated.unwrap_or_default();
            *next = cluster.and_then(|cluster| tier::next_change(cluster, as_of));
        }
    }

    /// What of a cluster depends on the instant.
    pub(crate) fn dated(&self, slot: usize) -> Dated {
        self.dated.get(slot).copied().unwrap_or_default()
    }

    /// The next date that matters.
    pub(crate) fn next_change(&self) -> Option<Timestamp> {
        self.next_change
    }
}

fn date(snapshot: &Snapshot, cluster: &ClusterInput, as_of: Timestamp) -> Dated {
    let standing = tier::evaluate(cluster, &snapshot.tiers, as_of);
    let attested = |possibly: bool| {
        (1..=LEVELS).rev().find(|level| match tier::attested(&cluster.protection, *level, as_of).0 {
            tier::CheckOutcome::Pass { .. } => true,
            tier::CheckOutcome::Unknown => possibly,
            tier::CheckOutcome::Fail => false,
        })
    };
    Dated {
        tiers: (standing.certain, standing.possible),
        protection: (attested(false).unwrap_or(0), attested(true).unwrap_or(0)),
    }
}
