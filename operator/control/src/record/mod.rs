//! What is remembered of decisions: their inputs (`journal`), and that they were committed (the audit log of the room
//! `records`).
//!
//! Inputs are kept for a while (`retention`), commits for ever.
//!
//! Inputs are written before the commit, so that a decision that is found committed can always be decided again; the
//! commit is recorded after it and before anything is written to a member. Both are durable when these calls return.

pub(crate) mod journal;
pub(crate) mod retention;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use jiuzhou_api::v1alpha1::FleetPlacementSpec;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::terms::Digest;
use jiuzhou_records::audit::{AuditError, Entry, FileLog, Kind, Options, Recorder, WorkloadId};
use tokio::sync::oneshot;

use crate::decide::batch::Batch;
use crate::delivery::audit::AuditLog;
use crate::error::Error;
use crate::leader::Term;
use crate::metrics::Metrics;
use crate::state::{Changed, State};
use journal::{Journal, Recorded};
use retention::Keep;

/// Who writes the audit log when no person is behind it.
pub(crate) const ACTOR: &str = "jiuzhou-operator";
/// Folder of the inputs inside that of the audit log.
const INPUTS: &str = "inputs";

/// A decision that passed its commit point.
#[derive(Clone, Debug)]
pub(crate) struct Commitment {
    pub(crate) key: WorkloadKey,
    pub(crate) uid: Option<String>,
    pub(crate) spec: FleetPlacementSpec,
}

/// Journal and audit log of one run.
#[derive(Debug)]
pub(crate) struct Records {
    audit: Arc<Recorder>,
    journal: Arc<Mutex<Journal>>,
    keep: Keep,
    /// Changes that no batch has written down yet; `None` before a first batch, which writes everything.
    unwritten: Option<Changed>,
}

impl Records {
    /// Opens both. Blocks: reads and checks the whole audit log.
    ///
    /// # Errors
    /// When the folder cannot be used, is another hub's, or holds a log that was tampered with.
    pub(crate) fn open(folder: &Path, hub: &str, now: Timestamp, keep: Keep) -> Result<Self, Error> {
        let (log, opened) = FileLog::open(folder, Options::new(hub)).map_err(Error::Audit)?;
        let audit = Recorder::start(log).map_err(Error::Audit)?;
        if let Some(torn) = opened.torn {
            audit.append(opened.head.term, torn.entry(now, ACTOR)).map_err(Error::Audit)?;
        }
        let journal = Journal::open(&folder.join(INPUTS))?;
        Ok(Self { audit: Arc::new(audit), journal: Arc::new(Mutex::new(journal)), keep, unwritten: None })
    }

    /// Highest term of a leader in the audit log.
    pub(crate) fn highest_term(&self) -> u64 {
        self.audit.head().term
    }

    /// The audit log, for those who write to members.
    pub(crate) fn log(&self) -> Arc<dyn AuditLog> {
        Arc::clone(&self.audit) as Arc<dyn AuditLog>
    }

    /// Tells how the audit log stands.
    pub(crate) fn measure(&self, metrics: &Metrics) {
        metrics.set_audit(self.audit.stats(), self.audit.head().size);
    }

    /// Notes what changed in the snapshot; the next batch writes it down.
    pub(crate) fn note(&mut self, changed: Changed) {
        if let Some(unwritten) = &mut self.unwritten {
            unwritten.add(changed);
        }
    }

