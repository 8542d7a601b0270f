//! The files of transcripts: JSON, one line per step, so that a difference is a line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A file of cases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transcript {
    /// What the cases are about.
    pub about: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case: steps in a namespace of their own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    /// The behaviour it shows.
    pub case: String,
    /// Whether it gets a namespace.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub namespace: bool,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One request and its answer. `{ns}` and kept words are filled in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Step {
    /// Method and path.
    pub send: String,
    /// Content type; JSON, and merge patch for PATCH, when absent.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Accepted types; JSON when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<String>,
    /// Body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Words for later steps, by JSON pointer into the answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keep: BTreeMap<String, String>,
    /// Seconds that pass before the answer is read to its end, for watches.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seconds: i64,
    /// The code that background work leads to; the step is sent again until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u16>,
    /// Which elements of a list in the answer are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// What a real server answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// Some elements of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Filter {
    /// The list.
    pub list: String,
    /// What tells its elements apart.
    pub by: String,
    /// Which are kept.
    pub of: Vec<String>,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status.
    pub code: u16,
    /// Body; text when it is no JSON.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
    /// Events of a watch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Value>,
    /// Texts of `Warning` headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Why a file of transcripts cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// It cannot be read or written.
    #[error("failed to use {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is no transcript.
    #[error("failed to read {path}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What serde says.
        source: serde_json::Error,
    },
}

impl Step {
    /// Whether it is a watch.
    pub(crate) fn is_watch(&self) -> bool {
        self.send.contains("watch=1") || self.send.contains("watch=true")
    }
}

impl Transcript {
    /// The committed transcripts, by file name in order.
    ///
    /// # Errors
    /// When a file cannot be read or is no transcript.
    pub fn all() -> Result<Vec<(PathBuf, Self)>, TranscriptError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts");
        let failed = |path: &Path, source| TranscriptError::File { path: path.to_owned(), source };
        let entries = std::fs::read_dir(&folder).map_err(|error| failed(&folder, error))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        paths.sort();
        let mut out = Vec::new();
        for path in paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
            let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
            let transcript =
                serde_json::from_str(&text).map_err(|source| TranscriptError::Json { path: path.clone(), source })?;
            out.push((path, transcript));
        }
        Ok(out)
    }

    /// Writes the file anew, one line per step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), TranscriptError> {
        let line = |value: Result<String, serde_json::Error>| {
            value.map_err(|source| TranscriptError::Json { path: path.to_owned(), source })
        };
        let mut text = format!("{{\"about\": {},\n\"cases\": [\n", line(serde_json::to_string(&self.about))?);
        for (i, case) in self.cases.iter().enumerate() {
            let namespace = if case.namespace { "" } else { "\"namespace\": false, " };
            text += &format!("{{\"case\": {}, {namespace}\"steps\": [\n", line(serde_json::to_string(&case.case))?);
            for (j, step) in case.steps.iter().enumerate() {
                text += &line(serde_json::to_string(step))?;
                text += if j + 1 == case.steps.len() { "\n" } else { ",\n" };
            }
            text += if i + 1 == self.cases.len() { "]}\n" } else { "]},\n" };
        }
        text += "]}\n";
        std::fs::write(path, text).map_err(|source| TranscriptError::File { path: path.to_owned(), source })
    }
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
fn is_yes(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form serde asks for")]
fn is_zero(value: &i64) -> bool {
    *value == 0
}
