//! `cargo xtask gen`: rewrites every generated file. What is generated is decided by the rooms; this only writes.

use std::{fs, path::Path};

use anyhow::Context;

/// Writes `crds/` and removes definitions that no longer exist.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
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
