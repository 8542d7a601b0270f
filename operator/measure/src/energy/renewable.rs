//! Green certificates and the renewable energy factor (ISO/IEC 30134-3) of a machine room.
//!
//! A certificate (绿证, 1,000 kWh each) counts once in the whole fleet, by id, at its site, in the month it was used
//! for, if it was retired and is within 24 months counted from its generation month inclusive; generation before 2024
//! holds to the end of 2025 (NEA trading rules of 2024-09-05). REF never exceeds 1. Certificates never change
//! location-based carbon or SCI.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Code, MilliwattHours, ObjectRef, Reason, Value};

use crate::{LeftOut, MeasureError, Month, Period, Ratio};

/// A green certificate (or a batch of one id) as entered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Certificate {
    /// Unique number; green power trade and certificate trade share the same numbers.
    pub id: String,
    /// The month it is used for.
    pub used_for: Month,
    /// The site it is used for.
    pub site: String,
    /// The month the power was generated.
    pub generated: Month,
    /// Energy it stands for.
    pub energy: MilliwattHours,
    /// Retired (核销), so that nobody else can use it.
    pub retired: bool,
    /// Whether it may be used at this site: tradable, or of energy generated on this site.
    pub usable_here: bool,
}

/// What a site claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewableInput {
    /// The site's whole energy, `None` when unknown.
    pub facility: Option<MilliwattHours>,
    /// Own generation used on site whose certificates are retired too (surplus and sold attributes count nothing).
    pub on_site: MilliwattHours,
}

/// The renewable side of one site in one period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renewable {
    /// Renewable energy that counts, at most the site's energy where that is known.
    pub covered: MilliwattHours,
    /// What was claimed rightly beyond the site's own use: it counts nothing.
    pub surplus: MilliwattHours,
    /// REF; `None` when the site's energy is unknown.
    pub factor: Option<Ratio>,
    /// Certificates that do not count, and why.
    pub left_out: Vec<LeftOut>,
}

const WHAT: &str = "renewable energy";

/// Renewable energy by site. All certificates of the fleet go in at once, whatever their period, because an id counts
/// once; of several claims the earliest month counts, then the first site by name.
///
/// # Errors
/// [`MeasureError::OutOfRange`] for negative energy or sums out of range.
pub fn renewable(
    period: Period,
    sites: &BTreeMap<String, RenewableInput>,
    certificates: &[Certificate],
) -> Result<BTreeMap<String, Renewable>, MeasureError> {
    let mut result: BTreeMap<String, Renewable> =
        sites.keys().map(|site| (site.clone(), Renewable::default())).collect();
    let mut claims: BTreeMap<&str, Vec<&Certificate>> = BTreeMap::new();
    for certificate in certificates {
        claims.entry(&certificate.id).or_default().push(certificate);
    }
    for (id, mut claims) in claims {
        claims.sort_unstable();
        let mut first: Option<&Certificate> = None;
        for claim in claims {
            let reason = match (refused(claim), first) {
                (Some(reason), _) => Some(reason),
                (None, Some(first)) => Some(
                    Reason::new(Code::CertificateUsedTwice)
                        .seen(format!("{} {}", claim.site, claim.used_for))
                        .wanted(format!("{} {}", first.site, first.used_for)),
                ),
                (None, None) => None,
            };
            if reason.is_none() {
                first = Some(claim);
            }
            let Some(site) = result.get_mut(&claim.site).filter(|_| period.contains(claim.used_for)) else { continue };
            match reason {
                Some(reason) => site
                    .left_out
                    .push(LeftOut { subject: ObjectRef::new("Site", "", &claim.site), reason: reason.object(id) }),
                None => {
                    site.covered = site.covered.checked_add(claim.energy).ok_or(MeasureError::OutOfRange(WHAT))?;
                }
            }
        }
    }
    for (name, site) in &mut result {
        let input = sites[name];
        if input.on_site.0 < 0 || input.facility.is_some_and(|energy| energy.0 < 0) {
            return Err(MeasureError::OutOfRange(WHAT));
        }
        let claimed = site.covered.checked_add(input.on_site).ok_or(MeasureError::OutOfRange(WHAT))?;
        site.covered = input.facility.map_or(claimed, |whole| claimed.min(whole));
        site.surplus = MilliwattHours(claimed.0 - site.covered.0);
        site.factor = input.facility.map(|whole| Ratio::new(site.covered.0, whole.0));
        site.left_out.sort_unstable();
    }
    Ok(result)
}

