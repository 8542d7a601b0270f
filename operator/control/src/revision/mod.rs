//! What is delivered, as numbered revisions.
//!
//! [`content`] says what makes one and when it is another, [`store`] keeps the last ten on the hub. Which revision a
//! cluster gets is the rollout's, in `workload`; what a person asks of them is in [`order`].

pub(crate) mod content;
pub mod order;
pub(crate) mod store;
