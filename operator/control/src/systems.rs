//! What is told of an information system: how its workloads stand together, how far an order that stops it has come, and
//! where it is hosted as far as anybody can see. Pure: from what the planner knows to a status.
//!
//! Nothing here is decided. What stops and what runs stands in the placements; an order that nobody else approved is told
//! as such, so that whoever gave it does not take it for carried out.

use jiff::Timestamp;
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::v1alpha1::{
    ApprovedOrder, FleetPlacement, FleetWorkload, HostingState, InformationSystem, InformationSystemStatus,
};
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_intake::approvals;
use jiuzhou_report::sentences::{self, SystemStop};
use jiuzhou_report::words::Lang;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::planner::in_force::waiting;
use crate::state::State;
use crate::workload::conditions::{Standing, condition, dated, of_standing};

/// Workloads that a sentence names.
const NAMED: usize = 3;

/// An order that stops the system.
struct Order {
    number: String,
    /// `None` while nobody else approved it.
    approval: Option<String>,
    by: String,
}

/// How a workload stands, as its own status says.
struct Member<'a> {
    name: &'a str,
    ready: bool,
    /// Waits for a person.
    stalled: bool,
    reason: &'a str,
}

/// The status of a system as it is now; `None` when there is no such system, or it is being removed.
pub(crate) fn status(state: &State, key: &WorkloadKey, now: Timestamp) -> Option<InformationSystemStatus> {
    let system = state.system(key).filter(|system| system.metadata.deletion_timestamp.is_none())?;
    let before = system.status.clone().unwrap_or_default();
    let generation = system.metadata.generation.unwrap_or(0);
    let workloads: Vec<&FleetWorkload> = state.workloads_of(key).collect();
    let members: Vec<Member<'_>> = workloads.iter().map(|workload| member(workload)).collect();
    let placements = workloads.iter().filter_map(|workload| {
        let name = workload.metadata.name.as_deref().unwrap_or_default();
        state.placement(&WorkloadKey::new(&key.namespace, name))
    });
    let order = order(state, key, system, placements);
    let mut all = of_standing(&standing(key, &members, order.as_ref()), generation);
    if order.as_ref().is_none_or(|order| order.approval.is_none()) {
        for waits in waiting(&key.to_string(), &before.in_force, generation).into_iter().flatten() {
            all.retain(|told| told.type_ != waits.type_);
            all.push(waits);
        }
    }
    all.extend(order.as_ref().map(|order| ordered(key, order, &members, generation)));
    let runs = |workload: &FleetWorkload| {
        workload.status.as_ref().and_then(|status| status.ready).is_some_and(|ready| ready > 0)
    };
    let count = |count: usize| Some(i32::try_from(count).unwrap_or(i32::MAX));
    Some(InformationSystemStatus {
        observed_generation: Some(generation),
        observed_hosting: workloads.iter().copied().any(runs).then_some(HostingState::CloudNative),
        workloads: count(members.len()),
        ready_workloads: count(members.iter().filter(|member| member.ready).count()),
        conditions: dated(all, &before.conditions, now),
        // Another's to write; it is here to tell a status that is new from one that is not.
        in_force: before.in_force,
    })
}

/// The order that stops it: what is committed first, because it holds whatever the system says meanwhile.
fn order<'a>(
    state: &State,
    key: &WorkloadKey,
    system: &InformationSystem,
    placements: impl Iterator<Item = &'a FleetPlacement>,
) -> Option<Order> {
    let said = system.spec.stop.as_ref();
    let by = said.map(|stop| stop.requested_by.to_string()).unwrap_or_default();
    let committed = placements.filter_map(|placement| placement.spec.stop.as_ref());
    if let Some(stop) = committed.into_iter().find(|stop| !stop.lifted && stop.mode.is_none()) {
        let approval = Some(stop.approval.as_deref().unwrap_or_default().to_owned());
        return Some(Order { number: stop.order.to_string(), approval, by });
    }
    let said = said.filter(|stop| !stop.lifted)?;
    let digest = approvals::of_stop(&key.namespace, &key.name, said);
    let approved = state.base().map(|base| &base.approved);
    let approval = approved.and_then(|all| all.of(ApprovedOrder::StopSystem, &digest, Some(&*said.requested_by)));
    Some(Order { number: said.order.to_string(), approval: approval.map(str::to_owned), by })
}

