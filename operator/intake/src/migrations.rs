//! What the step of a migration is told: its course and progress, whether its workloads could run on the target, and how
//! they stand where its phase puts them.
//!
//! Operator and `jiuzhou migrate` ask here and nowhere else, so that both see a migration alike.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::canonical::CanonicalError;
use jiuzhou_engine::decide::{Fit, Snapshot, Spec, WorkloadKey, fit, resources};
use jiuzhou_engine::step::migration::{
    Boundary, Course, Data, Fits, Gate, Hitch, Phase, Progress, Proof, Seen, Sides, Step, Wait, Wave, asks, migration,
};
use jiuzhou_engine::step::rollout::Health;
use jiuzhou_engine::terms::{Code, ObjectRef, Reason};

use crate::convert::Base;
use crate::figures;
use crate::objects::{Item, Key, Objects};

/// Reasons of a workload's status that say that it fails where it is.
const FAILURES: [&str; 3] = ["ObjectFailed", "DeliveryRefused", "RolloutFailed"];

/// The phase of a step as it is written.
#[must_use]
pub fn phase(step: api::MigrationStep) -> Phase {
    match step {
        api::MigrationStep::Waiting => Phase::Waiting,
        api::MigrationStep::Assessing => Phase::Assessing,
        api::MigrationStep::Copying => Phase::Copying,
        api::MigrationStep::Comparing => Phase::Comparing,
        api::MigrationStep::Trial => Phase::Trial,
        api::MigrationStep::CuttingOver => Phase::CuttingOver,
        api::MigrationStep::Soaking => Phase::Soaking,
        api::MigrationStep::Completed => Phase::Completed,
        api::MigrationStep::ReturningData => Phase::ReturningData,
        api::MigrationStep::RollingBack => Phase::RollingBack,
        api::MigrationStep::RolledBack => Phase::RolledBack,
    }
}

/// The step of a phase as it is written.
#[must_use]
pub fn written(phase: Phase) -> api::MigrationStep {
    match phase {
        Phase::Waiting => api::MigrationStep::Waiting,
        Phase::Assessing => api::MigrationStep::Assessing,
        Phase::Copying => api::MigrationStep::Copying,
        Phase::Comparing => api::MigrationStep::Comparing,
        Phase::Trial => api::MigrationStep::Trial,
        Phase::CuttingOver => api::MigrationStep::CuttingOver,
        Phase::Soaking => api::MigrationStep::Soaking,
        Phase::Completed => api::MigrationStep::Completed,
        Phase::ReturningData => api::MigrationStep::ReturningData,
        Phase::RollingBack => api::MigrationStep::RollingBack,
        Phase::RolledBack => api::MigrationStep::RolledBack,
    }
}

/// What a migration declares, with what is proven of it.
#[must_use]
pub fn course(spec: &api::MigrationSpec) -> Course {
    let minutes = |minutes: i32| i64::from(minutes).saturating_mul(60);
    let wave = |wave: &api::MigrationWave| {
        let proof = |gate: &str| proof(spec, wave, gate);
        let gate = |gate: &api::MigrationGate| Gate {
            name: gate.name.to_string(),
            before: match gate.before {
                api::MigrationBoundary::Copy => Boundary::Copy,
                api::MigrationBoundary::Trial => Boundary::Trial,
                api::MigrationBoundary::CutOver => Boundary::CutOver,
                api::MigrationBoundary::Completion => Boundary::Completion,
            },
            proof: proof(&gate.name),
        };
        Wave {
            name: wave.name.to_string(),
            attempt: i64::from(wave.attempt),
            trial: wave.trial_percent.is_some(),
            trial_seconds: minutes(wave.trial_minutes),
            soak_seconds: minutes(wave.soak_minutes),
            deadline_seconds: minutes(wave.deadline_minutes),
            gates: wave.gates.iter().map(gate).collect(),
            data: wave.data.as_ref().map(|data| Data {
                copied: proof(api::GATE_COPY),
                compared: proof(api::GATE_COMPARE),
                trial_writes: data.trial_writes,
                way_back: data.way_back.is_some(),
                returned: proof(api::GATE_WAY_BACK),
            }),
            rollback: wave.rollback,
        }
    };
    Course { waves: spec.waves.iter().map(wave).collect(), paused: spec.paused }
}

