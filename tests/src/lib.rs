//! What the tests of the whole share: where the examples stand and how their documents are read.
//!
//! Tests that need one room only stand in that room. Here stand those that read `examples/` as a user would, through
//! the same door as the commands.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use jiuzhou_api::meta::GROUP;
use jiuzhou_engine::terms::Finding;
use jiuzhou_intake::documents::{self, Document};
use jiuzhou_intake::schema::Kinds;
use jiuzhou_intake::yaml::Limits;
use jiuzhou_intake::{Progress, native};

/// The folder of the stories.
#[must_use]
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// The folders of the stories by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn stories() -> Result<Vec<PathBuf>> {
    let mut stories = Vec::new();
    for entry in std::fs::read_dir(examples()).context("failed to read examples/")? {
        let path = entry?.path();
        if path.is_dir() {
            stories.push(path);
        }
    }
    stories.sort();
    ensure!(!stories.is_empty(), "examples/ has no story");
    Ok(stories)
}

/// Every document below a folder, checked as the API server would; all findings of all files.
///
/// # Errors
/// When our own schemas cannot be read.
pub fn load(folder: &Path) -> Result<(Vec<Document>, Vec<Finding>)> {
    // Compiling every schema takes longer than reading a story.
    static KINDS: OnceLock<Kinds> = OnceLock::new();
    let kinds = match KINDS.get() {
        Some(kinds) => kinds,
        None => {
            let kinds = Kinds::new(GROUP, &jiuzhou_api::all_crds())?;
            KINDS.get_or_init(|| kinds)
        }
    };
    let input = folder.to_string_lossy().into_owned();
    let (mut documents, mut findings) =
        documents::read_all(&[input], &mut std::io::empty(), &Limits::default(), &Progress::default());
    for document in &mut documents {
        if kinds.owns(document) {
            kinds.check(document, &mut findings);
        } else {
            native::keep(document.clone(), &mut findings);
        }
    }
    Ok((documents, findings))
}
