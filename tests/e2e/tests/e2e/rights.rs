//! What is rarely asked for and still granted: every kind that a tenant may deliver, a credential that is renewed, metrics
//! for who may read them, and definitions of others. `tests/rights.rs` holds what was used here against what is granted.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene};
use jiuzhou_e2e::{Cluster, Seen, Start, eventually};
use serde_json::{Value, json};

const MEMBER: &str = "hygon";

/// A definition of others, as far as its objects are read or written here.
fn definition(group: &str, plural: &str, kind: &str, version: &str, scope: &str) -> String {
    let anything = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{group}"),
            "annotations": { "api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements" },
        },
        "spec": {
            "group": group, "scope": scope,
            "names": { "kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List") },
            "versions": [{
                "name": version, "served": true, "storage": true, "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": anything },
            }],
        },
    })
    .to_string()
}

/// One of each kind that a workload may consist of, but what runs pods by itself.
fn around(name: &str) -> Vec<Value> {
    let labels = json!({ "app": name });
    let object = |api_version: &str, kind: &str, spec: Value| json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name }, "spec": spec });
    let backend = json!({ "service": { "name": name, "port": { "number": 80 } } });
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": backend });
    vec![
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "a": "b" } }),
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": { "a": "canary-e2e" } }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name } }),
        object("v1", "Service", json!({ "selector": labels, "ports": [{ "port": 80 }] })),
        object(
            "policy/v1",
            "PodDisruptionBudget",
            json!({ "maxUnavailable": 1, "selector": { "matchLabels": labels } }),
        ),
        object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            json!({ "podSelector": { "matchLabels": labels }, "policyTypes": ["Ingress"] }),
        ),
        object(
            "networking.k8s.io/v1",
            "Ingress",
            json!({ "rules": [{ "host": "a.example", "http": { "paths": [path] } }] }),
        ),
        object(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            json!({
                "minReplicas": 1, "maxReplicas": 2,
                "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": name },
            }),
        ),
    ]
}

/// The other kinds that run pods, and a claim.
fn runners(scene: &Scene) -> Vec<Value> {
    let template = |name: &str| {
        let mut template = scene.deployment(name, "both", 1)["spec"]["template"].clone();
        template["spec"]["restartPolicy"] = json!("Always");
        template
    };
    let selector = |name: &str| json!({ "matchLabels": { "app": name } });
    let mut once = template("once");
    once["spec"]["restartPolicy"] = json!("Never");
    let of = |name: &str, manifests: &[Value]| scene.workload_of(name, manifests);
    let object = |api_version: &str, kind: &str, name: &str, spec: Value| json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name }, "spec": spec });
    let claim = json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } });
    let set = json!({ "replicas": 1, "serviceName": "set", "selector": selector("set"), "template": template("set") });
    vec![
        of("set", &[object("apps/v1", "StatefulSet", "set", set)]),
        of("claim", &[object("v1", "PersistentVolumeClaim", "claim", claim), scene.deployment("claim", "both", 1)]),
        of(
            "node",
            &[object(
                "apps/v1",
                "DaemonSet",
                "node",
                json!({ "selector": selector("node"), "template": template("node") }),
            )],
        ),
        of("once", &[object("batch/v1", "Job", "once", json!({ "template": once }))]),
        of(
            "clock",
            &[object(
                "batch/v1",
                "CronJob",
                "clock",
                json!({ "schedule": "0 4 1 1 *", "jobTemplate": { "spec": { "template": once } } }),
            )],
        ),
    ]
}

async fn there(member: &Cluster, namespace: &str, wanted: &[(&str, &str)]) {
    eventually("every object is in the member", AFTER_A_KILL, || {
        let missing: Vec<String> = wanted
            .iter()
            .filter(|(kind, name)| member.kubectl(&["get", kind, name, "-n", namespace, "-o=name"]).is_err())
            .map(|(kind, name)| format!("{kind}/{name}"))
            .collect();
        async move { Ok(Seen::when(missing.is_empty(), (), missing.join(", "))) }
    })
    .await
    .unwrap();
}

/// Puts a token that ends in ten minutes into the Secret of a member; gives the version of the Secret then.
fn age(hub: &Cluster, member: &Cluster) -> String {
    let token = ["create", "token", "jiuzhou-hub", "-n", "jiuzhou-system", "--duration=10m"];
    let token = member.kubectl(&token).unwrap();
    let secret = format!("secret/member-{MEMBER}");
    let kept = hub.kubectl(&["get", &secret, "-n", "jiuzhou-system", "-o=jsonpath={.data.kubeconfig}"]).unwrap();
    let mut file: Value = serde_json::from_slice(&STANDARD.decode(kept).unwrap()).unwrap();
    file["users"][0]["user"]["token"] = json!(token.trim());
    let patch = json!({ "data": { "kubeconfig": STANDARD.encode(file.to_string()) } }).to_string();
    hub.kubectl(&["patch", &secret, "-n", "jiuzhou-system", "--type=merge", "-p", &patch]).unwrap();
    version(hub)
}

fn version(hub: &Cluster) -> String {
    let secret = format!("secret/member-{MEMBER}");
    hub.kubectl(&["get", &secret, "-n", "jiuzhou-system", "-o=jsonpath={.metadata.resourceVersion}"]).unwrap()
}

