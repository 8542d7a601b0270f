//! Sovereignty as a report asks for it: how clusters stand, what runs out, 等保 and 密评 by body, who holds the CPU of which
//! system, and who is refused by a plan over everything.
//!
//! Whoever asks for some bodies sees the clusters that their workloads run in, and of these what runs out; of others nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::canonical::CanonicalError;
use jiuzhou_engine::decide::input::ClusterInput;
use jiuzhou_engine::decide::tier::{CheckOutcome, evaluate};
use jiuzhou_engine::decide::{Change, Changes, Decision, Kept, Status, WorkloadKey, explain_all_on, plan_with};
use jiuzhou_engine::terms::{Digest, ObjectRef};
use jiuzhou_measure::MeasureError;
use jiuzhou_measure::adoption::Register;
use jiuzhou_measure::sovereignty::{BodyGrades, Concentration, Graded, Held, TierStanding, concentration};
use serde_json::json;

use super::answer::on_day;
use super::ask::Ask;
use super::bodies::Bodies;
use super::expiry::newest;
use super::{Expiring, Proof, Scene, expiring, register, today};

/// Workloads explained at once: what an explanation says of a thousand clusters is large.
const AT_ONCE: usize = 128;

/// Everything the report says.
#[derive(Clone, Debug)]
pub struct Sovereignty {
    /// The instant it speaks of.
    pub now: Timestamp,
    /// Clusters by name.
    pub tiers: Vec<TierStanding>,
    /// What runs out.
    pub expiring: Vec<Expiring>,
    /// Systems in service by body as it is called on the day.
    pub bodies: BTreeMap<String, BodyGrades>,
    /// CPU on the cloud by brand.
    pub brands: Concentration,
    /// CPU on the cloud by provider.
    pub providers: Concentration,
    /// Who is refused, with the tenant.
    pub refused: Vec<(String, Decision)>,
    /// For those the cluster that comes nearest, and what would have to change there.
    pub nearest: BTreeMap<WorkloadKey, (String, Vec<Change>)>,
    /// Digest of what was entered: evidence, assessments and the register.
    pub entered: Digest,
}

/// What a report narrows to.
struct Part {
    /// Bodies; `None` for all.
    bodies: Option<BTreeSet<String>>,
    /// Clusters, by name.
    clusters: BTreeSet<String>,
    /// Systems, as `namespace/name`.
    systems: BTreeSet<String>,
}

/// Makes it.
///
/// # Errors
/// [`MeasureError`] for sums out of range.
pub fn sovereignty(
    scene: &Scene<'_>,
    ask: &Ask,
    now: Timestamp,
    threads: NonZeroUsize,
) -> Result<Sovereignty, MeasureError> {
    let as_of = ask.as_of(now);
    let names = Bodies::on(scene.objects, today(as_of));
    let scope = on_day(&ask.scope, &names);
    let register = scope.of_register(register(scene, as_of));
    let whole = scope.is_whole();
    let bodies = scope.bodies(&names.all(scene.objects));
    let seen = |tenant: &str| bodies.as_ref().is_none_or(|bodies| bodies.contains(&names.now(tenant)));
    let used: BTreeSet<&str> = scene
        .specs
        .iter()
        .filter(|spec| seen(&spec.requirement.tenant))
        .flat_map(|spec| spec.current.iter().filter(|one| one.placed > 0).map(|one| one.cluster.as_str()))
        .collect();
    let takes = |cluster: &ClusterInput| {
        (bodies.is_none() || used.contains(cluster.name.as_str()))
            && scope.covers(&cluster.region)
            && (scope.sites.is_empty() || scope.sites.contains(&cluster.site))
    };
    let clusters = scene.clusters.iter().filter(|cluster| whole || takes(cluster));
    let part = Part {
        clusters: clusters.map(|cluster| cluster.name.clone()).collect(),
        systems: register.entries.iter().map(|one| key(&one.reference)).collect(),
        bodies,
    };
    let (brands, providers) = held(&register);
    let (refused, nearest) = refused(scene, &part, &names, as_of, threads)?;
    let all = expiring(scene.objects, as_of).into_iter();
    let all: Vec<Expiring> = all
        .filter(|one| match one.subject.kind.as_str() {
            "MemberCluster" => part.clusters.contains(&one.subject.name),
            _ => whole || part.systems.contains(&key(&one.subject)),
        })
        .collect();
    let tiers: Vec<TierStanding> =
        standings(scene, as_of).filter(|row| part.clusters.contains(&row.cluster.name)).collect();
    let bodies = grades(scene, &part, whole, as_of);
    let entered = entered(&register, &all);
    Ok(Sovereignty {
        now: as_of,
        tiers,
        expiring: all,
        bodies,
        brands: concentration(&brands)?,
        providers: concentration(&providers)?,
        refused,
        nearest,
        entered,
    })
}

fn key(object: &ObjectRef) -> String {
    format!("{}/{}", object.namespace, object.name)
}

/// Who holds the CPU of which system: by brand, and by provider.
fn held(register: &Register) -> (Vec<Held>, Vec<Held>) {
    let (mut brands, mut providers) = (Vec::new(), Vec::new());
    for entry in &register.entries {
        for place in entry.footprint.iter().filter(|place| place.on_cloud && place.millicores > 0) {
            let held =
                |by: &str| Held { by: by.to_owned(), system: entry.reference.clone(), millicores: place.millicores };
            brands.push(held(&place.brand));
            providers.push(held(&place.provider));
        }
    }
    (brands, providers)
}

