//! A hub in memory with obedient members, for tests of the whole way from an applied object to its status.
//!
//! The hub is the world of the tests (`jiuzhou-world`) under the production client; members are simulated at the border
//! of [`crate::orders`]: what is ordered is there and ready some moments later. Time is tokio's, paused.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use jiuzhou_api::v1alpha1::{
    DeliveredObject, DeliverySpec, DeliveryState, DeliveryStatus, ObjectIdentity, ObjectObservation, ObjectState,
    ObservedCounts, ObservedValue, STATE_VALUE_BYTES, WatchedValue,
};
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_intake::documents::read_bytes;
use jiuzhou_intake::yaml::Limits;
use jiuzhou_objects::render::digest_of;
use jiuzhou_objects::secrets::DigestKey;
use jiuzhou_world::{Entry, World};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::error::Error;
use crate::http::Health;
use crate::hub;
use crate::leader::{Gate, Term};
use crate::metrics::Metrics;
use crate::orders::{Order, Orders, Report};
use crate::planner::{Clock, Parts, Planner};
use crate::record::Records;
use crate::record::retention::Keep;
use crate::stop::Stop;

/// Objects of a story of `examples/`, without what an operator writes itself.
pub(crate) fn story(name: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("the story").map(|entry| entry.expect("a file").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    let mut documents = Vec::new();
    for file in files {
        let text = std::fs::read(&file).expect("a readable file");
        let (read, findings) = read_bytes(&file.to_string_lossy(), &text, &Limits::default());
        assert_eq!(findings, []);
        documents.extend(read);
    }
    let ours = documents.into_iter().map(|document| document.value).filter(|value| {
        value["apiVersion"] == jiuzhou_api::meta::API_VERSION
            && !["FleetPlacement", "Report", "ClusterReport"].iter().any(|kind| value["kind"] == *kind)
    });
    ours.collect()
}

/// The first story with so many clusters like its only one, its workload in as few of them as take it.
pub(crate) fn portal_in(clusters: usize) -> Vec<Value> {
    let mut objects = story("01-first-tenant");
    workload(&mut objects)["spec"]["placement"] = json!({ "replicas": { "mode": "Divided", "divideBy": "Packed" } });
    let first = objects.iter().find(|object| object["kind"] == "MemberCluster").expect("a cluster").clone();
    objects.extend((2..=clusters).map(|at| {
        let mut other = first.clone();
        other["metadata"]["name"] = json!(format!("kunming-gov-{at}"));
        other
    }));
    objects
}

/// The first workload among objects.
pub(crate) fn workload(objects: &mut [Value]) -> &mut Value {
    objects.iter_mut().find(|object| object["kind"] == "FleetWorkload").expect("a workload")
}

/// What is there, by workload and cluster.
pub(crate) type There = BTreeMap<(WorkloadKey, String), Arc<Order>>;

/// Looks at an order before it is carried out, with what is there until then.
pub(crate) type Witness = Box<dyn Fn(&Order, &There) + Send + Sync>;

/// Says what becomes of an object of a delivery; `None` is ready.
pub(crate) type Judge = Box<dyn Fn(&DeliverySpec, &DeliveredObject) -> Option<ObjectState> + Send>;

/// Members that do what is ordered, at once or never.
#[derive(Default)]
pub(crate) struct Members {
    /// What is there.
    pub(crate) there: Mutex<There>,
    /// Who looks at orders.
    pub(crate) witness: Mutex<Option<Witness>>,
    /// What was ordered once and is in no order any more: it stays until its removal is ordered.
    left: Mutex<BTreeMap<(WorkloadKey, String), BTreeMap<String, ObjectObservation>>>,
    reports: Mutex<Option<mpsc::UnboundedSender<Report>>>,
    /// Members where nothing becomes ready.
    pub(crate) slow: Mutex<Vec<String>>,
    /// Members that hear and say nothing.
    silent: Mutex<BTreeSet<String>>,
    /// The last orders to them, which wait at their door.
    waiting: Mutex<BTreeMap<(WorkloadKey, String), Arc<Order>>>,
    /// What becomes of an object, where it is not simply ready.
    judge: Mutex<Option<Judge>>,
    /// What the status of objects says, by what is asked for.
    values: Mutex<BTreeMap<String, String>>,
    /// Nothing is reported.
    mute: std::sync::atomic::AtomicBool,
}

impl Members {
    /// Reports everything there is, as a watch does when an operator starts.
    fn attach(&self, sender: mpsc::UnboundedSender<Report>) {
        let there = self.there.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((workload, cluster), order) in there {
            if self.is_silent(&cluster) {
                continue;
            }
            let status = Some(self.status(&order));
            let _ = sender.send(Report { cluster, workload, status });
        }
        *self.reports.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    }

    /// A member hears and says nothing any more.
    pub(crate) fn falls_silent(&self, cluster: &str) {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).insert(cluster.to_owned());
    }

    /// A member hears and answers again.
    pub(crate) fn speaks(&self, cluster: &str) {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).remove(cluster);
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_values().for_each(|order| self.give(order));
        self.tell();
    }

    fn is_silent(&self, cluster: &str) -> bool {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner).contains(cluster)
    }

    fn status(&self, order: &Order) -> DeliveryStatus {
        let delivery = &order.delivery;
        let slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|c| **c == *delivery.cluster);
        let judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
        let state = |object: &DeliveredObject| {
            let judged = judge.as_ref().and_then(|judge| judge(delivery, object));
            judged.unwrap_or(if slow { ObjectState::Applied } else { ObjectState::Ready })
        };
        let well = delivery.objects.iter().all(|object| state(object) == ObjectState::Ready);
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let value = |watched: &WatchedValue| {
            let value = values.get(&*watched.alias)?;
            let fits = value.len() <= STATE_VALUE_BYTES;
            let bytes = i32::try_from(value.len()).unwrap_or(i32::MAX);
            let value = fits.then(|| value.as_str().into());
            Some(ObservedValue { alias: watched.alias.clone(), value, bytes })
        };
        let objects = delivery.objects.iter().map(|object| ObjectObservation {
            values: object.watched.iter().filter_map(value).collect(),
            ..observe(delivery, object, state(object))
        });
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = left.get(&(order.key(), delivery.cluster.to_string())).into_iter().flat_map(BTreeMap::values);
        DeliveryStatus {
            epoch: Some(delivery.epoch),
            objects: objects.chain(left.cloned()).collect(),
            present: delivery.replicas,
            ready: if well { delivery.replicas } else { Some(0) },
            ..DeliveryStatus::default()
        }
    }

    /// What an order names no more is left, and what it orders away is gone.
    fn leave(&self, before: Option<&Order>, order: &Order) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let left = left.entry((order.key(), order.delivery.cluster.to_string())).or_default();
        for object in before.into_iter().flat_map(|before| &before.delivery.objects) {
            left.insert(object.name.to_string(), observe(&order.delivery, object, ObjectState::Ready));
        }
        let removed =
            |one: &ObjectObservation| one.identity.as_ref().is_some_and(|id| order.delivery.removing.contains(id));
        let named = |name: &str| order.delivery.objects.iter().any(|object| *object.name == *name);
        left.retain(|name, one| !named(name) && !removed(one));
    }

    /// Where a workload is, with its replicas.
    pub(crate) fn replicas(&self, namespace: &str, name: &str) -> BTreeMap<String, i32> {
        let key = WorkloadKey::new(namespace, name);
        let there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = there.iter().filter(|((workload, _), _)| *workload == key);
        of_it.map(|((_, cluster), order)| (cluster.clone(), order.delivery.replicas.unwrap_or(0))).collect()
    }

    /// What every member has of a workload, as a digest of each object.
    pub(crate) fn contents(&self, namespace: &str, name: &str) -> BTreeMap<String, Vec<String>> {
        let key = WorkloadKey::new(namespace, name);
        let there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let of_it = there.iter().filter(|((workload, _), _)| *workload == key);
        let digests =
            |order: &Order| order.delivery.objects.iter().map(|object| format!("{:?}", digest_of(object))).collect();
        of_it.map(|((_, cluster), order)| (cluster.clone(), digests(order))).collect()
    }

    /// From now on objects become what this says. What is there is told again.
    pub(crate) fn judge(
        &self,
        judge: impl Fn(&DeliverySpec, &DeliveredObject) -> Option<ObjectState> + Send + 'static,
    ) {
        *self.judge.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(judge));
        self.tell();
    }

    /// From now on the status of every object says this where it is asked for.
    pub(crate) fn say(&self, values: &[(&str, String)]) {
        let values = values.iter().map(|(alias, value)| ((*alias).to_owned(), value.clone())).collect();
        *self.values.lock().unwrap_or_else(PoisonError::into_inner) = values;
        self.tell();
    }

    /// What a member has of an object, by a pointer into its manifest.
    pub(crate) fn told(&self, namespace: &str, name: &str, cluster: &str, pointer: &str) -> Vec<Value> {
        let key = (WorkloadKey::new(namespace, name), cluster.to_owned());
        let there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let objects = there.get(&key).into_iter().flat_map(|order| &order.delivery.objects);
        objects.filter_map(|object| object.manifest.as_ref()?.pointer(pointer).cloned()).collect()
    }

    /// What is there goes by itself, as a Job does whose time to live is over.
    pub(crate) fn vanish(&self, namespace: &str, name: &str) {
        let key = WorkloadKey::new(namespace, name);
        self.there.lock().unwrap_or_else(PoisonError::into_inner).retain(|(workload, _), _| *workload != key);
    }

    /// From now on nothing is reported, or everything again.
    pub(crate) fn mute(&self, mute: bool) {
        self.mute.store(mute, std::sync::atomic::Ordering::Relaxed);
    }

    /// Tells again of what is there in a member, after a test changed how it behaves.
    pub(crate) fn tell(&self) {
        let sender = self.reports.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sender) = sender {
            self.attach(sender);
        }
    }
}

