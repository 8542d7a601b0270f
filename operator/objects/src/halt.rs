//! An object taken to nothing that runs, and nothing else of it changed: replicas to zero, jobs suspended, a DaemonSet
//! onto no node.
//!
//! A stop order and a fence both use it. Nothing is deleted, so that the object as it was ordered restores what ran. What
//! cannot be stopped this way (a bare Pod, a kind whose profile has no number) is said and never guessed at.

use serde_json::{Value, json};

use crate::object::Object;
use crate::path::write;
use crate::profile::{CountRule, Profile};

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halted {
    /// It runs no pods of its own.
    Idle,
    /// It runs none any more.
    Stopped,
    /// It has pods, and no field that ends them without deleting it.
    Runs,
}

/// Takes an object to nothing that runs. `label` is a key that no node carries, for kinds that run on every node.
pub fn halt(manifest: &mut Value, profile: Option<&Profile>, label: &str) -> Halted {
    let object = Object::new(manifest);
    let rules: Vec<(String, CountRule)> = profile
        .map(|profile| profile.templates_in(object))
        .unwrap_or_default()
        .into_iter()
        .map(|(template, rule)| (template, rule.clone()))
        .collect();
    match (object.group(), object.kind()) {
        ("batch", "Job" | "CronJob") => stopped(write(manifest, "/spec/suspend", true.into())),
        ("apps", "DaemonSet") => {
            let pod = manifest.pointer_mut("/spec/template/spec").and_then(Value::as_object_mut);
            stopped(pod.map(|pod| pod.insert("nodeSelector".to_owned(), json!({ label: "true" }))).is_some())
        }
        // A kind without a profile that has a number of replicas understands none of them, as far as anybody knows.
        _ if profile.is_none() => match manifest.pointer_mut("/spec/replicas") {
            Some(replicas) => {
                *replicas = json!(0);
                Halted::Stopped
            }
            None => Halted::Idle,
        },
        _ if rules.is_empty() => Halted::Idle,
        _ => {
            let zero = |(template, rule): &(String, CountRule)| match rule {
                CountRule::At(path) => {
                    let pointer = path.beside(template).unwrap_or_else(|| path.to_string());
                    write(manifest, &pointer, 0.into())
                }
                CountRule::One | CountRule::JobSpec(_) | CountRule::PerNode => false,
            };
            // Each of them is taken to zero, also where another cannot be.
            stopped(rules.iter().map(zero).fold(true, |all, one| all & one))
        }
    }
}

fn stopped(all: bool) -> Halted {
    if all { Halted::Stopped } else { Halted::Runs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    fn halted(mut manifest: Value) -> (Halted, Value) {
        let profiles = Profiles::default();
        let profile = profiles.of(Object::new(&manifest)).cloned();
        let what = halt(&mut manifest, profile.as_ref(), "jiuzhou.dev/stopped");
        (what, manifest)
    }

    fn of(api: &str, kind: &str, spec: &Value) -> Value {
        json!({ "apiVersion": api, "kind": kind, "metadata": { "name": "x" }, "spec": spec })
    }

    #[test]
    fn what_runs_is_taken_to_nothing_and_nothing_else_of_it_changes() {
        let template = json!({ "metadata": { "labels": { "app": "x" } }, "spec": { "containers": [{ "name": "c" }] } });
        let deployment = of("apps/v1", "Deployment", &json!({ "replicas": 3, "template": template }));
        let (what, after) = halted(deployment.clone());
        assert_eq!((what, &after["spec"]["replicas"]), (Halted::Stopped, &json!(0)));
        assert_eq!(after["spec"]["template"], deployment["spec"]["template"]);
        let unsaid = halted(of("apps/v1", "StatefulSet", &json!({ "template": template }))).1;
        assert_eq!(unsaid["spec"]["replicas"], 0, "Kubernetes would take one");
        let (what, job) = halted(of("batch/v1", "Job", &json!({ "template": template })));
        assert_eq!((what, &job["spec"]["suspend"]), (Halted::Stopped, &json!(true)));
        let (what, daemons) = halted(of("apps/v1", "DaemonSet", &json!({ "template": template })));
        assert_eq!(what, Halted::Stopped);
        assert_eq!(daemons["spec"]["template"]["spec"]["nodeSelector"], json!({ "jiuzhou.dev/stopped": "true" }));
    }

    #[test]
    fn what_cannot_be_stopped_is_said_and_what_runs_nothing_stays() {
        let pod =
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "x" }, "spec": { "containers": [] } });
        assert_eq!(halted(pod.clone()), (Halted::Runs, pod));
        let service = of("v1", "Service", &json!({ "ports": [] }));
        assert_eq!(halted(service.clone()), (Halted::Idle, service));
        let claim = of("v1", "PersistentVolumeClaim", &json!({ "accessModes": ["ReadWriteOnce"] }));
        assert_eq!(halted(claim.clone()), (Halted::Idle, claim));
        let scaler = of("autoscaling/v2", "HorizontalPodAutoscaler", &json!({ "minReplicas": 2, "maxReplicas": 4 }));
        assert_eq!(halted(scaler.clone()), (Halted::Idle, scaler));
    }
}
