//! The contract of Jiuzhou: the custom resources of `jiuzhou.dev/v1alpha1` and every name they share.
//!
//! What belongs here: the shape of an object, its bounds, its defaults, its CEL rules and the words around it (labels,
//! finalizers, condition types, reasons). What does not: reading YAML (intake), deciding (engine), talking to an API
//! server (control, member). The YAML in `crds/` is generated from here by `cargo xtask gen`.

pub mod conditions;
mod crd;
pub mod meta;
pub mod render;
mod schema;
pub mod study;
pub mod text;
pub mod v1alpha1;

pub use crd::{KindInfo, Scope, all_crds, kinds};
