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
    /// Replicas that exist there, terminating ones included.
    pub present: i64,
    /// Replicas that are ready there.
    pub ready: i64,
    /// It has run (or is running) there, though maybe nothing exists any more.
    pub started: bool,
}

/// A cluster that a workload is in or is to be in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Part {
    /// Replicas decided; 0 where it is to leave.
    pub wanted: i64,
    /// What is seen; `None` when nobody could look.
    pub seen: Option<Seen>,
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
    part.seen.is_some_and(|seen| !seen.objects && seen.present == 0)
}

fn add_before_remove(parts: &BTreeMap<String, Part>) -> BTreeMap<String, (Action, Option<Wait>)> {
    let wanted = parts.values().map(|part| part.wanted).fold(0_i64, i64::saturating_add);
    let ready = parts.values().filter_map(|part| part.seen).map(|seen| seen.ready).fold(0_i64, i64::saturating_add);
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
        let has = seen.ordered.max(seen.present);
        let less = has.saturating_sub(part.wanted);
        let action = if part.wanted == 0 && is_gone(part) {
            (Action::Forget, None)
        } else if less <= 0 && part.wanted > 0 {
            (Action::Have(part.wanted), None)
        } else {
            // Of the replicas that go, those that are not ready are no loss.
            let loss = seen.ready.saturating_sub(part.wanted).max(0);
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
    let leaving = parts.values().any(|part| part.wanted == 0 && !is_gone(part));
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
    let has_run = |part: &Part| part.seen.is_some_and(|seen| seen.started || seen.objects);
    let unseen = parts.values().any(|part| part.wanted == 0 && part.seen.is_none());
    let action = |cluster: &String, part: &Part| {
        let elsewhere = parts.iter().any(|(other, part)| other != cluster && part.wanted == 0 && has_run(part));
        match part.wanted {
            0 if has_run(part) => (Action::Stay, Some(Wait::Started)),
            0 if part.seen.is_none() => (Action::Stay, Some(Wait::Unseen)),
            0 => (Action::Forget, None),
            _ if elsewhere => (Action::Stay, Some(Wait::Started)),
            _ if unseen && !has_run(part) => (Action::Stay, Some(Wait::Unseen)),
            wanted => (Action::Have(wanted), None),
        }
    };
    parts.iter().map(|(cluster, part)| (cluster.clone(), action(cluster, part))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(wanted: i64, ordered: i64, ready: i64) -> Part {
        let seen = Seen { objects: ordered > 0, ordered, present: ordered, ready, started: ordered > 0 };
        Part { wanted, seen: Some(seen) }
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
        let unseen = Part { wanted: 0, seen: None };
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
        let terminating = Part { wanted: 0, seen: Some(Seen { objects: false, present: 1, ..Seen::default() }) };
        assert_eq!(go(terminating, part(1, 0, 0)), [(Action::Remove, None), held]);
        assert_eq!(go(part(0, 0, 0), part(1, 0, 0)), [(Action::Forget, None), (Action::Have(1), None)]);
        let unseen = Part { wanted: 0, seen: None };
        assert_eq!(go(unseen, part(1, 0, 0))[1], held);
    }

    #[test]
    fn a_job_that_has_started_never_starts_again() {
        let ran = Part { wanted: 0, seen: Some(Seen { started: true, ..Seen::default() }) };
        let told = actions(&[("a", ran), ("b", part(1, 0, 0))], Continuity::RunOnce);
        assert_eq!(told, [(Action::Stay, Some(Wait::Started)), (Action::Stay, Some(Wait::Started))]);
        let fresh = actions(&[("a", part(0, 0, 0)), ("b", part(1, 0, 0))], Continuity::RunOnce);
        assert_eq!(fresh, [(Action::Forget, None), (Action::Have(1), None)]);
    }

    fn any_part() -> impl Strategy<Value = Part> {
        let seen = (0..6_i64, 0..6_i64, 0..6_i64, any::<bool>()).prop_map(|(ordered, present, ready, started)| Seen {
            objects: ordered > 0 || present > 0,
            ordered,
            present,
            ready: ready.min(present),
            started: started || present > 0,
        });
        (0..6_i64, prop::option::weighted(0.85, seen)).prop_map(|(wanted, seen)| Part { wanted, seen })
    }

    fn any_parts() -> impl Strategy<Value = BTreeMap<String, Part>> {
        prop::collection::btree_map("[a-e]", any_part(), 1..5)
    }

    /// Ready replicas that are sure to be left when an action is carried out: those that go are ready ones.
    fn left(part: &Part, action: Action) -> i64 {
        let ready = part.seen.map_or(0, |seen| seen.ready);
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
            let ready: i64 = parts.values().map(|part| part.seen.map_or(0, |seen| seen.ready)).sum();
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
