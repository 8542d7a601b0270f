//! Karmada `PropagationPolicy` and `ClusterPropagationPolicy`.
//!
//! A policy there selects objects; ours is named by workloads. Which objects it selected is told, with how to say it.

use std::collections::BTreeMap;

use jiuzhou_api::v1alpha1 as api;
use serde_json::Value;

use crate::documents::Document;

use super::clusters::{REGION, ZONE};
use super::{Policy, Taken, Work, is_label_key, is_label_value, name_of, renamed};

/// Longest name of a policy.
const NAME: usize = 63;
/// Bounds of our lists.
const NAMES: usize = 256;
const GROUPS: usize = 8;
const WEIGHTS: usize = 32;
const SPREADS: usize = 3;

pub(super) fn policy(work: &mut Work<'_>, document: &Document) {
    let name = renamed(work, document, NAME);
    let mut spec = Taken::of(document, "/spec");
    let mut rules = api::PlacementRules::default();
    let selects = spec.list("/resourceSelectors");
    if !selects.is_empty() {
        let instead = format!("jiuzhou wrap --placement-policy {name}");
        spec.lost(work, "/resourceSelectors", &Value::from(selects.clone()), &instead);
    }
    affinities(work, &mut spec, &mut rules);
    tolerations(work, &mut spec, "/placement/clusterTolerations", &mut rules);
    spread(work, &mut spec, &mut rules);
    replicas(work, &mut spec, &mut rules);
    failover(work, &mut spec, &mut rules);
    if spec.take("/propagateDeps") == Some(Value::Bool(true)) {
        spec.differs(work, "/propagateDeps", "FleetWorkload.spec.objects");
    }
    if spec.take("/preserveResourcesOnDeletion") == Some(Value::Bool(true)) {
        spec.differs(work, "/preserveResourcesOnDeletion", "FleetWorkload.spec.objects[].onDelete: Retain");
    }
    if let Some(word) = spec.text("/conflictResolution").filter(|word| word == "Overwrite") {
        spec.lost(work, "/conflictResolution", &Value::from(word), "jiuzhou adopt");
    }
    // Defaults of Karmada that say nothing.
    if let Some(scheduler) = spec.text("/schedulerName").filter(|name| name != "default-scheduler") {
        spec.lost(work, "/schedulerName", &Value::from(scheduler), "spec.placement");
    }
    if let Some(preemption) = spec.text("/preemption").filter(|word| word != "Never") {
        spec.lost(work, "/preemption", &Value::from(preemption), "FleetWorkload.spec.priority");
    }
    if spec.number("/priority").is_some_and(|priority| priority != 0) {
        spec.differs(work, "/priority", "FleetWorkload.spec.placementPolicy");
    }
    spec.finish(work, "PlacementPolicy");
    let namespace = if document.kind == "PropagationPolicy" { document.namespace.clone() } else { String::new() };
    let namespace =
        if document.kind == "PropagationPolicy" && namespace.is_empty() { "default".to_owned() } else { namespace };
    work.policies.push(Policy { namespace, name, labels: BTreeMap::new(), rules, selects });
}

fn affinities(work: &mut Work<'_>, spec: &mut Taken<'_>, rules: &mut api::PlacementRules) {
    if let Some(affinity) = spec.take("/placement/clusterAffinity") {
        rules.clusters = selector(work, spec, "/placement/clusterAffinity", &affinity);
    }
    for (index, affinity) in spec.list("/placement/clusterAffinities").iter().enumerate() {
        let at = format!("/placement/clusterAffinities/{index}");
        let name = affinity.get("affinityName").and_then(Value::as_str).unwrap_or("group");
        let name = name_of(name, NAME);
        match selector(work, spec, &at, affinity) {
            Some(selector) if rules.groups.len() < GROUPS => {
                if index == 0 {
                    // There, the next group takes all of it; here, it takes what does not fit.
                    spec.differs(work, "/placement/clusterAffinities", "groups[].overflow: true");
                }
                rules.groups.push(api::ClusterGroup {
                    name: name.into(),
                    selector,
                    overflow: true,
                    failback_after_minutes: 30,
                });
            }
            _ => spec.lost(work, &at, affinity, "spec.placement.groups"),
        }
    }
}

