//! Where in the user's input something stands.

use serde::{Deserialize, Serialize};

/// A place in a file: what a person needs to find the line without searching.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Path as the user gave it, or `-` for standard input. For a built-in table `builtin:NAME`.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The line itself, at most 240 characters, without its end.
    pub text: String,
}