/// What the operator answers to a request for its metrics: the first line.
async fn metrics(port: u16, token: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let bearer = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let request = format!("GET /metrics HTTP/1.1\r\nHost: a\r\n{bearer}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_is_rarely_needed_is_granted_and_works() {
    let mut scene = Scene::begin("rare").await.unwrap();
    let profiles = definition("multicluster.x-k8s.io", "clusterprofiles", "ClusterProfile", "v1alpha1", "Namespaced");
    scene.fleet.hub().apply(&profiles).unwrap();
    let topologies =
        definition("topology.node.k8s.io", "noderesourcetopologies", "NodeResourceTopology", "v1alpha1", "Cluster");
    scene.member(MEMBER).apply(&topologies).unwrap();
    let open = Start { open: true, ..Start::default() };
    let operator = scene.operator(open).await.unwrap();
    scene.join(&[MEMBER]).await.unwrap();

    // Every kind that a tenant may deliver.
    let mut web = vec![scene.deployment("web", "both", 1)];
    web.extend(around("web"));
    scene.apply(&[scene.workload_of("web", &web)]).unwrap();
    scene.apply(&runners(&scene)).unwrap();
    let kinds =
        ["deployment", "configmap", "secret", "serviceaccount", "service", "pdb", "networkpolicy", "ingress", "hpa"];
    let mut all: Vec<(&str, &str)> = kinds.iter().map(|kind| (*kind, "web")).collect();
    all.extend([
        ("statefulset", "set"),
        ("pvc", "claim"),
        ("daemonset", "node"),
        ("job", "once"),
        ("cronjob", "clock"),
    ]);
    there(scene.member(MEMBER), &scene.namespace(), &all).await;

    // What was delivered once and is wanted again is the same revision under a new number.
    let newest = || {
        let path = "-o=jsonpath={range .items[*]}{.metadata.name}={.revision} {end}";
        scene.fleet.hub().kubectl(&["get", "controllerrevisions", "-n", &scene.namespace(), path]).unwrap()
    };
    let before = newest();
    let mut other = web.clone();
    other[0]["spec"]["template"]["metadata"]["annotations"] = json!({ "say": "other" });
    scene.apply(&[scene.workload_of("web", &other)]).unwrap();
    let seen = async |what: &'static str, before: &str| {
        eventually(what, SOON, || {
            let now = newest();
            let moved = now != before;
            async move { Ok(Seen::when(moved, now.clone(), now)) }
        })
        .await
        .unwrap()
    };
    let other = seen("another revision is stored", &before).await;
    scene.apply(&[scene.workload_of("web", &web)]).unwrap();
    seen("the first one is numbered anew", &other).await;

    // A member is published for others.
    let hub = scene.fleet.hub();
    let version_of =
        ["get", "clusterprofile", MEMBER, "-n", "jiuzhou-system", "-o=jsonpath={.status.version.kubernetes}"];
    eventually("the member is published", AFTER_A_KILL, || {
        let told = hub.kubectl(&version_of);
        async move { told.map(|told| Seen::when(told.starts_with('v'), (), told)) }
    })
    .await
    .unwrap();

    // Metrics are for who may read them.
    let port = operator.listen().port();
    assert!(metrics(port, "").await.contains("401"));
    hub.kubectl(&["create", "serviceaccount", "rare-reader", "-n", "jiuzhou-system"]).unwrap();
    let token = ["create", "token", "rare-reader", "-n", "jiuzhou-system"];
    let token = hub.kubectl(&token).unwrap().trim().to_owned();
    assert!(metrics(port, &token).await.contains("403"));
    let bind = ["--clusterrole=jiuzhou-metrics", "--serviceaccount=jiuzhou-system:rare-reader"];
    hub.kubectl(&[&["create", "clusterrolebinding", "rare-reader"], bind.as_slice()].concat()).unwrap();
    eventually("the reader may read", Duration::from_secs(60), || async {
        let told = metrics(port, &token).await;
        Ok(Seen::when(told.contains("200"), (), told))
    })
    .await
    .unwrap();

    // A token that is about to end is renewed, and the member stays within reach.
    let aged = age(hub, scene.member(MEMBER));
    eventually("the token is renewed", AFTER_A_KILL, || {
        let now = version(hub);
        let renewed = now != aged;
        async move { Ok(Seen::when(renewed, (), now)) }
    })
    .await
    .unwrap();
    scene.member_says(MEMBER, "Ready", "True", AFTER_A_KILL).await.unwrap();

    // Without a memory, what is there is looked for before it is removed: the Secret that nobody lists among it.
    operator.kill().unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    hub.kubectl(&["delete", "fwl", "--all", "-n", &scene.namespace(), "--timeout=240s"]).unwrap();
    let left = scene.member(MEMBER).kubectl(&["get", "secret", "web", "-n", &scene.namespace(), "--ignore-not-found"]);
    assert_eq!(left.unwrap().trim(), "", "the Secret is gone too");
    hub.kubectl(&["delete", "clusterrolebinding/rare-reader"]).unwrap();
    hub.kubectl(&["delete", "serviceaccount/rare-reader", "-n", "jiuzhou-system"]).unwrap();
    assert!(scene.end(operator).await.unwrap() > 14, "deliveries were looked at");
}