/// A selection of clusters; `None` when it takes all of them, which is what silence means here.
pub(super) fn selector(
    work: &mut Work<'_>,
    spec: &Taken<'_>,
    at: &str,
    affinity: &Value,
) -> Option<api::ClusterSelector> {
    let mut selector = api::ClusterSelector::default();
    let names = |field: &str| -> Vec<String> {
        let list = affinity.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(|name| name_of(name, 48)).collect()
    };
    let (wanted, excluded) = (names("clusterNames"), names("exclude"));
    if wanted.len() > NAMES || excluded.len() > NAMES {
        spec.lost(work, at, affinity, "spec.placement.clusters.labels");
        return None;
    }
    selector.names = wanted.into_iter().map(Into::into).collect();
    selector.exclude_names = excluded.into_iter().map(Into::into).collect();
    if let Some(labels) = affinity.get("labelSelector") {
        label_selector(work, spec, &format!("{at}/labelSelector"), labels, &mut selector);
    }
    let fields = affinity.pointer("/fieldSelector/matchExpressions").and_then(Value::as_array).cloned();
    for (index, expression) in fields.unwrap_or_default().iter().enumerate() {
        let at = format!("{at}/fieldSelector/matchExpressions/{index}");
        let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or_default();
        let list = expression.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
        let values: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        match (text("key"), text("operator")) {
            ("provider", "In") => {
                selector.providers.extend(values.iter().map(|value| name_of(value, 63).into()));
            }
            (key @ ("region" | "zone"), operator @ ("In" | "NotIn")) if values.iter().all(|v| is_label_value(v)) => {
                let key = if key == "region" { REGION } else { ZONE };
                selector.expressions.push(expression_of(key, operator, &values));
            }
            _ => spec.lost(work, &at, expression, "spec.placement.clusters"),
        }
    }
    let known = ["clusterNames", "exclude", "labelSelector", "fieldSelector", "affinityName"];
    for (field, value) in
        affinity.as_object().into_iter().flatten().filter(|(field, _)| !known.contains(&field.as_str()))
    {
        spec.lost(work, &format!("{at}/{field}"), value, "spec.placement.clusters");
    }
    (selector != api::ClusterSelector::default()).then_some(selector)
}

/// `matchLabels` and `matchExpressions` of Kubernetes.
pub(super) fn label_selector(
    work: &mut Work<'_>,
    spec: &Taken<'_>,
    at: &str,
    labels: &Value,
    into: &mut api::ClusterSelector,
) {
    for (key, value) in labels.get("matchLabels").and_then(Value::as_object).into_iter().flatten() {
        match value.as_str() {
            Some(text) if is_label_key(key) && text.len() <= 63 => {
                drop(into.labels.0.insert(key.clone(), text.to_owned()));
            }
            _ => spec.lost(work, &format!("{at}/matchLabels/{}", key.replace('/', "~1")), value, "labels"),
        }
    }
    let expressions = labels.get("matchExpressions").and_then(Value::as_array).cloned().unwrap_or_default();
    for (index, expression) in expressions.iter().enumerate() {
        let text = |field: &str| expression.get(field).and_then(Value::as_str).unwrap_or_default();
        let list = expression.get("values").and_then(Value::as_array).cloned().unwrap_or_default();
        let values: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        let known = ["In", "NotIn", "Exists", "DoesNotExist"].contains(&text("operator"));
        let compares = ["In", "NotIn"].contains(&text("operator"));
        let fits = known
            && is_label_key(text("key"))
            && values.iter().all(|v| is_label_value(v))
            && compares != values.is_empty();
        if fits && values.len() <= 32 && into.expressions.len() < 16 {
            into.expressions.push(expression_of(text("key"), text("operator"), &values));
        } else {
            spec.lost(work, &format!("{at}/matchExpressions/{index}"), expression, "expressions");
        }
    }
}

pub(super) fn expression_of(key: &str, operator: &str, values: &[&str]) -> api::LabelExpression {
    api::LabelExpression {
        key: key.into(),
        operator: match operator {
            "NotIn" => api::LabelOperator::NotIn,
            "Exists" => api::LabelOperator::Exists,
            "DoesNotExist" => api::LabelOperator::DoesNotExist,
            _ => api::LabelOperator::In,
        },
        values: values.iter().map(|value| (*value).into()).collect(),
    }
}

