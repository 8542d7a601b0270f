//! The operator on real control planes: how long from an applied workload to its object in a member, how many a second
//! in a burst, what it writes on the hub for each and when nothing happens, what memory it takes and how it starts.
//!
//! `cargo xtask bench-real [PART...]` starts a set and runs this with a release build of the operator; parts are `floor`,
//! `pace`, `burst`, `pull`, `steady`, `restart`, `members`. Times are those that the API servers' own audit logs give: the hub's when the
//! request to make the workload came in, the member's when it had answered the request that made the object. One JSON
//! object a line, as the other benchmarks print.

mod floor;
mod members;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use futures::StreamExt as _;
use jiff::Timestamp;
use jiuzhou_e2e::audit::Event;
use jiuzhou_e2e::operator::USER;
use jiuzhou_e2e::{Agent, Operator, Scene, Start};
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::discovery::ApiResource;
use serde_json::{Value, json};

/// Measures the operator on the set that `JIUZHOU_E2E_SET` names.
#[derive(Debug, Parser)]
struct Arguments {
    /// Parts; all when none is named
    parts: Vec<String>,
    /// Workloads that are there before the pace is measured
    #[arg(long, default_value_t = 1000)]
    present: usize,
    /// Workloads of the pace
    #[arg(long, default_value_t = 300)]
    paced: usize,
    /// Workloads applied each second of the pace
    #[arg(long, default_value_t = 10)]
    each_second: u32,
    /// Workloads of the burst
    #[arg(long, default_value_t = 2000)]
    burst: usize,
    /// Workloads in all when the operator is started again
    #[arg(long, default_value_t = 5000)]
    all: usize,
    /// Members that are simulated beside the real ones
    #[arg(long, default_value_t = 1000)]
    members: usize,
}

/// Members by push, and the images that go there.
const MEMBERS: [&str; 2] = ["kunpeng", "x86"];

/// Everything of one run.
struct Bench {
    scene: Scene,
    operator: Operator,
    workloads: Api<DynamicObject>,
    made: usize,
    agent: Option<Agent>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let wants = |part: &str| arguments.parts.is_empty() || arguments.parts.iter().any(|one| one == part);
    let mut scene = Scene::begin("bench").await?;
    let operator = scene.operator(Start::default()).await?;
    for member in MEMBERS {
        grow(&scene, member, 10)?;
    }
    scene.join(&MEMBERS).await?;
    let workloads = api(&scene);
    let mut bench = Bench { scene, operator, workloads, made: 0, agent: None };
    if wants("floor") {
        bench.floor(arguments.burst).await?;
    }
    if wants("pace") {
        bench.burst("present", arguments.present).await?;
        bench.pace(arguments.paced, arguments.each_second).await?;
    }
    if wants("burst") {
        bench.burst("burst", arguments.burst).await?;
    }
    if wants("pull") {
        bench.pull(100).await?;
    }
    if wants("steady") {
        bench.steady(Duration::from_secs(120)).await?;
    }
    if wants("restart") {
        let missing = arguments.all.saturating_sub(bench.made);
        bench.burst("fill", missing).await?;
        bench = bench.restart().await?;
    }
    if wants("members") {
        bench.members(arguments.members).await?;
    }
    Ok(())
}

/// Gives a member more nodes like its first one, with room for many pods each.
fn grow(scene: &Scene, member: &str, nodes: usize) -> Result<()> {
    let cluster = scene.member(member);
    let list: Value = serde_json::from_str(&cluster.kubectl(&["get", "nodes", "-o", "json"])?)?;
    let first = list["items"].get(0).context("a member has no node")?;
    let mut made = Vec::new();
    for nth in 0..nodes {
        let mut node = first.clone();
        let name = format!("bench-{nth}");
        let metadata = node["metadata"].as_object_mut().context("a node has no metadata")?;
        metadata.retain(|key, _| matches!(key.as_str(), "labels" | "annotations"));
        metadata.insert("name".to_owned(), json!(name));
        node["metadata"]["labels"]["kubernetes.io/hostname"] = json!(name);
        node["spec"] = json!({});
        for room in ["capacity", "allocatable"] {
            node["status"][room]["pods"] = json!("1000");
        }
        made.push(node);
    }
    let text = json!({ "apiVersion": "v1", "kind": "List", "items": made }).to_string();
    let apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=bench", "-f", "-"];
    cluster.kubectl_with(&apply, &text)?;
    cluster.kubectl_with(&[&apply[..], &["--subresource=status"]].concat(), &text)?;
    Ok(())
}

