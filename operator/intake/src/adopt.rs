//! Namespaces of a running cluster as a tenant, its systems and workloads that take them over as they are.
//!
//! In: a dump (`kubectl get … -o yaml`). Out: objects of ours whose manifests are those of the dump without what the API
//! server and controllers wrote into them. Pod templates stay byte for byte as the dump has them, replicas stay what
//! they are, and everything is Retain and Report until a person says otherwise. What a delivery adds to templates waits for
//! their next change, which is told of each; kinds whose pods are only known by labels of ours would be changed, which is told
//! too. What a controller made is left to it; what cannot be taken over is told. A member takes an object over only if it carries the annotation that names its new
//! owner: [`Adopted::consent`] lists these.

use std::collections::BTreeMap;

use jiuzhou_api::meta;
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Reason};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::profile::{Profile, Profiles, pods_tell_owner};
use jiuzhou_objects::wrap::{WrapOptions, wrap};
use serde_json::{Map, Value, json};

use crate::documents::Document;

/// What a dump does not say.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the Tenant.
    pub tenant: String,
    /// Its name for people.
    pub title: Option<String>,
    /// GB/T 2260 code it belongs to.
    pub region: String,
    /// The member cluster the dump is of: the workloads stay there.
    pub cluster: Option<String>,
    /// Only these namespaces; all that are not the cluster's own when empty.
    pub namespaces: Vec<String>,
    /// Tenant that exists already: none is written.
    pub existing: bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Adopted {
    /// Tenant, systems, workloads; in this order.
    pub objects: Vec<Value>,
    /// What is not taken over, and what would change.
    pub findings: Vec<Finding>,
    /// Each object of the member with the owner it has to name: kind (with its group), namespace, name, owner.
    pub consent: Vec<Consent>,
}

/// An object of the member that a workload will take over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consent {
    /// Namespace.
    pub namespace: String,
    /// `deployment.apps`, as kubectl names it.
    pub resource: String,
    /// Name.
    pub name: String,
    /// `NAMESPACE/NAME` of the workload.
    pub owner: String,
}

/// Namespaces that belong to a cluster and not to a tenant.
const SYSTEM: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "default"];
/// Kinds that are records of what runs, not wishes.
const RECORDS: [(&str, &str); 10] = [
    ("", "Pod"),
    ("", "Event"),
    ("", "Endpoints"),
    ("events.k8s.io", "Event"),
    ("apps", "ReplicaSet"),
    ("apps", "ControllerRevision"),
    ("discovery.k8s.io", "EndpointSlice"),
    ("coordination.k8s.io", "Lease"),
    ("metrics.k8s.io", "PodMetrics"),
    ("", "ReplicationController"),
];
/// Names that clusters make in every namespace.
const MADE: [(&str, &str); 3] =
    [("ConfigMap", "kube-root-ca.crt"), ("ConfigMap", "openshift-service-ca.crt"), ("ServiceAccount", "default")];
/// Annotations of tools and controllers that say what was, not what is wanted.
const NOISE: [&str; 5] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "autoscaling.alpha.kubernetes.io/conditions",
    "control-plane.alpha.kubernetes.io/leader",
    "pv.kubernetes.io/bind-completed",
];

/// Takes a dump over.
#[must_use]
pub fn adopt(documents: &[Document], profiles: &Profiles, settings: &Settings) -> Adopted {
    let mut adopted = Adopted::default();
    let mut kept: BTreeMap<String, Vec<&Document>> = BTreeMap::new();
    for document in documents {
        match refusal(document, settings) {
            Ok(namespace) => kept.entry(namespace).or_default().push(document),
            Err(Some(why)) => {
                let reason = Reason::new(Code::NotAdopted).seen(why);
                adopted.findings.push(document.finding(reason, "/metadata/name"));
            }
            Err(None) => {}
        }
    }
    let names: Vec<&String> = kept.keys().collect();
    if !settings.existing && !names.is_empty() {
        adopted.objects.push(tenant(settings, &names));
    }
    let mut workloads = Vec::new();
    for (namespace, documents) in &kept {
        adopted.objects.push(system(settings, namespace));
        let manifests = documents.iter().map(|document| clean(&document.value)).collect();
        let options =
            WrapOptions { name: None, namespace: namespace.clone(), system: Some(namespace.clone()), policy: None };
        let mut wrapped = wrap(manifests, &options, profiles);
        locate(&mut wrapped.findings, documents);
        adopted.findings.append(&mut wrapped.findings);
        for mut workload in wrapped.workloads {
            careful(&mut workload, settings);
            changes(&workload, profiles, documents, &mut adopted.findings);
            consent(&workload, &mut adopted.consent);
            workloads.push(workload);
        }
    }
    adopted.objects.append(&mut workloads);
    adopted.consent.sort();
    adopted
}

