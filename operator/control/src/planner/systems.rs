//! Keeps the status of information systems: which are to be looked at, when, and the write where it says something new.
//!
//! A system is looked at when it, a workload of it or an approval changed, a few seconds later, so that a roll-out of many
//! workloads is few writes; and once after a start and on every new day, because approvals run out by days.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::civil::Date;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{InformationSystem, InformationSystemStatus};
use jiuzhou_engine::decide::WorkloadKey;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::time::Instant;

use super::{Planner, chain};
use crate::error::{Category, Error};
use crate::systems;

/// Between a change of a stop order or of an approval, and the look: a person waits for it.
const SOON: Duration = Duration::from_secs(1);
/// Between any other change and the look: most of what is on its way is there by then.
const LATER: Duration = Duration::from_secs(5);
/// Writes at once, and in one step: the rest waits for the next, so that nothing is decided late for it.
const AT_ONCE: usize = 16;
const IN_A_STEP: usize = 64;

/// Systems to look at, and when.
#[derive(Debug, Default)]
pub(super) struct Systems {
    due: BTreeMap<WorkloadKey, Instant>,
    /// The day all of them were looked at.
    day: Option<Date>,
}

impl Systems {
    fn mark(&mut self, key: WorkloadKey, wait: Duration) {
        let at = Instant::now() + wait;
        let due = self.due.entry(key).or_insert(at);
        *due = (*due).min(at);
    }

    /// When to look next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.values().min().copied()
    }
}

impl Planner {
    /// The system itself changed. Whoever ordered it to stop waits for the answer.
    pub(super) fn system_changed(&mut self, key: WorkloadKey) {
        let ordered = self.state.system(&key).is_some_and(|system| system.spec.stop.is_some());
        self.systems.mark(key, if ordered { SOON } else { LATER });
    }

    /// A workload or its placement changed, or is gone: then nobody knows any more which system it was of.
    pub(super) fn part_changed(&mut self, key: &WorkloadKey) {
        if let Some(workload) = self.state.fleet_workload(key) {
            self.systems.mark(WorkloadKey::new(&key.namespace, &workload.spec.system), LATER);
            return;
        }
        let here = self.state.systems().map(|(key, _)| key).filter(|system| system.namespace == key.namespace);
        here.for_each(|system| self.systems.mark(system, LATER));
    }

    /// An approval changed: it is of one of the systems that are ordered to stop.
    pub(super) fn approval_changed(&mut self) {
        let ordered = self.state.systems().filter(|(_, system)| system.spec.stop.is_some());
        ordered.for_each(|(system, _)| self.systems.mark(system, SOON));
    }

    /// Writes what differs of the systems that are due.
    pub(super) async fn tell_systems(&mut self) {
        if self.gate.check().is_err() {
            return;
        }
        if self.state.day().is_some() && self.systems.day != self.state.day() {
            self.systems.day = self.state.day();
            self.state.systems().for_each(|(system, _)| self.systems.mark(system, LATER));
        }
        let now = Instant::now();
        let due: Vec<WorkloadKey> =
            self.systems.due.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        let mut all = Vec::new();
        for key in due {
            if all.len() == IN_A_STEP {
                break;
            }
            self.systems.due.remove(&key);
            let Some(status) = systems::status(&self.state, &key, self.now()) else { continue };
            let system = self.state.system(&key).filter(|system| system.status.as_ref() != Some(&status));
            if let Some(uid) = system.and_then(ResourceExt::uid) {
                all.push((key, uid, status));
            }
        }
        let client = &self.client;
        let one = |(key, uid, status): (WorkloadKey, String, InformationSystemStatus)| async move {
            let written = write(client, &key, &uid, &status).await;
            (key, written)
        };
        let done: Vec<_> = futures::stream::iter(all).map(one).buffer_unordered(AT_ONCE).collect().await;
        for (key, written) in done {
            self.metrics.reconciled("systems", now.elapsed(), written.as_ref().map(drop).map_err(Error::category));
            match written {
                Ok(Some(system)) => self.take_in(&system, "InformationSystem"),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(system = %key, error = %chain(&error), "failed to write a status; trying again");
                    self.systems.mark(key, LATER);
                }
            }
        }
    }
}

/// One that is gone or was made anew is no error: its own events will tell.
async fn write(
    client: &Client,
    key: &WorkloadKey,
    uid: &str,
    status: &InformationSystemStatus,
) -> Result<Option<InformationSystem>, Error> {
    let api: Api<InformationSystem> = Api::namespaced(client.clone(), &key.namespace);
    // What holds until others approve is written where it is judged, on exactly the version that was judged.
    let status = InformationSystemStatus { in_force: Vec::new(), ..status.clone() };
    let body = json!({
        "apiVersion": meta::API_VERSION, "kind": "InformationSystem",
        "metadata": { "name": key.name, "namespace": key.namespace, "uid": uid }, "status": status,
    });
    match api.patch_status(&key.name, &PatchParams::apply(meta::FIELD_MANAGER).force(), &Patch::Apply(body)).await {
        Ok(system) => Ok(Some(system)),
        Err(kube::Error::Api(answer)) if answer.is_not_found() => Ok(None),
        Err(error) => match Error::api("write", format!("the status of InformationSystem {key}"), error) {
            error if error.category() == Category::Conflict => Ok(None),
            error => Err(error),
        },
    }
}
