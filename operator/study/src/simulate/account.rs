//! What is added up as time goes by: each account is brought up to a minute when what it counts changes, and not before.
//!
//! So a simulation costs what happens in it and not how many minutes it has. Sums are of whole replica-minutes, millicore-
//! minutes and byte-minutes; they become energy and money once a day, and whenever the rates change.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::PerMille;
use jiuzhou_measure::MeasureError;
use jiuzhou_measure::rates::{ClusterRates, Spent};

use super::outcome::{Service, Spending};

/// Replicas that are wanted, have a place and are ready, over time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    since: i64,
    /// At this minute: replicas, not replica-minutes.
    level: Service,
    sum: Service,
}

impl Flow {
    pub(super) fn from(since: i64) -> Self {
        Self { since, ..Self::default() }
    }

    /// What is wanted, placed and ready now.
    pub(super) fn level(&self) -> Service {
        self.level
    }

    /// From now on it is so much.
    pub(super) fn set(&mut self, now: i64, level: Service) {
        self.advance(now);
        self.level = level;
    }

    /// From now on it is another by the difference of a part.
    pub(super) fn change(&mut self, now: i64, before: Service, after: Service) {
        let Service { wanted, placed, ready } = self.level;
        let level = Service {
            wanted: wanted + after.wanted - before.wanted,
            placed: placed + after.placed - before.placed,
            ready: ready + after.ready - before.ready,
        };
        self.set(now, level);
    }

    fn advance(&mut self, now: i64) {
        let minutes = now - self.since;
        self.since = now;
        let Service { wanted, placed, ready } = self.level;
        let of = |level: i64| level.saturating_mul(minutes);
        self.sum.add(Service { wanted: of(wanted), placed: of(placed), ready: of(ready) });
    }

    /// The sum up to a minute; the next one begins there.
    pub(super) fn take(&mut self, now: i64) -> Service {
        self.advance(now);
        std::mem::take(&mut self.sum)
    }
}

/// Something that holds or does not, over time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spell {
    begun: Option<i64>,
    minutes: i64,
}

impl Spell {
    pub(super) fn set(&mut self, now: i64, holds: bool) {
        match (self.begun, holds) {
            (None, true) => self.begun = Some(now),
            (Some(since), false) => {
                self.minutes += now - since;
                self.begun = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }

    pub(super) fn holds(&self) -> bool {
        self.begun.is_some()
    }

    pub(super) fn minutes(&self, now: i64) -> i64 {
        self.minutes + self.begun.map_or(0, |since| now - since)
    }
}

/// Replicas of a tenant on a cluster and what they ask for, over time.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    since: i64,
    replicas: i64,
    cpu: i128,
    memory: i128,
    replica_minutes: i64,
    spent: Spent,
}

impl Cell {
    fn advance(&mut self, now: i64) {
        let minutes = now - self.since;
        self.since = now;
        self.replica_minutes = self.replica_minutes.saturating_add(self.replicas.saturating_mul(minutes));
        self.spent.millicore_minutes += self.cpu * i128::from(minutes);
        self.spent.byte_minutes += self.memory * i128::from(minutes);
    }
}

/// Names, each with a number.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }
}

/// What replicas draw, emit and cost, by cluster and tenant.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) clusters: Names,
    pub(super) tenants: Names,
    cells: BTreeMap<(u32, u32), Cell>,
    by_cluster: BTreeMap<String, Spending>,
    by_tenant: BTreeMap<String, Spending>,
}

impl Ledger {
    /// So many replicas more (or fewer) of a tenant run on a cluster, each asking for this much.
    pub(super) fn change(&mut self, now: i64, cluster: u32, tenant: u32, replicas: i64, each: (i64, i64)) {
        let cell = self.cells.entry((cluster, tenant)).or_insert_with(|| Cell { since: now, ..Cell::default() });
        cell.advance(now);
        cell.replicas += replicas;
        cell.cpu += i128::from(each.0) * i128::from(replicas);
        cell.memory += i128::from(each.1) * i128::from(replicas);
    }

    /// What was spent up to a minute since the last time, by the rates that held.
    ///
    /// # Errors
    /// [`MeasureError`] beyond the range of a unit.
    pub(super) fn settle(
        &mut self,
        now: i64,
        rates: &BTreeMap<String, ClusterRates>,
        utilisation: PerMille,
    ) -> Result<Spending, MeasureError> {
        let mut whole = Spending::default();
        for ((cluster, tenant), cell) in &mut self.cells {
            cell.advance(now);
            let (replicas, spent) = (std::mem::take(&mut cell.replica_minutes), std::mem::take(&mut cell.spent));
            if replicas == 0 {
                continue;
            }
            let (cluster, tenant) = (self.clusters.name(*cluster), self.tenants.name(*tenant));
            let estimate = match rates.get(cluster) {
                Some(rates) => rates.spent(spent, utilisation)?,
                None => jiuzhou_measure::rates::Estimate::default(),
            };
            let spending = Spending::of(replicas, estimate);
            whole.add(&spending)?;
            for (name, sums) in [(cluster, &mut self.by_cluster), (tenant, &mut self.by_tenant)] {
                if !sums.contains_key(name) {
                    sums.insert(name.to_owned(), Spending::default());
                }
                sums.get_mut(name).map_or(Ok(()), |sum| sum.add(&spending))?;
            }
        }
        Ok(whole)
    }

    /// What was settled, by cluster and by tenant.
    pub(super) fn told(self) -> (BTreeMap<String, Spending>, BTreeMap<String, Spending>) {
        (self.by_cluster, self.by_tenant)
    }
}
