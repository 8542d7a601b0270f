//! Members that fall silent, on a hub in memory: what leaves, what waits and for what, what comes back and what goes.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Hub, portal_in, workload};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");

/// A member stops answering both its witnesses (or one of them), and nothing that is ordered of it arrives.
async fn falls_silent(hub: &Hub, cluster: &str, sides: [&str; 2]) {
    hub.members.falls_silent(cluster);
    hub.sees(cluster, sides).await;
    hub.quiet().await;
}

async fn answers_again(hub: &Hub, cluster: &str) {
    hub.sees(cluster, ["Reachable"; 2]).await;
    hub.members.speaks(cluster);
    hub.quiet().await;
}

fn phases(hub: &Hub) -> Vec<String> {
    let placement = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    let entries = placement["status"]["failover"].as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .map(|one| {
            format!("{} {}", one["name"].as_str().unwrap_or_default(), one["phase"].as_str().unwrap_or_default())
        })
        .collect()
}

fn of(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|(name, replicas)| ((*name).to_owned(), *replicas)).collect()
}

const BOTH: [&str; 2] = ["Unreachable", "Unreachable"];
const FIRST: &str = "kunming-gov-1";
const SECOND: &str = "kunming-gov-2";

#[tokio::test(start_paused = true)]
async fn copies_leave_a_lost_member_when_their_time_is_over_and_what_is_left_goes_when_it_answers() {
    let hub = Hub::with(&portal_in(3)).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!(hub.placed(PORTAL), of(&[(FIRST, 2)]));
    falls_silent(&hub, FIRST, BOTH).await;
    assert_eq!(phases(&hub), ["kunming-gov-1 Waiting"]);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("Unknown".to_owned(), "FailoverWaiting".to_owned()));
    let told = hub.object("FleetWorkload", PORTAL.0, PORTAL.1).expect("a workload");
    assert!(told["status"]["ready"].is_null(), "nobody knows what is ready there");
    hub.pass(200).await;
    assert_eq!(hub.placed(PORTAL), of(&[(FIRST, 2)]), "its 300 seconds are not over");
    hub.pass(101).await;
    assert_eq!(hub.placed(PORTAL), of(&[(FIRST, 0), (SECOND, 2)]));
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    assert_eq!(phases(&hub), ["kunming-gov-1 Moved"]);
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [(FIRST.to_owned(), 2), (SECOND.to_owned(), 2)].into());
    // A day later it answers: what was left there goes, and nothing comes back by itself.
    hub.pass(86_400).await;
    answers_again(&hub, FIRST).await;
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [(SECOND.to_owned(), 2)].into());
    assert_eq!((hub.placed(PORTAL), phases(&hub)), (of(&[(SECOND, 2)]), Vec::new()));
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    hub.world.clear_log();
    hub.run().await.expect("it runs again");
    assert_eq!(hub.writes().len(), 0, "quiet after a restart");
}