    /// Writes down what a batch was decided from and what came out. Durable when it returns.
    ///
    /// # Errors
    /// When the disk refuses; nothing of the batch may be committed.
    pub(crate) async fn batch(&mut self, state: &State, batch: &Batch) -> Result<(), Error> {
        // A line that fails begins another file, whose first line has everything.
        let recorded = Recorded::new(state, self.unwritten.take().as_ref(), batch);
        let (journal, audit, keep) = (Arc::clone(&self.journal), Arc::clone(&self.audit), self.keep);
        let now = batch.as_of;
        let append = move || {
            let mut journal = journal.lock().unwrap_or_else(PoisonError::into_inner);
            let appended = journal.append(&recorded)?;
            // Once a file, because that reads what goes.
            if appended.began {
                forget(journal.folder(), &audit, keep, now)?;
            }
            Ok::<_, Error>(appended)
        };
        let written = tokio::task::spawn_blocking(append).await;
        let appended = written.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))?;
        self.unwritten = (!appended.full).then(Changed::default);
        Ok(())
    }

    /// Records decisions as committed. Durable when it returns; a decision that is there already is no second record.
    ///
    /// # Errors
    /// The first refusal; none of the decisions may be acted on.
    pub(crate) async fn committed(&self, term: Term, now: Timestamp, all: &[Commitment]) -> Result<(), Error> {
        self.append(term, all.iter().filter_map(|commitment| entry(commitment, now))).await
    }

    /// Records what people said when they recovered. Durable when it returns; a word that is there already is no second
    /// record.
    ///
    /// # Errors
    /// The first refusal.
    pub(crate) async fn recovered(&self, term: Term, words: Vec<Entry>) -> Result<(), Error> {
        self.append(term, words.into_iter()).await
    }

    async fn append(&self, term: Term, entries: impl Iterator<Item = Entry>) -> Result<(), Error> {
        let mut answers = Vec::new();
        for entry in entries {
            let (send, receive) = oneshot::channel();
            self.audit.submit(term.0, entry, move |answer| drop(send.send(answer)));
            answers.push(receive);
        }
        // On a thread of its own, as the journal above: who waits for a disk is seen to wait, also by a paused clock.
        let wait = move || {
            let each = |answer: oneshot::Receiver<_>| answer.blocking_recv().unwrap_or(Err(AuditError::Closed));
            answers.into_iter().map(each).try_for_each(|answer| answer.map(drop)).map_err(Error::Audit)
        };
        let waited = tokio::task::spawn_blocking(wait).await;
        waited.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))?;
        Ok(())
    }
}

/// Removes inputs that are not kept any more, each told in the audit log before.
fn forget(folder: &Path, audit: &Recorder, keep: Keep, now: Timestamp) -> Result<(), Error> {
    for outdated in retention::outdated(folder, keep, now)? {
        let mut entry = Entry::new(now, Kind::InputsDropped, ACTOR);
        entry.digests.insert(outdated.name(), outdated.digest);
        audit.append(audit.head().term, entry).map_err(Error::Audit)?;
        outdated.remove()?;
        tracing::info!(file = outdated.name(), "inputs of old decisions are not kept any more");
    }
    Ok(())
}

/// The entry of a commitment; `None` for a placement whose decision is no digest, which the schema does not let in.
fn entry(commitment: &Commitment, now: Timestamp) -> Option<Entry> {
    let Commitment { key, uid, spec } = commitment;
    let mut entry = Entry::new(spec.as_of.as_ref().map_or(now, |at| at.0), Kind::DecisionCommitted, ACTOR);
    entry.decision = Some(Digest::parse(&spec.decision)?);
    entry.order = spec.stop.as_ref().map(|stop| stop.order.to_string());
    entry.epoch = u64::try_from(spec.epoch).ok();
    entry.workload = Some(WorkloadId { namespace: key.namespace.clone(), name: key.name.clone(), uid: uid.clone() });
    let inputs = &spec.inputs;
    let named = [
        ("workload", Some(&inputs.workload)),
        ("policy", inputs.policy.as_ref()),
        ("snapshot", Some(&inputs.snapshot)),
        ("data", inputs.data.as_ref()),
        ("content", inputs.content.as_ref()),
    ];
    let digests = named.into_iter().filter_map(|(name, digest)| Some((name.to_owned(), Digest::parse(digest?)?)));
    entry.digests = digests.collect();
    Some(entry)
}
