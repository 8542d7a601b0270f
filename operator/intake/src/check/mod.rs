//! What no schema can say: rules over several objects of one input, and over their dates.
//!
//! One file per topic; each takes the [`Scene`] and adds findings, nothing is changed. A rule that one object can
//! answer alone belongs to its schema (CEL in the api); a rule that needs a decision belongs to the engine. Findings
//! are about objects of the input only, never about built-in ones.

pub mod credit_code;

mod dates;
mod energy;
mod manifests;
mod names;
mod people;
mod placements;
mod prices;
mod references;
mod regions;
mod scene;
mod systems;
#[cfg(test)]
mod tests;
mod trees;
mod workloads;

use jiff::Timestamp;
use jiuzhou_engine::terms::Finding;

use crate::objects::Objects;
use scene::Scene;

/// All findings of all rules over an input, as of an instant, in the order of every list of findings.
///
/// `objects` holds the built-in objects too: references may lead to them.
#[must_use]
pub fn all(objects: &Objects, as_of: Timestamp) -> Vec<Finding> {
    let scene = Scene::new(objects, as_of);
    let mut findings = Vec::new();
    for topic in [
        dates::check,
        energy::check,
        manifests::check,
        names::check,
        people::check,
        placements::check,
        prices::check,
        references::check,
        regions::check,
        systems::check,
        trees::check,
        workloads::check,
    ] {
        topic(&scene, &mut findings);
    }
    findings.sort_by_cached_key(Finding::sort_key);
    findings
}