/// The namespace of an object that is taken over, or the field that keeps it out; `None` for what nobody expects to be.
fn refusal(document: &Document, settings: &Settings) -> Result<String, Option<String>> {
    let (group, _) = document.group_version();
    let object = Object::new(&document.value);
    if document.namespace.is_empty() {
        // The namespaces themselves are the tenant's by name.
        let meant = document.kind != "Namespace" && settings.namespaces.is_empty();
        return Err(meant.then(|| format!("kind: {}", document.kind)));
    }
    let wanted = settings.namespaces.is_empty() || settings.namespaces.contains(&document.namespace);
    if !wanted {
        return Err(None);
    }
    let system = SYSTEM.contains(&document.namespace.as_str()) || document.namespace.starts_with("jiuzhou-");
    if system && settings.namespaces.is_empty() {
        return Err(None);
    }
    if group == meta::GROUP {
        return Err(Some(format!("apiVersion: {}", document.api_version)));
    }
    if RECORDS.contains(&(group, document.kind.as_str())) && owned(&document.value).is_some() {
        return Err(None);
    }
    if let Some(owner) = owned(&document.value) {
        return Err(Some(format!("metadata.ownerReferences: {owner}")));
    }
    if RECORDS
        .iter()
        .any(|(g, kind)| *g == group && *kind == document.kind && *kind != "Pod" && *kind != "ReplicationController")
    {
        return Err(Some(format!("kind: {}", document.kind)));
    }
    // It runs once, and its pod template cannot be labelled any more.
    if (group, document.kind.as_str()) == ("batch", "Job") {
        return Err(Some("kind: Job".to_owned()));
    }
    if MADE.contains(&(document.kind.as_str(), document.name.as_str())) {
        return Err(None);
    }
    if document.kind == "Secret" {
        let kind = object.text("/type");
        // Tokens are the cluster's to make, releases are Helm's own record.
        if ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "helm.sh/release.v1"]
            .contains(&kind)
        {
            return Err(Some(format!("type: {kind}")));
        }
    }
    if document.value.pointer("/metadata/deletionTimestamp").is_some_and(|value| !value.is_null()) {
        return Err(Some("metadata.deletionTimestamp".to_owned()));
    }
    Ok(document.namespace.clone())
}

/// What owns it.
fn owned(value: &Value) -> Option<String> {
    let owner = value.pointer("/metadata/ownerReferences")?.as_array()?.first()?;
    let text = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default();
    Some(format!("{}/{}", text("kind"), text("name")))
}

fn tenant(settings: &Settings, namespaces: &[&String]) -> Value {
    let namespaces: Vec<Value> = namespaces.iter().map(|name| json!({ "name": name, "system": name })).collect();
    json!({
        "apiVersion": meta::API_VERSION,
        "kind": "Tenant",
        "metadata": { "name": settings.tenant },
        "spec": {
            "displayName": settings.title.as_deref().unwrap_or(&settings.tenant),
            "level": "County",
            "region": settings.region,
            "namespaces": namespaces,
        },
    })
}

/// A register entry with what a person has to correct: the dump knows neither project code nor data owner.
fn system(settings: &Settings, namespace: &str) -> Value {
    json!({
        "apiVersion": meta::API_VERSION,
        "kind": "InformationSystem",
        "metadata": { "name": namespace, "namespace": namespace },
        "spec": {
            "displayName": namespace,
            "projectCode": format!("ADOPTED-{namespace}"),
            "tenant": settings.tenant,
            "functionDomain": "GovernmentOperation",
            "hosting": { "state": "CloudNative" },
            "dataClass": { "class": "General", "setBy": "jiuzhou adopt" },
        },
    })
}

