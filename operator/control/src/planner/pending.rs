//! How long what was committed takes to be there: from the commit to the objects existing in a member.
//!
//! What waits its turn (a stage, a cluster that is not reached yet) is counted from its order, because the wait is wanted.
//! An order that this process found at its start is not counted: when it was given is not known.

use std::collections::BTreeMap;
use std::time::Duration;

use jiuzhou_api::v1alpha1::{DeliveryStatus, ObjectState};
use jiuzhou_engine::decide::WorkloadKey;
use tokio::time::Instant;

/// Orders that are followed at most: more than any burst, and a bound.
const MOST: usize = 20_000;

/// Orders on their way.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Commits whose first orders are not given yet: epoch, and since when.
    committed: BTreeMap<WorkloadKey, (i64, Instant)>,
    /// By workload, and within it by cluster: epoch, and since when.
    ordered: BTreeMap<WorkloadKey, BTreeMap<String, (i64, Instant)>>,
}

impl Pending {
    /// A decision was committed.
    pub(super) fn committed(&mut self, key: &WorkloadKey, epoch: i64, began: Instant) {
        if self.committed.len() < MOST {
            self.committed.insert(key.clone(), (epoch, began));
        }
    }

    /// Orders were given to members.
    pub(super) fn ordered<'a>(&mut self, key: &WorkloadKey, epoch: i64, clusters: impl Iterator<Item = &'a str>) {
        let mut clusters = clusters.peekable();
        if clusters.peek().is_none() {
            return;
        }
        let since = match self.committed.remove(key) {
            Some((of, began)) if of == epoch => began,
            _ => Instant::now(),
        };
        if self.ordered.len() < MOST || self.ordered.contains_key(key) {
            let known = self.ordered.entry(key.clone()).or_default();
            known.extend(clusters.map(|cluster| (cluster.to_owned(), (epoch, since))));
        }
    }

    /// A member reported. Returns how long it took, once, when everything ordered is there.
    pub(super) fn reported(
        &mut self,
        key: &WorkloadKey,
        cluster: &str,
        status: Option<&DeliveryStatus>,
    ) -> Option<Duration> {
        let waiting = self.ordered.get_mut(key)?;
        let (epoch, since) = *waiting.get(cluster)?;
        let status = status.filter(|status| status.epoch.is_some_and(|seen| seen >= epoch))?;
        let there = |state| {
            matches!(state, ObjectState::Applied | ObjectState::Ready | ObjectState::Finished | ObjectState::Failed)
        };
        let all = !status.objects.is_empty() && status.objects.iter().all(|object| there(object.state));
        if !all {
            return None;
        }
        waiting.remove(cluster);
        if waiting.is_empty() {
            self.ordered.remove(key);
        }
        Some(since.elapsed())
    }

    /// Nothing is placed of it any more.
    pub(super) fn forget(&mut self, key: &WorkloadKey) {
        self.committed.remove(key);
        self.ordered.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::v1alpha1::ObjectObservation;

    use super::*;

    fn status(epoch: i64, states: &[ObjectState]) -> DeliveryStatus {
        let object = |state: &ObjectState| ObjectObservation { state: *state, ..ObjectObservation::default() };
        DeliveryStatus { epoch: Some(epoch), objects: states.iter().map(object).collect(), ..DeliveryStatus::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_delivery_lasts_from_its_commit_until_all_of_it_exists() {
        let (key, mut pending) = (WorkloadKey::new("portal", "web"), Pending::default());
        let pass = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
        pending.committed(&key, 7, Instant::now());
        pass(1).await;
        pending.ordered(&key, 7, ["a"].into_iter());
        pass(1).await;
        // A stage that begins later is not late.
        pending.ordered(&key, 7, ["b"].into_iter());
        pass(1).await;
        for early in [status(6, &[ObjectState::Ready]), status(7, &[ObjectState::Ready, ObjectState::Waiting])] {
            assert_eq!(pending.reported(&key, "a", Some(&early)), None);
        }
        let there = status(7, &[ObjectState::Applied]);
        assert_eq!(pending.reported(&key, "a", Some(&there)), Some(Duration::from_secs(3)));
        assert_eq!(pending.reported(&key, "a", Some(&there)), None, "once");
        assert_eq!(pending.reported(&key, "b", Some(&there)), Some(Duration::from_secs(1)));
        assert!(pending.ordered.is_empty() && pending.committed.is_empty());
    }
}
