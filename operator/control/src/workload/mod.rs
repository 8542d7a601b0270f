//! One workload from its committed placement to its members and back into its status.
//!
//! Five steps in five files: [`dereference`] gathers what is known, [`validate`] says whether it can be acted on,
//! [`build`] makes orders and status of it (pure), [`apply`] hands the orders over, [`update_status`] writes what people
//! and tools read. Where replicas go was decided before; how they get there without loss is the engine's `step`.

pub(crate) mod apply;
pub(crate) mod build;
pub(crate) mod conditions;
pub(crate) mod depends;
pub(crate) mod dereference;
pub(crate) mod halted;
pub(crate) mod render;
pub(crate) mod staged;
pub(crate) mod status;
pub(crate) mod update_status;
pub(crate) mod validate;
