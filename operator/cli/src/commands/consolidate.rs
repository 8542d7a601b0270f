//! `consolidate`: which clusters and nodes could be emptied within the rules, and what that would save.

use anyhow::bail;
use jiuzhou_intake::{figures, schema};
use jiuzhou_report::document::Meta;
use jiuzhou_report::documents::consolidate as told;
use jiuzhou_study::consolidate::{self, Asked};

use crate::args::{ConsolidateArgs, FailOn};
use crate::commands::saved::Saved;
use crate::commands::{load, plan};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Near};
use crate::output;

/// Asks the engine what it could do without.
pub(crate) fn run(args: &ConsolidateArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of = load::as_of(&args.input);
    let fleet = load::fleet(&args.input, as_of, args.strict, context)?;
    let names: Vec<&str> = fleet.converted.fleet.clusters.iter().map(|one| one.name.as_str()).collect();
    if let Some(unknown) = args.cluster.iter().find(|name| !names.contains(&name.as_str())) {
        let near = schema::nearest(unknown, names.iter().copied());
        let near = match near.into_iter().next() {
            Some(near) => Near::One(near),
            None if names.is_empty() => Near::Empty,
            None => Near::Some(names.iter().take(8).map(|name| (*name).to_owned()).collect(), names.len() > 8),
        };
        bail!(Failure::NoCluster { text: unknown.clone(), near });
    }
    let stated = args.against.as_deref();
    let stated = stated.map(|path| plan::present(path, &args.input, as_of, args.strict, context)).transpose()?;
    let input = plan::input(&fleet, stated.as_ref().map(|state| state.specs.as_slice()), as_of);
    let today = Saved::decide(input)?;
    let mut present = today.input.fleet.clone();
    present.specs.retain(|spec| !today.plan.removed.contains(&spec.key));
    present.specs = plan::running(present.specs, &today.plan.decisions);
    let rates = figures::rates(&fleet, as_of);
    let found = consolidate::consolidate(&Asked {
        fleet: &present,
        only: &args.cluster,
        as_of,
        rates: &rates.clusters,
        hours: rates.hours,
    })?;
    let unusable = load::fails(&fleet.findings, FailOn::Error);
    let findings = fleet.findings.iter().filter(|one| one.severity > jiuzhou_engine::terms::Severity::Info);
    let meta = Meta::new(Some(as_of), Some(today.input_digest));
    let document = told::consolidate(meta, &found, findings.cloned().collect());
    output::write(&document, &args.output, context)?;
    Ok(if unusable { Exit::Input } else { Exit::Ok })
}
