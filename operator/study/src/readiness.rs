//! Which systems could run today on which CPU family, by asking the engine with only that family's node pools.
//!
//! Each system is asked for alone, beside what runs on the family already: what others would do is not supposed. A system
//! could run when every workload of it gets all its replicas by every rule, and it is known that its images run there; where
//! the engine lets something unknown in, the answer is unknown. For the others the engine says what would have to change.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use jiff::Timestamp;
use jiuzhou_engine::decide::canonical::CanonicalError;
use jiuzhou_engine::decide::input::ClusterInput;
use jiuzhou_engine::decide::{
    self, Change, Changes, Decision, Explanation, FleetInput, Kept, Policy, Rule, Snapshot, SnapshotError, Spec,
    Status, WorkloadKey,
};
use jiuzhou_engine::terms::Reason;

/// Workloads explained at once: what an explanation says of a thousand clusters is large.
const AT_ONCE: usize = 128;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The fleet with what runs.
    pub fleet: &'a FleetInput,
    /// The family of each CPU platform; platforms without one are asked for by nobody.
    pub families: &'a BTreeMap<String, String>,
    /// The instant.
    pub as_of: Timestamp,
    /// Threads; no answer depends on it.
    pub threads: NonZeroUsize,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum ReadinessError {
    /// The inputs cannot be one fleet.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A value cannot be written as JSON.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// Nodes of a family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// Name.
    pub name: String,
    /// Clusters with nodes of it.
    pub clusters: i64,
    /// Its nodes.
    pub nodes: i64,
}

/// How a system stands with a family, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Could run there today.
    Ready,
    /// The engine would let it in, but whether an image runs there is not known.
    Unknown,
    /// One change would be enough.
    OneChange,
    /// No one change is known to be enough.
    Several,
}

/// What keeps one workload off a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Which.
    pub workload: WorkloadKey,
    /// The cluster that comes nearest; `None` where the obstacle is not a cluster's.
    pub cluster: Option<String>,
    /// What would have to change there, or what would have to be known; empty where only a limit of the whole is told.
    pub changes: Vec<Change>,
    /// What limits beside them, such as a quota.
    pub limit: Option<Reason>,
}

/// How a system stands with a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The system, `namespace/name`.
    pub system: String,
    /// The family.
    pub family: String,
    /// How it stands.
    pub state: State,
    /// What stands in the way, by workload; empty when ready.
    pub obstacles: Vec<Obstacle>,
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// The families with nodes, by name.
    pub families: Vec<Family>,
    /// Nodes of platforms without a family, or not recognised.
    pub others: i64,
    /// By system and family.
    pub answers: Vec<Answer>,
}

/// Asks for every system with workloads.
///
/// # Errors
/// [`ReadinessError`]; none for the inputs of one fleet.
pub fn readiness(asked: &Asked<'_>) -> Result<Readiness, ReadinessError> {
    let mut systems: BTreeMap<&str, Vec<&Spec>> = BTreeMap::new();
    for spec in asked.fleet.specs.iter().filter(|spec| !spec.system.is_empty()) {
        systems.entry(&spec.system).or_default().push(spec);
    }
    let mut found = Readiness::default();
    let mut families: BTreeMap<&str, Family> = BTreeMap::new();
    for cluster in &asked.fleet.clusters {
        let mut here = BTreeSet::new();
        for pool in &cluster.pools {
            let nodes = pool.shapes.iter().map(|shape| shape.count).fold(0, i64::saturating_add);
            match pool.facts.platform.as_ref().and_then(|platform| asked.families.get(platform)) {
                Some(name) => {
                    let family = families.entry(name).or_default();
                    family.nodes = family.nodes.saturating_add(nodes);
                    family.clusters += i64::from(here.insert(name));
                }
                None => found.others = found.others.saturating_add(nodes),
            }
        }
    }
    for (name, family) in families {
        found.answers.extend(of_family(asked, name, &systems)?);
        found.families.push(Family { name: name.to_owned(), ..family });
    }
    found.answers.sort_by(|a, b| (&a.system, &a.family).cmp(&(&b.system, &b.family)));
    Ok(found)
}

