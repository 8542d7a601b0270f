//! Built-in tables as measure's values: grid factors, limits, power, defaults, the figure to compare with.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Milliwatts, PerMille};
use jiuzhou_measure::carbon::{Factor, FactorTable, Series};
use jiuzhou_measure::energy::{FactorUse, Limit, LinearPower, Metric, Provenance, ServerDefaults};

use super::day;
use crate::builtin::rows;

type Row = BTreeMap<&'static str, &'static str>;

fn number(row: &Row, column: &str) -> Option<i64> {
    row.get(column)?.parse().ok()
}

/// A coefficient of the table `power-defaults`.
pub(super) fn default(id: &str) -> Option<PerMille> {
    rows(&jiuzhou_data::POWER_DEFAULTS)
        .find(|row| row.get("id") == Some(&id))
        .and_then(|row| number(&row, "value"))
        .map(PerMille)
}

/// How servers are guessed from their sockets. The table's values; a test holds the table to having them.
pub(super) fn server_defaults() -> ServerDefaults {
    let of = |id: &str| default(id).unwrap_or(PerMille(0));
    ServerDefaults {
        idle_of_tdp: of("server-idle-of-tdp"),
        peak_of_tdp: of("server-peak-of-tdp"),
        band: of("modelled-band"),
    }
}

/// A published figure a report may print beside its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// In thousandths.
    pub value: PerMille,
    /// Who published it.
    pub source: &'static str,
}

/// The adoption of governments as the white paper of 2023 gives it.
#[must_use]
pub fn comparison() -> Option<Comparison> {
    let row = rows(&jiuzhou_data::REFERENCE_FIGURES).find(|row| row.get("id") == Some(&"government-cloud-adoption"))?;
    Some(Comparison { value: PerMille(number(&row, "value")?), source: row.get("source")? })
}

/// The published factors of provinces and of the nation.
pub(crate) fn factors() -> FactorTable {
    let factor = |row: Row| {
        let series = match *row.get("series")? {
            "average" => Series::Average,
            "residual" => Series::Residual,
            _ => return None,
        };
        Some(Factor {
            area: (*row.get("area")?).to_owned(),
            year: row.get("year")?.parse().ok()?,
            series,
            mg_per_kwh: number(&row, "mg_per_kwh")?,
            source: (*row.get("source")?).to_owned(),
            confidence: (*row.get("confidence")?).to_owned(),
        })
    };
    FactorTable::new(rows(&jiuzhou_data::GRID_FACTORS).filter_map(factor)).unwrap_or_default()
}

/// The factor of a site for a year: its own or its province's, whichever is of the later year; its own on a tie.
pub(crate) fn factor(table: &FactorTable, site: &api::SiteSpec, year: i16, series: Series) -> Option<FactorUse> {
    let basis = match series {
        Series::Average => api::FactorBasis::Location,
        Series::Residual => api::FactorBasis::Residual,
    };
    let own = site.grid_factors.iter().filter(|factor| factor.basis == basis && factor.year <= i32::from(year));
    let own = own.max_by_key(|factor| factor.year).and_then(|factor| {
        Some(Factor {
            area: site.display_name.to_string(),
            year: i16::try_from(factor.year).ok()?,
            series,
            mg_per_kwh: factor.milligrams_per_kwh,
            source: factor.document.number.to_string(),
            confidence: String::new(),
        })
    });
    let province = format!("{}0000", site.region.get(..2).unwrap_or_default());
    let published = table.choose(&province, year, series);
    match (own, published) {
        (Some(own), Some(published)) if own.year < published.factor.year && !published.fallback => {
            Some(FactorUse { factor: published.factor.clone(), fallback: false })
        }
        (Some(own), _) => Some(FactorUse { factor: own, fallback: false }),
        // Residual factors are published for the nation alone: that is no stand-in.
        (None, published) => published.map(|choice| FactorUse {
            factor: choice.factor.clone(),
            fallback: choice.fallback && series == Series::Average,
        }),
    }
}

/// Limits that hold on the last day of a period, built-in ones first, with whether they apply to the site.
pub(super) fn limits(site: &api::SiteSpec, last: Date) -> Vec<Limit> {
    let mut limits: Vec<Limit> =
        rows(&jiuzhou_data::EFFICIENCY_LIMITS).filter_map(|row| built_in(&row, site, last)).collect();
    for own in &site.limits {
        let (from, until) = (day(Some(&own.from)), day(own.until.as_deref()));
        if from.is_some_and(|from| from <= last) && until.is_none_or(|until| last <= until) {
            limits.push(Limit {
                metric: match own.metric {
                    api::SiteMetric::PuePerMille => Metric::Pue,
                    api::SiteMetric::RenewablePerMille => Metric::Renewable,
                    api::SiteMetric::WaterMillilitresPerKwh => Metric::Water,
                },
                bound: i64::from(own.bound),
                name: own.name.to_string(),
                source: own.document.number.to_string(),
                until,
                applies: Some(true),
            });
        }
    }
    limits
}

