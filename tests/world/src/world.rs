//! The state of a world and the one place where a request meets it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Waker;

use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::{Answer, Content, Result, method_not_allowed, no_such_path, no_such_resource, not_in_this_world};
use crate::clock::Clock;
use crate::controllers::Controllers;
use crate::faults::{Faults, WatchFault};
use crate::kinds::{Kind, Kinds};
use crate::log::Entry;
use crate::request::Request;
use crate::store::{Key, Store};

/// Everything a world is.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) kinds: Kinds,
    pub(crate) log: Vec<Entry>,
    pub(crate) faults: Faults,
    pub(crate) controllers: Controllers,
    pub(crate) bookmark_round: u64,
    /// The revision at which the server that is asked right now stands, when it fell behind.
    behind: Option<u64>,
    /// Objects that are read with defaults they were not stored with: the next update stores them, even an empty one.
    pub(crate) unsaved: BTreeSet<Key>,
    uids: u64,
    names: u64,
    addresses: u32,
    watches: BTreeMap<u64, OpenWatch>,
    watch_numbers: u64,
    waiting: Vec<Waker>,
}

/// A watch under way, as a test may pick it.
#[derive(Clone, Debug)]
pub struct OpenWatch {
    /// The request that opened it.
    pub request: Request,
    fault: Option<WatchFault>,
}

impl Inner {
    pub(crate) fn new(name: &str, clock: Clock) -> Self {
        Self {
            name: name.to_owned(),
            clock,
            store: Store::new(),
            kinds: Kinds::native(),
            log: Vec::new(),
            faults: Faults::default(),
            controllers: Controllers::default(),
            bookmark_round: 0,
            behind: None,
            unsaved: BTreeSet::new(),
            uids: 0,
            names: 0,
            addresses: 0,
            watches: BTreeMap::new(),
            watch_numbers: 0,
            waiting: Vec::new(),
        }
    }

    /// Another cluster with the same objects, made now and under its own uids.
    pub(crate) fn copy(&self, name: &str, clock: Clock) -> Self {
        let mut out = Self::new(name, clock);
        out.kinds = self.kinds.clone();
        for change in self.store.changes_after(0) {
            let Some(object) = &change.after else { continue };
            let mut object = (**object).clone();
            object["metadata"]["uid"] = json!(out.new_uid());
            object["metadata"]["creationTimestamp"] = json!(out.clock.printed());
            out.store.put(&change.key, object);
        }
        out
    }

    /// Answers a request, or says why not.
    pub(crate) fn handle(&mut self, request: &Request) -> Result<Answer> {
        if let Some(answer) = self.discover(request) {
            return answer;
        }
        let target = &request.target;
        let Some(kind) = self.kinds.find(&target.group, &target.version, &target.plural) else {
            return Err(self.unknown(request));
        };
        let wrong_scope = !kind.namespaced && !target.namespace.is_empty()
            || kind.namespaced && target.namespace.is_empty() && !target.name.is_empty();
        if wrong_scope {
            return Err(if kind.native { no_such_resource() } else { no_such_path() });
        }
        match target.subresource.as_str() {
            "" => self.resource(request, &kind),
            "status" if kind.status => self.status(request, &kind),
            "scale" if kind.scale.is_some() => self.scale(request, &kind),
            "finalize" if kind.is_one_of(&["namespaces"]) => self.finalize(request, &kind),
            "eviction" if kind.is_one_of(&["pods"]) => self.evict(request, &kind),
            "status" | "scale" => Err(no_such_resource()),
            other if kind.native => Err(not_in_this_world(&format!("subresource {other} of {}", kind.plural))),
            _ => Err(no_such_resource()),
        }
    }

    fn resource(&mut self, request: &Request, kind: &Arc<Kind>) -> Result<Answer> {
        let named = !request.target.name.is_empty();
        let placed = !kind.namespaced || !request.target.namespace.is_empty();
        match (request.method.clone(), named) {
            (Method::GET, false) if request.flag("watch") && request.option("watch").is_some() => {
                self.watch(request, kind, self.behind)
            }
            (Method::GET, false) => self.list(request, kind),
            (Method::GET, true) => self.get(request, kind),
            (Method::POST, false) if placed => self.create(request, kind),
            (Method::PUT, true) => self.replace(request, kind),
            (Method::PATCH, true) => self.patch(request, kind, ""),
            (Method::DELETE, true) => self.delete(request, kind),
            (Method::DELETE, false) if placed => self.delete_collection(request, kind),
            _ => Err(method_not_allowed(Some(kind))),
        }
    }

