//! What comes out: decisions, plans, explanations. Plain values with names, serialisable, without prose.
//!
//! A [`Decision`] is compact: targets, the binding limit and digests of what it was made from. Everything else (each
//! rule on each cluster, scores, what would have to change) is derived again when asked for, into an [`Explanation`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rule::{Check, Rule};
use super::spec::WorkloadKey;
use crate::terms::{Code, Digest, Reason, Value};

/// How a decision ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// All replicas have a place.
    Placed,
    /// Allowed somewhere, but it does not fit now (capacity, quota, spread, freeze); what runs stays.
    Pending,
    /// No cluster may carry it; what runs stays and violates.
    Refused,
    /// The search was cut short before it found a placement or proved there is none; what runs stays.
    NotProven,
}

/// Replicas on a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Cluster.
    pub cluster: String,
    /// Replicas.
    pub replicas: i64,
}

/// What a decision does to one cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// Cluster.
    pub cluster: String,
    /// Replicas before.
    pub from: i64,
    /// Replicas after. Removal waits until what is added elsewhere is ready.
    pub to: i64,
    /// Why, where a rule or bound forces it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Replicas that run where a rule no longer lets them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    /// Cluster.
    pub cluster: String,
    /// The rule it breaks.
    pub rule: Rule,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// One decided workload: the record that is committed before it is acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Which workload.
    pub key: WorkloadKey,
    /// Place in the ledger.
    pub sequence: u64,
    /// When it was asked for: the instant evidence and terms were judged at.
    pub as_of: Timestamp,
    /// How it ended.
    pub status: Status,
    /// Where replicas go, by cluster name.
    pub targets: Vec<Target>,
    /// The order to place it anew that this carries out, by the instant it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebalanced: Option<Timestamp>,
    /// Replicas without a place.
    #[serde(default)]
    pub shortfall: i64,
    /// What changes against the present, by cluster name; empty when nothing does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// What limits: why not all, or what would bind first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Reason>,
    /// What runs against a rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// How many clusters each rule keeps out, all rules counted on all clusters; rules that keep out none are left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rejected: BTreeMap<Rule, u32>,
    /// Clusters without room for one replica.
    #[serde(default)]
    pub full: u32,
    /// Digest of the workload as decided (its spec).
    pub spec: Digest,
    /// Digest of what every rule says of every cluster (and of the pools accepted) for what this workload asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdicts: Option<Digest>,
    /// Digest of the fleet it was decided against.
    pub fleet: Digest,
    /// Digest of the decisions before it in the same ledger; `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
}

/// Use of one tenant's quota after a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct QuotaUse {
    /// Tenant.
    pub tenant: String,
    /// Resource.
    pub resource: String,
    /// Used before.
    pub before: i64,
    /// Used after.
    pub after: i64,
    /// Allowed by the grants that are valid; `None` when not limited here.
    pub limit: Option<i64>,
    /// Of that, only for failover.
    pub headroom: i64,
}

/// Many workloads decided against one ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The instant it is for.
    pub as_of: Timestamp,
    /// Digest of the fleet.
    pub fleet: Digest,
    /// Decisions in the order they were made. Workloads that nothing woke are not among them.
    pub decisions: Vec<Decision>,
    /// Workloads whose placement goes away.
    pub removed: Vec<WorkloadKey>,
    /// Quotas that are limited or used.
    pub quota: Vec<QuotaUse>,
    /// The next instant at which something in the fleet begins or ceases to hold, so that this plan may no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_change: Option<Timestamp>,
}

/// A decision of which no record is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlined {
    /// Which workload.
    pub key: WorkloadKey,
    /// How it ended.
    pub status: Status,
    /// Where replicas go, by cluster name.
    pub targets: Vec<Target>,
    /// Something of it runs against a rule.
    pub violates: bool,
}

/// A plan of which no record is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Decisions in the order they were made. Workloads that nothing woke are not among them.
    pub decisions: Vec<Outlined>,
    /// As [`Plan::next_change`].
    pub next_change: Option<Timestamp>,
}

/// One rule on one cluster or pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleCheck {
    /// The rule.
    pub rule: Rule,
    /// What it says.
    #[serde(flatten)]
    pub check: Check,
    /// Whether it keeps the cluster (or pool) out.
    pub refuses: bool,
}

/// One pool of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolExplanation {
    /// Name.
    pub pool: String,
    /// The part of the workload whose pods are meant; empty where pods have no nodes of their own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// Platform.
    pub platform: String,
    /// Whether it passes all pool rules.
    pub accepted: bool,
    /// The pool rules.
    pub rules: Vec<RuleCheck>,
    /// Replicas that still fit.
    pub slots: i64,
}

/// One term of a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreTerm {
    /// What is weighed, as in the preference.
    pub figure: String,
    /// The figure seen; `None` when not known, which is worth 0 points.
    pub seen: Option<i64>,
    /// Points, 0 to 1,000.
    pub points: i64,
    /// Weight.
    pub weight: i64,
}

/// Something that would have to change, with what it is thought to cost (a fixed table; higher is harder).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The rule; `None` for capacity and quota.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Cost by the table.
    pub cost: u32,
    /// What stands in the way, with the value wanted.
    pub reasons: Vec<Reason>,
}

impl Change {
    /// Whether it is one thing to do. A rule that two images break, or a tier short of three checks, asks for as many;
    /// room is one, however many resources are short.
    #[must_use]
    pub fn is_one(&self) -> bool {
        let checks = |reason: &Reason| match (reason.code, &reason.object) {
            (Code::TierTooLow | Code::TierUnverified, Value::List(checks)) => checks.len(),
            _ => 1,
        };
        self.rule.is_none() || self.reasons.iter().map(checks).sum::<usize>() == 1
    }
}

/// One cluster, all rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterExplanation {
    /// Name.
    pub cluster: String,
    /// Whether every rule lets it in.
    pub eligible: bool,
    /// Replicas before.
    pub current: i64,
    /// Replicas after.
    pub replicas: i64,
    /// Every rule, in order.
    pub rules: Vec<RuleCheck>,
    /// Its pools.
    pub pools: Vec<PoolExplanation>,
    /// Further replicas that fit in its accepted pools.
    pub slots: i64,
    /// Score: the sum of points times weight.
    pub score: i64,
    /// How the score came about.
    pub terms: Vec<ScoreTerm>,
    /// Group of the placement, from 0; `None` when in none.
    pub group: Option<u32>,
    /// The smallest set of changes that would let it carry one replica more; empty when nothing has to change.
    pub changes: Vec<Change>,
    /// Sum of their cost.
    pub cost: u32,
}

/// Why a workload stands where it stands, for every cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The decision explained.
    pub decision: Decision,
    /// Every cluster, by name.
    pub clusters: Vec<ClusterExplanation>,
    /// Where the payer's tree stands.
    pub quota: Vec<QuotaUse>,
    /// Clusters on which one change would be enough, cheapest first, then by name: to give all replicas a place where
    /// they have none, else to open the cluster to the workload. A change without a cluster is of a quota, a share or a
    /// spread that alone stands in the way.
    pub one_change: Vec<(String, Change)>,
}
