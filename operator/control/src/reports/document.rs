//! From figures to the document that `jiuzhou report` prints, too.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::terms::{ObjectRef, Place, Reason};
use jiuzhou_intake::figures::{self, Answer, Ask, Assessment, Figures};
use jiuzhou_intake::objects::Objects;
use jiuzhou_report::document::{Document, Meta};
use jiuzhou_report::documents::adoption::{AdoptionInput, Lookup, adoption};
use jiuzhou_report::documents::assessment::{AssessmentInput, assessment};
use jiuzhou_report::documents::energy::energy;
use jiuzhou_report::documents::settlement::settlement;
use jiuzhou_report::documents::sovereignty::{SovereigntyInput, sovereignty};

/// The document of an answer.
pub(super) fn document(objects: &Objects, ask: &Ask, answer: &Answer, now: Timestamp) -> Document {
    let meta = Meta::new(Some(ask.as_of(now)), None);
    let names = Names(objects);
    let findings = answer.findings.clone();
    let mut document = match &answer.figures {
        Figures::Adoption(report) => {
            let comparison = figures::comparison().map(|published| (published.value, published.source.to_owned()));
            let input = AdoptionInput { report, minimum_days: ask.minimum_days, comparison, lookup: &names };
            adoption(meta, &input, findings)
        }
        Figures::Energy(account) => energy(meta, account, &names, findings),
        Figures::Assessment(found) => {
            let Assessment { bodies, inputs, index, rule, .. } = &**found;
            let input = AssessmentInput { bodies, inputs, index, rule: *rule, lookup: &names };
            assessment(meta, &input, findings)
        }
        Figures::Settlement(settled) => settlement(meta, settled, &names, findings),
        Figures::Sovereignty(found) => {
            let figures::Sovereignty { now, tiers, expiring, bodies, brands, providers, refused, nearest, .. } =
                &**found;
            // Objects of a hub stand in no file.
            let (now, lookup, places) = (*now, &names, &BTreeMap::new());
            let input =
                SovereigntyInput { now, tiers, expiring, bodies, brands, providers, refused, nearest, places, lookup };
            sovereignty(meta, &input, findings)
        }
    };
    document.subject.clone_from(&answer.subject);
    document
}

/// Names and documents of the hub's objects, which stand in no file.
struct Names<'a>(&'a Objects);

impl Lookup for Names<'_> {
    fn title(&self, object: &ObjectRef) -> Option<String> {
        figures::title(self.0, object)
    }

    fn division(&self, code: &str) -> Option<String> {
        figures::division(code).map(str::to_owned)
    }

    fn document(&self, object: &ObjectRef, reason: &Reason) -> Option<String> {
        figures::document(self.0, object, reason.code)
    }

    fn place(&self, _: &ObjectRef) -> Option<Place> {
        None
    }
}
