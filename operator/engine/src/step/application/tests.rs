//! Time, turn, brakes and return of copies that are not well, each by itself; that none wanders; what holds for any.

use proptest::prelude::*;

use super::*;

const QUIET: Fleet = Fleet { clusters: 10, silent: 0 };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("an instant")
}

fn sick(name: &str, cluster: &str, look: Look) -> Sick {
    let copy = Copy {
        workload: WorkloadKey::new("ns", name),
        cluster: cluster.to_owned(),
        tenant: "t".to_owned(),
        after_seconds: 300,
        at_once: 1,
        ..Copy::default()
    };
    Sick { copy, look, revision: 1, cooldown_seconds: 3600, state_known: true, ..Sick::default() }
}

fn unwell(from: i64) -> Sick {
    sick("app", "a", Look::Unwell(at(from)))
}

fn ask(all: &[Sick], fleet: Fleet, now: i64) -> Vec<Option<Entry>> {
    tell(all, fleet, &Going::default(), at(now)).entries
}

fn one(copy: &Sick, now: i64) -> Option<Entry> {
    ask(std::slice::from_ref(copy), QUIET, now)[0]
}

fn phase(copy: &Sick, now: i64) -> Option<Phase> {
    one(copy, now).map(|entry| entry.phase)
}

fn with(copy: Sick, entry: Option<Entry>) -> Sick {
    Sick { entry, ..copy }
}

#[test]
fn a_copy_leaves_when_its_time_is_over_and_the_clock_survives_a_restart() {
    let first = tell(&[unwell(1000)], QUIET, &Going::default(), at(1000));
    assert_eq!(first.wake, Some(at(1300)));
    let written = first.entries[0];
    assert_eq!(written.map(|entry| entry.phase), Some(Phase::Waiting));
    let unseen = with(sick("app", "a", Look::Unseen), written);
    assert_eq!(one(&unseen, 1900), written, "the clock neither starts nor stops while nobody has looked");
    // The next operator was away over the end of the time: it watches for a minute before it believes it.
    let again = with(unwell(2000), written);
    assert_eq!(one(&again, 2059), written);
    let let_go = one(&again, 2060).expect("an entry");
    assert_eq!((let_go.phase, let_go.released, let_go.since), (Phase::Released, Some(at(2060)), at(1000)));
    assert_eq!(phase(&with(unwell(1000), written), 1299), Some(Phase::Waiting));
    assert_eq!(phase(&with(unwell(1000), written), 1300), Some(Phase::Released));
}

#[test]
fn who_is_well_for_a_minute_begins_anew_and_who_is_well_for_moments_does_not() {
    let written = one(&unwell(1000), 1000);
    let well = with(sick("app", "a", Look::Well), written);
    let moments = one(&well, 1290);
    assert_eq!(moments.map(|entry| (entry.phase, entry.well)), Some((Phase::Waiting, Some(at(1290)))));
    // It crashes again: its time goes on.
    assert_eq!(phase(&with(unwell(1300), moments), 1300), Some(Phase::Waiting), "just seen");
    assert_eq!(phase(&with(unwell(1300), moments), 1360), Some(Phase::Released));
    assert_eq!(one(&with(well, moments), 1350), None);
}

#[test]
fn who_is_let_go_and_is_well_or_silent_before_it_has_left_stays() {
    let written = one(&unwell(1000), 1000);
    let let_go = one(&with(unwell(1000), written), 1300);
    assert_eq!(let_go.map(|entry| entry.phase), Some(Phase::Released));
    for look in [Look::Well, Look::Silent] {
        let entry = one(&with(sick("app", "a", look), let_go), 1310).expect("an entry");
        assert_eq!((entry.phase, entry.released), (Phase::Waiting, None), "{look:?}");
    }
    assert_eq!(one(&with(sick("app", "a", Look::Unseen), let_go), 1310), let_go);
}

