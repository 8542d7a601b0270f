//! From where a workload is to where it was decided to be, without losing what it promises on the way.
//!
//! What may be moved freely is added before anything is removed, and never more is removed than is ready beyond what is
//! wanted. What may only be once is proven gone before it is started elsewhere. What has started and must not run twice
//! stays where it is. Where nothing was seen nothing is removed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How a workload may be moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Continuity {
    /// The new copy is ready before the old one goes.
    #[default]
    AddBeforeRemove,
    /// The old copy is gone before the new one starts.
    SingleWriter,
    /// It runs once and never again.
    RunOnce,
    /// It lives in one cluster at a time.
    OneCluster,
    /// One per node of each cluster.
    PerNode,
}

/// What is seen of a workload in a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Seen {
    /// Objects of it are there, terminating ones included.
    pub objects: bool,
    /// Replicas ordered there last, as its objects say.
    pub ordered: i64,
    /// Replicas that exist there, terminating ones included; `None` when nobody could count them.
    pub present: Option<i64>,
    /// Replicas that are ready there; `None` when nobody could count them.
    pub ready: Option<i64>,
    /// It has run (or is running) there, though maybe nothing exists any more.
    pub started: bool,
}

impl Seen {
    /// Looked at whole, and nothing is there.
    pub const NOTHING: Self = Self { objects: false, ordered: 0, present: Some(0), ready: Some(0), started: false };

    /// Replicas that may be there at most, as far as is known: what nobody could count may be as many as were ordered.
    fn there(&self) -> i64 {
        self.ordered.max(self.present.unwrap_or(0)).max(self.ready.unwrap_or(0))
    }
}

/// A cluster that a workload is in or is to be in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Part {
    /// Replicas decided; 0 where it is to leave.
    pub wanted: i64,
    /// What is seen; `None` when nobody could look.
    pub seen: Option<Seen>,
    /// Whether it was ever known to run there. Kept by the caller, because what has run may leave nothing to see.
    pub ran: Ran,
    /// It was let go from there as one that has stopped for sure ([`super::failover`]): nothing waits for it to be gone.
    pub stopped: bool,
}

/// What is remembered of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Ran {
    /// It was not begun there.
    #[default]
    Never,
    /// It was ordered there by somebody who is not there any more to say whether the order arrived.
    Perhaps,
    /// It was seen there.
    Seen,
}

/// Why a cluster does not have yet what was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Wait {
    /// For replicas elsewhere to be ready.
    ReadyElsewhere,
    /// For a copy elsewhere to be proven gone.
    GoneElsewhere,
    /// For somebody to look.
    Unseen,
    /// For ever: it has started there and must not run twice.
    Started,
    /// For another workload to be ready.
    Dependency,
    /// For its stage of a rollout, because nothing older is known that may begin here.
    Stage,
    /// For its stage of a rollout; what is there now is not known.
    Revision,
    /// For nothing: it has run there, nothing of it is left, and it does not run again.
    Ran,
    /// For a person: it may have run there, and nobody can tell.
    MayHaveRun,
}

/// What is ordered of a cluster now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Its objects with so many replicas.
    Have(i64),
    /// Nothing new; what is there stays as it is.
    Stay,
    /// Its objects are removed.
    Remove,
    /// Nothing is there and nothing is ordered: the cluster can be forgotten.
    Forget,
}

/// What is ordered of each cluster now, and why that is not what was decided.
#[must_use]
pub fn shift(parts: &BTreeMap<String, Part>, continuity: Continuity) -> BTreeMap<String, (Action, Option<Wait>)> {
    match continuity {
        Continuity::AddBeforeRemove | Continuity::PerNode => add_before_remove(parts),
        Continuity::SingleWriter | Continuity::OneCluster => gone_before_start(parts),
        Continuity::RunOnce => run_once(parts),
    }
}

/// Whether nothing of it is there any more; not when nobody looked.
fn is_gone(part: &Part) -> bool {
    part.seen.is_some_and(|seen| !seen.objects && seen.present == Some(0))
}

