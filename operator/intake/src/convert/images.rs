//! What is known of images, found again from the way a manifest names them.
//!
//! An image without a profile is taken to exist for the architectures that its pods ask for by name (a node selector
//! `kubernetes.io/arch: arm64` is its author's word that there is one), else for linux/amd64 only, with nothing known of
//! its needs: that is what most images are, and it never puts a program on a CPU that nobody said it runs on. Each is
//! told as a finding.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::Image;
use jiuzhou_engine::detect::{
    AcceleratorNeed, ImageEntry, KernelVersion, Level, Libc, LibcFamily, Needs, OciPlatform, Provenance,
    normalise_feature,
};
use jiuzhou_engine::terms::{Code, Digest, Finding, Reason};
use jiuzhou_objects::images::ImageRef;

use crate::documents::Document;
use crate::objects::Objects;

use super::words;

/// Profiles by name and digest, and by name and tag.
#[derive(Debug, Default)]
pub(super) struct Images {
    by_digest: BTreeMap<(String, String), Vec<ImageEntry>>,
    by_tag: BTreeMap<(String, String), (String, Vec<ImageEntry>)>,
    /// Names of images whose profile was refused; `None` among them stands for one whose name cannot be read.
    refused: BTreeSet<Option<String>>,
}

impl Images {
    pub(super) fn new(objects: &Objects, findings: &mut Vec<Finding>) -> Self {
        let mut images = Self::default();
        let refused = objects.rejected.iter().filter(|document| document.kind == "ImageProfile");
        images.refused = refused.map(|document| name_in(&document.value)).collect();
        for item in objects.images.values() {
            let api::ImageProfileSpec { image, tags, digest, entries } = &item.object.spec;
            let Ok(reference) = ImageRef::parse(image) else {
                let reason = Reason::new(Code::PatternMismatch).object("spec.image").seen(image.as_ref());
                findings.push(item.document.finding(reason.wanted("HOST/PATH"), "/spec/image"));
                continue;
            };
            let entries: Vec<ImageEntry> = entries
                .iter()
                .enumerate()
                .map(|(index, entry)| self::entry(&item.document, index, entry, findings))
                .collect();
            let name = reference.name();
            for tag in tags {
                images.by_tag.insert((name.clone(), tag.to_string()), (digest.to_string(), entries.clone()));
            }
            images.by_digest.insert((name, digest.to_string()), entries);
        }
        images
    }

    /// Whether somebody described an image although the description cannot be used: then it is told of that.
    pub(super) fn may_describe(&self, reference: &ImageRef) -> bool {
        self.refused.contains(&None) || self.refused.contains(&Some(reference.name()))
    }

    /// An image of a manifest with what the workload needs on top; `false` when nothing is known of it but the
    /// architectures that its pods name.
    pub(super) fn find(&self, reference: &ImageRef, needs: Needs, named: &BTreeSet<String>) -> (Image, bool) {
        let name = reference.name();
        let tag = reference.tag.clone().unwrap_or_else(|| "latest".to_owned());
        let (digest, entries) = match &reference.digest {
            Some(digest) => (Some(digest.clone()), self.by_digest.get(&(name.clone(), digest.clone()))),
            None => match self.by_tag.get(&(name.clone(), tag.clone())) {
                Some((digest, entries)) => (Some(digest.clone()), Some(entries)),
                None => (None, None),
            },
        };
        let full = digest.map_or_else(|| format!("{name}:{tag}"), |digest| format!("{name}@{digest}"));
        let known = entries.is_some();
        let entries = entries.cloned().unwrap_or_else(|| undescribed(named));
        (Image { name: full, entries, needs }, known)
    }
}

fn name_in(profile: &serde_json::Value) -> Option<String> {
    ImageRef::parse(profile.pointer("/spec/image")?.as_str()?).ok().map(|reference| reference.name())
}

fn undescribed(named: &BTreeSet<String>) -> Vec<ImageEntry> {
    let entry = |architecture: &str| ImageEntry {
        digest: None,
        platform: OciPlatform::new("linux", architecture, ""),
        needs: Needs::default(),
        provenance: Provenance::None,
    };
    if named.is_empty() { vec![entry("amd64")] } else { named.iter().map(|name| entry(name)).collect() }
}

