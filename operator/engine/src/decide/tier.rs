//! The sovereignty tier of a cluster at an instant: the weakest link, never an average.
//!
//! A tier is reached when all its checks and those of every lower rank pass. A document counts only when it had been
//! recorded and verified by then; what is entered but not verified is Unknown, what is missing or has run out fails.
//! Two ranks come out: the one that is certain, and the one that would hold if everything Unknown held.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::input::{
    CheckInput, CheckKind, ClusterInput, DataClass, Dimension, Evidence, EvidenceState, Ownership, ProtectionReport,
    Supplied, Term, TierInput,
};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckOutcome {
    /// Holds, until the instant given when there is an end to it.
    Pass {
        /// First instant it no longer holds.
        until: Option<Timestamp>,
    },
    /// Does not hold.
    Fail,
    /// Cannot be told.
    Unknown,
}

/// One check of one tier on one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// Tier.
    pub tier: String,
    /// Check.
    pub check: String,
    /// What side it belongs to.
    pub dimension: Dimension,
    /// What it found.
    pub outcome: CheckOutcome,
    /// The document it rests on, or that stands unverified.
    pub document: Option<String>,
}

/// A cluster's standing at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// How many tiers, by rank from the lowest, hold for certain.
    pub certain: usize,
    /// How many would hold if everything Unknown held.
    pub possible: usize,
    /// Of each dimension alone, how many hold for certain.
    pub dimensions: BTreeMap<Dimension, usize>,
    /// Every check of every tier.
    pub checks: Vec<CheckResult>,
    /// When the first thing that the certain tier rests on runs out.
    pub next_expiry: Option<Timestamp>,
}

/// The tiers by rank, lowest first.
#[must_use]
pub fn evaluate(cluster: &ClusterInput, tiers: &[TierInput], as_of: Timestamp) -> Standing {
    let mut standing = Standing::default();
    let (mut certain, mut possible) = (true, true);
    let mut dimensions: BTreeMap<Dimension, bool> = Dimension::ALL.into_iter().map(|d| (d, true)).collect();
    standing.dimensions = Dimension::ALL.into_iter().map(|d| (d, 0)).collect();
    for tier in tiers {
        let first = standing.checks.len();
        for check in &tier.checks {
            let (outcome, document) = judge(check, cluster, as_of);
            match outcome {
                CheckOutcome::Pass { .. } => {}
                CheckOutcome::Unknown => certain = false,
                CheckOutcome::Fail => (certain, possible) = (false, false),
            }
            if !matches!(outcome, CheckOutcome::Pass { .. }) {
                dimensions.insert(check.dimension, false);
            }
            standing.checks.push(CheckResult {
                tier: tier.name.clone(),
                check: check.id.clone(),
                dimension: check.dimension,
                outcome,
                document,
            });
        }
        standing.possible += usize::from(possible);
        for (dimension, holds) in &dimensions {
            if let Some(reached) = standing.dimensions.get_mut(dimension) {
                *reached += usize::from(*holds);
            }
        }
        if certain {
            standing.certain += 1;
            let ends = standing.checks.iter().skip(first).filter_map(|result| match result.outcome {
                CheckOutcome::Pass { until } => until,
                CheckOutcome::Fail | CheckOutcome::Unknown => None,
            });
            standing.next_expiry = standing.next_expiry.into_iter().chain(ends).min();
        }
    }
    standing
}

/// How many tiers from the lowest a data class demands: the highest tier that lists this class or a lower one, so that
/// a higher class never demands less.
#[must_use]
pub fn demanded_by_class(tiers: &[TierInput], class: DataClass) -> usize {
    tiers.iter().rposition(|tier| tier.classes.iter().any(|listed| *listed <= class)).map_or(0, |at| at + 1)
}

/// When anything the standing of a cluster rests on next begins or ceases to count.
pub(crate) fn next_change(cluster: &ClusterInput, as_of: Timestamp) -> Option<Timestamp> {
    let documents = cluster
        .evidence
        .iter()
        .flat_map(|e| [e.term.next_change(as_of), Some(e.recorded_at), e.state_since].into_iter().flatten());
    let reports = cluster
        .protection
        .iter()
        .chain(&cluster.cryptography)
        .flat_map(|r| [r.term.next_change(as_of), Some(r.recorded_at), r.state_since].into_iter().flatten());
    let supplied = cluster.supplied.values().filter_map(|supplied| match supplied {
        Supplied::Holds(term) => term.next_change(as_of),
        Supplied::Fails | Supplied::Unknown => None,
    });
    documents.chain(reports).chain(supplied).filter(|at| *at > as_of).min()
}

