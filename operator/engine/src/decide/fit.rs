//! Whether workloads could be where somebody supposes them, without deciding that they are.
//!
//! They are decided together, beside everything that runs, by every rule, with room, quota, shares and spread. What the
//! rules let in without knowing that its images run there is told apart: a guess is no ground to move on.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::canonical::CanonicalError;
use super::explain::explain_all;
use super::kept::Kept;
use super::plan::{Changes, plan_with};
use super::record::{ClusterExplanation, Decision, Explanation, Status};
use super::rule::{Answer, Rule};
use super::snapshot::Snapshot;
use super::spec::{Image, Spec, WorkloadKey};
use crate::detect::{ImageEntry, Provenance};
use crate::terms::{Code, Reason};

/// Whether all of some workloads could be where they are supposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// All of them, whole.
    Yes,
    /// Of one it is not known whether its images run there.
    Unknown(WorkloadKey, Reason),
    /// One could not.
    No(WorkloadKey, Reason),
}

/// Asks for these workloads together. Books and decides nothing.
///
/// # Errors
/// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
pub fn fit(snapshot: &Snapshot, specs: Vec<Spec>, as_of: Timestamp) -> Result<Fit, CanonicalError> {
    let changes = Changes { specs, ..Changes::default() };
    let plan = plan_with(snapshot, &changes, as_of, &mut Kept::default())?;
    let of = |spec: &Spec| plan.decisions.iter().find(|decision| decision.key == spec.key);
    for spec in &changes.specs {
        let Some(decision) = of(spec) else { continue };
        let broken = decision.violations.first().and_then(|violation| violation.reasons.first());
        let short = (decision.status != Status::Placed || decision.shortfall > 0).then(|| {
            let told = decision.limits.first().cloned();
            told.unwrap_or_else(|| Reason::new(Code::NoCandidate).object(spec.key.to_string()))
        });
        if let Some(reason) = short.or_else(|| broken.cloned()) {
            let nearest = nearest(snapshot, &changes, spec, as_of)?;
            return Ok(Fit::No(spec.key.clone(), nearest.unwrap_or(reason)));
        }
    }
    let keys: BTreeSet<WorkloadKey> = changes.specs.iter().map(|spec| spec.key.clone()).collect();
    let told = explain_all(snapshot, &changes, &keys, as_of)?;
    for spec in &changes.specs {
        let Some((decision, told)) = of(spec).zip(told.get(&spec.key)) else { continue };
        if let Some((_, reasons)) = unknown(spec, decision, told) {
            let reason = reasons.into_iter().next();
            let reason = reason.unwrap_or_else(|| Reason::new(Code::ImageNotProfiled).object(spec.key.to_string()));
            return Ok(Fit::Unknown(spec.key.clone(), reason));
        }
    }
    Ok(Fit::Yes)
}

/// What stands in the way on the cluster that its own affinity allows and that would take least to open.
fn nearest(
    snapshot: &Snapshot,
    changes: &Changes,
    spec: &Spec,
    as_of: Timestamp,
) -> Result<Option<Reason>, CanonicalError> {
    let told = explain_all(snapshot, changes, &BTreeSet::from([spec.key.clone()]), as_of)?;
    let clusters = told.into_values().flat_map(|told| told.clusters);
    let meant = clusters.filter(|cluster| {
        let named = &spec.requirement.affinity;
        named.names.is_empty() || named.names.contains(&cluster.cluster)
    });
    let open = meant.filter(|cluster| cluster.changes.iter().any(|change| change.rule.is_some()));
    let best = open.min_by(|a, b| (a.cost, &a.cluster).cmp(&(b.cost, &b.cluster)));
    Ok(best.and_then(|cluster| cluster.changes.into_iter().flat_map(|change| change.reasons).next()))
}

/// An image that nobody has described: what the engine takes it for is a guess, so its answer is none.
#[must_use]
pub fn undescribed(spec: &Spec) -> Option<&Image> {
    spec.requirement.all_images().find(|image| nobody_says(image))
}