/// What is proven of a gate: nothing before another person than who recorded it has verified it.
fn proof(spec: &api::MigrationSpec, wave: &api::MigrationWave, gate: &str) -> Proof {
    let of = |one: &&api::GateEvidence| one.wave == wave.name && *one.gate == *gate && one.attempt == wave.attempt;
    match spec.evidence.iter().find(of) {
        Some(one) if one.verified_by.as_ref().is_some_and(|by| *by != one.recorded_by) => match one.result {
            api::GateResult::Passed => Proof::Passed,
            api::GateResult::Failed => Proof::Failed,
        },
        _ => Proof::Open,
    }
}

/// How far a migration has come by its status.
#[must_use]
pub fn progress(status: Option<&api::MigrationStatus>) -> BTreeMap<String, Progress> {
    let waves = status.map(|status| status.waves.as_slice()).unwrap_or_default();
    let one = |wave: &api::WaveStatus| {
        let progress = Progress {
            attempt: i64::from(wave.attempt),
            phase: phase(wave.step),
            since: wave.since.0,
            healthy_since: wave.healthy_since.as_ref().map(|at| at.0),
            first_write: wave.first_write_at.as_ref().map(|at| at.0),
        };
        (wave.name.to_string(), progress)
    };
    waves.iter().map(one).collect()
}

/// What migrations are looked at with.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The objects.
    pub objects: &'a Objects,
    /// What conversion looks things up in.
    pub base: &'a Base,
    /// What the engine decides on.
    pub snapshot: &'a Snapshot,
    /// The instant.
    pub as_of: Timestamp,
}

