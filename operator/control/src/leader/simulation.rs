//! Elections under bad luck, on a paused clock: slow, lost and late requests, crashes, restarts, partitions.
//!
//! The store applies a request at some moment after it was sent, even when the sender has given up, as an API server
//! does. What must hold at every moment: at most one gate is open; two gates are never open to members within the
//! longest request of each other, unless the lease was given back; every term has one owner and terms only grow.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;
use tokio::time::sleep;

use super::*;

const MILLIS: fn(u64) -> Duration = Duration::from_millis;

/// A little generator, so that a seed names a whole run.
struct Dice(u64);

impl Dice {
    /// A number below `sides` (SplitMix64).
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// The hub, and the network to it.
struct World {
    lease: Option<Held>,
    version: u64,
    dice: Dice,
    /// Who holds which term; for the check that a term has one owner.
    owners: BTreeMap<u64, String>,
    /// Requests of these are lost.
    cut_off: Option<String>,
}

#[derive(Clone)]
struct Store {
    world: Arc<Mutex<World>>,
    identity: String,
}

impl Store {
    /// How a request fares: time to the hub, time back, whether it is lost on the way there or back.
    fn journey(&self) -> (Duration, Duration, bool, bool) {
        let mut world = self.world.lock().unwrap();
        let slow = world.dice.roll(10) == 0;
        let mut leg = || MILLIS(if slow { world.dice.roll(9_000) } else { world.dice.roll(200) });
        let (there, back) = (leg(), leg());
        let cut = world.cut_off.as_deref() == Some(self.identity.as_str());
        (there, back, cut || world.dice.roll(12) == 0, world.dice.roll(12) == 0)
    }

    /// Carries out a request in a task of its own, so that giving up does not take it back.
    async fn send<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut World) -> Result<T, LeaseError> + Send + 'static,
    ) -> Result<T, LeaseError> {
        let (there, back, lost, unanswered) = self.journey();
        let world = Arc::clone(&self.world);
        let answer = tokio::spawn(async move {
            sleep(there).await;
            if lost {
                return Err(LeaseError::Hub("lost".into()));
            }
            let answer = act(&mut world.lock().unwrap());
            sleep(back).await;
            if unanswered { Err(LeaseError::Hub("no answer".into())) } else { answer }
        });
        answer.await.unwrap()
    }
}

impl LeaseStore for Store {
    async fn read(&self) -> Result<Option<Held>, LeaseError> {
        self.send(|world| Ok(world.lease.clone())).await
    }

    async fn write(&self, lease: Held) -> Result<String, LeaseError> {
        let identity = self.identity.clone();
        self.send(move |world| {
            let present = world.lease.as_ref().map_or("", |lease| &lease.version);
            if present != lease.version {
                return Err(LeaseError::Conflict);
            }
            let owner = world.owners.entry(lease.term).or_insert_with(|| identity.clone());
            assert_eq!(*owner, identity, "term {} has two owners", lease.term);
            assert!(world.owners.keys().next_back() <= Some(&lease.term), "term {} goes back", lease.term);
            world.version += 1;
            let version = world.version.to_string();
            world.lease = Some(Held { version: version.clone(), ..lease });
            Ok(version)
        })
        .await
    }
}

fn settings(identity: &str, floor: u64) -> Settings {
    Settings {
        duration: MILLIS(3_000),
        renew_every: MILLIS(1_000),
        longest_request: MILLIS(6_000),
        ..Settings::new(identity, floor)
    }
}

/// What the run showed.
#[derive(Debug, Default)]
struct Seen {
    led: u32,
    terms: BTreeMap<u64, String>,
}