/// Whether nobody answers for what is taken of an image.
pub(super) fn nobody_says(image: &Image) -> bool {
    image.entries.iter().all(|entry| entry.provenance == Provenance::None)
}

/// What is not known of a workload with a place: that its images run on the pools it may land on. With the cluster where
/// it is that cluster's.
#[must_use]
pub fn unknown(spec: &Spec, decision: &Decision, told: &Explanation) -> Option<(Option<String>, Vec<Reason>)> {
    let uses = |cluster: &&ClusterExplanation| {
        decision.targets.iter().any(|target| target.cluster == cluster.cluster && target.replicas > 0)
    };
    for cluster in told.clusters.iter().filter(uses) {
        let pools = cluster.pools.iter().filter(|pool| pool.accepted);
        let mut checks = pools.flat_map(|pool| &pool.rules).filter(|check| check.rule == Rule::Architecture);
        if let Some(check) = checks.find(|check| check.check.answer == Answer::Unknown) {
            return Some((Some(cluster.cluster.clone()), check.check.reasons.clone()));
        }
    }
    let silent = undescribed(spec)?;
    let taken = |entry: &ImageEntry| format!("{}/{}", entry.platform.os, entry.platform.architecture);
    let taken: Vec<String> = silent.entries.iter().map(taken).collect();
    Some((None, vec![Reason::new(Code::ImageNotProfiled).object(silent.name.as_str()).wanted(taken)]))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::fixture::now;
    use super::super::scenarios::{fleet, on, running, spec, targets, with};
    use super::super::{Policy, Spread, SpreadKey};
    use super::*;

    const HERE: &str = "昆明";
    const THERE: &str = "大理";

    /// Four replicas here, of a workload that may from now on be where these names say.
    fn moved(names: &[&str], trial: Option<i64>) -> Spec {
        let mut one = with(on(spec("w", 4), HERE, 4), |requirement| {
            requirement.affinity.names = names.iter().map(|name| (*name).to_owned()).collect();
        });
        if let Some(min_replicas) = trial {
            let key = SpreadKey::Among(BTreeSet::from([THERE.to_owned()]));
            let spread = Spread { key, min_groups: 2, max_groups: None, min_replicas, required: true };
            one.policy = Arc::new(Policy { spread: vec![spread], ..Policy::default() });
        }
        Spec { changed: true, ..one }
    }

    #[test]
    fn a_share_goes_to_the_named_clusters_and_all_of_it_when_only_they_are_left() {
        let decided = |names: &[&str], trial| running(fleet(), moved(names, trial));
        let both = [HERE, THERE];
        assert_eq!(targets(&decided(&both, Some(1))), [(THERE, 1), (HERE, 3)]);
        assert_eq!(targets(&decided(&both, Some(2))), [(THERE, 2), (HERE, 2)]);
        assert_eq!(targets(&decided(&[THERE], None)), [(THERE, 4)]);
    }

    #[test]
    fn what_fits_is_told_and_what_does_not_says_why_on_the_cluster_that_is_meant() {
        let mut base = fleet();
        base.specs.push(on(spec("w", 4), HERE, 4));
        let snapshot = Snapshot::new(base).expect("a snapshot");
        let asked = |spec: Spec| fit(&snapshot, vec![spec], now()).expect("an answer");
        assert_eq!(asked(moved(&[THERE], None)), Fit::Yes);
        let kept_off = with(moved(&[THERE], None), |requirement| {
            requirement.regions = BTreeSet::from(["53".to_owned(), "5301".to_owned()]);
            requirement.zone = Some("no-such-zone".to_owned());
        });
        match asked(kept_off) {
            Fit::No(key, reason) => assert_eq!((key.name.as_str(), reason.code), ("w", Code::ZoneMismatch)),
            other => panic!("{other:?}"),
        }
        let large = Spec { replicas: 9, ..moved(&[THERE], None) };
        assert!(matches!(asked(large), Fit::No(_, reason) if reason.code == Code::CapacityInsufficient));
    }
}
