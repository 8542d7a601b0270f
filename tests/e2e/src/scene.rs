//! A tenant of its own with a site, images, members and workloads: what most stories begin with, and how they end.
//!
//! Stories share one set of control planes, so everything carries the story's name and is taken away at its end. The end
//! is also where every story is held to the law: no write of ours in a member without a recorded decision before it.

use std::future::Future;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiuzhou_api::meta::{ANNOTATION_CONFIRM_DELETE, ANNOTATION_CONFIRM_DELETIONS};
use serde_json::{Value, json};

use crate::fleet::{Cluster, Fleet, binary};
use crate::ledger::every_delivery_was_decided;
use crate::operator::{Operator, Start};
use crate::wait::{Seen, eventually};

/// How long something may take that waits for nobody; two cores under six control planes are slow.
pub const SOON: Duration = Duration::from_secs(90);
/// The same behind a leader that was killed: its lease and its longest request have to pass first.
pub const AFTER_A_KILL: Duration = Duration::from_secs(180);

/// Images by what they run on.
const IMAGES: [(&str, char, &[&str]); 3] =
    [("arm", '1', &["arm64"]), ("both", '2', &["amd64", "arm64"]), ("x86", '3', &["amd64"])];

/// What a story makes on the hub.
pub(crate) const KINDS: &str = "migrations,fwl,fpl,deliveries,mc,tenants,sites,imageprofiles,informationsystems,opm,sovereigntytiers,reports,clusterreports";

/// A story's own part of the fleet.
#[derive(Debug)]
pub struct Scene {
    /// The control planes.
    pub fleet: Fleet,
    name: String,
    members: Vec<String>,
}

impl Scene {
    /// Makes the tenant, its site and images; no member and no operator yet.
    ///
    /// # Errors
    /// When the hub does not take it.
    pub async fn begin(name: &str) -> Result<Self> {
        let scene = Self { fleet: Fleet::start().await?, name: name.to_owned(), members: Vec::new() };
        scene.sweep()?;
        scene.install()?;
        scene.fleet.hub().apply(&list(&scene.ground()))?;
        Ok(scene)
    }

    /// The definitions, served.
    fn install(&self) -> Result<()> {
        let hub = self.fleet.hub();
        hub.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", "crds"])?;
        hub.serves_definitions()
    }

    /// Takes away what a story that failed has left, so that one failure is one failure.
    fn sweep(&self) -> Result<()> {
        let hub = self.fleet.hub();
        let Ok(left) = hub.kubectl(&["get", KINDS, "-A", "-o", "json"]) else { return Ok(()) };
        let left: Value = serde_json::from_str(&left).context("failed to read what kubectl printed")?;
        for object in left["items"].as_array().into_iter().flatten() {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let namespace = format!("--namespace={}", text("/metadata/namespace"));
            let named = [text("/kind"), text("/metadata/name"), namespace.as_str()];
            let confirmed = json!({ ANNOTATION_CONFIRM_DELETE: text("/metadata/name") });
            let bare = json!({ "metadata": { "finalizers": null, "annotations": confirmed } });
            let bare = format!("--patch={bare}");
            hub.try_kubectl(&[&["patch", "--type=merge", bare.as_str()], named.as_slice()].concat(), "")?;
            hub.try_kubectl(&[&["delete", "--wait=false", "--ignore-not-found"], named.as_slice()].concat(), "")?;
        }
        for member in self.fleet.members() {
            // The placements went without the operator: what the members have seen is ahead of the hub now.
            member.kubectl(&["delete", "configmap", "hub", "-n", "jiuzhou-system", "--ignore-not-found"])?;
        }
        for cluster in self.fleet.members().chain([hub]) {
            let names = cluster.kubectl(&["get", "namespaces", "-o", "name"])?;
            for name in names.lines().filter(|name| name.ends_with("-portal")) {
                // What another story's namespace waits for is that story's; one of this name is refused when it is made.
                let name = name.trim_start_matches("namespace/");
                let gone = cluster.delete_confirmed("namespace", name, &["--timeout=20s"]);
                if name == self.namespace() {
                    gone?;
                }
            }
        }
        Ok(())
    }