fn api(scene: &Scene) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: "jiuzhou.dev".to_owned(),
        version: "v1alpha1".to_owned(),
        api_version: "jiuzhou.dev/v1alpha1".to_owned(),
        kind: "FleetWorkload".to_owned(),
        plural: "fleetworkloads".to_owned(),
    };
    Api::namespaced_with(scene.fleet.hub().client.clone(), &scene.namespace(), &resource)
}

fn tell(value: &Value) {
    #[allow(clippy::print_stdout, reason = "this is what the program is for")]
    {
        println!("{value}");
    }
}

/// Events of a log from a position on.
fn since(events: Vec<Event>, from: usize) -> Vec<Event> {
    events.into_iter().skip(from).collect()
}

/// The value below which so many hundredths of all are.
fn hundredth(sorted: &[i64], of_hundred: usize) -> Option<i64> {
    sorted.get((sorted.len() * of_hundred / 100).min(sorted.len().saturating_sub(1))).copied()
}

/// Positions in the logs of the hub and of the members.
fn marks(scene: &Scene) -> Result<Vec<usize>> {
    let hub = scene.fleet.hub().audit()?.len();
    let members = MEMBERS.iter().map(|member| Ok(scene.member(member).audit()?.len()));
    std::iter::once(Ok(hub)).chain(members).collect()
}

impl Bench {
    fn workload(&self, name: &str, image: &str) -> Value {
        // One small replica: what is measured is the way, not the pods.
        self.scene.workload(name, image, 1)
    }

    async fn apply(&self, name: &str, image: &str) -> Result<()> {
        let params = PatchParams::apply("bench");
        let applied = self.workloads.patch(name, &params, &Patch::Apply(self.workload(name, image))).await;
        applied.map(drop).with_context(|| format!("failed to apply {name}"))
    }

    /// Microseconds from each workload's request to its object in a member, for those that have one.
    fn ways(&self, names: &BTreeSet<String>, marks: &[usize]) -> Result<BTreeMap<String, (Timestamp, Timestamp)>> {
        let mut asked = BTreeMap::new();
        for event in since(self.scene.fleet.hub().audit()?, marks[0]) {
            if event.resource == "fleetworkloads" && event.user != USER && names.contains(&event.name) {
                asked.entry(event.name).or_insert(event.received);
            }
        }
        let mut ways = BTreeMap::new();
        for (member, mark) in MEMBERS.iter().zip(&marks[1..]) {
            for event in since(self.scene.member(member).audit()?, *mark) {
                if event.resource == "deployments"
                    && event.wrote()
                    && let Some(from) = asked.get(&event.name)
                {
                    ways.entry(event.name).or_insert((*from, event.answered));
                }
            }
        }
        Ok(ways)
    }

