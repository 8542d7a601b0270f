//! The compiled form of a KindProfile: where in objects of one kind the pod templates, counts, references and
//! immutable fields stand. [`native`] holds the profiles of Kubernetes' own workload kinds, whose counting rules
//! (parallelism, one per node) no path can state; custom kinds come from `KindProfile` resources.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::ObjectsError;
use crate::object::{Object, group_of, items, texts};
use crate::path::Path;

/// How a kind tolerates being moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Continuity {
    /// A new copy may run beside the old one.
    AddBeforeRemove,
    /// Never two copies at once.
    SingleWriter,
    /// Never runs twice.
    RunOnce,
    /// One cluster at a time holds the object.
    OneCluster,
    /// A copy on every matching node.
    PerNode,
}

/// How many pods of one template run at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountRule {
    /// Exactly one, as a bare Pod.
    One,
    /// The number at this path; Kubernetes' default of 1 when it is absent.
    At(Path),
    /// min(parallelism, completions) of the JobSpec at this path; 0 while suspended.
    JobSpec(Path),
    /// One on every node that matches.
    PerNode,
}

/// One pod template of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The path of the template: an object with `metadata` and `spec`. Empty when the object itself is one (Pod).
    pub path: Path,
    /// How many pods it makes.
    pub count: CountRule,
}

/// A path at which objects of a kind name other objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePath {
    /// Where the name (a text) or the label selector stands.
    pub path: Path,
    /// A label selector over pods stands there, not a name.
    pub selects: bool,
    /// The object works without it.
    pub optional: bool,
    /// API group of the named kind, empty for core.
    pub group: String,
    /// The named kind, e.g. `Secret`.
    pub kind: String,
}

/// Everything this room needs to know of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// API group, empty for core. Versions of one group share a profile.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Pod templates, in order.
    pub templates: Vec<Template>,
    /// Where a number of replicas is written when the workload is divided; `None` when it cannot be.
    pub replicas: Option<Path>,
    /// Where lists of volume claim templates stand.
    pub claims: Vec<Path>,
    /// Names of other objects outside of the pod templates.
    pub names: Vec<NamePath>,
    /// Fields that cannot be changed once the object exists.
    pub immutable: Vec<Path>,
    /// Default continuity.
    pub continuity: Continuity,
}

/// Profiles by (group, kind). [`Profiles::default`] holds the native ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profiles(BTreeMap<(String, String), Profile>);

impl Default for Profiles {
    fn default() -> Self {
        Self(native().into_iter().map(|p| ((p.group.clone(), p.kind.clone()), p)).collect())
    }
}

impl Profiles {
    /// Adds a profile; a later one for the same kind wins.
    pub fn insert(&mut self, profile: Profile) {
        self.0.insert((profile.group.clone(), profile.kind.clone()), profile);
    }

    /// The profile of an object's kind.
    #[must_use]
    pub fn of(&self, object: Object<'_>) -> Option<&Profile> {
        self.0.get(&(object.group().to_owned(), object.kind().to_owned()))
    }
}

