//! Days: what is dated in the future, what has run out, what runs out soon.
//!
//! Days compare as text (`YYYY-MM-DD`). A term that another one has taken over is history and says nothing. Terms that
//! end before they begin are refused by the schema.

use jiuzhou_api::v1alpha1::{AssessmentReport, Evidence, EvidenceState, Protection, PueKind, QuotaGrant};
use jiuzhou_engine::terms::{Code, Finding, Reason};

use super::scene::{Field, Scene, full_name, input};

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut days = Days { scene, out };
    days.evidence();
    days.protection();
    days.clusters();
    days.platforms();
    days.sites();
    days.tenants();
    days.systems();
    days.images();
}

struct Days<'s, 'o> {
    scene: &'s Scene<'s>,
    out: &'o mut Vec<Finding>,
}

impl Days<'_, '_> {
    /// Something that has happened, but is dated after the day of the run.
    fn past(&mut self, code: Code, object: &str, day: Option<&str>, at: &Field<'_>) {
        if let Some(day) = day.filter(|day| *day > self.scene.today.as_str()) {
            self.out.push(at.finding(Reason::new(code).object(object).seen(day).wanted(self.scene.today.as_str())));
        }
    }

    /// A month that has begun at least.
    fn past_month(&mut self, object: &str, month: &str, at: &Field<'_>) {
        if month > self.scene.month() {
            let reason = Reason::new(Code::RecordFromFuture).object(object).seen(month);
            self.out.push(at.finding(reason.wanted(self.scene.month())));
        }
    }

    /// The last day of something that should hold now.
    fn ends(&mut self, object: &str, until: &str, at: &Field<'_>) {
        let code = match until {
            until if until < self.scene.today.as_str() => Code::TermExpired,
            until if until <= self.scene.soon.as_str() => Code::TermEnding,
            _ => return,
        };
        self.out.push(at.finding(Reason::new(code).object(object).seen(until)));
    }

    fn starts(&mut self, object: &str, from: &str, at: &Field<'_>) {
        if from > self.scene.today.as_str() {
            self.out.push(at.finding(Reason::new(Code::TermUnstarted).object(object).seen(from)));
        }
    }

    fn evidence(&mut self) {
        for item in input(&self.scene.objects.clusters) {
            let all = &item.object.spec.evidence;
            for (index, evidence) in all.iter().enumerate() {
                let at = Field::new(&item.document, format!("/spec/evidence/{index}"));
                let future = Code::EvidenceFromFuture;
                self.past(future, &evidence.id, Some(&evidence.recorded_on), &at.down("recordedOn"));
                self.past(future, &evidence.id, evidence.verified_on.as_deref(), &at.down("verifiedOn"));
                self.past(future, &evidence.id, evidence.ended_on.as_deref(), &at.down("endedOn"));
                let counts = matches!(evidence.state, EvidenceState::Verified | EvidenceState::Unverified);
                if counts && !taken_over(evidence, all) {
                    self.ends(&evidence.id, &evidence.valid_until, &at.down("validUntil"));
                    self.starts(&evidence.id, &evidence.valid_from, &at.down("validFrom"));
                }
            }
        }
    }

    /// Assessments of 等保 and 密评: none from the future, and the newest not overdue.
    fn protection(&mut self) {
        for item in input(&self.scene.objects.clusters) {
            let spec = &item.object.spec;
            self.reports(spec.protection.as_ref(), &Field::new(&item.document, "/spec/protection"));
            self.reports(spec.cryptography.as_ref(), &Field::new(&item.document, "/spec/cryptography"));
        }
        for item in input(&self.scene.objects.systems) {
            let spec = &item.object.spec;
            self.reports(spec.protection.as_ref(), &Field::new(&item.document, "/spec/protection"));
            self.reports(spec.cryptography.as_ref(), &Field::new(&item.document, "/spec/cryptography"));
        }
    }

    fn reports(&mut self, protection: Option<&Protection>, at: &Field<'_>) {
        let reports: &[AssessmentReport] = protection.map_or(&[], |protection| &protection.reports);
        let newest = reports.iter().map(|report| &report.date).max();
        for (index, report) in reports.iter().enumerate() {
            let at = at.at("reports", index);
            self.past(Code::RecordFromFuture, &report.number, Some(&report.date), &at.down("date"));
            for (field, day) in [
                ("recordedOn", &report.recorded_on),
                ("verifiedOn", &report.verified_on),
                ("endedOn", &report.ended_on),
            ] {
                self.past(Code::RecordFromFuture, &report.number, day.as_deref(), &at.down(field));
            }
            if Some(&report.date) == newest {
                self.ends(&report.number, &report.due_again, &at.down("dueAgain"));
            }
        }
    }

    fn clusters(&mut self) {
        for item in input(&self.scene.objects.clusters) {
            for (index, peer) in item.object.spec.peers.iter().enumerate() {
                if let Some(until) = &peer.valid_until {
                    let at = Field::new(&item.document, format!("/spec/peers/{index}/validUntil"));
                    self.ends(&peer.ticket, until, &at);
                }
            }
        }
    }

    /// Assessments (安全可靠测评) of the same product by a later notice take the place of older ones.
    fn platforms(&mut self) {
        for item in input(&self.scene.objects.platforms) {
            let all = &item.object.spec.assurance;
            for (index, one) in all.iter().enumerate() {
                let at = Field::new(&item.document, format!("/spec/assurance/{index}"));
                self.past(Code::RecordFromFuture, &one.notice, Some(&one.date), &at.down("date"));
                let later = |other: &&jiuzhou_api::v1alpha1::Assurance| {
                    other.product == one.product && other.valid_until > one.valid_until
                };
                if !all.iter().any(|other| later(&other)) {
                    self.ends(&one.notice, &one.valid_until, &at.down("validUntil"));
                }
            }
        }
    }

