use jiuzhou_api::v1alpha1::{
    Component, EnvOverride, FleetWorkloadSpec, ImageOverride, PatchOp, PatchOperation, Requirements,
};
use jiuzhou_engine::detect::affinity::{Expression, Operator};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::strategies::any_json;

/// What a test says about the place; everything else is as usual.
#[derive(Clone, Default)]
struct Here {
    parts: Vec<(&'static str, i64)>,
    duplicated: bool,
    zones: Vec<&'static str>,
    platforms: Vec<&'static str>,
    registries: Vec<RegistryRewrite>,
    overrides: Vec<Override>,
    affinity: Option<Vec<Term>>,
    affinities: BTreeMap<String, Vec<Term>>,
    watched: Vec<StateRule>,
    carried: Vec<CarriedValue>,
}

fn dali(replicas: i64) -> Here {
    Here { parts: vec![("dali", replicas)], ..Here::default() }
}

fn workload(objects: &[(&str, Value)]) -> FleetWorkload {
    let entry = |(name, manifest): &(&str, Value)| WorkloadObject {
        name: (*name).into(),
        manifest: manifest.clone(),
        ..WorkloadObject::default()
    };
    let objects = objects.iter().map(entry).collect();
    let spec = FleetWorkloadSpec { system: "portal".into(), objects, ..FleetWorkloadSpec::default() };
    let mut workload = FleetWorkload::new("web", spec);
    workload.metadata.namespace = Some("bureau".into());
    workload
}

fn run(workload: &FleetWorkload, here: &Here) -> Result<Rendered, Vec<Finding>> {
    let parts = here.parts.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    let set = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<BTreeSet<_>>();
    let (zones, platforms) = (set(&here.zones), set(&here.platforms));
    let values = BTreeMap::from([("db".to_owned(), "dm.dali".to_owned())]);
    let overrides: Vec<&Override> = here.overrides.iter().collect();
    let target = Target {
        cluster: "dali",
        tenant: "bureau-tenant",
        parts: &parts,
        duplicated: here.duplicated,
        zones: &zones,
        platforms: &platforms,
        values: &values,
        registries: &here.registries,
        overrides: &overrides,
        affinity: here.affinity.as_deref(),
        affinities: &here.affinities,
        watched: &here.watched,
        carried: &here.carried,
    };
    render(workload, &target, &Profiles::default(), &DigestKey::new(*b"key"))
}

fn manifest(rendered: &Rendered, name: &str) -> Value {
    let object = rendered.objects.iter().find(|object| *object.name == *name).expect("rendered");
    object.manifest.clone().expect("a manifest")
}

/// The manifests of a workload in a place, or the codes and places of what is wrong.
fn faults(workload: &FleetWorkload, here: &Here) -> Vec<(Code, String)> {
    let findings = run(workload, here).map(|_| ()).expect_err("a refusal");
    findings.into_iter().map(|finding| (finding.reason.code, finding.pointer)).collect()
}

fn deployment(replicas: Option<i64>) -> Value {
    let mut value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
            {"name": "web", "image": "nginx:1", "resources": {"requests": {"cpu": "1"}}}]}}}});
    if let Some(replicas) = replicas {
        value["spec"]["replicas"] = replicas.into();
    }
    value
}

fn autoscaler(min: i64, max: i64) -> Value {
    json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {"minReplicas": min, "maxReplicas": max,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}})
}

