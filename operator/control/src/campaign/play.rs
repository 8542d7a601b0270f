//! Plays one case and asks the questions of the end: the same end as without the fault, quiet, nothing written by a
//! restart, every recorded decision replays to its bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jiuzhou_engine::decide;
use jiuzhou_world::{Entry, WatchFault};
use serde_json::{Value, json};

use super::cases::{Case, OnWrite, What, is_write};
use super::judge::Judge;
use super::stories::{CLUSTERS, NAMESPACE, PORTAL, REGISTER, Story, fleet, workloads};
use crate::error::Error;
use crate::record::journal;
use crate::stop::{Stop, Stopper};
use crate::testing::Hub;

/// A hub on which a story is played.
pub(super) struct Stage {
    hub: Hub,
    judge: Judge,
    running: Option<(tokio::task::JoinHandle<Result<(), Error>>, Stopper)>,
}

/// How a story ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct End(Value);

impl Stage {
    /// A fleet at rest, with both workloads placed unless the story places them.
    pub(super) async fn set(story: Story) -> Self {
        let mut objects = fleet();
        if !story.begins_empty() {
            objects.extend(workloads());
        }
        let hub = Hub::with(&objects).await;
        let unwell = (story == Story::Unwell).then_some(CLUSTERS[0]);
        let judge = Judge::new(hub.world.clone(), hub.folder.path().to_path_buf(), unwell);
        let witness = judge.clone();
        *hub.members.witness.lock().expect("a lock") = Some(Box::new(move |order, there| witness.look(order, there)));
        let mut stage = Self { hub, judge, running: None };
        stage.start();
        stage.rest().await;
        stage.hub.world.clear_log();
        stage
    }

    fn start(&mut self) {
        let (stopper, stop) = Stop::new();
        self.running = Some((self.hub.start(stop), stopper));
    }

    /// Ends the operator between two instructions.
    async fn kill(&mut self) {
        if let Some((running, stopper)) = self.running.take() {
            running.abort();
            let _ = running.await;
            drop(stopper);
        }
    }

    async fn stop(&mut self) {
        if let Some((running, stopper)) = self.running.take() {
            stopper.stop();
            let _ = running.await;
        }
    }

    /// Waits until nothing is asked any more; an operator that ended by itself is started anew, as a pod is.
    async fn rest(&mut self) {
        for _ in 0..20 {
            self.hub.quiet().await;
            if self.running.as_ref().is_some_and(|(running, _)| !running.is_finished()) {
                return;
            }
            self.kill().await;
            self.start();
        }
        panic!("the operator ends again and again");
    }

    /// Plays a story without a fault.
    pub(super) async fn without_fault(story: Story) -> (End, Vec<Entry>) {
        let mut stage = Self::set(story).await;
        story.play(&stage.hub).await;
        stage.rest().await;
        let log = stage.hub.world.log().into_iter().filter(|entry| entry.client == "operator").collect();
        let end = stage.end();
        assert_eq!(stage.judge.found(), Vec::<String>::new(), "{} without a fault", story.name());
        stage.stop().await;
        (end, log)
    }

    fn end(&self) -> End {
        let replicas = |name: &str| json!(self.hub.members.replicas(NAMESPACE, name));
        let conditions = |name: &str| {
            let workload = self.hub.object("FleetWorkload", NAMESPACE, name);
            let ready = workload.is_some().then(|| self.hub.ready(NAMESPACE, name));
            json!(ready)
        };
        let clusters = |name: &str| {
            let placement = self.hub.object("FleetPlacement", NAMESPACE, name).unwrap_or_default();
            placement["spec"]["clusters"].clone()
        };
        let contents = |name: &str| json!(self.hub.members.contents(NAMESPACE, name));
        let of = |name| json!({ "has": contents(name), "runs": replicas(name), "ready": conditions(name), "placed": clusters(name) });
        End(json!({ PORTAL: of(PORTAL), REGISTER: of(REGISTER) }))
    }

    /// What is told of both workloads and their placements.
    fn statuses(&self) -> Value {
        let of = |kind: &str, name: &str| self.hub.object(kind, NAMESPACE, name).unwrap_or_default()["status"].clone();
        let both =
            |name: &str| json!({ "workload": of("FleetWorkload", name), "placement": of("FleetPlacement", name) });
        json!({ PORTAL: both(PORTAL), REGISTER: both(REGISTER) })
    }

