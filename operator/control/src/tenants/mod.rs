//! The tenants: what each was granted, the right to act as it in a member, and how one that is deleted leaves.
//!
//! What a member needs for a tenant (namespace, account, binding, fence) is made by its deliveries. Here is what goes with
//! no delivery: [`Tenants`] asks a member whether the hub may act as a tenant and shows what is missing; [`keeper`] holds a
//! tenant that is deleted until no workload of its namespaces is left, then gives its namespaces in the members back.

mod keeper;
mod leave;
mod prepare;
mod quota;
pub(crate) mod usage;

pub(crate) use keeper::Keeper;
pub(crate) use leave::Leaving;
pub use prepare::{Refusal, Tenants};
pub(crate) use quota::granted;