    fn ground(&self) -> Vec<Value> {
        let name = &self.name;
        let tenant = json!({
            "displayName": "昆明市生活服务中心", "level": "City", "region": "530100",
            "namespaces": [{ "name": self.namespace(), "system": name }],
        });
        let code: u32 = name.bytes().map(u32::from).sum();
        let system = json!({
            "displayName": "生活服务", "projectCode": format!("KM-2026-{code:04}"), "tenant": name,
            "functionDomain": "PublicService", "dataClass": { "class": "General", "setBy": "业务科" },
        });
        let mut ground = vec![
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": self.namespace() } }),
            object("Site", name, None, &json!({ "displayName": "昆明", "region": "530100", "provider": "own" })),
            object("Tenant", name, None, &tenant),
            object("InformationSystem", name, Some(&self.namespace()), &system),
        ];
        ground.extend(IMAGES.map(|(image, digit, architectures)| {
            let entry = |architecture: &&str| json!({ "architecture": architecture, "provenance": "Inspected" });
            let entries: Vec<Value> = architectures.iter().map(entry).collect();
            let spec = json!({ "image": self.repository(image), "digest": digest(digit), "entries": entries });
            object("ImageProfile", &format!("{name}-{image}"), None, &spec)
        }));
        ground
    }

    /// Its namespace, the same on the hub and in the members.
    #[must_use]
    pub fn namespace(&self) -> String {
        format!("{}-portal", self.name)
    }

