//! Time, turn, storm, fence and return, each by itself; and what holds for any fleet.

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("an instant")
}

fn copy(name: &str) -> Copy {
    Copy {
        workload: WorkloadKey::new("ns", name),
        cluster: "a".to_owned(),
        tenant: "t".to_owned(),
        after_seconds: 300,
        at_once: 1,
        ..Copy::default()
    }
}

fn silent(since: i64) -> BTreeMap<String, Outage> {
    [("a".to_owned(), Outage { since: at(since), certain: true, silent: true, fenced: None })].into()
}

/// What is told, by workload and cluster.
#[derive(Debug, PartialEq)]
struct Step {
    entries: BTreeMap<(WorkloadKey, String), Entry>,
    wake: Option<Timestamp>,
}

fn failover(copies: &[Copy], outages: &BTreeMap<String, Outage>, fleet: Fleet, now: Timestamp) -> Step {
    let Told { entries, wake } = tell(copies, outages, fleet, now);
    let key = |copy: &Copy| (copy.workload.clone(), copy.cluster.clone());
    Step { entries: copies.iter().zip(entries).filter_map(|(copy, entry)| Some((key(copy), entry?))).collect(), wake }
}

const QUIET: Fleet = Fleet { clusters: 10, silent: 1 };

fn entry(copy: &Copy, outages: &BTreeMap<String, Outage>, fleet: Fleet, now: i64) -> Option<Entry> {
    let step = failover(std::slice::from_ref(copy), outages, fleet, at(now));
    step.entries.into_values().next()
}

fn phase(copy: &Copy, outages: &BTreeMap<String, Outage>, fleet: Fleet, now: i64) -> Option<Phase> {
    entry(copy, outages, fleet, now).map(|entry| entry.phase)
}

#[test]
fn a_copy_leaves_when_its_time_is_over_and_the_clock_survives_a_restart() {
    let app = copy("app");
    let first = failover(std::slice::from_ref(&app), &silent(1000), QUIET, at(1000));
    assert_eq!(first.wake, Some(at(1300)));
    let written = first.entries.values().next().copied();
    assert_eq!(written.map(|entry| entry.phase), Some(Phase::Waiting));
    let app = Copy { entry: written, ..app };
    // A new operator has seen it fall silent later than it did, and at first does not know at all.
    let unknown = [("a".to_owned(), Outage { silent: false, ..silent(1250)["a"] })].into();
    assert_eq!(entry(&app, &unknown, QUIET, 1290), written);
    assert_eq!(entry(&app, &unknown, QUIET, 1400), written, "nothing new while nobody knows");
    assert_eq!(phase(&app, &silent(1250), QUIET, 1299), Some(Phase::Waiting));
    let let_go = entry(&app, &silent(1250), QUIET, 1300).expect("an entry");
    assert_eq!((let_go.phase, let_go.released, let_go.since), (Phase::Released, Some(at(1300)), at(1000)));
}

#[test]
fn who_answers_in_time_stays_and_one_witness_takes_twice_the_time() {
    let app = Copy { entry: entry(&copy("app"), &silent(1000), QUIET, 1000), ..copy("app") };
    assert_eq!(entry(&app, &BTreeMap::new(), QUIET, 1299), None);
    let one = [("a".to_owned(), Outage { certain: false, ..silent(1000)["a"] })].into();
    assert_eq!(phase(&app, &one, QUIET, 1599), Some(Phase::Waiting));
    assert_eq!(phase(&app, &one, QUIET, 1600), Some(Phase::Released));
}

#[test]
fn a_storm_stops_all_but_a_persons_order() {
    let app = copy("app");
    assert!(!Fleet { clusters: 3, silent: 1 }.storms() && Fleet { clusters: 3, silent: 2 }.storms());
    assert!(!Fleet { clusters: 10, silent: 3 }.storms() && Fleet { clusters: 10, silent: 4 }.storms());
    let storm = Fleet { clusters: 10, silent: 4 };
    assert_eq!(phase(&app, &silent(0), storm, 300), Some(Phase::StormBrake));
    for mode in [Mode::Automatic, Mode::Manual, Mode::Never] {
        let ordered = Copy { ordered: true, mode, ..app.clone() };
        assert_eq!(phase(&ordered, &silent(0), storm, 1), Some(Phase::Released), "{mode:?}");
    }
    assert_eq!(phase(&Copy { mode: Mode::Manual, ..app.clone() }, &silent(0), QUIET, 900), Some(Phase::Manual));
    assert_eq!(phase(&Copy { mode: Mode::Never, ..app }, &silent(0), QUIET, 900), Some(Phase::Never));
}

