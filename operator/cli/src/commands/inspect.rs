//! `inspect`: looks into images and says what each platform needs, each fact with how it is known.
//!
//! Files are read by every build; registries need the feature `inspect`. Nothing of an image is written or executed.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use jiuzhou_engine::terms::{Bytes, Code, Finding, ObjectRef, Reason, Severity};
use jiuzhou_inspect::{Entry, InspectError, Inspected, Limits, Reference, Role, Runtime, inspect, open};
use jiuzhou_intake::profiles::{Described, image_profile};
use jiuzhou_report::document::{Meta, Status};
use jiuzhou_report::documents::inspect::{InspectedEntry, InspectedProgram};
use jiuzhou_report::words::Word;

use crate::args::InspectArgs;
use crate::commands::{load, sbom};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Inspects what it is given.
pub(crate) fn run(args: &InspectArgs, context: &Context) -> anyhow::Result<Exit> {
    let named =
        args.image_name.as_deref().map(Reference::parse).transpose().map_err(|error| Failure::Image(error.0))?;
    if args.images.len() > 1 && (named.is_some() || args.digest.is_some()) {
        return Err(Failure::OneImage.into());
    }
    let limits = Limits::default();
    let (mut images, mut findings) = (Vec::new(), Vec::new());
    for source in &args.images {
        tracing::info!(source, "inspecting");
        match look(source, args, &limits) {
            Ok(found) => images.extend(found),
            Err(error) => {
                let reason = Reason::new(Code::ImageUnreadable).object(source.as_str()).seen(error.to_string());
                findings.push(Finding::new(reason).on(ObjectRef::new("Image", "", source)));
            }
        }
    }
    if images.len() > 1 && (named.is_some() || args.digest.is_some()) {
        return Err(Failure::OneImage.into());
    }
    for image in &mut images {
        if let Some(reference) = &named {
            image.name = Some(reference.name());
            image.tags.extend(reference.tag.clone());
            image.tags.sort();
            image.tags.dedup();
        }
        if image.digest.is_none() {
            image.digest.clone_from(&args.digest);
        }
        findings.extend(image.findings.iter().cloned());
    }
    if let Some(file) = &args.sbom {
        output::replace(file, sbom::cyclonedx(&images)?.as_bytes())?;
    }
    let unusable = images.is_empty() || images.iter().all(|image| image.entries.is_empty());
    let failed = load::fails(&findings, args.fail_on);
    if let Some(file) = &args.profiles {
        let text = profiles(&images)?;
        if file.as_os_str() == "-" {
            output::print(&text)?;
            load::tell(&findings, context);
            return Ok(exit(unusable, failed));
        }
        output::replace(file, text.as_bytes())?;
    }
    let entries: Vec<InspectedEntry> = images.iter().flat_map(rows).collect();
    let meta = Meta::new(Some(Timestamp::now()), None);
    let document =
        jiuzhou_report::documents::inspect::inspect(meta, &args.images.join(" "), images.len(), &entries, findings);
    output::write(&document, &args.output, context)?;
    Ok(exit(unusable, failed))
}

fn exit(unusable: bool, failed: bool) -> Exit {
    match (unusable, failed) {
        (true, _) => Exit::Input,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Ok,
    }
}

/// A path that exists, or is written as one, is a file; everything else is a name in a registry.
fn look(source: &str, args: &InspectArgs, limits: &Limits) -> Result<Vec<Inspected>, InspectError> {
    let path = source.strip_prefix("oci:").or_else(|| source.strip_prefix("oci-archive:")).unwrap_or(source);
    let path = path.strip_prefix("docker-archive:").unwrap_or(path);
    let local = path == "-" || path.starts_with(['/', '.']) || path != source || std::path::Path::new(path).exists();
    let command = &args.container_command;
    if local {
        let mut opened = open(path, &mut io::stdin().lock(), limits)?;
        return inspect(&mut *opened, command, limits);
    }
    registry(source, args, limits)
}

#[cfg(feature = "inspect")]
fn registry(source: &str, args: &InspectArgs, limits: &Limits) -> Result<Vec<Inspected>, InspectError> {
    use jiuzhou_inspect::registry::{Access, Registry};
    let access = Access::new(&args.mirror, args.plain_http, args.registry_config.as_deref())?;
    let mut registry = Registry::open(source, &access, *limits)?;
    inspect(&mut registry, &args.container_command, limits)
}

