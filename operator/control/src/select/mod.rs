//! `select`: native objects of a dedicated hub as the objects of a workload, and what the members make of them written
//! back into their status.
//!
//! Helm, kubectl and Argo CD work on native objects and wait for their status. On a hub where no controller acts on them
//! we do both halves of that: [`natives`] holds what [`watch`] says of the [`kinds`] a workload is made of, [`resolve`]
//! tells what a selection takes or why it takes nothing, [`left`] holds what left a selection, [`status`] sums up what
//! the members count, [`write`] writes it. The rest of the operator sees a workload whose objects are the natives taken.

pub(crate) mod claims;
pub(crate) mod kinds;
pub(crate) mod left;
pub(crate) mod natives;
pub(crate) mod resolve;
pub(crate) mod status;
#[cfg(test)]
mod tests;
pub(crate) mod watch;
pub(crate) mod write;

pub(crate) use natives::{Event, Natives};
