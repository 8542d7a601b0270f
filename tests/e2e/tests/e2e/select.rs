//! Helm, kubectl and their waiting on a dedicated hub: native objects that a FleetWorkload selects run in members, and
//! what is waited for on the hub is what runs there.
//!
//! The programs are the real ones. A chart is installed, upgraded, upgraded to what cannot run, rolled back and taken
//! away; what each of them says is held against the pods in the members.

use std::path::{Path, PathBuf};

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene, object};
use jiuzhou_e2e::{Seen, Start, eventually};
use serde_json::{Value, json};

const MEMBERS: [&str; 2] = ["kunpeng", "x86"];

/// A chart as thousands are: a Deployment with its configuration and its Service, labelled by their release.
fn chart(folder: &Path, image: &str) -> PathBuf {
    let chart = folder.join("chart-shop");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    std::fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: shop\nversion: 0.1.0\n").unwrap();
    std::fs::write(chart.join("values.yaml"), "replicas: 2\ngreeting: one\nnode: \"\"\n").unwrap();
    let deployment = format!(
        r#"
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, labels: {{app.kubernetes.io/instance: {{{{ .Release.Name }}}}}}}}
spec:
  replicas: {{{{ .Values.replicas }}}}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      {{{{- with .Values.node }}}}
      nodeSelector: {{shelf: {{{{ . }}}}}}
      {{{{- end }}}}
      containers:
        - name: web
          image: {image}
          env: [{{name: GREETING, value: {{{{ .Values.greeting }}}}}}]
          envFrom: [{{configMapRef: {{name: web}}}}, {{secretRef: {{name: web}}}}]
          resources: {{requests: {{cpu: 100m, memory: 64Mi}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: web, labels: {{app.kubernetes.io/instance: {{{{ .Release.Name }}}}}}}}
spec: {{selector: {{app: web}}, ports: [{{port: 80}}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: web}}
data: {{greeting: {{{{ .Values.greeting }}}}}}
---
apiVersion: v1
kind: Secret
metadata: {{name: web}}
stringData: {{password: not-for-the-log}}
"#
    );
    std::fs::write(chart.join("templates/all.yaml"), deployment).unwrap();
    chart
}

fn selecting(scene: &Scene, name: &str, label: (&str, &str)) -> Value {
    let labels = json!({ label.0: label.1 });
    let spec = json!({ "system": scene.name(), "select": { "labels": { "labels": labels } } });
    object("FleetWorkload", name, Some(&scene.namespace()), &spec)
}

/// Pods that run in all members.
fn running(scene: &Scene, app: &str) -> usize {
    MEMBERS.iter().map(|member| scene.running(member, app)).sum()
}

/// What a field of the Deployment is in the members that have it.
fn in_members(scene: &Scene, path: &str) -> Vec<String> {
    let arguments = ["get", "deployment", "web", "-n", &scene.namespace(), "--ignore-not-found", "-o", path];
    let values = MEMBERS.iter().map(|member| scene.member(member).kubectl(&arguments).unwrap());
    values.filter(|value| !value.is_empty()).collect()
}

