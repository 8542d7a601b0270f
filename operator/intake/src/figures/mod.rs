//! From resources to what the measure room counts: the register of adoption and the input of an energy account.
//!
//! Nothing is judged here and nothing is invented: what no resource says stays `None`, and measure says 未知. What
//! belongs here is which record speaks of which day, system, room or month; what counts is measure's business.

mod adoption;
mod answer;
mod ask;
mod assessment;
#[cfg(test)]
mod assessment_tests;
mod bodies;
mod cpu;
mod energy;
mod expiry;
mod names;
mod power;
mod rates;
mod settled;
mod settlement;
#[cfg(test)]
mod settlement_tests;
mod sovereignty;
pub(crate) mod tables;

pub use adoption::{Register, minimum_days, register};
pub use answer::{Answer, Figures, answer};
pub use ask::{Ask, Problem, State, ask};
pub use assessment::{Assessment, assessment, index};
pub use cpu::domestic_families;
pub use energy::energy;
pub use expiry::{Expiring, Proof, expiring, of_cluster};
pub use names::{division, document, findings, title};
pub use rates::{Rates, rates};
pub use settled::{Settled, settled};
pub use settlement::{Payers, payers, price_book, reservations};
pub use sovereignty::{Sovereignty, sovereignty};
pub use tables::{Comparison, comparison};

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_engine::decide::input::ClusterInput;
use jiuzhou_engine::decide::{Snapshot, Spec};

use crate::objects::Objects;
use crate::{Fleet, beijing};

/// What figures are made from: the objects, and what was made of clusters and workloads.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// The objects.
    pub objects: &'a Objects,
    /// Member clusters.
    pub clusters: Vec<&'a ClusterInput>,
    /// Workloads.
    pub specs: Vec<&'a Spec>,
    /// All that the engine decides on.
    pub snapshot: &'a Snapshot,
}

impl<'a> Scene<'a> {
    /// What a snapshot and its objects say.
    #[must_use]
    pub fn of(objects: &'a Objects, snapshot: &'a Snapshot) -> Self {
        let clusters = snapshot.clusters().map(|(_, cluster)| &**cluster).collect();
        Self { objects, clusters, specs: snapshot.specs().map(|spec| &**spec).collect(), snapshot }
    }
}

impl<'a> From<&'a Fleet> for Scene<'a> {
    fn from(fleet: &'a Fleet) -> Self {
        Self::of(&fleet.objects, &fleet.snapshot)
    }
}

/// A Beijing day as written; `None` when there is none or it is no day of the calendar (which the checks tell).
fn day(text: Option<&str>) -> Option<Date> {
    text?.parse().ok()
}

/// The Beijing day of an instant.
fn today(at: Timestamp) -> Date {
    beijing::day(at)
}

#[cfg(test)]
mod readings_tests;
#[cfg(test)]
mod reform_tests;
#[cfg(test)]
mod tests;
