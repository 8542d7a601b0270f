//! What comes out of a simulation: sums over its time, by day and by whom they are about.
//!
//! Replica-minutes are exact. Energy, carbon and cost are rounded once for each cluster, tenant and day; every other sum
//! is a sum of those, so totals of days, tenants and clusters agree to the last unit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::decide::{Status, WorkloadKey};
use jiuzhou_engine::terms::{Fen, Milligrams, MilliwattHours};
use jiuzhou_measure::MeasureError;
use jiuzhou_measure::rates::Estimate;

/// Replicas that were wanted and that were ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Replica-minutes wanted.
    pub wanted: i64,
    /// Of these, with a place: decided, or still ready where they were.
    pub placed: i64,
    /// Of these, ready.
    pub ready: i64,
}

impl Service {
    /// Adds another.
    pub fn add(&mut self, other: Self) {
        self.wanted = self.wanted.saturating_add(other.wanted);
        self.placed = self.placed.saturating_add(other.placed);
        self.ready = self.ready.saturating_add(other.ready);
    }

    /// Replica-minutes that were missing.
    #[must_use]
    pub fn missing(&self) -> i64 {
        self.wanted.saturating_sub(self.ready)
    }
}

/// What replicas drew, emitted and cost. Sums of what is known, beside the replica-minutes they leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spending {
    /// Replica-minutes that existed.
    pub replicas: i64,
    /// Energy.
    pub energy: MilliwattHours,
    /// Emissions.
    pub carbon: Milligrams,
    /// Price.
    pub cost: Fen,
    /// Replica-minutes whose energy is not known.
    pub no_energy: i64,
    /// Replica-minutes whose emissions are not known.
    pub no_carbon: i64,
    /// Replica-minutes whose price is not known.
    pub no_cost: i64,
}

impl Spending {
    /// What is known of some replica-minutes.
    #[must_use]
    pub fn of(replicas: i64, estimate: Estimate) -> Self {
        let unknown = |known: bool| if known { 0 } else { replicas };
        Self {
            replicas,
            energy: estimate.energy.unwrap_or_default(),
            carbon: estimate.carbon.unwrap_or_default(),
            cost: estimate.cost.unwrap_or_default(),
            no_energy: unknown(estimate.energy.is_some()),
            no_carbon: unknown(estimate.carbon.is_some()),
            no_cost: unknown(estimate.cost.is_some()),
        }
    }

    /// Adds another.
    ///
    /// # Errors
    /// [`MeasureError::OutOfRange`] beyond the range of a unit.
    pub fn add(&mut self, other: &Self) -> Result<(), MeasureError> {
        const OUT: MeasureError = MeasureError::OutOfRange("totals of a simulation");
        self.replicas = self.replicas.checked_add(other.replicas).ok_or(OUT)?;
        self.energy = self.energy.checked_add(other.energy).ok_or(OUT)?;
        self.carbon = self.carbon.checked_add(other.carbon).ok_or(OUT)?;
        self.cost = self.cost.checked_add(other.cost).ok_or(OUT)?;
        self.no_energy = self.no_energy.saturating_add(other.no_energy);
        self.no_carbon = self.no_carbon.saturating_add(other.no_carbon);
        self.no_cost = self.no_cost.saturating_add(other.no_cost);
        Ok(())
    }
}

/// What the engine decided and what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Replicas that changed their cluster.
    pub moved: i64,
    /// Replicas that were started, those that moved included.
    pub started: i64,
    /// Workloads that came.
    pub arrived: i64,
    /// Workloads that went.
    pub departed: i64,
    /// Failures of clusters that began.
    pub failures: i64,
    /// Workloads that left a lost cluster.
    pub failovers: i64,
}

impl Activity {
    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.moved += other.moved;
        self.started += other.started;
        self.arrived += other.arrived;
        self.departed += other.departed;
        self.failures += other.failures;
        self.failovers += other.failovers;
    }
}

/// How many workloads stood how, at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Workloads there are.
    pub workloads: i64,
    /// Of these, waiting for a place.
    pub waiting: i64,
    /// Of these, refused.
    pub refused: i64,
    /// Of these, running against a rule.
    pub violating: i64,
}

/// One day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// Its number, from 0.
    pub number: u32,
    /// Replicas.
    pub service: Service,
    /// What happened.
    pub activity: Activity,
    /// How workloads stood at its end.
    pub standing: Standing,
    /// What was spent.
    pub spending: Spending,
}

/// Workloads of a tenant or a tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Workloads that were there at any time.
    pub workloads: i64,
    /// Replicas.
    pub service: Service,
    /// Replicas that changed their cluster.
    pub moved: i64,
    /// Workload-minutes of waiting for a place.
    pub waiting: i64,
    /// Workload-minutes of being refused.
    pub refused: i64,
    /// Workload-minutes of running against a rule.
    pub violating: i64,
    /// What was spent; not told by tier, of which a cluster's cpu knows nothing.
    pub spending: Spending,
}

/// A cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClusterTold {
    /// Failures.
    pub failures: i64,
    /// Minutes in which it was not reached because of them.
    pub minutes: i64,
    /// What was spent there.
    pub spending: Spending,
}

/// A workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadTold {
    /// Which.
    pub key: WorkloadKey,
    /// Its tenant.
    pub tenant: String,
    /// Its tier; empty where none is demanded.
    pub tier: String,
    /// Replicas.
    pub service: Service,
    /// Replicas that changed their cluster.
    pub moved: i64,
    /// Minutes without a place, refusals included.
    pub waiting: i64,
    /// Minutes of running against a rule.
    pub violating: i64,
    /// How its last decision ended.
    pub last: Status,
}

/// An instant at which the engine looked anew because a date had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTold {
    /// When.
    pub at: Timestamp,
    /// Workloads that run against a rule from then on.
    pub violating: i64,
    /// Replicas that move because of it.
    pub moved: i64,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Each day.
    pub days: Vec<Day>,
    /// By tenant.
    pub tenants: BTreeMap<String, Group>,
    /// By the tier that is demanded; empty where none is.
    pub tiers: BTreeMap<String, Group>,
    /// By cluster.
    pub clusters: BTreeMap<String, ClusterTold>,
    /// Workloads with the most replica-minutes missing, the worst first; at most [`Outcome::WORST`].
    pub worst: Vec<WorkloadTold>,
    /// Dates that came.
    pub dates: Vec<DateTold>,
    /// Replicas.
    pub service: Service,
    /// What happened.
    pub activity: Activity,
    /// What was spent.
    pub spending: Spending,
    /// Turns of the engine.
    pub turns: u64,
    /// Decisions of these.
    pub decisions: u64,
}

impl Outcome {
    /// Workloads told as the worst.
    pub const WORST: usize = 10;
}
