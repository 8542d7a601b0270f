//! Energy figures of a site that contradict each other, and green certificates across all sites.
//!
//! Readings, bills and certificates are of months; a month is counted from the year 0 so that months can be added.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::{GreenCertificate, MeterKind, PueKind, Site};
use jiuzhou_engine::terms::{Code, Finding, Reason, Severity, Value};

use crate::documents::Document;
use crate::objects::Item;

use super::scene::{Field, Scene, full_name, input, weigh};

/// Months a certificate is valid, that of generation included (NEA trading rules of 2024-09-05).
const CERTIFICATE_MONTHS: i32 = 24;
/// Certificates of months before this one are valid until [`EARLY_UNTIL`] (the same rules).
const EARLY_BEFORE: &str = "2024-01";
const EARLY_UNTIL: &str = "2025-12";
/// Missing months named in one finding.
const SHOWN: usize = 24;

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    certificates_reused(scene, out);
    for item in input(&scene.objects.sites) {
        certificates_unusable(scene, item, out);
        certificates_above_use(item, out);
        design_only(item, out);
        meters_contradict(item, out);
        readings_missing(item, out);
    }
}

/// `2026-03` as a number of months.
pub(super) fn number(month: &str) -> Option<i32> {
    let (year, month) = month.split_once('-')?;
    year.parse::<i32>().ok()?.checked_mul(12)?.checked_add(month.parse::<i32>().ok()?)?.checked_sub(1)
}

