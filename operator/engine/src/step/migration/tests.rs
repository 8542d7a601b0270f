//! Migrations as tables over states and what gates say, and what must hold of every way through them.

use proptest::prelude::*;

use super::super::{Action, Continuity, Part, Seen as There, shift};
use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("an instant")
}

const PROVEN: Data = Data {
    copied: Proof::Passed,
    compared: Proof::Passed,
    trial_writes: false,
    way_back: false,
    returned: Proof::Open,
};

fn wave(data: Option<Data>) -> Wave {
    Wave { name: "one".to_owned(), attempt: 1, trial: true, deadline_seconds: 600, data, ..Wave::default() }
}

fn gate(before: Boundary, proof: Proof) -> Gate {
    Gate { name: "test".to_owned(), before, proof }
}

fn is(phase: Phase) -> Progress {
    Progress { attempt: 1, phase, since: at(0), ..Progress::default() }
}

fn ask(progress: Progress, wave: Wave, seen: Seen, now: Timestamp) -> (Progress, Wait) {
    let course = Course { waves: vec![wave], paused: false };
    let before = [("one".to_owned(), progress)].into();
    let (_, next, wait) = migration(&before, &course, &[("one".to_owned(), seen)].into(), now).waves.remove(0);
    (next, wait)
}

fn hitch() -> Hitch {
    Hitch { workload: "w".to_owned(), reason: Reason::new(crate::terms::Code::NoCandidate) }
}

fn well() -> Seen {
    Seen { fits: Fits::Yes, health: Health::Well }
}

#[test]
fn all_is_passed_in_order_when_everything_is_proven_and_well() {
    let data = Data { trial_writes: true, ..PROVEN };
    let (mut progress, mut passed) = (is(Phase::Waiting), Vec::new());
    for second in 0..20 {
        let wave = Wave { trial_seconds: 3, soak_seconds: 2, ..wave(Some(data)) };
        let (next, _) = ask(progress, wave, well(), at(second));
        if passed.last() != Some(&next.phase) {
            passed.push(next.phase);
        }
        progress = next;
    }
    use Phase::{Assessing, Comparing, Completed, Copying, CuttingOver, Soaking, Trial};
    assert_eq!(passed, [Assessing, Copying, Comparing, Trial, CuttingOver, Soaking, Completed]);
    assert_eq!(progress.first_write, Some(at(3)), "when the dual run began");
}

/// What a gate that failed does in every phase, wherever it stands: nothing goes forward, and what has moved goes back
/// by itself while the target has written nothing.
#[test]
fn a_gate_that_failed_in_every_state() {
    use Phase::{
        Assessing, Comparing, Completed, Copying, CuttingOver, ReturningData, RolledBack, RollingBack, Soaking, Trial,
        Waiting,
    };
    let failed = |phase: Phase, written: bool, before: Boundary| {
        let data = written.then_some(PROVEN);
        let progress = Progress { first_write: written.then_some(at(0)), ..is(phase) };
        let wave = Wave { gates: vec![gate(before, Proof::Failed)], ..wave(data) };
        let (next, wait) = ask(progress, wave, well(), at(1));
        (next.phase, wait)
    };
    let told = || Wait::GateFailed("test".to_owned());
    // Phase, without data, with data that the target has written.
    let table = [
        (Waiting, (Assessing, Wait::Step), (Assessing, Wait::Step)),
        (Assessing, (Assessing, told()), (Assessing, told())),
        (Copying, (Copying, told()), (Copying, told())),
        (Comparing, (Comparing, told()), (Comparing, told())),
        (Trial, (RollingBack, Wait::Step), (Trial, told())),
        (CuttingOver, (RollingBack, Wait::Step), (Soaking, Wait::Step)),
        (Soaking, (RollingBack, Wait::Step), (Soaking, told())),
        (Completed, (Completed, Wait::Nothing), (Completed, Wait::Nothing)),
        (ReturningData, (RollingBack, Wait::Step), (ReturningData, Wait::Gate("way-back".to_owned()))),
        (RollingBack, (RolledBack, Wait::Retry), (RolledBack, Wait::Retry)),
        (RolledBack, (RolledBack, Wait::Retry), (RolledBack, Wait::Retry)),
    ];
    assert_eq!(table.len(), Phase::ALL.len());
    for (phase, plain, written) in table {
        assert_eq!(failed(phase, false, Boundary::Copy), plain, "{phase:?} without data");
        assert_eq!(failed(phase, true, Boundary::Copy), written, "{phase:?} with data");
    }
    // A gate of a later boundary keeps nothing back before it, and a failure is a failure wherever it stands.
    assert_eq!(failed(Assessing, false, Boundary::Completion).0, Trial);
    assert_eq!(failed(Soaking, false, Boundary::Completion).0, RollingBack);
}

