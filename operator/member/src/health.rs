//! How an object of a member stands: by the CEL of its KindProfile, else as kstatus judges.
//!
//! What cannot be judged is not ready, and says why: a wrong expression or an object that an old controller wrote must
//! never pass for health. A status about an older generation is news of the past.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiuzhou_api::v1alpha1::{KindProfileSpec, ObjectState};
use jiuzhou_objects::object::{Object, group_of};
use jiuzhou_objects::profile::{CountRule, Profile};
use kube::core::cel::KubeCelExt;
use kube::core::cel::cel::{Context, Program, Value as Answer};
use serde_json::Value;

/// An expression of a KindProfile that does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to compile {field} of the profile for {kind}: {why}")]
pub struct RuleError {
    /// Kind the profile is for.
    pub kind: String,
    /// `healthy` or `finished`.
    pub field: &'static str,
    /// What the compiler says.
    pub why: String,
}

struct Rule {
    healthy: Option<Program>,
    finished: Option<Program>,
}

/// Compiled expressions by group and kind.
#[derive(Clone, Default)]
pub struct Rules(BTreeMap<(String, String), Arc<Rule>>);

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What is said of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) state: ObjectState,
    pub(crate) message: Option<String>,
}

impl Judged {
    fn plain(state: ObjectState) -> Self {
        Self { state, message: None }
    }

    fn because(state: ObjectState, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { state, message: Some(message).filter(|message| !message.is_empty()) }
    }
}

impl Rules {
    /// Takes the expressions of a profile; a later one for the same kind wins.
    ///
    /// # Errors
    /// [`RuleError`] for the first expression that does not compile; the profile is then not taken.
    pub fn insert(&mut self, profile: &KindProfileSpec) -> Result<(), RuleError> {
        let compile = |field: &'static str, text: Option<&str>| {
            let error = |why: String| RuleError { kind: profile.target_kind.to_string(), field, why };
            text.map(|text| Program::compile(text).map_err(|why| error(why.to_string()))).transpose()
        };
        let rule = Rule {
            healthy: compile("healthy", profile.healthy.as_deref())?,
            finished: compile("finished", profile.finished.as_deref())?,
        };
        let key = (group_of(&profile.target_api_version).to_owned(), profile.target_kind.to_string());
        self.0.insert(key, Arc::new(rule));
        Ok(())
    }

    /// Judges an object.
    pub(crate) fn judge(&self, live: &Value) -> Judged {
        let object = Object::new(live);
        if !object.text("/metadata/deletionTimestamp").is_empty() {
            return Judged::plain(ObjectState::Removing);
        }
        let usual = kstatus(object);
        // What failed or stopped has failed, whatever an expression overlooks.
        if matches!(usual.state, ObjectState::Failed | ObjectState::Finished) {
            return usual;
        }
        let Some(rule) = self.0.get(&(object.group().to_owned(), object.kind().to_owned())) else { return usual };
        let finished = rule.finished.as_ref().map(|program| holds(program, live));
        if finished == Some(Ok(true)) {
            return Judged::plain(ObjectState::Finished);
        }
        match rule.healthy.as_ref().map(|program| holds(program, live)) {
            Some(Ok(true)) => Judged::plain(ObjectState::Ready),
            Some(Ok(false)) => {
                let why = usual.message.unwrap_or_else(|| "its KindProfile does not find it healthy".to_owned());
                Judged::because(ObjectState::Applied, why)
            }
            Some(Err(why)) => Judged::because(ObjectState::Applied, format!("its health cannot be judged: {why}")),
            None => usual,
        }
    }
}

