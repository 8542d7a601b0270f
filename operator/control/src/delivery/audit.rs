//! Gate and audit log before every write to a member, and the outcome after it.
//!
//! The intent is durable before the write is sent: a write without a record does not happen. The record has names, uids
//! and digests; no content and none of the member's words.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiuzhou_engine::terms::Digest;
use jiuzhou_member::witness::{self, Outcome, Witness, Write};
use jiuzhou_records::audit::{AuditError, Cluster, Entry, Kind, ObjectId, Recorder, Verb, WorkloadId, WriteResult};
use tokio::sync::oneshot;

use crate::leader::Gate;

/// Where entries are appended.
pub trait AuditLog: Send + Sync {
    /// Appends an entry; ready when it is durable.
    fn append(&self, term: u64, entry: Entry) -> BoxFuture<'static, Result<(), AuditError>>;
}

impl AuditLog for Recorder {
    fn append(&self, term: u64, entry: Entry) -> BoxFuture<'static, Result<(), AuditError>> {
        let (send, receive) = oneshot::channel();
        self.submit(term, entry, move |answer| drop(send.send(answer)));
        async move { receive.await.unwrap_or(Err(AuditError::Closed)).map(drop) }.boxed()
    }
}

/// The witness of the hub.
pub struct Audit {
    log: Arc<dyn AuditLog>,
    gate: Gate,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    actor: String,
    /// Number of the next try; begins anew with the seconds of the clock, so that no run repeats another's.
    next: AtomicU32,
    /// Tries under way.
    open: Mutex<BTreeMap<String, (u32, u64)>>,
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").field("actor", &self.actor).finish_non_exhaustive()
    }
}

impl Audit {
    /// A witness that writes as `actor`.
    #[must_use]
    pub fn new(
        log: Arc<dyn AuditLog>,
        gate: Gate,
        clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        actor: impl Into<String>,
    ) -> Self {
        let first = u32::try_from(clock().as_second().rem_euclid(i64::from(u32::MAX))).unwrap_or(0);
        Self { log, gate, clock, actor: actor.into(), next: AtomicU32::new(first), open: Mutex::default() }
    }

    fn entry(&self, kind: Kind, write: &Write<'_>, attempt: u32) -> Entry {
        let order = write.order;
        let mut entry = Entry::new((self.clock)(), kind, self.actor.as_str());
        entry.decision = Digest::parse(&order.decision);
        entry.epoch = u64::try_from(order.epoch).ok();
        entry.attempt = attempt;
        entry.workload = Some(WorkloadId {
            namespace: order.workload.namespace.to_string(),
            name: order.workload.name.to_string(),
            uid: None,
        });
        entry.cluster = Some(Cluster { name: order.cluster.to_string(), uid: None });
        entry.objects = vec![ObjectId {
            api_version: write.target.api_version.clone(),
            kind: write.target.kind.clone(),
            namespace: write.target.namespace.clone(),
            name: write.target.name.clone(),
            uid: write.target.uid.clone(),
        }];
        entry.verb = Some(match write.verb {
            witness::Verb::Create => Verb::Create,
            witness::Verb::Apply => Verb::Apply,
            witness::Verb::Patch => Verb::Patch,
            witness::Verb::Delete => Verb::Delete,
        });
        entry
    }
}

/// One write at a time goes to one object, so its name tells which try an outcome belongs to.
fn key(write: &Write<'_>) -> String {
    let target = &write.target;
    let namespace = target.namespace.as_deref().unwrap_or_default();
    format!("{}/{}/{}/{namespace}/{}", write.order.cluster, target.api_version, target.kind, target.name)
}

impl Witness for Audit {
    fn before<'a>(&'a self, write: &'a Write<'a>) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let term = self.gate.check_member().map_err(|shut| shut.to_string())?.0;
            let attempt = self.next.fetch_add(1, Ordering::Relaxed);
            let entry = self.entry(Kind::WriteIntent, write, attempt);
            let recorded = self.log.append(term, entry).await;
            recorded.map_err(|error| format!("failed to record what was to be written: {error}"))?;
            // The disk may have taken its time: who leads now?
            self.gate.check_member().map_err(|shut| shut.to_string())?;
            self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(key(write), (attempt, term));
            Ok(())
        }
        .boxed()
    }

    fn after<'a>(&'a self, write: &'a Write<'a>, outcome: Outcome) -> BoxFuture<'a, ()> {
        async move {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&key(write));
            let Some((attempt, term)) = open else { return };
            let mut entry = self.entry(Kind::WriteOutcome, write, attempt);
            let outcome = match outcome {
                Outcome::Done => jiuzhou_records::audit::Outcome::Done,
                Outcome::Refused => jiuzhou_records::audit::Outcome::Refused,
                Outcome::Unknown => jiuzhou_records::audit::Outcome::Unknown,
            };
            entry.result = Some(WriteResult { outcome, reason: None });
            if let Err(error) = self.log.append(term, entry).await {
                // The intent stands, which is what must never be missing; the next one will say whether the log works.
                tracing::error!(%error, "failed to record how a write ended");
            }
        }
        .boxed()
    }
}
