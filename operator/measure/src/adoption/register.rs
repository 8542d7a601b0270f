//! The register of information systems as adoption reads it: plain values, filled by intake from the resources.
//!
//! Nothing in here is judged. Facts about where a system runs are observed ones (`Footprint`); what its owner says is
//! the hosting state.

use jiff::{Timestamp, civil::Date};
use jiuzhou_engine::terms::ObjectRef;
use serde::Serialize;

/// Hosting state as declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Hosting {
    /// On its owner's own machines.
    OnPremises,
    /// 托管: its machines stand in another's room.
    Hosted,
    /// Moved onto the cloud as it was.
    Lifted,
    /// Built for the cloud; its workloads are under this control plane.
    CloudNative,
    /// Out of service.
    Retired,
}

/// Permission to stay off the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// Document number; without one the exemption does not count.
    pub document: String,
    /// First Beijing day it holds (the day of its document); `None` when not stated, which does not make it invalid.
    pub from: Option<Date>,
    /// Last Beijing day it holds, inclusive.
    pub until: Date,
}

/// CPU of a system observed in one place, in millicores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Observed CPU.
    pub millicores: i64,
    /// Whether the place is a cloud (a member cluster or a cloud asset).
    pub on_cloud: bool,
    /// Whether the site is the government's own machine room; `None` unknown.
    pub government_room: Option<bool>,
    /// CPU brand or platform, for the list of what did not count; empty when unknown.
    pub cpu: String,
    /// CPU brand; empty when unknown.
    pub brand: String,
    /// Who runs the cloud; empty when unknown.
    pub provider: String,
    /// Whether the brand is domestic; `None` unknown.
    pub domestic: Option<bool>,
    /// Whether it is x86; `None` unknown.
    pub x86: Option<bool>,
    /// Whether it has a 安全可靠测评.
    pub assessed: Assessed,
}

/// The 安全可靠测评 of a CPU. Whether it is valid depends on the day the report speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Assessed {
    /// The CPU, or its part in a mixed cluster, is not known.
    #[default]
    Unknown,
    /// The CPU is known and on no notice.
    Never,
    /// On a notice, valid between two Beijing days, both inclusive.
    Between(Date, Date),
}

impl Assessed {
    /// Whether it is valid on a day; `None` unknown.
    #[must_use]
    pub fn on(self, day: Date) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Never => Some(false),
            Self::Between(from, until) => Some(from <= day && day <= until),
        }
    }
}

/// One information system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The `InformationSystem`.
    pub reference: ObjectRef,
    /// What people call it, for sentences; empty to use its name.
    pub title: String,
    /// 项目编码; empty when missing.
    pub project_code: String,
    /// Its tenant.
    pub tenant: String,
    /// Function domain; empty when not stated.
    pub function: String,
    /// Six-digit GB/T 2260 code of the place it serves; empty when not stated.
    pub region: String,
    /// Hosting state as declared.
    pub hosting: Hosting,
    /// First Beijing day of that state; a day after the report's says that the state does not hold yet.
    pub since: Option<Date>,
    /// Whether evidence of the move was verified, by another person than who entered it, by `as_of`.
    pub lift_verified: bool,
    /// Whole days up to `as_of` for which all its workloads have had Ready replicas; `None` when they have not now.
    pub ready_days: Option<i64>,
    /// Exemption, if any.
    pub exemption: Option<Exemption>,
    /// Where it was observed; empty when nothing is known.
    pub footprint: Vec<Footprint>,
}

/// A body (单位) and its place in the two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Name of the `Tenant`.
    pub name: String,
    /// 块: the body of the locality above it.
    pub block_parent: Option<String>,
    /// 条: the body of the same line above it.
    pub line_parent: Option<String>,
    /// Level of government, e.g. `City`; empty when not stated.
    pub level: String,
}

/// Everything the report reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    /// Bodies, each once.
    pub bodies: Vec<Body>,
    /// Systems, each once.
    pub entries: Vec<Entry>,
}

/// How the report judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The moment it speaks of.
    pub as_of: Timestamp,
    /// Days of Ready replicas that a cloud-native system needs.
    pub minimum_ready_days: i64,
}
