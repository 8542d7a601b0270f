//! Files for studies: tests, scenarios, simulations and evidence beside the resources, checked like them, and the changes they
//! suppose.
//!
//! A supposed change is an edit of documents before they are checked ([`change`]), so what it means is told by the same
//! schema, the same checks and the same engine as if somebody had written it into the files.

mod change;
mod days;
mod edit;
mod merge;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiuzhou_api::study::{self, AssessmentEvidence, Change, PlacementTest, Scenario, Simulation};
use jiuzhou_engine::terms::{Code, Finding, Reason};

use crate::documents::Document;
use crate::load::Input;
use crate::objects::{self, Items, Origin};
use crate::schema::{Kinds, SchemaError};

pub use change::Supposed;
pub use days::{Days, DaysError, Morning};

/// Tests, scenarios, simulations and evidence of an input, by name.
#[derive(Clone, Debug, Default)]
pub struct Studies {
    /// Tests.
    pub tests: Items<PlacementTest>,
    /// Scenarios.
    pub scenarios: Items<Scenario>,
    /// Evidence for assessments.
    pub evidence: Items<AssessmentEvidence>,
    /// Simulations.
    pub simulations: Items<Simulation>,
}

impl Studies {
    /// Takes the files for studies out of the documents of an input.
    ///
    /// # Errors
    /// When the schemas of this build are broken.
    pub(crate) fn take(documents: &mut Vec<Document>, findings: &mut Vec<Finding>) -> Result<Self, SchemaError> {
        let of_studies = |document: &Document| document.group_version().0 == study::GROUP;
        let mut studies = Self::default();
        if !documents.iter().any(of_studies) {
            return Ok(studies);
        }
        let kinds = Kinds::new(study::GROUP, &study::definitions())?;
        let (taken, rest) = std::mem::take(documents).into_iter().partition(of_studies);
        *documents = rest;
        let taken: Vec<Document> = taken;
        for mut document in taken {
            if !kinds.check(&mut document, findings) {
                continue;
            }
            match document.kind.as_str() {
                "PlacementTest" => objects::add(&mut studies.tests, document, Origin::Input, findings),
                "Scenario" => objects::add(&mut studies.scenarios, document, Origin::Input, findings),
                "AssessmentEvidence" => objects::add(&mut studies.evidence, document, Origin::Input, findings),
                "Simulation" => objects::add(&mut studies.simulations, document, Origin::Input, findings),
                _ => {
                    let reason = Reason::new(Code::KindUnknown).object(document.kind.as_str());
                    findings.push(document.finding(reason, "/kind"));
                }
            }
        }
        Ok(studies)
    }
}

/// A change and where it stands.
#[derive(Clone, Debug)]
pub struct Placed<'a> {
    /// The change.
    pub change: &'a Change,
    /// The document it stands in.
    pub document: &'a Document,
    /// Where in it.
    pub pointer: String,
}

/// The changes of a list with their places.
pub fn placed<'a>(changes: &'a [Change], document: &'a Document, pointer: &str) -> Vec<Placed<'a>> {
    let place = |(index, change)| Placed { change, document, pointer: format!("{pointer}/{index}") };
    changes.iter().enumerate().map(place).collect()
}

impl Input {
    /// The same input with changes made to it in their order, and what no resource can say of them. What a change names
    /// and is not there becomes a finding at the change.
    #[must_use]
    pub fn supposing(&self, changes: &[Placed<'_>], as_of: Timestamp, findings: &mut Vec<Finding>) -> (Self, Supposed) {
        let mut documents: Vec<Document> = self.documents.clone();
        documents.retain(|document| document.group_version().0 != study::GROUP);
        let mut supposed = Supposed::default();
        for change in changes {
            change::make(&mut documents, change, as_of, &mut supposed, findings);
        }
        (Self { documents, findings: self.findings.clone() }, supposed)
    }
}
