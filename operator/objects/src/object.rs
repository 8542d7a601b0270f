//! A manifest seen as an object: its kind, name, labels and scope; lists taken apart.
//!
//! [`Object`] borrows and answers; it never fails, a missing field is an empty text. [`scope_of`] knows the
//! cluster-scoped kinds of Kubernetes itself; scopes of custom kinds come from CRDs in the same set.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Reason};
use serde_json::Value;

/// Labels or annotations.
pub type Labels = BTreeMap<String, String>;

/// A view of one manifest.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// The manifest.
    pub value: &'a Value,
}

impl<'a> Object<'a> {
    /// Looks at a manifest.
    #[must_use]
    pub fn new(value: &'a Value) -> Self {
        Self { value }
    }

    /// A text at a pointer, empty when there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &'a str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// A text by its own name. Names are read for every pair of objects: a pointer would take each of its words apart.
    fn own(&self, name: &str) -> &'a str {
        self.value.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn metadata(&self, name: &str) -> Option<&'a Value> {
        self.value.get("metadata")?.get(name)
    }

    /// `apiVersion`.
    #[must_use]
    pub fn api_version(&self) -> &'a str {
        self.own("apiVersion")
    }

    /// The API group, empty for the core group.
    #[must_use]
    pub fn group(&self) -> &'a str {
        group_of(self.api_version())
    }

    /// `kind`.
    #[must_use]
    pub fn kind(&self) -> &'a str {
        self.own("kind")
    }

    /// `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.metadata("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// `metadata.namespace`.
    #[must_use]
    pub fn namespace(&self) -> &'a str {
        self.metadata("namespace").and_then(Value::as_str).unwrap_or_default()
    }

    /// `metadata.labels`; entries that are no text are left out.
    #[must_use]
    pub fn labels(&self) -> Labels {
        text_map(self.metadata("labels"))
    }

    /// One annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&'a str> {
        self.metadata("annotations")?.get(key)?.as_str()
    }

    /// Whether this is a Secret with data in it.
    #[must_use]
    pub fn carries_secret(&self) -> bool {
        let filled =
            |pointer| self.value.pointer(pointer).and_then(Value::as_object).is_some_and(|map| !map.is_empty());
        self.kind() == "Secret" && self.group().is_empty() && (filled("/data") || filled("/stringData"))
    }

    /// Kind, namespace as written, and name.
    #[must_use]
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.kind(), self.namespace(), self.name())
    }

    /// A finding about this object.
    #[must_use]
    pub fn finding(&self, reason: Reason, pointer: impl Into<String>) -> Finding {
        Finding::new(reason).on(self.reference()).pointer(pointer)
    }
}

