//! What the planner tells the tasks of the members: catalogue, kinds, tiers, and how far epochs have come.
//!
//! Told when something of it may have changed, and sent on only when it did, because every news wakes every task.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1::{Lifecycle, MemberCluster, ObjectObservation, ObjectState};
use jiuzhou_member::bootstrap::KINDS;
use jiuzhou_member::{Knowledge, Rules};
use kube::ResourceExt as _;

use super::{Planner, chain};
use crate::fleet::{self, Outlook};

impl Planner {
    /// Tells what the fleet rests on.
    pub(super) fn look_out(&mut self, as_of: Timestamp) {
        let Some(base) = self.state.base() else { return };
        let clusters = self.state.snapshot().clusters().map(|(_, cluster)| &**cluster);
        let tiers = fleet::tiers(self.state.objects(), &self.state.frame().tiers, clusters, as_of);
        self.tiers_change = fleet::next_change(&tiers, as_of);
        let before = self.outlook.borrow().clone();
        let same_kinds = before.knowledge_version > 0 && before.knowledge.profiles == base.profiles;
        let (knowledge, knowledge_version) = match same_kinds {
            true => (Arc::clone(&before.knowledge), before.knowledge_version),
            false => (Arc::new(self.knowledge(base)), before.knowledge_version + 1),
        };
        let catalogue = match *before.catalogue == base.catalogue {
            true => Arc::clone(&before.catalogue),
            false => Arc::new(base.catalogue.clone()),
        };
        if same_kinds && before.tiers == tiers && Arc::ptr_eq(&catalogue, &before.catalogue) {
            return;
        }
        let told = Outlook { catalogue, tiers, knowledge, knowledge_version, ..(*before).clone() };
        self.outlook.send_replace(Arc::new(told));
    }

    /// Tells what deliveries have in members that drain or leave of the kinds that nobody may list there.
    pub(super) fn look_out_for_left(&self) {
        let leaves = |member: &MemberCluster| {
            member.spec.lifecycle != Lifecycle::Active || member.metadata.deletion_timestamp.is_some()
        };
        let clusters = self.state.objects().clusters.values().filter(|item| leaves(&item.object));
        let mut unlisted: BTreeMap<String, BTreeMap<String, i32>> =
            clusters.map(|item| (item.object.name_any(), BTreeMap::new())).collect();
        if !unlisted.is_empty() {
            for (key, reports) in &self.reports {
                for (cluster, report) in reports {
                    let Some(left) = unlisted.get_mut(cluster) else { continue };
                    let count = report.as_ref().map_or(0, |status| count_unlisted(&status.objects));
                    if count > 0 {
                        let sum = left.entry(key.namespace.to_string()).or_default();
                        *sum = sum.saturating_add(count);
                    }
                }
            }
        }
        if self.outlook.borrow().unlisted != unlisted {
            let told = Outlook { unlisted, ..(**self.outlook.borrow()).clone() };
            self.outlook.send_replace(Arc::new(told));
        }
    }

    fn knowledge(&self, base: &jiuzhou_intake::convert::Base) -> Knowledge {
        let mut rules = Rules::default();
        for item in self.state.objects().kinds.values() {
            if let Err(error) = rules.insert(&item.object.spec) {
                tracing::warn!(profile = %item.document.name, error = %chain(&error), "failed to take a KindProfile's rules");
            }
        }
        Knowledge { profiles: base.profiles.clone(), rules }
    }
}

/// Objects of kinds whose content is the tenant's, as far as they were made by us.
fn count_unlisted(objects: &[ObjectObservation]) -> i32 {
    let unlisted = |one: &&ObjectObservation| {
        !matches!(one.state, ObjectState::Gone | ObjectState::Conflict)
            && one.identity.as_ref().is_some_and(|identity| {
                KINDS.iter().any(|kind| {
                    !kind.hub_lists
                        && kind.group.is_empty()
                        && *identity.api_version == *"v1"
                        && *identity.kind == *kind.kind
                })
            })
    };
    i32::try_from(objects.iter().filter(unlisted).count()).unwrap_or(i32::MAX)
}
