//! `cargo xtask layers`: holds `cargo metadata` against the import table.
//!
//! Two questions: does a package of ours name only what it may, and is anything it must never see reachable from it in
//! the default build (normal dependencies only; tests may use what they like).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::imports::{OUTSIDE_THE_TABLE, ROOMS, Room};

/// Fails with every offending edge.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("failed to run cargo metadata")?;
    if !output.status.success() {
        bail!("failed to run cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata = serde_json::from_slice(&output.stdout).context("failed to read cargo metadata")?;
    let offences = offences(&Graph::read(&metadata)?, ROOMS, OUTSIDE_THE_TABLE);
    if !offences.is_empty() {
        bail!("failed to keep the import table (hack/xtask/src/imports.rs):\n  {}", offences.join("\n  "));
    }
    println!("layers: every import is allowed");
    Ok(())
}

/// Normal dependencies between packages, by name.
#[derive(Debug, Default)]
struct Graph {
    ours: BTreeSet<String>,
    edges: BTreeMap<String, BTreeSet<String>>,
    declared: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read(metadata: &Value) -> anyhow::Result<Self> {
        let mut graph = Self::default();
        let mut names = BTreeMap::new();
        let members: BTreeSet<_> = list(metadata, "/workspace_members")?.iter().filter_map(Value::as_str).collect();
        for package in list(metadata, "/packages")? {
            let (id, name) = (text(package, "/id")?, text(package, "/name")?);
            names.insert(id, name);
            if members.contains(id) {
                graph.ours.insert(name.to_owned());
                let declared = list(package, "/dependencies")?.iter().filter(|d| d["kind"].is_null());
                let declared = declared.filter_map(|d| d["name"].as_str()).map(str::to_owned).collect();
                graph.declared.insert(name.to_owned(), declared);
            }
        }
        for node in list(metadata, "/resolve/nodes")? {
            let from = names.get(text(node, "/id")?).context("failed to find a package of the graph")?;
            let edges = graph.edges.entry((*from).to_owned()).or_default();
            for dependency in list(node, "/deps")? {
                let normal = list(dependency, "/dep_kinds")?.iter().any(|kind| kind["kind"].is_null());
                if let (true, Some(to)) = (normal, names.get(text(dependency, "/pkg")?)) {
                    edges.insert((*to).to_owned());
                }
            }
        }
        Ok(graph)
    }

    /// The shortest chain of normal dependencies from one package to another.
    fn chain(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::from([from.to_owned()]);
        let mut chains = std::collections::VecDeque::from([vec![from.to_owned()]]);
        while let Some(chain) = chains.pop_front() {
            let last = chain.last()?;
            if last == to {
                return Some(chain);
            }
            for next in self.edges.get(last).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    let mut longer = chain.clone();
                    longer.push(next.clone());
                    chains.push_back(longer);
                }
            }
        }
        None
    }
}

fn offences(graph: &Graph, rooms: &[Room], outside: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for package in &graph.ours {
        if outside.contains(&package.as_str()) {
            continue;
        }
        let Some(room) = rooms.iter().find(|room| room.package == package) else {
            found.push(format!("{package} is in no row of the table: add it"));
            continue;
        };
        for import in graph.declared.get(package).into_iter().flatten() {
            if graph.ours.contains(import) && !room.may_import.contains(&import.as_str()) {
                found.push(format!("{package} -> {import}: {package} may import only {:?}", room.may_import));
            }
        }
        for forbidden in room.must_not_reach {
            if let Some(chain) = graph.chain(package, forbidden) {
                found.push(format!("{}: {package} must never reach {forbidden}", chain.join(" -> ")));
            }
        }
    }
    found
}

fn list<'a>(value: &'a Value, pointer: &str) -> anyhow::Result<&'a Vec<Value>> {
    value.pointer(pointer).and_then(Value::as_array).with_context(|| format!("failed to find {pointer} in metadata"))
}

fn text<'a>(value: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("failed to find {pointer} in metadata"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TABLE: &[Room] = &[
        Room { package: "engine", may_import: &[], must_not_reach: &["tokio"] },
        Room { package: "intake", may_import: &["engine"], must_not_reach: &["tokio"] },
    ];

    /// Metadata of a workspace with the given normal and dev edges; names without a row are outside packages.
    fn metadata(members: &[&str], normal: &[(&str, &str)], dev: &[(&str, &str)]) -> Value {
        let names: BTreeSet<_> =
            normal.iter().chain(dev).flat_map(|(a, b)| [*a, *b]).chain(members.iter().copied()).collect();
        let of = |from: &str| -> Vec<Value> {
            let normal = normal.iter().filter(|(a, _)| *a == from).map(|(_, b)| json!([b, null]));
            let dev = dev.iter().filter(|(a, _)| *a == from).map(|(_, b)| json!([b, "dev"]));
            normal.chain(dev).collect()
        };
        json!({
            "workspace_members": members,
            "packages": names.iter().map(|name| json!({
                "id": name, "name": name,
                "dependencies": of(name).iter().map(|d| json!({ "name": d[0], "kind": d[1] })).collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
            "resolve": { "nodes": names.iter().map(|name| json!({
                "id": name,
                "deps": of(name).iter().map(|d| json!({ "pkg": d[0], "dep_kinds": [{ "kind": d[1] }] }))
                    .collect::<Vec<_>>(),
            })).collect::<Vec<_>>() },
        })
    }

    fn found(members: &[&str], normal: &[(&str, &str)], dev: &[(&str, &str)]) -> Vec<String> {
        offences(&Graph::read(&metadata(members, normal, dev)).expect("metadata"), TABLE, &["xtask"])
    }

    #[test]
    fn an_allowed_import_passes_and_the_reverse_is_named() {
        assert_eq!(found(&["engine", "intake"], &[("intake", "engine")], &[]), Vec::<String>::new());
        let offences = found(&["engine", "intake"], &[("engine", "intake")], &[]);
        assert_eq!(offences, ["engine -> intake: engine may import only []"]);
    }

    #[test]
    fn a_forbidden_package_is_found_through_others_and_the_chain_is_shown() {
        let offences = found(&["engine"], &[("engine", "client"), ("client", "tokio")], &[]);
        assert_eq!(offences, ["engine -> client -> tokio: engine must never reach tokio"]);
    }

    #[test]
    fn tests_may_use_what_they_like_but_a_new_package_needs_a_row() {
        assert_eq!(found(&["engine"], &[], &[("engine", "tokio")]), Vec::<String>::new());
        assert_eq!(found(&["xtask"], &[("xtask", "tokio")], &[]), Vec::<String>::new());
        assert_eq!(found(&["newcomer"], &[], &[]), ["newcomer is in no row of the table: add it"]);
    }
}