    /// A resource that is not served: known to a real server or to nobody.
    fn unknown(&self, request: &Request) -> Box<crate::answer::Refusal> {
        let target = &request.target;
        let elsewhere = ELSEWHERE
            .iter()
            .find(|(group, plural)| *group == target.group && (*plural == target.plural || *plural == "*"));
        match elsewhere {
            Some(_) => not_in_this_world(&format!("{} {}", request.method, request.path)),
            None if target.group.is_empty() && target.version == "v1" => no_such_resource(),
            None => no_such_path(),
        }
    }

    /// The key of the object a request names.
    pub(crate) fn key(&self, request: &Request, kind: &Kind) -> Key {
        Key::new(&kind.resource(), &request.target.namespace, &request.target.name)
    }

    /// A uid nobody had before, different in every world.
    pub(crate) fn new_uid(&mut self) -> String {
        self.uids += 1;
        let hash = Sha256::digest(format!("{}/{}", self.name, self.uids));
        let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }

    /// The end of a generated name: five letters as Kubernetes draws them, in counting order.
    pub(crate) fn new_suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        self.names += 1;
        let mut rest = self.names;
        let mut out = Vec::new();
        for _ in 0..5 {
            let at = usize::try_from(rest % 27).unwrap_or_default();
            out.push(LETTERS[at]);
            rest /= 27;
        }
        out.reverse();
        String::from_utf8_lossy(&out).into_owned()
    }

    /// The next free service address.
    pub(crate) fn new_address(&mut self) -> String {
        self.addresses += 1;
        let [_, b, c, d] = self.addresses.to_be_bytes();
        format!("10.{}.{c}.{d}", 96 + u16::from(b))
    }

    pub(crate) fn next_watch(&mut self, request: &Request) -> u64 {
        self.watch_numbers += 1;
        self.watches.insert(self.watch_numbers, OpenWatch { request: request.clone(), fault: None });
        self.watch_numbers
    }

    pub(crate) fn close_watch(&mut self, id: u64) {
        self.watches.remove(&id);
    }

    pub(crate) fn open_watches(&self) -> Vec<OpenWatch> {
        self.watches.values().cloned().collect()
    }

    pub(crate) fn watch_fault(&self, id: u64) -> Option<WatchFault> {
        self.watches.get(&id).and_then(|watch| watch.fault)
    }

    /// Puts a fault on every open watch a test picks, or takes it away.
    pub(crate) fn fault_watches(&mut self, pick: impl Fn(&Request) -> bool, fault: Option<WatchFault>) -> usize {
        let mut picked = 0;
        for watch in self.watches.values_mut().filter(|watch| pick(&watch.request)) {
            watch.fault = fault;
            picked += 1;
        }
        picked
    }

    pub(crate) fn wait(&mut self, waker: &Waker) {
        self.waiting.push(waker.clone());
    }

    /// Whoever waits for a change; they are woken outside the lock.
    pub(crate) fn take_waiting(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting)
    }

    /// Handles a request whose reads shall see an old revision.
    pub(crate) fn handle_stale(&mut self, request: &Request, revision: u64) -> Result<Answer> {
        if !request.reads() {
            return self.handle(request);
        }
        if request.verb() == "watch" {
            self.behind = Some(revision);
            let answer = self.handle(request);
            self.behind = None;
            return answer;
        }
        let mut old = Store::new();
        std::mem::swap(&mut old, &mut self.store);
        let mut seen = old.as_of(revision);
        std::mem::swap(&mut seen, &mut self.store);
        let answer = self.handle(request);
        self.store = old;
        answer
    }

    /// Digest of the whole state, to compare two runs.
    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for (key, object) in self.store.everything() {
            hash.update(format!("{} {} {object}\n", key.resource, key.path));
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What a real server serves and the world does not: asking for it is a mistake of the test, not a missing kind.
const ELSEWHERE: &[(&str, &str)] = &[
    ("", "bindings"),
    ("", "componentstatuses"),
    ("", "events"),
    ("", "podtemplates"),
    ("", "replicationcontrollers"),
    ("admissionregistration.k8s.io", "*"),
    ("apiregistration.k8s.io", "*"),
    ("authentication.k8s.io", "*"),
    ("authorization.k8s.io", "*"),
    ("autoscaling", "*"),
    ("certificates.k8s.io", "*"),
    ("coordination.k8s.io", "*"),
    ("discovery.k8s.io", "*"),
    ("flowcontrol.apiserver.k8s.io", "*"),
    ("node.k8s.io", "*"),
    ("resource.k8s.io", "*"),
    ("storage.k8s.io", "*"),
    ("storagemigration.k8s.io", "*"),
];

/// The bytes of an answer that is no stream.
pub(crate) fn bytes(content: &Content) -> Vec<u8> {
    match content {
        Content::Json(body) => body.to_string().into_bytes(),
        Content::Text(text) => text.clone().into_bytes(),
        Content::Watch(_) => Vec::new(),
    }
}

/// A Status of success.
pub(crate) fn success(details: &Value) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
