//! What the tests of the chart share: where its files stand and how they are read.
//!
//! A package of its own, because a parser of PromQL is a heavy guest for a room that everybody builds.

use std::fs;
use std::path::{Path, PathBuf};

use jiuzhou_intake::yaml;
use serde_json::Value;

/// The folder of the workspace.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the package is two folders below the workspace")
}

/// A file of the workspace.
///
/// # Panics
/// When there is none: the test that asked fails.
#[must_use]
pub fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Documents of a YAML text.
///
/// # Panics
/// When it does not read without findings.
#[must_use]
pub fn documents(name: &str, text: &str) -> Vec<Value> {
    let (parsed, findings) = yaml::read(name, text.as_bytes(), &yaml::Limits::default());
    assert!(findings.is_empty(), "{name}: {findings:?}");
    parsed.into_iter().map(|parsed| parsed.value).collect()
}

/// All files below a folder, relative to the workspace, in order of their bytes.
///
/// # Panics
/// When the folder cannot be read.
#[must_use]
pub fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![root().join(folder)];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
            if path.is_dir() {
                left.push(path);
            } else {
                found.push(path.strip_prefix(root()).expect("it is below the workspace").to_owned());
            }
        }
    }
    found.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    found
}