#[tokio::test]
async fn a_chart_is_installed_upgraded_rolled_back_and_taken_away_as_anywhere() {
    let mut scene = Scene::begin("shop").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&MEMBERS).await.unwrap();
    scene.apply(&[selecting(&scene, "web", ("app.kubernetes.io/instance", "shop"))]).unwrap();
    scene.says("web", &["SelectionEmpty"], AFTER_A_KILL).await.unwrap();

    let chart = chart(scene.fleet.set().layout().folder(), &scene.image("both")).display().to_string();
    let namespace = scene.namespace();
    let helm = |more: &[&str]| {
        let arguments = ["upgrade", "--install", "shop", &chart, "--namespace", &namespace, "--wait"];
        scene.fleet.helm(&[arguments.as_slice(), more].concat())
    };
    let rolled_out = |timeout: &str| {
        let timeout = format!("--timeout={timeout}");
        scene.fleet.hub().kubectl(&["rollout", "status", "deployment/web", "-n", &namespace, &timeout])
    };

    // Installed: helm comes back when the pods run, and not before.
    helm(&["--timeout", "180s"]).unwrap();
    assert_eq!(running(&scene, "web"), 2);
    assert!(rolled_out("30s").unwrap().contains("successfully rolled out"));
    for member in MEMBERS.iter().filter(|member| scene.running(member, "web") > 0) {
        let secret = scene.member(member).kubectl(&["get", "secret", "web", "-n", &namespace, "-o=jsonpath={.data}"]);
        assert!(secret.unwrap().contains("password"), "what the pods name went along to {member}");
    }

    // Upgraded: done when every member runs the new template.
    helm(&["--set", "greeting=two", "--timeout", "180s"]).unwrap();
    let greeting =
        "jsonpath={.spec.template.spec.containers[0].env[0].value} {.status.updatedReplicas} {.spec.replicas}";
    for seen in in_members(&scene, greeting) {
        let words: Vec<&str> = seen.split(' ').collect();
        assert_eq!((words[0], words[1]), ("two", words[2]), "{seen}");
    }

    // Scaled natively.
    scene.fleet.hub().kubectl(&["scale", "deployment/web", "-n", &namespace, "--replicas=3"]).unwrap();
    rolled_out("180s").unwrap();
    assert_eq!(running(&scene, "web"), 3);

    // Upgraded to what no node can run: helm says that it did not become ready, and what ran runs on.
    let failed = helm(&["--set", "greeting=three,node=none,replicas=3", "--timeout", "25s"]).unwrap_err().to_string();
    assert!(failed.contains("deadline") || failed.contains("timed out"), "{failed}");
    assert!(rolled_out("3s").is_err(), "kubectl waits as helm does");
    assert!(running(&scene, "web") >= 2, "what ran is still there: {}", running(&scene, "web"));
    let progressing = r#"-o=jsonpath={.status.conditions[?(@.type=="Progressing")].status} {.status.conditions[?(@.type=="Progressing")].message}"#;
    let told = scene.fleet.hub().kubectl(&["get", "deployment", "web", "-n", &namespace, progressing]).unwrap();
    assert!(!told.contains("updated and available"), "{told}");

    // Rolled back.
    let back = ["rollback", "shop", "2", "--namespace", &namespace, "--wait", "--timeout", "180s"];
    scene.fleet.helm(&back).unwrap();
    assert!(rolled_out("60s").unwrap().contains("successfully rolled out"));
    let now = in_members(&scene, "jsonpath={.spec.template.spec.containers[0].env[0].value}");
    assert!(!now.is_empty() && now.iter().all(|value| value == "two"), "{now:?}");

    // Taken away: the objects are gone from the hub, what runs is held until a person says so.
    let before = running(&scene, "web");
    scene.fleet.helm(&["uninstall", "shop", "--namespace", &namespace, "--wait"]).unwrap();
    scene.says("web", &["SelectionLost", "delete the FleetWorkload"], SOON).await.unwrap();
    assert_eq!(running(&scene, "web"), before, "an empty render removes nothing");
    assert!(scene.end(operator).await.unwrap() >= 4, "deliveries were looked at");
}

/// Labels by which one workload selects one object.
fn labelled(mut native: Value, part: &str) -> Value {
    native["metadata"]["labels"] = json!({ "part": part });
    native
}

fn pods(scene: &Scene, app: &str) -> Value {
    let container = json!({
        "name": "main", "image": scene.image("both"),
        "resources": { "requests": { "cpu": "50m", "memory": "32Mi" } },
    });
    json!({ "metadata": { "labels": { "app": app } }, "spec": { "containers": [container] } })
}

