//! What is decided in the forms of other systems: OCM `ManifestWork`, `PlacementDecision` in both shapes, labels for Argo
//! CD's clusters.
//!
//! Nothing is decided here: targets come from a plan, objects are rendered by the objects room exactly as the operator
//! would deliver them. Secrets are never written: their manifests are told instead.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::input::ClusterInput;
use jiuzhou_engine::decide::tier::evaluate;
use jiuzhou_engine::decide::{Decision, Division, Spec};
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Reason};
use jiuzhou_objects::render::{Rendered, Target, render};
use jiuzhou_objects::secrets::DigestKey;
use serde_json::{Map, Value, json};

use crate::convert::Base;
use crate::load::Fleet;
use crate::objects::named;

/// Clusters of one PlacementDecision, in both shapes.
const SLICE: usize = 100;
/// Bytes of one ManifestWork that OCM accepts.
const WORK: usize = 500 << 10;

/// What was exported.
#[derive(Debug, Default)]
pub struct Exported {
    /// Objects, in the order of workloads and clusters.
    pub objects: Vec<Value>,
    /// What could not be, and why.
    pub findings: Vec<Finding>,
}

/// One ManifestWork per workload and cluster.
#[must_use]
pub fn manifest_works(fleet: &Fleet, decisions: &[Decision]) -> Exported {
    let mut exported = Exported::default();
    let as_of = decisions.first().map_or(jiff::Timestamp::UNIX_EPOCH, |decision| decision.as_of);
    let base = Base::new(&fleet.objects, as_of, &mut Vec::new());
    let specs: BTreeMap<_, &Spec> = fleet.converted.fleet.specs.iter().map(|spec| (&spec.key, spec)).collect();
    for decision in decisions {
        let key = (decision.key.namespace.clone(), decision.key.name.clone());
        let (Some(spec), Some(workload)) = (specs.get(&decision.key), fleet.objects.workloads.get(&key)) else {
            continue;
        };
        let parts: BTreeMap<String, i64> =
            decision.targets.iter().map(|target| (target.cluster.clone(), target.replicas)).collect();
        for cluster in parts.keys() {
            let one = One { fleet, base: &base, spec, workload: &workload.object, parts: &parts, cluster };
            let subject = || ObjectRef::new("FleetWorkload", &key.0, &key.1);
            match one.rendered() {
                Some(Ok(rendered)) => {
                    exported.findings.extend(secrets(&rendered, &subject()));
                    let work = work(&key, cluster, &rendered);
                    let size = work.to_string().len();
                    if size > WORK {
                        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
                        let reason = Reason::new(Code::LimitExceeded).object("bytes of a ManifestWork");
                        let reason = reason.seen(count(size)).wanted(count(WORK));
                        exported.findings.push(Finding::new(reason).on(subject()));
                    }
                    exported.objects.push(work);
                }
                Some(Err(findings)) => exported.findings.extend(findings),
                None => {}
            }
        }
    }
    exported
}

/// A workload for one of its clusters.
struct One<'a> {
    fleet: &'a Fleet,
    base: &'a Base,
    spec: &'a Spec,
    workload: &'a api::FleetWorkload,
    parts: &'a BTreeMap<String, i64>,
    cluster: &'a str,
}

impl One<'_> {
    /// Renders it as the operator does; `None` for a cluster that is not in the input.
    fn rendered(&self) -> Option<Result<Rendered, Vec<Finding>>> {
        let objects = &self.fleet.objects;
        let input: &ClusterInput =
            self.fleet.converted.fleet.clusters.iter().find(|cluster| cluster.name == self.cluster)?;
        let member: &api::MemberCluster = &named(&objects.clusters, self.cluster)?.object;
        let key = (self.spec.key.namespace.clone(), self.spec.key.name.clone());
        let requirement = &self.spec.requirement;
        let (mut zones, mut platforms) = (BTreeSet::new(), BTreeSet::new());
        for pool in &input.pools {
            let platform = pool.facts.platform.clone().unwrap_or_default();
            let other_zone = requirement.zone.as_ref().is_some_and(|zone| *zone != pool.zone);
            let other_platform = !requirement.platforms.is_empty() && !requirement.platforms.contains(&platform);
            if !other_zone && !other_platform {
                zones.insert(pool.zone.clone());
                platforms.insert(platform);
            }
        }
        let rules = self.base.rules(objects, &key);
        let takes = |one: &&api::Override| one.clusters.as_ref().is_none_or(|s| self.base.selects(s, input));
        let overrides: Vec<&api::Override> = rules.iter().flat_map(|rules| &rules.overrides).filter(takes).collect();
        let (affinity, affinities) = match self.fleet.snapshot.node_affinities(requirement) {
            Ok(affinities) => affinities.terms(),
            Err(reason) => return Some(Err(vec![Finding::new(reason)])),
        };
        let tenant = self.base.tenant(objects, &key);
        let carried = objects.placements.get(&key).map(|placement| placement.object.spec.carried.as_slice());
        let carried = carried.unwrap_or_default().iter().find(|one| *one.name == *self.cluster);
        let target = Target {
            cluster: self.cluster,
            tenant: &tenant,
            parts: self.parts,
            duplicated: self.spec.policy.division == Division::Duplicated,
            zones: &zones,
            platforms: &platforms,
            values: &member.spec.values.0,
            registries: &member.spec.registries,
            overrides: &overrides,
            affinity: affinity.as_deref(),
            affinities: &affinities,
            watched: &[], // nobody there would ask for it
            carried: carried.map(|carried| carried.values.as_slice()).unwrap_or_default(),
        };
        // Digests of secrets are not written, so no key is needed to hide them.
        Some(render(self.workload, &target, &self.base.profiles, &DigestKey::new(Vec::new())))
    }
}

