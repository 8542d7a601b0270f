//! Cloud adoption (上云率) and domestic share (国产化率): what counts, out of what, and why the rest does not.
//!
//! One entry of the register per 项目编码. Measured adoption counts entries that are lifted with verified evidence or
//! cloud native with Ready replicas for long enough, out of all entries neither retired nor validly exempt; 托管 is not
//! cloud. Beside it stand the other readings of the same register, so that no single number hides the rest. No national
//! formula is confirmed; this one is the project's, printed with every report.

mod judge;
mod register;
mod report;

pub use register::{Assessed, Body, Entry, Exemption, Footprint, Hosting, Register, Settings};
pub use report::{Adoption, AdoptionReport, adoption};

use serde::Serialize;

/// Which figure; the text form is its id in the glossary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FigureId {
    /// 实测上云率: the headline.
    AdoptionMeasured,
    /// By hosting state as declared, evidence or not.
    AdoptionDeclared,
    /// As measured, exempt entries in the denominator.
    AdoptionWithoutExemptions,
    /// Cloud native with Ready replicas only.
    AdoptionCloudNative,
    /// As measured and wholly in the government's own machine rooms.
    AdoptionGovernmentRooms,
    /// As measured, weighted by observed CPU (millicores).
    AdoptionObservedVcpu,
    /// Share of observed CPU on the cloud with a valid 安全可靠测评.
    DomesticAssessed,
    /// Share of observed CPU on the cloud of domestic brands.
    DomesticBrand,
    /// Share of observed CPU on the cloud that is not x86.
    DomesticNonX86,
}

impl FigureId {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 9] = [
        Self::AdoptionMeasured,
        Self::AdoptionDeclared,
        Self::AdoptionWithoutExemptions,
        Self::AdoptionCloudNative,
        Self::AdoptionGovernmentRooms,
        Self::AdoptionObservedVcpu,
        Self::DomesticAssessed,
        Self::DomesticBrand,
        Self::DomesticNonX86,
    ];

    /// Its id in the glossary.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AdoptionMeasured => "adoption-measured",
            Self::AdoptionDeclared => "adoption-declared",
            Self::AdoptionWithoutExemptions => "adoption-without-exemptions",
            Self::AdoptionCloudNative => "adoption-cloud-native",
            Self::AdoptionGovernmentRooms => "adoption-government-rooms",
            Self::AdoptionObservedVcpu => "adoption-observed-vcpu",
            Self::DomesticAssessed => "domestic-assessed",
            Self::DomesticBrand => "domestic-brand",
            Self::DomesticNonX86 => "domestic-non-x86",
        }
    }
}
