//! The records room remembers: an append-only audit log.
