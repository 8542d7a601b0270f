//! Bodies (单位) as they stand on a day: who became whom by merger or new name, who is not there yet, and both trees by
//! the names of that day.
//!
//! The objects are those of today: a system names the body that answers for it now. Before a body got its new name, or was
//! split off, what is its own was the old body's, so a report of an earlier day has the old tree. What was merged into a
//! body that had been there keeps the name in the objects, and counts as the other one's from the day on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_measure::adoption::Body;

use super::day;
use crate::objects::Objects;

/// Names of bodies on a day.
pub(super) struct Bodies {
    /// Who a body has become by then.
    later: BTreeMap<String, String>,
    /// Who a body that begins after the day still is.
    earlier: BTreeMap<String, String>,
}

impl Bodies {
    /// Who bodies are on a day. A split leaves the old body in being.
    pub(super) fn on(objects: &Objects, today: Date) -> Self {
        let (mut later, mut earlier) = (BTreeMap::new(), BTreeMap::new());
        for item in objects.tenants.values() {
            let name = &item.document.name;
            let others = item.object.spec.predecessors.iter().filter(|before| before.tenant != **name);
            let dated = others.filter_map(|before| Some((day(Some(&before.date))?, before)));
            let begins = |kind| matches!(kind, api::SuccessionKind::Rename | api::SuccessionKind::Split);
            let mut first: Option<(Date, &api::Predecessor)> = None;
            for (date, before) in dated {
                if date <= today && before.kind != api::SuccessionKind::Split {
                    later.entry(before.tenant.to_string()).or_insert_with(|| name.clone());
                }
                // Of several on its first day, the one whose name it took carries on.
                let order =
                    |(date, before): &(Date, &api::Predecessor)| (*date, before.kind != api::SuccessionKind::Rename);
                if begins(before.kind) && first.as_ref().is_none_or(|known| order(&(date, before)) < order(known)) {
                    first = Some((date, before));
                }
            }
            if let Some((_, before)) = first.filter(|(date, _)| *date > today) {
                earlier.insert(name.clone(), before.tenant.to_string());
            }
        }
        Self { later, earlier }
    }

    /// A body as it is called on the day. A circle of names ends where it began.
    pub(super) fn now(&self, name: &str) -> String {
        let walk = |names: &BTreeMap<String, String>, name: &str| {
            let (mut seen, mut name) = (BTreeSet::new(), name.to_owned());
            while let Some(next) = names.get(&name).filter(|_| seen.insert(name.clone())) {
                name.clone_from(next);
            }
            name
        };
        walk(&self.later, &walk(&self.earlier, name))
    }

    /// Every body that is there on the day, with its place in both trees.
    pub(super) fn all(&self, objects: &Objects) -> Vec<Body> {
        let here = objects.tenants.values().filter(|item| self.now(&item.document.name) == item.document.name);
        here.map(|item| {
            let spec = &item.object.spec;
            // Who took over its superior is not below itself.
            let above = |parent: &Option<_>| {
                let parent = parent.as_ref().map(|parent: &jiuzhou_api::text::Name| self.now(parent));
                parent.filter(|parent| *parent != item.document.name)
            };
            Body {
                name: item.document.name.clone(),
                block_parent: above(&spec.block_parent),
                line_parent: above(&spec.line_parent),
                level: format!("{:?}", spec.level),
            }
        })
        .collect()
    }
}
