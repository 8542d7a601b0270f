//! Native manifests: those inside workloads, those a workload selects, and those that stand beside.
//!
//! What one manifest says is read by the room `objects`; here its findings get their places, and what only several
//! workloads together show is added. Images and requests are read, and told, by the conversion.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::FleetWorkload;
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Reason};
use jiuzhou_objects::dependencies::Graph;
use jiuzhou_objects::images::ImageRef;
use jiuzhou_objects::needs::NodeNeeds;
use jiuzhou_objects::object::{Object, Scope, scope_of};
use jiuzhou_objects::profile::may_hide_pods;
use jiuzhou_objects::selection::takes;
use jiuzhou_objects::shape::{Count, Scaler, Shape, scalers};
use serde_json::Value;

use crate::adopt::taken_over;
use crate::documents::Document;
use crate::objects::Item;

use super::scene::{Scene, full_name, input, weigh};

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let parts = parts(scene);
    for part in &parts.all {
        one(scene, part, out);
    }
    claimed_twice(&parts.all, out);
    dependencies(scene, &parts.all, out);
    autoscalers(scene, &parts.all, out);
    components(scene, out);
    beside(scene, &parts.selected, out);
}

/// One manifest and the workload that delivers it.
struct Part<'a> {
    workload: &'a Item<FleetWorkload>,
    /// Where the manifest stands.
    document: &'a Document,
    /// The manifest in that document.
    pointer: String,
    value: &'a Value,
}

impl Part<'_> {
    /// Gives a finding of the room `objects` its place in the input.
    fn place(&self, finding: Finding) -> Finding {
        let severity = finding.severity;
        let pointer = format!("{}{}", self.pointer, finding.pointer);
        weigh(self.document.finding(finding.reason, &pointer), severity)
    }

    fn finding(&self, reason: Reason, pointer: &str) -> Finding {
        self.document.finding(reason, &format!("{}{pointer}", self.pointer))
    }

    /// The namespace it is delivered to.
    fn namespace(&self) -> &str {
        match scope(Object::new(self.value)) {
            Scope::Cluster => "",
            Scope::Namespaced => &self.workload.document.namespace,
        }
    }

    /// The manifest with the namespace it is delivered to.
    fn delivered(&self) -> Value {
        let mut value = self.value.clone();
        if let Some(metadata) = value.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            metadata.insert("namespace".to_owned(), self.namespace().into());
        }
        value
    }

    fn key(&self) -> (String, ObjectRef) {
        let object = Object::new(self.value);
        (object.group().to_owned(), ObjectRef::new(object.kind(), self.namespace(), object.name()))
    }
}

fn scope(object: Object<'_>) -> Scope {
    scope_of(object.group(), object.kind(), &BTreeMap::new())
}

struct Parts<'a> {
    all: Vec<Part<'a>>,
    /// Natives that a workload selects, by their place in the input.
    selected: BTreeSet<usize>,
}

fn parts<'a>(scene: &Scene<'a>) -> Parts<'a> {
    let mut natives: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, native) in scene.objects.natives.iter().enumerate() {
        natives.entry(native.document.namespace.as_str()).or_default().push(index);
    }
    let (mut all, mut selected) = (Vec::new(), BTreeSet::new());
    for workload in scene.objects.workloads.values() {
        let document = &workload.document;
        // What is selected is looked at where it stands.
        let written = if workload.object.spec.select.is_some() { &[] } else { workload.object.spec.objects.as_slice() };
        for (index, object) in written.iter().enumerate() {
            let pointer = format!("/spec/objects/{index}/manifest");
            all.push(Part { workload, document, pointer, value: &object.manifest });
        }
        let Some(selection) = &workload.object.spec.select else { continue };
        for index in natives.get(document.namespace.as_str()).into_iter().flatten() {
            let Some(native) = scene.objects.natives.get(*index) else { continue };
            let value = &native.document.value;
            if takes(selection, Object::new(value)) {
                selected.insert(*index);
                all.push(Part { workload, document: &native.document, pointer: String::new(), value });
            }
        }
    }
    Parts { all, selected }
}

/// What one manifest shows beyond its pods and images, which the conversion reads.
fn one(scene: &Scene<'_>, part: &Part<'_>, out: &mut Vec<Finding>) {
    let object = Object::new(part.value);
    let own = &part.workload.document.namespace;
    if scope(object) == Scope::Cluster {
        out.push(part.finding(Reason::new(Code::ClusterScopedNotWrapped), "/kind"));
    } else if !object.namespace().is_empty() && object.namespace() != own.as_str() {
        let name = format!("{}/{}", object.kind(), object.name());
        let reason = Reason::new(Code::ManifestNamespaceOther).object(name);
        let reason = reason.seen(object.namespace()).wanted(own.as_str());
        out.push(part.finding(reason, "/metadata/namespace"));
    }
    // A selected Secret stays a Secret on the hub; one inside the workload is readable with the workload.
    if object.carries_secret() && !part.pointer.is_empty() {
        out.push(part.finding(Reason::new(Code::SecretInlined), "/kind"));
    }
    let Some(profile) = scene.profiles.of(object) else {
        let declared = !part.workload.object.spec.requirements.components.is_empty();
        if may_hide_pods(object, &scene.profiles) && !declared {
            out.push(part.finding(Reason::new(Code::KindUnprofiled).object(object.kind()), "/kind"));
        }
        return;
    };
    let mut found = Vec::new();
    for (template, _) in profile.templates_in(object) {
        let _ = NodeNeeds::of(object, &template, &mut found);
    }
    out.extend(found.into_iter().map(|finding| part.place(finding)));
    // Asked for here; where the member's administrator asks for it, only the member knows.
    let owner = format!("{own}/{}", part.workload.document.name);
    if object.annotation(meta::ANNOTATION_TAKE_OVER) == Some(owner.as_str()) {
        out.extend(taken_over(object, profile).into_iter().map(|(reason, pointer)| part.finding(reason, &pointer)));
    }
}

