//! One machine room: from readings and models to its figures, each with its source.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Code, Milligrams, MilliwattHours, ObjectRef, PerMille, Reason, Value};
use serde::Serialize;

use super::limits::{Limit, Verdict, broken, judge};
use super::tenants::{ClusterInput, metered, modelled};
use super::{AccountInput, RenewableSource};
use crate::apportion::apportion;
use crate::carbon::{Factor, Scope2, scope2};
use crate::energy::{
    Provenance, Pue, Reconciliation, Renewable, Share, SiteReadings, choose_pue, facility_energy, pue_from_meters,
    reconcile,
};
use crate::{LeftOut, MeasureError, Ratio};

/// A factor and whether it is another place's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorUse {
    /// The factor; its year is printed with every figure made with it.
    pub factor: Factor,
    /// The national factor stands in for a place that has none.
    pub fallback: bool,
}

/// What is known of a room in the period.
#[derive(Clone, Debug, Default)]
pub struct SiteInput {
    /// The `Site`.
    pub reference: ObjectRef,
    /// What people call it.
    pub title: String,
    /// Member clusters in it.
    pub clusters: Vec<ClusterInput>,
    /// The IT meter over the whole period.
    pub it_meter: Option<MilliwattHours>,
    /// The site's meter over the whole period.
    pub site_meter: Option<MilliwattHours>,
    /// The bills of the whole period.
    pub bill: Option<MilliwattHours>,
    /// PUE figures as entered, of any period.
    pub pues: Vec<Pue>,
    /// WUE of exactly the period, in millilitres per kWh of IT energy.
    pub water: Option<i64>,
    /// REF with a document, entered for exactly the period.
    pub renewable_entered: Option<PerMille>,
    /// Average factor.
    pub average: Option<FactorUse>,
    /// Residual factor.
    pub residual: Option<FactorUse>,
    /// Limits that hold in the period.
    pub limits: Vec<Limit>,
}

/// Where a PUE comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PueSource {
    /// The readings of both meters in the period.
    Meters,
    /// Entered as measured over exactly the period.
    Entered,
}

/// A room's figures. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteAccount {
    /// The `Site`.
    pub site: ObjectRef,
    /// What people call it.
    pub title: String,
    /// IT energy.
    pub it: Option<MilliwattHours>,
    /// Where it comes from.
    pub it_source: Option<Provenance>,
    /// Lower and upper end of a modelled figure.
    pub it_band: Option<(MilliwattHours, MilliwattHours)>,
    /// The sum of all pools by their models, beside a metered figure.
    pub modelled: Option<MilliwattHours>,
    /// The sum of all pools by their own meters; `None` unless every pool has one.
    pub pool_meters: Option<MilliwattHours>,
    /// PUE of exactly the period.
    pub pue: Option<PerMille>,
    /// Where it comes from.
    pub pue_source: Option<PueSource>,
    /// Both meters, when the PUE comes from them.
    pub pue_counts: Option<(MilliwattHours, MilliwattHours)>,
    /// The whole room's energy.
    pub facility: Option<MilliwattHours>,
    /// Whether it is the site meter's; otherwise IT energy times PUE.
    pub facility_metered: bool,
    /// Readings that are there, of IT meter, site meter and bill.
    pub readings: Ratio,
    /// WUE in millilitres per kWh of IT energy.
    pub water: Option<i64>,
    /// Certificates.
    pub renewable: Renewable,
    /// REF.
    pub renewable_share: Option<Ratio>,
    /// Where it comes from.
    pub renewable_source: Option<RenewableSource>,
    /// Emissions.
    pub emissions: Scope2,
    /// Average factor used.
    pub average: Option<FactorUse>,
    /// Residual factor used.
    pub residual: Option<FactorUse>,
    /// Pools, meter and bill.
    pub reconciliation: Reconciliation,
    /// IT energy of its tenants.
    pub tenants: BTreeMap<String, Share>,
    /// Location-based emissions of its tenants, by their part of the IT energy; `None` where the room's are unknown.
    pub tenant_emissions: Option<BTreeMap<String, Milligrams>>,
    /// Limits.
    pub verdicts: Vec<Verdict>,
    /// What is missing, refused or remarkable.
    pub notes: Vec<LeftOut>,
}

