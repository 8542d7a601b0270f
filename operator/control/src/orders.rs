//! The border between deciding and delivering: what is ordered of a member, and what is reported from there.
//!
//! An order stands until another one for the same member and workload takes its place; the same order twice is one. No
//! order is an order of its own: who was told nothing does nothing, and removes nothing. Reports come whenever something
//! was seen; they are never asked for.

use std::sync::Arc;

use jiuzhou_api::v1alpha1::{DeliverySpec, DeliveryStatus};
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_objects::secrets::SecretManifest;

use crate::delivery::Look;

/// What a member is to have of one workload. Given only after its decision was committed and recorded.
#[derive(Clone, Debug)]
pub struct Order {
    /// The order itself.
    pub delivery: DeliverySpec,
    /// Secrets it refers to; their data stands nowhere else.
    pub secrets: Vec<SecretManifest>,
}

impl Order {
    /// The workload it is about.
    #[must_use]
    pub fn key(&self) -> WorkloadKey {
        WorkloadKey::new(&self.delivery.workload.namespace, &self.delivery.workload.name)
    }

    /// Whether it is what another order says, word for word.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.delivery == other.delivery && self.secrets == other.secrets
    }
}

/// What was seen of one workload in one member.
#[derive(Clone, Debug)]
pub struct Report {
    /// The member.
    pub cluster: String,
    /// The workload.
    pub workload: WorkloadKey,
    /// What was seen; `None` when the member was looked at whole and has nothing of it.
    pub status: Option<DeliveryStatus>,
}

/// Who carries orders out.
pub trait Orders: Send + Sync {
    /// Takes an order. Returns at once; whether it reached the member is reported.
    fn give(&self, order: Arc<Order>);

    /// Asks what a member has of a workload that nothing is ordered of there. Returns at once; what was seen is reported.
    fn look(&self, cluster: &str, look: Look);
}
