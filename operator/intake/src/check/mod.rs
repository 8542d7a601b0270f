//! Checks over the whole set: what no schema can see, one file per topic.
//!
//! Each takes the typed objects and tells what is wrong; none changes anything. Duplicate names are told where objects
//! are collected (`objects`).

pub mod credit_code;

use jiff::Timestamp;
use jiuzhou_engine::terms::Finding;

use crate::convert::Converted;
use crate::objects::Objects;

/// Everything that can be told from the objects alone.
pub(crate) fn objects(objects: &Objects, as_of: Timestamp, findings: &mut Vec<Finding>) {
    let _ = (objects, as_of, findings);
}

/// What needs the compiled form: matching and sums.
pub(crate) fn fleet(objects: &Objects, converted: &Converted, as_of: Timestamp, findings: &mut Vec<Finding>) {
    let _ = (objects, converted, as_of, findings);
}
