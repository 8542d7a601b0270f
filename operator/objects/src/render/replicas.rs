//! Replicas of the part of one cluster.
//!
//! A workload with one divisible template (a Deployment) counts its pods: the part is written there. Anything else is a
//! set that is only ever multiplied, so that its components keep their ratio. This is the rule by which intake counts
//! (`convert/contents.rs`). Bounds of an autoscaler follow its target. Zero stops: replicas 0, Jobs and CronJobs
//! suspended.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Code, Form, Reason};
use serde_json::Value;

use crate::object::Object;
use crate::path::write;
use crate::profile::CountRule;
use crate::shape::scalers;

use super::{Draft, Work};

/// One template that runs a counted number of pods.
#[derive(Clone, Debug)]
struct Set {
    /// Index of the draft.
    draft: usize,
    /// Where the number stands; `None` where there is none to write.
    pointer: Option<String>,
    /// What is written now.
    written: i64,
    /// The kind may be divided over clusters.
    divisible: bool,
}

/// Writes the part of this cluster into all objects.
pub(super) fn divide(work: &mut Work<'_>, drafts: &mut [Draft<'_>]) {
    let Some(part) = work.target.parts.get(work.target.cluster).copied() else {
        let parts = work.target.parts.keys().cloned().collect::<Vec<_>>();
        work.tell(Reason::new(Code::ClusterMissing).object(work.target.cluster).wanted(parts), "/spec");
        return;
    };
    let (sets, opaque) = sets(work, drafts);
    let counted_out = match sets.as_slice() {
        [only] if only.divisible && opaque == 0 => Some(only.draft),
        _ => None,
    };
    for set in &sets {
        let Some(draft) = drafts.get_mut(set.draft) else { continue };
        let wanted = if counted_out.is_some() { Some(part) } else { set.written.checked_mul(part) };
        self::set(work, draft, set, part, wanted);
    }
    if opaque > 0 && part != 1 {
        let reason = Reason::new(Code::ManifestFieldInvalid).object("/spec/requirements/components").seen(part);
        work.tell(reason.wanted("1, because a kind without a profile has no number to write"), "/spec/replicas");
    }
    stop(work, drafts, part);
    for index in 0..drafts.len() {
        scaler(work, drafts, index, part, &sets, counted_out);
    }
}

/// The counted templates, and how many components were only declared.
fn sets(work: &Work<'_>, drafts: &[Draft<'_>]) -> (Vec<Set>, usize) {
    let components = &work.workload.spec.requirements.components;
    let values: Vec<Value> = drafts.iter().map(|draft| draft.value.clone()).collect();
    let scalers = scalers(&values, &mut Vec::new()); // what is wrong with one is told by intake
    let mut sets = Vec::new();
    let mut opaque = components.iter().filter(|component| component.object.is_none()).count();
    for (index, draft) in drafts.iter().enumerate() {
        let declared = components.iter().filter(|c| c.object.as_deref() == Some(&*draft.entry.name)).count();
        if declared > 0 {
            opaque += declared;
            continue;
        }
        let object = Object::new(&draft.value);
        let Some(profile) = work.profiles.of(object) else { continue };
        for (template, rule) in profile.templates_in(object) {
            let number = |pointer: &Option<String>| {
                pointer.as_ref().and_then(|at| object.value.pointer(at)).and_then(Value::as_i64).unwrap_or(1)
            };
            let pointer = match rule {
                CountRule::PerNode => continue,
                CountRule::One | CountRule::JobSpec(_) => None,
                CountRule::At(path) => Some(path.beside(&template).unwrap_or_else(|| path.to_string())),
            };
            // An autoscaler brings the pods between its bounds, whatever is written; 0 switches it off.
            let scaler = scalers.iter().filter(|s| s.target == object.reference()).min_by_key(|s| &s.scaler);
            let number = number(&pointer);
            let written = scaler.filter(|_| number > 0).map_or(number, |s| number.clamp(s.min, s.max));
            sets.push(Set { draft: index, written, pointer, divisible: profile.replicas.is_some() });
        }
    }
    (sets, opaque)
}

fn set(work: &mut Work<'_>, draft: &mut Draft<'_>, set: &Set, part: i64, wanted: Option<i64>) {
    match (&set.pointer, wanted) {
        (Some(pointer), Some(wanted)) => {
            if !write(&mut draft.value, pointer, wanted.into()) {
                let reason = Reason::new(Code::ManifestFieldInvalid).object(pointer.as_str()).wanted(wanted);
                work.refuse(draft, reason, pointer);
            }
        }
        (Some(pointer), None) => {
            let reason = Reason::new(Code::ManifestFieldInvalid).object(pointer.as_str()).seen(set.written);
            work.refuse(draft, reason.wanted(Form::CountablePods), pointer);
        }
        (None, _) if part <= 1 => {}
        (None, _) => {
            let kind = Object::new(&draft.value).kind().to_owned();
            let reason = Reason::new(Code::ManifestFieldInvalid).object("spec.replicas").seen(part);
            work.refuse(draft, reason.wanted(Form::NoReplicas(&kind)), "");
        }
    }
}