#[test]
fn what_may_only_be_once_leaves_when_the_old_copy_is_stopped_for_sure() {
    let one = Copy { tie: Tie::Single(None), ..copy("db") };
    assert_eq!(phase(&one, &silent(1000), QUIET, 9000), Some(Phase::Fence));
    let fenced = |at_second: i64| {
        let outage = Outage { fenced: Some(at(at_second)), ..silent(1000)["a"] };
        BTreeMap::from([("a".to_owned(), outage)])
    };
    assert_eq!(phase(&one, &fenced(999), QUIET, 9000), Some(Phase::Fence), "the word is of an earlier outage");
    assert_eq!(phase(&one, &fenced(1100), QUIET, 1299), Some(Phase::Waiting));
    assert_eq!(phase(&one, &fenced(1100), QUIET, 1300), Some(Phase::Released));
    let itself = Copy { tie: Tie::Single(Some(500)), ..one.clone() };
    let step = failover(std::slice::from_ref(&itself), &silent(1000), QUIET, at(1400));
    assert_eq!(
        (step.entries.values().next().map(|entry| entry.phase), step.wake),
        (Some(Phase::Fence), Some(at(1500)))
    );
    assert_eq!(phase(&itself, &silent(1000), QUIET, 1500), Some(Phase::Released));
    let ordered = Copy { ordered: true, ..one };
    assert_eq!(phase(&ordered, &silent(1000), QUIET, 9000), Some(Phase::Fence), "no order starts it twice");
    for (tie, phase_told) in [(Tie::Data, Phase::Data), (Tie::Once, Phase::Once)] {
        let tied = Copy { tie, ordered: true, ..copy("db") };
        assert_eq!(phase(&tied, &fenced(1100), QUIET, 9000), Some(phase_told));
    }
}

#[test]
fn turns_go_by_priority_then_by_what_others_need_then_by_name() {
    let mut copies: Vec<Copy> =
        (0..40).map(|n| Copy { tenant: format!("t{}", n % 7), ..copy(&format!("w{n:02}")) }).collect();
    copies[39].priority = 5;
    copies[0].depends_on = [WorkloadKey::new("ns", "w38")].into();
    let step = failover(&copies, &silent(0), QUIET, at(300));
    let released = |step: &Step, name: &str| {
        step.entries[&(WorkloadKey::new("ns", name), "a".to_owned())].phase == Phase::Released
    };
    let count = |step: &Step| step.entries.values().filter(|entry| entry.phase == Phase::Released).count();
    assert_eq!(count(&step), FLEET_RATE);
    assert!(released(&step, "w39") && released(&step, "w01") && !released(&step, "w00"), "w00 needs w38");
    // The next window lets the rest go, and asking again in the same one changes nothing.
    for copy in &mut copies {
        copy.entry = step.entries.get(&(copy.workload.clone(), copy.cluster.clone())).copied();
    }
    assert_eq!(failover(&copies, &silent(0), QUIET, at(300)).entries, step.entries);
    let later = failover(&copies, &silent(0), QUIET, step.wake.expect("it asks again").max(at(361)));
    assert_eq!(count(&later), 40);
}

#[test]
fn a_workload_loses_one_cluster_after_the_other() {
    let of = |cluster: &str| Copy { cluster: cluster.to_owned(), ..copy("app") };
    let outage = silent(0)["a"];
    let outages = BTreeMap::from([("a".to_owned(), outage), ("b".to_owned(), outage)]);
    let mut both = [of("a"), of("b")];
    let step = failover(&both, &outages, Fleet { clusters: 10, silent: 2 }, at(300));
    let phases: Vec<Phase> = step.entries.values().map(|entry| entry.phase).collect();
    assert_eq!(phases, [Phase::Released, Phase::Turn]);
    for copy in &mut both {
        copy.entry = step.entries.get(&(copy.workload.clone(), copy.cluster.clone())).copied();
    }
    (both[0].moved, both[0].settled) = (true, true);
    let next = failover(&both, &outages, Fleet { clusters: 10, silent: 2 }, at(310));
    let phases: Vec<Phase> = next.entries.values().map(|entry| entry.phase).collect();
    assert_eq!(phases, [Phase::Moved, Phase::Released]);
}

#[test]
fn who_leaves_for_another_reason_was_not_let_go() {
    let fenced = [("a".to_owned(), Outage { fenced: Some(at(2000)), ..silent(1000)["a"] })].into();
    let waiting = entry(&copy("db"), &silent(1000), QUIET, 1000);
    let drained = Copy { moved: true, entry: waiting, tie: Tie::Single(None), ..copy("db") };
    assert_eq!(entry(&drained, &fenced, QUIET, 9000), None, "so nothing takes its old copy for stopped");
}

