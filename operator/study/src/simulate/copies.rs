//! One workload as it exists: its replicas by cluster, what of them is ready, and what the steps of the engine do to it.
//!
//! [`jiuzhou_engine::step::shift`] orders, as it does for an operator; here the orders are carried out. A replica that is
//! ordered exists at once and is ready after its time; one that is no longer ordered is gone at once. On a cluster that
//! is down nothing is ready; on one that is not reached nothing can be ordered, and nothing is seen.

use std::collections::BTreeMap;

use jiuzhou_engine::decide::Current;
use jiuzhou_engine::step::{Action, Continuity, Part, Ran, Seen, shift};

/// Orders that follow from one another before a workload is at rest: remove here, start there, forget here. More would
/// be a step that never rests.
const STEPS: usize = 8;

/// How a cluster is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    /// It is seen and takes orders.
    pub(super) reached: bool,
    /// What is there runs.
    pub(super) runs: bool,
}

/// Replicas of a workload in one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Copies {
    /// Decided.
    pub(super) decided: i64,
    /// That exist.
    pub(super) there: i64,
    /// Of these, not ready yet: since when they will be.
    pub(super) starting: Vec<(i64, i64)>,
    /// It was seen to run there.
    ran: bool,
    /// It has stopped by itself where nobody reaches it.
    stopped: bool,
}

impl Copies {
    /// Replicas that run at once, as at the start of a simulation.
    pub(super) fn running(decided: i64, there: i64) -> Self {
        Self { decided, there, ran: there > 0, ..Self::default() }
    }

    /// Ready at a minute, if what is there runs.
    fn up(&self, now: i64) -> i64 {
        let starting = self.starting.iter().filter(|(from, _)| *from > now).map(|(_, count)| *count);
        self.there.saturating_sub(starting.fold(0, i64::saturating_add))
    }

    /// It stops by itself, and stays so until somebody reaches it.
    pub(super) fn stop(&mut self) {
        (self.there, self.stopped) = (0, true);
        self.starting.clear();
    }

    /// So many shall be there. Answers how many were started.
    fn have(&mut self, count: i64, ready_at: i64) -> i64 {
        let more = count.saturating_sub(self.there);
        if more > 0 {
            self.starting.push((ready_at, more));
        }
        let mut less = more.saturating_neg().max(0);
        // Those that are not ready go first, the youngest before the others.
        while less > 0 {
            let Some((_, count)) = self.starting.last_mut() else { break };
            let gone = less.min(*count);
            *count -= gone;
            less -= gone;
            if *count == 0 {
                self.starting.pop();
            }
        }
        self.there = count;
        more.max(0)
    }
}

/// A workload's replicas by name of cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spread {
    pub(super) by_cluster: BTreeMap<String, Copies>,
}

/// What carrying out orders did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// Replicas that were started.
    pub(super) started: i64,
    /// When something of it is ready next.
    pub(super) ready_at: Option<i64>,
}

impl Spread {
    /// What the engine is told runs.
    pub(super) fn current(&self) -> Vec<Current> {
        let told = self.by_cluster.iter().filter(|(_, copies)| copies.decided > 0 || copies.there > 0);
        told.map(|(cluster, copies)| Current {
            cluster: cluster.clone(),
            placed: copies.decided,
            observed: copies.there,
        })
        .collect()
    }

    /// Replicas that are ready at a minute.
    pub(super) fn ready(&self, now: i64, link: impl Fn(&str) -> Link) -> i64 {
        let up = self.by_cluster.iter().filter(|(cluster, _)| link(cluster).runs).map(|(_, copies)| copies.up(now));
        up.fold(0, i64::saturating_add)
    }

    /// Whether all that is decided on clusters that are reached is ready.
    pub(super) fn settled(&self, now: i64, link: impl Fn(&str) -> Link) -> bool {
        let reached = self.by_cluster.iter().filter(|(cluster, _)| link(cluster).reached);
        reached.map(|(_, copies)| copies).all(|copies| copies.up(now) >= copies.decided)
    }

    /// Replicas that are decided.
    pub(super) fn decided(&self) -> i64 {
        self.by_cluster.values().map(|copies| copies.decided).fold(0, i64::saturating_add)
    }

