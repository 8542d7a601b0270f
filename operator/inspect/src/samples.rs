//! Small images for the tests, made from nothing: ELF files with the headers a test asks for, layers, layouts, archives.
//!
//! The ELF files are no programs that run: a header, program headers, and what they point to, laid out one behind the
//! other. `tests::a_real_program_of_this_machine_reads_as_readelf_does` holds the reader against a real one.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use jiuzhou_engine::terms::Digest;
use serde_json::{Value, json};

/// An ELF file to make. Numbers are those of `elf.h`.
#[derive(Clone)]
pub(crate) struct ElfSample {
    pub(crate) machine: u16,
    pub(crate) wide: bool,
    pub(crate) shared: bool,
    pub(crate) flags: u32,
    pub(crate) interpreter: Option<&'static str>,
    pub(crate) needed: Vec<&'static str>,
    pub(crate) runpath: Option<&'static str>,
    pub(crate) align: u64,
    /// Bits of GNU_PROPERTY_X86_ISA_1_NEEDED.
    pub(crate) isa: Option<u32>,
    /// Of NT_GNU_ABI_TAG.
    pub(crate) kernel: Option<[u32; 3]>,
    /// Bytes behind everything.
    pub(crate) tail: Vec<u8>,
}

pub(crate) const X86_64: u16 = 62;
pub(crate) const AARCH64: u16 = 183;
pub(crate) const ARM: u16 = 40;
pub(crate) const LOONGARCH: u16 = 258;
pub(crate) const SW64: u16 = 268;

