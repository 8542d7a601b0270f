//! Images of several architectures, made by the tests and read back through every door.

use std::path::Path;

use jiuzhou_engine::detect::{Execution, Level, NeedField, Provenance, World};
use jiuzhou_engine::terms::Code;
use serde_json::{Value, json};

use crate::samples::{AARCH64, ARM, Blobs, ElfSample, Item, LOONGARCH, SW64, X86_64, go_build, gzip, tar, zstd};
use crate::{Elf, Entry, InspectError, Inspected, Limits, Role, Runtime, inspect, open};

fn read(path: &Path) -> Result<Vec<Inspected>, InspectError> {
    let limits = Limits::default();
    let mut source = open(path.to_str().unwrap(), &mut std::io::empty(), &limits)?;
    inspect(&mut *source, &[], &limits)
}

/// One image of one platform.
fn one(platform: &str, run: Value, layers: &[Vec<u8>]) -> (Entry, Vec<Code>) {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = Blobs::default();
    let manifest = blobs.manifest(platform, run, layers);
    blobs.layout(folder.path(), &[manifest]);
    let mut image = read(folder.path()).unwrap().remove(0);
    (image.entries.remove(0), image.findings.iter().map(|finding| finding.reason.code).collect())
}

fn known(entry: &Entry, need: NeedField) -> (Provenance, &str) {
    let fact = entry.facts.iter().find(|fact| fact.need == need).unwrap();
    (fact.provenance, &fact.source)
}

fn command(words: &[&str]) -> Value {
    json!({ "Entrypoint": words })
}

/// A glibc image: program, loader, C library.
#[allow(clippy::needless_pass_by_value, reason = "samples of the tests")]
fn glibc(machine: u16, loader: &'static str, program: ElfSample, libc: ElfSample) -> Vec<Item> {
    let program = ElfSample { interpreter: Some(loader), needed: vec!["libc.so.6"], ..program };
    vec![
        Item::Program("usr/bin/app", program.bytes()),
        Item::Program(&loader[1..], ElfSample::new(machine).bytes()),
        Item::File("usr/lib64/libc.so.6", libc.bytes()),
    ]
}

#[test]
fn a_static_go_program_says_its_level_and_needs_no_libc() {
    let build = go_build(
        "go1.24.1",
        &[
            "path\tapp",
            "mod\tapp\tv1.2.3",
            "dep\tgolang.org/x/net\tv0.30.0",
            "build\tCGO_ENABLED=0",
            "build\tGOARM64=v8.1,crypto",
        ],
    );
    let program = ElfSample { shared: false, align: 0x10000, tail: build, ..ElfSample::new(AARCH64) };
    let layer = tar(&[Item::Program("app", program.bytes())]);
    let (entry, findings) = one("linux/arm64", command(&["/app"]), &[gzip(&layer)]);
    assert_eq!(findings, []);
    assert_eq!(entry.runtime, Runtime::Go);
    assert_eq!(entry.image.needs.level, Some(Level::Arm(8, 1)));
    assert_eq!(
        entry.image.needs.features.iter().map(String::as_str).collect::<Vec<_>>(),
        ["aes", "pmull", "sha1", "sha2"]
    );
    assert_eq!((entry.image.needs.max_page_size_ki, entry.image.needs.libc), (Some(64), None));
    assert_eq!((entry.image.needs.execution, entry.image.provenance), (Execution::StaticGo, Provenance::Inspected));
    let names: Vec<_> = entry.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect();
    assert_eq!(names, ["app v1.2.3", "golang.org/x/net v0.30.0"]);
}

#[test]
fn go_before_its_level_switches_wrote_for_the_baseline_and_cgo_hides_it() {
    let level = |version: &str, lines: &[&str]| {
        let program = ElfSample { tail: go_build(version, lines), ..ElfSample::new(AARCH64) };
        let layer = tar(&[Item::Program("app", program.bytes())]);
        let (entry, _) = one("linux/arm64", command(&["/app"]), &[layer]);
        (entry.image.needs.level, entry.image.provenance)
    };
    assert_eq!(level("go1.20.5", &[]), (Some(Level::Arm(8, 0)), Provenance::Inspected));
    assert_eq!(level("go1.24.0", &[]), (None, Provenance::None));
    assert_eq!(level("go1.24.0", &["build\tCGO_ENABLED=1", "build\tGOARM64=v8.0"]), (None, Provenance::None));
}

