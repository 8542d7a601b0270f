//! Migrations: where the workloads of each wave may be, by the phase that is written in its status.
//!
//! A phase narrows what a workload asks for itself and never widens it, so that no rule is passed by it. What is not
//! written does not count: an order follows from the status and from nothing that was only worked out.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::affinity::Affinity;
use jiuzhou_engine::decide::{Cause, Division, Policy, Requirement, Spread, SpreadKey};
use jiuzhou_engine::step::migration::{Phase, Sides};

use crate::migrations::phase;
use crate::objects::{Item, Items, Key};

use super::tenants::texts;

/// How one workload is concerned by the wave that takes it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    from: BTreeSet<String>,
    to: BTreeSet<String>,
    trial_percent: i64,
    data: bool,
    phase: Phase,
}

/// The workloads of all waves.
#[derive(Clone, Debug, Default)]
pub struct Migrations(BTreeMap<Key, Held>);

impl Migrations {
    /// Reads them off the objects. A workload that several waves name goes with the first.
    pub(super) fn new(all: &Items<api::Migration>) -> Self {
        let mut held = BTreeMap::new();
        for item in all.values() {
            for wave in &item.object.spec.waves {
                for name in &wave.workloads {
                    let key = (item.document.namespace.clone(), name.to_string());
                    held.entry(key).or_insert_with(|| one(item, wave));
                }
            }
        }
        Self(held)
    }

    /// How a workload is concerned; `None` when no wave takes it.
    pub(super) fn of(&self, key: &Key) -> Option<&Held> {
        self.0.get(key)
    }

    /// The same with one workload at another phase.
    pub(super) fn supposed(&self, key: &Key, phase: Phase) -> Self {
        let mut held = BTreeMap::new();
        held.extend(self.0.get(key).map(|one| (key.clone(), Held { phase, ..one.clone() })));
        Self(held)
    }
}

fn one(item: &Item<api::Migration>, wave: &api::MigrationWave) -> Held {
    let api::MigrationSpec { from, to, .. } = &item.object.spec;
    let status = item.object.status.as_ref();
    let written = status.and_then(|status| status.waves.iter().find(|known| known.name == wave.name));
    Held {
        from: texts(from),
        to: texts(to),
        trial_percent: i64::from(wave.trial_percent.unwrap_or(1)),
        data: wave.data.is_some(),
        phase: written.map(|known| phase(known.step)).unwrap_or_default(),
    }
}

impl Held {
    /// Replicas of so many that a dual run has on the target: at least one, and always less than all.
    fn trial(&self, replicas: i64) -> i64 {
        let share = replicas.saturating_mul(self.trial_percent).saturating_add(99) / 100;
        share.clamp(1, (replicas / 2).max(1))
    }

    /// Narrows what a workload asks for.
    pub(super) fn narrow(&self, requirement: &mut Requirement, policy: &mut Policy, replicas: i64) {
        let allowed: BTreeSet<String> = match self.phase.sides() {
            Sides::Untouched => return,
            Sides::Both => self.from.union(&self.to).cloned().collect(),
            Sides::Target => self.to.clone(),
            Sides::Source => self.from.clone(),
        };
        within(&mut requirement.affinity, allowed);
        if self.phase == Phase::RollingBack && requirement.cause == Cause::Change {
            requirement.cause = Cause::Rollback;
        }
        if self.phase.sides() == Sides::Both {
            let least = if policy.division == Division::Duplicated { 1 } else { self.trial(replicas) };
            policy.spread.push(Spread {
                key: SpreadKey::Among(self.to.clone()),
                min_groups: 2,
                max_groups: None,
                min_replicas: least,
                required: true,
            });
        }
    }

    /// Where the data of a workload is by its wave; what it says itself where the wave has none or has not moved it.
    pub(super) fn data_on(&self, own: Option<BTreeSet<String>>) -> Option<BTreeSet<String>> {
        match self.phase.sides() {
            _ if !self.data => own,
            Sides::Untouched => own,
            Sides::Both => Some(self.from.union(&self.to).cloned().collect()),
            Sides::Target => Some(self.to.clone()),
            Sides::Source => Some(self.from.clone()),
        }
    }
}

impl Held {
    /// Whether the wave's data steps see to it that what was left in a cluster is not older than what is elsewhere.
    pub(super) fn renews(&self, cluster: &str) -> bool {
        let moves = self.data && !matches!(self.phase.sides(), Sides::Untouched);
        moves && (self.from.contains(cluster) || self.to.contains(cluster))
    }
}

/// Lets an affinity take none but these clusters.
fn within(affinity: &mut Affinity, allowed: BTreeSet<String>) {
    if affinity.names.is_empty() {
        affinity.names = allowed;
        return;
    }
    let both: BTreeSet<String> = affinity.names.intersection(&allowed).cloned().collect();
    if both.is_empty() {
        // No name at all would mean every cluster.
        affinity.exclude.extend(allowed.iter().cloned());
        affinity.names = allowed;
    } else {
        affinity.names = both;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    fn held(phase: Phase, data: bool) -> Held {
        Held { from: names(&["a"]), to: names(&["b", "c"]), trial_percent: 20, data, phase }
    }

    fn narrowed(phase: Phase, own: &[&str]) -> (Vec<&'static str>, Cause, usize) {
        let mut requirement = Requirement::default();
        requirement.affinity.names = names(own);
        let mut policy = Policy::default();
        held(phase, false).narrow(&mut requirement, &mut policy, 10);
        let all = ["a", "b", "c", "d"].into_iter();
        let takes = all.filter(|name| requirement.affinity.matches(name, &BTreeMap::new()));
        (takes.collect(), requirement.cause, policy.spread.len())
    }

    #[test]
    fn a_phase_narrows_and_never_widens() {
        let change = Cause::Change;
        assert_eq!(narrowed(Phase::Comparing, &[]), (vec!["a", "b", "c", "d"], change, 0));
        assert_eq!(narrowed(Phase::Trial, &[]), (vec!["a", "b", "c"], change, 1));
        assert_eq!(narrowed(Phase::Soaking, &[]), (vec!["b", "c"], change, 0));
        assert_eq!(narrowed(Phase::Soaking, &["a", "b"]), (vec!["b"], change, 0));
        assert_eq!(
            narrowed(Phase::Soaking, &["a", "d"]),
            (vec![], change, 0),
            "what it does not allow itself stays shut"
        );
        assert_eq!(narrowed(Phase::RollingBack, &[]), (vec!["a"], Cause::Rollback, 0));
        assert_eq!(narrowed(Phase::RolledBack, &[]), (vec!["a"], change, 0));
    }

    #[test]
    fn a_dual_run_has_some_and_never_all_on_the_target() {
        let of = |replicas| held(Phase::Trial, false).trial(replicas);
        assert_eq!([1, 2, 3, 10, 11, 100].map(of), [1, 1, 1, 2, 3, 20]);
    }

    #[test]
    fn data_is_where_the_phase_says_only_when_it_goes_along() {
        let own = || Some(names(&["a"]));
        assert_eq!(held(Phase::Soaking, false).data_on(own()), own());
        assert_eq!(held(Phase::Comparing, true).data_on(own()), own());
        assert_eq!(held(Phase::Trial, true).data_on(own()), Some(names(&["a", "b", "c"])));
        assert_eq!(held(Phase::ReturningData, true).data_on(own()), Some(names(&["b", "c"])));
        assert_eq!(held(Phase::RollingBack, true).data_on(None), Some(names(&["a"])));
    }
}
