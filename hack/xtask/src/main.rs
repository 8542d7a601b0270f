//! Chores of the repository that need its own code: `cargo xtask gen` and `cargo xtask layers`.
//!
//! One file per chore; a chore prints what it did and exits 1 with the reason when it could not.
#![allow(clippy::print_stdout, reason = "a chore talks to the person who ran it")]

mod generate;
mod imports;
mod layers;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let chore = arguments.next().unwrap_or_default();
    if let Some(extra) = arguments.next() {
        bail!("failed to understand {extra:?}: a chore takes no arguments");
    }
    let root = root()?;
    match chore.as_str() {
        "gen" => generate::run(&root),
        "layers" => layers::run(&root),
        _ => bail!("failed to find the chore {chore:?}: choose gen or layers"),
    }
}

/// The workspace's folder: two above this package.
fn root() -> anyhow::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(2).context("failed to find the workspace above hack/xtask")?;
    Ok(root.to_owned())
}