#[test]
fn a_gate_is_open_until_it_is_proven_and_one_without_its_boundary_is_asked_at_the_next() {
    for (before, stops) in [
        (Boundary::Copy, Phase::Assessing),
        (Boundary::Trial, Phase::Assessing),
        (Boundary::CutOver, Phase::Trial),
        (Boundary::Completion, Phase::Soaking),
    ] {
        let open = || Wave { gates: vec![gate(before, Proof::Open)], ..wave(None) };
        let mut progress = is(Phase::Waiting);
        let mut last = Wait::Nothing;
        for second in 0..10 {
            (progress, last) = ask(progress, open(), well(), at(second));
        }
        assert_eq!((progress.phase, last), (stops, Wait::Gate("test".to_owned())), "{before:?}");
        let proven = Wave { gates: vec![gate(before, Proof::Passed)], ..wave(None) };
        assert!(ask(progress, proven, well(), at(11)).0.phase > stops);
    }
}

#[test]
fn nothing_moves_to_a_target_that_does_not_fit() {
    for phase in [Phase::Assessing, Phase::Comparing, Phase::Trial] {
        for (fits, wait) in [
            (Fits::No(hitch()), Wait::Unfit(hitch())),
            (Fits::Unknown(hitch()), Wait::Unknown(hitch())),
            (Fits::Unasked, Wait::Step),
        ] {
            let data = (phase == Phase::Comparing).then_some(PROVEN);
            let (next, told) = ask(is(phase), wave(data), Seen { fits, health: Health::Well }, at(1));
            assert_eq!((next.phase, told), (phase, wait));
        }
    }
}

#[test]
fn after_the_first_write_it_goes_back_only_by_order_and_with_a_declared_way() {
    for phase in [Phase::Trial, Phase::CuttingOver, Phase::Soaking, Phase::Completed] {
        let written = || Progress { first_write: Some(at(0)), ..is(phase) };
        let ordered = |data: Option<Data>| ask(written(), Wave { rollback: true, ..wave(data) }, well(), at(1));
        for undeclared in [Some(PROVEN), None] {
            let (next, wait) = ordered(undeclared);
            assert_eq!((next.phase, wait), (phase, Wait::NoWayBack), "{phase:?}");
        }
        let (next, _) = ordered(Some(Data { way_back: true, ..PROVEN }));
        assert_eq!(next.phase, Phase::ReturningData, "{phase:?}");
        assert_eq!(next.phase.sides(), Sides::Target, "the target serves while its data goes back");
        // A failure alone does not bring it back over what was written.
        let data = Some(Data { way_back: true, ..PROVEN });
        let (next, _) = ask(written(), wave(data), Seen { fits: Fits::Yes, health: Health::Failed }, at(1));
        assert_eq!(next.phase, phase);
    }
    let data = Data { way_back: true, returned: Proof::Passed, ..PROVEN };
    let returning = Progress { first_write: Some(at(0)), ..is(Phase::ReturningData) };
    assert_eq!(ask(returning, wave(Some(data)), well(), at(1)).0.phase, Phase::RollingBack);
    let (back, _) = ask(is(Phase::Soaking), Wave { rollback: true, ..wave(None) }, well(), at(1));
    assert_eq!(back.phase, Phase::RollingBack, "without data of its own it goes back at once");
}

