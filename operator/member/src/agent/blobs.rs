//! Large manifests that stand beside an order on the hub, put back where the order names them.
//!
//! They are immutable and named by their digest, so that one is read once and used on while the hub is silent.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::{BlobReference, DeliverySpec};
use jiuzhou_objects::blob;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};
use serde_json::Value;

/// Manifests that were read, by digest.
#[derive(Debug, Default)]
pub(super) struct Blobs(BTreeMap<String, Value>);

fn named(spec: &DeliverySpec) -> impl Iterator<Item = &BlobReference> {
    spec.objects.iter().filter_map(|object| object.blob.as_ref())
}

impl Blobs {
    /// The order with its large manifests in it; `None` when it has none apart. One that cannot be read stays out, and
    /// the object that it is of waits.
    pub(super) async fn whole(&mut self, hub: &Client, namespace: &str, spec: &DeliverySpec) -> Option<DeliverySpec> {
        named(spec).next()?;
        let api: Api<ConfigMap> = Api::namespaced(hub.clone(), namespace);
        let mut whole = spec.clone();
        for object in &mut whole.objects {
            let Some(wanted) = object.blob.clone() else { continue };
            let digest = wanted.digest.to_string();
            if !self.0.contains_key(&digest)
                && let Ok(Some(stored)) = api.get_opt(&wanted.name).await
                && let Ok(stored) = serde_json::to_value(&stored)
                && let Some(manifest) = blob::read(&stored, &wanted)
            {
                self.0.insert(digest.clone(), manifest);
            }
            if let Some(manifest) = self.0.get(&digest) {
                blob::fill(object, manifest.clone());
            }
        }
        Some(whole)
    }

    /// What no order names any more is not kept in memory.
    pub(super) fn retain<'a>(&mut self, orders: impl Iterator<Item = &'a DeliverySpec>) {
        let wanted: BTreeSet<String> = orders.flat_map(named).map(|blob| blob.digest.to_string()).collect();
        self.0.retain(|digest, _| wanted.contains(digest));
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::v1alpha1::DeliveredObject;
    use jiuzhou_world::{Clock, World};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_large_manifest_is_read_once_and_used_on_while_the_hub_is_silent() {
        let hub = World::hub("hub", Clock::default());
        hub.seed(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "n" } }));
        let manifest = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" },
            "data": { "text": "a".repeat(blob::LARGE) } });
        let object =
            DeliveredObject { name: "settings".into(), manifest: Some(manifest), ..DeliveredObject::default() };
        let order = DeliverySpec { objects: vec![object], ..DeliverySpec::default() };
        let (stored, all) = blob::apart(&order);
        let client = hub.client_named("agent");
        let mut blobs = Blobs::default();
        let waits = blobs.whole(&client, "n", &stored).await.expect("it has one apart");
        assert_eq!(waits, stored, "what is not there is not made up");
        hub.seed(all[0].stored("n"));
        assert_eq!(blobs.whole(&client, "n", &stored).await.as_ref(), Some(&order));
        hub.clear_log();
        assert_eq!(blobs.whole(&client, "n", &stored).await.as_ref(), Some(&order));
        assert_eq!(hub.log().len(), 0, "it was read before");
        blobs.retain([&order].into_iter());
        assert!(blobs.0.is_empty(), "no order names it any more");
        assert_eq!(blobs.whole(&client, "n", &order).await, None);
    }
}