/// What an obedient member says of an object.
fn observe(delivery: &DeliverySpec, object: &DeliveredObject, state: ObjectState) -> ObjectObservation {
    let manifest = object.manifest.as_ref();
    let text =
        |pointer: &str| manifest.and_then(|one| one.pointer(pointer)).and_then(Value::as_str).unwrap_or("Secret");
    let runs = manifest.is_some_and(|manifest| manifest.pointer("/spec/template").is_some());
    let replicas = delivery.replicas.filter(|_| runs);
    let ready = if state == ObjectState::Ready { replicas } else { replicas.map(|_| 0) };
    ObjectObservation {
        name: object.name.clone(),
        identity: Some(ObjectIdentity {
            api_version: if manifest.is_some() { text("/apiVersion").into() } else { "v1".into() },
            kind: text("/kind").into(),
            namespace: Some(delivery.workload.namespace.clone()),
            name: object.name.to_string().into(),
            uid: format!("{}-{}", delivery.cluster, object.name).into(),
        }),
        state,
        applied: digest_of(object).map(|digest| digest.to_string().into()),
        wanted: delivery.replicas,
        ready,
        counted: replicas.map(|replicas| ObservedCounts {
            replicas: Some(replicas),
            updated: Some(replicas),
            available: ready,
            ..ObservedCounts::default()
        }),
        ..ObjectObservation::default()
    }
}

