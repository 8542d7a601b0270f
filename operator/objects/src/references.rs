//! What an object names: the configuration its pods read, the pods its selector takes, the service behind a route.
//!
//! One [`Link`] per name, with the place it stands. A link either *needs* its end (the object does not work without
//! it) or *serves* it (the object is of use only with it: a Service for its pods, an autoscaler for its target). What
//! links mean together is [`crate::dependencies`].

use std::collections::BTreeMap;

use jiuzhou_engine::terms::ObjectRef;
use serde_json::Value;

use crate::object::{Object, Scope, items, scope_of};
use crate::profile::{Profile, Profiles};
use crate::selector::LabelSelector;

/// Which end depends on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tie {
    /// The object needs what it names.
    Needs,
    /// The object serves what it names and goes where that goes.
    Serves,
}

/// What a link points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A named object. An empty namespace is a cluster-scoped kind, or a set without namespaces.
    Named(ObjectRef),
    /// Every pod template in the object's namespace whose labels match.
    Pods(LabelSelector),
}

/// One name in an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it points at.
    pub end: End,
    /// Who depends on whom.
    pub tie: Tie,
    /// JSON pointer of the name.
    pub pointer: String,
    /// The object works without it, or something other than a person makes it.
    pub optional: bool,
}

struct Links<'a> {
    object: Object<'a>,
    namespace: &'a str,
    found: Vec<Link>,
}

/// Every link of an object. `namespace` is the one the object is in, also when it does not say so itself.
#[must_use]
pub fn links(object: Object<'_>, namespace: &str, profiles: &Profiles) -> Vec<Link> {
    let mut links = Links { object, namespace, found: Vec::new() };
    let known = links.by_kind();
    if let Some(profile) = profiles.of(object) {
        // What paths say of these kinds is said above, more exactly: a Service's selector is a plain map, a certificate
        // may be made on the spot.
        if !known {
            links.named(profile);
        }
        links.workload(profile);
    }
    links.found
}

