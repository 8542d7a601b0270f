//! What the operator may do on its own hub: every right, where it holds and why.
//!
//! A constant stands beside the code that uses it where that code is here; the table gathers them. The chart's RBAC is
//! written from this table and compared with it, and the end-to-end run compares it with the requests on the wire. No
//! `*`, no `escalate`, `bind` or `impersonate`. Rights in members are `jiuzhou_member::bootstrap`'s.

use crate::select::kinds;

/// Where a right holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The whole hub.
    Cluster,
    /// The namespace `jiuzhou-system`.
    System,
}

/// When a right is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// Always.
    Always,
    /// Where the hub is dedicated, so that `select` takes native objects.
    DedicatedHub,
}

/// One rule, with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// Where it holds.
    pub reach: Reach,
    /// When it is granted.
    pub when: When,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Resources, subresources as `resource/subresource`.
    pub resources: &'static [&'static str],
    /// Names of objects; any when empty.
    pub names: &'static [&'static str],
    /// Verbs.
    pub verbs: &'static [&'static str],
    /// Why, in English.
    pub en: &'static str,
    /// Why, in Chinese.
    pub zh: &'static str,
}

/// A right over any name on the whole hub.
const fn cluster(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    en: &'static str,
    zh: &'static str,
) -> Right {
    Right { reach: Reach::Cluster, when: When::Always, group, resources, names: &[], verbs, en, zh }
}

const FOLLOW: &[&str] = &["list", "watch"];
const GROUP: &str = jiuzhou_api::meta::GROUP;

/// Every right of the operator on its hub.
pub const RIGHTS: &[Right] = &[
    cluster(
        GROUP,
        &[
            "approvals",
            "changefreezes",
            "clusterplacementpolicies",
            "clusterreports",
            "cpuplatforms",
            "deliveries",
            "fleetplacements",
            "fleetworkloads",
            "imageprofiles",
            "informationsystems",
            "kindprofiles",
            "memberclusters",
            "migrations",
            "operatingmodes",
            "placementpolicies",
            "pricebooks",
            "reports",
            "sites",
            "sovereigntytiers",
            "tenants",
        ],
        FOLLOW,
        "the snapshot that decisions are made from",
        "决策所依据的快照",
    ),
    cluster(
        GROUP,
        &["deliveries", "memberclusters"],
        &["get"],
        "one object read anew before it is acted on, because a cache may not know yet",
        "行动前重新读取单个对象，缓存可能尚未更新",
    ),
    cluster(
        GROUP,
        &["fleetplacements"],
        &["create", "update", "patch", "delete"],
        "the commit point of a decision, and its end when the workload has ended",
        "决策的提交点，以及工作负载结束后的清理",
    ),
    cluster(
        GROUP,
        &["deliveries"],
        &["create", "patch", "delete"],
        "orders to members reached by pull, and their end when they are carried out",
        "发给拉取成员的下发单，以及执行完毕后的清理",
    ),
    cluster(
        GROUP,
        &["fleetworkloads", "memberclusters", "tenants"],
        &["patch"],
        "finalizers, so that nothing ends before it is gone from the members",
        "终结器：成员集群中清理完成之前不结束对象",
    ),
    cluster(
        GROUP,
        &[
            "approvals/status",
            "clusterreports/status",
            "fleetplacements/status",
            "fleetworkloads/status",
            "informationsystems/status",
            "memberclusters/status",
            "migrations/status",
            "operatingmodes/status",
            "reports/status",
            "sovereigntytiers/status",
            "tenants/status",
        ],
        &["patch"],
        "status and conditions",
        "状态与条件",
    ),
    cluster(
        "",
        &["namespaces"],
        &["get"],
        "who the hub is, and whether a namespace is terminating before a deletion counts as an order",
        "中心的标识；删除是否为指令须先确认命名空间未在终止",
    ),
    cluster(
        "apiextensions.k8s.io",
        &["customresourcedefinitions"],
        &["get"],
        "whether a definition is terminating before a deletion counts as an order, and whether it is this version's",
        "删除是否为指令须先确认资源定义未在终止，并核对定义版本",
    ),
    cluster(
        "apps",
        &["controllerrevisions"],
        &["get", "list", "create", "patch", "delete"],
        "what was delivered, as ten revisions of each workload",
        "所下发内容：每个工作负载保留十个版本",
    ),
    cluster("coordination.k8s.io", &["leases"], FOLLOW, "heartbeats of pull agents", "拉取代理的心跳"),
    cluster(
        "events.k8s.io",
        &["events"],
        &["create", "patch"],
        "events that say what was done and why",
        "说明动作与原因的事件",
    ),
    cluster(
        "certificates.k8s.io",
        &["certificatesigningrequests"],
        FOLLOW,
        "requests of pull agents for their certificates",
        "拉取代理的证书申请",
    ),
    cluster(
        "certificates.k8s.io",
        &["certificatesigningrequests/approval"],
        &["patch"],
        "the answer to such a request",
        "对证书申请的批复",
    ),
    Right {
        reach: Reach::Cluster,
        when: When::Always,
        group: "certificates.k8s.io",
        resources: &["signers"],
        names: &["kubernetes.io/kube-apiserver-client"],
        verbs: &["approve"],
        en: "the one signer whose certificates authenticate agents",
        zh: "唯一用于代理身份认证的签发者",
    },
    cluster(
        "multicluster.x-k8s.io",
        &["clusterprofiles"],
        &["get", "create", "patch"],
        "members as ClusterProfiles, where that definition is installed",
        "在已安装该资源定义时，以 ClusterProfile 发布成员",
    ),
    cluster(
        "multicluster.x-k8s.io",
        &["clusterprofiles/status"],
        &["patch"],
        "what is known of a member, told in its ClusterProfile",
        "在 ClusterProfile 中发布成员的状态",
    ),
    crate::http::MAY_AUTHENTICATE,
    crate::http::MAY_AUTHORIZE,
    crate::leader::MAY_CREATE_LEASE,
    crate::leader::MAY_HOLD_LEASE,
    Right {
        reach: Reach::System,
        when: When::Always,
        group: "",
        resources: &["configmaps"],
        names: &[],
        verbs: &["get", "create", "update"],
        en: "the counter of epochs, and what people were reminded of",
        zh: "轮次计数器，以及已发出的到期提醒",
    },
    Right {
        reach: Reach::System,
        when: When::Always,
        group: "",
        resources: &["secrets"],
        names: &[],
        verbs: &["get", "list", "watch", "create", "update"],
        en: "credentials of members reached by push and their rotation; the key of digests, made once",
        zh: "推送成员的访问凭据及其轮换；摘要密钥，仅创建一次",
    },
    kinds::MAY_FOLLOW_APPS,
    kinds::MAY_FOLLOW_SCALERS,
    kinds::MAY_FOLLOW_BATCH,
    kinds::MAY_FOLLOW_NETWORK,
    kinds::MAY_FOLLOW_BUDGETS,
    kinds::MAY_FOLLOW_CORE,
    kinds::MAY_FOLLOW_SECRETS,
    kinds::MAY_MIRROR,
    kinds::MAY_TELL_APPS,
    kinds::MAY_TELL_BATCH,
    kinds::MAY_TELL_NETWORK,
    kinds::MAY_TELL_CORE,
];

