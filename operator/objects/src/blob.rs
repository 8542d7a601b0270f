//! Large manifests on their way to a member that fetches its orders: beside the order and not in it.
//!
//! An order is read, listed and watched whole; a manifest over [`LARGE`] stands in an immutable ConfigMap of the member's
//! hub namespace instead, named by the digest of its bytes, so that another content is another name and equal ones are
//! one. Whoever reads it holds it against the digest the order names.

use jiuzhou_api::v1alpha1::{BlobReference, DeliveredObject, DeliverySpec};
use jiuzhou_engine::terms::Digest;
use serde_json::{Value, json};

use crate::digest;

/// Bytes of a manifest that stand in an order at most.
pub const LARGE: usize = 100 * 1024;
/// Key of a ConfigMap with the bytes of a manifest.
const KEY: &str = "manifest.json";
/// Beginning of the name of such a ConfigMap.
pub const PREFIX: &str = "blob-";
/// Characters of the digest in the name.
const SHORT: usize = 40;

/// A large manifest, apart from its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    reference: BlobReference,
    text: String,
}

impl Blob {
    /// What the order says instead of the manifest.
    #[must_use]
    pub fn reference(&self) -> &BlobReference {
        &self.reference
    }

    /// The ConfigMap that carries it in a namespace of the hub.
    #[must_use]
    pub fn stored(&self, namespace: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": &*self.reference.name, "namespace": namespace },
            "immutable": true,
            "data": { KEY: self.text },
        })
    }
}

/// An order as it is stored, and the large manifests that are stored beside it. What is not large stays as it is.
#[must_use]
pub fn apart(spec: &DeliverySpec) -> (DeliverySpec, Vec<Blob>) {
    let (mut stored, mut blobs) = (spec.clone(), Vec::new());
    for object in &mut stored.objects {
        let Some(bytes) = object.manifest.as_ref().map(digest::canonical).filter(|bytes| bytes.len() > LARGE) else {
            continue;
        };
        let digest = Digest::sha256(&bytes).to_string();
        let short: String = digest.chars().skip_while(|c| *c != ':').skip(1).take(SHORT).collect();
        let reference = BlobReference { name: format!("{PREFIX}{short}").into(), digest: digest.into() };
        (object.manifest, object.blob) = (None, Some(reference.clone()));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        blobs.push(Blob { reference, text });
    }
    (stored, blobs)
}

/// The manifest in a stored ConfigMap; `None` where it is not the one that the order names.
#[must_use]
pub fn read(stored: &Value, wanted: &BlobReference) -> Option<Value> {
    let text = stored.pointer("/data")?.get(KEY)?.as_str()?;
    (Digest::sha256(text.as_bytes()).to_string() == *wanted.digest).then(|| serde_json::from_str(text).ok()).flatten()
}

/// Puts a manifest back where its object names it.
pub fn fill(object: &mut DeliveredObject, manifest: Value) {
    (object.manifest, object.blob) = (Some(manifest), None);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(size: usize) -> DeliveredObject {
        let manifest = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" },
            "data": { "z": "中".repeat(size / 3), "a": 1 } });
        DeliveredObject { name: "settings".into(), manifest: Some(manifest), ..DeliveredObject::default() }
    }

    fn order(objects: Vec<DeliveredObject>) -> DeliverySpec {
        DeliverySpec { objects, ..DeliverySpec::default() }
    }

    #[test]
    fn a_large_manifest_goes_beside_its_order_and_comes_back_as_it_was() {
        let whole = order(vec![config(LARGE + 3), DeliveredObject { name: "small".into(), ..config(30) }]);
        let (stored, blobs) = apart(&whole);
        assert_eq!((blobs.len(), &stored.objects[1]), (1, &whole.objects[1]), "a small one stays");
        let object = &stored.objects[0];
        assert_eq!((object.manifest.as_ref(), object.blob.as_ref()), (None, Some(blobs[0].reference())));
        let map = blobs[0].stored("jiuzhou-member-dali");
        assert_eq!(map["immutable"], true);
        let mut back = stored.clone();
        fill(&mut back.objects[0], read(&map, blobs[0].reference()).expect("the manifest"));
        assert_eq!(back, whole);
        assert_eq!(apart(&whole).1, blobs, "one content, one name");
        assert_eq!(apart(&order(vec![config(300)])).1, [], "nothing is large");
    }

    #[test]
    fn what_is_not_what_the_order_names_is_nothing() {
        let blob = apart(&order(vec![config(LARGE + 3)])).1.remove(0);
        let mut map = blob.stored("n");
        map["data"][KEY] = json!("{}");
        assert_eq!(read(&map, blob.reference()), None);
        assert_eq!(read(&json!({}), blob.reference()), None);
    }
}
