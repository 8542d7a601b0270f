//! The chart with the real helm, and its objects on a real API server.
//!
//! What helm renders is the committed rendering that `cargo test` looks into; the kustomize base is the same; the hub
//! takes all of it; the admission policies deny and allow what they say.

use std::collections::BTreeMap;

use jiuzhou_e2e::{Cluster, Fleet};
use jiuzhou_intake::yaml;
use serde_json::{Value, json};

use crate::definitions;

const NAMESPACE: &str = "jiuzhou-system";

fn template(fleet: &Fleet, more: &[&str]) -> String {
    let base = ["template", "jiuzhou", "charts/jiuzhou", "--namespace", NAMESPACE, "--kube-version", "1.33.0"];
    fleet.helm(&[&base, more].concat()).unwrap()
}

fn objects(text: &str) -> Vec<Value> {
    let (parsed, findings) = yaml::read("chart", text.as_bytes(), &yaml::Limits::default());
    assert!(findings.is_empty(), "{findings:?}");
    parsed.into_iter().map(|parsed| parsed.value).filter(|object| !object.is_null()).collect()
}

#[tokio::test]
async fn helm_renders_what_is_committed() {
    let fleet = Fleet::start().await.unwrap();
    for (case, values) in [("default", None), ("everything", Some("charts/golden/everything.values.yaml"))] {
        let mut more = vec!["--set", "crds.enabled=false,rbac.enabled=false"];
        more.extend(values.into_iter().flat_map(|path| ["--values", path]));
        let committed =
            std::fs::read_to_string(jiuzhou_e2e::root().join(format!("charts/golden/{case}.yaml"))).unwrap();
        let (_, committed) = committed.split_once('\n').unwrap();
        let rendered = template(&fleet, &more);
        // The first line that differs says more than two whole texts.
        let differs = rendered.lines().zip(committed.lines()).find(|(rendered, committed)| rendered != committed);
        assert!(rendered == committed, "{case}: run charts/render.sh; first difference: {differs:?}");
    }
}

#[tokio::test]
async fn kustomize_and_helm_give_the_same_objects() {
    let fleet = Fleet::start().await.unwrap();
    let texts = [template(&fleet, &[]), fleet.hub().kubectl(&["kustomize", "charts/kustomize/base"]).unwrap()];
    let [helm, mut kustomize] = texts.map(|text| named(&text));
    assert!(helm.len() > jiuzhou_api::kinds().len());
    for (name, object) in helm {
        assert_eq!(Some(object), kustomize.remove(&name), "{name}");
    }
    assert_eq!(kustomize.into_keys().collect::<Vec<_>>(), Vec::<String>::new(), "only from kustomize");
}

/// Objects by kind and name. kustomize writes `0.0` as `0`, which is the same number.
fn named(text: &str) -> BTreeMap<String, Value> {
    fn plain(value: Value) -> Value {
        match value {
            Value::Number(number) => number.as_f64().map_or(Value::Null, |number| json!(number)),
            Value::Array(items) => items.into_iter().map(plain).collect(),
            Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, plain(value))).collect(),
            other => other,
        }
    }
    let name = |object: &Value| format!("{} {}", object["kind"], object["metadata"]["name"]);
    objects(text).into_iter().map(|object| (name(&object), plain(object))).collect()
}

#[tokio::test]
async fn helm_refuses_another_namespace_and_two_replicas_with_a_file_log() {
    let fleet = Fleet::start().await.unwrap();
    let elsewhere = ["template", "jiuzhou", "charts/jiuzhou", "--namespace", "default", "--kube-version", "1.33.0"];
    let error = fleet.helm(&elsewhere).unwrap_err().to_string();
    assert!(error.contains("install into the namespace jiuzhou-system"), "{error}");
    let two = ["template", "jiuzhou", "charts/jiuzhou", "--kube-version", "1.33.0", "--set", "replicas=2"];
    let error = fleet.helm(&two).unwrap_err().to_string();
    assert!(error.contains("/replicas"), "{error}");
}

