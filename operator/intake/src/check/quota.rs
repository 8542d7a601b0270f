//! Quotas that are smaller than what already stands against them, along the payer's tree.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::decide::{FleetInput, Resources};
use jiuzhou_engine::terms::{Code, Finding, Reason, Value};

use crate::objects::{Objects, Origin, named};

pub(super) fn check(objects: &Objects, fleet: &FleetInput, as_of: Timestamp, findings: &mut Vec<Finding>) {
    let used = used(fleet);
    for tenant in &fleet.tenants {
        let Some(grants) = &tenant.grants else { continue };
        let Some(item) = named(&objects.tenants, &tenant.name).filter(|item| item.origin == Origin::Input) else {
            continue;
        };
        let mut allowed: BTreeMap<&str, i128> = BTreeMap::new();
        for grant in grants.iter().filter(|grant| grant.term.holds(as_of)) {
            for (name, amount) in &grant.amount {
                *allowed.entry(name).or_insert(0) += i128::from(*amount);
            }
        }
        let Some(used) = used.get(tenant.name.as_str()) else { continue };
        for (name, allowed) in allowed {
            let asked = used.get(name).copied().unwrap_or(0);
            if asked > allowed {
                let reason = Reason::new(Code::QuotaBelowUse).object(format!("{}: {name}", tenant.name));
                let reason = reason.seen(amount(name, asked)).wanted(amount(name, allowed));
                findings.push(item.document.finding(reason, "/spec/quota"));
            }
        }
    }
}

/// What all workloads ask for, by tenant and every payer above it.
fn used(fleet: &FleetInput) -> BTreeMap<&str, BTreeMap<&str, i128>> {
    let parents: BTreeMap<&str, &str> = fleet
        .tenants
        .iter()
        .filter_map(|tenant| Some((tenant.name.as_str(), tenant.quota_parent.as_deref()?)))
        .collect();
    let mut used: BTreeMap<&str, BTreeMap<&str, i128>> = BTreeMap::new();
    for spec in &fleet.specs {
        let mut payer = Some(spec.requirement.tenant.as_str());
        // A circle is a finding of its own; here it ends after as many steps as there are tenants.
        for _ in 0..=fleet.tenants.len() {
            let Some(name) = payer else { break };
            take(used.entry(name).or_default(), &spec.quota, spec.replicas);
            payer = parents.get(name).copied();
        }
    }
    used
}

fn take<'a>(account: &mut BTreeMap<&'a str, i128>, quota: &'a Resources, replicas: i64) {
    for (name, amount) in quota {
        *account.entry(name).or_insert(0) += i128::from(*amount) * i128::from(replicas);
    }
}

fn amount(name: &str, amount: i128) -> Value {
    let amount = i64::try_from(amount).unwrap_or(i64::MAX);
    match name {
        "cpu" => Value::Millicores(amount),
        "memory" | "ephemeral-storage" | "requests.storage" => Value::Bytes(amount),
        _ => Value::Int(amount),
    }
}