/// Kinds whose pods say by whom they were made, whatever labels they carry: API group and kind.
const PODS_TELL: &[(&str, &str)] = &[
    ("", "Pod"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("batch", "CronJob"),
    ("batch", "Job"),
];

/// Whether the pods of a kind are known without labels of ours, by their controllers of Kubernetes itself.
#[must_use]
pub fn pods_tell_owner(group: &str, kind: &str) -> bool {
    PODS_TELL.contains(&(group, kind))
}

/// Kubernetes' own workload kinds (API of 1.33).
#[must_use]
pub fn native() -> Vec<Profile> {
    let template = Path::of(&["spec", "template"]);
    let replicas = Path::of(&["spec", "replicas"]);
    let selector = Path::of(&["spec", "selector"]);
    let plain = |group: &str, kind: &str, count: CountRule, continuity: Continuity| Profile {
        group: group.to_owned(),
        kind: kind.to_owned(),
        templates: vec![Template { path: template.clone(), count }],
        replicas: None,
        claims: Vec::new(),
        names: Vec::new(),
        immutable: vec![selector.clone()],
        continuity,
    };
    let scaled = |group: &str, kind: &str, continuity| Profile {
        replicas: Some(replicas.clone()),
        ..plain(group, kind, CountRule::At(replicas.clone()), continuity)
    };
    let job = Path::of(&["spec"]);
    let cron = Path::of(&["spec", "jobTemplate", "spec"]);
    vec![
        scaled("apps", "Deployment", Continuity::AddBeforeRemove),
        scaled("apps", "ReplicaSet", Continuity::AddBeforeRemove),
        Profile { immutable: Vec::new(), ..scaled("", "ReplicationController", Continuity::AddBeforeRemove) },
        Profile {
            claims: vec![Path::of(&["spec", "volumeClaimTemplates"])],
            names: vec![NamePath {
                path: Path::of(&["spec", "serviceName"]),
                selects: false,
                optional: true, // its pods then have no names in DNS
                group: String::new(),
                kind: "Service".to_owned(),
            }],
            immutable: ["selector", "serviceName", "volumeClaimTemplates", "podManagementPolicy"]
                .iter()
                .map(|field| Path::of(&["spec", field]))
                .collect(),
            ..scaled("apps", "StatefulSet", Continuity::SingleWriter)
        },
        plain("apps", "DaemonSet", CountRule::PerNode, Continuity::PerNode),
        Profile {
            immutable: ["selector", "template", "completions", "completionMode"]
                .iter()
                .map(|field| Path::of(&["spec", field]))
                .collect(),
            ..plain("batch", "Job", CountRule::JobSpec(job), Continuity::RunOnce)
        },
        Profile {
            templates: vec![Template { path: cron.child("template"), count: CountRule::JobSpec(cron) }],
            immutable: Vec::new(),
            ..plain("batch", "CronJob", CountRule::One, Continuity::OneCluster)
        },
        Profile {
            templates: vec![Template { path: Path::default(), count: CountRule::One }],
            immutable: vec![Path::of(&["spec"])],
            ..plain("", "Pod", CountRule::One, Continuity::SingleWriter)
        },
    ]
}

impl Profile {
    /// Exact pointers of every pod template in an object, with the rule that counts its pods.
    #[must_use]
    pub fn templates_in<'a>(&'a self, object: Object<'_>) -> Vec<(String, &'a CountRule)> {
        let found = self.templates.iter();
        found.flat_map(|t| t.path.resolve(object.value).into_iter().map(|pointer| (pointer, &t.count))).collect()
    }

    /// Compiles the `spec` of a KindProfile resource, given as JSON.
    ///
    /// # Errors
    /// [`ObjectsError::Path`] for the first path that cannot be read.
    pub fn read(spec: &Value) -> Result<Self, ObjectsError> {
        let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let path = |value: &Value, field: &str| Path::parse(&text(value, field));
        let optional = |value: &Value, field: &str| match value.get(field).and_then(Value::as_str) {
            Some(text) => Path::parse(text).map(Some),
            None => Ok(None),
        };
        let replicas = optional(spec, "replicas")?;
        let mut templates = Vec::new();
        for template in items(spec, "/podTemplates") {
            let at = optional(template, "replicas")?.or_else(|| replicas.clone());
            templates.push(Template { path: path(template, "path")?, count: at.map_or(CountRule::One, CountRule::At) });
        }
        let mut names = Vec::new();
        for name in items(spec, "/dependencies") {
            names.push(NamePath {
                path: path(name, "path")?,
                selects: text(name, "form") == "Selector",
                optional: name.get("optional") == Some(&Value::Bool(true)),
                group: group_of(&text(name, "apiVersion")).to_owned(),
                kind: text(name, "kind"),
            });
        }
        let paths = |field| -> Result<Vec<Path>, ObjectsError> {
            texts(spec.get(field)).iter().map(|text| Path::parse(text)).collect()
        };
        Ok(Self {
            group: group_of(&text(spec, "targetApiVersion")).to_owned(),
            kind: text(spec, "targetKind"),
            templates,
            replicas: replicas.filter(|_| spec.get("divisible") != Some(&Value::Bool(false))),
            claims: paths("claimTemplates")?,
            names,
            immutable: paths("immutableFields")?,
            continuity: match text(spec, "continuity").as_str() {
                "SingleWriter" => Continuity::SingleWriter,
                "RunOnce" => Continuity::RunOnce,
                "OneCluster" => Continuity::OneCluster,
                "PerNode" => Continuity::PerNode,
                _ => Continuity::AddBeforeRemove,
            },
        })
    }

    /// Whether objects of this kind run pods at all.
    #[must_use]
    pub fn runs_pods(&self) -> bool {
        !self.templates.is_empty()
    }
}