/// Figures that need no other room.
pub(super) fn draft(site: &SiteInput, input: &AccountInput) -> Result<SiteAccount, MeasureError> {
    let title = if site.title.is_empty() { site.reference.name.as_str() } else { site.title.as_str() };
    let period = input.period.to_string();
    let mut result = SiteAccount { site: site.reference.clone(), title: title.to_owned(), ..SiteAccount::default() };
    let note = |code: Code| LeftOut {
        subject: site.reference.clone(),
        reason: Reason::new(code).object(title).wanted(period.as_str()),
    };

    let model = modelled(&site.clusters, input)?;
    result.modelled = model.energy;
    result.pool_meters = metered(&site.clusters)?;
    (result.it, result.it_source) = match (site.it_meter.or(result.pool_meters), model.energy) {
        (Some(metered), _) => (Some(metered), Some(Provenance::Measured)),
        (None, Some(energy)) => (Some(energy), Some(model.provenance)),
        (None, None) => {
            result.notes.extend(model.missing);
            result.notes.push(note(Code::ItEnergyUnknown));
            (None, None)
        }
    };
    if let (Some(energy), Some(Provenance::Modelled | Provenance::Default)) = (result.it, result.it_source) {
        let off = crate::mul_div_round(energy.0, input.defaults.band.0, 1000, "a band of energy")?;
        let high = energy.0.checked_add(off).ok_or(super::RANGE)?;
        result.it_band = Some((MilliwattHours((energy.0 - off).max(0)), MilliwattHours(high)));
    }

    let chosen = choose_pue(&site.reference, &site.pues, input.period);
    let entered = chosen.as_ref().ok().copied();
    result.pue_counts = site.site_meter.zip(site.it_meter).filter(|(whole, it)| pue_from_meters(*whole, *it).is_some());
    (result.pue, result.pue_source) = match (result.pue_counts, entered) {
        (Some((whole, it)), _) => (pue_from_meters(whole, it), Some(PueSource::Meters)),
        (None, Some(pue)) => (Some(pue), Some(PueSource::Entered)),
        (None, None) => (None, None),
    };
    if let (None, Err(why)) = (result.pue, chosen) {
        result.notes.extend(last_of_each_code(why));
    }
    if let (Some(whole), Some(it)) = (site.site_meter, site.it_meter)
        && whole < it
    {
        let reason = Reason::new(Code::ReadingInvalid).object(title).seen(Value::MilliwattHours(whole.0));
        let reason = reason.wanted(Value::MilliwattHours(it.0));
        result.notes.push(LeftOut { subject: site.reference.clone(), reason });
    }
    result.facility_metered = site.site_meter.is_some();
    result.facility = match (site.site_meter, result.it, result.pue) {
        (Some(metered), _, _) => Some(metered),
        (None, Some(it), Some(pue)) => Some(facility_energy(it, pue)?),
        _ => None,
    };

    let readings = [site.it_meter, site.site_meter, site.bill];
    result.readings = Ratio::new(if readings[0].is_some() { 1 } else { 0 }, 3);
    result.readings.numerator += i64::from(readings[1].is_some()) + i64::from(readings[2].is_some());
    if site.site_meter.is_none() {
        result.notes.push(note(Code::MeterMissing));
    }
    if site.bill.is_none() {
        result.notes.push(note(Code::BillMissing));
    }
    // A PUE made from the site's meter would explain that meter by itself, so only an entered one reconciles.
    let readings = SiteReadings { pools: result.it, pue: entered, meter: site.site_meter, bill: site.bill };
    result.reconciliation = reconcile(&site.reference, readings, input.tolerance)?;
    result.notes.append(&mut result.reconciliation.notes.clone());
    result.water = site.water;
    Ok(result)
}