/// Runs three processes for a minute and a half, with crashes, partitions and deletions of the lease.
async fn campaign(seed: u64) -> Seen {
    let dice = Dice(seed);
    let world = World { lease: None, version: 0, dice, owners: BTreeMap::new(), cut_off: None };
    let world = Arc::new(Mutex::new(world));
    let start = |number: usize, life: u32, floor: u64| {
        let identity = format!("p{number}.{life}");
        let store = Store { world: Arc::clone(&world), identity: identity.clone() };
        (Leader::start(store, settings(&identity, floor)), identity)
    };
    let mut processes: Vec<_> = (0..3).map(|number| start(number, 0, 0)).collect();
    let mut last_open: Option<(String, Instant)> = None;
    let mut seen = Seen::default();
    for tick in 1..1_800_u32 {
        sleep(MILLIS(50)).await;
        let open: Vec<_> = processes.iter().filter(|(leader, _)| leader.gate().check().is_ok()).collect();
        assert!(
            open.len() <= 1,
            "two leaders at tick {tick}: {:?}",
            open.iter().map(|(_, who)| who).collect::<Vec<_>>()
        );
        for (leader, who) in open {
            seen.led += 1;
            let term = leader.gate().check().unwrap();
            assert_eq!(*seen.terms.entry(term.0).or_insert_with(|| who.clone()), *who, "one term, two leaders");
            if leader.gate().check_member().is_ok() {
                if let Some((before, until)) = last_open.as_ref().filter(|(before, _)| before != who) {
                    let apart = Instant::now() - *until;
                    assert!(apart >= MILLIS(6_000), "{who} writes to members {apart:?} after {before}");
                }
                last_open = Some((who.clone(), Instant::now()));
            }
        }
        let event = world.lock().unwrap().dice.roll(300);
        let number = usize::try_from(world.lock().unwrap().dice.roll(3)).unwrap();
        match event {
            // A crash: no goodbye. The next life reads the highest term from its audit log.
            0 => {
                let floor = world.lock().unwrap().owners.keys().next_back().copied().unwrap_or(0);
                let next = start(number, tick, floor);
                drop(std::mem::replace(&mut processes[number], next));
            }
            1 => {
                let cut = processes[number].1.clone();
                world.lock().unwrap().cut_off = Some(cut);
            }
            2 | 3 => world.lock().unwrap().cut_off = None,
            _ => {}
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn at_most_one_process_leads_whatever_happens(seed in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let seen = runtime.block_on(campaign(seed));
        // A run in which nobody ever leads would show nothing.
        prop_assert!(seen.led > 100 && !seen.terms.is_empty(), "{seen:?}");
    }
}

fn calm() -> Arc<Mutex<World>> {
    Arc::new(Mutex::new(World { lease: None, version: 0, dice: Dice(0), owners: BTreeMap::new(), cut_off: None }))
}

/// A store without bad luck.
struct Direct(Arc<Mutex<World>>);

impl LeaseStore for Direct {
    async fn read(&self) -> Result<Option<Held>, LeaseError> {
        Ok(self.0.lock().unwrap().lease.clone())
    }

    async fn write(&self, lease: Held) -> Result<String, LeaseError> {
        if self.0.lock().unwrap().cut_off.is_some() {
            std::future::pending::<()>().await;
        }
        let mut world = self.0.lock().unwrap();
        if world.lease.as_ref().map_or("", |lease| &lease.version) != lease.version {
            return Err(LeaseError::Conflict);
        }
        world.version += 1;
        let version = world.version.to_string();
        world.lease = Some(Held { version: version.clone(), ..lease });
        Ok(version)
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_release_the_next_leader_starts_at_once() {
    let world = calm();
    let first = Leader::start(Direct(Arc::clone(&world)), settings("first", 0));
    let second = Leader::start(Direct(Arc::clone(&world)), settings("second", 0));
    let mut claim = first.claim();
    let term = claim.wait_for(Option::is_some).await.unwrap().unwrap();
    assert_eq!(first.gate().check_member(), Ok(term), "a new hub has nobody to wait for");
    let gate = first.gate();
    first.release().await;
    assert_eq!(gate.check(), Err(NotLeader::NotHeld));
    let mut claim = second.claim();
    let before = Instant::now();
    let next = claim.wait_for(Option::is_some).await.unwrap().unwrap();
    assert!(before.elapsed() <= MILLIS(1_000), "one look later");
    assert!(next > term);
    assert_eq!(second.gate().check_member(), Ok(next));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_shuts_its_gate_before_the_lease_ends_and_says_so() {
    let world = calm();
    let leader = Leader::start(Direct(Arc::clone(&world)), settings("me", 0));
    let mut claim = leader.claim();
    claim.wait_for(Option::is_some).await.unwrap();
    world.lock().unwrap().cut_off = Some("me".into());
    let cut = Instant::now();
    claim.wait_for(Option::is_none).await.unwrap();
    assert!(cut.elapsed() < MILLIS(3_000), "{:?}", cut.elapsed());
    assert_eq!(leader.gate().check(), Err(NotLeader::NotHeld));
    world.lock().unwrap().cut_off = None;
    let again = claim.wait_for(Option::is_some).await.unwrap().unwrap();
    assert!(again > Term(1), "the same process leads again in another term");
    assert!(matches!(leader.gate().check_member(), Err(NotLeader::Settling(_))));
}
