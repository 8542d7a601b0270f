//! What of a snapshot was touched, in order, so that whoever keeps something made of it can bring that up to date.
//!
//! A reader holds a [`Mark`]. It is of one snapshot: a copy of it, or another one, knows no marks of the first. A reader
//! that stayed away for long finds that its mark is no longer known either, and starts anew.

use std::sync::Arc;

use super::snapshot::ClusterSlot;
use super::spec::WorkloadKey;

/// Touches kept at least, however small the fleet is.
const LEAST: usize = 4096;

/// Whose touches these are. A copy is somebody else.
#[derive(Debug, Default)]
struct Identity(Arc<()>);

impl Clone for Identity {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Something of a snapshot that was entered, changed or taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// The cluster that has or had this slot.
    Cluster(ClusterSlot),
    /// A workload.
    Spec(WorkloadKey),
}

/// A place in the touches of one snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    of: Arc<()>,
    at: usize,
}

/// The touches of one snapshot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touches {
    identity: Identity,
    /// Touches that were dropped.
    dropped: usize,
    touches: Vec<Touch>,
}

impl Touches {
    /// Adds one. `of` is the size of the snapshot: touches of more than twice that are not worth keeping.
    pub(crate) fn add(&mut self, touch: Touch, of: usize) {
        if self.touches.len() >= LEAST.max(of.saturating_mul(2)) {
            self.dropped += self.touches.len();
            self.touches.clear();
        }
        self.touches.push(touch);
    }

    /// The present place.
    pub(crate) fn mark(&self) -> Mark {
        Mark { of: Arc::clone(&self.identity.0), at: self.dropped + self.touches.len() }
    }

    /// What was touched since; `None` when that is not known.
    pub(crate) fn since(&self, mark: &Mark) -> Option<&[Touch]> {
        if !Arc::ptr_eq(&mark.of, &self.identity.0) {
            return None;
        }
        self.touches.get(mark.at.checked_sub(self.dropped)?..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_snapshot_and_of_no_copy_of_it() {
        let mut touches = Touches::default();
        let mark = touches.mark();
        let touch = Touch::Spec(WorkloadKey::new("ns", "app"));
        touches.add(touch.clone(), 1);
        assert_eq!(touches.since(&mark), Some([touch].as_slice()));
        assert_eq!(touches.clone().since(&mark), None);
        assert_eq!(Touches::default().since(&mark), None);
    }

    #[test]
    fn who_stayed_away_for_long_starts_anew() {
        let mut touches = Touches::default();
        let mark = touches.mark();
        for n in 0..=LEAST {
            touches.add(Touch::Cluster(ClusterSlot::new(n)), 1);
        }
        assert_eq!(touches.since(&mark), None);
        assert_eq!(touches.since(&touches.mark()), Some([].as_slice()));
    }
}
