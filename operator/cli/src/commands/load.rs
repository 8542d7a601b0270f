//! What several commands share: the list of inputs, the time they look from, findings told to a person.

use std::io;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};
use jiuzhou_engine::terms::{Finding, Severity};
use jiuzhou_intake::{Fleet, Options, Progress};
use jiuzhou_report::finding;
use jiuzhou_report::render::Style;
use serde_json::Value;

use crate::args::{FailOn, Input};
use crate::context::Context;
use crate::failure::Failure;
use crate::{progress, talk};

/// The paths of a command, `-f` after the others. Where there are none, standard input if that is a rule of the
/// command, else the present folder.
pub(crate) fn inputs(input: &Input, stdin: bool) -> Vec<String> {
    let all: Vec<_> =
        input.paths.iter().chain(&input.filenames).map(|path| path.to_string_lossy().into_owned()).collect();
    match (all.is_empty(), stdin) {
        (false, _) => all,
        (true, true) => vec!["-".to_owned()],
        (true, false) => vec![".".to_owned()],
    }
}

/// Reads what a command names.
pub(crate) fn fleet(input: &Input, as_of: Timestamp, strict: bool, context: &Context) -> anyhow::Result<Fleet> {
    read(&inputs(input, false), as_of, strict, context)
}

/// Reads paths.
pub(crate) fn read(inputs: &[String], as_of: Timestamp, strict: bool, context: &Context) -> anyhow::Result<Fleet> {
    open(inputs, as_of, strict, context, |input, options| Ok(input.build(options)?))
}

/// Reads paths, and keeps what was read for fleets that are only supposed.
pub(crate) fn read_and_keep(
    inputs: &[String],
    as_of: Timestamp,
    strict: bool,
    context: &Context,
) -> anyhow::Result<(Fleet, jiuzhou_intake::Input)> {
    let mut kept = jiuzhou_intake::Input::default();
    let fleet = open(inputs, as_of, strict, context, |input, options| {
        kept = input.clone();
        Ok(input.build(options)?)
    })?;
    Ok((fleet, kept))
}

fn open(
    inputs: &[String],
    as_of: Timestamp,
    strict: bool,
    context: &Context,
    build: impl FnOnce(jiuzhou_intake::Input, &Options) -> anyhow::Result<Fleet>,
) -> anyhow::Result<Fleet> {
    let progress = Progress::default();
    // Who types the input is not to be written over.
    let typed = talk::types() && inputs.iter().any(|input| input == "-");
    let _shown = (!typed).then(|| progress::show(&progress, context));
    let options = Options { strict, progress, ..Options::at(as_of) };
    let input = jiuzhou_intake::read(inputs, &mut io::stdin().lock(), &options);
    let fleet = build(input, &options)?;
    let told = &fleet.converted.fleet;
    tracing::info!(
        objects = fleet.places.len(),
        clusters = told.clusters.len(),
        tenants = told.tenants.len(),
        workloads = told.specs.len(),
        findings = fleet.findings.len(),
        "read"
    );
    Ok(fleet)
}

/// Reads texts that are already in memory, each with the name it is shown by.
pub(crate) fn texts(texts: &[(String, &[u8])], as_of: Timestamp) -> anyhow::Result<Fleet> {
    Ok(jiuzhou_intake::load_texts(texts, &Options::at(as_of))?)
}

/// The instant a command looks from: that of `--as-of`, else now.
pub(crate) fn as_of(input: &Input) -> Timestamp {
    input.as_of.unwrap_or_else(Timestamp::now)
}

/// Reads `--as-of`: a Beijing day means its last second, an instant means itself.
pub(crate) fn parse_as_of(text: &str) -> Result<Timestamp, Failure> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let day = text.parse::<Date>().map_err(|_| Failure::Day)?;
    let beijing = TimeZone::fixed(Offset::constant(8));
    let end = day.tomorrow().and_then(|next| next.to_zoned(beijing)).map_err(|_| Failure::LastDay)?;
    end.timestamp().checked_sub(1.second()).map_err(|_| Failure::LastDay)
}

/// Findings as frames on standard error, then their count.
pub(crate) fn tell(findings: &[Finding], context: &Context) {
    let style = Style { colour: context.style.colour, ..Style::default() };
    for one in findings {
        context.say(&finding::frame(one, context.lang, style));
    }
    if !findings.is_empty() {
        context.say(&finding::summary(findings, context.lang));
    }
}

/// Whether a gate fails because of findings.
pub(crate) fn fails(findings: &[Finding], fail_on: FailOn) -> bool {
    let least = match fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Never => return false,
    };
    findings.iter().any(|finding| finding.severity >= least)
}

/// A value as YAML.
pub(crate) fn yaml(value: &Value) -> anyhow::Result<String> {
    let text = serde_saphyr::to_string(value)?;
    Ok(if text.ends_with('\n') { text } else { text + "\n" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_looked_at_from_its_end_in_beijing() {
        let end = parse_as_of("2026-11-23").expect("a day");
        assert_eq!(end.to_string(), "2026-11-23T15:59:59Z");
    }

    #[test]
    fn an_instant_is_itself_and_nonsense_is_refused() {
        let instant = parse_as_of("2026-11-23T08:00:00+08:00").expect("an instant");
        assert_eq!(instant.to_string(), "2026-11-23T00:00:00Z");
        for wrong in ["", "yesterday", "2026-13-01", "2026-02-30", "23.11.2026", "9999-12-31"] {
            assert!(parse_as_of(wrong).is_err(), "{wrong}");
        }
    }
}