#[tokio::test]
async fn the_hub_takes_all_of_it() {
    let fleet = Fleet::start().await.unwrap();
    let hub = fleet.hub();
    hub.apply(&json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } }).to_string())
        .unwrap();
    for dedicated in ["false", "true"] {
        let text = template(&fleet, &["--set", &format!("dedicatedHub={dedicated}")]);
        let arguments =
            ["apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"];
        let applied = hub.kubectl_with(&arguments, &text).unwrap();
        assert_eq!(applied.lines().count(), objects(&text).len(), "{applied}");
    }
}

/// The policies of the chart, narrowed to objects whose name begins so: other tests share the hub.
fn narrowed(fleet: &Fleet, prefix: &str) -> String {
    let text = template(fleet, &["--show-only", "templates/admission.yaml"]);
    let mut all = objects(&text);
    for object in &mut all {
        let name = format!("{prefix}{}", object["metadata"]["name"].as_str().unwrap());
        object["metadata"]["name"] = json!(name);
        if object["kind"] == "ValidatingAdmissionPolicyBinding" {
            object["spec"]["policyName"] = json!(name);
            continue;
        }
        let one = "(object == null ? oldObject : object).metadata.name";
        let condition = json!({ "name": "of-this-test", "expression": format!("{one}.startsWith('{prefix}')") });
        match object["spec"]["matchConditions"].as_array_mut() {
            Some(conditions) => conditions.push(condition),
            None => object["spec"]["matchConditions"] = json!([condition]),
        }
    }
    all.iter().map(|object| format!("---\n{object}\n")).collect()
}

/// What kubectl said, and whether it went well.
fn says(hub: &Cluster, arguments: &[&str], input: &str) -> (bool, String) {
    let output = hub.try_kubectl(arguments, input).unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), said)
}

/// Where a story before has installed the chart, its policy may be the first to deny: the name is looked for without the
/// prefix, which both have.
#[track_caller]
fn denied(hub: &Cluster, arguments: &[&str], input: &str, policy: &str) {
    let (went, said) = says(hub, arguments, input);
    assert!(!went && said.contains(policy), "{arguments:?} must be denied by {policy}: {said}");
}

#[track_caller]
fn allowed(hub: &Cluster, arguments: &[&str], input: &str) {
    let (went, said) = says(hub, arguments, input);
    assert!(went, "{arguments:?} must be allowed: {said}");
}

const OPERATOR: &str = "--as=system:serviceaccount:jiuzhou-system:jiuzhou";
const TENANT: &str = "--as=chart-tenant";