    /// It was decided anew.
    pub(super) fn decide<'a>(&mut self, targets: impl Iterator<Item = (&'a str, i64)>) {
        self.by_cluster.values_mut().for_each(|copies| copies.decided = 0);
        for (cluster, replicas) in targets.filter(|(_, replicas)| *replicas > 0) {
            self.by_cluster.entry(cluster.to_owned()).or_default().decided = replicas;
        }
    }

    /// A cluster failed or came back: what exists there has to start again to be ready.
    pub(super) fn restart(&mut self, cluster: &str, ready_at: i64) {
        if let Some(copies) = self.by_cluster.get_mut(cluster) {
            copies.starting.clear();
            if copies.there > 0 {
                copies.starting.push((ready_at, copies.there));
            }
        }
    }

    /// Orders what the engine's step says until nothing more follows at this minute.
    pub(super) fn settle(
        &mut self,
        continuity: Continuity,
        now: i64,
        start_minutes: i64,
        link: impl Fn(&str) -> Link,
    ) -> Done {
        let mut done = Done::default();
        for copies in self.by_cluster.values_mut() {
            copies.starting.retain(|(from, _)| *from > now);
        }
        for _ in 0..STEPS {
            if self.rests() {
                break;
            }
            let parts = self.parts(continuity, now, &link);
            let mut changed = false;
            for (cluster, (action, _)) in shift(&parts, continuity) {
                let reached = link(&cluster).reached;
                let Some(copies) = self.by_cluster.get_mut(&cluster) else { continue };
                copies.stopped &= !reached;
                match action {
                    Action::Have(count) if reached => {
                        changed |= copies.there != count;
                        done.started += copies.have(count, now.saturating_add(start_minutes));
                        if start_minutes <= 0 {
                            copies.starting.clear();
                        }
                        copies.ran |= count > 0;
                    }
                    Action::Remove if reached => {
                        changed |= copies.there != 0;
                        copies.have(0, now);
                    }
                    Action::Forget => {
                        changed = true;
                        self.by_cluster.remove(&cluster);
                    }
                    Action::Have(_) | Action::Remove | Action::Stay => {}
                }
            }
            if !changed {
                break;
            }
        }
        let starting = self.by_cluster.values().flat_map(|copies| &copies.starting);
        done.ready_at = starting.map(|(from, _)| *from).min();
        done
    }

    /// Everything is there as decided, so no step has anything to say.
    pub(super) fn rests(&self) -> bool {
        self.by_cluster.values().all(|copies| copies.decided > 0 && copies.there == copies.decided)
    }

    fn parts(&self, continuity: Continuity, now: i64, link: impl Fn(&str) -> Link) -> BTreeMap<String, Part> {
        let part = |(cluster, copies): (&String, &Copies)| {
            let seen = link(cluster).reached.then(|| Seen {
                objects: copies.there > 0,
                ordered: copies.there,
                present: Some(copies.there),
                ready: Some(copies.up(now)),
                started: copies.there > 0 || (copies.ran && continuity == Continuity::RunOnce),
            });
            let ran = if copies.ran { Ran::Seen } else { Ran::Never };
            (cluster.clone(), Part { wanted: copies.decided, seen, ran, stopped: copies.stopped && seen.is_none() })
        };
        self.by_cluster.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Link = Link { reached: true, runs: true };
    const DOWN: Link = Link { reached: false, runs: false };

    fn spread(of: &[(&str, i64)]) -> Spread {
        let copies = |(cluster, count): &(&str, i64)| ((*cluster).to_owned(), Copies::running(*count, *count));
        Spread { by_cluster: of.iter().map(copies).collect() }
    }

    fn there(spread: &Spread) -> Vec<(&str, i64)> {
        spread.by_cluster.iter().map(|(cluster, copies)| (cluster.as_str(), copies.there)).collect()
    }

    #[test]
    fn a_move_keeps_what_is_wanted_ready_all_the_time() {
        let mut web = spread(&[("a", 4)]);
        web.decide([("b", 4)].into_iter());
        let done = web.settle(Continuity::AddBeforeRemove, 10, 2, |_| UP);
        assert_eq!((done.started, done.ready_at, there(&web)), (4, Some(12), vec![("a", 4), ("b", 4)]));
        assert_eq!((web.ready(11, |_| UP), web.ready(12, |_| UP)), (4, 8));
        let done = web.settle(Continuity::AddBeforeRemove, 12, 2, |_| UP);
        assert_eq!((done, there(&web)), (Done::default(), vec![("b", 4)]));
    }

    #[test]
    fn a_single_writer_is_gone_before_it_starts_and_waits_for_a_cluster_nobody_reaches() {
        let mut db = spread(&[("a", 1)]);
        db.decide([("b", 1)].into_iter());
        let held = db.settle(Continuity::SingleWriter, 0, 3, |cluster| if cluster == "a" { DOWN } else { UP });
        assert_eq!((held.started, there(&db)), (0, vec![("a", 1), ("b", 0)]));
        let back = db.settle(Continuity::SingleWriter, 60, 3, |_| UP);
        assert_eq!((back.started, back.ready_at, there(&db)), (1, Some(63), vec![("b", 1)]));
        assert_eq!((db.ready(62, |_| UP), db.ready(63, |_| UP)), (0, 1));
    }

    #[test]
    fn fewer_are_ordered_at_once_and_those_not_ready_go_first() {
        let mut web = spread(&[("a", 2)]);
        web.decide([("a", 6)].into_iter());
        web.settle(Continuity::AddBeforeRemove, 0, 5, |_| UP);
        web.decide([("a", 3)].into_iter());
        web.settle(Continuity::AddBeforeRemove, 1, 5, |_| UP);
        assert_eq!((web.ready(1, |_| UP), web.ready(5, |_| UP)), (2, 3));
    }

    #[test]
    fn nothing_is_ready_on_a_cluster_that_is_down_and_all_starts_again_when_it_is_back() {
        let mut web = spread(&[("a", 2), ("b", 2)]);
        let broken = |cluster: &str| if cluster == "a" { DOWN } else { UP };
        assert_eq!(web.ready(0, broken), 2);
        web.restart("a", 9);
        assert_eq!((web.ready(8, |_| UP), web.ready(9, |_| UP)), (2, 4));
    }

    #[test]
    fn what_ran_once_is_never_started_again() {
        let mut job = spread(&[("a", 1)]);
        job.decide([("b", 1)].into_iter());
        let done = job.settle(Continuity::RunOnce, 0, 1, |_| UP);
        assert_eq!((done.started, there(&job)), (0, vec![("a", 1), ("b", 0)]));
    }
}
