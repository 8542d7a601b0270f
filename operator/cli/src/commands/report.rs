//! `report`: how far the systems have come to the cloud, and what the machine rooms used.
//!
//! Nothing is counted here: intake reads, measure counts, report tells. The exit code says whether the input could be
//! used; a low figure is no failure.

use anyhow::bail;
use jiff::Timestamp;
use jiuzhou_engine::terms::{ObjectRef, Place, Reason};
use jiuzhou_intake::{Fleet, figures};
use jiuzhou_measure::adoption::{FigureId, Settings};
use jiuzhou_measure::{LeftOut, Month, Period};
use jiuzhou_report::document::{Document, Meta};
use jiuzhou_report::documents::adoption::{AdoptionInput, Lookup, adoption};
use jiuzhou_report::documents::energy::energy;

use crate::args::{FailOn, ReportArgs, ReportKind};
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Makes one report.
pub(crate) fn run(args: &ReportArgs, context: &Context) -> anyhow::Result<Exit> {
    let (month, as_of) = moment(args)?;
    let mut fleet = load::fleet(&args.input, as_of, false, context)?;
    let unusable = load::fails(&fleet.findings, FailOn::Error);
    let findings = std::mem::take(&mut fleet.findings);
    let meta = Meta::new(Some(as_of), Some(fleet.snapshot.digest()?));
    let mut document = match args.kind {
        ReportKind::Adoption => about_adoption(&fleet, as_of, meta)?,
        ReportKind::Energy => about_energy(&fleet, month, as_of, meta)?,
    };
    let mut all = std::mem::take(&mut document.findings);
    all.extend(findings);
    document.take_findings(all);
    document.findings.dedup();
    output::write(&document, &args.output, context)?;
    Ok(if unusable { Exit::Input } else { Exit::Ok })
}

/// Both reports of a fleet, each as of the end of the month before, for `demo`.
pub(crate) fn both(fleet: &Fleet, as_of: Timestamp) -> anyhow::Result<[Document; 2]> {
    let meta = Meta::new(Some(as_of), Some(fleet.snapshot.digest()?));
    let month = Month::of(as_of).map_err(|_| Failure::AsOf)?;
    Ok([
        about_adoption(fleet, as_of, meta.clone())?,
        about_energy(fleet, month.previous().map_err(|_| Failure::AsOf)?, as_of, meta)?,
    ])
}

/// The month reported and the moment it is looked at from. A month that has not ended has no figures yet: modelling its
/// rest would be a forecast.
fn moment(args: &ReportArgs) -> anyhow::Result<(Month, Timestamp)> {
    let as_of = load::as_of(&args.input);
    let now = Month::of(as_of).map_err(|_| Failure::AsOf)?;
    // --as-of names a day by its last second, and a month ends with its last day.
    let ended = |month: Month| month.end().as_second() <= as_of.as_second().saturating_add(1);
    let month = match &args.month {
        Some(text) => Month::parse(text).map_err(|_| Failure::Month(text.clone()))?,
        None if ended(now) => now,
        None => now.previous().map_err(|_| Failure::AsOf)?,
    };
    if args.kind == ReportKind::Energy && !ended(month) {
        bail!(Failure::MonthOpen { month: month.to_string(), as_of });
    }
    Ok((month, as_of))
}

fn about_adoption(fleet: &Fleet, as_of: Timestamp, meta: Meta) -> anyhow::Result<Document> {
    let minimum_days = figures::minimum_days(&fleet.objects, as_of);
    let register = figures::register(fleet, as_of);
    let settings = Settings { as_of, minimum_ready_days: minimum_days };
    let report = jiuzhou_measure::adoption::adoption(&register, settings)?;
    let whole = FigureId::ALL.iter().map(|id| report.whole.figure(*id));
    let notes: Vec<&LeftOut> =
        whole.flat_map(|f| f.left_out.iter().chain(&f.not_counted)).chain(&report.notes).collect();
    let findings = figures::findings(fleet, notes);
    let comparison = figures::comparison().map(|published| (published.value, published.source.to_owned()));
    let input = AdoptionInput { report: &report, minimum_days, comparison, lookup: &Names(fleet) };
    Ok(adoption(meta, &input, findings))
}

fn about_energy(fleet: &Fleet, month: Month, as_of: Timestamp, meta: Meta) -> anyhow::Result<Document> {
    let input = figures::energy(fleet, Period::month(month), as_of);
    let account = jiuzhou_measure::energy::account(&input)?;
    let findings = figures::findings(fleet, account.sites.iter().flat_map(|site| &site.notes));
    Ok(energy(meta, &account, &Names(fleet), findings))
}

/// Names, documents and places of the fleet's objects.
struct Names<'a>(&'a Fleet);

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
