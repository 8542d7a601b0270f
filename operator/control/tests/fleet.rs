//! The fleet on worlds in memory: what a good member becomes, and what a bad one may cost.
//!
//! A hub and members are API servers of `jiuzhou-world`; only TLS is replaced. Time is tokio's paused clock.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::v1alpha1::{DeliverySpec, ObjectIdentity};
use jiuzhou_control::Stop;
use jiuzhou_control::delivery::Ways as _;
use jiuzhou_control::fleet::{Access, Dial, Fleet, Members, Outlook, Roads, Settings};
use jiuzhou_control::leader;
use jiuzhou_control::metrics::Metrics;
use jiuzhou_member::claim::Hub;
use jiuzhou_member::connection::{Connection, Endpoint, Limits, transport};
use jiuzhou_world::{Clock, Fault, World};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A hub with members by name.
struct Scene {
    hub: World,
    members: BTreeMap<String, World>,
    behind: Arc<Mutex<BTreeMap<String, World>>>,
    metrics: Arc<Metrics>,
    /// ConfigMaps and Secrets that deliveries have in members.
    unlisted: BTreeMap<String, BTreeMap<String, i32>>,
}

/// A running fleet.
struct Running {
    members: Members,
    stopper: Option<jiuzhou_control::Stopper>,
    task: JoinHandle<()>,
    outlook: watch::Sender<Arc<Outlook>>,
}

impl Scene {
    fn new(names: &[&str]) -> Self {
        let scene = Self::of_hub("hub");
        names.iter().fold(scene, |scene, name| scene.with(name, &kubeconfig(name)))
    }

    fn of_hub(name: &str) -> Self {
        let hub = World::hub(name, Clock::default());
        hub.seed(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "jiuzhou-system" } }));
        Self {
            hub,
            members: BTreeMap::new(),
            behind: Arc::default(),
            metrics: Arc::default(),
            unlisted: BTreeMap::new(),
        }
    }

    /// Adds a member whose Secret holds this kubeconfig.
    fn with(mut self, name: &str, kubeconfig: &Value) -> Self {
        let world = member(name);
        self.behind.lock().unwrap().insert(name.to_owned(), world.clone());
        self.members.insert(name.to_owned(), world);
        self.put_secret(name, kubeconfig);
        self.hub.seed(json!({
            "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "MemberCluster", "metadata": { "name": name },
            "spec": {
                "site": "dali", "form": "Private", "ownership": "Government",
                "connection": { "push": { "secretNamespace": "jiuzhou-system", "secretName": format!("member-{name}") } },
            },
        }));
        self
    }

    fn put_secret(&self, name: &str, kubeconfig: &Value) {
        self.hub.seed(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": format!("member-{name}"), "namespace": "jiuzhou-system" },
            "data": { "kubeconfig": STANDARD.encode(kubeconfig.to_string()) },
        }));
    }

    fn run(&self) -> Running {
        self.run_as("hub-1")
    }

    fn run_as(&self, id: &str) -> Running {
        self.run_hub(Hub { id: id.to_owned(), term: 1, ..Hub::default() })
    }

    fn run_hub(&self, hub: Hub) -> Running {
        let behind = Arc::clone(&self.behind);
        let dial: Dial = Arc::new(move |endpoint: Endpoint, limits: Limits| {
            let name =
                endpoint.server().trim_start_matches("https://").split('.').next().unwrap_or_default().to_owned();
            let worlds = Arc::clone(&behind);
            // What is behind an address may change under an open connection.
            let service = tower::service_fn(move |request| {
                let world = worlds.lock().unwrap().get(&name).cloned();
                async move {
                    let mut door = world.ok_or("no route to host")?.door("fleet");
                    tower::Service::call(&mut door, request).await
                }
            });
            Ok(Connection::over(transport(service), limits, None, None))
        });
        let (outlook, receiver) =
            watch::channel(Arc::new(Outlook { hub, unlisted: self.unlisted.clone(), ..Outlook::default() }));
        let members = Members::default();
        let (stopper, stop) = Stop::new();
        let fleet = Fleet {
            hub: self.hub.client_named("operator"),
            outlook: receiver,
            settings: Settings::default(),
            dial,
            members: members.clone(),
            gate: leader::Gate::alone(leader::Term(1)),
            metrics: Arc::clone(&self.metrics),
        };
        Running { members, stopper: Some(stopper), task: tokio::spawn(fleet.run(stop)), outlook }
    }

    fn object(&self, name: &str) -> Value {
        self.hub.object("jiuzhou.dev/v1alpha1", "MemberCluster", "", name).unwrap_or_default()
    }

    /// Status and reason of a condition.
    fn condition(&self, name: &str, kind: &str) -> (String, String) {
        let object = self.object(name);
        let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let found = all.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default();
        (text(&found["status"]), text(&found["reason"]))
    }

    /// Changes an object of the hub as a person would.
    fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let client = self.hub.client_named("person");
        let mut object = self.object(name);
        change(&mut object);
        tokio::spawn(async move {
            let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            let api: kube::Api<jiuzhou_api::v1alpha1::MemberCluster> = kube::Api::all(client);
            let object = serde_json::from_value(object).expect("a MemberCluster");
            api.replace(&name, &kube::api::PostParams::default(), &object).await.expect("the hub takes it");
        });
    }
}

