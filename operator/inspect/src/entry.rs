//! One image: its index, and for each platform its configuration, its layers and what runs.

use std::collections::BTreeMap;

use jiuzhou_engine::detect::{Fact, ImageEntry, Needs, Provenance};
use jiuzhou_engine::terms::{Code, Digest, Finding, ObjectRef, Reason};

use crate::elf::Elf;
use crate::error::InspectError;
use crate::layer;
use crate::limits::Limits;
use crate::needs;
use crate::oci::{Config, Descriptor, Manifest, PlatformText, Saved};
use crate::packages::{Package, packages};
use crate::programs::running;
use crate::reference::{Reference, is_tag};
use crate::source::{Root, Source, Target, read_json};
use crate::tree::{Content, Tree};
use crate::unpack::Budget;

/// Why a file was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The command names it.
    Program,
    /// A script of the command names it.
    Interpreter,
    /// A program asks for it as its loader.
    Loader,
    /// A program or library asks for it.
    Library,
    /// Python, Java or Node opens it at run time.
    Extension,
}

/// What runs a program; later ones say more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Runtime {
    /// Not known: no command, or its program is not there.
    #[default]
    Unknown,
    /// A shell or wrapper alone.
    Shell,
    /// A static Go program.
    Go,
    /// Machine code.
    Native,
    /// Perl.
    Perl,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// .NET.
    Dotnet,
    /// Node.js.
    Node,
    /// Python.
    Python,
    /// A Java virtual machine.
    Java,
}

impl Runtime {
    /// The stable key.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Shell => "shell",
            Self::Go => "static-go",
            Self::Native => "native",
            Self::Perl => "perl",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Dotnet => "dotnet",
            Self::Node => "node",
            Self::Python => "python",
            Self::Java => "java",
        }
    }
}

/// A file that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its path in the image, links followed.
    pub path: String,
    /// Why it was looked at.
    pub role: Role,
    /// What it says of itself.
    pub elf: Elf,
}

/// One platform of an image.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What the engine is told: platform as written, needs, and whether they are complete.
    pub image: ImageEntry,
    /// `os.version`, as written.
    pub os_version: String,
    /// How each need is known.
    pub facts: Vec<Fact>,
    /// Entry point and command.
    pub command: Vec<String>,
    /// What runs the program.
    pub runtime: Runtime,
    /// Files that were looked at, the program first.
    pub programs: Vec<Program>,
    /// Executables and libraries in the whole image by architecture.
    pub executables: BTreeMap<String, usize>,
    /// `PRETTY_NAME` of os-release.
    pub system: Option<String>,
    /// Software it says it has.
    pub packages: Vec<Package>,
    /// Paths in the image.
    pub paths: usize,
    /// Nothing of its layers could be read.
    pub unread: bool,
}

/// One image.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// Name without tag and digest, where the source has one.
    pub name: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Digest of the index or manifest; `None` where the archive has none.
    pub digest: Option<Digest>,
    /// Its platforms.
    pub entries: Vec<Entry>,
    /// What is wrong or worth knowing.
    pub findings: Vec<Finding>,
}

impl Inspected {
    /// How findings name it.
    #[must_use]
    pub fn label(&self) -> String {
        let name = self.name.clone().unwrap_or_else(|| "image".to_owned());
        match (self.tags.first(), &self.digest) {
            (Some(tag), _) => format!("{name}:{tag}"),
            (None, Some(digest)) => format!("{name}@{digest}"),
            (None, None) => name,
        }
    }
}

/// Looks into one image.
pub(crate) fn image(source: &mut dyn Source, root: Root, command: &[String], limits: &Limits) -> Inspected {
    let mut inspected =
        Inspected { name: None, tags: Vec::new(), digest: None, entries: Vec::new(), findings: Vec::new() };
    for name in &root.names {
        match Reference::parse(name) {
            // A name in an index is often the tag alone.
            Ok(reference) if name.contains(['/', ':']) => {
                inspected.name.get_or_insert_with(|| reference.name());
                inspected.tags.extend(reference.tag);
            }
            _ if is_tag(name) => inspected.tags.push(name.clone()),
            _ => {}
        }
    }
    inspected.tags.sort();
    inspected.tags.dedup();
    if let Target::Blob(descriptor) = &root.target {
        inspected.digest = Digest::parse(&descriptor.digest);
    }
    let label = inspected.label();
    let mut work = Work { source, command, limits, label, findings: Vec::new(), entries: Vec::new() };
    match root.target {
        Target::Blob(descriptor) => work.blob(&descriptor, 0),
        Target::Loose(manifests) => work.index(&manifests, 0),
        Target::Saved(saved) => work.saved(&saved),
    }
    inspected.entries = work.entries;
    inspected.findings = work.findings;
    inspected
}

