//! Figures of a cluster that preferences weigh: only what is known for the day in question, nothing assumed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::input::{Figure, PoolInput};
use jiuzhou_engine::decide::resources::CPU;
use jiuzhou_measure::carbon::{FactorTable, Series};

use crate::beijing;
use crate::figures::tables;
use crate::objects::{Item, Items};

/// Figure behind the metric `Carbon`: milligrams of CO2 per kWh of IT energy.
pub(super) const CARBON: &str = "carbonMilligramsPerKwh";
/// Figure behind the metric `Cost`: fen per 1,000 cpu-hours.
pub(super) const COST: &str = "fenPerThousandCpuHours";
/// Label of a cluster whose provider counts as local.
pub(super) const LOCAL_SUPPLIER: &str = "jiuzhou.dev/local-supplier";

/// The figures of a cluster on a day.
pub(super) fn of(
    factors: &FactorTable,
    prices: &Items<api::PriceBook>,
    cluster: &api::MemberCluster,
    site: Option<&Item<api::Site>>,
    provider: &str,
    pools: &[PoolInput],
    as_of: Timestamp,
) -> BTreeMap<Figure, i64> {
    let mut figures = BTreeMap::new();
    let day = beijing::day(as_of);
    let month = day.strftime("%Y-%m").to_string();
    if let Some(site) = site.map(|item| &item.object.spec) {
        // The site's own factor or its province's; the nation's says nothing about where in it.
        let factor = tables::factor(factors, site, day.year(), Series::Average).filter(|used| !used.fallback);
        let pue = measured(&site.pue, &month);
        if let Some(per_mille) = pue {
            figures.insert(Figure::PuePerMille, per_mille);
        }
        // Of IT energy: what the grid emits for a kWh times what the site draws for a kWh of IT.
        if let (Some(factor), Some(pue)) = (factor, pue)
            && let Some(product) = factor.factor.mg_per_kwh.checked_mul(pue)
        {
            figures.insert(Figure::Named(CARBON.to_owned()), product / 1000);
        }
    }
    if let Some(fen) = cpu_price(prices, provider, pools, &month) {
        figures.insert(Figure::Named(COST.to_owned()), fen);
    }
    if let Some(used) = utilisation(cluster, pools) {
        figures.insert(Figure::UtilisationPerMille, used);
    }
    let local = cluster.metadata.labels.as_ref().is_some_and(|l| l.get(LOCAL_SUPPLIER).is_some_and(|v| v == "true"));
    figures.insert(Figure::LocalSupplier, i64::from(local));
    figures
}

/// The measured PUE of the latest period that has begun by a month.
fn measured(figures: &[api::PueFigure], month: &str) -> Option<i64> {
    let begun = figures.iter().filter(|f| f.kind == api::PueKind::Measured && *f.from_month <= *month);
    begun.max_by_key(|f| (&f.until_month, &f.from_month)).map(|f| i64::from(f.per_mille))
}

/// The dearest price of a cpu-hour among the platforms of a cluster, per 1,000 hours.
fn cpu_price(prices: &Items<api::PriceBook>, provider: &str, pools: &[PoolInput], month: &str) -> Option<i64> {
    let platforms: BTreeSet<&str> = pools.iter().filter_map(|pool| pool.facts.platform.as_deref()).collect();
    let applies = |item: &&api::PriceItem| {
        item.unit == api::PriceUnit::CpuHour
            && item.platform.as_deref().is_none_or(|platform| platforms.contains(platform))
    };
    let holds = |price: &&api::Price| {
        *price.from_month <= *month && price.until_month.as_deref().is_none_or(|until| month <= until)
    };
    prices
        .values()
        .map(|item| &item.object.spec)
        .filter(|book| *book.provider == *provider)
        .flat_map(|book| book.items.iter().filter(applies))
        .filter_map(|item| item.prices.iter().find(holds))
        .filter_map(|price| Some(price.fen.checked_mul(1000)? / i64::from(price.per_units.max(1))))
        .max()
}

/// Share of allocatable cpu in use, in thousandths; `None` when either is not known.
fn utilisation(cluster: &api::MemberCluster, pools: &[PoolInput]) -> Option<i64> {
    let status = cluster.status.as_ref()?;
    let mut allocatable = 0i64;
    for pool in &status.pools {
        let quantity = jiuzhou_objects::quantity::Quantity::parse(&pool.allocatable.0.get(CPU)?.0).ok()?;
        allocatable = allocatable.checked_add(quantity.millicores()?.0)?;
    }
    let mut free = 0i64;
    for shape in pools.iter().flat_map(|pool| &pool.shapes) {
        free = free.checked_add(shape.count.checked_mul(shape.free.get(CPU).copied().unwrap_or(0))?)?;
    }
    if allocatable <= 0 {
        return None;
    }
    allocatable.checked_sub(free)?.max(0).checked_mul(1000)?.checked_div(allocatable)
}
