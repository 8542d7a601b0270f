//! What is simulated: the fleet at each date, and what happens to it by chance, by the clock and by plan.
//!
//! Plain values without dates of their own but for the start: everything counts in whole minutes since it. Intake makes
//! them from files; names are those of the fleet.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use jiff::Timestamp;
use jiuzhou_engine::decide::{FleetInput, Spec, WorkloadKey};
use jiuzhou_engine::step::Continuity;
use jiuzhou_engine::terms::PerMille;
use jiuzhou_measure::rates::ClusterRates;

/// Minutes of a day.
pub const DAY: i64 = 1440;
/// Minutes of an hour.
pub const HOUR: i64 = 60;

/// A simulation.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The first instant: a midnight in Beijing.
    pub start: Timestamp,
    /// Days.
    pub days: u32,
    /// What chance draws from.
    pub seed: u64,
    /// The fleet at the start and whenever its files say something else; the first begins at 0.
    pub stages: Vec<Stage>,
    /// How replicas start and leave a lost cluster.
    pub conduct: Conduct,
    /// Workloads that come, and go again.
    pub arrivals: Vec<Arrivals>,
    /// Workloads whose replicas follow the hour.
    pub curves: Vec<Curve>,
    /// By number of the day: whether it is a day of rest, for curves.
    pub rest_days: BTreeSet<u32>,
    /// Clusters that fail.
    pub failures: Vec<Failures>,
    /// Threads for the engine's verdicts; nothing depends on them.
    pub threads: NonZeroUsize,
}

/// The fleet from a minute on.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// From when.
    pub at: i64,
    /// Everything but workloads; its `specs` are ignored.
    pub fleet: FleetInput,
    /// The workloads; `None` when they are those of the stage before. Those of the first stage run where their `current`
    /// says.
    pub specs: Option<Vec<Spec>>,
    /// How workloads may be moved; who is not here is added before it is removed.
    pub traits: BTreeMap<WorkloadKey, Traits>,
    /// Clusters lost for good, with everything that ran there.
    pub lost: BTreeSet<String>,
    /// What clusters draw and cost.
    pub rates: BTreeMap<String, ClusterRates>,
    /// Use of a node that is assumed.
    pub utilisation: PerMille,
}

/// What of a workload its spec does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    /// How it may be moved.
    pub continuity: Continuity,
    /// It stops by itself where nobody reaches it, so it is proven gone once the failover begins.
    pub fenced: bool,
}

/// How replicas start, and what happens to those of a cluster that is not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conduct {
    /// Minutes until a new replica is ready.
    pub start_minutes: i64,
    /// When workloads leave a cluster that is not reached.
    pub failover: Failover,
}

/// When workloads leave a cluster that is not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failover {
    /// Never: they wait for it.
    Never,
    /// After so many minutes without a break.
    AfterMinutes(i64),
}

/// Which workloads are meant; all where nothing is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Of these tenants.
    pub tenants: BTreeSet<String>,
    /// These.
    pub workloads: BTreeSet<WorkloadKey>,
}

impl Chosen {
    /// Whether a workload is meant.
    #[must_use]
    pub fn takes(&self, spec: &Spec) -> bool {
        (self.tenants.is_empty() && self.workloads.is_empty())
            || self.tenants.contains(&spec.requirement.tenant)
            || self.workloads.contains(&spec.key)
    }
}

/// Workloads like one that is there come by chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// Name of the stream, unique among arrivals.
    pub name: String,
    /// The workload they are like.
    pub template: WorkloadKey,
    /// Mean minutes between two.
    pub every: i64,
    /// How long one stays.
    pub stay: Stay,
}

/// How long a workload stays, in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// To the end.
    Forever,
    /// From the first to the second, all alike.
    Between(i64, i64),
    /// By chance, of this mean.
    Exponential(i64),
}

/// Replicas by the hour, in percent of what is wanted otherwise, rounded up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve {
    /// Name, unique among curves. The first by name holds for a workload that several mean.
    pub name: String,
    /// Whom it is about.
    pub chosen: Chosen,
    /// Never fewer than this, where as many are wanted otherwise.
    pub least: i64,
    /// By hour of a working day.
    pub workday: [u16; 24],
    /// By hour of a day of rest.
    pub rest_day: [u16; 24],
}

/// Clusters that fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// Name, unique among failures.
    pub name: String,
    /// These clusters; every one where none is named.
    pub clusters: BTreeSet<String>,
    /// When.
    pub when: FailureTimes,
    /// What it does.
    pub effect: Effect,
}

/// When clusters fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureTimes {
    /// By chance, each cluster by itself.
    Random {
        /// Mean minutes from one end to the next failure (MTBF).
        between: i64,
        /// Mean minutes of a failure (MTTR).
        repair: i64,
    },
    /// In these periods: first minute, minutes.
    Windows(Vec<(i64, i64)>),
}

/// What a failure does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// Nothing runs there.
    #[default]
    Down,
    /// Nobody reaches it; what runs there runs on.
    CutOff,
}
