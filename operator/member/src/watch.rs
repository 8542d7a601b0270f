//! What changed in a member, by workload: one watch for each kind, shared by all workloads, of metadata only.
//!
//! A watch says *look there*; what is there is read when it is looked at. A delete that happened while the watch was
//! down is noticed when the next list is complete; from a list that failed or broke off nothing is concluded, and a
//! quiet watch says nothing about health.

use std::collections::BTreeMap;

use futures::StreamExt;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::WorkloadReference;
use kube::Api;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::bootstrap::{KINDS, KindRight};
use crate::kinds::Served;
use crate::member::Member;

/// Metadata of an object of any kind.
type Metadata = PartialObjectMeta<DynamicObject>;

/// What a watch has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something of this workload changed, came or went.
    Changed(WorkloadReference),
    /// The first complete list of this kind was read.
    Complete {
        /// `apiVersion`.
        api_version: String,
        /// Kind.
        kind: String,
    },
    /// A watch broke and is taken up again. Says nothing about the objects.
    Broken {
        /// Kind.
        kind: String,
        /// Why.
        why: String,
    },
}

/// The watches of one member. Dropped, they end.
#[derive(Debug)]
pub struct Watches {
    member: Member,
    notices: mpsc::Sender<Notice>,
    running: BTreeMap<(String, String), JoinHandle<()>>,
}

/// Notices that wait for their reader; a full queue holds the watches up, not the memory.
const QUEUE: usize = 1024;

impl Watches {
    /// No watch yet.
    #[must_use]
    pub fn new(member: Member) -> (Self, mpsc::Receiver<Notice>) {
        let (notices, reader) = mpsc::channel(QUEUE);
        (Self { member, notices, running: BTreeMap::new() }, reader)
    }

    /// Watches a kind from now on, unless it is watched already.
    pub fn ensure(&mut self, served: &Served) {
        // Contents of ConfigMaps and Secrets are the tenant's: our own account may not list them, so asking would only
        // be refused again and again. They are looked at with their order, now and then.
        let may_list = |right: &KindRight| right.hub_lists || right.kind != served.resource.kind;
        if !KINDS.iter().filter(|right| right.group == served.resource.group).all(may_list) {
            return;
        }
        let key = (served.resource.api_version.clone(), served.resource.kind.clone());
        if self.running.get(&key).is_some_and(|task| !task.is_finished()) {
            return;
        }
        let api: Api<Metadata> = Api::all_with(self.member.client.clone(), &served.resource);
        let task = tokio::spawn(follow(api, key.clone(), self.notices.clone()));
        self.running.insert(key, task);
    }

    /// How many kinds are watched.
    #[must_use]
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether no kind is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        self.running.values().for_each(JoinHandle::abort);
    }
}

async fn follow(api: Api<Metadata>, (api_version, kind): (String, String), notices: mpsc::Sender<Notice>) {
    let config = watcher::Config::default().labels(meta::LABEL_WORKLOAD);
    let mut events = std::pin::pin!(watch(api, config).default_backoff());
    let mut index = Index::default();
    let mut complete = false;
    while let Some(event) = events.next().await {
        let mut out = Vec::new();
        match event {
            Ok(event) => {
                let listed = matches!(event, Event::InitDone);
                out.extend(index.take(event).into_iter().map(Notice::Changed));
                if listed && !complete {
                    complete = true;
                    out.push(Notice::Complete { api_version: api_version.clone(), kind: kind.clone() });
                }
            }
            Err(error) => {
                index.broken();
                out.push(Notice::Broken { kind: kind.clone(), why: short(&error) });
            }
        }
        for notice in out {
            if notices.send(notice).await.is_err() {
                return; // nobody listens any more
            }
        }
    }
}

fn short(error: &watcher::Error) -> String {
    error.to_string().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// One object as far as a watch needs to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    version: String,
    workload: WorkloadReference,
}

/// The objects of one kind, and the list that is being read.
#[derive(Debug, Default)]
struct Index {
    known: BTreeMap<(String, String), Known>,
    listing: Option<BTreeMap<(String, String), Known>>,
}