fn member(workload: &FleetWorkload) -> Member<'_> {
    let status = workload.status.as_ref();
    let current = status.is_some_and(|status| status.observed_generation == workload.metadata.generation);
    let conditions = status.filter(|_| current).map(|status| status.conditions.as_slice()).unwrap_or_default();
    let holds = |kind: ConditionType| conditions.iter().find(|one| one.type_ == kind.as_str() && one.status == "True");
    let ready = conditions.iter().find(|one| one.type_ == ConditionType::Ready.as_str());
    Member {
        name: workload.metadata.name.as_deref().unwrap_or_default(),
        ready: holds(ConditionType::Ready).is_some(),
        stalled: holds(ConditionType::Stalled).is_some(),
        reason: ready.map_or(ControllerReason::NotObserved.as_str(), |ready| &ready.reason),
    }
}

fn is_stopped(member: &Member<'_>) -> bool {
    member.reason == ControllerReason::Stopped.as_str()
}

/// The first workload that waits for a person gives the reason, else the first that is not as wanted.
fn standing(key: &WorkloadKey, members: &[Member<'_>], order: Option<&Order>) -> Standing {
    let said = |ready: bool, reason: &str, say: &dyn Fn(Lang) -> String| Standing {
        ready,
        reason: reason.to_owned(),
        en: say(Lang::En),
        zh: say(Lang::Zh),
        progressing: false,
    };
    if let Some(order) = order.filter(|order| order.approval.is_some()) {
        let left: Vec<_> = members.iter().filter(|member| !is_stopped(member)).collect();
        let reason = if left.is_empty() { ControllerReason::Stopped } else { ControllerReason::Stopping };
        let standing = said(false, reason.as_str(), &|lang| told(key, order, members, lang));
        // What runs on in spite of the order waits for a person.
        let goes_on = !left.is_empty() && !left.iter().any(|member| member.stalled);
        return if goes_on { standing.progressing() } else { standing };
    }
    let mut open: Vec<&Member<'_>> = members.iter().filter(|member| !member.ready).collect();
    open.sort_by_key(|member| !member.stalled);
    let Some(worst) = open.first() else {
        return said(true, ControllerReason::AsWanted.as_str(), &|lang| sentences::system_ready(members.len(), lang));
    };
    let mut named: Vec<String> =
        open.iter().take(NAMED).map(|member| format!("{} ({})", member.name, member.reason)).collect();
    if open.len() > NAMED {
        named.push(format!("+{}", open.len() - NAMED));
    }
    let named = named.join(", ");
    let say = |lang| sentences::system_open(open.len(), members.len(), &named, lang);
    let standing = said(false, worst.reason, &say);
    if worst.stalled { standing } else { standing.progressing() }
}

/// How far an order has come, in words.
fn told(key: &WorkloadKey, order: &Order, members: &[Member<'_>], lang: Lang) -> String {
    let left = members.iter().filter(|member| !is_stopped(member)).count();
    let stop = match &order.approval {
        None => SystemStop::Unapproved { by: &order.by },
        Some(approval) if left == 0 => SystemStop::Stopped { approval },
        Some(approval) => SystemStop::Stopping { approval, left },
    };
    sentences::system_stop(&order.number, &key.to_string(), stop, lang)
}

/// The condition of an order that is to stop it.
fn ordered(key: &WorkloadKey, order: &Order, members: &[Member<'_>], generation: i64) -> Condition {
    let reason = match &order.approval {
        None => ControllerReason::WaitingForApproval,
        Some(_) if members.iter().all(is_stopped) => ControllerReason::Stopped,
        Some(_) => ControllerReason::Stopping,
    };
    let text = format!("{} {}", told(key, order, members, Lang::En), told(key, order, members, Lang::Zh));
    condition(ConditionType::StopOrdered, order.approval.is_some(), reason.as_str(), &text, generation)
}