/// A manifest without what servers and controllers wrote into it.
fn clean(value: &Value) -> Value {
    let mut value = value.clone();
    let Some(map) = value.as_object_mut() else { return value };
    map.remove("status");
    if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in [
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "managedFields",
            "selfLink",
            "ownerReferences",
        ] {
            metadata.remove(field);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|key, _| !NOISE.contains(&key.as_str()) && !key.starts_with("pv.kubernetes.io/"));
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
        // A finalizer that a controller added is the controller's to remove.
        metadata.remove("finalizers");
    }
    let kind = map.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) {
        allotted(&kind, spec);
    }
    if kind == "ServiceAccount" {
        // Token Secrets of old clusters.
        map.remove("secrets");
    }
    value
}

/// Values that a cluster chose itself and that another would not accept. The same stays on the member: fields we do not
/// apply are left alone.
fn allotted(kind: &str, spec: &mut Map<String, Value>) {
    match kind {
        "Service" => {
            let headless = spec.get("clusterIP").and_then(Value::as_str) == Some("None");
            if !headless {
                for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                    spec.remove(field);
                }
            }
            spec.remove("healthCheckNodePort");
            let load_balancer = spec.get("type").and_then(Value::as_str) == Some("LoadBalancer");
            for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                // A NodePort that clients know is a wish; behind a load balancer it is an accident.
                if let Some(port) = port.as_object_mut().filter(|_| load_balancer) {
                    port.remove("nodePort");
                }
            }
        }
        "PersistentVolumeClaim" => drop(spec.remove("volumeName")),
        "Pod" => drop(spec.remove("nodeName")),
        "Job" => {
            let generated = spec.get("manualSelector") != Some(&Value::Bool(true));
            if generated {
                spec.remove("selector");
                if let Some(labels) = spec
                    .get_mut("template")
                    .and_then(|t| t.pointer_mut("/metadata/labels"))
                    .and_then(Value::as_object_mut)
                {
                    labels.retain(|key, _| {
                        ![
                            "controller-uid",
                            "job-name",
                            "batch.kubernetes.io/controller-uid",
                            "batch.kubernetes.io/job-name",
                        ]
                        .contains(&key.as_str())
                    });
                }
            }
        }
        _ => {}
    }
}

/// Nothing is deleted or corrected until a person says so, and it stays where it is.
fn careful(workload: &mut Value, settings: &Settings) {
    for object in workload["spec"]["objects"].as_array_mut().into_iter().flatten() {
        object["onDelete"] = "Retain".into();
        object["onDrift"] = "Report".into();
    }
    if let Some(cluster) = &settings.cluster {
        workload["spec"]["placement"] = json!({
            "clusters": { "names": [cluster] },
            "failover": { "mode": "Manual" },
        });
    }
}

/// What of each object waits for its next change, and what its take-over would change.
fn changes(workload: &Value, profiles: &Profiles, documents: &[&Document], findings: &mut Vec<Finding>) {
    for entry in workload["spec"]["objects"].as_array().into_iter().flatten() {
        let object = Object::new(&entry["manifest"]);
        let Some(profile) = profiles.of(object) else { continue };
        let document =
            documents.iter().find(|document| document.kind == object.kind() && document.name == object.name());
        findings.extend(taken_over(object, profile).into_iter().map(|(reason, pointer)| match document {
            Some(document) => document.finding(reason, &pointer),
            None => Finding::new(reason).on(object.reference()),
        }));
    }
}

/// What becomes of the pod templates of an object that is taken over, with where it is: they stay as they are where its pods
/// are known without labels of ours; else a delivery labels them, and pods are replaced one by one as by any change of a
/// template.
pub(crate) fn taken_over(object: Object<'_>, profile: &Profile) -> Vec<(Reason, String)> {
    let templates = profile.templates_in(object).into_iter().filter(|(template, _)| !template.is_empty());
    let one = |(template, _): (String, _)| {
        let labels = format!("{template}/metadata/labels");
        let ours = [meta::LABEL_OBJECT.to_owned(), meta::LABEL_WORKLOAD.to_owned()];
        if pods_tell_owner(object.group(), object.kind()) {
            let name = format!("{}/{}", object.kind(), object.name());
            return (Reason::new(Code::AffinityDeferred).object(name).wanted(ours.to_vec()), labels);
        }
        let there = object.value.pointer(&labels).and_then(Value::as_object);
        let have: Vec<String> = there.into_iter().flatten().map(|(key, _)| key.clone()).collect();
        let mut wanted = have.clone();
        wanted.extend(ours);
        wanted.sort();
        let field = labels.trim_start_matches('/').replace('/', ".");
        (Reason::new(Code::AdoptionWouldChange).object(field).seen(have).wanted(wanted), labels)
    };
    templates.map(one).collect()
}

