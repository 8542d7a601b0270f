//! Emergencies: which are in force, whom they are for, and what is over.
//!
//! One is in force from its start to its end where another person approved exactly it. What it changed is over at the end
//! that is committed with it, or when a person ends it: an object that is gone, or was changed since, ends nothing early.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::affinity::Affinity;
use jiuzhou_engine::decide::{Current, Mode, Policy, Requirement, Stop};

use crate::approvals::{Approved, of_mode};
use crate::objects::{Key, Objects};

use super::places::Places;
use super::tenants::below;
use super::words;

/// One that is in force.
#[derive(Clone, Debug)]
struct InForce {
    name: String,
    approval: String,
    number: String,
    until: Timestamp,
    tenants: BTreeSet<String>,
    workloads: BTreeMap<Key, Option<i32>>,
    victims: BTreeSet<Key>,
    /// Clusters it opens, and the highest class of data for them.
    burst: Option<(Affinity, api::DataClass)>,
}

/// The emergencies of an instant.
#[derive(Clone, Debug, Default)]
pub struct Modes {
    as_of: Timestamp,
    all: Vec<InForce>,
    ended: BTreeSet<String>,
    next: Option<Timestamp>,
}

impl Modes {
    /// Reads them off the objects.
    pub(super) fn new(objects: &Objects, places: &Places, as_of: Timestamp, approved: &Approved) -> Self {
        let mut modes = Self { as_of, ..Self::default() };
        let mut instants = BTreeSet::new();
        for (key, item) in &objects.modes {
            let spec = &item.object.spec;
            if spec.ended {
                modes.ended.insert(key.1.clone());
                continue;
            }
            instants.extend([spec.from.0, spec.until.0]);
            let holds = spec.from.0 <= as_of && as_of < spec.until.0;
            let approval = approval(&key.1, spec, approved).filter(|_| holds);
            let Some(approval) = approval else { continue };
            let named = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
            modes.all.push(InForce {
                name: key.1.clone(),
                approval: approval.to_owned(),
                number: spec.document.number.to_string(),
                until: spec.until.0,
                tenants: below(&objects.tenants, spec.tenants.iter().map(ToString::to_string).collect()),
                workloads: spec.workloads.iter().map(|one| (named(&one.namespace, &one.name), one.priority)).collect(),
                victims: spec.victims.iter().map(|one| named(&one.namespace, &one.name)).collect(),
                burst: spec.burst.as_ref().map(|burst| {
                    let api::Burst { clusters, highest_class } = burst;
                    (places.affinity(clusters), *highest_class)
                }),
            });
        }
        for item in objects.placements.values() {
            instants.extend(item.object.spec.mode.iter().map(|mode| mode.until.0));
            instants.extend(item.object.spec.stop.iter().filter_map(|stop| Some(stop.until.as_ref()?.0)));
        }
        modes.next = instants.into_iter().find(|at| *at > as_of);
        modes
    }

    /// When one begins or ends next.
    #[must_use]
    pub fn next_change(&self) -> Option<Timestamp> {
        self.next
    }

    /// Approvals of those that are in force.
    pub fn approvals(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|mode| mode.approval.as_str())
    }

    fn is_over(&self, name: &str, until: Timestamp) -> bool {
        self.as_of >= until || self.ended.contains(name)
    }

    /// The emergency of a workload, or the one that gives back what it changed of it.
    pub(super) fn of(&self, key: &Key, tenant: &str, committed: Option<&api::PlacementMode>) -> Option<Mode> {
        let takes = |mode: &&InForce| mode.workloads.contains_key(key) || mode.tenants.contains(tenant);
        let priority = |mode: &InForce| mode.workloads.get(key).copied().flatten();
        if let Some(held) = committed {
            let known = self.all.iter().find(|mode| mode.name == *held.name);
            return Some(Mode {
                name: held.name.to_string(),
                approval: held.approval.to_string(),
                until: held.until.0,
                priority: known.and_then(priority),
                over: held.over || self.is_over(&held.name, held.until.0),
            });
        }
        self.all.iter().find(takes).map(|mode| Mode {
            name: mode.name.clone(),
            approval: mode.approval.clone(),
            until: mode.until,
            priority: priority(mode),
            over: false,
        })
    }

    /// Opens the clusters of the emergency that a workload is in to it, after all of its own: to what asks for no higher
    /// class of data than that. What was its own stays first, so that it is left only by what finds no room there. Where
    /// the emergency is not known any more, or another than was approved, what it committed stays open until its end.
    pub(super) fn open(
        &self,
        mode: Option<&Mode>,
        own: Affinity,
        committed: Option<&api::FleetPlacementSpec>,
        requirement: &mut Requirement,
        policy: &mut Policy,
    ) {
        let mode = mode.filter(|mode| !mode.over);
        let known = mode.and_then(|mode| self.all.iter().find(|one| one.name == mode.name));
        let opened = match known {
            Some(known) => {
                let burst = known.burst.as_ref();
                let burst = burst.filter(|(_, highest)| requirement.data_class <= words::data_class(*highest));
                burst.map(|(clusters, _)| clusters.clone())
            }
            None => committed.filter(|placed| mode.is_some() && placed.mode.is_some()).map(placed_in),
        };
        let Some(opened) = opened else {
            requirement.affinity = own.and(std::mem::take(&mut requirement.affinity));
            return;
        };
        if requirement.groups.is_empty() {
            requirement.groups.push(Affinity::default());
        }
        let groups = std::mem::take(&mut requirement.groups);
        requirement.groups = groups.into_iter().map(|group| own.clone().and(group)).collect();
        requirement.groups.push(opened);
        // What goes back before the end does so by its group's own window; at the end all does.
        policy.failback_seconds.resize(requirement.groups.len(), None);
    }

    /// The emergency that a workload gives way to.
    pub(super) fn gives_way(&self, key: &Key) -> Option<Stop> {
        let mode = self.all.iter().find(|mode| mode.victims.contains(key))?;
        Some(Stop {
            order: mode.number.clone(),
            approval: mode.approval.clone(),
            mode: Some((mode.name.clone(), mode.until)),
            lifted: false,
        })
    }

    /// Whether the emergency that a placement gives way to is over.
    pub(super) fn has_ended(&self, stop: &api::PlacementStop) -> bool {
        let named = stop.mode.as_ref().zip(stop.until.as_ref());
        named.is_some_and(|(name, until)| self.is_over(name, until.0))
    }
}

