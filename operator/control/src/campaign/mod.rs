//! The fault campaign of the hub: stories that a person plays while the hub answers badly or the operator dies.
//!
//! Each story runs once without a fault; its writes, lists and watches say which cases there are ([`cases`]). Each case
//! plays the story again with one fault, until everything is at rest, and is held against the same questions
//! ([`judge`], [`play`]): was every order committed and recorded before, was nothing removed or made fewer that nobody
//! asked to be, was a single writer ever in two members, is the end the one without the fault, does a restart write
//! nothing, does every recorded decision replay. A failing case is one line; `JIUZHOU_CASE="..."` plays just that one.

mod cases;
mod judge;
mod play;
mod stories;
mod tests;