impl Scene<'_> {
    /// The next step of a migration.
    ///
    /// # Errors
    /// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
    pub fn step(&self, item: &Item<api::Migration>) -> Result<Step, CanonicalError> {
        let course = course(&item.object.spec);
        let before = progress(item.object.status.as_ref());
        let phase = |name: &str| before.get(name).map(|progress| progress.phase).unwrap_or_default();
        let mut seen = BTreeMap::new();
        for wave in &item.object.spec.waves {
            let health = self.health(item, wave, phase(&wave.name));
            seen.insert(wave.name.to_string(), Seen { fits: Fits::Unasked, health });
        }
        let step = migration(&before, &course, &seen, self.as_of);
        // Whether it fits costs a plan, so it is asked where nothing else is in the way.
        let mut asked = false;
        for (wave, declared) in item.object.spec.waves.iter().zip(&course.waves) {
            let now = phase(&wave.name);
            let waits = step
                .waves
                .iter()
                .any(|(name, next, wait)| **name == *wave.name && next.phase == now && *wait == Wait::Step);
            let Some(sides) = asks(declared, now).filter(|_| waits) else { continue };
            let fits = self.fits(item, wave, sides)?;
            asked = true;
            seen.entry(wave.name.to_string()).and_modify(|seen| seen.fits = fits);
        }
        Ok(if asked { migration(&before, &course, &seen, self.as_of) } else { step })
    }

    /// Whether the workloads of a wave could run on some sides.
    ///
    /// # Errors
    /// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
    pub fn fits(
        &self,
        item: &Item<api::Migration>,
        wave: &api::MigrationWave,
        sides: Sides,
    ) -> Result<Fits, CanonicalError> {
        if let Some(hitch) = self.wrong_platform(item, wave) {
            return Ok(Fits::No(hitch));
        }
        let phase = if sides == Sides::Both { Phase::Trial } else { Phase::CuttingOver };
        let mut specs = Vec::new();
        for key in keys(item, wave) {
            let spec = self.base.workload_at(self.objects, &key, phase);
            let Some(spec) = spec else {
                let missing = ObjectRef::new("FleetWorkload", &key.0, &key.1).to_string();
                let reason = Reason::new(Code::ReferenceUnknown).object(missing.as_str()).seen(key.1.as_str());
                return Ok(Fits::No(Hitch { workload: key.1, reason }));
            };
            if wave.data.is_none() && self.keeps_volumes(&key, &spec) {
                let names = |side: &[jiuzhou_api::text::Name]| side.iter().map(ToString::to_string).collect::<Vec<_>>();
                let api::MigrationSpec { from, to, .. } = &item.object.spec;
                let reason = Reason::new(Code::DataElsewhere).seen(names(to).join(", ")).wanted(names(from));
                return Ok(Fits::No(Hitch { workload: key.1, reason }));
            }
            specs.push(spec);
        }
        Ok(match fit(self.snapshot, specs, self.as_of)? {
            Fit::Yes => Fits::Yes,
            Fit::Unknown(key, reason) => Fits::Unknown(Hitch { workload: key.name, reason }),
            Fit::No(key, reason) => Fits::No(Hitch { workload: key.name, reason }),
        })
    }

    /// Whether a workload has volumes of its own whose data is in no other place: a wave that takes no data along would
    /// leave it behind, bound or not.
    fn keeps_volumes(&self, key: &Key, spec: &Spec) -> bool {
        let data = self.objects.workloads.get(key).and_then(|item| item.object.spec.data.as_ref());
        let here = data.is_none_or(|data| data.mode == api::DataMode::Pinned);
        here && spec.quota.get(resources::STORAGE).is_some_and(|bytes| *bytes > 0)
    }

    /// A node pool of the target that is not of the CPU that an adaptation promises.
    fn wrong_platform(&self, item: &Item<api::Migration>, wave: &api::MigrationWave) -> Option<Hitch> {
        let api::MigrationSpec { type_, to, platforms, .. } = &item.object.spec;
        if *type_ == api::MigrationType::Relocation {
            return None;
        }
        let named: BTreeSet<String> = platforms.iter().map(ToString::to_string).collect();
        let domestic = || figures::domestic_families(self.objects).into_keys().collect();
        let wanted: BTreeSet<String> = if named.is_empty() { domestic() } else { named };
        let clusters = to.iter().filter_map(|name| self.snapshot.cluster(self.snapshot.slot(name)?));
        for cluster in clusters {
            for pool in &cluster.pools {
                let platform = pool.facts.platform.as_deref();
                if platform.is_some_and(|platform| wanted.contains(platform)) {
                    continue;
                }
                let reason = Reason::new(Code::PlatformNotAllowed).object(format!("{}/{}", cluster.name, pool.name));
                let reason = match platform {
                    Some(platform) => reason.seen(platform),
                    None => reason,
                };
                let workload = wave.workloads.first().map(ToString::to_string).unwrap_or_default();
                let wanted: Vec<String> = wanted.into_iter().collect();
                return Some(Hitch { workload, reason: reason.wanted(wanted) });
            }
        }
        None
    }

    /// How the workloads of a wave stand where a phase puts them.
    fn health(&self, item: &Item<api::Migration>, wave: &api::MigrationWave, phase: Phase) -> Health {
        let of = |key: Key| self.stands(item, wave, phase, &key).unwrap_or_default();
        keys(item, wave).map(of).max().unwrap_or_default()
    }

    /// How one stands; `None` while it is not decided for the phase, or was not seen since.
    fn stands(
        &self,
        item: &Item<api::Migration>,
        wave: &api::MigrationWave,
        phase: Phase,
        key: &Key,
    ) -> Option<Health> {
        let spec: &Spec = self.snapshot.spec(&WorkloadKey::new(&key.0, &key.1))?;
        let workload = self.objects.workloads.get(key)?;
        let status = workload.object.status.as_ref()?;
        if status.reason.as_deref().is_some_and(|reason| FAILURES.contains(&reason)) {
            return Some(Health::Failed);
        }
        let placement = &self.objects.placements.get(key)?.object.spec;
        if spec.changed {
            return None;
        }
        let placed: BTreeMap<&str, i32> = placement.clusters.iter().map(|one| (&*one.name, one.replicas)).collect();
        let sum = |side: &[jiuzhou_api::text::Name]| -> i64 {
            side.iter().filter_map(|name| placed.get(&**name)).map(|replicas| i64::from(*replicas)).sum()
        };
        let api::MigrationSpec { from, to, .. } = &item.object.spec;
        let (source, target) = (sum(from), sum(to));
        let all: i64 = placed.values().map(|replicas| i64::from(*replicas)).sum();
        let decided = match phase.sides() {
            Sides::Untouched => all >= spec.replicas,
            Sides::Both => source > 0 && target > 0 && source + target == all,
            Sides::Target => target == all,
            Sides::Source => source == all,
        };
        let ready = placed.iter().filter(|(_, replicas)| **replicas > 0).all(|(name, replicas)| {
            let seen = status.clusters.iter().find(|one| *one.name == **name);
            seen.and_then(|one| one.ready).is_some_and(|ready| ready >= *replicas)
        });
        let left = status.clusters.iter().any(|one| one.placed > 0 && !placed.contains_key(&*one.name));
        let whole = all >= spec.replicas && wave.workloads.iter().any(|name| **name == *key.1);
        Some(if decided && ready && !left && whole { Health::Well } else { Health::OnTheWay })
    }
}

