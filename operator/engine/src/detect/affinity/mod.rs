//! The node affinity a delivery adds: a function of the needs and the catalogue only.
//!
//! [`of`] is the one entry: a [`Subject`] (images with needs, network zones, platforms) becomes a [`NodeAffinity`],
//! terms joined by OR. A delivery ands it into the workload's own terms with [`NodeAffinity::terms`]: no terms of its
//! own, these are the terms; else every own term joined with every one of these (Kubernetes ORs the terms of a
//! `nodeSelector` and ANDs the expressions of one term). Pools never shape the terms; decisions hold them against the
//! pools (`decide`, rules `NodeAffinity` and `Separation`).

mod derive;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Catalogue, ImageEntry, Needs, Policy, Verdict, labels};
use crate::terms::{Code, Reason};

/// One expression of a node selector term.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expression {
    /// Label key.
    pub key: String,
    /// Operator.
    pub operator: Operator,
    /// Values, sorted; one number for `Gt`, none for `DoesNotExist`.
    pub values: Vec<String>,
}

/// The operators used, as Kubernetes spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// The label is a number above the value.
    Gt,
    /// The label is absent.
    DoesNotExist,
}

impl Expression {
    fn is_in<T: Into<String>>(key: impl Into<String>, values: impl IntoIterator<Item = T>) -> Self {
        let values: BTreeSet<String> = values.into_iter().map(Into::into).collect();
        Self { key: key.into(), operator: Operator::In, values: values.into_iter().collect() }
    }

    fn is_true(key: impl Into<String>) -> Self {
        Self::is_in(key, ["true"])
    }

    fn above(key: &str, number: u32) -> Self {
        Self { key: key.to_owned(), operator: Operator::Gt, values: vec![number.to_string()] }
    }

    fn absent(key: &str) -> Self {
        Self { key: key.to_owned(), operator: Operator::DoesNotExist, values: Vec::new() }
    }

    /// Whether a node with these labels satisfies it.
    #[must_use]
    pub fn admits(&self, labels: &BTreeMap<String, String>) -> bool {
        let Some(value) = labels.get(&self.key) else { return self.operator == Operator::DoesNotExist };
        match self.operator {
            Operator::DoesNotExist => false,
            Operator::In => self.values.contains(value),
            Operator::Gt => {
                let number = |text: &String| text.parse::<i64>().ok();
                matches!((number(value), self.values.first().and_then(number)), (Some(have), Some(floor)) if have > floor)
            }
        }
    }
}

/// All expressions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Term(pub Vec<Expression>);

impl Term {
    /// Whether a node with these labels satisfies it.
    #[must_use]
    pub fn admits(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|expression| expression.admits(labels))
    }
}

/// More terms than this are refused: an object nobody can read, and the API server's own limits.
pub const MOST_TERMS: usize = 48;

/// What an affinity is derived from. Nothing of a pool or a cluster is in here.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// Images of all containers: the entries of each index with the workload's own needs on top.
    pub images: Vec<(&'a [ImageEntry], &'a Needs)>,
    /// CPU platforms allowed; empty means any.
    pub platforms: &'a BTreeSet<String>,
    /// Network zones allowed; `None` means any, an empty set none at all.
    pub zones: Option<BTreeSet<String>>,
}

/// Node labels by which pods are kept on nodes that fit: any of the terms admits a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeAffinity(Option<Vec<Term>>);

impl NodeAffinity {
    /// Any node.
    pub const ANY: Self = Self(None);

    /// The terms, sorted, to be anded into `requiredDuringSchedulingIgnoredDuringExecution`: `None` adds nothing, an
    /// empty list means that no node fits.
    #[must_use]
    pub fn terms(&self) -> Option<&[Term]> {
        self.0.as_deref()
    }

    /// Whether a node with these labels is admitted.
    #[must_use]
    pub fn admits(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.as_ref().is_none_or(|terms| terms.iter().any(|term| term.admits(labels)))
    }

    /// Keys of which another value (or any) would admit a node with these labels, of the terms that miss least.
    #[must_use]
    pub fn missing(&self, node: &BTreeMap<String, String>) -> BTreeSet<String> {
        let lacking = |term: &Term| -> BTreeSet<String> {
            term.0.iter().filter(|expression| !expression.admits(node)).map(|e| e.key.clone()).collect()
        };
        let all: Vec<BTreeSet<String>> = self.0.iter().flatten().map(lacking).collect();
        let least = all.iter().map(BTreeSet::len).min().unwrap_or(0);
        all.into_iter().filter(|keys| keys.len() == least).flatten().collect()
    }

