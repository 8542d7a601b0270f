//! A turn: refresh the snapshot, decide what is woken, write the batch down, commit, record.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1::{FleetPlacement, FleetWorkload};
use jiuzhou_engine::decide::{Decision, Status, WorkloadKey};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::trail::Turn;
use super::{Planner, chain};
use crate::decide::batch::{self, Commit};
use crate::decide::commit::{self, Outcome};
use crate::error::Error;
use crate::record::Commitment;
use crate::seeded::{self, Bug};

/// Instants of decisions are whole seconds, as a placement holds them.
pub(super) fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

impl Planner {
    /// Decides what is woken and commits it.
    pub(super) async fn decide(&mut self) -> Result<(), Error> {
        let began = self.now();
        let (as_of, event) = (whole_second(began), self.trail.turn(began));
        self.state.refresh(as_of)?;
        let changed = self.state.take_changed();
        self.dirty.extend(changed.specs.iter().cloned());
        changed.specs.iter().for_each(|key| self.suspect(key));
        if std::mem::take(&mut self.suspect_all) || changed.frame {
            self.revisions.suspect_all();
            self.suspects.extend(self.state.workload_keys());
        }
        self.suspects.extend(self.state.placed_in(&changed.told, false));
        // A cluster's values, registries and reach are part of what is delivered and told; its free room is not.
        self.dirty.extend(self.state.placed_in(&changed.told, changed.frame));
        for gone in changed.specs.iter().filter(|key| self.state.snapshot().decided_on(key).is_none()) {
            self.decisions.remove(gone);
        }
        if changed.frame || !changed.told.is_empty() || self.tiers_change.is_some_and(|at| at <= as_of) {
            self.look_out(as_of);
        }
        let touched = self.state.placed_in(&changed.told, false);
        let touched: Vec<WorkloadKey> = touched.into_iter().chain(changed.specs.iter().cloned()).collect();
        self.records.note(changed);
        let removed = self.removals.ordered();
        let started = Instant::now();
        let suspects = std::mem::take(&mut self.suspects);
        let first = self.decisions.is_empty() && seeded::is(Bug::RestartRedecides);
        let differing = if first { self.state.workload_keys() } else { self.differing(&suspects) };
        // What differs stays suspected until it is committed, whatever becomes of this turn.
        self.suspects.clone_from(&differing);
        self.dirty.extend(differing.iter().cloned());
        let back = self.rollbacks(&differing, as_of).await?;
        // A deletion that a freeze held is judged when it is over.
        self.dirty.extend(self.removals.unjudged());
        // What the brake on moves holds for a better score is decided again, so that it is there when it is approved.
        let mut weigh = self.weighing.slice(started);
        weigh.extend(self.moves.held().cloned());
        let Self { state, digest_key, kept, nearby, .. } = self;
        let asked = |without: &[&Decision]| nearby.choose(without);
        let mut batch = batch::decide(
            state,
            digest_key,
            kept,
            batch::Ask { differing: &differing, back: &back, removed, weigh, as_of },
            asked,
        )?;
        if seeded::is(Bug::ReplayDrift) {
            batch.as_of = batch.as_of.checked_add(jiff::SignedDuration::from_secs(1)).unwrap_or(as_of);
        }
        batch.commits = self.hold_frozen(std::mem::take(&mut batch.commits), &back, as_of);
        batch.commits.retain(|one| one.decision.rebalanced.is_none() || !self.moves.unkept.contains(one.key()));
        batch.commits = self.brake_moves(std::mem::take(&mut batch.commits));
        self.metrics.decided(started.elapsed());
        let turn = Turn { event, began, decided: self.now() };
        self.remember(&batch.plan.decisions);
        self.settle(touched, &batch.plan.decisions);
        let told = self.nearby.learn(&batch.plan.decisions, std::mem::take(&mut batch.nearest));
        self.dirty.extend(told);
        let next =
            [batch.plan.next_change, self.tiers_change, self.state.selections_settle(), self.state.modes_change()];
        let next = next.into_iter().flatten().min();
        self.next_change = next.map(|at| {
            let wait = Duration::try_from(at.duration_since(as_of)).unwrap_or(Duration::ZERO);
            Instant::now() + wait
        });
        self.next_change = self.next_change.into_iter().chain(self.nearby.again()).min();
        for refused in &batch.refused {
            tracing::error!(error = %chain(refused), "failed to commit a decision");
        }
        if batch.commits.is_empty() {
            return Ok(());
        }
        tracing::info!(
            decided = batch.plan.decisions.len(),
            commits = batch.commits.len(),
            plan = %batch.sha256,
            took = ?started.elapsed(),
            "decided"
        );
        self.gate.check()?;
        self.records.batch(&self.state, &batch).await?;
        let commits = self.stamp(batch.commits).await?;
        self.commit(commits, turn).await
    }

