//! Nodes as the scheduler of a member sees them: labels and taints against what pods ask for.
//!
//! Two sides meet here. What a workload's own manifests say ([`NodeDemand`]: selectors, required affinity, tolerations)
//! and what a delivery adds ([`node_affinity`]). Both are held against the labels and taints of each pool
//! ([`NodeSide`]), so that nothing is planned onto nodes on which its pods would stay pending, and nothing can land on
//! nodes that a rule refuses. Capacity is looked at elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::affinity::{Expression, Taint, TaintEffect, Toleration, tolerated};
use super::input::PoolInput;
use super::rule::{Answer, Check};
use super::snapshot::Snapshot;
use super::spec::Requirement;
use super::view::Demand;
use crate::detect::affinity::{NodeAffinity, Subject, Term, of};
use crate::detect::{Catalogue, Policy, labels};
use crate::terms::{Code, Reason, Value};

/// One alternative of a required node affinity: all of its expressions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeTerm {
    /// Expressions on node labels.
    pub expressions: Vec<Expression>,
    /// It also names nodes (`metadata.name`, `nodeName`), which pools do not know.
    pub by_name: bool,
}

/// What the pods of one template ask of their node beyond its CPU, as their manifest says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeDemand {
    /// One of these; `None` means any node, an empty list none at all.
    pub terms: Option<Vec<NodeTerm>>,
    /// Taints they stand.
    pub tolerations: BTreeSet<Toleration>,
}

/// What the scheduler sees of the nodes of a pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeSide {
    pub(crate) labels: BTreeMap<String, String>,
    /// Hard taints only.
    pub(crate) taints: BTreeSet<Taint>,
}

