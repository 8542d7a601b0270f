//! What every single order is held against, at the moment it is given and with the hub as it is at that moment.
//!
//! The judge reads the hub's store and the audit log, never the operator: an order that nobody committed or recorded, a
//! removal or a lower count that nobody asked for, and a single writer in two members are faults of the operator
//! whatever the hub did to it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiuzhou_api::v1alpha1::DeliveryState;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_world::World;
use serde_json::Value;

use super::stories::REGISTER;
use crate::orders::Order;
use crate::testing::There;

/// Watches over orders, and keeps what it finds.
#[derive(Clone)]
pub(super) struct Judge {
    world: World,
    folder: PathBuf,
    found: Arc<Mutex<Vec<String>>>,
    /// A cluster where nothing is ready, however much is ordered there.
    unwell: Option<&'static str>,
}

impl Judge {
    pub(super) fn new(world: World, folder: PathBuf, unwell: Option<&'static str>) -> Self {
        Self { world, folder, found: Arc::default(), unwell }
    }

    /// What was found so far.
    pub(super) fn found(&self) -> Vec<String> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at one order before it is carried out.
    pub(super) fn look(&self, order: &Order, there: &There) {
        let (key, cluster) = (order.key(), order.delivery.cluster.to_string());
        let say = |what: String| {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.push(format!("{key} in {cluster}, epoch {}: {what}", order.delivery.epoch));
        };
        let object = |kind: &str| self.world.object(jiuzhou_api::meta::API_VERSION, kind, &key.namespace, &key.name);
        let Some(placement) = object("FleetPlacement") else { return say("ordered without a placement".to_owned()) };
        if order.delivery.epoch > placement["spec"]["epoch"].as_i64().unwrap_or(0) {
            say("ordered before it was committed".to_owned());
        }
        if !self.is_recorded(placement["spec"]["decision"].as_str().unwrap_or_default()) {
            say("ordered before the decision of its placement was recorded".to_owned());
        }
        let placed = placed(&placement, &cluster);
        let before = there.get(&(key.clone(), cluster.clone())).map(|order| order.delivery.replicas.unwrap_or(0));
        match order.delivery.state {
            DeliveryState::Removing => {
                let asked = object("FleetWorkload").is_some_and(|workload| self.deletion_is_an_order(&workload));
                if placed != Some(0) && !asked {
                    say(format!("removed although {placed:?} are placed there and nobody deleted it"));
                }
            }
            DeliveryState::Present => {
                let now = order.delivery.replicas.unwrap_or(0);
                match placed {
                    None => say("ordered where nothing is placed".to_owned()),
                    Some(placed) if now < before.unwrap_or(0) && now < placed => {
                        say(format!("made {now} of {before:?} although {placed} are placed there"));
                    }
                    Some(_) => {}
                }
                self.hold_single_writer(&key, &cluster, now, there, &say);
            }
            DeliveryState::Orphan => say("let go although nobody asked for it".to_owned()),
        }
        // What is not ready there serves nobody, and is no loss.
        if self.unwell != Some(cluster.as_str()) {
            hold_sum(&key, &cluster, order, there, object("FleetWorkload").as_ref(), &say);
        }
    }

    /// A single writer that can run in two members at once.
    fn hold_single_writer(&self, key: &WorkloadKey, cluster: &str, now: i32, there: &There, say: &impl Fn(String)) {
        let elsewhere = there.iter().filter(|((workload, other), order)| {
            workload == key && other != cluster && order.delivery.replicas.unwrap_or(0) > 0
        });
        if key.name == REGISTER && now > 0 && elsewhere.count() > 0 {
            say("a single writer is ordered while another copy can run".to_owned());
        }
    }

    /// Deleted by a person, and not because its namespace goes.
    fn deletion_is_an_order(&self, workload: &Value) -> bool {
        let namespace = workload["metadata"]["namespace"].as_str().unwrap_or_default();
        let namespace = self.world.object("v1", "Namespace", "", namespace);
        !workload["metadata"]["deletionTimestamp"].is_null()
            && namespace.is_some_and(|namespace| namespace["metadata"]["deletionTimestamp"].is_null())
    }

    /// Whether a file of the audit log names the decision.
    fn is_recorded(&self, decision: &str) -> bool {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut texts = files.filter(|file| file.path().is_file()).filter_map(|file| std::fs::read(file.path()).ok());
        texts.any(|text| String::from_utf8_lossy(&text).contains(decision))
    }
}

/// Replicas a placement has in a cluster; `None` when it does not name it.
fn placed(placement: &Value, cluster: &str) -> Option<i32> {
    let clusters = placement["spec"]["clusters"].as_array()?;
    let of_it = clusters.iter().find(|placed| placed["name"] == cluster)?;
    of_it["replicas"].as_i64().and_then(|replicas| i32::try_from(replicas).ok())
}

/// What moves by adding first never runs with fewer than before or than wanted, whichever is less. Everything ordered is
/// ready at once here, so what is ordered is what runs.
fn hold_sum(
    key: &WorkloadKey,
    cluster: &str,
    order: &Order,
    there: &There,
    workload: Option<&Value>,
    say: &impl Fn(String),
) {
    let Some(workload) = workload else { return };
    if key.name == REGISTER || !workload["metadata"]["deletionTimestamp"].is_null() {
        return;
    }
    let mut runs: BTreeMap<&str, i32> = there
        .iter()
        .filter(|((of, _), _)| of == key)
        .map(|((_, cluster), order)| (cluster.as_str(), order.delivery.replicas.unwrap_or(0)))
        .collect();
    let before: i32 = runs.values().sum();
    let now = if order.delivery.state == DeliveryState::Present { order.delivery.replicas.unwrap_or(0) } else { 0 };
    runs.insert(cluster, now);
    let after: i32 = runs.values().sum();
    let wanted = workload["spec"]["replicas"].as_i64().and_then(|n| i32::try_from(n).ok()).unwrap_or(2);
    if after < before.min(wanted) {
        say(format!("leaves {after} of {before} running where {wanted} are wanted"));
    }
}