impl Links<'_> {
    fn push(&mut self, kind: &str, namespace: &str, name: &str, tie: Tie, pointer: String, optional: bool) {
        if !name.is_empty() {
            let end = End::Named(ObjectRef::new(kind, namespace, name));
            self.found.push(Link { end, tie, pointer, optional });
        }
    }

    /// The text at a pointer names an object of a kind in the same namespace.
    fn local(&mut self, kind: &str, pointer: String, tie: Tie, optional: bool) {
        let (name, namespace) = (self.object.text(&pointer), self.namespace);
        self.push(kind, namespace, name, tie, pointer, optional);
    }

    /// The text at a pointer names a cluster-scoped object.
    fn global(&mut self, kind: &str, pointer: String) {
        let name = self.object.text(&pointer);
        let builtin = kind == "PriorityClass" && name.starts_with("system-");
        self.push(kind, "", name, Tie::Needs, pointer, builtin);
    }

    fn pods(&mut self, pointer: &str, selector: LabelSelector) {
        self.found.push(Link {
            end: End::Pods(selector),
            tie: Tie::Serves,
            pointer: pointer.to_owned(),
            optional: false,
        });
    }

    fn count(&self, pointer: &str) -> usize {
        items(self.object.value, pointer).len()
    }

    fn flag(&self, pointer: &str) -> bool {
        self.object.value.pointer(pointer) == Some(&Value::Bool(true))
    }

    /// Names at the paths of a profile.
    fn named(&mut self, profile: &Profile) {
        for name in &profile.names {
            for pointer in name.path.resolve(self.object.value) {
                if name.selects {
                    if let Some(selector) = self.object.value.pointer(&pointer).map(LabelSelector::read) {
                        self.pods(&pointer, selector);
                    }
                } else if scope_of(&name.group, &name.kind, &BTreeMap::new()) == Scope::Cluster {
                    let named = self.object.text(&pointer);
                    self.push(&name.kind, "", named, Tie::Needs, pointer, name.optional);
                } else {
                    self.local(&name.kind, pointer, Tie::Needs, name.optional);
                }
            }
        }
    }

    /// What pod templates and claims name.
    fn workload(&mut self, profile: &Profile) {
        for (template, _) in profile.templates_in(self.object) {
            self.pod(&format!("{template}/spec"));
        }
        for list in profile.claims.iter().flat_map(|path| path.resolve(self.object.value)) {
            for index in 0..self.count(&list) {
                self.global("StorageClass", format!("{list}/{index}/spec/storageClassName"));
            }
        }
    }

    fn pod(&mut self, spec: &str) {
        let account = self.object.text(&format!("{spec}/serviceAccountName"));
        self.local("ServiceAccount", format!("{spec}/serviceAccountName"), Tie::Needs, account == "default");
        self.global("PriorityClass", format!("{spec}/priorityClassName"));
        self.global("RuntimeClass", format!("{spec}/runtimeClassName"));
        for index in 0..self.count(&format!("{spec}/imagePullSecrets")) {
            // The kubelet goes on without a pull secret that is not there.
            self.local("Secret", format!("{spec}/imagePullSecrets/{index}/name"), Tie::Needs, false);
        }
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for index in 0..self.count(&format!("{spec}/{list}")) {
                self.container(&format!("{spec}/{list}/{index}"));
            }
        }
        for index in 0..self.count(&format!("{spec}/volumes")) {
            self.volume(&format!("{spec}/volumes/{index}"));
        }
    }

    fn container(&mut self, container: &str) {
        for index in 0..self.count(&format!("{container}/env")) {
            let from = format!("{container}/env/{index}/valueFrom");
            self.choice("ConfigMap", &format!("{from}/configMapKeyRef"), "name");
            self.choice("Secret", &format!("{from}/secretKeyRef"), "name");
        }
        for index in 0..self.count(&format!("{container}/envFrom")) {
            let from = format!("{container}/envFrom/{index}");
            self.choice("ConfigMap", &format!("{from}/configMapRef"), "name");
            self.choice("Secret", &format!("{from}/secretRef"), "name");
        }
    }

    /// A reference with an `optional` flag beside its name.
    fn choice(&mut self, kind: &str, pointer: &str, field: &str) {
        let optional = self.flag(&format!("{pointer}/optional"));
        // Every namespace has this one: the API server's own certificate.
        let given = kind == "ConfigMap" && self.object.text(&format!("{pointer}/{field}")) == "kube-root-ca.crt";
        self.local(kind, format!("{pointer}/{field}"), Tie::Needs, optional || given);
    }

    fn volume(&mut self, volume: &str) {
        self.choice("ConfigMap", &format!("{volume}/configMap"), "name");
        self.choice("Secret", &format!("{volume}/secret"), "secretName");
        self.local("PersistentVolumeClaim", format!("{volume}/persistentVolumeClaim/claimName"), Tie::Needs, false);
        self.local("Secret", format!("{volume}/csi/nodePublishSecretRef/name"), Tie::Needs, false);
        self.global("StorageClass", format!("{volume}/ephemeral/volumeClaimTemplate/spec/storageClassName"));
        for index in 0..self.count(&format!("{volume}/projected/sources")) {
            let source = format!("{volume}/projected/sources/{index}");
            self.choice("ConfigMap", &format!("{source}/configMap"), "name");
            self.choice("Secret", &format!("{source}/secret"), "name");
        }
    }

    /// The references of kinds this room knows; `false` for any other.
    fn by_kind(&mut self) -> bool {
        let object = self.object;
        match (object.group(), object.kind()) {
            ("", "Service") => {
                if let Some(selector) = object.value.pointer("/spec/selector").map(LabelSelector::read_map)
                    && !selector.is_empty()
                {
                    self.pods("/spec/selector", selector);
                }
            }
            ("", "ServiceAccount") => {
                for index in 0..self.count("/imagePullSecrets") {
                    self.local("Secret", format!("/imagePullSecrets/{index}/name"), Tie::Needs, false);
                }
                for index in 0..self.count("/secrets") {
                    // Token secrets are made by a controller.
                    self.local("Secret", format!("/secrets/{index}/name"), Tie::Needs, true);
                }
            }
            ("", "PersistentVolumeClaim") => {
                self.global("StorageClass", "/spec/storageClassName".to_owned());
                self.global("PersistentVolume", "/spec/volumeName".to_owned());
            }
            ("policy", "PodDisruptionBudget") => self.selected_pods("/spec/selector"),
            ("networking.k8s.io", "NetworkPolicy") => self.selected_pods("/spec/podSelector"),
            ("monitoring.coreos.com", "PodMonitor") => self.selected_pods("/spec/selector"),
            ("autoscaling", "HorizontalPodAutoscaler") => self.target("/spec/scaleTargetRef"),
            ("autoscaling.k8s.io", "VerticalPodAutoscaler") => self.target("/spec/targetRef"),
            ("keda.sh", "ScaledObject") => self.target("/spec/scaleTargetRef"),
            ("networking.k8s.io" | "extensions", "Ingress") => self.ingress(),
            ("gateway.networking.k8s.io", _) => self.routes(),
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => self.binding(),
            ("apiregistration.k8s.io", "APIService") => self.remote_service("/spec/service"),
            ("admissionregistration.k8s.io", _) => {
                for index in 0..self.count("/webhooks") {
                    self.remote_service(&format!("/webhooks/{index}/clientConfig/service"));
                }
            }
            _ => return false,
        }
        true
    }

    fn selected_pods(&mut self, pointer: &str) {
        if let Some(selector) = self.object.value.pointer(pointer) {
            self.pods(pointer, LabelSelector::read(selector));
        }
    }

    fn target(&mut self, pointer: &str) {
        let kind = self.object.text(&format!("{pointer}/kind"));
        let kind = if kind.is_empty() { "Deployment" } else { kind }; // KEDA's default
        self.local(kind, format!("{pointer}/name"), Tie::Serves, false);
    }

    fn ingress(&mut self) {
        let backend = |links: &mut Self, at: &str| {
            links.local("Service", format!("{at}/service/name"), Tie::Serves, false);
            links.local("Service", format!("{at}/serviceName"), Tie::Serves, false);
        };
        backend(self, "/spec/defaultBackend");
        backend(self, "/spec/backend");
        for rule in 0..self.count("/spec/rules") {
            let paths = format!("/spec/rules/{rule}/http/paths");
            for path in 0..self.count(&paths) {
                backend(self, &format!("{paths}/{path}/backend"));
            }
        }
        // Certificates are often made on the spot (cert-manager), so their absence stops nothing.
        let made = self.object.value.pointer("/metadata/annotations").and_then(Value::as_object);
        let made = made.is_some_and(|map| map.keys().any(|key| key.starts_with("cert-manager.io/")));
        for index in 0..self.count("/spec/tls") {
            self.local("Secret", format!("/spec/tls/{index}/secretName"), Tie::Needs, made);
        }
        self.global("IngressClass", "/spec/ingressClassName".to_owned());
    }

    fn routes(&mut self) {
        for rule in 0..self.count("/spec/rules") {
            let backends = format!("/spec/rules/{rule}/backendRefs");
            for index in 0..self.count(&backends) {
                let at = format!("{backends}/{index}");
                let kind = self.object.text(&format!("{at}/kind"));
                let namespace = self.object.text(&format!("{at}/namespace"));
                let namespace = if namespace.is_empty() { self.namespace } else { namespace };
                let (name, pointer) = (self.object.text(&format!("{at}/name")), format!("{at}/name"));
                let kind = if kind.is_empty() { "Service" } else { kind };
                self.push(kind, namespace, name, Tie::Serves, pointer, false);
            }
        }
        for index in 0..self.count("/spec/parentRefs") {
            let at = format!("/spec/parentRefs/{index}");
            let namespace = self.object.text(&format!("{at}/namespace"));
            let namespace = if namespace.is_empty() { self.namespace } else { namespace };
            let name = self.object.text(&format!("{at}/name"));
            self.push("Gateway", namespace, name, Tie::Needs, format!("{at}/name"), false);
        }
    }

    fn binding(&mut self) {
        let (kind, name) = (self.object.text("/roleRef/kind"), self.object.text("/roleRef/name"));
        let builtin = matches!(name, "admin" | "cluster-admin" | "edit" | "view") || name.starts_with("system:");
        let home = if kind == "Role" { self.namespace } else { "" };
        // kube-system's reader of extension configuration exists in every cluster.
        let builtin = builtin || name == "extension-apiserver-authentication-reader";
        self.push(kind, home, name, Tie::Needs, "/roleRef/name".to_owned(), builtin);
        for index in 0..self.count("/subjects") {
            let at = format!("/subjects/{index}");
            if self.object.text(&format!("{at}/kind")) == "ServiceAccount" {
                let namespace = self.object.text(&format!("{at}/namespace"));
                let namespace = if namespace.is_empty() { self.namespace } else { namespace };
                let name = self.object.text(&format!("{at}/name"));
                self.push("ServiceAccount", namespace, name, Tie::Serves, format!("{at}/name"), name == "default");
            }
        }
    }

    fn remote_service(&mut self, at: &str) {
        let (namespace, name) = (self.object.text(&format!("{at}/namespace")), self.object.text(&format!("{at}/name")));
        self.push("Service", namespace, name, Tie::Serves, format!("{at}/name"), false);
    }
}