/// Indexes inside indexes; the specification allows them, nobody nests deeper than two.
const NESTED: usize = 3;

struct Work<'a> {
    source: &'a mut dyn Source,
    /// What runs instead of the image's own command.
    command: &'a [String],
    limits: &'a Limits,
    label: String,
    findings: Vec<Finding>,
    entries: Vec<Entry>,
}

impl Work<'_> {
    fn find(&mut self, reason: Reason, platform: &str) {
        let label = if platform.is_empty() { self.label.clone() } else { format!("{} ({platform})", self.label) };
        self.findings.push(Finding::new(reason).on(ObjectRef::new("Image", "", &label)));
    }

    fn unreadable(&mut self, what: &str, error: &InspectError, platform: &str) {
        let reason = Reason::new(Code::ManifestUnreadable).object(what).seen(error.to_string());
        self.find(reason, platform);
    }

    fn blob(&mut self, descriptor: &Descriptor, depth: usize) {
        let read = read_json(self.source, descriptor, self.limits);
        let manifest = match read.and_then(|bytes| Manifest::parse(&descriptor.digest, &bytes)) {
            Ok(manifest) => manifest,
            Err(error) => return self.unreadable(&descriptor.digest, &error, ""),
        };
        match manifest.manifests {
            Some(manifests) if depth < NESTED => self.index(&manifests, depth + 1),
            Some(_) => {
                self.unreadable(&descriptor.digest, &InspectError::limit("indexes inside indexes", NESTED as u64), "");
            }
            None => self.manifest(descriptor, manifest),
        }
    }

    fn index(&mut self, manifests: &[Descriptor], depth: usize) {
        if manifests.len() > self.limits.manifests {
            let error = InspectError::limit("manifests of the index", self.limits.manifests as u64);
            return self.unreadable("index", &error, "");
        }
        let (attestations, real): (Vec<_>, Vec<_>) = manifests.iter().partition(|one| one.is_attestation());
        if !attestations.is_empty() {
            let count = i64::try_from(attestations.len()).unwrap_or(i64::MAX);
            self.find(Reason::new(Code::AttestationSkipped).seen(count), "");
        }
        for descriptor in real {
            if self.entries.len() >= self.limits.manifests {
                return;
            }
            self.blob(descriptor, depth);
        }
    }

    fn manifest(&mut self, descriptor: &Descriptor, manifest: Manifest) {
        let artifact = manifest.artifact_type.as_deref().or(descriptor.artifact_type.as_deref());
        let image_type = |kind: &str| kind.contains("image") && kind.contains("config");
        if let Some(kind) = artifact.filter(|kind| !image_type(kind)) {
            return self.unreadable(&descriptor.digest, &InspectError::unsupported("the manifest", kind), "");
        }
        let Some(config) = manifest.config else {
            let error = InspectError::malformed(&descriptor.digest, "no config");
            return self.unreadable(&descriptor.digest, &error, "");
        };
        let layers = manifest.layers.unwrap_or_default();
        self.entry(Some(descriptor), &config, layers);
    }

    fn saved(&mut self, saved: &Saved) {
        // `<digest>.json`, or `blobs/sha256/<digest>`: the name of a configuration is its digest.
        let stem = saved.config.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        let digest = Digest::parse(&format!("sha256:{stem}")).map(|digest| digest.to_string()).unwrap_or_default();
        let config = Descriptor { digest, member: Some(saved.config.clone()), ..Descriptor::default() };
        let layer = |member: &String| Descriptor { member: Some(member.clone()), ..Descriptor::default() };
        self.entry(None, &config, saved.layers.iter().map(layer).collect());
    }

    fn entry(&mut self, descriptor: Option<&Descriptor>, config: &Descriptor, mut layers: Vec<Descriptor>) {
        let what =
            if config.digest.is_empty() { config.member.clone().unwrap_or_default() } else { config.digest.clone() };
        let read = read_json(self.source, config, self.limits);
        let parsed = read.and_then(|bytes| {
            serde_json::from_slice::<Config>(&bytes).map_err(|error| InspectError::malformed(&what, error))
        });
        let mut config = match parsed {
            Ok(config) => config,
            Err(error) => return self.unreadable(&what, &error, ""),
        };
        if !self.command.is_empty() {
            config.config.entrypoint = self.command.to_vec();
            config.config.cmd.clear();
        }
        // The index is what a runtime selects by; the configuration speaks where there is none.
        let said = descriptor.and_then(|descriptor| descriptor.platform.as_ref());
        let said: &PlatformText = said.filter(|said| !said.architecture.is_empty()).unwrap_or(&config.platform);
        let platform = said.platform();
        let shown = platform.to_string();
        // Archives of `docker save` hold layers unpacked, so the digest of the content is that of the bytes.
        if layers.len() == config.rootfs.diff_ids.len() {
            for (layer, id) in layers.iter_mut().zip(&config.rootfs.diff_ids) {
                if layer.digest.is_empty() {
                    layer.digest.clone_from(id);
                }
            }
        }
        let tree = self.tree(&layers, &shown);
        let unread = tree.len() == 0 && !tree.holes.is_empty();
        let mut run = running(&tree, &config.config, self.limits);
        let (packages, unread_packages) = packages(&tree);
        let mut found = needs::derive(&platform.normalise(), &run.programs, run.runtime, &packages);
        for reason in run.remarks.drain(..).chain(found.remarks.drain(..)) {
            self.find(reason, &shown);
        }
        if unread_packages {
            self.find(Reason::new(Code::PackagesUnread), &shown);
        }
        if !tree.holes.is_empty() {
            // What is not found may stand in the layer that was not read, so nothing is complete.
            found.provenance = Provenance::None;
        }
        let digest = descriptor.and_then(|descriptor| Digest::parse(&descriptor.digest));
        let needs: Needs = found.needs;
        self.entries.push(Entry {
            image: ImageEntry { digest, platform, needs, provenance: found.provenance },
            os_version: said.os_version.clone(),
            facts: found.facts,
            command: config.config.entrypoint.iter().chain(&config.config.cmd).cloned().collect(),
            runtime: run.runtime,
            programs: run.programs,
            executables: executables(&tree),
            system: system(&tree, self.limits),
            packages,
            paths: tree.len(),
            unread,
        });
    }

    fn tree(&mut self, layers: &[Descriptor], platform: &str) -> Tree {
        let mut tree = Tree::default();
        let mut budget = Budget::default();
        if layers.len() > self.limits.layers {
            let error = InspectError::limit("layers of the image", self.limits.layers as u64);
            self.unreadable("layers", &error, platform);
            tree.holes.push("layers".to_owned());
            return tree;
        }
        for descriptor in layers {
            let read = layer::read(self.source, descriptor, &mut tree, &mut budget, self.limits);
            if let Err(error) = read {
                let what = descriptor.member.clone().unwrap_or_else(|| descriptor.digest.clone());
                self.find(Reason::new(Code::LayerUnreadable).object(what.as_str()).seen(error.to_string()), platform);
                tree.holes.push(what);
            }
        }
        tree
    }
}

fn executables(tree: &Tree) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (_, file) in tree.files() {
        if let Content::Elf(elf) = &file.content {
            *counts.entry(elf.machine_name()).or_default() += 1;
        }
    }
    counts
}

fn system(tree: &Tree, limits: &Limits) -> Option<String> {
    let text = tree.text("etc/os-release", limits).or_else(|| tree.text("usr/lib/os-release", limits))?;
    let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    let name = line.trim().trim_matches(['"', '\'']);
    (!name.is_empty() && name.len() <= 256).then(|| name.to_owned())
}
