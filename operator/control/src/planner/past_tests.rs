//! A hub that went back in time: nothing is decided, ordered or taken away until a person has looked, over restarts too.

use jiuzhou_records::audit::{Entry, FileLog, Kind, Options, Recorder};
use serde_json::json;

use crate::decide::counter;
use crate::people::recover;
use crate::stop::Stop;
use crate::testing::{Hub, story};

const PORTAL: (&str, &str) = ("kunming-portal", "portal");
const WHERE: &str = "kunming-gov-1";

async fn portal() -> Hub {
    Hub::with(&story("01-first-tenant")).await
}

/// Words of people in the audit log. No operator runs.
fn recorded(hub: &Hub) -> Vec<Entry> {
    let (log, _) = FileLog::open(hub.folder.path(), Options::new("hub")).expect("the audit log opens");
    let log = Recorder::start(log).expect("it starts");
    let records = log.read(0, 10_000).expect("it is read").into_iter();
    records.map(|record| record.entry).filter(|entry| entry.kind == Kind::Recovered).collect()
}

/// What a task of a member tells when it finds this epoch in its claim.
fn member_has_seen(hub: &Hub, epoch: i64) {
    hub.outlook().borrow().reached.remember(epoch);
}

fn scaled(replicas: i32) -> serde_json::Value {
    json!({ "spec": { "replicas": replicas } })
}

#[tokio::test(start_paused = true)]
async fn a_restored_hub_orders_nothing_until_a_person_has_looked_and_goes_on_above() {
    let hub = portal().await;
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    member_has_seen(&hub, 5_000);
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &scaled(3)).await;
    hub.quiet().await;
    let there = [(WHERE.to_owned(), 2)].into();
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), there, "nothing is ordered");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1), ("False".to_owned(), "EpochBehind".to_owned()));
    let client = hub.world.client_named("person");
    assert_eq!(counter::read(&client).await.expect("a counter").behind, 5_000);
    hub.delete("/apis/jiuzhou.dev/v1alpha1/namespaces/kunming-portal/fleetworkloads/portal").await;
    hub.quiet().await;
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    // Another process knows it as well, and still takes nothing away.
    let (stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), there, "what was deleted runs on");
    assert_eq!(hub.ready(PORTAL.0, PORTAL.1).1, "EpochBehind");
    let at = "2026-11-23T05:00:00Z".parse().expect("an instant");
    let other = recover::go_on(&client, 4_999, "admin", at).await.expect_err("another epoch was shown");
    assert!(other.to_string().contains("5000"), "{other}");
    let shown = recover::look(&client).await.expect("it is shown");
    assert_eq!((shown.behind, shown.placed), (5_000, (1, 1)));
    recover::go_on(&client, shown.behind, "admin", at).await.expect("it goes on");
    hub.quiet().await;
    assert_eq!(hub.members.replicas(PORTAL.0, PORTAL.1), [].into(), "the deletion is an order again");
    recover::go_on(&client, 5_000, "admin", at).await.expect_err("nobody waits any more");
    for object in story("01-first-tenant").iter().filter(|one| one["kind"] == "FleetWorkload") {
        hub.create(object).await;
    }
    hub.quiet().await;
    let placement = hub.object("FleetPlacement", PORTAL.0, PORTAL.1).expect("a placement");
    assert!(placement["spec"]["epoch"].as_i64() > Some(5_000), "above all that a member has seen");
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
    hub.world.clear_log();
    hub.run().await.expect("it runs");
    assert_eq!(hub.writes(), [], "a restart writes nothing");
    let words = recorded(&hub);
    assert_eq!(words.len(), 1, "one record, over restarts: {words:?}");
    assert_eq!((words[0].actor.as_str(), words[0].epoch, words[0].time), ("admin", Some(5_000), at));
}

#[tokio::test(start_paused = true)]
async fn a_word_about_a_member_is_recorded_once_with_who_said_it() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    // As `recover` writes it, while no operator runs.
    let word = json!({ "metadata": { "annotations": { "jiuzhou.dev/recovered": "2026-11-23T05:00:00Z 张三" } } });
    hub.patch("MemberCluster", None, WHERE, "", &word).await;
    for _ in 0..2 {
        hub.run().await.expect("it runs");
        let words = recorded(&hub);
        let of = |entry: &Entry| (entry.actor.clone(), entry.cluster.as_ref().map(|cluster| cluster.name.clone()));
        assert_eq!(words.iter().map(of).collect::<Vec<_>>(), [("张三".to_owned(), Some(WHERE.to_owned()))]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hub_that_is_promoted_starts_anew_above_every_term_its_members_remember() {
    let hub = portal().await;
    hub.run().await.expect("it runs");
    let client = hub.world.client_named("person");
    recover::promotion(&client, None).await.expect_err("no member remembers another hub");
    let claim = json!({ "hub": "lost-hub", "term": 9, "highestEpoch": 70 });
    hub.patch("MemberCluster", None, WHERE, "/status", &json!({ "status": { "claim": claim } })).await;
    let shown = recover::promotion(&client, None).await.expect("it is shown");
    assert_eq!((&*shown.former, shown.term, shown.done), ("lost-hub", 9, false));
    assert_eq!(shown.members, [WHERE]);
    let at = "2026-11-23T05:00:00Z".parse().expect("an instant");
    let (_stopper, stop) = Stop::new();
    let running = hub.start(stop);
    hub.quiet().await;
    recover::promote(&client, &shown, "admin", at).await.expect("it is promoted");
    assert!(recover::promotion(&client, None).await.expect("it is shown").done);
    // The operator looks when a member does not take it for its hub.
    hub.outlook().borrow().reached.contest();
    hub.patch("FleetWorkload", Some(PORTAL.0), PORTAL.1, "", &scaled(3)).await;
    let ended = running.await.expect("no panic").expect_err("it starts anew");
    assert!(matches!(ended, crate::error::Error::Promoted), "{ended}");
    let counter = counter::read(&client).await.expect("a counter");
    assert_eq!((counter.term, counter.succeeds.as_deref()), (9, Some("lost-hub")));
    let words = recorded(&hub);
    let former = words.first().and_then(|word| word.objects.first()?.uid.as_deref());
    assert_eq!((words.len(), former), (1, Some("lost-hub")), "it was recorded before it was taken up");
}
