//! The input of an energy account: rooms with their readings, clusters with their pools and what runs on them.
//!
//! A reading counts for a period when every month of it has one; months are never stretched or filled in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::Spec;
use jiuzhou_engine::decide::input::PoolInput as EnginePool;
use jiuzhou_engine::decide::resources::{CPU, MEMORY};
use jiuzhou_engine::terms::{MilliwattHours, ObjectRef, PerMille};
use jiuzhou_measure::carbon::Series;
use jiuzhou_measure::energy::{
    AccountInput, Amounts, Certificate, ClusterInput, Consumer, Policy, PoolInput, Pue, PueKind, SiteInput,
};
use jiuzhou_measure::{Month, Period};
use jiuzhou_objects::quantity::Quantity;

use super::bodies::Bodies;
use super::power::{self, PoolSketch};
use super::{Scene, day, tables, today};
use crate::objects::Item;

/// Unexplained differences up to this part of a reading are shown without a remark: meters of class 2.
const TOLERANCE: PerMille = PerMille(20);

/// The input of the account of a period, as known at a moment.
#[must_use]
pub fn energy(scene: &Scene<'_>, period: Period, as_of: Timestamp) -> AccountInput {
    let factors = tables::factors();
    let today = today(as_of);
    let last_day =
        super::today(period.last().end().saturating_sub(jiff::SignedDuration::from_secs(1)).unwrap_or(as_of));
    let mut clusters: BTreeMap<&str, Vec<ClusterInput>> = BTreeMap::new();
    let names = Bodies::on(scene.objects, last_day);
    let running = running(scene);
    for item in scene.objects.clusters.values() {
        clusters.entry(&item.object.spec.site).or_default().push(cluster(scene, item, &running, &names, period));
    }
    let sites = scene.objects.sites.values().map(|item| {
        let spec = &item.object.spec;
        SiteInput {
            reference: item.document.object_ref(),
            title: spec.display_name.to_string(),
            clusters: clusters.remove(item.document.name.as_str()).unwrap_or_default(),
            it_meter: metered(spec, api::MeterKind::It, period),
            site_meter: metered(spec, api::MeterKind::Site, period),
            bill: billed(spec, period),
            pues: spec.pue.iter().filter_map(pue).collect(),
            water: spec.water.iter().find_map(|water| {
                same(&water.from_month, &water.until_month, period).then_some(i64::from(water.millilitres_per_kwh))
            }),
            renewable_entered: spec.renewable.iter().find_map(|share| {
                let counts = share.document.is_some() && same(&share.from_month, &share.until_month, period);
                counts.then_some(PerMille(i64::from(share.per_mille)))
            }),
            average: tables::factor(&factors, spec, period.last().year(), Series::Average),
            residual: tables::factor(&factors, spec, period.last().year(), Series::Residual),
            limits: tables::limits(spec, last_day),
        }
    });
    AccountInput {
        period,
        seconds: period.seconds(),
        sites: sites.collect(),
        certificates: certificates(scene, period, today),
        policy: Policy::Proportional,
        defaults: tables::server_defaults(),
        default_utilisation: tables::default("default-utilisation").unwrap_or(PerMille(500)),
        tolerance: TOLERANCE,
    }
}

fn span(from: &str, until: &str) -> Option<Period> {
    Period::new(Month::parse(from).ok()?, Month::parse(until).ok()?).ok()
}

fn same(from: &str, until: &str, period: Period) -> bool {
    span(from, until) == Some(period)
}

fn pue(figure: &api::PueFigure) -> Option<Pue> {
    let kind = match figure.kind {
        api::PueKind::Measured => PueKind::Measured,
        api::PueKind::Design => PueKind::Design,
        api::PueKind::Partial => PueKind::Partial,
        api::PueKind::Interim => PueKind::Interim,
    };
    let period = span(&figure.from_month, &figure.until_month)?;
    Some(Pue { value: PerMille(i64::from(figure.per_mille)), kind, period })
}

/// The sum over a period of watt-hours by month; `None` when a month has none.
fn whole<'a>(period: Period, entries: impl Iterator<Item = (&'a str, i64)>) -> Option<MilliwattHours> {
    let mut missing: BTreeSet<Month> = period.months().collect();
    let mut sum = MilliwattHours(0);
    for (month, watt_hours) in entries {
        let Some(month) = Month::parse(month).ok().filter(|month| period.contains(*month)) else { continue };
        missing.remove(&month);
        sum = sum.checked_add(MilliwattHours(watt_hours.checked_mul(1000)?))?;
    }
    missing.is_empty().then_some(sum)
}

