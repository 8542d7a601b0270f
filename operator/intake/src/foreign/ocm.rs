//! OCM `Placement`: a choice of clusters, as a policy of ours.
//!
//! A Placement chooses clusters and nothing else; what goes there is somebody else's work there, so every chosen cluster
//! gets all replicas here.

use std::collections::BTreeMap;

use jiuzhou_api::v1alpha1 as api;
use serde_json::Value;

use crate::documents::Document;

use super::karmada::{expression_of, label_selector, tolerations};
use super::{Policy, Taken, Work, is_label_key, renamed};

/// The label by which OCM puts a cluster into a set.
const CLUSTER_SET: &str = "cluster.open-cluster-management.io/clusterset";
/// Longest name of a policy, and our bounds.
const NAME: usize = 63;
const GROUPS: usize = 8;
const SPREADS: usize = 3;

pub(super) fn placement(work: &mut Work<'_>, document: &Document) {
    let name = renamed(work, document, NAME);
    let mut spec = Taken::of(document, "/spec");
    let mut rules = api::PlacementRules::default();
    rules.replicas.mode = api::ReplicaMode::Duplicated;
    let mut all = api::ClusterSelector::default();
    let sets = spec.list("/clusterSets");
    let sets: Vec<&str> = sets.iter().filter_map(Value::as_str).collect();
    if !sets.is_empty() {
        all.expressions.push(expression_of(CLUSTER_SET, "In", &sets));
        spec.differs(work, "/clusterSets", &format!("clusters.expressions[{CLUSTER_SET}]"));
    }
    predicates(work, &mut spec, all, &mut rules);
    if let Some(number) = spec.number("/numberOfClusters") {
        let most = i32::try_from(number).unwrap_or(i32::MAX).clamp(1, 1000);
        rules.spread.push(api::Spread {
            key: api::TopologyKey::Cluster,
            min_groups: 1,
            max_groups: Some(most),
            min_replicas_per_group: 1,
            ..api::Spread::default()
        });
    }
    prioritizers(work, &mut spec, &mut rules);
    spread(work, &mut spec, &mut rules);
    tolerations(work, &mut spec, "/tolerations", &mut rules);
    spec.finish(work, "FleetWorkload.spec.rollout");
    let namespace = if document.namespace.is_empty() { "default".to_owned() } else { document.namespace.clone() };
    work.policies.push(Policy { namespace, name, labels: BTreeMap::new(), rules, selects: Vec::new() });
}

/// Predicates are alternatives; ours are ordered groups, so one is a selection and several are groups.
fn predicates(work: &mut Work<'_>, spec: &mut Taken<'_>, all: api::ClusterSelector, rules: &mut api::PlacementRules) {
    let predicates = spec.list("/predicates");
    let mut selectors = Vec::new();
    for (index, predicate) in predicates.iter().enumerate() {
        let at = format!("/predicates/{index}/requiredClusterSelector");
        let mut selector = all.clone();
        let required = predicate.get("requiredClusterSelector").cloned().unwrap_or(Value::Null);
        for (field, value) in required.as_object().into_iter().flatten() {
            let at = format!("{at}/{field}");
            match field.as_str() {
                "labelSelector" => label_selector(work, spec, &at, value, &mut selector),
                "claimSelector" => {
                    label_selector(work, spec, &at, value, &mut selector);
                    spec.differs(work, &at, "clusters.expressions");
                }
                _ => spec.lost(work, &at, value, "spec.placement.clusters"),
            }
        }
        selectors.push(selector);
    }
    let empty = api::ClusterSelector::default();
    match selectors.len() {
        0 => rules.clusters = (all != empty).then_some(all),
        1 => rules.clusters = selectors.pop().filter(|selector| *selector != empty),
        count => {
            spec.differs(work, "/predicates", "groups");
            if count > GROUPS {
                spec.lost(work, "/predicates", &Value::from(predicates), "groups");
            }
            for (number, selector) in (1..).zip(selectors.into_iter().take(GROUPS)).filter(|(_, one)| *one != empty) {
                let name = format!("predicate-{number}");
                rules.groups.push(api::ClusterGroup {
                    name: name.into(),
                    selector,
                    overflow: true,
                    failback_after_minutes: 30,
                });
            }
        }
    }
}

fn prioritizers(work: &mut Work<'_>, spec: &mut Taken<'_>, rules: &mut api::PlacementRules) {
    spec.take("/prioritizerPolicy/mode");
    let at = "/prioritizerPolicy/configurations";
    for (index, configuration) in spec.list(at).iter().enumerate() {
        let at = format!("{at}/{index}");
        let built_in = configuration.pointer("/scoreCoordinate/builtIn").and_then(Value::as_str).unwrap_or_default();
        let weight = configuration.get("weight").and_then(Value::as_i64).unwrap_or(1);
        match built_in {
            // What is placed stays unless told otherwise.
            "Steady" if weight >= 0 => spec.differs(work, &at, "rebalanceGainPerMille"),
            "ResourceAllocatableCPU" | "ResourceAllocatableMemory" if weight > 0 => {
                let exists = rules.preferences.iter().any(|one| one.metric == api::PreferenceMetric::LowUtilisation);
                if exists {
                    spec.lost(work, &at, configuration, "preferences");
                    continue;
                }
                spec.differs(work, &at, "preferences[].metric: LowUtilisation");
                rules.preferences.push(api::Preference {
                    name: "allocatable".into(),
                    metric: api::PreferenceMetric::LowUtilisation,
                    // Weights of OCM go to 10.
                    weight: i32::try_from(weight.min(10) * 10).unwrap_or(100),
                    lowest: Some(0),
                    highest: Some(1000),
                    label: None,
                });
            }
            _ => spec.lost(work, &at, configuration, "spec.placement.preferences"),
        }
    }
}

fn spread(work: &mut Work<'_>, spec: &mut Taken<'_>, rules: &mut api::PlacementRules) {
    let at = "/spreadPolicy/spreadConstraints";
    for (index, constraint) in spec.list(at).iter().enumerate() {
        let at = format!("{at}/{index}");
        let text = |field: &str| constraint.get(field).and_then(Value::as_str).unwrap_or_default();
        let key = text("topologyKey");
        let taken = rules.spread.iter().any(|one| one.key == api::TopologyKey::Label);
        if !is_label_key(key) || taken || rules.spread.len() >= SPREADS {
            spec.lost(work, &at, constraint, "spec.placement.spread");
            continue;
        }
        spec.differs(work, &at, "spread[].key: Label");
        let required = text("whenUnsatisfiable") == "DoNotSchedule";
        rules.spread.push(api::Spread {
            key: api::TopologyKey::Label,
            label: Some(key.into()),
            min_groups: 1,
            max_groups: None,
            min_replicas_per_group: 1,
            strength: if required { api::Strength::Required } else { api::Strength::Preferred },
        });
    }
}
