//! The records room remembers: an append-only audit log.
//!
//! `audit` keeps what was decided, what was about to be written to a member, and what came of it. It is plain blocking
//! file I/O: the caller owns threads, tasks and the clock. What belongs elsewhere: what a decision is (engine), how a
//! write reaches a member (member), when to append (control), sentences (report).

pub mod audit;
