//! What is told of a member, from what is remembered of it. Pure: the handle for the rest of the hub, and the status.
//!
//! One reason for a state; the first that holds, in the order: credential, identity, rights, silence, not looked at yet.
//! What could not be seen this time stays as it was written: unknown is never empty.

use jiff::Timestamp;
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{
    ClusterIdentity, CredentialStatus, LeftObjects, Lifecycle, MemberCluster, MemberClusterStatus, Reach, Reachability,
};
use jiuzhou_intake::figures;
use jiuzhou_member::claim::Standing;
use jiuzhou_member::connection::Trouble;
use jiuzhou_member::inventory::{Moved, moved};
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::ResourceExt;

use super::task::Memory;
use super::{Access, Member, Outlook, words};
use crate::reports;

/// Bound of the schema.
const MAX_LEFT: usize = 256;
/// Longest detail of a message.
const DETAIL: usize = 1600;

/// Why something is not as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) reason: ControllerReason,
    /// What the sentence of the reason does not say; may be empty.
    pub(super) detail: String,
}

impl Problem {
    pub(super) fn new(reason: ControllerReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into().chars().take(DETAIL).collect() }
    }

    fn plain(reason: ControllerReason) -> Self {
        Self::new(reason, "")
    }

    /// An answer of a member.
    pub(super) fn of(trouble: &Trouble) -> Self {
        let reason = match trouble {
            Trouble::NoConnection(_) | Trouble::Untrusted(_) | Trouble::Cut(_) => ControllerReason::MemberUnreachable,
            Trouble::Unauthenticated(_) => ControllerReason::CredentialRefused,
            Trouble::Forbidden(_) => ControllerReason::RightMissing,
            Trouble::NotFound(_) | Trouble::Conflict(_) | Trouble::Answered { .. } | Trouble::Nonsense(_) => {
                ControllerReason::AnswerInvalid
            }
        };
        Self::new(reason, trouble.to_string())
    }

    pub(super) fn identity(known: &str, seen: &str) -> Self {
        let detail = format!(
            "kube-system had uid {known} when the cluster joined and has {seen} now; if it was rebuilt on purpose, delete \
             this MemberCluster and join it anew"
        );
        Self::new(ControllerReason::IdentityChanged, detail)
    }

    /// The hub went back in time; told of every member, because nothing is written to any.
    pub(super) fn hub_behind(seen: i64) -> Self {
        let detail = format!(
            "a member has seen epoch {seen}, which this hub never committed: the hub was restored from a backup; nothing is \
             decided and nothing written to members until a person has looked: jiuzhou recover"
        );
        Self::new(ControllerReason::EpochBehind, detail)
    }

    /// What stands between this hub and a member; `None` when it is ours.
    pub(super) fn standing(standing: &Standing) -> Option<Self> {
        let (reason, message) = match standing {
            Standing::Free | Standing::Ours { .. } => return None,
            Standing::Former { hub } => (
                ControllerReason::ClaimedByOther,
                format!("it is being taken over from hub {hub}, which this one succeeds"),
            ),
            Standing::OtherHub { hub } => (
                ControllerReason::ClaimedByOther,
                format!(
                    "ConfigMap jiuzhou-system/hub there names hub {hub}; if that hub is gone for good and this one takes its \
                     place: jiuzhou recover --promote"
                ),
            ),
            Standing::NewerLeader { term } => (
                ControllerReason::ClaimedByOther,
                format!(
                    "a leader of term {term} has written there: this operator leads no more, or this hub was restored from a \
                     backup: jiuzhou recover --promote"
                ),
            ),
            Standing::HubRolledBack { seen, .. } => return Some(Self::hub_behind(*seen)),
            Standing::MemberRolledBack { recorded, seen } => (
                ControllerReason::EpochBehind,
                format!(
                    "the member said epoch {recorded} before and says {seen} now: it was restored from a backup, or its \
                     claim was removed; what is ordered is applied there and nothing is removed until a person has looked: \
                     jiuzhou recover MEMBER"
                ),
            ),
        };
        Some(Self::new(reason, message))
    }
}

/// Whether a person has accepted that the member went back in time: the word names since when that is known, and so is
/// about that once and no other.
pub(super) fn is_accepted(object: &MemberCluster) -> bool {
    let stated = object.annotations().get(meta::ANNOTATION_RECOVERED);
    let named = stated.and_then(|word| word.split_whitespace().next()?.parse::<Timestamp>().ok());
    named.is_some() && named == rolled_back_since(object)
}

