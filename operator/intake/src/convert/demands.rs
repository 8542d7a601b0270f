//! What pod templates ask of nodes by label, name and taint, in the engine's form.
//!
//! Labels of architecture and operating system alone are judged with the images; in a term with other labels they stay,
//! because a term holds or fails as a whole.

use std::collections::BTreeSet;

use jiuzhou_engine::decide::affinity::{Expression, Operator, TaintEffect, Toleration};
use jiuzhou_engine::decide::{NodeDemand, NodeTerm};
use jiuzhou_objects::needs::{self, NodeNeeds};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::profile::Profiles;
use jiuzhou_objects::selector;

use crate::objects::Objects;

/// A label that is another on every node: asked for, it is a name.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// Taints that every pod of a DaemonSet tolerates: its controller adds these tolerations.
const OF_DAEMONS: [&str; 6] =
    ["disk-pressure", "memory-pressure", "not-ready", "pid-pressure", "unreachable", "unschedulable"];

/// The node labels that any workload looks at: nodes that differ in one of them are not one pool.
pub(super) fn labels_asked_for(objects: &Objects, profiles: &Profiles) -> BTreeSet<String> {
    let manifests = objects.workloads.values().flat_map(|item| &item.object.spec.objects).map(|entry| &entry.manifest);
    let mut labels = BTreeSet::new();
    for object in manifests.map(Object::new) {
        for (template, _) in profiles.of(object).into_iter().flat_map(|profile| profile.templates_in(object)) {
            labels.extend(NodeNeeds::of(object, &template, &mut Vec::new()).other_labels());
        }
    }
    labels.remove(HOSTNAME);
    labels
}

/// The demand of one template.
pub(super) fn demand(needs: &NodeNeeds, per_node: bool) -> NodeDemand {
    let NodeNeeds { selector, terms, tolerations, node_name, .. } = needs;
    let mut tolerations: BTreeSet<Toleration> = tolerations.iter().filter_map(toleration).collect();
    if per_node {
        let of_daemon = |name: &&str| Toleration {
            key: format!("node.kubernetes.io/{name}"),
            exists: true,
            ..Toleration::default()
        };
        tolerations.extend(OF_DAEMONS.iter().map(of_daemon));
    }
    let silent = needs.other_labels().is_empty() && !terms.iter().flatten().any(|term| !term.fields.is_empty());
    let unusable = terms.as_ref().is_some_and(|terms| terms.iter().all(dead));
    if silent && node_name.is_none() && !unusable {
        return NodeDemand { terms: None, tolerations };
    }
    let selected: Vec<Expression> = selector.iter().map(|(key, value)| is_in(key, value)).collect();
    let term = |more: Vec<Expression>, by_name: bool| {
        let (names, expressions): (Vec<_>, Vec<_>) =
            selected.iter().cloned().chain(more).partition(|expression| expression.key == HOSTNAME);
        NodeTerm { expressions, by_name: by_name || !names.is_empty() || node_name.is_some() }
    };
    let terms = match terms {
        None => vec![term(Vec::new(), false)],
        Some(terms) => {
            let live = terms.iter().filter(|term| !dead(term));
            live.map(|live| term(live.labels.iter().map(expression).collect(), !live.fields.is_empty())).collect()
        }
    };
    NodeDemand { terms: Some(terms), tolerations }
}

/// Whether a term matches no node at all.
fn dead(term: &selector::Term) -> bool {
    term.broken || (term.labels.is_empty() && term.fields.is_empty())
}

fn is_in(key: &str, value: &str) -> Expression {
    Expression { key: key.to_owned(), operator: Operator::In, values: vec![value.to_owned()] }
}

fn expression(requirement: &selector::Requirement) -> Expression {
    let selector::Requirement { key, operator, values } = requirement;
    let operator = match operator {
        selector::Operator::In => Operator::In,
        selector::Operator::NotIn => Operator::NotIn,
        selector::Operator::Exists => Operator::Exists,
        selector::Operator::DoesNotExist => Operator::DoesNotExist,
        selector::Operator::Gt => Operator::Gt,
        selector::Operator::Lt => Operator::Lt,
    };
    Expression { key: key.clone(), operator, values: values.clone() }
}

/// `None` for an effect that Kubernetes does not have, and for no key with another operator than `Exists`: the API
/// server refuses both, and neither tolerates anything.
fn toleration(toleration: &needs::Toleration) -> Option<Toleration> {
    let needs::Toleration { key, any_value, value, effect, seconds: _ } = toleration;
    let effect = match effect.as_str() {
        "" => None,
        "NoSchedule" => Some(TaintEffect::NoSchedule),
        "NoExecute" => Some(TaintEffect::NoExecute),
        "PreferNoSchedule" => Some(TaintEffect::PreferNoSchedule),
        _ => return None,
    };
    (!key.is_empty() || *any_value).then(|| Toleration {
        key: key.clone(),
        exists: *any_value,
        value: value.clone(),
        effect,
    })
}

#[cfg(test)]
mod tests {
    use jiuzhou_objects::object::Object;
    use serde_json::{Value, json};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a json! literal is read best as an argument")]
    fn demanded(spec: Value) -> NodeDemand {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec});
        demand(&NodeNeeds::of(Object::new(&pod), "", &mut Vec::new()), false)
    }

    #[test]
    fn a_selector_holds_in_every_term() {
        let demand = demanded(json!({"nodeSelector": {"disk": "ssd"}, "affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "room", "operator": "Exists"}]},
                {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}, {}]}}}}));
        let terms = demand.terms.unwrap();
        assert_eq!(terms.len(), 2, "an empty term matches nothing");
        assert!(terms.iter().all(|term| term.expressions[0] == is_in("disk", "ssd")));
        assert_eq!(terms.iter().map(|term| term.by_name).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn architecture_alone_is_left_to_the_images() {
        assert_eq!(demanded(json!({"nodeSelector": {"kubernetes.io/arch": "arm64"}})), NodeDemand::default());
        let both = demanded(json!({"nodeSelector": {"kubernetes.io/arch": "arm64", "disk": "ssd"}}));
        assert_eq!(both.terms.unwrap()[0].expressions.len(), 2);
    }

    #[test]
    fn a_host_name_is_a_name() {
        let demand = demanded(json!({"nodeSelector": {"kubernetes.io/hostname": "n1", "disk": "ssd"}}));
        let term = NodeTerm { expressions: vec![is_in("disk", "ssd")], by_name: true };
        assert_eq!(demand.terms, Some(vec![term]));
    }

    #[test]
    fn an_affinity_that_matches_nothing_matches_no_pool() {
        let demand = demanded(json!({"affinity": {"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}}));
        assert_eq!(demand.terms, Some(vec![]));
    }

    #[test]
    fn a_toleration_of_everything_needs_exists() {
        let tolerations = |value: Value| demanded(json!({"tolerations": value})).tolerations.len();
        assert_eq!(tolerations(json!([{"operator": "Exists"}, {"key": "a", "effect": "NoSchedule"}])), 2);
        assert_eq!(tolerations(json!([{}, {"key": "a", "effect": "Never"}])), 0);
    }
}
