//! What the rest of the machine must offer (steps 3 and 5 to 9): 32-bit programs, page size, ABI world, kernel, TEE,
//! accelerators.

use std::collections::BTreeSet;

use super::super::{
    Answer, Arch, Confidence, Execution, Judgement, Needs, OciPlatform, Policy, PoolFacts, Tee, World, labels,
};
use super::{declare, label, nfd, other_pool, reject, unknown, warn};
use crate::terms::{Code, Reason, Value};

/// 32-bit entries, and 64-bit ones that contain 32-bit Arm programs.
pub(super) fn fallback(entry: &OciPlatform, own: &Needs, extra: &Needs, facts: &PoolFacts) -> Vec<Judgement> {
    let falls_back = !entry.is_native_to(&facts.arch);
    let runs = || warn(Reason::new(Code::Runs32Bit).object(entry.to_string()).seen(facts.name()));
    if facts.arch != Arch::Arm64 {
        return if falls_back { vec![runs()] } else { Vec::new() };
    }
    if !falls_back && !own.aarch32 && !extra.aarch32 {
        return Vec::new();
    }
    match (facts.aarch32, facts.compat_kernel) {
        (Answer::Yes, Answer::Yes) if falls_back => vec![runs()],
        (Answer::Yes, Answer::Yes) => Vec::new(),
        (Answer::No, _) | (_, Answer::No) => {
            let reason = Reason::new(Code::Aarch32Absent).object(facts.name()).wanted(entry.to_string());
            let plain = OciPlatform::new(&facts.os, facts.arch.as_str(), "").to_string();
            vec![reject(reason, Reason::new(Code::ChangeAddManifest).object(plain))]
        }
        _ => {
            let reason = Reason::new(Code::Aarch32Unknown).object(facts.name()).wanted(entry.to_string());
            vec![unknown(reason, label(labels::AARCH32, Answer::Yes.as_str()))]
        }
    }
}

/// The image's own word on page sizes, then the workload's limit on top.
pub(super) fn page_size(own: &Needs, extra: &Needs, facts: &PoolFacts) -> Vec<Judgement> {
    if !facts.arch.has_page_sizes() {
        return Vec::new();
    }
    let mut found = match own.max_page_size_ki {
        Some(most) => pages_at_most(most, facts),
        None if own.execution == Execution::StaticGo => Vec::new(),
        None => pages_undeclared(facts),
    };
    if let Some(most) = extra.max_page_size_ki {
        let more = pages_at_most(most, facts).into_iter().filter(|judgement| !found.contains(judgement));
        found.extend(more.collect::<Vec<_>>());
    }
    found
}

/// No kernel has larger pages than this on the architectures looked at.
const LARGEST_PAGE_KI: u32 = 64;

fn pages_at_most(most: u32, facts: &PoolFacts) -> Vec<Judgement> {
    let kib = |ki: u32| Value::Bytes(i64::from(ki) * 1024);
    match facts.page_size {
        _ if most >= LARGEST_PAGE_KI => Vec::new(),
        None => vec![page_unknown(facts, Value::Unknown, kib(most))],
        Some(page) if page.ki <= most => likely(facts),
        Some(page) if page.confidence < Confidence::Certain => vec![page_unknown(facts, kib(page.ki), kib(most))],
        Some(page) => {
            let reason =
                Reason::new(Code::PageSizeUnsupported).object(facts.name()).seen(kib(page.ki)).wanted(kib(most));
            vec![reject(reason, other_pool(kib(most)))]
        }
    }
}

/// A silent image: 4 KiB is what everything is built for on arm64, 16 KiB on LoongArch.
fn pages_undeclared(facts: &PoolFacts) -> Vec<Judgement> {
    let usual = if facts.arch == Arch::Loong64 { 16 } else { 4 };
    let kib = |ki: u32| Value::Bytes(i64::from(ki) * 1024);
    match facts.page_size {
        None => vec![page_unknown(facts, Value::Unknown, kib(usual))],
        Some(page) if page.ki <= usual => likely(facts),
        Some(page) => {
            let reason = Reason::new(Code::PageSizeUndeclared).object(facts.name()).seen(kib(page.ki));
            vec![unknown(reason, declare("needs.maxPageSizeKi"))]
        }
    }
}

