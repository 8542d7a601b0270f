//! Revisions: which content is at hand, what has to be stored, and what an older one may still be used for.
//!
//! The content of a commit is held in memory until it is stored on the hub, which is done a while after the commit, so
//! that it costs a new workload no time on its way to being ready. What was not stored when the process ended is stored
//! by the next one, because the workload still says it; if it does not any more, the older content is not known, and
//! clusters that have it stay as they are until their stage comes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use jiuzhou_engine::decide::{Changes, Spec, WorkloadKey, explain};
use jiuzhou_engine::terms::Digest;
use tokio::time::Instant;

use super::{Planner, chain};
use crate::decide::batch;
use crate::error::Category;
use crate::revision::content::Content;
use crate::revision::store;
use crate::seeded::{self, Bug};
use crate::workload::build::seen;
use crate::workload::staged::{self, Bodies};

/// Between a commit and the storing of its content: most workloads are ready by then.
const STORE: Duration = Duration::from_secs(10);
/// Requests under way at once.
const AT_ONCE: usize = 16;
/// Between two tries.
const RETRY: Duration = Duration::from_secs(30);

/// What is known of contents in this run.
#[derive(Debug, Default)]
pub(super) struct Revisions {
    /// Digests of templates as workloads are written now; emptied where something changed. `None` cannot be told.
    templates: BTreeMap<WorkloadKey, Option<Digest>>,
    /// Contents that are needed beside what workloads say now.
    bodies: BTreeMap<WorkloadKey, Bodies>,
    /// Revisions to be stored, with their cause, and when.
    due: BTreeMap<(WorkloadKey, i64), (Instant, String)>,
    /// What is stored, by number; `None` before the hub was asked.
    stored: Option<BTreeMap<WorkloadKey, BTreeSet<i64>>>,
    /// Revisions that were asked for and are not there.
    missing: BTreeSet<(WorkloadKey, i64)>,
    /// Whether an older revision may begin in a cluster, as it was judged.
    allowed: BTreeMap<(WorkloadKey, i64, String), bool>,
}

impl Revisions {
    /// Something that a workload's content is made of may have changed.
    pub(super) fn suspect(&mut self, key: &WorkloadKey) {
        self.templates.remove(key);
        self.allowed.retain(|(one, ..), _| one != key);
    }

    pub(super) fn suspect_all(&mut self) {
        self.templates.clear();
        self.allowed.clear();
    }

    /// Contents of a workload that are at hand.
    pub(super) fn bodies(&self, key: &WorkloadKey) -> Option<&Bodies> {
        self.bodies.get(key)
    }

    /// The template as it was told last.
    pub(super) fn template(&self, key: &WorkloadKey) -> Option<&Digest> {
        self.templates.get(key)?.as_ref()
    }

    /// Whether an older revision may begin in a cluster.
    pub(super) fn may_begin(&self, key: &WorkloadKey) -> BTreeSet<(i64, String)> {
        let from = (key.clone(), i64::MIN, String::new());
        let own = self.allowed.range(from..).take_while(|((one, ..), _)| one == key);
        own.filter(|(_, allowed)| **allowed).map(|((_, revision, cluster), _)| (*revision, cluster.clone())).collect()
    }

    /// A commit brought this content.
    pub(super) fn committed(&mut self, key: &WorkloadKey, revision: i64, content: Arc<Content>, cause: String) {
        self.bodies.entry(key.clone()).or_default().insert(revision, content);
        self.missing.remove(&(key.clone(), revision));
        self.due.insert((key.clone(), revision), (Instant::now() + STORE, cause));
    }

    /// When something is to be stored next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.values().map(|(at, _)| *at).min()
    }

    /// A workload is gone.
    pub(super) fn forget(&mut self, key: &WorkloadKey) {
        self.templates.remove(key);
        self.bodies.remove(key);
        self.due.retain(|(one, _), _| one != key);
        self.missing.retain(|(one, _)| one != key);
        self.allowed.retain(|(one, ..), _| one != key);
        if let Some(stored) = &mut self.stored {
            stored.remove(key);
        }
    }
}

impl Planner {
    /// Those of the workloads that may have changed which say something else than what is committed for them.
    pub(super) fn differing(&mut self, suspects: &BTreeSet<WorkloadKey>) -> BTreeSet<WorkloadKey> {
        if seeded::is(Bug::ContentForgotten) {
            return BTreeSet::new();
        }
        suspects.iter().for_each(|key| self.tell_template(key));
        let differs = |key: &&WorkloadKey| batch::differs(&self.state, key, self.revisions.template(key));
        suspects.iter().filter(differs).cloned().collect()
    }