    /// Keeps the decisions of this run: what waits or violates is decided in every turn, what is settled in none.
    fn remember(&mut self, decisions: &[Decision]) {
        for decision in decisions {
            let known = self.decisions.get(&decision.key);
            let same = known.is_some_and(|known| {
                known.status == decision.status
                    && known.limits == decision.limits
                    && known.violations == decision.violations
                    && known.shortfall == decision.shortfall
            });
            if !same {
                self.dirty.insert(decision.key.clone());
            }
            self.decisions.insert(decision.key.clone(), decision.clone());
        }
    }

    /// Forgets that those waited which something changed for and that nothing wakes any more: they have what they ask for.
    fn settle(&mut self, touched: Vec<WorkloadKey>, decided: &[Decision]) {
        for key in touched {
            let waited = self.decisions.get(&key).is_some_and(|decision| decision.status != Status::Placed);
            if waited && decided.iter().all(|decision| decision.key != key) {
                self.decisions.remove(&key);
                self.dirty.insert(key);
            }
        }
    }

    /// Gives every commit its epoch, above all that was ever committed.
    async fn stamp(&mut self, commits: Vec<Commit>) -> Result<Vec<Commit>, Error> {
        let reached = self.outlook.borrow().reached.clone();
        let floor = self.state.highest_epoch().max(reached.committed());
        let count = i64::try_from(commits.len()).unwrap_or(i64::MAX);
        let first = self.epochs.take(count, floor).await?;
        reached.given(first, first.saturating_add(count).saturating_sub(1));
        let stamp = |(mut commit, epoch): (Commit, i64)| {
            commit.stamp(epoch);
            commit
        };
        Ok(commits.into_iter().zip(first..).map(stamp).collect())
    }

    /// Commits, takes in what was written, and records it.
    async fn commit(&mut self, commits: Vec<Commit>, turn: Turn) -> Result<(), Error> {
        let with_workload = |commit: Commit| {
            let workload = self.state.fleet_workload(commit.key())?.clone();
            Some((commit, workload))
        };
        let commits: Vec<(Commit, FleetWorkload)> = commits.into_iter().filter_map(with_workload).collect();
        let mut failed = None;
        let mut committed = BTreeSet::new();
        let started = Instant::now();
        let outcomes = commit::all(&self.client, commits).await;
        for (commit, outcome) in outcomes {
            match outcome {
                Outcome::Committed(written) => {
                    if let Some(workload) = written.workload {
                        self.take_in(&workload, "FleetWorkload");
                    }
                    tracing::info!(
                        workload = %commit.key(),
                        decision = %*written.placement.spec.decision,
                        epoch = written.placement.spec.epoch,
                        status = ?commit.decision.status,
                        "committed"
                    );
                    self.remember_content(&commit, &written.placement);
                    self.trail.committed(commit.key(), &written.placement.spec.decision, turn, self.now());
                    self.pending.committed(commit.key(), written.placement.spec.epoch, started);
                    self.fresh.entry(commit.key().clone()).or_default().extend(commit.fresh());
                    if commit.spec.rebalanced_at != written.placement.spec.rebalanced_at {
                        tracing::error!(
                            workload = %commit.key(),
                            "a FleetPlacement does not keep which order was carried out; apply the definitions of this version"
                        );
                        self.moves.unkept.insert(commit.key().clone());
                    }
                    self.take_in(&written.placement, "FleetPlacement");
                    committed.insert(commit.key().clone());
                }
                Outcome::Lost => {
                    tracing::info!(workload = %commit.key(), "lost a write; reading and deciding again");
                    self.read_again(commit.key()).await?;
                }
                Outcome::Failed(error) => {
                    tracing::warn!(workload = %commit.key(), error = %chain(&error), "failed to commit");
                    failed = Some(error);
                }
            }
        }
        if !seeded::is(Bug::OrderBeforeRecord) {
            self.record(committed).await?;
        }
        self.metrics.committed(started.elapsed());
        // What was written changes the snapshot, and what was lost is decided again.
        self.turn = true;
        failed.map_or(Ok(()), Err)
    }

