//! What no schema can say: rules over several objects of one input, and over their dates.
//!
//! One file per topic. Everything here takes the typed [`crate::objects::Objects`] and gives findings; nothing is
//! changed. (The files beside this one are written on the branch `check`; the branch `intake` writes `convert/` and
//! `load`, and calls [`all`] from `load`.)

pub mod credit_code;

use jiff::Timestamp;
use jiuzhou_engine::terms::Finding;

use crate::objects::Objects;

/// All findings of all rules over an input, as of an instant.
#[must_use]
pub fn all(_objects: &Objects, _as_of: Timestamp) -> Vec<Finding> {
    Vec::new()
}
