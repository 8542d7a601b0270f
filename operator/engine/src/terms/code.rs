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
        /// The search ended at its budget; a placement may exist.
        ChoiceNotProven: Error,
        /// No cluster passes all rules.
        NoCandidate: Error,
        /// A preferred spread was left out.
        PreferredDropped: Warning,
        /// The share of a group, rounded down, leaves too little for this number of replicas.
        ShareRounding: Error,
        /// No choice meets all spread bounds at once.
        SpreadConflict: Error,
        /// Fewer groups have room than must be used.
        SpreadGroupsMissing: Error,
        /// The groups that may be used have too little room.
        SpreadGroupsTooFew: Error,
        /// The least replicas of each group are more than are wanted.
        SpreadReplicasTooFew: Error,
    }
    Measure {
        /// A figure that was needed is not there; the result stays 未知.
        FigureMissing: Info,
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
