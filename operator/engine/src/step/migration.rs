//! How far the waves of a migration have come: `migration(before, course, seen, now) -> step`, pure.
//!
//! A wave is at one phase, and a phase says on which sides its workloads may be placed ([`Phase::sides`]); there is always
//! one. The phase is written down before placement follows it, and moves by at most one per step, so that what is seen is
//! always of the phase that was written. Nothing goes to the target before everything that was asked for is proven; what
//! fails there goes back by itself while the target has written nothing, and afterwards only by an order and with a
//! declared way back. Moving without loss is [`super::shift`]'s.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::rollout::Health;
use crate::terms::Reason;

/// How far a wave has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// The wave before it is not completed.
    #[default]
    Waiting,
    /// Whether it could run on the target.
    Assessing,
    /// Its data is copied.
    Copying,
    /// The data of both sides is compared.
    Comparing,
    /// Both sides serve.
    Trial,
    /// All of it goes to the target.
    CuttingOver,
    /// All of it serves from the target.
    Soaking,
    /// It is there for good.
    Completed,
    /// What the target has written is brought back.
    ReturningData,
    /// All of it goes back to the source.
    RollingBack,
    /// All of it serves from the source again.
    RolledBack,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 11] = [
        Self::Waiting,
        Self::Assessing,
        Self::Copying,
        Self::Comparing,
        Self::Trial,
        Self::CuttingOver,
        Self::Soaking,
        Self::Completed,
        Self::ReturningData,
        Self::RollingBack,
        Self::RolledBack,
    ];

    /// Where its workloads may be placed.
    #[must_use]
    pub const fn sides(self) -> Sides {
        match self {
            Self::Waiting | Self::Assessing | Self::Copying | Self::Comparing => Sides::Untouched,
            Self::Trial => Sides::Both,
            Self::CuttingOver | Self::Soaking | Self::Completed | Self::ReturningData => Sides::Target,
            Self::RollingBack | Self::RolledBack => Sides::Source,
        }
    }
}

/// Where the workloads of a wave may be placed. Narrows what they ask for themselves, and never widens it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sides {
    /// Where they may be without a migration: nothing has moved yet.
    #[default]
    Untouched,
    /// On both, with a share on the target.
    Both,
    /// On the target alone.
    Target,
    /// On the source alone.
    Source,
}

/// What a gate says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// Nothing yet.
    #[default]
    Open,
    /// It was shown, and verified.
    Passed,
    /// It was not.
    Failed,
}

/// Before what a gate stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Boundary {
    /// Before data is copied.
    #[default]
    Copy,
    /// Before the dual run.
    Trial,
    /// Before the cut-over.
    CutOver,
    /// Before it counts as completed.
    Completion,
}

/// Something that must be proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Gate {
    /// Its name.
    pub name: String,
    /// Before what it stands.
    pub before: Boundary,
    /// What it says.
    pub proof: Proof,
}

/// Data that goes along, with what is proven of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Data {
    /// It was copied.
    pub copied: Proof,
    /// Both sides hold the same.
    pub compared: Proof,
    /// The target writes in a dual run.
    pub trial_writes: bool,
    /// How what the target writes comes back is declared.
    pub way_back: bool,
    /// It was brought back.
    pub returned: Proof,
}

/// One wave as it is declared, with what is proven of it now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Wave {
    /// Its name.
    pub name: String,
    /// Which try it is.
    pub attempt: i64,
    /// Both sides serve for a while before the cut-over.
    pub trial: bool,
    /// Seconds without a break that the dual run must be well.
    pub trial_seconds: i64,
    /// Seconds without a break that the target must be well before it counts as completed.
    pub soak_seconds: i64,
    /// Seconds after which what moves and is not well has failed.
    pub deadline_seconds: i64,
    /// What must be proven, in order of declaration.
    pub gates: Vec<Gate>,
    /// Data that goes along.
    pub data: Option<Data>,
    /// A person orders it back.
    pub rollback: bool,
}

/// What is declared now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Course {
    /// Waves in their order.
    pub waves: Vec<Wave>,
    /// Nothing goes on; what fails on the target goes back all the same.
    pub paused: bool,
}

/// What keeps a workload off the target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hitch {
    /// The workload.
    pub workload: String,
    /// Why.
    pub reason: Reason,
}

/// Whether the workloads of a wave could run where its next phase puts them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fits {
    /// All of them, by every rule.
    Yes,
    /// Nobody can tell; what is not known.
    #[default]
    Unasked,
    /// It is not known of one of them.
    Unknown(Hitch),
    /// One of them could not.
    No(Hitch),
}

/// What is seen of a wave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Seen {
    /// Whether it could run where its next phase puts it.
    pub fits: Fits,
    /// How it stands with where its phase puts it now.
    pub health: Health,
}

/// How far a wave has come. Kept by the caller, and written down before it is acted on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The try it is of.
    pub attempt: i64,
    /// Where it is.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// Since when all is well there.
    pub healthy_since: Option<Timestamp>,
    /// When the target could write for the first time.
    pub first_write: Option<Timestamp>,
}