/// What zero replicas mean for kinds that have none.
fn stop(work: &mut Work<'_>, drafts: &mut [Draft<'_>], part: i64) {
    if part != 0 {
        return;
    }
    for draft in drafts {
        let object = Object::new(&draft.value);
        let Some(profile) = work.profiles.of(object) else { continue };
        let rules: Vec<CountRule> = profile.templates_in(object).into_iter().map(|(_, rule)| rule.clone()).collect();
        let suspended = match (object.group(), object.kind()) {
            ("batch", "CronJob" | "Job") => write(&mut draft.value, "/spec/suspend", true.into()),
            _ => rules.iter().all(|rule| matches!(rule, CountRule::At(_))),
        };
        if !suspended {
            let kind = Object::new(&draft.value).kind().to_owned();
            let reason = Reason::new(Code::ManifestFieldInvalid).object("spec.replicas").seen(0);
            work.refuse(draft, reason.wanted(Form::NoStop(&kind)), "");
        }
    }
}

/// Bounds of an autoscaler of the workload: divided like the pods of its target, or multiplied with its set.
fn scaler(
    work: &mut Work<'_>,
    drafts: &mut [Draft<'_>],
    index: usize,
    part: i64,
    sets: &[Set],
    counted_out: Option<usize>,
) {
    let Some(draft) = drafts.get(index) else { return };
    let object = Object::new(&draft.value);
    if object.kind() != "HorizontalPodAutoscaler" || object.group() != "autoscaling" || part == 0 {
        return; // 0 replicas switch an autoscaler off, whatever its bounds are
    }
    let target = (object.text("/spec/scaleTargetRef/kind"), object.text("/spec/scaleTargetRef/name"));
    let scaled = sets.iter().find(|set| {
        let object = drafts.get(set.draft).map(|draft| Object::new(&draft.value));
        object.is_some_and(|object| (object.kind(), object.name()) == target)
    });
    let Some(scaled) = scaled else { return };
    let number = |pointer: &str| object.value.pointer(pointer).and_then(Value::as_i64);
    let Some(max) = number("/spec/maxReplicas") else { return };
    let min = number("/spec/minReplicas").unwrap_or(1);
    let of = |bound: i64| match counted_out {
        Some(only) if only == scaled.draft => {
            if work.target.duplicated {
                bound
            } else {
                share(bound, work.target.cluster, work.target.parts)
            }
        }
        _ => bound.saturating_mul(part),
    };
    // An autoscaler takes no bound below 1; few pods over many clusters may so be a few more.
    let min = of(min).max(1);
    let max = of(max).max(min);
    let Some(draft) = drafts.get_mut(index) else { return };
    let written = write(&mut draft.value, "/spec/minReplicas", min.into())
        && write(&mut draft.value, "/spec/maxReplicas", max.into());
    if !written {
        let reason = Reason::new(Code::ManifestFieldInvalid).object("/spec").wanted(Form::Map);
        work.refuse(draft, reason, "/spec");
    }
}

/// The share of one cluster in a whole that is divided like `parts`: largest remainder, ties by name. The shares of all
/// clusters add up to the whole.
fn share(whole: i64, cluster: &str, parts: &BTreeMap<String, i64>) -> i64 {
    let sum: i128 = parts.values().map(|part| i128::from(*part)).sum();
    if sum <= 0 {
        return 0;
    }
    let exact = |part: i64| i128::from(whole) * i128::from(part);
    let down = |part: i64| exact(part) / sum;
    let left = i128::from(whole) - parts.values().map(|part| down(*part)).sum::<i128>();
    let mut order: Vec<(&String, i64)> = parts.iter().map(|(name, part)| (name, *part)).collect();
    order.sort_by_key(|(name, part)| (std::cmp::Reverse(exact(*part) % sum), *name));
    let rank = order.iter().position(|(name, _)| *name == cluster);
    let more = rank.and_then(|rank| i128::try_from(rank).ok()).is_some_and(|rank| rank < left);
    let own = parts.get(cluster).copied().unwrap_or(0);
    i64::try_from(down(own) + i128::from(more)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shares_add_up_and_none_is_off_by_more_than_one(
            whole in 0i64..1000,
            parts in proptest::collection::btree_map("[a-f]", 0i64..50, 1..6),
        ) {
            let sum: i64 = parts.values().sum();
            prop_assume!(sum > 0);
            let shares: BTreeMap<&String, i64> =
                parts.keys().map(|name| (name, share(whole, name, &parts))).collect();
            prop_assert_eq!(shares.values().sum::<i64>(), whole);
            for (name, part) in &parts {
                prop_assert!((shares[name] * sum - whole * part).abs() < sum, "{} of {:?}", name, parts);
            }
        }
    }
}
