//! Dates against the instant of judgement: evidence from the future, terms that have run out.

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Finding, Reason};

use crate::beijing;
use crate::documents::Document;
use crate::objects::Objects;

use super::own;

pub(super) fn check(objects: &Objects, as_of: Timestamp, findings: &mut Vec<Finding>) {
    let mut dates = Dates { as_of, findings };
    for item in own(&objects.clusters) {
        let (document, spec) = (&item.document, &item.object.spec);
        for (index, evidence) in spec.evidence.iter().enumerate() {
            let at = format!("/spec/evidence/{index}");
            dates.evidence(document, &at, evidence);
        }
        dates.reports(document, "/spec/protection", spec.protection.as_ref());
        dates.reports(document, "/spec/cryptography", spec.cryptography.as_ref());
        for (index, peer) in spec.peers.iter().enumerate() {
            let at = format!("/spec/peers/{index}/validUntil");
            dates.ended(document, &at, &peer.name, peer.valid_until.as_deref());
        }
    }
    for item in own(&objects.systems) {
        let (document, spec) = (&item.document, &item.object.spec);
        dates.reports(document, "/spec/protection", spec.protection.as_ref());
        dates.reports(document, "/spec/cryptography", spec.cryptography.as_ref());
        if let Some(exemption) = &spec.exemption {
            dates.ended(document, "/spec/exemption/until", &exemption.document.number, Some(&exemption.until));
        }
        for (index, contractor) in spec.contractors.iter().enumerate() {
            let at = format!("/spec/contractors/{index}/until");
            dates.ended(document, &at, &contractor.name, Some(&contractor.until));
        }
        dates.future(document, "/spec/hosting/verifiedOn", "hosting", spec.hosting.verified_on.as_deref());
    }
    for item in own(&objects.tenants) {
        for (index, grant) in item.object.spec.quota.iter().enumerate() {
            let at = format!("/spec/quota/{index}/until");
            dates.ended(&item.document, &at, &grant.document.number, grant.until.as_deref());
        }
    }
}

struct Dates<'a> {
    as_of: Timestamp,
    findings: &'a mut Vec<Finding>,
}

impl Dates<'_> {
    fn evidence(&mut self, document: &Document, at: &str, evidence: &api::Evidence) {
        self.future(document, &format!("{at}/recordedOn"), &evidence.id, Some(&evidence.recorded_on));
        self.future(document, &format!("{at}/verifiedOn"), &evidence.id, evidence.verified_on.as_deref());
        if evidence.state == api::EvidenceState::Verified {
            self.ended(document, &format!("{at}/validUntil"), &evidence.id, Some(&evidence.valid_until));
        }
        // The schema refuses the plain case; the same name written with blanks or in other case is the same person.
        let same = |by: &str| by.trim().to_lowercase() == evidence.entered_by.trim().to_lowercase();
        if let Some(by) = evidence.verified_by.as_deref().filter(|by| same(by)) {
            let reason = Reason::new(Code::EvidenceSelfVerified).object(&*evidence.id).seen(by);
            self.findings.push(document.finding(reason, &format!("{at}/verifiedBy")));
        }
    }

    /// Only the newest report matters: older ones have run out by nature.
    fn reports(&mut self, document: &Document, pointer: &str, protection: Option<&api::Protection>) {
        let reports = protection.map(|protection| protection.reports.as_slice()).unwrap_or_default();
        for (index, report) in reports.iter().enumerate() {
            let at = format!("{pointer}/reports/{index}");
            self.future(document, &format!("{at}/date"), &report.number, Some(&report.date));
        }
        let newest = reports.iter().enumerate().max_by_key(|(_, report)| &report.due_again);
        if let Some((index, report)) = newest {
            let at = format!("{pointer}/reports/{index}/dueAgain");
            self.ended(document, &at, &report.number, Some(&report.due_again));
        }
    }

    fn future(&mut self, document: &Document, pointer: &str, what: &str, day: Option<&str>) {
        let Some(day) = day else { return };
        if beijing::start(day).is_some_and(|start| start > self.as_of) {
            let today = beijing::day(self.as_of).to_string();
            let reason = Reason::new(Code::EvidenceFromFuture).object(what).seen(day).wanted(today);
            self.findings.push(document.finding(reason, pointer));
        }
    }

    fn ended(&mut self, document: &Document, pointer: &str, what: &str, day: Option<&str>) {
        let Some(day) = day else { return };
        if beijing::end(day).is_some_and(|end| end <= self.as_of) {
            let reason = Reason::new(Code::TermExpired).object(what).seen(day);
            self.findings.push(document.finding(reason, pointer));
        }
    }
}