    /// Waits until every named workload has its object in a member.
    async fn arrived(
        &self,
        names: &BTreeSet<String>,
        marks: &[usize],
    ) -> Result<BTreeMap<String, (Timestamp, Timestamp)>> {
        let began = Instant::now();
        let namespace = self.scene.namespace();
        // The logs are read once at the end: who measures shares the cores with what is measured.
        loop {
            let mut there = 0;
            for member in MEMBERS {
                there += floor::count(&floor::deployments(self, member, &namespace)).await?;
            }
            if there >= self.made {
                break;
            }
            let patience = Duration::from_secs(120 + names.len() as u64 / 4);
            ensure!(began.elapsed() < patience, "failed to see {} of {} arrive", self.made - there, names.len());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let ways = self.ways(names, marks)?;
        ensure!(
            ways.len() == names.len(),
            "failed to find {} of {} in the logs",
            names.len() - ways.len(),
            names.len()
        );
        Ok(ways)
    }

    /// Waits until the hub says of every workload that all is as wanted.
    async fn ready(&self) -> Result<()> {
        let began = Instant::now();
        loop {
            let all = self.workloads.list(&kube::api::ListParams::default()).await?;
            let waiting = all.items.iter().filter(|one| one.data["status"]["reason"] != "AsWanted").count();
            if waiting == 0 {
                return Ok(());
            }
            ensure!(began.elapsed() < Duration::from_secs(900), "failed to see {waiting} workloads become ready");
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }

    fn names(&mut self, what: &str, count: usize) -> Vec<(String, &'static str)> {
        let from = self.made;
        self.made += count;
        // Half to each member.
        (from..from + count).map(|nth| (format!("{what}-{nth}"), if nth % 2 == 0 { "arm" } else { "x86" })).collect()
    }

    /// So many a second, evenly.
    async fn pace(&mut self, count: usize, each_second: u32) -> Result<()> {
        let names = self.names("paced", count);
        let marks = marks(&self.scene)?;
        let mut clock = tokio::time::interval(Duration::from_secs(1) / each_second);
        for (name, image) in &names {
            clock.tick().await;
            self.apply(name, image).await?;
        }
        let set: BTreeSet<String> = names.into_iter().map(|(name, _)| name).collect();
        let ways = self.arrived(&set, &marks).await?;
        let mut took: Vec<i64> = ways.values().map(|(from, to)| to.as_microsecond() - from.as_microsecond()).collect();
        took.sort_unstable();
        tell(&json!({
            "what": format!("apply to object, {each_second} a second, {} present", self.made - count),
            "count": count, "us_p50": hundredth(&took, 50), "us_p99": hundredth(&took, 99), "us_worst": took.last(),
        }));
        Ok(())
    }

    /// All at once.
    async fn burst(&mut self, what: &str, count: usize) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let names = self.names(what, count);
        let marks = marks(&self.scene)?;
        let (this, began) = (&*self, Instant::now());
        let applied: Vec<Result<()>> = futures::stream::iter(&names)
            .map(|(name, image)| this.apply(name, image))
            .buffer_unordered(16)
            .collect()
            .await;
        applied.into_iter().collect::<Result<()>>()?;
        let set: BTreeSet<String> = names.iter().map(|(name, _)| name.clone()).collect();
        let ways = self.arrived(&set, &marks).await?;
        let first = ways.values().map(|(from, _)| *from).min().context("nothing arrived")?;
        let last = ways.values().map(|(_, to)| *to).max().context("nothing arrived")?;
        let milliseconds = last.as_millisecond() - first.as_millisecond();
        self.ready().await?;
        tell(&json!({
            "what": format!("{what}, all at once"), "count": count, "ms": milliseconds, "ms_ready": began.elapsed().as_millis(),
            "per_second": i64::try_from(count)? * 1000 / milliseconds.max(1),
            "hub_writes": self.writes(&set, marks[0])?, "operator_rss_kib": self.memory("VmRSS")?,
        }));
        Ok(())
    }

    /// What the operator wrote on the hub about some workloads, by resource, in thousandths for each workload.
    fn writes(&self, names: &BTreeSet<String>, from: usize) -> Result<Value> {
        let count = names.len().max(1);
        let mut by_resource: BTreeMap<String, usize> = BTreeMap::new();
        for event in since(self.scene.fleet.hub().audit()?, from) {
            let own = event.user == USER && event.wrote() && event.group != "events.k8s.io";
            if own && event.resource != "leases" {
                *by_resource.entry(event.resource).or_default() += 1;
            }
        }
        let all: usize = by_resource.values().sum();
        Ok(json!({ "thousandths_each": all * 1000 / count, "by_resource": by_resource }))
    }

    /// The agent of the member by pull; it joins when it is first asked for.
    fn agent(&mut self) -> Result<&Agent> {
        if self.agent.is_none() {
            let server = self.scene.fleet.hub().plane.server()?;
            let name = self.scene.name().to_owned();
            self.agent = Some(Agent::join(&self.scene.fleet, "hygon", &name, &name, &server)?);
            self.scene.joined("hygon")?;
        }
        self.agent.as_ref().context("no agent has joined")
    }

    /// Workloads of a member whose agent fetches them: what is written on the hub for each, by operator and agent.
    async fn pull(&mut self, count: usize) -> Result<()> {
        let process = self.agent()?.start(&[])?;
        self.scene.ready(&["hygon"]).await?;
        // x86 alone may carry it too: drained, it takes nothing new.
        self.scene.order(&["drain", "x86"])?;
        self.ready().await?;
        let from = self.scene.fleet.hub().audit()?.len();
        let names: BTreeSet<String> = (0..count).map(|nth| format!("pulled-{nth}")).collect();
        for name in &names {
            self.apply(name, "x86").await?;
        }
        self.ready().await?;
        let mut by_resource: BTreeMap<String, usize> = BTreeMap::new();
        for event in since(self.scene.fleet.hub().audit()?, from) {
            let own = event.user == USER || event.user.contains("agent");
            let counted = own && event.wrote() && event.group != "events.k8s.io" && event.resource != "leases";
            let about = names.iter().any(|name| event.name == *name || event.name.ends_with(&format!(".{name}")));
            if counted && about {
                *by_resource
                    .entry(format!("{} {}", if event.user == USER { "operator" } else { "agent" }, event.resource))
                    .or_default() += 1;
            }
        }
        let all: usize = by_resource.values().sum();
        tell(&json!({
            "what": "by pull, one after another", "count": count,
            "hub_writes": { "thousandths_each": all * 1000 / count, "by_resource": by_resource },
        }));
        self.scene.order(&["drain", "x86", "--undo"])?;
        process.terminate(Duration::from_secs(20))?;
        Ok(())
    }

    /// What is written while nothing happens.
    async fn steady(&self, during: Duration) -> Result<()> {
        self.ready().await?;
        tokio::time::sleep(Duration::from_secs(20)).await;
        let marks = marks(&self.scene)?;
        tokio::time::sleep(during).await;
        let mut by_resource: BTreeMap<String, usize> = BTreeMap::new();
        for event in since(self.scene.fleet.hub().audit()?, marks[0]) {
            if event.user == USER && event.wrote() {
                *by_resource.entry(event.resource).or_default() += 1;
            }
        }
        tell(
            &json!({ "what": "hub writes while nothing happens", "seconds": during.as_secs(), "by_resource": by_resource }),
        );
        Ok(())
    }

    /// Ended in order and started again: until nothing more is asked, and what memory it takes then.
    async fn restart(mut self) -> Result<Self> {
        self.ready().await?;
        let before = self.memory("VmRSS")?;
        let ended = self.operator.terminate(Duration::from_secs(30))?;
        ensure!(ended.success(), "failed to end in order: {ended}");
        let marks = marks(&self.scene)?;
        let began = Timestamp::now();
        self.operator = self.scene.operator(Start::default()).await?;
        // Every workload is looked at once; steady is when what looks comes to an end.
        let last = loop {
            tokio::time::sleep(Duration::from_secs(10)).await;
            let mut last = began;
            for (member, mark) in MEMBERS.iter().zip(&marks[1..]) {
                let events = since(self.scene.member(member).audit()?, *mark);
                let looks = events.iter().filter(|event| {
                    event.user_agent.starts_with("jiuzhou") && event.resource == "deployments" && event.verb == "get"
                });
                last = looks.map(|event| event.answered).max().map_or(last, |at| at.max(last));
            }
            if Timestamp::now().as_second() - last.as_second() > 8 {
                break last;
            }
        };
        let mut writes = 0;
        for event in since(self.scene.fleet.hub().audit()?, marks[0]) {
            writes += usize::from(event.user == USER && event.wrote() && event.resource != "leases");
        }
        tell(&json!({
            "what": "start to steady", "workloads": self.made, "ms": last.as_millisecond() - began.as_millisecond(),
            "hub_writes": writes, "rss_before_kib": before, "rss_kib": self.memory("VmRSS")?, "rss_peak_kib": self.memory("VmHWM")?,
        }));
        Ok(self)
    }

    /// A figure of the operator's process, as the system tells it.
    fn memory(&self, figure: &str) -> Result<u64> {
        let path = format!("/proc/{}/status", self.operator.id());
        let text = std::fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{figure}:")));
        let line = line.with_context(|| format!("failed to find {figure} in {path}"))?;
        line.trim().trim_end_matches(" kB").parse().context("failed to read a figure of memory")
    }
}
