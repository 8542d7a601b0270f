//! Server-side apply: who holds which field of an object.
//!
//! `set` are sets of paths, `typed` reads values through a schema, `managers` is the record in `managedFields` and what
//! an update and an apply do to it. The verbs call only [`Managers`] and [`check`].

mod managers;
mod set;
mod typed;

pub(crate) use managers::{Conflict, Endpoint, Managers, Writer};
pub(crate) use set::{Set, Step};
pub(crate) use typed::check;
