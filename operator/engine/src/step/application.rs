//! Which copies leave clusters where they are not well although the cluster answers, and when:
//! `tell(copies, fleet, beside, now) -> entries`, pure.
//!
//! A copy is not well while fewer of its replicas are ready than are decided there. It waits out the time its workload
//! names, then its turn, within the brakes and budgets that failover of clusters has ([`super::failover`]). A cluster that
//! was left takes nothing of the workload for a while. What is not well where it went either is a fault of the workload and
//! not of a cluster: it stays where it is until its content changes or a person says so.
//! Clocks are inputs. Time in which nobody looked counts where the copy was not well before and is not well after it, and
//! then it is watched once more before it goes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::failover::{self, Copy, Fleet, Going, Mode, Phase, Tie, Told, plus};
use crate::decide::WorkloadKey;

/// Who is well for so many seconds without a break is well: a pod that crashes is ready for moments.
pub const STEADY_SECONDS: i64 = 60;
/// Moves of one content while it is well in another cluster.
const MOVES_BESIDE_WELL: usize = 2;
/// The same while it is well nowhere: who is not well in two clusters would not be in a third.
const MOVES_ALONE: usize = 1;

/// How a copy is seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Look {
    /// Nobody has looked yet, or nothing that is there could be counted.
    #[default]
    Unseen,
    /// Its cluster does not answer: that is for failover of clusters.
    Silent,
    /// All that is decided there is ready.
    Well,
    /// It is not, and this process has seen it so since then.
    Unwell(Timestamp),
}

/// What is written down of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Since when it is not well.
    pub since: Timestamp,
    /// When its time is over.
    pub due: Timestamp,
    /// How far it is.
    pub phase: Phase,
    /// When it was let go.
    pub released: Option<Timestamp>,
    /// The content that was not well.
    pub revision: i64,
    /// Since when it is well again.
    pub well: Option<Timestamp>,
    /// Until when nothing is placed there again, once it has left.
    pub avoided_until: Option<Timestamp>,
}

impl Entry {
    /// What budgets and turns look at.
    #[must_use]
    pub fn plain(self) -> failover::Entry {
        failover::Entry { since: self.since, due: self.due, phase: self.phase, released: self.released }
    }
}

/// A copy that is not well, or that something is written down of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sick {
    /// Whose, where, and what holds it. Its entry is not looked at.
    pub copy: Copy,
    /// How it is seen.
    pub look: Look,
    /// Number of the content that is delivered.
    pub revision: i64,
    /// Seconds that nothing is placed there again after it left.
    pub cooldown_seconds: i64,
    /// A change of content is under way, which has a stop of its own.
    pub changing: bool,
    /// What a new copy has to know is known.
    pub state_known: bool,
    /// It is well in another cluster.
    pub well_elsewhere: bool,
    /// It is to be in another cluster of which nobody knows yet whether it is well there.
    pub open_elsewhere: bool,
    /// What is written down.
    pub entry: Option<Entry>,
}

impl Sick {
    /// When this process has seen it unwell for long enough; `None` while it is not seen unwell.
    fn confirmed(&self) -> Option<Timestamp> {
        match self.look {
            Look::Unwell(from) => Some(plus(from, STEADY_SECONDS.min(self.copy.after_seconds.max(0)))),
            Look::Unseen | Look::Silent | Look::Well => None,
        }
    }

    /// Whether it may go for what is seen of it: seen for long enough, or named by a person.
    fn is_confirmed(&self, now: Timestamp) -> bool {
        self.confirmed().is_some_and(|at| at <= now || self.copy.ordered)
    }
}

/// What comes out, in the order of the copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What is to be written down of each; `None` is to be forgotten.
    pub entries: Vec<Option<Entry>>,
    /// When to ask again although nothing was seen.
    pub wake: Option<Timestamp>,
}