#[test]
fn a_cluster_that_was_left_is_avoided_for_the_cooldown() {
    let let_go = one(&with(unwell(1000), one(&unwell(1000), 1000)), 1300);
    let mut gone = with(sick("app", "a", Look::Unseen), let_go);
    gone.copy.moved = true;
    let first = tell(std::slice::from_ref(&gone), QUIET, &Going::default(), at(1301));
    assert_eq!(first.wake, Some(at(1301 + 3600)));
    let entry = first.entries[0].expect("an entry");
    assert_eq!((entry.phase, entry.avoided_until), (Phase::Moved, Some(at(4901))));
    gone.entry = Some(entry);
    assert_eq!(one(&gone, 4900), Some(entry));
    assert_eq!(one(&gone, 4901), None);
    // Who left for another reason leaves nothing to be avoided.
    gone.entry = one(&unwell(1000), 1000);
    assert_eq!(one(&gone, 1301), None);
}

#[test]
fn what_holds_failover_of_clusters_holds_this_too() {
    let ripe = |change: fn(&mut Sick)| {
        let mut copy = unwell(1000);
        copy.entry = one(&copy, 1000);
        change(&mut copy);
        copy
    };
    let storm = Fleet { clusters: 10, silent: 4 };
    let in_storm = |copy: &Sick| ask(std::slice::from_ref(copy), storm, 2000)[0].map(|entry| entry.phase);
    assert_eq!(in_storm(&ripe(|_| {})), Some(Phase::StormBrake));
    assert_eq!(in_storm(&ripe(|one| one.copy.ordered = true)), Some(Phase::Released), "a person named it");
    assert_eq!(phase(&ripe(|one| one.changing = true), 2000), Some(Phase::Change));
    assert_eq!(phase(&ripe(|one| one.state_known = false), 2000), Some(Phase::State));
    let without = ripe(|one| (one.state_known, one.copy.ordered) = (false, true));
    assert_eq!(phase(&without, 2000), Some(Phase::Released), "a person lets it go without its state");
    assert_eq!(phase(&ripe(|one| one.copy.mode = Mode::Manual), 2000), Some(Phase::Manual));
    assert_eq!(phase(&ripe(|one| one.copy.mode = Mode::Never), 2000), Some(Phase::Never));
    assert_eq!(phase(&ripe(|one| one.copy.tie = Tie::Once), 2000), None);
    let pinned = ripe(|one| (one.copy.tie, one.copy.ordered) = (Tie::Data, true));
    assert_eq!(phase(&pinned, 2000), Some(Phase::Data));
    // One workload at a time, and together with what goes because its cluster is lost.
    let mut other = ripe(|_| {});
    other.copy.cluster = "b".to_owned();
    let both = ask(&[ripe(|_| {}), other.clone()], QUIET, 2000);
    assert_eq!(both.iter().flatten().map(|entry| entry.phase).collect::<Vec<_>>(), [Phase::Released, Phase::Turn]);
    let lost = Copy { cluster: "c".to_owned(), ..other.copy.clone() };
    let (since, phase) = (at(1000), Phase::Released);
    let entry = failover::Entry { since, due: since, phase, released: Some(at(1990)) };
    let mut beside = Going::default();
    beside.count([(&lost, Some(entry))], at(2000));
    assert_eq!(tell(&[other], QUIET, &beside, at(2000)).entries[0].map(|entry| entry.phase), Some(Phase::Turn));
}

#[test]
fn a_new_content_gets_its_own_time_and_its_own_tries() {
    let written = one(&unwell(1000), 1000);
    let changed = Sick { revision: 2, ..with(unwell(1290), written) };
    let entry = one(&changed, 1300).expect("an entry");
    assert_eq!((entry.since, entry.phase, entry.revision), (at(1300), Phase::Waiting, 2));
}

/// A workload that is in some clusters, each of which is well with it or is not; its operator and its decisions.
struct World {
    clusters: Vec<&'static str>,
    ill: fn(&str, i64) -> bool,
    placed: BTreeSet<&'static str>,
    entries: BTreeMap<&'static str, Entry>,
    seen_ill: BTreeMap<&'static str, Timestamp>,
    visited: BTreeSet<&'static str>,
    moves: usize,
}