#[test]
fn marks_of_the_linker_give_the_x86_level_of_the_highest_library() {
    let program = ElfSample { isa: Some(1), ..ElfSample::new(X86_64) };
    let libc = ElfSample {
        isa: Some(0b11),
        kernel: Some([3, 2, 0]),
        tail: b"GNU C Library (GNU libc) stable release version 2.34.\n".to_vec(),
        ..ElfSample::new(X86_64)
    };
    let mut items = glibc(X86_64, "/lib64/ld-linux-x86-64.so.2", program, libc);
    // A mark of its own for the loader, so that every file says something.
    items[1] =
        Item::Program("lib64/ld-linux-x86-64.so.2", ElfSample { isa: Some(1), ..ElfSample::new(X86_64) }.bytes());
    let (entry, findings) = one("linux/amd64", command(&["app"]), &[zstd(&tar(&items))]);
    assert_eq!(findings, []);
    assert_eq!((entry.image.needs.level, entry.image.provenance), (Some(Level::X86(2)), Provenance::Inspected));
    assert_eq!(known(&entry, NeedField::Level), (Provenance::Inspected, "/usr/lib64/libc.so.6"));
    assert_eq!(entry.image.needs.kernel_min.unwrap().to_string(), "3.2.0");
    assert_eq!(entry.image.needs.libc.unwrap().version.to_string(), "2.34.0");
    assert_eq!(known(&entry, NeedField::MaxPageSize).0, Provenance::None, "x86 has one page size");
}

#[test]
fn a_program_without_marks_keeps_its_level_unknown() {
    let items = glibc(AARCH64, "/lib/ld-linux-aarch64.so.1", ElfSample::new(AARCH64), ElfSample::new(AARCH64));
    let (entry, findings) = one("linux/arm64", command(&["/usr/bin/app"]), &[tar(&items)]);
    assert_eq!(findings, [Code::InstructionSetUnmarked]);
    assert_eq!((entry.image.needs.level, entry.image.provenance), (None, Provenance::None));
    assert_eq!(known(&entry, NeedField::Level), (Provenance::None, ""));
    assert_eq!(
        entry.image.needs.max_page_size_ki,
        Some(4),
        "built for pages of 4 KiB: Kylin with 64 KiB cannot run it"
    );
    assert_eq!(known(&entry, NeedField::MaxPageSize), (Provenance::Inspected, "/usr/bin/app"));
}

#[test]
fn an_allocator_of_one_page_size_leaves_wide_alignment_unproven() {
    let text = b"<jemalloc>: Unsupported system page size\n\0_RJEM_MALLOC_CONF".to_vec();
    let app = ElfSample { align: 0x10000, tail: text, ..ElfSample::new(AARCH64) };
    let (entry, findings) = one("linux/arm64", command(&["/qdrant"]), &[tar(&[Item::Program("qdrant", app.bytes())])]);
    assert!(findings.contains(&Code::AllocatorPageSize), "{findings:?}");
    assert_eq!((entry.image.needs.max_page_size_ki, known(&entry, NeedField::MaxPageSize).0), (None, Provenance::None));
}

#[test]
fn both_loongarch_worlds_are_told_by_loader_and_by_object_abi() {
    let world = |loader: &'static str, flags: u32, kernel: Option<[u32; 3]>| {
        let program = ElfSample { flags, kernel, align: 0x4000, ..ElfSample::new(LOONGARCH) };
        let items = glibc(LOONGARCH, loader, program, ElfSample { align: 0x4000, flags, ..ElfSample::new(LOONGARCH) });
        let (entry, _) = one("linux/loong64", command(&["/usr/bin/app"]), &[tar(&items)]);
        assert_eq!(entry.image.needs.max_page_size_ki, Some(4), "the loader of the sample has 4 KiB");
        entry.image.needs.world
    };
    assert_eq!(world("/lib64/ld-linux-loongarch-lp64d.so.1", 0x43, Some([5, 19, 0])), Some(World::New));
    assert_eq!(
        world("/lib64/ld-linux-loongarch-lp64d.so.1", 0x3, None),
        Some(World::New),
        "as early toolchains wrote it"
    );
    assert_eq!(world("/lib64/ld.so.1", 0x3, Some([4, 15, 0])), Some(World::Old));
    assert_eq!(world("/lib64/ld.so.1", 0x3, Some([5, 19, 0])), Some(World::Old), "the loader decides");
    let mixed = [
        Item::Program("app", ElfSample { interpreter: Some("/lib64/ld.so.1"), ..ElfSample::new(LOONGARCH) }.bytes()),
        Item::Program("lib64/ld.so.1", ElfSample { flags: 0x43, ..ElfSample::new(LOONGARCH) }.bytes()),
    ];
    let (entry, findings) = one("linux/loong64", command(&["/app"]), &[tar(&mixed)]);
    assert_eq!((entry.image.needs.world, findings.contains(&Code::AbiWorldsMixed)), (None, true));
    let lone = |flags| {
        let program = ElfSample { flags, shared: false, ..ElfSample::new(LOONGARCH) };
        one("linux/loong64", command(&["/app"]), &[tar(&[Item::Program("app", program.bytes())])]).0
    };
    assert_eq!(
        (lone(0x43).image.needs.world, known(&lone(0x43), NeedField::AbiWorld).0),
        (Some(World::New), Provenance::Inspected)
    );
    assert_eq!(
        (lone(0x3).image.needs.world, known(&lone(0x3), NeedField::AbiWorld).0),
        (Some(World::Old), Provenance::Inferred)
    );
}