#[test]
fn what_is_late_or_fails_before_any_write_goes_back_by_itself_and_a_new_try_needs_a_person() {
    let seen = |health| Seen { fits: Fits::Yes, health };
    let (waits, told) = ask(is(Phase::Trial), wave(None), seen(Health::OnTheWay), at(599));
    assert_eq!((waits.phase, told), (Phase::Trial, Wait::Moving));
    for (health, second) in [(Health::OnTheWay, 600), (Health::Failed, 1)] {
        let (next, _) = ask(is(Phase::CuttingOver), wave(None), seen(health), at(second));
        assert_eq!(next.phase, Phase::RollingBack);
        let (late, told) = ask(next, wave(None), seen(health), at(5_000));
        assert_eq!(late.phase, Phase::RollingBack, "there is nowhere else to go: {told:?}");
    }
    let (stays, told) = ask(is(Phase::RolledBack), wave(None), well(), at(1));
    assert_eq!((stays.phase, told), (Phase::RolledBack, Wait::Retry));
    let (again, _) = ask(stays, Wave { attempt: 2, rollback: true, ..wave(None) }, well(), at(2));
    assert_eq!((again.phase, again.attempt), (Phase::Waiting, 2));
}

#[test]
fn a_wave_waits_for_the_one_before_and_a_pause_holds_what_goes_forward() {
    let second = Wave { name: "two".to_owned(), ..wave(None) };
    let course = |paused| Course { waves: vec![wave(None), second.clone()], paused };
    let step = |phase: Phase, paused: bool, health| {
        let before = [("one".to_owned(), is(phase)), ("two".to_owned(), is(Phase::Waiting))].into();
        let seen = [("one".to_owned(), Seen { fits: Fits::Yes, health })].into();
        let step = migration(&before, &course(paused), &seen, at(1));
        step.waves.into_iter().map(|(_, progress, wait)| (progress.phase, wait)).collect::<Vec<_>>()
    };
    for phase in Phase::ALL.into_iter().filter(|phase| *phase != Phase::Completed) {
        let all = step(phase, false, Health::OnTheWay);
        assert_eq!(all[1], (Phase::Waiting, Wait::Earlier("one".to_owned())), "{phase:?}");
    }
    assert_eq!(step(Phase::Completed, false, Health::Well)[1].0, Phase::Assessing);
    assert_eq!(step(Phase::Completed, true, Health::Well)[1], (Phase::Waiting, Wait::Paused));
    assert_eq!(step(Phase::Trial, true, Health::Well)[0], (Phase::Trial, Wait::Paused));
    assert_eq!(step(Phase::Trial, true, Health::Failed)[0].0, Phase::RollingBack, "a failure is no progress");
    assert_eq!(step(Phase::RollingBack, true, Health::Well)[0].0, Phase::RolledBack);
}

/// Two clusters that do what is ordered: what is wanted there by the phase, moved by [`shift`].
#[derive(Clone, Copy, Debug)]
struct World {
    source: i64,
    target: i64,
}

const REPLICAS: i64 = 4;

impl World {
    /// What is decided for a side, from what it has now.
    fn wanted(self, sides: Sides) -> (i64, i64) {
        match sides {
            Sides::Untouched => (self.source, REPLICAS - self.source),
            Sides::Both => (REPLICAS - 1, 1),
            Sides::Target => (0, REPLICAS),
            Sides::Source => (REPLICAS, 0),
        }
    }

    /// One round of orders, with a target where nothing becomes ready unless it `works`.
    fn round(self, sides: Sides, works: bool) -> (Self, Health) {
        let wanted = self.wanted(sides);
        let part = |wanted: i64, ready: i64| {
            let seen = There {
                objects: ready > 0,
                ordered: ready,
                present: Some(ready),
                ready: Some(ready),
                started: ready > 0,
            };
            Part { wanted, seen: Some(seen), ..Part::default() }
        };
        let parts = [("a".to_owned(), part(wanted.0, self.source)), ("b".to_owned(), part(wanted.1, self.target))];
        let orders = shift(&parts.into(), Continuity::AddBeforeRemove);
        let has = |cluster: &str, now: i64, works: bool| match orders[cluster].0 {
            Action::Have(replicas) if works || replicas < now => replicas,
            Action::Have(_) | Action::Stay => now,
            Action::Remove | Action::Forget => 0,
        };
        let next = Self { source: has("a", self.source, true), target: has("b", self.target, works) };
        let there = (next.source, next.target) == wanted;
        (next, if there { Health::Well } else { Health::OnTheWay })
    }
}

