//! The order that stops a workload, from what its system says and what is committed.
//!
//! What is committed as stopped stays so until exactly that order is lifted. A system that is gone, that was made anew or
//! that says nothing of the order any more starts nothing: nobody said so.

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::Stop;

/// The order that stops a workload, or the one by whose end it runs again.
pub(super) fn stop(said: Option<&api::StopOrder>, committed: Option<&api::PlacementStop>) -> Option<Stop> {
    if let Some(order) = said.filter(|order| !order.lifted) {
        return Some(Stop { order: order.order.to_string(), lifted: false });
    }
    let committed = committed.filter(|stop| !stop.lifted)?;
    let lifted = said.is_some_and(|order| order.order == committed.order);
    Some(Stop { order: committed.order.to_string(), lifted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_committed_order_lets_it_run_again() {
        let said = |order: &str, lifted| api::StopOrder { order: order.into(), lifted, reason: None };
        let placed = |order: &str, lifted| api::PlacementStop { order: order.into(), lifted };
        let of = |said: Option<api::StopOrder>, placed: Option<api::PlacementStop>| {
            stop(said.as_ref(), placed.as_ref()).map(|stop| (stop.order, stop.lifted))
        };
        let is = |order: &str, lifted| Some((order.to_owned(), lifted));
        assert_eq!(of(None, None), None);
        assert_eq!(of(Some(said("1", false)), None), is("1", false));
        assert_eq!(of(None, Some(placed("1", false))), is("1", false), "the system says nothing of it any more");
        assert_eq!(of(Some(said("1", true)), Some(placed("1", false))), is("1", true));
        assert_eq!(of(Some(said("2", true)), Some(placed("1", false))), is("1", false), "another order was lifted");
        assert_eq!(of(Some(said("2", false)), Some(placed("1", false))), is("2", false));
        assert_eq!(of(Some(said("1", true)), Some(placed("1", true))), None, "it runs again already");
        assert_eq!(of(Some(said("1", true)), None), None);
    }
}
