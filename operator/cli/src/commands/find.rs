//! `find`: which systems run an image, contain a package, or are touched by a vulnerability; and what nobody looked into.

use std::io;

use anyhow::bail;
use jiuzhou_intake::sboms;
use jiuzhou_intake::search::{Hit, Query, search};
use jiuzhou_report::document::Meta;
use jiuzhou_report::documents::find::{FoundRow, find};

use crate::args::{FailOn, FindArgs};
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Finds.
pub(crate) fn run(args: &FindArgs, context: &Context) -> anyhow::Result<Exit> {
    let (query, subject) = match (&args.image, &args.package, &args.cve) {
        (Some(text), _, _) => (Query::Image(text.clone()), text),
        (_, Some(text), _) => (Query::Package(text.clone()), text),
        (_, _, Some(text)) => (Query::Vulnerability(text.clone()), text),
        (None, None, None) => bail!("--image, --package or --cve must say what to find"),
    };
    let as_of = load::as_of(&args.input);
    let mut fleet = load::fleet(&args.input, as_of, false, context)?;
    let files: Vec<String> = args.sbom.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let (sboms, mut findings) = sboms::read(&files, &mut io::stdin().lock());
    let found = search(&fleet, &sboms, &query);
    // What is wrong with the fleet in other ways is the business of `validate`.
    findings
        .extend(fleet.findings.drain(..).filter(|finding| finding.severity == jiuzhou_engine::terms::Severity::Error));
    let unusable = load::fails(&findings, FailOn::Error);
    let meta = Meta::new(Some(as_of), Some(fleet.snapshot.digest()?));
    let rows = |hits: Vec<Hit>| hits.into_iter().map(row).collect::<Vec<_>>();
    let document = find(meta, subject, &rows(found.hits), &rows(found.unseen), found.images, findings);
    output::write(&document, &args.output, context)?;
    Ok(if unusable { Exit::Input } else { Exit::Ok })
}

fn row(hit: Hit) -> FoundRow {
    let Hit { tenant, system, workload, image, matched, clusters, zones, contact } = hit;
    FoundRow { tenant, system, workload, image, matched, clusters, zones, contact }
}
