//! `plan`: decide everything, show it, compare it with a state, save it, fail a gate.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1::FleetPlacementSpec;
use jiuzhou_engine::decide::{self, Changes, Current, Decision, PlanInput, Spec, Status, WorkloadKey};
use jiuzhou_engine::terms::{Area, Code, Finding, ObjectRef, Place, Severity};
use jiuzhou_intake::{Fleet, placements};
use jiuzhou_report::document::{Document, Meta};
use jiuzhou_report::documents::plan as told;

use crate::args::{FailOn, Input, PlanArgs};
use crate::commands::saved::{Saved, threads};
use crate::commands::{explain, load};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{output, talk};

/// Plans what it reads.
pub(crate) fn run(args: &PlanArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of = load::as_of(&args.input);
    let fleet = load::fleet(&args.input, as_of, args.gate.strict, context)?;
    let against =
        args.against.as_deref().map(|path| present(path, &args.input, as_of, args.gate.strict, context)).transpose()?;
    let mut committed = placements::committed(&fleet.objects);
    let mut findings = fleet.findings.clone();
    let against = against.map(|state| {
        findings.extend(state.findings.into_iter().filter(|one| !fleet.findings.contains(one)));
        committed = state.committed;
        state.specs
    });
    let mut input = input(&fleet, against.as_deref(), as_of);
    for name in &args.rebalance {
        input.changes.rebalance.insert(explain::find(name, &fleet, context)?);
    }
    let saved = Saved::decide(input)?;
    if let Some(file) = &args.save {
        output::replace(file, &saved.bytes()?)?;
    }
    if let Some(file) = &args.placements {
        output::replace(file, written(&saved, &committed)?.as_bytes())?;
    }
    findings.extend(held(&saved, &fleet.places)?);
    let exit = exit(args, &saved, &findings);
    let document = document(&saved, against.is_some(), findings, &fleet.places)?;
    output::write(&document, &args.output, context)?;
    if args.output.outputs.is_empty() {
        next_step(&saved, args, context);
    }
    Ok(exit)
}

/// The plan as a report.
pub(crate) fn document(
    saved: &Saved,
    against: bool,
    findings: Vec<Finding>,
    places: &BTreeMap<ObjectRef, Place>,
) -> anyhow::Result<Document> {
    let nearest = nearest(saved)?;
    let specs = &saved.input.fleet.specs;
    let shown = told::PlanInput { plan: &saved.plan, specs, nearest: &nearest, against, places };
    Ok(told::plan(Meta::new(Some(saved.plan.as_of), Some(saved.input_digest)), &shown, findings))
}

/// What an operator would not carry out yet because a change freeze holds.
fn held(saved: &Saved, places: &BTreeMap<ObjectRef, Place>) -> anyhow::Result<Vec<Finding>> {
    let fleet = &saved.input.fleet;
    if fleet.freezes.iter().all(|freeze| !freeze.term.holds(saved.plan.as_of)) {
        return Ok(Vec::new());
    }
    let snapshot = decide::Snapshot::new(fleet.clone())?;
    let mut findings = Vec::new();
    for decision in &saved.plan.decisions {
        let Some(spec) = snapshot.decided_on(&decision.key) else { continue };
        let mut spec = (**spec).clone();
        spec.rebalance |= saved.input.changes.rebalance.contains(&decision.key);
        let Some(reason) = decide::held_by_freeze(&snapshot, &spec, decision) else { continue };
        let object = ObjectRef::new("FleetWorkload", &decision.key.namespace, &decision.key.name);
        let finding = Finding::new(reason);
        let finding = match places.get(&object) {
            Some(place) => finding.at(place.clone()),
            None => finding,
        };
        findings.push(finding.on(object));
    }
    Ok(findings)
}

/// The FleetPlacements that stand once a plan is committed, in one epoch more than those before it.
fn written(saved: &Saved, before: &Committed) -> anyhow::Result<String> {
    let epoch = before.values().map(|placement| placement.epoch).max().unwrap_or(0).saturating_add(1);
    let fleet = &saved.input.fleet;
    let mut text = String::new();
    for (key, spec) in placements::after(&saved.plan, &fleet.specs, before, epoch, fleet.data)? {
        text.push_str("---\n");
        text.push_str(&load::yaml(&serde_json::to_value(placements::object(&key, spec))?)?);
    }
    Ok(text)
}

