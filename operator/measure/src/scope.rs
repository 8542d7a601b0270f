//! What a report is over: bodies by both trees, regions, rooms. Every list narrows; an empty one does not.
//!
//! A body stands for everything below it in that tree, a region for everything inside it. Whoever narrows by bodies sees
//! nothing of the others: their systems, their energy.

use std::collections::{BTreeMap, BTreeSet};

use crate::adoption::{Body, Register};

/// What a report is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Bodies with everything below them in the tree of localities (块).
    pub blocks: BTreeSet<String>,
    /// Bodies with everything below them in the tree of lines (条).
    pub lines: BTreeSet<String>,
    /// GB/T 2260 codes; 530000 covers 532900.
    pub regions: BTreeSet<String>,
    /// Machine rooms.
    pub sites: BTreeSet<String>,
}

impl Scope {
    /// Whether it is everything there is.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self == &Self::default()
    }

    /// The bodies it names and those below; `None` where bodies do not narrow it.
    #[must_use]
    pub fn bodies(&self, bodies: &[Body]) -> Option<BTreeSet<String>> {
        let blocks =
            (!self.blocks.is_empty()).then(|| below(bodies, &self.blocks, |body| body.block_parent.as_deref()));
        let lines = (!self.lines.is_empty()).then(|| below(bodies, &self.lines, |body| body.line_parent.as_deref()));
        match (blocks, lines) {
            (Some(blocks), Some(lines)) => Some(blocks.intersection(&lines).cloned().collect()),
            (blocks, lines) => blocks.or(lines),
        }
    }

    /// Whether a place lies in its regions. A place that is not stated lies in none.
    #[must_use]
    pub fn covers(&self, code: &str) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|region| inside(region, code))
    }

    /// The part of a register it is over: its bodies, and the systems that are theirs and lie in its regions.
    #[must_use]
    pub fn of_register(&self, mut register: Register) -> Register {
        if let Some(bodies) = self.bodies(&register.bodies) {
            register.bodies.retain(|body| bodies.contains(&body.name));
            register.entries.retain(|entry| bodies.contains(&entry.tenant));
        }
        register.entries.retain(|entry| self.covers(&entry.region));
        register
    }
}

/// Names and everything below them. A circle (intake reports it) is walked once.
fn below<'a>(
    bodies: &'a [Body],
    from: &BTreeSet<String>,
    parent: impl Fn(&'a Body) -> Option<&'a str>,
) -> BTreeSet<String> {
    let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for body in bodies {
        if let Some(parent) = parent(body) {
            children.entry(parent).or_default().push(&body.name);
        }
    }
    let mut found = BTreeSet::new();
    let mut next: Vec<&str> = from.iter().map(String::as_str).collect();
    while let Some(name) = next.pop() {
        if found.insert(name.to_owned()) {
            next.extend(children.get(name).into_iter().flatten());
        }
    }
    found
}

/// Whether a code lies in a region: a province ends in 0000, a prefecture in 00.
fn inside(region: &str, code: &str) -> bool {
    let significant = region.strip_suffix("0000").or_else(|| region.strip_suffix("00")).unwrap_or(region);
    code.len() == region.len() && code.starts_with(significant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(name: &str, block: Option<&str>, line: Option<&str>) -> Body {
        let parent = |name: Option<&str>| name.map(str::to_owned);
        Body { name: name.into(), block_parent: parent(block), line_parent: parent(line), level: String::new() }
    }

    fn names(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    /// A province with two cities; the health line crosses them.
    fn bodies() -> Vec<Body> {
        vec![
            body("province", None, None),
            body("city-a", Some("province"), None),
            body("city-b", Some("province"), None),
            body("health", Some("province"), None),
            body("health-a", Some("city-a"), Some("health")),
            body("health-b", Some("city-b"), Some("health")),
        ]
    }

    #[test]
    fn a_body_stands_for_all_below_it_in_its_tree_and_both_trees_narrow() {
        let scope = Scope { blocks: names(&["city-a"]), ..Scope::default() };
        assert_eq!(scope.bodies(&bodies()), Some(names(&["city-a", "health-a"])));
        let scope = Scope { lines: names(&["health"]), ..Scope::default() };
        assert_eq!(scope.bodies(&bodies()), Some(names(&["health", "health-a", "health-b"])));
        let scope = Scope { blocks: names(&["city-a"]), lines: names(&["health"]), ..Scope::default() };
        assert_eq!(scope.bodies(&bodies()), Some(names(&["health-a"])));
        assert_eq!(Scope::default().bodies(&bodies()), None);
        let circle = [body("a", Some("b"), None), body("b", Some("a"), None)];
        let scope = Scope { blocks: names(&["a"]), ..Scope::default() };
        assert_eq!(scope.bodies(&circle), Some(names(&["a", "b"])));
    }

    #[test]
    fn a_region_covers_what_is_inside_it_and_nothing_beside() {
        let scope = Scope { regions: names(&["530000", "110105"]), ..Scope::default() };
        for (code, covered) in
            [("530000", true), ("532900", true), ("532901", true), ("110105", true), ("110100", false), ("", false)]
        {
            assert_eq!(scope.covers(code), covered, "{code}");
        }
        assert!(Scope::default().covers(""));
    }
}