fn of_family(
    asked: &Asked<'_>,
    family: &str,
    systems: &BTreeMap<&str, Vec<&Spec>>,
) -> Result<Vec<Answer>, ReadinessError> {
    let snapshot = Snapshot::new(only(asked, family))?;
    let mut kept = Kept::on(asked.threads);
    let mut decided: BTreeMap<WorkloadKey, Decision> = BTreeMap::new();
    for specs in systems.values() {
        let specs: Vec<Spec> = together(asked.fleet, specs).into_iter().map(|spec| moved(spec, &snapshot)).collect();
        let own: BTreeSet<&WorkloadKey> = specs.iter().map(|spec| &spec.key).collect();
        let changes = Changes { specs: specs.clone(), ..Changes::default() };
        let plan = decide::plan_with(&snapshot, &changes, asked.as_of, &mut kept)?;
        decided
            .extend(plan.decisions.into_iter().filter(|one| own.contains(&one.key)).map(|one| (one.key.clone(), one)));
    }
    let (placed, refused): (Vec<&Spec>, Vec<&Spec>) = systems
        .values()
        .flatten()
        .partition(|spec| decided.get(&spec.key).is_some_and(|one| one.status == Status::Placed));
    let mut obstacles: BTreeMap<WorkloadKey, (State, Obstacle)> = BTreeMap::new();
    for (specs, fits) in [(&placed, true), (&refused, false)] {
        for some in specs.chunks(AT_ONCE) {
            let specs = some.iter().map(|spec| moved(spec, &snapshot)).collect();
            let keys = some.iter().map(|spec| spec.key.clone()).collect();
            let changes = Changes { specs, ..Changes::default() };
            let mut told = decide::explain_all_on(&snapshot, &changes, &keys, asked.as_of, asked.threads)?;
            for spec in some {
                let Some((told, decision)) = told.remove(&spec.key).zip(decided.get(&spec.key)) else { continue };
                let found = if fits { unclear(spec, decision, &told) } else { Some(obstacle(spec, decision, told)) };
                obstacles.extend(found.map(|found| (spec.key.clone(), found)));
            }
        }
    }
    let answer = |(system, specs): (&&str, &Vec<&Spec>)| {
        let own: Vec<&(State, Obstacle)> = specs.iter().filter_map(|spec| obstacles.get(&spec.key)).collect();
        let mut state = own.iter().map(|(state, _)| *state).max().unwrap_or(State::Ready);
        let reasons = own.iter().flat_map(|(_, one)| &one.changes).flat_map(|change| &change.reasons);
        let different: BTreeSet<&Reason> = reasons.collect();
        // Two workloads with one change each are one change only when it is the same one.
        if state == State::OneChange && own.len() > 1 && different.len() > 1 {
            state = State::Several;
        }
        let obstacles = own.into_iter().map(|(_, one)| one.clone()).collect();
        Answer { system: (*system).to_owned(), family: family.to_owned(), state, obstacles }
    };
    Ok(systems.iter().map(answer).collect())
}

/// The fleet with the node pools of a family only, and of what runs the part that is there. A freeze says when, not
/// whether, so none counts.
fn only(asked: &Asked<'_>, family: &str) -> FleetInput {
    let mut fleet = FleetInput { freezes: Vec::new(), ..asked.fleet.clone() };
    let of = |cluster: &mut ClusterInput| {
        cluster.pools.retain(|pool| {
            let own = pool.facts.platform.as_ref().and_then(|platform| asked.families.get(platform));
            own.is_some_and(|own| own == family)
        });
        !cluster.pools.is_empty()
    };
    fleet.clusters.retain_mut(of);
    let names: BTreeSet<String> = fleet.clusters.iter().map(|cluster| cluster.name.clone()).collect();
    for spec in &mut fleet.specs {
        spec.current.retain(|at| names.contains(&at.cluster));
        spec.replicas = spec.current.iter().map(|at| at.placed).fold(0, i64::saturating_add);
        // Where it runs is a fact here; how it should be spread was decided with all clusters.
        spec.policy = Arc::new(Policy::default());
        spec.colocate = None;
        spec.changed = false;
    }
    fleet.specs.retain(|spec| !spec.current.is_empty());
    fleet
}

