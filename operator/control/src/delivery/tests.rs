//! Members that hang, flood or lie; a gate that is shut; orders by push and by pull.

use std::collections::BTreeSet;
use std::sync::Mutex;

use futures::FutureExt;
use jiff::SignedDuration;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{DeliveredObject, Delivery, DeliveryState, ObjectState, SecretReference};
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_member::witness::{Outcome, Write};
use jiuzhou_member::{Knowledge, Secrets};
use jiuzhou_objects::secrets::{DigestKey, SecretManifest};
use jiuzhou_records::audit::{AuditError, Entry, FileLog, Kind, Options, Recorder};
use jiuzhou_world::{Clock, Controllers, Fault, Gate as Barrier, World};
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::audit::{Audit, AuditLog};
use super::*;
use crate::leader::{Gate, Term};

/// Worlds of members, and how they are reached.
#[derive(Clone)]
struct Fleet {
    clock: Clock,
    hub: World,
    members: Arc<Mutex<BTreeMap<String, World>>>,
    pull: bool,
    /// Asked for a way to a member while there is none; `None` while there is one.
    closed: Arc<Mutex<Option<usize>>>,
}

impl Fleet {
    fn new(names: &[&str], pull: bool) -> Self {
        let clock = Clock::default();
        let hub = World::hub("hub", clock.clone());
        let mut members = BTreeMap::new();
        for name in names {
            let namespace = meta::member_namespace(name);
            hub.seed(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
            let world = World::new(name, clock.clone());
            world.control(Controllers::all(1));
            members.insert((*name).to_owned(), world);
        }
        Self { clock, hub, members: Arc::new(Mutex::new(members)), pull, closed: Arc::default() }
    }

    fn member(&self, name: &str) -> World {
        self.members.lock().unwrap()[name].clone()
    }

    fn asked(&self, name: &str) -> Member {
        Member::new(name, self.member(name).client_named("hub"), Arc::new(Knowledge::default()))
    }
}

impl Ways for Fleet {
    fn way(&self, cluster: &str) -> Way {
        if let Some(asked) = &mut *self.closed.lock().unwrap() {
            *asked += 1;
            assert!(*asked < 1000, "it asks without end");
            return Way::Closed("held".to_owned());
        }
        if self.pull { Way::Pull } else { Way::Push(self.asked(cluster).within(Duration::from_secs(10)), 1) }
    }

    fn may_remove(&self, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn ready<'a>(&'a self, _: &'a str, _: &'a DeliverySpec) -> BoxFuture<'a, Result<(), String>> {
        async { Ok(()) }.boxed()
    }
}

/// A witness that lets everything through while it is open.
#[derive(Default)]
struct Door(std::sync::atomic::AtomicBool);

impl Door {
    fn open() -> Arc<Self> {
        Arc::new(Self(true.into()))
    }
}

impl Witness for Door {
    fn before<'a>(&'a self, _: &'a Write<'a>) -> BoxFuture<'a, Result<(), String>> {
        let open = self.0.load(std::sync::atomic::Ordering::Relaxed);
        async move { if open { Ok(()) } else { Err("not the leader".to_owned()) } }.boxed()
    }

    fn after<'a>(&'a self, _: &'a Write<'a>, _: Outcome) -> BoxFuture<'a, ()> {
        async {}.boxed()
    }
}

/// Deliveries at work, and the reports they make.
struct Scene {
    fleet: Fleet,
    deliveries: Deliveries,
    reports: mpsc::UnboundedReceiver<Report>,
}

impl Scene {
    fn new(fleet: &Fleet, witness: Arc<dyn Witness>) -> Self {
        let (sender, reports) = mpsc::unbounded_channel();
        let clock = fleet.clock.clone();
        let parts = Parts {
            hub: fleet.hub.client_named("operator"),
            ways: Arc::new(fleet.clone()),
            witness,
            reports: sender,
            clock: Arc::new(move || clock.now()),
            pace: Pace::default(),
        };
        Self { fleet: fleet.clone(), deliveries: Deliveries::new(parts), reports }
    }

    /// The next report of a member.
    async fn report(&mut self, cluster: &str) -> Option<Report> {
        let next = async {
            loop {
                let report = self.reports.recv().await?;
                if report.cluster == cluster {
                    return Some(report);
                }
            }
        };
        timeout(Duration::from_secs(30), next).await.unwrap_or_default()
    }

