//! Everything at once: inputs in, a fleet and every finding out.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use jiuzhou_engine::decide::{Snapshot, SnapshotError};
use jiuzhou_engine::terms::{Finding, ObjectRef, Place, Severity};
use jiuzhou_objects::profile::Profiles;
use jiuzhou_objects::selection::{self, prepare};
use serde_json::Value;

use crate::convert::{Converted, convert};
use crate::documents::{Document, read_all, read_bytes};
use crate::native;
use crate::objects::{self, Objects, Origin};
use crate::schema::{Kinds, SchemaError};
use crate::studies::Studies;
use crate::yaml::Limits;
use crate::{builtin, check, salvage};

/// How to read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The instant everything is judged for.
    pub as_of: Timestamp,
    /// Warnings weigh like errors, and what is unknown refuses on every tier.
    pub strict: bool,
    /// Bounds of one file.
    pub limits: Limits,
    /// Where reading counts what it has done.
    pub progress: Progress,
}

/// How far reading is, for whoever shows it; counted by the reader, read from another thread.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    files: AtomicUsize,
    checked: AtomicUsize,
    total: AtomicUsize,
}

impl Progress {
    /// Files read so far.
    #[must_use]
    pub fn files(&self) -> usize {
        self.0.files.load(Ordering::Relaxed)
    }

    /// Objects checked so far.
    #[must_use]
    pub fn checked(&self) -> usize {
        self.0.checked.load(Ordering::Relaxed)
    }

    /// Objects to check; 0 until all files are read.
    #[must_use]
    pub fn total(&self) -> usize {
        self.0.total.load(Ordering::Relaxed)
    }

    /// One more file is read.
    pub fn read_file(&self) {
        self.0.files.fetch_add(1, Ordering::Relaxed);
    }

    /// So many objects are going to be checked.
    pub fn will_check(&self, total: usize) {
        self.0.total.store(total, Ordering::Relaxed);
    }

    /// One more object is checked.
    pub fn check_one(&self) {
        self.0.checked.fetch_add(1, Ordering::Relaxed);
    }
}

impl Options {
    /// Ordinary reading for an instant.
    #[must_use]
    pub fn at(as_of: Timestamp) -> Self {
        Self { as_of, strict: false, limits: Limits::default(), progress: Progress::default() }
    }
}

