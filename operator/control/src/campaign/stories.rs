//! What a person does in the stories of the campaign, on two clusters with a divided workload and a single writer.

use jiuzhou_api::v1alpha1::ObjectState;
use serde_json::{Value, json};

use crate::testing::{Hub, story};

/// Namespace of both workloads.
pub(super) const NAMESPACE: &str = "kunming-portal";
/// A Deployment with two replicas.
pub(super) const PORTAL: &str = "portal";
/// A StatefulSet with one.
pub(super) const REGISTER: &str = "register";
/// The clusters, the first of which is chosen when nothing speaks against it.
pub(super) const CLUSTERS: [&str; 2] = ["kunming-gov-1", "kunming-gov-2"];

/// What is done to a fleet at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Story {
    /// Both workloads are applied.
    Place,
    /// Three replicas more.
    ScaleUp,
    /// One replica less.
    ScaleDown,
    /// Another port of the service: new content, the same demands.
    Content,
    /// The cluster that has both is drained: one moves by adding first, one by stopping first.
    Drain,
    /// The drain is taken back while it is under way.
    DrainAndBack,
    /// The cluster that has both says nothing more of itself.
    Unreachable,
    /// It stays silent for longer than both would wait: one gets another place, the single writer waits for a fence.
    Lost,
    /// The same, and it comes back.
    LostAndBack,
    /// Neither workload is well any more in the cluster that has both, although it answers: both get another place, with what
    /// they say of themselves, one by adding first, one by stopping first.
    Unwell,
    /// A workload is deleted.
    Delete,
    /// A workload is deleted and applied again at once.
    DeleteAndAgain,
    /// The namespace of both is deleted: no order.
    DeleteNamespace,
    /// What the cluster that has both is trusted for runs out.
    EvidenceRevoked,
    /// The hub is restored from a backup; then a replica less is asked for and a workload is deleted.
    HubRestored,
}

impl Story {
    pub(super) const ALL: [Self; 15] = [
        Self::Place,
        Self::ScaleUp,
        Self::ScaleDown,
        Self::Content,
        Self::Drain,
        Self::DrainAndBack,
        Self::Unreachable,
        Self::Lost,
        Self::LostAndBack,
        Self::Unwell,
        Self::Delete,
        Self::DeleteAndAgain,
        Self::DeleteNamespace,
        Self::EvidenceRevoked,
        Self::HubRestored,
    ];

    /// Its name in a case.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::ScaleUp => "scale up",
            Self::ScaleDown => "scale down",
            Self::Content => "content",
            Self::Drain => "drain",
            Self::DrainAndBack => "drain and back",
            Self::Unreachable => "unreachable",
            Self::Lost => "lost",
            Self::LostAndBack => "lost and back",
            Self::Unwell => "unwell",
            Self::Delete => "delete",
            Self::DeleteAndAgain => "delete and again",
            Self::DeleteNamespace => "delete namespace",
            Self::EvidenceRevoked => "evidence revoked",
            Self::HubRestored => "hub restored",
        }
    }

    /// Whether it is played before anything was placed.
    pub(super) fn begins_empty(self) -> bool {
        self == Self::Place
    }

    /// Whether two ends are the same. A drain that is taken back, or a cluster that answers again, ends well wherever a
    /// workload stood by then: a delay may have let it stay, and who has moved does not move back by itself.
    pub(super) fn ends_alike(self, one: &Value, other: &Value) -> bool {
        let runs = |end: &Value, name: &str| -> i64 {
            let clusters = end[name]["runs"].as_object().into_iter().flatten();
            clusters.filter_map(|(_, replicas)| replicas.as_i64()).sum()
        };
        let alike = |name: &str| one[name]["ready"] == other[name]["ready"] && runs(one, name) == runs(other, name);
        one == other || (matches!(self, Self::DrainAndBack | Self::LostAndBack) && alike(PORTAL) && alike(REGISTER))
    }

    /// Plays it.
    pub(super) async fn play(self, hub: &Hub) {
        match self {
            Self::Place => {
                for workload in workloads() {
                    hub.create(&workload).await;
                }
            }
            Self::ScaleUp => scale(hub, 5).await,
            Self::ScaleDown => scale(hub, 1).await,
            Self::Content => {
                let workload = hub.object("FleetWorkload", NAMESPACE, PORTAL).unwrap_or_default();
                let mut objects = workload["spec"]["objects"].clone();
                objects[1]["manifest"]["spec"]["ports"] = json!([{ "port": 81, "targetPort": 8080 }]);
                let patch = json!({ "spec": { "objects": objects } });
                hub.patch("FleetWorkload", Some(NAMESPACE), PORTAL, "", &patch).await;
            }
            Self::Drain => lifecycle(hub, "Draining").await,
            Self::DrainAndBack => {
                lifecycle(hub, "Draining").await;
                tokio::time::sleep(std::time::Duration::from_millis(700)).await;
                lifecycle(hub, "Active").await;
            }
            Self::Unreachable => hub.sees(CLUSTERS[0], ["Unreachable"; 2]).await,
            Self::Lost => lose(hub).await,
            Self::LostAndBack => {
                lose(hub).await;
                hub.sees(CLUSTERS[0], ["Reachable"; 2]).await;
                hub.members.speaks(CLUSTERS[0]);
            }
            Self::Unwell => {
                hub.members.say(&[("savepoint", "7".to_owned())]);
                hub.members.judge(|delivery, object| {
                    let runs = object.manifest.as_ref().is_some_and(|one| one.pointer("/spec/template").is_some());
                    (runs && *delivery.cluster == *CLUSTERS[0]).then_some(ObjectState::Applied)
                });
                wait_out_illness(hub).await;
            }
            Self::Delete => hub.delete(&path(PORTAL)).await,
            Self::DeleteAndAgain => {
                hub.delete(&path(PORTAL)).await;
                tokio::time::sleep(std::time::Duration::from_secs(30)).await;
                self.afterwards(hub).await;
            }
            Self::DeleteNamespace => hub.delete(&format!("/api/v1/namespaces/{NAMESPACE}")).await,
            Self::HubRestored => {
                hub.members_have_seen(50_000);
                scale(hub, 1).await;
                hub.delete(&path(REGISTER)).await;
            }
            Self::EvidenceRevoked => {
                let cluster = hub
                    .world
                    .object(jiuzhou_api::meta::API_VERSION, "MemberCluster", "", CLUSTERS[0])
                    .unwrap_or_default();
                let mut evidence = cluster["spec"]["evidence"].clone();
                evidence[1]["state"] = json!("Revoked");
                hub.patch("MemberCluster", None, CLUSTERS[0], "", &json!({ "spec": { "evidence": evidence } })).await;
            }
        }
    }
}