fn holds(program: &Program, live: &Value) -> Result<bool, String> {
    let mut context = Context::default().with_all();
    context.add_variable("object", live).map_err(|error| error.to_string())?;
    match program.execute(&context) {
        Ok(Answer::Bool(answer)) => Ok(answer),
        Ok(_) => Err("the expression gives no truth value".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Replicas wanted and ready as the object says them; `None` is unknown.
pub(crate) fn counts(live: &Value, profile: &Profile) -> (Option<i32>, Option<i32>) {
    let object = Object::new(live);
    let rules: Vec<&CountRule> = profile.templates_in(object).into_iter().map(|(_, rule)| rule).collect();
    let whole = |pointer: &str| live.pointer(pointer).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
    match (object.group(), object.kind()) {
        _ if rules.is_empty() => (None, None),
        ("", "Pod") => (Some(1), Some(i32::from(condition(object, "Ready") == Some("True")))),
        ("batch", "CronJob") => (None, None),
        ("batch", "Job") => (whole("/spec/parallelism"), whole("/status/ready").or_else(|| seen(object).then_some(0))),
        ("apps", "DaemonSet") => (whole("/status/desiredNumberScheduled"), whole("/status/numberReady")),
        _ => {
            let wanted = rules.iter().find_map(|rule| match rule {
                CountRule::At(path) => path.first(live).and_then(Value::as_i64),
                CountRule::One | CountRule::PerNode | CountRule::JobSpec(_) => None,
            });
            // Kubernetes leaves a count of 0 out, so absence means 0 once the controller has spoken.
            let ready = whole("/status/readyReplicas").or_else(|| seen(object).then_some(0));
            (wanted.and_then(|n| i32::try_from(n).ok()), ready)
        }
    }
}

/// Whether the controller has looked at the object as it is now.
fn seen(object: Object<'_>) -> bool {
    let number = |pointer: &str| object.value.pointer(pointer).and_then(Value::as_i64);
    match (number("/status/observedGeneration"), number("/metadata/generation")) {
        (Some(seen), Some(now)) => seen >= now,
        (None, _) => object.value.pointer("/status/startTime").is_some(),
        (Some(_), None) => true,
    }
}

fn conditions(object: Object<'_>) -> impl Iterator<Item = &Value> {
    object.value.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten()
}

fn find<'a>(object: Object<'a>, kind: &str) -> Option<&'a Value> {
    conditions(object).find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind))
}

fn condition<'a>(object: Object<'a>, kind: &str) -> Option<&'a str> {
    find(object, kind)?.get("status")?.as_str()
}

fn says(object: Object<'_>, kind: &str) -> String {
    let text = |field: &str| find(object, kind).and_then(|c| c.get(field)).and_then(Value::as_str).unwrap_or_default();
    [text("reason"), text("message")].iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join(": ")
}