impl Index {
    /// Takes an event; gives the workloads it says something new about.
    fn take(&mut self, event: Event<Metadata>) -> Vec<WorkloadReference> {
        match event {
            Event::Init => {
                self.listing = Some(BTreeMap::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                if let (Some(listing), Some((key, known))) = (&mut self.listing, known(&object)) {
                    listing.insert(key, known);
                }
                Vec::new()
            }
            Event::InitDone => {
                let Some(listing) = self.listing.take() else { return Vec::new() };
                let before = std::mem::replace(&mut self.known, listing);
                let new = self.known.iter().filter(|(key, known)| before.get(*key) != Some(*known));
                let gone = before.iter().filter(|(key, _)| !self.known.contains_key(*key));
                let moved = before
                    .iter()
                    .filter(|(key, known)| self.known.get(*key).is_some_and(|now| now.workload != known.workload));
                unique(new.chain(gone).chain(moved).map(|(_, known)| known.workload.clone()))
            }
            Event::Apply(object) => {
                let Some((key, known)) = known(&object) else { return Vec::new() };
                let before = self.known.insert(key, known.clone());
                if before.as_ref() == Some(&known) {
                    return Vec::new();
                }
                unique(before.into_iter().map(|before| before.workload).chain([known.workload]))
            }
            Event::Delete(object) => {
                let Some((key, known)) = known(&object) else { return Vec::new() };
                let before = self.known.remove(&key);
                unique(before.into_iter().map(|before| before.workload).chain([known.workload]))
            }
        }
    }

    /// The list that was being read is worth nothing.
    fn broken(&mut self) {
        self.listing = None;
    }
}

fn unique(workloads: impl Iterator<Item = WorkloadReference>) -> Vec<WorkloadReference> {
    workloads.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// Key and workload of an object; `None` for one whose owner cannot be told.
fn known(object: &Metadata) -> Option<((String, String), Known)> {
    let metadata = &object.metadata;
    let owner = metadata.annotations.as_ref()?.get(meta::ANNOTATION_OWNER)?;
    let (namespace, name) = owner.split_once('/')?;
    let workload = WorkloadReference { namespace: namespace.into(), name: name.into() };
    let key = (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone()?);
    Some((key, Known { version: metadata.resource_version.clone().unwrap_or_default(), workload }))
}

#[cfg(test)]
mod tests {
    use kube::core::{ObjectMeta, PartialObjectMetaExt};

    use super::*;

    fn object(name: &str, version: &str, owner: &str) -> Metadata {
        let annotations = [(meta::ANNOTATION_OWNER.to_owned(), owner.to_owned())].into();
        ObjectMeta {
            name: Some(name.into()),
            namespace: Some("n".into()),
            resource_version: Some(version.into()),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        }
        .into_response_partial()
    }

    fn names(workloads: Vec<WorkloadReference>) -> Vec<String> {
        workloads.into_iter().map(|workload| workload.name.to_string()).collect()
    }

    fn list(index: &mut Index, objects: &[Metadata]) -> Vec<String> {
        assert!(index.take(Event::Init).is_empty());
        for object in objects {
            assert!(index.take(Event::InitApply(object.clone())).is_empty(), "a list is read before it is believed");
        }
        names(index.take(Event::InitDone))
    }

    #[test]
    fn a_delete_missed_while_the_watch_was_down_is_noticed() {
        let mut index = Index::default();
        let (a, b) = (object("a", "1", "n/one"), object("b", "2", "n/two"));
        assert_eq!(list(&mut index, &[a.clone(), b]), ["one", "two"]);
        assert_eq!(list(&mut index, std::slice::from_ref(&a)), ["two"]);
        assert_eq!(list(&mut index, &[a]), Vec::<String>::new(), "a list that says the same says nothing");
    }

    #[test]
    fn nothing_is_concluded_from_a_list_that_broke_off() {
        let mut index = Index::default();
        let (a, b) = (object("a", "1", "n/one"), object("b", "2", "n/two"));
        list(&mut index, &[a.clone(), b.clone()]);
        index.take(Event::Init);
        index.take(Event::InitApply(a.clone()));
        index.broken();
        assert_eq!(names(index.take(Event::InitDone)), Vec::<String>::new());
        assert_eq!(list(&mut index, &[a, b]), Vec::<String>::new(), "both are still known");
    }

    #[test]
    fn an_object_that_changes_hands_is_news_for_both() {
        let mut index = Index::default();
        list(&mut index, &[object("a", "1", "n/one")]);
        assert_eq!(names(index.take(Event::Apply(object("a", "1", "n/one")))), Vec::<String>::new(), "seen before");
        assert_eq!(names(index.take(Event::Apply(object("a", "2", "n/two")))), ["one", "two"]);
        assert_eq!(names(index.take(Event::Delete(object("a", "3", "n/two")))), ["two"]);
        assert_eq!(list(&mut index, &[]), Vec::<String>::new());
    }
}