#[test]
fn an_object_arrives_with_namespace_labels_and_owner_and_without_words_of_the_hub() {
    let mut written = deployment(Some(2));
    written["metadata"]["ownerReferences"] = json!([{"uid": "of-the-hub"}]);
    written["metadata"]["uid"] = "u".into();
    written["metadata"]["annotations"] = json!({"a": "b", "kubectl.kubernetes.io/last-applied-configuration": "x", "jiuzhou.dev/take-over": "bureau/web"});
    written["status"] = json!({"replicas": 2});
    let rendered = run(&workload(&[("app", written)]), &dali(2)).unwrap();
    let got = manifest(&rendered, "app");
    assert_eq!(
        got["metadata"],
        json!({"name": "web", "namespace": "bureau",
            "labels": {"app.kubernetes.io/managed-by": "jiuzhou", "jiuzhou.dev/workload": "web",
                "jiuzhou.dev/object": "app", "jiuzhou.dev/tenant": "bureau-tenant", "jiuzhou.dev/system": "portal",
                "jiuzhou.dev/cluster": "dali"},
            "annotations": {"a": "b", "jiuzhou.dev/owner": "bureau/web"}})
    );
    assert_eq!(got.get("status"), None);
    assert_eq!(
        got["spec"]["template"]["metadata"]["labels"],
        json!({"app": "web", "jiuzhou.dev/workload": "web", "jiuzhou.dev/object": "app"})
    );
    assert_eq!(got["spec"]["template"]["metadata"]["annotations"], json!({"jiuzhou.dev/owner": "bureau/web"}));
    assert_eq!(got["spec"]["selector"], json!({"matchLabels": {"app": "web"}}), "a selector never changes");
    assert!(rendered.objects[0].take_over, "asked for by its annotation");
}

#[test]
fn what_pods_were_written_with_is_told_where_node_affinity_was_added() {
    let term = || {
        Term(vec![Expression {
            key: "kubernetes.io/arch".into(),
            operator: Operator::In,
            values: vec!["arm64".into()],
        }])
    };
    let here = || Here { affinity: Some(vec![term()]), ..dali(2) };
    let own = json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}});
    for affinity in [None, Some(own)] {
        let mut written = deployment(Some(2));
        if let Some(affinity) = &affinity {
            written["spec"]["template"]["spec"]["affinity"] = affinity.clone();
        }
        let rendered = run(&workload(&[("app", written)]), &here()).unwrap();
        assert!(manifest(&rendered, "app")["spec"]["template"]["spec"]["affinity"]["nodeAffinity"].is_object());
        let want = [WrittenAffinity { pod_spec: "/spec/template/spec".into(), affinity }];
        assert_eq!(rendered.objects[0].written_affinity, want);
    }
    let demanded = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]}]}}});
    let mut written = deployment(Some(2));
    written["spec"]["template"]["spec"]["affinity"] = demanded;
    let rendered = run(&workload(&[("app", written)]), &here()).unwrap();
    assert_eq!(rendered.objects[0].written_affinity, [], "the workload demands it itself: nothing of it is ours");
}

#[test]
fn the_part_of_a_cluster_is_written_where_the_kind_has_it() {
    let parts = [("dali", 3), ("kunming", 2)];
    for written in [None, Some(5)] {
        let here = Here { parts: parts.to_vec(), ..Here::default() };
        let rendered = run(&workload(&[("app", deployment(written))]), &here).unwrap();
        assert_eq!(manifest(&rendered, "app")["spec"]["replicas"], 3, "written: {written:?}");
    }
}

#[test]
fn components_keep_their_ratio() {
    let mut other = deployment(Some(3));
    other["metadata"]["name"] = "worker".into();
    let two = workload(&[("a", deployment(Some(2))), ("b", other)]);
    let rendered = run(&two, &dali(2)).unwrap();
    let replicas = |name: &str| manifest(&rendered, name)["spec"]["replicas"].clone();
    assert_eq!((replicas("a"), replicas("b")), (json!(4), json!(6)));
}

#[test]
fn bounds_of_an_autoscaler_are_divided_like_replicas() {
    // (parts, duplicated, min and max here)
    let table = [
        (vec![("dali", 5)], false, (4, 10)),
        (vec![("dali", 3), ("kunming", 2)], false, (2, 6)),
        (vec![("dali", 1), ("kunming", 4)], false, (1, 2)),
        (vec![("dali", 5), ("kunming", 5)], true, (4, 10)),
    ];
    for (parts, duplicated, want) in table {
        let here = Here { parts: parts.clone(), duplicated, ..Here::default() };
        let rendered = run(&workload(&[("app", deployment(Some(5))), ("hpa", autoscaler(4, 10))]), &here).unwrap();
        let spec = manifest(&rendered, "hpa")["spec"].clone();
        assert_eq!(
            (spec["minReplicas"].as_i64(), spec["maxReplicas"].as_i64()),
            (Some(want.0), Some(want.1)),
            "{parts:?}"
        );
    }
}

