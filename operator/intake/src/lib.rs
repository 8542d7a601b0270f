//! The intake room reads: files in, typed and checked objects out.
//!
//! One door for YAML and JSON ([`yaml`]), files and folders to documents ([`files`], [`documents`]), the checks an API
//! server would make ([`schema`]), typed objects ([`objects`]), the checks no schema can make ([`check`]), what the
//! engine is told ([`convert`]), and what is counted ([`figures`]). [`load()`] does it all but the last; [`manifests()`]
//! reads what is to be wrapped. Everything wrong becomes a finding with place, rule and fix; nothing stops at the first.
//! This is the only room that knows the api's types and the engine's and measure's, so the way back from a decision to
//! what is committed of it ([`placements`]) stands here, too.

pub mod adopt;
pub mod approvals;
pub mod beijing;
pub mod builtin;
pub mod check;
pub mod convert;
pub mod documents;
pub mod exports;
pub mod figures;
pub mod files;
pub mod foreign;
pub mod in_force;
pub mod invoices;
mod load;
mod manifests;
pub mod migrations;
pub mod native;
pub mod objects;
pub mod placements;
pub mod profiles;
pub mod register;
mod salvage;
pub mod sboms;
pub mod schema;
pub mod search;
pub mod studies;
mod table;
pub mod yaml;

pub use load::{Fleet, Input, LoadError, Options, Progress, load, load_texts, read};
pub use manifests::{Manifests, manifests};