/// The size fits; say so when it is only what is usual.
fn likely(facts: &PoolFacts) -> Vec<Judgement> {
    let probable = facts.page_size.filter(|page| page.confidence < Confidence::Certain);
    let warning = |ki: u32| {
        let seen = Value::Bytes(i64::from(ki) * 1024);
        warn(Reason::new(Code::PageSizeLikely).object(facts.name()).seen(seen))
    };
    probable.map(|page| warning(page.ki)).into_iter().collect()
}

fn page_unknown(facts: &PoolFacts, seen: Value, wanted: Value) -> Judgement {
    let reason = Reason::new(Code::PageSizeUnknown).object(facts.name()).seen(seen).wanted(wanted);
    let option = match facts.arch {
        Arch::Loong64 => return unknown(reason, label(labels::PAGE_SIZE_KI, "16")),
        _ => "sources.kernel.configOpts: [ARM64_4K_PAGES, ARM64_16K_PAGES, ARM64_64K_PAGES]",
    };
    unknown(reason, nfd(option))
}

/// LoongArch: the world of image and node must be one.
pub(super) fn world(own: &Needs, extra: &Needs, facts: &PoolFacts) -> Vec<Judgement> {
    if facts.arch != Arch::Loong64 {
        return Vec::new();
    }
    let declared = own.world.or_else(|| own.libc.map(super::super::Libc::world));
    let mut found = Vec::new();
    if declared.is_none() {
        found.push(unknown(Reason::new(Code::AbiWorldUndeclared).object(facts.name()), declare("needs.world")));
    }
    let Some(node) = facts.world else {
        let reason = Reason::new(Code::AbiWorldUnknown).object(facts.name());
        found.push(unknown(reason, label(labels::ABI_WORLD, World::New.as_str())));
        return found;
    };
    let wanted: BTreeSet<World> = [declared, extra.world].into_iter().flatten().collect();
    for image in wanted.into_iter().filter(|world| *world != node) {
        let reason = |code| Reason::new(code).object(facts.name()).seen(node.as_str()).wanted(image.as_str());
        if image == World::Old && facts.liblol {
            found.push(warn(reason(Code::LiblolBridged)));
        } else {
            found.push(reject(reason(Code::AbiWorldMismatch), other_pool(image.as_str())));
        }
    }
    found
}

pub(super) fn kernel(needs: &Needs, facts: &PoolFacts) -> Option<Judgement> {
    let wanted = needs.kernel_min?;
    let reason = |code| Reason::new(code).object(facts.name()).wanted(wanted.to_string());
    match facts.kernel {
        Some(kernel) if kernel >= wanted => None,
        Some(kernel) => {
            Some(reject(reason(Code::KernelTooOld).seen(kernel.to_string()), other_pool(wanted.to_string())))
        }
        None => Some(unknown(reason(Code::KernelUnknown), nfd("sources.kernel"))),
    }
}

pub(super) fn tee(needs: &Needs, facts: &PoolFacts) -> Option<Judgement> {
    if needs.tee.is_empty() || !needs.tee.is_disjoint(&facts.tee) {
        return None;
    }
    let names = |tees: &BTreeSet<Tee>| Value::List(tees.iter().map(ToString::to_string).collect());
    let reason = |code| Reason::new(code).object(facts.name()).seen(names(&facts.tee)).wanted(names(&needs.tee));
    Some(match needs.tee.intersection(&facts.tee_possible).next() {
        Some(possible) => {
            let key = format!("{}{possible}", labels::TEE_PREFIX);
            unknown(reason(Code::TeeUndeclared), label(&key, "true"))
        }
        None => reject(reason(Code::TeeAbsent), other_pool(names(&needs.tee))),
    })
}

pub(super) fn accelerators(needs: &Needs, facts: &PoolFacts, policy: &Policy) -> Vec<Judgement> {
    let mut found = Vec::new();
    for need in &needs.accelerators {
        let resources = match policy.accelerator_classes.get(&need.class) {
            Some(resources) => resources.clone(),
            None if need.class.contains('/') => BTreeSet::from([need.class.clone()]),
            None => {
                let reason = Reason::new(Code::AcceleratorClassUnknown).object(need.class.as_str());
                let change = Reason::new(Code::ChangeDeclareAcceleratorClass).object(need.class.as_str());
                found.push(unknown(reason, change));
                continue;
            }
        };
        let most = resources.iter().filter_map(|name| facts.accelerators.get(name)).max().copied().unwrap_or(0);
        if most < need.count {
            let reason = Reason::new(Code::AcceleratorAbsent).object(need.class.as_str()).seen(most).wanted(need.count);
            found.push(reject(reason, other_pool(need.class.as_str())));
        }
    }
    found
}