#[test]
fn zero_stops_what_can_be_stopped_and_says_what_cannot() {
    let job = |kind: &str, spec: Value| json!({"apiVersion": "batch/v1", "kind": kind, "metadata": {"name": "j"}, "spec": spec});
    let template = json!({"template": {"spec": {"containers": []}}});
    let table = [
        (deployment(Some(2)), "/spec/replicas", json!(0)),
        (job("Job", template.clone()), "/spec/suspend", json!(true)),
        (job("CronJob", json!({"jobTemplate": {"spec": template}})), "/spec/suspend", json!(true)),
    ];
    for (value, pointer, want) in table {
        let rendered = run(&workload(&[("x", value)]), &dali(0)).unwrap();
        assert_eq!(manifest(&rendered, "x").pointer(pointer), Some(&want));
    }
    let daemon = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "d"},
        "spec": {"template": {"spec": {"containers": []}}}});
    assert_eq!(faults(&workload(&[("x", daemon)]), &dali(0))[0].0, Code::ManifestFieldInvalid);
}

#[test]
fn what_has_no_number_is_not_multiplied() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": []}});
    assert!(run(&workload(&[("x", pod.clone())]), &dali(1)).is_ok());
    assert_eq!(
        faults(&workload(&[("x", pod)]), &dali(2)),
        [(Code::ManifestFieldInvalid, "/spec/objects/0/manifest".into())]
    );
    let custom = json!({"apiVersion": "x.io/v1", "kind": "Ring", "metadata": {"name": "r"}});
    let mut declared = workload(&[("ring", custom)]);
    let component = Component { name: "node".into(), object: Some("ring".into()), replicas: 3, ..Component::default() };
    declared.spec.requirements = Requirements { components: vec![component], ..Requirements::default() };
    assert!(run(&declared, &dali(1)).is_ok());
    assert_eq!(faults(&declared, &dali(2)), [(Code::ManifestFieldInvalid, "/spec/replicas".into())]);
}

#[test]
fn derived_terms_are_anded_into_every_term_of_every_template() {
    let mut written = deployment(Some(1));
    written["spec"]["template"]["spec"]["affinity"] = json!({"nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]},
            {"matchExpressions": [{"key": "room", "operator": "Exists"}]}]}}});
    let arch = |values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Term(vec![Expression { key: "kubernetes.io/arch".into(), operator: Operator::In, values }])
    };
    let here = Here { affinity: Some(vec![arch(&["arm64"])]), ..dali(1) };
    let rendered = run(&workload(&[("app", written.clone())]), &here).unwrap();
    let pointer = "/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution";
    let got = manifest(&rendered, "app").pointer(pointer).cloned();
    let arm = json!({"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]});
    assert_eq!(
        got,
        Some(json!({"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}, arm]},
            {"matchExpressions": [{"key": "room", "operator": "Exists"}, arm]}]}))
    );
    let nowhere = Here { affinity: Some(vec![]), ..dali(1) };
    let refused = faults(&workload(&[("app", written)]), &nowhere);
    assert_eq!(refused, [(Code::AffinityMatchesNothing, "/spec/objects/0/manifest".into())]);
}