#[tokio::test(start_paused = true)]
async fn a_restart_in_between_keeps_the_clock_and_who_is_back_in_time_stays() {
    let hub = Hub::with(&portal_in(3)).await;
    hub.run().await.expect("it runs");
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    falls_silent(&hub, FIRST, BOTH).await;
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    // The next operator does not know at first, and sees the member fall silent later than it did.
    let unknown = json!({ "status": { "reachability": { "hub": "Unknown", "agent": "Unknown" }, "conditions": [] } });
    hub.patch("MemberCluster", None, FIRST, "/status", &unknown).await;
    hub.world.clock().advance(SignedDuration::from_secs(290));
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!((hub.placed(PORTAL), phases(&hub)), (of(&[(FIRST, 2)]), vec!["kunming-gov-1 Waiting".to_owned()]));
    falls_silent(&hub, FIRST, BOTH).await;
    answers_again(&hub, FIRST).await;
    hub.pass(60).await;
    assert_eq!((hub.placed(PORTAL), phases(&hub)), (of(&[(FIRST, 2)]), Vec::new()), "it was back in time");
    falls_silent(&hub, FIRST, BOTH).await;
    hub.pass(290).await;
    assert_eq!(hub.placed(PORTAL), of(&[(FIRST, 2)]), "and its clock began anew");
    hub.pass(20).await;
    assert_eq!(hub.placed(PORTAL), of(&[(FIRST, 0), (SECOND, 2)]));
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn in_a_storm_nothing_moves_but_what_a_person_names() {
    let hub = Hub::with(&portal_in(4)).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    falls_silent(&hub, FIRST, BOTH).await;
    falls_silent(&hub, SECOND, BOTH).await;
    hub.pass(4_000).await;
    assert_eq!((hub.placed(PORTAL), phases(&hub)), (of(&[(FIRST, 2)]), vec!["kunming-gov-1 StormBrake".to_owned()]));
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("Unknown".to_owned(), "StormBrake".to_owned()));
    let order = json!({ "metadata": { "annotations": { "jiuzhou.dev/failover-from": FIRST } } });
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &order).await;
    hub.quiet().await;
    assert_eq!(hub.placed(PORTAL), of(&[(FIRST, 0), ("kunming-gov-3", 2)]));
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn one_witness_takes_twice_the_time_and_where_there_is_no_other_place_everything_stays() {
    let hub = Hub::with(&portal_in(1)).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    falls_silent(&hub, FIRST, ["Unknown", "Unreachable"]).await;
    hub.pass(590).await;
    assert_eq!(phases(&hub), ["kunming-gov-1 Waiting"]);
    hub.pass(20).await;
    assert_eq!((hub.placed(PORTAL), phases(&hub)), (of(&[(FIRST, 2)]), vec!["kunming-gov-1 Released".to_owned()]));
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "ClusterUnreachable");
    // A cluster that joins later takes it.
    let mut other = portal_in(2);
    let other = other.pop().expect("the second cluster");
    hub.create(&other).await;
    hub.quiet().await;
    assert_eq!(hub.placed(PORTAL), of(&[(FIRST, 0), (SECOND, 2)]));
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

/// Three clusters and a single writer whose data is elsewhere.
fn single_writer() -> Vec<Value> {
    let mut objects = portal_in(3);
    let one = workload(&mut objects);
    one["spec"]["continuity"] = json!("SingleWriter");
    one["spec"]["data"] = json!({ "mode": "External" });
    objects
}

