//! Many members, simulated at the level of the API: each has the namespace, the report and the heartbeat that an agent
//! writes on the hub, and no cluster behind it.
//!
//! What an agent says is taken from one that really ran: its MemberCluster, its report and its lease are read, and the
//! others say the same of a cluster of their own identity. So the hub does for each what it does for a real one: follows
//! its heartbeat, reads its report, judges its pools, tier and claim, tells it the settings, and writes its status.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use jiuzhou_e2e::operator::USER;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::discovery::ApiResource;
use kube::{Api, Client};
use serde_json::{Value, json};

use super::{Bench, since, tell};

/// Seconds between two heartbeats of one member.
const BEAT: u64 = 30;
/// Requests at the same time.
const AT_ONCE: usize = 8;

/// What one agent said.
struct Sample {
    spec: Value,
    report: Value,
}

impl Bench {
    /// So many members beside those that are there: until all are Ready, what the operator takes then, and what it writes
    /// and computes in the two minutes after.
    pub(super) async fn members(&mut self, count: usize) -> Result<()> {
        let sample = self.sample().await?;
        let client = self.scene.fleet.hub().client.clone();
        let names: Vec<String> = (0..count).map(|nth| format!("sim-{nth:04}")).collect();
        let began = Instant::now();
        let made = names.iter().map(|name| make(&client, name, &sample));
        futures::stream::iter(made).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        let applied = began.elapsed();
        let beats = tokio::spawn(beat(client.clone(), names.clone()));
        let clusters = api(&client, "jiuzhou.dev", "MemberCluster", None);
        loop {
            ensure!(!beats.is_finished(), "failed to go on with the heartbeats");
            ensure!(began.elapsed() < Duration::from_secs(900), "failed to see all members become Ready");
            tokio::time::sleep(Duration::from_secs(3)).await;
            let all = clusters.list(&kube::api::ListParams::default()).await?;
            let ready = all.items.iter().filter(|one| names.contains(&one.metadata.name.clone().unwrap_or_default()));
            if ready.filter(|one| is_ready(&one.data)).count() == count {
                break;
            }
        }
        let until_ready = began.elapsed();
        tokio::time::sleep(Duration::from_secs(30)).await;
        let mark = self.scene.fleet.hub().audit()?.len();
        let (cpu, during) = (self.cpu_milliseconds()?, Duration::from_secs(120));
        tokio::time::sleep(during).await;
        let cpu = self.cpu_milliseconds()? - cpu;
        let mut by_resource: BTreeMap<String, usize> = BTreeMap::new();
        for event in since(self.scene.fleet.hub().audit()?, mark) {
            if event.user == USER && event.wrote() {
                *by_resource.entry(event.resource).or_default() += 1;
            }
        }
        beats.abort();
        tell(&json!({
            "what": "members by pull, simulated at the API level", "members": count, "workloads": self.made,
            "ms_to_apply": applied.as_millis(), "ms_to_all_ready": until_ready.as_millis(),
            "rss_kib": self.memory("VmRSS")?, "rss_peak_kib": self.memory("VmHWM")?,
            "then_in_120_s": { "cpu_ms": cpu, "hub_writes": by_resource },
        }));
        Ok(())
    }

    /// What the agent of a real member says; it has to have joined.
    async fn sample(&mut self) -> Result<Sample> {
        let process = self.agent()?.start(&[])?;
        self.scene.ready(&["hygon"]).await?;
        let spec = self.scene.get("mc", "hygon", None)?["spec"].clone();
        let map = self.scene.get("configmap", "report", Some("jiuzhou-member-hygon"))?;
        let text = map["data"]["json"].as_str().context("the agent has reported nothing")?;
        let report = serde_json::from_str(text).context("failed to read the agent's report")?;
        process.terminate(Duration::from_secs(20))?;
        Ok(Sample { spec, report })
    }

    /// What the operator has computed since it started.
    fn cpu_milliseconds(&self) -> Result<u64> {
        let path = format!("/proc/{}/stat", self.operator.id());
        let text = std::fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
        let fields: Vec<&str> = text.rsplit(") ").next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        // utime and stime, the 14th and 15th of proc(5), in hundredths of a second.
        let ticks = ticks(11).zip(ticks(12)).map(|(user, system)| user + system);
        Ok(ticks.with_context(|| format!("failed to read {path}"))? * 10)
    }
}

/// One member: its namespace, its report, its first beat, then the MemberCluster itself.
async fn make(client: &Client, name: &str, sample: &Sample) -> Result<()> {
    let namespace = format!("jiuzhou-member-{name}");
    put(&api(client, "", "Namespace", None), &namespace, json!({ "apiVersion": "v1", "kind": "Namespace" })).await?;
    let mut report = sample.report.clone();
    report["identity"] = json!(format!("identity-of-{name}"));
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "json": report.to_string() } });
    put(&api(client, "", "ConfigMap", Some(&namespace)), "report", map).await?;
    let mut spec = sample.spec.clone();
    spec["connection"]["pull"]["heartbeatSeconds"] = json!(BEAT);
    let member = json!({ "apiVersion": "jiuzhou.dev/v1alpha1", "kind": "MemberCluster", "spec": spec });
    put(&api(client, "jiuzhou.dev", "MemberCluster", None), name, member).await
}

/// Beats for all of them, evenly.
async fn beat(client: Client, names: Vec<String>) {
    let mut clock = tokio::time::interval(Duration::from_secs(BEAT) / u32::try_from(names.len().max(1)).unwrap_or(1));
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let ticks = futures::stream::unfold((clock, names.iter().cycle()), |(mut clock, mut names)| async move {
        clock.tick().await;
        names.next().map(|name| (name, (clock, names)))
    });
    let beats = ticks.for_each_concurrent(AT_ONCE, |name| {
        let leases = api(&client, "coordination.k8s.io", "Lease", Some(&format!("jiuzhou-member-{name}")));
        async move {
            let lease = json!({
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "spec": {
                    "holderIdentity": name, "leaseDurationSeconds": BEAT * 3,
                    "renewTime": format!("{:.6}", Timestamp::now()),
                },
            });
            // A beat that got lost is what an agent loses, too; the next one comes.
            drop(put(&leases, "agent", lease).await);
        }
    });
    beats.await;
}

async fn put(api: &Api<DynamicObject>, name: &str, mut object: Value) -> Result<()> {
    object["metadata"]["name"] = json!(name);
    let params = PatchParams::apply("bench").force();
    let put = api.patch(name, &params, &Patch::Apply(object)).await;
    put.map(drop).with_context(|| format!("failed to apply {name}"))
}

fn api(client: &Client, group: &str, kind: &str, namespace: Option<&str>) -> Api<DynamicObject> {
    let version = if group == "jiuzhou.dev" { "v1alpha1" } else { "v1" };
    let gvk = kube::core::GroupVersionKind::gvk(group, version, kind);
    let resource = ApiResource::from_gvk(&gvk);
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True")
}
