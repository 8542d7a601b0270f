//! A person's order to place a workload anew: the annotation on it, held against what its placement says was carried out.
//!
//! An order is an instant, as `kubectl rollout restart` writes one. Its placement keeps the latest that was carried out, so
//! that one order places anew once, whoever decides and however often the objects are read again; an older instant (a
//! backup, a reverted commit) orders nothing. Objects hold whole seconds, and so does what is compared with them.

use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Finding, Reason};
use kube::ResourceExt as _;

use crate::objects::Item;

/// Where the annotation stands.
const POINTER: &str = "/metadata/annotations/jiuzhou.dev~1rebalance-at";

/// The order that is not carried out yet.
pub(super) fn ordered(
    item: &Item<api::FleetWorkload>,
    placed: Option<&api::FleetPlacement>,
    findings: &mut Vec<Finding>,
) -> Option<Timestamp> {
    let stated = item.object.annotations().get(meta::ANNOTATION_REBALANCE_AT).filter(|text| !text.is_empty())?;
    let read = stated.parse::<Timestamp>().ok().and_then(|at| Timestamp::from_second(at.as_second()).ok());
    let Some(at) = read else {
        let reason = Reason::new(Code::FormatInvalid).object(meta::ANNOTATION_REBALANCE_AT).seen(stated.as_str());
        findings.push(item.document.finding(reason.wanted("2026-11-23T08:00:00+08:00"), POINTER));
        return None;
    };
    let done = placed.and_then(|placed| placed.spec.rebalanced_at.as_ref());
    done.is_none_or(|done| done.0 < at).then_some(at)
}

/// Whether there is anything that an order could move: a placement, of something that has not run once already.
pub(super) fn concerns(placed: Option<&api::FleetPlacement>) -> bool {
    let has_run =
        |placed: &api::FleetPlacement| placed.status.as_ref().is_some_and(|status| !status.started.is_empty());
    placed.is_some_and(|placed| !has_run(placed))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use serde_json::json;

    use super::*;
    use crate::documents;
    use crate::objects::Origin;
    use crate::yaml::Limits;

    fn told(stated: &str, done: Option<&str>) -> (Option<String>, usize) {
        let text = json!({
            "apiVersion": meta::API_VERSION, "kind": "FleetWorkload",
            "metadata": { "name": "app", "namespace": "a", "annotations": { meta::ANNOTATION_REBALANCE_AT: stated } },
            "spec": { "system": "s", "objects": [] },
        });
        let (mut read, _) = documents::read_bytes("w.json", text.to_string().as_bytes(), &Limits::default());
        let document = read.remove(0);
        let object = serde_json::from_value(document.value.clone()).expect("a workload");
        let item = Item::new(object, document, Origin::Input);
        let mut placed = api::FleetPlacement::new("app", api::FleetPlacementSpec::default());
        placed.spec.rebalanced_at = done.map(|done| Time(done.parse().expect("an instant")));
        let mut findings = Vec::new();
        let at = ordered(&item, Some(&placed), &mut findings);
        (at.map(|at| at.to_string()), findings.len())
    }

    #[test]
    fn an_order_is_one_instant_and_only_a_later_one_is_another_order() {
        let (one, two) = ("2026-11-23T00:00:00Z", "2026-11-23T00:00:01Z");
        let cases = [
            (one, None, Some(one), 0),
            (one, Some(one), None, 0),
            (two, Some(one), Some(two), 0),
            (one, Some(two), None, 0),
            ("", None, None, 0),
            // The same instant in another zone, and one that objects cannot hold to the fraction.
            ("2026-11-23T08:00:00+08:00", Some(one), None, 0),
            ("2026-11-23T00:00:00.9Z", Some(one), None, 0),
            ("2026-11-23T00:00:00.9Z", None, Some(one), 0),
            // What cannot be read orders nothing, and is told.
            ("yesterday", None, None, 1),
            ("2026-11-23", None, None, 1),
            ("2026-11-23T08:00:00", None, None, 1),
        ];
        for (stated, done, order, findings) in cases {
            assert_eq!(told(stated, done), (order.map(str::to_owned), findings), "{stated:?} after {done:?}");
        }
    }
}
