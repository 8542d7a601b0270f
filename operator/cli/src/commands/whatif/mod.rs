//! `whatif`: what would follow from changes that are only supposed.
//!
//! The present is planned with what runs; the changes are made to the files in memory; the result is planned from where
//! the present plan leads. What differs is compared by the study room. Nothing is written.

mod supposed;

use std::collections::BTreeSet;

use anyhow::bail;
use jiuzhou_engine::terms::{Finding, Severity};
use jiuzhou_intake::studies::{Placed, placed};
use jiuzhou_intake::{Fleet, Options, figures};
use jiuzhou_report::document::Meta;
use jiuzhou_report::documents::whatif as told;
use jiuzhou_study::compare::{self, Comparison, Scale, Side};

use crate::args::{FollowOn, WhatifArgs};
use crate::commands::saved::Saved;
use crate::commands::{load, plan};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Compares the present with what is supposed.
pub(crate) fn run(args: &WhatifArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of = load::as_of(&args.input);
    let inputs = load::inputs(&args.input, false);
    let flags = supposed::flags(args)?;
    let (fleet, input) = load::read_and_keep(&inputs, as_of, args.strict, context)?;
    let scenario = supposed::scenario(args, &fleet, !flags.is_empty())?;
    let Some(line) = supposed::command_line() else { bail!(Failure::NothingSupposed) };
    let mut changes: Vec<Placed<'_>> = Vec::new();
    if let Some(item) = scenario {
        changes.extend(placed(&item.object.spec.changes, &item.document, "/spec/changes"));
    }
    changes.extend(placed(&flags, &line, ""));
    let day = scenario.and_then(|item| item.object.spec.as_of.as_deref()).map(load::parse_as_of).transpose()?;
    let then = args.on.or(day).unwrap_or(as_of);

    let stated = args.against.as_deref();
    let stated = stated.map(|path| plan::present(path, &args.input, as_of, args.strict, context)).transpose()?;
    let today = Saved::decide(plan::input(&fleet, stated.as_ref().map(|state| state.specs.as_slice()), as_of))?;
    // What is supposed starts from where the present plan leads, so that only what follows from the changes differs.
    let present = plan::running(today.input.fleet.specs.clone(), &today.plan.decisions);
    let mut wrong = Vec::new();
    let (input, effects) = input.supposing(&changes, then, &mut wrong);
    let other = input.build(&Options { strict: args.strict, ..Options::at(then) })?;
    let mut asked = plan::input(&other, Some(&present), then);
    effects.tell(&mut asked.fleet.specs);
    let supposed = Saved::decide(asked)?;

    let (before, after) = (figures::rates(&fleet, as_of), figures::rates(&other, then));
    let scale = Scale { utilisation: before.utilisation, hours: before.hours };
    let (old, new) = (side(&today, &before), side(&supposed, &after));
    let mut comparison = compare::compare(&old, &new, scale)?;
    comparison.tell_lost(&effects.lost);
    let errors: Vec<Finding> = fleet.findings.iter().filter(|one| one.severity == Severity::Error).cloned().collect();
    let unusable = !errors.is_empty() || wrong.iter().any(|one| one.severity == Severity::Error);
    let mut findings = new_findings(&fleet, other.findings, wrong);
    let exit = exit(args, &comparison, &findings, unusable);
    // Errors of the present files are told, too: what a plan leaves out because of them is left out on both sides.
    findings.extend(errors);
    let name = scenario.map(|item| item.document.name.clone()).unwrap_or_default();
    let changes: Vec<told::Supposed> = changes.iter().map(|placed| supposition(placed)).collect();
    let places = &other.places;
    let meta = Meta::new(Some(as_of), Some(today.input_digest));
    let told = told::WhatifInput {
        name,
        on: (then != as_of).then_some(then),
        changes,
        hours: scale.hours,
        comparison: &comparison,
        places,
    };
    output::write(&told::whatif(meta, &told, findings), &args.output, context)?;
    Ok(exit)
}

fn side<'a>(saved: &'a Saved, rates: &'a figures::Rates) -> Side<'a> {
    Side { plan: &saved.plan, specs: &saved.input.fleet.specs, rates: &rates.clusters }
}

/// Findings that the supposed files have and the present ones have not, and what is wrong with the changes.
fn new_findings(fleet: &Fleet, findings: Vec<Finding>, mut wrong: Vec<Finding>) -> Vec<Finding> {
    let known: BTreeSet<_> =
        fleet.findings.iter().map(|one| (one.reason.code, &one.reason.object, &one.subject, &one.pointer)).collect();
    let new = findings.into_iter().filter(|one| {
        one.severity > Severity::Info
            && !known.contains(&(one.reason.code, &one.reason.object, &one.subject, &one.pointer))
    });
    wrong.extend(new);
    wrong
}

fn exit(args: &WhatifArgs, comparison: &Comparison, new: &[Finding], unusable: bool) -> Exit {
    let asked = |what: FollowOn| args.fail_when.contains(&what);
    if asked(FollowOn::Never) {
        return Exit::Ok;
    }
    // A change that names what is not there has not been made: its result says nothing.
    if unusable {
        return Exit::Input;
    }
    let follows = (asked(FollowOn::Move) && comparison.moved() > 0)
        || (asked(FollowOn::Violation) && comparison.violating() > 0)
        || (asked(FollowOn::Unplaced) && comparison.unplaced() > 0)
        || (asked(FollowOn::Error) && new.iter().any(|one| one.severity == Severity::Error));
    if follows { Exit::Findings } else { Exit::Ok }
}

fn supposition(placed: &Placed<'_>) -> told::Supposed {
    let (verb, object) = supposed::told(placed.change);
    let place = placed.document.place(&placed.pointer);
    told::Supposed { verb: verb.to_owned(), object, place: (!place.text.is_empty()).then_some(place) }
}