fn metered(site: &api::SiteSpec, kind: api::MeterKind, period: Period) -> Option<MilliwattHours> {
    let readings = site.meter_readings.iter().filter(|reading| reading.meter == kind);
    whole(period, readings.map(|reading| (&*reading.month, reading.watt_hours)))
}

fn billed(site: &api::SiteSpec, period: Period) -> Option<MilliwattHours> {
    whole(period, site.bills.iter().map(|bill| (&*bill.month, bill.watt_hours)))
}

/// Every certificate of the fleet. One that is not retired by the day claims the period's last month, so that the
/// report names it; measure refuses it.
fn certificates(scene: &Scene<'_>, period: Period, today: Date) -> Vec<Certificate> {
    let mut all = Vec::new();
    for item in scene.objects.sites.values() {
        let spec = &item.object.spec;
        for entered in &spec.certificates {
            let retired = day(entered.retired_on.as_deref()).filter(|on| *on <= today);
            let used_for = retired.and_then(|on| Month::new(on.year(), on.month()).ok()).unwrap_or(period.last());
            let Ok(generated) = Month::parse(&entered.generated_month) else { continue };
            let own = metered(spec, api::MeterKind::Generation, Period::month(generated)).is_some();
            all.push(Certificate {
                id: entered.id.to_string(),
                used_for,
                site: item.document.name.clone(),
                generated,
                // More than 64 bits hold is refused as an impossible amount, not cut.
                energy: MilliwattHours(entered.watt_hours.checked_mul(1000).unwrap_or(0)),
                retired: retired.is_some(),
                usable_here: entered.tradable || own,
            });
        }
    }
    all
}

/// Replicas by cluster and workload: what is seen, else what is committed.
fn running<'a>(scene: &Scene<'a>) -> BTreeMap<&'a str, Vec<(&'a Spec, i64)>> {
    let mut running: BTreeMap<&str, Vec<(&Spec, i64)>> = BTreeMap::new();
    for spec in scene.specs.iter().copied() {
        let key = (spec.key.namespace.clone(), spec.key.name.clone());
        let status = scene.objects.workloads.get(&key).and_then(|item| item.object.status.as_ref());
        let placed = scene.objects.placements.get(&key);
        let seen = status.map(|status| status.clusters.as_slice()).unwrap_or_default();
        let seen = seen.iter().map(|one| (&*one.name, one.ready.unwrap_or(one.placed)));
        let committed = placed.map(|item| item.object.spec.clusters.as_slice()).unwrap_or_default();
        let committed = committed.iter().map(|one| (&*one.name, one.replicas));
        let mut by_cluster: BTreeMap<&str, i32> = committed.collect();
        by_cluster.extend(seen);
        for (cluster, replicas) in by_cluster.into_iter().filter(|(_, replicas)| *replicas > 0) {
            running.entry(cluster).or_default().push((spec, i64::from(replicas)));
        }
    }
    running
}

fn cluster(
    scene: &Scene<'_>,
    item: &Item<api::MemberCluster>,
    running: &BTreeMap<&str, Vec<(&Spec, i64)>>,
    names: &Bodies,
    period: Period,
) -> ClusterInput {
    let name = item.document.name.as_str();
    let input = scene.clusters.iter().find(|cluster| cluster.name == name);
    let pools: Vec<(PoolInput, Option<i64>)> =
        input.map(|input| input.pools.iter().map(|own| pool(scene, item, own, period)).collect()).unwrap_or_default();
    let ours = running.get(name).map(Vec::as_slice).unwrap_or_default();
    ClusterInput {
        reference: ObjectRef::new("MemberCluster", "", name),
        cpu_used: pools.iter().try_fold(0_i64, |sum, (_, used)| sum.checked_add((*used)?)),
        consumers: ours
            .iter()
            .filter_map(|(spec, replicas)| consumer(scene, spec, name, *replicas, names, period))
            .collect(),
        pools: pools.into_iter().map(|(pool, _)| pool).collect(),
    }
}

