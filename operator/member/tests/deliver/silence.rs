//! A member that does not answer, answers late, or answers wrongly: nothing is concluded, nothing is lost.

use std::time::Duration;

use jiuzhou_api::v1alpha1::{DeliveryStatus, ObjectState};
use jiuzhou_world::{Fault, Gate};

use crate::scene::{Scene, config, web};

#[tokio::test]
async fn nothing_is_concluded_from_silence() {
    let mut scene = Scene::new(vec![web(2), config("settings", "1")]);
    scene.arrive().await;
    let before = scene.status.clone();
    scene.world.clear_log();
    for fault in [Fault::Break, Fault::code(503), Fault::too_many_requests(1)] {
        let repeated = fault.clone();
        scene.world.heal();
        scene.world.intercept(move |_| Some(repeated.clone()));
        scene.deliver().await;
        assert_eq!(scene.reason(), "MemberUnreachable", "{fault:?}");
        assert_eq!(scene.status.objects, before.objects, "{fault:?}");
        assert_eq!((scene.status.present, scene.status.ready), (None, None), "unknown is not zero: {fault:?}");
    }
    assert_eq!(scene.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_is_given_up_after_its_time() {
    let mut scene = Scene::new(vec![config("settings", "1")]);
    scene.member = scene.member.clone().within(Duration::from_secs(5));
    let gate = Gate::new();
    let held = gate.clone();
    scene.world.intercept(move |_| Some(Fault::Hold(held.clone())));
    let start = tokio::time::Instant::now();
    scene.deliver().await;
    assert_eq!(scene.reason(), "MemberUnreachable");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    gate.open();
}

#[tokio::test]
async fn an_answer_that_got_lost_is_found_out_and_nothing_is_done_twice() {
    let mut scene = Scene::new(vec![web(1), config("settings", "1")]);
    scene.world.intercept(|request| (request.method == http::Method::PATCH).then_some(Fault::LoseAnswer));
    scene.deliver().await;
    assert_eq!(scene.reason(), "MemberUnreachable");
    scene.world.heal();
    scene.world.clear_log();
    scene.arrive().await;
    assert!(!scene.writes().contains(&"patch configmaps/settings".to_owned()), "it is there: {:?}", scene.writes());
}

#[tokio::test]
async fn a_list_of_pods_that_fails_makes_their_number_unknown() {
    let mut scene = Scene::new(vec![web(2)]);
    scene.arrive().await;
    scene.world.intercept(|request| (request.target.plural == "pods").then(|| Fault::code(403)));
    scene.status = DeliveryStatus::default();
    scene.deliver().await;
    assert_eq!((scene.state("web"), scene.status.present), (ObjectState::Ready, None));
}
