//! What whole workloads ask for: the shapes that real manifests have, each in the smallest form that shows it.

use jiuzhou_engine::decide::{Spec, SpreadKey, resources};
use jiuzhou_engine::terms::{Code, Severity};

use crate::{Fleet, Options, load};

/// A tenant, its system and one workload of these manifests; `more` stands in the workload's spec.
fn fleet(more: &str, manifests: &[&str]) -> Fleet {
    let mut text = String::from(
        "apiVersion: jiuzhou.dev/v1alpha1\nkind: Tenant\nmetadata: {name: body}\nspec: {displayName: 单位, level: City, \
         region: \"532900\", namespaces: [{name: ns}]}\n---\napiVersion: jiuzhou.dev/v1alpha1\nkind: InformationSystem\n\
         metadata: {name: app, namespace: ns}\nspec: {displayName: 系统, projectCode: P-1, tenant: body, functionDomain: \
         PublicService, dataClass: {class: General, setBy: 甲, confirmedBy: 乙}}\n---\n\
         apiVersion: jiuzhou.dev/v1alpha1\nkind: FleetWorkload\nmetadata: {name: w, namespace: ns}\nspec:\n  system: app\n",
    );
    text += more;
    text += "  objects:\n";
    for (index, manifest) in manifests.iter().enumerate() {
        text += &format!("  - {{name: o{index}, manifest: {manifest}}}\n");
    }
    let options = Options::at("2026-11-23T00:00:00Z".parse().unwrap());
    load(&["-".to_owned()], &mut text.as_bytes(), &options).unwrap()
}

fn spec(more: &str, manifests: &[&str]) -> Spec {
    let fleet = fleet(more, manifests);
    let errors: Vec<_> = fleet.findings.iter().filter(|f| f.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    fleet.converted.fleet.specs[0].clone()
}

fn workload(kind: &str, name: &str, replicas: i64, pod: &str, rest: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: {name}}}, spec: {{replicas: {replicas}, selector: \
         {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{{pod}containers: \
         [{{name: c, image: 'example.org/{name}:1', resources: {{requests: {{cpu: 100m}}}}}}]}}}}{rest}}}}}"
    )
}

const CLAIMS: &str = ", serviceName: db, volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], \
                      resources: {requests: {storage: 1Gi}}}}]";

fn clusters_at_most(spec: &Spec) -> Option<u32> {
    spec.policy.spread.iter().find(|spread| spread.key == SpreadKey::Cluster).and_then(|spread| spread.max_groups)
}

fn storage(spec: &Spec) -> i64 {
    spec.quota.get(resources::STORAGE).copied().unwrap_or(0) * spec.replicas
}

#[test]
fn the_members_of_a_stateful_set_stay_in_one_cluster_and_each_claims_once() {
    let spec = spec("", &[&workload("StatefulSet", "db", 3, "", CLAIMS)]);
    assert_eq!((spec.replicas, spec.pods[0].count, clusters_at_most(&spec)), (3, 1, Some(1)));
    assert_eq!(storage(&spec), 3 << 30);
}

#[test]
fn who_keeps_the_data_elsewhere_may_divide_a_stateful_set() {
    let set = workload("StatefulSet", "db", 3, "", CLAIMS);
    assert_eq!(clusters_at_most(&spec("  data: {mode: External}\n", &[&set])), None);
    assert_eq!(clusters_at_most(&spec("  continuity: AddBeforeRemove\n", &[&set])), None);
    assert_eq!(clusters_at_most(&spec("", &[&workload("Deployment", "web", 3, "", "")])), None);
}

#[test]
fn a_claim_that_pods_share_is_counted_once() {
    let claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d}, spec: {accessModes: [ReadWriteMany], \
                 resources: {requests: {storage: 4Gi}}}}";
    let pod = "volumes: [{name: d, persistentVolumeClaim: {claimName: d}}], ";
    let spec = spec("", &[claim, &workload("Deployment", "web", 2, pod, "")]);
    assert_eq!((storage(&spec), clusters_at_most(&spec)), (4 << 30, Some(1)));
}

#[test]
fn several_deployments_are_one_set_and_do_not_multiply_each_other() {
    let spec = spec("", &[&workload("Deployment", "a", 3, "", ""), &workload("Deployment", "b", 2, "", "")]);
    let counts: Vec<_> = spec.pods.iter().map(|pod| pod.count).collect();
    assert_eq!((spec.replicas, counts), (1, vec![3, 2]));
}

#[test]
fn an_autoscaler_s_smallest_number_is_what_runs() {
    let scaler = "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: web}, spec: {minReplicas: 4, \
                  maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}}";
    let web = |replicas| workload("Deployment", "web", replicas, "", "");
    for (written, runs) in [(1, 4), (6, 6), (12, 9), (0, 0)] {
        assert_eq!(spec("", &[&web(written), scaler]).replicas, runs, "{written}");
    }
}

#[test]
fn kinds_known_to_run_no_pods_refuse_nothing() {
    let monitor = "{apiVersion: monitoring.coreos.com/v1, kind: ServiceMonitor, metadata: {name: web}, spec: {}}";
    let quota = "{apiVersion: v1, kind: ResourceQuota, metadata: {name: q}, spec: {}}";
    let shop = "{apiVersion: example.org/v1, kind: Shop, metadata: {name: s}, spec: {}}";
    let web = workload("Deployment", "web", 1, "", "");
    let spec = spec("", &[&web, monitor, quota, shop]);
    assert_eq!(spec.requirement.unprofiled, ["example.org/v1/Shop".to_owned()].into());
}

#[test]
fn a_daemon_set_beside_others_asks_nothing_of_their_nodes() {
    let daemons = workload("DaemonSet", "log", 0, "nodeSelector: {role: edge}, ", "");
    let web = workload("Deployment", "web", 1, "nodeSelector: {disk: ssd}, ", "");
    let keys = |spec: &Spec| -> Vec<String> {
        let terms = spec.requirement.nodes.iter().flat_map(|demand| demand.terms.iter().flatten());
        terms.flat_map(|term| term.expressions.iter().map(|expression| expression.key.clone())).collect()
    };
    assert_eq!(keys(&spec("", &[&daemons, &web])), ["disk"]);
    assert_eq!(keys(&spec("", &[&daemons])), ["role"], "alone it decides where it runs");
}

#[test]
fn an_architecture_that_pods_ask_for_is_what_the_image_is_taken_for() {
    let arm = workload("Deployment", "web", 1, "nodeSelector: {kubernetes.io/arch: arm64, disk: ssd}, ", "");
    let fleet = fleet("", &[&arm]);
    let images = &fleet.converted.fleet.specs[0].requirement.images;
    let offered: Vec<_> = images[0].entries.iter().map(|entry| entry.platform.architecture.as_str()).collect();
    assert_eq!(offered, ["arm64"]);
    let told = |code| fleet.findings.iter().filter(|f| f.reason.code == code).count();
    assert_eq!((told(Code::ImageNotProfiled), told(Code::NotPlanned)), (1, 0));
}
