//! What must hold for any bytes: no panic, no endless work, nothing outside the image, nothing unverified believed.

use proptest::prelude::*;
use serde_json::json;

use jiuzhou_engine::terms::Code;

use crate::samples::{Blobs, ElfSample, Item, X86_64, go_build, gzip, tar};
use crate::{Elf, Inspected, Limits, inspect, open};

fn read(folder: &std::path::Path, limits: &Limits) -> Inspected {
    let mut source = open(folder.to_str().unwrap(), &mut std::io::empty(), limits).unwrap();
    inspect(&mut *source, &[], limits).unwrap().remove(0)
}

fn codes(image: &Inspected) -> Vec<Code> {
    image.findings.iter().map(|finding| finding.reason.code).collect()
}

fn layered(layers: &[Vec<u8>]) -> (tempfile::TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = Blobs::default();
    let manifest = blobs.manifest("linux/amd64", json!({ "Cmd": ["/app"] }), layers);
    blobs.layout(folder.path(), &[manifest]);
    (folder, blobs)
}

#[test]
fn a_blob_with_other_bytes_than_its_digest_is_not_believed() {
    let app = tar(&[Item::Program("app", ElfSample::new(X86_64).bytes())]);
    let (folder, blobs) = layered(std::slice::from_ref(&app));
    let digest = blobs.0.iter().find(|(_, bytes)| **bytes == app).unwrap().0.trim_start_matches("sha256:").to_owned();
    let other = tar(&[Item::Program("app", ElfSample { isa: Some(8), ..ElfSample::new(X86_64) }.bytes())]);
    std::fs::write(folder.path().join("blobs/sha256").join(digest), &other[..app.len().min(other.len())]).unwrap();
    let image = read(folder.path(), &Limits::default());
    assert!(codes(&image).contains(&Code::LayerUnreadable));
    let entry = &image.entries[0];
    assert_eq!(entry.image.provenance, jiuzhou_engine::detect::Provenance::None);
}

#[test]
fn a_layer_that_grows_too_much_or_has_too_many_paths_ends() {
    let zeros = gzip(&tar(&[Item::File("zeros", vec![0; 4 << 20])]));
    let (folder, _) = layered(std::slice::from_ref(&zeros));
    let bomb = Limits { ratio_from: 1 << 20, ..Limits::default() };
    assert!(codes(&read(folder.path(), &bomb)).contains(&Code::LayerUnreadable));
    let total = Limits { unpacked: 1 << 20, ..Limits::default() };
    assert!(codes(&read(folder.path(), &total)).contains(&Code::LayerUnreadable));
    let (folder, _) = layered(&[tar(&[Item::File("a", vec![]), Item::File("b", vec![]), Item::File("c", vec![])])]);
    let few = Limits { paths: 2, ..Limits::default() };
    assert!(codes(&read(folder.path(), &few)).contains(&Code::LayerUnreadable));
    let layers = Limits { layers: 0, ..Limits::default() };
    assert!(codes(&read(folder.path(), &layers)).contains(&Code::ManifestUnreadable));
}

#[test]
fn a_digest_that_is_a_path_never_becomes_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("blobs")).unwrap();
    std::fs::write(folder.path().join("secret"), "{}").unwrap();
    for digest in ["../secret", "sha256:../../secret", "sha256:..", ""] {
        let index = json!({ "manifests": [{ "digest": digest }] });
        std::fs::write(folder.path().join("index.json"), index.to_string()).unwrap();
        let image = read(folder.path(), &Limits::default());
        assert_eq!(codes(&image), [Code::ManifestUnreadable], "{digest}");
        let words = format!("{:?}", image.findings[0].reason.seen);
        assert!(words.contains("not supported"), "{words}");
    }
}

#[test]
fn indexes_that_contain_indexes_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = Blobs::default();
    let mut root = blobs.manifest("linux/amd64", json!({}), &[]);
    for _ in 0..8 {
        root = blobs.index(&[root]);
    }
    blobs.layout(folder.path(), &[root]);
    assert_eq!(codes(&read(folder.path(), &Limits::default())), [Code::ManifestUnreadable]);
}

#[test]
fn links_in_circles_and_out_of_the_image_find_nothing() {
    let items = [
        Item::Link("app", "loop"),
        Item::Link("loop", "app"),
        Item::Link("etc/os-release", "../../../../../../etc/os-release"),
        Item::Hard("usr/lib/os-release", "/etc/passwd"),
    ];
    let (folder, _) = layered(&[tar(&items)]);
    let image = read(folder.path(), &Limits::default());
    assert_eq!(codes(&image), [Code::EntryPointMissing]);
    assert_eq!(image.entries[0].system, None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    /// Any one stretch of an ELF file overwritten: no panic, and what is read is bounded.
    #[test]
    fn no_elf_file_makes_the_reader_panic(at in 0_usize..700, bytes in prop::collection::vec(any::<u8>(), 1..24), cut in 0_usize..900) {
        let sample = ElfSample {
            interpreter: Some("/lib64/ld-linux-x86-64.so.2"), needed: vec!["libc.so.6", "libm.so.6"], runpath: Some("$ORIGIN"),
            isa: Some(3), kernel: Some([3, 2, 0]), tail: go_build("go1.24", &["build\tGOAMD64=v3"]), ..ElfSample::new(X86_64)
        };
        let mut file = sample.bytes();
        for (offset, byte) in bytes.iter().enumerate() {
            if let Some(place) = file.get_mut(at + offset) {
                *place = *byte;
            }
        }
        file.truncate(cut.max(4));
        if let Some(elf) = Elf::read(&file, false) {
            prop_assert!(elf.needed.len() <= 4096);
            prop_assert!(elf.page.is_none_or(|page| page <= 65536));
        }
    }

    /// Any bytes as a layer: told as unreadable or read, and never a panic.
    #[test]
    fn no_layer_makes_the_reader_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..2048), packed in any::<bool>(), at in 0_usize..512) {
        let good = tar(&[Item::Program("app", ElfSample::new(X86_64).bytes()), Item::Link("b", "app")]);
        let mut layer = good;
        for (offset, byte) in bytes.drain(..).enumerate().take(64) {
            layer[at + offset] = byte;
        }
        let layer = if packed { gzip(&layer) } else { layer };
        let (folder, _) = layered(&[layer]);
        let image = read(folder.path(), &Limits::default());
        prop_assert_eq!(image.entries.len(), 1);
    }
}