impl Orders for Members {
    fn look(&self, cluster: &str, look: crate::delivery::Look) {
        let workload = WorkloadKey::new(&look.workload.namespace, &look.workload.name);
        let there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
        let status = there.get(&(workload.clone(), cluster.to_owned())).map(|order| self.status(order));
        drop(there);
        if self.mute.load(std::sync::atomic::Ordering::Relaxed) || self.is_silent(cluster) {
            return;
        }
        if let Some(sender) = &*self.reports.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = sender.send(Report { cluster: cluster.to_owned(), workload, status });
        }
    }

    fn give(&self, order: Arc<Order>) {
        let (workload, cluster) = (order.key(), order.delivery.cluster.to_string());
        if self.is_silent(&cluster) {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert((workload, cluster), order);
            return;
        }
        let status = {
            let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(witness) = &*self.witness.lock().unwrap_or_else(PoisonError::into_inner) {
                witness(&order, &there);
            }
            match order.delivery.state {
                DeliveryState::Present => {
                    let before = there.insert((workload.clone(), cluster.clone()), Arc::clone(&order));
                    self.leave(before.as_deref(), &order);
                    Some(self.status(&order))
                }
                DeliveryState::Removing => {
                    assert!(!order.delivery.removing.is_empty(), "a removal names what it removes");
                    there.remove(&(workload.clone(), cluster.clone()));
                    None
                }
                DeliveryState::Orphan => None,
            }
        };
        let mute = self.mute.load(std::sync::atomic::Ordering::Relaxed);
        if let Some(sender) = self.reports.lock().unwrap_or_else(PoisonError::into_inner).as_ref().filter(|_| !mute) {
            let _ = sender.send(Report { cluster, workload, status });
        }
    }
}

