//! A folder decides on selected native objects as a hub that has them does.

use jiff::Timestamp;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::terms::Code;
use jiuzhou_intake::{Fleet, Options, load_texts};

const GROUND: &str = "
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: body}
spec: {displayName: 单位, level: City, region: '530100', namespaces: [{name: shop}]}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: FleetWorkload
metadata: {name: web, namespace: shop}
spec:
  system: shop
  select: {labels: {labels: {app: web}}}
";

fn deployment(label: &str, replicas: u32) -> String {
    format!(
        "---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop, labels: {{app: {label}}}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
        - {{name: web, image: 'registry.example/web:1', resources: {{requests: {{cpu: 250m, memory: 64Mi}}}}}}
"
    )
}

fn read(more: &str) -> Fleet {
    let text = format!("{GROUND}{more}");
    let as_of: Timestamp = "2026-11-23T00:00:00Z".parse().expect("an instant");
    load_texts(&[("all.yaml".to_owned(), text.as_bytes())], &Options::at(as_of)).expect("a fleet")
}

#[test]
fn what_a_folder_has_is_selected_with_its_replicas_and_requests() {
    let fleet = read(&deployment("web", 3));
    let spec = fleet.snapshot.spec(&WorkloadKey::new("shop", "web")).expect("it is decided on");
    assert_eq!(spec.replicas, 3);
    let workload = &fleet.objects.workloads[&("shop".to_owned(), "web".to_owned())].object;
    assert_eq!(
        workload.spec.objects.iter().map(|entry| entry.name.to_string()).collect::<Vec<_>>(),
        ["deployment-web"]
    );
}

#[test]
fn what_a_folder_does_not_have_is_told_as_not_planned() {
    let fleet = read(&deployment("other", 3));
    assert!(fleet.snapshot.spec(&WorkloadKey::new("shop", "web")).is_none());
    let told = fleet.findings.iter().find(|finding| finding.reason.code == Code::NotPlanned).expect("it is told");
    assert_eq!(told.subject.as_ref().map(|subject| subject.name.as_str()), Some("web"));
}