impl Running {
    fn access(&self, name: &str) -> Option<Access> {
        self.members.get(name).map(|member| member.access)
    }

    async fn end(mut self) {
        drop(self.stopper.take());
        self.task.await.expect("the fleet ends in order");
    }
}

fn member(name: &str) -> World {
    let world = World::new(name, Clock::default());
    world.seed(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "jiuzhou-system" } }));
    world.seed(json!({
        "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n1", "labels": { "kubernetes.io/arch": "arm64" } },
        "status": {
            "nodeInfo": {
                "architecture": "arm64", "operatingSystem": "linux", "osImage": "Kylin V10", "kernelVersion": "4.19.90",
                "containerRuntimeVersion": "containerd://1.7.13", "bootID": "", "kubeProxyVersion": "",
                "kubeletVersion": "v1.30.0", "machineID": "", "systemUUID": "",
            },
            "allocatable": { "cpu": "32", "memory": "64Gi", "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    }));
    world
}

fn kubeconfig(name: &str) -> Value {
    let key = rcgen::KeyPair::generate().unwrap();
    let authority = rcgen::CertificateParams::default().self_signed(&key).unwrap().pem();
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "contexts": [{ "name": "it", "context": { "cluster": "c", "user": "u" } }],
        "clusters": [{ "name": "c", "cluster": {
            "server": format!("https://{name}.example:6443"), "certificate-authority-data": STANDARD.encode(authority),
        } }],
        "users": [{ "name": "u", "user": { "token": "opaque" } }],
    })
}

async fn seconds(count: u64) {
    tokio::time::sleep(Duration::from_secs(count)).await;
}

fn ready() -> (String, String) {
    ("True".to_owned(), "AsWanted".to_owned())
}

fn is(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_good_member_is_claimed_observed_and_ready_and_then_nothing_is_written() {
    let scene = Scene::new(&["a"]);
    let running = scene.run();
    seconds(5).await;
    assert_eq!(scene.condition("a", "Ready"), ready(), "{:#}", scene.object("a"));
    assert_eq!(running.access("a"), Some(Access::Full));
    let object = scene.object("a");
    assert_eq!(object["status"]["pools"][0]["nodes"], 1);
    assert_eq!(object["metadata"]["finalizers"], json!(["jiuzhou.dev/member"]));
    let claim = scene.members["a"].object("v1", "ConfigMap", "jiuzhou-system", "hub").unwrap();
    assert_eq!(claim["data"]["hub"], "hub-1");
    let (hub, at_member) = (scene.hub.revision(), scene.members["a"].revision());
    seconds(1800).await;
    assert_eq!(
        (scene.hub.revision(), scene.members["a"].revision()),
        (hub, at_member),
        "half an hour without a change"
    );
    running.end().await;
    let again = scene.run();
    seconds(120).await;
    assert_eq!((scene.hub.revision(), scene.members["a"].revision()), (hub, at_member), "a restart without a change");
    assert_eq!(again.access("a"), Some(Access::Full));
    again.end().await;
    let refused = [scene.hub.refused(), scene.members["a"].refused()].concat();
    // The world has no certificates.
    let refused: BTreeSet<String> =
        refused.into_iter().map(|entry| entry.path).filter(|path| !path.contains("certificates.k8s.io")).collect();
    assert!(refused.is_empty(), "the world was asked for what it cannot: {refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bad_kubeconfig_is_refused_with_its_reason_and_harms_nobody() {
    let mut exec = kubeconfig("bad");
    exec["users"][0]["user"] = json!({ "exec": { "apiVersion": "client.authentication.k8s.io/v1", "command": "sh" } });
    let scene = Scene::new(&["good"]).with("bad", &exec);
    let running = scene.run();
    seconds(5).await;
    assert_eq!(scene.condition("good", "Ready"), ready());
    assert_eq!(scene.condition("bad", "Ready"), is("False", "CredentialRefused"));
    assert_eq!(scene.condition("bad", "Stalled"), is("True", "CredentialRefused"));
    assert!(scene.members["bad"].log().is_empty(), "it was not even called");
    assert!(matches!(running.access("bad"), Some(Access::None(_))));
    // A person puts a good one in its place: no rejoin.
    let secrets: kube::Api<k8s_openapi::api::core::v1::Secret> =
        kube::Api::namespaced(scene.hub.client_named("person"), "jiuzhou-system");
    let good = json!({ "data": { "kubeconfig": STANDARD.encode(kubeconfig("bad").to_string()) } });
    let params = kube::api::PatchParams::default();
    secrets.patch("member-bad", &params, &kube::api::Patch::Merge(&good)).await.unwrap();
    seconds(15).await;
    assert_eq!(scene.condition("bad", "Ready"), ready());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_or_asks_for_a_day_is_unreachable_and_others_stay_ready() {
    let scene = Scene::new(&["good", "hangs", "waits"]);
    let running = scene.run();
    seconds(5).await;
    for name in ["good", "hangs", "waits"] {
        assert_eq!(scene.condition(name, "Ready"), ready(), "{name}");
    }
    scene.members["hangs"].intercept(|_| Some(Fault::Hold(jiuzhou_world::Gate::default())));
    scene.members["waits"].intercept(|_| Some(Fault::too_many_requests(99_999)));
    scene.members["good"].clear_log();
    seconds(120).await;
    assert_eq!(scene.condition("hangs", "Reachable"), is("False", "MemberUnreachable"));
    assert_eq!(scene.condition("good", "Ready"), ready());
    let probes = scene.members["good"].log().iter().filter(|entry| entry.path == "/readyz").count();
    assert!((11..=13).contains(&probes), "the good one was asked every ten seconds: {probes}");
    scene.members["hangs"].heal();
    scene.members["waits"].heal();
    seconds(120).await;
    for name in ["good", "hangs", "waits"] {
        assert_eq!(scene.condition(name, "Ready"), ready(), "{name} is back");
    }
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn another_cluster_behind_the_address_is_never_written_to() {
    let scene = Scene::new(&["a"]);
    let running = scene.run();
    seconds(5).await;
    let other = member("other");
    scene.behind.lock().unwrap().insert("a".to_owned(), other.clone());
    let before = other.revision();
    seconds(180).await;
    assert_eq!(scene.condition("a", "IdentityConfirmed"), is("False", "IdentityChanged"));
    assert!(matches!(running.access("a"), Some(Access::None(_))));
    assert_eq!(other.revision(), before);
    let pools = scene.object("a")["status"]["pools"].clone();
    assert_eq!(pools.as_array().map(Vec::len), Some(1), "what was known of the former stays");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn two_names_for_one_cluster_and_two_hubs_for_one_cluster_are_refused() {
    let scene = Scene::new(&["a", "b"]);
    let a = scene.members["a"].clone();
    scene.behind.lock().unwrap().insert("b".to_owned(), a.clone());
    let running = scene.run();
    seconds(70).await;
    let reasons = [scene.condition("a", "Ready"), scene.condition("b", "Ready")];
    assert!(reasons.contains(&ready()) && reasons.contains(&is("False", "DuplicateMember")), "{reasons:?}");
    running.end().await;
    let before = a.revision();
    let second = Scene::of_hub("second").with("a", &kubeconfig("a"));
    second.behind.lock().unwrap().insert("a".to_owned(), a.clone());
    let running = second.run_as("hub-2");
    seconds(70).await;
    assert_eq!(second.condition("a", "Ready"), is("False", "ClaimedByOther"));
    assert_eq!(a.revision(), before, "the second hub wrote nothing");
    running.end().await;
}

/// The claim in a member.
fn claim(world: &World) -> Value {
    world.object("v1", "ConfigMap", "jiuzhou-system", "hub").unwrap()["data"].clone()
}

/// What an object of an order gets of a member: `Ok` where it may be given.
async fn may(scene: &Scene, running: &Running, epoch: i64, removing: bool) -> Result<(), String> {
    let roads = Roads::new(running.members.clone(), running.outlook.subscribe());
    let identity = ObjectIdentity::default();
    let order = DeliverySpec {
        epoch,
        removing: if removing { vec![identity] } else { Vec::new() },
        tenant: "kunming".into(),
        ..DeliverySpec::default()
    };
    let answer = roads.ready("a", &order).await;
    scene.hub.settle();
    // A tenant's account is another story: nothing of it exists here.
    answer.or_else(|why| if why.contains("tenant") || why.contains("impersonate") { Ok(()) } else { Err(why) })
}

#[tokio::test(start_paused = true)]
async fn a_hub_restored_from_a_backup_writes_nowhere_until_a_person_has_looked() {
    let scene = Scene::new(&["a", "b"]);
    let before = scene.run();
    before.outlook.borrow().reached.begin(40);
    seconds(5).await;
    may(&scene, &before, 40, false).await.unwrap();
    before.end().await;
    assert_eq!(claim(&scene.members["a"])["highestEpoch"], "40");
    // The backup knew of epoch 7, and has given out one of a new block before anybody told it.
    let restored = scene.run();
    restored.outlook.borrow().reached.begin(7);
    restored.outlook.borrow().reached.given(1001, 1001);
    let at_members = (scene.members["a"].revision(), scene.members["b"].revision());
    seconds(30).await;
    for name in ["a", "b"] {
        assert_eq!(scene.condition(name, "Ready"), is("False", "EpochBehind"), "{name}");
        assert_eq!(restored.access(name), Some(Access::None(ControllerReason::EpochBehind)), "{name}");
    }
    assert_eq!(restored.outlook.borrow().reached.behind(), 40);
    for (epoch, removing) in [(5, false), (1001, false), (1001, true)] {
        may(&scene, &restored, epoch, removing).await.unwrap_err();
    }
    assert_eq!((scene.members["a"].revision(), scene.members["b"].revision()), at_members);
    restored.outlook.borrow().reached.accept(40);
    seconds(80).await;
    for name in ["a", "b"] {
        assert_eq!(scene.condition(name, "Ready"), is("True", "AsWanted"), "{name}");
        assert_eq!(restored.access(name), Some(Access::Full), "{name}");
    }
    may(&scene, &restored, 1002, true).await.unwrap();
    restored.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_member_restored_from_a_backup_gets_what_is_ordered_and_loses_nothing_until_a_person_has_looked() {
    let scene = Scene::new(&["a"]);
    let running = scene.run();
    running.outlook.borrow().reached.begin(40);
    seconds(5).await;
    may(&scene, &running, 40, false).await.unwrap();
    seconds(70).await;
    assert_eq!(scene.object("a")["status"]["claim"]["highestEpoch"], 40);
    let claims: kube::Api<k8s_openapi::api::core::v1::ConfigMap> =
        kube::Api::namespaced(scene.members["a"].client_named("backup"), "jiuzhou-system");
    let old = json!({ "data": { "highestEpoch": "12" } });
    claims.patch("hub", &kube::api::PatchParams::default(), &kube::api::Patch::Merge(&old)).await.unwrap();
    seconds(70).await;
    assert_eq!(running.access("a"), Some(Access::Additive(ControllerReason::EpochBehind)));
    assert_eq!(scene.condition("a", "Stalled"), is("True", "EpochBehind"));
    may(&scene, &running, 40, false).await.unwrap();
    may(&scene, &running, 40, true).await.unwrap_err();
    seconds(600).await;
    assert_eq!(claim(&scene.members["a"])["highestEpoch"], "12", "being ordered something heals nothing");
    assert_eq!(running.access("a"), Some(Access::Additive(ControllerReason::EpochBehind)));
    // A word about another time is none about this one.
    scene.edit("a", |object| {
        object["metadata"]["annotations"]["jiuzhou.dev/recovered"] = json!("2026-01-01T00:00:00Z admin");
    });
    seconds(30).await;
    assert_eq!(running.access("a"), Some(Access::Additive(ControllerReason::EpochBehind)));
    let client = scene.hub.client_named("person");
    jiuzhou_control::people::recover::accept(&client, "a", "admin").await.unwrap();
    seconds(30).await;
    assert_eq!(running.access("a"), Some(Access::Full));
    assert_eq!(claim(&scene.members["a"])["highestEpoch"], "40");
    may(&scene, &running, 40, true).await.unwrap();
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_promoted_standby_takes_the_members_and_the_former_hub_is_refused_and_says_so() {
    let former = Scene::new(&["a"]);
    let world = former.members["a"].clone();
    let first = former.run_as("hub-1");
    first.outlook.borrow().reached.begin(40);
    seconds(5).await;
    may(&former, &first, 40, false).await.unwrap();
    let standby = Scene::of_hub("standby").with("a", &kubeconfig("a"));
    standby.behind.lock().unwrap().insert("a".to_owned(), world.clone());
    let succeeds = Some("hub-1".to_owned());
    let second = standby.run_hub(Hub { id: "hub-2".to_owned(), term: 2, succeeds, ..Hub::default() });
    second.outlook.borrow().reached.begin(40);
    seconds(20).await;
    assert_eq!(claim(&world), json!({ "hub": "hub-2", "term": "2", "highestEpoch": "40" }));
    // The former hub may believe in its claim for a while: until it cannot any more nobody else writes.
    assert_eq!(second.access("a"), Some(Access::None(ControllerReason::ClaimedByOther)));
    seconds(65).await;
    assert_eq!(former.condition("a", "Ready"), is("False", "ClaimedByOther"));
    assert_eq!(first.access("a"), Some(Access::None(ControllerReason::ClaimedByOther)));
    may(&former, &first, 41, false).await.unwrap_err();
    seconds(40).await;
    assert_eq!(second.access("a"), Some(Access::Full));
    assert_eq!(standby.condition("a", "Ready"), is("True", "AsWanted"));
    may(&standby, &second, 41, true).await.unwrap();
    assert_eq!(claim(&world)["highestEpoch"], "41");
    first.end().await;
    second.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_knows_less_than_the_members_takes_them_and_waits_for_a_person() {
    let former = Scene::new(&["a"]);
    let world = former.members["a"].clone();
    let first = former.run_as("hub-1");
    first.outlook.borrow().reached.begin(40);
    seconds(5).await;
    may(&former, &first, 40, false).await.unwrap();
    first.end().await;
    let standby = Scene::of_hub("standby").with("a", &kubeconfig("a"));
    standby.behind.lock().unwrap().insert("a".to_owned(), world.clone());
    let succeeds = Some("hub-1".to_owned());
    let second = standby.run_hub(Hub { id: "hub-2".to_owned(), term: 2, succeeds, ..Hub::default() });
    second.outlook.borrow().reached.begin(30);
    seconds(150).await;
    assert_eq!(claim(&world)["hub"], "hub-2");
    assert_eq!(claim(&world)["highestEpoch"], "40", "what was seen there stays written");
    assert_eq!(standby.condition("a", "Ready"), is("False", "EpochBehind"));
    assert_eq!(second.access("a"), Some(Access::None(ControllerReason::EpochBehind)));
    second.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_member_leaves_only_when_nothing_is_left_there() {
    let scene = Scene::new(&["a"]);
    let world = scene.members["a"].clone();
    world.seed(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "portal" } }));
    world.seed(json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "web", "namespace": "portal", "labels": { "app.kubernetes.io/managed-by": "jiuzhou" } },
        "spec": { "ports": [{ "port": 80 }] },
    }));
    let running = scene.run();
    seconds(5).await;
    scene.edit("a", |object| object["spec"]["lifecycle"] = json!("Leaving"));
    let members: kube::Api<jiuzhou_api::v1alpha1::MemberCluster> = kube::Api::all(scene.hub.client_named("person"));
    seconds(1).await;
    members.delete("a", &kube::api::DeleteParams::default()).await.unwrap();
    seconds(60).await;
    assert_eq!(scene.condition("a", "Ready"), is("False", "Removing"));
    assert_eq!(scene.object("a")["status"]["left"], json!([{ "namespace": "portal", "count": 1 }]));
    let services: kube::Api<k8s_openapi::api::core::v1::Service> = kube::Api::namespaced(world.client(), "portal");
    services.delete("web", &kube::api::DeleteParams::default()).await.unwrap();
    seconds(60).await;
    assert_eq!(scene.object("a"), Value::Null, "gone");
    assert!(world.object("v1", "ConfigMap", "jiuzhou-system", "hub").is_none(), "the claim was given back");
    assert!(running.members.get("a").is_none());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_member_with_nothing_but_a_config_map_of_ours_does_not_leave() {
    let mut scene = Scene::new(&["a"]);
    scene.unlisted.insert("a".to_owned(), [("portal".to_owned(), 2)].into());
    scene.hub.seed(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "portal" } }));
    let digest = format!("sha256:{}", "0".repeat(64));
    scene.hub.seed(json!({
        "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "FleetPlacement",
        "metadata": { "name": "settings", "namespace": "portal" },
        "spec": {
            "revision": 1, "decision": digest, "epoch": 1, "sequence": 1, "clusters": [{ "name": "a", "replicas": 1 }],
            "inputs": { "workload": digest, "snapshot": digest },
        },
    }));
    let running = scene.run();
    seconds(5).await;
    let members: kube::Api<jiuzhou_api::v1alpha1::MemberCluster> = kube::Api::all(scene.hub.client_named("person"));
    members.delete("a", &kube::api::DeleteParams::default()).await.unwrap();
    seconds(60).await;
    assert_eq!(scene.condition("a", "Ready"), is("False", "Removing"));
    assert_eq!(scene.object("a")["status"]["left"], json!([{ "namespace": "portal", "count": 2 }]));
    let ready = scene.object("a")["status"]["conditions"].to_string();
    assert!(ready.contains("portal/settings"), "{ready}");
    running.end().await;
}