fn refused(claim: &Certificate) -> Option<Reason> {
    if !claim.retired {
        return Some(Reason::new(Code::CertificateNotRetired));
    }
    if claim.energy.0 <= 0 {
        let seen = Value::MilliwattHours(claim.energy.0);
        return Some(Reason::new(Code::CertificateInvalid).seen(seen).wanted("> 0 kWh"));
    }
    if claim.generated > claim.used_for {
        let wanted = format!("<= {}", claim.used_for);
        return Some(Reason::new(Code::CertificateInvalid).seen(claim.generated.to_string()).wanted(wanted));
    }
    if !claim.usable_here {
        let month = claim.generated.to_string();
        return Some(Reason::new(Code::CertificateNotTradable).seen(claim.site.as_str()).wanted(month));
    }
    // The first month it no longer holds for; generation before 2024 holds to the end of 2025.
    let expiry = if claim.generated.year() < 2024 { 2026 * 12 } else { claim.generated.index() + 24 };
    (claim.used_for.index() >= expiry).then(|| {
        Reason::new(Code::CertificateExpired).seen(claim.generated.to_string()).wanted(claim.used_for.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    fn certificate(id: &str, site: &str, generated: &str, used_for: &str) -> Certificate {
        Certificate {
            id: id.into(),
            site: site.into(),
            generated: month(generated),
            used_for: month(used_for),
            energy: MilliwattHours(1_000_000_000),
            retired: true,
            usable_here: true,
        }
    }

    fn run(used_for: &str, kwh: Option<i64>, certificates: &[Certificate]) -> BTreeMap<String, Renewable> {
        let input = RenewableInput { facility: kwh.map(|k| MilliwattHours(k * 1_000_000)), on_site: MilliwattHours(0) };
        let sites = ["大理", "甘孜"].map(|site| (site.to_owned(), input)).into();
        renewable(Period::month(month(used_for)), &sites, certificates).unwrap()
    }

    #[test]
    fn a_certificate_holds_for_24_months_counted_from_its_generation_month() {
        for (generated, used_for, counts) in [
            ("2024-06", "2024-06", true),
            ("2024-06", "2026-05", true),
            ("2024-06", "2026-06", false),
            ("2023-01", "2025-12", true),
            ("2023-12", "2026-01", false),
            ("2024-06", "2024-05", false),
        ] {
            let result = run(used_for, Some(4000), &[certificate("1", "大理", generated, used_for)]);
            assert_eq!(result["大理"].covered.0 > 0, counts, "{generated} for {used_for}");
            assert_eq!(result["大理"].left_out.is_empty(), counts);
        }
    }

    #[test]
    fn an_id_counts_once_in_the_whole_fleet_whatever_the_order() {
        let mut claims =
            [certificate("1", "甘孜", "2025-01", "2025-06"), certificate("1", "大理", "2025-01", "2025-06")];
        let first = run("2025-06", Some(4000), &claims);
        claims.reverse();
        assert_eq!(run("2025-06", Some(4000), &claims), first);
        assert_eq!(first["大理"].factor.and_then(Ratio::per_mille).map(|r| r.0), Some(250));
        assert_eq!(first["甘孜"].left_out[0].reason.code, Code::CertificateUsedTwice);
    }

    #[test]
    fn a_claim_in_an_earlier_month_takes_the_id_and_a_refused_claim_does_not() {
        let earlier = certificate("1", "甘孜", "2025-01", "2025-03");
        let now = certificate("1", "大理", "2025-01", "2025-06");
        assert_eq!(run("2025-06", Some(4000), &[now.clone(), earlier.clone()])["大理"].covered.0, 0);
        let unretired = Certificate { retired: false, ..earlier };
        assert_eq!(run("2025-06", Some(4000), &[now, unretired])["大理"].covered.0, 1_000_000_000);
    }

    #[test]
    fn the_factor_is_capped_at_one_and_unknown_without_the_rooms_energy() {
        let claims = [certificate("1", "大理", "2025-01", "2025-06")];
        let capped = &run("2025-06", Some(600), &claims)["大理"];
        assert_eq!(capped.factor.and_then(Ratio::per_mille).map(|r| r.0), Some(1000));
        assert_eq!(capped.surplus, MilliwattHours(400_000_000));
        assert_eq!(run("2025-06", None, &claims)["大理"].factor, None);
    }
}
