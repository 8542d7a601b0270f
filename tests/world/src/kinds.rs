//! The kinds the world serves: the native ones of the table below, and what custom resource definitions add.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::schema::rules::Rules;
use crate::schema::{self, Schema};

/// One kind and how it is served.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    pub(crate) list_kind: String,
    pub(crate) schema: Schema,
    pub(crate) rules: Rules,
    /// Whether it is compiled into a real server.
    pub(crate) native: bool,
    pub(crate) status: bool,
    pub(crate) scale: Option<Scale>,
}

/// Where the scale subresource finds its figures, as JSON pointers.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    pub(crate) spec: String,
    pub(crate) status: String,
    pub(crate) selector: Option<String>,
}

impl Kind {
    /// `plural.group`, the name of the resource in messages and in the store.
    pub(crate) fn resource(&self) -> String {
        resource(&self.group, &self.plural)
    }

    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether it is one of these native resources, by `plural.group`.
    pub(crate) fn is_one_of(&self, resources: &[&str]) -> bool {
        self.native && resources.contains(&self.resource().as_str())
    }
}

/// `plural.group`, or the plural of the core group.
pub(crate) fn resource(group: &str, plural: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

/// Group, version, kind, plural, short names, categories, namespaced, status subresource.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], bool, bool, bool);

/// The native kinds. The flags: in category `all`, namespaced, status subresource.
const NATIVE: &[Row] = &[
    ("", "v1", "ConfigMap", "configmaps", &["cm"], false, true, false),
    ("", "v1", "Endpoints", "endpoints", &["ep"], false, true, false),
    ("", "v1", "LimitRange", "limitranges", &["limits"], false, true, false),
    ("", "v1", "Namespace", "namespaces", &["ns"], false, false, true),
    ("", "v1", "Node", "nodes", &["no"], false, false, true),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", &["pvc"], false, true, true),
    ("", "v1", "PersistentVolume", "persistentvolumes", &["pv"], false, false, true),
    ("", "v1", "Pod", "pods", &["po"], true, true, true),
    ("", "v1", "ResourceQuota", "resourcequotas", &["quota"], false, true, true),
    ("", "v1", "Secret", "secrets", &[], false, true, false),
    ("", "v1", "ServiceAccount", "serviceaccounts", &["sa"], false, true, false),
    ("", "v1", "Service", "services", &["svc"], true, true, true),
    (
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        &[],
        false,
        false,
        true,
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        &[],
        false,
        false,
        false,
    ),
    (
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        &["crd", "crds"],
        false,
        false,
        true,
    ),
    ("apps", "v1", "ControllerRevision", "controllerrevisions", &[], false, true, false),
    ("apps", "v1", "DaemonSet", "daemonsets", &["ds"], true, true, true),
    ("apps", "v1", "Deployment", "deployments", &["deploy"], true, true, true),
    ("apps", "v1", "ReplicaSet", "replicasets", &["rs"], true, true, true),
    ("apps", "v1", "StatefulSet", "statefulsets", &["sts"], true, true, true),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", &["hpa"], true, true, true),
    ("batch", "v1", "CronJob", "cronjobs", &["cj"], true, true, true),
    ("batch", "v1", "Job", "jobs", &[], true, true, true),
    ("coordination.k8s.io", "v1", "Lease", "leases", &[], false, true, false),
    ("events.k8s.io", "v1", "Event", "events", &["ev"], false, true, false),
    ("networking.k8s.io", "v1", "IngressClass", "ingressclasses", &[], false, false, false),
    ("networking.k8s.io", "v1", "Ingress", "ingresses", &["ing"], false, true, true),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", &["netpol"], false, true, false),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", &["pdb"], false, true, true),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", &[], false, false, false),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", &[], false, false, false),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", &[], false, true, false),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", &[], false, true, false),
    ("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", &["pc"], false, false, false),
    ("storage.k8s.io", "v1", "StorageClass", "storageclasses", &["sc"], false, false, false),
];

/// The kinds by `plural.group`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds(BTreeMap<String, Arc<Kind>>);

