//! The one order to stop: everything that runs holds a copy and ends in order when it is given.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Says when to stop. Copies hear of the same order.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// Gives the order.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stop {
    /// An order and who waits for it.
    #[must_use]
    pub fn new() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Self(receiver))
    }

    /// Stops at SIGTERM (Kubernetes) and SIGINT (a person). Needs a runtime.
    ///
    /// # Errors
    /// When the system does not let us listen.
    pub fn on_signal() -> io::Result<Self> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (stopper, stop) = Self::new();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => tracing::info!("stopping: SIGTERM"),
                _ = interrupt.recv() => tracing::info!("stopping: SIGINT"),
            }
            stopper.stop();
        });
        Ok(stop)
    }

    /// Waits for the order. A stopper that is gone is an order too: nobody could give it any more.
    pub async fn requested(&self) {
        let mut receiver = self.0.clone();
        let _ = receiver.wait_for(|stop| *stop).await;
    }

    /// Whether the order was given.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}

impl Stopper {
    /// Gives the order.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_copy_hears_of_the_order() {
        let (stopper, stop) = Stop::new();
        let copy = stop.clone();
        assert!(!copy.is_requested());
        let waiting = tokio::spawn(async move { copy.requested().await });
        stopper.stop();
        waiting.await.expect("the waiting task ends");
        assert!(stop.is_requested());
    }

    #[tokio::test]
    async fn a_stopper_that_is_gone_is_an_order() {
        let (stopper, stop) = Stop::new();
        drop(stopper);
        stop.requested().await;
    }
}
