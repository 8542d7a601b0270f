//! Which copies leave clusters that do not answer, and when: `failover(copies, outages, fleet, now) -> entries`, pure.
//!
//! A copy waits out the time its workload names, then its turn. Nothing leaves while so much of the fleet is silent that
//! the silence is more likely ours, what may only be once leaves when the old copy is proven stopped, and what has begun
//! to run once never does. Who returns before it is its turn stays. Releasing is all that happens here: whether there is
//! a place elsewhere is decided by all the rules, and where there is none the copy stays as it is.
//! Clocks are inputs, and an entry is written down before it is acted on, so that a restart goes on where it was.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decide::WorkloadKey;

/// More silent clusters than this share of all (and more than one) stop every failover.
pub const STORM_PERCENT: usize = 30;
/// Copies released in a [`WINDOW`] at most: one every two seconds, as Karmada and Kubernetes evict.
pub const FLEET_RATE: usize = 30;
/// The time over which they are counted.
pub const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// Copies of the whole fleet that may be on their way at once.
pub const FLEET_BUDGET: usize = 100;
/// The same of one tenant.
pub const TENANT_BUDGET: usize = 20;
/// Whoever is on the way for longer than this holds nobody else up.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_secs(600);
/// With one witness only, the time is this many times as long.
const ONE_WITNESS: i64 = 2;

/// Whether copies leave a cluster that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// After a while.
    #[default]
    Automatic,
    /// When a person says so.
    Manual,
    /// Never by itself.
    Never,
}

/// What ties a copy to its cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tie {
    /// Nothing: another copy beside it harms nobody.
    #[default]
    None,
    /// It may only be once: it leaves when the cluster is fenced, or when its agent has stopped it by itself, so many
    /// seconds after the cluster fell silent; `None` when no agent does.
    Single(Option<i64>),
    /// Its data is in clusters that are lost.
    Data,
    /// It runs once and never again.
    Once,
}

/// A cluster that does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Outage {
    /// Since when.
    pub since: Timestamp,
    /// Every side that could see it says so; else one does, and nobody says otherwise.
    pub certain: bool,
    /// Whether it is known to be silent now: after a restart nobody knows at first.
    pub silent: bool,
    /// When a person said that nothing runs there any more.
    pub fenced: Option<Timestamp>,
}

/// A copy of a workload in a cluster that does not answer, or that one is written down for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Copy {
    /// Whose.
    pub workload: WorkloadKey,
    /// Where.
    pub cluster: String,
    /// Who pays.
    pub tenant: String,
    /// Higher first.
    pub priority: i32,
    /// Workloads it needs to be ready before itself.
    pub depends_on: BTreeSet<WorkloadKey>,
    /// Whether it leaves.
    pub mode: Mode,
    /// Seconds of silence first.
    pub after_seconds: i64,
    /// Clusters that its workload may lose at once.
    pub at_once: usize,
    /// What ties it.
    pub tie: Tie,
    /// A person named it and this cluster.
    pub ordered: bool,
    /// Nothing is decided to be there any more.
    pub moved: bool,
    /// All that is decided elsewhere is ready.
    pub settled: bool,
    /// What is written down.
    pub entry: Option<Entry>,
}

/// What a copy waits for, or how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// For its time.
    Waiting,
    /// For its turn.
    Turn,
    /// For the storm to pass.
    StormBrake,
    /// For a person to say so.
    Manual,
    /// For the cluster: it never leaves by itself.
    Never,
    /// For the cluster to be fenced.
    Fence,
    /// For the cluster: its data is there.
    Data,
    /// For the cluster: it has begun and runs once.
    Once,
    /// It may leave.
    Released,
    /// It has left: what is there goes when the cluster answers.
    Moved,
    /// For a change of its content that is under way ([`super::application`]).
    Change,
    /// For what its new copy is to know ([`super::application`]).
    State,
    /// For a person or a change: it was not well where it went before either ([`super::application`]).
    Exhausted,
}

/// What is written down of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Since when its cluster is silent.
    pub since: Timestamp,
    /// When its time is over.
    pub due: Timestamp,
    /// How far it is.
    pub phase: Phase,
    /// When it was released.
    pub released: Option<Timestamp>,
}

impl Entry {
    /// Whether it only tells why a copy is elsewhere: it left so long ago that nobody waits for it any more. As long as its
    /// cluster is silent a step may be asked without it, and says the same of all others.
    #[must_use]
    pub fn rests(&self, now: Timestamp) -> bool {
        let patient = now.checked_sub(PATIENCE).unwrap_or(Timestamp::MIN);
        self.phase == Phase::Moved && self.released.is_none_or(|released| released <= patient)
    }
}

