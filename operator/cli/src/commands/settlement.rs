//! `report settlement`: the settlement of what is asked for, against the papers of providers. Counts nothing itself.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use jiuzhou_engine::terms::Code;
use jiuzhou_intake::Fleet;
use jiuzhou_intake::figures::{self, Ask, Settled};
use jiuzhou_intake::invoices::{BYTES, Papers};
use jiuzhou_report::document::{Document, Meta};
use jiuzhou_report::documents::settlement::settlement;
use jiuzhou_report::render;

use super::report::Names;
use crate::args::ReportArgs;
use crate::failure::Failure;

/// What is wrong with papers, so that not all of them counted.
pub(super) const OF_PAPERS: [Code; 5] =
    [Code::DeductionExceeds, Code::TableColumnMissing, Code::TableNotUtf8, Code::TableRowInvalid, Code::TableRowUneven];

/// The report; what is wrong with the papers are findings of it.
pub(super) fn document(fleet: &Fleet, ask: &Ask, as_of: Timestamp, args: &ReportArgs) -> anyhow::Result<Document> {
    let scene = fleet.into();
    let open = || Failure::PeriodOpen { from: ask.from, until: ask.until, as_of };
    let period = ask.months(as_of).ok_or_else(open)?;
    let payers = figures::payers(&scene, period);
    let (mut papers, mut findings) = (Papers::default(), Vec::new());
    if let Some(path) = &args.invoice {
        findings.extend(papers.take_invoice(&path.to_string_lossy(), &paper(path)?, &payers, period));
    }
    if let Some(path) = &args.deductions {
        findings.extend(papers.take_deductions(&path.to_string_lossy(), &paper(path)?, &payers, period));
    }
    let Settled { settlement: settled, subject, findings: told, entered: _ } =
        figures::settled(&scene, ask, as_of, &papers)?.ok_or_else(open)?;
    findings.extend(told);
    let meta = Meta::new(Some(ask.as_of(as_of)), Some(fleet.snapshot.digest()?));
    let mut document = settlement(meta, &settled, &Names(fleet), findings);
    if args.report.is_some() {
        document.subject = subject;
    }
    document.meta.content_digest = Some(render::digest(&document)?);
    Ok(document)
}

/// The bytes of a table of papers.
pub(super) fn paper(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = || path.to_string_lossy().into_owned();
    let size = fs::metadata(path).map_err(|source| Failure::Read { path: name(), source })?.len();
    if usize::try_from(size).is_ok_and(|size| size <= BYTES) {
        return fs::read(path).map_err(|source| Failure::Read { path: name(), source });
    }
    Err(Failure::TooLarge { path: name(), mib: BYTES >> 20 })
}
