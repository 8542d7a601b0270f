//! What the API server of the hub says: one watch per kind of ours, shared by everything that decides or tells.
//!
//! Objects come as they are, untyped, so that one object that cannot be read never stops the watch of the others:
//! reading it is `state`'s, where it becomes a finding. Nothing may be decided before every kind was listed once whole.

mod watch;

use jiuzhou_engine::terms::ObjectRef;
use serde_json::Value;

pub(crate) use watch::watch_all;

/// What was seen.
#[derive(Debug)]
pub(crate) enum Seen {
    /// An object is there, or is another than before.
    Put(Value),
    /// An object is gone.
    Gone(ObjectRef),
    /// A kind is being listed anew; until [`Seen::Complete`] nothing can be said of what is absent.
    Begin {
        /// Which kind.
        kind: String,
    },
    /// Every object of a kind was seen since [`Seen::Begin`].
    Complete {
        /// Which kind.
        kind: String,
    },
    /// Something of native objects, which a dedicated hub follows where workloads select them.
    Native(crate::select::Event),
}
