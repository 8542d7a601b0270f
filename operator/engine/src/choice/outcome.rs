//! What [`choose`](super::choose) answers.
//!
//! Numbers and enums; sentences are made elsewhere from [`Limit`] and [`Facts`]. Slices borrow the scratch.

use crate::terms::Code;

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'s> {
    /// Here.
    Placed(Placement<'s>),
    /// Proven: nothing satisfies all Required keys and bounds. What runs is left alone by the caller.
    Infeasible(Facts),
    /// The search gave up within its budget; a placement may exist.
    NotProven(Facts),
    /// The question contradicts itself.
    Invalid(Invalid),
}

/// Why a question cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// Replicas outside 1 to [`MAX_REPLICAS`](super::MAX_REPLICAS).
    Replicas,
    /// More than [`MAX_KEYS`](super::MAX_KEYS) keys.
    Keys,
    /// A candidate's slot or extra is outside its column.
    Slot,
}

/// One cluster of a placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The cluster.
    pub slot: u32,
    /// Replicas wanted there, at least 1.
    pub replicas: i64,
    /// Replicas there now.
    pub current: i64,
}

/// A feasible placement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement<'s> {
    /// Chosen clusters in name order.
    pub targets: &'s [Target],
    /// Replicas that leave candidates, beyond those given up because fewer are wanted.
    pub leaving: i64,
    /// The highest ordered group that had to be opened.
    pub tier: u32,
    /// Bit i: Preferred key i was dropped.
    pub dropped: u8,
    /// What kept further clusters out.
    pub limit: Limit,
    /// False when a search ran out of budget and a better one may exist (this one is valid all the same).
    pub optimal: bool,
    /// Whether what runs was moved for a better score.
    pub rebalanced: bool,
}

/// What bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// No candidate at all.
    NoCandidate,
    /// Every candidate that fits is used.
    Candidates,
    /// Every replica has its place.
    Replicas,
    /// Capacity.
    Capacity,
    /// Most groups of key `.0`.
    MaxGroups(u8),
    /// Least groups of key `.0`.
    MinGroups(u8),
    /// Replicas per group of key `.0`: the least of each used group cannot be met.
    MinReplicas(u8),
    /// Share per group of key `.0`; on failure with the smallest number of replicas above the wanted one at which the
    /// floors suffice, 0 when there is none.
    Share(u8, i64),
    /// Only all together.
    Together,
}

impl Limit {
    /// The code of a refusal for this bound.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::NoCandidate => Code::NoCandidate,
            Self::Capacity | Self::Candidates => Code::CapacityInsufficient,
            Self::MinGroups(_) => Code::SpreadGroupsMissing,
            Self::MaxGroups(_) => Code::SpreadGroupsTooFew,
            Self::MinReplicas(_) | Self::Replicas => Code::SpreadReplicasTooFew,
            Self::Share(..) => Code::ShareRounding,
            Self::Together => Code::SpreadConflict,
        }
    }
}

/// Facts of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What bound.
    pub limit: Limit,
    /// Candidates with room for what a used cluster must take at least.
    pub usable: u32,
    /// Replicas all of them hold together (saturating).
    pub capacity: i64,
    /// Replicas the best ones hold within the bounds on numbers of groups of each key: an upper bound.
    pub best: i64,
    /// Per key: groups with room for their least.
    pub groups: [u32; super::MAX_KEYS],
    /// Search nodes used.
    pub nodes: u64,
}
