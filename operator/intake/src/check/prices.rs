//! Price books: months with two prices of one thing, and months with none between two.
//!
//! One thing is one code of one provider for one platform and accelerator; a price for one platform beside a general
//! one is no conflict, the more specific one holds.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Code, Finding, Reason};

use super::energy::{month, number};
use super::scene::{Field, Scene, input};

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    for (what, mut terms) in terms(scene) {
        terms.sort_by_key(|term| (term.from, term.until));
        overlaps(&what, &terms, out);
        gaps(&what, &terms, out);
        ended(scene, &what, &terms, out);
    }
}

/// Provider, code, platform, accelerator.
type What = (String, String, String, String);

/// The months of one price; an open end is the greatest number.
struct Term<'a> {
    from: i32,
    until: i32,
    at: Field<'a>,
}

fn terms<'a>(scene: &Scene<'a>) -> BTreeMap<What, Vec<Term<'a>>> {
    let mut all: BTreeMap<What, Vec<Term<'a>>> = BTreeMap::new();
    for item in input(&scene.objects.prices) {
        for (index, entry) in item.object.spec.items.iter().enumerate() {
            let platform = entry.platform.as_deref().unwrap_or_default().to_owned();
            let accelerator = entry.accelerator.as_deref().unwrap_or_default().to_owned();
            let what = (item.object.spec.provider.to_string(), entry.code.to_string(), platform, accelerator);
            let terms = all.entry(what).or_default();
            for (nth, price) in entry.prices.iter().enumerate() {
                let at = Field::new(&item.document, format!("/spec/items/{index}/prices/{nth}"));
                let until = price.until_month.as_ref().map_or(Some(i32::MAX), |month| number(month));
                if let (Some(from), Some(until)) = (number(&price.from_month), until) {
                    terms.push(Term { from, until, at });
                }
            }
        }
    }
    all
}

fn name((provider, code, platform, accelerator): &What) -> String {
    let parts = [provider, code, platform, accelerator];
    parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The last month of the terms before each one.
fn with_end<'t, 'a>(terms: &'t [Term<'a>]) -> impl Iterator<Item = (i32, &'t Term<'a>)> {
    let first = terms.first().map_or(i32::MAX, |term| term.until);
    terms.iter().skip(1).scan(first, |end, term| {
        let before = *end;
        *end = before.max(term.until);
        Some((before, term))
    })
}

fn overlaps(what: &What, terms: &[Term<'_>], out: &mut Vec<Finding>) {
    for (before, term) in with_end(terms).filter(|(before, term)| term.from <= *before) {
        let last = before.min(term.until);
        let seen =
            if last == i32::MAX { month(term.from) } else { format!("{} – {}", month(term.from), month(last)) };
        let reason = Reason::new(Code::PriceConflict).object(name(what)).seen(seen);
        out.push(term.at.down("fromMonth").finding(reason));
    }
}

fn gaps(what: &What, terms: &[Term<'_>], out: &mut Vec<Finding>) {
    for (before, term) in with_end(terms) {
        if let Some(first) = before.checked_add(1).filter(|first| *first < term.from) {
            let seen = format!("{} – {}", month(first), month(term.from.saturating_sub(1)));
            let reason = Reason::new(Code::PriceGap).object(name(what)).seen(seen);
            out.push(term.at.down("fromMonth").finding(reason));
        }
    }
}

/// The last price has run out, so what is used now has none.
fn ended(scene: &Scene<'_>, what: &What, terms: &[Term<'_>], out: &mut Vec<Finding>) {
    let now = number(scene.month()).unwrap_or(i32::MAX);
    if let Some(last) = terms.iter().max_by_key(|term| term.until).filter(|term| term.until < now) {
        let reason = Reason::new(Code::TermExpired).object(name(what)).seen(month(last.until));
        out.push(last.at.down("untilMonth").finding(reason));
    }
}