#[test]
fn templates_with_nodes_of_their_own_get_their_own_terms_and_the_others_those_of_all() {
    let arch = |value: &str| {
        Term(vec![Expression { key: "kubernetes.io/arch".into(), operator: Operator::In, values: vec![value.into()] }])
    };
    let of = |name: &str, value: &str| (name.to_owned(), vec![arch(value)]);
    let here = Here {
        affinity: Some(vec![arch("riscv64")]),
        affinities: [of("web/spec/template", "arm64"), of("db", "amd64")].into(),
        ..dali(1)
    };
    let named = |name: &str| {
        let mut value = deployment(Some(1));
        value["metadata"]["name"] = json!(name);
        value
    };
    let objects = [("web", named("web")), ("db", named("db")), ("job", named("job"))];
    let rendered = run(&workload(&objects), &here).unwrap();
    let pointer = "/spec/template/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution";
    for (name, wanted) in [("web", "arm64"), ("db", "amd64"), ("job", "riscv64")] {
        let got = manifest(&rendered, name).pointer(&format!("{pointer}/nodeSelectorTerms")).cloned();
        let expression = json!({"key": "kubernetes.io/arch", "operator": "In", "values": [wanted]});
        assert_eq!(got, Some(json!([{"matchExpressions": [expression]}])), "{name}");
    }
}

#[test]
fn data_of_a_secret_is_in_the_secret_and_nowhere_else() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": "{\"stringData\":{\"p\":\"canary\"}}"}},
        "stringData": {"password": "canary"}});
    let rendered = run(&workload(&[("db", secret)]), &dali(1)).unwrap();
    assert!(!format!("{rendered:?}").contains("canary"));
    assert!(!serde_json::to_string(&rendered.objects).unwrap().contains("Y2FuYXJ5"), "nor its base64");
    let reference = rendered.objects[0].secret.clone().expect("a reference");
    assert_eq!(
        (&*reference.name, &*reference.digest),
        (rendered.secrets[0].name(), &*rendered.secrets[0].digest().to_string())
    );
    assert_eq!(rendered.secrets[0].manifest()["data"]["password"], "Y2FuYXJ5");
    assert_eq!(rendered.secrets[0].manifest()["metadata"]["labels"]["jiuzhou.dev/object"], "db");
    let token = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "t"},
        "type": "kubernetes.io/service-account-token"});
    assert_eq!(
        faults(&workload(&[("t", token)]), &dali(1)),
        [(Code::ManifestFieldInvalid, "/spec/objects/0/manifest/type".into())]
    );
}

fn rewrite(zone: Option<&str>, from: &str, to: &str) -> RegistryRewrite {
    RegistryRewrite { zone: zone.map(Into::into), from: from.into(), to: to.into(), ..RegistryRewrite::default() }
}

#[test]
fn images_are_named_as_the_zone_reaches_them() {
    let registries = vec![
        rewrite(None, "docker.io", "mirror.gov.cn"),
        rewrite(Some("internet"), "docker.io", "hub.internet.cn"),
        rewrite(Some("gov-extranet"), "docker.io", "mirror.gov.cn"),
    ];
    let table = [
        (vec![], "mirror.gov.cn/library/nginx:1"),
        (vec!["internet"], "hub.internet.cn/library/nginx:1"),
        (vec!["gov-extranet"], "mirror.gov.cn/library/nginx:1"),
        (vec!["gov-extranet", "other"], "mirror.gov.cn/library/nginx:1"),
    ];
    let app = workload(&[("app", deployment(Some(1)))]);
    for (zones, want) in table {
        let here = Here { registries: registries.clone(), zones: zones.clone(), ..dali(1) };
        let got = manifest(&run(&app, &here).unwrap(), "app");
        assert_eq!(got["spec"]["template"]["spec"]["containers"][0]["image"], want, "{zones:?}");
    }
    let both = Here { registries, zones: vec!["internet", "gov-extranet"], ..dali(1) };
    assert_eq!(faults(&app, &both), [(Code::OverrideInvalid, "/spec/objects/0/manifest".into())]);
}

fn change() -> Override {
    Override { name: "arm".into(), platforms: vec!["kunpeng-920".into()], ..Override::default() }
}

