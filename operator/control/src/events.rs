//! Events of Kubernetes for people who look at a workload: when how it stands has changed, and why.
//!
//! One recorder for the whole run, so that repeated ones are counted and not made anew. What is merely on its way is
//! told by the status alone. An event that cannot be written is not worth stopping for.

use std::time::Duration;

use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::v1alpha1::{FleetWorkload, FleetWorkloadStatus};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource as _};

/// Who reports.
pub(crate) const CONTROLLER: &str = "jiuzhou.dev/operator";
/// Longest note that the API takes.
const NOTE_MOST: usize = 1024;
/// How long an event may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells of changes.
#[derive(Clone)]
pub(crate) struct Events(Recorder);

impl Events {
    pub(crate) fn new(client: Client) -> Self {
        Self(Recorder::new(client, Reporter { controller: CONTROLLER.to_owned(), instance: None }))
    }

    /// Tells how a workload stands now, where that is another reason than was told before.
    pub(crate) fn standing(&self, workload: &FleetWorkload, before: Option<&str>, status: &FleetWorkloadStatus) {
        let reason = status.reason.as_deref().unwrap_or_default();
        if reason.is_empty() || before == Some(reason) || is_on_its_way(reason) {
            return;
        }
        let ready = status.conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True");
        let words = [status.message_en.as_deref(), status.message_zh.as_deref()].into_iter().flatten();
        let event = Event {
            type_: if ready { EventType::Normal } else { EventType::Warning },
            reason: reason.to_owned(),
            note: Some(words.collect::<Vec<_>>().join(" ").chars().take(NOTE_MOST).collect()),
            action: "Place".to_owned(),
            secondary: None,
        };
        let (recorder, reference) = (self.0.clone(), workload.object_ref(&()));
        tokio::spawn(async move {
            match tokio::time::timeout(PATIENCE, recorder.publish(&event, &reference)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(error = %error, "failed to write an event"),
                Err(_) => tracing::debug!("failed to write an event in time"),
            }
        });
    }
}

/// Reasons that pass by themselves.
fn is_on_its_way(reason: &str) -> bool {
    [
        ControllerReason::NotObserved,
        ControllerReason::DeliveryInProgress,
        ControllerReason::Removing,
        ControllerReason::RolloutInProgress,
    ]
    .iter()
    .any(|one| one.as_str() == reason)
}
