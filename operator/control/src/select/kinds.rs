//! The native kinds that are followed on a dedicated hub, what is not looked at of them, and the rights this needs.
//!
//! A closed list: each kind is a right of the operator. Custom kinds and roles are delivered by `objects`.

use kube::core::ApiResource;

use crate::rights::{Reach, Right, When};

/// A native kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    /// What the API server leaves out of lists and watches.
    pub(crate) fields: &'static str,
}

const fn kind(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind { group, version, kind, plural, fields: "" }
}

/// Every kind, in order of their plurals in a group.
pub(crate) const KINDS: &[Kind] = &[
    kind("apps", "v1", "DaemonSet", "daemonsets"),
    kind("apps", "v1", "Deployment", "deployments"),
    // Those we write ourselves, for clients that look for one beneath a Deployment.
    kind("apps", "v1", "ReplicaSet", "replicasets"),
    kind("apps", "v1", "StatefulSet", "statefulsets"),
    kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    kind("batch", "v1", "CronJob", "cronjobs"),
    kind("batch", "v1", "Job", "jobs"),
    kind("networking.k8s.io", "v1", "Ingress", "ingresses"),
    kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    // Every namespace has this one.
    Kind { fields: "metadata.name!=kube-root-ca.crt", ..kind("", "v1", "ConfigMap", "configmaps") },
    kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    // Releases of Helm are large, many, and nobody's workload.
    Kind {
        fields: "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token",
        ..kind("", "v1", "Secret", "secrets")
    },
    kind("", "v1", "Service", "services"),
    kind("", "v1", "ServiceAccount", "serviceaccounts"),
];

impl Kind {
    /// `apiVersion`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    pub(crate) fn resource(&self) -> ApiResource {
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version: self.api_version(),
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }
}

/// A kind by its name: names are unique in this list.
pub(crate) fn named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.kind == name)
}

/// A right on a dedicated hub.
const fn dedicated(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    en: &'static str,
    zh: &'static str,
) -> Right {
    Right { reach: Reach::Cluster, when: When::DedicatedHub, group, resources, names: &[], verbs, en, zh }
}

const FOLLOW: &[&str] = &["list", "watch"];
const SELECTED: (&str, &str) = (
    "native workloads that a FleetWorkload selects, and what they need",
    "被 FleetWorkload 选取的原生工作负载及其依赖",
);
const TOLD: (&str, &str) = (
    "their aggregated status, for helm --wait, kubectl rollout status and Argo CD",
    "汇总后的状态，供 helm --wait、kubectl rollout status 与 Argo CD 使用",
);

pub(crate) const MAY_FOLLOW_APPS: Right =
    dedicated("apps", &["daemonsets", "deployments", "replicasets", "statefulsets"], FOLLOW, SELECTED.0, SELECTED.1);
pub(crate) const MAY_FOLLOW_SCALERS: Right =
    dedicated("autoscaling", &["horizontalpodautoscalers"], FOLLOW, SELECTED.0, SELECTED.1);
pub(crate) const MAY_FOLLOW_BATCH: Right = dedicated("batch", &["cronjobs", "jobs"], FOLLOW, SELECTED.0, SELECTED.1);
pub(crate) const MAY_FOLLOW_NETWORK: Right =
    dedicated("networking.k8s.io", &["ingresses", "networkpolicies"], FOLLOW, SELECTED.0, SELECTED.1);
pub(crate) const MAY_FOLLOW_BUDGETS: Right =
    dedicated("policy", &["poddisruptionbudgets"], FOLLOW, SELECTED.0, SELECTED.1);
pub(crate) const MAY_FOLLOW_CORE: Right = dedicated(
    "",
    &["configmaps", "persistentvolumeclaims", "services", "serviceaccounts"],
    FOLLOW,
    SELECTED.0,
    SELECTED.1,
);
pub(crate) const MAY_FOLLOW_SECRETS: Right = dedicated(
    "",
    &["secrets"],
    FOLLOW,
    "Secrets that selected workloads name; they are delivered with them and stand nowhere else",
    "被选取的工作负载所引用的 Secret，随其下发，不写入别处",
);
pub(crate) const MAY_TELL_APPS: Right = dedicated(
    "apps",
    &["daemonsets/status", "deployments/status", "replicasets/status", "statefulsets/status"],
    &["patch"],
    TOLD.0,
    TOLD.1,
);
pub(crate) const MAY_TELL_BATCH: Right = dedicated("batch", &["jobs/status"], &["patch"], TOLD.0, TOLD.1);
pub(crate) const MAY_TELL_NETWORK: Right =
    dedicated("networking.k8s.io", &["ingresses/status"], &["patch"], TOLD.0, TOLD.1);
pub(crate) const MAY_TELL_CORE: Right =
    dedicated("", &["persistentvolumeclaims/status", "services/status"], &["patch"], TOLD.0, TOLD.1);
pub(crate) const MAY_MIRROR: Right = dedicated(
    "apps",
    &["replicasets"],
    &["create", "patch"],
    "one ReplicaSet beneath each selected Deployment: Helm 3 waits for it and does not read the Deployment alone",
    "每个被选取的 Deployment 之下一个 ReplicaSet：Helm 3 等待它就绪，不只看 Deployment",
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rights::RIGHTS;

    #[test]
    fn every_kind_that_is_followed_has_its_right_and_no_other_is_granted() {
        let granted: BTreeSet<(&str, &str)> = RIGHTS
            .iter()
            .filter(|right| right.when == When::DedicatedHub && right.verbs == FOLLOW)
            .flat_map(|right| right.resources.iter().map(|resource| (right.group, *resource)))
            .collect();
        let followed: BTreeSet<(&str, &str)> = KINDS.iter().map(|kind| (kind.group, kind.plural)).collect();
        assert_eq!(granted, followed);
        let names: BTreeSet<&str> = KINDS.iter().map(|kind| kind.kind).collect();
        assert_eq!(names.len(), KINDS.len(), "a kind is found by its name");
    }
}
