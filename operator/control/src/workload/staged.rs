//! Which revision a cluster gets now, and how far its rollout has come.
//!
//! What is ordered follows from what is committed and written down: the revision of the placement, and the progress in
//! its status. A step of the rollout is worked out here and acted on once it is written, so that a restart goes on where
//! it was. Without declared stages a change reaches all clusters at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::step::rollout::{Course, Health, Phase, Progress, Stage, Step, rollout};
use jiuzhou_intake::objects::named;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::cel::KubeCelExt as _;
use kube::core::cel::cel::{Context, Program, Value as Answer};
use serde_json::Value;

use super::dereference::Gathered;
use crate::revision::content::Content;

/// Revisions of a workload that are at hand, by number.
pub(crate) type Bodies = BTreeMap<i64, Arc<Content>>;

/// What is delivered to one cluster.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// What the workload says now, which is what is committed.
    Now,
    /// A revision that was stored.
    Stored(i64, Arc<Content>),
    /// Nothing new: what it has is not known, or not at hand.
    Unknown,
}

/// The revision that is to be everywhere.
pub(crate) fn target(placement: &api::FleetPlacement) -> i64 {
    placement.spec.revision
}

/// The revision that every cluster without a word of its own has; a first one has no other before it.
pub(crate) fn base(placement: &api::FleetPlacement) -> Option<i64> {
    let written = placement.status.as_ref().and_then(|status| status.revision);
    written.or_else(|| (target(placement) <= 1).then_some(target(placement)))
}

/// Whether a change passes stages: some are declared, or it is held.
pub(crate) fn is_staged(workload: &api::FleetWorkload, placement: &api::FleetPlacement) -> bool {
    let declared = workload.spec.rollout.as_ref().is_some_and(|rollout| !rollout.stages.is_empty() || rollout.paused);
    let open = base(placement) != Some(target(placement)) || progress(placement).is_some();
    declared && open
}

/// The progress as it is written.
pub(crate) fn progress(placement: &api::FleetPlacement) -> Option<Progress> {
    let written = placement.status.as_ref()?.rollout.as_ref()?;
    let instant = |time: &Option<Time>| time.as_ref().map(|time| time.0);
    Some(Progress {
        revision: written.revision,
        stage: written.stage.to_string(),
        since: instant(&written.since).unwrap_or_default(),
        healthy_since: instant(&written.healthy_since),
        clusters: written.clusters.iter().map(|one| (one.name.to_string(), one.revision)).collect(),
    })
}

/// The revision a cluster gets now; `None` when nobody knows which it has.
pub(crate) fn revision_of(
    workload: &api::FleetWorkload,
    placement: &api::FleetPlacement,
    cluster: &str,
) -> Option<i64> {
    if !is_staged(workload, placement) {
        return Some(target(placement));
    }
    let written = placement.status.as_ref().and_then(|status| status.rollout.as_ref());
    let own = written.and_then(|rollout| rollout.clusters.iter().find(|one| *one.name == *cluster));
    own.map_or_else(|| base(placement), |own| own.revision)
}

/// What is delivered to a cluster now.
pub(crate) fn source(
    gathered: &Gathered<'_>,
    workload: &api::FleetWorkload,
    placement: &api::FleetPlacement,
    cluster: &str,
) -> Source {
    let stored = |revision: i64| match gathered.bodies.and_then(|bodies| bodies.get(&revision)) {
        Some(content) => Source::Stored(revision, Arc::clone(content)),
        None => Source::Unknown,
    };
    match revision_of(workload, placement, cluster) {
        Some(revision) if revision == target(placement) && gathered.is_committed(placement, cluster) => Source::Now,
        Some(revision) => stored(revision),
        None => Source::Unknown,
    }
}

/// What is declared of a rollout; gates are not looked at yet.
pub(crate) fn course(
    gathered: &Gathered<'_>,
    workload: &api::FleetWorkload,
    placement: &api::FleetPlacement,
) -> Option<Course> {
    if !is_staged(workload, placement) {
        return None;
    }
    let declared = workload.spec.rollout.as_ref()?;
    let change = placement.spec.inputs.content.as_deref();
    let stage = |stage: &api::RolloutStage| Stage {
        name: stage.name.to_string(),
        rest_seconds: i64::from(stage.pause_minutes).saturating_mul(60),
        gate: stage.gate.is_none(),
        paused: stage.paused,
        approved: !stage.approval
            || declared.approvals.iter().any(|one| one.stage == stage.name && Some(&*one.change) == change),
    };
    let others = Stage { name: api::OTHERS.to_owned(), gate: true, approved: true, ..Stage::default() };
    let placed = placement.spec.clusters.iter().filter(|cluster| cluster.replicas > 0);
    let stage_of = placed.map(|cluster| (cluster.name.to_string(), stage_of(gathered, declared, &cluster.name)));
    Some(Course {
        revision: target(placement),
        stages: declared.stages.iter().map(stage).chain([others]).collect(),
        stage_of: stage_of.collect(),
        paused: declared.paused,
        deadline_seconds: i64::from(declared.progress_deadline_minutes).saturating_mul(60),
        back: placement.status.as_ref().is_some_and(|status| goes_back(status, change)),
    })
}