/// The workloads of a system, and those that have to stand with one of them.
fn together<'a>(fleet: &'a FleetInput, specs: &[&'a Spec]) -> Vec<&'a Spec> {
    let sets: BTreeSet<&String> = specs.iter().filter_map(|spec| spec.colocate.as_ref()).collect();
    let own: BTreeSet<&WorkloadKey> = specs.iter().map(|spec| &spec.key).collect();
    let beside = fleet
        .specs
        .iter()
        .filter(|spec| spec.colocate.as_ref().is_some_and(|set| sets.contains(set)) && !own.contains(&spec.key));
    specs.iter().copied().chain(beside).collect()
}

/// A workload as it is asked for: all of it, with what of it is there already.
fn moved(spec: &Spec, snapshot: &Snapshot) -> Spec {
    let current = snapshot.spec(&spec.key).map(|there| there.current.clone()).unwrap_or_default();
    Spec { current, changed: true, rebalance: false, ..spec.clone() }
}

/// A workload with a place, where it is not known that its images run on the pools it may land on.
fn unclear(spec: &Spec, decision: &Decision, told: &Explanation) -> Option<(State, Obstacle)> {
    let (cluster, reasons) = decide::unknown(spec, decision, told)?;
    let change = Change { rule: Some(Rule::Architecture), cost: decide::cost(Rule::Architecture), reasons };
    Some((State::Unknown, Obstacle { workload: spec.key.clone(), cluster, changes: vec![change], limit: None }))
}

/// What would have to change for a workload without a place, and whether that is one thing, or something to be known.
fn obstacle(spec: &Spec, decision: &Decision, told: Explanation) -> (State, Obstacle) {
    let workload = decision.key.clone();
    let limit = decision.limits.first().filter(|_| decision.status != Status::Refused).cloned();
    if told.decision.status == Status::Placed {
        // It finds a place alone: the rest of its system takes the room.
        return (State::Several, Obstacle { workload, cluster: None, changes: Vec::new(), limit });
    }
    let one = told.one_change.into_iter().next();
    let state = if one.is_some() { State::OneChange } else { State::Several };
    let (cluster, changes) = match one {
        Some((cluster, change)) => (Some(cluster).filter(|name| !name.is_empty()), vec![change]),
        None => {
            let refused = told.clusters.into_iter().filter(|cluster| !cluster.changes.is_empty());
            let nearest = refused.min_by(|a, b| (a.cost, &a.cluster).cmp(&(b.cost, &b.cluster)));
            nearest.map_or((None, Vec::new()), |one| (Some(one.cluster), one.changes))
        }
    };
    let by_images = !changes.is_empty() && changes.iter().all(|change| change.rule == Some(Rule::Architecture));
    let state = if by_images && decide::undescribed(spec).is_some() { State::Unknown } else { state };
    (state, Obstacle { workload, cluster, changes, limit: limit.filter(|_| state == State::Several) })
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::decide::{Image, Requirement};
    use jiuzhou_engine::detect::{ImageEntry, Needs, OciPlatform, Provenance};
    use jiuzhou_engine::terms::Code;

    use super::*;
    use crate::fixture::{as_of, cluster, fleet, within, workload};

    fn on(name: &str, nodes: i64, platform: &str) -> ClusterInput {
        let mut cluster = cluster(name, nodes, 4);
        cluster.pools[0].facts.platform = Some(platform.to_owned());
        cluster
    }

    fn of(system: &str, spec: Spec) -> Spec {
        Spec { system: format!("ns/{system}"), ..spec }
    }

    /// A workload whose image has an entry for each of these architectures, as a person has declared.
    fn built_for(spec: Spec, architectures: &[&str]) -> Spec {
        with_image(spec, architectures, Provenance::Declared)
    }

    fn with_image(spec: Spec, architectures: &[&str], provenance: Provenance) -> Spec {
        let entry = |arch: &&str| ImageEntry {
            digest: None,
            platform: OciPlatform {
                os: "linux".to_owned(),
                architecture: (*arch).to_owned(),
                ..OciPlatform::default()
            },
            needs: Needs::default(),
            provenance,
        };
        let image = Image {
            name: "registry.example/门户:1".to_owned(),
            entries: architectures.iter().map(entry).collect(),
            needs: Needs::default(),
        };
        let requirement = Requirement { images: vec![image], ..(*spec.requirement).clone() };
        Spec { requirement: Arc::new(requirement), ..spec }
    }

    fn asked(fleet: &FleetInput) -> Readiness {
        let of = |platform: &str, family: &str| (platform.to_owned(), family.to_owned());
        let families = [of("kunpeng-920", "Kunpeng"), of("phytium-s5000c", "Phytium")].into();
        let asked = Asked { fleet, families: &families, as_of: as_of(), threads: NonZeroUsize::MIN };
        readiness(&asked).expect("an answer")
    }

    fn state(found: &Readiness, system: &str, family: &str) -> State {
        let of = |one: &&Answer| one.system == format!("ns/{system}") && one.family == family;
        found.answers.iter().find(of).expect("an answer").state
    }

    #[test]
    fn only_nodes_of_the_family_count_and_only_families_with_nodes_are_asked() {
        let fleet = fleet(
            &[on("a", 1, "kunpeng-920"), on("b", 9, "x86-64-v3")],
            &[of("small", workload("s", 3, &[("b", 3)])), of("large", workload("l", 5, &[("b", 5)]))],
        );
        let found = asked(&fleet);
        let family = Family { name: "Kunpeng".to_owned(), clusters: 1, nodes: 1 };
        assert_eq!((found.families.as_slice(), found.others), (&[family][..], 9));
        assert_eq!(state(&found, "small", "Kunpeng"), State::Ready);
        // Five replicas of one cpu on one node of four: room is what is missing.
        assert!(state(&found, "large", "Kunpeng") > State::Unknown);
        let large = found.answers.iter().find(|one| one.system == "ns/large").expect("an answer");
        assert_eq!((large.obstacles.len(), large.obstacles[0].workload.name.as_str()), (1, "l"));
    }

    #[test]
    fn each_system_is_asked_alone_beside_what_runs_on_the_family() {
        let running = workload("r", 2, &[("a", 2)]);
        let fleet = fleet(
            &[on("a", 1, "kunpeng-920"), on("b", 9, "x86-64-v3")],
            &[
                of("r", running),
                of("one", workload("x", 2, &[("b", 2)])),
                of("two", workload("y", 2, &[("b", 2)])),
                of("big", workload("z", 3, &[("b", 3)])),
            ],
        );
        let found = asked(&fleet);
        // Two of four cpus are taken. One and two both fit, though not together; what runs there fits where it is.
        for system in ["one", "two", "r"] {
            assert_eq!(state(&found, system, "Kunpeng"), State::Ready, "{system}");
        }
        assert!(state(&found, "big", "Kunpeng") > State::Unknown);
    }

    #[test]
    fn a_rule_is_told_as_the_one_change_and_several_rules_are_not() {
        let near = workload("w", 1, &[("b", 1)]);
        let mut far = on("a", 2, "kunpeng-920");
        far.region = "110000".to_owned();
        let fleet = fleet(
            &[far, on("b", 9, "x86-64-v3")],
            &[
                of("region", within(near.clone(), &["53"])),
                of("both", built_for(within(workload("v", 1, &[("b", 1)]), &["53"]), &["amd64"])),
                of("two", within(workload("p", 1, &[("b", 1)]), &["53"])),
                of("two", built_for(workload("q", 1, &[("b", 1)]), &["amd64"])),
            ],
        );
        let found = asked(&fleet);
        assert_eq!(state(&found, "region", "Kunpeng"), State::OneChange);
        let region = found.answers.iter().find(|one| one.system == "ns/region").expect("an answer");
        let told = &region.obstacles[0];
        let code = told.changes[0].reasons[0].code;
        assert_eq!((told.cluster.as_deref(), told.changes.len(), code), (Some("a"), 1, Code::RegionNotAllowed));
        assert_eq!(state(&found, "both", "Kunpeng"), State::Several);
        // One change for each of two workloads is two changes for the system.
        assert_eq!(state(&found, "two", "Kunpeng"), State::Several);
    }

    #[test]
    fn an_image_without_the_architecture_is_one_change_away_and_one_that_nobody_described_cannot_be_told() {
        let fleet = fleet(
            &[on("a", 2, "kunpeng-920"), on("b", 9, "x86-64-v3")],
            &[
                of("amd", built_for(workload("m", 1, &[("b", 1)]), &["amd64"])),
                // As intake takes an image that nobody has described.
                of("dark", with_image(workload("d", 1, &[("b", 1)]), &["amd64"], Provenance::None)),
                of("arm", built_for(workload("r", 1, &[("b", 1)]), &["amd64", "arm64"])),
            ],
        );
        let found = asked(&fleet);
        assert_eq!(state(&found, "amd", "Kunpeng"), State::OneChange);
        let amd = found.answers.iter().find(|one| one.system == "ns/amd").expect("an answer");
        assert_eq!(amd.obstacles[0].changes[0].rule, Some(Rule::Architecture));
        assert_eq!(state(&found, "dark", "Kunpeng"), State::Unknown);
        assert!(state(&found, "arm", "Kunpeng") <= State::Unknown);
    }

    #[test]
    fn the_order_of_the_inputs_changes_nothing() {
        let clusters = [on("a", 1, "kunpeng-920"), on("c", 2, "phytium-s5000c"), on("b", 9, "x86-64-v3")];
        let specs = [of("p", workload("p", 5, &[("b", 5)])), of("q", workload("q", 2, &[("a", 2)]))];
        let one = asked(&fleet(&clusters, &specs));
        let turned: Vec<ClusterInput> = clusters.iter().rev().cloned().collect();
        let swapped: Vec<Spec> = specs.iter().rev().cloned().collect();
        assert_eq!(asked(&fleet(&turned, &swapped)), one);
        assert_eq!(state(&one, "p", "Phytium"), State::Ready);
    }
}