/// The rules of kstatus (cli-utils) for Kubernetes' own kinds, and its general rules for the rest.
fn kstatus(object: Object<'_>) -> Judged {
    let generation = |pointer: &str| object.value.pointer(pointer).and_then(Value::as_i64);
    let behind = match (generation("/status/observedGeneration"), generation("/metadata/generation")) {
        (Some(seen), Some(now)) => seen < now,
        _ => false,
    };
    if behind {
        return Judged::because(ObjectState::Applied, "its controller has not seen the last change");
    }
    if condition(object, "Stalled") == Some("True") {
        return Judged::because(ObjectState::Failed, says(object, "Stalled"));
    }
    if condition(object, "Reconciling") == Some("True") {
        return Judged::because(ObjectState::Applied, says(object, "Reconciling"));
    }
    let number = |pointer: &str| object.value.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
    let wanted = object.value.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
    let enough = |have: i64, want: i64, what: &str| {
        if have >= want {
            Judged::plain(ObjectState::Ready)
        } else {
            Judged::because(ObjectState::Applied, format!("{have} of {want} {what}"))
        }
    };
    match (object.group(), object.kind()) {
        ("apps", "Deployment") => {
            let progressing = find(object, "Progressing");
            let reason = progressing.and_then(|c| c.get("reason")).and_then(Value::as_str);
            if reason == Some("ProgressDeadlineExceeded") {
                return Judged::because(ObjectState::Failed, says(object, "Progressing"));
            }
            if generation("/status/observedGeneration").is_none() {
                return Judged::because(ObjectState::Applied, "its controller has not seen it yet");
            }
            if number("/status/replicas") > number("/status/updatedReplicas") {
                return Judged::because(ObjectState::Applied, "pods of the former template still run");
            }
            let have = number("/status/updatedReplicas").min(number("/status/availableReplicas"));
            enough(have.min(number("/status/readyReplicas")), wanted, "replicas ready")
        }
        ("apps", "StatefulSet" | "ReplicaSet") | ("", "ReplicationController") => {
            if generation("/status/observedGeneration").is_none() {
                return Judged::because(ObjectState::Applied, "its controller has not seen it yet");
            }
            let (now, next) = (object.text("/status/currentRevision"), object.text("/status/updateRevision"));
            let partition = number("/spec/updateStrategy/rollingUpdate/partition");
            if partition == 0
                && !next.is_empty()
                && now != next
                && object.text("/spec/updateStrategy/type") != "OnDelete"
            {
                return Judged::because(ObjectState::Applied, "pods of the former template still run");
            }
            enough(number("/status/readyReplicas"), wanted, "replicas ready")
        }
        ("apps", "DaemonSet") => {
            if generation("/status/observedGeneration").is_none() {
                return Judged::because(ObjectState::Applied, "its controller has not seen it yet");
            }
            let want = number("/status/desiredNumberScheduled");
            let have = number("/status/numberReady").min(number("/status/updatedNumberScheduled"));
            enough(have, want, "nodes ready")
        }
        ("batch", "Job") => {
            if condition(object, "Failed") == Some("True") {
                return Judged::because(ObjectState::Failed, says(object, "Failed"));
            }
            if condition(object, "Complete") == Some("True") {
                return Judged::plain(ObjectState::Finished);
            }
            // A Job that runs is as ready as it gets before it is finished.
            enough(number("/status/ready"), number("/spec/parallelism").min(1), "pods run")
        }
        ("", "Pod") => match object.text("/status/phase") {
            "Succeeded" => Judged::plain(ObjectState::Finished),
            "Failed" => Judged::because(ObjectState::Failed, object.text("/status/message")),
            "Running" if condition(object, "Ready") == Some("True") => Judged::plain(ObjectState::Ready),
            _ => Judged::because(ObjectState::Applied, says(object, "PodScheduled")),
        },
        ("", "PersistentVolumeClaim") => match object.text("/status/phase") {
            "Bound" => Judged::plain(ObjectState::Ready),
            "Lost" => Judged::because(ObjectState::Failed, "its volume is lost"),
            _ => Judged::because(ObjectState::Applied, "it is not bound yet"),
        },
        ("", "Service") if object.text("/spec/type") == "LoadBalancer" => {
            let addresses = object.value.pointer("/status/loadBalancer/ingress").and_then(Value::as_array);
            enough(i64::from(addresses.is_some_and(|list| !list.is_empty())), 1, "address given")
        }
        _ => match condition(object, "Ready") {
            None | Some("True") => Judged::plain(ObjectState::Ready),
            Some(_) => Judged::because(ObjectState::Applied, says(object, "Ready")),
        },
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_objects::profile::Profiles;
    use serde_json::json;

    use super::*;

    fn object(api: &str, kind: &str, spec: &Value, status: &Value) -> Value {
        json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x", "generation": 2}, "spec": spec, "status": status})
    }

    #[test]
    fn native_kinds_are_judged_as_kstatus_does() {
        let up = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2});
        let with = |changes: Value| {
            let mut status = up.clone();
            for (key, value) in changes.as_object().unwrap() {
                status[key] = value.clone();
            }
            status
        };
        let two = json!({"replicas": 2});
        let condition = |kind: &str, status: &str| json!({"observedGeneration": 2, "conditions": [{"type": kind, "status": status}]});
        let stuck = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]);
        use ObjectState::{Applied, Failed, Finished, Ready};
        let table = [
            ("apps/v1", "Deployment", &two, up.clone(), Ready),
            ("apps/v1", "Deployment", &two, with(json!({"observedGeneration": 1})), Applied),
            ("apps/v1", "Deployment", &two, with(json!({"readyReplicas": 1})), Applied),
            ("apps/v1", "Deployment", &two, with(json!({"updatedReplicas": 1})), Applied),
            ("apps/v1", "Deployment", &two, with(json!({"conditions": stuck})), Failed),
            ("apps/v1", "Deployment", &two, json!({}), Applied),
            ("apps/v1", "StatefulSet", &two, with(json!({"currentRevision": "a", "updateRevision": "b"})), Applied),
            ("apps/v1", "StatefulSet", &two, with(json!({"currentRevision": "b", "updateRevision": "b"})), Ready),
            (
                "apps/v1",
                "DaemonSet",
                &json!({}),
                json!({"observedGeneration": 2, "desiredNumberScheduled": 2,
                "numberReady": 1, "updatedNumberScheduled": 2}),
                Applied,
            ),
            ("batch/v1", "Job", &json!({"parallelism": 1}), json!({"ready": 1}), Ready),
            ("batch/v1", "Job", &json!({"parallelism": 1}), json!({}), Applied),
            ("batch/v1", "Job", &json!({}), condition("Complete", "True"), Finished),
            ("batch/v1", "Job", &json!({}), condition("Failed", "True"), Failed),
            ("v1", "Pod", &json!({}), json!({"phase": "Pending"}), Applied),
            ("v1", "Pod", &json!({}), json!({"phase": "Failed"}), Failed),
            ("v1", "PersistentVolumeClaim", &json!({}), json!({"phase": "Pending"}), Applied),
            ("v1", "Service", &json!({"type": "LoadBalancer"}), json!({}), Applied),
            ("v1", "ConfigMap", &json!({}), json!({}), Ready),
            ("x.io/v1", "Ring", &json!({}), condition("Ready", "False"), Applied),
            ("x.io/v1", "Ring", &json!({}), condition("Stalled", "True"), Failed),
            ("x.io/v1", "Ring", &json!({}), condition("Ready", "True"), Ready),
        ];
        for (api, kind, spec, status, want) in table {
            let value = object(api, kind, spec, &status);
            assert_eq!(Rules::default().judge(&value).state, want, "{value}");
        }
    }

    fn profile(healthy: &str, finished: &str) -> KindProfileSpec {
        KindProfileSpec {
            target_api_version: "x.io/v1".into(),
            target_kind: "Ring".into(),
            healthy: Some(healthy.into()),
            finished: Some(finished.into()),
            ..KindProfileSpec::default()
        }
    }

    #[test]
    fn the_expressions_of_a_profile_decide_and_a_wrong_one_never_passes() {
        let mut rules = Rules::default();
        rules.insert(&profile("object.status.phase == 'Up'", "object.status.phase == 'Done'")).unwrap();
        let judge = |status: Value| rules.judge(&object("x.io/v1", "Ring", &json!({}), &status));
        assert_eq!(judge(json!({"phase": "Up"})).state, ObjectState::Ready);
        assert_eq!(judge(json!({"phase": "Down"})).state, ObjectState::Applied);
        assert_eq!(judge(json!({"phase": "Done"})).state, ObjectState::Finished);
        let lost = judge(json!({}));
        assert_eq!(lost.state, ObjectState::Applied);
        assert!(lost.message.unwrap().starts_with("its health cannot be judged"));
        assert!(Rules::default().insert(&profile("object.(", "true")).is_err());
    }

    #[test]
    fn counts_are_unknown_until_the_controller_has_spoken() {
        let profiles = Profiles::default();
        let of = |api: &str, kind: &str, spec: Value, status: Value| {
            let value = object(api, kind, &spec, &status);
            counts(&value, profiles.of(Object::new(&value)).unwrap())
        };
        let two = json!({"replicas": 2, "template": {}});
        assert_eq!(of("apps/v1", "Deployment", two.clone(), json!({})), (Some(2), None));
        assert_eq!(of("apps/v1", "Deployment", two.clone(), json!({"observedGeneration": 2})), (Some(2), Some(0)));
        assert_eq!(of("apps/v1", "Deployment", two, json!({"observedGeneration": 1})), (Some(2), None));
        let daemon = json!({"observedGeneration": 2, "desiredNumberScheduled": 3, "numberReady": 1});
        assert_eq!(of("apps/v1", "DaemonSet", json!({"template": {}}), daemon), (Some(3), Some(1)));
    }
}
