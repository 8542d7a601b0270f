//! Every string another program may depend on: group, version, labels, annotations, finalizers, field manager.
//!
//! The only place for such strings (derive attributes must repeat group and version as literals; a test compares). Values of labels that Kubernetes or
//! node-feature-discovery define belong to the rooms that read them.

/// API group of every custom resource.
pub const GROUP: &str = "jiuzhou.dev";
/// The one served version.
pub const VERSION: &str = "v1alpha1";
/// `apiVersion` of every custom resource.
pub const API_VERSION: &str = "jiuzhou.dev/v1alpha1";
/// Category that lists all of them: `kubectl get jiuzhou -A`.
pub const CATEGORY: &str = "jiuzhou";
/// The one server-side-apply field manager (law 10).
pub const FIELD_MANAGER: &str = "jiuzhou";
/// Field manager of what a person changes on the hub by our commands.
pub const FIELD_MANAGER_PERSON: &str = "jiuzhou-cli";

/// Finalizer on a `FleetPlacement`: its deliveries are gone or orphaned by order.
pub const FINALIZER_PLACEMENT: &str = "jiuzhou.dev/placement";
/// Finalizer on a `FleetWorkload`: its placement is gone.
pub const FINALIZER_WORKLOAD: &str = "jiuzhou.dev/workload";
/// Finalizer on a `MemberCluster`: nothing of ours is left there, or an order says to leave it.
pub const FINALIZER_MEMBER: &str = "jiuzhou.dev/member";
/// Finalizer on a `Tenant`: no workload of its namespaces is left, and its namespaces in the members are seen to.
pub const FINALIZER_TENANT: &str = "jiuzhou.dev/tenant";

/// Label on every object we apply in a member: present means ours.
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// Value of [`LABEL_MANAGED_BY`].
pub const MANAGED_BY: &str = "jiuzhou";
/// Label with the name of the `FleetWorkload` an object came from.
pub const LABEL_WORKLOAD: &str = "jiuzhou.dev/workload";
/// Label with the name of the `Tenant` an object belongs to.
pub const LABEL_TENANT: &str = "jiuzhou.dev/tenant";
/// Label with the name of the `InformationSystem` an object belongs to.
pub const LABEL_SYSTEM: &str = "jiuzhou.dev/system";
/// Label with the name of the `MemberCluster` an object is meant for.
pub const LABEL_CLUSTER: &str = "jiuzhou.dev/cluster";
/// Node label by which an administrator names the CPU platform of a node; it wins over everything detected.
pub const LABEL_NODE_PLATFORM: &str = "chips.jiuzhou.dev/platform";
/// Node label by which an administrator names the network zone of a node.
pub const LABEL_NODE_ZONE: &str = "jiuzhou.dev/zone";
/// Node label that says a new-world LoongArch node runs old-world programs by liblol.
pub const LABEL_NODE_LIBLOL: &str = "chips.jiuzhou.dev/liblol";

