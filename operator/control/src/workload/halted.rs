//! A workload that an order stops: everything of it stays where it is, and nothing of it runs.
//!
//! What is ordered is what would be ordered anyway, with its objects taken to nothing that runs: replicas to zero, Jobs
//! and CronJobs suspended, a DaemonSet onto no node. It follows from the committed placement alone, so that it survives a
//! restart and no change of the workload, of its replicas or of an autoscaler undoes it. Drift is corrected whatever the
//! object declares, and no object waits for the wave before. What runs once and was stopped while it ran stays
//! suspended when the order is lifted: it would run a second time.

use std::collections::BTreeMap;

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_api::v1alpha1::{DeliveredObject, DeliverySpec, DeliveryState, DeliveryStatus, ObjectState, OnDrift};
use jiuzhou_engine::step::{Continuity, Wait};
use jiuzhou_objects::halt::{Halted, halt};
use jiuzhou_objects::object::Object;

use super::build::{Built, Sources, continuity, look, order, seen};
use super::dereference::Gathered;
use crate::orders::Order;

/// Label that no node carries.
const NOWHERE: &str = "jiuzhou.dev/stopped";

/// The order that stops a placement now.
pub(crate) fn stopped(placement: &api::FleetPlacement) -> Option<&str> {
    placement.spec.stop.as_ref().filter(|stop| !stop.lifted).map(|stop| &*stop.order)
}

/// Whether what runs once was stopped in a cluster while it ran.
pub(super) fn interrupted(placement: &api::FleetPlacement, cluster: &str) -> bool {
    let started = placement.status.iter().flat_map(|status| &status.started);
    started.into_iter().any(|one| *one.name == *cluster && one.interrupted)
}

/// Takes objects to nothing that runs. Answers which of them run on, because nothing but their deletion ends them.
pub(super) fn quieten(gathered: &Gathered<'_>, objects: &mut [DeliveredObject]) -> Vec<String> {
    let mut run_on = Vec::new();
    for object in objects {
        object.on_drift = OnDrift::Correct;
        object.wave = 0;
        let Some(manifest) = object.manifest.as_mut() else { continue };
        let profile = gathered.state.base().and_then(|base| base.profiles.of(Object::new(manifest)));
        if halt(manifest, profile, NOWHERE) == Halted::Runs {
            run_on.push(format!("{} {}", Object::new(manifest).kind(), object.name));
        }
    }
    run_on
}

/// What is ordered of each cluster while an order stops the workload.
pub(super) fn build(
    gathered: &Gathered<'_>,
    workload: &api::FleetWorkload,
    placement: &api::FleetPlacement,
    sources: &Sources<'_>,
) -> Built {
    let mut built = Built { present: true, stopped: stopped(placement).map(str::to_owned), ..Built::default() };
    let once = continuity(gathered, workload) == Continuity::RunOnce;
    // Bounds of autoscalers stay those of the places as they were decided; one that is being left counts for itself.
    let clusters = &placement.spec.clusters;
    let parts: BTreeMap<String, i64> =
        clusters.iter().map(|one| (one.name.to_string(), i64::from(one.replicas).max(1))).collect();
    for cluster in clusters {
        let name = cluster.name.to_string();
        let report = gathered.reports.get(&name);
        let there = report.map(|report| report.as_ref().is_some_and(|status| seen(status, 0).objects));
        match there {
            // What is not there is not made for being stopped, where it might run or is on its way out.
            Some(false) if cluster.replicas == 0 => {
                built.forget.push(name);
                continue;
            }
            Some(false) if once => continue,
            None if once || cluster.replicas == 0 => {
                built.looks.insert(name.clone(), look(gathered));
                built.waits.insert(name, Wait::Unseen);
                continue;
            }
            Some(_) | None => {}
        }
        match sources.render(&name, &parts) {
            Ok(Some(Ok(mut rendered))) => {
                let run_on = quieten(gathered, &mut rendered.objects);
                if !run_on.is_empty() {
                    built.run_on.insert(name.clone(), run_on);
                }
                let delivery = DeliverySpec {
                    replicas: Some(0),
                    objects: rendered.objects,
                    continuity: workload.spec.continuity.unwrap_or_default(),
                    fence: workload.spec.fence,
                    ..order(gathered, placement, &name, DeliveryState::Present)
                };
                built.orders.insert(name, Order { delivery, secrets: rendered.secrets });
            }
            Ok(Some(Err(findings))) => {
                if report.is_none() {
                    built.looks.insert(name.clone(), look(gathered));
                }
                built.unrendered.insert(name, findings);
            }
            Ok(None) => {}
            Err(wait) => {
                if report.is_none() {
                    built.looks.insert(name.clone(), look(gathered));
                }
                built.waits.insert(name, wait);
            }
        }
    }
    built
}

/// Pods that are left in a cluster, by a report of this order or a later one; `None` where nobody could tell yet.
pub(super) fn left(built: &Built, cluster: &str, report: Option<&DeliveryStatus>) -> Option<i64> {
    let Some(report) = report else {
        // Nothing was ordered where nothing is.
        return (!built.orders.contains_key(cluster) && !built.waits.contains_key(cluster)).then_some(0);
    };
    let ordered = built.orders.get(cluster).map(|order| order.delivery.epoch);
    if ordered.is_some_and(|epoch| report.epoch < Some(epoch)) {
        return None;
    }
    let gone = |object: &&api::ObjectObservation| object.state != ObjectState::Gone;
    let counted = report.objects.iter().filter(gone).any(|object| object.wanted.is_some() || object.present.is_some());
    match report.present {
        Some(present) => Some(i64::from(present)),
        None if counted => None,
        None => Some(0),
    }
}
