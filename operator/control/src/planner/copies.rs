//! Copies of what the planner knows, for who works on them elsewhere.

use super::Planner;
use crate::reports::{Copy, Wished};

impl Planner {
    /// Answers a wish. While the hub is not known whole there is nothing to give, and dropping the wish says so.
    pub(super) fn give_copy(&self, wish: tokio::sync::oneshot::Sender<Copy>) {
        if self.complete {
            let _ = wish.send(Copy::of(&self.state));
        }
    }
}

/// The next wish; never one when nobody can wish any more.
pub(super) async fn wish(wished: &mut Wished) -> tokio::sync::oneshot::Sender<Copy> {
    match wished.recv().await {
        Some(wish) => wish,
        None => std::future::pending().await,
    }
}
