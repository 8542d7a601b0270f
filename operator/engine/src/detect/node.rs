//! A node as detection sees it, and what detection says of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Confidence, Conflict, Evidence, EvidenceKey, OsFamily, PoolFacts, labels};
use crate::terms::{Code, PerMille, Reason};

/// What a Node object (and Koordinator's annotation of its NodeResourceTopology) shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeFacts {
    /// Name.
    pub name: String,
    /// `status.nodeInfo.architecture`.
    pub architecture: String,
    /// `status.nodeInfo.operatingSystem`; empty means linux.
    pub operating_system: String,
    /// `status.nodeInfo.osImage`.
    pub os_image: String,
    /// `status.nodeInfo.kernelVersion`.
    pub kernel_version: String,
    /// `status.nodeInfo.containerRuntimeVersion`, e.g. `containerd://1.7.13`.
    pub container_runtime_version: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Allocatable: cpu in millicores, everything else in its base unit.
    pub allocatable: BTreeMap<String, i64>,
    /// Capacity, same units.
    pub capacity: BTreeMap<String, i64>,
    /// Taints.
    pub taints: Vec<Taint>,
    /// Koordinator's description of the CPU, where it runs.
    pub cpu_basic_info: Option<CpuBasicInfo>,
}

/// The annotation `node.koordinator.sh/cpu-basic-info` of a node's NodeResourceTopology, read by the intake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CpuBasicInfo {
    /// Text of the model, e.g. `Hygon C86 7285 32-core Processor`.
    pub cpu_model: String,
    /// Whether hardware threads are on.
    pub hyper_thread_enabled: Option<bool>,
}

/// What a taint does to pods without a toleration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TaintEffect {
    /// Rather not.
    PreferNoSchedule,
    /// No new pods.
    NoSchedule,
    /// No pods.
    NoExecute,
}

/// A taint of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taint {
    /// Key.
    pub key: String,
    /// Value, may be empty.
    #[serde(default)]
    pub value: String,
    /// Effect.
    pub effect: TaintEffect,
}

/// What detection says of a node, with the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeProfile {
    /// Platform, instruction set, page size and so on: what the exact rule needs.
    pub facts: PoolFacts,
    /// Distribution.
    pub os_family: OsFamily,
    /// Whether one schedulable CPU is one hardware thread of several; `None` when not known.
    pub smt: Option<bool>,
    /// Throughput of one Kubernetes CPU: the catalogue's measured value; `None` until there is one.
    pub per_cpu_perf: Option<PerMille>,
    /// Koordinator's amplification ratio where it is on; requests must then not be converted again.
    pub koordinator_ratio: Option<PerMille>,
    /// What was seen, strongest first.
    pub evidence: Vec<Evidence>,
    /// What contradicts.
    pub conflicts: Vec<Conflict>,
}

impl NodeProfile {
    /// What is worth a finding: contradictions, a platform label nobody knows, a CPU nobody recognises. `name` is what
    /// sentences call the node or pool.
    #[must_use]
    pub fn reasons(&self, name: &str) -> Vec<Reason> {
        let said = |evidence: &Evidence| format!("{}={}", evidence.key, evidence.value);
        let conflict = |conflict: &Conflict| {
            let reason = Reason::new(Code::EvidenceConflict).object(name);
            reason.seen(said(&conflict.stronger)).wanted(said(&conflict.weaker))
        };
        let mut reasons: Vec<Reason> = self.conflicts.iter().map(conflict).collect();
        let label = EvidenceKey::Label(labels::PLATFORM.to_owned());
        let unlisted = |evidence: &&Evidence| evidence.key == label && evidence.confidence == Confidence::Unknown;
        let found = self.evidence.iter().filter(unlisted);
        reasons.extend(found.map(|e| Reason::new(Code::PlatformUnlisted).object(name).seen(e.value.as_str())));
        if self.facts.platform.is_none() && self.conflicts.is_empty() {
            let seen = self.facts.arch.as_str();
            reasons.push(Reason::new(Code::PlatformUnknown).object(name).seen(seen));
        }
        reasons
    }
}