/// The clusters that carry something of a placement.
fn placed_in(placed: &api::FleetPlacementSpec) -> Affinity {
    let carrying = placed.clusters.iter().filter(|cluster| cluster.replicas > 0);
    // A name that no cluster has: none at all would mean any.
    let names = carrying.map(|cluster| cluster.name.to_string()).chain([String::new()]);
    Affinity { names: names.collect(), ..Affinity::default() }
}

/// The approval of an emergency.
pub(crate) fn approval<'a>(name: &str, spec: &api::OperatingModeSpec, approved: &'a Approved) -> Option<&'a str> {
    approved.of(api::ApprovedOrder::OperatingMode, &of_mode(name, spec), Some(&*spec.requested_by))
}

/// What a workload has once an emergency is over: what it had before, and what is there beyond it leaves.
pub(super) fn given_back(now: &[Current], before: &[api::PlacedCluster]) -> Vec<Current> {
    let there = |name: &str| now.iter().find(|current| current.cluster == name).map_or(0, |current| current.observed);
    let back = before.iter().filter(|cluster| cluster.replicas > 0).map(|cluster| Current {
        cluster: cluster.name.to_string(),
        placed: i64::from(cluster.replicas),
        observed: there(&cluster.name),
    });
    let left = now.iter().filter(|current| before.iter().all(|cluster| *cluster.name != *current.cluster));
    let left =
        left.map(|current| Current { placed: 0, observed: current.placed.max(current.observed), ..current.clone() });
    back.chain(left).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The groups and the affinity of a workload of a class, in an emergency that opens `b` up to a class.
    fn opened(class: api::DataClass, highest: api::DataClass, over: bool) -> (Vec<Affinity>, Affinity) {
        let named = |name: &str| Affinity { names: [name.to_owned()].into(), ..Affinity::default() };
        let held = InForce {
            name: "flood".to_owned(),
            approval: "mode-1".to_owned(),
            number: "1".to_owned(),
            until: Timestamp::MAX,
            tenants: BTreeSet::new(),
            workloads: BTreeMap::new(),
            victims: BTreeSet::new(),
            burst: Some((named("b"), highest)),
        };
        let modes = Modes { all: vec![held], ..Modes::default() };
        let mode = Mode {
            name: "flood".to_owned(),
            approval: "mode-1".to_owned(),
            until: Timestamp::MAX,
            priority: None,
            over,
        };
        let mut requirement = Requirement { data_class: words::data_class(class), ..Requirement::default() };
        let mut policy = Policy::default();
        modes.open(Some(&mode), named("a"), None, &mut requirement, &mut policy);
        (requirement.groups, requirement.affinity)
    }

    #[test]
    fn an_emergency_opens_clusters_after_its_own_to_what_is_of_no_higher_class_and_only_while_it_lasts() {
        use api::DataClass::{Core, General, Important};
        let named = |name: &str| Affinity { names: [name.to_owned()].into(), ..Affinity::default() };
        let open = (vec![named("a"), named("b")], Affinity::default());
        let closed = (Vec::new(), named("a"));
        assert_eq!(opened(General, General, false), open);
        assert_eq!(opened(Important, General, false), closed);
        assert_eq!(opened(Important, Important, false), open);
        assert_eq!(opened(Core, Important, false), closed);
        assert_eq!(opened(General, Core, true), closed, "it is over");
    }

    #[test]
    fn what_was_before_is_had_again_and_what_is_beyond_it_leaves() {
        let current = |cluster: &str, placed, observed| Current { cluster: cluster.to_owned(), placed, observed };
        let placed = |name: &str, replicas| api::PlacedCluster { name: name.into(), replicas, place: None };
        let back = given_back(&[current("a", 5, 5), current("b", 3, 2)], &[placed("a", 2), placed("c", 1)]);
        assert_eq!(back, [current("a", 2, 5), current("c", 1, 0), current("b", 0, 3)]);
    }
}