#[tokio::test]
async fn every_kind_that_is_waited_for_tells_what_the_members_tell() {
    let mut scene = Scene::begin("parts").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&MEMBERS).await.unwrap();
    let (hub, namespace) = (scene.fleet.hub(), scene.namespace());
    let named = |kind: &str, api: &str, name: &str, spec: Value| json!({ "apiVersion": api, "kind": kind, "metadata": { "name": name, "namespace": &namespace }, "spec": spec });
    let app = |name: &str| json!({ "matchLabels": { "app": name } });
    let mut once = pods(&scene, "once");
    once["spec"]["restartPolicy"] = "Never".into();
    let claim = json!({
        "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand", "resources": { "requests": { "storage": "1Gi" } },
    });
    let backend = json!({ "service": { "name": "front", "port": { "number": 80 } } });
    let rules = json!([{ "host": "parts.gov.example", "http": { "paths": [{ "path": "/", "pathType": "Prefix", "backend": backend }] } }]);
    let natives = [
        (
            "db",
            named(
                "StatefulSet",
                "apps/v1",
                "db",
                json!({ "replicas": 2, "serviceName": "db", "selector": app("db"), "template": pods(&scene, "db") }),
            ),
        ),
        (
            "agent",
            named(
                "DaemonSet",
                "apps/v1",
                "agent",
                json!({ "selector": app("agent"), "template": pods(&scene, "agent") }),
            ),
        ),
        ("once", named("Job", "batch/v1", "once", json!({ "completions": 1, "template": once }))),
        (
            "front",
            named(
                "Service",
                "v1",
                "front",
                json!({ "type": "LoadBalancer", "selector": { "app": "db" }, "ports": [{ "port": 80 }] }),
            ),
        ),
        ("front", named("Ingress", "networking.k8s.io/v1", "front", json!({ "rules": rules }))),
        ("store", named("PersistentVolumeClaim", "v1", "store", claim)),
    ];
    let parts = ["agent", "db", "front", "once", "store"];
    let workloads: Vec<Value> = parts.iter().map(|part| selecting(&scene, part, ("part", part))).collect();
    scene.apply(&workloads).unwrap();
    let natives: Vec<Value> = natives.into_iter().map(|(part, native)| labelled(native, part)).collect();
    scene.apply(&natives).unwrap();

    let wait = |arguments: &[&str]| hub.kubectl(&[arguments, &["-n", &namespace, "--timeout=180s"]].concat());
    assert!(
        wait(&["rollout", "status", "statefulset/db"])
            .is_ok_and(|said| said.contains("2 new pods") || said.contains("complete"))
    );
    assert_eq!(running(&scene, "db"), 2);
    wait(&["rollout", "status", "daemonset/agent"]).unwrap();
    let nodes =
        hub.kubectl(&["get", "daemonset", "agent", "-n", &namespace, "-o=jsonpath={.status.numberReady}"]).unwrap();
    assert_eq!(nodes.parse::<usize>().unwrap(), running(&scene, "agent"));
    wait(&["wait", "--for=condition=complete", "job/once"]).unwrap();

    // Addresses and volumes are given out in members, by whoever does that there.
    let placed = |workload: &str| {
        let path = "-o=jsonpath={.status.clusters[0].name}";
        hub.kubectl(&["get", "fwl", workload, "-n", &namespace, path]).unwrap()
    };
    eventually("the front has a place", SOON, || async { Ok(Seen::when(!placed("front").is_empty(), (), "none yet")) })
        .await
        .unwrap();
    let member = placed("front");
    let given = json!({ "status": { "loadBalancer": { "ingress": [{ "ip": "203.0.113.7" }] } } }).to_string();
    for kind in ["service", "ingress"] {
        eventually("it is there", SOON, || async {
            let patch =
                ["patch", kind, "front", "-n", &namespace, "--subresource=status", "--type=merge", "-p", &given];
            scene.member(&member).kubectl(&patch)?;
            Ok(Seen::Done(()))
        })
        .await
        .unwrap();
        wait(&["wait", "--for=jsonpath={.status.loadBalancer.ingress[0].ip}=203.0.113.7", &format!("{kind}/front")])
            .unwrap();
    }
    let endpoints = hub.kubectl(&["get", "fwl", "front", "-n", &namespace, "-o=jsonpath={.status.endpoints}"]).unwrap();
    for endpoint in ["Service/front 203.0.113.7", "Ingress/front parts.gov.example"] {
        assert!(endpoints.contains(&format!("{member} {endpoint}")), "{endpoints}");
    }
    let volume = json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": "by-hand" },
        "spec": {
            "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand",
            "hostPath": { "path": "/by-hand" },
        },
    });
    let holder = placed("store");
    scene.member(&holder).apply(&volume.to_string()).unwrap();
    wait(&["wait", "--for=jsonpath={.status.phase}=Bound", "pvc/store"]).unwrap();

    hub.kubectl(&[
        "delete",
        "statefulset/db",
        "daemonset/agent",
        "job/once",
        "service/front",
        "ingress/front",
        "pvc/store",
        "-n",
        &namespace,
        "--wait=false",
    ])
    .unwrap();
    assert!(scene.end(operator).await.unwrap() >= 6, "deliveries were looked at");
}
