//! What sovereignty and protection rest on: documents with terms, how far each was examined, and the tiers that ask for
//! them.
//!
//! What a document or a tier means is told by [`crate::decide::tier`]; here are only the forms.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DataClass, Ownership, Term};
use crate::detect::{Arch, Level};

/// A report of a classified-protection assessment (等保测评, GB/T 28448).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProtectionReport {
    /// Number of the report.
    pub number: String,
    /// Level it attests, 1 to 5.
    pub level: u8,
    /// Whether it concludes that the platform conforms.
    pub conforms: bool,
    /// Validity.
    pub term: Term,
    /// When it was entered; a later entry counts for later decisions only.
    pub recorded_at: Timestamp,
    /// How far it has been examined: it counts when a second person verified it.
    pub state: EvidenceState,
    /// When it came into that state, for Verified, Rejected and Revoked; `None` means at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_since: Option<Timestamp>,
}

/// The side of sovereignty a check or a document speaks about (white paper: six dimensions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Dimension {
    /// Data.
    Data,
    /// Technical.
    Technical,
    /// Operational.
    Operational,
    /// Availability.
    Availability,
    /// Supply chain.
    SupplyChain,
    /// Geopolitical.
    Geopolitical,
}

impl Dimension {
    /// All six, in the order of the resource.
    pub const ALL: [Self; 6] =
        [Self::Data, Self::Technical, Self::Operational, Self::Availability, Self::SupplyChain, Self::Geopolitical];
}

/// How far a document has been examined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EvidenceState {
    /// Entered, not examined.
    #[default]
    Unverified,
    /// A second person verified it.
    Verified,
    /// Examined and refused.
    Rejected,
    /// Taken back by its issuer.
    Revoked,
}

/// A document about a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Id, unique within the cluster.
    pub id: String,
    /// What side it speaks about.
    pub dimension: Dimension,
    /// What it claims, e.g. `kms-algorithm`.
    pub claim: String,
    /// Value claimed, e.g. `SM4`; empty when the claim stands for itself.
    #[serde(default)]
    pub value: String,
    /// Validity.
    pub term: Term,
    /// When it was entered; a later entry counts for later decisions only.
    pub recorded_at: Timestamp,
    /// How far it has been examined.
    pub state: EvidenceState,
    /// When it came into that state, for Verified, Rejected and Revoked; `None` means at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_since: Option<Timestamp>,
}

/// The result of a check that intake evaluated (CEL over site and cluster).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Supplied {
    /// Holds in this term.
    Holds(Term),
    /// Does not hold.
    Fails,
    /// Cannot be told.
    Unknown,
}

/// What a check looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckKind {
    /// A document with this claim, and one of these values when any are named.
    Evidence {
        /// The claim.
        claim: String,
        /// Values that satisfy; empty means any.
        values: BTreeSet<String>,
    },
    /// The owner is one of these.
    Ownership(BTreeSet<Ownership>),
    /// All jurisdictions are among these.
    Jurisdictions(BTreeSet<String>),
    /// The region begins with one of these GB/T 2260 prefixes.
    Regions(BTreeSet<String>),
    /// A conforming classified-protection report of at least this level.
    Protection(u8),
    /// A conforming cryptography assessment of at least this level.
    Cryptography(u8),
    /// Intake evaluated it: see [`super::ClusterInput::supplied`].
    Supplied,
}

/// One check of a tier.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckInput {
    /// Id, unique within the tier.
    pub id: String,
    /// What side it belongs to.
    pub dimension: Dimension,
    /// What it looks at.
    pub kind: CheckKind,
}

/// What happens to running replicas when a tier is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnExpiry {
    /// They stay and are reported as violating.
    #[default]
    Hold,
    /// They move within the deadline.
    Move {
        /// Seconds after the loss.
        within_seconds: i64,
    },
}

/// A sovereignty tier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TierInput {
    /// Name, e.g. `s2`.
    pub name: String,
    /// Rank; a cluster has the highest at which this and all lower ranks hold. Unique.
    pub rank: u8,
    /// Checks, all of which must pass.
    pub checks: Vec<CheckInput>,
    /// Data classes that need at least this tier.
    pub classes: BTreeSet<DataClass>,
    /// Unknown counts as a failure for workloads that need this tier.
    pub strict: bool,
    /// What losing it means for what runs.
    pub on_expiry: OnExpiry,
    /// Level taken for granted of images that say nothing, by architecture, for workloads that need this tier or a higher
    /// one; it only raises the floor of lower tiers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub floors: BTreeMap<Arch, Level>,
}