    /// Both hold. Terms that contradict themselves, or admit nothing that another does not, are left out.
    ///
    /// # Errors
    /// [`Code::NotExpressible`] when more than [`MOST_TERMS`] are left.
    fn and(self, more: Vec<Term>) -> Result<Self, Reason> {
        let Some(terms) = self.0 else { return closed(more) };
        let joined = terms.iter().flat_map(|term| more.iter().filter_map(|other| join(term, other)));
        closed(joined.collect())
    }
}

/// The node affinity of a subject.
///
/// A zone or platform admits nodes that do not carry the label at all: a cluster of one zone need not label its nodes,
/// and one of several that does not is refused (`Separation`), because nothing would keep pods off the other nodes.
///
/// # Errors
/// [`Code::NotExpressible`] when the alternatives multiply beyond [`MOST_TERMS`].
pub fn of(subject: &Subject<'_>, catalogue: &Catalogue, policy: &Policy) -> Result<NodeAffinity, Reason> {
    let Subject { images, platforms, zones } = subject;
    let mut affinity = NodeAffinity::ANY;
    for (entries, needs) in images {
        affinity = affinity.and(derive::of_image(entries, needs, catalogue, policy)?)?;
    }
    if let Some(zones) = zones {
        affinity = affinity.and(labelled_or_not(labels::ZONE, zones))?;
    }
    if !platforms.is_empty() {
        affinity = affinity.and(labelled_or_not(labels::PLATFORM, platforms))?;
    }
    Ok(affinity)
}

fn labelled_or_not(key: &str, values: &BTreeSet<String>) -> Vec<Term> {
    if values.is_empty() {
        return Vec::new();
    }
    vec![Term(vec![Expression::is_in(key, values)]), Term(vec![Expression::absent(key)])]
}

/// Both terms as one; `None` when no label can satisfy it.
fn join(one: &Term, two: &Term) -> Option<Term> {
    let mut listed: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
    let mut rest: BTreeSet<&Expression> = BTreeSet::new();
    for expression in one.0.iter().chain(&two.0) {
        if expression.operator != Operator::In {
            rest.insert(expression);
            continue;
        }
        let values: BTreeSet<&String> = expression.values.iter().collect();
        let common = match listed.get(expression.key.as_str()) {
            Some(known) => known.intersection(&values).copied().collect(),
            None => values,
        };
        listed.insert(&expression.key, common);
    }
    let absent = |key: &str| rest.iter().any(|e| e.operator == Operator::DoesNotExist && e.key == key);
    let contradicts = |(key, values): (&&str, &BTreeSet<&String>)| values.is_empty() || absent(key);
    if listed.iter().any(contradicts) {
        return None;
    }
    let listed = listed.into_iter().map(|(key, values)| Expression::is_in(key, values));
    let all: BTreeSet<Expression> = listed.chain(rest.into_iter().cloned()).collect();
    Some(Term(all.into_iter().collect()))
}

/// Without terms that another one includes.
fn closed(terms: Vec<Term>) -> Result<NodeAffinity, Reason> {
    let terms: BTreeSet<Term> = terms.into_iter().collect();
    let included = |term: &Term| {
        let wider = |other: &&Term| *other != term && other.0.iter().all(|expression| term.0.contains(expression));
        terms.iter().any(|other| wider(&other))
    };
    let terms: Vec<Term> = terms.iter().filter(|term| !included(term)).cloned().collect();
    if terms.len() > MOST_TERMS { Err(too_many(terms.len())) } else { Ok(NodeAffinity(Some(terms))) }
}

fn too_many(count: usize) -> Reason {
    Reason::new(Code::NotExpressible).seen(i64::try_from(count).unwrap_or(i64::MAX)).wanted(labels::PLATFORM)
}

/// What would tell a refused pool apart by labels.
pub(crate) fn separator(verdict: &Verdict) -> &'static str {
    match verdict.judgements.iter().find(|j| j.outcome == verdict.outcome).map(|j| j.reason.code) {
        Some(Code::PageSizeUnsupported | Code::PageSizeUnknown | Code::PageSizeUndeclared) => {
            "sources.kernel.configOpts"
        }
        Some(Code::AbiWorldMismatch | Code::AbiWorldUnknown | Code::AbiWorldUndeclared) => labels::ABI_WORLD,
        Some(Code::Aarch32Absent | Code::Aarch32Unknown) => labels::AARCH32,
        Some(Code::KernelTooOld | Code::KernelUnknown) => "sources.kernel",
        Some(Code::VariantUnselectable | Code::NoManifestForPlatform) => labels::RUNTIME_SELECTION,
        Some(Code::IsaFeatureMissing | Code::IsaLevelTooHigh | Code::IsaUnknown | Code::UndeclaredBaseline) => {
            "sources.cpu.cpuid"
        }
        _ => labels::PLATFORM,
    }
}