/// A system in service, and how it stands in both schemes.
pub(super) struct GradedSystem {
    pub(super) system: ObjectRef,
    /// Its body, as it is called on the day.
    pub(super) body: String,
    pub(super) protection: Graded,
    cryptography: Graded,
}

/// How every system in service stands in 等保 and 密评.
pub(super) fn graded<'a>(scene: &'a Scene<'_>, as_of: Timestamp) -> impl Iterator<Item = GradedSystem> + 'a {
    let names = Bodies::on(scene.objects, today(as_of));
    let systems = scene.objects.systems.values();
    systems.filter(|item| item.object.spec.hosting.state != api::HostingState::Retired).map(move |item| {
        let (spec, system) = (&item.object.spec, item.document.object_ref());
        let graded = |proof, scheme: Option<&api::Protection>| Graded {
            level: scheme.map(|scheme| i64::from(scheme.level)),
            until: newest(&system, proof, scheme, as_of).map(|one| -> Date { one.last_day() }),
        };
        let protection = graded(Proof::Protection, spec.protection.as_ref());
        let cryptography = graded(Proof::Cryptography, spec.cryptography.as_ref());
        GradedSystem { body: names.now(&spec.tenant), protection, cryptography, system }
    })
}

/// How the systems of each body stand.
fn grades(scene: &Scene<'_>, part: &Part, whole: bool, as_of: Timestamp) -> BTreeMap<String, BodyGrades> {
    let mut bodies: BTreeMap<String, BodyGrades> = BTreeMap::new();
    for one in graded(scene, as_of).filter(|one| whole || part.systems.contains(&key(&one.system))) {
        let body = bodies.entry(one.body).or_default();
        body.protection.count(one.protection, today(as_of));
        body.cryptography.count(one.cryptography, today(as_of));
    }
    bodies
}

/// How each cluster stands, by the engine's judgement.
fn standings<'a>(scene: &'a Scene<'_>, as_of: Timestamp) -> impl Iterator<Item = TierStanding> + 'a {
    let tiers = scene.snapshot.tiers();
    scene.clusters.iter().map(move |cluster| {
        let name = |count: usize| count.checked_sub(1).and_then(|at| tiers.get(at));
        let standing = evaluate(cluster, tiers, as_of);
        let next = tiers.get(standing.certain).map(|tier| tier.name.as_str());
        let missing = standing
            .checks
            .iter()
            .filter(|check| Some(check.tier.as_str()) == next && !matches!(check.outcome, CheckOutcome::Pass { .. }));
        let short = |check: &str| check.rsplit('/').next().unwrap_or_default().to_owned();
        TierStanding {
            cluster: ObjectRef::new("MemberCluster", "", &cluster.name),
            tier: name(standing.certain).map(|tier| (tier.name.clone(), i64::from(tier.rank))),
            possible: name(standing.possible).map(|tier| tier.name.clone()),
            failing: missing.map(|check| short(&check.check)).collect(),
            next_expiry: standing.next_expiry,
        }
    })
}

type Nearest = BTreeMap<WorkloadKey, (String, Vec<Change>)>;

/// Who is refused by a plan over everything, and what comes nearest for them.
fn refused(
    scene: &Scene<'_>,
    part: &Part,
    names: &Bodies,
    as_of: Timestamp,
    threads: NonZeroUsize,
) -> Result<(Vec<(String, Decision)>, Nearest), MeasureError> {
    let changes = Changes { all: true, ..Changes::default() };
    let plan = plan_with(scene.snapshot, &changes, as_of, &mut Kept::on(threads)).map_err(|error| unplanned(&error))?;
    let mut refused = Vec::new();
    for decision in plan.decisions.into_iter().filter(|decision| decision.status == Status::Refused) {
        let tenant = scene.snapshot.spec(&decision.key).map(|spec| spec.requirement.tenant.clone()).unwrap_or_default();
        if part.bodies.as_ref().is_none_or(|bodies| bodies.contains(&names.now(&tenant))) {
            refused.push((tenant, decision));
        }
    }
    let mut nearest = Nearest::new();
    for some in refused.chunks(AT_ONCE) {
        let keys = some.iter().map(|(_, decision)| decision.key.clone()).collect();
        let told =
            explain_all_on(scene.snapshot, &changes, &keys, as_of, threads).map_err(|error| unplanned(&error))?;
        for (key, told) in told {
            let open = told.clusters.iter().filter(|cluster| !cluster.changes.is_empty());
            if let Some(best) = open.min_by_key(|cluster| (cluster.cost, &cluster.cluster)) {
                nearest.insert(key, (best.cluster.clone(), best.changes.clone()));
            }
        }
    }
    Ok((refused, nearest))
}

fn unplanned(error: &CanonicalError) -> MeasureError {
    MeasureError::Plan(error.to_string())
}

/// What people had entered, without what was observed.
fn entered(register: &Register, expiring: &[Expiring]) -> Digest {
    let systems = register.entries.iter().map(|entry| {
        json!([entry.reference.to_string(), entry.project_code, entry.tenant, entry.region, entry.hosting])
    });
    let proofs = expiring.iter().filter(|one| one.proof != Proof::Credential);
    let proofs = proofs.map(|one| json!([one.subject.to_string(), one.proof.as_str(), one.name, one.ends.as_second()]));
    let all = json!({ "systems": systems.collect::<Vec<_>>(), "proofs": proofs.collect::<Vec<_>>() });
    Digest::sha256(all.to_string().as_bytes())
}
