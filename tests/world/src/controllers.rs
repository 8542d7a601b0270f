//! Simulated controllers: workloads get pods and become ready after some ticks, pods end after their grace.
//!
//! They are off until a test asks for them. They are no model of Kubernetes' controllers: they bring about the states
//! that the operator waits for (observedGeneration, ready replicas, pods that exist, pods that are gone).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::meta;
use crate::store::{Key, Object};
use crate::world::Inner;

/// What the simulated controllers do.
#[derive(Clone, Debug, Default)]
pub struct Controllers {
    /// Deployments, StatefulSets, DaemonSets and Jobs become ready this many ticks after a change; never when `None`.
    pub ready_after: Option<u32>,
    /// Whether workloads get pods.
    pub pods: bool,
    /// Whether pods that are being deleted end when their grace has passed.
    pub end_pods: bool,
    /// Workloads (`namespace/name`) that never become ready.
    pub never_ready: Vec<String>,
    /// Ticks since the generation of a workload was first seen.
    waited: BTreeMap<Key, (i64, u32)>,
}

impl Controllers {
    /// Everything on, ready after some ticks.
    #[must_use]
    pub fn all(ready_after: u32) -> Self {
        Self { ready_after: Some(ready_after), pods: true, end_pods: true, ..Self::default() }
    }
}

/// Workloads with pods.
const WORKLOADS: &[&str] = &["deployments.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch"];

impl Inner {
    pub(crate) fn run_controllers(&mut self) {
        if self.controllers.end_pods {
            self.end_pods();
        }
        for resource in WORKLOADS {
            for (key, object) in self.store.list(resource, None) {
                if meta::is_terminating(&object) {
                    continue;
                }
                let waited = self.wait_for(&key, &object);
                if self.controllers.pods {
                    self.give_pods(resource, &key, &object, self.is_ready(&key, waited));
                }
                self.report(resource, &key, &object, waited);
            }
        }
    }

    /// Ticks a workload has stood at its generation.
    fn wait_for(&mut self, key: &Key, object: &Value) -> u32 {
        let generation = meta::generation(object);
        let entry = self.controllers.waited.entry(key.clone()).or_insert((generation, 0));
        if entry.0 == generation {
            entry.1 += 1;
        } else {
            *entry = (generation, 1);
        }
        entry.1
    }

    fn is_ready(&self, key: &Key, waited: u32) -> bool {
        self.controllers.ready_after.is_some_and(|after| waited >= after)
            && !self.controllers.never_ready.contains(&key.path)
    }

    /// Brings the pods of a workload to the number it wants.
    fn give_pods(&mut self, resource: &str, key: &Key, object: &Object, ready: bool) {
        let wanted = usize::try_from(wanted(resource, object)).unwrap_or_default();
        let uid = meta::text(object, "uid").to_owned();
        let owned: Vec<(Key, Object)> = self
            .store
            .list("pods", Some(key.namespace()))
            .into_iter()
            .filter(|(_, pod)| pod.pointer("/metadata/ownerReferences/0/uid").and_then(Value::as_str) == Some(&uid))
            .collect();
        let living: Vec<&(Key, Object)> = owned.iter().filter(|(_, pod)| !meta::is_terminating(pod)).collect();
        for (pod, _) in living.iter().skip(wanted) {
            self.delete_in_background(pod, |options| options);
        }
        for _ in living.len()..wanted {
            self.new_pod(resource, key, object);
        }
        let phase = if resource == "jobs.batch" && ready { "Succeeded" } else { "Running" };
        for (pod, object) in living.into_iter().take(wanted) {
            if ready && object.pointer("/status/phase").and_then(Value::as_str) != Some(phase) {
                let mut running = (**object).clone();
                running["status"]["phase"] = json!(phase);
                running["status"]["conditions"] = json!([{"type": "Ready", "status": "True"}]);
                self.store.put(pod, running);
            }
        }
    }