/// Why nothing can be loaded at all. Whatever is wrong with the input is a finding instead.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The schemas of this build are broken.
    #[error("failed to read the built-in schemas")]
    Schema(#[from] SchemaError),
    /// The objects do not make one fleet although no finding says so.
    #[error("failed to build the fleet")]
    Snapshot(#[from] SnapshotError),
}

/// What an input says.
#[derive(Debug)]
pub struct Fleet {
    /// Everything found, sorted and each once.
    pub findings: Vec<Finding>,
    /// The objects, typed, with their places.
    pub objects: Objects,
    /// What the engine decides on, workloads included.
    pub snapshot: Snapshot,
    /// What the engine and the objects room were told, for commands that need a part of it.
    pub converted: Converted,
    /// Where each object of the input stands.
    pub places: BTreeMap<ObjectRef, Place>,
    /// Tests, scenarios, simulations and evidence that stand beside the objects.
    pub studies: Studies,
}

/// What was read, before anything of it is checked: a fleet can be built of it more than once, and of changes to it.
#[derive(Clone, Debug, Default)]
pub struct Input {
    pub(crate) documents: Vec<Document>,
    pub(crate) findings: Vec<Finding>,
}

impl Fleet {
    /// The weightiest finding; `None` when there is none.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// Reads inputs (paths, folders, `-` for `stdin`) into a fleet.
///
/// # Errors
/// Only what is wrong with this build; see [`LoadError`].
pub fn load(inputs: &[String], stdin: &mut dyn Read, options: &Options) -> Result<Fleet, LoadError> {
    read(inputs, stdin, options).build(options)
}

/// Reads inputs without checking them.
pub fn read(inputs: &[String], stdin: &mut dyn Read, options: &Options) -> Input {
    let (documents, findings) = read_all(inputs, stdin, &options.limits, &options.progress);
    Input { documents, findings }
}

/// Builds a fleet of texts that are in memory, each with the name findings show.
///
/// # Errors
/// As [`load`].
pub fn load_texts(texts: &[(String, &[u8])], options: &Options) -> Result<Fleet, LoadError> {
    let (mut documents, mut findings) = (Vec::new(), Vec::new());
    for (name, text) in texts {
        let (mut read, mut found) = read_bytes(name, text, &options.limits);
        documents.append(&mut read);
        findings.append(&mut found);
    }
    Input { documents, findings }.build(options)
}

/// Gives workloads that select native objects those of the input: a folder decides as a hub that has them does.
fn select(objects: &mut Objects) {
    let mut by_namespace: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for native in &objects.natives {
        if let Some(manifest) = prepare(&native.document.value) {
            by_namespace.entry(native.document.namespace.clone()).or_default().push(manifest);
        }
    }
    // Native kinds have the built-in profiles.
    let profiles = Profiles::default();
    for item in objects.workloads.values_mut() {
        let Some(selection) = &item.object.spec.select else { continue };
        let natives = by_namespace.get(&item.document.namespace).map(Vec::as_slice).unwrap_or_default();
        Arc::make_mut(&mut item.object).spec.objects =
            selection::select(selection, &item.document.namespace, natives, &profiles);
    }
}

impl Input {
    /// Builds the fleet.
    ///
    /// # Errors
    /// As [`load`].
    pub fn build(self, options: &Options) -> Result<Fleet, LoadError> {
        build(self, options)
    }
}

fn build(input: Input, options: &Options) -> Result<Fleet, LoadError> {
    let Input { mut documents, findings: mut found } = input;
    let kinds = Kinds::new(jiuzhou_api::meta::GROUP, &jiuzhou_api::all_crds())?;
    let mut findings = Vec::new();
    let mut objects = Objects::default();
    builtin::add(&kinds, &mut objects, &mut findings);
    // What could not be read is there all the same.
    let unread = found.iter().filter(|finding| finding.severity == Severity::Error);
    objects.refused.extend(unread.filter_map(|finding| finding.subject.clone()));
    findings.append(&mut found);
    let mut places = BTreeMap::new();
    let mut refused: BTreeMap<ObjectRef, Place> = BTreeMap::new();
    let studies = Studies::take(&mut documents, &mut findings)?;
    let tests = studies.tests.values().map(|item| &item.document);
    let scenarios = studies.scenarios.values().map(|item| &item.document);
    let evidence = studies.evidence.values().map(|item| &item.document);
    let simulations = studies.simulations.values().map(|item| &item.document);
    for document in tests.chain(scenarios).chain(evidence).chain(simulations) {
        places.entry(document.object_ref()).or_insert_with(|| document.place("/metadata/name"));
    }
    options.progress.will_check(documents.len());
    for mut document in documents {
        options.progress.check_one();
        if !kinds.owns(&document) {
            places.entry(document.object_ref()).or_insert_with(|| document.place("/metadata/name"));
            objects.natives.push(native::keep(document, &mut findings));
        } else if kinds.check(&mut document, &mut findings) {
            // Of two that are good, `add` tells.
            let first = refused.get(&document.object_ref()).filter(|_| !places.contains_key(&document.object_ref()));
            findings.extend(first.map(|first| objects::duplicate(&document, first)));
            places.entry(document.object_ref()).or_insert_with(|| document.place("/metadata/name"));
            objects.add(document, Origin::Input, &mut findings);
        } else {
            let object = document.object_ref();
            let first = places.get(&object).or_else(|| refused.get(&object));
            findings.extend(first.map(|first| objects::duplicate(&document, first)));
            refused.entry(object.clone()).or_insert_with(|| document.place("/metadata/name"));
            objects.refused.insert(object);
            objects.rejected.push(document);
        }
    }
    select(&mut objects);
    check::objects(&objects, options.as_of, &mut findings);
    let mut converted = convert(&objects, options.as_of, &mut findings);
    converted.fleet.architecture.strict |= options.strict;
    check::fleet(&objects, &converted, options.as_of, &mut findings);
    salvage::look_again(&kinds, &objects, options.as_of, &mut findings);
    let snapshot = Snapshot::new(converted.fleet.clone())?;
    if options.strict {
        for finding in findings.iter_mut().filter(|finding| finding.severity == Severity::Warning) {
            finding.severity = Severity::Error;
        }
    }
    findings.sort_by_cached_key(Finding::sort_key);
    findings.dedup();
    Ok(Fleet { findings, objects, snapshot, converted, places, studies })
}