/// The next step of all copies that are concerned. `beside` are those that go because their cluster does not answer.
#[must_use]
pub fn tell(sick: &[Sick], fleet: Fleet, beside: &Going<'_>, now: Timestamp) -> Answer {
    let mut entries: Vec<Option<Entry>> = Vec::with_capacity(sick.len());
    let mut told = Told::default();
    for one in sick {
        let (entry, wake) = standing(one, fleet, now);
        wake.into_iter().for_each(|at| told.wake_at(at));
        entries.push(entry);
    }
    remember(sick, &mut entries);
    hold_the_wandering(sick, &mut entries, now);
    let copies: Vec<Copy> = sick.iter().map(|one| one.copy.clone()).collect();
    told.entries = entries.iter().map(|entry| entry.map(Entry::plain)).collect();
    let waits = others_on_trial(sick, &entries);
    let turn = copies.iter().enumerate().zip(&entries);
    let open = turn.filter(|((at, _), entry)| {
        let seen = sick.get(*at).is_some_and(|one| one.is_confirmed(now));
        seen && entry.is_some_and(|entry| entry.phase == Phase::Turn) && !waits.get(*at).copied().unwrap_or(false)
    });
    let open = open.map(|(copy, _)| copy).collect();
    failover::release(&copies, open, &mut told, beside, now);
    for (entry, plain) in entries.iter_mut().zip(&told.entries) {
        if let (Some(entry), Some(plain)) = (entry, plain) {
            (entry.phase, entry.released) = (plain.phase, plain.released);
        }
    }
    Answer { entries, wake: told.wake }
}

/// How a copy stands by itself; `Turn` when only the others keep it.
fn standing(one: &Sick, fleet: Fleet, now: Timestamp) -> (Option<Entry>, Option<Timestamp>) {
    let known = one.entry;
    if one.copy.moved {
        return left(one, now);
    }
    // It is there again, by whatever way: what it was left for is over.
    let known = known.filter(|entry| entry.phase != Phase::Moved && entry.revision == one.revision);
    match one.look {
        Look::Unseen => (known, None),
        // Who is let go while nobody can see it could neither be proven gone nor be well again.
        Look::Silent => (known.map(|entry| Entry { phase: shelved(entry.phase), released: None, ..entry }), None),
        Look::Well => {
            let Some(entry) = known else { return (None, None) };
            let well = entry.well.unwrap_or(now);
            let over = plus(well, STEADY_SECONDS.min(one.copy.after_seconds.max(0)));
            if now >= over {
                return (None, None);
            }
            let entry = Entry { phase: shelved(entry.phase), released: None, well: Some(well), ..entry };
            (Some(entry), Some(over))
        }
        Look::Unwell(from) => unwell(one, known, from, fleet, now),
    }
}

/// How far a copy is while it is not let go.
fn shelved(phase: Phase) -> Phase {
    if phase == Phase::Exhausted { Phase::Exhausted } else { Phase::Waiting }
}

/// A copy that has left: its cluster is avoided for a while.
fn left(one: &Sick, now: Timestamp) -> (Option<Entry>, Option<Timestamp>) {
    // Who left for another reason was never let go.
    let known = one.entry.filter(|entry| matches!(entry.phase, Phase::Released | Phase::Moved));
    let Some(entry) = known else { return (None, None) };
    let until = entry.avoided_until.unwrap_or_else(|| plus(now, one.cooldown_seconds.max(0)));
    if now >= until {
        return (None, None);
    }
    (Some(Entry { phase: Phase::Moved, well: None, avoided_until: Some(until), ..entry }), Some(until))
}

