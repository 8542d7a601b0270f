//! What runs once, on a hub in memory: it is started once, whatever is seen, forgotten or restarted in between.

use jiuzhou_api::v1alpha1::ObjectState;
use serde_json::{Value, json};

use crate::testing::{Hub, story};

const REPORT: (&str, &str) = ("kunming-portal", "portal");

/// The first story with a Job in place of its Deployment.
async fn job() -> Hub {
    let mut objects = story("01-first-tenant");
    let workload = objects.iter_mut().find(|object| object["kind"] == "FleetWorkload").expect("a workload");
    let entry = workload["spec"]["objects"]
        .as_array()
        .and_then(|all| all.iter().find(|entry| entry["manifest"]["kind"] == "Deployment"))
        .cloned()
        .expect("a Deployment");
    let mut template = entry["manifest"]["spec"]["template"].clone();
    template["spec"]["restartPolicy"] = "Never".into();
    let manifest = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "report" },
        "spec": { "template": template, "ttlSecondsAfterFinished": 60 },
    });
    workload["spec"]["objects"] = json!([{ "name": "report", "manifest": manifest }]);
    if let Some(spec) = workload["spec"].as_object_mut() {
        spec.remove("replicas");
        spec.remove("continuity");
    }
    Hub::with(&objects).await
}

fn started(hub: &Hub) -> Value {
    hub.object("FleetPlacement", REPORT.0, REPORT.1).expect("a placement")["status"]["started"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_job_that_finished_and_is_gone_is_not_run_again_after_a_restart() {
    let hub = job().await;
    hub.members.judge(|_, _| Some(ObjectState::Finished));
    hub.run().await.expect("it runs");
    assert_eq!(hub.members.replicas(REPORT.0, REPORT.1).len(), 1);
    assert_eq!(hub.ready(REPORT.0, REPORT.1), ("True".to_owned(), "Finished".to_owned()));
    assert_eq!(started(&hub)[0]["outcome"], "Finished");
    hub.members.vanish(REPORT.0, REPORT.1);
    hub.world.clear_log();
    hub.run().await.expect("it runs again");
    assert_eq!(hub.members.replicas(REPORT.0, REPORT.1), [].into(), "it ran once");
    assert_eq!(hub.ready(REPORT.0, REPORT.1), ("True".to_owned(), "Finished".to_owned()));
    // A change of its content does not start it either.
    let mut objects = hub.object("FleetWorkload", REPORT.0, REPORT.1).expect("a workload")["spec"]["objects"].clone();
    objects[0]["manifest"]["spec"]["backoffLimit"] = 2.into();
    hub.patch("FleetWorkload", Some(REPORT.0), REPORT.1, "", &json!({ "spec": { "objects": objects } })).await;
    hub.run().await.expect("it runs again");
    assert_eq!(hub.members.replicas(REPORT.0, REPORT.1), [].into(), "it ran once");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_vanished_while_it_ran_says_that_nobody_knows_how_it_ended() {
    let hub = job().await;
    hub.members.judge(|_, _| Some(ObjectState::Applied));
    hub.run().await.expect("it runs");
    hub.members.vanish(REPORT.0, REPORT.1);
    hub.run().await.expect("it runs again");
    assert_eq!(hub.members.replicas(REPORT.0, REPORT.1), [].into(), "it ran once");
    assert_eq!(hub.ready(REPORT.0, REPORT.1), ("False".to_owned(), "OutcomeUnknown".to_owned()));
}
