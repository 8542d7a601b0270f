//! The brake on moves: when many workloads would leave clusters at once though nobody asked any of them to.
//!
//! Evidence that runs out, a tier, a policy, a score or labels that change may let a whole fleet wander, and so may a script
//! that orders every workload to be placed anew; that is more often a mistake than a wish. So many go in a window (as many as
//! deletions may); what would come beyond that waits, whole, with its plan written down, until others approve exactly it.
//! Failover, emergencies and stop orders have brakes or approvals of their own, and who empties a cluster has said so.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{ApprovedOrder, Lifecycle, PlacedCluster};
use jiuzhou_engine::decide::{Cause, WorkloadKey};
use jiuzhou_intake::approvals;
use jiuzhou_intake::objects::named;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::PostParams;
use tokio::time::Instant;

use super::Planner;
use super::brake::Brake;
use crate::decide::batch::Commit;
use crate::error::Error;
use crate::people::approve::{FLEET, HELD_MOVES, PLAN};

/// Moves that wait.
#[derive(Debug, Default)]
pub(super) struct Moves {
    brake: Brake,
    /// Each with where it is and where it would go.
    held: BTreeMap<WorkloadKey, String>,
    /// Workloads whose placement does not say which order was carried out, because its definition is older than this program:
    /// the order would be carried out again and again.
    pub(super) unkept: BTreeSet<WorkloadKey>,
    /// Approvals by which held moves were let go; each until that is written on it.
    pub(super) used: BTreeSet<String>,
    /// What is written down of them, as far as this process knows.
    written: Option<String>,
}

impl Moves {
    /// Workloads whose moves wait.
    pub(super) fn held(&self) -> impl Iterator<Item = &WorkloadKey> {
        self.held.keys()
    }

    /// Whether the move of a workload waits.
    pub(super) fn is_held(&self, key: &WorkloadKey) -> bool {
        self.held.contains_key(key)
    }
}

impl Planner {
    /// Takes out of what is to be committed the moves that wait.
    pub(super) fn brake_moves(&mut self, commits: Vec<Commit>) -> Vec<Commit> {
        let (moving, mut go): (Vec<Commit>, Vec<Commit>) = commits.into_iter().partition(|one| self.is_unasked(one));
        let plan: BTreeMap<WorkloadKey, String> = moving.iter().map(|one| (one.key().clone(), line(one))).collect();
        let digest = approvals::of_moves(plan.values().map(String::as_str));
        let approved = self.state.base().and_then(|base| base.approved.of(ApprovedOrder::MassChange, &digest, None));
        let waits = |key: &WorkloadKey| self.moves.held.contains_key(key);
        let through = if let Some(approval) = approved.filter(|_| !moving.is_empty()) {
            tracing::info!(approval, moves = moving.len(), "moves that waited are approved");
            self.moves.used.insert(approval.to_owned());
            true
        } else {
            // What waits is never let through because time went by, and nothing overtakes it.
            let waiting = plan.keys().filter(|key| waits(key)).count();
            let workloads = self.state.workload_keys().len();
            moving.is_empty() || (waiting == 0 && self.moves.brake.admits(Instant::now(), moving.len(), 0, workloads))
        };
        let held = if through { BTreeMap::new() } else { plan };
        if !through {
            tracing::warn!(moves = held.len(), "so many moves at once wait for an approval");
        } else {
            go.extend(moving);
        }
        let other = |key: &&WorkloadKey| held.contains_key(*key) != self.moves.held.contains_key(*key);
        let told: Vec<WorkloadKey> = held.keys().chain(self.moves.held.keys()).filter(other).cloned().collect();
        self.dirty.extend(told);
        self.moves.held = held;
        go
    }

    /// Whether a commit takes a workload out of a cluster though neither it nor the cluster was asked to.
    fn is_unasked(&self, commit: &Commit) -> bool {
        let Some(before) = &commit.before else { return false };
        let spec = self.state.snapshot().decided_on(commit.key());
        let by_order = spec.is_some_and(|spec| {
            let fails_over = !spec.lost.is_empty() || spec.requirement.cause == Cause::Failover;
            fails_over || spec.mode.is_some() || spec.stop.is_some()
        });
        let next =
            |name: &str| commit.spec.clusters.iter().find(|one| *one.name == *name).map_or(0, |one| one.replicas);
        let stays = |cluster: &PlacedCluster| {
            let member = named(&self.state.objects().clusters, &cluster.name);
            member.is_some_and(|member| member.object.spec.lifecycle == Lifecycle::Active)
        };
        let leaves = before.spec.clusters.iter().any(|one| one.replicas > 0 && next(&one.name) == 0 && stays(one));
        leaves && !by_order
    }

    /// Writes down the plan of the moves that wait, for whoever is to approve it.
    pub(super) async fn write_held_moves(&mut self) -> Result<(), Error> {
        let plan: Vec<&str> = self.moves.held.values().map(String::as_str).collect();
        let plan = plan.join("\n");
        if self.moves.written.as_ref() == Some(&plan) || (self.moves.written.is_none() && plan.is_empty()) {
            return Ok(());
        }
        self.gate.check()?;
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), meta::SYSTEM_NAMESPACE);
        let failed = |error| Error::api("write", "the moves that wait", error);
        let known = api.get_opt(HELD_MOVES).await.map_err(failed)?;
        let is_new = known.is_none();
        let mut map = known.unwrap_or_default();
        map.metadata.name = Some(HELD_MOVES.to_owned());
        map.data.get_or_insert_default().insert(PLAN.to_owned(), plan.clone());
        let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
        let written = match is_new {
            true => api.create(&params, &map).await,
            false => api.replace(HELD_MOVES, &params, &map).await,
        };
        written.map_err(failed)?;
        self.moves.written = Some(plan);
        Ok(())
    }
}

/// A move as it is shown: where a workload is and where it would be.
fn line(commit: &Commit) -> String {
    let said = |clusters: &[PlacedCluster]| {
        let placed = clusters.iter().filter(|one| one.replicas > 0);
        let all: Vec<String> = placed.map(|one| format!("{} {}", &*one.name, one.replicas)).collect();
        if all.is_empty() { "-".to_owned() } else { all.join(", ") }
    };
    let before = commit.before.as_ref().map(|before| said(&before.spec.clusters)).unwrap_or_default();
    format!("{}: {before} -> {}", commit.key(), said(&commit.spec.clusters))
}

/// The command that shows what waits.
pub(super) fn command() -> String {
    format!("jiuzhou approve moves {FLEET}")
}