    /// Gives an order and waits until the member is as wanted.
    async fn arrive(&mut self, order: &Arc<Order>) {
        self.deliveries.give(Arc::clone(order));
        let cluster = order.delivery.cluster.to_string();
        for _ in 0..50 {
            let report = self.report(&cluster).await.expect("a report");
            let status = report.status.expect("a status");
            if desk::is(&status, jiuzhou_api::conditions::ControllerReason::AsWanted) {
                return;
            }
            self.fleet.member(&cluster).settle();
        }
        panic!("never as wanted");
    }
}

fn config(name: &str) -> DeliveredObject {
    let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "1"}, "metadata": {"name": name,
        "namespace": "bureau", "labels": {"jiuzhou.dev/workload": "web", "jiuzhou.dev/object": name},
        "annotations": {"jiuzhou.dev/owner": "bureau/web"}}});
    DeliveredObject { name: name.into(), manifest: Some(manifest), ..DeliveredObject::default() }
}

/// A kind whose objects our own account may list.
fn service(name: &str) -> DeliveredObject {
    let mut object = config(name);
    if let Some(manifest) = &mut object.manifest {
        manifest["kind"] = json!("Service");
        manifest["spec"] = json!({"ports": [{"port": 80}], "selector": {"app": name}});
        manifest.as_object_mut().expect("an object").remove("data");
    }
    object
}

fn order(cluster: &str, epoch: i64, objects: Vec<DeliveredObject>, secrets: Vec<SecretManifest>) -> Arc<Order> {
    let delivery = DeliverySpec {
        cluster: cluster.into(),
        workload: WorkloadReference { namespace: "bureau".into(), name: "web".into() },
        tenant: "bureau-tenant".into(),
        decision: format!("sha256:{}", "1".repeat(64)).into(),
        epoch,
        objects,
        ..DeliverySpec::default()
    };
    Arc::new(Order { delivery, secrets })
}

fn password() -> (DeliveredObject, SecretManifest) {
    let mut manifest = config("password").manifest.unwrap();
    manifest["kind"] = "Secret".into();
    manifest["data"] = json!({"password": "Y2FuYXJ5LXdvcmQ="});
    let secret = SecretManifest::new(manifest, "bureau/web", &DigestKey::new(*b"key")).unwrap();
    let reference = SecretReference { name: secret.name().into(), digest: secret.digest().to_string().into() };
    (DeliveredObject { name: "password".into(), secret: Some(reference), ..DeliveredObject::default() }, secret)
}

