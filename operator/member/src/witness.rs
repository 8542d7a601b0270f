//! Who is asked before every write to a member, and told after it: the leader's gate and the audit log of the hub.
//!
//! It stands where requests leave, so that no path to a member goes round it. A write that the witness does not let
//! through is not sent; nothing is concluded from that about the member.

use futures::future::BoxFuture;
use jiuzhou_api::v1alpha1::DeliverySpec;

/// How something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// POST.
    Create,
    /// Server-side apply.
    Apply,
    /// A merge patch.
    Patch,
    /// DELETE.
    Delete,
}

/// What is written, by name, and by uid where the write is meant for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `apiVersion`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace; `None` for kinds of the whole cluster.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// Uid the write is meant for.
    pub uid: Option<String>,
}

/// One write for an order.
#[derive(Clone, Debug)]
pub struct Write<'a> {
    /// The order it carries out.
    pub order: &'a DeliverySpec,
    /// How.
    pub verb: Verb,
    /// What.
    pub target: Target,
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The member did it.
    Done,
    /// The member said no.
    Refused,
    /// It was sent and no answer came: it may have happened.
    Unknown,
}

/// Sees every write to a member.
pub trait Witness: Send + Sync {
    /// Asked before a write is sent. An error stops it; its words are told as the reason why nothing happens.
    fn before<'a>(&'a self, write: &'a Write<'a>) -> BoxFuture<'a, Result<(), String>>;

    /// Told how it ended.
    fn after<'a>(&'a self, write: &'a Write<'a>, outcome: Outcome) -> BoxFuture<'a, ()>;
}
