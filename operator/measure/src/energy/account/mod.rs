//! The account of a period: every machine room with its sources, its limits and who its energy went to.
//!
//! It ties the parts of this room together and adds one rule: figures of different sources are never mixed. A room's IT
//! energy is its IT meter's, or the sum of the meters of all its pools, or of what all its pools are modelled at, or 未知;
//! every figure says which. Where a
//! room is unknown its tenants are not charged, and the account names the room. Embodied emissions are not part of it.

mod limits;
mod site;
mod tenants;

pub use limits::{Limit, Metric, Verdict};
pub use site::{FactorUse, PueSource, SiteAccount, SiteInput};
pub use tenants::{ClusterInput, PoolInput, PoolPower};

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::terms::{Milligrams, MilliwattHours, PerMille};
use serde::Serialize;

use super::{Certificate, Policy, RenewableInput, ServerDefaults, Share, measured_share, renewable};
use crate::{MeasureError, Period, Ratio};

/// Everything an account is made from.
#[derive(Clone, Debug)]
pub struct AccountInput {
    /// The months.
    pub period: Period,
    /// Time that modelled figures are of, in seconds: that of the period, or less to add energy up as time goes by.
    pub seconds: i64,
    /// Rooms, each once, in any order.
    pub sites: Vec<SiteInput>,
    /// Certificates of the whole fleet, whatever their month.
    pub certificates: Vec<Certificate>,
    /// How idle energy is shared.
    pub policy: Policy,
    /// The band of modelled figures.
    pub defaults: ServerDefaults,
    /// Use of a pool of which none was observed, in thousandths.
    pub default_utilisation: PerMille,
    /// Differences of meters up to this part of the reading are shown but not remarked upon, in thousandths.
    pub tolerance: PerMille,
}

/// The account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The months.
    pub period: Period,
    /// Rooms by name.
    pub sites: Vec<SiteAccount>,
    /// Measured part of the IT energy that is known.
    pub measured: Ratio,
    /// IT energy by tenant.
    pub tenants: BTreeMap<String, Share>,
    /// Workloads (by cluster) in charged rooms whose use was read, of all there, by tenant.
    pub observed: BTreeMap<String, Ratio>,
    /// Active energy of what belongs to nobody.
    pub system: MilliwattHours,
    /// Idle energy of what is free: 未分配.
    pub unallocated: MilliwattHours,
    /// Metered IT energy of rooms without a member cluster.
    pub outside: MilliwattHours,
    /// Titles of rooms whose IT energy is unknown, so that nobody is charged with it.
    pub uncharged: Vec<String>,
    /// IT energy by CPU platform; the empty key is "not known".
    pub platforms: BTreeMap<String, MilliwattHours>,
    /// The tenants it was narrowed to; `None` is everything.
    pub only: Option<BTreeSet<String>>,
}

impl Account {
    /// Workloads (by cluster) in charged rooms whose use was read, of all there.
    #[must_use]
    pub fn use_observed(&self) -> Ratio {
        let add =
            |sum: Ratio, one: &Ratio| Ratio::new(sum.numerator + one.numerator, sum.denominator + one.denominator);
        self.observed.values().fold(Ratio::default(), add)
    }

    /// The part of some tenants: their energy, and the rooms it was used in. What belongs to nobody is left out.
    ///
    /// # Errors
    /// [`MeasureError::OutOfRange`] when a sum leaves its range.
    pub fn of_tenants(mut self, tenants: &BTreeSet<String>) -> Result<Self, MeasureError> {
        self.tenants.retain(|tenant, _| tenants.contains(tenant));
        self.observed.retain(|tenant, _| tenants.contains(tenant));
        let mut lines = Vec::new();
        self.sites.retain_mut(|site| {
            site.tenants.retain(|tenant, _| tenants.contains(tenant));
            if let Some(emissions) = &mut site.tenant_emissions {
                emissions.retain(|tenant, _| tenants.contains(tenant));
            }
            let own = site.tenants.values().flat_map(|share| [share.active, share.idle]);
            lines.extend(own.filter_map(|energy| Some((site.it_source?, energy))));
            !site.tenants.is_empty()
        });
        self.measured = measured_share(&lines)?;
        (self.system, self.unallocated, self.outside) = Default::default();
        self.platforms.clear();
        self.only = Some(tenants.clone());
        Ok(self)
    }

    /// Location-based emissions of a tenant; `None` when those of a room that serves it are unknown.
    #[must_use]
    pub fn emissions_of(&self, tenant: &str) -> Option<Milligrams> {
        let serving = self.sites.iter().filter(|site| site.tenants.contains_key(tenant));
        let parts = serving.map(|site| site.tenant_emissions.as_ref()?.get(tenant).copied());
        parts.collect::<Option<Vec<_>>>()?.into_iter().try_fold(Milligrams(0), Milligrams::checked_add)
    }
}

/// Where a tree of sums would leave its range.
const RANGE: MeasureError = MeasureError::OutOfRange("an energy account");

/// Makes the account. The order of the lists changes nothing.
///
/// # Errors
/// [`MeasureError::Repeated`] for two rooms of one name; [`MeasureError`] for negative inputs and sums out of range.
pub fn account(input: &AccountInput) -> Result<Account, MeasureError> {
    let mut order: Vec<&SiteInput> = input.sites.iter().collect();
    order.sort_by(|a, b| a.reference.cmp(&b.reference));
    if let Some(twice) = order.windows(2).find(|pair| pair[0].reference == pair[1].reference) {
        return Err(MeasureError::Repeated { what: "site", name: twice[0].reference.name.clone() });
    }
    let mut drafts = Vec::with_capacity(order.len());
    for site in &order {
        drafts.push(site::draft(site, input)?);
    }
    let renewables: BTreeMap<String, RenewableInput> = drafts
        .iter()
        .map(|draft| (draft.site.name.clone(), RenewableInput { facility: draft.facility, on_site: MilliwattHours(0) }))
        .collect();
    let mut renewables = renewable(input.period, &renewables, &input.certificates)?;

    let mut account = Account {
        period: input.period,
        sites: Vec::with_capacity(drafts.len()),
        measured: Ratio::default(),
        tenants: BTreeMap::new(),
        observed: BTreeMap::new(),
        system: MilliwattHours(0),
        unallocated: MilliwattHours(0),
        outside: MilliwattHours(0),
        uncharged: Vec::new(),
        platforms: BTreeMap::new(),
        only: None,
    };
    for (site, mut draft) in order.into_iter().zip(drafts) {
        draft.tenants = tenants::charge(&mut account, site, &draft, input)?;
        let green = renewables.remove(&draft.site.name).unwrap_or_default();
        let entered = input.certificates.iter().any(|claim| claim.site == draft.site.name);
        account.sites.push(site::finish(site, draft, green, entered)?);
    }
    let known = |site: &SiteAccount| Some((site.it_source?, site.it?));
    account.measured = measured_share(&account.sites.iter().filter_map(known).collect::<Vec<_>>())?;
    Ok(account)
}

/// `sum += more`, checked.
fn add(sum: &mut MilliwattHours, more: MilliwattHours) -> Result<(), MeasureError> {
    *sum = sum.checked_add(more).ok_or(RANGE)?;
    Ok(())
}

/// Serialised names of where a share of renewable energy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RenewableSource {
    /// Certificates counted here.
    Certificates,
    /// A figure with its document, entered for exactly the period.
    Entered,
}

#[cfg(test)]
mod tests;