impl Story {
    /// What the person does, or tries once more, when all is at rest.
    pub(super) async fn afterwards(self, hub: &Hub) {
        // An operator that was dead meanwhile watches once more before it moves anything.
        if self == Self::Unwell {
            wait_out_illness(hub).await;
        }
        // Who found it still going comes again.
        if self == Self::DeleteAndAgain && hub.object("FleetWorkload", NAMESPACE, PORTAL).is_none() {
            hub.create(&workloads()[0]).await;
        }
    }
}

fn path(name: &str) -> String {
    format!("/apis/jiuzhou.dev/v1alpha1/namespaces/{NAMESPACE}/fleetworkloads/{name}")
}

async fn scale(hub: &Hub, replicas: i32) {
    let patch = json!({ "spec": { "replicas": replicas } });
    hub.patch("FleetWorkload", Some(NAMESPACE), PORTAL, "/scale", &patch).await;
}

/// The first cluster falls silent, and stays so for longer than anybody waits.
async fn lose(hub: &Hub) {
    hub.members.falls_silent(CLUSTERS[0]);
    hub.sees(CLUSTERS[0], ["Unreachable"; 2]).await;
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    hub.world.clock().advance(jiff::SignedDuration::from_secs(301));
    tokio::time::sleep(std::time::Duration::from_secs(310)).await;
}

/// Longer than the workloads may be unwell, in two parts: it has to be seen before its time begins.
async fn wait_out_illness(hub: &Hub) {
    for _ in 0..2 {
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        hub.world.clock().advance(jiff::SignedDuration::from_secs(301));
        tokio::time::sleep(std::time::Duration::from_secs(310)).await;
    }
}

async fn lifecycle(hub: &Hub, lifecycle: &str) {
    hub.patch("MemberCluster", None, CLUSTERS[0], "", &json!({ "spec": { "lifecycle": lifecycle } })).await;
}

/// The fleet of the first example with a second cluster like the first.
pub(super) fn fleet() -> Vec<Value> {
    let mut objects = story("01-first-tenant");
    objects.retain(|object| object["kind"] != "FleetWorkload");
    let first = objects.iter().find(|object| object["kind"] == "MemberCluster").cloned().unwrap_or_default();
    let mut second = first;
    second["metadata"]["name"] = json!(CLUSTERS[1]);
    objects.push(second);
    objects
}

/// Both workloads.
pub(super) fn workloads() -> [Value; 2] {
    let all = story("01-first-tenant");
    let mut portal = all.into_iter().find(|object| object["kind"] == "FleetWorkload").unwrap_or_default();
    let mut register = portal.clone();
    register["metadata"]["name"] = json!(REGISTER);
    let mut app = register["spec"]["objects"][0].clone();
    app["manifest"]["kind"] = json!("StatefulSet");
    app["manifest"]["metadata"]["name"] = json!(REGISTER);
    app["manifest"]["spec"]["replicas"] = json!(1);
    app["manifest"]["spec"]["serviceName"] = json!(REGISTER);
    register["spec"]["objects"] = json!([app]);
    register["spec"]["data"] = json!({ "mode": "Disposable" });
    let state = json!([{ "alias": "savepoint", "jsonPath": ".status.savepoint", "optional": true }]);
    for workload in [&mut portal, &mut register] {
        workload["spec"]["placement"]["failover"] = json!({ "application": { "state": state } });
    }
    [portal, register]
}
