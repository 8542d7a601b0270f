//! What a caller says to the log: when, who, what, for which decision, on which objects, with which result.
//!
//! An entry has no field for content. It carries names, uids, closed words and digests, so that a Secret's data cannot
//! get in; digests of secret data must be keyed by the caller, because a bare one can be guessed. What belongs
//! elsewhere: the record an entry becomes (`record`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::{decide::canonical, terms::Digest};
use serde::{Deserialize, Serialize};

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A decision passed its commit point. Needs `decision`.
    DecisionCommitted,
    /// A write to a cluster is about to start. Needs `decision` and `cluster`.
    WriteIntent,
    /// What came of it. Needs `decision`, `cluster` and `result`.
    WriteOutcome,
    /// Another process leads from this term on.
    LeaderChanged,
    /// A person's order: fence confirmed, stop, leave. Needs `decision`, the digest of the order.
    OrderGiven,
    /// A person said that the hub, or the member in `cluster`, went back in time and goes on as it is (above `epoch`), or put
    /// this hub in the place of another (the `kube-system` in `objects`). Needs `decision`, the digest of that word.
    Recovered,
    /// A person opened a session in a pod through the hub.
    SessionOpened,
    /// An unfinished write at the end of the log was cut off when it was opened.
    TailCut,
    /// Recorded inputs of decisions were removed, because they were older or more than is kept. Needs `digests`, one of
    /// each file that went.
    InputsDropped,
}

/// How an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verb {
    /// POST.
    Create,
    /// Server-side apply.
    Apply,
    /// PUT.
    Update,
    /// A patch other than apply.
    Patch,
    /// DELETE.
    Delete,
}

/// A workload by name, and by uid where known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkloadId {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid on the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

/// A cluster by name, and by identity where known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cluster {
    /// Name of the `MemberCluster`.
    pub name: String,
    /// Uid of its `kube-system`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

/// An object that is written, by name, and by uid where known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectId {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// Namespace, for namespaced kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// Uid in the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// Done, and something changed.
    Done,
    /// Done, and nothing had to change.
    Unchanged,
    /// The cluster or a rule of ours said no.
    Refused,
    /// It did not reach the cluster.
    Failed,
    /// It was sent and no answer came: it may have happened.
    Unknown,
}

/// How a write ended, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WriteResult {
    /// How it ended.
    pub outcome: Outcome,
    /// Reason code, a word of letters and digits; never a member's own words, which may quote a manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One thing that happened. Start from [`Entry::new`] and fill in what applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// When, by the caller's clock.
    pub time: Timestamp,
    /// What.
    pub kind: Kind,
    /// Who: user, service account or process.
    pub actor: String,
    /// For whom, when the actor impersonates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// Decision or order this belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Digest>,
    /// Number of the person's order it follows, as printed on the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Epoch of the objects written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Which try of the same write, from 0; tries with the same number are one record.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// Workload concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadId>,
    /// Cluster concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
    /// Objects written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectId>,
    /// How they are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<WriteResult>,
    /// Digests of inputs and contents, by name, such as `snapshot` or `objects`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digests: BTreeMap<String, Digest>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Longest text of an entry in bytes: a Kubernetes user name of a service account is at most 147.
const TEXT_MAX: usize = 512;
/// Most objects of one entry; a longer list is several entries.
const OBJECTS_MAX: usize = 256;
/// Most digests of one entry.
const DIGESTS_MAX: usize = 32;

