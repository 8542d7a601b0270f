//! Sovereignty tiers, and the checks of theirs that need more than one document: those intake evaluates itself and
//! hands to the engine as results.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::input::{
    CheckInput, CheckKind, ClusterInput, EvidenceState, OnExpiry, Ownership, Supplied, Term, TierInput,
};
use jiuzhou_engine::terms::{Code, Finding, Reason};

use crate::approvals::Approved;
use crate::beijing;
use crate::in_force;
use crate::objects::{Item, Objects, Origin, named};

use super::{cel, words};

/// The tiers; results of checks that intake evaluates are put into the clusters under `TIER/CHECK`. Of several with one rank
/// the one that was there first holds (the built-in one, else the oldest, else the first by name): a tier that somebody adds
/// must not stop what is decided by the others.
pub(super) fn tiers(
    objects: &Objects,
    clusters: &mut [ClusterInput],
    as_of: Timestamp,
    approved: &Approved,
    findings: &mut Vec<Finding>,
) -> Vec<TierInput> {
    let mut all: Vec<_> = objects.tiers.values().map(|item| (item, in_force::tier(&item.object, approved))).collect();
    all.sort_by_key(|(item, holds)| {
        let made = item.object.metadata.creation_timestamp.as_ref().map(|at| at.0);
        (holds.rank, item.origin == Origin::Input, made, &item.document.name)
    });
    let mut first: BTreeMap<i32, &str> = BTreeMap::new();
    let mut tiers = Vec::new();
    for (item, holds) in &all {
        match first.get(&holds.rank) {
            Some(other) => {
                let reason = Reason::new(Code::TierRankTaken).object(*other).seen(i64::from(holds.rank));
                findings.push(item.document.finding(reason, "/spec/rank"));
            }
            None => {
                first.insert(holds.rank, &item.document.name);
                tiers.push(tier(objects, item, holds, clusters, as_of, findings));
            }
        }
    }
    tiers
}

fn tier(
    objects: &Objects,
    item: &Item<api::SovereigntyTier>,
    holds: &api::SovereigntyTierSpec,
    clusters: &mut [ClusterInput],
    as_of: Timestamp,
    findings: &mut Vec<Finding>,
) -> TierInput {
    let api::SovereigntyTierSpec {
        display_name: _,
        rank,
        stage: _,
        checks,
        data_classes,
        strict,
        allow_emulation: _, // see workloads: the requirement carries it
        isa_floors,
        on_expiry,
        move_within_hours,
        note: _,
    } = holds;
    let name = item.document.name.clone();
    let mut converted = Vec::new();
    for (index, check) in checks.iter().enumerate() {
        let api::TierCheck { name: check_name, dimension, built_in, claim, cel, message: _ } = check;
        let id = format!("{name}/{check_name}");
        let kind = match (built_in, claim, cel) {
            (Some(built_in), _, _) => match stated(built_in) {
                Some(kind) => kind,
                None => {
                    supply(clusters, &id, |cluster| computed(objects, built_in, cluster, as_of));
                    CheckKind::Supplied
                }
            },
            (None, Some(api::ClaimCheck { claim, values, within_months }), _) => {
                let values: BTreeSet<String> = values.iter().map(ToString::to_string).collect();
                match within_months {
                    None => CheckKind::Evidence { claim: claim.to_string(), values },
                    Some(months) => {
                        supply(clusters, &id, |cluster| recent(cluster, claim, &values, *months, as_of));
                        CheckKind::Supplied
                    }
                }
            }
            (None, None, Some(expression)) => {
                let at = format!("/spec/checks/{index}/cel");
                match cel::Check::compile(expression) {
                    Ok(program) => {
                        supply(clusters, &id, |cluster| {
                            let answer = program.holds(objects, &cluster.name);
                            answer.map_or(Supplied::Unknown, |holds| match holds {
                                true => Supplied::Holds(Term::OPEN),
                                false => Supplied::Fails,
                            })
                        });
                    }
                    Err(reason) => findings.push(item.document.finding(reason.object(id.as_str()), &at)),
                }
                CheckKind::Supplied
            }
            (None, None, None) => CheckKind::Supplied,
        };
        converted.push(CheckInput { id, dimension: words::dimension(*dimension), kind });
    }
    TierInput {
        name,
        rank: u8::try_from(*rank).unwrap_or(0),
        checks: converted,
        classes: data_classes.iter().copied().map(words::data_class).collect(),
        strict: *strict,
        on_expiry: match on_expiry {
            api::OnExpiry::Hold => OnExpiry::Hold,
            api::OnExpiry::Move => {
                OnExpiry::Move { within_seconds: i64::from(move_within_hours.unwrap_or(0)).saturating_mul(3600) }
            }
        },
        floors: super::catalogue::floors(isa_floors),
    }
}

fn supply(clusters: &mut [ClusterInput], id: &str, mut answer: impl FnMut(&ClusterInput) -> Supplied) {
    for cluster in clusters {
        let supplied = answer(cluster);
        cluster.supplied.insert(id.to_owned(), supplied);
    }
}

