//! What is wrong with an object beyond what its schema refused it for.
//!
//! A refused object takes no part in anything. But whoever mends it wants to know all that is wrong in one run: so it is
//! mended here for a second look at the rules over several objects, and only what they say of its own untouched parts is
//! told. What is said of other objects comes from the first look alone, where nothing is mended.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Severity};

use crate::check;
use crate::convert::convert;
use crate::objects::{Objects, Origin};
use crate::schema::Kinds;

/// Refused objects that are looked at again in one run: nobody mends more before the next one.
const MOST: usize = 10_000;

/// Mistakes of one object up to which it is looked at again: beyond, whoever mends it has enough to do.
const MISTAKES: usize = 200;

/// Codes of which the first look tells for refused objects too.
const TOLD: [Code; 3] = [Code::ProjectCodeDuplicate, Code::CreditCodeDuplicate, Code::ObjectDuplicate];

/// Adds what else is wrong with the objects that were refused. `findings` are those of the first look.
pub(crate) fn look_again(kinds: &Kinds, objects: &Objects, as_of: Timestamp, findings: &mut Vec<Finding>) {
    if objects.rejected.is_empty() {
        return;
    }
    let mut silent: BTreeMap<ObjectRef, BTreeSet<String>> = BTreeMap::new();
    let mut again = Vec::new();
    let mut whole = Objects { rejected: Vec::new(), ..objects.clone() };
    let mut mistakes: BTreeMap<&ObjectRef, usize> = BTreeMap::new();
    for finding in findings.iter() {
        if let Some(subject) = &finding.subject {
            *mistakes.entry(subject).or_default() += 1;
        }
    }
    let few = |object: &ObjectRef| mistakes.get(object).is_none_or(|count| *count <= MISTAKES);
    for document in objects.rejected.iter().filter(|document| few(&document.object_ref())).take(MOST) {
        let mut document = document.clone();
        let touched = kinds.mend(&mut document, &mut again);
        let object = document.object_ref();
        silent.entry(object.clone()).or_default().extend(touched);
        let mut trouble = Vec::new();
        whole.add(document, Origin::Input, &mut trouble);
        if trouble.is_empty() {
            whole.refused.remove(&object);
        }
    }
    refused_places(findings, &mut silent);
    let mut of_schema = again;
    of_schema.retain(|finding| speaks(finding, &silent));
    refused_places(&of_schema, &mut silent);
    findings.append(&mut of_schema);
    let mut again = Vec::new();
    check::objects(&whole, as_of, &mut again);
    let _ = convert(&whole, as_of, &mut again);
    again.retain(|finding| speaks(finding, &silent));
    findings.append(&mut again);
}

/// Of a place that the schema refused enough is said.
fn refused_places(findings: &[Finding], silent: &mut BTreeMap<ObjectRef, BTreeSet<String>>) {
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
        if let Some(places) = finding.subject.as_ref().and_then(|subject| silent.get_mut(subject))
            && finding.pointer.matches('/').count() > 1
        {
            places.insert(finding.pointer.clone());
        }
    }
}

/// Whether a finding of the second look is about a refused object, at a place of which nothing is said yet.
fn speaks(finding: &Finding, silent: &BTreeMap<ObjectRef, BTreeSet<String>>) -> bool {
    let places = finding.subject.as_ref().and_then(|subject| silent.get(subject));
    places.is_some_and(|places| places.iter().all(|place| !touches(place, &finding.pointer)))
        && !TOLD.contains(&finding.reason.code)
}

/// Whether one of two places holds the other.
fn touches(a: &str, b: &str) -> bool {
    let holds = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    holds(a, b) || holds(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_breaks_two_rules_is_told_of_once_and_thousands_of_refused_objects_are_told_whole() {
        use std::fmt::Write as _;
        let mut text = String::new();
        let many = 1_200;
        for n in 0..many {
            let spec = "displayName: 局, level: Citty, region: '999999', blockParent: nobody";
            let _ = write!(
                text,
                "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: Tenant\nmetadata: {{name: t{n}}}\nspec: {{{spec}}}\n"
            );
        }
        let options = crate::load::Options::at("2026-11-23T00:00:00Z".parse().unwrap());
        let fleet = crate::load::load_texts(&[("t.yaml".to_owned(), text.as_bytes())], &options).unwrap();
        let count = |code| fleet.findings.iter().filter(|finding| finding.reason.code == code).count();
        assert_eq!(
            (count(Code::ValueNotAllowed), count(Code::RuleBroken), count(Code::RegionUnknown)),
            (many, many, 0)
        );
        assert_eq!(count(Code::ReferenceUnknown), many);
    }

    #[test]
    fn places_touch_where_one_holds_the_other() {
        assert!(touches("/spec/pue", "/spec/pue/0/kind") && touches("/spec/pue/0", "/spec/pue"));
        assert!(!touches("/spec/pue", "/spec/pueish") && !touches("/spec/a", "/spec/b"));
    }
}
