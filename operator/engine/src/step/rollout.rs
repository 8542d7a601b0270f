//! How far a change of content has come: `rollout(state, course, seen, now) -> step`, pure.
//!
//! A cluster gets the new revision when its stage is reached, and a stage is reached when every cluster of the stages
//! before it has the new revision and is well, has been so for as long as was asked, and nobody holds the rollout. What
//! has the new revision keeps it; what a failing stage keeps back keeps the old one. The state is small enough to be
//! written down before it is acted on, and a step asked twice with the same state and the same eyes answers the same.
//! How many replicas are where is [`super::shift`]'s and waits for nothing here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// One stage as it is declared, with what is known of its gates now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Seconds that everything reached must be well without a break before the next stage.
    pub rest_seconds: i64,
    /// Its condition holds, or it has none.
    pub gate: bool,
    /// A person stops the rollout after it.
    pub paused: bool,
    /// A person has let this change go beyond it, or nobody has to.
    pub approved: bool,
}

/// What is declared now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Course {
    /// The revision that is to be everywhere.
    pub revision: i64,
    /// Stages in their order; at least one, the last of which takes what no other takes.
    pub stages: Vec<Stage>,
    /// Stage of every cluster that has a place.
    pub stage_of: BTreeMap<String, usize>,
    /// Nothing is given to further clusters.
    pub paused: bool,
    /// Seconds after which what is not well has failed.
    pub deadline_seconds: i64,
    /// It goes back to what ran before: only health keeps it, no rest, gate or approval does.
    pub back: bool,
}

/// How far it has come. Kept by the caller, and written down before it is acted on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The revision it is about.
    pub revision: i64,
    /// Name of the stage it has reached.
    pub stage: String,
    /// Since when what was reached may take its time to be well.
    pub since: Timestamp,
    /// Since when all that was reached is well.
    pub healthy_since: Option<Timestamp>,
    /// Revision of every cluster; `None` where nobody knows.
    pub clusters: BTreeMap<String, Option<i64>>,
}

/// How a cluster stands with the new revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Health {
    /// It has it and is as wanted.
    Well,
    /// It does not have it yet, is not ready, or nobody could look.
    #[default]
    OnTheWay,
    /// It has it, or was to have it, and it fails.
    Failed,
}

/// What a rollout waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// For nothing: every cluster has the new revision and is well.
    Done,
    /// For these clusters to be well.
    OnTheWay(BTreeSet<String>),
    /// These clusters fail.
    Failed(BTreeSet<String>),
    /// These clusters were not well in time.
    Late(BTreeSet<String>),
    /// For the time it is to be well.
    Resting(Timestamp),
    /// For the condition of the stage.
    Gate,
    /// For an approval.
    Approval,
    /// For a person to let it go on.
    Paused,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The state from now on. When it is done only its revision counts.
    pub progress: Progress,
    /// What it waits for.
    pub phase: Phase,
    /// When to ask again although nothing was seen.
    pub wake: Option<Timestamp>,
}

/// The next step. `base` is the revision of clusters that the state does not name; `seen` is what is known of the clusters.
#[must_use]
pub fn rollout(
    before: Option<&Progress>,
    course: &Course,
    base: Option<i64>,
    seen: &BTreeMap<String, Health>,
    now: Timestamp,
) -> Step {
    let mut work = Work::new(before, course, base, now);
    let phase = work.run(seen, now);
    let later = |seconds: i64| now_plus(work.progress.since, seconds);
    let wake = match &phase {
        Phase::OnTheWay(_) => Some(later(course.deadline_seconds)),
        Phase::Resting(until) => Some(*until),
        _ => None,
    };
    Step { progress: work.progress, phase, wake }
}

fn now_plus(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

struct Work<'a> {
    course: &'a Course,
    progress: Progress,
    at: usize,
}

impl<'a> Work<'a> {
    /// Takes up what was written, or begins.
    fn new(before: Option<&Progress>, course: &'a Course, base: Option<i64>, now: Timestamp) -> Self {
        let begin = Progress { revision: course.revision, since: now, ..Progress::default() };
        let mut progress = match before {
            Some(before) if before.revision == course.revision => before.clone(),
            Some(before) => Progress { clusters: before.clusters.clone(), ..begin },
            None => begin,
        };
        let at = course.stages.iter().position(|stage| stage.name == progress.stage);
        if at.is_none() {
            (progress.since, progress.healthy_since) = (now, None);
        }
        let mut work = Self { course, progress, at: at.unwrap_or(0) };
        work.enter(work.at);
        work.admit(base);
        work
    }