impl ElfSample {
    pub(crate) fn new(machine: u16) -> Self {
        Self {
            machine,
            wide: machine != ARM,
            shared: true,
            flags: 0,
            interpreter: None,
            needed: Vec::new(),
            runpath: None,
            align: 0x1000,
            isa: None,
            kernel: None,
            tail: Vec::new(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        // Everything is loaded by one segment from offset 0 to address 0.
        let count = 4;
        let (header, size) = if self.wide { (64, 56) } else { (52, 32) };
        let mut body: Vec<u8> = Vec::new();
        let base = header + size * count;
        let mut put = |bytes: &[u8]| {
            while !(base + body.len()).is_multiple_of(8) {
                body.push(0);
            }
            let at = base + body.len();
            body.extend_from_slice(bytes);
            (at, bytes.len())
        };
        let interpreter = put(self.interpreter.map(|path| format!("{path}\0")).unwrap_or_default().as_bytes());
        let mut notes = Vec::new();
        let note = |notes: &mut Vec<u8>, kind: u32, description: &[u8]| {
            for word in [4, u32::try_from(description.len()).unwrap(), kind] {
                notes.extend_from_slice(&word.to_le_bytes());
            }
            notes.extend_from_slice(b"GNU\0");
            notes.extend_from_slice(description);
        };
        if let Some([major, minor, patch]) = self.kernel {
            let words: Vec<u8> = [0, major, minor, patch].iter().flat_map(|word| word.to_le_bytes()).collect();
            note(&mut notes, 1, &words);
        }
        if let Some(bits) = self.isa {
            let words: Vec<u8> = [0xc000_8002, 4, bits, 0].iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
            note(&mut notes, 5, &words);
        }
        let notes = put(&notes);
        let mut strings = vec![0];
        let mut string = |text: &str| {
            let at = strings.len() as u64;
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
            at
        };
        let mut entries: Vec<(u64, u64)> = self.needed.iter().map(|name| (1, string(name))).collect();
        entries.extend(self.runpath.map(|path| (29, string(path))));
        let strings = put(&strings);
        entries.extend([(5, strings.0 as u64), (10, strings.1 as u64), (0, 0)]);
        let table: Vec<u8> =
            entries.iter().flat_map(|(tag, value)| [self.word(*tag), self.word(*value)].concat()).collect();
        let dynamic = put(if entries.len() > 3 { &table } else { &[] });
        // The build information of Go stands at a multiple of 16 of the file.
        while !(base + body.len()).is_multiple_of(16) {
            body.push(0);
        }
        body.extend_from_slice(&self.tail);
        let total = base + body.len();

        let mut out = Vec::new();
        out.extend_from_slice(&[0x7f, b'E', b'L', b'F', if self.wide { 2 } else { 1 }, 1, 1, 0]);
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&(if self.shared { 3_u16 } else { 2 }).to_le_bytes());
        out.extend_from_slice(&self.machine.to_le_bytes());
        out.extend_from_slice(&1_u32.to_le_bytes());
        out.extend(self.word(0));
        out.extend(self.word(header as u64));
        out.extend(self.word(0));
        out.extend_from_slice(&self.flags.to_le_bytes());
        for half in [header, size, count, 0, 0, 0] {
            out.extend_from_slice(&u16::try_from(half).unwrap().to_le_bytes());
        }
        let used = |part: (usize, usize), kind: u32| if part.1 == 0 { 0 } else { kind };
        for (kind, at, length, align) in [
            (1, 0, total, self.align),
            (used(interpreter, 3), interpreter.0, interpreter.1, 1),
            (used(notes, 4), notes.0, notes.1, 4),
            (used(dynamic, 2), dynamic.0, dynamic.1, 8),
        ] {
            self.segment(&mut out, kind, at as u64, length as u64, align);
        }
        out.extend(body);
        out
    }

    fn word(&self, value: u64) -> Vec<u8> {
        if self.wide { value.to_le_bytes().to_vec() } else { u32::try_from(value).unwrap().to_le_bytes().to_vec() }
    }

    fn segment(&self, out: &mut Vec<u8>, kind: u32, at: u64, length: u64, align: u64) {
        out.extend_from_slice(&kind.to_le_bytes());
        if self.wide {
            out.extend_from_slice(&5_u32.to_le_bytes());
        }
        for value in [at, at, at, length, length] {
            out.extend(self.word(value));
        }
        if !self.wide {
            out.extend_from_slice(&5_u32.to_le_bytes());
        }
        out.extend(self.word(align));
    }
}

/// The build information of Go, in the form since 1.18.
pub(crate) fn go_build(version: &str, lines: &[&str]) -> Vec<u8> {
    let mut out = b"\xff Go buildinf:".to_vec();
    out.extend_from_slice(&[8, 2]);
    out.resize(32, 0);
    let mut string = |bytes: &[u8]| {
        let mut length = bytes.len();
        while length >= 0x80 {
            out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        out.push(u8::try_from(length).unwrap());
        out.extend_from_slice(bytes);
    };
    string(version.as_bytes());
    let modules = [&[b'<'; 16][..], lines.join("\n").as_bytes(), &[b'>'; 16]].concat();
    string(&modules);
    out
}

/// What a layer holds.
#[derive(Clone)]
pub(crate) enum Item {
    File(&'static str, Vec<u8>),
    Program(&'static str, Vec<u8>),
    Link(&'static str, &'static str),
    Hard(&'static str, &'static str),
}

/// A layer as a tar.
pub(crate) fn tar(items: &[Item]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for item in items {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(0);
        let (path, bytes, target): (_, &[u8], _) = match item {
            Item::File(path, bytes) | Item::Program(path, bytes) => (path, bytes, None),
            Item::Link(path, target) | Item::Hard(path, target) => (path, &[], Some(target)),
        };
        header.set_mode(if matches!(item, Item::Program(..)) { 0o755 } else { 0o644 });
        header.set_size(bytes.len() as u64);
        match (item, target) {
            (Item::Link(..), Some(target)) => {
                header.set_entry_type(tar::EntryType::Symlink);
                builder.append_link(&mut header, path, target).unwrap();
            }
            (_, Some(target)) => {
                header.set_entry_type(tar::EntryType::Link);
                builder.append_link(&mut header, path, target).unwrap();
            }
            _ => builder.append_data(&mut header, path, bytes).unwrap(),
        }
    }
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Blobs by digest, and helpers to make descriptors of them.
#[derive(Default)]
pub(crate) struct Blobs(pub(crate) BTreeMap<String, Vec<u8>>);

impl Blobs {
    pub(crate) fn add(&mut self, kind: &str, bytes: Vec<u8>) -> Value {
        let digest = Digest::sha256(&bytes).to_string();
        let descriptor = json!({ "mediaType": kind, "digest": digest, "size": bytes.len() });
        self.0.insert(digest, bytes);
        descriptor
    }

    /// A manifest with its configuration and layers; `platform` is `os/architecture[/variant]`.
    pub(crate) fn manifest(&mut self, platform: &str, run: Value, layers: &[Vec<u8>]) -> Value {
        let platform = platform_of(platform);
        let mut config = platform.clone();
        config["config"] = run;
        let config = self.add("application/vnd.oci.image.config.v1+json", config.to_string().into_bytes());
        let layers: Vec<Value> =
            layers.iter().map(|bytes| self.add("application/vnd.oci.image.layer.v1.tar", bytes.clone())).collect();
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        let mut descriptor = self.add("application/vnd.oci.image.manifest.v1+json", manifest.to_string().into_bytes());
        descriptor["platform"] = platform;
        descriptor
    }

    pub(crate) fn index(&mut self, manifests: &[Value]) -> Value {
        let index = json!({ "schemaVersion": 2, "manifests": manifests });
        self.add("application/vnd.oci.image.index.v1+json", index.to_string().into_bytes())
    }

    /// Writes a layout with these roots.
    pub(crate) fn layout(&self, folder: &Path, roots: &[Value]) {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        for (digest, bytes) in &self.0 {
            std::fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes).unwrap();
        }
        std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let index = json!({ "schemaVersion": 2, "manifests": roots });
        std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
    }
}

fn platform_of(text: &str) -> Value {
    let mut parts = text.split('/');
    let mut platform = json!({ "os": parts.next(), "architecture": parts.next() });
    if let Some(variant) = parts.next() {
        platform["variant"] = variant.into();
    }
    platform
}