fn secrets(rendered: &Rendered, workload: &ObjectRef) -> Vec<Finding> {
    let one = |secret: &jiuzhou_objects::secrets::SecretManifest| {
        let name = secret.manifest().pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let reason = Reason::new(Code::NoCounterpart).object(format!("Secret {name}")).seen("***");
        Finding::new(reason.wanted("Secret")).on(workload.clone())
    };
    rendered.secrets.iter().map(one).collect()
}

/// A ManifestWork. What is Retain is left in the cluster when the work goes.
fn work((namespace, name): &(String, String), cluster: &str, rendered: &Rendered) -> Value {
    let objects: Vec<&api::DeliveredObject> =
        rendered.objects.iter().filter(|object| object.manifest.is_some()).collect();
    let manifests: Vec<&Value> = objects.iter().filter_map(|object| object.manifest.as_ref()).collect();
    let kept: Vec<Value> = objects
        .iter()
        .filter(|object| object.on_delete == api::OnDelete::Retain)
        .filter_map(|object| object.manifest.as_ref())
        .map(orphaned)
        .collect();
    let delete = match kept.len() {
        0 => json!({ "propagationPolicy": "Foreground" }),
        all if all == manifests.len() => json!({ "propagationPolicy": "Orphan" }),
        _ => json!({ "propagationPolicy": "SelectivelyOrphan", "selectivelyOrphans": { "orphaningRules": kept } }),
    };
    json!({
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": "ManifestWork",
        "metadata": {
            "name": jiuzhou_api::meta::delivery_name(namespace, name),
            "namespace": cluster,
            "labels": { jiuzhou_api::meta::LABEL_CLUSTER: cluster },
        },
        "spec": { "workload": { "manifests": manifests }, "deleteOption": delete },
    })
}

fn orphaned(manifest: &Value) -> Value {
    let object = jiuzhou_objects::object::Object::new(manifest);
    json!({
        "group": object.group(),
        "resource": plural(object.kind()),
        "namespace": object.namespace(),
        "name": object.name(),
    })
}

/// The plural by the rule of Kubernetes' own kinds and of code generators.
fn plural(kind: &str) -> String {
    let lower = kind.to_ascii_lowercase();
    if lower == "endpoints" {
        return lower;
    }
    let hisses = ["s", "x", "ch", "sh"].iter().any(|end| lower.ends_with(end));
    let vowel = ["ay", "ey", "oy", "uy"].iter().any(|end| lower.ends_with(end));
    match lower.strip_suffix('y') {
        Some(stem) if !vowel => format!("{stem}ies"),
        _ if hisses => format!("{lower}es"),
        _ => format!("{lower}s"),
    }
}

