//! `report sovereignty`: from the fleet, its tiers and a plan over it to the report. Counts nothing itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::decide::tier::{CheckOutcome, evaluate};
use jiuzhou_engine::terms::ObjectRef;
use jiuzhou_intake::{Fleet, figures};
use jiuzhou_measure::sovereignty::concentration;
use jiuzhou_report::document::{Document, Meta};
use jiuzhou_report::documents::plan::PlanInput;
use jiuzhou_report::documents::sovereignty::{BodyGrades, SovereigntyInput, TierRow, sovereignty};

use super::plan;
use super::report::Names;
use super::saved::Saved;

/// The report of everything as of an instant.
pub(super) fn document(fleet: &Fleet, as_of: Timestamp) -> anyhow::Result<Document> {
    let meta = Meta::new(Some(as_of), Some(fleet.snapshot.digest()?));
    let scene = figures::Scene::from(fleet);
    let dependence = figures::dependence(&scene, as_of);
    let today = jiuzhou_measure::beijing_date(as_of);
    let mut bodies: BTreeMap<String, BodyGrades> = BTreeMap::new();
    for (body, systems) in dependence.systems {
        let grades = bodies.entry(body).or_default();
        for (protection, cryptography) in systems {
            grades.protection.count(protection, today);
            grades.cryptography.count(cryptography, today);
        }
    }
    let saved = Saved::decide(plan::input(fleet, None, as_of))?;
    let nearest = plan::nearest(&saved)?;
    let places = &fleet.places;
    let input = SovereigntyInput {
        now: as_of,
        tiers: &tiers(fleet, as_of),
        expiring: &figures::expiring(&fleet.objects, as_of),
        bodies: &bodies,
        brands: &concentration(&dependence.brands)?,
        providers: &concentration(&dependence.providers)?,
        plan: PlanInput {
            plan: &saved.plan,
            specs: &saved.input.fleet.specs,
            nearest: &nearest,
            against: false,
            places,
        },
        lookup: &Names(fleet),
    };
    let mut document = sovereignty(meta, &input, Vec::new());
    document.meta.content_digest = Some(jiuzhou_report::render::digest(&document)?);
    Ok(document)
}

/// How each cluster stands, by the engine's judgement.
fn tiers(fleet: &Fleet, as_of: Timestamp) -> Vec<TierRow> {
    let tiers = fleet.snapshot.tiers();
    let name = |count: usize| count.checked_sub(1).and_then(|at| tiers.get(at));
    let row = |cluster: &jiuzhou_engine::decide::input::ClusterInput| {
        let standing = evaluate(cluster, tiers, as_of);
        let next = tiers.get(standing.certain).map(|tier| tier.name.as_str());
        let missing = standing
            .checks
            .iter()
            .filter(|check| Some(check.tier.as_str()) == next && !matches!(check.outcome, CheckOutcome::Pass { .. }));
        let short = |check: &str| check.rsplit('/').next().unwrap_or_default().to_owned();
        TierRow {
            cluster: ObjectRef::new("MemberCluster", "", &cluster.name),
            tier: name(standing.certain).map(|tier| (tier.name.clone(), i64::from(tier.rank))),
            possible: name(standing.possible).map(|tier| tier.name.clone()),
            failing: missing.map(|check| short(&check.check)).collect(),
            next_expiry: standing.next_expiry,
        }
    };
    fleet.snapshot.clusters().map(|(_, cluster)| row(cluster.as_ref())).collect()
}
