//! Checks over the whole set: what no schema can see, one file per topic.
//!
//! Each takes the typed objects and tells what is wrong; none changes anything. Duplicate names are told where objects
//! are collected (`objects`), what one object contradicts in itself by its schema.

pub mod credit_code;
mod dates;
mod identity;
mod policies;
mod quota;
mod references;
mod regions;
mod requirements;
mod tenants;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiuzhou_engine::terms::Finding;

use crate::convert::Converted;
use crate::objects::{Item, Items, Objects, Origin};

/// Everything that can be told from the objects alone.
pub(crate) fn objects(objects: &Objects, as_of: Timestamp, findings: &mut Vec<Finding>) {
    references::check(objects, findings);
    tenants::check(objects, findings);
    identity::check(objects, findings);
    regions::check(objects, findings);
    dates::check(objects, as_of, findings);
    requirements::check(objects, findings);
    policies::check(objects, findings);
}

/// What needs the compiled form: sums of what is asked for.
pub(crate) fn fleet(objects: &Objects, converted: &Converted, as_of: Timestamp, findings: &mut Vec<Finding>) {
    quota::check(objects, &converted.fleet, as_of, findings);
}

/// The items of the input; what is built in was checked before it was shipped.
fn own<T>(items: &Items<T>) -> impl Iterator<Item = &Item<T>> {
    items.values().filter(|item| item.origin == Origin::Input)
}
