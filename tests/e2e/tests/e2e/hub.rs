//! A dedicated hub: native objects on it are wishes. Nothing there acts on them, and namespaces still go away.

use std::time::Duration;

use jiuzhou_e2e::{Cluster, Fleet, Seen, eventually};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};

const NAMESPACE: &str = "wishes";
const DEPLOYMENT: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: wishes}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: wishes}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: registry.gov.example/web:1}]}
";

async fn replica_sets(cluster: &Cluster) -> kube::Result<usize> {
    let api: Api<ReplicaSet> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    Ok(api.list(&ListParams::default()).await?.items.len())
}

async fn gone(cluster: &Cluster) {
    let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
    namespaces.delete(NAMESPACE, &DeleteParams::default()).await.unwrap();
    eventually("the namespace is gone with all that was in it", Duration::from_secs(60), || async {
        let left = namespaces.get_opt(NAMESPACE).await?;
        Ok(Seen::when(left.is_none(), (), format!("{:?}", left.and_then(|one| one.status))))
    })
    .await
    .unwrap();
}

/// The same Deployment runs on a member while the hub has not touched it.
#[tokio::test]
async fn a_deployment_on_the_hub_is_a_wish_and_on_a_member_runs() {
    let fleet = Fleet::start().await.unwrap();
    let (hub, member) = (fleet.hub(), fleet.member("kunpeng"));
    hub.apply(DEPLOYMENT).unwrap();
    member.apply(DEPLOYMENT).unwrap();
    let deployments: Api<Deployment> = Api::namespaced(member.client.clone(), NAMESPACE);
    eventually("the member runs two replicas", Duration::from_secs(60), || async {
        let status = deployments.get("web").await?.status.unwrap_or_default();
        Ok(Seen::when(status.ready_replicas == Some(2), (), format!("{:?} ready", status.ready_replicas)))
    })
    .await
    .unwrap();
    assert_eq!(replica_sets(member).await.unwrap(), 1);
    assert_eq!(replica_sets(hub).await.unwrap(), 0);
    let wish: Api<Deployment> = Api::namespaced(hub.client.clone(), NAMESPACE);
    let status = wish.get("web").await.unwrap().status.unwrap_or_default();
    assert_eq!(status.observed_generation, None, "something on the hub acted on the Deployment");
    gone(member).await;
    gone(hub).await;
}

/// Who writes the status on a dedicated hub is followed by kubectl as a controller would be.
#[tokio::test]
async fn kubectl_rollout_status_follows_a_status_written_on_the_hub() {
    let fleet = Fleet::start().await.unwrap();
    let hub = fleet.hub();
    hub.apply(DEPLOYMENT).unwrap();
    let waiting =
        hub.try_kubectl(&["-n", NAMESPACE, "rollout", "status", "deployment/web", "--timeout=2s"], "").unwrap();
    assert!(!waiting.status.success(), "a rollout without status was called done");
    let deployments: Api<Deployment> = Api::namespaced(hub.client.clone(), NAMESPACE);
    let generation = deployments.get("web").await.unwrap().metadata.generation;
    let status = serde_json::json!({ "status": {
        "observedGeneration": generation, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2,
    } });
    deployments.patch_status("web", &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
    let done = hub.kubectl(&["-n", NAMESPACE, "rollout", "status", "deployment/web", "--timeout=20s"]).unwrap();
    assert!(done.contains("successfully rolled out"), "{done}");
    gone(hub).await;
}