fn any_copy() -> impl Strategy<Value = Copy> {
    let tie = prop_oneof![
        3 => Just(Tie::None),
        1 => Just(Tie::Single(None)),
        1 => (0..900_i64).prop_map(|seconds| Tie::Single(Some(seconds))),
        1 => Just(Tie::Data),
        1 => Just(Tie::Once),
    ];
    let mode = prop_oneof![3 => Just(Mode::Automatic), 1 => Just(Mode::Manual), 1 => Just(Mode::Never)];
    (("[a-h]", "[a-c]", "[s-u]"), -2..3_i32, 30..600_i64, tie, mode, any::<bool>()).prop_map(
        |((name, cluster, tenant), priority, after_seconds, tie, mode, ordered)| Copy {
            cluster,
            tenant,
            priority,
            after_seconds,
            tie,
            mode,
            ordered,
            ..copy(&name)
        },
    )
}

fn any_outages() -> impl Strategy<Value = BTreeMap<String, Outage>> {
    let outage = (0..1000_i64, any::<bool>(), any::<bool>(), prop::option::of(0..2000_i64)).prop_map(
        |(since, certain, silent, fenced)| Outage { since: at(since), certain, silent, fenced: fenced.map(at) },
    );
    prop::collection::btree_map("[a-c]", outage, 0..4)
}

proptest! {
    /// What is released was silent for its time or ordered, is not tied, and nobody is released in a storm unordered.
    #[test]
    fn nothing_leaves_without_a_reason(
        copies in prop::collection::vec(any_copy(), 0..12),
        outages in any_outages(),
        silent in 0..4_usize,
        now in 0..4000_i64,
    ) {
        let fleet = Fleet { clusters: 8, silent };
        let step = failover(&copies, &outages, fleet, at(now));
        for copy in &copies {
            let key = (copy.workload.clone(), copy.cluster.clone());
            let Some(entry) = step.entries.get(&key).filter(|entry| entry.phase == Phase::Released) else { continue };
            // Of two copies with one name the last stands.
            if copies.iter().filter(|other| (&other.workload, &other.cluster) == (&copy.workload, &copy.cluster)).count() > 1 {
                continue;
            }
            let outage = outages.get(&copy.cluster).expect("only the silent are left");
            prop_assert!(outage.silent);
            prop_assert!(copy.ordered || (copy.mode == Mode::Automatic && at(now) >= entry.due && !fleet.storms()));
            let fenced = outage.fenced.is_some_and(|word| word >= entry.since);
            match copy.tie {
                Tie::None => {}
                Tie::Single(itself) => {
                    prop_assert!(fenced || itself.is_some_and(|seconds| now >= entry.since.as_second() + seconds));
                }
                Tie::Data | Tie::Once => prop_assert!(false, "tied: {copy:?}"),
            }
        }
    }

    /// Asked again at once with what it said, it says the same.
    #[test]
    fn a_step_asked_twice_answers_the_same(
        copies in prop::collection::vec(any_copy(), 0..12),
        outages in any_outages(),
        now in 0..4000_i64,
    ) {
        let fleet = Fleet { clusters: 8, silent: 1 };
        let mut copies = copies;
        copies.sort_by(|a, b| (&a.workload, &a.cluster).cmp(&(&b.workload, &b.cluster)));
        copies.dedup_by(|a, b| (&a.workload, &a.cluster) == (&b.workload, &b.cluster));
        let first = failover(&copies, &outages, fleet, at(now));
        for copy in &mut copies {
            copy.entry = first.entries.get(&(copy.workload.clone(), copy.cluster.clone())).copied();
        }
        prop_assert_eq!(failover(&copies, &outages, fleet, at(now)).entries, first.entries);
    }

    /// Who left long ago may be left out: the others are told the same.
    #[test]
    fn who_rests_holds_nobody_up(
        copies in prop::collection::vec((any_copy(), prop::option::of((0..4000_i64, any::<bool>()))), 0..40),
        outages in any_outages(),
        now in 0..4000_i64,
    ) {
        let fleet = Fleet { clusters: 8, silent: 1 };
        let mut copies: Vec<Copy> = copies
            .into_iter()
            .map(|(copy, left)| {
                let entry = |released| Entry { since: at(0), due: at(0), phase: Phase::Moved, released: Some(at(released)) };
                let (entry, settled) = (left.map(|(released, _)| entry(released)), left.is_some_and(|(_, settled)| settled));
                Copy { moved: entry.is_some(), settled, entry, ..copy }
            })
            .filter(|copy| outages.contains_key(&copy.cluster))
            .collect();
        copies.sort_by(|a, b| (&a.workload, &a.cluster).cmp(&(&b.workload, &b.cluster)));
        copies.dedup_by(|a, b| (&a.workload, &a.cluster) == (&b.workload, &b.cluster));
        let (resting, others): (Vec<Copy>, Vec<Copy>) =
            copies.iter().cloned().partition(|copy| copy.entry.is_some_and(|entry| entry.rests(at(now))));
        let mut whole = failover(&copies, &outages, fleet, at(now));
        for copy in &resting {
            whole.entries.remove(&(copy.workload.clone(), copy.cluster.clone()));
        }
        prop_assert_eq!(failover(&others, &outages, fleet, at(now)), whole);
    }
}
