//! Member clusters with their sites: where they are, what is proved of them, what they offer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::text::Name;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::affinity::Taint;
use jiuzhou_engine::decide::input::{
    ClusterInput, ClusterState, Evidence, PoolInput, ProtectionReport, Reachability, RegistryInput, Term,
};
use jiuzhou_engine::terms::Finding;
use jiuzhou_measure::carbon::FactorTable;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::beijing;
use crate::documents::Document;
use crate::objects::{Item, Objects, named};

use super::places::{self, label};
use super::tenants::{term, texts};
use super::{figures, pools, words};

/// All clusters; `from_nodes` has the pools of those whose status tells none.
pub(super) fn clusters(
    objects: &Objects,
    from_nodes: &BTreeMap<String, Vec<PoolInput>>,
    factors: &FactorTable,
    as_of: Timestamp,
    findings: &mut Vec<Finding>,
) -> Vec<ClusterInput> {
    objects.clusters.values().map(|item| cluster(objects, item, from_nodes, factors, as_of, findings)).collect()
}

pub(super) fn cluster(
    objects: &Objects,
    item: &Item<api::MemberCluster>,
    from_nodes: &BTreeMap<String, Vec<PoolInput>>,
    factors: &FactorTable,
    as_of: Timestamp,
    findings: &mut Vec<Finding>,
) -> ClusterInput {
    let api::MemberClusterSpec {
        display_name: _,
        site,
        provider: _, // see places::provider
        form: _,     // a label
        place: _,    // a label
        ownership,
        dedicated_to,
        jurisdictions,
        connection: _,    // how it is reached is control's
        default_zone: _,  // see pools
        pool_facts: _,    // see pools
        pool_readings: _, // energy
        protection,
        cryptography,
        evidence,
        tee: _, // see pools
        sm_crypto,
        databases,
        registries,
        values: _, // for overrides
        peers,
        taints,
        lifecycle,
        emergency_reserve_percent,
    } = &item.object.spec;
    let place = named(&objects.sites, site);
    let mut pools = pools::pools(item, findings);
    if pools.is_empty() {
        pools = from_nodes.get(&item.document.name).cloned().unwrap_or_default();
    }
    let provider = places::provider(&item.object, place);
    let mut labels = places::labels(&item.object, place);
    pool_labels(&mut labels, &pools, objects);
    for algorithm in sm_crypto {
        labels.insert(label::crypto(*algorithm), "true".to_owned());
    }
    let status = item.object.status.as_ref();
    let deleting = item.object.metadata.deletion_timestamp.is_some();
    let document = &item.document;
    ClusterInput {
        name: document.name.clone(),
        site: site.to_string(),
        region: place.map(|site| site.object.spec.region.to_string()).unwrap_or_default(),
        availability_zone: String::new(),
        provider: provider.to_owned(),
        taints: taints.iter().map(taint).collect(),
        state: state(*lifecycle, deleting),
        reachability: status.and_then(|s| s.reachability.as_ref()).map_or(Reachability::Reachable, reachability),
        healthy_since: status.and_then(|status| healthy_since(&status.conditions)),
        ownership: words::ownership(*ownership),
        jurisdictions: texts(jurisdictions),
        dedicated_to: texts(dedicated_to),
        protection: reports(document, "/spec/protection", protection.as_ref(), findings),
        cryptography: reports(document, "/spec/cryptography", cryptography.as_ref(), findings),
        evidence: evidence.iter().enumerate().filter_map(|(i, e)| self::evidence(document, i, e, findings)).collect(),
        supplied: BTreeMap::new(), // filled by tiers, which needs the whole
        kinds: status.map(|s| kinds(&s.apis)).filter(|kinds| !kinds.is_empty()),
        databases: self::databases(objects, databases),
        registries: registries_of(registries),
        peers: zones_of(peers.iter().filter(|peer| is_open(peer, as_of)).map(|peer| (&*peer.name, &peer.zones))),
        figures: figures::of(factors, &objects.prices, &item.object, place, provider, &pools, as_of),
        emergency_reserve_percent: u8::try_from(*emergency_reserve_percent).unwrap_or(0),
        labels,
        pools,
    }
}

