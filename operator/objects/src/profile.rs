//! The compiled form of a KindProfile: where in objects of one kind the pod templates, counts, references and
//! immutable fields stand. [`native`] holds the profiles of Kubernetes' own workload kinds, whose counting rules
//! (parallelism, one per node) no path can state; custom kinds come from `KindProfile` resources.

use std::collections::BTreeMap;

use crate::object::Object;
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
    /// Where the name (a text) stands.
    pub path: Path,
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
    /// Where volume claim templates stand.
    pub claims: Option<Path>,
    /// Names of other objects outside of the pod templates.
    pub names: Vec<NamePath>,
    /// Fields that cannot be changed once the object exists.
    pub immutable: Vec<Path>,
    /// Default continuity.
    pub continuity: Continuity,
}

/// Profiles by (group, kind). [`Profiles::default`] holds the native ones.
#[derive(Clone, Debug)]
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
        claims: None,
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
            claims: Some(Path::of(&["spec", "volumeClaimTemplates"])),
            names: vec![NamePath {
                path: Path::of(&["spec", "serviceName"]),
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
}
