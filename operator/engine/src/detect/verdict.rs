//! The verdict of the exact rule: one outcome, every reason, and the one change that would flip each.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Arch, Level};
use crate::terms::{PerMille, Reason};

/// Order is the lattice: the worst step wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// Runs.
    #[default]
    Accept,
    /// Runs, with something worth knowing.
    AcceptWithWarning,
    /// Cannot be told from what is known.
    Unknown,
    /// Does not run.
    Reject,
}

/// What one step found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// What it means.
    pub outcome: Outcome,
    /// Why; `Accept` reasons are notes.
    pub reason: Reason,
    /// The one change that would remove this reason; `None` where there is none to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Reason>,
}

/// Whether and why an image runs on a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The worst of all steps.
    pub outcome: Outcome,
    /// Whether the policy lets a pod run there: `Unknown` is let in unless the policy is strict.
    pub admitted: bool,
    /// Index of the entry the runtime will pull.
    pub entry: Option<usize>,
    /// Everything found, in the order of the steps.
    pub judgements: Vec<Judgement>,
}

impl Verdict {
    /// Worst outcome and policy closure over judgements.
    pub(super) fn close(entry: Option<usize>, judgements: Vec<Judgement>, policy: &Policy) -> Self {
        let outcome = judgements.iter().map(|judgement| judgement.outcome).max().unwrap_or_default();
        let admitted = match outcome {
            Outcome::Accept | Outcome::AcceptWithWarning => true,
            Outcome::Unknown => !policy.strict,
            Outcome::Reject => false,
        };
        Self { outcome, admitted, entry, judgements }
    }

    /// The reasons that made the outcome what it is; empty for a plain Accept.
    pub fn binding(&self) -> impl Iterator<Item = &Judgement> {
        let worst = self.outcome;
        self.judgements.iter().filter(move |judgement| worst > Outcome::Accept && judgement.outcome == worst)
    }

    /// The one change that alone would improve the outcome; `None` when several are needed or none is known.
    #[must_use]
    pub fn one_change(&self) -> Option<&Reason> {
        let mut changes = self.binding().map(|judgement| judgement.change.as_ref());
        let first = changes.next()??;
        changes.all(|change| change == Some(first)).then_some(first)
    }
}

/// An emulator: which architecture's programs it runs where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Emulator {
    /// Architecture of the programs; `None` means any.
    pub from: Option<Arch>,
    /// Architecture of the node; `None` means any.
    pub to: Option<Arch>,
    /// What is left of native speed, e.g. 800; `None` where nobody measured.
    pub speed: Option<PerMille>,
}

/// The tier's word on what the rule may let in, and the tables it resolves names with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Unknown is refused.
    pub strict: bool,
    /// Level assumed of images that say nothing, by architecture; nodes below are Unknown.
    pub floor: BTreeMap<Arch, Level>,
    /// Emulation is allowed (policy and tier).
    pub allow_emulation: bool,
    /// Known emulators by name.
    pub emulators: BTreeMap<String, Emulator>,
    /// Portable accelerator classes and the extended resources that provide them.
    pub accelerator_classes: BTreeMap<String, BTreeSet<String>>,
}

impl Default for Policy {
    /// Not strict, floors armv8.1 and x86-64-v2, no emulation, no tables.
    fn default() -> Self {
        Self {
            strict: false,
            floor: BTreeMap::from([(Arch::Arm64, Level::Arm(8, 1)), (Arch::Amd64, Level::X86(2))]),
            allow_emulation: false,
            emulators: BTreeMap::new(),
            accelerator_classes: BTreeMap::new(),
        }
    }
}
