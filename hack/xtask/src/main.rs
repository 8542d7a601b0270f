//! Chores of the repository that need its own code: `cargo xtask gen`, `layers`, `e2e`, `bench-real`
//! and `clusters`.
//!
//! One file per chore; a chore prints what it did and exits 1 with the reason when it could not.
#![allow(clippy::print_stdout, reason = "a chore talks to the person who ran it")]

mod e2e;
mod generate;
mod imports;
mod layers;
mod nested;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let chore = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let root = root()?;
    match (chore.as_str(), rest.first()) {
        ("clusters", _) => testbed::cli::run(rest.into_iter(), &mut |line| println!("{line}")),
        ("e2e", _) => e2e::run(&root, &rest),
        ("bench-real", _) => e2e::bench(&root, &rest),
        ("gen", None) => generate::run(&root),
        ("layers", None) => layers::run(&root),
        ("gen" | "layers", Some(extra)) => bail!("failed to understand {extra:?}: {chore} takes no arguments"),
        _ => bail!("failed to find the chore {chore:?}: choose bench-real, clusters, e2e, gen or layers"),
    }
}

/// The workspace's folder: two above this package.
fn root() -> anyhow::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(2).context("failed to find the workspace above hack/xtask")?;
    Ok(root.to_owned())
}