    fn tell_template(&mut self, key: &WorkloadKey) {
        if !self.revisions.templates.contains_key(key) {
            let content = Content::now(&self.state, key, &self.digest_key);
            self.revisions.templates.insert(key.clone(), content.map(|content| content.template()));
        }
    }

    /// Readies what following up needs: the template as it is now, and the contents that clusters still have.
    pub(super) async fn ready_contents(&mut self, keys: &BTreeSet<WorkloadKey>) {
        for key in keys {
            self.tell_template(key);
            self.hold(key).await;
            self.judge_older(key);
        }
    }

    /// Revisions that clusters of a workload have or are to have.
    fn needed(&self, key: &WorkloadKey) -> BTreeSet<i64> {
        let (Some(workload), Some(placement)) = (self.state.fleet_workload(key), self.state.placement(key)) else {
            return BTreeSet::new();
        };
        let clusters = placement.spec.clusters.iter();
        let own = clusters.filter_map(|cluster| staged::revision_of(workload, placement, &cluster.name));
        own.chain([staged::target(placement)]).collect()
    }

    /// Whether a workload says what is committed for it.
    fn says_committed(&self, key: &WorkloadKey) -> bool {
        let committed = self.state.placement(key).and_then(|placement| placement.spec.inputs.content.as_deref());
        let now = self.revisions.template(key).map(ToString::to_string);
        committed.is_some() && committed == now.as_deref()
    }

    /// Holds the contents that are needed; what is held and not needed is let go once it is stored.
    async fn hold(&mut self, key: &WorkloadKey) {
        let needed = self.needed(key);
        let said = self.state.placement(key).map(staged::target).filter(|_| self.says_committed(key));
        let held = |revision: &i64| self.revisions.bodies.get(key).is_some_and(|bodies| bodies.contains_key(revision));
        let asked = |revision: &i64| self.revisions.missing.contains(&(key.clone(), *revision));
        let absent: Vec<i64> = needed
            .iter()
            .copied()
            .filter(|revision| Some(*revision) != said && !held(revision) && !asked(revision))
            .collect();
        if !absent.is_empty() {
            match store::all(&self.client, key).await {
                Ok(stored) => {
                    for revision in absent {
                        let found = stored.iter().rev().find(|one| one.revision == revision).and_then(store::content);
                        match found {
                            Some(content) => {
                                let bodies = self.revisions.bodies.entry(key.clone()).or_default();
                                bodies.insert(revision, Arc::new(content));
                            }
                            None => drop(self.revisions.missing.insert((key.clone(), revision))),
                        }
                    }
                }
                Err(error) => {
                    // Clusters with an older revision stay as they are until it can be read.
                    tracing::warn!(workload = %key, error = %chain(&error), "failed to read revisions; trying again");
                    self.rouse(key, Instant::now() + RETRY);
                }
            }
        }
        let revisions = &mut self.revisions;
        if let Some(bodies) = revisions.bodies.get_mut(key) {
            let unstored = |revision: &i64| revisions.due.contains_key(&(key.clone(), *revision));
            bodies.retain(|revision, _| unstored(revision) || needed.contains(revision) && Some(*revision) != said);
            if bodies.is_empty() {
                revisions.bodies.remove(key);
            }
        }
    }

    /// Judges whether an older revision may begin in a cluster where nothing of it is, by all the rules: what was decided
    /// was decided for the newer one.
    fn judge_older(&mut self, key: &WorkloadKey) {
        let (Some(workload), Some(placement)) = (self.state.fleet_workload(key), self.state.placement(key)) else {
            return;
        };
        let target = staged::target(placement);
        let nothing = |cluster: &str| {
            let report = self.reports.get(key).and_then(|reports| reports.get(cluster));
            report.and_then(Option::as_ref).is_none_or(|status| !seen(status, 0).objects)
        };
        let mut open: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        let placed = placement.spec.clusters.iter().filter(|cluster| cluster.replicas > 0);
        for cluster in placed.filter(|cluster| nothing(&cluster.name)) {
            let Some(revision) = staged::revision_of(workload, placement, &cluster.name) else { continue };
            let judged = (key.clone(), revision, cluster.name.to_string());
            if revision != target && !self.revisions.allowed.contains_key(&judged) {
                open.entry(revision).or_default().push(judged.2);
            }
        }
        for (revision, clusters) in open {
            let Some(content) = self.revisions.bodies.get(key).and_then(|bodies| bodies.get(&revision)) else {
                continue;
            };
            let older = content.workload(workload, &self.digest_key, &|_| false);
            let spec = self.state.spec_as(key, &older).map(|spec| Spec { changed: true, ..spec });
            let mut may: BTreeSet<String> = BTreeSet::new();
            if let Some(spec) = spec {
                let changes = Changes { specs: vec![spec], ..Changes::default() };
                let explained = explain(self.state.snapshot(), &changes, key, self.now()).ok().flatten();
                let eligible =
                    explained.into_iter().flat_map(|explained| explained.clusters).filter(|one| one.eligible);
                may.extend(eligible.map(|one| one.cluster));
            }
            for cluster in clusters {
                let allowed = may.contains(&cluster);
                self.revisions.allowed.insert((key.clone(), revision, cluster), allowed);
            }
        }
    }