/// Emissions of a room go where its IT energy went; what was charged to nobody keeps its part.
fn by_tenant(site: &SiteAccount) -> Result<Option<BTreeMap<String, Milligrams>>, MeasureError> {
    let (Some(emissions), Some(it)) = (site.emissions.location, site.it) else { return Ok(None) };
    let charged = |share: &Share| i128::from(share.active.0) + i128::from(share.idle.0);
    let rest = i128::from(it.0) - site.tenants.values().map(charged).sum::<i128>();
    // No tenant is called like this: names of tenants are DNS labels.
    let mut weights = vec![("(rest)", rest)];
    weights.extend(site.tenants.iter().map(|(tenant, share)| (tenant.as_str(), charged(share))));
    let parts = apportion(emissions.0, &weights, "a room's emissions")?;
    let named = weights.iter().zip(parts).skip(1).map(|((tenant, _), part)| ((*tenant).to_owned(), Milligrams(part)));
    Ok(Some(named.collect()))
}

/// Of several reasons of one code the last in order: of many periods that do not fit, the latest.
fn last_of_each_code(why: Vec<LeftOut>) -> Vec<LeftOut> {
    let mut kept: Vec<LeftOut> = Vec::new();
    for reason in why {
        match kept.iter_mut().find(|one| one.reason.code == reason.reason.code) {
            Some(one) => *one = reason,
            None => kept.push(reason),
        }
    }
    kept
}

/// Figures that need the whole fleet: certificates, and what follows from them.
pub(super) fn finish(
    site: &SiteInput,
    mut result: SiteAccount,
    green: Renewable,
    claims: bool,
) -> Result<SiteAccount, MeasureError> {
    (result.renewable_share, result.renewable_source) = match (claims, site.renewable_entered) {
        (true, _) => (green.factor, green.factor.map(|_| RenewableSource::Certificates)),
        (false, Some(share)) => (Some(Ratio::new(share.0, 1000)), Some(RenewableSource::Entered)),
        (false, None) => (None, None),
    };
    let factor = |used: &Option<FactorUse>| used.as_ref().map(|used| used.factor.clone());
    let (average, residual) = (factor(&site.average), factor(&site.residual));
    result.emissions = scope2(result.facility, green.covered, average.as_ref(), residual.as_ref())?;
    (result.average, result.residual) = (site.average.clone(), site.residual.clone());
    result.tenant_emissions = by_tenant(&result)?;
    if let Some(used) = site.average.as_ref().filter(|used| used.fallback) {
        let reason = Reason::new(Code::FactorFallback).seen(used.factor.year.to_string());
        result.notes.push(LeftOut { subject: site.reference.clone(), reason });
    }
    result.notes.extend(green.left_out.iter().cloned());
    result.renewable = green;
    let mut limits: Vec<&Limit> = site.limits.iter().filter(|limit| limit.applies != Some(false)).collect();
    limits.sort_unstable();
    result.verdicts = limits.into_iter().map(|limit| judge(&result, limit)).collect();
    let broken = result.verdicts.iter().filter_map(|verdict| broken(&result.title, verdict));
    let broken: Vec<_> = broken.map(|reason| LeftOut { subject: site.reference.clone(), reason }).collect();
    result.notes.extend(broken);
    // Reasons of the parts name the room by its object name; people know it by its title.
    for note in &mut result.notes {
        let unnamed =
            note.reason.object == Value::Unknown || note.reason.object == Value::Text(result.site.name.clone());
        if unnamed {
            note.reason.object = Value::Text(result.title.clone());
        }
    }
    result.notes.sort_unstable();
    result.notes.dedup();
    Ok(result)
}