/// What a wave waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wait {
    /// For nothing: it is where it is to be.
    Nothing,
    /// For its next step, which follows at once.
    Step,
    /// For a wave before it.
    Earlier(String),
    /// For a person to let it go on.
    Paused,
    /// For it to be known whether it could run on the target.
    Unknown(Hitch),
    /// For a change that lets it run on the target.
    Unfit(Hitch),
    /// For a gate to be proven.
    Gate(String),
    /// For a gate that was not.
    GateFailed(String),
    /// For what moves to be well.
    Moving,
    /// What moves fails.
    Failed,
    /// What moves was not well in time.
    Late,
    /// For the time it is to be well.
    Resting(Timestamp),
    /// It would go back, and may not: the target has written, and no way back is declared.
    NoWayBack,
    /// It was rolled back: for a person who tries again.
    Retry,
}

/// What comes out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Every wave from now on.
    pub waves: Vec<(String, Progress, Wait)>,
    /// When to ask again although nothing was seen.
    pub wake: Option<Timestamp>,
}

/// Where the next phase of a wave would put it, which has to be asked of the rules before ([`Seen::fits`]); `None` where
/// nothing has to be asked.
#[must_use]
pub fn asks(wave: &Wave, phase: Phase) -> Option<Sides> {
    match phase {
        Phase::Assessing | Phase::Copying | Phase::Comparing => Some(moving(wave).sides()),
        Phase::Trial => Some(Sides::Target),
        _ => None,
    }
}

/// The first phase that moves something.
fn moving(wave: &Wave) -> Phase {
    if wave.trial { Phase::Trial } else { Phase::CuttingOver }
}

/// The next step of every wave.
#[must_use]
pub fn migration(
    before: &BTreeMap<String, Progress>,
    course: &Course,
    seen: &BTreeMap<String, Seen>,
    now: Timestamp,
) -> Step {
    let mut step = Step::default();
    let mut earlier: Option<&str> = None;
    for wave in &course.waves {
        let known = before.get(&wave.name).cloned();
        let progress = known.unwrap_or(Progress { attempt: wave.attempt, since: now, ..Progress::default() });
        let unseen = Seen::default();
        let one = One { wave, paused: course.paused, earlier, seen: seen.get(&wave.name).unwrap_or(&unseen), now };
        let (next, wait) = one.next(progress);
        let later = match &wait {
            Wait::Resting(until) => Some(*until),
            Wait::Moving => Some(after(next.since, wave.deadline_seconds)),
            _ => None,
        };
        step.wake = step.wake.into_iter().chain(later.filter(|at| *at > now)).min();
        if next.phase != Phase::Completed && earlier.is_none() {
            earlier = Some(&wave.name);
        }
        step.waves.push((wave.name.clone(), next, wait));
    }
    step
}

fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// One wave at one instant.
struct One<'a> {
    wave: &'a Wave,
    paused: bool,
    /// The first wave before it that is not completed.
    earlier: Option<&'a str>,
    seen: &'a Seen,
    now: Timestamp,
}

