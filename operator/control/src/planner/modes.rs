//! What is told of emergencies (平战模式): whether one waits for its approval, is in force, or is over, and how much of what
//! it changed is not given back yet.
//!
//! Nothing is decided here: whom an emergency is for and what it changed stands in the placements, and holds whatever
//! becomes of the OperatingMode. It is looked at after every turn, because a mode begins and ends by one.

use jiff::Timestamp;
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{ApprovedOrder, FleetPlacementSpec, ModeState, OperatingMode, OperatingModeStatus};
use jiuzhou_intake::approvals;
use jiuzhou_report::sentences::{self, ModeTold};
use jiuzhou_report::words::Lang;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use super::{Planner, chain};
use crate::workload::conditions::{Standing, dated, of_standing};

impl Planner {
    /// Writes what differs.
    pub(super) async fn tell_modes(&mut self) {
        let objects = self.state.objects();
        if objects.modes.is_empty() || self.gate.check().is_err() {
            return;
        }
        let Some(base) = self.state.base() else { return };
        let now = self.now();
        let mut writes = Vec::new();
        for item in objects.modes.values() {
            let mode = &*item.object;
            if mode.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let digest = approvals::of_mode(&mode.name_any(), &mode.spec);
            let requester = Some(&*mode.spec.requested_by);
            let approval = base.approved.of(ApprovedOrder::OperatingMode, &digest, requester);
            let placements = objects.placements.values().map(|item| &item.object.spec);
            let next = status(mode, approval, placements, now);
            if mode.status.as_ref() != Some(&next) {
                writes.push((mode.clone(), next));
            }
        }
        for (mode, status) in writes {
            self.write_mode(&mode, status).await;
        }
    }

    async fn write_mode(&mut self, mode: &OperatingMode, status: OperatingModeStatus) {
        let name = mode.name_any();
        let api: Api<OperatingMode> = Api::all(self.client.clone());
        let body = json!({
            "apiVersion": meta::API_VERSION, "kind": "OperatingMode",
            "metadata": { "name": name, "uid": mode.metadata.uid }, "status": status,
        });
        let params = PatchParams::apply(meta::FIELD_MANAGER).force();
        match api.patch_status(&name, &params, &Patch::Apply(body)).await {
            Ok(after) => {
                tracing::info!(mode = name, state = ?status.state, status.workloads, status.victims, "emergency");
                self.take_in(&after, "OperatingMode");
            }
            // It is told again after the next turn; nothing rests on it.
            Err(error) => tracing::warn!(mode = name, error = %chain(&error), "failed to write the status of a mode"),
        }
    }
}

/// The status as it should be.
fn status<'a>(
    mode: &OperatingMode,
    approval: Option<&str>,
    placements: impl Iterator<Item = &'a FleetPlacementSpec>,
    now: Timestamp,
) -> OperatingModeStatus {
    let name = mode.name_any();
    let (mut workloads, mut victims) = (0, 0);
    for placement in placements {
        workloads += i32::from(placement.mode.as_ref().is_some_and(|held| *held.name == name && !held.over));
        let stop = placement.stop.as_ref().filter(|stop| !stop.lifted);
        victims += i32::from(stop.and_then(|stop| stop.mode.as_deref()) == Some(name.as_str()));
    }
    let spec = &mode.spec;
    let state = match () {
        () if (spec.ended || spec.until.0 <= now) && workloads + victims > 0 => ModeState::GivingBack,
        () if spec.ended || spec.until.0 <= now => ModeState::Over,
        () if approval.is_none() => ModeState::WaitingForApproval,
        () if now < spec.from.0 => ModeState::Planned,
        () => ModeState::InForce,
    };
    let told = match state {
        ModeState::WaitingForApproval => ModeTold::Unapproved { by: &spec.requested_by },
        ModeState::Planned => ModeTold::Planned { from: spec.from.0 },
        ModeState::InForce => ModeTold::InForce { until: spec.until.0, workloads, victims },
        ModeState::GivingBack => ModeTold::GivingBack { workloads, victims },
        ModeState::Over => ModeTold::Over,
    };
    let reason = match state {
        ModeState::WaitingForApproval => ControllerReason::WaitingForApproval,
        ModeState::Planned => ControllerReason::EmergencyPlanned,
        ModeState::InForce => ControllerReason::EmergencyInForce,
        ModeState::GivingBack => ControllerReason::EmergencyEnding,
        ModeState::Over => ControllerReason::EmergencyOver,
    };
    let said = |lang| sentences::mode(&name, told, lang);
    let standing = Standing {
        ready: matches!(state, ModeState::Planned | ModeState::InForce | ModeState::Over),
        reason: reason.as_str().to_owned(),
        en: said(Lang::En),
        zh: said(Lang::Zh),
        progressing: state == ModeState::GivingBack,
    };
    let before = mode.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let generation = mode.metadata.generation;
    OperatingModeStatus {
        observed_generation: generation,
        state,
        workloads,
        victims,
        conditions: dated(of_standing(&standing, generation.unwrap_or(0)), before, now),
    }
}