fn proof() -> impl Strategy<Value = Proof> {
    prop_oneof![Just(Proof::Open), Just(Proof::Passed), Just(Proof::Passed), Just(Proof::Failed)]
}

fn any_wave() -> impl Strategy<Value = Wave> {
    let data = (proof(), proof(), any::<bool>(), any::<bool>(), proof()).prop_map(
        |(copied, compared, trial_writes, way_back, returned)| Data {
            copied,
            compared,
            trial_writes,
            way_back,
            returned,
        },
    );
    let boundary =
        prop_oneof![Just(Boundary::Copy), Just(Boundary::Trial), Just(Boundary::CutOver), Just(Boundary::Completion)];
    let gates = prop::collection::vec((boundary, proof()).prop_map(|(before, proof)| gate(before, proof)), 0..3);
    (prop::option::of(data), gates, any::<bool>(), any::<bool>(), 1..3_i64).prop_map(
        |(data, gates, trial, rollback, attempt)| Wave { data, gates, trial, rollback, attempt, ..wave(None) },
    )
}

fn any_seen() -> impl Strategy<Value = (Fits, bool, bool)> {
    let fits = prop_oneof![Just(Fits::Yes), Just(Fits::Yes), Just(Fits::Yes), Just(Fits::No(hitch()))];
    (fits, any::<bool>(), any::<bool>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// However gates, orders and members turn, all replicas serve on one side or the other, nothing starts on the target
    /// before it is known to fit, and no wave that has written returns its workloads without its data.
    #[test]
    fn never_a_state_where_neither_side_serves(
        turns in prop::collection::vec((any_wave(), any_seen(), 0..900_i64, any::<bool>()), 1..60),
    ) {
        let mut progress: BTreeMap<String, Progress> = BTreeMap::new();
        let mut world = World { source: REPLICAS, target: 0 };
        let (mut health, mut now) = (Health::Well, 0);
        for (wave, (fits, works, fails), seconds, paused) in turns {
            now += seconds;
            let before = progress.get("one").cloned().unwrap_or_default();
            if fails && before.phase.sides() != Sides::Untouched && health != Health::Well {
                health = Health::Failed;
            }
            let fitted = fits == Fits::Yes;
            let seen = [("one".to_owned(), Seen { fits, health })].into();
            let course = Course { waves: vec![wave.clone()], paused };
            let step = migration(&progress, &course, &seen, at(now));
            let (_, after, _) = step.waves[0].clone();
            let touched = |phase: Phase| matches!(phase.sides(), Sides::Both | Sides::Target);
            if touched(after.phase) && !touched(before.phase) {
                prop_assert!(fitted && wave.gates.iter().all(|gate| gate.before > Boundary::Trial || gate.proof == Proof::Passed));
                let data = wave.data.is_none_or(|data| data.compared == Proof::Passed);
                prop_assert!(data, "{before:?} -> {after:?}");
            }
            if after.phase == Phase::RollingBack && before.first_write.is_some() && before.phase != Phase::RollingBack {
                prop_assert_eq!(before.phase, Phase::ReturningData);
                prop_assert!(wave.data.is_none_or(|data| data.returned == Proof::Passed));
            }
            if after.phase == Phase::ReturningData && before.phase != Phase::ReturningData {
                prop_assert!(wave.rollback && wave.data.is_some_and(|data| data.way_back));
            }
            // The same question gives the same answer once it is written, and a wave moves by one phase at a time.
            progress = [("one".to_owned(), after.clone())].into();
            (world, health) = world.round(after.phase.sides(), works);
            prop_assert!(world.source + world.target >= REPLICAS, "{world:?} in {:?}", after.phase);
        }
    }

    /// Asked again at the same instant with the same eyes, a wave that waits stays where it is.
    #[test]
    fn what_waits_waits(wave in any_wave(), phase in 0..Phase::ALL.len(), seconds in 0..900_i64) {
        let seen = Seen { fits: Fits::Yes, health: Health::OnTheWay };
        let (one, wait) = ask(is(Phase::ALL[phase]), wave.clone(), seen.clone(), at(seconds));
        if one.phase == Phase::ALL[phase] && one.attempt == 1 {
            prop_assert_eq!(ask(one.clone(), wave, seen, at(seconds)), (one, wait));
        }
    }
}
