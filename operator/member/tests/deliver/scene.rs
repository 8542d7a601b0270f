//! A member in memory with a tenant's workload on its way to it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use jiuzhou_api::v1alpha1::{
    DeliveredObject, DeliverySpec, DeliveryState, DeliveryStatus, ObjectIdentity, ObjectObservation, ObjectState,
    SecretReference, WorkloadReference,
};
use jiuzhou_member::{Knowledge, Member, Secrets, deliver};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::profile::Profiles;
use jiuzhou_objects::secrets::{DigestKey, SecretManifest};
use jiuzhou_world::{Clock, Controllers, World};
use serde_json::{Value, json};

pub(crate) const OWNER: &str = "bureau/web";

/// A member, the order to it, and the status of the last time.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) member: Member,
    pub(crate) spec: DeliverySpec,
    pub(crate) secrets: Secrets,
    pub(crate) status: DeliveryStatus,
    pub(crate) now: Timestamp,
}

impl Scene {
    /// A member without anything of ours, and an order of these objects.
    pub(crate) fn new(objects: Vec<DeliveredObject>) -> Self {
        let clock = Clock::default();
        let world = World::new("dali", clock);
        world.control(Controllers::all(1));
        let knowledge = Knowledge { profiles: Profiles::default(), ..Knowledge::default() };
        let member = Member::new("dali", world.client_named("hub"), Arc::new(knowledge));
        let spec = DeliverySpec {
            cluster: "dali".into(),
            workload: WorkloadReference { namespace: "bureau".into(), name: "web".into() },
            tenant: "bureau-tenant".into(),
            decision: format!("sha256:{}", "0".repeat(64)).into(),
            epoch: 7,
            objects,
            ..DeliverySpec::default()
        };
        let now = Timestamp::from_second(1_800_000_000).expect("a time");
        Self { world, member, spec, secrets: Secrets::new(), status: DeliveryStatus::default(), now }
    }

    /// Delivers once.
    pub(crate) async fn deliver(&mut self) -> &DeliveryStatus {
        self.now += SignedDuration::from_secs(1);
        self.status = deliver(&self.member, &self.spec, &self.secrets, &self.status, self.now).await;
        &self.status
    }

    /// Delivers and lets the member's controllers work until everything is as wanted.
    pub(crate) async fn arrive(&mut self) {
        for _ in 0..8 {
            self.deliver().await;
            if self.reason() == "AsWanted" {
                return;
            }
            self.rest();
        }
        panic!("never as wanted: {:?}", self.status);
    }

    /// A minute passes in the member, with its controllers at work.
    pub(crate) fn rest(&self) {
        self.world.settle();
        self.world.clock().advance(SignedDuration::from_secs(60));
        self.world.settle();
    }

    pub(crate) fn reason(&self) -> &str {
        let ready = self.status.conditions.iter().find(|condition| condition.type_ == "Ready");
        ready.map_or("", |condition| condition.reason.as_str())
    }

    pub(crate) fn message(&self) -> &str {
        let ready = self.status.conditions.iter().find(|condition| condition.type_ == "Ready");
        ready.map_or("", |condition| condition.message.as_str())
    }

    pub(crate) fn seen(&self, name: &str) -> &ObjectObservation {
        self.status.objects.iter().find(|one| *one.name == *name).expect("an observation")
    }

    pub(crate) fn state(&self, name: &str) -> ObjectState {
        self.seen(name).state
    }

    /// The object in the member.
    pub(crate) fn live(&self, api_version: &str, kind: &str, name: &str) -> Option<Value> {
        self.world.object(api_version, kind, "bureau", name)
    }

    pub(crate) fn deployment(&self) -> Value {
        self.live("apps/v1", "Deployment", "web").expect("the deployment")
    }