fn unwell(
    one: &Sick,
    known: Option<Entry>,
    from: Timestamp,
    fleet: Fleet,
    now: Timestamp,
) -> (Option<Entry>, Option<Timestamp>) {
    let copy = &one.copy;
    let after = copy.after_seconds.max(0);
    // Another content gets a time of its own, however long the one before was not well.
    let anew = one.entry.is_some_and(|entry| entry.revision != one.revision);
    let since = known.map_or(if anew { now } else { from }, |entry| entry.since);
    let due = plus(since, after);
    let waiting = Entry {
        since,
        due,
        phase: Phase::Waiting,
        released: None,
        revision: one.revision,
        well: None,
        avoided_until: None,
    };
    if copy.tie == Tie::Once {
        return (None, None);
    }
    // What is written stands until this process has seen it for long enough itself.
    let confirmed = one.confirmed().unwrap_or(from);
    if let Some(entry) = known.filter(|_| now < confirmed && !copy.ordered) {
        return (Some(Entry { due, well: None, ..entry }), Some(confirmed));
    }
    if let Some(entry) = known.filter(|entry| entry.phase == Phase::Released) {
        return (Some(Entry { well: None, ..entry }), None);
    }
    let exhausted = known.is_some_and(|entry| entry.phase == Phase::Exhausted);
    let phase = match copy.tie {
        Tie::None | Tie::Single(_) if copy.ordered => Phase::Turn,
        _ if copy.mode == Mode::Never => Phase::Never,
        _ if exhausted => Phase::Exhausted,
        _ if now < due.max(confirmed) => Phase::Waiting,
        Tie::Data => Phase::Data,
        _ if one.changing => Phase::Change,
        _ if copy.mode == Mode::Manual => Phase::Manual,
        _ if fleet.storms() => Phase::StormBrake,
        _ if !one.state_known => Phase::State,
        Tie::None | Tie::Single(_) | Tie::Once => Phase::Turn,
    };
    let wake = (phase == Phase::Waiting).then_some(due.max(confirmed));
    (Some(Entry { phase, ..waiting }), wake)
}

/// Keeps in mind who has left for longer than its cooldown, while it is open how it fares where it went: else a time longer
/// than the cooldown would let it go round for ever.
fn remember(sick: &[Sick], entries: &mut [Option<Entry>]) {
    let mut open = BTreeSet::new();
    for (one, entry) in sick.iter().zip(entries.iter()).filter(|(one, _)| !one.copy.moved) {
        if let Some(entry) = entry.filter(|entry| entry.phase != Phase::Exhausted) {
            open.insert((&one.copy.workload, entry.revision));
        }
    }
    for (one, entry) in sick.iter().zip(entries.iter_mut()).filter(|(one, entry)| one.copy.moved && entry.is_none()) {
        let known = one.entry.filter(|known| known.phase == Phase::Moved);
        *entry = known.filter(|known| open.contains(&(&one.copy.workload, known.revision)));
    }
}

/// Says of whom it was tried elsewhere and was not well there either.
fn hold_the_wandering(sick: &[Sick], entries: &mut [Option<Entry>], now: Timestamp) {
    let mut moves: BTreeMap<(&WorkloadKey, i64), usize> = BTreeMap::new();
    for (one, entry) in sick.iter().zip(entries.iter()) {
        if let Some(entry) = entry.filter(|entry| matches!(entry.phase, Phase::Released | Phase::Moved)) {
            *moves.entry((&one.copy.workload, entry.revision)).or_default() += 1;
        }
    }
    if moves.is_empty() {
        return;
    }
    let waits = others_on_trial(sick, entries);
    for ((one, entry), waits) in sick.iter().zip(entries.iter_mut()).zip(waits) {
        let Some(entry) = entry else { continue };
        let judged = matches!(entry.phase, Phase::Turn | Phase::StormBrake | Phase::State | Phase::Manual);
        if !judged || one.copy.ordered || waits || !one.is_confirmed(now) {
            continue;
        }
        let most = if one.well_elsewhere { MOVES_BESIDE_WELL } else { MOVES_ALONE };
        if moves.get(&(&one.copy.workload, entry.revision)).is_some_and(|moves| *moves >= most) {
            entry.phase = Phase::Exhausted;
        }
    }
}

/// By copy: whether another one of the same workload was let go and how it fares elsewhere is not known yet, so that nobody
/// can say whether this one would fare better.
fn others_on_trial(sick: &[Sick], entries: &[Option<Entry>]) -> Vec<bool> {
    let (mut gone, mut tried) = (BTreeSet::new(), BTreeSet::new());
    for (one, entry) in sick.iter().zip(entries) {
        let key = &one.copy.workload;
        let phase = entry.map(|entry| entry.phase);
        if matches!(phase, Some(Phase::Released | Phase::Moved)) {
            gone.insert(key);
        }
        if one.open_elsewhere || matches!(phase, Some(Phase::Released | Phase::Waiting)) {
            tried.insert(key);
        }
    }
    let on_trial = |one: &Sick| {
        let key = &one.copy.workload;
        gone.contains(key) && tried.contains(key) && !one.copy.ordered
    };
    sick.iter().map(on_trial).collect()
}

#[cfg(test)]
mod tests;