/// The fleet as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fleet {
    /// Clusters in it.
    pub clusters: usize,
    /// Clusters that do not answer.
    pub silent: usize,
}

impl Fleet {
    /// Whether so much is silent that it may be us.
    #[must_use]
    pub fn storms(self) -> bool {
        self.silent > (self.clusters * STORM_PERCENT / 100).max(1)
    }
}

/// What comes out, in the order of the copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What is to be written down of each; `None` is to be forgotten.
    pub entries: Vec<Option<Entry>>,
    /// When to ask again although nothing was seen.
    pub wake: Option<Timestamp>,
}

/// The next step of all copies that are concerned: an answer for each of them, in their order.
#[must_use]
pub fn tell(copies: &[Copy], outages: &BTreeMap<String, Outage>, fleet: Fleet, now: Timestamp) -> Told {
    tell_beside(copies, outages, fleet, &Going::default(), now)
}

/// As [`tell`], beside others that have been let go for another reason and take from the same budgets.
#[must_use]
pub fn tell_beside<'a>(
    copies: &'a [Copy],
    outages: &BTreeMap<String, Outage>,
    fleet: Fleet,
    beside: &Going<'a>,
    now: Timestamp,
) -> Told {
    let mut told = Told { entries: Vec::with_capacity(copies.len()), wake: None };
    let mut open = Vec::new();
    for (at, copy) in copies.iter().enumerate() {
        let entry = standing(copy, outages.get(&copy.cluster), fleet, now);
        match entry.map(|entry| (entry.phase, entry)) {
            Some((Phase::Waiting, entry)) => told.wake_at(entry.due),
            Some((Phase::Fence, entry)) => {
                if let Some(at) = stopped_by_itself(copy, &entry) {
                    told.wake_at(at);
                }
            }
            Some((Phase::Turn, _)) => open.push((at, copy)),
            _ => {}
        }
        told.entries.push(entry);
    }
    release(copies, open, &mut told, beside, now);
    told
}

/// Copies that have been let go and take from the budgets of the fleet, a tenant and a workload, and from the rate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Going<'a> {
    window: Vec<Timestamp>,
    all: usize,
    of_tenant: BTreeMap<&'a str, usize>,
    of_workload: BTreeMap<&'a WorkloadKey, usize>,
}

