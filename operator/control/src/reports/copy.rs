//! A copy of what the hub knows, asked of the planner between two of its turns.
//!
//! Objects, clusters and workloads are shared with the state, so that a copy costs the planner little more than their
//! names; everything that is worked out of it is worked out elsewhere.

use jiuzhou_engine::decide::Snapshot;
use jiuzhou_intake::figures::Scene;
use jiuzhou_intake::objects::Objects;
use tokio::sync::{mpsc, oneshot};

use crate::state::State;
use crate::tenants::usage::{Sources, Told, told};

/// What the hub knows at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    objects: Objects,
    snapshot: Snapshot,
    tenants: Sources,
}

impl Copy {
    /// Of the state as it is, with what else is known of tenants.
    pub(crate) fn of(state: &State, tenants: Sources) -> Self {
        Self { objects: state.objects().clone(), snapshot: state.snapshot().clone(), tenants }
    }

    /// What tenants use, and what is in their way.
    pub(crate) fn told_of_tenants(&self) -> Told {
        told(self.snapshot.specs().map(|spec| &**spec), &self.tenants)
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// As figures are made from it.
    pub(crate) fn scene(&self) -> Scene<'_> {
        Scene::of(&self.objects, &self.snapshot)
    }
}

/// A wish for a copy; dropped without an answer while the hub is not known whole.
pub(crate) type Wish = oneshot::Sender<Copy>;

/// Where wishes go.
pub(crate) type Wishes = mpsc::Sender<Wish>;

/// Where the planner takes them from.
pub(crate) type Wished = mpsc::Receiver<Wish>;

/// Both ends.
pub(crate) fn channel() -> (Wishes, Wished) {
    mpsc::channel(1)
}
