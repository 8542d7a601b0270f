//! Adds a required node affinity to the pod templates of an object.
//!
//! Kubernetes takes the terms of a node affinity as OR, the requirements in a term as AND, so a demand has to go into
//! **every** term. Two traps: a term without requirements matches no node, and would match some once a requirement is
//! added; an affinity with an empty list of terms matches nothing. Both stay as they are.

use serde_json::{Value, json};

use crate::needs::REQUIRED;
use crate::selector::Requirement;

/// Demands one of some alternatives (each a list of label requirements that must all hold) of every node the pods of the
/// template at a pointer run on; answers whether that changed it. Applying it twice changes nothing more. No alternatives,
/// or an empty one, demand nothing.
pub fn require(object: &mut Value, template: &str, alternatives: &[Vec<Requirement>]) -> bool {
    if alternatives.is_empty() || alternatives.iter().any(Vec::is_empty) {
        return false;
    }
    let alternatives: Vec<Vec<Value>> =
        alternatives.iter().map(|all| all.iter().map(Requirement::to_value).collect()).collect();
    let spec = object.pointer_mut(&format!("{template}/spec")).filter(|spec| spec.is_object());
    spec.is_some_and(|spec| require_of_spec(spec, &alternatives))
}

fn require_of_spec(spec: &mut Value, alternatives: &[Vec<Value>]) -> bool {
    if spec.pointer(REQUIRED).is_none_or(Value::is_null) {
        let terms: Vec<Value> = alternatives.iter().map(|all| json!({"matchExpressions": all})).collect();
        return insert(spec, &["affinity", "nodeAffinity"], json!({"nodeSelectorTerms": terms}));
    }
    let Some(Value::Array(terms)) = spec.pointer_mut(&format!("{REQUIRED}/nodeSelectorTerms")) else { return false };
    let mut after = Vec::with_capacity(terms.len());
    for term in terms.iter() {
        after.extend(tightened(term, alternatives));
    }
    let differs = after != *terms;
    *terms = after;
    differs
}

/// One term and-ed with the alternatives: one term for each of them, or itself where it already meets one.
fn tightened(term: &Value, alternatives: &[Vec<Value>]) -> Vec<Value> {
    let present = match term.get("matchExpressions") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(items)) => items,
        Some(_) => return vec![term.clone()], // unreadable: matches nothing
    };
    let fields = term.get("matchFields").and_then(Value::as_array).is_some_and(|fields| !fields.is_empty());
    let empty = present.is_empty() && !fields;
    if empty || alternatives.iter().any(|all| all.iter().all(|one| present.contains(one))) {
        return vec![term.clone()];
    }
    let with = |all: &Vec<Value>| {
        let mut expressions = present.to_vec();
        expressions.extend(all.iter().filter(|one| !present.contains(one)).cloned());
        let mut term = term.clone();
        term["matchExpressions"] = Value::Array(expressions);
        term
    };
    alternatives.iter().map(with).collect()
}

