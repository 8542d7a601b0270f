//! Energy: from samples or a power model to hours, months, tenants and a machine room's account.
//!
//! `samples` integrates readings into buckets, `model` says what a server draws where nothing is measured,
//! `attribute` splits a node's energy over what ran on it, `pue` goes from IT energy to the whole room, `renewable`
//! counts green certificates, `reconcile` sets pools, site meter and bill side by side, `account` puts a
//! fleet's period together. Energy is integer
//! milliwatt-hours throughout; every split conserves it exactly.

mod account;
mod attribute;
mod model;
mod pue;
mod reconcile;
mod renewable;
mod samples;

pub use account::{
    Account, AccountInput, ClusterInput, FactorUse, Limit, Metric, PoolInput, PoolPower, PueSource, RenewableSource,
    SiteAccount, SiteInput, Verdict, account,
};
pub use attribute::{Amounts, Attribution, Consumer, Node, Policy, Share, attribute};
pub use model::{Band, FRACTION, LinearPower, LogCurve, ServerDefaults, TEADS, UnitEnergy, ln_fixed, teads};
pub use pue::{Pue, PueKind, choose_pue, facility_energy, pue_from_meters};
pub use reconcile::{Reconciliation, SiteReadings, reconcile};
pub use renewable::{Certificate, Renewable, RenewableInput, renewable};
pub use samples::{Bucket, CounterSample, Gap, PowerSample, Series, integrate_counter, integrate_power};

use jiuzhou_engine::terms::MilliwattHours;
use serde::Serialize;

use crate::{MeasureError, Ratio};

/// Where an energy figure comes from; it is printed beside the figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Provenance {
    /// A meter or a counter of the machine.
    Measured,
    /// A power model with facts about this CPU and its use.
    Modelled,
    /// A power model with defaults only.
    Default,
}

/// The share of energy that was measured: the number that stands in the head of every energy report.
///
/// # Errors
/// [`MeasureError::OutOfRange`] when a sum leaves its range or an energy is negative.
pub fn measured_share(lines: &[(Provenance, MilliwattHours)]) -> Result<Ratio, MeasureError> {
    if lines.iter().any(|(_, energy)| energy.0 < 0) {
        return Err(MeasureError::OutOfRange("the measured share"));
    }
    let measured = lines.iter().filter(|(from, _)| *from == Provenance::Measured).map(|(_, energy)| *energy);
    let all = MilliwattHours::sum(lines.iter().map(|(_, energy)| *energy))?;
    Ok(Ratio::new(MilliwattHours::sum(measured)?.0, all.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measured_share_is_not_applicable_without_energy() {
        assert_eq!(measured_share(&[]).unwrap().per_mille(), None);
        let lines = [(Provenance::Measured, MilliwattHours(3)), (Provenance::Default, MilliwattHours(1))];
        assert_eq!(measured_share(&lines), Ok(Ratio::new(3, 4)));
    }
}