/// What the engine is asked: the fleet, with what runs taken from the state where one is given.
pub(crate) fn input(fleet: &Fleet, against: Option<&[Spec]>, as_of: Timestamp) -> PlanInput {
    let mut inputs = fleet.converted.fleet.clone();
    let mut changes = Changes { all: true, ..Changes::default() };
    if let Some(present) = against {
        let mut present: BTreeMap<&WorkloadKey, &Spec> = present.iter().map(|spec| (&spec.key, spec)).collect();
        inputs.specs.retain(|spec| !spec.reserved || !present.contains_key(&spec.key));
        for spec in &mut inputs.specs {
            if let Some(before) = present.remove(&spec.key) {
                spec.current.clone_from(&before.current);
                spec.admitted = before.admitted;
                // Where an intent cannot be digested, look again.
                spec.changed = spec.intent().ok().is_none_or(|now| before.intent().ok() != Some(now));
            }
        }
        for (key, gone) in present {
            if !gone.current.is_empty() {
                inputs.specs.push(gone.clone());
                if !gone.reserved {
                    changes.removed.insert(key.clone());
                }
            }
        }
    }
    PlanInput { fleet: inputs, changes, as_of }
}

/// What runs before a plan.
pub(crate) struct State {
    /// The workloads with what runs of them.
    pub(crate) specs: Vec<Spec>,
    /// What is wrong with the files of the state.
    pub(crate) findings: Vec<Finding>,
    /// Its placements; none for a saved plan and for files that are planned first.
    pub(crate) committed: Committed,
}

/// Placements by workload.
type Committed = BTreeMap<WorkloadKey, FleetPlacementSpec>;

/// The workloads of a state with what runs: a saved plan, files with FleetPlacements, or files that are planned first.
/// FleetPlacements alone, as `kubectl get fleetplacements -A -o yaml` exports them, are about the workloads of the input.
pub(crate) fn present(
    path: &Path,
    input_of: &Input,
    as_of: Timestamp,
    strict: bool,
    context: &Context,
) -> anyhow::Result<State> {
    if let Some(saved) = Saved::read(path)? {
        let specs = running(saved.input.fleet.specs, &saved.plan.decisions);
        return Ok(State { specs, findings: Vec::new(), committed: Committed::new() });
    }
    let mut inputs = vec![path.to_string_lossy().into_owned()];
    let mut fleet = load::read(&inputs, as_of, strict, context)?;
    if fleet.objects.workloads.is_empty() && !fleet.objects.placements.is_empty() {
        inputs.extend(load::inputs(input_of, false));
        if inputs.iter().any(|input| input == "-") {
            anyhow::bail!(Failure::StateNeedsFile(path.display().to_string()));
        }
        fleet = load::read(&inputs, as_of, strict, context)?;
    }
    let of_state = |finding: &&Finding| {
        let own = finding.place.as_ref().is_some_and(|place| Path::new(&place.file).starts_with(path));
        own && finding.severity == Severity::Error
    };
    let findings: Vec<Finding> = fleet.findings.iter().filter(of_state).cloned().collect();
    let unusable = fleet.findings.iter().find(|finding| finding.severity == Severity::Error);
    if let Some(finding) = unusable.filter(|_| fleet.converted.fleet.specs.is_empty()) {
        anyhow::bail!(Failure::State { path: path.display().to_string(), finding: Box::new(finding.clone()) });
    }
    if !fleet.objects.placements.is_empty() {
        let committed = placements::committed(&fleet.objects);
        return Ok(State { specs: fleet.converted.fleet.specs, findings, committed });
    }
    let before = Saved::decide(input(&fleet, None, as_of))?;
    let specs = running(before.input.fleet.specs, &before.plan.decisions);
    Ok(State { specs, findings, committed: Committed::new() })
}

/// Workloads that run as they were decided.
pub(crate) fn running(mut specs: Vec<Spec>, decisions: &[Decision]) -> Vec<Spec> {
    let decided: BTreeMap<&WorkloadKey, &Decision> =
        decisions.iter().map(|decision| (&decision.key, decision)).collect();
    for spec in &mut specs {
        let Some(decision) = decided.get(&spec.key) else { continue };
        let target = |target: &decide::Target| Current {
            cluster: target.cluster.clone(),
            placed: target.replicas,
            observed: target.replicas,
        };
        spec.current = decision.targets.iter().filter(|target| target.replicas > 0).map(target).collect();
        spec.admitted = decision.sequence;
        spec.changed = false;
    }
    specs
}