fn add_before_remove(parts: &BTreeMap<String, Part>) -> BTreeMap<String, (Action, Option<Wait>)> {
    let wanted = parts.values().map(|part| part.wanted).fold(0_i64, i64::saturating_add);
    // What nobody could count stands in for nothing elsewhere.
    let ready = parts.values().filter_map(|part| part.seen?.ready).fold(0_i64, i64::saturating_add);
    // What is ready beyond what is wanted may go; so may what is not ready, for nobody loses it.
    let mut spare = ready.saturating_sub(wanted).max(0);
    let mut actions = BTreeMap::new();
    for (cluster, part) in parts {
        let Some(seen) = part.seen else {
            let action =
                if part.wanted > 0 { (Action::Have(part.wanted), None) } else { (Action::Stay, Some(Wait::Unseen)) };
            actions.insert(cluster.clone(), action);
            continue;
        };
        let less = seen.there().saturating_sub(part.wanted);
        let action = if part.wanted == 0 && is_gone(part) {
            (Action::Forget, None)
        } else if less <= 0 && part.wanted > 0 {
            (Action::Have(part.wanted), None)
        } else {
            // Of the replicas that go, those that are not ready are no loss; those that nobody could count may all be.
            let loss = seen.ready.unwrap_or(seen.there()).saturating_sub(part.wanted).max(0);
            let granted = loss.min(spare);
            spare -= granted;
            match (part.wanted, loss == granted) {
                (0, true) => (Action::Remove, None),
                (wanted, true) => (Action::Have(wanted), None),
                (wanted, false) => (Action::Have(wanted.saturating_add(loss - granted)), Some(Wait::ReadyElsewhere)),
            }
        };
        actions.insert(cluster.clone(), action);
    }
    actions
}

fn gone_before_start(parts: &BTreeMap<String, Part>) -> BTreeMap<String, (Action, Option<Wait>)> {
    // A copy that is to leave and is not proven gone keeps every copy that is not there yet from starting.
    let leaving = parts.values().any(|part| part.wanted == 0 && !is_gone(part) && !part.stopped);
    let action = |part: &Part| match (part.wanted, part.seen) {
        (0, None) => (Action::Stay, Some(Wait::Unseen)),
        (0, Some(_)) if is_gone(part) => (Action::Forget, None),
        (0, Some(_)) => (Action::Remove, None),
        (wanted, Some(seen)) if seen.objects => (Action::Have(wanted), None),
        (_, _) if leaving => (Action::Stay, Some(Wait::GoneElsewhere)),
        (wanted, _) => (Action::Have(wanted), None),
    };
    parts.iter().map(|(cluster, part)| (cluster.clone(), action(part))).collect()
}

