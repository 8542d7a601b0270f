//! An object that its schema refuses draws no finding about objects that are right, and its own other mistakes are told in
//! the same run: nobody has to run `validate` twice to see what was wrong the first time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use jiuzhou_engine::terms::{Code, Finding, ObjectRef};
use jiuzhou_intake::Options;
use jiuzhou_intake::documents::Document;
use jiuzhou_tests::{examples, load};
use serde_json::{Value, json};

const AS_OF: &str = "2026-11-23T15:59:59Z";

fn findings(values: &[Value]) -> Vec<Finding> {
    let text = serde_json::to_vec(&json!({"apiVersion": "v1", "kind": "List", "items": values})).unwrap();
    let options = Options::at(AS_OF.parse().unwrap());
    jiuzhou_intake::load_texts(&[("f.json".to_owned(), &text)], &options).unwrap().findings
}

/// What is said, without where it stands in the text.
fn said(findings: &[Finding]) -> BTreeSet<(Option<ObjectRef>, String, String)> {
    let one = |finding: &Finding| (finding.subject.clone(), finding.pointer.clone(), format!("{:?}", finding.reason));
    findings.iter().map(one).collect()
}

fn documents(story: &str) -> Vec<Document> {
    load(&examples().join(story)).unwrap().0
}

#[test]
fn no_right_object_is_told_of_for_one_that_is_refused() {
    let mut strange = BTreeSet::new();
    for story in ["01-first-tenant", "02-mixed-cpus", "03-tiers-and-vault", "04-dali-two-zones", "08-evidence-runs-out"]
    {
        let documents = documents(story);
        let values: Vec<Value> = documents.iter().map(|document| document.value.clone()).collect();
        let before = said(&findings(&values));
        for (at, document) in documents.iter().enumerate() {
            if !document.api_version.starts_with("jiuzhou.dev/") || !document.value["spec"].is_object() {
                continue;
            }
            let mut values = values.clone();
            values[at]["spec"]["qxField"] = json!(1);
            let after = findings(&values);
            let own = document.object_ref();
            assert!(after.iter().any(|one| one.reason.code == Code::FieldUnknown), "{own} is refused");
            let others = after.into_iter().filter(|one| one.subject.as_ref() != Some(&own)).collect::<Vec<_>>();
            for (subject, pointer, reason) in said(&others).difference(&before) {
                // True: what is committed of a workload that is refused, and says not what it takes, is not counted.
                if reason.contains("PlacementUncounted") && own.kind == "FleetWorkload" {
                    continue;
                }
                strange.insert(format!("{} refused: {subject:?} {pointer} {reason}", own.kind));
            }
        }
    }
    assert!(strange.is_empty(), "{strange:#?}");
}

/// A story with objects made wrong twice: in a way that their schema refuses, and in one that only other objects show.
fn spoiled(
    story: &str,
    kind: &str,
    refuse: impl Fn(&mut Value),
    spoil: impl Fn(&mut Value),
) -> (Vec<Finding>, ObjectRef) {
    let documents = documents(story);
    let at = documents.iter().position(|document| document.kind == kind).unwrap();
    let mut values: Vec<Value> = documents.iter().map(|document| document.value.clone()).collect();
    refuse(&mut values[at]);
    spoil(&mut values[at]);
    (findings(&values), documents[at].object_ref())
}

#[test]
fn an_object_that_is_refused_is_told_all_that_is_wrong_with_it() {
    type Change = fn(&mut Value);
    let refusals: [Change; 2] =
        [|value| value["spec"]["qxField"] = json!(1), |value| value["spec"]["displayName"] = json!([1])];
    let mistakes: [(&str, Change, Code, &str); 6] = [
        (
            "Tenant",
            |value| value["spec"]["unifiedCode"] = json!("11530100MB0000017X"),
            Code::CreditCodeInvalid,
            "/spec/unifiedCode",
        ),
        ("MemberCluster", |value| value["spec"]["site"] = json!("nowhere"), Code::ReferenceUnknown, "/spec/site"),
        (
            "InformationSystem",
            |value| value["spec"]["tenant"] = json!("nobody"),
            Code::SystemOutsideTenant,
            "/spec/tenant",
        ),
        ("Tenant", |value| value["spec"]["blockParent"] = json!("nobody"), Code::ReferenceUnknown, "/spec/blockParent"),
        ("Site", |value| value["spec"]["region"] = json!("530199"), Code::CountyUnlisted, "/spec/region"),
        (
            "FleetWorkload",
            |value| value["spec"]["placementPolicy"] = json!("none"),
            Code::ReferenceUnknown,
            "/spec/placementPolicy",
        ),
    ];
    for (kind, spoil, code, pointer) in mistakes {
        for (at, refuse) in refusals.iter().enumerate() {
            let (all, own) = spoiled("01-first-tenant", kind, refuse, spoil);
            let told = |finding: &Finding| finding.subject.as_ref() == Some(&own);
            let said: Vec<_> = all.iter().filter(|one| told(one)).map(|one| (one.reason.code, &*one.pointer)).collect();
            assert!(said.contains(&(code, pointer)), "{kind}, refusal {at}: {said:?}");
            assert!(said.len() > 1, "{kind}, refusal {at}: {said:?}");
        }
    }
}

#[test]
fn of_what_was_put_in_the_place_of_a_mistake_nothing_is_said() {
    // The site is missing: that is told once, and no site without a name is looked for.
    let remove = |value: &mut Value| drop(value["spec"].as_object_mut().unwrap().remove("site"));
    let (all, own) = spoiled("01-first-tenant", "MemberCluster", remove, |_| ());
    let own: Vec<_> = all.iter().filter(|one| one.subject.as_ref() == Some(&own)).collect();
    let at_site: Vec<_> = own.iter().filter(|one| one.pointer == "/spec/site").map(|one| one.reason.code).collect();
    assert_eq!(at_site, [Code::FieldMissing], "{own:?}");
}
