//! The problem format `placement-bench/v1`, and its way into the engine.
//!
//! Nothing is decided or precomputed here: clusters become [`ClusterInput`]s with one pool of one node shape (what is
//! free of the whole cluster), bindings become [`Spec`]s, as intake makes them of custom resources.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, bail};
use jiuzhou_engine::decide::affinity::{Affinity, Expression, Operator, Taint, TaintEffect, Toleration};
use jiuzhou_engine::decide::input::{ClusterInput, ClusterState, NodeShapeInput, PoolInput};
use jiuzhou_engine::decide::resources::{CPU, MEMORY, PODS};
use jiuzhou_engine::decide::{
    Current, Division, FleetInput, MaxShare, PodInput, Policy, Requirement, ShareOf, Spec, Spread, SpreadKey,
    WorkloadKey,
};
use jiuzhou_engine::detect::{Arch, PoolFacts};
use jiuzhou_engine::terms::Percent;
use serde::Deserialize;

/// A problem file.
#[derive(Debug, Deserialize)]
pub(crate) struct Problem {
    /// `placement-bench/v1`.
    pub(crate) format: String,
    /// Clusters.
    pub(crate) clusters: Vec<Cluster>,
    /// Bindings, in the order of decisions.
    pub(crate) bindings: Vec<Binding>,
}

/// Amounts.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Amounts {
    cpu_milli: i64,
    memory_bytes: i64,
    #[serde(default)]
    pods: i64,
}

#[derive(Debug, Deserialize)]
struct TaintText {
    key: String,
    #[serde(default)]
    value: String,
    effect: String,
}

/// A cluster.
#[derive(Debug, Deserialize)]
pub(crate) struct Cluster {
    name: String,
    labels: BTreeMap<String, String>,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    zone: String,
    #[serde(default)]
    taints: Vec<TaintText>,
    #[serde(default)]
    deleting: bool,
    allocatable: Amounts,
    allocated: Amounts,
}

