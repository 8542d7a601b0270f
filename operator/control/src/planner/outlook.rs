//! What the planner tells the tasks of the members: catalogue, kinds, tiers, and how far epochs have come.
//!
//! Told when something of it may have changed, and sent on only when it did, because every news wakes every task.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use jiuzhou_member::{Knowledge, Rules};

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

    fn knowledge(&self, base: &jiuzhou_intake::convert::Base) -> Knowledge {
        let mut rules = Rules::default();
        for item in self.state.objects().kinds.values() {
            if let Err(error) = rules.insert(&item.object.spec) {
                tracing::warn!(profile = %item.document.name, error = %chain(&error), "failed to take a KindProfile's rules");
            }
        }
        Knowledge { profiles: base.profiles.clone(), rules }
    }

    /// No claim of a member may say more than this hub has given out.
    pub(super) fn reached(&self, epoch: i64) {
        self.outlook.borrow().epoch.fetch_max(epoch, Ordering::AcqRel);
    }
}
