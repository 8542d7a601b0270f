//! The custom resources of `jiuzhou.dev/v1alpha1`, one kind per file, and the pieces several kinds share.
//!
//! A kind's file holds its spec, its status and what only it uses. Shared pieces stand in files named after what they
//! are: `class` (shared words), `isa`, `pool`, `selector`, `placement`, `protection`, `document`.
#![allow(clippy::duplicated_attributes, reason = "every print column has a type_")]
#![allow(unreachable_pub, reason = "kube's KubeSchema derive repeats every struct inside a function")]

mod approval;
mod change_freeze;
mod class;
mod connection;
mod cpu_platform;
mod delivery;
mod document;
mod evidence;
mod fleet_placement;
mod fleet_workload;
mod image_profile;
mod in_force;
mod information_system;
mod isa;
mod kind_profile;
mod member_cluster;
mod migration;
mod operating_mode;
mod overrides;
mod placement;
mod placement_policy;
mod plain_status;
mod pool;
mod price_book;
mod protection;
mod report;
mod requirements;
mod rollout;
mod selector;
mod site;
mod sovereignty_tier;
mod tenant;

pub use approval::*;
pub use change_freeze::*;
pub use class::*;
pub use connection::*;
pub use cpu_platform::*;
pub use delivery::*;
pub use document::*;
pub use evidence::*;
pub use fleet_placement::*;
pub use fleet_workload::*;
pub use image_profile::*;
pub use in_force::*;
pub use information_system::*;
pub use isa::*;
pub use kind_profile::*;
pub use member_cluster::*;
pub use migration::*;
pub use operating_mode::*;
pub use overrides::*;
pub use placement::*;
pub use placement_policy::*;
pub use plain_status::*;
pub use pool::*;
pub use price_book::*;
pub use protection::*;
pub use report::*;
pub use requirements::*;
pub use rollout::*;
pub use selector::*;
pub use site::*;
pub use sovereignty_tier::*;
pub use tenant::*;
