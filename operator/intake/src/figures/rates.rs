//! What a unit of each cluster draws, emits and costs, for comparing plans.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::PerMille;
use jiuzhou_measure::carbon::Series;
use jiuzhou_measure::cost::MicroFen;
use jiuzhou_measure::rates::{ClusterRates, PoolRates};
use jiuzhou_measure::{Month, Period};

use super::Scene;
use super::{energy, tables};
use crate::Fleet;
use crate::objects::{Items, named};

/// The rates of a fleet on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// By name of cluster.
    pub clusters: BTreeMap<String, ClusterRates>,
    /// Use that is assumed of a node.
    pub utilisation: PerMille,
    /// Hours of the month of the day.
    pub hours: i64,
}

/// The rates of a fleet as of an instant, for the Beijing month it is in.
#[must_use]
pub fn rates(fleet: &Fleet, as_of: Timestamp) -> Rates {
    let factors = tables::factors();
    let Ok(month) = Month::of(as_of) else { return Rates::default() };
    let period = Period::month(month);
    let scene = Scene::of(&fleet.objects, &fleet.snapshot);
    let mut clusters = BTreeMap::new();
    for item in fleet.objects.clusters.values() {
        let name = item.document.name.as_str();
        let Some(own) = fleet.converted.fleet.clusters.iter().find(|cluster| cluster.name == name) else { continue };
        let site = named(&fleet.objects.sites, &item.object.spec.site).map(|item| &item.object.spec);
        let platforms: BTreeSet<&str> = own.pools.iter().filter_map(|pool| pool.facts.platform.as_deref()).collect();
        let price = |unit, of: &BTreeSet<&str>| price(&fleet.objects.prices, &own.provider, unit, of, month);
        let pools = own.pools.iter().map(|pool| {
            let (told, _) = energy::pool(&scene, item, pool, period);
            let platform = pool.facts.platform.as_deref().into_iter().collect();
            PoolRates {
                pool: told.name,
                nodes: told.nodes,
                millicores: told.allocatable.cpu,
                power: told.power,
                node_month: price(api::PriceUnit::NodeMonth, &platform),
            }
        });
        let rates = ClusterRates {
            cpu_hour: price(api::PriceUnit::CpuHour, &platforms),
            gib_hour: price(api::PriceUnit::MemoryGibHour, &platforms),
            kwh: price(api::PriceUnit::KilowattHour, &platforms),
            pue: site.and_then(|site| measured(&site.pue, &month.to_string())),
            mg_per_kwh: site
                .and_then(|site| tables::factor(&factors, site, month.year(), Series::Average))
                .map(|used| used.factor.mg_per_kwh),
            pools: pools.collect(),
        };
        clusters.insert(name.to_owned(), rates);
    }
    let utilisation = tables::default("default-utilisation").unwrap_or(PerMille(500));
    Rates { clusters, utilisation, hours: period.seconds() / 3600 }
}

/// The measured PUE of the latest period that has begun by a month.
fn measured(figures: &[api::PueFigure], month: &str) -> Option<PerMille> {
    let begun = figures.iter().filter(|f| f.kind == api::PueKind::Measured && *f.from_month <= *month);
    begun.max_by_key(|f| (&f.until_month, &f.from_month)).map(|f| PerMille(i64::from(f.per_mille)))
}

/// The dearest price that a provider asks for a unit on any of some platforms.
fn price(
    prices: &Items<api::PriceBook>,
    provider: &str,
    unit: api::PriceUnit,
    platforms: &BTreeSet<&str>,
    month: Month,
) -> Option<MicroFen> {
    let month = month.to_string();
    let applies = |item: &&api::PriceItem| {
        item.unit == unit && item.platform.as_deref().is_none_or(|platform| platforms.contains(platform))
    };
    let holds = |price: &&api::Price| {
        *price.from_month <= *month && price.until_month.as_deref().is_none_or(|until| *month <= *until)
    };
    prices
        .values()
        .map(|item| &item.object.spec)
        .filter(|book| *book.provider == *provider)
        .flat_map(|book| book.items.iter().filter(applies))
        .filter_map(|item| item.prices.iter().find(holds))
        .filter_map(|price| Some(MicroFen(price.fen.checked_mul(1_000_000)? / i64::from(price.per_units.max(1)))))
        .max()
}
