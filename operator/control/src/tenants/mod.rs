//! What a tenant needs in a member besides what a delivery makes itself (namespace, account, binding): a fence around its
//! quota, and the hub's right to act as it.
//!
//! [`quota`] is pure; [`Tenants`] compares with what is there and writes only what differs, as the hub's own account. A
//! right that is missing is not taken but shown, as the object that the member's administrator applies.

mod prepare;
mod quota;

pub use prepare::{Refusal, Tenants};
pub use quota::{Grant, quota};
