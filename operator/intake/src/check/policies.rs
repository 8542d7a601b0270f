//! Policies nobody uses, selectors that match no cluster, freezes that lie over each other.

use std::collections::BTreeSet;

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Finding, Reason};

use crate::convert::{Places, labels};
use crate::documents::Document;
use crate::objects::{Objects, named};

use super::own;

pub(super) fn check(objects: &Objects, findings: &mut Vec<Finding>) {
    unused(objects, findings);
    empty(objects, findings);
    overlapping(objects, findings);
}

/// Every cluster selector of a placement with its pointer.
pub(super) fn selectors<'a>(pointer: &str, rules: &'a api::PlacementRules) -> Vec<(String, &'a api::ClusterSelector)> {
    let mut all = Vec::new();
    all.extend(rules.clusters.iter().map(|selector| (format!("{pointer}/clusters"), selector)));
    for (index, group) in rules.groups.iter().enumerate() {
        all.push((format!("{pointer}/groups/{index}/selector"), &group.selector));
    }
    for (index, weight) in rules.replicas.weights.iter().enumerate() {
        all.push((format!("{pointer}/replicas/weights/{index}/selector"), &weight.selector));
    }
    for (index, entry) in rules.overrides.iter().enumerate() {
        all.extend(entry.clusters.iter().map(|selector| (format!("{pointer}/overrides/{index}/clusters"), selector)));
    }
    all
}

fn unused(objects: &Objects, findings: &mut Vec<Finding>) {
    if objects.refused.iter().any(|object| matches!(object.kind.as_str(), "FleetWorkload" | "Tenant")) {
        // It may be the one that uses it.
        return;
    }
    let by_workload = objects.workloads.values().filter_map(|item| {
        let policy = item.object.spec.placement_policy.as_ref()?;
        Some((item.document.namespace.clone(), policy.to_string()))
    });
    let by_tenant = objects.tenants.values().flat_map(|item| {
        let policy = item.object.spec.default_policy.as_ref();
        let namespaces = item.object.spec.namespaces.iter();
        policy.into_iter().flat_map(move |policy| {
            let inside = namespaces.clone().map(|n| (n.name.to_string(), policy.to_string()));
            inside.chain([(String::new(), policy.to_string())])
        })
    });
    let used: BTreeSet<(String, String)> = by_workload.chain(by_tenant).collect();
    let mut tell = |document: &Document| {
        let reason = Reason::new(Code::PolicyUnused).object(document.object_ref().to_string());
        findings.push(document.finding(reason, "/metadata/name"));
    };
    for item in own(&objects.policies) {
        if !used.contains(&(item.document.namespace.clone(), item.document.name.clone())) {
            tell(&item.document);
        }
    }
    for item in own(&objects.cluster_policies) {
        // A policy of the namespace with the same name comes first.
        let named = |(namespace, name): &(String, String)| {
            *name == item.document.name && !objects.policies.contains_key(&(namespace.clone(), name.clone()))
        };
        if !used.iter().any(named) {
            tell(&item.document);
        }
    }
}

fn empty(objects: &Objects, findings: &mut Vec<Finding>) {
    if objects.refused.iter().any(|object| matches!(object.kind.as_str(), "MemberCluster" | "Site")) {
        // It may be the one that is meant.
        return;
    }
    let places = Places::new(&objects.clusters, &objects.sites);
    let clusters: Vec<_> = objects
        .clusters
        .values()
        .map(|item| (item.document.name.as_str(), labels(&item.object, named(&objects.sites, &item.object.spec.site))))
        .collect();
    let mut check = |document: &Document, pointer: &str, selector: &api::ClusterSelector| {
        let affinity = places.affinity(selector);
        if !clusters.iter().any(|(name, labels)| affinity.matches(name, labels)) {
            let seen = serde_json::to_string(selector).unwrap_or_default();
            let reason = Reason::new(Code::SelectorEmpty).object(pointer.trim_start_matches('/').replace('/', "."));
            findings.push(document.finding(reason.seen(seen), pointer));
        }
    };
    let mut rules = |document: &Document, rules: &api::PlacementRules| {
        for (pointer, selector) in selectors("/spec/placement", rules) {
            check(document, &pointer, selector);
        }
    };
    for item in own(&objects.policies) {
        rules(&item.document, &item.object.spec.placement);
    }
    for item in own(&objects.cluster_policies) {
        rules(&item.document, &item.object.spec.placement);
    }
    for item in own(&objects.workloads) {
        if let Some(placement) = &item.object.spec.placement {
            rules(&item.document, placement);
        }
    }
    for item in own(&objects.freezes) {
        if let Some(selector) = &item.object.spec.clusters {
            check(&item.document, "/spec/clusters", selector);
        }
    }
}

/// Two freezes of the same scope at the same time: one of them was meant to be changed.
fn overlapping(objects: &Objects, findings: &mut Vec<Finding>) {
    let freezes: Vec<_> = own(&objects.freezes).collect();
    for (index, item) in freezes.iter().enumerate() {
        let spec = &item.object.spec;
        let same = |other: &&&crate::objects::Item<api::ChangeFreeze>| {
            let other = &other.object.spec;
            other.clusters == spec.clusters
                && other.tenants == spec.tenants
                && other.start.0 < spec.end.0
                && spec.start.0 < other.end.0
        };
        if let Some(other) = freezes.iter().take(index).find(same) {
            let reason = Reason::new(Code::FreezeOverlap).object(item.document.name.as_str());
            let reason = reason.seen(other.document.name.as_str());
            findings.push(item.document.finding(reason, "/spec/start"));
        }
    }
}