/// Well-known custom kinds that run no pods, by group; `*` for a whole group.
const NO_PODS: &[(&str, &[&str])] = &[
    ("acme.cert-manager.io", &["*"]),
    ("autoscaling.k8s.io", &["*"]),
    ("cert-manager.io", &["*"]),
    ("external-secrets.io", &["*"]),
    ("keda.sh", &["ClusterTriggerAuthentication", "ScaledObject", "TriggerAuthentication"]),
    (
        "monitoring.coreos.com",
        &["AlertmanagerConfig", "PodMonitor", "Probe", "PrometheusRule", "ScrapeConfig", "ServiceMonitor"],
    ),
    ("networking.istio.io", &["*"]),
    ("security.istio.io", &["*"]),
    ("traefik.io", &["*"]),
];

/// Whether an object of this kind may run pods that nobody here knows of: a kind Kubernetes does not define, without a
/// profile, and not known to run none.
#[must_use]
pub fn may_hide_pods(object: Object<'_>, profiles: &Profiles) -> bool {
    let (group, kind) = (object.group(), object.kind());
    let custom = group.contains('.') && !group.ends_with(".k8s.io");
    let harmless = NO_PODS.iter().any(|(g, kinds)| *g == group && (kinds.contains(&kind) || kinds.contains(&"*")));
    custom && !harmless && profiles.of(object).is_none()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_kind_profile_resource_compiles() {
        let spec = json!({
            "targetApiVersion": "flink.apache.org/v1beta1", "targetKind": "FlinkDeployment",
            "replicas": "/spec/size", "divisible": false,
            "podTemplates": [{"path": "/spec/master"}, {"path": "/spec/workers/*", "replicas": "/spec/n"}],
            "claimTemplates": ["/spec/claims"], "immutableFields": ["/spec/mode"], "continuity": "SingleWriter",
            "dependencies": [{"path": "/spec/secret", "apiVersion": "v1", "kind": "Secret", "optional": true}]});
        let profile = Profile::read(&spec).unwrap();
        let path = |text| Path::parse(text).unwrap();
        assert_eq!((profile.group.as_str(), profile.kind.as_str()), ("flink.apache.org", "FlinkDeployment"));
        assert_eq!(profile.templates[0].count, CountRule::At(path("/spec/size")));
        assert_eq!(profile.templates[1].count, CountRule::At(path("/spec/n")));
        assert_eq!(profile.replicas, None, "it cannot be divided");
        assert_eq!(profile.continuity, Continuity::SingleWriter);
        assert!(profile.names[0].optional && !profile.names[0].selects);
        assert!(Profile::read(&json!({"podTemplates": [{"path": "spec.template"}]})).is_err());
    }

    #[test]
    fn only_unknown_custom_kinds_may_hide_pods() {
        let hides = |api: &str, kind: &str| {
            let value = json!({"apiVersion": api, "kind": kind});
            may_hide_pods(Object::new(&value), &Profiles::default())
        };
        assert!(hides("monitoring.coreos.com/v1", "Prometheus"));
        assert!(!hides("monitoring.coreos.com/v1", "ServiceMonitor"));
        assert!(!hides("apps/v1", "Deployment"));
        assert!(!hides("networking.k8s.io/v1", "Ingress"));
    }
}
