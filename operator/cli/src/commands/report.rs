//! `report`: how far the systems have come to the cloud, what the machine rooms used, what bodies owe, and more.
//!
//! Nothing is counted here: intake reads, measure counts, report tells. The exit code says whether the input could be
//! used; a low figure is no failure.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use jiff::Timestamp;
use jiuzhou_engine::terms::{Finding, ObjectRef, Place, Reason};
use jiuzhou_intake::figures::{Answer, Ask, Figures};
use jiuzhou_intake::{Fleet, figures};
use jiuzhou_measure::assessment::StageRule;
use jiuzhou_measure::{Month, Period};
use jiuzhou_report::document::{Document, Meta};
use jiuzhou_report::documents::adoption::{AdoptionInput, Lookup, adoption};
use jiuzhou_report::documents::assessment::{AssessmentInput, assessment};
use jiuzhou_report::documents::energy::energy;
use jiuzhou_report::documents::sovereignty::{SovereigntyInput, sovereignty};
use jiuzhou_report::render;

use crate::args::{self, FailOn, ReportArgs, ReportKind};
use crate::commands::{load, readiness, settlement};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Makes one report.
pub(crate) fn run(args: &ReportArgs, context: &Context) -> anyhow::Result<Exit> {
    if args.kind != ReportKind::Settlement && (args.invoice.is_some() || args.deductions.is_some()) {
        bail!(Failure::PapersElsewhere);
    }
    let as_of = load::as_of(&args.input);
    let period = period(args, as_of)?;
    let mut fleet = load::fleet(&args.input, as_of, false, context)?;
    let unusable = load::fails(&fleet.findings, FailOn::Error);
    let findings = std::mem::take(&mut fleet.findings);
    let mut document = match (args.kind, &args.report) {
        (ReportKind::Readiness, None) => readiness::document(&fleet, as_of)?,
        (ReportKind::Settlement, Some(name)) => {
            settlement::document(&fleet, &asked(&fleet, args.kind, name)?, as_of, args)?
        }
        (ReportKind::Settlement, None) => {
            settlement::document(&fleet, &plain(&fleet, args.kind, period, as_of), as_of, args)?
        }
        (ReportKind::Assessment, name) => {
            let ask = match name {
                Some(name) => asked(&fleet, args.kind, name)?,
                None => plain(&fleet, args.kind, period, as_of),
            };
            assessed(&fleet, &ask, as_of, args)?
        }
        (kind, Some(name)) => document(&fleet, &asked(&fleet, kind, name)?, as_of, true)?,
        (kind, None) => document(&fleet, &plain(&fleet, kind, period, as_of), as_of, false)?,
    };
    let mut all = std::mem::take(&mut document.findings);
    all.extend(findings);
    document.take_findings(told_once(all));
    output::write(&document, &args.output, context)?;
    // Papers are input, too: a row that was left out fails as a file does.
    let unusable =
        unusable || document.findings.iter().any(|finding| settlement::OF_PAPERS.contains(&finding.reason.code));
    Ok(if unusable { Exit::Input } else { Exit::Ok })
}

/// What the input and the figures both say, once, with the weight it has for the figures.
fn told_once(mut findings: Vec<Finding>) -> Vec<Finding> {
    let key = |finding: &Finding| (finding.reason.clone(), finding.subject.clone(), finding.pointer.clone());
    let mut heaviest = BTreeMap::new();
    for finding in &findings {
        let known = heaviest.entry(key(finding)).or_insert(finding.severity);
        *known = (*known).max(finding.severity);
    }
    let mut told = BTreeSet::new();
    findings.retain(|one| heaviest.get(&key(one)) == Some(&one.severity) && told.insert(key(one)));
    findings
}

/// Both reports of a fleet, each as of the end of the month before, for `demo`.
pub(crate) fn both(fleet: &Fleet, as_of: Timestamp) -> anyhow::Result<[Document; 2]> {
    let month = Month::of(as_of).map_err(|_| Failure::AsOf)?;
    let period = Period::month(month.previous().map_err(|_| Failure::AsOf)?);
    let of = |kind| document(fleet, &plain(fleet, kind, period, as_of), as_of, false);
    Ok([of(ReportKind::Adoption)?, of(ReportKind::Energy)?])
}

/// The months reported. A month that has not ended has no figures yet: modelling its rest would be a forecast.
fn period(args: &ReportArgs, as_of: Timestamp) -> anyhow::Result<Period> {
    let now = Month::of(as_of).map_err(|_| Failure::AsOf)?;
    // --as-of names a day by its last second, and a month ends with its last day.
    let ended = |month: Month| month.end().as_second() <= as_of.as_second().saturating_add(1);
    let period = match &args.month {
        Some(text) => Period::parse(text).map_err(|_| Failure::Month(text.clone()))?,
        None if ended(now) => Period::month(now),
        None => Period::month(now.previous().map_err(|_| Failure::AsOf)?),
    };
    let open = !ended(period.last()) && args.report.is_none();
    if matches!(args.kind, ReportKind::Energy | ReportKind::Settlement) && open {
        bail!(Failure::MonthOpen { month: period.last().to_string(), as_of });
    }
    Ok(period)
}