#[test]
fn sunway_is_known_by_both_its_numbers() {
    for machine in [SW64, 0x9916] {
        let layer = tar(&[Item::Program("app", ElfSample::new(machine).bytes())]);
        let (entry, findings) = one("linux/sw64", command(&["/app"]), &[layer]);
        assert_eq!(findings, [Code::InstructionSetUnmarked]);
        assert_eq!(entry.executables.get("sw64"), Some(&1));
    }
}

#[test]
fn an_index_that_says_arm64_over_x86_programs_is_an_error() {
    let layer = tar(&[Item::Program("app", ElfSample::new(X86_64).bytes())]);
    let (entry, findings) = one("linux/arm64", command(&["/app"]), &[layer]);
    assert_eq!(findings, [Code::ImageArchitectureContradicted]);
    assert!(entry.facts.iter().all(|fact| fact.provenance == Provenance::None), "{:?}", entry.facts);
}

#[test]
fn thirty_two_bit_arm_inside_an_arm64_image_is_a_need() {
    let layer = tar(&[Item::Program("app", ElfSample { shared: false, ..ElfSample::new(ARM) }.bytes())]);
    let (entry, findings) = one("linux/arm64", command(&["/app"]), &[layer]);
    assert_eq!(findings, []);
    assert!(entry.image.needs.aarch32);
}

#[test]
fn a_variant_that_promises_less_than_the_program_needs_is_an_error() {
    let program = ElfSample { isa: Some(0b100), ..ElfSample::new(X86_64) };
    let (entry, findings) = one("linux/amd64/v2", command(&["/app"]), &[tar(&[Item::Program("app", program.bytes())])]);
    assert_eq!(findings, [Code::InstructionSetAboveVariant]);
    assert_eq!(entry.image.needs.level, Some(Level::X86(3)));
}