    /// What the hub changed in the member since the log was cleared, as `verb resource/name`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let ours = self.world.log().into_iter().filter(|entry| entry.wrote && entry.client == "hub");
        ours.map(|entry| format!("{} {}/{}", entry.verb, entry.resource, entry.name)).collect()
    }

    /// Orders the removal of everything that was seen, and nothing else.
    pub(crate) fn remove_all(&mut self) {
        self.spec.state = DeliveryState::Removing;
        self.spec.removing = self.identities();
        self.spec.objects.clear();
        self.spec.epoch += 1;
    }

    pub(crate) fn identities(&self) -> Vec<ObjectIdentity> {
        self.status.objects.iter().filter_map(|one| one.identity.clone()).collect()
    }

    /// Changes the manifest of an object, as a new decision would.
    pub(crate) fn change(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let object = self.spec.objects.iter_mut().find(|object| *object.name == *name).expect("an object");
        change(object.manifest.as_mut().expect("a manifest"));
        self.spec.epoch += 1;
    }

    /// Nothing the world does not do was asked for.
    pub(crate) fn check(&self) {
        let refused = self.world.refused();
        assert!(refused.is_empty(), "{refused:?}");
    }
}

/// An object of the workload with the labels that rendering puts on.
pub(crate) fn object(name: &str, mut manifest: Value) -> DeliveredObject {
    manifest["metadata"]["namespace"] = "bureau".into();
    let labels = json!({"app.kubernetes.io/managed-by": "jiuzhou", "jiuzhou.dev/workload": "web",
        "jiuzhou.dev/object": name});
    manifest["metadata"]["labels"] = labels;
    manifest["metadata"]["annotations"] = json!({"jiuzhou.dev/owner": OWNER});
    DeliveredObject { name: name.into(), manifest: Some(manifest), ..DeliveredObject::default() }
}

pub(crate) fn config(name: &str, value: &str) -> DeliveredObject {
    let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": value}});
    object(name, manifest)
}

pub(crate) fn web(replicas: i64) -> DeliveredObject {
    workload("apps/v1", "Deployment", &json!({"replicas": replicas}))
}

/// A workload of any kind with one pod template.
pub(crate) fn of_kind(api_version: &str, kind: &str) -> DeliveredObject {
    let mut object = workload(api_version, kind, &json!({}));
    let spec = &mut object.manifest.as_mut().expect("a manifest")["spec"];
    if kind == "CronJob" {
        let mut template = spec["template"].take();
        template["spec"]["restartPolicy"] = "Never".into();
        *spec = json!({"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": template}}});
    }
    object
}

pub(crate) fn job() -> DeliveredObject {
    let mut job = workload("batch/v1", "Job", &json!({}));
    let manifest = job.manifest.as_mut().expect("a manifest");
    manifest["spec"].as_object_mut().expect("a spec").remove("selector");
    manifest["spec"]["template"]["spec"]["restartPolicy"] = "Never".into();
    job
}

fn workload(api_version: &str, kind: &str, spec: &Value) -> DeliveredObject {
    let mut manifest = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web", "jiuzhou.dev/workload": "web", "jiuzhou.dev/object": "web"},
            "annotations": {"jiuzhou.dev/owner": OWNER}},
            "spec": {"containers": [{"name": "web", "image": "registry.example.cn/web:1",
                "resources": {"requests": {"cpu": "1000m"}}}]}}}});
    for (key, value) in spec.as_object().expect("a map") {
        manifest["spec"][key] = value.clone();
    }
    object("web", manifest)
}

/// A Secret as it is delivered: the data beside the order, a reference in it.
pub(crate) fn secret(password: &str) -> (DeliveredObject, Secrets) {
    let manifest = object(
        "password",
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "password"},
        "stringData": {"password": password}}),
    );
    let secret =
        SecretManifest::new(manifest.manifest.expect("a manifest"), OWNER, &DigestKey::new(*b"key")).expect("a Secret");
    let reference = SecretReference { name: secret.name().into(), digest: secret.digest().to_string().into() };
    let delivered = DeliveredObject { name: "password".into(), secret: Some(reference), ..DeliveredObject::default() };
    (delivered, Secrets::from([(secret.name().to_owned(), secret)]))
}

/// Annotation of an object.
pub(crate) fn annotation(value: &Value, key: &str) -> String {
    Object::new(value).annotation(key).unwrap_or_default().to_owned()
}
