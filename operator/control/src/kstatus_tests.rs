//! What tools that know nothing of us make of our objects: kstatus (Flux, Helm 4, kpt) and the health of Argo CD.
//!
//! Every reason a controller may give goes through the code that writes conditions and then through both readers, for
//! every kind. kstatus is written down here as it is published (kubernetes-sigs/cli-utils, pkg/kstatus/status:
//! `checkGenericProperties`, then `checkReadyCondition` for kinds it has no rules for); Argo CD's script is the one that
//! is shipped (charts/argocd/argocd-cm.yaml), run by the reference interpreter of the Lua version that Argo CD speaks.

use jiff::Timestamp;
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::meta;
use jiuzhou_intake::documents::read_bytes;
use jiuzhou_intake::yaml::Limits;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use mlua::{Lua, LuaSerdeExt as _, StdLib};
use serde_json::{Value, json};

use crate::workload::conditions::{Standing, dated, of_standing};

/// The kinds that the operator or an agent writes a status of.
const ACTED_ON: [&str; 5] = ["Delivery", "FleetPlacement", "FleetWorkload", "InformationSystem", "MemberCluster"];

/// What kstatus says of an object of a kind it has no rules for.
fn kstatus(object: &Value) -> &'static str {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if !text("/metadata/deletionTimestamp").is_empty() {
        return "Terminating";
    }
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    if let (Some(now), Some(seen)) = (number("/metadata/generation"), number("/status/observedGeneration"))
        && now != seen
    {
        return "InProgress";
    }
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let conditions = || conditions.into_iter().flatten().map(|one| (one["type"].as_str(), one["status"].as_str()));
    for condition in conditions() {
        match condition {
            (Some("Reconciling"), Some("True")) => return "InProgress",
            (Some("Stalled"), Some("True")) => return "Failed",
            _ => {}
        }
    }
    match conditions().find(|(kind, _)| *kind == Some("Ready")) {
        Some((_, Some("True"))) | None => "Current",
        Some(_) => "InProgress",
    }
}

/// The script of `argocd-cm`, as Argo CD runs it: the object is `obj`, no library but the base one is there.
struct Argo {
    lua: Lua,
    script: String,
}

impl Argo {
    fn new() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/argocd/argocd-cm.yaml");
        let text = std::fs::read(path).expect("the ConfigMap");
        // Argo CD reads the value of the key as YAML again, which knows neither of its levels as an object of Kubernetes.
        let script = |text: &str, from: &str| {
            let (_, body) = text.split_once(from).expect("the script begins");
            let indent =
                body.lines().find(|line| !line.trim().is_empty()).map_or(0, |l| l.len() - l.trim_start().len());
            body.lines().map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
        };
        let text = String::from_utf8(text).expect("text");
        assert!(text.contains("\n    jiuzhou.dev/*:\n"), "one script serves every kind of the group");
        let script = script(&text, "health.lua: |\n");
        let lua = Lua::new_with(StdLib::NONE, mlua::LuaOptions::default()).expect("an interpreter");
        Self { lua, script }
    }

    fn health(&self, object: &Value) -> (String, String) {
        let value = self.lua.to_value(object).expect("a value");
        self.lua.globals().set("obj", value).expect("a global");
        let answer: mlua::Table = self.lua.load(&self.script).eval().expect("the script runs");
        (answer.get("status").expect("a status"), answer.get("message").expect("a message"))
    }
}

fn object(kind: &str, generation: i64, status: Option<Value>) -> Value {
    let mut object =
        json!({ "apiVersion": meta::API_VERSION, "kind": kind, "metadata": { "name": "x", "generation": generation } });
    if let Some(status) = status {
        object["status"] = status;
    }
    object
}

fn written(standing: &Standing) -> Vec<Condition> {
    dated(of_standing(standing, 3), &[], Timestamp::UNIX_EPOCH)
}