fn judge(check: &CheckInput, cluster: &ClusterInput, as_of: Timestamp) -> (CheckOutcome, Option<String>) {
    let pass = |holds: bool| if holds { CheckOutcome::Pass { until: None } } else { CheckOutcome::Fail };
    match &check.kind {
        CheckKind::Evidence { claim, values } => {
            let fits = |e: &&Evidence| e.claim == *claim && (values.is_empty() || values.contains(&e.value));
            best(cluster.evidence.iter().filter(fits).map(|e| (document(e, as_of), e.id.clone())))
        }
        CheckKind::Ownership(allowed) => match cluster.ownership {
            Ownership::Unknown => (CheckOutcome::Unknown, None),
            owner => (pass(allowed.contains(&owner)), None),
        },
        CheckKind::Jurisdictions(allowed) if cluster.jurisdictions.is_empty() => {
            (if allowed.is_empty() { CheckOutcome::Fail } else { CheckOutcome::Unknown }, None)
        }
        CheckKind::Jurisdictions(allowed) => (pass(cluster.jurisdictions.is_subset(allowed)), None),
        CheckKind::Regions(_) if cluster.region.is_empty() => (CheckOutcome::Unknown, None),
        CheckKind::Regions(prefixes) => {
            (pass(prefixes.iter().any(|prefix| region_within(&cluster.region, prefix))), None)
        }
        CheckKind::Protection(level) => attested(&cluster.protection, *level, as_of),
        CheckKind::Cryptography(level) => attested(&cluster.cryptography, *level, as_of),
        CheckKind::Supplied => {
            let outcome = match cluster.supplied.get(&check.id) {
                Some(Supplied::Holds(term)) if term.holds(as_of) => CheckOutcome::Pass { until: term.until },
                Some(Supplied::Holds(_) | Supplied::Fails) => CheckOutcome::Fail,
                Some(Supplied::Unknown) | None => CheckOutcome::Unknown,
            };
            (outcome, None)
        }
    }
}

/// Whether a GB/T 2260 code lies in the unit a prefix names: `532901` in `53`, `5329`, `532900` and `530000`.
#[must_use]
pub fn region_within(region: &str, prefix: &str) -> bool {
    let unit = match prefix.strip_suffix("0000").filter(|_| prefix.len() == 6) {
        Some(province) => province,
        None => prefix.strip_suffix("00").filter(|_| prefix.len() == 6).unwrap_or(prefix),
    };
    !unit.is_empty() && region.starts_with(unit)
}

fn document(evidence: &Evidence, as_of: Timestamp) -> CheckOutcome {
    let Evidence { term, recorded_at, state, state_since, .. } = evidence;
    examined(*term, *recorded_at, *state, *state_since, as_of)
}

/// Whether a document of this term counts: recorded, in force, and verified by then.
fn examined(
    term: Term,
    recorded_at: Timestamp,
    state: EvidenceState,
    state_since: Option<Timestamp>,
    as_of: Timestamp,
) -> CheckOutcome {
    let in_force = state_since.is_none_or(|since| since <= as_of);
    if recorded_at > as_of || !term.holds(as_of) {
        return CheckOutcome::Fail;
    }
    match (state, in_force) {
        (EvidenceState::Verified, true) => CheckOutcome::Pass { until: term.until },
        (EvidenceState::Rejected | EvidenceState::Revoked, true) => CheckOutcome::Fail,
        // What it was before its present state is not known here; a replay has the snapshot of that day.
        (EvidenceState::Unverified, _) | (_, false) => CheckOutcome::Unknown,
    }
}

/// The protection rule and the check of the same name: a conforming, valid report of at least this level.
pub(crate) fn attested(reports: &[ProtectionReport], level: u8, as_of: Timestamp) -> (CheckOutcome, Option<String>) {
    let fits = |report: &&ProtectionReport| report.level >= level && report.conforms;
    best(reports.iter().filter(fits).map(|report| {
        let ProtectionReport { number, term, recorded_at, state, state_since, .. } = report;
        (examined(*term, *recorded_at, *state, *state_since, as_of), number.clone())
    }))
}