    /// Keeps the content of a commit until it is stored.
    fn remember_content(&mut self, commit: &Commit, placement: &FleetPlacement) {
        let Some(content) = &commit.content else { return };
        let stated = self.state.fleet_workload(commit.key()).and_then(|workload| {
            workload.metadata.annotations.as_ref()?.get(jiuzhou_api::meta::ANNOTATION_CHANGE_CAUSE).cloned()
        });
        let before = commit.before.as_ref().map(|before| &before.spec);
        let cause = match before {
            _ if stated.is_some() => stated.unwrap_or_default(),
            None => "created".to_owned(),
            Some(before) if before.inputs.content == placement.spec.inputs.content => "cluster values".to_owned(),
            Some(before) if before.inputs.workload == placement.spec.inputs.workload => {
                "objects or overrides".to_owned()
            }
            Some(_) => "objects and what they need".to_owned(),
        };
        self.revisions.committed(commit.key(), placement.spec.revision, Arc::clone(content), cause);
    }

    /// Takes in an object that we wrote, before the watch tells of it.
    pub(super) fn take_in<K: Serialize>(&mut self, object: &K, kind: &str) {
        let Ok(mut value) = serde_json::to_value(object) else { return };
        value["apiVersion"] = Value::from(jiuzhou_api::meta::API_VERSION);
        value["kind"] = Value::from(kind);
        self.put(value);
    }

    async fn read_again(&mut self, key: &WorkloadKey) -> Result<(), Error> {
        if let Some(placement) = commit::read::<FleetPlacement>(&self.client, key).await? {
            self.take_in(&placement, "FleetPlacement");
        }
        if let Some(workload) = commit::read::<FleetWorkload>(&self.client, key).await? {
            self.take_in(&workload, "FleetWorkload");
        }
        Ok(())
    }

    /// Records the decisions of these placements, those found after a restart among them. Nothing is ordered for a
    /// placement whose decision is not recorded.
    pub(super) async fn record(&mut self, keys: BTreeSet<WorkloadKey>) -> Result<(), Error> {
        let mut commitments = Vec::new();
        for key in keys {
            let Some(placement) = self.state.placement(&key) else { continue };
            let decision = placement.spec.decision.to_string();
            if self.recorded.get(&key) == Some(&(decision, placement.spec.epoch)) {
                continue;
            }
            let uid = self.state.fleet_workload(&key).and_then(kube::ResourceExt::uid);
            commitments.push(Commitment { key, uid, spec: placement.spec.clone() });
        }
        if commitments.is_empty() {
            return Ok(());
        }
        let (term, began) = (self.gate.check()?, self.now());
        if !seeded::is(Bug::CommitUnrecorded) {
            self.records.committed(term, began, &commitments).await?;
        }
        self.records.measure(&self.metrics);
        let ended = self.now();
        for commitment in commitments {
            self.trail.recorded(&commitment.key, &commitment.spec.decision, began, ended);
            let commit = (commitment.spec.decision.to_string(), commitment.spec.epoch);
            self.recorded.insert(commitment.key.clone(), commit);
            self.dirty.insert(commitment.key);
        }
        Ok(())
    }
}