pub(super) fn tolerations(work: &mut Work<'_>, spec: &mut Taken<'_>, pointer: &str, rules: &mut api::PlacementRules) {
    for (index, toleration) in spec.list(pointer).iter().enumerate() {
        let text = |field: &str| toleration.get(field).and_then(Value::as_str).unwrap_or_default();
        let at = format!("{pointer}/{index}");
        let effect = match text("effect") {
            "" => None,
            "NoSchedule" | "NoSelect" | "NoSelectIfNew" => Some(api::TaintEffect::NoSchedule),
            "PreferNoSchedule" | "PreferNoSelect" => Some(api::TaintEffect::PreferNoSchedule),
            "NoExecute" => Some(api::TaintEffect::NoExecute),
            _ => {
                spec.lost(work, &at, toleration, "spec.placement.tolerations");
                continue;
            }
        };
        let exists = text("operator") == "Exists";
        let value = Some(text("value")).filter(|value| !exists && is_label_value(value));
        if !is_label_key(text("key")) {
            spec.lost(work, &at, toleration, "spec.placement.tolerations");
            continue;
        }
        rules.tolerations.push(api::ClusterToleration {
            key: text("key").into(),
            operator: if exists { api::TolerationOperator::Exists } else { api::TolerationOperator::Equal },
            value: value.map(Into::into),
            effect,
            seconds: toleration
                .get("tolerationSeconds")
                .and_then(Value::as_i64)
                .map(|seconds| seconds.clamp(0, 31_536_000)),
        });
    }
}

fn spread(work: &mut Work<'_>, spec: &mut Taken<'_>, rules: &mut api::PlacementRules) {
    let pointer = "/placement/spreadConstraints";
    for (index, constraint) in spec.list(pointer).iter().enumerate() {
        let at = format!("{pointer}/{index}");
        let text = |field: &str| constraint.get(field).and_then(Value::as_str).unwrap_or_default();
        let (key, label) = match (text("spreadByField"), text("spreadByLabel")) {
            ("cluster", _) => (api::TopologyKey::Cluster, None),
            ("provider", _) => (api::TopologyKey::Provider, None),
            ("region", _) => (api::TopologyKey::Label, Some(REGION)),
            ("zone", _) => (api::TopologyKey::Label, Some(ZONE)),
            ("", label) if is_label_key(label) => (api::TopologyKey::Label, Some(label)),
            _ => {
                spec.lost(work, &at, constraint, "spec.placement.spread");
                continue;
            }
        };
        if rules.spread.iter().any(|other| other.key == key) || rules.spread.len() >= SPREADS {
            spec.lost(work, &at, constraint, "spec.placement.spread");
            continue;
        }
        let number = |field: &str| {
            let number = constraint.get(field).and_then(Value::as_i64).filter(|number| *number > 0);
            number.and_then(|number| i32::try_from(number.min(1000)).ok())
        };
        let max = number("maxGroups");
        let min = number("minGroups").unwrap_or(1);
        rules.spread.push(api::Spread {
            key,
            label: label.map(Into::into),
            min_groups: max.map_or(min, |max| min.min(max)),
            max_groups: max,
            min_replicas_per_group: 1,
            strength: api::Strength::Required,
        });
    }
}

fn replicas(work: &mut Work<'_>, spec: &mut Taken<'_>, rules: &mut api::PlacementRules) {
    let at = "/placement/replicaScheduling";
    let Some(scheduling) = spec.take(at) else {
        // Without it Karmada gives every cluster all replicas.
        rules.replicas.mode = api::ReplicaMode::Duplicated;
        return;
    };
    let text = |field: &str| scheduling.get(field).and_then(Value::as_str).unwrap_or_default();
    if text("replicaSchedulingType") == "Duplicated" {
        rules.replicas.mode = api::ReplicaMode::Duplicated;
        return;
    }
    rules.replicas.mode = api::ReplicaMode::Divided;
    if text("replicaDivisionPreference") == "Aggregated" {
        rules.replicas.divide_by = Some(api::DivideBy::Packed);
        return;
    }
    let statics = scheduling.pointer("/weightPreference/staticWeightList").and_then(Value::as_array).cloned();
    for (index, entry) in statics.unwrap_or_default().iter().enumerate() {
        let at = format!("{at}/weightPreference/staticWeightList/{index}");
        let weight =
            entry.get("weight").and_then(Value::as_i64).and_then(|weight| i32::try_from(weight.min(1000)).ok());
        let target = entry.get("targetCluster").cloned().unwrap_or(Value::Null);
        match (selector(work, spec, &format!("{at}/targetCluster"), &target), weight) {
            (Some(selector), Some(weight)) if rules.replicas.weights.len() < WEIGHTS => {
                rules.replicas.weights.push(api::ClusterWeight { selector, weight: weight.max(0) });
            }
            _ => spec.lost(work, &at, entry, "replicas.weights"),
        }
    }
    if !rules.replicas.weights.is_empty() {
        rules.replicas.divide_by = Some(api::DivideBy::Weight);
        return;
    }
    rules.replicas.divide_by = Some(api::DivideBy::Capacity);
    if scheduling.pointer("/weightPreference/dynamicWeight").is_none() {
        // Equal weights there; by room here, which is what keeps replicas running.
        spec.differs(work, at, "divideBy: Capacity");
    }
}