#[tokio::test(start_paused = true)]
async fn a_single_writer_is_started_elsewhere_only_after_the_word_that_the_old_one_has_stopped() {
    let hub = Hub::with(&single_writer()).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    falls_silent(&hub, FIRST, BOTH).await;
    hub.pass(4_000).await;
    assert_eq!((hub.placed(PORTAL), phases(&hub)), (of(&[(FIRST, 2)]), vec!["kunming-gov-1 Fence".to_owned()]));
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("Unknown".to_owned(), "FenceUnavailable".to_owned()));
    let order = json!({ "metadata": { "annotations": { "jiuzhou.dev/failover-from": FIRST } } });
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &order).await;
    hub.quiet().await;
    assert_eq!(hub.placed(PORTAL), of(&[(FIRST, 2)]), "no order starts a single writer twice");
    // A word about an earlier outage is none about this one.
    let fence = |word: &str| json!({ "metadata": { "annotations": { "jiuzhou.dev/fenced": word } } });
    hub.patch("MemberCluster", None, FIRST, "", &fence("2026-11-23T03:59:59Z 值班员 云值〔2026〕1号")).await;
    hub.quiet().await;
    assert_eq!(hub.placed(PORTAL), of(&[(FIRST, 2)]));
    hub.patch("MemberCluster", None, FIRST, "", &fence("2026-11-23T04:00:00Z 值班员 云值〔2026〕2号")).await;
    hub.quiet().await;
    assert_eq!(hub.placed(PORTAL), of(&[(FIRST, 0), (SECOND, 2)]));
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1)[SECOND], 2);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    answers_again(&hub, FIRST).await;
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [(SECOND.to_owned(), 2)].into());
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn an_operator_that_comes_back_tells_what_a_single_writer_waits_for_by_now() {
    let hub = Hub::with(&single_writer()).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    falls_silent(&hub, FIRST, BOTH).await;
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("Unknown".to_owned(), "FailoverWaiting".to_owned()));
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    hub.world.clock().advance(SignedDuration::from_secs(4_000));
    // Nobody looks at the member before it answers, so what was written of it is not news for ever.
    hub.run().await.expect("it runs");
    assert_eq!(phases(&hub), ["kunming-gov-1 Fence"]);
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("Unknown".to_owned(), "FenceUnavailable".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_was_exported_while_copies_may_leave_plans_what_the_operator_did() {
    let hub = Hub::with(&portal_in(3)).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    falls_silent(&hub, FIRST, BOTH).await;
    hub.pass(301).await;
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    let mut decided = Vec::new();
    crate::record::journal::read::<Error>(hub.folder.path(), |batch| {
        let again = jiuzhou_engine::decide::replay(batch.input).expect("a fleet");
        assert_eq!((again.sha256, again.sm3), (batch.sha256, batch.sm3), "it replays to its bytes");
        decided.extend(again.plan.decisions);
        Ok(())
    })
    .expect("the journal is whole");
    let moved = decided.iter().any(|decision| decision.moves.iter().any(|one| one.cluster == FIRST && one.to == 0));
    assert!(moved, "the move is a recorded decision");
    let state = crate::export::state(&hub.world.client()).await.expect("the state");
    let texts: Vec<(String, Vec<u8>)> = state
        .iter()
        .flat_map(|(kind, values)| {
            values.iter().map(move |value| (format!("{kind}.yaml"), serde_json::to_vec(value).expect("JSON")))
        })
        .collect();
    let texts: Vec<(String, &[u8])> = texts.iter().map(|(name, text)| (name.clone(), text.as_slice())).collect();
    let as_of = hub.world.clock().now();
    let fleet = jiuzhou_intake::load_texts(&texts, &jiuzhou_intake::Options::at(as_of)).expect("a fleet");
    let plan = jiuzhou_engine::decide::plan(&fleet.snapshot, &jiuzhou_engine::decide::Changes::default(), as_of)
        .expect("a plan");
    assert!(plan.decisions.iter().all(|decision| decision.moves.is_empty()), "and nothing moves again");
}

#[tokio::test(start_paused = true)]
async fn what_its_agent_stops_needs_no_word_and_waits_until_it_is_stopped_for_sure() {
    let mut objects = portal_in(3);
    let one = workload(&mut objects);
    one["spec"]["continuity"] = json!("SingleWriter");
    one["spec"]["data"] = json!({ "mode": "External" });
    one["spec"]["fence"] = json!("SelfFence");
    one["spec"]["maxClockDriftSeconds"] = json!(5);
    one["spec"]["placement"]["failover"] = json!({ "afterSeconds": 30 });
    let hub = Hub::with(&objects).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    falls_silent(&hub, FIRST, BOTH).await;
    // Three heartbeats of 20 s, 5 s of drift, 30 s for its pods to end and a minute to have it ordered: 155 s.
    hub.pass(150).await;
    assert_eq!((hub.placed(PORTAL), phases(&hub)), (of(&[(FIRST, 2)]), vec!["kunming-gov-1 Fence".to_owned()]));
    hub.pass(6).await;
    assert_eq!(
        (hub.placed(PORTAL), phases(&hub)),
        (of(&[(FIRST, 0), (SECOND, 2)]), vec!["kunming-gov-1 Moved".to_owned()])
    );
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

#[tokio::test(start_paused = true)]
async fn what_is_whole_on_every_cluster_comes_back_to_the_copy_that_it_has_there() {
    let mut objects = portal_in(4);
    workload(&mut objects)["spec"]["placement"]["replicas"] = json!({ "mode": "Duplicated" });
    let hub = Hub::with(&objects).await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    let all = hub.placed(PORTAL);
    assert_eq!(all.len(), 4);
    falls_silent(&hub, FIRST, BOTH).await;
    hub.pass(301).await;
    assert_eq!((hub.placed(PORTAL), phases(&hub)), (all.clone(), vec!["kunming-gov-1 Released".to_owned()]));
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("Unknown".to_owned(), "MemberUnreachable".to_owned()));
    answers_again(&hub, FIRST).await;
    assert_eq!((hub.placed(PORTAL), phases(&hub)), (all, Vec::new()));
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1).len(), 4, "nothing of it was removed");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("True".to_owned(), "AsWanted".to_owned()));
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}
