//! Tenants with their quota, and change freezes.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::text::Resources as Quantities;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::Resources;
use jiuzhou_engine::decide::input::{FreezeInput, Grant, TenantInput, Term};
use jiuzhou_engine::decide::resources;
use jiuzhou_engine::terms::{Code, Finding, Reason};
use jiuzhou_objects::quantity::Quantity;

use crate::approvals::Approved;
use crate::beijing;
use crate::documents::Document;
use crate::in_force;
use crate::objects::{Item, Items};

use super::places::{Places, prefix};

pub(super) fn tenants(
    items: &Items<api::Tenant>,
    approved: &Approved,
    findings: &mut Vec<Finding>,
) -> Vec<TenantInput> {
    items.values().map(|item| tenant(item, approved, findings)).collect()
}

fn tenant(item: &Item<api::Tenant>, approved: &Approved, findings: &mut Vec<Finding>) -> TenantInput {
    // What is not used here is for people (names), for reports (budget, level) or for the checks (codes, predecessors).
    let api::TenantSpec {
        display_name: _,
        unified_code: _,
        level: _,
        kind: _,
        region: _,
        block_parent,
        line_parent,
        quota_parent,
        quota: _, // what of it holds
        failover_headroom_percent: _,
        budget: _,
        allowed,
        default_policy: _,
        predecessors: _,
        namespaces: _,
    } = &item.object.spec;
    let api::Allowed { regions, zones, min_tier, providers, clusters } = allowed;
    let parent = match quota_parent {
        api::QuotaParent::Block => block_parent,
        api::QuotaParent::Line => line_parent,
    };
    let (quota, headroom) = in_force::quota(&item.object, approved);
    let grants: Vec<Grant> =
        quota.iter().enumerate().filter_map(|(i, grant)| self::grant(item, i, grant, findings)).collect();
    TenantInput {
        name: item.document.name.clone(),
        quota_parent: parent.as_ref().map(ToString::to_string),
        grants: (!quota.is_empty()).then_some(grants),
        headroom_percent: u8::try_from(headroom).unwrap_or(0),
        regions: regions.iter().map(|code| prefix(code).to_owned()).collect(),
        zones: texts(zones),
        providers: texts(providers),
        tier: min_tier.as_ref().map(ToString::to_string),
        clusters: texts(clusters),
    }
}

/// A grant for one platform limits resources of its own: the engine takes `cpu@kunpeng-920` for cpu on that platform.
fn grant(
    item: &Item<api::Tenant>,
    index: usize,
    grant: &api::QuotaGrant,
    findings: &mut Vec<Finding>,
) -> Option<Grant> {
    let api::QuotaGrant { name: _, document, from, until, platform, hard } = grant;
    let pointer = format!("/spec/quota/{index}");
    let term = term(&item.document, &pointer, Some(from), until.as_deref(), findings)?;
    let mut amount = amounts(&item.document, &format!("{pointer}/hard"), hard, findings);
    if let Some(platform) = platform {
        amount = amount.into_iter().map(|(resource, amount)| (format!("{resource}@{platform}"), amount)).collect();
    }
    Some(Grant { document: document.number.to_string(), term, amount })
}

/// A term of two dates; `None` with a finding when one is no day of the calendar.
pub(super) fn term(
    document: &Document,
    pointer: &str,
    from: Option<&str>,
    until: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Option<Term> {
    let term = beijing::term(from, until);
    if term.is_none() {
        let seen = [from, until].into_iter().flatten().collect::<Vec<_>>().join(" – ");
        let reason = Reason::new(Code::FormatInvalid).object(pointer).seen(seen).wanted("YYYY-MM-DD");
        findings.push(document.finding(reason, pointer));
    }
    term
}

/// Quantities in the engine's units: cpu in millicores, the rest in its base unit, parts rounded up as Kubernetes does.
pub(super) fn amounts(
    document: &Document,
    pointer: &str,
    quantities: &Quantities,
    findings: &mut Vec<Finding>,
) -> Resources {
    let mut amounts = BTreeMap::new();
    for (name, text) in &quantities.0 {
        let quantity = Quantity::parse(&text.0).ok().filter(|q| !q.is_negative());
        let amount = quantity.and_then(|q| match name.as_str() {
            resources::CPU => q.millicores().map(|m| m.0),
            _ => q.units(),
        });
        match amount {
            Some(amount) => {
                amounts.insert(name.clone(), amount);
            }
            None => {
                let reason = Reason::new(Code::UnitUnknown).object(name.as_str()).seen(text.0.as_str());
                let at = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                findings.push(document.finding(reason.wanted("≥ 0, < 2^63"), &at));
            }
        }
    }
    amounts
}

/// Change freezes; a tenant stands for everything below it in either tree.
pub(super) fn freezes(
    items: &Items<api::ChangeFreeze>,
    tenants: &Items<api::Tenant>,
    places: &Places,
) -> Vec<FreezeInput> {
    let freeze = |item: &Item<api::ChangeFreeze>| {
        let api::ChangeFreezeSpec { start, end, reason: _, document: _, clusters, tenants: named } = &item.object.spec;
        FreezeInput {
            name: item.document.name.clone(),
            term: Term { from: Some(start.0), until: Some(end.0) },
            clusters: clusters.as_ref().map(|selector| places.affinity(selector)),
            tenants: below(tenants, named.iter().map(ToString::to_string).collect()),
        }
    };
    items.values().map(freeze).collect()
}

/// The named tenants and all below them.
pub(super) fn below(tenants: &Items<api::Tenant>, mut set: BTreeSet<String>) -> BTreeSet<String> {
    loop {
        let before = set.len();
        for item in tenants.values() {
            let parents = [&item.object.spec.block_parent, &item.object.spec.line_parent];
            if parents.into_iter().flatten().any(|parent| set.contains(&**parent)) {
                set.insert(item.document.name.clone());
            }
        }
        if set.len() == before {
            return set;
        }
    }
}

pub(super) fn texts<T: ToString>(list: &[T]) -> BTreeSet<String> {
    list.iter().map(ToString::to_string).collect()
}
