//! What the process tells Prometheus: about itself as it works, and about the fleet as it was last measured.
//!
//! Names and labels stand in [`table`]; a series that is not in the table cannot be made. Values of the fleet are set as
//! a whole by [`Metrics::set_fleet`], so that what is gone disappears. Not here: serving them (`http`).

mod fleet;
mod table;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiuzhou_records::audit::Stats;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text},
    metrics::{MetricType, counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

pub use self::fleet::{ClusterFacts, FleetFacts, Live, fleet};
pub use self::table::{ALL, Kind, Metric};
use crate::{error::Category, leader::Term};

/// Labels of one series, in the order of the table.
type Labels = Vec<(&'static str, String)>;

/// Most series of one metric; what is beyond is left out and counted.
const SERIES_MAX: usize = 10_000;

/// Buckets of durations, in seconds: from a decision in microseconds to a delivery that waits for a slow member.
const SECONDS: [f64; 14] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.15, 0.5, 1.0, 2.5, 10.0, 30.0, 120.0];

/// Values that are set as a whole, by metric. In the order of the labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows(BTreeMap<&'static str, BTreeMap<Vec<String>, f64>>);

impl Rows {
    /// Adds a value to a series of the table.
    fn add<const N: usize>(&mut self, metric: Metric, labels: [&str; N], value: f64) {
        debug_assert_eq!(labels.len(), metric.labels.len(), "{}", metric.base);
        let labels = labels.map(str::to_owned).into();
        *self.0.entry(metric.base).or_default().entry(labels).or_default() += value;
    }

    /// Series of one metric, in order.
    #[cfg(test)]
    fn of(&self, metric: Metric) -> impl Iterator<Item = (&Vec<String>, f64)> {
        self.0.get(metric.base).into_iter().flatten().map(|(labels, value)| (labels, *value))
    }
}

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Labels, Counter>,
    reconcile_errors: Family<Labels, Counter>,
    reconcile_seconds: Family<Labels, Histogram, fn() -> Histogram>,
    queue: Family<Labels, Gauge>,
    decision_seconds: Histogram,
    commit_seconds: Histogram,
    delivery_seconds: Family<Labels, Histogram, fn() -> Histogram>,
    leader: Gauge,
    shown: Arc<Shown>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    /// Metrics of a process that has done nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let mut metrics = Self {
            reconciles: Family::default(),
            reconcile_errors: Family::default(),
            reconcile_seconds: Family::new_with_constructor(seconds),
            queue: Family::default(),
            decision_seconds: seconds(),
            commit_seconds: seconds(),
            delivery_seconds: Family::new_with_constructor(seconds),
            leader: Gauge::default(),
            shown: Arc::default(),
            registry: Registry::default(),
        };
        let mut register = |metric: Metric, it: Box<dyn Encoded>| registry.register(metric.base, metric.en, it);
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        register(table::BUILD, Box::new(version));
        register(table::LEADER, Box::new(metrics.leader.clone()));
        register(table::RECONCILES, Box::new(metrics.reconciles.clone()));
        register(table::RECONCILE_ERRORS, Box::new(metrics.reconcile_errors.clone()));
        register(table::RECONCILE_SECONDS, Box::new(metrics.reconcile_seconds.clone()));
        register(table::QUEUE, Box::new(metrics.queue.clone()));
        register(table::DECISION_SECONDS, Box::new(metrics.decision_seconds.clone()));
        register(table::COMMIT_SECONDS, Box::new(metrics.commit_seconds.clone()));
        register(table::DELIVERY_SECONDS, Box::new(metrics.delivery_seconds.clone()));
        registry.register_collector(Box::new(Arc::clone(&metrics.shown)));
        metrics.registry = registry;
        metrics
    }

    /// A reconcile of a controller ended, well or with an error of a category.
    pub fn reconciled(&self, controller: &'static str, took: Duration, ended: Result<(), Category>) {
        let outcome = if ended.is_ok() { "done" } else { "error" };
        self.reconciles.get_or_create(&labels(table::RECONCILES, [controller, outcome])).inc();
        if let Err(category) = ended {
            let labels = labels(table::RECONCILE_ERRORS, [controller, category.as_str()]);
            self.reconcile_errors.get_or_create(&labels).inc();
        }
        let labels = labels(table::RECONCILE_SECONDS, [controller]);
        self.reconcile_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// So many objects wait for a controller.
    pub fn queued(&self, controller: &'static str, depth: usize) {
        let depth = i64::try_from(depth).unwrap_or(i64::MAX);
        self.queue.get_or_create(&labels(table::QUEUE, [controller])).set(depth);
    }

    /// A batch of workloads was decided.
    pub fn decided(&self, took: Duration) {
        self.decision_seconds.observe(took.as_secs_f64());
    }

    /// A decision was committed and recorded.
    pub fn committed(&self, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
    }

    /// The objects of a commit exist in a member of this connection (push, pull, ferry).
    pub fn delivered(&self, connection: &'static str, took: Duration) {
        let labels = labels(table::DELIVERY_SECONDS, [connection]);
        self.delivery_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A request to a member ended.
    pub fn requested(&self, cluster: &str, ended: Result<(), Category>) {
        let result = ended.map_or_else(Category::as_str, |()| "done");
        self.shown.hold().add(table::MEMBER_REQUESTS, [cluster, result], 1.0);
    }

    /// A member has left: its series end.
    pub fn forget_member(&self, cluster: &str) {
        if let Some(rows) = self.shown.hold().0.get_mut(table::MEMBER_REQUESTS.base) {
            rows.retain(|labels, _| labels.first().is_none_or(|label| label != cluster));
        }
    }

    /// Whether and in which term this process leads.
    pub fn leads(&self, term: Option<Term>) {
        self.leader.set(i64::from(term.is_some()));
        let mut rows = Rows::default();
        if let Some(Term(term)) = term {
            rows.add(table::LEADER_TERM, [], fleet::float(i64::try_from(term).unwrap_or(i64::MAX)));
        }
        self.shown.set(&[table::LEADER_TERM], rows);
    }

    /// What the audit log has done and how many records it has.
    pub fn set_audit(&self, stats: Stats, records: u64) {
        let float = |count: u64| fleet::float(i64::try_from(count).unwrap_or(i64::MAX));
        let mut rows = Rows::default();
        for (result, count) in [("appended", stats.appended), ("repeated", stats.repeated), ("failed", stats.failed)] {
            rows.add(table::AUDIT_APPENDS, [result], float(count));
        }
        rows.add(table::AUDIT_BATCHES, [], float(stats.batches));
        rows.add(table::AUDIT_WAITING, [], float(stats.waiting));
        rows.add(table::AUDIT_RECORDS, [], float(records));
        self.shown.set(&[table::AUDIT_APPENDS, table::AUDIT_BATCHES, table::AUDIT_WAITING, table::AUDIT_RECORDS], rows);
    }

    /// Workloads by state and reason code. Both are closed lists.
    pub fn set_workloads<'a>(&self, counts: impl IntoIterator<Item = (&'a str, &'a str, u32)>) {
        let mut rows = Rows::default();
        for (state, reason, count) in counts {
            rows.add(table::WORKLOADS, [state, reason], f64::from(count));
        }
        self.shown.set(&[table::WORKLOADS], rows);
    }

    /// Members by connection and reachability.
    pub fn set_members<'a>(&self, counts: impl IntoIterator<Item = (&'a str, &'a str, u32)>) {
        let mut rows = Rows::default();
        for (connection, state, count) in counts {
            rows.add(table::MEMBERS, [connection, state], f64::from(count));
        }
        self.shown.set(&[table::MEMBERS], rows);
    }

    /// The fleet as last measured; what is not among these rows disappears.
    pub fn set_fleet(&self, rows: Rows) {
        self.shown.set(&FLEET, rows);
    }

    /// A scrape in OpenMetrics text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        // Writing into a string fails only if an encoder of ours does, and ours end in a string as well.
        text::encode(&mut text, &self.registry).expect("a scrape is text");
        text
    }
}