/// A hub with its members and the folder of its audit log.
pub(crate) struct Hub {
    pub(crate) world: World,
    pub(crate) members: Arc<Members>,
    pub(crate) folder: tempfile::TempDir,
    /// The highest epoch that members have seen and this hub never committed; 0 for none.
    seen_by_members: std::sync::atomic::AtomicI64,
    /// What the running operator tells the tasks of members.
    outlook: Mutex<Option<tokio::sync::watch::Receiver<Arc<crate::fleet::Outlook>>>>,
    /// What its operators count in.
    pub(crate) metrics: Arc<Metrics>,
    /// Whether its operators run as those of a dedicated hub.
    pub(crate) dedicated: bool,
    /// Where a running operator is asked for copies of its state.
    wishes: Mutex<Option<crate::reports::Wishes>>,
}

impl Hub {
    /// A hub with these objects, statuses too.
    pub(crate) async fn with(objects: &[Value]) -> Self {
        let clock = jiuzhou_world::Clock::at("2026-11-23T04:00:00Z".parse().expect("an instant"));
        let hub = Self {
            world: World::hub("hub", clock),
            members: Arc::default(),
            folder: tempfile::tempdir().expect("a folder"),
            seen_by_members: std::sync::atomic::AtomicI64::default(),
            outlook: Mutex::default(),
            metrics: Arc::default(),
            dedicated: true,
            wishes: Mutex::default(),
        };
        let own = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "jiuzhou-system" } });
        hub.world.seed(own);
        for object in objects {
            hub.create(object).await;
        }
        hub.world.clear_log();
        hub
    }

    /// Creates an object as a person does; its status as whoever observes does.
    pub(crate) async fn create(&self, object: &Value) {
        if let Some(namespace) = object["metadata"]["namespace"].as_str()
            && self.world.object("v1", "Namespace", "", namespace).is_none()
        {
            self.world.seed(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }));
        }
        self.world.seed(object.clone());
        if !object["status"].is_null() {
            let (status, kind) = (json!({ "status": object["status"] }), object["kind"].as_str().unwrap_or_default());
            self.patch(kind, object["metadata"]["namespace"].as_str(), name(object), "/status", &status).await;
        }
    }

    /// Changes an object as a person does (a merge patch).
    pub(crate) async fn patch(&self, kind: &str, namespace: Option<&str>, name: &str, sub: &str, patch: &Value) {
        let plural = &jiuzhou_api::kinds().iter().find(|info| info.kind == kind).expect("a kind of ours").plural;
        let place = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
        let path = format!("/apis/jiuzhou.dev/v1alpha1{place}/{plural}/{name}{sub}?fieldManager=person");
        let request = http::Request::patch(path).header("content-type", "application/merge-patch+json");
        let request = request.body(serde_json::to_vec(patch).expect("JSON")).expect("a request");
        let client = self.world.client_named("person");
        client.request::<Value>(request).await.expect("the change is accepted");
    }

    /// A member answers, or does not, as the hub and its agent see it.
    pub(crate) async fn sees(&self, cluster: &str, sides: [&str; 2]) {
        let status = if sides.contains(&"Reachable") { "True" } else { "False" };
        let since = self.world.clock().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let reachable = json!({ "type": "Reachable", "status": status, "reason": "NotObserved", "message": "",
            "lastTransitionTime": since });
        let [hub, agent] = sides;
        let status = json!({ "reachability": { "hub": hub, "agent": agent }, "conditions": [reachable] });
        self.patch("MemberCluster", None, cluster, "/status", &json!({ "status": status })).await;
    }

    /// Deletes an object as a person does.
    pub(crate) async fn delete(&self, path: &str) {
        let request = http::Request::delete(path).body(Vec::new()).expect("a request");
        self.world.client_named("person").request::<Value>(request).await.expect("the deletion is accepted");
    }

    /// Runs an operator until nothing is asked of the hub any more; then it stops.
    pub(crate) async fn run(&self) -> Result<(), Error> {
        let (stopper, stop) = Stop::new();
        let running = self.start(stop);
        self.quiet().await;
        stopper.stop();
        running.await.expect("no panic")
    }

    /// Starts an operator.
    pub(crate) fn start(&self, stop: Stop) -> tokio::task::JoinHandle<Result<(), Error>> {
        let client = self.world.client_named("operator");
        let world = self.world.clone();
        let clock: Clock = Arc::new(move || world.clock().now());
        let records = Records::open(self.folder.path(), "hub", clock(), Keep::default()).expect("the audit log opens");
        let (sender, reports) = mpsc::unbounded_channel();
        self.members.attach(sender);
        let (natives, followed) = tokio::sync::watch::channel(false);
        let seen = hub::watch_all(&client, &stop, &followed);
        let orders: Arc<dyn Orders> = Arc::clone(&self.members) as Arc<dyn Orders>;
        let (wishes, wished) = crate::reports::channel();
        *self.wishes.lock().unwrap_or_else(PoisonError::into_inner) = Some(wishes);
        let told_before = crate::fleet::Outlook::default();
        told_before.reached.remember(self.seen_by_members.load(std::sync::atomic::Ordering::Relaxed));
        let (outlook, told) = tokio::sync::watch::channel(Arc::new(told_before));
        *self.outlook.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
        let parts = Parts {
            client,
            clock,
            records,
            orders,
            outlook,
            digest_key: DigestKey::new([7_u8; 32]),
            gate: Gate::alone(Term(1)),
            metrics: Arc::clone(&self.metrics),
            health: Health::new([]),
            dedicated: self.dedicated,
            natives,
            wished,
            traces: crate::telemetry::traces::Traces::off(),
        };
        let planner = Planner::new(parts).expect("schemas");
        tokio::spawn(planner.run(seen, reports, stop))
    }

    /// The hub is one that was restored from a backup: its members have seen more than it committed.
    pub(crate) fn members_have_seen(&self, epoch: i64) {
        self.seen_by_members.store(epoch, std::sync::atomic::Ordering::Relaxed);
        self.outlook().borrow().reached.remember(epoch);
    }

    /// What a running operator tells the tasks of members.
    pub(crate) fn outlook(&self) -> tokio::sync::watch::Receiver<Arc<crate::fleet::Outlook>> {
        self.outlook.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("an operator runs")
    }

    /// Who reports on a running operator.
    pub(crate) fn reporter(&self) -> crate::reports::Reporter {
        let world = self.world.clone();
        let clock: Clock = Arc::new(move || world.clock().now());
        let wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("an operator runs");
        let client = self.world.client_named("operator");
        crate::reports::Reporter::new(client, clock, Gate::alone(Term(1)), Arc::clone(&self.metrics), wishes)
    }

    /// Waits until the operator asks nothing of the hub for a while.
    pub(crate) async fn quiet(&self) {
        let mut calm = 0;
        for _ in 0..2_000 {
            let before = self.world.log().len();
            self.world.settle();
            tokio::time::sleep(Duration::from_millis(500)).await;
            calm = if self.world.log().len() == before { calm + 1 } else { 0 };
            if calm > 20 {
                return;
            }
        }
        panic!("the operator does not come to rest");
    }

    /// Changes that the operator made, in order.
    pub(crate) fn writes(&self) -> Vec<Entry> {
        self.world.log().into_iter().filter(|entry| entry.client == "operator" && entry.wrote).collect()
    }

    /// Time passes for the hub and everybody who waits, and all that follows is done.
    pub(crate) async fn pass(&self, seconds: u32) {
        self.world.clock().advance(SignedDuration::from_secs(i64::from(seconds)));
        tokio::time::sleep(Duration::from_secs(u64::from(seconds))).await;
        self.quiet().await;
    }

    /// Cluster and replicas as committed.
    pub(crate) fn placed(&self, (namespace, name): (&str, &str)) -> Vec<(String, i64)> {
        let placement = self.object("FleetPlacement", namespace, name).expect("a placement");
        let clusters = placement["spec"]["clusters"].as_array().cloned().unwrap_or_default();
        let one =
            |one: &Value| (one["name"].as_str().unwrap_or_default().to_owned(), one["replicas"].as_i64().unwrap_or(0));
        clusters.iter().map(one).collect()
    }

    /// An object of ours.
    pub(crate) fn object(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        self.world.object(jiuzhou_api::meta::API_VERSION, kind, namespace, name)
    }

    /// The Ready condition of a workload: status and reason.
    pub(crate) fn ready(&self, namespace: &str, name: &str) -> (String, String) {
        let workload = self.object("FleetWorkload", namespace, name).expect("the workload is there");
        let conditions = workload["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.iter().find(|c| c["type"] == "Ready").cloned().unwrap_or_default();
        let text = |field: &str| ready[field].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"))
    }
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}
