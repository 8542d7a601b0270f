//! What no schema can say: rules over several objects of one input, and over their dates.
//!
//! One file per topic; each takes the [`Scene`] and adds findings, nothing is changed. A rule that one object can
//! answer alone belongs to its schema (CEL in the api); a rule that needs a decision belongs to the engine. Findings
//! are about objects of the input only, never about built-in ones. Duplicate names are told where objects are
//! collected (`objects`); an object that was refused draws no findings about those that name it.

pub mod credit_code;

mod dates;
mod energy;
mod manifests;
mod names;
mod people;
mod placements;
mod prices;
mod quota;
mod references;
mod regions;
#[cfg(test)]
mod rules_tests;
mod scene;
mod systems;
#[cfg(test)]
mod tests;
mod trees;
mod workloads;

use jiff::Timestamp;
use jiuzhou_engine::terms::Finding;

use crate::convert::Converted;
use crate::objects::Objects;
use scene::Scene;

/// Everything that can be told from the objects alone, as of an instant. References may lead to built-in objects.
pub(crate) fn objects(objects: &Objects, as_of: Timestamp, findings: &mut Vec<Finding>) {
    let scene = Scene::new(objects, as_of);
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
        topic(&scene, findings);
    }
}

/// What needs the compiled form: sums of what is asked for.
pub(crate) fn fleet(objects: &Objects, converted: &Converted, as_of: Timestamp, findings: &mut Vec<Finding>) {
    quota::check(objects, &converted.fleet, as_of, findings);
}