/// Since when a member is known to have gone back in time, as its condition says.
pub(crate) fn rolled_back_since(object: &MemberCluster) -> Option<Timestamp> {
    let conditions = &object.status.as_ref()?.conditions;
    let confirmed = conditions.iter().find(|one| one.type_ == ConditionType::IdentityConfirmed.as_str())?;
    let is_it = confirmed.status == "False" && confirmed.reason == ControllerReason::EpochBehind.as_str();
    is_it.then_some(confirmed.last_transition_time.0)
}

/// The handle.
pub(super) fn handle(object: &MemberCluster, outlook: &Outlook, memory: &Memory) -> Member {
    let now = memory.now();
    let access = match (&memory.standing, &memory.identity, memory.confirmed) {
        _ if outlook.reached.behind() > 0 => Access::None(ControllerReason::EpochBehind),
        (Some(problem), ..) if problem.reason == ControllerReason::EpochBehind => Access::Additive(problem.reason),
        (Some(problem), ..) => Access::None(problem.reason),
        // Known and ours at the last look; whether it answers now is said by its reach.
        (None, Some(_), Some(_)) => Access::Full,
        (None, ..) => Access::None(memory.refusal.as_ref().map_or(ControllerReason::NotObserved, |(p, ..)| p.reason)),
    };
    Member {
        name: object.name_any(),
        uid: object.uid().unwrap_or_default(),
        identity: memory.identity.clone(),
        lifecycle: object.spec.lifecycle,
        hub_reach: memory.health.reach(now),
        agent_reach: memory.agent.reach(now),
        by_pull: object.spec.connection.pull.is_some(),
        access,
        connection: memory.connection.as_ref().map(|(connection, _)| connection.clone()),
        claim: memory.claim.clone(),
        rolled_back: matches!(access, Access::Additive(_)),
        hub: outlook.hub(),
    }
}

/// The status to write, built on the one that is written. `may_write_room` says whether free room that moved may be
/// written yet.
pub(super) fn status(
    object: &MemberCluster,
    before: &MemberClusterStatus,
    outlook: &Outlook,
    memory: &Memory,
    now: Timestamp,
    may_write_room: bool,
) -> MemberClusterStatus {
    let mut status = before.clone();
    status.observed_generation = object.metadata.generation;
    status.tier = outlook.tiers.get(&object.name_any()).cloned().or(status.tier);
    let authority = memory.connection.as_ref().and_then(|(connection, _)| connection.authority().cloned());
    if let Some(uid) = &memory.identity {
        let known = before.identity.as_ref().and_then(|identity| identity.ca_digest.clone());
        status.identity = Some(ClusterIdentity { uid: uid.as_str().into(), ca_digest: authority.or(known) });
    }
    if let Some((connection, version)) = &memory.connection {
        let expires_at = connection.expires_at().map(Time);
        let renew_at = connection.term().map(|term| Time(term.renew_at()));
        let observed_version = Some(version.as_str().into());
        status.credential = Some(CredentialStatus { expires_at, renew_at, observed_version });
    }
    if memory.standing.is_none()
        && let Ok(found) = memory.claim.try_lock()
        && let Some(found) = found.as_ref()
    {
        status.claim = Some(found.claim.clone());
    }
    if memory.standing.is_none() && memory.claimed.is_some() {
        status.claim.clone_from(&memory.claimed);
    }
    if let Some(seen) = &memory.inventory {
        status.version = seen.version.as_deref().map(Into::into).or(status.version);
        status.apis.clone_from(&seen.apis);
        let write = match moved(&before.pools, &seen.pools) {
            Moved::Little => false,
            Moved::Room => may_write_room,
            Moved::Facts => true,
        };
        if write {
            status.pools.clone_from(&seen.pools);
            status.pools.iter_mut().for_each(|pool| pool.observed_at = Some(Time(now)));
        }
    }
    status.left = memory.left.iter().flatten().take(MAX_LEFT).map(left).collect();
    status.reachability = Some(reachability(before, memory));
    status.conditions = conditions(object, before, memory, now);
    status
}

fn left((namespace, count): (&String, &i32)) -> LeftObjects {
    LeftObjects { namespace: namespace.as_str().into(), count: *count }
}

/// The last answer is written when it becomes interesting: when there is no other.
fn reachability(before: &MemberClusterStatus, memory: &Memory) -> Reachability {
    let now = memory.now();
    let (hub, agent) = (memory.health.reach(now), memory.agent.reach(now));
    let written = before.reachability.clone().unwrap_or_default();
    let same = (written.hub, written.agent) == (hub, agent);
    let last_seen = if same { written.last_seen } else { memory.last_answer.map(Time).or(written.last_seen) };
    Reachability { hub, agent, last_seen }
}

struct Word {
    kind: ConditionType,
    status: &'static str,
    reason: ControllerReason,
    message: String,
}

fn word(kind: ConditionType, status: &'static str, problem: &Problem) -> Word {
    Word { kind, status, reason: problem.reason, message: words::message(problem.reason, &problem.detail) }
}