    /// Learns what is stored, once, and has stored what an earlier run did not come to.
    pub(super) async fn learn_stored(&mut self) {
        if self.revisions.stored.is_some() {
            return;
        }
        match store::index(&self.client).await {
            Ok(index) => self.revisions.stored = Some(index),
            Err(error) => {
                let missing = error.category() == Category::Forbidden;
                tracing::warn!(error = %chain(&error), "failed to list revisions; older ones are not known");
                // Without the right nothing can be stored either; everything else goes on.
                self.revisions.stored = missing.then(BTreeMap::new);
                return;
            }
        }
        let keys: Vec<WorkloadKey> = self.state.workload_keys().into_iter().collect();
        for key in keys {
            let Some(placement) = self.state.placement(&key) else { continue };
            let revision = staged::target(placement);
            let stored = self.revisions.stored.as_ref().and_then(|stored| stored.get(&key));
            if revision < 1 || stored.is_some_and(|stored| stored.contains(&revision)) {
                continue;
            }
            let clusters: Vec<String> = placement.spec.clusters.iter().map(|one| one.name.to_string()).collect();
            let committed = placement.spec.inputs.content.as_deref().map(ToOwned::to_owned);
            let Some(content) = Content::now(&self.state, &key, &self.digest_key) else { continue };
            let Some(spec) = self.state.snapshot().decided_on(&key).cloned() else { continue };
            if committed == Some(content.template().to_string()) {
                let content = content.with_places(&self.state, &spec, clusters.iter().map(String::as_str));
                self.revisions.committed(&key, revision, Arc::new(content), String::new());
            }
        }
    }

    /// Stores what is due, some at once, so that a burst of them holds nothing else up for long.
    pub(super) async fn store_revisions(&mut self) {
        if self.gate.check().is_err() {
            return;
        }
        let now = Instant::now();
        let due = self.revisions.due.iter().filter(|(_, (at, _))| *at <= now).map(|(one, _)| one.clone());
        let due: Vec<(WorkloadKey, i64)> = due.take(AT_ONCE * 4).collect();
        let mut all = Vec::new();
        for (key, revision) in due {
            let Some((_, cause)) = self.revisions.due.remove(&(key.clone(), revision)) else { continue };
            let content = self.revisions.bodies.get(&key).and_then(|bodies| bodies.get(&revision)).cloned();
            if let Some(content) = content.filter(|_| self.state.placement(&key).is_some()) {
                let used = self.needed(&key);
                let stored = self.revisions.stored.as_ref().and_then(|stored| stored.get(&key));
                let many = stored.is_some_and(|stored| stored.len() >= store::KEPT);
                all.push((key, revision, content, cause, used, many));
            }
        }
        let client = &self.client;
        let one = |(key, revision, content, cause, used, many): (WorkloadKey, i64, Arc<Content>, String, _, bool)| async move {
            let stored = store::put(client, &key, revision, (&content, &cause), &used, many).await;
            (key, revision, cause, stored)
        };
        let done: Vec<_> = futures::stream::iter(all).map(one).buffer_unordered(AT_ONCE).collect().await;
        for (key, revision, cause, stored) in done {
            match stored {
                Ok(()) => {
                    if let Some(stored) = &mut self.revisions.stored {
                        stored.entry(key.clone()).or_default().insert(revision);
                    }
                    self.hold(&key).await;
                }
                Err(error) => {
                    tracing::warn!(workload = %key, revision, error = %chain(&error), "failed to store a revision");
                    // What is refused may be let in later: a right is granted, an admission policy mended.
                    let refused = matches!(error.category(), Category::Forbidden | Category::Refused);
                    let wait = if refused { RETRY * 4 } else { RETRY };
                    self.revisions.due.insert((key, revision), (Instant::now() + wait, cause));
                }
            }
        }
    }

    /// Looks at a workload again at this time.
    pub(super) fn rouse(&mut self, key: &WorkloadKey, at: Instant) {
        let wake = self.wakes.entry(key.clone()).or_insert(at);
        *wake = (*wake).min(at);
    }
}