/// The best of several documents: the one that holds longest, else one that cannot be told, else failure.
fn best(documents: impl Iterator<Item = (CheckOutcome, String)>) -> (CheckOutcome, Option<String>) {
    // Without an end is longer than any end; ties go to the lower id so that order does not matter.
    let key = |outcome: &CheckOutcome| match outcome {
        CheckOutcome::Pass { until: None } => (2, None),
        CheckOutcome::Pass { until } => (1, *until),
        CheckOutcome::Unknown => (0, None),
        CheckOutcome::Fail => (-1, None),
    };
    let best = documents
        .filter(|(outcome, _)| *outcome != CheckOutcome::Fail)
        .max_by(|a, b| key(&a.0).cmp(&key(&b.0)).then_with(|| b.1.cmp(&a.1)));
    best.map_or((CheckOutcome::Fail, None), |(outcome, id)| (outcome, Some(id)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn tiers() -> Vec<TierInput> {
        let check = |id: &str, dimension, claim: &str| CheckInput {
            id: id.into(),
            dimension,
            kind: CheckKind::Evidence { claim: claim.into(), values: BTreeSet::new() },
        };
        vec![
            TierInput {
                name: "s1".into(),
                rank: 1,
                checks: vec![CheckInput {
                    id: "china".into(),
                    dimension: Dimension::Data,
                    kind: CheckKind::Jurisdictions(BTreeSet::from(["CN".into()])),
                }],
                classes: BTreeSet::from([DataClass::Important]),
                ..TierInput::default()
            },
            TierInput {
                name: "s2".into(),
                rank: 2,
                checks: vec![check("sm4", Dimension::Technical, "kms")],
                classes: BTreeSet::from([DataClass::General]),
                strict: true,
                ..TierInput::default()
            },
        ]
    }

    fn cluster() -> ClusterInput {
        ClusterInput {
            jurisdictions: BTreeSet::from(["CN".into()]),
            evidence: vec![Evidence {
                id: "密钥管理".into(),
                dimension: Dimension::Technical,
                claim: "kms".into(),
                value: "SM4".into(),
                term: Term { from: Some(at("2026-01-01T00:00:00Z")), until: Some(at("2027-01-01T00:00:00Z")) },
                recorded_at: at("2026-02-01T00:00:00Z"),
                state: EvidenceState::Verified,
                state_since: Some(at("2026-03-01T00:00:00Z")),
            }],
            ..ClusterInput::default()
        }
    }

    #[test]
    fn a_document_counts_from_its_verification_until_exactly_its_end() {
        for (as_of, certain, possible) in [
            ("2026-01-31T23:59:59Z", 1, 1),
            ("2026-02-01T00:00:00Z", 1, 2),
            ("2026-03-01T00:00:00Z", 2, 2),
            ("2026-12-31T23:59:59Z", 2, 2),
            ("2027-01-01T00:00:00Z", 1, 1),
        ] {
            let standing = evaluate(&cluster(), &tiers(), at(as_of));
            assert_eq!((standing.certain, standing.possible), (certain, possible), "{as_of}");
        }
        let standing = evaluate(&cluster(), &tiers(), at("2026-06-01T00:00:00Z"));
        assert_eq!(standing.next_expiry, Some(at("2027-01-01T00:00:00Z")));
        assert_eq!(next_change(&cluster(), at("2026-01-15T00:00:00Z")), Some(at("2026-02-01T00:00:00Z")));
    }

    #[test]
    fn a_report_counts_only_once_another_person_has_verified_it() {
        let report = |state, since: Option<&str>| ProtectionReport {
            number: "等测".into(),
            level: 3,
            conforms: true,
            term: Term { from: Some(at("2026-01-01T00:00:00Z")), until: Some(at("2027-01-01T00:00:00Z")) },
            recorded_at: at("2026-01-05T00:00:00Z"),
            state,
            state_since: since.map(at),
        };
        let told = |report: ProtectionReport, level, as_of| attested(&[report], level, at(as_of)).0;
        let verified = || report(EvidenceState::Verified, Some("2026-03-01T00:00:00Z"));
        let until = Some(at("2027-01-01T00:00:00Z"));
        assert_eq!(told(report(EvidenceState::Unverified, None), 3, "2026-06-01T00:00:00Z"), CheckOutcome::Unknown);
        assert_eq!(told(verified(), 3, "2026-02-28T00:00:00Z"), CheckOutcome::Unknown, "not yet verified");
        assert_eq!(told(verified(), 3, "2026-03-01T00:00:00Z"), CheckOutcome::Pass { until });
        assert_eq!(told(verified(), 4, "2026-03-01T00:00:00Z"), CheckOutcome::Fail);
        assert_eq!(told(report(EvidenceState::Revoked, None), 3, "2026-06-01T00:00:00Z"), CheckOutcome::Fail);
    }

    #[test]
    fn a_missing_lower_tier_voids_the_higher() {
        let abroad = ClusterInput { jurisdictions: BTreeSet::from(["CN".into(), "XX".into()]), ..cluster() };
        let standing = evaluate(&abroad, &tiers(), at("2026-06-01T00:00:00Z"));
        assert_eq!((standing.certain, standing.possible), (0, 0));
        assert_eq!(standing.dimensions[&Dimension::Technical], 2, "that dimension alone holds");
        assert_eq!(standing.dimensions[&Dimension::Data], 0);
    }

    #[test]
    fn a_revoked_document_fails_from_then_and_is_not_known_before() {
        let mut cluster = cluster();
        cluster.evidence[0].state = EvidenceState::Revoked;
        let standing = |as_of| evaluate(&cluster, &tiers(), at(as_of));
        assert_eq!(standing("2026-02-15T00:00:00Z").possible, 2);
        assert_eq!(standing("2026-02-15T00:00:00Z").certain, 1);
        assert_eq!(standing("2026-03-01T00:00:00Z").possible, 1);
    }

    #[test]
    fn a_higher_class_never_demands_less() {
        // General is listed at s2 and Important only at s1: Important still needs s2.
        assert_eq!(demanded_by_class(&tiers(), DataClass::General), 2);
        assert_eq!(demanded_by_class(&tiers(), DataClass::Important), 2);
        assert_eq!(demanded_by_class(&tiers(), DataClass::Core), 2);
    }

    #[test]
    fn codes_of_region_nest() {
        assert!(
            region_within("532901", "53") && region_within("532901", "530000") && region_within("532901", "532900")
        );
        assert!(!region_within("532901", "5303") && !region_within("532901", "") && !region_within("530000", "532900"));
    }
}
