//! `explain`: one workload, every cluster, every rule, and what one change would be enough.

use anyhow::bail;
use jiuzhou_engine::decide::{self, WorkloadKey};
use jiuzhou_intake::Fleet;
use jiuzhou_report::document::Meta;
use jiuzhou_report::documents::explain::{Detail, explain};

use crate::args::ExplainArgs;
use crate::commands::{load, plan};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Near};
use crate::output;

/// So many names are listed where none is like the one that was asked for.
const LISTED: usize = 8;

/// Explains one workload of what it reads.
pub(crate) fn run(args: &ExplainArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of = load::as_of(&args.input);
    let fleet = load::fleet(&args.input, as_of, args.strict, context)?;
    let wanted = match &args.namespace {
        Some(namespace) => format!("{namespace}/{}", args.workload),
        None => args.workload.clone(),
    };
    let key = find(&wanted, &fleet, context)?;
    let against = args
        .against
        .as_deref()
        .map(|path| plan::present(path, &args.input, as_of, args.strict, context))
        .transpose()?;
    let against = against.map(|state| state.specs);
    let input = plan::input(&fleet, against.as_deref(), as_of);
    let snapshot = decide::Snapshot::new(input.fleet)?;
    let Some(mut explanation) = decide::explain(&snapshot, &input.changes, &key, as_of)? else {
        bail!(Failure::Undecided(key));
    };
    if let Some(wanted) = &args.cluster {
        explanation.clusters.retain(|cluster| cluster.cluster == *wanted);
        explanation.one_change.retain(|(cluster, _)| cluster == wanted);
        if explanation.clusters.is_empty() {
            bail!(Failure::NoCluster { text: wanted.clone(), near: near(wanted, &clusters(&fleet)) });
        }
    }
    let about = |finding: &&jiuzhou_engine::terms::Finding| {
        finding.subject.as_ref().is_some_and(|on| on.namespace == key.namespace && on.name == key.name)
    };
    let findings = fleet.findings.iter().filter(about).cloned().collect();
    let detail = Detail { passes: args.cluster.is_some() || args.all };
    let document = explain(Meta::new(Some(as_of), Some(snapshot.digest()?)), &explanation, detail, findings);
    output::write(&document, &args.output, context)?;
    Ok(Exit::Ok)
}

fn clusters(fleet: &Fleet) -> Vec<String> {
    fleet.converted.fleet.clusters.iter().map(|cluster| cluster.name.clone()).collect()
}

/// The workload somebody means by `NAMESPACE/NAME`, or by a name that is the only one of its kind.
pub(crate) fn find(text: &str, fleet: &Fleet, context: &Context) -> anyhow::Result<WorkloadKey> {
    let all: Vec<&WorkloadKey> =
        fleet.converted.fleet.specs.iter().filter(|spec| !spec.reserved).map(|spec| &spec.key).collect();
    let found: Vec<&WorkloadKey> = match text.split_once('/') {
        Some((namespace, name)) => {
            all.iter().copied().filter(|key| key.namespace == namespace && key.name == name).collect()
        }
        None => all.iter().copied().filter(|key| key.name == text).collect(),
    };
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            load::tell(&fleet.findings, context);
            let all: Vec<_> = all.iter().map(ToString::to_string).collect();
            bail!(Failure::NoWorkload { text: text.to_owned(), near: near(text, &all) })
        }
        several => {
            let names: Vec<_> = several.iter().map(ToString::to_string).collect();
            bail!(Failure::ManyWorkloads { text: text.to_owned(), names })
        }
    }
}

fn near(text: &str, names: &[String]) -> Near {
    let shorts: Vec<&str> = names.iter().map(|name| name.rsplit('/').next().unwrap_or_default()).collect();
    let mut near = jiuzhou_intake::schema::nearest(text, names.iter().map(String::as_str));
    near.extend(jiuzhou_intake::schema::nearest(text, shorts));
    match near.first() {
        Some(near) => Near::One((*near).to_owned()),
        None if names.is_empty() => Near::Empty,
        None => Near::Some(names.iter().take(LISTED).cloned().collect(), names.len() > LISTED),
    }
}