/// Objects that somebody changed in a world since its log was cleared.
fn writes(world: &World, client: &str) -> Vec<String> {
    let log = world.log().into_iter().filter(|entry| entry.wrote && entry.client == client);
    log.map(|entry| format!("{} {}", entry.verb, entry.resource)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_delays_nobody_else() {
    let fleet = Fleet::new(&["dali", "kunming"], false);
    let barrier = Barrier::new();
    let held = barrier.clone();
    fleet.member("dali").intercept(move |_| Some(Fault::Hold(held.clone())));
    let mut scene = Scene::new(&fleet, Door::open());
    for epoch in 1..=20 {
        scene.deliveries.give(order("dali", epoch, vec![config("settings")], vec![]));
    }
    let start = Instant::now();
    scene.arrive(&order("kunming", 1, vec![config("settings")], vec![])).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(scene.report("dali").await.is_none(), "nothing was seen there");
    fleet.member("dali").heal();
    barrier.open();
    let report = scene.report("dali").await.expect("it answers again");
    assert_eq!(report.status.unwrap().epoch, Some(20), "only the last order counts");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_changes_all_the_time_is_looked_at_once_in_a_while() {
    let fleet = Fleet::new(&["dali"], false);
    let mut scene = Scene::new(&fleet, Door::open());
    scene.arrive(&order("dali", 1, vec![service("settings")], vec![])).await;
    let world = fleet.member("dali");
    world.clear_log();
    let api: Api<k8s_openapi::api::core::v1::Service> = Api::namespaced(world.client_named("somebody"), "bureau");
    for number in 0..200 {
        let patch = json!({"metadata": {"annotations": {"n": number.to_string()}}});
        api.patch("settings", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let looks = world.log().iter().filter(|e| e.client == "hub" && e.verb == "get" && e.name == "settings").count();
    assert!((5..=15).contains(&looks), "{looks} looks in 10 seconds");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_changes_while_it_is_closed_is_looked_at_when_it_is_open_again() {
    let fleet = Fleet::new(&["dali"], false);
    let mut scene = Scene::new(&fleet, Door::open());
    scene.arrive(&order("dali", 1, vec![service("settings")], vec![])).await;
    let world = fleet.member("dali");
    *fleet.closed.lock().unwrap() = Some(0);
    world.clear_log();
    let api: Api<k8s_openapi::api::core::v1::Service> = Api::namespaced(world.client_named("somebody"), "bureau");
    for number in ["1", "2"] {
        let patch = json!({"metadata": {"annotations": {"n": number}}});
        api.patch("settings", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    let asked = fleet.closed.lock().unwrap().take().unwrap();
    assert!((1..10).contains(&asked), "asked {asked} times for a way");
    let looks = || world.log().iter().filter(|e| e.client == "hub" && e.verb == "get" && e.name == "settings").count();
    assert_eq!(looks(), 0, "nobody may go there");
    scene.deliveries.wake("dali");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(looks(), 1, "one look for all that changed");
}

#[tokio::test(start_paused = true)]
async fn silence_is_not_reported_and_a_restart_writes_nothing() {
    let fleet = Fleet::new(&["dali"], false);
    let mut scene = Scene::new(&fleet, Door::open());
    let standing = order("dali", 1, vec![config("settings")], vec![]);
    scene.arrive(&standing).await;
    let world = fleet.member("dali");
    world.intercept(|_| Some(Fault::Break));
    scene.deliveries.wake("dali");
    assert!(scene.report("dali").await.is_none());
    world.heal();
    world.clear_log();
    drop(scene);
    let mut scene = Scene::new(&fleet, Door::open());
    scene.arrive(&standing).await;
    assert_eq!(writes(&world, "hub"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_while_the_gate_is_shut() {
    let fleet = Fleet::new(&["dali"], false);
    let door = Arc::new(Door::default());
    let mut scene = Scene::new(&fleet, door.clone());
    let standing = order("dali", 1, vec![config("settings")], vec![]);
    scene.deliveries.give(Arc::clone(&standing));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(writes(&fleet.member("dali"), "hub"), Vec::<String>::new());
    door.0.store(true, std::sync::atomic::Ordering::Relaxed);
    scene.arrive(&standing).await;
    assert_eq!(writes(&fleet.member("dali"), "hub"), ["create namespaces", "patch configmaps"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_member_has_without_an_order_is_looked_at_when_asked() {
    let fleet = Fleet::new(&["dali"], false);
    let mut scene = Scene::new(&fleet, Door::open());
    let workload = WorkloadReference { namespace: "bureau".into(), name: "web".into() };
    let question = || Look { workload: workload.clone(), tenant: "t".into(), manifests: BTreeSet::new() };
    let world = fleet.member("dali");
    world.intercept(|request| (request.target.plural == "pods").then(|| Fault::code(503)));
    scene.deliveries.look("dali", question());
    assert!(scene.report("dali").await.is_none(), "a list that fails is no answer");
    world.heal();
    scene.deliveries.wake("dali");
    let report = scene.report("dali").await.expect("an answer");
    assert_eq!((report.workload, report.status), (WorkloadKey::new("bureau", "web"), None));
    scene.arrive(&order("dali", 1, vec![config("settings")], vec![])).await;
    let mut scene = Scene::new(&fleet, Door::open());
    scene.deliveries.look("dali", question());
    let status = scene.report("dali").await.and_then(|report| report.status).expect("something");
    assert_eq!(status.objects.len(), 1);
}

/// Does what the agent does for the one stored order.
async fn agent(fleet: &Fleet, cluster: &str) {
    let client = fleet.hub.client_named("agent");
    let namespace = meta::member_namespace(cluster);
    let api: Api<Delivery> = Api::namespaced(client.clone(), &namespace);
    let stored = api.get("bureau.web").await.expect("a stored order");
    let mut secrets = Secrets::new();
    for wanted in stored.spec.objects.iter().filter_map(|object| object.secret.as_ref()) {
        let secret = fleet.hub.object("v1", "Secret", &namespace, &wanted.name).expect("a stored Secret");
        secrets.insert(wanted.name.to_string(), SecretManifest::read(&secret).unwrap());
    }
    let recorded = stored.status.clone().unwrap_or_default();
    let mut spec = stored.spec.clone();
    for object in &mut spec.objects {
        let Some(wanted) = object.blob.clone() else { continue };
        let map = fleet.hub.object("v1", "ConfigMap", &namespace, &wanted.name).expect("a stored manifest");
        jiuzhou_objects::blob::fill(object, jiuzhou_objects::blob::read(&map, &wanted).expect("the one it names"));
    }
    let member = fleet.asked(cluster);
    let mut status = jiuzhou_member::deliver(&member, &spec, &secrets, &recorded, fleet.clock.now()).await;
    fleet.clock.advance(SignedDuration::from_secs(60));
    fleet.member(cluster).settle();
    status = jiuzhou_member::deliver(&member, &spec, &secrets, &status, fleet.clock.now()).await;
    status.observed_generation = stored.metadata.generation;
    let patch = json!({"status": status});
    api.patch_status("bureau.web", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn by_pull_an_order_is_stored_with_its_secrets_and_both_go_when_all_is_gone() {
    let fleet = Fleet::new(&["dali"], true);
    let mut scene = Scene::new(&fleet, Door::open());
    let (object, secret) = password();
    let standing = order("dali", 1, vec![config("settings"), object], vec![secret.clone()]);
    scene.deliveries.give(Arc::clone(&standing));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(writes(&fleet.hub, "operator"), ["create secrets", "patch deliveries.jiuzhou.dev"]);
    agent(&fleet, "dali").await;
    let seen = scene.report("dali").await.and_then(|report| report.status).expect("what the agent told");
    assert_eq!(seen.epoch, Some(1));
    assert!(fleet.member("dali").object("v1", "Secret", "bureau", "password").is_some());

    // A restart stores nothing again and still tells.
    fleet.hub.clear_log();
    drop(scene);
    let mut scene = Scene::new(&fleet, Door::open());
    scene.deliveries.give(standing);
    assert_eq!(scene.report("dali").await.and_then(|report| report.status), Some(seen.clone()));
    assert_eq!(writes(&fleet.hub, "operator"), Vec::<String>::new());

    // Without the password its Secret goes, once the agent has carried that out.
    let namespace = meta::member_namespace("dali");
    scene.deliveries.give(order("dali", 2, vec![config("settings")], vec![]));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(fleet.hub.object("v1", "Secret", &namespace, secret.name()).is_some(), "not yet");
    agent(&fleet, "dali").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(fleet.hub.object("v1", "Secret", &namespace, secret.name()).is_none());

    let mut removal = order("dali", 3, vec![], vec![]);
    let delivery = &mut Arc::get_mut(&mut removal).unwrap().delivery;
    delivery.state = DeliveryState::Removing;
    delivery.removing = seen.objects.iter().filter_map(|object| object.identity.clone()).collect();
    scene.deliveries.give(removal);
    tokio::time::sleep(Duration::from_secs(2)).await;
    agent(&fleet, "dali").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut last = None;
    while let Ok(report) = scene.reports.try_recv() {
        last = report.status;
    }
    assert!(last.unwrap().objects.iter().all(|object| object.state == ObjectState::Gone));
    assert!(fleet.hub.object("jiuzhou.dev/v1alpha1", "Delivery", &namespace, "bureau.web").is_none());
    assert!(fleet.hub.refused().is_empty(), "{:?}", fleet.hub.refused());
}

#[tokio::test(start_paused = true)]
async fn by_pull_a_large_manifest_stands_beside_its_order_and_goes_when_nothing_names_it() {
    let fleet = Fleet::new(&["dali"], true);
    let mut scene = Scene::new(&fleet, Door::open());
    let namespace = meta::member_namespace("dali");
    let large = |letter: &str| {
        let mut object = config("settings");
        let manifest = object.manifest.as_mut().unwrap();
        manifest["data"] = json!({ "text": letter.repeat(jiuzhou_objects::blob::LARGE) });
        object
    };
    let apart = || {
        let maps = fleet.hub.objects("v1", "ConfigMap");
        let names = maps.iter().map(|map| map["metadata"]["name"].as_str().unwrap_or_default().to_owned());
        names.filter(|name| name.starts_with("blob-")).collect::<Vec<_>>()
    };
    let standing = order("dali", 1, vec![large("a")], vec![]);
    scene.deliveries.give(Arc::clone(&standing));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(writes(&fleet.hub, "operator"), ["create configmaps", "patch deliveries.jiuzhou.dev"]);
    let stored = fleet.hub.object("jiuzhou.dev/v1alpha1", "Delivery", &namespace, "bureau.web").expect("an order");
    assert!(stored.to_string().len() < 10_000, "the order itself is small");
    let first = apart();
    assert_eq!(first.len(), 1);
    let map = fleet.hub.object("v1", "ConfigMap", &namespace, &first[0]).expect("the manifest");
    assert_eq!(map["immutable"], json!(true));
    agent(&fleet, "dali").await;
    assert_eq!(scene.report("dali").await.and_then(|report| report.status).and_then(|status| status.epoch), Some(1));
    let there = fleet.member("dali").object("v1", "ConfigMap", "bureau", "settings").expect("the object");
    assert_eq!(there["data"]["text"].as_str().map(str::len), Some(jiuzhou_objects::blob::LARGE));

    // A restart stores nothing again.
    fleet.hub.clear_log();
    drop(scene);
    let mut scene = Scene::new(&fleet, Door::open());
    scene.deliveries.give(standing);
    assert!(scene.report("dali").await.is_some());
    assert_eq!(writes(&fleet.hub, "operator"), Vec::<String>::new());

    // Another content is another name; the former goes once the agent has carried the new order out.
    scene.deliveries.give(order("dali", 2, vec![large("b")], vec![]));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(apart().len(), 2, "not yet");
    agent(&fleet, "dali").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(apart().len() == 1 && apart() != first);
    scene.deliveries.give(order("dali", 3, vec![config("settings")], vec![]));
    tokio::time::sleep(Duration::from_secs(2)).await;
    agent(&fleet, "dali").await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(apart(), Vec::<String>::new());
    assert!(fleet.hub.refused().is_empty(), "{:?}", fleet.hub.refused());
}

#[tokio::test]
async fn every_write_is_recorded_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = FileLog::open(folder.path(), Options::new("hub")).unwrap();
    let recorder = Arc::new(Recorder::start(log).unwrap());
    let fleet = Fleet::new(&["dali"], false);
    let clock = fleet.clock.clone();
    let now: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(move || clock.now());
    let audit = Audit::new(recorder.clone(), Gate::alone(Term(1)), now, "jiuzhou-operator");
    let mut scene = Scene::new(&fleet, Arc::new(audit));
    scene.arrive(&order("dali", 1, vec![config("settings")], vec![])).await;
    let records = recorder.read(0, 100).unwrap();
    let told: Vec<String> = records
        .iter()
        .map(|record| {
            let entry = serde_json::to_value(&record.entry).unwrap();
            format!("{} {} {}", entry["kind"], entry["objects"][0]["kind"], entry["result"]["outcome"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        told,
        [
            "WriteIntent Namespace null",
            "WriteOutcome Namespace Done",
            "WriteIntent ConfigMap null",
            "WriteOutcome ConfigMap Done",
        ]
    );
}

/// A log that is full.
struct Full;

impl AuditLog for Full {
    fn append(&self, _: u64, entry: Entry) -> BoxFuture<'static, Result<(), AuditError>> {
        assert_eq!(entry.kind, Kind::WriteIntent, "no outcome of what was not written");
        async { Err(AuditError::Closed) }.boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_recorded_is_not_written() {
    let fleet = Fleet::new(&["dali"], false);
    let now: Arc<dyn Fn() -> Timestamp + Send + Sync> = Arc::new(|| Timestamp::UNIX_EPOCH);
    let audit = Audit::new(Arc::new(Full), Gate::alone(Term(1)), now, "jiuzhou-operator");
    let scene = Scene::new(&fleet, Arc::new(audit));
    scene.deliveries.give(order("dali", 1, vec![config("settings")], vec![]));
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(writes(&fleet.member("dali"), "hub"), Vec::<String>::new());
}