    fn new_pod(&mut self, resource: &str, key: &Key, owner: &Object) {
        let template = owner.pointer("/spec/template").cloned().unwrap_or_default();
        let api_version = if resource == "jobs.batch" { "batch/v1" } else { "apps/v1" };
        let kind = self.kinds.by_resource(resource).map(|kind| kind.kind.clone()).unwrap_or_default();
        let name = format!("{}-{}", key.name(), self.new_suffix());
        let mut metadata = json!({"name": name, "namespace": key.namespace(), "uid": self.new_uid(), "generation": 1,
            "creationTimestamp": self.clock.printed(),
            "ownerReferences": [{"apiVersion": api_version, "kind": kind, "name": key.name(),
                "uid": meta::text(owner, "uid"), "controller": true, "blockOwnerDeletion": true}]});
        for field in ["labels", "annotations"] {
            if let Some(value) = template.pointer(&format!("/metadata/{field}")) {
                metadata[field] = value.clone();
            }
        }
        let mut spec = template.get("spec").cloned().unwrap_or_default();
        // A simulated node: pods have a grace only when they run somewhere.
        spec["nodeName"] = json!("simulated");
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec,
            "status": {"phase": "Pending", "qosClass": "BestEffort"}});
        self.store.put(&Key::new("pods", key.namespace(), &name), pod);
    }

    /// Writes the status of a workload that has been seen.
    fn report(&mut self, resource: &str, key: &Key, object: &Object, waited: u32) {
        if self.controllers.ready_after.is_none() {
            return;
        }
        let wanted = wanted(resource, object);
        let ready = if self.is_ready(key, waited) { wanted } else { 0 };
        let generation = meta::generation(object);
        let flag = |on: bool| if on { "True" } else { "False" };
        let mut changed = (**object).clone();
        let status = &mut changed["status"];
        match resource {
            "jobs.batch" => {
                if ready > 0 && status.get("completionTime").is_none() {
                    let now = self.clock.printed();
                    status["succeeded"] = json!(ready);
                    status["startTime"] = json!(now);
                    status["completionTime"] = json!(now);
                    status["conditions"] = json!([{"type": "Complete", "status": "True"}]);
                } else if ready == 0 && status.get("completionTime").is_none() {
                    status["active"] = json!(wanted);
                }
            }
            "daemonsets.apps" => {
                for (field, value) in [
                    ("desiredNumberScheduled", wanted),
                    ("currentNumberScheduled", wanted),
                    ("updatedNumberScheduled", wanted),
                    ("numberReady", ready),
                    ("numberAvailable", ready),
                    ("observedGeneration", generation),
                ] {
                    status[field] = json!(value);
                }
            }
            _ => {
                for (field, value) in [
                    ("observedGeneration", generation),
                    ("replicas", wanted),
                    ("updatedReplicas", wanted),
                    ("readyReplicas", ready),
                    ("availableReplicas", ready),
                ] {
                    status[field] = json!(value);
                }
                if resource == "deployments.apps" {
                    let available = ready >= wanted;
                    status["conditions"] = json!([
                        {"type": "Available", "status": flag(available), "reason": if available {
                            "MinimumReplicasAvailable" } else { "MinimumReplicasUnavailable" }},
                        {"type": "Progressing", "status": "True", "reason": if available {
                            "NewReplicaSetAvailable" } else { "ReplicaSetUpdated" }}]);
                }
            }
        }
        if changed != **object {
            self.store.put(key, changed);
        }
    }

    /// Pods whose grace has passed are gone.
    fn end_pods(&mut self) {
        let now = self.clock.now();
        for (key, pod) in self.store.list("pods", None) {
            let end = meta::text(&pod, "deletionTimestamp").parse::<jiff::Timestamp>();
            if end.is_ok_and(|end| end <= now) && meta::finalizers(&pod).is_empty() {
                self.store.delete(&key);
            }
        }
    }
}

/// Pods a workload wants. A DaemonSet wants one per node that is ready to take it; the world counts all nodes.
fn wanted(resource: &str, object: &Value) -> i64 {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    match resource {
        "jobs.batch" if object.pointer("/spec/suspend") == Some(&json!(true)) => 0,
        "jobs.batch" => number("/spec/parallelism").unwrap_or(1),
        "daemonsets.apps" => 1,
        _ => number("/spec/replicas").unwrap_or(1),
    }
}