    fn enter(&mut self, at: usize) {
        self.at = at;
        self.progress.stage = self.course.stages.get(at).map(|stage| stage.name.clone()).unwrap_or_default();
    }

    /// Who has no place any more is forgotten; who has a new one gets the revision of its stage.
    fn admit(&mut self, base: Option<i64>) {
        self.progress.clusters.retain(|cluster, _| self.course.stage_of.contains_key(cluster));
        let known = self.progress.clusters.clone();
        for (cluster, stage) in &self.course.stage_of {
            if known.contains_key(cluster) {
                continue;
            }
            let like = known.iter().find(|(other, _)| self.course.stage_of.get(*other) == Some(stage));
            let revision = match like {
                _ if *stage < self.at => Some(self.course.revision),
                Some((_, revision)) => *revision,
                None => base,
            };
            self.progress.clusters.insert(cluster.clone(), revision);
        }
    }

    fn of(&self, takes: impl Fn(usize) -> bool) -> Vec<&'a String> {
        self.course.stage_of.iter().filter(|(_, stage)| takes(**stage)).map(|(cluster, _)| cluster).collect()
    }

    fn run(&mut self, seen: &BTreeMap<String, Health>, now: Timestamp) -> Phase {
        loop {
            let at = self.at;
            let reached = self.of(|stage| stage <= at);
            let target = Some(self.course.revision);
            let open: Vec<_> =
                reached.iter().filter(|cluster| self.progress.clusters.get(**cluster) != Some(&target)).collect();
            if !open.is_empty() && self.course.paused {
                self.progress.healthy_since = None;
                return Phase::Paused;
            }
            if !open.is_empty() {
                (self.progress.since, self.progress.healthy_since) = (now, None);
            }
            for cluster in open {
                self.progress.clusters.insert((*cluster).clone(), target);
            }
            if let Some(phase) = self.health(&reached, seen, now) {
                return phase;
            }
            if self.of(|stage| stage > at).is_empty() {
                return Phase::Done;
            }
            if let Some(phase) = self.held(now) {
                return phase;
            }
            self.enter(at + 1);
            (self.progress.since, self.progress.healthy_since) = (now, None);
        }
    }

    /// What of the clusters that were reached keeps it; `None` when all of them are well.
    fn health(&mut self, reached: &[&String], seen: &BTreeMap<String, Health>, now: Timestamp) -> Option<Phase> {
        let like = |health: Health| -> BTreeSet<String> {
            let so = |cluster: &&&String| seen.get(**cluster).copied().unwrap_or_default() == health;
            reached.iter().filter(so).map(|cluster| (*cluster).clone()).collect()
        };
        let (failed, waits) = (like(Health::Failed), like(Health::OnTheWay));
        if failed.is_empty() && waits.is_empty() {
            self.progress.healthy_since.get_or_insert(now);
            return None;
        }
        // What was well and is not any more has its time anew.
        if self.progress.healthy_since.take().is_some() {
            self.progress.since = now;
        }
        if !failed.is_empty() {
            return Some(Phase::Failed(failed));
        }
        let late = now >= now_plus(self.progress.since, self.course.deadline_seconds);
        Some(if late { Phase::Late(waits) } else { Phase::OnTheWay(waits) })
    }

    /// What of the stage that is well keeps it from the next one. A stage without a cluster keeps nobody.
    fn held(&self, now: Timestamp) -> Option<Phase> {
        let stage = self.course.stages.get(self.at)?;
        let empty = self.of(|stage| stage == self.at).is_empty();
        if !self.course.back && !empty {
            let until = now_plus(self.progress.healthy_since.unwrap_or(now), stage.rest_seconds);
            if now < until {
                return Some(Phase::Resting(until));
            }
            if !stage.gate {
                return Some(Phase::Gate);
            }
            if stage.paused {
                return Some(Phase::Paused);
            }
            if !stage.approved {
                return Some(Phase::Approval);
            }
        }
        self.course.paused.then_some(Phase::Paused)
    }
}

#[cfg(test)]
mod tests;