#[test]
fn wrappers_scripts_and_shell_forms_lead_to_the_program_behind_them() {
    let shell = ElfSample::new(X86_64).bytes();
    let items = [
        Item::Program("bin/busybox", shell.clone()),
        Item::Link("bin/sh", "busybox"),
        Item::Program("sbin/tini", ElfSample { shared: false, ..ElfSample::new(X86_64) }.bytes()),
        Item::Program(
            "usr/lib/jvm/17/bin/java",
            ElfSample { needed: vec!["libjli.so"], runpath: Some("$ORIGIN/../lib"), ..ElfSample::new(X86_64) }.bytes(),
        ),
        Item::Link("usr/bin/java", "../lib/jvm/17/bin/java"),
        Item::File("usr/lib/jvm/17/lib/libjli.so", shell.clone()),
        Item::File("usr/lib/jvm/17/lib/server/libjvm.so", shell.clone()),
        Item::Program("entry.sh", b"#!/bin/sh -e\nexec \"$@\"\n".to_vec()),
        Item::Program("usr/bin/python3.11", shell.clone()),
        Item::Link("usr/bin/python3", "python3.11"),
        Item::Program("srv/app.py", b"#!/usr/bin/env -S python3 -u\nprint()\n".to_vec()),
        Item::File("usr/lib/python3/dist-packages/x.so", shell),
    ];
    let layer = tar(&items);
    let run = |words: Value| {
        let (entry, findings) = one("linux/amd64", words, std::slice::from_ref(&layer));
        (entry.runtime, entry.programs, findings)
    };
    for words in [
        json!({ "Entrypoint": ["tini", "--", "java", "-jar", "/app.jar"] }),
        json!({ "Entrypoint": ["/entry.sh"], "Cmd": ["java", "-jar", "/app.jar"] }),
        json!({ "Cmd": ["/bin/sh", "-c", "cd /srv && exec java $OPTS -jar app.jar"] }),
    ] {
        let (runtime, programs, findings) = run(words.clone());
        assert_eq!(runtime, Runtime::Java, "{words}");
        assert!(programs.iter().any(|p| p.path == "/usr/lib/jvm/17/lib/server/libjvm.so" && p.role == Role::Extension));
        assert!(!findings.contains(&Code::LibraryMissing), "{findings:?}");
    }
    let (runtime, programs, _) = run(json!({ "Cmd": ["./app.py"], "WorkingDir": "/srv" }));
    assert_eq!(
        (runtime, programs[0].role, programs[0].path.as_str()),
        (Runtime::Python, Role::Interpreter, "/usr/bin/python3.11")
    );
    assert!(programs.iter().any(|program| program.path.ends_with("/dist-packages/x.so")));
    let (runtime, _, findings) = run(json!({ "Entrypoint": ["/entry.sh"] }));
    assert_eq!((runtime, findings.contains(&Code::ProgramBehindScript)), (Runtime::Shell, true));
    let (runtime, _, findings) = run(json!({}));
    assert_eq!((runtime, findings), (Runtime::Unknown, vec![Code::EntryPointNone]));
    let (_, _, findings) = run(json!({ "Cmd": ["gone"] }));
    assert_eq!(findings, [Code::EntryPointMissing]);
}

#[test]
fn what_the_loader_would_not_find_is_told() {
    let program = ElfSample {
        interpreter: Some("/lib/ld-musl-x86_64.so.1"),
        needed: vec!["libssl.so.3"],
        ..ElfSample::new(X86_64)
    };
    // A library for another machine is passed over, as the loader does.
    let items = [Item::Program("app", program.bytes()), Item::File("lib/libssl.so.3", ElfSample::new(AARCH64).bytes())];
    let (_, findings) = one("linux/amd64", command(&["/app"]), &[tar(&items)]);
    assert_eq!(findings[..2], [Code::LoaderMissing, Code::LibraryMissing]);
}

#[test]
fn packages_of_alpine_and_debian_and_names_on_disk_are_listed() {
    let apk = b"P:musl\nV:1.2.5-r0\n\nP:openssl\nV:3.3.0-r2\n".to_vec();
    let dpkg = b"Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n".to_vec();
    let program = ElfSample { interpreter: Some("/lib/ld-musl-x86_64.so.1"), ..ElfSample::new(X86_64) };
    let items = [
        Item::File("lib/apk/db/installed", apk),
        Item::File("var/lib/dpkg/status", dpkg),
        Item::File("app/lib/log4j-core-2.14.1.jar", b"PK".to_vec()),
        Item::File("usr/lib/python3/site-packages/requests-2.31.0.dist-info/METADATA", b"Name: requests".to_vec()),
        Item::File("etc/os-release", "PRETTY_NAME=\"银河麒麟 V10\"\n".into()),
        Item::Program("lib/ld-musl-x86_64.so.1", ElfSample::new(X86_64).bytes()),
        Item::Program("app/run", program.bytes()),
    ];
    let (entry, _) = one("linux/amd64", command(&["/app/run"]), &[tar(&items)]);
    let names: Vec<_> = entry.packages.iter().map(|p| format!("{}:{}@{}", p.kind, p.name, p.version)).collect();
    assert_eq!(
        names,
        [
            "apk:musl@1.2.5-r0",
            "apk:openssl@3.3.0-r2",
            "deb:libc6@2.36-9",
            "maven:log4j-core@2.14.1",
            "pypi:requests@2.31.0"
        ]
    );
    assert_eq!(entry.image.needs.libc.unwrap().version.to_string(), "1.2.5");
    assert_eq!(entry.system.as_deref(), Some("银河麒麟 V10"));
}