impl World {
    fn new(placed: &[&'static str], ill: fn(&str, i64) -> bool) -> Self {
        let placed: BTreeSet<_> = placed.iter().copied().collect();
        Self {
            clusters: vec!["a", "b", "c", "d", "e", "f"],
            ill,
            visited: placed.clone(),
            placed,
            entries: BTreeMap::new(),
            seen_ill: BTreeMap::new(),
            moves: 0,
        }
    }

    fn look(&mut self, cluster: &'static str, now: i64) -> Look {
        if (self.ill)(cluster, now) {
            Look::Unwell(*self.seen_ill.entry(cluster).or_insert(at(now)))
        } else {
            self.seen_ill.remove(cluster);
            Look::Well
        }
    }

    fn step(&mut self, after_seconds: i64, now: i64) {
        let placed = self.placed.clone();
        let well = |cluster: &str| !(self.ill)(cluster, now) && !self.entries.contains_key(cluster);
        let well: BTreeSet<_> = placed.iter().copied().filter(|cluster| well(cluster)).collect();
        let names: BTreeSet<_> = placed.iter().chain(self.entries.keys()).copied().collect();
        let copy = |cluster: &'static str| {
            let moved = !placed.contains(cluster);
            let look = if moved { Look::Unseen } else { self.look(cluster, now) };
            let mut copy = with(sick("app", cluster, look), self.entries.get(cluster).copied());
            (copy.copy.moved, copy.copy.settled, copy.copy.after_seconds) =
                (moved, well.len() == placed.len(), after_seconds);
            copy.well_elsewhere = well.iter().any(|other| *other != cluster);
            (cluster, copy)
        };
        let all: Vec<_> = names.into_iter().map(copy).collect();
        let concerned: Vec<_> =
            all.into_iter().filter(|(_, copy)| matches!(copy.look, Look::Unwell(_)) || copy.entry.is_some()).collect();
        let copies: Vec<Sick> = concerned.iter().map(|(_, copy)| copy.clone()).collect();
        let told = ask(&copies, QUIET, now);
        let pairs = concerned.iter().zip(told);
        self.entries = pairs.filter_map(|((cluster, _), entry)| Some((*cluster, entry?))).collect();
        // What is let go is decided anew: the first cluster that is not avoided.
        let leaving = |cluster: &&str| self.entries.get(*cluster).is_some_and(|entry| entry.phase == Phase::Released);
        let Some(from) = placed.iter().copied().find(leaving) else { return };
        let free = |cluster: &&&str| !self.placed.contains(**cluster) && !self.entries.contains_key(**cluster);
        if let Some(to) = self.clusters.iter().find(free).copied() {
            self.placed.remove(from);
            self.placed.insert(to);
            self.visited.insert(to);
            self.seen_ill.remove(from);
            self.moves += 1;
        }
    }

    /// For a day, looked at every ten seconds, with a restart now and then.
    fn day(mut self, after_seconds: i64, restart_every: i64) -> Self {
        for now in (0..86_400).step_by(10) {
            if now % restart_every == 0 {
                self.seen_ill.clear();
            }
            self.step(after_seconds, now);
        }
        self
    }
}

#[test]
fn what_is_well_nowhere_is_tried_once_more_and_stays_there() {
    for (after, restarts) in [(30, 7_000), (300, 100_000), (300, 1_000), (3_600, 50_000)] {
        let world = World::new(&["a"], |_, _| true).day(after, restarts);
        assert_eq!((world.moves, world.visited.len()), (1, 2), "{after} {restarts}");
        assert_eq!(world.entries.get("b").map(|entry| entry.phase), Some(Phase::Exhausted));
        let several = World::new(&["a", "b", "c"], |_, _| true).day(after, restarts);
        assert!(several.moves <= 1, "{after} {restarts}: {}", several.moves);
        assert!(several.placed.iter().any(|cluster| several.entries[cluster].phase == Phase::Exhausted));
    }
}

#[test]
fn what_only_one_cluster_is_bad_for_moves_once_and_what_a_few_are_bad_for_finds_its_places() {
    let world = World::new(&["a"], |cluster, _| cluster == "a").day(300, 100_000);
    assert_eq!((world.moves, world.placed.len()), (1, 1));
    assert!(world.entries.is_empty(), "the cooldown is over and nothing came back: {:?}", world.entries);
    let divided = World::new(&["a", "b", "c"], |cluster, _| matches!(cluster, "a" | "c")).day(300, 100_000);
    assert_eq!(divided.placed, ["b", "d", "e"].into());
    // In a place that is bad for it wherever it goes, although it is well elsewhere, it does not go on for ever.
    let stuck = World::new(&["a", "b"], |cluster, _| cluster != "b").day(300, 100_000);
    assert!(stuck.moves <= MOVES_BESIDE_WELL, "{}", stuck.moves);
}

