//! Every built-in document is a valid resource of our own kinds, with nothing in it the contract does not know.

use std::collections::BTreeSet;

use jiuzhou_api::v1alpha1::{KindProfile, SovereigntyTier};
use jiuzhou_data::{KIND_PROFILES, TIERS, Table};
use kube::core::cel::{
    cel::{Context, Program, Value as CelValue, to_value},
    validate_cel,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// The documents of a text, as the API type; panics where the type does not know a field.
fn read<T: DeserializeOwned + Serialize>(table: &Table) -> Vec<T> {
    let written: Vec<Value> = serde_saphyr::from_multiple(table.text).expect(table.name);
    let typed: Vec<T> = serde_saphyr::from_multiple(table.text).expect(table.name);
    for (written, typed) in written.iter().zip(&typed) {
        contains(&serde_json::to_value(typed).expect("a resource is JSON"), written, table.name);
    }
    typed
}

/// Whether everything written came through the type unchanged (defaults may be added or left out).
fn contains(typed: &Value, written: &Value, place: &str) {
    match (typed, written) {
        (Value::Object(typed), Value::Object(written)) => {
            for (key, value) in written {
                let place = format!("{place}/{key}");
                contains(typed.get(key).unwrap_or_else(|| panic!("{place} is not a field")), value, &place);
            }
        }
        (Value::Array(typed), Value::Array(written)) => {
            assert_eq!(typed.len(), written.len(), "{place}");
            typed.iter().zip(written).for_each(|(typed, written)| contains(typed, written, place));
        }
        _ => assert_eq!(typed, written, "{place}"),
    }
}

fn profiles() -> Vec<KindProfile> {
    KIND_PROFILES.iter().flat_map(read::<KindProfile>).collect()
}

fn profile(kind: &str) -> KindProfile {
    profiles().into_iter().find(|profile| profile.spec.target_kind == *kind).expect(kind)
}

/// What a rule says of an object; an error of evaluation is a failure.
fn says(rule: &str, object: &Value) -> bool {
    let program = Program::compile(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
    let mut context = Context::default();
    context.add_variable_from_value("object", to_value(object).expect("JSON is a CEL value"));
    match program.execute(&context) {
        Ok(CelValue::Bool(answer)) => answer,
        other => panic!("{rule}: {other:?}"),
    }
}

#[test]
fn the_tiers_climb_from_zero_to_four_and_keep_the_rules_of_the_schema() {
    let tiers: Vec<SovereigntyTier> = TIERS.iter().flat_map(read::<SovereigntyTier>).collect();
    let mut names = BTreeSet::new();
    for (rank, tier) in (0..).zip(&tiers) {
        assert_eq!(tier.spec.rank, rank);
        assert_eq!(tier.metadata.name.as_deref(), Some(format!("s{rank}").as_str()));
        assert_eq!(tier.spec.strict, rank > 0, "from S1 on, unknown refuses");
        assert_eq!(tier.spec.checks.is_empty(), rank == 0);
        validate_cel(tier).expect("the tier keeps the schema's rules");
        for check in &tier.spec.checks {
            assert!(names.insert(check.name.to_string()), "{} is in two tiers", check.name);
            assert!(check.message.is_some(), "{}", check.name);
        }
    }
    assert!(tiers.windows(2).all(|pair| pair[0].spec.stage <= pair[1].spec.stage), "stages never fall");
    let classes: Vec<_> = tiers.iter().flat_map(|tier| &tier.spec.data_classes).collect();
    assert_eq!(classes.len(), 3, "each data class names one tier");
}

#[test]
fn every_kind_that_a_plan_must_understand_has_one_profile() {
    let profiles = profiles();
    let kinds: BTreeSet<_> =
        profiles.iter().map(|p| format!("{}/{}", p.spec.target_api_version, p.spec.target_kind)).collect();
    assert_eq!(kinds.len(), profiles.len(), "no kind twice");
    let names: BTreeSet<_> = profiles.iter().map(|p| p.metadata.name.clone()).collect();
    assert_eq!(names.len(), profiles.len());
    for kind in [
        "apps/v1/Deployment",
        "apps/v1/StatefulSet",
        "apps/v1/DaemonSet",
        "apps/v1/ReplicaSet",
        "batch/v1/Job",
        "batch/v1/CronJob",
        "v1/Pod",
        "v1/Service",
        "networking.k8s.io/v1/Ingress",
        "v1/ConfigMap",
        "v1/Secret",
        "v1/PersistentVolumeClaim",
        "v1/ServiceAccount",
        "autoscaling/v2/HorizontalPodAutoscaler",
        "policy/v1/PodDisruptionBudget",
        "networking.k8s.io/v1/NetworkPolicy",
        "rbac.authorization.k8s.io/v1/Role",
        "rbac.authorization.k8s.io/v1/RoleBinding",
        "gateway.networking.k8s.io/v1/HTTPRoute",
        "argoproj.io/v1alpha1/Rollout",
        "apps.kruise.io/v1alpha1/CloneSet",
    ] {
        assert!(kinds.contains(kind), "{kind}");
    }
}

#[test]
fn every_path_is_a_pointer_and_every_profile_keeps_the_rules_of_the_schema() {
    for profile in profiles() {
        validate_cel(&profile).expect("the profile keeps the schema's rules");
        let spec = &profile.spec;
        let templates = spec.pod_templates.iter().flat_map(|t| t.replicas.iter().chain([&t.path]));
        let paths = templates
            .chain(&spec.replicas)
            .chain(&spec.claim_templates)
            .chain(&spec.immutable_fields)
            .chain(spec.dependencies.iter().map(|dependency| &dependency.path));
        for path in paths {
            let good = path.starts_with('/') && path.split('/').skip(1).all(|part| !part.is_empty());
            assert!(good, "{}: {path:?}", spec.target_kind);
        }
        assert!(!spec.divisible || spec.replicas.is_some(), "{}: nothing to divide", spec.target_kind);
    }
}

#[test]
fn health_is_answered_for_an_object_nobody_reported_on_yet() {
    let new = json!({"metadata": {"generation": 1}, "spec": {"replicas": 1}});
    for profile in profiles() {
        let kind = &profile.spec.target_kind;
        if let Some(rule) = &profile.spec.healthy {
            let harmless = ["Job", "Service"].contains(&kind.as_ref());
            assert_eq!(says(rule, &new), harmless, "{kind}");
        }
        if let Some(rule) = &profile.spec.finished {
            assert!(!says(rule, &new), "{kind}");
        }
    }
}

#[test]
fn a_deployment_is_healthy_when_the_present_generation_is_available() {
    let rule = profile("Deployment").spec.healthy.expect("a rule");
    let object = |observed: i64, updated: i64, available: i64| {
        json!({"metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": {
            "observedGeneration": observed, "updatedReplicas": updated, "availableReplicas": available}})
    };
    assert!(says(&rule, &object(2, 3, 3)));
    for stale in [object(1, 3, 3), object(2, 2, 3), object(2, 3, 2)] {
        assert!(!says(&rule, &stale), "{stale}");
    }
}

#[test]
fn a_job_is_finished_when_complete_or_failed_and_then_only_healthy_if_it_did_not_fail() {
    let spec = profile("Job").spec;
    let (healthy, finished) = (spec.healthy.expect("a rule"), spec.finished.expect("a rule"));
    let job = |condition: &str| json!({"status": {"conditions": [{"type": condition, "status": "True"}]}});
    let answers = |condition| (says(&finished, &job(condition)), says(&healthy, &job(condition)));
    assert_eq!(answers("Complete"), (true, true));
    assert_eq!(answers("Failed"), (true, false));
    assert_eq!(answers("Suspended"), (false, true));
}
