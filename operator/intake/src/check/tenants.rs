//! The two trees of tenants, and who owns a namespace.

use std::collections::BTreeMap;

use jiuzhou_api::text::Name;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Finding, Reason};

use crate::convert::namespace_owners;
use crate::objects::{Item, Objects, named};

use super::own;

type Parent = fn(&api::TenantSpec) -> Option<&Name>;

pub(super) fn check(objects: &Objects, findings: &mut Vec<Finding>) {
    let trees: [(&str, Parent); 2] = [
        ("/spec/blockParent", |spec| spec.block_parent.as_ref()),
        ("/spec/lineParent", |spec| spec.line_parent.as_ref()),
    ];
    for (pointer, parent) in trees {
        for item in own(&objects.tenants) {
            if let Some(way) = cycle(objects, item, parent) {
                let name = item.document.object_ref().to_string();
                let reason = Reason::new(Code::TenantCycle).object(name).seen(way.join(" → "));
                findings.push(item.document.finding(reason, pointer));
            }
        }
    }
    namespaces(objects, findings);
}

/// The way from a tenant up to itself; `None` when there is none. Every tenant of a circle is told.
fn cycle(objects: &Objects, item: &Item<api::Tenant>, parent: Parent) -> Option<Vec<String>> {
    let start = item.document.name.as_str();
    let mut way = vec![start.to_owned()];
    let mut at = item;
    // No way without a repetition is longer than there are tenants.
    for _ in 0..objects.tenants.len() {
        let name = parent(&at.object.spec)?;
        way.push(name.to_string());
        if *name == start {
            return Some(way);
        }
        at = named(&objects.tenants, name)?;
    }
    None
}

/// A namespace has one owner; systems and workloads stand in one that has.
fn namespaces(objects: &Objects, findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    for item in objects.tenants.values() {
        for (index, namespace) in item.object.spec.namespaces.iter().enumerate() {
            let owner = first.entry(&namespace.name).or_insert(&item.document.name);
            if *owner != item.document.name {
                let reason = Reason::new(Code::ObjectDuplicate).object(format!("Namespace/{}", namespace.name));
                let reason = reason.seen(format!("Tenant/{owner}"));
                findings.push(item.document.finding(reason, &format!("/spec/namespaces/{index}/name")));
            }
        }
    }
    if objects.refused.iter().any(|object| object.kind == "Tenant") {
        // It may be the owner.
        return;
    }
    let owners = namespace_owners(objects);
    for item in own(&objects.systems) {
        owned(&item.document, &owners, findings);
        let owner = owners.get(&item.document.namespace);
        if let Some(owner) = owner.filter(|owner| *item.object.spec.tenant != ***owner) {
            let reason = Reason::new(Code::ValueNotAllowed).object("spec.tenant").seen(&*item.object.spec.tenant);
            findings.push(item.document.finding(reason.wanted(vec![owner.clone()]), "/spec/tenant"));
        }
    }
    for item in own(&objects.workloads) {
        owned(&item.document, &owners, findings);
    }
}

fn owned(document: &crate::documents::Document, owners: &BTreeMap<String, String>, findings: &mut Vec<Finding>) {
    if !owners.contains_key(&document.namespace) {
        let reason = Reason::new(Code::NamespaceUnowned).object(document.namespace.as_str());
        findings.push(document.finding(reason, "/metadata/namespace"));
    }
}
