//! What runs out: evidence, 等保 and 密评 reports, credentials; what has been replaced does not count.
//!
//! Of several proofs of one claim the last to run out counts, so that whoever renews in time is reminded of nothing. What
//! has run out stays on the list until it is renewed, withdrawn or deleted: silence would look like an all-clear.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::ObjectRef;
pub use jiuzhou_measure::expiry::{Expiring, Proof};

use super::{day, today};
use crate::beijing;
use crate::convert::dimension;
use crate::objects::Objects;

/// Everything that runs out, in order of its owner.
#[must_use]
pub fn expiring(objects: &Objects, now: Timestamp) -> Vec<Expiring> {
    let mut all: Vec<Expiring> = objects.clusters.values().flat_map(|item| of_cluster(&item.object, now)).collect();
    for item in objects.systems.values().filter(|item| item.object.spec.hosting.state != api::HostingState::Retired) {
        let spec = &item.object.spec;
        let subject = item.document.object_ref();
        all.extend(newest(&subject, Proof::Protection, spec.protection.as_ref(), now));
        all.extend(newest(&subject, Proof::Cryptography, spec.cryptography.as_ref(), now));
    }
    all.sort();
    all
}

/// What runs out of one cluster.
#[must_use]
pub fn of_cluster(cluster: &api::MemberCluster, now: Timestamp) -> Vec<Expiring> {
    let subject = ObjectRef::new("MemberCluster", "", cluster.metadata.name.as_deref().unwrap_or_default());
    let spec = &cluster.spec;
    let mut last: BTreeMap<(Proof, String), Expiring> = BTreeMap::new();
    for evidence in &spec.evidence {
        let counts = evidence.state == api::EvidenceState::Verified && !is_past(evidence.ended_on.as_deref(), now);
        let Some(ends) = beijing::end(&evidence.valid_until).filter(|_| counts) else { continue };
        let proof = Proof::Evidence(dimension(evidence.dimension));
        let name = format!("{} {}", evidence.claim, evidence.id);
        let one = Expiring { subject: subject.clone(), proof, name, ends, remind_from: None };
        let kept = last.entry((proof, evidence.claim.to_string())).or_insert_with(|| one.clone());
        if kept.ends < one.ends {
            *kept = one;
        }
    }
    let mut all: Vec<Expiring> = last.into_values().collect();
    all.extend(newest(&subject, Proof::Protection, spec.protection.as_ref(), now));
    all.extend(newest(&subject, Proof::Cryptography, spec.cryptography.as_ref(), now));
    let credential = cluster.status.as_ref().and_then(|status| status.credential.as_ref());
    if let Some((credential, ends)) = credential.and_then(|held| Some((held, held.expires_at.as_ref()?.0))) {
        let remind_from = credential.renew_at.as_ref().map(|at| at.0);
        all.push(Expiring { subject, proof: Proof::Credential, name: String::new(), ends, remind_from });
    }
    all
}

/// The report that is due last, of those that count.
pub(super) fn newest(
    subject: &ObjectRef,
    proof: Proof,
    protection: Option<&api::Protection>,
    now: Timestamp,
) -> Option<Expiring> {
    let reports = protection?.reports.iter();
    let counts = |report: &&api::AssessmentReport| {
        report.state == api::EvidenceState::Verified && !is_past(report.ended_on.as_deref(), now)
    };
    let ends = |report: &api::AssessmentReport| Some((beijing::end(&report.due_again)?, report.number.to_string()));
    let (ends, name) = reports.filter(counts).filter_map(ends).max()?;
    Some(Expiring { subject: subject.clone(), proof, name, ends, remind_from: None })
}

/// Whether a day has come.
fn is_past(on: Option<&str>, now: Timestamp) -> bool {
    day(on).is_some_and(|on| on <= today(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, load_texts};

    const FLEET: &str = r#"
apiVersion: jiuzhou.dev/v1alpha1
kind: Site
metadata: { name: dali }
spec: { displayName: 大理, region: "532900", provider: own }
---
apiVersion: jiuzhou.dev/v1alpha1
kind: MemberCluster
metadata: { name: a }
spec:
  site: dali
  form: Private
  ownership: Government
  connection: { pull: {} }
  evidence:
    - { id: e1, dimension: Data, claim: keyCustody, value: government, issuer: 局, validFrom: "2025-01-01", validUntil: "2025-12-31", recordedOn: "2025-01-01", enteredBy: 甲, verifiedBy: 乙, verifiedOn: "2025-01-02", state: Verified }
    - { id: e2, dimension: Data, claim: keyCustody, value: government, issuer: 局, validFrom: "2026-01-01", validUntil: "2026-12-31", recordedOn: "2026-01-01", enteredBy: 甲, verifiedBy: 乙, verifiedOn: "2026-01-02", state: Verified }
    - { id: e3, dimension: Operational, claim: staff, value: domestic, issuer: 局, validFrom: "2026-01-01", validUntil: "2026-06-30", recordedOn: "2026-01-01", enteredBy: 甲, verifiedBy: 乙, verifiedOn: "2026-01-02", state: Verified }
    - { id: e4, dimension: Technical, claim: source, value: "yes", issuer: 局, validFrom: "2026-01-01", validUntil: "2026-12-31", recordedOn: "2026-01-01", enteredBy: 甲, state: Unverified }
    - { id: e5, dimension: Technical, claim: chip, value: "yes", issuer: 局, validFrom: "2026-01-01", validUntil: "2026-12-31", recordedOn: "2026-01-01", enteredBy: 甲, verifiedBy: 乙, verifiedOn: "2026-01-02", state: Revoked, endedOn: "2026-03-01" }
  protection:
    level: 3
    reports:
      - { number: "测2025", assessor: 所, date: "2025-03-01", dueAgain: "2026-03-01", enteredBy: 甲, verifiedBy: 乙, verifiedOn: "2025-03-02", state: Verified }
      - { number: "测2026", assessor: 所, date: "2026-02-01", dueAgain: "2027-02-01", enteredBy: 甲, verifiedBy: 乙, verifiedOn: "2026-02-02", state: Verified }
"#;

    #[test]
    fn what_was_renewed_is_one_thing_and_what_does_not_count_is_none() {
        let now: Timestamp = "2026-11-26T00:00:00+08:00".parse().unwrap();
        let fleet = load_texts(&[("fleet.yaml".to_owned(), FLEET.as_bytes())], &Options::at(now)).unwrap();
        assert_eq!(fleet.worst(), Some(jiuzhou_engine::terms::Severity::Warning), "{:#?}", fleet.findings);
        let all = expiring(&fleet.objects, now);
        let told: Vec<_> = all.iter().map(|one| (one.proof.as_str(), one.name.as_str(), one.days_left(now))).collect();
        assert_eq!(
            told,
            [("Data", "keyCustody e2", 35), ("Operational", "staff e3", -149), ("Protection", "测2026", 67)],
            "what ran out without successor stays"
        );
        assert_eq!(all[0].last_day().to_string(), "2026-12-31");
    }
}
