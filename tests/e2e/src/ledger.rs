//! The operator's own audit log held against those of the API servers: no write of ours without a recorded decision
//! before it.
//!
//! Both clocks are this machine's. What the operator writes for itself (its namespace in the member, leases, questions
//! about rights) is no delivery and needs no decision.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use jiuzhou_records::audit::verify;
use serde_json::Value;

use crate::audit::Event;
use crate::fleet::Fleet;
use crate::operator;

/// A record, as far as it is looked at here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// By the operator's clock.
    pub time: Timestamp,
    /// `DecisionCommitted`, `WriteIntent`, `WriteOutcome`, …
    pub kind: String,
    /// The decision or order it belongs to.
    pub decision: String,
    /// The member concerned; empty for none.
    pub cluster: String,
    /// Kind, namespace and name of the objects written.
    pub objects: Vec<[String; 3]>,
}

/// Namespaces in a member that hold what the operator needs for itself.
const OWN: [&str; 2] = ["jiuzhou-system", "jiuzhou-tenants"];

/// Resources by which something is asked and nothing is delivered.
const QUESTIONS: [&str; 5] =
    ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews", "tokenreviews", "leases"];

/// Every record of a log that is sound, in order.
///
/// # Errors
/// When the log cannot be read, or a record is not as it was written.
pub fn read(folder: &Path) -> Result<Vec<Entry>> {
    let verified = verify(folder, None).context("failed to verify the audit log")?;
    ensure!(verified.is_sound(), "failed to trust the audit log: {:?}", verified.damages);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .with_context(|| format!("failed to read {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("audit-")))
        .collect();
    paths.sort();
    let mut entries = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for entry in lines.map(|line| line["entry"].clone()).filter(Value::is_object) {
            entries.push(Entry::read(&entry)?);
        }
    }
    Ok(entries)
}

impl Entry {
    fn read(value: &Value) -> Result<Self> {
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let objects = value["objects"].as_array().into_iter().flatten();
        Ok(Self {
            time: text(value, "time").parse().context("failed to read the time of a record")?,
            kind: text(value, "kind"),
            decision: text(value, "decision"),
            cluster: text(&value["cluster"], "name"),
            objects: objects.map(|one| ["kind", "namespace", "name"].map(|key| text(one, key))).collect(),
        })
    }

    fn names(&self, event: &Event) -> bool {
        self.objects.iter().any(|[kind, namespace, name]| {
            // Plurals differ from the kind in their last letters only: policy, policies.
            let stem = kind.to_lowercase();
            let stem = stem.get(..stem.len().saturating_sub(1)).unwrap_or_default();
            // An API server says of a request for a namespace that it is in that namespace.
            let within = *namespace == event.namespace || event.resource == "namespaces";
            *name == event.name && within && event.resource.starts_with(stem)
        })
    }
}

/// Deliveries to a member among what its API server recorded of us.
#[must_use]
pub fn deliveries(events: &[Event]) -> Vec<&Event> {
    let ours = events.iter().filter(|event| event.wrote() && event.user_agent.starts_with("jiuzhou"));
    let delivered = ours.filter(|event| {
        let resource = event.resource.split('/').next().unwrap_or_default();
        !OWN.contains(&event.namespace.as_str())
            && !QUESTIONS.contains(&resource)
            && !OWN.contains(&event.name.as_str())
    });
    delivered.collect()
}

/// Deliveries to a member that no recorded decision and no recorded intent stands before.
#[must_use]
pub fn unrecorded(entries: &[Entry], member: &str, events: &[Event]) -> Vec<String> {
    let before = |event: &Event| {
        let mut intents = entries.iter().enumerate().filter(|(_, entry)| {
            entry.kind == "WriteIntent" && entry.cluster == member && entry.time <= event.received && entry.names(event)
        });
        intents.any(|(place, intent)| {
            let decided = |entry: &Entry| {
                (entry.kind == "DecisionCommitted" || entry.kind == "OrderGiven") && entry.decision == intent.decision
            };
            entries[..place].iter().any(decided)
        })
    };
    // An agent records nothing itself: what it writes follows an order that the hub stored for it.
    let stored = |event: &Event| {
        let namespace = if event.namespace.is_empty() { &event.name } else { &event.namespace };
        let place = format!("jiuzhou-member-{member}");
        let is_order = |[kind, of, name]: &[String; 3]| {
            kind == "Delivery" && *of == place && name.starts_with(&format!("{namespace}."))
        };
        let mut orders = entries.iter().filter(|entry| {
            entry.kind == "WriteIntent" && entry.time <= event.received && entry.objects.iter().any(is_order)
        });
        let decision = event.request.pointer("/metadata/annotations/jiuzhou.dev~1decision").and_then(Value::as_str);
        let committed = decision.is_none_or(|decision| {
            let is_it = |entry: &Entry| entry.kind == "DecisionCommitted" && entry.decision == decision;
            entries.iter().any(|entry| is_it(entry) && entry.time <= event.received)
        });
        orders.next().is_some() && committed
    };
    let bare = deliveries(events).into_iter().filter(|event| !before(event) && !stored(event));
    bare.map(|event| format!("{member} {} {} {} at {}", event.verb, event.uri, event.code, event.received)).collect()
}

/// Every member's log held against the operator's; also says how many deliveries were looked at.
///
/// # Errors
/// When a log cannot be read, or a delivery has no recorded decision before it.
pub fn every_delivery_was_decided(fleet: &Fleet) -> Result<usize> {
    let entries = read(&operator::audit(fleet))?;
    let (mut bare, mut looked) = (Vec::new(), 0);
    for member in fleet.members() {
        let events = member.audit()?;
        looked += deliveries(&events).len();
        bare.extend(unrecorded(&entries, member.name(), &events));
    }
    ensure!(bare.is_empty(), "failed to find a decision before {} writes:\n{}", bare.len(), bare.join("\n"));
    Ok(looked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, second: i64) -> Entry {
        Entry {
            time: Timestamp::from_second(second).unwrap(),
            kind: kind.to_owned(),
            decision: "sha256:d".to_owned(),
            cluster: if kind == "WriteIntent" { "kunpeng".to_owned() } else { String::new() },
            objects: vec![["NetworkPolicy", "shop", "web"].map(str::to_owned)],
        }
    }

    fn event(second: i64) -> Event {
        let time = Timestamp::from_second(second).unwrap();
        Event {
            id: "1".to_owned(),
            received: time,
            answered: time,
            user: "system:serviceaccount:jiuzhou-system:hub".to_owned(),
            acted_as: None,
            user_agent: "jiuzhou/0.1.0".to_owned(),
            verb: "patch".to_owned(),
            uri: "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/web".to_owned(),
            group: "networking.k8s.io".to_owned(),
            resource: "networkpolicies".to_owned(),
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
            code: 200,
            cause: String::new(),
            request: Value::Null,
        }
    }

    #[test]
    fn a_write_after_its_decision_and_intent_is_recorded() {
        let entries = [entry("DecisionCommitted", 1), entry("WriteIntent", 2)];
        assert_eq!(unrecorded(&entries, "kunpeng", &[event(3)]), Vec::<String>::new());
    }

    #[test]
    fn a_write_without_intent_or_before_it_or_elsewhere_or_of_another_object_is_told() {
        let decided = [entry("DecisionCommitted", 1), entry("WriteIntent", 2)];
        let mut other = decided.clone();
        other[1].objects[0][2] = "api".to_owned();
        let found = |entries: &[Entry], member: &str, second| unrecorded(entries, member, &[event(second)]).len();
        assert_eq!(found(&decided[..1], "kunpeng", 3), 1, "no intent");
        assert_eq!(found(&decided[1..], "kunpeng", 3), 1, "an intent without a decision");
        assert_eq!(found(&decided, "kunpeng", 1), 1, "written before the intent");
        assert_eq!(found(&decided, "hygon", 3), 1, "another member");
        assert_eq!(found(&other, "kunpeng", 3), 1, "another object");
    }

    #[test]
    fn what_an_agent_writes_follows_a_stored_order_and_a_committed_decision() {
        let mut stored = entry("WriteIntent", 2);
        stored.objects = vec![["Delivery", "jiuzhou-member-kunpeng", "shop.web"].map(str::to_owned)];
        let entries = [entry("DecisionCommitted", 1), stored];
        let mut written = event(3);
        let found = |event: &Event, member| unrecorded(&entries, member, std::slice::from_ref(event)).len();
        assert_eq!(found(&written, "kunpeng"), 0);
        assert_eq!(found(&written, "hygon"), 1, "the order is another member's");
        assert_eq!(found(&event(1), "kunpeng"), 1, "before the order");
        let decided =
            |decision: &str| serde_json::json!({"metadata": {"annotations": {"jiuzhou.dev/decision": decision}}});
        written.request = decided("sha256:d");
        assert_eq!(found(&written, "kunpeng"), 0);
        written.request = decided("sha256:nobody");
        assert_eq!(found(&written, "kunpeng"), 1, "a decision that nobody committed");
    }

    #[test]
    fn what_the_operator_keeps_for_itself_is_no_delivery_and_what_others_write_is_not_ours() {
        let mut own = event(3);
        own.namespace = "jiuzhou-system".to_owned();
        let mut question = event(3);
        question.resource = "selfsubjectaccessreviews".to_owned();
        let mut stranger = event(3);
        stranger.user_agent = "kubectl/v1.36.3".to_owned();
        let mut refused = event(3);
        refused.code = 403;
        assert_eq!(deliveries(&[own, question, stranger, refused]), Vec::<&Event>::new());
    }
}
