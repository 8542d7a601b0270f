//! What a member has, found out without a memory; and who sees every write.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use jiuzhou_api::v1alpha1::{ObjectIdentity, WorkloadReference};
use jiuzhou_member::look;
use jiuzhou_member::witness::{Outcome, Verb, Witness, Write};
use jiuzhou_world::{Fault, World};

use crate::scene::{Scene, config, secret, web};

#[tokio::test]
async fn what_a_member_has_is_found_without_a_memory() {
    let (password, secrets) = secret("canary-1");
    let mut scene = Scene::new(vec![web(2), config("settings", "1"), password]);
    let workload = scene.spec.workload.clone();
    let none = BTreeSet::new();
    assert_eq!(look(&scene.member, "bureau-tenant", &workload, &none).await, Ok(None));
    scene.secrets = secrets;
    scene.arrive().await;
    let seen = look(&scene.member, "bureau-tenant", &workload, &none).await.unwrap().expect("something");
    let sorted = |mut identities: Vec<ObjectIdentity>| {
        identities.sort();
        identities
    };
    let found = sorted(seen.objects.iter().filter_map(|one| one.identity.clone()).collect());
    assert_eq!(found, sorted(scene.identities()), "the same, by uid");
    assert_eq!((seen.present, seen.ready), (Some(2), Some(2)));
    assert!(!format!("{seen:?}").contains("canary"));
    let other = WorkloadReference { name: "other".into(), ..workload };
    assert_eq!(look(&scene.member, "bureau-tenant", &other, &none).await, Ok(None));
    scene.check();
}

#[tokio::test]
async fn nothing_is_there_is_only_said_when_it_was_seen() {
    let scene = Scene::new(vec![web(2)]);
    for plural in ["deployments", "pods", "configmaps"] {
        scene.world.heal();
        scene.world.intercept(move |request| (request.target.plural == plural).then(|| Fault::code(403)));
        let looked = look(&scene.member, "bureau-tenant", &scene.spec.workload, &BTreeSet::new()).await;
        assert!(looked.is_err(), "{plural}: {looked:?}");
    }
}

#[tokio::test]
async fn a_tenant_that_may_not_list_secrets_is_still_answered() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    scene.arrive().await;
    scene.world.intercept(|request| {
        let listed = request.target.plural == "secrets" && request.target.name.is_empty();
        listed.then(|| Fault::code(403))
    });
    let seen = look(&scene.member, "bureau-tenant", &scene.spec.workload, &BTreeSet::new()).await;
    assert_eq!(seen.unwrap().expect("something").objects.len(), 1);
}

/// Notes what it is shown, with how many writes the member had seen by then, and can say no.
struct Notes {
    world: World,
    closed: bool,
    lines: Mutex<Vec<(String, usize)>>,
}

impl Notes {
    fn new(world: &World, closed: bool) -> Arc<Self> {
        Arc::new(Self { world: world.clone(), closed, lines: Mutex::default() })
    }

    fn note(&self, line: String) {
        let writes = self.world.log().iter().filter(|entry| entry.wrote).count();
        self.lines.lock().expect("notes").push((line, writes));
    }

    fn lines(&self) -> Vec<(String, usize)> {
        self.lines.lock().expect("notes").clone()
    }
}

impl Witness for Notes {
    fn before<'a>(&'a self, write: &'a Write<'a>) -> BoxFuture<'a, Result<(), String>> {
        let verb = match write.verb {
            Verb::Create => "create",
            Verb::Apply => "apply",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
        };
        self.note(format!("{verb} {}/{}", write.target.kind, write.target.name));
        let answer = if self.closed { Err("not the leader".to_owned()) } else { Ok(()) };
        async move { answer }.boxed()
    }

    fn after<'a>(&'a self, _: &'a Write<'a>, outcome: Outcome) -> BoxFuture<'a, ()> {
        self.note(format!("{outcome:?}"));
        async {}.boxed()
    }
}

#[tokio::test]
async fn every_write_is_shown_before_and_after() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    let notes = Notes::new(&scene.world, false);
    scene.member = scene.member.clone().witnessed(notes.clone());
    scene.arrive().await;
    let told = |line: &str, writes: usize| (line.to_owned(), writes);
    let made =
        vec![told("create Namespace/bureau", 0), told("Done", 1), told("apply ConfigMap/settings", 1), told("Done", 2)];
    assert_eq!(notes.lines(), made);
    scene.deliver().await;
    assert_eq!(notes.lines(), made, "reads and dry runs are no writes");
    scene.remove_all();
    scene.world.intercept(|request| (request.method == http::Method::DELETE).then_some(Fault::LoseAnswer));
    scene.deliver().await;
    let ended = notes.lines().split_off(4);
    assert_eq!(ended, [told("delete ConfigMap/settings", 2), told("Unknown", 3)]);
}

#[tokio::test]
async fn what_the_witness_does_not_let_through_is_not_sent() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    let notes = Notes::new(&scene.world, true);
    scene.member = scene.member.clone().witnessed(notes.clone());
    scene.deliver().await;
    assert_eq!(scene.writes(), Vec::<String>::new());
    assert_eq!((scene.reason(), scene.message()), ("DeliveryInProgress", "not the leader"));
    assert_eq!(scene.status.epoch, None);
    assert_eq!(notes.lines().len(), 1, "nothing is told of a write that was not sent");
}

#[tokio::test]
async fn a_secret_that_nobody_may_list_is_found_by_its_name() {
    let (password, secrets) = secret("canary-1");
    let mut scene = Scene::new(vec![password]);
    scene.secrets = secrets;
    scene.arrive().await;
    scene.world.intercept(|request| {
        let listed = request.target.plural == "secrets" && request.target.name.is_empty();
        listed.then(|| Fault::code(403))
    });
    let manifests = BTreeSet::from([("v1".to_owned(), "Secret".to_owned(), "password".to_owned())]);
    let seen =
        look(&scene.member, "bureau-tenant", &scene.spec.workload, &manifests).await.unwrap().expect("the Secret");
    let found: Vec<ObjectIdentity> = seen.objects.iter().filter_map(|one| one.identity.clone()).collect();
    assert_eq!(found, scene.identities(), "so that its removal can be ordered");
    let other = WorkloadReference { name: "other".into(), ..scene.spec.workload.clone() };
    assert_eq!(look(&scene.member, "bureau-tenant", &other, &manifests).await, Ok(None), "another's is not told");
}
