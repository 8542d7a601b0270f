//! `simulate`: lets days go by. Files and dated changes say what the fleet is each morning, the study room lets happen what
//! happens, and every placement is the engine's.
//!
//! The present is planned as of the second before the first day, so a simulation begins where `plan` ends.

mod asked;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use jiuzhou_api::study::{Simulation as Described, SimulationSpec};
use jiuzhou_engine::terms::{Finding, Severity};
use jiuzhou_intake::objects::Item;
use jiuzhou_intake::schema::nearest;
use jiuzhou_intake::studies::Morning;
use jiuzhou_intake::{Fleet, Options, beijing};
use jiuzhou_report::document::Meta;
use jiuzhou_report::documents::simulate as told;
use jiuzhou_study::simulate::{self, DAY, Simulation, Stage, Traits};

use crate::args::{FailOn, SimulateArgs};
use crate::commands::saved::{Saved, threads};
use crate::commands::{load, plan};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Near};
use crate::{output, progress};

/// Days where nobody says how many.
const DAYS: u32 = 30;
/// Seed where nobody gives one.
const SEED: u64 = 1;

/// Runs a simulation.
pub(crate) fn run(args: &SimulateArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of = load::as_of(&args.input);
    let (mut fleet, input) = load::read_and_keep(&load::inputs(&args.input, false), as_of, args.strict, context)?;
    let item = described(args, &fleet)?.cloned();
    let spec = item.as_ref().map(|item| item.object.spec.clone()).unwrap_or_default();
    let start = start(args, &spec, as_of)?;
    let before = start.checked_sub(SignedDuration::from_secs(1)).map_err(|_| Failure::AsOf)?;
    let options = Options { strict: args.strict, ..Options::at(before) };
    if before != as_of {
        fleet = input.clone().build(&options)?;
    }
    let days = args.days.or(spec.days.and_then(|days| u32::try_from(days).ok())).unwrap_or(DAYS);
    let seed = args.seed.or(spec.seed.and_then(|seed| u64::try_from(seed).ok())).unwrap_or(SEED);

    let stated = args.against.as_deref();
    let stated = stated.map(|path| plan::present(path, &args.input, before, args.strict, context)).transpose()?;
    let today = Saved::decide(plan::input(&fleet, stated.as_ref().map(|state| state.specs.as_slice()), before))?;
    let mut present = today.input.fleet.specs.clone();
    present.retain(|spec| !today.plan.removed.contains(&spec.key));
    let present = plan::running(present, &today.plan.decisions);

    let document = item.as_ref().map(|item| &*item.document);
    let mut ahead = input.days(start, days, &spec.changes, document, &options)?;
    let adoption: Vec<_> = ahead.mornings.iter().map(|morning| morning.adoption).collect();
    let utilisation = ahead.mornings.first().map(|morning| morning.rates.utilisation).unwrap_or_default();
    let mut stages: Vec<Stage> = (0_i64..).zip(ahead.mornings).map(|(day, morning)| stage(day, morning)).collect();
    if let Some(first) = stages.first_mut() {
        first.specs = Some(present);
    }
    let mut wrong = Vec::new();
    let simulation = asked::simulation(
        &asked::Asked { spec: &spec, document, start, days, seed, threads: threads() },
        stages,
        &mut wrong,
    );
    wrong.append(&mut ahead.findings);
    let outcome = simulated(&simulation, context)?;

    let unusable = load::fails(&fleet.findings, FailOn::Error) || load::fails(&wrong, FailOn::Error);
    let findings = findings(&fleet, wrong);
    let input = told::SimulateInput {
        name: document.map(|document| document.name.clone()).unwrap_or_default(),
        first: beijing::day(start),
        simulation: &simulation,
        outcome: &outcome,
        adoption: &adoption,
        expiring: &ahead.expiring,
        changes: spec.changes.len(),
        utilisation,
        places: &fleet.places,
    };
    let meta = Meta::new(Some(before), Some(today.input_digest));
    output::write(&told::simulate(meta, &input, findings), &args.output, context)?;
    Ok(if unusable { Exit::Input } else { Exit::Ok })
}

fn simulated(simulation: &Simulation, context: &Context) -> anyhow::Result<simulate::Outcome> {
    let passed = Arc::new(AtomicU32::new(0));
    let _shown = progress::days(&passed, simulation.days, context);
    let outcome = simulate::simulate(simulation, &mut |day| passed.store(day, Ordering::Relaxed))?;
    tracing::info!(turns = outcome.turns, decisions = outcome.decisions, "simulated");
    Ok(outcome)
}

/// The simulation that is asked for; the input's only one where none is named.
fn described<'a>(args: &SimulateArgs, fleet: &'a Fleet) -> anyhow::Result<Option<&'a Item<Described>>> {
    let all = &fleet.studies.simulations;
    let names = || all.values().map(|item| item.document.name.clone()).collect::<Vec<_>>();
    let Some(name) = &args.simulation else {
        if all.len() > 1 {
            bail!(Failure::ManySimulations { names: names() });
        }
        return Ok(all.values().next());
    };
    let found = all.values().find(|item| item.document.name == *name);
    if found.is_none() {
        let names = names();
        let near = match nearest(name, names.iter().map(String::as_str)).into_iter().next() {
            Some(near) => Near::One(near),
            None if names.is_empty() => Near::Empty,
            None => Near::Some(names, false),
        };
        bail!(Failure::NoSimulation { text: name.clone(), near });
    }
    Ok(found)
}

/// The first midnight in Beijing: after `--as-of`, else of the day the simulation names, else the next.
fn start(args: &SimulateArgs, spec: &SimulationSpec, as_of: Timestamp) -> anyhow::Result<Timestamp> {
    let stated = spec.start.as_deref().filter(|_| args.input.as_of.is_none());
    if let Some(start) = stated.and_then(beijing::start) {
        return Ok(start);
    }
    let day = beijing::day(as_of);
    let begins = beijing::start(&day.to_string()).filter(|begins| *begins == as_of);
    let next = begins.or_else(|| beijing::end(&day.to_string()));
    Ok(next.ok_or(Failure::AsOf)?)
}

fn stage(day: i64, morning: Morning) -> Stage {
    let Morning { at: _, fleet, specs, traits, lost, rates, adoption: _ } = morning;
    let traits = traits.into_iter().map(|(key, (continuity, fenced))| (key, Traits { continuity, fenced }));
    Stage {
        at: day * DAY,
        fleet,
        specs,
        traits: traits.collect(),
        lost,
        rates: rates.clusters,
        utilisation: rates.utilisation,
    }
}

/// What is wrong with the files and with the simulation, each once.
fn findings(fleet: &Fleet, wrong: Vec<Finding>) -> Vec<Finding> {
    let mut all: Vec<Finding> = fleet.findings.iter().filter(|one| one.severity > Severity::Info).cloned().collect();
    for one in wrong.into_iter().filter(|one| one.severity > Severity::Info) {
        let same = |known: &Finding| {
            (known.reason.code, &known.reason.object, &known.subject, &known.pointer)
                == (one.reason.code, &one.reason.object, &one.subject, &one.pointer)
        };
        if !all.iter().any(same) {
            all.push(one);
        }
    }
    all
}