/// Several platforms, names, an attestation; the same image through a layout, an archive of it, and a packed archive.
#[test]
fn an_index_reads_the_same_from_a_folder_an_archive_and_a_packed_archive() {
    let folder = tempfile::tempdir().unwrap();
    let mut blobs = Blobs::default();
    let layer = |machine| tar(&[Item::Program("app", ElfSample::new(machine).bytes())]);
    let mut manifests: Vec<Value> =
        [("linux/amd64", X86_64), ("linux/arm64/v8", AARCH64), ("linux/loong64", LOONGARCH)]
            .map(|(platform, machine)| blobs.manifest(platform, command(&["/app"]), &[gzip(&layer(machine))]))
            .to_vec();
    manifests.push(blobs.manifest("unknown/unknown", json!({}), &[]));
    let mut root = blobs.index(&manifests);
    let digest = root["digest"].as_str().unwrap().to_owned();
    root["annotations"] = json!({ "io.containerd.image.name": "registry.gov.example/app:1.0", "org.opencontainers.image.ref.name": "1.0" });
    let layout = folder.path().join("布局");
    blobs.layout(&layout, &[root]);

    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all(".", &layout).unwrap();
    let archive = builder.into_inner().unwrap();
    let (plain, packed) = (folder.path().join("a.tar"), folder.path().join("a.tar.gz"));
    std::fs::write(&plain, &archive).unwrap();
    std::fs::write(&packed, gzip(&archive)).unwrap();

    let mut told = Vec::new();
    for path in [&layout, &plain, &packed] {
        let images = read(path).unwrap();
        assert_eq!(images.len(), 1);
        let image = &images[0];
        assert_eq!(image.digest.as_ref().unwrap().to_string(), digest);
        assert_eq!(
            (image.name.as_deref(), &image.tags[..]),
            (Some("registry.gov.example/app"), &["1.0".to_owned()][..])
        );
        let platforms: Vec<_> = image.entries.iter().map(|entry| entry.image.platform.to_string()).collect();
        assert_eq!(platforms, ["linux/amd64", "linux/arm64/v8", "linux/loong64"]);
        assert_eq!(image.findings[0].reason.code, Code::AttestationSkipped);
        told.push(format!("{images:?}"));
    }
    assert!(told.iter().all(|one| *one == told[0]));
    let mut stdin = &archive[..];
    let limits = Limits::default();
    let mut source = open("-", &mut stdin, &limits).unwrap();
    assert_eq!(format!("{:?}", inspect(&mut *source, &[], &limits).unwrap()), told[0]);
}

/// What `docker save` wrote until version 24: `manifest.json` and folders of layers, one of them a link to another.
#[test]
fn an_old_saved_archive_has_no_digest_and_is_read_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let layer = tar(&[Item::Program("app", ElfSample::new(X86_64).bytes())]);
    let id = jiuzhou_engine::terms::Digest::sha256(&layer).to_string();
    let config = json!({ "architecture": "amd64", "os": "linux", "config": { "Cmd": ["/app"] },
        "rootfs": { "type": "layers", "diff_ids": [id, id] } })
    .to_string();
    let config_name = format!(
        "{}.json",
        jiuzhou_engine::terms::Digest::sha256(config.as_bytes()).to_string().trim_start_matches("sha256:")
    );
    let manifest =
        json!([{ "Config": config_name, "RepoTags": ["app:old"], "Layers": ["aa/layer.tar", "bb/layer.tar"] }]);
    let write = |name: &str, config: &str| {
        let path = folder.path().join(name);
        let mut builder = tar::Builder::new(std::fs::File::create(&path).unwrap());
        for (name, bytes) in [
            ("aa/layer.tar", &layer[..]),
            (config_name.as_str(), config.as_bytes()),
            ("manifest.json", manifest.to_string().as_bytes()),
        ] {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, bytes).unwrap();
        }
        let mut header = tar::Header::new_ustar();
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Symlink);
        builder.append_link(&mut header, "bb/layer.tar", "../aa/layer.tar").unwrap();
        builder.finish().unwrap();
        path
    };
    let image = read(&write("good.tar", &config)).unwrap().remove(0);
    assert_eq!((image.digest, image.label()), (None, "docker.io/library/app:old".to_owned()));
    assert_eq!((image.entries[0].programs[0].path.as_str(), image.entries[0].unread), ("/app", false));
    // The name of a configuration is its digest, so one that was changed is refused.
    let image = read(&write("changed.tar", &config.replace("/app", "/bad"))).unwrap().remove(0);
    assert_eq!((image.entries.len(), image.findings[0].reason.code), (0, Code::ManifestUnreadable));
}