#[derive(Debug, Deserialize)]
struct ExpressionText {
    key: String,
    operator: String,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct TolerationText {
    #[serde(default)]
    key: String,
    #[serde(default)]
    operator: String,
    #[serde(default)]
    value: String,
    effect: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SpreadText {
    field: String,
    #[serde(default = "one")]
    min: u32,
    max: Option<u32>,
    min_replicas: Option<i64>,
    max_share_percent: Option<u8>,
}

fn one() -> u32 {
    1
}

#[derive(Debug, Deserialize)]
struct CurrentText {
    cluster: String,
    replicas: i64,
}

/// A binding.
#[derive(Debug, Deserialize)]
pub(crate) struct Binding {
    /// Id.
    pub(crate) id: String,
    namespace: String,
    name: String,
    replicas: i64,
    request: Amounts,
    #[serde(default)]
    match_labels: BTreeMap<String, String>,
    #[serde(default)]
    match_expressions: Vec<ExpressionText>,
    #[serde(default)]
    tolerations: Vec<TolerationText>,
    #[serde(default)]
    spread: Vec<SpreadText>,
    division: String,
    #[serde(default)]
    current: Vec<CurrentText>,
}

fn effect(text: &str) -> anyhow::Result<TaintEffect> {
    Ok(match text {
        "NoSchedule" => TaintEffect::NoSchedule,
        "NoExecute" => TaintEffect::NoExecute,
        "PreferNoSchedule" => TaintEffect::PreferNoSchedule,
        other => bail!("failed to read a taint: effect {other:?}"),
    })
}

fn amounts(amounts: &Amounts, less: Option<&Amounts>) -> BTreeMap<String, i64> {
    let less = less.map_or([0, 0, 0], |less| [less.cpu_milli, less.memory_bytes, less.pods]);
    BTreeMap::from([
        (CPU.to_owned(), amounts.cpu_milli - less[0]),
        (MEMORY.to_owned(), amounts.memory_bytes - less[1]),
        (PODS.to_owned(), amounts.pods - less[2]),
    ])
}

impl Problem {
    /// The clusters as the engine takes them.
    ///
    /// # Errors
    /// An effect that Kubernetes does not have.
    pub(crate) fn fleet(&self) -> anyhow::Result<FleetInput> {
        let clusters = self.clusters.iter().map(Cluster::input).collect::<anyhow::Result<_>>()?;
        Ok(FleetInput { clusters, ..FleetInput::default() })
    }
}

impl Cluster {
    fn input(&self) -> anyhow::Result<ClusterInput> {
        let mut taints = BTreeSet::new();
        for taint in &self.taints {
            taints.insert(Taint { key: taint.key.clone(), value: taint.value.clone(), effect: effect(&taint.effect)? });
        }
        let free = amounts(&self.allocatable, Some(&self.allocated));
        Ok(ClusterInput {
            name: self.name.clone(),
            region: self.region.clone(),
            availability_zone: self.zone.clone(),
            provider: self.provider.clone(),
            labels: self.labels.clone(),
            taints,
            state: if self.deleting { ClusterState::Deleting } else { ClusterState::Active },
            pools: vec![PoolInput {
                name: "all".to_owned(),
                zone: String::new(),
                facts: PoolFacts::unknown(Arch::Amd64),
                labels: BTreeMap::new(),
                taints: BTreeSet::new(),
                unschedulable: Vec::new(),
                cpu_normalised: false,
                shapes: vec![NodeShapeInput { count: 1, free }],
            }],
            ..ClusterInput::default()
        })
    }
}

impl Binding {
    /// The binding as the engine takes it.
    ///
    /// # Errors
    /// An operator, field, division or share that the format does not have.
    pub(crate) fn spec(&self) -> anyhow::Result<Spec> {
        if self.division != "dynamic_weight_available_replicas" {
            bail!("failed to read {}: division {:?}", self.id, self.division);
        }
        let mut request = amounts(&self.request, None);
        request.remove(PODS);
        Ok(Spec {
            key: WorkloadKey::new(&self.namespace, &self.name),
            requirement: Arc::new(self.requirement()?),
            policy: Arc::new(self.policy()?),
            replicas: self.replicas,
            pods: vec![PodInput { request, count: 1, ..PodInput::default() }],
            current: self
                .current
                .iter()
                .map(|c| Current { cluster: c.cluster.clone(), placed: c.replicas, observed: c.replicas })
                .collect(),
            ..Spec::default()
        })
    }

    fn requirement(&self) -> anyhow::Result<Requirement> {
        let mut requirement = Requirement {
            affinity: Affinity { labels: self.match_labels.clone(), ..Affinity::default() },
            ..Requirement::default()
        };
        for e in &self.match_expressions {
            let operator = match e.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => bail!("failed to read {}: operator {other:?}", self.id),
            };
            let values = e.values.clone();
            requirement.affinity.expressions.push(Expression { key: e.key.clone(), operator, values });
        }
        for t in &self.tolerations {
            requirement.tolerations.push(Toleration {
                key: t.key.clone(),
                exists: t.operator == "Exists",
                value: t.value.clone(),
                effect: t.effect.as_deref().filter(|text| !text.is_empty()).map(effect).transpose()?,
            });
        }
        Ok(requirement)
    }

    fn policy(&self) -> anyhow::Result<Policy> {
        let mut policy = Policy { division: Division::ByCapacity, ..Policy::default() };
        for s in &self.spread {
            let key = match s.field.as_str() {
                "region" => SpreadKey::Region,
                "zone" => SpreadKey::AvailabilityZone,
                "provider" => SpreadKey::Provider,
                "cluster" => SpreadKey::Cluster,
                other => SpreadKey::Label(other.strip_prefix("label:").context("failed to read spread")?.to_owned()),
            };
            if let Some(percent) = s.max_share_percent {
                let percent = Percent::new(percent).context("failed to read a share above 100 percent")?;
                policy.max_share.push(MaxShare { key: key.clone(), percent, of: ShareOf::Workload, required: true });
            }
            policy.spread.push(Spread {
                key,
                min_groups: s.min,
                max_groups: s.max,
                min_replicas: s.min_replicas.unwrap_or(1),
                required: true,
            });
        }
        Ok(policy)
    }
}
