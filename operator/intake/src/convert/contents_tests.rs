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

/// A part of a workload: name, templates, architectures, labels asked for, whether it holds nobody up.
type Row = (String, Vec<String>, Vec<String>, Vec<String>, bool);

fn parts(spec: &Spec) -> Vec<Row> {
    let of = |part: &jiuzhou_engine::decide::Part| {
        let entries = part.images.iter().flat_map(|image| &image.entries);
        let keys =
            part.nodes.iter().flat_map(|demand| demand.terms.iter().flatten()).flat_map(|term| &term.expressions);
        (
            part.name.clone(),
            part.templates.iter().cloned().collect(),
            entries.map(|entry| entry.platform.architecture.clone()).collect(),
            keys.map(|expression| expression.key.clone()).collect(),
            part.optional,
        )
    };
    spec.requirement.parts.iter().map(of).collect()
}

fn row(name: &str, templates: &[&str], arch: &str, key: &str, optional: bool) -> Row {
    let some = |text: &str| if text.is_empty() { vec![] } else { vec![text.to_owned()] };
    (name.to_owned(), templates.iter().map(|t| (*t).to_owned()).collect(), some(arch), some(key), optional)
}

#[test]
fn templates_for_different_nodes_are_parts_and_templates_for_the_same_are_none() {
    let on = |arch: &str| format!("nodeSelector: {{kubernetes.io/arch: {arch}}}, ");
    let (arm, amd) =
        (workload("Deployment", "web", 3, &on("arm64"), ""), workload("Deployment", "db", 2, &on("amd64"), ""));
    let both = spec("", &[&arm, &amd]);
    let web = row("o0", &["o0/spec/template"], "arm64", "", false);
    assert_eq!(parts(&both), [web.clone(), row("o1", &["o1/spec/template"], "amd64", "", false)]);
    let placed: Vec<_> = both.pods.iter().map(|pod| (pod.count, pod.part)).collect();
    assert_eq!((placed, both.requirement.images.len()), (vec![(3, 0), (2, 1)], 0));

    let same = spec("", &[&arm, &workload("Deployment", "db", 2, &on("arm64"), "")]);
    assert_eq!((parts(&same), same.requirement.images.len()), (vec![], 2));

    // One image for both, of which nobody said more than that it is for these two.
    let twin = amd.replace("example.org/db:1", "example.org/web:1");
    assert_eq!(parts(&spec("", &[&arm, &twin]))[1].2, ["amd64"], "each takes what its own selector leaves");

    let ssd = workload("Deployment", "fast", 1, "nodeSelector: {disk: ssd}, ", "");
    let plain = workload("Deployment", "slow", 1, "", "");
    assert_eq!(
        parts(&spec("", &[&ssd, &plain])),
        [
            row("o0", &["o0/spec/template"], "amd64", "disk", false),
            row("o1", &["o1/spec/template"], "amd64", "", false)
        ]
    );

    let agent = workload("DaemonSet", "agent", 0, "", "");
    let beside = spec("", &[&arm, &agent]);
    assert_eq!(parts(&beside), [web, row("o1", &["o1/spec/template"], "amd64", "", true)]);
    assert_eq!(beside.per_node.iter().map(|daemon| daemon.part).collect::<Vec<_>>(), [1]);
    assert_eq!(parts(&spec("", &[&plain, &agent])), [], "for the CPUs of the others it is none");
}

#[test]
fn declared_components_of_one_object_are_one_part() {
    let ring = "{apiVersion: example.org/v1, kind: Ring, metadata: {name: ring}, spec: {}}";
    let more = "  requirements:\n    components:\n    - {name: a, object: o0, images: ['example.org/a:1'], requests: {cpu: 100m}, replicas: 3}\n    \
                - {name: b, object: o0, images: ['example.org/b:1'], requests: {cpu: 100m}, replicas: 1}\n";
    let arm = workload("Deployment", "web", 1, "nodeSelector: {kubernetes.io/arch: arm64}, ", "");
    let told = parts(&spec(more, &[ring, &arm]));
    assert_eq!(told.iter().map(|part| (&*part.0, part.2.len())).collect::<Vec<_>>(), [("o0", 2), ("o1", 1)]);
}

#[test]
fn what_pods_ask_of_other_pods_is_counted_or_told_as_not_planned() {
    let anti = |app: &str| {
        format!(
            "affinity: {{podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: \
             kubernetes.io/hostname, labelSelector: {{matchLabels: {{app: {app}}}}}}}]}}}}, "
        )
    };
    let soft = anti("web").replace("required", "preferred");
    let spread = |when: &str| {
        format!("topologySpreadConstraints: [{{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: {when}}}], ")
    };
    let apart = r#"podAntiAffinity/ns/{"matchLabels":{"app":"web"}}"#;
    for (pod, wanted, counted) in [
        (&anti("web"), None, Some(apart)),
        (&anti("db"), Some("affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"), None),
        (&soft, None, None),
        (&spread("DoNotSchedule"), Some("topologySpreadConstraints"), None),
        (&spread("ScheduleAnyway"), None, None),
        (&"hostNetwork: true, ".to_owned(), None, None),
    ] {
        let fleet = fleet("", &[&workload("Deployment", "web", 2, pod, "")]);
        let told = fleet.findings.iter().find(|finding| finding.reason.code == Code::NotPlanned);
        let told = told.map(|finding| (finding.reason.object.clone(), finding.severity));
        assert_eq!(told, wanted.map(|field| (field.into(), Severity::Info)), "{pod}");
        let takes = fleet.converted.fleet.specs[0].pods.iter().flat_map(|pod| &pod.one_per_node).next();
        assert_eq!(takes.map(String::as_str), counted, "{pod}");
    }
}