#[test]
fn every_reason_is_read_as_it_is_meant_on_every_kind() {
    let argo = Argo::new();
    for kind in ACTED_ON {
        for reason in ControllerReason::ALL {
            let word = reason.as_str();
            let ready = *reason == ControllerReason::AsWanted;
            for progressing in [false, true] {
                let standing = Standing::new(ready, word, "kunpeng: web 1 of 3 replicas ready", 1, 3);
                let standing = if progressing && !ready { standing.progressing() } else { standing };
                let status = json!({ "observedGeneration": 3, "conditions": written(&standing) });
                let object = object(kind, 3, Some(status));
                let (health, message) = argo.health(&object);
                let expected = match reason {
                    ControllerReason::AsWanted => ("Current", "Healthy"),
                    ControllerReason::NotObserved => ("InProgress", "Progressing"),
                    ControllerReason::MemberUnreachable
                    | ControllerReason::FailoverWaiting
                    | ControllerReason::StormBrake => ("InProgress", "Unknown"),
                    // A person is needed, though nobody knows whether it runs.
                    ControllerReason::FenceUnavailable
                    | ControllerReason::FailoverManual
                    | ControllerReason::DataNotReplicated
                        if progressing =>
                    {
                        ("InProgress", "Unknown")
                    }
                    _ if progressing => ("InProgress", "Progressing"),
                    ControllerReason::WaitingForApproval | ControllerReason::Stopped => ("Failed", "Suspended"),
                    _ => ("Failed", "Degraded"),
                };
                assert_eq!((kstatus(&object), health.as_str()), expected, "{kind} {word} {progressing}");
                assert!(!message.is_empty(), "{kind} {word} says why");
            }
        }
    }
}

#[test]
fn what_was_not_looked_at_is_never_taken_for_finished() {
    let argo = Argo::new();
    let well = json!({ "observedGeneration": 3, "conditions": written(&Standing::new(true, "AsWanted", "", 3, 3)) });
    for kind in ACTED_ON {
        // As an API server makes an object whose definition has this default.
        let fresh = object(kind, 1, Some(default_status(kind).expect("a default")));
        assert_eq!((kstatus(&fresh), argo.health(&fresh).0.as_str()), ("InProgress", "Progressing"), "{kind} is new");
        let changed = object(kind, 4, Some(well.clone()));
        assert_eq!((kstatus(&changed), argo.health(&changed).0.as_str()), ("InProgress", "Progressing"), "{kind}");
        let mut going = object(kind, 3, Some(well.clone()));
        going["metadata"]["deletionTimestamp"] = "2026-11-23T00:00:00Z".into();
        assert_eq!((kstatus(&going), argo.health(&going).0.as_str()), ("Terminating", "Progressing"), "{kind} goes");
        assert_eq!(argo.health(&object(kind, 1, None)).0, "Progressing", "{kind} of an older definition");
    }
}

#[test]
fn kinds_that_only_declare_are_well_when_they_are_there() {
    let argo = Argo::new();
    let kinds: Vec<String> = jiuzhou_api::kinds().iter().map(|kind| kind.kind.clone()).collect();
    assert!(ACTED_ON.iter().all(|kind| kinds.iter().any(|one| one == kind)));
    for kind in kinds.iter().filter(|kind| !ACTED_ON.contains(&kind.as_str())) {
        assert_eq!(default_status(kind), None, "nobody writes a status of {kind}: it would wait for ever");
        let object = object(kind, 1, None);
        assert_eq!((kstatus(&object), argo.health(&object).0.as_str()), ("Current", "Healthy"), "{kind}");
    }
}

/// The status that an API server gives a new object of a kind.
fn default_status(kind: &str) -> Option<Value> {
    let all = jiuzhou_api::all_crds();
    let crd = all.iter().find(|crd| crd.spec.names.kind == kind).expect("a definition");
    let crd = serde_json::to_value(crd).expect("JSON");
    crd.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/status/default").cloned()
}

#[test]
fn the_shipped_config_map_is_a_patch_of_data_alone() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../charts/argocd/argocd-cm.yaml");
    let text =
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\n{}", std::fs::read_to_string(path).unwrap());
    let (read, findings) = read_bytes("argocd-cm.yaml", text.as_bytes(), &Limits::default());
    assert!(findings.iter().all(|finding| finding.severity != jiuzhou_engine::terms::Severity::Error), "{findings:?}");
    let data = &read[0].value["data"];
    assert_eq!(data.as_object().unwrap().keys().collect::<Vec<_>>(), ["resource.customizations"]);
}