/// Metrics that [`Metrics::set_fleet`] replaces.
const FLEET: [Metric; 17] = [
    table::ADOPTION,
    table::HOSTING,
    table::DOMESTIC,
    table::ENERGY,
    table::TENANT_ENERGY,
    table::MONTH,
    table::MONTH_ENERGY,
    table::MONTH_TENANT_ENERGY,
    table::FACILITY_ENERGY,
    table::CO2E,
    table::PUE,
    table::PUE_LIMIT,
    table::REF,
    table::WUE,
    table::TIER,
    table::EVIDENCE,
    table::CREDENTIAL,
];

fn labels<const N: usize>(metric: Metric, values: [&str; N]) -> Labels {
    metric.labels.iter().copied().zip(values.map(str::to_owned)).collect()
}

/// What a registry takes: any metric.
trait Encoded: EncodeMetric + fmt::Debug + Send + Sync {}

impl<T: EncodeMetric + fmt::Debug + Send + Sync> Encoded for T {}

impl EncodeMetric for Box<dyn Encoded> {
    fn encode(&self, encoder: prometheus_client::encoding::MetricEncoder<'_>) -> fmt::Result {
        (**self).encode(encoder)
    }

    fn metric_type(&self) -> MetricType {
        (**self).metric_type()
    }

    fn is_empty(&self) -> bool {
        (**self).is_empty()
    }
}

/// Values that are set as a whole and written at each scrape.
#[derive(Debug, Default)]
struct Shown(Mutex<Rows>);

impl Shown {
    fn set(&self, replaced: &[Metric], rows: Rows) {
        let mut shown = self.hold();
        for metric in replaced {
            shown.0.remove(metric.base);
        }
        shown.0.extend(rows.0);
    }

    /// Rows are replaced by whole metrics, so a panic elsewhere leaves them usable.
    fn hold(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A registry ends every help with a full stop; so does what is shown beside it.
fn help(metric: Metric) -> String {
    format!("{}.", metric.en)
}

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let shown = self.hold();
        let mut dropped = 0;
        for metric in ALL {
            let Some(rows) = shown.0.get(metric.base).filter(|rows| !rows.is_empty()) else { continue };
            let kind = if metric.kind == Kind::Counter { MetricType::Counter } else { MetricType::Gauge };
            let mut series = encoder.encode_descriptor(metric.base, &help(*metric), None, kind)?;
            for (values, value) in rows.iter().take(SERIES_MAX) {
                let labels: Labels = metric.labels.iter().copied().zip(values.iter().cloned()).collect();
                let mut one = series.encode_family(&labels)?;
                match metric.kind {
                    Kind::Counter => one.encode_counter::<Labels, f64, f64>(value, None)?,
                    Kind::Gauge | Kind::Histogram | Kind::Info => one.encode_gauge(value)?,
                }
            }
            dropped += rows.len().saturating_sub(SERIES_MAX);
        }
        let metric = table::SERIES_DROPPED;
        let mut series = encoder.encode_descriptor(metric.base, &help(metric), None, MetricType::Gauge)?;
        series.encode_gauge(&dropped)
    }
}

#[cfg(test)]
mod fed_tests;
#[cfg(test)]
mod tests;
