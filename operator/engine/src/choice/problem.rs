//! What is asked of [`choose`](super::choose): replicas, candidates, keys of spread, mode.
//!
//! Compiled values only: no names, no label texts. What all bindings of a fleet share (name ranks, group columns) is
//! borrowed by slot, so that a problem over 1,000 clusters copies 32 bytes per eligible cluster and nothing else.

use crate::terms::Percent;

/// The group of a cluster without that label.
pub const NO_GROUP: u32 = u32::MAX;
/// [`Candidate::extra`] of a cluster that has none.
pub const NO_EXTRA: u32 = u32::MAX;
/// How many keys of spread one problem may have.
pub const MAX_KEYS: usize = 3;
/// More replicas than this are refused as [`Outcome::Invalid`](super::Outcome::Invalid).
pub const MAX_REPLICAS: i64 = 1_000_000;

/// One eligible cluster. Clusters that break a hard rule are not in the list at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The cluster; index into [`Problem::ranks`] and into [`KeyGroups::Column`].
    pub slot: u32,
    /// Index into [`Problem::extras`], or [`NO_EXTRA`].
    pub extra: u32,
    /// Ordered group of the policy, 0 first; a later one is opened only when the earlier ones do not do.
    pub tier: u32,
    /// Higher is better.
    pub score: i64,
    /// Replicas that can be there in total, those already there included. What runs is kept only up to this.
    pub capacity: i64,
}

/// What only a few candidates have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extra {
    /// Replicas that run there (or are placed there) now.
    pub current: i64,
    /// Least replicas if the cluster is used at all; below 1 means 1.
    pub min: i64,
    /// Most replicas; `i64::MAX` for no bound.
    pub max: i64,
    /// Weight in [`Mode::Weighted`]; negative counts as 0. Candidates without an extra weigh 1.
    pub weight: i64,
}

impl Extra {
    /// Nothing runs there, no bounds, weight 1.
    pub const NONE: Self = Self { current: 0, min: 1, max: i64::MAX, weight: 1 };
}

/// How replicas are given to the chosen clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every chosen cluster gets all replicas. A share in percent has no meaning here and is not applied; group
    /// bounds in replicas count every copy.
    Duplicated,
    /// By [`Extra::weight`].
    Weighted,
    /// By [`Candidate::capacity`].
    ByCapacity,
    /// As few clusters as possible, the best one filled first.
    Packed,
}

/// Which groups a key makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyGroups<'a> {
    /// Every cluster is its own group.
    Cluster,
    /// Group of each slot, [`NO_GROUP`] for none. Ids are dense: at or above `count` means none.
    Column {
        /// By slot.
        by_slot: &'a [u32],
        /// Number of ids.
        count: u32,
    },
}

/// Whether a key must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// Infeasible without it.
    Required,
    /// Dropped (from the last declared backwards) when nothing feasible honours it, or when honouring it would move
    /// replicas off clusters that may keep them. While honoured it means what Required means.
    Preferred,
}

/// One key of spread. A cluster that belongs to no group of a key in force is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// Groups.
    pub groups: KeyGroups<'a>,
    /// Least number of groups that really get replicas.
    pub min_groups: u32,
    /// Most groups; `u32::MAX` for no bound.
    pub max_groups: u32,
    /// Least replicas in a group that is used; below 1 means 1.
    pub min_replicas: i64,
    /// Most replicas per group as a share of all; the floor counts.
    pub max_share: Option<Percent>,
    /// Most replicas per group as a number; `i64::MAX` for no bound.
    pub max_replicas: i64,
    /// Most replicas per group id (an account of the ledger); empty for none. Only for [`KeyGroups::Column`].
    pub room: &'a [i64],
    /// Whether it must hold.
    pub strength: Strength,
}

impl<'a> Key<'a> {
    /// A required key without bounds.
    #[must_use]
    pub fn new(groups: KeyGroups<'a>) -> Self {
        Self {
            groups,
            min_groups: 0,
            max_groups: u32::MAX,
            min_replicas: 1,
            max_share: None,
            max_replicas: i64::MAX,
            room: &[],
            strength: Strength::Required,
        }
    }
}

/// Whether a better score may move what runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebalance {
    /// Never.
    Keep,
    /// When the mean score per replica gains more than this.
    Above(i64),
    /// An order: decide as if nothing ran.
    Ordered,
}

/// One question.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Replicas to place, 1 to [`MAX_REPLICAS`]; for [`Mode::Duplicated`] per cluster.
    pub replicas: i64,
    /// How they are given out.
    pub mode: Mode,
    /// Eligible clusters, each slot once, in any order.
    pub candidates: &'a [Candidate],
    /// See [`Candidate::extra`].
    pub extras: &'a [Extra],
    /// Rank of each slot in name order; unique.
    pub ranks: &'a [u32],
    /// At most [`MAX_KEYS`].
    pub keys: &'a [Key<'a>],
    /// Whether a better score may move what runs.
    pub rebalance: Rebalance,
    /// Search nodes allowed where the problem is hard in general (crossing keys).
    pub budget: u64,
}

impl Problem<'_> {
    /// A budget that takes some milliseconds.
    pub const BUDGET: u64 = 200_000;
}
