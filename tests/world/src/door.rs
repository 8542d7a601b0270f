//! The outside of a world: making one, asking it, moving it, looking into it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::client::Body;
use serde_json::{Value, json};
use tower::BoxError;

use crate::answer::{Answer, Content, Refusal};
use crate::clock::Clock;
use crate::controllers::Controllers;
use crate::faults::{Fault, WatchFault};
use crate::log::Entry;
use crate::request::Request;
use crate::store::Key;
use crate::watch::{WatchBody, WatchStream, WorldBody};
use crate::world::{Inner, OpenWatch, bytes};

/// A cluster in memory. Clones are the same cluster.
#[derive(Clone, Debug)]
pub struct World {
    inner: Arc<Mutex<Inner>>,
}

/// The way into a world for one client; requests are logged under its name. Clones are one door, which a test can turn to
/// another world: the address stays, the cluster behind it is swapped.
#[derive(Clone, Debug)]
pub struct Door {
    world: Arc<Mutex<World>>,
    client: String,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[error("failed to reach the world: {0}")]
struct Broken(&'static str);

impl World {
    /// An empty cluster with the namespaces every cluster has. Its name tells it from others: uids follow from it.
    #[must_use]
    pub fn new(name: &str, clock: Clock) -> Self {
        let world = Self { inner: Arc::new(Mutex::new(Inner::new(name, clock))) };
        for namespace in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            world.seed(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
        }
        world
    }

    /// A cluster with all custom resource definitions of this project.
    #[must_use]
    pub fn hub(name: &str, clock: Clock) -> Self {
        // Reading the definitions takes a second; a campaign makes thousands of hubs.
        static TEMPLATE: LazyLock<World> = LazyLock::new(|| {
            let world = World::new("template", Clock::default());
            world.install(&jiuzhou_api::all_crds());
            world
        });
        let inner = TEMPLATE.state().copy(name, clock);
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Installs custom resource definitions; they are served at once.
    pub fn install(&self, definitions: &[CustomResourceDefinition]) {
        for definition in definitions {
            world_value(definition).into_iter().for_each(|value| self.seed(value));
        }
    }

    /// Creates an object as an administrator would, outside the log.
    ///
    /// # Panics
    /// When the world refuses it: a test must not go on with half its scene.
    #[expect(clippy::needless_pass_by_value, reason = "tests write the object in place")]
    pub fn seed(&self, object: Value) {
        if let Err(refusal) = self.try_seed(&object) {
            panic!("failed to seed {}: {refusal}", object["metadata"]["name"]);
        }
    }

    fn try_seed(&self, object: &Value) -> Result<(), Box<Refusal>> {
        let mut inner = self.state();
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = inner.kinds.by_kind(text("apiVersion"), text("kind"));
        let Some(kind) = kind else { return Err(crate::answer::no_such_resource()) };
        let namespace = match crate::meta::text(object, "namespace") {
            "" if kind.namespaced => "default",
            namespace => namespace,
        };
        let prefix = if kind.group.is_empty() {
            format!("/api/{}", kind.version)
        } else {
            format!("/apis/{}/{}", kind.group, kind.version)
        };
        let place = if kind.namespaced { format!("/namespaces/{namespace}") } else { String::new() };
        let request = http::Request::post(format!("{prefix}{place}/{}?fieldManager=seed", kind.plural));
        let (parts, ()) = request.body(()).map_err(|_| crate::answer::no_such_resource())?.into_parts();
        let request = Request::read(&parts, Bytes::from(object.to_string()), "seed");
        inner.handle(&request)?;
        let key =
            Key::new(&kind.resource(), if kind.namespaced { namespace } else { "" }, crate::meta::text(object, "name"));
        if let Some(node) = inner.store.get(&key).filter(|_| key.resource == "nodes") {
            inner.lift_not_ready(&key, &node);
        }
        Ok(())
    }

    /// A client of the cluster. Needs a tokio runtime around it, as every kube client does.
    #[must_use]
    pub fn client(&self) -> kube::Client {
        self.client_named("client")
    }

    /// A client under a name of its own in the log.
    #[must_use]
    pub fn client_named(&self, name: &str) -> kube::Client {
        self.door(name).client()
    }

    /// The service under such a client, for a stack of the test's own.
    #[must_use]
    pub fn door(&self, client: &str) -> Door {
        Door { world: Arc::new(Mutex::new(self.clone())), client: client.to_owned() }
    }

    /// The clock the cluster lives by.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.state().clock.clone()
    }

    /// One step of what happens in the background: namespaces, definitions, owners, simulated controllers, bookmarks.
    /// Whether anything changed.
    pub fn tick(&self) -> bool {
        self.change(Inner::tick)
    }

    /// Ticks until nothing changes any more.
    ///
    /// # Panics
    /// When it does not come to rest in 1,000 ticks.
    pub fn settle(&self) {
        let rested = (0..1000).any(|_| !self.tick());
        assert!(rested, "the world {} does not come to rest", self.state().name);
    }

    /// Says which simulated controllers run.
    pub fn control(&self, controllers: Controllers) {
        self.state().controllers = controllers;
    }

    /// The log of all requests.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.state().log.clone()
    }

    /// The log from here on is empty.
    pub fn clear_log(&self) {
        self.state().log.clear();
    }

    /// Requests that the world does not do; a test that relies on it must find none.
    #[must_use]
    pub fn refused(&self) -> Vec<Entry> {
        self.state().log.iter().filter(|entry| entry.code == 501).cloned().collect()
    }

    /// Revision of the last change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.state().store.revision()
    }

