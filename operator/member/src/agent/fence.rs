//! What a workload that declared `SelfFence` runs while its cluster is cut off from the hub: nothing. Pure.
//!
//! The order stays as it is; only what it runs is taken to zero, so that the hub may start it elsewhere after the lease,
//! the drift bound and the grace period. When the hub is back, the order as it stands restores it. Nothing is deleted.

use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryState, Fence};
use jiuzhou_objects::halt::halt;

/// Label that no node carries.
const FENCED: &str = "jiuzhou.dev/fenced";

/// The order as it holds while cut off; `None` for a workload that goes on.
pub(super) fn fenced(spec: &DeliverySpec) -> Option<DeliverySpec> {
    if spec.fence != Fence::SelfFence || spec.state != DeliveryState::Present {
        return None;
    }
    let mut fenced = spec.clone();
    fenced.replicas = fenced.replicas.map(|_| 0);
    for object in &mut fenced.objects {
        if let Some(manifest) = object.manifest.as_mut() {
            halt(manifest, None, FENCED);
        }
    }
    Some(fenced)
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::v1alpha1::DeliveredObject;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_runs_is_taken_to_nothing() {
        let manifest = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": { "replicas": 3 } });
        let object = DeliveredObject { manifest: Some(manifest), ..DeliveredObject::default() };
        let order = DeliverySpec { fence: Fence::SelfFence, objects: vec![object], ..DeliverySpec::default() };
        let fenced = fenced(&order).expect("it is fenced");
        assert_eq!(fenced.objects[0].manifest.as_ref().expect("a manifest")["spec"]["replicas"], 0);
    }

    #[test]
    fn only_who_declared_it_is_stopped() {
        let order = |fence| DeliverySpec { fence, replicas: Some(3), ..DeliverySpec::default() };
        assert_eq!(fenced(&order(Fence::None)), None);
        assert_eq!(fenced(&order(Fence::SelfFence)).map(|order| order.replicas), Some(Some(0)));
        let removing = DeliverySpec { state: DeliveryState::Removing, ..order(Fence::SelfFence) };
        assert_eq!(fenced(&removing), None);
    }
}