    /// What is wrong at the end, everything healed and at rest.
    async fn wrong(mut self, story: Story, wanted: &End) -> Vec<String> {
        let mut wrong = self.judge.found();
        let end = self.end();
        if !story.ends_alike(&end.0, &wanted.0) {
            wrong.push(format!("ends as {}, without the fault as {}", end.0, wanted.0));
        }
        self.stop().await;
        self.hub.world.clear_log();
        let before = self.statuses();
        self.start();
        self.rest().await;
        let moved = changed(&before, &self.statuses());
        for write in self.hub.writes() {
            wrong.push(format!("a restart writes {} {}/{}: {moved}", write.verb, write.resource, write.subresource));
        }
        self.stop().await;
        let replayed = journal::read::<Error>(self.hub.folder.path(), |decided| {
            let again = decide::replay(decided.input).expect("a fleet");
            if (again.sha256, again.sm3) != (decided.sha256, decided.sm3) {
                wrong.push("a recorded decision replays to other bytes".to_owned());
            }
            Ok(())
        });
        if let Err(error) = replayed {
            wrong.push(format!("the journal does not read: {error}"));
        }
        wrong
    }
}

/// The first place at which two values differ, with both.
fn changed(one: &Value, other: &Value) -> String {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            let of = |key: &str, all: &serde_json::Map<String, Value>| all.get(key).cloned().unwrap_or_default();
            let first = keys.into_iter().find(|key| one.get(*key) != other.get(*key));
            first.map(|key| format!("{key}/{}", changed(&of(key, one), &of(key, other)))).unwrap_or_default()
        }
        _ if one == other => String::new(),
        _ => format!("{one} -> {other}"),
    }
}

/// Plays one case; what is wrong with it, or nothing.
pub(super) async fn play(case: &Case, wanted: &End) -> Vec<String> {
    let mut stage = Stage::set(case.story).await;
    match &case.what {
        What::Write(number, fault) => on_write(&mut stage, case.story, *number, *fault).await,
        What::List(resource, fault) => {
            stage.stop().await;
            let done = AtomicBool::new(false);
            let (plural, fault) = (resource.clone(), *fault);
            stage.hub.world.intercept(move |request| {
                let list = request.method == http::Method::GET && request.target.plural == plural;
                let list = list && request.target.name.is_empty() && !request.flag("watch");
                (list && !done.swap(true, Ordering::Relaxed)).then(|| fault.fault())
            });
            stage.start();
            stage.rest().await;
            if fault.is_lie() {
                // Who believed it did no harm; who reads anew knows.
                stage.kill().await;
                stage.hub.world.heal();
                stage.start();
                stage.rest().await;
            }
            case.story.play(&stage.hub).await;
            stage.rest().await;
        }
        What::Watch(resource, fault) => {
            let of_it = |request: &jiuzhou_world::Request| request.target.plural == *resource;
            stage.hub.world.fault_watches(of_it, Some(*fault));
            case.story.play(&stage.hub).await;
            stage.rest().await;
            stage.hub.world.heal();
            if *fault == WatchFault::Stall {
                stage.hub.world.fault_watches(of_it, Some(WatchFault::Cut));
            }
            stage.rest().await;
        }
    }
    stage.hub.world.heal();
    // Whatever waits for a retry has had its time.
    tokio::time::sleep(Duration::from_secs(180)).await;
    stage.rest().await;
    case.story.afterwards(&stage.hub).await;
    stage.rest().await;
    stage.wrong(case.story, wanted).await
}

/// Plays the story with a fault at one of its writes. After a crash nothing of the dead operator arrives any more.
async fn on_write(stage: &mut Stage, story: Story, number: usize, fault: OnWrite) {
    let (seen, hit) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (counter, flag) = (Arc::clone(&seen), Arc::clone(&hit));
    let interceptor = stage.hub.world.intercept(move |request| {
        if request.client != "operator" || !is_write(request.method.as_str()) {
            return (fault.is_crash() && flag.load(Ordering::Relaxed) && request.client == "operator")
                .then_some(jiuzhou_world::Fault::Break);
        }
        let now = counter.fetch_add(1, Ordering::Relaxed);
        if now == number {
            flag.store(true, Ordering::Relaxed);
            return Some(fault.fault());
        }
        (now > number && fault.is_crash()).then_some(jiuzhou_world::Fault::Break)
    });
    let playing = story.play(&stage.hub);
    playing.await;
    if fault.is_crash() {
        for _ in 0..400 {
            if hit.load(Ordering::Relaxed) {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        stage.kill().await;
        stage.hub.world.release(interceptor);
        stage.start();
    }
    stage.rest().await;
}
