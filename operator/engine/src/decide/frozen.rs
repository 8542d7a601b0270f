//! What a change freeze holds beyond its rule: whatever changes a workload that has a place where the freeze holds.
//!
//! The rule keeps new replicas out of frozen clusters. Who carries decisions out also waits with less of what is there and
//! with other content; who only plans says that it would wait.

use jiff::Timestamp;

use super::input::FreezeInput;
use super::record::Decision;
use super::snapshot::Snapshot;
use super::spec::{Cause, Spec};
use crate::terms::{Code, Reason, Value};

impl Snapshot {
    /// The change freeze that holds at an instant for a tenant on one of some clusters, the first by name.
    pub fn freeze_on<'n>(
        &self,
        tenant: &str,
        clusters: impl IntoIterator<Item = &'n str>,
        at: Timestamp,
    ) -> Option<&FreezeInput> {
        if self.freezes.values().all(|freeze| !freeze.term.holds(at)) {
            return None;
        }
        let known = |name: &str| self.cluster(self.slot(name)?);
        let clusters: Vec<_> = clusters.into_iter().filter_map(known).collect();
        self.freezes.values().find(|freeze| {
            let which = freeze.clusters.as_ref();
            freeze.term.holds(at)
                && (freeze.tenants.is_empty() || freeze.tenants.contains(tenant))
                && which.is_none_or(|which| clusters.iter().any(|one| which.matches(&one.name, &one.labels)))
        })
    }
}

/// Why what was decided about a workload is not carried out yet: a freeze holds where it has a place, and it would lose
/// replicas, asks for something else than before, or is ordered to be placed anew. `None` when nothing holds it.
#[must_use]
pub fn held_by_freeze(snapshot: &Snapshot, spec: &Spec, decision: &Decision) -> Option<Reason> {
    let ordered = spec.rebalance && spec.rebalance_at.is_none_or(|at| at <= decision.as_of);
    let waits = spec.changed || ordered || decision.moves.iter().any(|step| step.to < step.from);
    if !waits || spec.stop.is_some() || spec.requirement.cause != Cause::Change {
        return None;
    }
    let running = spec.current.iter().filter(|current| current.placed > 0).map(|current| &*current.cluster);
    let mut running = running.peekable();
    running.peek()?;
    let freeze = snapshot.freeze_on(&spec.requirement.tenant, running, decision.as_of)?;
    Some(
        Reason::new(Code::HeldByFreeze)
            .object(&*freeze.name)
            .seen(freeze.term.until.map_or(Value::Unknown, Value::Time)),
    )
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::affinity::Affinity;
    use super::super::fixture::now;
    use super::super::input::Term;
    use super::super::scenarios::{fleet, on, spec, with};
    use super::super::{Changes, plan};
    use super::*;

    /// What is told of a workload that runs in 大理, in a freeze of so many hours of one cluster and some tenants.
    fn told(spec: Spec, cluster: &str, tenants: &[&str], hours: i64) -> Option<Reason> {
        let mut fleet = fleet();
        let (from, until) = (now() - SignedDuration::from_hours(1), now() + SignedDuration::from_hours(hours));
        fleet.freezes = vec![FreezeInput {
            name: "两会".to_owned(),
            term: Term { from: Some(from), until: Some(until) },
            clusters: Some(Affinity { names: [cluster.to_owned()].into(), ..Affinity::default() }),
            tenants: tenants.iter().map(|tenant| (*tenant).to_owned()).collect(),
        }];
        fleet.specs = vec![spec];
        let snapshot = Snapshot::new(fleet).unwrap();
        let changes = Changes { all: true, ..Changes::default() };
        let decision = plan(&snapshot, &changes, now()).unwrap().decisions.remove(0);
        held_by_freeze(&snapshot, snapshot.specs().next().unwrap(), &decision)
    }

    #[test]
    fn what_changes_or_loses_replicas_where_a_freeze_holds_waits_and_nothing_else() {
        let runs = |replicas: i64| on(spec("app", replicas), "大理", 2);
        let changed = || Spec { changed: true, ..runs(2) };
        let until = now() + SignedDuration::from_hours(8);
        let reason = told(changed(), "大理", &[], 8).unwrap();
        assert_eq!((reason.object, reason.seen), ("两会".into(), Value::Time(until)));
        let ordered = |at| Spec { rebalance: true, rebalance_at: at, ..runs(2) };
        for waits in [runs(1), ordered(None), ordered(Some(now()))] {
            assert!(told(waits.clone(), "大理", &["民政局"], 8).is_some(), "{waits:?}");
        }
        for goes in [
            runs(2),
            ordered(Some(until)),
            with(changed(), |requirement| requirement.cause = Cause::Failover),
            Spec { stop: Some(super::super::Stop::default()), ..changed() },
            Spec { current: Vec::new(), ..changed() },
        ] {
            assert_eq!(told(goes.clone(), "大理", &[], 8), None, "{goes:?}");
        }
        assert_eq!(told(changed(), "昆明", &[], 8), None, "it has no place there");
        assert_eq!(told(changed(), "大理", &["教育局"], 8), None, "another tenant's");
        assert_eq!(told(changed(), "大理", &[], 0), None, "it is over");
    }
}
