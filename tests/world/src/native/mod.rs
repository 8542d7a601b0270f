//! Native kinds: what a real server does to them beside storing.
//!
//! `defaults` are the defaults no schema carries, `strategy` is what create and update do by kind, `rules` are the
//! validations the operator meets (required fields, immutable fields). The world does not validate native objects as
//! deeply as a server; what it refuses a server refuses with the same words.

mod defaults;
mod rules;
mod strategy;

pub(crate) use defaults::{TEMPLATE_GENERATION, default};
pub(crate) use rules::check;
pub(crate) use strategy::{
    established, generation_moves, has_other_finalizers, is_read_with_more, may_create_on_update, needs_version,
    prepare_change, prepare_new, prepare_status, status_keeps_labels,
};