    /// Its name, which is also its tenant's, its system's and its site's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn repository(&self, image: &str) -> String {
        format!("registry.gov.example/{}/{image}", self.name)
    }

    /// An image by digest: `arm`, `both` or `x86`.
    ///
    /// # Panics
    /// When there is no such image, which is a fault of the test.
    #[must_use]
    pub fn image(&self, image: &str) -> String {
        let known = IMAGES.iter().find(|(name, ..)| *name == image);
        let (_, digit, _) = known.unwrap_or_else(|| panic!("no image {image}"));
        format!("{}@{}", self.repository(image), digest(*digit))
    }

    /// Starts the operator and waits until it says so.
    ///
    /// # Errors
    /// When it ends or says nothing.
    pub async fn operator(&self, how: Start) -> Result<Operator> {
        let mut operator = Operator::start_as(&self.fleet, how)?;
        eventually("the operator has started", SOON, || {
            let said = operator.alive().and_then(|()| operator.said("started"));
            async move { Ok(Seen::when(said?, (), "nothing said")) }
        })
        .await?;
        Ok(operator)
    }

    /// Lets clusters join by push, with the evidence of tier S1, and waits until they are Ready.
    ///
    /// # Errors
    /// When one does not become Ready.
    pub async fn join(&mut self, members: &[&str]) -> Result<()> {
        for name in members {
            self.join_at(name, &self.fleet.member(name).plane.server()?)?;
        }
        self.ready(members).await
    }

    /// Lets a cluster join by push at another address than its API server's own. Waits for nothing.
    ///
    /// # Errors
    /// When join says no.
    pub fn join_at(&mut self, member: &str, server: &str) -> Result<()> {
        let kubeconfig = self.fleet.member(member).plane.kubeconfig().display().to_string();
        let name = self.name.clone();
        let to = ["--kubeconfig", &kubeconfig, "--site", &name, "--tenants", &name, "--server", server];
        let hub = self.hub_kubeconfig();
        jiuzhou(&[&["join", member, "--hub-kubeconfig", &hub], to.as_slice()].concat())?;
        self.joined(member)
    }

    /// Gives a member that has joined the evidence of tier S1, and remembers to let it leave.
    ///
    /// # Errors
    /// When the hub does not take it.
    pub fn joined(&mut self, member: &str) -> Result<()> {
        self.fleet.hub().kubectl(&["patch", "mc", member, "--type=merge", "-p", &evidence()])?;
        self.members.push(member.to_owned());
        Ok(())
    }

    /// Waits until members are Ready.
    ///
    /// # Errors
    /// When one does not become so.
    pub async fn ready(&self, members: &[&str]) -> Result<()> {
        for name in members {
            self.member_says(name, "Ready", "True", AFTER_A_KILL).await?;
        }
        Ok(())
    }

    /// Waits until a condition of a member has a status; gives its reason and message.
    ///
    /// # Errors
    /// When it does not come to have it.
    pub async fn member_says(&self, member: &str, kind: &str, status: &str, within: Duration) -> Result<String> {
        eventually(&format!("{member} is {kind}={status}"), within, || async {
            let object = self.get("mc", member, None)?;
            let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let one = conditions.iter().find(|one| one["type"] == kind).cloned().unwrap_or_default();
            let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
            let told = format!("{} {}", text("reason"), text("message"));
            Ok(Seen::when(text("status") == status, told.clone(), format!("{} {told}", text("status"))))
        })
        .await
    }

    /// An object on the hub as it is.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub fn get(&self, kind: &str, name: &str, namespace: Option<&str>) -> Result<Value> {
        let mut arguments = vec!["get", kind, name, "-o", "json"];
        if let Some(namespace) = namespace {
            arguments.extend(["-n", namespace]);
        }
        serde_json::from_str(&self.fleet.hub().kubectl(&arguments)?).context("failed to read what kubectl printed")
    }

    /// A FleetWorkload of one Deployment.
    #[must_use]
    pub fn workload(&self, name: &str, image: &str, replicas: u32) -> Value {
        self.workload_of(name, &[self.deployment(name, image, replicas)])
    }

    /// A FleetWorkload of any objects.
    #[must_use]
    pub fn workload_of(&self, name: &str, manifests: &[Value]) -> Value {
        let one = |(index, manifest): (usize, &Value)| json!({ "name": format!("part-{index}"), "manifest": manifest });
        let objects: Vec<Value> = manifests.iter().enumerate().map(one).collect();
        let spec = json!({ "system": self.name, "objects": objects });
        object("FleetWorkload", name, Some(&self.namespace()), &spec)
    }

    /// A Deployment.
    #[must_use]
    pub fn deployment(&self, name: &str, image: &str, replicas: u32) -> Value {
        let labels = json!({ "app": name });
        let container = json!({
            "name": "web", "image": self.image(image),
            "resources": { "requests": { "cpu": "100m", "memory": "64Mi" } },
        });
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
            "spec": {
                "replicas": replicas, "selector": { "matchLabels": labels },
                "template": { "metadata": { "labels": labels }, "spec": { "containers": [container] } },
            },
        })
    }

    /// Applies objects on the hub as a person would.
    ///
    /// # Errors
    /// When the hub refuses.
    pub fn apply(&self, objects: &[Value]) -> Result<()> {
        self.fleet.hub().apply(&list(objects)).map(drop)
    }

    /// Running pods of a workload in a member.
    #[must_use]
    pub fn running(&self, member: &str, workload: &str) -> usize {
        let (selector, namespace) = (format!("app={workload}"), self.namespace());
        let arguments = ["get", "pods", "-n", &namespace, "-l", &selector, "--no-headers", "--ignore-not-found"];
        let pods = self.fleet.member(member).kubectl(&arguments).unwrap_or_default();
        pods.lines().filter(|line| line.contains("Running")).count()
    }

    /// Waits until so many pods run in each of some members, and the hub says that all is as wanted.
    ///
    /// # Errors
    /// When it does not come to be so.
    pub async fn runs(&self, workload: &str, wanted: &[(&str, usize)], within: Duration) -> Result<()> {
        eventually(&format!("{workload} runs as {wanted:?}"), within, || async {
            let counts: Vec<usize> = wanted.iter().map(|(member, _)| self.running(member, workload)).collect();
            let told = self.told(workload);
            let done = counts.iter().zip(wanted).all(|(seen, (_, wanted))| seen == wanted)
                && told.as_deref().is_ok_and(|told| told.starts_with("AsWanted"));
            Ok(Seen::when(done, (), format!("{counts:?} {told:?}")))
        })
        .await
    }

    /// What the hub says of a workload: its reason, then the sentence.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub fn told(&self, workload: &str) -> Result<String> {
        let path = "-o=jsonpath={.status.reason} {.status.messageEn}";
        self.fleet.hub().kubectl(&["get", "fwl", workload, "-n", &self.namespace(), path])
    }

    /// Waits until the hub says something of a workload that holds every one of some words.
    ///
    /// # Errors
    /// When it does not.
    pub async fn says(&self, workload: &str, words: &[&str], within: Duration) -> Result<String> {
        eventually(&format!("{workload} is told with {words:?}"), within, || async {
            let told = self.told(workload)?;
            Ok(Seen::when(words.iter().all(|word| told.contains(word)), told.clone(), told))
        })
        .await
    }

    /// For some time, looks again and again whether something holds.
    ///
    /// # Errors
    /// When it does not at one look.
    pub async fn stays<F>(&self, what: &str, during: Duration, mut look: impl FnMut() -> F) -> Result<()>
    where
        F: Future<Output = Result<bool>>,
    {
        let began = Instant::now();
        while began.elapsed() < during {
            ensure!(look().await?, "failed to see that {what} for {} s", during.as_secs());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Ok(())
    }

    fn hub_kubeconfig(&self) -> String {
        self.fleet.hub().plane.kubeconfig().display().to_string()
    }

    /// Types a command of ours against the hub as a person would.
    ///
    /// # Errors
    /// When it says no.
    pub fn order(&self, arguments: &[&str]) -> Result<()> {
        jiuzhou(&[arguments, &["--kubeconfig", &self.hub_kubeconfig()]].concat()).map(drop)
    }

    /// The cluster of a member.
    #[must_use]
    pub fn member(&self, name: &str) -> &Cluster {
        self.fleet.member(name)
    }

    /// Takes every workload away by order, lets the members leave, ends the operator and holds all that was written
    /// against what was recorded; gives the number of deliveries looked at.
    ///
    /// # Errors
    /// When something stays, or a write had no decision.
    pub async fn end(self, operator: Operator) -> Result<usize> {
        let (hub, namespace) = (self.fleet.hub(), self.namespace());
        hub.kubectl(&["delete", "fwl", "--all", "-n", &namespace, "--wait=false"])?;
        eventually("the workloads are gone", AFTER_A_KILL, || async {
            let left = hub.kubectl(&["get", "fwl", "-n", &namespace, "-o", "json"])?;
            let left: Value = serde_json::from_str(&left).context("failed to read what kubectl printed")?;
            let left = left["items"].as_array().cloned().unwrap_or_default();
            // Many at once are held until a person types what the status says.
            let told = left.iter().filter_map(|workload| workload["status"]["messageEn"].as_str());
            let command = told.filter_map(|told| told.split_once("kubectl ")).map(|(_, command)| command).next();
            if let Some(command) = command.filter(|command| command.contains(ANNOTATION_CONFIRM_DELETIONS)) {
                let words: Vec<&str> = command.split_whitespace().take(7).collect();
                hub.try_kubectl(&words, "")?;
            }
            let names: Vec<&str> = left.iter().filter_map(|workload| workload["metadata"]["name"].as_str()).collect();
            Ok(Seen::when(left.is_empty(), (), names.join(", ")))
        })
        .await?;
        for member in &self.members {
            let left = self.member(member).kubectl(&["get", "deployments", "-n", &namespace, "--no-headers"])?;
            ensure!(left.trim().is_empty(), "failed to remove from {member}: {left}");
            self.order(&["leave", member])?;
        }
        eventually("the members have left", AFTER_A_KILL, || async {
            let there = hub.kubectl(&["get", "mc", "--no-headers", "--ignore-not-found"])?;
            let mine = self.members.iter().any(|member| there.contains(member.as_str()));
            Ok(Seen::when(!mine, (), there))
        })
        .await?;
        // It has a finalizer, so it goes while the operator is there.
        hub.delete_confirmed("tenant", &self.name, &["--timeout=60s"])?;
        let ended = operator.terminate(Duration::from_secs(30))?;
        ensure!(ended.success(), "failed to end in order: {ended}");
        self.clear()?;
        every_delivery_was_decided(&self.fleet)
    }

    /// Removes what the story made on the hub and in the members.
    fn clear(&self) -> Result<()> {
        let (hub, namespace, name) = (self.fleet.hub(), self.namespace(), &self.name);
        hub.delete_confirmed("namespace", &namespace, &["--wait=false"])?;
        hub.kubectl(&["delete", &format!("site/{name}")])?;
        for (image, ..) in IMAGES {
            hub.kubectl(&["delete", &format!("imageprofile/{name}-{image}")])?;
        }
        for member in &self.members {
            let gone = ["delete", "namespace", &namespace, "--ignore-not-found", "--wait=false"];
            self.member(member).kubectl(&gone)?;
        }
        Ok(())
    }
}