    fn sites(&mut self) {
        for item in input(&self.scene.objects.sites) {
            let (spec, name) = (&item.object.spec, full_name(&item.document));
            let at = Field::new(&item.document, "/spec");
            for (index, pue) in spec.pue.iter().enumerate().filter(|(_, pue)| pue.kind != PueKind::Design) {
                self.past_month(&name, &pue.until_month, &at.at("pue", index).down("untilMonth"));
            }
            for (index, figure) in spec.renewable.iter().enumerate() {
                self.past_month(&name, &figure.until_month, &at.at("renewable", index).down("untilMonth"));
            }
            for (index, figure) in spec.water.iter().enumerate() {
                self.past_month(&name, &figure.until_month, &at.at("water", index).down("untilMonth"));
            }
            for (index, reading) in spec.meter_readings.iter().enumerate() {
                self.past_month(&name, &reading.month, &at.at("meterReadings", index).down("month"));
            }
            for (index, bill) in spec.bills.iter().enumerate() {
                self.past_month(&bill.number, &bill.month, &at.at("bills", index).down("month"));
            }
            for (index, certificate) in spec.certificates.iter().enumerate() {
                let at = at.at("certificates", index);
                self.past_month(&certificate.id, &certificate.generated_month, &at.down("generatedMonth"));
                let retired = certificate.retired_on.as_deref();
                self.past(Code::RecordFromFuture, &certificate.id, retired, &at.down("retiredOn"));
            }
            for (index, factor) in spec.grid_factors.iter().enumerate() {
                let year = format!("{:04}", factor.year);
                let this = self.scene.today.get(..4).unwrap_or_default();
                if year.as_str() > this {
                    let reason = Reason::new(Code::RecordFromFuture).object(name.as_str()).seen(year).wanted(this);
                    self.out.push(at.at("gridFactors", index).down("year").finding(reason));
                }
            }
        }
    }

    fn tenants(&mut self) {
        for item in input(&self.scene.objects.tenants) {
            let all = &item.object.spec.quota;
            for (index, grant) in all.iter().enumerate() {
                let at = Field::new(&item.document, format!("/spec/quota/{index}"));
                let issued = grant.document.date.as_deref();
                let number = grant.document.number.as_ref();
                self.past(Code::RecordFromFuture, number, issued, &at.down("document").down("date"));
                self.starts(number, &grant.from, &at.down("from"));
                if let Some(until) = grant.until.as_deref().filter(|_| !followed(grant, all)) {
                    self.ends(number, until, &at.down("until"));
                }
            }
        }
    }

    fn systems(&mut self) {
        for item in input(&self.scene.objects.systems) {
            let (spec, name) = (&item.object.spec, full_name(&item.document));
            let at = Field::new(&item.document, "/spec");
            let future = Code::RecordFromFuture;
            let hosting = at.down("hosting");
            self.past(future, &name, spec.hosting.since.as_deref(), &hosting.down("since"));
            self.past(future, &name, spec.hosting.verified_on.as_deref(), &hosting.down("verifiedOn"));
            let issued = spec.hosting.evidence.as_ref().and_then(|document| document.date.as_deref());
            self.past(Code::EvidenceFromFuture, &name, issued, &hosting.down("evidence").down("date"));
            let class = at.down("dataClass");
            self.past(future, &name, spec.data_class.set_on.as_deref(), &class.down("setOn"));
            self.past(future, &name, spec.data_class.confirmed_on.as_deref(), &class.down("confirmedOn"));
            if let Some(exemption) = &spec.exemption {
                let at = at.down("exemption");
                let issued = exemption.document.date.as_deref();
                self.past(future, &exemption.document.number, issued, &at.down("document").down("date"));
                self.ends(&exemption.document.number, &exemption.until, &at.down("until"));
            }
            for (index, contractor) in spec.contractors.iter().enumerate() {
                self.ends(&contractor.name, &contractor.until, &at.at("contractors", index).down("until"));
            }
        }
    }

    fn images(&mut self) {
        for item in input(&self.scene.objects.images) {
            for (index, entry) in item.object.spec.entries.iter().enumerate() {
                for (nth, fact) in entry.facts.iter().enumerate() {
                    let at = Field::new(&item.document, format!("/spec/entries/{index}/facts/{nth}/recordedOn"));
                    let day = fact.recorded_on.as_deref();
                    self.past(Code::EvidenceFromFuture, &item.document.name, day, &at);
                }
            }
        }
    }
}

/// Whether evidence for the same claim outlasts this one.
fn taken_over(evidence: &Evidence, all: &[Evidence]) -> bool {
    all.iter().any(|other| {
        other.claim == evidence.claim
            && other.state == EvidenceState::Verified
            && other.valid_until > evidence.valid_until
    })
}

/// Whether a later grant names everything this one does.
fn followed(grant: &QuotaGrant, all: &[QuotaGrant]) -> bool {
    grant.hard.keys().all(|name| {
        all.iter().any(|other| {
            let longer = match (&other.until, &grant.until) {
                (None, Some(_)) => true,
                (Some(other), Some(own)) => other > own,
                (_, None) => false,
            };
            longer && other.platform == grant.platform && other.hard.contains_key(name)
        })
    })
}
