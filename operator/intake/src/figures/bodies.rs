//! Bodies (单位) as they stand on a day: who became whom by merger or new name, and both trees by those names.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_measure::adoption::Body;

use super::day;
use crate::objects::Objects;

/// Names of bodies on a day.
pub(super) struct Bodies(BTreeMap<String, String>);

impl Bodies {
    /// Who a body became by a day. A split leaves the old body in being.
    pub(super) fn on(objects: &Objects, today: Date) -> Self {
        let mut successors = BTreeMap::new();
        for item in objects.tenants.values() {
            for before in &item.object.spec.predecessors {
                let ends = matches!(before.kind, api::SuccessionKind::Rename | api::SuccessionKind::Merge);
                if ends
                    && day(Some(&before.date)).is_some_and(|date| date <= today)
                    && before.tenant != *item.document.name
                {
                    successors.entry(before.tenant.to_string()).or_insert_with(|| item.document.name.clone());
                }
            }
        }
        Self(successors)
    }

    /// A body as it is called on the day. A circle of successors ends where it began.
    pub(super) fn now(&self, name: &str) -> String {
        let mut seen = BTreeSet::new();
        let mut name = name;
        while let Some(next) = self.0.get(name).filter(|_| seen.insert(name.to_owned())) {
            name = next;
        }
        name.to_owned()
    }

    /// Every body that is there on the day, with its place in both trees.
    pub(super) fn all(&self, objects: &Objects) -> Vec<Body> {
        let here = objects.tenants.values().filter(|item| self.now(&item.document.name) == item.document.name);
        here.map(|item| {
            let spec = &item.object.spec;
            Body {
                name: item.document.name.clone(),
                block_parent: spec.block_parent.as_ref().map(|parent| self.now(parent)),
                line_parent: spec.line_parent.as_ref().map(|parent| self.now(parent)),
                level: format!("{:?}", spec.level),
            }
        })
        .collect()
    }
}
