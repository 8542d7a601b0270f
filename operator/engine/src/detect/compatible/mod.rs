//! The exact rule: does an image run on the nodes of a pool?
//!
//! Steps, in order: OS and selection of the entry the runtime will pull, 32-bit fallback, instruction set, page size,
//! ABI world, kernel, TEE, accelerators, emulation as a bridge, policy closure. No step is skipped because another
//! failed; the worst wins and every reason is kept. What an entry says of itself (its needs) is a declaration; the
//! workload's own needs come on top and can only make the verdict worse.

mod isa;
mod machine;
mod select;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod laws;

use super::{
    Arch, Emulator, ImageEntry, Judgement, Needs, OciPlatform, Outcome, Policy, PoolFacts, Selection, Verdict,
};
use crate::terms::{Code, PerMille, Reason, Value};

pub(super) use select::variant_level;

/// Judges an image against a pool.
///
/// `entries` are in index order, which decides only between equal platforms, as OCI says. A single-platform image is
/// one entry with its config's platform. `needs` are the workload's own, on top of each entry's.
#[must_use]
pub fn compatible(entries: &[ImageEntry], needs: &Needs, facts: &PoolFacts, policy: &Policy) -> Verdict {
    let platforms: Vec<OciPlatform> = entries.iter().map(|entry| entry.platform.normalise()).collect();
    let case = Case { entries, platforms: &platforms, extra: needs, facts, policy };
    let verdicts = match select::select(&platforms, facts) {
        Ok(candidates) => candidates.into_iter().map(|index| case.judge(index)).collect(),
        Err(refusal) => vec![case.refused(*refusal)],
    };
    // Several candidates only when the hub pins: it takes the best, the first of equals.
    verdicts.into_iter().min_by_key(|verdict| verdict.outcome).unwrap_or_default()
}

/// Everything the steps look at.
struct Case<'a> {
    entries: &'a [ImageEntry],
    platforms: &'a [OciPlatform],
    extra: &'a Needs,
    facts: &'a PoolFacts,
    policy: &'a Policy,
}

impl Case<'_> {
    /// All steps for one entry.
    fn judge(&self, index: usize) -> Verdict {
        let mut found = self.evidence();
        found.extend(machine::fallback(&self.platforms[index], &self.entries[index].needs, self.extra, self.facts));
        found.extend(isa::isa(self, index));
        let rejected = found.iter().any(|judgement| judgement.outcome == Outcome::Reject);
        if rejected && let Some(bridge) = self.emulated() {
            return self.bridged(found, &bridge);
        }
        found.extend(machine::page_size(&self.entries[index].needs, self.extra, self.facts));
        found.extend(machine::world(&self.entries[index].needs, self.extra, self.facts));
        found.extend(self.environment(index));
        Verdict::close(Some(index), found, self.policy)
    }

    /// No entry can be pulled.
    fn refused(&self, refusal: Judgement) -> Verdict {
        let mut found = self.evidence();
        found.push(refusal);
        match self.emulated() {
            Some(bridge) => self.bridged(found, &bridge),
            None => Verdict::close(None, found, self.policy),
        }
    }

    /// Kernel, TEE and accelerators: they hold under emulation too.
    fn environment(&self, index: usize) -> Vec<Judgement> {
        let needs = [&self.entries[index].needs, self.extra];
        let mut found = Vec::new();
        for needs in needs {
            found.extend(machine::kernel(needs, self.facts));
            found.extend(machine::tee(needs, self.facts));
            found.extend(machine::accelerators(needs, self.facts, self.policy));
        }
        found
    }

    fn evidence(&self) -> Vec<Judgement> {
        if !self.facts.conflicting {
            return Vec::new();
        }
        let reason = Reason::new(Code::EvidenceConflict).object(self.facts.name());
        let change = label(super::labels::PLATFORM, self.facts.name());
        vec![Judgement { outcome: Outcome::Unknown, reason, change: Some(change) }]
    }

    /// The fastest allowed emulator on the node and the first entry it runs.
    fn emulated(&self) -> Option<Bridge<'_>> {
        if !self.policy.allow_emulation {
            return None;
        }
        let fits = |emulator: &Emulator, index: usize| {
            let from = Arch::parse(&self.platforms[index].architecture);
            let to = &self.facts.arch;
            from != *to
                && emulator.to.as_ref().is_none_or(|arch| arch == to)
                && emulator.from.as_ref().is_none_or(|arch| *arch == from)
                && select::known_architecture(&self.platforms[index])
                && self.platforms[index].os == self.facts.os
        };
        let installed = self.policy.emulators.iter().filter(|(name, _)| self.facts.emulators.contains(*name));
        installed
            .filter_map(|(name, emulator)| {
                let index = (0..self.entries.len()).find(|index| fits(emulator, *index))?;
                Some(Bridge { name, speed: emulator.speed, index })
            })
            .max_by(|a, b| a.speed.cmp(&b.speed).then_with(|| b.name.cmp(a.name)))
    }

    /// Native refusals become warnings beside the emulation; what the emulator cannot change is judged as ever.
    fn bridged(&self, mut found: Vec<Judgement>, bridge: &Bridge<'_>) -> Verdict {
        for judgement in found.iter_mut().filter(|judgement| judgement.outcome == Outcome::Reject) {
            judgement.outcome = Outcome::AcceptWithWarning;
        }
        let speed = bridge.speed.map_or(Value::Unknown, |PerMille(speed)| Value::PerMille(speed));
        let platform = self.platforms[bridge.index].to_string();
        let reason = Reason::new(Code::Emulated).object(bridge.name).seen(speed).wanted(platform);
        found.push(Judgement { outcome: Outcome::AcceptWithWarning, reason, change: None });
        found.extend(isa::under_emulation(&self.entries[bridge.index], &self.platforms[bridge.index], self.extra));
        found.extend(self.environment(bridge.index));
        Verdict::close(Some(bridge.index), found, self.policy)
    }
}

/// An emulator chosen for an entry.
struct Bridge<'a> {
    name: &'a str,
    speed: Option<PerMille>,
    index: usize,
}

fn reject(reason: Reason, change: Reason) -> Judgement {
    Judgement { outcome: Outcome::Reject, reason, change: Some(change) }
}

fn unknown(reason: Reason, change: Reason) -> Judgement {
    Judgement { outcome: Outcome::Unknown, reason, change: Some(change) }
}

fn warn(reason: Reason) -> Judgement {
    Judgement { outcome: Outcome::AcceptWithWarning, reason, change: None }
}

fn note(reason: Reason) -> Judgement {
    Judgement { outcome: Outcome::Accept, reason, change: None }
}

/// Change: choose a pool that has this.
fn other_pool(wanted: impl Into<Value>) -> Reason {
    Reason::new(Code::ChangePickOtherPool).wanted(wanted)
}

/// Change: say in the image profile what this field is.
fn declare(field: &str) -> Reason {
    Reason::new(Code::ChangeDeclareNeeds).object(field)
}

/// Change: label the nodes.
fn label(key: &str, value: &str) -> Reason {
    Reason::new(Code::ChangeDeclareNodeLabel).object(key).wanted(value)
}

/// Change: let NFD show this.
fn nfd(option: &str) -> Reason {
    Reason::new(Code::ChangeEnableNfdOption).object(option)
}

/// Whether the runtime picks by a variant at all.
fn picks_variants(selection: Selection) -> bool {
    selection != Selection::Stock
}