/// Which rule an entry breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// A field that the kind needs is absent.
    #[error("{0:?} needs the field {1}")]
    Missing(Kind, &'static str),
    /// A text is empty, too long or has control characters.
    #[error("the field {0} must be 1 to {TEXT_MAX} bytes without control characters")]
    Text(&'static str),
    /// A reason is not a code.
    #[error("the field result.reason must be a word of letters and digits")]
    Reason,
    /// Too many items.
    #[error("the field {0} has more than {1} items")]
    TooMany(&'static str, usize),
}

impl Entry {
    /// An entry with nothing but when, what and who.
    #[must_use]
    pub fn new(time: Timestamp, kind: Kind, actor: impl Into<String>) -> Self {
        Self {
            time,
            kind,
            actor: actor.into(),
            on_behalf_of: None,
            decision: None,
            order: None,
            epoch: None,
            attempt: 0,
            workload: None,
            cluster: None,
            objects: Vec::new(),
            verb: None,
            result: None,
            digests: BTreeMap::new(),
        }
    }

    /// Holds the entry against its rules.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn check(&self) -> Result<(), EntryFault> {
        let needs = |present: bool, field| if present { Ok(()) } else { Err(EntryFault::Missing(self.kind, field)) };
        match self.kind {
            Kind::DecisionCommitted | Kind::OrderGiven | Kind::Recovered => needs(self.decision.is_some(), "decision")?,
            Kind::WriteIntent | Kind::WriteOutcome => {
                needs(self.decision.is_some(), "decision")?;
                needs(self.cluster.is_some(), "cluster")?;
                needs(self.kind == Kind::WriteIntent || self.result.is_some(), "result")?;
            }
            Kind::InputsDropped => needs(!self.digests.is_empty(), "digests")?,
            Kind::LeaderChanged | Kind::SessionOpened | Kind::TailCut => {}
        }
        let plain = |field, text: &str| {
            let fits = !text.is_empty() && text.len() <= TEXT_MAX && !text.chars().any(char::is_control);
            if fits { Ok(()) } else { Err(EntryFault::Text(field)) }
        };
        let maybe = |field, text: Option<&String>| text.map_or(Ok(()), |text| plain(field, text));
        plain("actor", &self.actor)?;
        maybe("onBehalfOf", self.on_behalf_of.as_ref())?;
        maybe("order", self.order.as_ref())?;
        if let Some(workload) = &self.workload {
            plain("workload.namespace", &workload.namespace)?;
            plain("workload.name", &workload.name)?;
            maybe("workload.uid", workload.uid.as_ref())?;
        }
        if let Some(cluster) = &self.cluster {
            plain("cluster.name", &cluster.name)?;
            maybe("cluster.uid", cluster.uid.as_ref())?;
        }
        if self.objects.len() > OBJECTS_MAX {
            return Err(EntryFault::TooMany("objects", OBJECTS_MAX));
        }
        for object in &self.objects {
            plain("objects.apiVersion", &object.api_version)?;
            plain("objects.kind", &object.kind)?;
            maybe("objects.namespace", object.namespace.as_ref())?;
            plain("objects.name", &object.name)?;
            maybe("objects.uid", object.uid.as_ref())?;
        }
        if self.digests.len() > DIGESTS_MAX {
            return Err(EntryFault::TooMany("digests", DIGESTS_MAX));
        }
        self.digests.keys().try_for_each(|name| plain("digests", name))?;
        match self.result.as_ref().and_then(|result| result.reason.as_ref()) {
            Some(reason) if !is_code(reason) => Err(EntryFault::Reason),
            _ => Ok(()),
        }
    }

    /// What makes two entries the same record.
    ///
    /// A commit of a decision is named by kind, id, workload and epoch: the same may be decided again for other content. Any other entry is the same when it differs only in when,
    /// who and uids, which a process that lost its memory cannot repeat. A change of leader is one per term.
    pub(super) fn identity(&self, term: u64) -> Digest {
        let mut same = Self { time: Timestamp::UNIX_EPOCH, actor: String::new(), on_behalf_of: None, ..self.clone() };
        if let Some(workload) = &mut same.workload {
            workload.uid = None;
        }
        if let Some(cluster) = &mut same.cluster {
            cluster.uid = None;
        }
        for object in &mut same.objects {
            object.uid = None;
        }
        if self.kind == Kind::DecisionCommitted {
            let named = Self::new(same.time, self.kind, "");
            same = Self { decision: self.decision, workload: same.workload, epoch: self.epoch, ..named };
        }
        let term = if self.kind == Kind::LeaderChanged { term } else { 0 };
        let mut bytes = canonical::bytes(&same).expect("an entry has only text keys");
        bytes.extend_from_slice(&term.to_le_bytes());
        Digest::sha256(&bytes)
    }

    /// A decision recorded under one id with two contents: one of them is wrong, and neither may be acted on.
    pub(super) fn conflicts(&self, other: &Self) -> bool {
        self.kind == Kind::DecisionCommitted && (&self.digests, self.epoch) != (&other.digests, other.epoch)
    }
}

fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent() -> Entry {
        let mut entry = Entry::new(Timestamp::UNIX_EPOCH, Kind::WriteIntent, "hub");
        entry.decision = Some(Digest::sha256(b"decision"));
        entry.cluster = Some(Cluster { name: "member-a".into(), uid: None });
        entry
    }

    #[test]
    fn an_entry_says_which_field_its_kind_needs() {
        assert_eq!(intent().check(), Ok(()));
        let outcome = Entry { kind: Kind::WriteOutcome, ..intent() };
        assert_eq!(outcome.check(), Err(EntryFault::Missing(Kind::WriteOutcome, "result")));
        let homeless = Entry { cluster: None, ..intent() };
        assert_eq!(homeless.check(), Err(EntryFault::Missing(Kind::WriteIntent, "cluster")));
        let wordless = Entry { kind: Kind::Recovered, decision: None, ..intent() };
        assert_eq!(wordless.check(), Err(EntryFault::Missing(Kind::Recovered, "decision")));
        let undecided = Entry { decision: None, ..intent() };
        assert_eq!(undecided.check(), Err(EntryFault::Missing(Kind::WriteIntent, "decision")));
    }

    #[test]
    fn a_reason_is_a_code_and_never_a_sentence_of_the_member() {
        let result = |reason: &str| WriteResult { outcome: Outcome::Refused, reason: Some(reason.into()) };
        assert_eq!(Entry { result: Some(result("Forbidden")), ..intent() }.check(), Ok(()));
        let told = Entry { result: Some(result("invalid: password=hunter2")), ..intent() };
        assert_eq!(told.check(), Err(EntryFault::Reason));
    }

    #[test]
    fn texts_are_bounded_and_printable() {
        for actor in ["", "line\nbreak", &"x".repeat(TEXT_MAX + 1)] {
            let entry = Entry { actor: actor.into(), ..intent() };
            assert_eq!(entry.check(), Err(EntryFault::Text("actor")), "{actor:?}");
        }
    }

    #[test]
    fn identity_ignores_when_who_and_uids_and_nothing_else() {
        let first = intent();
        let mut again = Entry { time: "2026-01-01T00:00:00Z".parse().unwrap(), actor: "other".into(), ..intent() };
        again.cluster = Some(Cluster { name: "member-a".into(), uid: Some("u".into()) });
        assert_eq!(first.identity(1), again.identity(2));
        for other in [
            Entry { attempt: 1, ..intent() },
            Entry { epoch: Some(1), ..intent() },
            Entry { verb: Some(Verb::Delete), ..intent() },
            Entry { cluster: Some(Cluster { name: "member-b".into(), uid: None }), ..intent() },
            Entry { decision: Some(Digest::sha256(b"other")), ..intent() },
        ] {
            assert_ne!(first.identity(1), other.identity(1), "{other:?}");
        }
    }

    #[test]
    fn a_change_of_leader_is_one_record_per_term() {
        let entry = Entry::new(Timestamp::UNIX_EPOCH, Kind::LeaderChanged, "hub");
        assert_ne!(entry.identity(1), entry.identity(2));
    }
}