impl One<'_> {
    fn next(&self, mut at: Progress) -> (Progress, Wait) {
        // Another try begins anew, and only from where nothing of the last one is left.
        if self.wave.attempt > at.attempt && at.phase == Phase::RolledBack {
            let anew = Progress { attempt: self.wave.attempt, since: self.now, ..Progress::default() };
            return (anew, Wait::Step);
        }
        let moves = matches!(at.phase, Phase::Trial | Phase::CuttingOver | Phase::Soaking | Phase::RollingBack);
        at.healthy_since = match self.seen.health {
            Health::Well if moves => at.healthy_since.or(Some(self.now)),
            _ => None,
        };
        if let Some((phase, wait)) = self.back(&at) {
            return self.enter(at, phase, wait);
        }
        let (phase, wait) = match at.phase {
            Phase::Waiting => match self.earlier {
                Some(earlier) => (at.phase, Wait::Earlier(earlier.to_owned())),
                None => (Phase::Assessing, Wait::Step),
            },
            Phase::Assessing => self.onwards(&at, self.first()),
            Phase::Copying => match self.wave.data.map(|data| data.copied) {
                None | Some(Proof::Passed) => self.onwards(&at, Phase::Comparing),
                Some(proof) => (at.phase, unproven("copy", proof)),
            },
            Phase::Comparing => match self.wave.data.map(|data| data.compared) {
                None | Some(Proof::Passed) => self.onwards(&at, moving(self.wave)),
                Some(proof) => (at.phase, unproven("compare", proof)),
            },
            Phase::Trial => self.rested(&at, self.wave.trial_seconds, Phase::CuttingOver),
            Phase::CuttingOver => self.rested(&at, 0, Phase::Soaking),
            Phase::Soaking => self.rested(&at, self.wave.soak_seconds, Phase::Completed),
            Phase::Completed => (at.phase, Wait::Nothing),
            Phase::ReturningData => match self.wave.data.map(|data| data.returned) {
                None | Some(Proof::Passed) => (Phase::RollingBack, Wait::Step),
                Some(proof) => (at.phase, unproven("way-back", proof)),
            },
            Phase::RollingBack if at.healthy_since.is_some() => (Phase::RolledBack, Wait::Retry),
            Phase::RollingBack => (at.phase, self.unwell(&at)),
            Phase::RolledBack => (at.phase, Wait::Retry),
        };
        // A person who pauses holds what goes forward and nothing of what goes back.
        let forward = phase != at.phase && !matches!(at.phase, Phase::ReturningData | Phase::RollingBack);
        if self.paused && forward {
            return (at, Wait::Paused);
        }
        self.enter(at, phase, wait)
    }

    fn enter(&self, at: Progress, phase: Phase, wait: Wait) -> (Progress, Wait) {
        if phase == at.phase {
            return (at, wait);
        }
        let writes = self.wave.data.is_some_and(|data| match phase {
            Phase::Trial => data.trial_writes,
            Phase::CuttingOver => true,
            _ => false,
        });
        let first_write = at.first_write.or(writes.then_some(self.now));
        // Back at the source with its data brought back, what the target wrote is no longer ahead of it.
        let first_write = first_write.filter(|_| phase != Phase::RolledBack);
        (Progress { phase, since: self.now, healthy_since: None, first_write, ..at }, wait)
    }

    /// The phase after assessment.
    fn first(&self) -> Phase {
        if self.wave.data.is_some() { Phase::Copying } else { moving(self.wave) }
    }

    /// The next phase, or what keeps the wave from it.
    fn onwards(&self, at: &Progress, next: Phase) -> (Phase, Wait) {
        let boundary = match next {
            // It is all there already: nothing more is asked for to watch it.
            Phase::Soaking => return (next, Wait::Step),
            Phase::Copying | Phase::Comparing => Boundary::Copy,
            Phase::Trial => Boundary::Trial,
            Phase::Completed => Boundary::Completion,
            _ => Boundary::CutOver,
        };
        let gates = self.wave.gates.iter().filter(|gate| gate.before <= boundary);
        let open = gates.filter(|gate| gate.proof != Proof::Passed);
        // What failed is told before what is open.
        if let Some(gate) = open.max_by_key(|gate| gate.proof == Proof::Failed) {
            return (at.phase, unproven(&gate.name, gate.proof));
        }
        if next == Phase::Completed {
            return (next, Wait::Nothing);
        }
        match &self.seen.fits {
            Fits::Yes => (next, Wait::Step),
            Fits::Unasked => (at.phase, Wait::Step),
            Fits::Unknown(what) => (at.phase, Wait::Unknown(what.clone())),
            Fits::No(why) => (at.phase, Wait::Unfit(why.clone())),
        }
    }

    /// The next phase once what moves has been well for so long.
    fn rested(&self, at: &Progress, seconds: i64, next: Phase) -> (Phase, Wait) {
        let Some(since) = at.healthy_since else { return (at.phase, self.unwell(at)) };
        let until = after(since, seconds);
        if self.now < until { (at.phase, Wait::Resting(until)) } else { self.onwards(at, next) }
    }

    fn unwell(&self, at: &Progress) -> Wait {
        match self.seen.health {
            Health::Failed => Wait::Failed,
            _ if self.now >= after(at.since, self.wave.deadline_seconds) => Wait::Late,
            _ => Wait::Moving,
        }
    }

    /// Whether it goes back: by order, or because what it does on the target fails.
    fn back(&self, at: &Progress) -> Option<(Phase, Wait)> {
        let ordered = self.wave.rollback && self.wave.attempt <= at.attempt;
        match at.phase {
            Phase::ReturningData | Phase::RollingBack | Phase::RolledBack => None,
            Phase::Waiting | Phase::Assessing | Phase::Copying | Phase::Comparing => {
                ordered.then_some((Phase::RolledBack, Wait::Retry))
            }
            Phase::Trial | Phase::CuttingOver | Phase::Soaking | Phase::Completed => {
                let written = at.first_write.is_some();
                if ordered && written && self.wave.data.is_none_or(|data| !data.way_back) {
                    return Some((at.phase, Wait::NoWayBack));
                }
                if ordered && written {
                    return Some((Phase::ReturningData, Wait::Step));
                }
                let broken = at.phase != Phase::Completed && self.fails(at);
                if ordered || (broken && !written) {
                    return Some((Phase::RollingBack, Wait::Step));
                }
                None
            }
        }
    }

    /// What moves fails, is late, or was proven not to do.
    fn fails(&self, at: &Progress) -> bool {
        let failed = |gate: &&Gate| gate.proof == Proof::Failed;
        // Soaking may take as long as it takes to be well again, but for what fails outright.
        let late = self.unwell(at) == Wait::Late && at.healthy_since.is_none() && at.phase != Phase::Soaking;
        self.seen.health == Health::Failed || late || self.wave.gates.iter().any(|gate| failed(&gate))
    }
}

fn unproven(gate: &str, proof: Proof) -> Wait {
    if proof == Proof::Failed { Wait::GateFailed(gate.to_owned()) } else { Wait::Gate(gate.to_owned()) }
}

#[cfg(test)]
mod tests;
