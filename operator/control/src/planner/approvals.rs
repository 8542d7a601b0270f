//! Writes on approvals what became of them: used for an order that is committed, closed when that order has ended.
//!
//! Both follow from what is committed and are written once, so that a restart writes them where an earlier run did not come
//! to it. An approval is never used for another order: what it stands for is its digest.

use std::collections::BTreeSet;

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{Approval, ApprovalStatus, ApprovedOrder};
use jiuzhou_intake::approvals;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use super::turn::whole_second;
use super::{Planner, chain};

impl Planner {
    /// Brings what is written on approvals up to date.
    pub(super) async fn settle_approvals(&mut self) {
        let objects = self.state.objects();
        let closed = |approval: &Approval| approval.status.as_ref().is_some_and(|status| status.closed_at.is_some());
        let open: Vec<Approval> = objects
            .approvals
            .values()
            .filter(|item| !closed(&item.object))
            .map(|item| (*item.object).clone())
            .collect();
        if open.is_empty() || self.gate.check().is_err() {
            return;
        }
        let stops = objects.placements.values().filter_map(|item| item.object.spec.stop.as_ref());
        let modes = objects.placements.values().filter_map(|item| item.object.spec.mode.as_ref());
        let stops = stops.filter(|stop| !stop.lifted).filter_map(|stop| Some(stop.approval.as_ref()?.to_string()));
        let in_force: BTreeSet<String> = stops.chain(modes.map(|mode| mode.approval.to_string())).collect();
        let modes = self.state.base().map(|base| base.modes.approvals().map(str::to_owned).collect());
        let modes: BTreeSet<String> = modes.unwrap_or_default();
        let systems = objects.systems.values().filter_map(|item| item.object.status.as_ref()).map(|one| &one.in_force);
        let tenants = objects.tenants.values().filter_map(|item| item.object.status.as_ref()).map(|one| &one.in_force);
        let tiers = objects.tiers.values().filter_map(|item| item.object.status.as_ref()).map(|one| &one.in_force);
        let holding: BTreeSet<String> = systems
            .chain(tenants)
            .chain(tiers)
            .flatten()
            .filter_map(|one| one.approval.as_ref().map(ToString::to_string))
            .collect();
        let now = || Some(Time(whole_second(self.now())));
        let mut writes = Vec::new();
        for approval in open {
            let (name, before) = (approval.name_any(), approval.status.clone().unwrap_or_default());
            let mut next = ApprovalStatus { observed_generation: approval.metadata.generation, ..before.clone() };
            match approval.spec.order {
                ApprovedOrder::StopSystem if in_force.contains(&name) => next.used_at = next.used_at.or_else(now),
                ApprovedOrder::StopSystem if next.used_at.is_some() && !self.is_ordered_still(&approval) => {
                    next.closed_at = now();
                }
                ApprovedOrder::DeleteWorkloads if self.removals.used.contains(&name) => {
                    (next.used_at, next.closed_at) = (now(), now());
                }
                ApprovedOrder::OperatingMode if modes.contains(&name) || in_force.contains(&name) => {
                    next.used_at = next.used_at.or_else(now);
                }
                ApprovedOrder::OperatingMode if next.used_at.is_some() => next.closed_at = now(),
                ApprovedOrder::MassChange if self.moves.used.contains(&name) => {
                    (next.used_at, next.closed_at) = (now(), now());
                }
                // What it approved holds, and is written as holding by it: it is never used again.
                ApprovedOrder::LowerClass
                | ApprovedOrder::Exempt
                | ApprovedOrder::RaiseQuota
                | ApprovedOrder::ChangeTier
                    if holding.contains(&name) =>
                {
                    next.used_at = next.used_at.or_else(now);
                    next.closed_at = now();
                }
                ApprovedOrder::StopSystem
                | ApprovedOrder::DeleteWorkloads
                | ApprovedOrder::OperatingMode
                | ApprovedOrder::LowerClass
                | ApprovedOrder::Exempt
                | ApprovedOrder::RaiseQuota
                | ApprovedOrder::ChangeTier
                | ApprovedOrder::MassChange => {}
            }
            if (&next.used_at, &next.closed_at) != (&before.used_at, &before.closed_at) {
                writes.push((name, approval.uid(), next));
            }
        }
        let api: Api<Approval> = Api::all(self.client.clone());
        for (name, uid, status) in writes {
            let body = json!({
                "apiVersion": meta::API_VERSION, "kind": "Approval", "metadata": { "name": name, "uid": uid },
                "status": status,
            });
            let params = PatchParams::apply(meta::FIELD_MANAGER).force();
            match api.patch_status(&name, &params, &Patch::Apply(body)).await {
                Ok(written) => {
                    tracing::info!(approval = name, used = ?status.used_at, closed = ?status.closed_at, "approval");
                    self.removals.used.remove(&name);
                    self.moves.used.remove(&name);
                    self.take_in(&written, "Approval");
                }
                Err(error) => tracing::warn!(approval = name, error = %chain(&error), "failed to write an approval"),
            }
        }
    }

    /// Whether the order that an approval of a stop stands for still says to stop.
    fn is_ordered_still(&self, approval: &Approval) -> bool {
        let Some((namespace, name)) = approval.spec.subject.split_once('/') else { return false };
        let system = self.state.objects().systems.get(&(namespace.to_owned(), name.to_owned()));
        let stop = system.and_then(|system| system.object.spec.stop.as_ref()).filter(|stop| !stop.lifted);
        stop.is_some_and(|stop| approvals::of_stop(namespace, name, stop).to_string() == *approval.spec.digest)
    }
}
