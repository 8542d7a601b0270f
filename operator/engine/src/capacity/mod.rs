//! How many replicas fit: node shapes, requests, slots, and taking and giving back.
//!
//! A pool's free capacity is at most [`MAX_SHAPES`] classes of nodes with equal free vectors ([`FreePool`]). Slots are
//! counted node by node (a 12-core pod does not fit 8 + 8). Where nodes had to be summarised, vectors were rounded down,
//! so that what is taken is never more than what was free. Which pools may be used is decided elsewhere.

mod composite;
mod convert;
mod joint;
mod resources;
mod shapes;

#[cfg(test)]
mod laws;

pub use composite::composite_slots;
pub use convert::{Performance, convert_cpu};
pub use joint::{Kind, Packed, joint_slots, pack};
pub use resources::{Request, ResourceId, Resources, TooManyResources};
pub use shapes::{FreePool, MAX_SHAPES, NodeShape, Taken, UnschedulableBound};