/// Most values that are carried over.
const STATE_MOST: usize = 16;

/// Failover of a workload that is not well. There it is declared with its conditions, here with bounds on them.
fn failover(work: &mut Work<'_>, spec: &mut Taken<'_>, rules: &mut api::PlacementRules) {
    let pointer = "/failover/application/decisionConditions/tolerationSeconds";
    let preserved = "/failover/application/statePreservation/rules";
    let (seconds, values) = (spec.number(pointer), spec.list(preserved));
    if seconds.is_none() && values.is_empty() {
        return;
    }
    let mut application = api::ApplicationFailover::default();
    if let Some(seconds) = seconds {
        application.after_seconds = i32::try_from(seconds).unwrap_or(i32::MAX).clamp(30, 86_400);
        if i64::from(application.after_seconds) != seconds {
            let wanted = format!("failover.application.afterSeconds: {}", application.after_seconds);
            spec.differs(work, pointer, &wanted);
        }
    }
    for (at, value) in values.iter().enumerate() {
        let pointer = format!("{preserved}/{at}");
        match state_rule(value) {
            Some(rule) if at < STATE_MOST && application.state.iter().all(|known| known.alias != rule.alias) => {
                let wanted = format!("annotation state.jiuzhou.dev/{}", rule.alias);
                spec.differs(work, &pointer, &wanted);
                application.state.push(rule);
            }
            _ => spec.lost(work, &pointer, value, "failover.application.state"),
        }
    }
    rules.failover.application = Some(application);
}

/// Whether a JSONPath is one of names and places alone, as [`api::StateRule`] takes it: `.a.b[0]`.
fn is_plain(path: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let place = |text: &str| {
        let number = text.strip_suffix(']');
        number.is_some_and(|n| (1..=4).contains(&n.len()) && n.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let step = |text: &str| {
        let mut parts = text.split('[');
        parts.next().is_some_and(|name| !name.is_empty() && name.chars().all(word)) && parts.all(place)
    };
    path.len() <= 200 && path.strip_prefix('.').is_some_and(|steps| steps.split('.').all(step))
}

/// A label there, an annotation here: of its name the part behind the prefix is taken.
fn state_rule(value: &Value) -> Option<api::StateRule> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let alias = text("aliasLabelName")?.rsplit('/').next()?;
    let path = text("jsonPath")?.trim().trim_start_matches('{').trim_end_matches('}').trim();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let named = !alias.is_empty() && alias.len() <= 63 && alias.chars().all(plain) && !alias.starts_with('-');
    (named && !alias.ends_with('-') && is_plain(path)).then(|| api::StateRule {
        alias: alias.into(),
        json_path: format!(".status{path}").into(),
        ..api::StateRule::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::state_rule;

    #[test]
    fn a_path_of_names_and_places_is_taken_and_any_other_is_not() {
        let path = |path: &str| state_rule(&json!({ "aliasLabelName": "example.org/point", "jsonPath": path }));
        for (there, here) in [
            ("{.jobStatus.savepointInfo.location}", Some(".status.jobStatus.savepointInfo.location")),
            ("{ .points[0][12].path }", Some(".status.points[0][12].path")),
            (".plain", Some(".status.plain")),
            ("{.a[b]}", None),
            ("{.a[]}", None),
            ("{.a[12345]}", None),
            ("{.a[0}", None),
            ("{.a..b}", None),
            ("{.items[*].x}", None),
            ("{.}", None),
            ("{range .a}", None),
        ] {
            assert_eq!(path(there).as_ref().map(|rule| &*rule.json_path), here, "{there}");
        }
        assert_eq!(path(".plain").map(|rule| rule.alias.to_string()).as_deref(), Some("point"));
    }
}
