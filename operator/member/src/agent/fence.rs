//! What a workload that declared `SelfFence` runs while its cluster is cut off from the hub: nothing. Pure.
//!
//! The order stays as it is; only what it runs is taken to zero, so that the hub may start it elsewhere after the lease,
//! the drift bound and the grace period. When the hub is back, the order as it stands restores it. Nothing is deleted.

use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryState, Fence};
use serde_json::{Value, json};

/// The order as it holds while cut off; `None` for a workload that goes on.
pub(super) fn fenced(spec: &DeliverySpec) -> Option<DeliverySpec> {
    if spec.fence != Fence::SelfFence || spec.state != DeliveryState::Present {
        return None;
    }
    let mut fenced = spec.clone();
    fenced.replicas = fenced.replicas.map(|_| 0);
    for object in &mut fenced.objects {
        if let Some(manifest) = object.manifest.as_mut() {
            stop(manifest);
        }
    }
    Some(fenced)
}

/// Takes an object to nothing that runs: replicas to zero, jobs suspended, a DaemonSet onto no node.
fn stop(manifest: &mut Value) {
    let kind = manifest.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(spec) = manifest.get_mut("spec").and_then(Value::as_object_mut) else { return };
    match kind.as_str() {
        "Job" | "CronJob" => drop(spec.insert("suspend".to_owned(), json!(true))),
        "DaemonSet" => {
            let pod = spec.get_mut("template").and_then(|template| template.get_mut("spec"));
            if let Some(pod) = pod.and_then(Value::as_object_mut) {
                pod.insert("nodeSelector".to_owned(), json!({ "jiuzhou.dev/fenced": "true" }));
            }
        }
        _ if spec.contains_key("replicas") => drop(spec.insert("replicas".to_owned(), json!(0))),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopped(mut manifest: Value) -> Value {
        stop(&mut manifest);
        manifest
    }

    #[test]
    fn what_runs_is_taken_to_nothing_and_what_does_not_stays() {
        let deployment = stopped(json!({ "kind": "Deployment", "spec": { "replicas": 3, "template": {} } }));
        assert_eq!(deployment["spec"]["replicas"], 0);
        assert_eq!(stopped(json!({ "kind": "Job", "spec": {} }))["spec"]["suspend"], true);
        let daemons = stopped(json!({ "kind": "DaemonSet", "spec": { "template": { "spec": {} } } }));
        assert!(daemons["spec"]["template"]["spec"]["nodeSelector"].is_object());
        let service = json!({ "kind": "Service", "spec": { "ports": [] } });
        assert_eq!(stopped(service.clone()), service);
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