/// PlacementDecisions of SIG Multicluster. The profile of a cluster stands where the operator publishes it.
#[must_use]
pub fn sig_decisions(decisions: &[Decision]) -> Vec<Value> {
    let namespace = jiuzhou_api::meta::SYSTEM_NAMESPACE;
    let make = |decision: &Decision, index: usize, slice: &[jiuzhou_engine::decide::Target]| {
        let clusters: Vec<Value> = slice
            .iter()
            .map(|target| {
                json!({
                    "clusterProfileRef": { "name": target.cluster, "namespace": namespace },
                    "reason": format!("{} replicas", target.replicas),
                })
            })
            .collect();
        json!({
            "apiVersion": "multicluster.x-k8s.io/v1alpha1",
            "kind": "PlacementDecision",
            "metadata": {
                "name": format!("{}-{index}", decision.key.name),
                "namespace": decision.key.namespace,
                "labels": {
                    "multicluster.x-k8s.io/decision-key": decision.key.name,
                    "multicluster.x-k8s.io/decision-index": index.to_string(),
                    "multicluster.x-k8s.io/placement-key": decision.key.name,
                },
            },
            "decisions": clusters,
            "schedulerName": "jiuzhou",
        })
    };
    sliced(decisions, make)
}

/// PlacementDecisions of OCM. Their list is a status: `kubectl apply --subresource=status` writes it.
#[must_use]
pub fn ocm_decisions(decisions: &[Decision]) -> Vec<Value> {
    let make = |decision: &Decision, index: usize, slice: &[jiuzhou_engine::decide::Target]| {
        let clusters: Vec<Value> = slice
            .iter()
            .map(|target| json!({ "clusterName": target.cluster, "reason": format!("{} replicas", target.replicas) }))
            .collect();
        json!({
            "apiVersion": "cluster.open-cluster-management.io/v1beta1",
            "kind": "PlacementDecision",
            "metadata": {
                "name": format!("{}-decision-{}", decision.key.name, index + 1),
                "namespace": decision.key.namespace,
                "labels": {
                    "cluster.open-cluster-management.io/placement": decision.key.name,
                    "cluster.open-cluster-management.io/decision-group-index": "0",
                    "cluster.open-cluster-management.io/decision-group-name": "",
                },
            },
            "status": { "decisions": clusters },
        })
    };
    sliced(decisions, make)
}

/// A workload without clusters has one empty decision: that nothing was chosen is a decision, too.
fn sliced(
    decisions: &[Decision],
    make: impl Fn(&Decision, usize, &[jiuzhou_engine::decide::Target]) -> Value,
) -> Vec<Value> {
    let mut objects = Vec::new();
    for decision in decisions {
        if decision.targets.is_empty() {
            objects.push(make(decision, 0, &[]));
        }
        let slices = decision.targets.chunks(SLICE).enumerate();
        objects.extend(slices.map(|(index, slice)| make(decision, index, slice)));
    }
    objects
}

/// Labels for the Secrets by which Argo CD knows clusters: architectures, platforms, zones, region, provider, tier. They
/// have no data and no `secret-type`, so applied by server-side apply they only add labels to a Secret of that name.
#[must_use]
pub fn argocd_labels(fleet: &Fleet, as_of: jiff::Timestamp) -> Vec<Value> {
    let mut tiers = fleet.converted.fleet.tiers.clone();
    tiers.sort_by(|a, b| (a.rank, &a.name).cmp(&(b.rank, &b.name)));
    let label = |cluster: &ClusterInput| {
        let mut labels = Map::new();
        let mut add = |key: String, value: &str| {
            if !value.is_empty() && crate::foreign::is_label_value(value) {
                labels.insert(key, value.into());
            }
        };
        add("jiuzhou.dev/cluster".to_owned(), &cluster.name);
        add("jiuzhou.dev/site".to_owned(), &cluster.site);
        add("jiuzhou.dev/region".to_owned(), &cluster.region);
        add("jiuzhou.dev/provider".to_owned(), &cluster.provider);
        let standing = evaluate(cluster, &tiers, as_of);
        if let Some(tier) = standing.certain.checked_sub(1).and_then(|at| tiers.get(at)) {
            add("jiuzhou.dev/tier".to_owned(), &tier.name);
        }
        for pool in &cluster.pools {
            add(format!("arch.jiuzhou.dev/{}", pool.facts.arch), "true");
            if let Some(platform) = &pool.facts.platform {
                add(format!("platform.jiuzhou.dev/{platform}"), "true");
            }
            if !pool.zone.is_empty() {
                add(format!("zone.jiuzhou.dev/{}", pool.zone), "true");
            }
        }
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": cluster.name, "namespace": "argocd", "labels": labels },
        })
    };
    fleet.converted.fleet.clusters.iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_follow_kubernetes() {
        for (kind, want) in [
            ("Deployment", "deployments"),
            ("Ingress", "ingresses"),
            ("NetworkPolicy", "networkpolicies"),
            ("Gateway", "gateways"),
            ("Endpoints", "endpoints"),
        ] {
            assert_eq!(plural(kind), want);
        }
    }
}