/// The month of a number.
pub(super) fn month(number: i32) -> String {
    format!("{:04}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1)
}

/// A certificate counts once, at one site; the schema sees only one site.
fn certificates_reused(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut first: BTreeMap<&str, &Document> = BTreeMap::new();
    for item in input(&scene.objects.sites) {
        for (index, certificate) in item.object.spec.certificates.iter().enumerate() {
            match first.get(certificate.id.as_ref()) {
                Some(other) => {
                    let reason = Reason::new(Code::CertificateReused).object(certificate.id.as_ref());
                    let at = Field::new(&item.document, format!("/spec/certificates/{index}/id"));
                    out.push(at.finding(reason.seen(full_name(other))));
                }
                None => {
                    first.insert(&certificate.id, &item.document);
                }
            }
        }
    }
}

/// Certificates that are only held, or whose two years had passed. A held one that is still valid may be meant so.
fn certificates_unusable(scene: &Scene<'_>, item: &Item<Site>, out: &mut Vec<Finding>) {
    for (index, certificate) in item.object.spec.certificates.iter().enumerate() {
        let at = Field::new(&item.document, format!("/spec/certificates/{index}"));
        let used = certificate.retired_on.as_deref().and_then(|day| day.get(..7)).unwrap_or(scene.month());
        if last_month(certificate).is_some_and(|last| used > last.as_str()) {
            let reason = Reason::new(Code::CertificateExpired).object(certificate.id.as_ref());
            let reason = reason.seen(certificate.generated_month.as_ref()).wanted(used);
            out.push(at.down("generatedMonth").finding(reason));
        } else if certificate.retired_on.is_none() {
            let reason = Reason::new(Code::CertificateNotRetired).object(certificate.id.as_ref());
            out.push(weigh(at.finding(reason), Severity::Info));
        }
    }
}

/// The last month a certificate may be used in.
fn last_month(certificate: &GreenCertificate) -> Option<String> {
    if *certificate.generated_month < *EARLY_BEFORE {
        return Some(EARLY_UNTIL.to_owned());
    }
    Some(month(number(&certificate.generated_month)?.checked_add(CERTIFICATE_MONTHS - 1)?))
}

/// Retired certificates of a year against what the site used in it, where all twelve months are known from the site
/// meter or from bills.
fn certificates_above_use(item: &Item<Site>, out: &mut Vec<Finding>) {
    let spec = &item.object.spec;
    let mut used: BTreeMap<&str, i64> = BTreeMap::new();
    for bill in &spec.bills {
        let sum = used.entry(bill.month.as_ref()).or_default();
        *sum = sum.saturating_add(bill.watt_hours);
    }
    for reading in spec.meter_readings.iter().filter(|reading| reading.meter == MeterKind::Site) {
        used.insert(reading.month.as_ref(), reading.watt_hours);
    }
    let mut years: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
    for (month, energy) in &used {
        let (months, sum) = years.entry(month.get(..4).unwrap_or_default()).or_default();
        (*months, *sum) = (*months + 1, sum.saturating_add(*energy));
    }
    for (year, (_, use_of_year)) in years.iter().filter(|(_, (months, _))| *months == 12) {
        let of_year = |certificate: &&GreenCertificate| {
            certificate.retired_on.is_some() && certificate.generated_month.starts_with(year)
        };
        let sum = spec.certificates.iter().filter(of_year).fold(0i64, |sum, c| sum.saturating_add(c.watt_hours));
        if sum > *use_of_year {
            let reason = Reason::new(Code::CertificatesAboveUse).object(format!("{} {year}", item.document.name));
            let reason = reason.seen(sum / 1000).wanted(use_of_year / 1000);
            out.push(item.document.finding(reason, "/spec/certificates"));
        }
    }
}

/// A design figure is no measurement: the PUE of the site stays unknown in reports.
fn design_only(item: &Item<Site>, out: &mut Vec<Finding>) {
    let figures = &item.object.spec.pue;
    if !figures.is_empty() && figures.iter().all(|figure| figure.kind == PueKind::Design) {
        let reason = Reason::new(Code::PueNotMeasured).object(item.document.name.as_str());
        out.push(item.document.finding(reason.seen("Design").wanted("Measured"), "/spec/pue/0/kind"));
    }
}

/// IT equipment cannot use more than its site: the schema sees stated figures, this sees the meters.
fn meters_contradict(item: &Item<Site>, out: &mut Vec<Finding>) {
    let readings = &item.object.spec.meter_readings;
    let site = readings.iter().filter(|reading| reading.meter == MeterKind::Site);
    let site: BTreeMap<&str, i64> = site.map(|reading| (reading.month.as_ref(), reading.watt_hours)).collect();
    for (index, reading) in readings.iter().enumerate().filter(|(_, reading)| reading.meter == MeterKind::It) {
        let Some(whole) = site.get(reading.month.as_ref()).filter(|whole| **whole < reading.watt_hours) else {
            continue;
        };
        let pue = i128::from(*whole) * 1000 / i128::from(reading.watt_hours);
        let pue = i64::try_from(pue).map_or(Value::Unknown, Value::PerMille);
        let reason = Reason::new(Code::PueBelowOne).object(format!("{} {}", item.document.name, reading.month));
        let at = format!("/spec/meterReadings/{index}/wattHours");
        out.push(item.document.finding(reason.seen(pue).wanted(Value::PerMille(1000)), &at));
    }
}

/// Months without a reading between the first and the last of one meter.
fn readings_missing(item: &Item<Site>, out: &mut Vec<Finding>) {
    let mut meters: BTreeMap<MeterKind, BTreeSet<i32>> = BTreeMap::new();
    for reading in &item.object.spec.meter_readings {
        if let Some(number) = number(&reading.month) {
            meters.entry(reading.meter).or_default().insert(number);
        }
    }
    for (meter, months) in meters {
        let missing: Vec<String> = between(&months).take(SHOWN).map(month).collect();
        if !missing.is_empty() {
            let reason = Reason::new(Code::ReadingMissing).object(format!("{} {meter:?}", item.document.name));
            out.push(item.document.finding(reason.seen(missing), "/spec/meterReadings"));
        }
    }
}

/// The numbers missing between the first and the last of a set.
fn between(months: &BTreeSet<i32>) -> impl Iterator<Item = i32> {
    months.iter().zip(months.iter().skip(1)).flat_map(|(a, b)| a.saturating_add(1)..*b)
}
