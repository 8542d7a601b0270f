//! Native Kubernetes manifests: what they are, what they need, what they hang together with, and how they change on
//! the way to a member.
//!
//! Everything here takes a manifest as [`serde_json::Value`] and never re-types it: a field this room does not know
//! survives. Reading never panics and never stops at the first fault; faults are [`jiuzhou_engine::terms::Finding`]s.
//! What a kind means (where its pod templates and counts stand) is a [`profile::Profile`].
//!
//! Not here: reading YAML (intake), deciding (engine), talking to an API server (member, control).

pub mod affinity;
pub mod blob;
pub mod dependencies;
pub mod digest;
pub mod error;
pub mod halt;
pub mod images;
pub mod needs;
pub mod node;
pub mod object;
pub mod order;
pub mod overrides;
pub mod path;
pub mod pod;
pub mod profile;
pub mod quantity;
pub mod references;
pub mod render;
pub mod secrets;
pub mod selection;
pub mod selector;
pub mod shape;
mod together;
pub mod wrap;

#[cfg(test)]
mod strategies;
