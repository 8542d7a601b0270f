//! Claims of storage on a hub whose API server protects them and where nobody lets them go.
//!
//! The admission plugin StorageObjectInUseProtection puts a finalizer on every claim; only one controller takes it off. A
//! dedicated hub that does not run it never gets rid of a claim, nor of its namespace.

use jiff::{SignedDuration, Timestamp};
use jiuzhou_objects::object::Object;
use serde_json::Value;

/// The finalizer of the plugin.
const PROTECTION: &str = "kubernetes.io/pvc-protection";
/// The controller takes it off within moments where no pod uses the claim, and none runs on a dedicated hub.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);
/// What to do about it, for the log.
pub(crate) const ADVICE: &str = "nobody lets go of claims that are deleted on this hub: let its kube-controller-manager run \
    persistentvolumeclaim-protection-controller, or start its kube-apiserver without StorageObjectInUseProtection";

/// Whether an object is a claim that has been on its way out for so long that nobody lets it go.
pub(crate) fn is_stuck(object: &Value, now: Timestamp) -> bool {
    let view = Object::new(object);
    let deleted = view.text("/metadata/deletionTimestamp").parse::<Timestamp>();
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    let protected = finalizers.into_iter().flatten().any(|one| one.as_str() == Some(PROTECTION));
    view.kind() == "PersistentVolumeClaim"
        && protected
        && deleted.is_ok_and(|deleted| now.duration_since(deleted) > PATIENCE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_stuck_when_a_minute_after_its_deletion_its_finalizer_is_still_there() {
        let now: Timestamp = "2026-11-26T08:02:00Z".parse().unwrap();
        let claim = |deleted: Option<&str>, finalizers: &[&str]| {
            let metadata = json!({ "name": "data", "deletionTimestamp": deleted, "finalizers": finalizers });
            json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata })
        };
        assert!(is_stuck(&claim(Some("2026-11-26T08:00:00Z"), &[PROTECTION]), now));
        assert!(!is_stuck(&claim(Some("2026-11-26T08:01:30Z"), &[PROTECTION]), now), "it may be on its way");
        assert!(!is_stuck(&claim(None, &[PROTECTION]), now));
        assert!(!is_stuck(&claim(Some("2026-11-26T08:00:00Z"), &["example.com/other"]), now), "somebody else's");
    }
}