    /// Moves the revision on without a change, as writers elsewhere in the store do.
    pub fn skip_revisions(&self, by: u64) {
        self.change(|inner| inner.store.skip(by));
    }

    /// Forgets all history up to now: older watches and pages get 410.
    pub fn compact(&self) {
        self.change(|inner| {
            let revision = inner.store.revision();
            inner.store.compact(revision);
        });
    }

    /// Puts the cluster back to an earlier revision, as restoring an old backup does.
    pub fn roll_back(&self, revision: u64) {
        self.change(|inner| {
            inner.store.roll_back(revision);
            inner.serve_definitions();
        });
    }

    /// An object as it is stored, by `group/version` (`v1`), kind, namespace (empty for none) and name.
    #[must_use]
    pub fn object(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let inner = self.state();
        let kind = inner.kinds.by_kind(api_version, kind)?;
        inner.store.get(&Key::new(&kind.resource(), namespace, name)).map(|object| (*object).clone())
    }

    /// All objects of a kind, in the order of namespace and name.
    #[must_use]
    pub fn objects(&self, api_version: &str, kind: &str) -> Vec<Value> {
        let inner = self.state();
        let Some(kind) = inner.kinds.by_kind(api_version, kind) else { return Vec::new() };
        inner.store.list(&kind.resource(), None).into_iter().map(|(_, object)| (*object).clone()).collect()
    }

    /// Digest of everything stored, to compare two runs.
    #[must_use]
    pub fn digest(&self) -> String {
        self.state().digest()
    }

    /// Puts an interceptor in: it sees every request in order and says what happens to it. The number takes it out.
    pub fn intercept(&self, interceptor: impl FnMut(&Request) -> Option<Fault> + Send + 'static) -> u64 {
        self.state().faults.add(Box::new(interceptor))
    }

    /// Takes an interceptor out.
    pub fn release(&self, number: u64) {
        self.state().faults.remove(number);
    }

    /// Takes all interceptors out and all faults off the watches.
    pub fn heal(&self) {
        self.change(|inner| {
            inner.faults.clear();
            inner.fault_watches(|_| true, None);
        });
    }

    /// The watches that are open now.
    #[must_use]
    pub fn watches(&self) -> Vec<OpenWatch> {
        self.state().open_watches()
    }

    /// Puts a fault on the open watches a test picks, or takes it off; how many there were.
    pub fn fault_watches(&self, pick: impl Fn(&Request) -> bool, fault: Option<WatchFault>) -> usize {
        self.change(|inner| inner.fault_watches(pick, fault))
    }