#[tokio::test]
async fn policies_deny_and_allow_what_they_say() {
    let fleet = Fleet::start().await.unwrap();
    definitions::install(&fleet).await;
    let hub = fleet.hub();
    let digest = format!("sha256:{}", "0".repeat(64));
    let setup = [
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "chart-plain" } }),
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "chart-owned", "labels": { "jiuzhou.dev/tenant": "chart" } } }),
        json!({ "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "Tenant",
            "metadata": { "name": "chart-bureau", "finalizers": ["jiuzhou.dev/workload"] },
            "spec": { "displayName": "测试", "level": "City", "kind": "Organ", "region": "530100" } }),
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": "chart-all" },
            "rules": [{ "apiGroups": ["jiuzhou.dev"], "resources": ["*"], "verbs": ["*"] }] }),
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "chart-all" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "chart-all" },
            "subjects": [{ "kind": "User", "name": "chart-tenant" },
                { "kind": "ServiceAccount", "name": "jiuzhou", "namespace": NAMESPACE }] }),
    ];
    hub.apply(&setup.iter().map(|object| format!("---\n{object}\n")).collect::<String>()).unwrap();
    hub.apply(&narrowed(&fleet, "chart-")).unwrap();
    // A policy holds a moment after it was written.
    let confirmed = "jiuzhou-deletions";
    jiuzhou_e2e::eventually("the policies hold", std::time::Duration::from_secs(30), || async {
        let (went, said) = says(hub, &["delete", "namespace", "chart-owned", "--dry-run=server"], "");
        Ok::<_, anyhow::Error>(jiuzhou_e2e::Seen::when(!went && said.contains(confirmed), (), said))
    })
    .await
    .unwrap();

    // Deletions: a second look by the object's own name, for everybody.
    allowed(hub, &["delete", "namespace", "chart-plain", "--dry-run=server"], "");
    denied(hub, &["delete", "namespaces", "-l", "jiuzhou.dev/tenant=chart", "--dry-run=server"], "", confirmed);
    hub.kubectl(&["annotate", "namespace", "chart-owned", "jiuzhou.dev/confirm-delete=another"]).unwrap();
    denied(hub, &["delete", "namespace", "chart-owned", "--dry-run=server"], "", confirmed);
    hub.kubectl(&["annotate", "--overwrite", "namespace", "chart-owned", "jiuzhou.dev/confirm-delete=chart-owned"])
        .unwrap();
    allowed(hub, &["delete", "namespace", "chart-owned", "--dry-run=server"], "");
    denied(hub, &["delete", "tenant", "chart-bureau", "--dry-run=server"], "", confirmed);

    // Finalizers: taken off by the operator only; the rest of the object stays the tenant's.
    let bare = ["patch", "tenant", "chart-bureau", "--type=merge", "--patch", r#"{"metadata":{"finalizers":null}}"#];
    denied(hub, &[&bare[..], &[TENANT]].concat(), "", "jiuzhou-finalizers");
    let rename =
        ["patch", "tenant", "chart-bureau", "--type=merge", "--patch", r#"{"spec":{"displayName":"改名"}}"#, TENANT];
    allowed(hub, &rename, "");
    allowed(hub, &[&bare[..], &[OPERATOR]].concat(), "");

    // Results: placements and status are the operator's.
    let placement = json!({ "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "FleetPlacement",
        "metadata": { "name": "chart-web", "namespace": "chart-plain" },
        "spec": { "decision": digest, "epoch": 1, "sequence": 1, "inputs": { "workload": digest, "snapshot": digest } } })
    .to_string();
    denied(hub, &["create", "-f", "-", TENANT], &placement, "jiuzhou-results");
    allowed(hub, &["create", "-f", "-", OPERATOR], &placement);
    let status = [
        "-n",
        "chart-plain",
        "patch",
        "fleetplacement",
        "chart-web",
        "--subresource=status",
        "--type=merge",
        "--patch",
        r#"{"status":{"totals":{"wanted":3}}}"#,
    ];
    denied(hub, &[&status[..], &[TENANT]].concat(), "", "jiuzhou-results");
    allowed(hub, &[&status[..], &[OPERATOR]].concat(), "");
    denied(hub, &["-n", "chart-plain", "delete", "fleetplacement", "chart-web", TENANT], "", "jiuzhou-results");
    allowed(hub, &["-n", "chart-plain", "delete", "fleetplacement", "chart-web", OPERATOR], "");

    hub.kubectl(&["annotate", "tenant", "chart-bureau", "jiuzhou.dev/confirm-delete=chart-bureau"]).unwrap();
    hub.kubectl(&["delete", "tenant/chart-bureau", "namespace/chart-plain", "namespace/chart-owned", "--wait=false"])
        .unwrap();
    hub.kubectl(&["delete", "clusterrole/chart-all", "clusterrolebinding/chart-all"]).unwrap();
    let policies =
        ["deletions", "tenant-namespaces", "results", "finalizers"].map(|name| format!("chart-jiuzhou-{name}"));
    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        policies.iter().for_each(|name| drop(hub.kubectl(&["delete", kind, name]).unwrap()));
    }
}