/// Types a command of ours as a person would.
///
/// # Errors
/// When it says no, with its words.
pub fn jiuzhou(arguments: &[&str]) -> Result<Output> {
    let output = Command::new(binary()?).args(arguments).output().context("failed to run the program under test")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "failed: jiuzhou {}: {said}", arguments.join(" "));
    Ok(output)
}

/// Objects as one list.
#[must_use]
pub fn list(items: &[Value]) -> String {
    json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string()
}

/// An object of ours.
#[must_use]
pub fn object(kind: &str, name: &str, namespace: Option<&str>, spec: &Value) -> Value {
    json!({
        "apiVersion": "jiuzhou.dev/v1alpha1", "kind": kind,
        "metadata": { "name": name, "namespace": namespace }, "spec": spec,
    })
}

fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

/// The evidence that tier S1 asks for, verified by a second person.
fn evidence() -> String {
    let claims = [
        ("providerCreditCode", "Operational", "12530100MB0000017P"),
        ("controlPlaneLocation", "Data", "CN"),
        ("backupLocation", "Data", "CN"),
        ("logLocation", "Data", "CN"),
        ("registryLocation", "SupplyChain", "CN"),
    ];
    let one = |(claim, dimension, value): &(&str, &str, &str)| {
        json!({
            "id": claim.to_lowercase(), "dimension": dimension, "claim": claim, "value": value, "issuer": "昆明市大数据局",
            "validFrom": "2026-03-01", "validUntil": "2036-02-28", "recordedOn": "2026-03-05", "enteredBy": "李工",
            "verifiedBy": "周处长", "verifiedOn": "2026-03-09", "state": "Verified",
        })
    };
    json!({ "spec": { "evidence": claims.iter().map(one).collect::<Vec<_>>() } }).to_string()
}