#[test]
fn an_override_holds_on_all_accepted_pools_or_is_refused() {
    let image = ImageOverride { from: "nginx:1".into(), to: "nginx:1-arm".into() };
    let variable = EnvOverride { container: None, name: "DB".into(), value: "$(value:db)".into() };
    let arm = Override { images: vec![image], env: vec![variable], ..change() };
    let app = workload(&[("app", deployment(Some(1)))]);
    let here =
        |platforms: &[&'static str]| Here { platforms: platforms.to_vec(), overrides: vec![arm.clone()], ..dali(1) };
    let held = run(&app, &here(&["kunpeng-920"])).unwrap();
    let container = manifest(&held, "app")["spec"]["template"]["spec"]["containers"][0].clone();
    assert_eq!(
        (&container["image"], &container["env"]),
        (&json!("nginx:1-arm"), &json!([{"name": "DB", "value": "dm.dali"}]))
    );
    assert_eq!(held.overridden_images, BTreeSet::from(["docker.io/library/nginx:1-arm".to_owned()]));
    for elsewhere in [&["hygon-c86"][..], &[]] {
        let rendered = run(&app, &here(elsewhere)).unwrap();
        assert_eq!(manifest(&rendered, "app")["spec"]["template"]["spec"]["containers"][0]["image"], "nginx:1");
    }
    for mixed in [["kunpeng-920", "hygon-c86"], ["", "kunpeng-920"]] {
        assert_eq!(faults(&app, &here(&mixed)), [(Code::OverrideInvalid, "/spec/placement/overrides".into())]);
    }
}

#[test]
fn an_override_past_what_was_decided_is_refused() {
    let patch = |path: &str, value: &str| PatchOperation {
        op: PatchOp::Replace,
        path: path.into(),
        value_json: Some(value.into()),
    };
    let cpu = "/spec/template/spec/containers/0/resources/requests/cpu";
    // (operation, refused)
    let table = [
        (patch(cpu, "\"2\""), true),
        (patch(cpu, "\"500m\""), false),
        (patch("/spec/replicas", "9"), true),
        (patch("/metadata/name", "\"other\""), true),
        (patch("/spec/none", "1"), true),
        (patch(cpu, "no json"), true),
    ];
    for (operation, refused) in table {
        let rule = Override { patches: vec![operation.clone()], ..change() };
        let here = Here { platforms: vec!["kunpeng-920"], overrides: vec![rule], ..dali(1) };
        let got = run(&workload(&[("app", deployment(Some(1)))]), &here);
        let codes: Vec<Code> = got.err().into_iter().flatten().map(|finding| finding.reason.code).collect();
        assert_eq!(codes, if refused { vec![Code::OverrideInvalid] } else { vec![] }, "{operation:?}");
    }
}

#[test]
fn what_cannot_be_rendered_is_told_whole_and_nothing_is_rendered() {
    let elsewhere = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "other"}});
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}});
    let own = json!({"apiVersion": "jiuzhou.dev/v1alpha1", "kind": "Tenant", "metadata": {"name": "t"}});
    let nameless = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "c-"}});
    let twice = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}});
    let all =
        workload(&[("a", elsewhere), ("b", role), ("c", own), ("d", nameless), ("e", twice.clone()), ("f", twice)]);
    let at = |index: usize, pointer: &str| format!("/spec/objects/{index}/manifest{pointer}");
    let mut got = faults(&all, &dali(1));
    got.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(
        got,
        [
            (Code::ManifestNamespaceOther, at(0, "/metadata/namespace")),
            (Code::ClusterScopedNotWrapped, at(1, "/kind")),
            (Code::ClusterScopedNotWrapped, at(2, "/kind")),
            (Code::ManifestInvalid, at(3, "")),
            (Code::ManifestDuplicate, at(5, "/metadata/name")),
        ]
    );
    let lost = Here { parts: vec![("kunming", 1)], ..Here::default() };
    assert_eq!(faults(&workload(&[("app", deployment(None))]), &lost), [(Code::ClusterMissing, "/spec".into())]);
}

#[test]
fn a_long_name_still_makes_a_label() {
    assert_eq!(label_value("web"), "web");
    let long = format!("{}-a", "w".repeat(80));
    let other = format!("{}-b", "w".repeat(80));
    assert_eq!(label_value(&long).len(), 63);
    assert_ne!(label_value(&long), label_value(&other));
}

