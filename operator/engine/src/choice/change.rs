//! From what runs to what is wanted: kept, added, and removed when safe, with the reason of each.

use super::{Force, Target};

/// What happens on one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// As it is.
    Kept,
    /// Replicas are added.
    Added,
    /// Replicas are removed once what replaces them is ready; the cluster stays in use.
    Reduced,
    /// All replicas are removed once what replaces them is ready.
    RemovedWhenSafe,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Nothing changes here.
    Unchanged,
    /// The cluster is new to the workload.
    Chosen,
    /// More are wanted, or replicas come from elsewhere.
    Grown,
    /// Fewer replicas are wanted in all.
    FewerWanted,
    /// The cluster is no longer eligible.
    NotEligible,
    /// A bound in force does not let them stay; [`name_forces`](super::name_forces) says which.
    BoundForces(Option<Force>),
    /// A better score, by order or above the threshold.
    BetterScore,
}

/// One line of a change set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The cluster.
    pub slot: u32,
    /// Replicas now.
    pub from: i64,
    /// Replicas wanted.
    pub to: i64,
    /// What happens.
    pub step: Step,
    /// Why.
    pub why: Why,
}

/// The change set, by slot. `present`: where replicas are now, eligible or not; `eligible` says which of these clusters
/// were candidates. A slot named twice in `present` counts once, with its last number.
#[must_use]
pub fn changes(
    targets: &[Target],
    present: &[(u32, i64)],
    eligible: impl Fn(u32) -> bool,
    rebalanced: bool,
) -> Vec<Change> {
    let mut rows = std::collections::BTreeMap::new();
    for &(slot, from) in present {
        rows.insert(slot, (from.max(0), 0));
    }
    for target in targets {
        rows.entry(target.slot).or_insert((0, 0)).1 = target.replicas.max(0);
    }
    let sum = |part: fn(&(i64, i64)) -> i64| rows.values().fold(0_i64, |sum, row| sum.saturating_add(part(row)));
    let fewer = sum(|row| row.1) < sum(|row| row.0);
    // When all that goes is what is wanted less, nothing was forced.
    let moved = rows.values().any(|row| row.1 > row.0);
    let rows = rows.iter().filter(|(_, row)| row.0 > 0 || row.1 > 0);
    rows.map(|(&slot, &(from, to))| {
        let (step, why) = match to.cmp(&from) {
            std::cmp::Ordering::Equal => (Step::Kept, Why::Unchanged),
            std::cmp::Ordering::Greater if from == 0 => (Step::Added, Why::Chosen),
            std::cmp::Ordering::Greater => (Step::Added, Why::Grown),
            std::cmp::Ordering::Less => {
                let step = if to == 0 { Step::RemovedWhenSafe } else { Step::Reduced };
                let why = if !eligible(slot) {
                    Why::NotEligible
                } else if rebalanced {
                    Why::BetterScore
                } else if fewer && !moved {
                    Why::FewerWanted
                } else {
                    Why::BoundForces(None)
                };
                (step, why)
            }
        };
        Change { slot, from, to, step, why }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(slot: u32, replicas: i64, current: i64) -> Target {
        Target { slot, replicas, current }
    }

    #[test]
    fn every_cluster_gets_its_reason() {
        let targets = [target(1, 3, 3), target(2, 4, 1), target(5, 2, 0)];
        let found = changes(&targets, &[(1, 3), (2, 1), (9, 5)], |slot| slot != 9, false);
        let steps: Vec<_> = found.iter().map(|change| (change.slot, change.step, change.why)).collect();
        let wanted = [
            (1, Step::Kept, Why::Unchanged),
            (2, Step::Added, Why::Grown),
            (5, Step::Added, Why::Chosen),
            (9, Step::RemovedWhenSafe, Why::NotEligible),
        ];
        assert_eq!(steps, wanted);
    }

    #[test]
    fn less_wanted_is_told_from_forced_and_from_a_better_score() {
        let why = |targets: &[Target], rebalanced| {
            let found = changes(targets, &[(1, 3), (2, 3)], |_| true, rebalanced);
            found.into_iter().find(|change| change.slot == 2).map(|change| (change.step, change.why))
        };
        assert_eq!(why(&[target(1, 3, 3), target(2, 1, 3)], false), Some((Step::Reduced, Why::FewerWanted)));
        assert_eq!(why(&[target(1, 6, 3)], false), Some((Step::RemovedWhenSafe, Why::BoundForces(None))));
        assert_eq!(why(&[target(1, 6, 3)], true), Some((Step::RemovedWhenSafe, Why::BetterScore)));
    }
}