fn entry(document: &Document, index: usize, entry: &api::ImageEntry, findings: &mut Vec<Finding>) -> ImageEntry {
    let api::ImageEntry {
        digest,
        os,
        architecture,
        variant,
        os_version: _, // decides nothing on Linux
        os_features,
        needs,
        provenance,
        facts,
    } = entry;
    let mut platform = OciPlatform::new(os, architecture, variant.as_deref().unwrap_or_default());
    platform.os_features = os_features.iter().map(ToString::to_string).collect();
    // The engine keeps one provenance per entry: the weakest that any of its facts has.
    let weakest = facts.iter().map(|fact| fact.provenance).chain([*provenance]).min().unwrap_or_default();
    ImageEntry {
        digest: digest.as_deref().and_then(Digest::parse),
        platform,
        needs: self::needs(document, &format!("/spec/entries/{index}/needs"), needs, findings),
        provenance: words::provenance(weakest),
    }
}

/// Needs as the resource states them. A level, kernel or library that cannot be read is a finding: left out, it would
/// be a need that is silently not checked.
pub(super) fn needs(document: &Document, pointer: &str, needs: &api::ImageNeeds, findings: &mut Vec<Finding>) -> Needs {
    let api::ImageNeeds {
        level,
        features,
        max_page_size_kib,
        abi_world,
        aarch32,
        kernel_min,
        libc,
        tee,
        accelerators,
        execution,
    } = needs;
    let mut unread = |field: &str, seen: &str, wanted: &str| {
        let reason = Reason::new(Code::ValueNotAllowed).object(field).seen(seen).wanted(vec![wanted.to_owned()]);
        findings.push(document.finding(reason, &format!("{pointer}/{field}")));
    };
    let read_level = level.as_deref().and_then(|text| {
        let level = Level::parse(text);
        if level.is_none() {
            unread("level", text, "x86-64-v1…v4, armv8.0…armv9.7, la64, sw64");
        }
        level
    });
    let kernel = kernel_min.as_deref().and_then(|text| {
        let kernel = KernelVersion::parse(text);
        if kernel.is_none() {
            unread("kernelMin", text, "5.10");
        }
        kernel
    });
    let libc = libc.as_ref().and_then(|api::Libc { family, min }| {
        let version = KernelVersion::parse(min.as_deref()?);
        let family_of = match family.as_ref() {
            "glibc" => Some(LibcFamily::Glibc),
            "musl" => Some(LibcFamily::Musl),
            _ => None,
        };
        let libc = family_of.zip(version).map(|(family, version)| Libc { family, version });
        if libc.is_none() {
            unread("libc", family, "glibc 2.28, musl 1.2.5");
        }
        libc
    });
    Needs {
        level: read_level,
        features: features.iter().map(|feature| normalise_feature(feature)).collect(),
        max_page_size_ki: max_page_size_kib.and_then(|ki| u32::try_from(ki).ok()),
        world: abi_world.and_then(words::world),
        aarch32: aarch32.unwrap_or(false),
        kernel_min: kernel,
        libc,
        tee: tee.iter().copied().map(words::tee).collect(),
        accelerators: accelerators.iter().map(|class| AcceleratorNeed { class: class.to_string(), count: 1 }).collect(),
        execution: execution.map(words::execution).unwrap_or_default(),
    }
}

/// The needs of two statements together: each only narrows.
pub(super) fn together(mut needs: Needs, other: Needs) -> Needs {
    let Needs { level, features, max_page_size_ki, world, aarch32, kernel_min, libc, tee, accelerators, execution } =
        other;
    needs.level = match (needs.level, level) {
        (Some(have), Some(more)) if !have.at_least(more) => Some(more),
        (have, more) => have.or(more),
    };
    needs.features.extend(features);
    needs.max_page_size_ki = [needs.max_page_size_ki, max_page_size_ki].into_iter().flatten().min();
    needs.world = needs.world.or(world);
    needs.aarch32 |= aarch32;
    needs.kernel_min = needs.kernel_min.max(kernel_min);
    needs.libc = needs.libc.max(libc);
    // Any one of the set is enough, so two sets leave what both accept.
    needs.tee = match (needs.tee.is_empty(), tee.is_empty()) {
        (true, _) => tee,
        (_, true) => needs.tee,
        _ => needs.tee.intersection(&tee).copied().collect::<BTreeSet<_>>(),
    };
    needs.accelerators.extend(accelerators);
    if needs.execution == jiuzhou_engine::detect::Execution::Native {
        needs.execution = execution;
    }
    needs
}