/// Owners that the objects of the member have to name.
fn consent(workload: &Value, out: &mut Vec<Consent>) {
    let text =
        |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (namespace, name) = (text(workload, "/metadata/namespace"), text(workload, "/metadata/name"));
    for entry in workload["spec"]["objects"].as_array().into_iter().flatten() {
        let object = Object::new(&entry["manifest"]);
        let kind = object.kind().to_ascii_lowercase();
        let resource = if object.group().is_empty() { kind } else { format!("{kind}.{}", object.group()) };
        out.push(Consent {
            namespace: namespace.clone(),
            resource,
            name: object.name().to_owned(),
            owner: format!("{namespace}/{name}"),
        });
    }
}

fn locate(findings: &mut [Finding], documents: &[&Document]) {
    let places: BTreeMap<ObjectRef, &&Document> = documents.iter().map(|one| (one.object_ref(), one)).collect();
    for finding in findings.iter_mut().filter(|finding| finding.place.is_none()) {
        let document = finding.subject.as_ref().and_then(|subject| places.get(subject));
        finding.place = document.map(|document| document.place("/metadata/name"));
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::documents::read_bytes;
    use crate::yaml::Limits;
    use crate::{Options, load_texts};

    const DUMP: &str = r#"
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web
    namespace: portal
    uid: 1b
    resourceVersion: "7"
    generation: 3
    creationTimestamp: "2024-01-01T00:00:00Z"
    annotations: {deployment.kubernetes.io/revision: "3", kubectl.kubernetes.io/last-applied-configuration: "{}", 说明: 门户}
    managedFields: [{manager: kubectl}]
  spec:
    replicas: 3
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec: {containers: [{name: web, image: 'registry.gov.example/web:1', envFrom: [{configMapRef: {name: conf}}]}]}
  status: {readyReplicas: 2}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: conf, namespace: portal, uid: 2b}
  data: {标题: 政务服务}
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: kube-root-ca.crt, namespace: portal}
- apiVersion: apps/v1
  kind: ReplicaSet
  metadata: {name: web-5d, namespace: portal, ownerReferences: [{kind: Deployment, name: web, controller: true, uid: 1b, apiVersion: apps/v1}]}
- apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: portal}
  spec: {clusterIP: 10.0.0.7, clusterIPs: [10.0.0.7], ports: [{port: 80}], selector: {app: web}}
- apiVersion: v1
  kind: Secret
  metadata: {name: sh.helm.release.v1.web.v1, namespace: portal}
  type: helm.sh/release.v1
- apiVersion: v1
  kind: Pod
  metadata: {name: dns, namespace: kube-system}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: all}