/// Whether the change is one that ran before: the way back is not kept by rests, gates and approvals.
fn goes_back(status: &api::FleetPlacementStatus, change: Option<&str>) -> bool {
    change.is_some() && status.stable.as_deref() == change
}

/// The first stage that takes a cluster, or the one after all of them.
fn stage_of(gathered: &Gathered<'_>, declared: &api::Rollout, cluster: &str) -> usize {
    let state = gathered.state;
    let input = state.snapshot().slot(cluster).and_then(|slot| state.snapshot().cluster(slot));
    let member = named(&state.objects().clusters, cluster);
    let tier = member.and_then(|member| member.object.status.as_ref()?.tier.as_ref()?.name.as_deref());
    let takes = |stage: &&api::RolloutStage| {
        let Some(input) = input else { return false };
        let selected = |selector| state.base().is_some_and(|base| base.selects(selector, input));
        let zone = |zone: &str| input.pools.iter().any(|pool| pool.zone == zone);
        stage.clusters.as_ref().is_none_or(selected)
            && (stage.tiers.is_empty() || stage.tiers.iter().any(|one| Some(&**one) == tier))
            && (stage.zones.is_empty() || stage.zones.iter().any(|one| zone(one)))
    };
    declared.stages.iter().position(|stage| takes(&stage)).unwrap_or(declared.stages.len())
}

/// The next step, with the gates held against the status as it would be told now.
pub(crate) fn step(
    workload: &api::FleetWorkload,
    placement: &api::FleetPlacement,
    mut course: Course,
    seen: &BTreeMap<String, Health>,
    status: &api::FleetWorkloadStatus,
    now: Timestamp,
) -> Step {
    let stages = workload.spec.rollout.iter().flat_map(|rollout| &rollout.stages);
    if stages.clone().any(|stage| stage.gate.is_some()) {
        let status = serde_json::to_value(status).unwrap_or_default();
        for (stage, declared) in course.stages.iter_mut().zip(stages) {
            stage.gate = declared.gate.as_ref().is_none_or(|gate| holds(gate, &status) == Ok(true));
        }
    }
    // Written times are whole seconds, and what is written must be what was worked out.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    rollout(progress(placement).as_ref(), &course, base(placement), seen, now)
}

/// Whether a gate holds for a status. One that gives no truth value holds for none.
pub(crate) fn holds(gate: &str, status: &Value) -> Result<bool, String> {
    let program = Program::compile(gate).map_err(|error| error.to_string())?;
    let mut context = Context::default().with_all();
    context.add_variable("status", status).map_err(|error| error.to_string())?;
    match program.execute(&context) {
        Ok(Answer::Bool(holds)) => Ok(holds),
        Ok(_) => Err("the expression gives no truth value".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A step as it is written; `None` when the rollout is over.
pub(crate) fn written(step: &Step, reason: &str, message: &str) -> Option<api::RolloutProgress> {
    if step.phase == Phase::Done {
        return None;
    }
    let Progress { revision, stage, since, healthy_since, clusters } = &step.progress;
    let cluster = |(name, revision): (&String, &Option<i64>)| api::ClusterRevision {
        name: name.as_str().into(),
        revision: *revision,
    };
    Some(api::RolloutProgress {
        revision: *revision,
        stage: stage.as_str().into(),
        since: Some(Time(*since)),
        healthy_since: healthy_since.map(Time),
        reason: (!reason.is_empty()).then(|| reason.into()),
        message: (!message.is_empty()).then(|| message.chars().take(1024).collect::<String>().into()),
        clusters: clusters.iter().map(cluster).collect(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_gate_that_cannot_be_evaluated_is_shut() {
        let status = json!({ "ready": 3, "wanted": 3 });
        assert_eq!(holds("status.ready == status.wanted", &status), Ok(true));
        assert_eq!(holds("status.ready > 5", &status), Ok(false));
        assert!(holds("status.missing == 1", &status).is_err());
        assert!(holds("status.ready", &status).is_err());
        assert!(holds("status.(", &status).is_err());
    }
}
