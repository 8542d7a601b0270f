//! The epochs of the hub: one counter, reserved in blocks, so that a decision costs no write of its own for it.
//!
//! The counter only grows. It is read when the first epoch is needed and not before, so that a restart with nothing to do
//! writes nothing; what is left of a block when the operator ends is never used.
//!
//! How far epochs were committed is told by the placements. One that goes takes its epoch along, so before the first of
//! the newest ones goes it is written down here: else a hub that starts anew would take what its members have seen for a
//! sign that it was restored from a backup.

use jiuzhou_api::meta;
use kube::Client;

use super::counter;
use crate::error::Error;

/// Epochs of one block.
const BLOCK: i64 = 1000;

/// The epochs that this process may give out.
pub(crate) struct Epochs {
    client: Client,
    next: i64,
    end: i64,
    /// What is known to be written down as committed.
    committed: i64,
}

impl Epochs {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, next: 0, end: 0, committed: 0 }
    }

    /// The first of `count` epochs in a row, all above `floor`.
    ///
    /// # Errors
    /// When the counter cannot be read or written, or holds something that is no number.
    pub(crate) async fn take(&mut self, count: i64, floor: i64) -> Result<i64, Error> {
        let first = self.next.max(floor.saturating_add(1));
        if first.saturating_add(count) > self.end {
            self.reserve(count.max(BLOCK), floor).await?;
        }
        let first = self.next.max(floor.saturating_add(1));
        self.next = first.saturating_add(count);
        Ok(first)
    }

    /// Writes down that epochs up to this one were committed. Must be done before a placement of it goes.
    ///
    /// # Errors
    /// When the counter cannot be read or written.
    pub(crate) async fn keep(&mut self, epoch: i64) -> Result<(), Error> {
        if self.committed >= epoch {
            return Ok(());
        }
        let kept = counter::change(&self.client, meta::FIELD_MANAGER, |counter| {
            // Without a counter nothing was ever committed with an epoch of ours.
            if counter.next > 1 {
                counter.committed = counter.committed.max(epoch);
            }
            Ok(())
        });
        self.committed = kept.await?.committed;
        Ok(())
    }

    async fn reserve(&mut self, count: i64, floor: i64) -> Result<(), Error> {
        let mut first = 0;
        let reserved = counter::change(&self.client, meta::FIELD_MANAGER, |counter| {
            first = counter.next.max(floor.saturating_add(1));
            counter.next = first.saturating_add(count);
            Ok(())
        });
        let end = reserved.await?.next;
        (self.next, self.end) = (first, end);
        tracing::info!(from = first, until = self.end, "epochs reserved");
        Ok(())
    }
}