proptest! {
    #[test]
    fn rendering_is_a_function_of_content_and_not_of_order(
        contents in proptest::collection::vec(any_json(), 1..5),
        turn in 0usize..5,
    ) {
        let named: Vec<(String, Value)> = contents
            .into_iter()
            .enumerate()
            .map(|(index, content)| {
                let kind = if index == 0 { "Secret" } else { "ConfigMap" };
                let name = format!("o{index}");
                let value = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "unknown": content});
                (name, value)
            })
            .collect();
        let entries: Vec<(&str, Value)> = named.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let mut turned = entries.clone();
        turned.rotate_left(turn % entries.len());
        let (one, two) = (run(&workload(&entries), &dali(1)), run(&workload(&turned), &dali(1)));
        prop_assert_eq!(&one, &two);
        let rendered = one.unwrap();
        for (name, value) in &named {
            let secret = || rendered.secrets.first().map(|secret| secret.manifest().clone());
            let object = rendered.objects.iter().find(|object| *object.name == **name).and_then(|o| o.manifest.clone());
            let got = object.or_else(secret).expect("rendered");
            prop_assert_eq!(&got["unknown"], &value["unknown"]);
        }
    }

    #[test]
    fn no_manifest_makes_rendering_panic(
        kind in proptest::sample::select(vec![("apps/v1", "Deployment"), ("batch/v1", "Job"), ("v1", "Pod"),
            ("v1", "Secret"), ("autoscaling/v2", "HorizontalPodAutoscaler")]),
        metadata in any_json(),
        spec in any_json(),
        part in 0i64..3,
    ) {
        let value = json!({"apiVersion": kind.0, "kind": kind.1, "metadata": metadata, "spec": spec,
            "data": spec, "stringData": metadata});
        let mut named = value.clone();
        if let Some(map) = named["metadata"].as_object_mut() {
            map.insert("name".into(), "x".into());
        }
        let arm = Expression { key: "a".into(), operator: Operator::In, values: vec!["b".into()] };
        let here = Here { affinity: Some(vec![Term(vec![arm])]), ..dali(part) };
        let _ = run(&workload(&[("a", value), ("b", named)]), &here);
    }
}

#[test]
fn what_a_copy_is_told_stands_on_its_object_and_its_pods_and_what_is_watched_beside_the_manifest() {
    let workload = workload(&[
        ("app", deployment(Some(1))),
        (
            "other",
            json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "other"}, "data": {"a": "1"}}),
        ),
    ]);
    let plain = run(&workload, &dali(1)).expect("rendered");
    let value = CarriedValue { alias: "savepoint".into(), object: "app".into(), value: "s3://7".into() };
    let rule = |object: Option<&str>| StateRule {
        alias: "savepoint".into(),
        json_path: ".status.savepoint".into(),
        object: object.map(Into::into),
        optional: false,
    };
    let told = run(&workload, &Here { carried: vec![value], watched: vec![rule(Some("app"))], ..dali(1) });
    let told = told.expect("rendered");
    let annotation = "metadata/annotations/state.jiuzhou.dev~1savepoint";
    let app = manifest(&told, "app");
    for at in ["", "/spec/template"] {
        assert_eq!(app.pointer(&format!("{at}/{annotation}")), Some(&json!("s3://7")), "{at}");
    }
    assert_eq!(manifest(&told, "other"), manifest(&plain, "other"));
    let watched = |rendered: &Rendered, name: &str| {
        rendered.objects.iter().find(|object| *object.name == *name).map(|object| object.watched.len())
    };
    assert_eq!((watched(&told, "app"), watched(&told, "other")), (Some(1), Some(0)));
    let any = run(&workload, &Here { watched: vec![rule(None)], ..dali(1) }).expect("rendered");
    assert_eq!((watched(&any, "app"), watched(&any, "other")), (Some(1), Some(1)));
    assert_eq!(digest_of(&any.objects[0]), digest_of(&plain.objects[0]), "to be watched is no change of what is sent");
}