#[cfg(not(feature = "inspect"))]
fn registry(source: &str, _args: &InspectArgs, _limits: &Limits) -> Result<Vec<Inspected>, InspectError> {
    Err(InspectError::Unsupported {
        what: source.to_owned(),
        detail: "there is no such file, and a registry is asked only by a build with --features inspect: that"
            .to_owned(),
    })
}

/// Profiles of the images that have a name and a digest; the others cannot be found again by a manifest.
fn profiles(images: &[Inspected]) -> anyhow::Result<String> {
    let mut text = String::new();
    for image in images {
        let (Some(name), Some(digest)) = (&image.name, &image.digest) else {
            return Err(Failure::NoProfile(image.label()).into());
        };
        let entry = |entry: &Entry| (entry.image.clone(), entry.os_version.clone(), entry.facts.clone());
        let described = Described {
            image: name.clone(),
            tags: image.tags.clone(),
            digest: *digest,
            entries: image.entries.iter().map(entry).collect(),
            on: jiuzhou_intake::beijing::day(Timestamp::now()).to_string(),
        };
        let (profile, left) = image_profile(&described);
        if left > 0 {
            return Err(Failure::ProfileTooLarge(image.label()).into());
        }
        text.push_str("---\n");
        text.push_str(&load::yaml(&serde_json::to_value(profile)?)?);
    }
    Ok(text)
}

fn rows(image: &Inspected) -> Vec<InspectedEntry> {
    let label = image.label();
    let mut worst: BTreeMap<String, Severity> = BTreeMap::new();
    for finding in &image.findings {
        let name = finding.subject.as_ref().map(|subject| subject.name.clone()).unwrap_or_default();
        let before = worst.entry(name).or_insert(finding.severity);
        *before = (*before).max(finding.severity);
    }
    let row = |entry: &Entry| {
        let platform = entry.image.platform.to_string();
        let status = match worst.get(&format!("{label} ({platform})")) {
            _ if entry.unread => Status::Unknown,
            Some(Severity::Error) => Status::Refused,
            Some(Severity::Warning) => Status::Warn,
            Some(Severity::Info) | None => Status::Ok,
        };
        InspectedEntry {
            image: label.clone(),
            entry: entry.image.clone(),
            facts: entry.facts.clone(),
            runtime: runtime(entry.runtime),
            system: entry.system.clone(),
            programs: programs(entry),
            executables: entry.executables.iter().map(|(arch, count)| format!("{arch}: {count}")).collect(),
            packages: entry.packages.len(),
            paths: (!entry.unread).then_some(entry.paths),
            status,
        }
    };
    image.entries.iter().map(row).collect()
}

fn programs(entry: &Entry) -> Vec<InspectedProgram> {
    let program = |program: &jiuzhou_inspect::Program| InspectedProgram {
        path: program.path.clone(),
        role: match program.role {
            Role::Program => Word::RoleProgram,
            Role::Interpreter => Word::RoleInterpreter,
            Role::Loader => Word::RoleLoader,
            Role::Library => Word::RoleLibrary,
            Role::Extension => Word::RoleExtension,
        },
        architecture: program.elf.machine_name(),
        page: program.elf.page.and_then(|page| i64::try_from(page).ok()).map(Bytes),
        loader: program.elf.interpreter.clone(),
    };
    entry.programs.iter().map(program).collect()
}

fn runtime(runtime: Runtime) -> Option<Word> {
    Some(match runtime {
        Runtime::Unknown => return None,
        Runtime::Shell => Word::RuntimeShell,
        Runtime::Go => Word::RuntimeGo,
        Runtime::Native => Word::RuntimeNative,
        Runtime::Perl => Word::RuntimePerl,
        Runtime::Ruby => Word::RuntimeRuby,
        Runtime::Php => Word::RuntimePhp,
        Runtime::Dotnet => Word::RuntimeDotnet,
        Runtime::Node => Word::RuntimeNode,
        Runtime::Python => Word::RuntimePython,
        Runtime::Java => Word::RuntimeJava,
    })
}
