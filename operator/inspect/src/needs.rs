//! From the programs that run to what they need, each with how it is known.
//!
//! What no byte says stays unknown: an arm64 program without the build information of Go carries no mark of the
//! instructions it uses, so its level is not guessed. A need that is found is a lower bound; it is only called complete
//! (the entry's own provenance) when every program said it.

use std::collections::BTreeSet;

use jiuzhou_engine::detect::{
    Execution, Fact, KernelVersion, Level, Libc, LibcFamily, NeedField, Needs, OciPlatform, Provenance,
};
use jiuzhou_engine::terms::{Code, Reason};

use crate::entry::{Program, Role, Runtime};
use crate::packages::Package;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) needs: Needs,
    pub(crate) facts: Vec<Fact>,
    pub(crate) provenance: Provenance,
    pub(crate) remarks: Vec<Reason>,
}

impl Found {
    fn fact(&mut self, need: NeedField, provenance: Provenance, source: &str) {
        self.facts.push(Fact { need, provenance, source: source.to_owned() });
    }
}

/// Derives the needs of an entry. `platform` is normalised.
pub(crate) fn derive(platform: &OciPlatform, programs: &[Program], runtime: Runtime, packages: &[Package]) -> Found {
    let mut found = Found::default();
    architecture(platform, programs, &mut found);
    // A program for another machine never runs here, so what it needs says nothing of this platform.
    let fitting: Vec<Program> = programs.iter().filter(|program| runs_on(platform, program)).cloned().collect();
    let programs = fitting.as_slice();
    level(platform, programs, runtime, &mut found);
    features(platform, programs, &mut found);
    pages(platform, programs, runtime, &mut found);
    world(platform, programs, &mut found);
    aarch32(platform, programs, &mut found);
    kernel(programs, &mut found);
    libc(programs, packages, &mut found);
    execution(programs, runtime, &mut found);
    for need in NeedField::ALL {
        if found.facts.iter().all(|fact| fact.need != need) {
            found.fact(need, Provenance::None, "");
        }
    }
    found.facts.sort();
    found
}

/// Programs and loader must be for the platform of the entry; a 32-bit one on a 64-bit platform is a need of its own.
fn architecture(platform: &OciPlatform, programs: &[Program], found: &mut Found) {
    let mut told = BTreeSet::new();
    for program in programs {
        let seen = program.elf.machine_name();
        if !runs_on(platform, program) && told.insert(seen.clone()) {
            let reason = Reason::new(Code::ImageArchitectureContradicted).object(program.path.as_str());
            found.remarks.push(reason.seen(seen).wanted(platform.architecture.as_str()));
        }
    }
}

/// Whether a program is for a platform, as its 64-bit or its 32-bit form.
fn runs_on(platform: &OciPlatform, program: &Program) -> bool {
    let seen = program.elf.machine_name();
    let related = [("arm64", "arm"), ("amd64", "386")];
    seen == platform.architecture || related.contains(&(platform.architecture.as_str(), seen.as_str()))
}

/// What a program says of its level, for the platform's architecture.
fn level_of(program: &Program, architecture: &str) -> Option<Level> {
    if let Some(level) = program.elf.x86_level {
        return Some(Level::X86(level));
    }
    // C code linked into a Go program was compiled by another compiler, which left no mark.
    let go = program.elf.go.as_ref().filter(|go| go.cgo() != Some(true))?;
    Level::parse(&go.level(architecture)?)
}

fn level(platform: &OciPlatform, programs: &[Program], runtime: Runtime, found: &mut Found) {
    let native: Vec<&Program> =
        programs.iter().filter(|p| p.elf.architecture() == Some(platform.architecture.as_str())).collect();
    let levels = native.iter().filter_map(|program| Some((level_of(program, &platform.architecture)?, *program)));
    let mut best: Option<(Level, &Program)> = None;
    for (level, program) in levels {
        if best.is_none_or(|(before, _)| level.at_least(before)) && best.is_none_or(|(before, _)| before != level) {
            best = Some((level, program));
        }
    }
    let says = |program: &&Program| level_of(program, &platform.architecture).is_some();
    // What runs behind a virtual machine or a script has not been seen.
    let seen_all = matches!(runtime, Runtime::Native | Runtime::Go);
    let complete = seen_all && !native.is_empty() && native.iter().all(says);
    let lowest = best.and_then(|(level, _)| Level::lowest(&level.arch()));
    match best {
        Some((level, program)) if complete || Some(level) != lowest => {
            found.needs.level = Some(level);
            found.fact(NeedField::Level, Provenance::Inspected, &program.path);
            let variant = variant_level(platform);
            if let Some(variant) = variant.filter(|variant| level.arch() == variant.arch() && !variant.at_least(level))
            {
                let reason = Reason::new(Code::InstructionSetAboveVariant).object(program.path.as_str());
                found.remarks.push(reason.seen(variant.to_string()).wanted(level.to_string()));
            }
        }
        _ => {
            if let Some(declared) = variant_level(platform) {
                found.fact(NeedField::Level, Provenance::Declared, &declared.to_string());
            } else if let Some(program) = native.iter().find(|program| !says(program)) {
                let reason = Reason::new(Code::InstructionSetUnmarked).object(program.path.as_str());
                found.remarks.push(reason);
            }
        }
    }
    if complete {
        found.provenance = Provenance::Inspected;
    }
}