/// Puts the required affinity below `steps`, making maps where there are none. Something else in the way stays: the
/// API server will refuse the object and say so.
fn insert(spec: &mut Value, steps: &[&str], required: Value) -> bool {
    let mut place = spec;
    for step in steps {
        let Some(map) = place.as_object_mut() else { return false };
        let next = map.entry(*step).or_insert(Value::Null);
        if next.is_null() {
            *next = json!({});
        }
        place = next;
    }
    let Some(map) = place.as_object_mut() else { return false };
    map.insert("requiredDuringSchedulingIgnoredDuringExecution".to_owned(), required);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::needs::NodeNeeds;
    use crate::object::Labels;
    use crate::object::Object;
    use crate::profile::Profiles;
    use crate::selector::Operator;

    fn deployment(required: &Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec":
            {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required,
             "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}, "podAffinity": {"x": 1}}}}}})
    }

    fn apply(object: &mut Value, alternatives: &[Vec<Requirement>]) -> Vec<String> {
        let profiles = Profiles::default();
        let profile = profiles.of(Object::new(object)).expect("a native kind");
        let templates = profile.templates_in(Object::new(object)).into_iter().map(|(template, _)| template);
        let templates: Vec<String> = templates.collect();
        templates.into_iter().filter(|template| require(object, template, alternatives)).collect()
    }

    #[test]
    fn every_term_gets_the_demand_and_everything_else_stays() {
        let arm = vec![Requirement::is_in("kubernetes.io/arch", &["arm64"])];
        let mut object = deployment(&json!({"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]},
            {}]}));
        assert_eq!(apply(&mut object, std::slice::from_ref(&arm)), ["/spec/template"]);
        let arch = json!({"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]});
        let want = deployment(&json!({"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "Exists"}, arch]},
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}], "matchExpressions": [arch]},
            {}]}));
        assert_eq!(object, want);
    }

    #[test]
    fn a_template_without_affinity_gets_one_and_a_cron_job_is_reached() {
        let mut object = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"},
            "spec": {"jobTemplate": {"spec": {"template": {"spec": {"affinity": null}}}}}});
        let either = [vec![Requirement::is_in("arch", &["arm64"])], vec![Requirement::is_in("arch", &["amd64"])]];
        assert_eq!(apply(&mut object, &either), ["/spec/jobTemplate/spec/template"]);
        let terms = object.pointer(&format!("/spec/jobTemplate/spec/template/spec{REQUIRED}/nodeSelectorTerms"));
        assert_eq!(terms.and_then(Value::as_array).map(Vec::len), Some(2));
    }

    #[test]
    fn an_empty_list_of_terms_is_not_widened() {
        let mut object = deployment(&json!({"nodeSelectorTerms": []}));
        let before = object.clone();
        assert!(apply(&mut object, &[vec![Requirement::is_in("a", &["b"])]]).is_empty());
        assert_eq!(object, before);
    }

    fn requirement() -> impl Strategy<Value = Requirement> {
        let key = prop_oneof![Just("a"), Just("b"), Just("n")];
        let operator = prop_oneof![
            Just(Operator::In),
            Just(Operator::NotIn),
            Just(Operator::Exists),
            Just(Operator::DoesNotExist),
            Just(Operator::Gt),
            Just(Operator::Lt)
        ];
        (key, operator, 0..3_i64).prop_map(|(key, operator, value)| Requirement {
            key: key.to_owned(),
            operator,
            values: match operator {
                Operator::Exists | Operator::DoesNotExist => vec![],
                _ => vec![value.to_string()],
            },
        })
    }

    fn terms(min: usize) -> impl Strategy<Value = Vec<Vec<Requirement>>> {
        proptest::collection::vec(proptest::collection::vec(requirement(), min..3), 1..4)
    }

    proptest! {
        /// On every node of a small world: what was admitted and meets the demand is admitted, nothing else is.
        #[test]
        fn tightening_is_exactly_and_and_happens_once(before in terms(0), demand in terms(1)) {
            let listed: Vec<Value> = before
                .iter()
                .map(|all| json!({"matchExpressions": all.iter().map(Requirement::to_value).collect::<Vec<_>>()}))
                .collect();
            let object = deployment(&json!({"nodeSelectorTerms": listed}));
            let mut after = object.clone();
            apply(&mut after, &demand);
            let needs = |value: &Value| NodeNeeds::of(Object::new(value), "/spec/template", &mut Vec::new());
            let (was, is) = (needs(&object), needs(&after));
            for world in 0..64_u32 {
                let value = |shift: u32| (world >> shift) & 3;
                let labels: Labels = [("a", value(0)), ("b", value(2)), ("n", value(4))]
                    .into_iter()
                    .filter(|(_, v)| *v < 3)
                    .map(|(k, v)| (k.to_owned(), v.to_string()))
                    .collect();
                let meets = demand.iter().any(|all| all.iter().all(|one| one.matches(&labels)));
                prop_assert_eq!(is.admits("x", &labels), was.admits("x", &labels) && meets, "{:?}", labels);
            }
            let once = after.clone();
            prop_assert!(apply(&mut after, &demand).is_empty());
            prop_assert_eq!(after, once);
        }
    }
}
