//! What other systems write, as their documentation has it, and what becomes of it.

use jiff::Timestamp;
use jiuzhou_engine::terms::{Code, Severity};
use serde_json::{Value, json};

use super::*;
use crate::{Options, load_texts};

fn settings() -> Settings {
    Settings { site: Some("dali-a".to_owned()), form: api::CloudForm::Private, ownership: api::Ownership::Government }
}

fn imported(text: &str) -> Imported {
    import(&["-".to_owned()], &mut text.as_bytes(), &settings())
}

fn codes(imported: &Imported, code: Code) -> Vec<String> {
    let of = |value: &jiuzhou_engine::terms::Value| match value {
        jiuzhou_engine::terms::Value::Text(text) => text.clone(),
        other => format!("{other:?}"),
    };
    imported.findings.iter().filter(|f| f.reason.code == code).map(|f| of(&f.reason.object)).collect()
}

/// Whatever is imported passes our own schema and rules.
fn passes(imported: &Imported) {
    let texts: Vec<(String, String)> =
        (0..).zip(&imported.objects).map(|(n, object)| (format!("{n}.json"), object.to_string())).collect();
    let texts: Vec<(String, &[u8])> = texts.iter().map(|(name, text)| (name.clone(), text.as_bytes())).collect();
    let fleet = load_texts(&texts, &Options::at(Timestamp::UNIX_EPOCH)).unwrap();
    let wrong: Vec<_> = fleet
        .findings
        .iter()
        .filter(|f| f.severity == Severity::Error && f.reason.code != Code::ReferenceUnknown)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{:#?}", imported.objects);
    assert_eq!(fleet.objects.refused.len(), 0);
}

const KARMADA: &str = "\
apiVersion: cluster.karmada.io/v1alpha1
kind: Cluster
metadata: {name: Member.One, labels: {env: prod}}
spec:
  syncMode: Push
  apiEndpoint: https://10.0.0.1:6443
  secretRef: {namespace: karmada-cluster, name: one}
  provider: huaweicloud
  region: cn-south-1
  zones: [cn-south-1a, cn-south-1b]
  insecureSkipTLSVerification: true
  taints:
  - {key: dedicated, value: gov, effect: NoSchedule}
  - {key: 专用, effect: NoSchedule}
---
apiVersion: policy.karmada.io/v1alpha1
kind: PropagationPolicy
metadata: {name: web, namespace: portal}
spec:
  resourceSelectors:
  - {apiVersion: apps/v1, kind: Deployment, name: web}
  propagateDeps: true
  priority: 0
  placement:
    clusterAffinity:
      clusterNames: [member-1, member-2]
      fieldSelector: {matchExpressions: [{key: region, operator: In, values: [cn-south-1]}]}
    clusterTolerations: [{key: dedicated, operator: Equal, value: gov, effect: NoSchedule}]
    spreadConstraints:
    - {spreadByField: region, minGroups: 2, maxGroups: 3}
    - {spreadByField: cluster, minGroups: 2, maxGroups: 0}
    - {spreadByField: zone, minGroups: 1}
    replicaScheduling:
      replicaSchedulingType: Divided
      replicaDivisionPreference: Weighted
      weightPreference:
        staticWeightList:
        - {targetCluster: {clusterNames: [member-1]}, weight: 2}
        - {targetCluster: {labelSelector: {matchLabels: {env: prod}}}, weight: 1}
  failover:
    application:
      decisionConditions: {tolerationSeconds: 10}
      purgeMode: Graciously
      statePreservation: {rules: [{aliasLabelName: a, jsonPath: '{.x}'}]}
  newFieldOfTheFuture: {inner: 门户}
---
apiVersion: policy.karmada.io/v1alpha1
kind: OverridePolicy
metadata: {name: web-over, namespace: portal}
spec:
  resourceSelectors: [{apiVersion: apps/v1, kind: Deployment, name: web}]
  overrideRules:
  - targetCluster: {clusterNames: [member-1]}
    overriders:
      plaintext: [{path: /spec/replicas, operator: replace, value: 5}, {path: bad, operator: add, value: 1}]
      labelsOverrider: [{operator: add, value: {tier/网络: x, zone: dmz}}]
      imageOverrider: [{component: Registry, operator: replace, value: registry.local}]
  - overriders:
      plaintext: [{path: /a, operator: remove}]
";

#[test]
fn karmada_comes_over_and_every_field_without_counterpart_is_told() {
    let imported = imported(KARMADA);
    passes(&imported);
    let find = |kind: &str| imported.objects.iter().find(|object| object["kind"] == kind).unwrap();
    let cluster = find("MemberCluster");
    assert_eq!(cluster["spec"]["provider"], "huaweicloud");
    assert_eq!(cluster["metadata"]["labels"]["topology.kubernetes.io/region"], "cn-south-1");
    assert_eq!(cluster["spec"]["taints"].as_array().unwrap().len(), 1);
    assert!(cluster["metadata"]["name"].as_str().unwrap().starts_with("member-one-"));
    assert!(!imported.objects.iter().any(|object| object.to_string().contains("10.0.0.1")));

    let policy = &find("PlacementPolicy")["spec"]["placement"];
    assert_eq!(policy["clusters"]["names"], json!(["member-1", "member-2"]));
    assert_eq!(policy["replicas"]["divideBy"], "Weight");
    assert_eq!(policy["replicas"]["weights"][0]["weight"], 2);
    assert_eq!(policy["spread"].as_array().unwrap().len(), 2, "zone and region would both be Label");
    assert_eq!(policy["spread"][0]["maxGroups"], 3);
    assert!(policy["spread"][1].get("maxGroups").is_none(), "0 is no limit there");
    let application = &policy["failover"]["application"];
    assert_eq!((&policy["failover"]["afterSeconds"], &application["afterSeconds"]), (&json!(300), &json!(30)));
    assert_eq!(application["state"], json!([{ "alias": "a", "jsonPath": ".status.x" }]));
    let overrides = policy["overrides"].as_array().unwrap();
    assert_eq!(overrides.len(), 1);
    assert_eq!(overrides[0]["objects"], json!(["deployment-web"]));
    let patches = overrides[0]["patches"].as_array().unwrap();
    assert!(patches.contains(&json!({ "op": "replace", "path": "/spec/replicas", "valueJson": "5" })), "{patches:?}");
    assert!(patches.contains(&json!({ "op": "add", "path": "/metadata/labels/zone", "valueJson": "\"dmz\"" })));
    assert_eq!(patches.len(), 2);

    let lost = codes(&imported, Code::NoCounterpart);
    for wanted in [
        "spec.resourceSelectors",
        "spec.insecureSkipTLSVerification",
        "spec.zones",
        "spec.taints.1",
        "spec.placement.spreadConstraints.2",
        "spec.failover.application.purgeMode",
        "spec.newFieldOfTheFuture.inner",
        "spec.overrideRules.0.overriders.plaintext.1",
        "spec.overrideRules.0.overriders.imageOverrider",
        "spec.overrideRules.0.overriders.labelsOverrider.0.tier/网络",
        "spec.overrideRules.1.overriders",
    ] {
        assert!(lost.iter().any(|one| one == wanted), "{wanted} is not in {lost:#?}");
    }
    assert_eq!(codes(&imported, Code::ConnectionNotImported).len(), 1);
}

const OCM: &str = "\
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata: {name: cluster1, labels: {cluster.open-cluster-management.io/clusterset: prod}}
spec:
  hubAcceptsClient: true
  leaseDurationSeconds: 60
  managedClusterClientConfigs: [{url: 'https://x', caBundle: AAAA}]
  taints: [{key: gpu, value: x, effect: NoSelectIfNew}]
status:
  clusterClaims: [{name: region.open-cluster-management.io, value: cn-north-1}, {name: bad name, value: x}]
---
apiVersion: cluster.open-cluster-management.io/v1beta1
kind: Placement
metadata: {name: p, namespace: portal}
spec:
  numberOfClusters: 2
  clusterSets: [prod]
  predicates:
  - requiredClusterSelector:
      labelSelector: {matchExpressions: [{key: vendor, operator: In, values: [a, b]}]}
      claimSelector: {matchExpressions: [{key: region.open-cluster-management.io, operator: Exists}]}
      celSelector: {celExpressions: ['true']}
  prioritizerPolicy:
    mode: Additive
    configurations:
    - {scoreCoordinate: {type: BuiltIn, builtIn: ResourceAllocatableCPU}, weight: 3}
    - {scoreCoordinate: {type: BuiltIn, builtIn: Steady}}
    - {scoreCoordinate: {type: AddOn, addOn: {resourceName: a, scoreName: b}}, weight: 1}
  spreadPolicy: {spreadConstraints: [{topologyKey: zone, topologyKeyType: Label, maxSkew: 1, whenUnsatisfiable: DoNotSchedule}]}
  tolerations: [{key: gpu, operator: Exists, tolerationSeconds: 30}]
  decisionStrategy: {groupStrategy: {clustersPerDecisionGroup: 10%}}
";

#[test]
fn ocm_comes_over_and_every_field_without_counterpart_is_told() {
    let imported = imported(OCM);
    passes(&imported);
    let find = |kind: &str| imported.objects.iter().find(|object| object["kind"] == kind).unwrap();
    let cluster = find("MemberCluster");
    assert_eq!(cluster["spec"]["connection"]["pull"]["heartbeatSeconds"], 59);
    assert_eq!(cluster["metadata"]["labels"]["region.open-cluster-management.io"], "cn-north-1");
    assert!(!cluster.to_string().contains("AAAA"));
    let policy = &find("PlacementPolicy")["spec"]["placement"];
    assert_eq!(policy["replicas"]["mode"], "Duplicated");
    assert_eq!(policy["clusters"]["expressions"].as_array().unwrap().len(), 3);
    assert_eq!(policy["spread"][0]["maxGroups"], 2);
    assert_eq!(policy["spread"][1]["label"], "zone");
    assert_eq!(policy["preferences"][0]["weight"], 30);
    assert_eq!(policy["tolerations"][0]["seconds"], 30);
    let lost = codes(&imported, Code::NoCounterpart);
    assert_eq!(
        lost,
        [
            "spec.predicates.0.requiredClusterSelector.celSelector",
            "spec.prioritizerPolicy.configurations.2",
            "spec.decisionStrategy.groupStrategy.clustersPerDecisionGroup",
        ]
    );
}

#[test]
fn several_predicates_become_ordered_groups() {
    let predicate =
        |key: &str| json!({ "requiredClusterSelector": { "labelSelector": { "matchLabels": { key: "x" } } } });
    let placement = json!({ "apiVersion": "cluster.open-cluster-management.io/v1beta1", "kind": "Placement",
        "metadata": { "name": "p", "namespace": "n" }, "spec": { "predicates": [predicate("a"), predicate("b")] } });
    let imported = imported(&placement.to_string());
    passes(&imported);
    assert_eq!(imported.objects[0]["spec"]["placement"]["groups"].as_array().unwrap().len(), 2);
    assert_eq!(codes(&imported, Code::CounterpartDiffers), ["spec.predicates"]);
}

#[test]
fn contexts_of_a_kubeconfig_are_clusters_without_their_secrets() {
    let config = "\
apiVersion: v1
kind: Config
current-context: a
clusters:
- {name: one, cluster: {server: 'https://10.1.0.1:6443', certificate-authority-data: QUJD}}
- {name: 二号, cluster: {server: 'https://10.1.0.2:6443'}}
contexts:
- {name: arn:aws:eks:cn-north-1:1:cluster/One, context: {cluster: one, user: admin}}
- {name: same, context: {cluster: one, user: reader}}
- {name: 大理, context: {cluster: 二号, user: admin}}
- {name: lost, context: {cluster: gone, user: admin}}
users:
- {name: admin, user: {token: S3CRET}}
";
    let imported = imported(config);
    passes(&imported);
    let names: Vec<_> = imported.objects.iter().map(|object| object["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|name| name.len() <= 48));
    let whole = format!("{imported:?}");
    assert!(!whole.contains("S3CRET") && !whole.contains("QUJD"));
    assert_eq!(codes(&imported, Code::ReferenceUnknown), ["gone"]);
    assert_eq!(codes(&imported, Code::NoCounterpart), ["contexts.same"]);
    assert!(imported.objects.iter().any(|object| object["spec"]["displayName"] == "大理"));
}

#[test]
fn a_cluster_profile_keeps_its_properties_as_labels() {
    let profile = json!({ "apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ClusterProfile",
        "metadata": { "name": "cp", "namespace": "fleet", "labels": { "x-k8s.io/cluster-manager": "m", "env": "p" } },
        "spec": { "displayName": "一号集群", "clusterManager": { "name": "m" } },
        "status": { "properties": [{ "name": "arch.example/arm64", "value": "12" }, { "name": "长", "value": "x" }] } });
    let imported = imported(&profile.to_string());
    passes(&imported);
    let cluster = &imported.objects[0];
    assert_eq!(cluster["metadata"]["labels"], json!({ "env": "p", "arch.example/arm64": "12" }));
    assert_eq!(cluster["spec"]["displayName"], "一号集群");
    assert_eq!(codes(&imported, Code::NoCounterpart), ["status.properties.长"]);
}

#[test]
fn other_kinds_are_told_and_a_thousand_policies_come_over() {
    let one = imported("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
    assert_eq!(one.findings[0].reason.code, Code::NotImported);
    let policies: Vec<Value> = (0..1000)
        .map(|number| {
            json!({ "apiVersion": "policy.karmada.io/v1alpha1", "kind": "ClusterPropagationPolicy",
            "metadata": { "name": format!("p{number}") },
            "spec": { "resourceSelectors": [], "placement": { "clusterAffinity": { "exclude": ["x"] } } } })
        })
        .collect();
    let many = imported(&json!({ "apiVersion": "v1", "kind": "List", "items": policies }).to_string());
    assert_eq!((many.objects.len(), many.findings.len()), (1000, 0));
    assert!(many.objects.iter().all(|object| object["kind"] == "ClusterPlacementPolicy"));
}

#[test]
fn names_stay_apart_when_they_are_altered() {
    assert_eq!(name_of("ok-1", 48), "ok-1");
    assert_ne!(name_of("A", 48), name_of("a", 48));
    assert_ne!(name_of(&"x".repeat(60), 48), name_of(&"x".repeat(61), 48));
    assert!(name_of("大理", 48).starts_with("c-"));
}