/// The rules of one reach, as they stand in a Role: rules that hold always, then those of a dedicated hub.
pub fn of(reach: Reach, when: When) -> impl Iterator<Item = &'static Right> {
    RIGHTS.iter().filter(move |right| right.reach == reach && right.when == when)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const VERBS: [&str; 9] =
        ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "approve"];

    #[test]
    fn no_right_is_a_wildcard_or_lets_the_operator_raise_itself() {
        for right in RIGHTS {
            for word in right.verbs {
                assert!(VERBS.contains(word), "{word} in {right:?}");
            }
            assert!(!right.verbs.is_empty() && !right.resources.is_empty(), "{right:?}");
            assert!(!right.resources.iter().chain(right.names).any(|name| name.contains('*')), "{right:?}");
            assert!(right.group != "rbac.authorization.k8s.io", "{right:?}");
            // Who approves for any signer could make itself an administrator; this one is judged request by request.
            assert!(!right.verbs.contains(&"approve") || !right.names.is_empty(), "{right:?}");
        }
    }

    #[test]
    fn secrets_are_reached_in_our_own_namespace_only() {
        // But for a dedicated hub, where those that selected workloads name are delivered with them: read, never written.
        for right in RIGHTS.iter().filter(|right| right.resources.contains(&"secrets")) {
            let follows = right.when == When::DedicatedHub && right.verbs == ["list", "watch"];
            assert!(right.reach == Reach::System || follows, "{right:?}");
        }
    }

    #[test]
    fn each_right_has_its_reason_once_and_is_granted_once() {
        let mut seen = BTreeSet::new();
        for right in RIGHTS {
            assert!(!right.en.is_empty() && !right.zh.is_empty(), "{right:?}");
            for resource in right.resources {
                for verb in right.verbs {
                    let one = (right.reach, right.group, *resource, right.names, *verb);
                    assert!(seen.insert(one), "{one:?} twice");
                }
            }
        }
    }

    #[test]
    fn every_kind_of_ours_is_read_and_no_other_is_named() {
        let ours: BTreeSet<_> = jiuzhou_api::kinds().iter().map(|kind| kind.plural.clone()).collect();
        let rights = || RIGHTS.iter().filter(|right| right.group == GROUP);
        let read = rights().filter(|right| right.verbs == FOLLOW).flat_map(|right| right.resources);
        assert_eq!(read.map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), ours);
        for resource in rights().flat_map(|right| right.resources) {
            let plural = resource.split('/').next().unwrap();
            assert!(ours.contains(plural), "{resource} is no kind of ours");
        }
    }
}
