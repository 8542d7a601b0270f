//! Clusters that others know of: `ClusterProfile`s that another cluster manager publishes on the hub.
//!
//! Read under the person's own rights, when they ask what could join. The operator itself acts on none of them: a profile
//! says where a cluster is and nothing that a member is judged by.

use std::collections::BTreeSet;

use jiuzhou_api::v1alpha1::MemberCluster;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client, ResourceExt, discovery};

use crate::error::Error;
use crate::fleet::profile::{MANAGER, kind};

/// What others publish.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Others {
    /// Profiles of clusters that are no members, by namespace and name.
    pub profiles: Vec<DynamicObject>,
    /// Names of profiles of others whose cluster is a member already.
    pub members: Vec<String>,
}

/// Reads them off a hub.
///
/// # Errors
/// When the hub does not answer or refuses, and when it knows no ClusterProfiles.
pub async fn others(client: &Client) -> Result<Others, Error> {
    let api_error = |what: &str, error| Error::api("list", what.to_owned(), error);
    if discovery::pinned_kind(client, &kind()).await.is_err() {
        return Err(Error::Order(
            "the hub has no definition of ClusterProfile (multicluster.x-k8s.io/v1alpha1).".to_owned(),
            "中心未安装 ClusterProfile（multicluster.x-k8s.io/v1alpha1）的定义。".to_owned(),
        ));
    }
    let members = Api::<MemberCluster>::all(client.clone()).list_metadata(&ListParams::default()).await;
    let members = members.map_err(|error| api_error("MemberClusters", error))?;
    let members: BTreeSet<String> = members.iter().map(ResourceExt::name_any).collect();
    let resource = ApiResource::from_gvk(&kind());
    let profiles = Api::<DynamicObject>::all_with(client.clone(), &resource).list(&ListParams::default()).await;
    let mut profiles = profiles.map_err(|error| api_error("ClusterProfiles", error))?.items;
    profiles.retain(|profile| {
        let manager = profile.data.pointer("/spec/clusterManager/name").and_then(serde_json::Value::as_str);
        manager != Some(MANAGER)
    });
    profiles.sort_by_key(|profile| (profile.namespace(), profile.name_any()));
    let (known, profiles): (Vec<_>, Vec<_>) =
        profiles.into_iter().partition(|profile| members.contains(&profile.name_any()));
    Ok(Others { profiles, members: known.iter().map(ResourceExt::name_any).collect() })
}

#[cfg(test)]
mod tests {
    use jiuzhou_world::{Clock, World};
    use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
    use serde_json::{Value, json};

    use super::*;

    fn definition() -> CustomResourceDefinition {
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": "clusterprofiles.multicluster.x-k8s.io" },
            "spec": {
                "group": "multicluster.x-k8s.io", "scope": "Namespaced",
                "names": { "plural": "clusterprofiles", "kind": "ClusterProfile", "singular": "clusterprofile" },
                "versions": [{
                    "name": "v1alpha1", "served": true, "storage": true, "subresources": { "status": {} },
                    "schema": { "openAPIV3Schema": { "type": "object", "properties": {
                        "spec": { "type": "object", "properties": {
                            "displayName": { "type": "string" },
                            "clusterManager": { "type": "object", "properties": { "name": { "type": "string" } } },
                        } },
                    } } },
                }],
            },
        });
        serde_json::from_value(definition).expect("a definition")
    }

    fn profile(name: &str, manager: &str) -> Value {
        json!({
            "apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ClusterProfile",
            "metadata": { "name": name, "namespace": "fleet", "labels": { "x-k8s.io/cluster-manager": manager } },
            "spec": { "displayName": name, "clusterManager": { "name": manager } },
        })
    }

    #[tokio::test]
    async fn only_what_others_publish_and_is_no_member_could_join() {
        let hub = World::hub("hub", Clock::default());
        let client = hub.client_named("person");
        assert!(others(&client).await.is_err(), "the hub knows no such kind");
        hub.install(&[definition()]);
        hub.seed(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "fleet" } }));
        hub.seed(json!({
            "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "MemberCluster", "metadata": { "name": "dali" },
            "spec": { "site": "dali-1", "form": "Private", "connection": { "pull": {} }, "ownership": "Government" },
        }));
        hub.seed(profile("baoshan", "ocm"));
        hub.seed(profile("dali", "ocm"));
        hub.seed(profile("ours", "jiuzhou"));
        let read = others(&client).await.expect("they are read");
        assert_eq!(read.profiles.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["baoshan"]);
        assert_eq!(read.members, ["dali"]);
        assert!(hub.refused().is_empty(), "{:?}", hub.refused());
    }
}