/// The group of an `apiVersion`; empty for the core group.
#[must_use]
pub fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// A map of texts; other values are left out.
pub(crate) fn text_map(value: Option<&Value>) -> Labels {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// The items of a list at a pointer; nothing when there is none.
pub(crate) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A list's text items.
pub(crate) fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// A value as short text for a finding. Of an object or a list only the outside is told: inside may be a Secret.
pub(crate) fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => format!("{{{}}}", fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
        Value::Array(items) => format!("[{}]", items.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    if text.chars().count() > 120 { text.chars().take(119).chain(['…']).collect() } else { text }
}

/// Whether a kind lives in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One per cluster.
    Cluster,
    /// One per namespace.
    Namespaced,
}

/// Kubernetes' own cluster-scoped kinds (API of 1.33), by group.
const CLUSTER_SCOPED: &[(&str, &[&str])] = &[
    ("", &["ComponentStatus", "Namespace", "Node", "PersistentVolume"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    ("certificates.k8s.io", &["CertificateSigningRequest", "ClusterTrustBundle"]),
    ("flowcontrol.apiserver.k8s.io", &["FlowSchema", "PriorityLevelConfiguration"]),
    ("gateway.networking.k8s.io", &["GatewayClass"]),
    ("networking.k8s.io", &["IPAddress", "IngressClass", "ServiceCIDR"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["PodSecurityPolicy"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding"]),
    ("resource.k8s.io", &["DeviceClass", "ResourceSlice"]),
    ("scheduling.k8s.io", &["PriorityClass"]),
    ("snapshot.storage.k8s.io", &["VolumeSnapshotClass", "VolumeSnapshotContent"]),
    ("storage.k8s.io", &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"]),
];

/// Cluster-scoped kinds of widespread projects, for manifests that come without their CRDs. Source: `spec.scope` in the
/// CRDs of each project.
const CLUSTER_SCOPED_CUSTOM: &[(&str, &[&str])] = &[
    ("apps.kruise.io", &["NodeImage", "SidecarSet"]),
    ("cert-manager.io", &["ClusterIssuer"]),
    ("cilium.io", &["CiliumClusterwideNetworkPolicy"]),
    ("cluster.karmada.io", &["Cluster"]),
    ("cluster.open-cluster-management.io", &["ManagedCluster"]),
    ("external-secrets.io", &["ClusterExternalSecret", "ClusterSecretStore"]),
    ("iam.kubesphere.io", &["GlobalRole", "GlobalRoleBinding", "User"]),
    ("keda.sh", &["ClusterTriggerAuthentication"]),
    ("kyverno.io", &["ClusterCleanupPolicy", "ClusterPolicy"]),
    ("policy.karmada.io", &["ClusterOverridePolicy", "ClusterPropagationPolicy"]),
    ("postgresql.cnpg.io", &["ClusterImageCatalog"]),
    ("templates.gatekeeper.sh", &["ConstraintTemplate"]),
    ("tenant.kubesphere.io", &["Workspace", "WorkspaceTemplate"]),
];

/// The scope of a kind. What a CRD beside it says wins; a custom kind nobody knows counts as namespaced
/// ([`custom_scopes`]).
#[must_use]
pub fn scope_of(group: &str, kind: &str, custom: &BTreeMap<(String, String), Scope>) -> Scope {
    if CLUSTER_SCOPED.iter().any(|(g, kinds)| *g == group && kinds.contains(&kind)) {
        return Scope::Cluster;
    }
    let known = CLUSTER_SCOPED_CUSTOM.iter().any(|(g, kinds)| *g == group && kinds.contains(&kind));
    let usual = if known { Scope::Cluster } else { Scope::Namespaced };
    custom.get(&(group.to_owned(), kind.to_owned())).copied().unwrap_or(usual)
}

/// Scopes stated by the CRDs among some objects, by group and kind.
#[must_use]
pub fn custom_scopes(objects: &[Value]) -> BTreeMap<(String, String), Scope> {
    let crds = objects.iter().map(Object::new).filter(|object| object.kind() == "CustomResourceDefinition");
    crds.map(|crd| {
        let key = (crd.text("/spec/group").to_owned(), crd.text("/spec/names/kind").to_owned());
        (key, if crd.text("/spec/scope") == "Cluster" { Scope::Cluster } else { Scope::Namespaced })
    })
    .collect()
}

/// Takes lists apart (`kind: List` and typed lists such as `ConfigMapList`, nested at most 8 deep) and checks that
/// every item is an object with apiVersion, kind and name. Items that are not come back as findings, with their index.
#[must_use]
pub fn flatten(values: Vec<Value>) -> (Vec<Value>, Vec<Finding>) {
    let (mut objects, mut findings) = (Vec::new(), Vec::new());
    for (index, value) in values.into_iter().enumerate() {
        flatten_into(value, &format!("/{index}"), 0, &mut objects, &mut findings);
    }
    (objects, findings)
}

/// Lists inside lists deeper than this are refused.
const MAX_LIST_DEPTH: u32 = 8;

fn flatten_into(mut value: Value, place: &str, depth: u32, out: &mut Vec<Value>, findings: &mut Vec<Finding>) {
    if value.is_null() {
        return; // an empty document between two `---`
    }
    let object = Object::new(&value);
    let is_list = object.kind().ends_with("List") && value.get("items").is_some_and(Value::is_array);
    if is_list && depth < MAX_LIST_DEPTH {
        if let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) {
            for (index, item) in items.into_iter().enumerate() {
                flatten_into(item, &format!("{place}/items/{index}"), depth + 1, out, findings);
            }
        }
        return;
    }
    let missing: Vec<String> =
        [("apiVersion", object.api_version()), ("kind", object.kind()), ("metadata.name", object.name())]
            .iter()
            .filter(|(_, text)| text.is_empty())
            .map(|(field, _)| (*field).to_owned())
            .collect();
    if missing.is_empty() && !is_list {
        out.push(value);
    } else {
        let wanted = if is_list { vec!["metadata.name".to_owned()] } else { missing };
        let reason = Reason::new(Code::ManifestInvalid).object(place).seen(shown(&value)).wanted(wanted);
        findings.push(object.finding(reason, ""));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_taken_apart_and_nameless_items_named() {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": "v1", "kind": "ConfigMapList", "items": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "配置"}}]},
            {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "x-"}},
            7,
        ]});
        let (objects, findings) = flatten(vec![list, Value::Null]);
        assert_eq!(objects.len(), 1);
        assert_eq!(Object::new(&objects[0]).name(), "配置");
        let places: Vec<_> = findings.iter().map(|f| f.reason.object.clone()).collect();
        assert_eq!(places, ["/0/items/1".into(), "/0/items/2".into()]);
    }

    #[test]
    fn scope_comes_from_the_kind_or_from_the_crd_beside_it() {
        let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "spec": {"group": "x.io", "names": {"kind": "Fleet"}, "scope": "Cluster"}});
        let custom = custom_scopes(&[crd]);
        assert_eq!(scope_of("x.io", "Fleet", &custom), Scope::Cluster);
        assert_eq!(scope_of("y.io", "Fleet", &custom), Scope::Namespaced);
        assert_eq!(scope_of("cert-manager.io", "ClusterIssuer", &custom), Scope::Cluster, "known without its CRD");
        assert_eq!(scope_of("", "Node", &custom), Scope::Cluster);
        assert_eq!(scope_of("nodes.io", "Node", &custom), Scope::Namespaced);
    }
}