/// Use of a workload in a cluster over a period, averaged by the length of its months; `None` when a month has none.
fn used(scene: &Scene<'_>, spec: &Spec, cluster: &str, period: Period) -> Option<i64> {
    let key = (spec.key.namespace.clone(), spec.key.name.clone());
    let status = scene.objects.workloads.get(&key)?.object.status.as_ref()?;
    let (mut weighted, mut seconds) = (0_i128, 0_i128);
    for month in period.months() {
        let of_month = |entry: &&api::ClusterUse| *entry.cluster == *cluster && Month::parse(&entry.month) == Ok(month);
        let entry = status.usage.iter().find(of_month)?;
        let length = i128::from(Period::month(month).seconds());
        weighted = weighted.checked_add(i128::from(entry.cpu_millicores).checked_mul(length)?)?;
        seconds = seconds.checked_add(length)?;
    }
    i64::try_from(weighted.checked_div(seconds)?).ok()
}

/// A workload in a cluster: what it requests, and what it used where that was read; else its requests stand for it and
/// the report says so.
fn consumer(
    scene: &Scene<'_>,
    spec: &Spec,
    cluster: &str,
    replicas: i64,
    names: &Bodies,
    period: Period,
) -> Option<Consumer> {
    let of = |resource: &str| {
        spec.pods.iter().try_fold(0_i64, |sum, pod| {
            let each = pod.request.get(resource).copied().unwrap_or(0).checked_mul(pod.count)?;
            sum.checked_add(each.checked_mul(replicas)?)
        })
    };
    let requested = Amounts { cpu: of(CPU)?, memory: of(MEMORY)? };
    let used = used(scene, spec, cluster, period);
    Some(Consumer {
        tenant: names.now(&spec.requirement.tenant),
        workload: format!("{}/{}", spec.key.namespace, spec.key.name),
        requested,
        used: used.map_or(requested, |cpu| Amounts { cpu, ..requested }),
        observed: used.is_some(),
    })
}

/// A pool and the millicores in use on it, where both what it has and what is free were observed.
pub(super) fn pool(
    scene: &Scene<'_>,
    item: &Item<api::MemberCluster>,
    own: &EnginePool,
    period: Period,
) -> (PoolInput, Option<i64>) {
    let status = item.object.status.as_ref().and_then(|status| status.pools.iter().find(|pool| *pool.name == own.name));
    let shapes = |resource: &str| {
        own.shapes.iter().try_fold(0_i64, |sum, shape| {
            sum.checked_add(shape.free.get(resource).copied().unwrap_or(0).checked_mul(shape.count)?)
        })
    };
    let (nodes, allocatable, model) = match status {
        Some(pool) => (i64::from(pool.nodes), amounts(&pool.allocatable), pool.server_model.as_deref()),
        // A pool made of Node objects has its whole allocatable as room.
        None => {
            let all = Amounts { cpu: shapes(CPU).unwrap_or(0), memory: shapes(MEMORY).unwrap_or(0) };
            (own.shapes.iter().map(|shape| shape.count).sum(), all, None)
        }
    };
    let free = status.filter(|pool| !pool.free.is_empty()).and(shapes(CPU));
    let used = free.map(|free| allocatable.cpu.saturating_sub(free).max(0)).filter(|_| allocatable.cpu > 0);
    let utilisation = used.and_then(|used| used.checked_mul(1000)?.checked_div(allocatable.cpu)).map(|u| u.min(1000));
    let speaks_of = |facts: &&api::PoolFacts| facts.node_labels.0.iter().all(|(k, v)| own.labels.get(&**k) == Some(v));
    let sketch = PoolSketch {
        stated: item.object.spec.pool_facts.iter().filter(speaks_of).collect(),
        model,
        platform: own.facts.platform.as_deref(),
        nodes,
        millicores: allocatable.cpu,
    };
    let readings = item.object.spec.pool_readings.iter().filter(|reading| *reading.pool == own.name);
    let pool = PoolInput {
        metered: whole(period, readings.map(|reading| (&*reading.month, reading.watt_hours))),
        name: own.name.clone(),
        platform: own.facts.platform.clone().unwrap_or_default(),
        nodes,
        power: power::of(&sketch, &scene.objects.platforms),
        utilisation: utilisation.map(PerMille),
        allocatable,
    };
    (pool, used)
}

fn amounts(resources: &jiuzhou_api::text::Resources) -> Amounts {
    let quantity = |name: &str| Quantity::parse(&resources.0.get(name)?.0).ok().filter(|q| !q.is_negative());
    Amounts {
        cpu: quantity(CPU).and_then(Quantity::millicores).map_or(0, |cpu| cpu.0),
        memory: quantity(MEMORY).and_then(Quantity::bytes).map_or(0, |memory| memory.0),
    }
}