"#;

    fn settings() -> Settings {
        Settings {
            tenant: "dali-data".to_owned(),
            title: Some("大理州大数据局".to_owned()),
            region: "532900".to_owned(),
            cluster: Some("dali-1".to_owned()),
            namespaces: Vec::new(),
            existing: false,
        }
    }

    fn taken(settings: &Settings) -> Adopted {
        let (documents, findings) = read_bytes("dump.yaml", DUMP.as_bytes(), &Limits::default());
        assert_eq!(findings, []);
        adopt(&documents, &Profiles::default(), settings)
    }

    #[test]
    fn a_namespace_is_taken_over_without_what_servers_and_controllers_wrote() {
        let adopted = taken(&settings());
        let kinds: Vec<_> = adopted.objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["Tenant", "InformationSystem", "FleetWorkload"]);
        let objects = adopted.objects[2]["spec"]["objects"].as_array().unwrap();
        let names: Vec<_> = objects.iter().map(|entry| entry["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["configmap-conf", "deployment-web", "service-web"]);
        assert!(objects.iter().all(|entry| entry["onDelete"] == "Retain" && entry["onDrift"] == "Report"));
        let deployment = &objects[1]["manifest"];
        assert_eq!(
            deployment["metadata"],
            json!({ "name": "web", "namespace": "portal", "annotations": { "说明": "门户" } })
        );
        assert!(deployment.get("status").is_none());
        let template = &read_bytes("d", DUMP.as_bytes(), &Limits::default()).0[0].value["spec"]["template"];
        assert_eq!(&deployment["spec"]["template"], template);
        assert_eq!(objects[2]["manifest"]["spec"], json!({ "ports": [{ "port": 80 }], "selector": { "app": "web" } }));
    }

    #[test]
    fn what_stays_behind_and_what_would_change_is_told_with_its_place() {
        let adopted = taken(&settings());
        let told: Vec<_> = adopted
            .findings
            .iter()
            .filter(|f| matches!(f.reason.code, Code::NotAdopted | Code::AffinityDeferred | Code::AdoptionWouldChange))
            .map(|f| (f.reason.code, f.subject.as_ref().unwrap().to_string(), f.place.is_some()))
            .collect();
        assert_eq!(
            told,
            [
                (Code::NotAdopted, "Secret/portal/sh.helm.release.v1.web.v1".to_owned(), true),
                (Code::NotAdopted, "ClusterRole/all".to_owned(), true),
                (Code::AffinityDeferred, "Deployment/portal/web".to_owned(), true),
            ]
        );
    }

    /// Only kinds of Kubernetes itself have pods that say whose they are.
    #[test]
    fn a_kind_whose_pods_need_our_labels_would_be_changed() {
        let ring = json!({ "apiVersion": "x.io/v1", "kind": "Ring", "metadata": { "name": "r" },
            "spec": { "template": { "metadata": { "labels": { "app": "r" } }, "spec": {} } } });
        let deployment =
            Profiles::default().of(Object::new(&json!({ "apiVersion": "apps/v1", "kind": "Deployment" }))).cloned();
        let profile = Profile { group: "x.io".to_owned(), kind: "Ring".to_owned(), ..deployment.unwrap() };
        let told = taken_over(Object::new(&ring), &profile);
        let codes: Vec<_> = told.iter().map(|(reason, pointer)| (reason.code, pointer.as_str())).collect();
        assert_eq!(codes, [(Code::AdoptionWouldChange, "/spec/template/metadata/labels")]);
    }

    #[test]
    fn every_object_of_the_member_is_told_its_new_owner() {
        let adopted = taken(&settings());
        let owner = adopted.objects[2]["metadata"]["name"].as_str().unwrap();
        let told: Vec<_> = adopted.consent.iter().map(|c| (c.resource.as_str(), c.name.as_str())).collect();
        assert_eq!(told, [("configmap", "conf"), ("deployment.apps", "web"), ("service", "web")]);
        assert!(adopted.consent.iter().all(|c| c.owner == format!("portal/{owner}")));
    }

    /// What comes out is what `plan` takes: no finding of schema or references.
    #[test]
    fn what_comes_out_passes_the_checks() {
        let adopted = taken(&settings());
        let texts: Vec<(String, String)> = (0..)
            .zip(&adopted.objects)
            .map(|(number, object)| (format!("{number}.json"), object.to_string()))
            .collect();
        let texts: Vec<(String, &[u8])> = texts.iter().map(|(name, text)| (name.clone(), text.as_bytes())).collect();
        let as_of: Timestamp = "2026-11-27T00:00:00Z".parse().unwrap();
        let fleet = load_texts(&texts, &Options::at(as_of)).unwrap();
        let errors: Vec<_> = fleet
            .findings
            .iter()
            .filter(|finding| finding.severity == jiuzhou_engine::terms::Severity::Error)
            // The member cluster itself is not part of the dump.
            .filter(|finding| finding.reason.code != Code::ReferenceUnknown)
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }

    #[test]
    fn only_the_namespaces_asked_for_and_no_tenant_where_one_exists() {
        let none = taken(&Settings { namespaces: vec!["other".to_owned()], ..settings() });
        assert!(none.objects.is_empty() && none.findings.is_empty(), "{:?}", none.findings);
        let existing = taken(&Settings { existing: true, ..settings() });
        assert_eq!(existing.objects[0]["kind"], "InformationSystem");
        let system = taken(&Settings { namespaces: vec!["kube-system".to_owned()], ..settings() });
        assert_eq!(system.objects.len(), 3, "a namespace that is named is meant");
    }
}