fn run_once(parts: &BTreeMap<String, Part>) -> BTreeMap<String, (Action, Option<Wait>)> {
    let runs = |part: &Part| part.seen.is_some_and(|seen| seen.started || seen.objects);
    let has_run = |part: &Part| runs(part) || part.ran != Ran::Never;
    let unseen = parts.values().any(|part| part.wanted == 0 && part.seen.is_none());
    let action = |cluster: &String, part: &Part| {
        let elsewhere = parts.iter().any(|(other, part)| other != cluster && part.wanted == 0 && has_run(part));
        match (part.wanted, part.ran) {
            (0, _) if has_run(part) => (Action::Stay, Some(Wait::Started)),
            (0, _) if part.seen.is_none() => (Action::Stay, Some(Wait::Unseen)),
            (0, _) => (Action::Forget, None),
            _ if elsewhere => (Action::Stay, Some(Wait::Started)),
            (wanted, _) if runs(part) => (Action::Have(wanted), None),
            // What may have run is looked for before it is ordered again; what is gone by then has ended.
            (_, Ran::Perhaps | Ran::Seen) if part.seen.is_none() => (Action::Stay, Some(Wait::Unseen)),
            (_, Ran::Seen) => (Action::Stay, Some(Wait::Ran)),
            (_, Ran::Perhaps) => (Action::Stay, Some(Wait::MayHaveRun)),
            _ if unseen => (Action::Stay, Some(Wait::Unseen)),
            (wanted, Ran::Never) => (Action::Have(wanted), None),
        }
    };
    parts.iter().map(|(cluster, part)| (cluster.clone(), action(cluster, part))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(wanted: i64, ordered: i64, ready: i64) -> Part {
        let seen =
            Seen { objects: ordered > 0, ordered, present: Some(ordered), ready: Some(ready), started: ordered > 0 };
        Part { wanted, seen: Some(seen), ..Part::default() }
    }

    fn unseen(wanted: i64) -> Part {
        Part { wanted, ..Part::default() }
    }

    fn saw(wanted: i64, seen: Seen) -> Part {
        Part { wanted, seen: Some(seen), ..Part::default() }
    }

    fn parts(of: &[(&str, Part)]) -> BTreeMap<String, Part> {
        of.iter().map(|(name, part)| ((*name).to_owned(), *part)).collect()
    }

    fn actions(of: &[(&str, Part)], continuity: Continuity) -> Vec<(Action, Option<Wait>)> {
        shift(&parts(of), continuity).into_values().collect()
    }

    #[test]
    fn a_move_adds_first_and_removes_as_replicas_become_ready() {
        use Action::{Forget, Have, Remove};
        let go = |a: Part, b: Part| actions(&[("a", a), ("b", b)], Continuity::AddBeforeRemove);
        let wait = Some(Wait::ReadyElsewhere);
        assert_eq!(go(part(0, 4, 4), part(4, 0, 0)), [(Have(4), wait), (Have(4), None)]);
        assert_eq!(go(part(0, 4, 4), part(4, 4, 3)), [(Have(1), wait), (Have(4), None)]);
        assert_eq!(go(part(0, 4, 4), part(4, 4, 4)), [(Remove, None), (Have(4), None)]);
        assert_eq!(go(part(0, 0, 0), part(4, 4, 4)), [(Forget, None), (Have(4), None)]);
    }

    #[test]
    fn an_order_for_fewer_is_carried_out_at_once() {
        let two = actions(&[("a", part(1, 3, 3)), ("b", part(1, 2, 2))], Continuity::AddBeforeRemove);
        assert_eq!(two, [(Action::Have(1), None), (Action::Have(1), None)]);
        let none = actions(&[("a", part(0, 3, 3))], Continuity::AddBeforeRemove);
        assert_eq!(none, [(Action::Remove, None)]);
    }

    #[test]
    fn what_nobody_could_look_at_is_not_removed() {
        let unseen = unseen(0);
        for continuity in [Continuity::AddBeforeRemove, Continuity::SingleWriter, Continuity::RunOnce] {
            let told = actions(&[("a", unseen), ("b", part(3, 3, 3))], continuity);
            assert_eq!(told[0], (Action::Stay, Some(Wait::Unseen)), "{continuity:?}");
        }
    }

    #[test]
    fn a_single_writer_starts_when_the_other_is_proven_gone() {
        let go = |a: Part, b: Part| actions(&[("a", a), ("b", b)], Continuity::SingleWriter);
        let held = (Action::Stay, Some(Wait::GoneElsewhere));
        assert_eq!(go(part(0, 1, 1), part(1, 0, 0)), [(Action::Remove, None), held]);
        let terminating = saw(0, Seen { present: Some(1), ..Seen::NOTHING });
        assert_eq!(go(terminating, part(1, 0, 0)), [(Action::Remove, None), held]);
        assert_eq!(go(part(0, 0, 0), part(1, 0, 0)), [(Action::Forget, None), (Action::Have(1), None)]);
        assert_eq!(go(unseen(0), part(1, 0, 0))[1], held);
        let uncounted = saw(0, Seen { present: None, ..Seen::NOTHING });
        assert_eq!(go(uncounted, part(1, 0, 0))[1], held, "what nobody could count is not proven gone");
    }

    #[test]
    fn a_single_writer_starts_where_the_other_has_stopped_for_sure_and_the_old_one_goes_first_when_it_is_back() {
        let go = |a: Part, b: Part| actions(&[("a", a), ("b", b)], Continuity::SingleWriter);
        let lost = Part { stopped: true, ..part(0, 1, 1) };
        assert_eq!(go(lost, part(1, 0, 0)), [(Action::Remove, None), (Action::Have(1), None)]);
        assert_eq!(go(Part { stopped: true, ..unseen(0) }, part(1, 0, 0))[1], (Action::Have(1), None));
        // It answers again before anything was started elsewhere: it is proven gone first.
        assert_eq!(go(part(0, 1, 1), part(1, 0, 0))[1], (Action::Stay, Some(Wait::GoneElsewhere)));
        assert_eq!(go(part(0, 1, 1), part(1, 1, 1)), [(Action::Remove, None), (Action::Have(1), None)]);
    }

    #[test]
    fn what_nobody_could_count_is_neither_spare_nor_lost() {
        let uncounted =
            |wanted, ordered| saw(wanted, Seen { objects: true, ordered, present: None, ready: None, started: true });
        let go = |a: Part, b: Part| actions(&[("a", a), ("b", b)], Continuity::AddBeforeRemove);
        let wait = Some(Wait::ReadyElsewhere);
        // Nobody knows whether the three that are to go are ready: they stay until their likes are.
        assert_eq!(go(uncounted(0, 3), part(3, 0, 0)), [(Action::Have(3), wait), (Action::Have(3), None)]);
        assert_eq!(go(uncounted(0, 3), part(3, 3, 3))[0], (Action::Have(3), wait));
        // And nobody knows whether three others stand in for what is known to be ready.
        assert_eq!(go(part(0, 3, 3), uncounted(3, 3))[0], (Action::Have(3), wait));
    }

    #[test]
    fn a_job_that_has_started_never_starts_again() {
        let ran = saw(0, Seen { started: true, ..Seen::NOTHING });
        let told = actions(&[("a", ran), ("b", part(1, 0, 0))], Continuity::RunOnce);
        assert_eq!(told, [(Action::Stay, Some(Wait::Started)), (Action::Stay, Some(Wait::Started))]);
        let fresh = actions(&[("a", part(0, 0, 0)), ("b", part(1, 0, 0))], Continuity::RunOnce);
        assert_eq!(fresh, [(Action::Forget, None), (Action::Have(1), None)]);
    }

    #[test]
    fn a_job_that_left_nothing_behind_is_not_run_again() {
        let one = |part: Part| actions(&[("a", part)], Continuity::RunOnce)[0];
        let known = |seen, ran| Part { wanted: 1, seen, ran, stopped: false };
        let running = Seen { objects: true, started: true, present: Some(1), ..Seen::NOTHING };
        for (seen, ran, told) in [
            (None, Ran::Never, (Action::Have(1), None)),
            (Some(Seen::NOTHING), Ran::Never, (Action::Have(1), None)),
            (None, Ran::Perhaps, (Action::Stay, Some(Wait::Unseen))),
            (Some(running), Ran::Perhaps, (Action::Have(1), None)),
            (Some(Seen::NOTHING), Ran::Perhaps, (Action::Stay, Some(Wait::MayHaveRun))),
            (None, Ran::Seen, (Action::Stay, Some(Wait::Unseen))),
            (Some(running), Ran::Seen, (Action::Have(1), None)),
            (Some(Seen::NOTHING), Ran::Seen, (Action::Stay, Some(Wait::Ran))),
        ] {
            assert_eq!(one(known(seen, ran)), told, "{seen:?} {ran:?}");
        }
        let left = Part { seen: Some(Seen::NOTHING), ran: Ran::Seen, ..Part::default() };
        let moved = actions(&[("a", left), ("b", part(1, 0, 0))], Continuity::RunOnce);
        assert_eq!(moved[1], (Action::Stay, Some(Wait::Started)), "what ran elsewhere is not run here");
    }

    fn any_part() -> impl Strategy<Value = Part> {
        let seen = (0..6_i64, 0..6_i64, 0..6_i64, any::<bool>(), any::<(bool, bool)>()).prop_map(
            |(ordered, present, ready, started, (counted, known))| Seen {
                objects: ordered > 0 || present > 0,
                ordered,
                present: counted.then_some(present),
                ready: known.then_some(ready.min(present)),
                started: started || present > 0,
            },
        );
        let ran = prop_oneof![Just(Ran::Never), Just(Ran::Perhaps), Just(Ran::Seen)];
        (0..6_i64, prop::option::weighted(0.85, seen), ran).prop_map(|(wanted, seen, ran)| Part {
            wanted,
            seen,
            ran,
            stopped: false,
        })
    }

    fn any_parts() -> impl Strategy<Value = BTreeMap<String, Part>> {
        prop::collection::btree_map("[a-e]", any_part(), 1..5)
    }

    /// Replicas that are there and that nobody knows not to be ready.
    fn maybe_ready(part: &Part) -> i64 {
        part.seen.map_or(0, |seen| seen.ready.unwrap_or(seen.there()))
    }

    /// Those that are sure to be left when an action is carried out: those that go are ready ones.
    fn left(part: &Part, action: Action) -> i64 {
        let ready = maybe_ready(part);
        match action {
            Action::Have(n) => ready.min(n),
            Action::Stay => ready,
            Action::Remove | Action::Forget => 0,
        }
    }

    proptest! {
        #[test]
        fn never_fewer_ready_than_wanted_because_of_a_move(parts in any_parts()) {
            let wanted: i64 = parts.values().map(|part| part.wanted).sum();
            let ready: i64 = parts.values().map(maybe_ready).sum();
            let told = shift(&parts, Continuity::AddBeforeRemove);
            let left: i64 = parts.iter().map(|(name, part)| left(part, told[name].0)).sum();
            prop_assert!(left >= ready.min(wanted), "{left} left of {ready}, {wanted} wanted: {told:?}");
        }

        #[test]
        fn two_single_writers_are_never_ordered_where_one_is_not_gone(parts in any_parts()) {
            let told = shift(&parts, Continuity::SingleWriter);
            let leaving = parts.values().any(|part| part.wanted == 0 && !is_gone(part));
            for (name, part) in &parts {
                let starts = matches!(told[name].0, Action::Have(_)) && !part.seen.is_some_and(|seen| seen.objects);
                prop_assert!(!(leaving && starts), "{name}: {told:?}");
            }
        }

        #[test]
        fn a_job_is_ordered_only_where_nothing_says_that_it_ran(parts in any_parts()) {
            let told = shift(&parts, Continuity::RunOnce);
            for (name, part) in &parts {
                let there = part.seen.is_some_and(|seen| seen.objects || seen.started);
                if matches!(told[name].0, Action::Have(_)) && !there {
                    prop_assert!(part.ran == Ran::Never, "{name}: {told:?}");
                    prop_assert!(parts.iter().all(|(other, part)| other == name || part.wanted > 0 || part.ran == Ran::Never));
                }
            }
        }

        #[test]
        fn every_cluster_has_an_answer_and_nothing_seen_is_never_removed(parts in any_parts(), which in 0..3_usize) {
            let which = [Continuity::AddBeforeRemove, Continuity::SingleWriter, Continuity::RunOnce][which];
            let told = shift(&parts, which);
            prop_assert_eq!(told.len(), parts.len());
            for (name, part) in &parts {
                let gone = matches!(told[name].0, Action::Remove | Action::Forget);
                prop_assert!(!(gone && (part.seen.is_none() || part.wanted > 0)));
            }
        }
    }
}
