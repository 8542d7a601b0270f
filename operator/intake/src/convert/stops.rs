//! The order that stops a workload, from what its system says, what is approved and what is committed.
//!
//! An order that nobody else approved stops nothing. What is committed as stopped stays so until exactly that order is
//! lifted: a system that is gone, that was made anew or that says nothing of the order any more starts nothing, and neither
//! does an approval that has run out since.

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::Stop;

use crate::approvals::{Approved, of_stop};
use crate::objects::Key;

use super::modes::Modes;

/// The order that stops a workload of a system, or the one by whose end it runs again.
pub(super) fn stop(
    system: &Key,
    said: Option<&api::StopOrder>,
    committed: Option<&api::PlacementStop>,
    approved: &Approved,
    modes: &Modes,
) -> Option<Stop> {
    let held = committed.filter(|stop| !stop.lifted);
    let stays = |held: &api::PlacementStop, lifted: bool| Stop {
        order: held.order.to_string(),
        approval: held.approval.as_ref().map(ToString::to_string).unwrap_or_default(),
        mode: held.mode.as_ref().zip(held.until.as_ref()).map(|(name, until)| (name.to_string(), until.0)),
        lifted,
    };
    if let Some(order) = said.filter(|order| !order.lifted) {
        if let Some(held) = held.filter(|held| held.mode.is_none() && held.order == order.order) {
            return Some(stays(held, false));
        }
        if let Some(approval) = approval(system, order, approved) {
            let (order, approval) = (order.order.to_string(), approval.to_owned());
            return Some(Stop { order, approval, mode: None, lifted: false });
        }
    }
    let held = held?;
    if held.mode.is_some() {
        return Some(stays(held, modes.has_ended(held)));
    }
    Some(stays(held, said.is_some_and(|order| order.lifted && order.order == held.order)))
}

/// The approval of an order that stops a system.
pub(crate) fn approval<'a>(system: &Key, order: &api::StopOrder, approved: &'a Approved) -> Option<&'a str> {
    let digest = of_stop(&system.0, &system.1, order);
    approved.of(api::ApprovedOrder::StopSystem, &digest, Some(&*order.requested_by))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    #[test]
    fn only_the_end_of_the_committed_order_lets_it_run_again() {
        let said = |order: &str, lifted| api::StopOrder {
            order: order.into(),
            reason: None,
            requested_by: "张三".into(),
            requested_at: Time("2026-11-26T01:00:00Z".parse().unwrap()),
            lifted,
        };
        let placed = |order: &str, lifted| api::PlacementStop {
            order: order.into(),
            approval: Some("stop-1".into()),
            mode: None,
            until: None,
            lifted,
        };
        let system = ("a".to_owned(), "b".to_owned());
        let of = |said: Option<api::StopOrder>, placed: Option<api::PlacementStop>| {
            let stop = stop(&system, said.as_ref(), placed.as_ref(), &Approved::default(), &Modes::default());
            stop.map(|stop| (stop.order, stop.lifted))
        };
        let is = |order: &str, lifted| Some((order.to_owned(), lifted));
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(said("1", false)), None), None, "nobody approved it");
        assert_eq!(of(Some(said("1", false)), Some(placed("1", false))), is("1", false), "it was carried out");
        assert_eq!(of(None, Some(placed("1", false))), is("1", false), "the system says nothing of it any more");
        assert_eq!(of(Some(said("1", true)), Some(placed("1", false))), is("1", true));
        assert_eq!(of(Some(said("2", true)), Some(placed("1", false))), is("1", false), "another order was lifted");
        assert_eq!(of(Some(said("2", false)), Some(placed("1", false))), is("1", false), "nobody approved the new one");
        assert_eq!(of(Some(said("1", true)), Some(placed("1", true))), None, "it runs again already");
        assert_eq!(of(Some(said("1", true)), None), None);
    }
}