/// The image in `docs/inputs/portal`: three platforms, each with something to find. Its programs are headers only.
#[test]
fn the_image_of_the_documentation_is_what_stands_here() {
    let made = tempfile::tempdir().unwrap();
    let mut blobs = Blobs::default();
    let release = Item::File("etc/os-release", "PRETTY_NAME=\"Kylin Linux Advanced Server V10 (Lance)\"\n".into());
    let jar = Item::File("opt/portal/lib/log4j-core-2.14.1.jar", b"PK".to_vec());
    let amd64 = {
        let program = ElfSample { isa: Some(1), ..ElfSample::new(X86_64) };
        let libc = ElfSample {
            isa: Some(2),
            kernel: Some([3, 2, 0]),
            tail: b"GNU C Library (GNU libc) stable release version 2.34.\n".to_vec(),
            ..ElfSample::new(X86_64)
        };
        let mut items = glibc(X86_64, "/lib64/ld-linux-x86-64.so.2", program, libc);
        items[1] =
            Item::Program("lib64/ld-linux-x86-64.so.2", ElfSample { isa: Some(1), ..ElfSample::new(X86_64) }.bytes());
        items.extend([release.clone(), jar.clone()]);
        blobs.manifest("linux/amd64", command(&["/usr/bin/app"]), &[tar(&items)])
    };
    let arm64 = {
        let items = glibc(
            AARCH64,
            "/lib/ld-linux-aarch64.so.1",
            ElfSample::new(AARCH64),
            ElfSample { align: 0x10000, ..ElfSample::new(AARCH64) },
        );
        blobs.manifest("linux/arm64/v8", command(&["/usr/bin/app"]), &[tar(&[items, vec![release, jar]].concat())])
    };
    let loong64 = {
        let old = ElfSample { kernel: Some([4, 15, 0]), flags: 3, align: 0x4000, ..ElfSample::new(LOONGARCH) };
        let program = ElfSample { interpreter: Some("/lib64/ld.so.1"), ..old.clone() };
        let items = [Item::Program("usr/bin/app", program.bytes()), Item::Program("lib64/ld.so.1", old.bytes())];
        blobs.manifest("linux/loong64", command(&["/usr/bin/app"]), &[tar(&items)])
    };
    let mut root = blobs.index(&[amd64, arm64, loong64]);
    root["annotations"] = json!({ "io.containerd.image.name": "registry.gov.example/portal/web:2.1" });
    blobs.layout(made.path(), &[root]);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/inputs/portal");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let _ = std::fs::remove_dir_all(&committed);
        let layout: Value = serde_json::from_slice(&std::fs::read(made.path().join("index.json")).unwrap()).unwrap();
        blobs.layout(&committed, layout["manifests"].as_array().unwrap());
    }
    let names = |folder: &Path| -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = ["index.json", "oci-layout"].map(|name| folder.join(name)).to_vec();
        files.extend(
            std::fs::read_dir(folder.join("blobs/sha256")).into_iter().flatten().map(|one| one.unwrap().path()),
        );
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let mut all: Vec<_> = files.iter().map(|path| (name(path), std::fs::read(path).unwrap_or_default())).collect();
        all.sort();
        all
    };
    assert!(names(made.path()) == names(&committed), "run `UPDATE_GOLDEN=1 cargo test -p jiuzhou-inspect`");
    let image = read(&committed).unwrap().remove(0);
    let worlds: Vec<_> = image.entries.iter().map(|entry| (entry.image.needs.level, entry.image.needs.world)).collect();
    assert_eq!(worlds, [(Some(Level::X86(2)), None), (None, None), (None, Some(World::Old))]);
}

#[test]
fn a_real_program_of_this_machine_reads_as_readelf_does() {
    let Ok(bytes) = std::fs::read("/proc/self/exe") else { return };
    let elf = Elf::read(&bytes, false).expect("the test itself is a program");
    let native = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "loongarch64" => "loong64",
        other => other,
    };
    assert_eq!(elf.architecture(), Some(native));
    assert!(elf.interpreter.as_deref().is_some_and(|path| Path::new(path).exists()), "{:?}", elf.interpreter);
    assert!(elf.needed.iter().any(|name| name.starts_with("libc.")), "{:?}", elf.needed);
    assert!(elf.page.is_some_and(|page| page >= 4096) && elf.go.is_none() && !elf.cut);
}
