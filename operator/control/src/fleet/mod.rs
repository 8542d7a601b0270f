//! The member clusters: who they are, whether they answer, what they have, and a handle by which others reach them.
//!
//! One task for each MemberCluster, so that a member that hangs, floods or lies costs itself only. A round of a task is
//! five steps in five files: [`dereference`] (the hub), [`validate`] and [`build`] (pure), [`apply`] (the member),
//! [`update_status`] (the hub again). Others see [`Members`]. Deciding where workloads run is not done here, nor is
//! delivering; nothing here deletes anything but our own claim, and that only when a member has left by order.

mod apply;
mod approver;
mod board;
mod build;
mod credential;
mod dereference;
pub mod invite;
pub mod join;
mod leave;
mod members;
pub mod order;
pub(crate) mod profile;
mod pull;
mod reached;
mod status;
mod task;
mod tier;
mod update_status;
mod validate;
mod ways;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{MemberCluster, TierStatus};
use jiuzhou_engine::detect::Catalogue;
use jiuzhou_member::Knowledge;
use jiuzhou_member::claim::Hub;
use jiuzhou_member::connection::{Connection, Endpoint, Limits, Refusal};
use jiuzhou_member::probe::Thresholds;
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt};
use tokio::sync::watch;

use crate::leader::Gate;
use crate::metrics::Metrics;
use crate::stop::Stop;

pub use members::{Access, Member, MemberChange, MemberEvent, Members};
pub use reached::Reached;
pub(crate) use status::rolled_back_since;
pub use tier::{next_change, tiers};
pub use ways::Roads;

/// What the tasks need to know of the rest of the hub; a new one wakes them.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    /// CPU platforms, built-in and declared.
    pub catalogue: Arc<Catalogue>,
    /// Sovereignty tier of each cluster at this instant.
    pub tiers: BTreeMap<String, TierStatus>,
    /// What is known of kinds, built-in and declared.
    pub knowledge: Arc<Knowledge>,
    /// Counts changes of `knowledge`.
    pub knowledge_version: u64,
    /// ConfigMaps and Secrets that deliveries left in members which drain or leave, by member and namespace: the hub's account
    /// may not list those there.
    pub unlisted: BTreeMap<String, BTreeMap<String, i32>>,
    /// Who this hub is. Without an id nothing is claimed and nothing written to a member.
    pub hub: Hub,
    /// How far epochs have come.
    pub reached: Arc<Reached>,
}

impl Outlook {
    /// Who this hub is, now.
    #[must_use]
    pub fn hub(&self) -> Hub {
        self.reached.put_into(&self.hub)
    }
}

/// Figures of the tasks.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Between two rounds of a member.
    pub round: Duration,
    /// Between two readings of nodes and pods of a member at least.
    pub inventory: Duration,
    /// Between two writes of free room that moved by 5 % or more.
    pub free: Duration,
    /// When a member is unreachable and when it is back.
    pub thresholds: Thresholds,
    /// What one member may cost.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            round: Duration::from_secs(10),
            inventory: Duration::from_secs(60),
            free: Duration::from_secs(300),
            thresholds: Thresholds::default(),
            limits: Limits::default(),
        }
    }
}

/// Opens connections to members; a test puts others in place of TLS.
pub type Dial = Arc<dyn Fn(Endpoint, Limits) -> Result<Connection, Refusal> + Send + Sync>;

/// Connections over TLS, as [`Connection::open`] makes them.
#[must_use]
pub fn dial() -> Dial {
    Arc::new(Connection::open)
}

/// Everything the fleet runs on.
pub struct Fleet {
    /// The hub.
    pub hub: Client,
    /// What it needs to know.
    pub outlook: watch::Receiver<Arc<Outlook>>,
    /// Its figures.
    pub settings: Settings,
    /// How members are reached: [`dial()`].
    pub dial: Dial,
    /// Where the handles appear.
    pub members: Members,
    /// Whether this process leads: asked before every write.
    pub gate: Gate,
    /// What its rounds and requests are counted in.
    pub metrics: Arc<Metrics>,
}

/// What shared watches have seen on the hub.
#[derive(Clone, Default)]
struct Boards {
    secrets: board::Board,
    leases: board::Board,
    reports: board::Board,
    profiles: profile::Installed,
}

impl Fleet {
    /// Runs until told to stop. Only the leader may run it.
    pub async fn run(self, stop: Stop) {
        let boards = Boards::default();
        let beats = board::watch_leases(self.hub.clone(), boards.leases.clone(), stop.clone());
        let certificates = approver::approve(self.hub.clone(), stop.clone());
        let profiles = profile::look(self.hub.clone(), boards.profiles.clone(), stop.clone());
        tokio::join!(beats, certificates, profiles, self.follow(&boards, &stop));
    }

    /// One task for each MemberCluster. One that cannot be read is named in the log and stops nobody.
    async fn follow(&self, boards: &Boards, stop: &Stop) {
        let api: Api<DeserializeGuard<MemberCluster>> = Api::all(self.hub.clone());
        let mut events = watcher(api, watcher::Config::default()).default_backoff().boxed();
        let mut tasks: BTreeMap<String, task::Handle> = BTreeMap::new();
        let mut listed: BTreeSet<String> = BTreeSet::new();
        loop {
            let event = tokio::select! {
                () = stop.requested() => break,
                event = events.next() => event,
            };
            match event {
                None => break,
                Some(Err(error)) => tracing::warn!(%error, "failed to watch MemberClusters; trying again"),
                Some(Ok(watcher::Event::Init)) => listed.clear(),
                Some(Ok(watcher::Event::InitApply(object) | watcher::Event::Apply(object))) => {
                    listed.insert(object.name_any());
                    match object.0 {
                        Ok(object) => self.seen(object, &mut tasks, boards, stop),
                        Err(error) => tracing::error!(%error, "failed to read a MemberCluster; it is left alone"),
                    }
                }
                Some(Ok(watcher::Event::InitDone)) => tasks.retain(|name, _| listed.contains(name)),
                // The task of an object that is gone ends with its handle; what runs in the member runs on.
                Some(Ok(watcher::Event::Delete(object))) => drop(tasks.remove(&object.name_any())),
            }
        }
        for task in tasks.into_values() {
            task.end().await;
        }
    }

    fn seen(&self, object: MemberCluster, tasks: &mut BTreeMap<String, task::Handle>, boards: &Boards, stop: &Stop) {
        let name = object.name_any();
        if let Some(push) = &object.spec.connection.push {
            boards.secrets.follow_secrets(&self.hub, &push.secret_namespace, stop);
        }
        if object.spec.connection.pull.is_some() {
            boards.reports.follow_report(&self.hub, &meta::member_namespace(&name), stop);
        }
        // Another uid under the same name is another object: nothing of the former is carried over.
        let same = tasks.get(&name).is_some_and(|task| task.uid() == object.metadata.uid);
        if same {
            if let Some(task) = tasks.get(&name) {
                task.update(object);
            }
            return;
        }
        let member = task::Start {
            hub: self.hub.clone(),
            outlook: self.outlook.clone(),
            settings: self.settings,
            members: self.members.clone(),
            dial: self.dial.clone(),
            boards: boards.clone(),
            gate: self.gate.clone(),
            metrics: Arc::clone(&self.metrics),
        };
        tasks.insert(name, member.spawn(object));
    }
}
