//! Amounts of resources by name: what a pod asks for, what a node has free, what a quota allows.
//!
//! Names are Kubernetes' (`cpu`, `memory`, `ephemeral-storage`, `pods`, `huawei.com/Ascend910`). One integer unit per
//! resource: `cpu` in millicores, memory and storage in bytes, everything else in pieces. How amounts become slots is
//! [`crate::capacity`]'s.

use std::collections::BTreeMap;

/// `cpu`, in millicores.
pub const CPU: &str = "cpu";
/// `memory`, in bytes.
pub const MEMORY: &str = "memory";
/// `ephemeral-storage`, in bytes.
pub const EPHEMERAL_STORAGE: &str = "ephemeral-storage";
/// `requests.storage`: what persistent volume claims ask for, in bytes. Quota only; no node has it.
pub const STORAGE: &str = "requests.storage";
/// `pods`, in pieces.
pub const PODS: &str = "pods";

/// Amounts by resource name; a name that is absent is zero.
pub type Resources = BTreeMap<String, i64>;
