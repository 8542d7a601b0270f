//! Rollouts as tables, and what must hold of every one.

use proptest::prelude::*;

use super::*;

const OLD: Option<i64> = Some(1);
const NEW: Option<i64> = Some(2);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("an instant")
}

fn stage(name: &str) -> Stage {
    Stage { name: name.to_owned(), gate: true, approved: true, ..Stage::default() }
}

/// Three stages: one cluster, two clusters, the rest.
fn course() -> Course {
    let of = [("canary", 0), ("east", 1), ("west", 1), ("zone", 2)];
    Course {
        revision: 2,
        stages: vec![stage("first"), stage("second"), stage("others")],
        stage_of: of.into_iter().map(|(cluster, stage)| (cluster.to_owned(), stage)).collect(),
        deadline_seconds: 600,
        ..Course::default()
    }
}

fn seen(of: &[(&str, Health)]) -> BTreeMap<String, Health> {
    of.iter().map(|(cluster, health)| ((*cluster).to_owned(), *health)).collect()
}

fn have(step: &Step) -> Vec<Option<i64>> {
    step.progress.clusters.values().copied().collect()
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_change_reaches_a_stage_when_the_stages_before_are_well() {
    use Health::{OnTheWay, Well};
    let course = course();
    let first = rollout(None, &course, OLD, &seen(&[]), at(0));
    assert_eq!(have(&first), [NEW, OLD, OLD, OLD]);
    assert_eq!((first.phase.clone(), first.wake), (Phase::OnTheWay(names(&["canary"])), Some(at(600))));
    let second = rollout(Some(&first.progress), &course, OLD, &seen(&[("canary", Well)]), at(30));
    assert_eq!((have(&second), second.progress.stage.as_str()), (vec![NEW, NEW, NEW, OLD], "second"));
    let half = seen(&[("canary", Well), ("east", Well), ("west", OnTheWay)]);
    let waits = rollout(Some(&second.progress), &course, OLD, &half, at(60));
    assert_eq!((have(&waits), waits.phase), (vec![NEW, NEW, NEW, OLD], Phase::OnTheWay(names(&["west"]))));
    let both = seen(&[("canary", Well), ("east", Well), ("west", Well)]);
    let last = rollout(Some(&waits.progress), &course, OLD, &both, at(90));
    assert_eq!((have(&last), last.phase), (vec![NEW; 4], Phase::OnTheWay(names(&["zone"]))));
    let all = seen(&[("canary", Well), ("east", Well), ("west", Well), ("zone", Well)]);
    assert_eq!(rollout(Some(&last.progress), &course, OLD, &all, at(99)).phase, Phase::Done);
}

#[test]
fn a_stage_that_fails_or_is_late_keeps_the_change_from_later_ones_until_it_is_well() {
    use Health::{Failed, OnTheWay, Well};
    let course = course();
    let step = |progress: &Progress, canary, second| {
        rollout(Some(progress), &course, OLD, &seen(&[("canary", canary)]), at(second))
    };
    let first = rollout(None, &course, OLD, &seen(&[]), at(0)).progress;
    let failed = step(&first, Failed, 10);
    assert_eq!((have(&failed), failed.phase), (vec![NEW, OLD, OLD, OLD], Phase::Failed(names(&["canary"]))));
    let late = step(&failed.progress, OnTheWay, 600);
    assert_eq!((have(&late), late.phase), (vec![NEW, OLD, OLD, OLD], Phase::Late(names(&["canary"]))));
    assert_eq!(have(&step(&late.progress, Well, 700)), [NEW, NEW, NEW, OLD]);
}

#[test]
fn an_earlier_stage_that_fails_later_stops_it_too() {
    use Health::{Failed, Well};
    let course = course();
    let first = rollout(None, &course, OLD, &seen(&[("canary", Well)]), at(0));
    let others = seen(&[("canary", Failed), ("east", Well), ("west", Well)]);
    let stopped = rollout(Some(&first.progress), &course, OLD, &others, at(10));
    assert_eq!((have(&stopped), stopped.phase), (vec![NEW, NEW, NEW, OLD], Phase::Failed(names(&["canary"]))));
}

#[test]
fn what_keeps_a_stage_that_is_well() {
    use Health::Well;
    let well = seen(&[("canary", Well)]);
    let go = |stage: Stage, paused: bool, back: bool| {
        let mut course = Course { paused, back, ..course() };
        course.stages[0] = stage;
        let before = Progress {
            revision: 2,
            stage: "first".into(),
            since: at(0),
            clusters: [("canary", NEW), ("east", OLD), ("west", OLD), ("zone", OLD)]
                .into_iter()
                .map(|(cluster, revision)| (cluster.to_owned(), revision))
                .collect(),
            healthy_since: Some(at(0)),
        };
        rollout(Some(&before), &course, OLD, &well, at(100))
    };
    let rests = Stage { rest_seconds: 300, ..stage("first") };
    let shut = Stage { gate: false, ..stage("first") };
    let stops = Stage { paused: true, ..stage("first") };
    let asks = Stage { approved: false, ..stage("first") };
    for (kept, paused, phase, wake) in [
        (rests.clone(), false, Phase::Resting(at(300)), Some(at(300))),
        (shut.clone(), false, Phase::Gate, None),
        (stops.clone(), false, Phase::Paused, None),
        (asks.clone(), false, Phase::Approval, None),
        (stage("first"), true, Phase::Paused, None),
    ] {
        let step = go(kept, paused, false);
        assert_eq!((have(&step), step.phase, step.wake), (vec![NEW, OLD, OLD, OLD], phase, wake));
    }
    for kept in [rests, shut, stops, asks] {
        assert_eq!(have(&go(kept, false, true)), [NEW, NEW, NEW, OLD], "a way back waits for health alone");
    }
    assert_eq!(go(stage("first"), true, true).phase, Phase::Paused, "and for whoever holds everything");
}

#[test]
fn health_is_counted_without_a_break() {
    use Health::{OnTheWay, Well};
    let mut course = course();
    course.stages[0].rest_seconds = 60;
    let step = |progress: Option<&Progress>, health, second| {
        rollout(progress, &course, OLD, &seen(&[("canary", health)]), at(second))
    };
    let well = step(None, Well, 0);
    assert_eq!(well.phase, Phase::Resting(at(60)));
    let broken = step(Some(&well.progress), OnTheWay, 50);
    assert_eq!((broken.progress.healthy_since, broken.progress.since), (None, at(50)));
    assert_eq!(step(Some(&broken.progress), Well, 55).phase, Phase::Resting(at(115)));
}

#[test]
fn a_new_cluster_gets_the_revision_of_its_stage() {
    let course = course();
    let mut fewer = course.clone();
    for new in ["west", "zone"] {
        fewer.stage_of.remove(new);
    }
    let first = rollout(None, &fewer, OLD, &seen(&[]), at(0)).progress;
    let mut more = course;
    more.stage_of.insert("canary-2".into(), 0);
    let step = rollout(Some(&first), &more, OLD, &seen(&[]), at(10));
    let of = |cluster: &str| step.progress.clusters.get(cluster).copied().flatten();
    assert_eq!((of("canary-2"), of("west"), of("zone")), (NEW, OLD, OLD));
}

#[test]
fn a_newer_change_begins_at_the_first_stage_and_knows_what_the_last_one_reached() {
    let second = Course { revision: 3, ..course() };
    let reached = rollout(None, &course(), OLD, &seen(&[("canary", Health::Well)]), at(0)).progress;
    let step = rollout(Some(&reached), &second, OLD, &seen(&[]), at(10));
    assert_eq!(have(&step), [Some(3), NEW, NEW, OLD]);
    assert_eq!((step.progress.stage.as_str(), step.progress.since), ("first", at(10)));
}

#[test]
fn what_nobody_knows_waits_for_its_stage() {
    let step = rollout(None, &course(), None, &seen(&[]), at(0));
    assert_eq!(have(&step), [NEW, None, None, None]);
}

fn any_health() -> impl Strategy<Value = Health> {
    prop_oneof![3 => Just(Health::Well), 1 => Just(Health::OnTheWay), 1 => Just(Health::Failed)]
}

fn any_course() -> impl Strategy<Value = Course> {
    let one = (0..200_i64, any::<[bool; 3]>()).prop_map(|(rest_seconds, [gate, paused, approved])| Stage {
        rest_seconds,
        gate,
        paused,
        approved,
        ..Stage::default()
    });
    let stages = prop::collection::vec(one, 1..4).prop_map(|mut stages| {
        stages.iter_mut().enumerate().for_each(|(at, stage)| stage.name = format!("s{at}"));
        stages
    });
    stages.prop_flat_map(|stages| {
        let of = prop::collection::btree_map("[a-f]", 0..stages.len(), 1..6);
        (Just(stages), of, any::<bool>(), any::<bool>()).prop_map(|(stages, stage_of, paused, back)| Course {
            revision: 2,
            stages,
            stage_of,
            paused,
            deadline_seconds: 100,
            back,
        })
    })
}

/// A course that changes from step to step, with what is seen at each.
fn any_life() -> impl Strategy<Value = Vec<(Course, BTreeMap<String, Health>, i64)>> {
    let held = (any::<bool>(), any::<bool>(), prop::collection::btree_map("[a-f]", any_health(), 0..6), 0..300_i64);
    (any_course(), prop::collection::vec(held, 1..8)).prop_map(|(course, steps)| {
        let mut now = 0;
        let step = |(paused, open, seen, later): (bool, bool, BTreeMap<String, Health>, i64)| {
            now += later;
            let mut course = Course { paused, ..course.clone() };
            if open {
                course
                    .stages
                    .iter_mut()
                    .for_each(|stage| (stage.gate, stage.paused, stage.approved) = (true, false, true));
            }
            (course, seen, now)
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #[test]
    fn nothing_is_given_beyond_a_stage_that_is_not_well(life in any_life()) {
        let mut progress: Option<Progress> = None;
        for (course, seen, now) in life {
            let step = rollout(progress.as_ref(), &course, OLD, &seen, at(now));
            let had = |cluster: &String| progress.as_ref().and_then(|progress| progress.clusters.get(cluster).copied());
            for (cluster, stage) in &course.stage_of {
                let gets = step.progress.clusters[cluster] == NEW && had(cluster) != Some(NEW);
                if gets {
                    prop_assert!(!course.paused, "{cluster} gets it although all is held");
                    for (other, earlier) in &course.stage_of {
                        let well = seen.get(other) == Some(&Health::Well);
                        prop_assert!(earlier >= stage || well, "{cluster} gets it although {other} is not well");
                    }
                }
                prop_assert!(had(cluster) != Some(NEW) || step.progress.clusters[cluster] == NEW, "{cluster} went back");
            }
            progress = Some(step.progress);
        }
    }

    #[test]
    fn asked_again_it_answers_the_same(life in any_life()) {
        let mut progress: Option<Progress> = None;
        for (course, seen, now) in life {
            let step = rollout(progress.as_ref(), &course, OLD, &seen, at(now));
            prop_assert_eq!(&rollout(Some(&step.progress), &course, OLD, &seen, at(now)), &step);
            progress = Some(step.progress);
        }
    }

    #[test]
    fn it_ends_when_all_is_well_and_nobody_holds_it(course in any_course()) {
        let mut course = course;
        course.paused = false;
        course.stages.iter_mut().for_each(|stage| (stage.gate, stage.paused, stage.approved) = (true, false, true));
        let seen: BTreeMap<String, Health> =
            course.stage_of.keys().map(|cluster| (cluster.clone(), Health::Well)).collect();
        let (mut progress, mut now) = (None, at(0));
        for _ in 0..=course.stages.len() {
            let step = rollout(progress.as_ref(), &course, OLD, &seen, now);
            if step.phase == Phase::Done {
                return Ok(());
            }
            now = step.wake.expect("it says when to ask again");
            progress = Some(step.progress);
        }
        prop_assert!(false, "it does not end");
    }
}
