//! The stories of `examples/` on a real API server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiuzhou_e2e::{Fleet, binary, root};
use jiuzhou_intake::Progress;
use jiuzhou_intake::documents::{self, Document};
use jiuzhou_intake::yaml::Limits;

use crate::definitions::install;

/// The story that is wrong on purpose, and its wrong half.
const WRONG: &str = "examples/09-gitops-gate/bad";

/// Folders that a person may apply, each with its documents.
fn folders() -> Vec<String> {
    let mut folders: Vec<String> = std::fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| format!("examples/{}", path.file_name().unwrap().to_str().unwrap()))
        .collect();
    folders.sort();
    folders
}

/// What is no object of a hub (what `kubectl get nodes` printed, expectations and scenarios for offline commands), or one
/// that everybody writes under their own name, which the chart's policies hold them to.
fn offline(document: &Document) -> bool {
    let by_name = ["Approval", "OperatingMode"].contains(&document.kind.as_str());
    by_name || document.kind == "Node" || document.api_version.starts_with("study.jiuzhou.dev/")
}

/// The files of a folder that a person applies.
fn files(folder: &str) -> Vec<(String, Vec<Document>)> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                into.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let input = path.to_string_lossy().into_owned();
        let (documents, _) = documents::read_all(
            std::slice::from_ref(&input),
            &mut std::io::empty(),
            &Limits::default(),
            &Progress::default(),
        );
        (input, documents)
    };
    let all = paths.into_iter().map(read);
    all.filter(|(_, documents)| !documents.iter().any(offline)).collect()
}

/// A trial run of a folder: kubectl's words when it is refused.
fn trial(fleet: &Fleet, folder: &str) -> Result<(), String> {
    let files = files(folder);
    assert!(!files.is_empty(), "{folder} has no file");
    let mut arguments = vec!["apply", "--server-side", "--dry-run=server", "--validate=strict"];
    for (file, _) in &files {
        arguments.extend(["-f", file]);
    }
    let output = fleet.hub().try_kubectl(&arguments, "").unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

#[tokio::test]
async fn the_api_server_takes_every_story_but_the_one_that_is_wrong_on_purpose() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    let mut namespaces = BTreeSet::new();
    for folder in folders() {
        let all = files(&folder).into_iter().flat_map(|(_, documents)| documents);
        namespaces.extend(all.map(|document| document.namespace).filter(|name| !name.is_empty()));
    }
    let list: Vec<String> = namespaces
        .iter()
        .map(|name| format!("---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}\n"))
        .collect();
    fleet.hub().apply(&list.concat()).unwrap();
    let mut faults = Vec::new();
    for folder in folders() {
        let good = format!("{folder}/good");
        let folder = if root().join(&good).is_dir() { good } else { folder };
        if let Err(told) = trial(&fleet, &folder) {
            faults.push(format!("{folder}: {told}"));
        }
    }
    let refused = trial(&fleet, WRONG);
    fleet.hub().kubectl_with(&["delete", "-f", "-"], &list.concat()).unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let told = refused.unwrap_err();
    assert!(told.contains("unknown field") || told.contains("is invalid"), "{told}");
}

/// The commands that `jiuzhou demo --cluster` prints work as they stand there. The first and the last, which start and
/// end a set, are the harness's own work.
#[tokio::test]
async fn what_the_demo_says_about_clusters_can_be_typed() {
    let fleet = Fleet::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let told = Command::new(binary().unwrap()).args(["demo", "--cluster"]).output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    let lines = told.lines().filter_map(|line| line.strip_prefix("  "));
    let commands: Vec<&str> = lines.filter(|line| !line.starts_with("hack/clusters")).collect();
    assert!(commands.len() > 5, "{told}");
    let set = fleet.set().layout().folder().display().to_string();
    let typed = commands.join("\n").replace("$PWD/target/clusters/jiuzhou", &set);
    let programs = folder.path().join("programs");
    std::fs::create_dir(&programs).unwrap();
    std::os::unix::fs::symlink(binary().unwrap(), programs.join("jiuzhou")).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let script = format!("set -euxo pipefail\n{typed}\n");
    let ran = Command::new("bash").args(["-c", &script]).env("PATH", path).current_dir(folder.path()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    let made = format!("{}/first-tenant", folder.path().display());
    // Tenants, members and tiers are deleted by whoever confirms it.
    let there = fleet.hub().kubectl(&["get", "--ignore-not-found", "-f", &made, "-o=name"]).unwrap_or_default();
    let kept = ["tenant.", "membercluster.", "sovereigntytier."];
    for object in there.lines().filter(|object| kept.iter().any(|kind| object.starts_with(kind))) {
        let name = object.rsplit('/').next().unwrap_or_default();
        fleet.hub().kubectl(&["annotate", object, &format!("jiuzhou.dev/confirm-delete={name}")]).unwrap();
    }
    let undone = fleet.hub().kubectl(&["delete", "--wait=false", "-f", &made]);
    fleet.hub().delete_confirmed("namespace", "kunming-portal", &["--wait=false"]).unwrap();
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("kunpeng-920") && said.contains("fleetworkload"), "{said}");
    undone.unwrap();
}
