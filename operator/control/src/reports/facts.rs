//! The fleet in figures for metrics, made from a copy: adoption now, energy of the last month, tiers, what runs out.
//!
//! Energy stands twice. What meters say is known by the month, after it has ended: gauges of the last one. Between, power
//! models at the use that is observed are added up as time goes by: counters that start with this process, so that a
//! chart shows hours and days. What a long pause hides is not filled in.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::MilliwattHours;
use jiuzhou_intake::figures::{self, Ask, Figures, Proof, Scene};
use jiuzhou_measure::energy::account;
use jiuzhou_measure::{MeasureError, Month, Period};

use crate::metrics::{ClusterFacts, FleetFacts, Live, Rows, fleet};

/// Longest time between two looks that counts as one: longer, and nobody knows what was in between.
const GAP: i64 = 600;

/// Energy added up since this process began.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    last: Option<Timestamp>,
    live: Live,
}

impl Meter {
    /// Adds the time since the last look.
    fn look(&mut self, scene: &Scene<'_>, now: Timestamp) -> Result<(), MeasureError> {
        let since = self.last.replace(now).map_or(0, |last| now.as_second() - last.as_second());
        let Some(month) = Month::of(now).ok().filter(|_| (1..=GAP).contains(&since)) else { return Ok(()) };
        let mut input = figures::energy(scene, Period::month(month), now);
        input.seconds = since;
        input.certificates.clear();
        for site in &mut input.sites {
            // Readings are of months; here only models speak.
            (site.it_meter, site.site_meter, site.bill) = (None, None, None);
            (site.pues, site.limits) = (Vec::new(), Vec::new());
            site.clusters.iter_mut().flat_map(|cluster| &mut cluster.pools).for_each(|pool| pool.metered = None);
        }
        let account = account(&input)?;
        for site in &account.sites {
            if let (Some(energy), Some(source)) = (site.it, site.it_source) {
                add(self.live.sites.entry((site.site.name.clone(), source)).or_default(), energy);
            }
        }
        for (tenant, share) in &account.tenants {
            let sum = self.live.tenants.entry(tenant.clone()).or_default();
            add(&mut sum.active, share.active);
            add(&mut sum.idle, share.idle);
        }
        add(&mut self.live.system, account.system);
        add(&mut self.live.unallocated, account.unallocated);
        Ok(())
    }
}

/// A counter that would leave its range stays where it is.
fn add(sum: &mut MilliwattHours, more: MilliwattHours) {
    *sum = sum.checked_add(more).unwrap_or(*sum);
}

/// The fleet's series. What cannot be measured has none; why is logged.
pub(super) fn facts(scene: &Scene<'_>, meter: &mut Meter, now: Timestamp) -> Rows {
    let minimum_days = figures::minimum_days(scene.objects, now);
    let adoption = match answer(scene, &Ask::adoption(now, minimum_days), now) {
        Some(Figures::Adoption(report)) => Some(report),
        _ => None,
    };
    let month = Month::of(now).ok().and_then(|month| month.previous().ok());
    let energy = match month.and_then(|month| answer(scene, &Ask::energy(Period::month(month), now), now)) {
        Some(Figures::Energy(account)) => Some(account),
        _ => None,
    };
    if let Err(error) = meter.look(scene, now) {
        tracing::warn!(%error, "failed to add up energy");
    }
    let provinces = provinces(scene);
    let clusters = clusters(scene, now);
    fleet(FleetFacts {
        adoption: adoption.as_deref(),
        energy: energy.as_deref(),
        live: Some(&meter.live),
        provinces: Some(&provinces),
        clusters: &clusters,
    })
}

fn answer(scene: &Scene<'_>, ask: &Ask, now: Timestamp) -> Option<Figures> {
    match figures::answer(scene, ask, now) {
        Ok(answer) => answer.map(|answer| answer.figures),
        Err(error) => {
            tracing::warn!(%error, report = ?ask.kind, "failed to measure the fleet");
            None
        }
    }
}

/// Province of each site.
fn provinces(scene: &Scene<'_>) -> BTreeMap<String, String> {
    let province = |code: &str| code.get(..2).map(|digits| format!("{digits}0000")).unwrap_or_default();
    let sites = scene.objects.sites.values();
    sites.map(|item| (item.document.name.clone(), province(&item.object.spec.region))).collect()
}

fn clusters(scene: &Scene<'_>, now: Timestamp) -> Vec<ClusterFacts> {
    let facts = |cluster: &api::MemberCluster, name: &str| {
        let tier = cluster.status.as_ref().and_then(|status| status.tier.as_ref());
        let mut expiries: BTreeMap<String, Timestamp> = BTreeMap::new();
        let mut credential = None;
        for one in figures::of_cluster(cluster, now) {
            if one.proof == Proof::Credential {
                credential = Some(one.ends);
                continue;
            }
            let first = expiries.entry(one.proof.as_str().to_owned()).or_insert(one.ends);
            *first = one.ends.min(*first);
        }
        ClusterFacts {
            name: name.to_owned(),
            // A tier without a name is none that holds.
            tier: tier.filter(|tier| tier.name.is_some()).map(|tier| i64::from(tier.rank)),
            expiries,
            credential,
        }
    };
    scene.objects.clusters.values().map(|item| facts(&item.object, &item.document.name)).collect()
}

/// Workloads by state and reason, as their status tells them.
pub(super) fn workloads(scene: &Scene<'_>) -> BTreeMap<(&'static str, String), u32> {
    let mut counts = BTreeMap::new();
    for item in scene.objects.workloads.values() {
        let Some(status) = &item.object.status else { continue };
        let is = |kind: &str, value: &str| status.conditions.iter().any(|one| one.type_ == kind && one.status == value);
        let reason = status.reason.as_deref().unwrap_or("NotObserved").to_owned();
        let broken = ["RulesSatisfied", "SovereigntySatisfied", "ArchitectureSatisfied"];
        let state = match () {
            () if broken.iter().any(|kind| is(kind, "False")) && status.placed.is_some_and(|placed| placed > 0) => {
                "violating"
            }
            () if is("Ready", "True") => "ready",
            () if is("Reconciling", "True") => "progressing",
            () if ["SpecInvalid", "ReferenceMissing"].contains(&reason.as_str()) => "refused",
            () => "pending",
        };
        *counts.entry((state, reason)).or_default() += 1;
    }
    counts
}

/// How a member is connected, as a label.
pub(crate) fn connection(member: &api::MemberCluster) -> &'static str {
    match &member.spec.connection {
        connection if connection.push.is_some() => "push",
        connection if connection.pull.is_some() => "pull",
        _ => "ferry",
    }
}

/// Members by connection and reachability.
pub(super) fn members(scene: &Scene<'_>) -> BTreeMap<(&'static str, &'static str), u32> {
    let mut counts = BTreeMap::new();
    for item in scene.objects.clusters.values() {
        let pull = item.object.spec.connection.pull.is_some();
        let connection = connection(&item.object);
        let reach = item.object.status.as_ref().and_then(|status| status.reachability.as_ref());
        let reach = reach.map(|reach| if pull { reach.agent } else { reach.hub }).unwrap_or_default();
        let state = match reach {
            api::Reach::Reachable => "reachable",
            api::Reach::Unreachable => "unreachable",
            api::Reach::Unknown => "unknown",
        };
        *counts.entry((connection, state)).or_default() += 1;
    }
    counts
}
