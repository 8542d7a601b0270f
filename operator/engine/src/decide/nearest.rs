//! What would help a workload without a place soonest: one cluster, and what stands in its way there.
//!
//! `explain` tells this of every cluster, from the turn of the workload; here it is told of one, from the end of a plan,
//! where everybody else has what he has. That is what somebody who waits wants to know, and it costs one look at every
//! cluster and at most [`TRIED_MOST`] trials of the choice, so that who decides all the time can afford it for a few.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::canonical::CanonicalError;
use super::kept::Kept;
use super::plan::{Changes, Waiting, planned};
use super::planner::{Decided, Planner};
use super::record::{Change, ClusterExplanation, Decision, Plan, Status};
use super::rules::Judge;
use super::snapshot::Snapshot;
use super::spec::{Spec, WorkloadKey};
use super::view::Demand;

/// Clusters, cheapest first, for which it is tried whether their one change would be enough.
const TRIED_MOST: usize = 16;

/// The cluster that comes nearest to carrying a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Its name.
    pub cluster: String,
    /// The cheapest set of changes that would let it carry one replica more, by the table of `cost`.
    pub changes: Vec<Change>,
    /// Whether that one change gives all replicas a place, with shares, spreads and quota.
    pub enough: bool,
}

/// As [`super::plan_with`], and tells for some of those without a place what would help soonest.
///
/// `asked` sees the decisions without a place, in order, and answers for which it is to be told; nothing of the plan
/// depends on the answer. A workload of which nothing can be said (it waits for a quota, and no cluster would help) is
/// there with `None`.
///
/// # Errors
/// [`CanonicalError`] when an input has a form JSON does not know; none of ours has.
pub fn plan_and_nearest(
    snapshot: &Snapshot,
    changes: &Changes,
    as_of: Timestamp,
    kept: &mut Kept,
    asked: impl FnOnce(&[&Decision]) -> BTreeSet<WorkloadKey>,
) -> Result<(Plan, BTreeMap<WorkloadKey, Option<Nearest>>), CanonicalError> {
    let mut planner = Planner::resume(snapshot, as_of, kept);
    planner.books.begin();
    let (plan, waiting) = planned(&mut planner, changes)?;
    let told = if waiting.is_empty() {
        BTreeMap::new()
    } else {
        let without: Vec<&Decision> = plan.decisions.iter().filter(|one| one.status != Status::Placed).collect();
        let asked = asked(&without);
        let waiting = waiting.iter().filter(|one| asked.contains(&one.spec.key));
        waiting.map(|Waiting { spec, decided }| (spec.key.clone(), planner.nearest(spec, decided))).collect()
    };
    planner.put_away(kept);
    Ok((plan, told))
}

