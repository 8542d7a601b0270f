//! `cargo xtask layers`: holds `cargo metadata` and `cargo tree` against the import table.
//!
//! Two questions: does a package of ours name only what it may, and is anything it must never see reachable from it in
//! the default build (normal dependencies only; tests may use what they like).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::imports::{OUTSIDE_THE_TABLE, ROOMS, Room};
use crate::nested;

/// Fails with every offending edge.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let metadata = cargo(root, &["metadata", "--format-version", "1", "--locked", "--no-deps"])?;
    let mut graph = Graph::read(&serde_json::from_str(&metadata).context("failed to read cargo metadata")?)?;
    for room in ROOMS.iter().filter(|room| !room.must_not_reach.is_empty() && graph.ours.contains(room.package)) {
        // Each package alone: in one graph of the whole workspace a room that talks to an API server would lend its
        // features to all others.
        let arguments = ["tree", "--locked", "--edges", "normal", "--prefix", "depth", "--package", room.package];
        graph.builds.insert(room.package.to_owned(), tree(&cargo(root, &arguments)?));
    }
    let offences = offences(&graph, ROOMS, OUTSIDE_THE_TABLE);
    if !offences.is_empty() {
        bail!("failed to keep the import table (hack/xtask/src/imports.rs):\n  {}", offences.join("\n  "));
    }
    println!("layers: every import is allowed");
    Ok(())
}

/// What a command of cargo prints.
fn cargo(root: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = nested::cargo(root);
    // Whoever unifies features over the workspace to save compile time would see each package with those of all others.
    command.env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION");
    let output = command.args(arguments).output().context("failed to run cargo")?;
    if !output.status.success() {
        bail!("failed to run cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).context("failed to read what cargo prints")
}

/// What packages of ours name, and what their default builds contain.
#[derive(Debug, Default)]
struct Graph {
    ours: BTreeSet<String>,
    declared: BTreeMap<String, BTreeSet<String>>,
    /// By package: its default build as `cargo tree` walks it, each package with its depth.
    builds: BTreeMap<String, Vec<(usize, String)>>,
}

impl Graph {
    fn read(metadata: &Value) -> anyhow::Result<Self> {
        let mut graph = Self::default();
        let members: BTreeSet<_> = list(metadata, "/workspace_members")?.iter().filter_map(Value::as_str).collect();
        for package in list(metadata, "/packages")? {
            let (id, name) = (text(package, "/id")?, text(package, "/name")?);
            if members.contains(id) {
                graph.ours.insert(name.to_owned());
                let declared = list(package, "/dependencies")?.iter().filter(|d| d["kind"].is_null());
                let declared = declared.filter_map(|d| d["name"].as_str()).map(str::to_owned).collect();
                graph.declared.insert(name.to_owned(), declared);
            }
        }
        Ok(graph)
    }

    /// The chain of normal dependencies by which a package's default build comes to another.
    fn chain(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut chain: Vec<&str> = Vec::new();
        for (depth, name) in self.builds.get(from)? {
            chain.truncate(*depth);
            chain.push(name);
            if name == to {
                return Some(chain.into_iter().map(str::to_owned).collect());
            }
        }
        None
    }
}

/// The lines of `cargo tree --prefix depth`: depth, name, version, remarks.
fn tree(text: &str) -> Vec<(usize, String)> {
    let line = |line: &str| {
        let digits = line.find(|c: char| !c.is_ascii_digit())?;
        let (depth, rest) = line.split_at(digits);
        Some((depth.parse().ok()?, rest.split(' ').next()?.to_owned()))
    };
    text.lines().filter_map(line).collect()
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

    /// Metadata of a workspace with the given normal and dev dependencies.
    fn metadata(members: &[&str], normal: &[(&str, &str)], dev: &[(&str, &str)]) -> Value {
        let of = |from: &str| -> Vec<Value> {
            let normal = normal.iter().filter(|(a, _)| *a == from).map(|(_, b)| json!({ "name": b, "kind": null }));
            let dev = dev.iter().filter(|(a, _)| *a == from).map(|(_, b)| json!({ "name": b, "kind": "dev" }));
            normal.chain(dev).collect()
        };
        json!({
            "workspace_members": members,
            "packages": members.iter().map(|name| json!({ "id": name, "name": name, "dependencies": of(name) }))
                .collect::<Vec<_>>(),
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
        let mut graph = Graph::read(&metadata(&["engine"], &[("engine", "client")], &[])).expect("metadata");
        let printed = "0engine v0.1.0 (/engine)\n1serde v1.0.0\n2serde_core v1.0.0\n1client v1.0.0\n2tokio v1.54.1\n1serde v1.0.0 (*)\n";
        graph.builds.insert("engine".to_owned(), tree(printed));
        assert_eq!(offences(&graph, TABLE, &[]), ["engine -> client -> tokio: engine must never reach tokio"]);
    }

    #[test]
    fn tests_may_use_what_they_like_but_a_new_package_needs_a_row() {
        assert_eq!(found(&["engine"], &[], &[("engine", "tokio")]), Vec::<String>::new());
        assert_eq!(found(&["xtask"], &[("xtask", "tokio")], &[]), Vec::<String>::new());
        assert_eq!(found(&["newcomer"], &[], &[]), ["newcomer is in no row of the table: add it"]);
    }
}