/// Zones and brands of the pools: groups to spread over.
fn pool_labels(labels: &mut BTreeMap<String, String>, pools: &[PoolInput], objects: &Objects) {
    let zones: BTreeSet<&str> = pools.iter().map(|pool| pool.zone.as_str()).filter(|zone| !zone.is_empty()).collect();
    let brand = |pool: &PoolInput| {
        let platform = pool.facts.platform.as_deref()?;
        named(&objects.platforms, platform).map(|item| words::brand_name(item.object.spec.brand))
    };
    let brands: BTreeSet<&str> = pools.iter().filter_map(brand).collect();
    for (key, set) in [(label::ZONE, zones), (label::BRAND, brands)] {
        if !set.is_empty() {
            labels.insert(key.to_owned(), set.into_iter().collect::<Vec<_>>().join("+"));
        }
    }
}

/// A cluster that leaves is emptied first.
fn state(lifecycle: api::Lifecycle, deleting: bool) -> ClusterState {
    match lifecycle {
        _ if deleting => ClusterState::Deleting,
        api::Lifecycle::Active => ClusterState::Active,
        api::Lifecycle::Draining | api::Lifecycle::Leaving => ClusterState::Draining,
    }
}

fn taint(taint: &api::ClusterTaint) -> Taint {
    let api::ClusterTaint { key, value, effect, since: _ } = taint;
    Taint {
        key: key.to_string(),
        value: value.as_deref().unwrap_or_default().to_owned(),
        effect: words::effect(*effect),
    }
}

/// One side that sees it is enough; one that says no while nobody says otherwise keeps new replicas away.
fn reachability(seen: &api::Reachability) -> Reachability {
    let api::Reachability { hub, agent, last_seen: _ } = seen;
    match (hub, agent) {
        (api::Reach::Reachable, _) | (_, api::Reach::Reachable) => Reachability::Reachable,
        (api::Reach::Unreachable, _) | (_, api::Reach::Unreachable) => Reachability::Unreachable,
        (api::Reach::Unknown, api::Reach::Unknown) => Reachability::Unknown,
    }
}

/// Since when a cluster has been Ready, as whoever watches it says.
fn healthy_since(conditions: &[Condition]) -> Option<Timestamp> {
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status == "True")?;
    Timestamp::from_second(ready.last_transition_time.0.as_second()).ok()
}

/// What is there by name, with its zones; of several of one name the zones together, every zone if one has none.
fn zones_of<'a>(all: impl Iterator<Item = (&'a str, &'a Vec<Name>)>) -> BTreeMap<String, BTreeSet<String>> {
    let mut by_name: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut everywhere = BTreeSet::new();
    for (name, zones) in all {
        by_name.entry(name.to_owned()).or_default().extend(texts(zones));
        if zones.is_empty() {
            everywhere.insert(name);
        }
    }
    for name in everywhere {
        by_name.insert(name.to_owned(), BTreeSet::new());
    }
    by_name
}

/// Reports of an assessment. What no second person has verified counts as unknown.
fn reports(
    document: &Document,
    pointer: &str,
    protection: Option<&api::Protection>,
    findings: &mut Vec<Finding>,
) -> Vec<ProtectionReport> {
    let Some(api::Protection { level, business: _, service: _, filing_number: _, reports }) = protection else {
        return Vec::new();
    };
    let mut converted = Vec::new();
    for (index, report) in reports.iter().enumerate() {
        let api::AssessmentReport {
            number,
            assessor: _,
            date,
            conclusion,
            due_again,
            recorded_on,
            entered_by: _,
            verified_by: _,
            verified_on,
            state,
            ended_on,
            digest: _,
        } = report;
        let at = format!("{pointer}/reports/{index}");
        let Some(term) = term(document, &at, Some(date), Some(due_again), findings) else { continue };
        let recorded_at = recorded_on.as_deref().map_or(term.from, beijing::start);
        let Some(recorded_at) = recorded_at else { continue };
        converted.push(ProtectionReport {
            number: number.to_string(),
            level: u8::try_from(*level).unwrap_or(0),
            conforms: match conclusion {
                api::AssessmentConclusion::Passed | api::AssessmentConclusion::PassedInMain => true,
                api::AssessmentConclusion::Failed => false,
            },
            term,
            recorded_at,
            state: words::evidence_state(*state),
            state_since: since(*state, verified_on.as_deref(), ended_on.as_deref()),
        });
    }
    converted
}