impl Planner<'_> {
    /// The cluster on which the cheapest single change is enough, else, where no cluster may carry it, the one that is
    /// cheapest to open. What waits for room, shares or quota is not nearer to one cluster than to another unless a
    /// change there is proven to help.
    fn nearest(&mut self, spec: &Arc<Spec>, decided: &Decided) -> Option<Nearest> {
        self.books.ledger.shape(spec);
        let demand = Demand::new(self.view.snapshot, &spec.requirement);
        let judge = Judge { view: &self.view, requirement: &spec.requirement, demand: &demand };
        let clusters = self.view.snapshot.clusters();
        let mut clusters: Vec<ClusterExplanation> =
            clusters.map(|(slot, cluster)| self.explain_cluster(&judge, spec, decided, slot, cluster)).collect();
        clusters.retain(|cluster| !cluster.changes.is_empty());
        clusters.sort_by(|a, b| (a.cost, a.changes.len(), &a.cluster).cmp(&(b.cost, b.changes.len(), &b.cluster)));
        let single = clusters.iter().filter(|cluster| cluster.changes.len() == 1).take(TRIED_MOST);
        let found = single.into_iter().find(|cluster| {
            let one = cluster.changes.first();
            one.is_some_and(|one| one.is_one() && self.enough(spec, decided, cluster, one))
        });
        let told = |cluster: &ClusterExplanation, enough: bool| Nearest {
            cluster: cluster.cluster.clone(),
            changes: cluster.changes.clone(),
            enough,
        };
        match found {
            Some(cluster) => Some(told(cluster, true)),
            None if decided.status == Status::Refused => clusters.first().map(|cluster| told(cluster, false)),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::now;
    use super::super::scenarios::{fleet, resources, spec, with};
    use super::super::{Rule, explain, plan};
    use super::*;
    use crate::terms::{Code, Value};

    /// What is told of all without a place, of a plan that is otherwise the one without telling.
    fn nearest_of_all(snapshot: &Snapshot, specs: Vec<Spec>) -> BTreeMap<WorkloadKey, Option<Nearest>> {
        let changes = Changes { specs, ..Changes::default() };
        let mut kept = Kept::default();
        let all = |without: &[&Decision]| without.iter().map(|decision| decision.key.clone()).collect();
        let (plan_told, told) = plan_and_nearest(snapshot, &changes, now(), &mut kept, all).unwrap();
        assert_eq!(plan_told, plan(snapshot, &changes, now()).unwrap(), "telling decides nothing");
        let (again, nothing) = plan_and_nearest(snapshot, &changes, now(), &mut kept, |_| BTreeSet::new()).unwrap();
        assert_eq!((again, nothing), (plan_told, BTreeMap::new()), "and leaves nothing behind");
        told
    }

    #[test]
    fn who_is_refused_everywhere_is_told_the_cheapest_cluster_and_all_that_is_in_the_way_there() {
        let wanted = with(spec("低保系统", 1), |r| {
            r.regions = ["5329".to_owned()].into();
            r.databases.insert("openGauss".to_owned());
        });
        let snapshot = Snapshot::new(fleet()).unwrap();
        let told = nearest_of_all(&snapshot, vec![wanted.clone()]).remove(&wanted.key).flatten().unwrap();
        let rules: Vec<_> = told.changes.iter().map(|change| change.rule).collect();
        assert_eq!((&*told.cluster, rules, told.enough), ("大理", vec![Some(Rule::Database)], true));

        let mut without = fleet();
        without.clusters.retain(|cluster| cluster.name != "大理");
        let without = Snapshot::new(without).unwrap();
        let far = nearest_of_all(&without, vec![wanted.clone()]).remove(&wanted.key).flatten().unwrap();
        let rules: BTreeSet<_> = far.changes.iter().filter_map(|change| change.rule).collect();
        assert_eq!((rules, far.enough), ([Rule::Regions, Rule::Database].into(), false));
        // The same cluster as in the long answer.
        let changes = Changes { specs: vec![wanted.clone()], ..Changes::default() };
        let long = explain(&without, &changes, &wanted.key, now()).unwrap().unwrap();
        let cheapest = long.clusters.iter().min_by_key(|cluster| (cluster.cost, &cluster.cluster)).unwrap();
        assert_eq!((&far.cluster, &far.changes), (&cheapest.cluster, &cheapest.changes));
    }

    #[test]
    fn missing_room_is_told_where_it_would_be_enough_and_a_quota_is_no_matter_of_a_cluster() {
        let snapshot = Snapshot::new(fleet()).unwrap();
        let mut big = spec("大模型", 1);
        big.pods[0].request = resources(6000);
        let mut greedy = spec("贪心", 40);
        greedy.quota = resources(1000);
        let all = nearest_of_all(&snapshot, vec![big.clone(), greedy.clone()]);
        let big = all[&big.key].clone().unwrap();
        let reason = &big.changes[0].reasons[0];
        assert_eq!((big.enough, big.changes[0].rule, reason.code), (true, None, Code::ResourceMissing));
        assert_eq!((&reason.seen, &reason.wanted), (&Value::Millicores(4000), &Value::Millicores(6000)));
        assert_eq!(all[&greedy.key], None, "one cluster more with one place more does not carry forty");
    }

    #[test]
    fn what_others_took_in_the_same_plan_counts() {
        // Alone it fits; behind one that comes first it has no room, and that is what is told of it.
        let snapshot = Snapshot::new(fleet()).unwrap();
        let mut first = with(spec("先", 1), |r| r.regions = ["5329".to_owned()].into());
        (first.pods[0].request, first.priority) = (resources(4000), 10);
        let second = with(spec("后", 1), |r| r.regions = ["5329".to_owned()].into());
        let all = nearest_of_all(&snapshot, vec![first.clone(), second.clone()]);
        assert!(!all.contains_key(&first.key));
        let second = all[&second.key].clone().unwrap();
        // Opening a neighbour's region costs more than room for one replica in its own.
        assert_eq!((&*second.cluster, second.changes[0].rule), ("大理", None));
    }
}