/// Built-in checks that the engine answers from what it has; `None` for those computed here.
fn stated(check: &api::BuiltInCheck) -> Option<CheckKind> {
    let api::BuiltInCheck { name, at_least } = check;
    let level = u8::try_from(at_least.unwrap_or(1)).unwrap_or(u8::MAX);
    Some(match name {
        api::BuiltInCheckName::RegionInCountry => CheckKind::Regions((1..=8).map(|digit| digit.to_string()).collect()),
        api::BuiltInCheckName::OwnershipDomestic => {
            CheckKind::Ownership(BTreeSet::from([Ownership::Government, Ownership::Domestic]))
        }
        api::BuiltInCheckName::JurisdictionDomestic => CheckKind::Jurisdictions(BTreeSet::from(["CN".to_owned()])),
        api::BuiltInCheckName::ProtectionLevel => CheckKind::Protection(level),
        api::BuiltInCheckName::CryptographyLevel => CheckKind::Cryptography(level),
        api::BuiltInCheckName::ZonesDeclared
        | api::BuiltInCheckName::CpuAssured
        | api::BuiltInCheckName::CpuBrands
        | api::BuiltInCheckName::DedicatedNodes => return None,
    })
}

fn computed(objects: &Objects, check: &api::BuiltInCheck, cluster: &ClusterInput, as_of: Timestamp) -> Supplied {
    let at_least = check.at_least.unwrap_or(1);
    let yes = |holds: bool| if holds { Supplied::Holds(Term::OPEN) } else { Supplied::Fails };
    let platform = |id: &Option<String>| id.as_deref().and_then(|id| named(&objects.platforms, id));
    match check.name {
        api::BuiltInCheckName::DedicatedNodes => match named(&objects.clusters, &cluster.name) {
            Some(item) => yes(matches!(item.object.spec.form, api::CloudForm::Private | api::CloudForm::Dedicated)),
            None => Supplied::Unknown,
        },
        // Without pools nothing is known of them.
        _ if cluster.pools.is_empty() => Supplied::Unknown,
        api::BuiltInCheckName::ZonesDeclared => yes(cluster.pools.iter().all(|pool| !pool.zone.is_empty())),
        api::BuiltInCheckName::CpuBrands => {
            let brands: Option<BTreeSet<api::CpuBrand>> = cluster
                .pools
                .iter()
                .map(|pool| platform(&pool.facts.platform).map(|item| item.object.spec.brand))
                .collect();
            brands.map_or(Supplied::Unknown, |brands| yes(i32::try_from(brands.len()).is_ok_and(|n| n >= at_least)))
        }
        api::BuiltInCheckName::CpuAssured => {
            let level = if at_least >= 2 { api::AssuranceLevel::II } else { api::AssuranceLevel::I };
            let mut until: Option<Timestamp> = None;
            for pool in &cluster.pools {
                let Some(item) = platform(&pool.facts.platform) else { return Supplied::Unknown };
                let ends = item.object.spec.assurance.iter().filter(|a| a.level >= level).filter_map(|assurance| {
                    let term = beijing::term(Some(&assurance.date), Some(&assurance.valid_until))?;
                    term.holds(as_of).then_some(term.until).flatten()
                });
                let Some(end) = ends.max() else { return Supplied::Fails };
                until = Some(until.map_or(end, |first| first.min(end)));
            }
            Supplied::Holds(Term { from: None, until })
        }
        api::BuiltInCheckName::RegionInCountry
        | api::BuiltInCheckName::OwnershipDomestic
        | api::BuiltInCheckName::JurisdictionDomestic
        | api::BuiltInCheckName::ProtectionLevel
        | api::BuiltInCheckName::CryptographyLevel => Supplied::Unknown,
    }
}

/// Evidence of a claim that is not older than some months: the one that counts longest.
fn recent(cluster: &ClusterInput, claim: &str, values: &BTreeSet<String>, months: i32, as_of: Timestamp) -> Supplied {
    let claims = |e: &&jiuzhou_engine::decide::input::Evidence| {
        e.claim == claim && (values.is_empty() || values.contains(&e.value))
    };
    let mut best: Option<Timestamp> = None;
    for evidence in cluster.evidence.iter().filter(claims) {
        let counts = evidence.state == EvidenceState::Verified
            && evidence.term.holds(as_of)
            && evidence.recorded_at <= as_of
            && evidence.state_since.is_none_or(|since| since <= as_of);
        let old = evidence.term.from.and_then(|from| beijing::months_after(from, months));
        let end = [evidence.term.until, old].into_iter().flatten().min();
        if counts && let Some(end) = end.filter(|end| as_of < *end) {
            best = best.max(Some(end));
        }
    }
    match best {
        Some(until) => Supplied::Holds(Term { from: None, until: Some(until) }),
        // A document that does not count (any more) says as much as none: nothing is proved either way.
        None => Supplied::Unknown,
    }
}
