//! What people order, under their own rights: a system stopped and restored, an order of another person approved.
//!
//! An order is an object or a field on the hub, written here and by nothing else of the operator; what follows from it is
//! decided, recorded and carried out like every other change.

pub mod approve;
pub mod stop;