impl<'a> Going<'a> {
    /// Counts copies with what is told of each.
    pub fn count(&mut self, copies: impl IntoIterator<Item = (&'a Copy, Option<Entry>)>, now: Timestamp) {
        let since = |span: SignedDuration| now.checked_sub(span).unwrap_or(Timestamp::MIN);
        let (recent, patient) = (since(WINDOW), since(PATIENCE));
        for (copy, entry) in copies {
            let Some(released) = entry.and_then(|entry| entry.released) else { continue };
            if released > recent {
                self.window.push(released);
            }
            if released > patient && !(copy.moved && copy.settled) {
                self.take(copy);
            }
        }
    }

    fn take(&mut self, copy: &'a Copy) {
        self.all += 1;
        *self.of_tenant.entry(&copy.tenant).or_default() += 1;
        *self.of_workload.entry(&copy.workload).or_default() += 1;
    }

    /// Whether one more may go.
    fn admits(&self, copy: &Copy) -> bool {
        let of_tenant = self.of_tenant.get(copy.tenant.as_str()).copied().unwrap_or(0);
        let of_workload = self.of_workload.get(&copy.workload).copied().unwrap_or(0);
        self.window.len() < FLEET_RATE
            && self.all < FLEET_BUDGET
            && of_tenant < TENANT_BUDGET
            && of_workload < copy.at_once.max(1)
    }
}

impl Told {
    pub(super) fn wake_at(&mut self, at: Timestamp) {
        self.wake = self.wake.into_iter().chain([at]).min();
    }
}

pub(super) fn plus(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// When the agent has stopped it for sure.
fn stopped_by_itself(copy: &Copy, entry: &Entry) -> Option<Timestamp> {
    match copy.tie {
        Tie::Single(Some(seconds)) => Some(plus(entry.since, seconds)),
        _ => None,
    }
}

/// How a copy stands by itself; `Turn` when only the others keep it. `None` when there is nothing to write down.
fn standing(copy: &Copy, outage: Option<&Outage>, fleet: Fleet, now: Timestamp) -> Option<Entry> {
    let known = copy.entry;
    if copy.moved {
        // Kept while something may be left there: it tells why the copies are where they are. Who left for another reason
        // was never let go, and nothing is known of what it left.
        let left = known.filter(|entry| matches!(entry.phase, Phase::Released | Phase::Moved));
        return left.map(|entry| Entry { phase: Phase::Moved, ..entry });
    }
    let outage = outage?;
    // Nobody knows yet: the clock neither starts nor stops, and nothing new is let go.
    if !outage.silent {
        return known;
    }
    let since = known.map_or(outage.since, |entry| entry.since.min(outage.since));
    let seconds = copy.after_seconds.max(0).saturating_mul(if outage.certain { 1 } else { ONE_WITNESS });
    let mut entry = Entry { since, due: plus(since, seconds), phase: Phase::Turn, released: None };
    if let Some(released) = known.filter(|entry| entry.phase == Phase::Released) {
        return Some(Entry { due: released.due, ..released });
    }
    let fenced = outage.fenced.is_some_and(|at| at >= since);
    entry.phase = match copy.tie {
        Tie::Once => Phase::Once,
        Tie::Data => Phase::Data,
        _ if copy.ordered => Phase::Turn,
        _ if copy.mode == Mode::Never => Phase::Never,
        _ if copy.mode == Mode::Manual => Phase::Manual,
        _ if now < entry.due => Phase::Waiting,
        _ if fleet.storms() => Phase::StormBrake,
        Tie::None | Tie::Single(_) => Phase::Turn,
    };
    let stopped = fenced || stopped_by_itself(copy, &entry).is_some_and(|at| at <= now);
    if entry.phase == Phase::Turn && matches!(copy.tie, Tie::Single(_)) && !stopped {
        entry.phase = Phase::Fence;
    }
    Some(entry)
}

/// Lets go whose turn it is: by priority, then what others need, then by name, within the budgets.
pub(super) fn release<'a>(
    copies: &'a [Copy],
    mut open: Vec<(usize, &'a Copy)>,
    told: &mut Told,
    beside: &Going<'a>,
    now: Timestamp,
) {
    if open.is_empty() {
        return;
    }
    let mut going = beside.clone();
    going.count(copies.iter().zip(told.entries.iter().copied()), now);
    let depth = depths(&open);
    open.sort_by_key(|(_, copy)| {
        let depth = depth.get(&copy.workload).copied().unwrap_or(0);
        (Reverse(copy.ordered), Reverse(copy.priority), depth, &copy.workload, &copy.cluster)
    });
    for (at, copy) in open {
        // A person's order for a named workload waits for nobody.
        if !(copy.ordered || going.admits(copy)) {
            // Nobody goes before the window has room; who is settled, and makes room in a budget, is not foreseen.
            let room = going.window.iter().min().filter(|_| going.window.len() >= FLEET_RATE);
            let next = room.and_then(|first| first.checked_add(WINDOW).ok()).unwrap_or(now);
            told.wake_at(next.max(plus(now, 1)));
            continue;
        }
        going.window.push(now);
        going.take(copy);
        if let Some(Some(entry)) = told.entries.get_mut(at) {
            (entry.phase, entry.released) = (Phase::Released, Some(now));
        }
    }
}

/// How many of the others each needs before itself, at the longest; who needs each other in a circle is equal.
fn depths(open: &[(usize, &Copy)]) -> BTreeMap<WorkloadKey, usize> {
    if open.iter().all(|(_, copy)| copy.depends_on.is_empty()) {
        return BTreeMap::new();
    }
    let needs: BTreeMap<&WorkloadKey, &BTreeSet<WorkloadKey>> =
        open.iter().map(|(_, copy)| (&copy.workload, &copy.depends_on)).collect();
    let mut depths: BTreeMap<WorkloadKey, usize> = needs.keys().map(|key| ((*key).clone(), 0)).collect();
    for _ in 0..needs.len().min(64) {
        let mut moved = false;
        for (key, needed) in &needs {
            let below = needed.iter().filter_map(|one| depths.get(one)).max().map_or(0, |depth| depth + 1);
            if let Some(depth) = depths.get_mut(*key)
                && *depth < below
            {
                (*depth, moved) = (below, true);
            }
        }
        if !moved {
            break;
        }
    }
    depths
}

#[cfg(test)]
mod tests;
