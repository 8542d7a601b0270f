//! Manifests that are to be wrapped: what stands in the input, and what is known of their kinds.
//!
//! Kind profiles come from the built-in data and from the input itself. Other objects of ours are no manifests to wrap;
//! they are kept apart, so that a folder or a chart may hold both.

use std::collections::BTreeMap;
use std::io::Read;

use jiuzhou_engine::terms::{Finding, ObjectRef};
use jiuzhou_objects::profile::Profiles;
use serde_json::Value;

use crate::builtin;
use crate::convert::profiles;
use crate::documents::{Document, read_all};
use crate::load::{LoadError, Progress};
use crate::native;
use crate::objects::{Objects, Origin};
use crate::schema::Kinds;
use crate::yaml::Limits;

/// What an input offers to wrap.
#[derive(Debug)]
pub struct Manifests {
    /// Objects of other API groups, as they stand.
    pub native: Vec<Document>,
    /// Objects of our own group, as they stand.
    pub ours: Vec<Document>,
    /// Built-in kind profiles, with those of the input on top.
    pub profiles: Profiles,
    /// What is wrong with the text, or with a kind profile.
    pub findings: Vec<Finding>,
}

/// Reads inputs (paths, folders, `-` for `stdin`).
///
/// # Errors
/// Only what is wrong with this build; see [`LoadError`].
pub fn manifests(inputs: &[String], stdin: &mut dyn Read, limits: &Limits) -> Result<Manifests, LoadError> {
    let kinds = Kinds::new(jiuzhou_api::meta::GROUP, &jiuzhou_api::all_crds())?;
    let (documents, mut findings) = read_all(inputs, stdin, limits, &Progress::default());
    let mut objects = Objects::default();
    builtin::add(&kinds, &mut objects, &mut findings);
    let (ours, native): (Vec<_>, Vec<_>) = documents.into_iter().partition(|document| kinds.owns(document));
    for document in ours.iter().filter(|document| document.kind == "KindProfile") {
        let mut document = document.clone();
        if kinds.check(&mut document, &mut findings) {
            objects.add(document, Origin::Input, &mut findings);
        }
    }
    let profiles = profiles(&objects.kinds, &mut findings);
    let native = native.into_iter().map(|document| native::keep(document, &mut findings).document).collect();
    Ok(Manifests { native, ours, profiles, findings })
}

impl Manifests {
    /// The manifests themselves.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        self.native.iter().map(|document| document.value.clone()).collect()
    }

    /// Gives findings about manifests their places. `namespace` is that of manifests that name none.
    pub fn locate(&self, findings: &mut [Finding], namespace: &str) {
        let mut places: BTreeMap<ObjectRef, &Document> = BTreeMap::new();
        for document in &self.native {
            places.entry(document.object_ref()).or_insert(document);
            if document.namespace.is_empty() {
                places.entry(ObjectRef::new(&document.kind, namespace, &document.name)).or_insert(document);
            }
        }
        for finding in findings.iter_mut().filter(|finding| finding.place.is_none()) {
            let document = finding.subject.as_ref().and_then(|object| places.get(object));
            let pointer = if finding.pointer.is_empty() { "/metadata/name" } else { &finding.pointer };
            finding.place = document.map(|document| document.place(pointer));
        }
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_objects::object::Object;
    use jiuzhou_objects::wrap::{WrapOptions, wrap};

    use super::*;

    const INPUT: &str = "\
apiVersion: apps.kruise.io/v1alpha1
kind: CloneSet
metadata: {name: web}
spec:
  template:
    spec:
      containers: [{name: web, image: example.org/web:1}]
      volumes:
      - name: conf
        configMap: {name: conf}
---
apiVersion: example.org/v1
kind: Shop
metadata: {name: shop}
spec: {pod: {spec: {containers: []}}}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: KindProfile
metadata: {name: shop.example.org}
spec:
  targetApiVersion: example.org/v1
  targetKind: Shop
  divisible: false
  podTemplates: [{path: /spec/pod}]
---
apiVersion: jiuzhou.dev/v1alpha1
kind: PriceBook
metadata: {name: kept}
";

    #[test]
    fn kinds_are_known_from_the_built_in_data_and_from_the_input() {
        let read = manifests(&["-".to_owned()], &mut INPUT.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(read.findings, []);
        assert!(read.native.iter().all(|document| read.profiles.of(Object::new(&document.value)).is_some()));
        let ours: Vec<_> = read.ours.iter().map(|document| document.kind.as_str()).collect();
        assert_eq!(ours, ["KindProfile", "PriceBook"]);
    }

    #[test]
    fn a_finding_about_a_manifest_stands_at_its_line() {
        let read = manifests(&["-".to_owned()], &mut INPUT.as_bytes(), &Limits::default()).unwrap();
        let options = WrapOptions { namespace: "lab".to_owned(), ..WrapOptions::default() };
        let mut wrapped = wrap(read.values(), &options, &read.profiles);
        read.locate(&mut wrapped.findings, "lab");
        let told: Vec<_> =
            wrapped.findings.iter().map(|f| (f.pointer.as_str(), f.place.as_ref().unwrap().line)).collect();
        assert_eq!(told, [("/spec/template/spec/volumes/0/configMap/name", 10)]);
    }
}