/// The workloads of a wave.
pub fn keys<'a>(item: &'a Item<api::Migration>, wave: &'a api::MigrationWave) -> impl Iterator<Item = Key> + 'a {
    wave.workloads.iter().map(|name| (item.document.namespace.clone(), name.to_string()))
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::Finding;

    use super::*;
    use crate::{Fleet, Options, load_texts};

    const NOW: &str = "2026-11-23T04:00:00Z";

    /// The story of a migration with a piece of it replaced.
    fn story(from: &str, to: &str) -> Fleet {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/11-migration");
        let mut texts = Vec::new();
        let mut replaced = from.is_empty();
        for name in ["clusters", "images", "migration", "sites", "systems", "tenants", "workloads"] {
            let text = std::fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
            replaced |= !from.is_empty() && text.contains(from);
            texts.push((format!("{name}.yaml"), if from.is_empty() { text } else { text.replace(from, to) }));
        }
        assert!(replaced, "{from}");
        let texts: Vec<(String, &[u8])> = texts.iter().map(|(name, text)| (name.clone(), text.as_bytes())).collect();
        load_texts(&texts, &Options::at(NOW.parse().unwrap())).unwrap()
    }

    fn codes(fleet: &Fleet) -> Vec<(Code, String)> {
        fleet.findings.iter().map(|finding| (finding.reason.code, finding.pointer.clone())).collect()
    }

    #[test]
    fn a_workload_that_is_named_twice_is_told_where_nothing_comes_of_it() {
        let wave = "    - name: portal\n      workloads: [web]";
        let within =
            story(wave, "    - name: first\n      workloads: [web]\n    - name: portal\n      workloads: [web]");
        let overlaps = |fleet: &Fleet| -> Vec<(String, jiuzhou_engine::terms::Value)> {
            let of = |finding: &&Finding| finding.reason.code == Code::MigrationOverlaps;
            let told = |finding: &Finding| (finding.pointer.clone(), finding.reason.wanted.clone());
            fleet.findings.iter().filter(of).map(told).collect()
        };
        let first = "Migration/qujing-service/to-kunpeng/first";
        assert_eq!(overlaps(&within), [("/spec/waves/1/workloads/0".to_owned(), first.into())]);
        let other = "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: Migration\nmetadata: {name: again, namespace: qujing-service}\n\
            spec: {type: Relocation, from: [qujing-kunpeng], to: [qujing-x86], document: {number: 曲〔2026〕9号}, waves: [{name: back, workloads: [web]}]}\n---\n\
            # The portal first, with a dual run";
        let between = story("# The portal first, with a dual run", other);
        let again = "Migration/qujing-service/again/back";
        assert_eq!(overlaps(&between), [("/spec/waves/0/workloads/0".to_owned(), again.into())]);
        assert_eq!(overlaps(&story("", "")), []);
    }

    #[test]
    fn evidence_counts_only_of_its_attempt_and_once_another_person_has_verified_it() {
        let proofs = |from: &str, to: &str| {
            let fleet = story(from, to);
            let item = fleet.objects.migrations.values().next().unwrap();
            let course = course(&item.object.spec);
            course.waves[0].gates.iter().map(|gate| gate.proof).collect::<Vec<_>>()
        };
        assert_eq!(proofs("", ""), [Proof::Passed, Proof::Open]);
        assert_eq!(proofs("result: Passed", "result: Failed"), [Proof::Failed, Proof::Open]);
        assert_eq!(proofs("      verifiedBy: 大数据局审核岗\n", ""), [Proof::Open, Proof::Open]);
        assert_eq!(proofs("trialMinutes: 60", "trialMinutes: 60\n      attempt: 2"), [Proof::Open, Proof::Open]);
    }

    #[test]
    fn names_that_lead_nowhere_are_told_at_their_place() {
        assert_eq!(codes(&story("", "")), []);
        for (from, to, pointer) in [
            ("to: [qujing-kunpeng]", "to: [qujing-kunpen]", "/spec/to/0"),
            ("workloads: [web]", "workloads: [webb]", "/spec/waves/0/workloads/0"),
            ("platforms: [kunpeng-920]", "platforms: [kunpeng-921]", "/spec/platforms/0"),
            ("gate: functional-test", "gate: functional-tests", "/spec/evidence/0/gate"),
            ("- wave: portal", "- wave: portals", "/spec/evidence/0/wave"),
        ] {
            assert_eq!(codes(&story(from, to)), [(Code::ReferenceUnknown, pointer.to_owned())], "{to}");
        }
    }

    #[test]
    fn a_target_with_other_cpus_than_promised_is_told_before_anything_else() {
        let fits = |from: &str, to: &str| {
            let fleet = story(from, to);
            let base = Base::new(&fleet.objects, NOW.parse().unwrap(), &mut Vec::new());
            let as_of = NOW.parse().unwrap();
            let scene = Scene { objects: &fleet.objects, base: &base, snapshot: &fleet.snapshot, as_of };
            let item = fleet.objects.migrations.values().next().unwrap();
            scene.fits(item, &item.object.spec.waves[0], Sides::Target).unwrap()
        };
        assert_eq!(fits("", ""), Fits::Yes);
        assert_eq!(fits("platforms: [kunpeng-920]\n", "platforms: []\n"), Fits::Yes, "Kunpeng is domestic");
        match fits("platforms: [kunpeng-920]", "platforms: [phytium-s2500]") {
            Fits::No(hitch) => assert_eq!(hitch.reason.code, Code::PlatformNotAllowed),
            other => panic!("{other:?}"),
        }
        let without = "    - {architecture: arm64, variant: v8, needs: {level: armv8.0, maxPageSizeKib: 64, execution: Native}, provenance: Inspected}\n";
        match fits(without, "") {
            Fits::No(hitch) => {
                assert_eq!((hitch.workload.as_str(), hitch.reason.code), ("web", Code::NoManifestForPlatform));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn volumes_are_not_left_behind_by_a_wave_that_takes_no_data_along() {
        let plain =
            "        kind: Deployment\n        metadata: {name: archive, namespace: qujing-service}\n        spec:\n";
        let claims = "          volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]\n";
        let fleet = story(plain, &format!("{}{claims}", plain.replace("Deployment", "StatefulSet")));
        let as_of = NOW.parse().unwrap();
        let base = Base::new(&fleet.objects, as_of, &mut Vec::new());
        let scene = Scene { objects: &fleet.objects, base: &base, snapshot: &fleet.snapshot, as_of };
        let item = fleet.objects.migrations.values().next().unwrap();
        let wave = &item.object.spec.waves[1];
        let without = api::MigrationWave { data: None, ..wave.clone() };
        assert_eq!(scene.fits(item, wave, Sides::Target).unwrap(), Fits::Yes);
        match scene.fits(item, &without, Sides::Target).unwrap() {
            Fits::No(hitch) => assert_eq!(hitch.reason.code, Code::DataElsewhere),
            other => panic!("{other:?}"),
        }
    }
}