#[test]
fn a_crash_loop_that_is_ready_for_moments_is_seen() {
    let world = World::new(&["a"], |cluster, now| cluster == "a" && now % 300 >= 40).day(300, 100_000);
    assert_eq!(world.moves, 1);
}

fn any_sick() -> impl Strategy<Value = Sick> {
    let look = prop_oneof![
        1 => Just(Look::Unseen),
        1 => Just(Look::Silent),
        1 => Just(Look::Well),
        4 => (0..2000_i64).prop_map(|from| Look::Unwell(at(from))),
    ];
    let phases = prop::sample::select(vec![
        Phase::Waiting,
        Phase::Turn,
        Phase::Released,
        Phase::Moved,
        Phase::Exhausted,
        Phase::State,
    ]);
    let entry =
        (0..1500_i64, phases, 1..3_i64, prop::option::of(0..2000_i64)).prop_map(|(since, phase, revision, well)| {
            let released = matches!(phase, Phase::Released | Phase::Moved).then(|| at(since + 30));
            Entry {
                since: at(since),
                due: at(since + 300),
                phase,
                released,
                revision,
                well: well.map(at),
                avoided_until: None,
            }
        });
    let tie = prop_oneof![4 => Just(Tie::None), 1 => Just(Tie::Data), 1 => Just(Tie::Once)];
    let mode = prop_oneof![4 => Just(Mode::Automatic), 1 => Just(Mode::Manual), 1 => Just(Mode::Never)];
    (("[a-d]", "[a-c]"), look, prop::option::of(entry), tie, mode, any::<(bool, bool, bool, bool)>()).prop_map(
        |((name, cluster), look, entry, tie, mode, (ordered, moved, state_known, changing))| {
            let base = sick(&name, &cluster, look);
            let copy = Copy { tie, mode, ordered, moved, ..base.copy };
            Sick { copy, entry, state_known, changing, ..base }
        },
    )
}

fn distinct(mut all: Vec<Sick>) -> Vec<Sick> {
    all.sort_by(|a, b| (&a.copy.workload, &a.copy.cluster).cmp(&(&b.copy.workload, &b.copy.cluster)));
    all.dedup_by(|a, b| (&a.copy.workload, &a.copy.cluster) == (&b.copy.workload, &b.copy.cluster));
    all
}

proptest! {
    /// Who is let go anew has been seen unwell for its time or is ordered, and nothing holds it.
    #[test]
    fn nothing_leaves_without_a_reason(all in prop::collection::vec(any_sick(), 0..12), silent in 0..4_usize, now in 0..4000_i64) {
        let (all, fleet) = (distinct(all), Fleet { clusters: 8, silent });
        for (one, entry) in all.iter().zip(ask(&all, fleet, now)) {
            let Some(entry) = entry.filter(|entry| entry.released == Some(at(now)) && entry.phase == Phase::Released) else { continue };
            let Look::Unwell(from) = one.look else { panic!("{one:?}") };
            prop_assert!(one.copy.tie == Tie::None && !one.copy.moved);
            if !one.copy.ordered {
                prop_assert!(at(now) >= entry.due && now - from.as_second() >= STEADY_SECONDS);
                prop_assert!(one.copy.mode == Mode::Automatic && one.state_known && !one.changing && !fleet.storms());
            }
        }
    }

    /// Asked again at once with what it said, it says the same.
    #[test]
    fn a_step_asked_twice_answers_the_same(all in prop::collection::vec(any_sick(), 0..12), now in 0..4000_i64) {
        let mut all = distinct(all);
        let first = ask(&all, QUIET, now);
        for (one, entry) in all.iter_mut().zip(&first) {
            one.entry = *entry;
        }
        let again = ask(&all, QUIET, now);
        let kept = |entries: &[Option<Entry>]| entries.iter().map(Option::is_some).collect::<Vec<_>>();
        prop_assert_eq!(&again, &first, "{:?}", kept(&first));
    }
}
