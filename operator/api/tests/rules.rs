//! Every CEL rule of every schema has one accepted and one rejected example, and costs what an API server allows.
//!
//! A case names its rule by the beginning of its message. Objects are a small valid base per kind plus a merge patch.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::{KindInfo, kinds};
use kube::core::cel::{ScopeContext, Validator, WarningKind, analyze_rule, compile_schema};
use serde_json::{Value, json};

use crate::cases::object;

mod cases;

/// One rule of one schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    rule: String,
    message: String,
}

/// Every rule with the node it stands at, its path, and how many nodes of that kind one object can have.
fn rules(schema: &Value) -> Vec<(Rule, Value, String, u64)> {
    fn walk(node: &Value, path: &str, times: u64, into: &mut Vec<(Rule, Value, String, u64)>) {
        for rule in node["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let text = |key: &str| rule[key].as_str().unwrap_or_default().to_owned();
            into.push((Rule { rule: text("rule"), message: text("message") }, node.clone(), path.to_owned(), times));
        }
        for (name, child) in node["properties"].as_object().into_iter().flatten() {
            walk(child, &format!("{path}.{name}"), times, into);
        }
        if node["items"].is_object() {
            let items = node["maxItems"].as_u64().unwrap_or(u64::MAX);
            walk(&node["items"], &format!("{path}[]"), times.saturating_mul(items), into);
        }
    }
    let mut found = Vec::new();
    walk(schema, "", 1, &mut found);
    found
}

fn messages(kind: &KindInfo, object: &Value, old: Option<&Value>) -> Vec<String> {
    match Validator::new().validate_with_defaults(&kind.schema, object, old) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.into_vec().into_iter().map(|error| error.message).collect(),
    }
}

#[test]
fn every_rule_has_an_accepted_and_a_rejected_example() {
    let kinds: BTreeMap<_, _> = kinds().iter().map(|kind| (kind.kind.clone(), kind)).collect();
    let mut tried = BTreeSet::new();
    let mut faults = Vec::new();
    for case in cases::all() {
        let kind = &kinds[case.kind];
        let meant: BTreeSet<_> = rules(&kind.schema)
            .into_iter()
            .map(|(rule, ..)| rule)
            .filter(|rule| rule.message.starts_with(case.message))
            .collect();
        if meant.len() != 1 {
            faults.push(format!("{} {:?} means {} rules", case.kind, case.message, meant.len()));
            continue;
        }
        tried.extend(meant);
        let old = case.old.as_ref().map(|patch| object(case.kind, patch));
        let accepted = messages(kind, &object(case.kind, &case.accepted), old.as_ref());
        if !accepted.is_empty() {
            faults.push(format!("{} {:?}: accepted example is refused: {accepted:?}", case.kind, case.message));
        }
        let rejected = messages(kind, &object(case.kind, &case.rejected), old.as_ref());
        if !rejected.iter().any(|message| message.starts_with(case.message)) {
            faults.push(format!("{} {:?}: rejected example gives {rejected:?}", case.kind, case.message));
        }
    }
    for kind in kinds.values() {
        for (rule, _, path, _) in rules(&kind.schema) {
            if !tried.contains(&rule) {
                faults.push(format!("{}{path}: no example for {:?}", kind.kind, rule.message));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_message_names_field_allowed_values_and_reason_in_both_languages() {
    for kind in kinds() {
        for (rule, _, path, _) in rules(&kind.schema) {
            let Rule { message, .. } = rule;
            let chinese = message.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
            assert!(chinese && message.ends_with('。'), "{}{path}: {message}", kind.kind);
            assert!(message.contains(": ") && message.contains("because"), "{}{path}: {message}", kind.kind);
            assert!(!message.contains('\n') && message.len() <= 2048, "{}{path}: {message}", kind.kind);
        }
    }
}

/// An API server refuses a rule above 10 million units and a definition above 100 million in all. kube-cel estimates
/// one evaluation; this multiplies it by how often a rule can run in one object.
#[test]
fn every_rule_compiles_and_stays_within_the_cost_an_api_server_allows() {
    for kind in kinds() {
        let mut total = 0_u64;
        for (rule, node, path, times) in rules(&kind.schema) {
            let compiled = compile_schema(&node);
            assert!(!compiled.has_errors(), "{}{path}: {:?}", kind.kind, compiled.compilation_errors());
            // kube-cel reports the variables a macro binds as out of scope; ours are single letters.
            let bound = |message: &str| ["'s'", "'o'", "'c'", "'x'"].iter().any(|name| message.contains(name));
            let mut warnings = analyze_rule(&rule.rule, &compiled, ScopeContext::CrdValidation);
            warnings.retain(|warning| warning.kind != WarningKind::WrongScope || !bound(&warning.message));
            assert!(warnings.is_empty(), "{}{path}: {warnings:?}", kind.kind);
            let nested = rule.rule.matches("self.all(").count() + rule.rule.matches("self.exists_one(").count();
            let items = node["maxItems"].as_u64().unwrap_or(1);
            let once = items.pow(u32::try_from(nested).unwrap()).saturating_mul(rule.rule.len() as u64);
            let cost = once.saturating_mul(times);
            assert!(cost <= 10_000_000, "{}{path}: {cost}", kind.kind);
            total = total.saturating_add(cost);
        }
        assert!(total <= 100_000_000, "{}: {total}", kind.kind);
    }
}

#[test]
fn a_classified_system_is_told_where_it_belongs() {
    let kinds = kinds();
    let kind = kinds.iter().find(|kind| kind.kind == "InformationSystem").unwrap();
    for word in ["涉密", "Classified", "Secret", "机密"] {
        let told =
            messages(kind, &object("InformationSystem", &json!({ "spec": { "dataClass": { "class": word } } })), None);
        assert!(
            told.iter().any(|message| message.contains("涉密") && message.contains("remove it")),
            "{word}: {told:?}"
        );
    }
}
