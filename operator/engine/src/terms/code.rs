//! Every code of a finding or of a refusal: a closed list, one line each.
//!
//! A code is never translated and never reused. Its sentences (and its fix) in both languages are the report room's;
//! a test there demands them for every code in [`Code::ALL`]. Rooms that find things add their codes here, in the
//! area they belong to, in alphabetical order.

use serde::{Deserialize, Serialize};

use super::Severity;

/// Which part of the work a code belongs to; `jiuzhou help codes` groups by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Area {
    /// Reading files: syntax, limits, schema, CEL, references.
    Intake,
    /// Reading nodes: CPU detection.
    Detect,
    /// Whether a cluster may carry a workload.
    Rule,
    /// The exact image-to-node rule.
    Architecture,
    /// Whether and how a workload fits.
    Choice,
    /// Figures: energy, carbon, cost, adoption.
    Measure,
}

macro_rules! codes {
    ($($area:ident { $($(#[$doc:meta])* $name:ident: $severity:ident,)* })*) => {
        /// A code; the meaning of each stands beside it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code { $($($(#[$doc])* $name,)*)* }

        impl Code {
            /// Every code, by area and name.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)*)*];

            /// The code as printed, in JSON and on the command line.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $($(Self::$name => stringify!($name),)*)* }
            }

            /// How much a finding with this code weighs unless stated otherwise.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $($(Self::$name => Severity::$severity,)*)* }
            }

            /// The area it belongs to.
            #[must_use]
            pub fn area(self) -> Area {
                match self { $($(Self::$name => Area::$area,)*)* }
            }
        }
    };
}

codes! {
    Intake {
        /// The file cannot be opened or read.
        FileUnreadable: Error,
        /// The text is not YAML or JSON.
        SyntaxInvalid: Error,
    }
    Detect {
        /// Two sources of evidence about a node's CPU disagree; the pool is Unknown.
        EvidenceConflict: Warning,
    }
    Rule {
        /// A label or expression of the placement does not match.
        AffinityMismatch: Error,
    }
    Architecture {
        /// The image offers nothing for this platform.
        NoManifestForPlatform: Error,
    }
    Choice {
        /// Too little room.
        CapacityInsufficient: Error,
    }
    Measure {
        /// A green certificate ran out: more than 24 months from its generation month.
        CertificateExpired: Warning,
        /// A green certificate of a generation month after the month it is used for, or with no kWh.
        CertificateInvalid: Error,
        /// A green certificate that was not retired counts for nobody.
        CertificateNotRetired: Warning,
        /// The same certificate id was claimed more than once; only the first claim counts.
        CertificateUsedTwice: Error,
        /// A meter's counter ran backwards without a known maximum; the energy in between is not known.
        CounterReset: Warning,
        /// The CPU is not domestic by this measure.
        CpuNotDomestic: Info,
        /// A body with no information system on the register: 不适用.
        EntryAbsent: Info,
        /// A register entry with a valid exemption is left out of the denominator.
        EntryExempt: Info,
        /// A lifted system is on the cloud but not cloud native.
        EntryLifted: Info,
        /// A register entry that stays on premises is not on the cloud.
        EntryOnPremises: Info,
        /// A retired register entry is left out of the denominator.
        EntryRetired: Info,
        /// An exemption that ran out or names no document does not count.
        ExemptionInvalid: Warning,
        /// No factor of the place exists; the national one is used.
        FactorFallback: Info,
        /// A figure that was needed is not there; the result stays 未知.
        FigureMissing: Info,
        /// 托管 is not cloud.
        HostedNotCloud: Info,
        /// A lifted system whose evidence nobody verified is not counted.
        LiftUnverified: Warning,
        /// A cloud-native system without Ready replicas for the days asked for is not counted.
        NotReadyLongEnough: Warning,
        /// It runs outside the government's own machine rooms, wholly or in part.
        OutsideGovernmentRooms: Info,
        /// Two prices of the same rank hold for the same month; neither is used.
        PriceConflict: Error,
        /// A register entry without 项目编码 stays in the denominator and is not counted.
        ProjectCodeAbsent: Warning,
        /// The same 项目编码 appears twice; the entry is counted once.
        ProjectCodeRepeated: Error,
        /// A PUE under 1 is impossible.
        PueBelowOne: Error,
        /// A designed, partial or estimated PUE is not used for energy.
        PueNotMeasured: Info,
        /// A PUE of another period is not used.
        PuePeriodDiffers: Info,
        /// A reading that cannot be: negative, or beyond the counter's own maximum.
        ReadingInvalid: Error,
        /// Samples are too far apart; nothing is filled in.
        SampleGap: Info,
        /// No price holds for some of the time.
        TimeUnpriced: Warning,
        /// The meter and the sum of what is explained differ.
        UnexplainedDifference: Warning,
    }
}

impl Code {
    /// Reads a code as printed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}
