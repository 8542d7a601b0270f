//! Two bodies become one: everything that names the body that ends names the one that takes it over.
//!
//! What the receiving body allows holds for what comes to it, so a merger may leave a system where it no longer may be;
//! that is what the study is for.

use jiuzhou_api::study::MergeTenants;
use serde_json::{Value, json};

use super::change::Fleet;
use super::edit;

/// Lists of tenants: kind and field.
const LISTS: [(&str, &str); 5] = [
    ("MemberCluster", "/spec/dedicatedTo"),
    ("ChangeFreeze", "/spec/tenants"),
    ("OperatingMode", "/spec/tenants"),
    ("Report", "/spec/scope/tenants"),
    ("ClusterReport", "/spec/scope/tenants"),
];

/// Fields with one tenant.
const FIELDS: [(&str, &str); 3] =
    [("InformationSystem", "/spec/tenant"), ("Tenant", "/spec/blockParent"), ("Tenant", "/spec/lineParent")];

/// Merges one tenant into another.
pub(super) fn tenants(fleet: &mut Fleet<'_, '_>, bodies: &MergeTenants) {
    let MergeTenants { from, into } = bodies;
    let mut gone = Value::Null;
    let both = fleet.edit("Tenant", "", from, |document, _| gone = document.value.clone())
        & fleet.edit("Tenant", "", into, |_, _| {});
    if !both {
        return;
    }
    fleet.edit("Tenant", "", into, |document, by| {
        for (field, key) in [("/spec/namespaces", "name"), ("/spec/quota", "name")] {
            let list = |value: &Value| value.pointer(field).and_then(Value::as_array).cloned().unwrap_or_default();
            let (mut own, coming) = (list(&document.value), list(&gone));
            for mut one in coming {
                let taken = own.iter().any(|other| edit::text(other, key) == edit::text(&one, key));
                if taken && field == "/spec/quota" {
                    let renamed = format!("{from}-{}", edit::text(&one, key));
                    edit::put(&mut one, key, json!(renamed));
                } else if taken {
                    continue;
                }
                own.push(one);
            }
            if !own.is_empty() {
                edit::set(document, field, Value::Array(own), by);
            }
        }
        // Who answered to the body that ends cannot answer to itself.
        for field in ["/spec/blockParent", "/spec/lineParent"] {
            if document.value.pointer(field).and_then(Value::as_str) == Some(&**from) {
                let above = gone.pointer(field).cloned().unwrap_or(Value::Null);
                edit::set(document, field, above, by);
            }
        }
    });
    fleet.remove("Tenant", "", from);
    let by = fleet.by;
    for (kind, field) in FIELDS {
        for document in fleet.of_kind(kind) {
            if document.value.pointer(field).and_then(Value::as_str) == Some(&**from) {
                edit::set(document, field, json!(**into), by);
            }
        }
    }
    for document in fleet.of_kind("InformationSystem") {
        edit::each(document, "/spec/bodies", by, |body| {
            let ends = edit::text(body, "tenant") == &**from;
            if ends {
                edit::put(body, "tenant", json!(**into));
            }
            ends
        });
    }
    for (kind, field) in LISTS {
        for document in fleet.of_kind(kind) {
            let Some(Value::Array(list)) = document.value.pointer(field) else { continue };
            if !list.iter().any(|one| one.as_str() == Some(&**from)) {
                continue;
            }
            let mut left: Vec<Value> = list.iter().filter(|one| one.as_str() != Some(&**from)).cloned().collect();
            if !left.iter().any(|one| one.as_str() == Some(&**into)) {
                left.push(json!(**into));
            }
            edit::set(document, field, Value::Array(left), by);
        }
    }
}