/// For each workload without a place, the cluster that comes nearest and what would have to change there.
pub(crate) fn nearest(saved: &Saved) -> anyhow::Result<BTreeMap<WorkloadKey, (String, Vec<decide::Change>)>> {
    let without = saved.plan.decisions.iter().filter(|decision| decision.status != Status::Placed);
    let keys = without.map(|decision| decision.key.clone()).collect();
    let snapshot = decide::Snapshot::new(saved.input.fleet.clone())?;
    let (changes, as_of) = (&saved.input.changes, saved.input.as_of);
    let explained = decide::explain_all_on(&snapshot, changes, &keys, as_of, threads())?;
    let mut nearest = BTreeMap::new();
    for (key, explanation) in explained {
        let refused = explanation.clusters.iter().filter(|cluster| !cluster.changes.is_empty());
        if let Some(best) = refused.min_by_key(|cluster| (cluster.cost, &cluster.cluster)) {
            nearest.insert(key, (best.cluster.clone(), best.changes.clone()));
        }
    }
    Ok(nearest)
}

fn exit(args: &PlanArgs, saved: &Saved, findings: &[Finding]) -> Exit {
    let input: Vec<_> = findings.iter().filter(|finding| finding.reason.code.area() == Area::Intake).cloned().collect();
    let decisions = &saved.plan.decisions;
    if input.iter().any(|finding| finding.severity == Severity::Error) && args.gate.fail_on != FailOn::Never {
        return Exit::Input;
    }
    // What a person's order stops is as it was ordered: it keeps no change from being made.
    let stopped = |decision: &Decision| decision.limits.iter().any(|limit| limit.code == Code::StoppedByOrder);
    let blocks = |decision: &Decision| decision.status != Status::Placed || !decision.violations.is_empty();
    let blocked = decisions.iter().any(|decision| blocks(decision) && !stopped(decision));
    if (blocked && args.gate.fail_on != FailOn::Never) || load::fails(findings, args.gate.fail_on) {
        return Exit::Findings;
    }
    if args.require_match && decisions.is_empty() {
        return Exit::Findings;
    }
    let changes = !saved.plan.removed.is_empty() || decisions.iter().any(|decision| !decision.moves.is_empty());
    if args.detailed_exitcode && changes { Exit::Changes } else { Exit::Ok }
}

/// On a terminal, what to look at next.
fn next_step(saved: &Saved, args: &PlanArgs, context: &Context) {
    if !talk::reads() {
        return;
    }
    let Some(refused) = saved.plan.decisions.iter().find(|decision| decision.status != Status::Placed) else { return };
    let paths = load::inputs(&args.input, false).join(" ");
    context.hint(&format!("\n→ jiuzhou explain {} -f {paths}", refused.key));
}

/// Reads a fleet and the plan of it, for commands that need one.
pub(crate) fn decide_all(fleet: &Fleet, as_of: Timestamp) -> anyhow::Result<Saved> {
    Saved::decide(input(fleet, None, as_of))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn story(folder: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(folder)
    }

    #[test]
    fn a_state_of_placements_alone_is_about_the_workloads_of_the_input() {
        let as_of = load::parse_as_of("2026-11-23").expect("a day");
        let input_of = |path: PathBuf| Input { paths: vec![path], filenames: Vec::new(), as_of: Some(as_of) };
        let read = input_of(story("08-evidence-runs-out/fleet"));
        let context = Context::silent(jiuzhou_report::words::Lang::En);
        let state = present(&story("08-evidence-runs-out/state"), &read, as_of, false, &context).expect("a state");
        assert_eq!(state.findings, []);
        let running: Vec<_> = state.specs.iter().filter(|spec| !spec.current.is_empty()).collect();
        let clusters: Vec<_> = running[0].current.iter().map(|at| (at.cluster.as_str(), at.placed)).collect();
        assert_eq!((running.len(), clusters), (1, vec![("city-a", 4), ("city-b", 4)]));

        let once = input_of(PathBuf::from("-"));
        let error = present(&story("08-evidence-runs-out/state"), &once, as_of, false, &context)
            .err()
            .expect("no second reading");
        assert!(error.to_string().contains("standard input"), "{error}");
    }
}
