//! Events of Kubernetes for people who look at a workload: when how it stands has changed, and why.
//!
//! One recorder for the whole run, so that repeated ones are counted and not made anew. What is merely on its way is
//! told by the status alone. An event that cannot be written is not worth stopping for.

use std::time::Duration;

use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::v1alpha1::{FleetWorkload, FleetWorkloadStatus};
use k8s_openapi::api::core::v1::ObjectReference;
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
        self.publish(event, workload.object_ref(&()));
    }

    /// Tells that a definition is not this version's.
    pub(crate) fn definition(&self, name: &str, note: &str) {
        let event = Event {
            type_: EventType::Warning,
            reason: "DefinitionDiffers".to_owned(),
            note: Some(note.chars().take(NOTE_MOST).collect()),
            action: "Check".to_owned(),
            secondary: None,
        };
        let reference = ObjectReference {
            api_version: Some("apiextensions.k8s.io/v1".to_owned()),
            kind: Some("CustomResourceDefinition".to_owned()),
            name: Some(name.to_owned()),
            ..ObjectReference::default()
        };
        self.publish(event, reference);
    }

    fn publish(&self, event: Event, reference: ObjectReference) {
        let recorder = self.0.clone();
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