    /// Changes the state and wakes whoever waits for it, outside the lock.
    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let (out, waiting) = {
            let mut inner = self.state();
            let out = change(&mut inner);
            (out, inner.take_waiting())
        };
        waiting.into_iter().for_each(std::task::Waker::wake);
        out
    }

    fn state(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles one request with the faults the test wants.
    async fn answer(self, request: Request) -> Result<Response<WorldBody>, BoxError> {
        let (number, fault) = self.change(|inner| {
            let number = inner.log.len();
            let entry = Entry::begin(u64::try_from(number).unwrap_or(u64::MAX), inner.clock.now(), &request);
            inner.log.push(entry);
            let fault = inner.faults.ask(&request);
            if let (Some(fault), Some(entry)) = (&fault, inner.log.get_mut(number)) {
                entry.fault = fault.name().to_owned();
            }
            (number, fault)
        });
        if let Some(Fault::Hold(gate)) = &fault {
            gate.passed().await;
        }
        let answer = self.change(|inner| {
            let before = inner.store.revision();
            let answer = match &fault {
                Some(Fault::Break) => None,
                Some(Fault::Refuse { code, reason, message, retry_after }) => {
                    Some(Err(crate::answer::status(*code, reason, message, *retry_after)))
                }
                Some(Fault::Answer { code, body }) => Some(Ok(Answer::json(*code, body.clone()))),
                Some(Fault::Stale(revision)) => Some(inner.handle_stale(&request, *revision)),
                _ => Some(inner.handle(&request)),
            };
            let revision = inner.store.revision();
            if let Some(entry) = inner.log.get_mut(number) {
                entry.revision = revision;
                entry.wrote = revision != before;
                match &answer {
                    Some(Ok(answer)) => {
                        entry.code = answer.code;
                        if let Content::Json(body) = &answer.body {
                            entry.named(body);
                        }
                    }
                    Some(Err(refusal)) => entry.code = refusal.code,
                    None => {}
                }
            }
            answer
        });
        match &fault {
            Some(Fault::HoldAnswer(gate)) => gate.passed().await,
            Some(Fault::LoseAnswer) => return Err(Broken("the answer was lost").into()),
            _ => {}
        }
        let answer = answer.ok_or(Broken("the connection broke"))?;
        self.respond(answer, fault.as_ref())
    }

    fn respond(
        &self,
        answer: Result<Answer, Box<Refusal>>,
        fault: Option<&Fault>,
    ) -> Result<Response<WorldBody>, BoxError> {
        let mut retry_after = None;
        let answer = answer.unwrap_or_else(|refusal| {
            retry_after = refusal.retry_after;
            let body = match refusal.status {
                Value::String(text) => Content::Text(text),
                status => Content::Json(status),
            };
            Answer { code: refusal.code, body, warnings: refusal.warnings }
        });
        let kind =
            if matches!(answer.body, Content::Text(_)) { "text/plain; charset=utf-8" } else { "application/json" };
        let mut response = Response::builder().status(answer.code).header(http::header::CONTENT_TYPE, kind);
        for warning in &answer.warnings {
            response = response.header("warning", format!("299 - {warning:?}"));
        }
        if let Some(seconds) = retry_after {
            response = response.header(http::header::RETRY_AFTER, seconds);
        }
        let body = match (answer.body, fault) {
            (Content::Watch(watch), _) => {
                WorldBody::Stream(WatchStream(WatchBody { watch, inner: self.inner.clone() }))
            }
            (Content::Json(body), Some(Fault::Rewrite(rewrite))) => {
                WorldBody::Whole(Some(Bytes::from(rewrite(body).to_string())))
            }
            (content, _) => WorldBody::Whole(Some(Bytes::from(bytes(&content)))),
        };
        Ok(response.body(body)?)
    }
}

impl Door {
    /// A client through this door. Needs a tokio runtime around it.
    #[must_use]
    pub fn client(&self) -> kube::Client {
        kube::Client::new(self.clone(), "default")
    }

    /// Turns the door to another world: requests from now on go there. Watches that are open stay where they are.
    pub fn turn_to(&self, world: &World) {
        *self.world.lock().unwrap_or_else(PoisonError::into_inner) = world.clone();
    }

    fn world(&self) -> World {
        self.world.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn world_value(definition: &CustomResourceDefinition) -> Option<Value> {
    let mut value = serde_json::to_value(definition).ok()?;
    value["apiVersion"] = json!("apiextensions.k8s.io/v1");
    value["kind"] = json!("CustomResourceDefinition");
    Some(value)
}

impl tower::Service<http::Request<Body>> for Door {
    type Response = Response<WorldBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let (world, client) = (self.world(), self.client.clone());
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await?;
            world.answer(Request::read(&parts, body, &client)).await
        })
    }
}
