//! Everything that is known of one workload, gathered. Nothing is asked of a server: the caches are complete.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::{DeliveryStatus, FleetPlacement, FleetWorkload};
use jiuzhou_engine::decide::input::FreezeInput;
use jiuzhou_engine::decide::{Decision, Nearest, Spec, WorkloadKey};
use jiuzhou_engine::step::failover::{Entry, Phase};
use jiuzhou_engine::terms::{Digest, Finding, ObjectRef};
use jiuzhou_report::sentences::HeldBecause;

use super::staged::Bodies;
use crate::planner::application;
use crate::revision::content::Place;
use crate::state::State;

/// What was reported of one workload, by cluster. `None` is a member that was looked at and has nothing.
pub(crate) type Reports = BTreeMap<String, Option<DeliveryStatus>>;

/// How far the copies of one workload are that are in members that do not answer, by cluster.
pub(crate) type Entries = BTreeMap<String, Entry>;

/// What is known of one workload.
#[derive(Debug)]
pub(crate) struct Gathered<'a> {
    pub(crate) key: &'a WorkloadKey,
    pub(crate) state: &'a State,
    /// The object; `None` when it is not there (any more).
    pub(crate) workload: Option<&'a FleetWorkload>,
    pub(crate) placement: Option<&'a FleetPlacement>,
    /// What the engine was told of it; `None` when it cannot be decided on.
    pub(crate) spec: Option<&'a Spec>,
    /// The last decision of this run, if it was decided in this run.
    pub(crate) decision: Option<&'a Decision>,
    /// What would help it where it has no place; `None` while nobody has looked, `Some(None)` when nothing on one cluster
    /// would.
    pub(crate) nearest: Option<Option<&'a Nearest>>,
    pub(crate) reports: &'a Reports,
    pub(crate) findings: &'a [Finding],
    /// Clusters that this process was the first to commit a place in, so that nothing was ordered there before.
    pub(crate) fresh: Option<&'a BTreeSet<String>>,
    /// Digest of the workload's template as it is written now; `None` when it cannot be told.
    pub(crate) template: Option<&'a Digest>,
    /// Contents at hand beside what the workload says now.
    pub(crate) bodies: Option<&'a Bodies>,
    /// Older revisions that may begin in a cluster, by all the rules.
    pub(crate) may_begin: BTreeSet<(i64, String)>,
    /// Whether it asks to be deleted, and whether it may be.
    pub(crate) deletion: Deletion<'a>,
    /// What becomes of its copies in members that do not answer.
    pub(crate) failover: Option<&'a Entries>,
    /// What becomes of its copies that are not well in members that answer.
    pub(crate) application: Option<&'a application::Entries>,
    /// The hub went back in time: nothing is decided and ordered.
    pub(crate) behind: bool,
    /// The command that shows the moves which wait, where one is its own.
    pub(crate) held_move: Option<String>,
    /// The change freeze that its deletion waits for.
    pub(crate) frozen: Option<&'a FreezeInput>,
}

/// How the deletion of a workload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deletion<'a> {
    /// Nobody asked, or nobody has looked yet.
    None,
    /// It is an order and may be carried out.
    Ordered,
    /// It is no order, because of this.
    Held(&'a Held),
}

/// Why a deletion waits, and what stands for all that wait in its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) cause: HeldBecause,
    pub(crate) waiting: usize,
    pub(crate) code: String,
}

/// What the planner remembers of a workload beside the state.
#[derive(Debug)]
pub(crate) struct Memory<'a> {
    pub(crate) decision: Option<&'a Decision>,
    pub(crate) nearest: Option<Option<&'a Nearest>>,
    pub(crate) reports: &'a Reports,
    pub(crate) fresh: Option<&'a BTreeSet<String>>,
    pub(crate) template: Option<&'a Digest>,
    pub(crate) bodies: Option<&'a Bodies>,
    pub(crate) may_begin: BTreeSet<(i64, String)>,
    pub(crate) deletion: Deletion<'a>,
    pub(crate) failover: Option<&'a Entries>,
    pub(crate) application: Option<&'a application::Entries>,
    pub(crate) behind: bool,
    pub(crate) held_move: Option<String>,
    pub(crate) frozen: Option<&'a FreezeInput>,
}

impl Gathered<'_> {
    /// Whether it was let go from a member that has not answered since.
    pub(crate) fn is_given_up(&self, cluster: &str) -> bool {
        let entry = self.failover.and_then(|entries| entries.get(cluster));
        entry.is_some_and(|entry| matches!(entry.phase, Phase::Released | Phase::Moved)) && !self.state.answers(cluster)
    }

    /// Whether what the workload and a cluster say now is what is committed for that cluster.
    pub(crate) fn is_committed(&self, placement: &FleetPlacement, cluster: &str) -> bool {
        let committed = placement.spec.inputs.content.as_deref();
        let template = self.template.map(ToString::to_string);
        if committed.is_none() || committed != template.as_deref() {
            return false;
        }
        let Some(spec) = self.spec else { return false };
        let known = placement.spec.clusters.iter().find(|one| *one.name == *cluster);
        let known = known.and_then(|known| known.place.as_deref());
        let now = Place::now(self.state, spec, cluster).and_then(|place| place.digest());
        now.map(|digest| digest.to_string()).as_deref() == known
    }
}

/// Gathers it.
pub(crate) fn dereference<'a>(state: &'a State, key: &'a WorkloadKey, memory: Memory<'a>) -> Gathered<'a> {
    let Memory {
        decision,
        nearest,
        reports,
        fresh,
        template,
        bodies,
        may_begin,
        deletion,
        failover,
        application,
        behind,
        frozen,
        held_move,
    } = memory;
    Gathered {
        key,
        state,
        workload: state.fleet_workload(key),
        placement: state.placement(key),
        spec: state.snapshot().decided_on(key).map(|spec| &**spec),
        decision,
        nearest,
        reports,
        findings: state.findings(&ObjectRef::new("FleetWorkload", &key.namespace, &key.name)),
        fresh,
        template,
        bodies,
        may_begin,
        deletion,
        failover,
        application,
        behind,
        frozen,
        held_move,
    }
}