fn evidence(
    document: &Document,
    index: usize,
    evidence: &api::Evidence,
    findings: &mut Vec<Finding>,
) -> Option<Evidence> {
    let api::Evidence {
        id,
        dimension,
        claim,
        value,
        issuer: _,
        number: _,
        valid_from,
        valid_until,
        recorded_on,
        entered_by: _,
        verified_by: _,
        verified_on,
        state,
        ended_on,
        digest: _,
        note: _,
    } = evidence;
    let at = format!("/spec/evidence/{index}");
    let term = term(document, &at, Some(valid_from), Some(valid_until), findings)?;
    Some(Evidence {
        id: id.to_string(),
        dimension: words::dimension(*dimension),
        claim: claim.to_string(),
        value: value.to_string(),
        term,
        recorded_at: beijing::start(recorded_on)?,
        state: words::evidence_state(*state),
        state_since: since(*state, verified_on.as_deref(), ended_on.as_deref()),
    })
}

/// When a document came into its state.
fn since(state: api::EvidenceState, verified: Option<&str>, ended: Option<&str>) -> Option<Timestamp> {
    match state {
        api::EvidenceState::Unverified => None,
        api::EvidenceState::Verified => verified.and_then(beijing::start),
        api::EvidenceState::Rejected | api::EvidenceState::Revoked => ended.and_then(beijing::start),
    }
}

/// A need that any of several products meets, as one name for the engine, which knows no alternatives.
pub(super) fn any_of(need: &api::DatabaseNeed) -> String {
    let api::DatabaseNeed { any_of } = need;
    texts(any_of).into_iter().collect::<Vec<_>>().join("|")
}

/// Products offered, and the names of those needs of workloads that one of them meets, with the zones they are for.
fn databases(objects: &Objects, offers: &[api::DatabaseOffer]) -> BTreeMap<String, BTreeSet<String>> {
    let needs = objects.workloads.values().flat_map(|item| &item.object.spec.requirements.databases);
    let needs: BTreeMap<String, &api::DatabaseNeed> = needs.map(|need| (any_of(need), need)).collect();
    let meets = |need: &api::DatabaseNeed, offer: &api::DatabaseOffer| need.any_of.contains(&offer.product);
    let met = needs.iter().flat_map(|(name, need)| {
        offers.iter().filter(|offer| meets(need, offer)).map(|offer| (name.as_str(), &offer.zones))
    });
    zones_of(met.chain(offers.iter().map(|offer| (&*offer.product, &offer.zones))))
}

/// `v1/Pod`, `apps/v1/Deployment`.
fn kinds(apis: &[api::ServedKinds]) -> BTreeSet<String> {
    apis.iter().flat_map(|served| served.kinds.iter().map(|kind| format!("{}/{kind}", served.api_version))).collect()
}

/// Registries that must be shown to hold an image, by zone. A rewrite that is not declared so is a name for delivery:
/// a mirror that fetches what it lacks says nothing about what it holds.
fn registries_of(rewrites: &[api::RegistryRewrite]) -> BTreeMap<String, RegistryInput> {
    let mut registries = BTreeMap::new();
    for rewrite in rewrites {
        let api::RegistryRewrite { zone, from: _, to, must_hold, holds } = rewrite;
        if !must_hold {
            continue;
        }
        let entry: &mut RegistryInput = registries.entry(zone.as_deref().unwrap_or_default().to_owned()).or_default();
        if entry.host.is_empty() {
            entry.host = to.to_string();
        }
        entry.holds.get_or_insert_default().extend(holds.iter().map(ToString::to_string));
    }
    registries
}

fn is_open(peer: &api::OpenedPeer, as_of: Timestamp) -> bool {
    let until = peer.valid_until.as_deref().map(beijing::end);
    match until {
        None => true,
        Some(None) => false,
        Some(until) => Term { from: None, until }.holds(as_of),
    }
}
