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
const MOST: usize = 1_000;

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
    // Of a place that the schema refused enough is said.
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
        if let Some(places) = finding.subject.as_ref().and_then(|subject| silent.get_mut(subject))
            && finding.pointer.matches('/').count() > 1
        {
            places.insert(finding.pointer.clone());
        }
    }
    check::objects(&whole, as_of, &mut again);
    let _ = convert(&whole, as_of, &mut again);
    again.retain(|finding| {
        let places = finding.subject.as_ref().and_then(|subject| silent.get(subject));
        places.is_some_and(|places| places.iter().all(|place| !touches(place, &finding.pointer)))
            && !TOLD.contains(&finding.reason.code)
    });
    findings.append(&mut again);
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
    fn places_touch_where_one_holds_the_other() {
        assert!(touches("/spec/pue", "/spec/pue/0/kind") && touches("/spec/pue/0", "/spec/pue"));
        assert!(!touches("/spec/pue", "/spec/pueish") && !touches("/spec/a", "/spec/b"));
    }
}
