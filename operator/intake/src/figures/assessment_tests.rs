//! Assessments from YAML through the real door: what is measured, what evidence counts, and which does not.

use jiuzhou_engine::terms::Code;
use jiuzhou_measure::assessment::{Origin, Range, Stage, StageRule};

use super::tests::{FLEET, as_of, read, system, workload};
use super::*;

fn evidence(tenant: &str, more: &str) -> String {
    format!(
        r#"
---
apiVersion: study.jiuzhou.dev/v1alpha1
kind: AssessmentEvidence
metadata: {{name: {tenant}-2026}}
spec:
  tenant: {tenant}
{more}"#
    )
}

const VERIFIED: &str = "document: {number: 大数〔2026〕9号}, enteredBy: 甲, verifiedBy: 乙, verifiedOn: \"2026-11-01\"";

fn assessed(more: &str) -> Assessment {
    let ready = workload("native", "2026-09-01T00:00:00Z", ", ready: 2");
    let text =
        [FLEET, &system("native", "  hosting: {state: CloudNative}\n"), &ready, &system("old", ""), more].concat();
    let fleet = read(&text, as_of());
    let ask = Ask::assessment(as_of(), 0);
    assessment(&(&fleet).into(), &ask, as_of(), &fleet.studies.evidence, StageRule::default()).unwrap()
}

fn codes(found: &Assessment) -> Vec<(Code, &str)> {
    found.findings.iter().map(|finding| (finding.reason.code, finding.pointer.as_str())).collect()
}

#[test]
fn a_locality_without_evidence_is_measured_and_otherwise_open() {
    let found = assessed("");
    // Only dali has a body below it.
    assert_eq!(found.bodies.iter().map(|body| body.name.as_str()).collect::<Vec<_>>(), ["dali"]);
    let answers = &found.inputs["dali"].answers;
    let cloud = &answers["cloud-ratio"];
    assert_eq!(
        (cloud.per_mille, cloud.basis.as_str(), cloud.origin),
        (Range { low: 500, high: 500 }, "1/2", Origin::Measured)
    );
    assert_eq!(answers["technical-protection"].basis, "0/2");
    assert_eq!(found.bodies[0].stages.len(), 3);
    assert_eq!(found.bodies[0].total.high - found.bodies[0].shown.high, 15_000);
    assert!(found.findings.is_empty());
    assert_eq!((found.index.hidden, found.index.items.len()), (15, 36));
}

#[test]
fn verified_evidence_raises_the_lower_end_and_facts_give_the_stage() {
    let before = assessed("").bodies[0].shown;
    let facts = "  facts: {population: 3300000, gdpMillionYuan: 170000, universities: 3, infrastructure: Certain}\n";
    let items = format!("  items:\n  - {{item: security-operation, perMille: 800, {VERIFIED}}}\n");
    let found = assessed(&evidence("dali", &[facts, &items].concat()));
    assert_eq!(found.bodies[0].stages, [Stage::Basic].into());
    assert!(found.bodies[0].shown.low > before.low && found.bodies[0].shown.high < before.high);
    assert!(found.findings.is_empty(), "{:?}", found.findings);
}

#[test]
fn evidence_that_does_not_count_is_told_at_its_line() {
    let items = format!(
        "  items:\n\
         \x20 - {{item: nonsense, perMille: 1, {VERIFIED}}}\n\
         \x20 - {{item: cloud-ratio, perMille: 1000, {VERIFIED}}}\n\
         \x20 - {{item: data-quality, perMille: 1000, document: {{number: 甲}}, enteredBy: 甲, verifiedBy: 甲, verifiedOn: \"2026-11-01\"}}\n\
         \x20 - {{item: data-sharing, perMille: 1000, document: {{number: 甲}}}}\n\
         \x20 - {{item: data-security, perMille: 1000, validUntil: \"2026-11-22\", {VERIFIED}}}\n\
         \x20 - {{item: data-opening, perMille: 1000, validUntil: \"2026-11-23\", {VERIFIED}}}\n"
    );
    let found = assessed(&evidence("dali", &items));
    assert_eq!(
        codes(&found),
        [
            (Code::AssessmentItemUnknown, "/spec/items/0"),
            (Code::AssessmentMeasured, "/spec/items/1"),
            (Code::AssessmentUnverified, "/spec/items/2"),
            (Code::AssessmentUnverified, "/spec/items/3"),
            (Code::TermExpired, "/spec/items/4"),
        ]
    );
    let proved = found.inputs["dali"].answers.values().filter(|answer| answer.origin == Origin::Evidence).count();
    assert_eq!(proved, 1);
    assert_eq!(found.inputs["dali"].answers["cloud-ratio"].per_mille.low, 500);
}

#[test]
fn a_body_that_is_no_city_needs_a_declared_stage() {
    let facts = "  facts: {population: 12000000}\n";
    let open = assessed(&evidence("dali-civil", facts));
    assert_eq!(codes(&open), [(Code::AssessmentStageOpen, "/spec")]);
    assert_eq!(open.bodies.iter().find(|body| body.name == "dali-civil").unwrap().stages.len(), 3);
    let declared = "  stage: {stage: Development, document: {number: 云数〔2026〕1号}}\n";
    let found = assessed(&evidence("dali-civil", declared));
    assert_eq!(found.bodies.iter().find(|body| body.name == "dali-civil").unwrap().stages, [Stage::Development].into());
    assert!(found.findings.is_empty());
    assert_eq!(codes(&assessed(&evidence("nobody", ""))), [(Code::ReferenceUnknown, "/spec/tenant")]);
}