/// A row of the table. Grades, averages of the nation and titles that a site applies for bind nobody and are left out.
fn built_in(row: &Row, site: &api::SiteSpec, last: Date) -> Option<Limit> {
    let metric = match *row.get("metric")? {
        "pue" => Metric::Pue,
        "ref" => Metric::Renewable,
        "wue" => Metric::Water,
        _ => return None,
    };
    let (from, until) = (day(row.get("from").copied())?, day(row.get("until").copied()));
    if last < from || until.is_some_and(|until| until < last) {
        return None;
    }
    let since = |year| day(site.in_service_since.as_deref()).map(|since| since.year() >= year);
    let new = since(2022);
    let more_than = |racks: i32| site.standard_racks.map(|have| have > racks);
    let scope = *row.get("scope")?;
    let id = *row.get("id")?;
    let applies = match scope {
        "data centres above 100 standard racks (limit value)" => more_than(100),
        "government purchase of data centres and their services" => Some(true),
        "new large data centres" => both(new, more_than(2999)),
        "new data centres of the national hubs" => both(Some(site.national_hub), new),
        "data centres of the national hubs new since 2024" => both(Some(site.national_hub), since(2024)),
        place => {
            let code = place.get(..6).filter(|code| code.bytes().all(|b| b.is_ascii_digit()))?;
            let inside = site.region.starts_with(code.trim_end_matches("00"));
            Some(inside && site.national_hub)
        }
    };
    (applies != Some(false)).then(|| Limit {
        metric,
        bound: number(row, "per_mille").unwrap_or_default(),
        name: id.to_owned(),
        source: row.get("source").copied().unwrap_or_default().to_owned(),
        until,
        applies,
    })
}

/// Both of two facts: no as soon as one is no, unknown when one is unknown.
fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// The power of a server model as a resource names it: a row of the tables in lower case with hyphens, for CPUs with
/// the number of sockets in front (`2x-kunpeng-920-6426`).
pub(super) fn server(model: &str) -> Option<(LinearPower, Provenance)> {
    let slug = |text: &str| {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
    };
    let row = rows(&jiuzhou_data::SERVER_POWER).find(|row| row.get("server").is_some_and(|name| slug(name) == model));
    if let Some(row) = row {
        let idle = Milliwatts(number(&row, "idle_mw")?);
        let provenance = if model == "default" { Provenance::Default } else { Provenance::Modelled };
        return Some((LinearPower { idle, peak: Milliwatts(number(&row, "peak_mw")?) }, provenance));
    }
    let (sockets, cpu) = model.split_once("x-").and_then(|(n, cpu)| Some((n.parse::<i64>().ok()?, cpu)))?;
    let row = rows(&jiuzhou_data::CPU_POWER).find(|row| row.get("cpu").is_some_and(|name| slug(name) == cpu))?;
    let tdp = Milliwatts(number(&row, "tdp_mw")?).checked_mul(sockets.clamp(1, 16))?;
    Some((server_defaults().server(tdp).ok()?, Provenance::Default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn green_power_of_the_hubs_binds_what_was_built_for_it() {
        let applies = |hub: bool, since: &str, last: &str| {
            let site = serde_json::json!({
                "displayName": "枢纽", "region": "520115", "provider": "p", "nationalHub": hub, "inServiceSince": since,
            });
            let site: api::SiteSpec = serde_json::from_value(site).unwrap();
            let all = limits(&site, last.parse().unwrap());
            all.into_iter()
                .find(|limit| limit.name == "green-plan-2024-hub-ref")
                .map(|limit| (limit.bound, limit.applies))
        };
        assert_eq!(applies(true, "2025-03-01", "2026-10-31"), Some((800, Some(true))));
        assert_eq!(applies(true, "2022-03-01", "2026-10-31"), None, "built before the plan");
        assert_eq!(applies(false, "2025-03-01", "2026-10-31"), None, "no hub");
        assert_eq!(applies(true, "2025-03-01", "2025-11-30"), None, "not in force yet");
    }
}
