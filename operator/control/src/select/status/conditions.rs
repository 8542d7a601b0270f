//! Conditions of native kinds with their times, and when two statuses say the same.

use std::collections::BTreeSet;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde_json::{Map, Value, json};

/// Longest message that is written.
const MESSAGE_MOST: usize = 1024;

/// A condition to be written.
pub(super) struct Condition<'a> {
    pub(super) kind: &'a str,
    pub(super) status: &'a str,
    pub(super) reason: &'a str,
    pub(super) message: String,
}

/// Conditions as `apps` has them: the time of the last change of what they say, and that of their status alone.
pub(super) fn dated(conditions: Vec<Condition<'_>>, before: &Value, now: Timestamp) -> Value {
    let to_second = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Floor);
    let now = now.round(to_second).unwrap_or(now).to_string();
    let before = before["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let one = |condition: Condition<'_>| {
        let Condition { kind, status, reason, message } = condition;
        let message: String = message.chars().take(MESSAGE_MOST).collect();
        let known = before.iter().find(|known| known["type"] == kind && known["status"] == status);
        let same = known.filter(|known| known["reason"] == reason && known["message"] == message.as_str());
        let time = |known: Option<&Value>, field: &str| {
            known.and_then(|known| known[field].as_str()).unwrap_or(&now).to_owned()
        };
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": time(known, "lastTransitionTime"),
            "lastUpdateTime": time(same, "lastUpdateTime"),
        })
    };
    Value::Array(conditions.into_iter().map(one).collect())
}

/// Whether what is written says what is to be said: an absent count is 0, and what others added does not matter.
pub(super) fn same(written: &Value, wanted: &Value) -> bool {
    wanted.as_object().into_iter().flatten().all(|(field, wanted)| {
        let written = written.get(field);
        match (field.as_str(), wanted) {
            ("conditions", Value::Array(wanted)) => {
                let written = written.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let held = |one: &Value| written.iter().any(|written| says(written) == says(one));
                wanted.iter().all(held)
            }
            ("loadBalancer", wanted) => addresses(written.unwrap_or(&Value::Null)) == addresses(wanted),
            (_, Value::Number(_)) => number(written) == number(Some(wanted)),
            (_, wanted) => written == Some(wanted),
        }
    })
}

fn says(condition: &Value) -> Map<String, Value> {
    let mut said = condition.as_object().cloned().unwrap_or_default();
    // Jobs have a time of probing instead; an empty text is left out of what is stored.
    said.retain(|field, value| !field.ends_with("ProbeTime") && *value != "");
    said
}

fn number(value: Option<&Value>) -> i64 {
    value.and_then(Value::as_i64).unwrap_or(0)
}

fn addresses(balancer: &Value) -> BTreeSet<String> {
    let text = |one: &Value| one["ip"].as_str().or(one["hostname"].as_str()).unwrap_or_default().to_owned();
    balancer["ingress"].as_array().into_iter().flatten().map(text).collect()
}
