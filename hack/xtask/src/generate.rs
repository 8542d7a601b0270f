//! `cargo xtask gen`: rewrites every generated file. What is generated is decided by the rooms; this only writes.
//!
//! The definitions are written here. The JSON schema, the reference pages, the console blocks and the output of the
//! stories are compared by tests, which rewrite them when asked to.

use std::{fs, path::Path};

use anyhow::{Context, ensure};

use crate::nested;

/// Packages whose tests compare committed texts.
const GOLDEN: [&str; 3] = ["jiuzhou-report", "jiuzhou-chart", "jiuzhou"];

/// Rewrites everything.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    definitions(root)?;
    study_schemas(root)?;
    for package in GOLDEN {
        let mut test = nested::cargo(root);
        test.args(["test", "--quiet", "--package", package]).env("UPDATE_GOLDEN", "1");
        let status = test.status().context("failed to start cargo")?;
        ensure!(status.success(), "failed to rewrite what {package} compares: its other tests must pass first");
    }
    Ok(())
}

/// Writes `crds/` and removes definitions that no longer exist.
fn definitions(root: &Path) -> anyhow::Result<()> {
    let folder = root.join("crds");
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    let files = jiuzhou_api::render::crd_files()?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(".jiuzhou.dev.yaml") && !files.contains_key(name) {
            fs::remove_file(&path).with_context(|| format!("failed to remove {}", path.display()))?;
            println!("removed crds/{name}");
        }
    }
    for (name, text) in &files {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            continue;
        }
        fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
        println!("wrote crds/{name}");
    }
    Ok(())
}

/// Writes the schemas of files for studies.
fn study_schemas(root: &Path) -> anyhow::Result<()> {
    for (name, text) in jiuzhou_api::render::study_schemas()? {
        let path = root.join("docs/schema").join(&name);
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
        println!("wrote docs/schema/{name}");
    }
    Ok(())
}