/// The level a variant promises to suffice.
fn variant_level(platform: &OciPlatform) -> Option<Level> {
    let variant = platform.variant.strip_prefix('v')?;
    match platform.architecture.as_str() {
        "amd64" => Level::parse(&format!("x86-64-v{variant}")),
        "arm64" => Level::parse(&format!("armv{variant}")),
        _ => None,
    }
}

fn features(platform: &OciPlatform, programs: &[Program], found: &mut Found) {
    for program in programs {
        let Some(go) = &program.elf.go else { continue };
        let features = go.features(&platform.architecture);
        if !features.is_empty() {
            found.needs.features.extend(features.into_iter().map(str::to_owned));
            found.fact(NeedField::Features, Provenance::Inspected, &program.path);
            return;
        }
    }
    if found.provenance == Provenance::Inspected {
        let source = programs.first().map_or("", |program| program.path.as_str()).to_owned();
        found.fact(NeedField::Features, Provenance::Inspected, &source);
    }
}

fn pages(platform: &OciPlatform, programs: &[Program], runtime: Runtime, found: &mut Found) {
    if !["arm64", "loong64"].contains(&platform.architecture.as_str()) || runtime == Runtime::Unknown {
        return;
    }
    let least = programs.iter().filter_map(|program| Some((program.elf.page?, program))).min_by_key(|(page, _)| *page);
    let Some((page, program)) = least else { return };
    let allocator = programs.iter().find(|program| program.elf.jemalloc);
    if let Some(allocator) = allocator {
        found.remarks.push(Reason::new(Code::AllocatorPageSize).object(allocator.path.as_str()));
    }
    let ki = u32::try_from(page / 1024).unwrap_or(0);
    // Alignment is an upper bound: with an allocator of one page size below it the truth is not known.
    if ki >= 4 && (ki < 64 || allocator.is_none()) && (runtime != Runtime::Shell || ki < 64) {
        found.needs.max_page_size_ki = Some(ki);
        found.fact(NeedField::MaxPageSize, Provenance::Inspected, &program.path);
    }
}

fn world(platform: &OciPlatform, programs: &[Program], found: &mut Found) {
    if platform.architecture != "loong64" {
        return;
    }
    let runs = |program: &&Program| matches!(program.role, Role::Program | Role::Interpreter | Role::Loader);
    let all = programs.iter().filter(runs).filter_map(|program| Some((program.elf.world()?, program)));
    let (certain, guessed): (Vec<_>, Vec<_>) = all.partition(|((_, certain), _)| *certain);
    let Some(((first, sure), program)) = certain.first().or(guessed.first()) else { return };
    if let Some(((other, _), stranger)) = certain.iter().find(|((world, _), _)| world != first) {
        let reason = Reason::new(Code::AbiWorldsMixed).object(stranger.path.as_str());
        found.remarks.push(reason.seen(other.as_str()).wanted(first.as_str()));
        return;
    }
    found.needs.world = Some(*first);
    found.fact(NeedField::AbiWorld, if *sure { Provenance::Inspected } else { Provenance::Inferred }, &program.path);
}

fn aarch32(platform: &OciPlatform, programs: &[Program], found: &mut Found) {
    if platform.architecture != "arm64" || programs.is_empty() {
        return;
    }
    let narrow = programs.iter().find(|program| program.elf.architecture() == Some("arm"));
    found.needs.aarch32 = narrow.is_some();
    let source = narrow.or(programs.first()).map_or("", |program| program.path.as_str()).to_owned();
    found.fact(NeedField::Aarch32, Provenance::Inspected, &source);
}

fn kernel(programs: &[Program], found: &mut Found) {
    let newest = programs.iter().filter_map(|program| Some((program.elf.kernel?, program))).max_by_key(|(v, _)| *v);
    if let Some((version, program)) = newest {
        found.needs.kernel_min = Some(version);
        found.fact(NeedField::KernelMin, Provenance::Inspected, &program.path);
    }
}

fn libc(programs: &[Program], packages: &[Package], found: &mut Found) {
    let loader = programs.iter().find_map(|program| program.elf.interpreter.as_deref());
    let Some(loader) = loader else { return };
    let package = |names: &[&str]| {
        let package = packages.iter().find(|package| names.contains(&package.name.as_str()))?;
        Some((KernelVersion::parse(&package.version)?, package.source.clone()))
    };
    let (family, known) = if loader.contains("ld-musl-") {
        (LibcFamily::Musl, package(&["musl"]))
    } else {
        let own = programs.iter().find_map(|program| Some((program.elf.glibc?, program.path.clone())));
        (LibcFamily::Glibc, own.or_else(|| package(&["libc6", "glibc"])))
    };
    if let Some((version, source)) = known {
        found.needs.libc = Some(Libc { family, version });
        found.fact(NeedField::Libc, Provenance::Inspected, &source);
    }
}

fn execution(programs: &[Program], runtime: Runtime, found: &mut Found) {
    if programs.is_empty() {
        return;
    }
    found.needs.execution = match runtime {
        Runtime::Unknown | Runtime::Shell => return,
        Runtime::Go => Execution::StaticGo,
        Runtime::Native => Execution::Native,
        _ => Execution::Interpreted,
    };
    let source = programs.first().map_or("", |program| program.path.as_str()).to_owned();
    found.fact(NeedField::Execution, Provenance::Inspected, &source);
}
