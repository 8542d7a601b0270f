//! Codes and names that must be one of a kind: project codes, credit codes, owners of namespaces, clusters.
//!
//! Two objects with one kind and name are found when objects are collected (`objects`).

use std::collections::BTreeMap;

use jiuzhou_api::text::CreditCode;
use jiuzhou_engine::terms::{Code, Finding, Reason};

use crate::documents::Document;

use super::credit_code;
use super::scene::{Field, Scene, full_name, input};

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    project_codes(scene, out);
    credit_codes(scene, out);
    namespaces_owned_twice(scene, out);
    namespaces_unowned(scene, out);
    systems_outside_their_tenant(scene, out);
    clusters(scene, out);
}

/// Remembers who had a value first.
#[derive(Default)]
struct First<'a>(BTreeMap<String, &'a Document>);

impl<'a> First<'a> {
    /// A finding when another object had the value before.
    fn take(&mut self, code: Code, value: &str, shown: &str, at: &Field<'a>, out: &mut Vec<Finding>) {
        match self.0.get(value) {
            Some(first) => {
                let reason = Reason::new(code).object(shown).seen(full_name(first));
                out.push(at.finding(reason));
            }
            None => {
                self.0.insert(value.to_owned(), at.document);
            }
        }
    }
}

/// Project codes (项目编码) are compared without regard to case: registers print both.
fn project_codes(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut first = First::default();
    for item in input(&scene.objects.systems) {
        let code = &item.object.spec.project_code;
        let at = Field::new(&item.document, "/spec/projectCode");
        first.take(Code::ProjectCodeDuplicate, &code.trim().to_uppercase(), code, &at, out);
    }
    for (code, at) in rejected(scene, "InformationSystem", "/spec/projectCode") {
        first.take(Code::ProjectCodeDuplicate, &code.trim().to_uppercase(), code, &at, out);
    }
}

/// What objects that their schema refused say in one field, where it is a text.
fn rejected<'a>(scene: &Scene<'a>, kind: &str, pointer: &'static str) -> impl Iterator<Item = (&'a str, Field<'a>)> {
    let documents = scene.objects.rejected.iter().filter(move |document| document.kind == kind);
    documents
        .filter_map(move |document| Some((document.value.pointer(pointer)?.as_str()?, Field::new(document, pointer))))
}

fn credit_codes(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut first = First::default();
    for item in input(&scene.objects.tenants) {
        let Some(code) = &item.object.spec.unified_code else { continue };
        let at = Field::new(&item.document, "/spec/unifiedCode");
        first.take(Code::CreditCodeDuplicate, code, code, &at, out);
        valid(code, &at, out);
    }
    for (code, at) in rejected(scene, "Tenant", "/spec/unifiedCode") {
        first.take(Code::CreditCodeDuplicate, code, code, &at, out);
    }
    for item in input(&scene.objects.systems) {
        for (index, contractor) in item.object.spec.contractors.iter().enumerate() {
            if let Some(code) = &contractor.unified_code {
                let at = Field::new(&item.document, format!("/spec/contractors/{index}/unifiedCode"));
                valid(code, &at, out);
            }
        }
    }
}

fn valid(code: &CreditCode, at: &Field<'_>, out: &mut Vec<Finding>) {
    if !credit_code::is_valid(code) {
        let check = credit_code::check_character(code).map(String::from).unwrap_or_default();
        out.push(at.finding(Reason::new(Code::CreditCodeInvalid).seen(code.as_ref()).wanted(check)));
    }
}

fn namespaces_owned_twice(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut first = First::default();
    for item in input(&scene.objects.tenants) {
        for (index, namespace) in item.object.spec.namespaces.iter().enumerate() {
            let at = Field::new(&item.document, format!("/spec/namespaces/{index}/name"));
            first.take(Code::NamespaceOwnedTwice, &namespace.name, &namespace.name, &at, out);
        }
    }
}

/// One finding per namespace, at its first object.
fn namespaces_unowned(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    if scene.refused_any(&["Tenant"]) {
        // It may be the owner.
        return;
    }
    let systems = input(&scene.objects.systems).map(|item| &item.document);
    let workloads = input(&scene.objects.workloads).map(|item| &item.document);
    let mut lost: BTreeMap<&str, &Document> = BTreeMap::new();
    for document in systems.chain(workloads).filter(|d| !scene.owners.contains_key(d.namespace.as_str())) {
        lost.entry(document.namespace.as_str()).or_insert(document);
    }
    for (namespace, document) in lost {
        let near = scene.nearest(namespace, &mut scene.owners.keys().copied());
        let reason = Reason::new(Code::NamespaceUnowned).object(namespace).wanted(near);
        out.push(document.finding(reason, "/metadata/namespace"));
    }
}

fn systems_outside_their_tenant(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    for item in input(&scene.objects.systems) {
        let Some(owners) = scene.owners.get(item.document.namespace.as_str()) else { continue };
        let tenant = &item.object.spec.tenant;
        if owners.iter().all(|owner| *tenant != owner.document.name.as_str()) {
            let names: Vec<String> = owners.iter().map(|owner| owner.document.name.clone()).collect();
            let reason = Reason::new(Code::SystemOutsideTenant).object(full_name(&item.document));
            let reason = reason.seen(tenant.as_ref()).wanted(names.join(", "));
            out.push(item.document.finding(reason, "/spec/tenant"));
        }
    }
}

/// The uid of `kube-system` names a cluster; two registrations with one kubeconfig are one cluster too.
fn clusters(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let (mut uids, mut secrets) = (First::default(), First::default());
    for item in input(&scene.objects.clusters) {
        let name = full_name(&item.document);
        if let Some(identity) = item.object.status.as_ref().and_then(|status| status.identity.as_ref()) {
            let at = Field::new(&item.document, "/status/identity/uid");
            uids.take(Code::ClusterIdentityDuplicate, &identity.uid, &name, &at, out);
        }
        if let Some(push) = &item.object.spec.connection.push {
            let at = Field::new(&item.document, "/spec/connection/push");
            let secret = format!("{}/{}/{}", push.secret_namespace, push.secret_name, push.secret_key);
            secrets.take(Code::ClusterIdentityDuplicate, &secret, &name, &at, out);
        }
    }
}