fn conditions(object: &MemberCluster, before: &MemberClusterStatus, memory: &Memory, now: Timestamp) -> Vec<Condition> {
    // By pull the agent's heartbeat is the only witness.
    let witness = if object.spec.connection.pull.is_some() { &memory.agent } else { &memory.health };
    let reach = witness.reach(memory.now());
    let not_seen = Problem::plain(ControllerReason::NotObserved);
    let as_wanted = Problem::plain(ControllerReason::AsWanted);
    let refusal = memory.refusal.as_ref().map(|(problem, ..)| problem);
    let silent = Problem::new(ControllerReason::MemberUnreachable, memory.silence.as_deref().unwrap_or_default());
    let draining = Problem::plain(ControllerReason::Draining);
    let emptying = object.spec.lifecycle != Lifecycle::Active;
    // What a person must do stalls; what time may heal reconciles.
    let (ready, problem, needs_person) = if let Some(problem) = &memory.held {
        ("False", problem, true)
    } else if let Some(problem) = refusal {
        ("False", problem, true)
    } else if let Some(problem) = &memory.standing {
        ("False", problem, problem.reason != ControllerReason::NotObserved)
    } else if reach == Reach::Unreachable {
        ("False", &silent, false)
    } else if let Some(problem) = &memory.trouble {
        let healed_by_time = matches!(problem.reason, ControllerReason::MemberUnreachable);
        ("False", problem, !healed_by_time)
    } else if reach == Reach::Unknown || memory.inventory.is_none() {
        ("Unknown", &not_seen, false)
    } else if emptying {
        ("True", &draining, false)
    } else {
        ("True", &as_wanted, false)
    };
    let mut words = vec![word(ConditionType::Ready, ready, problem)];
    words.push(match reach {
        Reach::Reachable => word(ConditionType::Reachable, "True", &as_wanted),
        Reach::Unreachable => word(ConditionType::Reachable, "False", &silent),
        Reach::Unknown => word(ConditionType::Reachable, "Unknown", refusal.unwrap_or(&not_seen)),
    });
    words.push(match (&memory.standing, &memory.identity, memory.confirmed) {
        (Some(problem), ..) => word(ConditionType::IdentityConfirmed, "False", problem),
        (None, Some(_), Some(_)) => word(ConditionType::IdentityConfirmed, "True", &as_wanted),
        (None, ..) => word(ConditionType::IdentityConfirmed, "Unknown", refusal.unwrap_or(&not_seen)),
    });
    if needs_person {
        words.push(word(ConditionType::Stalled, "True", problem));
    } else if ready != "True" || emptying {
        words.push(word(ConditionType::Reconciling, "True", problem));
    }
    let conflicts = memory.inventory.as_ref().map_or(&before.pools, |seen| &seen.pools);
    let conflicting: Vec<&str> =
        conflicts.iter().filter(|pool| !pool.conflicts.is_empty()).map(|pool| &*pool.name).collect();
    if !conflicting.is_empty() {
        let message = format!("pools with evidence that contradicts itself: {}", conflicting.join(", "));
        let problem = Problem::new(ControllerReason::AnswerInvalid, message);
        words.push(word(ConditionType::EvidenceConflict, "True", &problem));
    }
    words.extend(expiry_ahead(object, now));
    let generation = object.metadata.generation;
    words.into_iter().map(|word| condition(word, &before.conditions, generation, now)).collect()
}

/// What runs out first of all that is near its end.
fn expiry_ahead(object: &MemberCluster, now: Timestamp) -> Option<Word> {
    let things = figures::of_cluster(object, now);
    let marked = things.iter().filter_map(|one| Some((one.ends, reports::mark(one, now)?, one)));
    let (_, reason, one) = marked.min_by_key(|(ends, ..)| *ends)?;
    let said = |lang| sentences::condition(reason.as_str(), &reports::named(one, lang), 0, 0, lang).unwrap_or_default();
    let message = format!("{} {}", said(Lang::En), said(Lang::Zh));
    Some(Word { kind: ConditionType::ExpiryAhead, status: "True", reason, message })
}

/// A condition with the time since when it is so.
fn condition(word: Word, before: &[Condition], generation: Option<i64>, now: Timestamp) -> Condition {
    let Word { kind, status, reason, message } = word;
    let same = before.iter().find(|known| known.type_ == kind.as_str() && known.status == status);
    Condition {
        type_: kind.as_str().to_owned(),
        status: status.to_owned(),
        reason: reason.as_str().to_owned(),
        message,
        observed_generation: generation,
        last_transition_time: same.map_or(Time(now), |known| known.last_transition_time.clone()),
    }
}