impl Kinds {
    /// The native kinds.
    pub(crate) fn native() -> Self {
        let mut kinds = Self::default();
        for row in NATIVE {
            let (group, version, kind, plural, short, all, namespaced, status) = *row;
            let name = if group.is_empty() { format!("{version}/{kind}") } else { format!("{group}/{version}/{kind}") };
            let scale = matches!(plural, "deployments" | "statefulsets" | "replicasets").then(|| Scale {
                spec: "/spec/replicas".to_owned(),
                status: "/status/replicas".to_owned(),
                selector: Some("/spec/selector".to_owned()),
            });
            kinds.insert(Kind {
                group: group.to_owned(),
                version: version.to_owned(),
                kind: kind.to_owned(),
                plural: plural.to_owned(),
                singular: kind.to_lowercase(),
                short_names: short.iter().map(|s| (*s).to_owned()).collect(),
                categories: if all { vec!["all".to_owned()] } else { Vec::new() },
                namespaced,
                list_kind: format!("{kind}List"),
                schema: schema::native(&name).unwrap_or_default(),
                rules: Rules::compile(&Value::Null),
                native: true,
                status,
                scale,
            });
        }
        kinds
    }

    fn insert(&mut self, kind: Kind) {
        self.0.insert(kind.resource(), Arc::new(kind));
    }

    /// Adds what a custom resource definition serves.
    pub(crate) fn add_custom(&mut self, crd: &Value) {
        if let Some(kind) = custom(crd) {
            self.insert(kind);
        }
    }

    /// Takes away what a definition served.
    pub(crate) fn remove(&mut self, resource: &str) {
        self.0.remove(resource);
    }

    /// By `plural.group`.
    pub(crate) fn by_resource(&self, resource: &str) -> Option<Arc<Kind>> {
        self.0.get(resource).cloned()
    }

    /// By the words of a path.
    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.by_resource(&resource(group, plural)).filter(|kind| kind.version == version)
    }

    /// By the words of a manifest.
    pub(crate) fn by_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        self.0.values().find(|k| k.kind == kind && k.api_version() == api_version).cloned()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.0.values()
    }
}

/// The kind of a definition's stored version.
fn custom(crd: &Value) -> Option<Kind> {
    let spec = crd.get("spec")?;
    let names = spec.get("names")?;
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let texts = |name: &str| {
        let list = names.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let versions = spec.get("versions")?.as_array()?;
    let version = versions.iter().find(|version| version.get("storage") == Some(&json!(true)))?;
    let kind = text(names, "kind")?;
    let schema = version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_default();
    let pointer = |value: &Value, name: &str| text(value, name).map(|path| path.replace('.', "/"));
    let scale = version.pointer("/subresources/scale").and_then(|scale| {
        Some(Scale {
            spec: pointer(scale, "specReplicasPath")?,
            status: pointer(scale, "statusReplicasPath")?,
            selector: pointer(scale, "labelSelectorPath"),
        })
    });
    Some(Kind {
        group: text(spec, "group")?,
        version: text(version, "name")?,
        plural: text(names, "plural")?,
        singular: text(names, "singular").unwrap_or_else(|| kind.to_lowercase()),
        short_names: texts("shortNames"),
        categories: texts("categories"),
        namespaced: spec.get("scope") == Some(&json!("Namespaced")),
        list_kind: text(names, "listKind").unwrap_or_else(|| format!("{kind}List")),
        kind,
        schema: Schema::of_custom_resource(&schema),
        rules: Rules::compile(&schema),
        native: false,
        status: version.pointer("/subresources/status").is_some(),
        scale,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_native_kind_has_a_schema_with_metadata() {
        for kind in Kinds::native().iter() {
            assert!(kind.schema.field("metadata").is_some(), "{}", kind.kind);
        }
    }

    #[test]
    fn our_definitions_become_kinds() {
        let mut kinds = Kinds::native();
        for crd in jiuzhou_api::all_crds() {
            kinds.add_custom(&serde_json::to_value(&crd).unwrap());
        }
        let workloads = kinds.find("jiuzhou.dev", "v1alpha1", "fleetworkloads").unwrap();
        assert!(workloads.namespaced && workloads.status && workloads.scale.is_some());
    }
}