impl NodeSide {
    /// Labels of a pool with those that the kubelet gives every node.
    pub(crate) fn of(pool: &PoolInput) -> Self {
        let mut labels = pool.labels.clone();
        let known = [pool.facts.arch.as_str(), pool.facts.os.as_str()];
        for (keys, value) in [[labels::ARCH, labels::BETA[0]], [labels::OS, labels::BETA[1]]].iter().zip(known) {
            for key in keys {
                labels.entry((*key).to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        let hard = pool.taints.iter().filter(|taint| taint.effect != TaintEffect::PreferNoSchedule);
        Self { labels, taints: hard.cloned().collect() }
    }

    /// The labels that a derived affinity looks at: pools that differ in others are one to it.
    pub(crate) fn shown(&self) -> BTreeMap<String, String> {
        let looked_at = |key: &str| {
            [labels::ARCH, labels::OS, labels::ZONE].contains(&key)
                || key.starts_with(labels::CHIPS)
                || key.starts_with(labels::NFD)
        };
        self.labels.iter().filter(|(key, _)| looked_at(key)).map(|(k, v)| (k.clone(), v.clone())).collect()
    }
}

/// The node affinity a delivery of this requirement adds to every pod template; see [`NodeAffinity::terms`].
///
/// A function of needs, guardrails and catalogue: it changes with the workload, its image facts, its tenant's zones or
/// the catalogue, never with a pool. `strict` is whether the demanded tier refuses what is unknown.
///
/// # Errors
/// [`Code::NotExpressible`] when it would have more terms than an object can carry; such a workload is placed nowhere.
pub fn node_affinity(
    requirement: &Requirement,
    tenant_zones: &BTreeSet<String>,
    catalogue: &Catalogue,
    policy: &Policy,
) -> Result<NodeAffinity, Reason> {
    let own = requirement.zone.iter().cloned().collect::<BTreeSet<_>>();
    let zones = match (own.is_empty(), tenant_zones.is_empty()) {
        (true, true) => None,
        (false, true) => Some(own),
        (true, false) => Some(tenant_zones.clone()),
        (false, false) => Some(own.intersection(tenant_zones).cloned().collect()),
    };
    let images = requirement.images.iter().map(|image| (&*image.entries, &image.needs)).collect();
    of(&Subject { images, platforms: &requirement.platforms, zones }, catalogue, policy)
}

/// The node affinities a delivery adds: one for all pods, or one for the templates of each part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeAffinities {
    /// Of all pods that belong to no part.
    pub whole: NodeAffinity,
    /// By template, as [`super::Part::templates`] names them.
    pub parts: BTreeMap<String, NodeAffinity>,
}

impl NodeAffinities {
    /// The terms of all pods, and in their place those of templates that have nodes of their own.
    #[must_use]
    pub fn terms(&self) -> (Option<Vec<Term>>, BTreeMap<String, Vec<Term>>) {
        let terms = |affinity: &NodeAffinity| affinity.terms().map(<[Term]>::to_vec);
        let parts = self.parts.iter().filter_map(|(template, own)| Some((template.clone(), terms(own)?)));
        (terms(&self.whole), parts.collect())
    }
}

impl Snapshot {
    /// The node affinities a delivery adds for a requirement, with what tenant and tier of this fleet say.
    ///
    /// # Errors
    /// As [`node_affinity`].
    pub fn node_affinities(&self, requirement: &Requirement) -> Result<NodeAffinities, Reason> {
        let demand = Demand::new(self, requirement);
        let mut affinities =
            NodeAffinities { whole: (**demand.affinity(self, requirement)).clone()?, ..Default::default() };
        for (part, told) in requirement.parts.iter().zip(&demand.parts) {
            let derived = (**told.demand.affinity(self, &told.requirement)).clone();
            let derived = derived.map_err(|reason| reason.about(&*part.name))?;
            affinities.parts.extend(part.templates.iter().map(|template| (template.clone(), derived.clone())));
        }
        Ok(affinities)
    }
}

/// Whether the labels of a pool satisfy every template.
pub(crate) fn selected(demands: &BTreeSet<NodeDemand>, side: &NodeSide) -> Check {
    let terms = demands.iter().filter_map(|demand| demand.terms.as_ref());
    terms.map(|terms| any_term(terms, side)).fold(Check::pass(), Check::and)
}

fn any_term(terms: &[NodeTerm], side: &NodeSide) -> Check {
    let value = |e: &Expression| side.labels.get(&e.key).map(String::as_str);
    let failing = |term: &NodeTerm| -> Vec<Expression> {
        term.expressions.iter().filter(|e| !e.matches_value(value(e))).cloned().collect()
    };
    let tried: Vec<_> = terms.iter().map(|term| (failing(term), term.by_name)).collect();
    if tried.iter().any(|(failing, by_name)| failing.is_empty() && !by_name) {
        return Check::pass();
    }
    if tried.iter().any(|(failing, _)| failing.is_empty()) {
        return Check::because(Answer::Unknown, Reason::new(Code::NodeNamed).object("metadata.name"));
    }
    let closest = tried.into_iter().map(|(failing, _)| failing).min_by_key(Vec::len).unwrap_or_default();
    if closest.is_empty() {
        return Check::because(Answer::Fail, Reason::new(Code::NodeLabelMismatch));
    }
    let reason = |e: &Expression| {
        let seen = value(e).map_or(Value::Unknown, Value::from);
        let wanted: Vec<String> = std::iter::once(format!("{:?}", e.operator)).chain(e.values.clone()).collect();
        Check::because(Answer::Fail, Reason::new(Code::NodeLabelMismatch).object(&*e.key).seen(seen).wanted(wanted))
    };
    closest.iter().map(reason).fold(Check::pass(), Check::and)
}

/// Whether every template stands the taints of a pool. A workload of which no template is known stands none.
pub(crate) fn stands(demands: &BTreeSet<NodeDemand>, side: &NodeSide) -> Check {
    let stood = |taint: &Taint| {
        let list = |demand: &NodeDemand| demand.tolerations.iter().any(|toleration| toleration.tolerates(taint));
        if demands.is_empty() { tolerated(taint, &[]) } else { demands.iter().all(list) }
    };
    let reason = |taint: &Taint| {
        let reason = Reason::new(Code::NodeTaintNotTolerated).object(&*taint.key).seen(&*taint.value);
        Check::because(Answer::Fail, reason.wanted(format!("{:?}", taint.effect)))
    };
    side.taints.iter().filter(|taint| !stood(taint)).map(reason).fold(Check::pass(), Check::and)
}

#[cfg(test)]
mod tests {
    use super::super::affinity::Operator;
    use super::*;
    use crate::detect::{Arch, PoolFacts};

    fn pool(labels: &[(&str, &str)], taints: &[&str]) -> NodeSide {
        let taint = |key: &&str| Taint { key: (*key).into(), value: "v".into(), effect: TaintEffect::NoSchedule };
        NodeSide::of(&PoolInput {
            name: "p".into(),
            zone: String::new(),
            facts: PoolFacts::unknown(Arch::Arm64),
            labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            taints: taints.iter().map(taint).collect(),
            shapes: Vec::new(),
            unschedulable: Vec::new(),
            cpu_normalised: false,
        })
    }

    fn term(expressions: &[(&str, Operator, &[&str])]) -> NodeTerm {
        let expression = |(key, operator, values): &(&str, Operator, &[&str])| Expression {
            key: (*key).to_owned(),
            operator: *operator,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        NodeTerm { expressions: expressions.iter().map(expression).collect(), by_name: false }
    }

    fn demands(terms: Option<Vec<NodeTerm>>) -> BTreeSet<NodeDemand> {
        BTreeSet::from([NodeDemand { terms, tolerations: BTreeSet::new() }])
    }

    #[test]
    fn the_label_that_no_node_of_the_pool_carries_is_named() {
        let wanted = demands(Some(vec![
            term(&[("disk", Operator::In, &["ssd"]), ("room", Operator::Exists, &[])]),
            term(&[("disk", Operator::In, &["nvme"])]),
        ]));
        let check = selected(&wanted, &pool(&[("disk", "hdd")], &[]));
        assert_eq!(check.answer, Answer::Fail);
        let reason = Reason::new(Code::NodeLabelMismatch).object("disk").seen("hdd");
        assert_eq!(check.reasons, [reason.wanted(vec!["In".to_owned(), "nvme".to_owned()])], "the closest term");
        assert_eq!(selected(&wanted, &pool(&[("disk", "ssd"), ("room", "")], &[])), Check::pass());
        assert_eq!(selected(&demands(Some(vec![])), &pool(&[], &[])).answer, Answer::Fail, "no term matches no node");
    }

    #[test]
    fn the_kubelets_own_labels_are_always_there() {
        let arm = demands(Some(vec![term(&[("beta.kubernetes.io/arch", Operator::In, &["arm64"])])]));
        assert_eq!(selected(&arm, &pool(&[], &[])), Check::pass());
    }

    #[test]
    fn nodes_asked_for_by_name_are_not_known() {
        let named = demands(Some(vec![NodeTerm { expressions: vec![], by_name: true }]));
        assert_eq!(selected(&named, &pool(&[], &[])).answer, Answer::Unknown);
    }

    #[test]
    fn every_template_must_stand_the_taint() {
        let stands_it = NodeDemand {
            terms: None,
            tolerations: BTreeSet::from([Toleration { key: "gpu".into(), exists: true, ..Toleration::default() }]),
        };
        let tainted = pool(&[], &["gpu"]);
        assert_eq!(stands(&BTreeSet::from([stands_it.clone()]), &tainted), Check::pass());
        let both = BTreeSet::from([stands_it, NodeDemand::default()]);
        let check = stands(&both, &tainted);
        assert_eq!(check.reasons.first().map(|reason| reason.object.clone()), Some(Value::from("gpu")));
        assert_eq!(stands(&BTreeSet::new(), &tainted).answer, Answer::Fail, "nothing is known to stand it");
    }
}