/// Two deliveries of one object would overwrite each other for ever.
fn claimed_twice(parts: &[Part<'_>], out: &mut Vec<Finding>) {
    let mut first: BTreeMap<(String, ObjectRef), &Part<'_>> = BTreeMap::new();
    for part in parts {
        let key = part.key();
        match first.get(&key) {
            None => {
                first.insert(key, part);
            }
            Some(other) if std::ptr::eq(other.workload, part.workload) => {
                out.push(part.finding(Reason::new(Code::ManifestDuplicate), "/metadata/name"));
            }
            Some(other) => {
                let reason = Reason::new(Code::ObjectClaimedTwice).object(key.1.to_string());
                out.push(part.finding(reason.seen(full_name(&other.workload.document)), "/metadata/name"));
            }
        }
    }
}

/// Names in manifests that lead to nothing, or into a workload of the namespace that may be placed elsewhere.
fn dependencies(scene: &Scene<'_>, parts: &[Part<'_>], out: &mut Vec<Finding>) {
    let values: Vec<Value> = parts.iter().map(Part::delivered).collect();
    let graph = Graph::new(&values, "", &scene.profiles);
    for (index, part) in parts.iter().enumerate() {
        out.extend(graph.missing(index).into_iter().map(|finding| part.place(finding)));
        for (end, pointer) in graph.named(index) {
            let Some(other) = parts.get(end).filter(|other| !together(part.workload, other.workload)) else { continue };
            // No key joins workloads of two namespaces.
            if part.workload.document.namespace == other.workload.document.namespace {
                let reason = Reason::new(Code::DependencyElsewhere).object(other.key().1.to_string());
                out.push(part.finding(reason.seen(full_name(&other.workload.document)), pointer));
            }
        }
    }
}

/// Whether two workloads of a namespace are one, or go to the same clusters.
fn together(one: &Item<FleetWorkload>, other: &Item<FleetWorkload>) -> bool {
    std::ptr::eq(one, other)
        || (one.object.spec.colocate.is_some() && one.object.spec.colocate == other.object.spec.colocate)
}

/// Autoscalers whose bounds cannot be read, or exclude the replicas written at their target.
fn autoscalers(scene: &Scene<'_>, parts: &[Part<'_>], out: &mut Vec<Finding>) {
    let mut targets: BTreeMap<(&str, &str, &str), &Part<'_>> = BTreeMap::new();
    for part in parts {
        let object = Object::new(part.value);
        let key = (part.workload.document.namespace.as_str(), object.kind(), object.name());
        targets.entry(key).or_insert(part);
    }
    for part in parts.iter().filter(|part| Object::new(part.value).kind() == "HorizontalPodAutoscaler") {
        let mut found = Vec::new();
        let scalers = scalers(std::slice::from_ref(part.value), &mut found);
        out.extend(found.into_iter().map(|finding| part.place(finding)));
        for scaler in scalers {
            let namespace = part.workload.document.namespace.as_str();
            let target = targets.get(&(namespace, scaler.target.kind.as_str(), scaler.target.name.as_str()));
            out.extend(target.and_then(|target| contradiction(scene, target, &scaler)));
        }
    }
}

fn contradiction(scene: &Scene<'_>, target: &Part<'_>, scaler: &Scaler) -> Option<Finding> {
    let object = Object::new(target.value);
    let profile = scene.profiles.of(object)?;
    let path = profile.replicas.as_ref()?;
    // Not written is not contradicted: the autoscaler then sets it.
    path.first(object.value)?;
    let shape = Shape::of(object, profile, &mut Vec::new());
    let Count::Pods(pods) = shape.components.first()?.count else { return None };
    if (scaler.min..=scaler.max).contains(&pods) {
        return None;
    }
    let reason = Reason::new(Code::ScalerContradicts).object(scaler.scaler.name.as_str());
    let wanted = format!("{} – {}", scaler.min, scaler.max);
    Some(target.finding(reason.seen(pods).wanted(wanted), &path.to_string()))
}

/// Images of components declared by hand.
fn components(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    for item in input(&scene.objects.workloads) {
        for (index, part) in item.object.spec.requirements.components.iter().enumerate() {
            for (nth, image) in part.images.iter().enumerate() {
                let pointer = format!("/spec/requirements/components/{index}/images/{nth}");
                // What is no reference is told by the conversion.
                if ImageRef::parse(image).is_ok_and(|image| image.digest.is_none()) {
                    let reason = Reason::new(Code::ImageNotPinned).object(part.name.as_ref()).seen(image.as_ref());
                    out.push(item.document.finding(reason, &pointer));
                }
            }
        }
    }
}

/// Plain objects that run pods and that no workload takes. What another object owns comes with its owner.
fn beside(scene: &Scene<'_>, selected: &BTreeSet<usize>, out: &mut Vec<Finding>) {
    for (index, native) in scene.objects.natives.iter().enumerate() {
        let object = Object::new(&native.document.value);
        let owned = object.value.pointer("/metadata/ownerReferences/0").is_some();
        let pods = scene.profiles.of(object).is_some_and(jiuzhou_objects::profile::Profile::runs_pods);
        if pods && !owned && !selected.contains(&index) {
            out.push(native.document.finding(Reason::new(Code::NativeNotWrapped), ""));
        }
    }
}