/// What flags ask for: everything.
fn plain(fleet: &Fleet, kind: ReportKind, period: Period, as_of: Timestamp) -> Ask {
    match kind {
        ReportKind::Adoption => Ask::adoption(as_of, figures::minimum_days(&fleet.objects, as_of)),
        ReportKind::Settlement => Ask::settlement(period, as_of),
        ReportKind::Assessment => Ask::assessment(as_of, figures::minimum_days(&fleet.objects, as_of)),
        ReportKind::Sovereignty => Ask::sovereignty(as_of),
        ReportKind::Energy | ReportKind::Readiness => Ask::energy(period, as_of),
    }
}

/// What a `Report` (`NAMESPACE/NAME`) or `ClusterReport` (`NAME`) of the input asks for.
fn asked(fleet: &Fleet, kind: ReportKind, name: &str) -> anyhow::Result<Ask> {
    let missing = || Failure::ReportMissing(name.to_owned());
    let (namespace, request) = match name.split_once('/') {
        Some((namespace, name)) => {
            let item = fleet.objects.reports.get(&(namespace.to_owned(), name.to_owned())).ok_or_else(missing)?;
            (Some(namespace), &item.object.spec.report)
        }
        None => {
            let item = fleet.objects.cluster_reports.get(&(String::new(), name.to_owned())).ok_or_else(missing)?;
            (None, &item.object.spec.report)
        }
    };
    let asked = figures::ask(&fleet.objects, namespace, request);
    let ask = asked.map_err(|asked| Failure::Asked { name: name.to_owned(), asked })?;
    let same = match kind {
        ReportKind::Adoption => matches!(ask.kind, jiuzhou_api::v1alpha1::ReportType::Adoption),
        ReportKind::Energy => matches!(ask.kind, jiuzhou_api::v1alpha1::ReportType::Energy),
        ReportKind::Assessment => matches!(ask.kind, jiuzhou_api::v1alpha1::ReportType::Assessment),
        ReportKind::Settlement => matches!(ask.kind, jiuzhou_api::v1alpha1::ReportType::Settlement),
        ReportKind::Sovereignty => matches!(ask.kind, jiuzhou_api::v1alpha1::ReportType::Sovereignty),
        ReportKind::Readiness => false,
    };
    if !same {
        bail!(Failure::ReportOfOtherType { name: name.to_owned(), kind: format!("{:?}", ask.kind) });
    }
    Ok(ask)
}

fn document(fleet: &Fleet, ask: &Ask, as_of: Timestamp, named: bool) -> anyhow::Result<Document> {
    let meta = Meta::new(Some(ask.as_of(as_of)), Some(fleet.snapshot.digest()?));
    let Some(answer) = figures::answer(&fleet.into(), ask, as_of)? else {
        bail!(Failure::PeriodOpen { from: ask.from, until: ask.until, as_of });
    };
    let Answer { figures, subject, findings, entered: _ } = answer;
    let names = Names(fleet);
    let mut document = match &figures {
        Figures::Adoption(report) => {
            let comparison = figures::comparison().map(|published| (published.value, published.source.to_owned()));
            let minimum_days = ask.minimum_days;
            let input = AdoptionInput { report, minimum_days, comparison, lookup: &names };
            adoption(meta, &input, findings)
        }
        Figures::Energy(account) => energy(meta, account, &names, findings),
        Figures::Sovereignty(found) => {
            let figures::Sovereignty { now, tiers, expiring, bodies, brands, providers, refused, nearest, .. } =
                &**found;
            let (now, lookup, places) = (*now, &names, &fleet.places);
            let input =
                SovereigntyInput { now, tiers, expiring, bodies, brands, providers, refused, nearest, places, lookup };
            sovereignty(meta, &input, findings)
        }
        Figures::Assessment(_) | Figures::Settlement(_) => bail!(Failure::PapersElsewhere),
    };
    if named {
        document.subject = subject;
    }
    document.meta.content_digest = Some(render::digest(&document)?);
    Ok(document)
}

/// The assessment, with the evidence of the input.
fn assessed(fleet: &Fleet, ask: &Ask, as_of: Timestamp, args: &ReportArgs) -> anyhow::Result<Document> {
    let rule = match args.stage_rule {
        args::StageRule::Lowest => StageRule::Lowest,
        args::StageRule::Majority => StageRule::Majority,
    };
    let found = figures::assessment(&fleet.into(), ask, as_of, &fleet.studies.evidence, rule)?;
    let meta = Meta::new(Some(ask.as_of(as_of)), Some(fleet.snapshot.digest()?));
    let figures::Assessment { bodies, inputs, index, rule, subject, findings, entered: _ } = found;
    let lookup = &Names(fleet);
    let input = AssessmentInput { bodies: &bodies, inputs: &inputs, index: &index, rule, lookup };
    let mut document = assessment(meta, &input, findings);
    if args.report.is_some() {
        document.subject = subject;
    }
    document.meta.content_digest = Some(render::digest(&document)?);
    Ok(document)
}

/// Names, documents and places of the fleet's objects.
pub(super) struct Names<'a>(pub(super) &'a Fleet);

impl Lookup for Names<'_> {
    fn title(&self, object: &ObjectRef) -> Option<String> {
        figures::title(&self.0.objects, object)
    }

    fn division(&self, code: &str) -> Option<String> {
        figures::division(code).map(str::to_owned)
    }

    fn document(&self, object: &ObjectRef, reason: &Reason) -> Option<String> {
        figures::document(&self.0.objects, object, reason.code)
    }

    fn place(&self, object: &ObjectRef) -> Option<Place> {
        self.0.places.get(object).cloned()
    }
}