/// Label with the name an object has in its workload's list.
pub const LABEL_OBJECT: &str = "jiuzhou.dev/object";
/// Label with the number of a stored revision.
pub const LABEL_REVISION: &str = "jiuzhou.dev/revision";
/// Annotation with why a revision came to be: the one that `kubectl rollout history` shows.
pub const ANNOTATION_CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
/// Annotation with `NAMESPACE/NAME` of the workload an object came from: who owns it (labels are for selection).
pub const ANNOTATION_OWNER: &str = "jiuzhou.dev/owner";
/// Annotation on an object of a member whose value is the owner that may take it over when it is identical.
pub const ANNOTATION_TAKE_OVER: &str = "jiuzhou.dev/take-over";
/// Annotation that confirms the deletion of a protected object; its value is that object's name.
pub const ANNOTATION_CONFIRM_DELETE: &str = "jiuzhou.dev/confirm-delete";
/// Annotation by which a person confirms the deletions that wait in a namespace; its value stands for exactly those objects.
pub const ANNOTATION_CONFIRM_DELETIONS: &str = "jiuzhou.dev/confirm-deletions";
/// Annotation on a FleetWorkload that orders the removal of what left its selection; its value is the digest of exactly
/// that set, as its status tells it.
pub const ANNOTATION_CONFIRM_REMOVAL: &str = "jiuzhou.dev/confirm-removal";
/// Annotation with the digest of what was last applied to an object of a member, so that nothing is sent twice.
pub const ANNOTATION_APPLIED: &str = "jiuzhou.dev/applied";
/// Annotation by which a person lets a member go although objects of ours are left there; its value is the member's name.
pub const ANNOTATION_ABANDON: &str = "jiuzhou.dev/abandon";
/// Annotation on a FleetWorkload by which a person lets it leave clusters that do not answer, comma between several:
/// it waits for no time, turn or storm, and passes no rule.
pub const ANNOTATION_FAILOVER: &str = "jiuzhou.dev/failover-from";
/// Annotation on a FleetWorkload by which a person orders it to be placed anew, as `kubectl rollout restart` orders pods: an
/// instant (RFC 3339). Each is carried out once, and from that instant on.
pub const ANNOTATION_REBALANCE_AT: &str = "jiuzhou.dev/rebalance-at";
/// Annotation on a FleetWorkload by which a person says that data it left in a cluster may be used again, as
/// `CLUSTER@EPOCH`, comma between several: of that data alone, and not of what is left there later.
pub const ANNOTATION_REUSE_DATA: &str = "jiuzhou.dev/reuse-data";
/// Annotation on a MemberCluster by which a person says that nothing runs there any more; its value is since when the
/// cluster was silent then, so that it holds for this outage only, and who says so.
pub const ANNOTATION_FENCED: &str = "jiuzhou.dev/fenced";
/// On a MemberCluster: a person knows that the member went back in time. Since when that is known (RFC 3339), then who says so.
pub const ANNOTATION_RECOVERED: &str = "jiuzhou.dev/recovered";
/// Prefix of the annotations that tell a new copy what the one before said of itself, on its object and in its pods.
pub const ANNOTATION_STATE: &str = "state.jiuzhou.dev";
/// Annotation with the epoch of the placement an object was rendered for.
pub const ANNOTATION_EPOCH: &str = "jiuzhou.dev/epoch";
/// Annotation with the id of the decision an object was rendered for.
pub const ANNOTATION_DECISION: &str = "jiuzhou.dev/decision";
/// Annotation with the data digest of the Jiuzhou release that wrote the object.
pub const ANNOTATION_DATA_DIGEST: &str = "jiuzhou.dev/data-digest";
/// Annotation that allows a planned duplicate capability; its value is the document that allows it.
pub const ANNOTATION_DUPLICATE_ALLOWED: &str = "jiuzhou.dev/duplicate-allowed";

/// Prefix of the namespace that holds the deliveries of one member: `jiuzhou-member-<cluster>` (63 in all, so a
/// member's name has at most 48 characters).
pub const MEMBER_NAMESPACE_PREFIX: &str = "jiuzhou-member-";
/// Longest name of a member cluster.
pub const MEMBER_NAME_MAX: usize = 48;
/// Namespace in a member whose service accounts stand for tenants.
pub const TENANTS_NAMESPACE: &str = "jiuzhou-tenants";
/// ClusterRole in a member with what a tenant's service account may do, and the RoleBinding in each of its namespaces.
pub const TENANT_ROLE: &str = "jiuzhou-tenant";
/// Namespace of the operator on the hub, and of the agent and the hub claim in a member.
pub const SYSTEM_NAMESPACE: &str = "jiuzhou-system";
/// ConfigMap in [`SYSTEM_NAMESPACE`] of a member that says which hub it obeys and the highest epoch it has seen.
pub const HUB_CLAIM: &str = "hub";
/// ConfigMap in [`SYSTEM_NAMESPACE`] of the hub that reserves epochs in blocks.
pub const EPOCH_COUNTER: &str = "epoch";
/// ConfigMap in [`SYSTEM_NAMESPACE`] of the hub that says of what and how far ahead people were reminded.
pub const REMINDERS: &str = "reminders";
/// Lease of the operator's leader.
pub const LEADER_LEASE: &str = "jiuzhou-operator";
/// Lease in a member's hub namespace that its agent renews: the heartbeat.
pub const AGENT_LEASE: &str = "agent";
/// Service account in a member that the hub's push credential belongs to.
pub const PUSH_ACCOUNT: &str = "jiuzhou-hub";

/// Namespace of the deliveries of a member.
#[must_use]
pub fn member_namespace(cluster: &str) -> String {
    format!("{MEMBER_NAMESPACE_PREFIX}{cluster}")
}

/// Name of the Delivery of a workload: `<namespace>.<name>`, which no other workload has (a namespace has no dot).
#[must_use]
pub fn delivery_name(namespace: &str, name: &str) -> String {
    format!("{namespace}.{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_member_name_still_makes_a_namespace_name() {
        assert!(MEMBER_NAMESPACE_PREFIX.len() + MEMBER_NAME_MAX <= 63);
    }

    #[test]
    fn api_version_is_group_and_version() {
        assert_eq!(API_VERSION, format!("{GROUP}/{VERSION}"));
    }
}
