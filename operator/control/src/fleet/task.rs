//! The task of one member: rounds of five steps, woken early by what concerns it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1::{HubClaim, MemberCluster, MemberClusterStatus};
use jiuzhou_member::agent::Settings as Told;
use jiuzhou_member::claim::Found;
use jiuzhou_member::connection::Connection;
use jiuzhou_member::inventory::Inventory;
use jiuzhou_member::probe::{Health, Heartbeat};
use kube::{Client, ResourceExt};
use serde_json::Value;
use tokio::sync::{Mutex, broadcast, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::status::Problem;
use super::{
    Boards, Dial, Members, Outlook, Settings, apply, build, credential, dereference, leave, pull, status,
    update_status, validate,
};
use crate::error::{Category, of_answer};
use crate::leader::Gate;
use crate::metrics::Metrics;

/// Rounds of one member are never closer than this, whatever wakes it.
const SHORTEST_ROUND: Duration = Duration::from_millis(500);

/// What a task is started with.
pub(super) struct Start {
    pub(super) hub: Client,
    pub(super) outlook: watch::Receiver<Arc<Outlook>>,
    pub(super) settings: Settings,
    pub(super) members: Members,
    pub(super) dial: Dial,
    pub(super) boards: Boards,
    pub(super) gate: Gate,
    pub(super) metrics: Arc<Metrics>,
}

/// A running task; dropping the handle ends it.
pub(super) struct Handle {
    uid: Option<String>,
    object: watch::Sender<Arc<MemberCluster>>,
    task: JoinHandle<()>,
}

impl Handle {
    pub(super) fn uid(&self) -> Option<String> {
        self.uid.clone()
    }

    pub(super) fn update(&self, object: MemberCluster) {
        self.object.send_replace(Arc::new(object));
    }

    /// Ends the task after the round it is in.
    pub(super) async fn end(self) {
        drop(self.object);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task of a member ended by a fault");
        }
    }
}

/// What a task remembers between rounds.
pub(super) struct Memory {
    /// The connection in use, and the version of the Secret it came from.
    pub(super) connection: Option<(Connection, String)>,
    /// Why the Secret as it is now is not used; with its version.
    pub(super) refusal: Option<(Problem, Option<String>, Instant)>,
    /// Why nothing (or no removal) is done there although it answers.
    pub(super) standing: Option<Problem>,
    /// What is told of it because the hub went back in time.
    behind: Option<Problem>,
    /// Why something could not be read there.
    pub(super) trouble: Option<Problem>,
    /// What a probe met instead of an answer, the last time.
    pub(super) silence: Option<String>,
    pub(super) health: Health,
    pub(super) agent: Health,
    pub(super) heartbeat: Heartbeat,
    pub(super) identity: Option<String>,
    pub(super) confirmed: Option<Instant>,
    pub(super) claim: Arc<Mutex<Option<Found>>>,
    pub(super) inventory: Option<Inventory>,
    pub(super) read_again: Option<Instant>,
    pub(super) last_answer: Option<Timestamp>,
    /// What a complete count showed while it drains or leaves.
    pub(super) left: Option<BTreeMap<String, i32>>,
    /// What the agent of a pull member counted last while it drained or left.
    pub(super) counted: Option<BTreeMap<String, i32>>,
    /// Workloads that are placed there, as the hub said by a complete list.
    pub(super) placed: Option<Vec<String>>,
    pub(super) count_again: Option<Instant>,
    /// Why a deletion waits.
    pub(super) held: Option<Problem>,
    pub(super) renew_again: Option<Instant>,
    /// What an agent was told last, and the version of the report read last.
    pub(super) told: Option<(Told, Instant)>,
    pub(super) reported: Option<String>,
    /// The hub from which the member was taken over, and when.
    pub(super) taken_over: Option<(String, Instant)>,
    /// The claim that an agent reports.
    pub(super) claimed: Option<HubClaim>,
    /// The ClusterProfile as last published.
    pub(super) published: Option<(Value, Value)>,
    /// The status as last written.
    pub(super) written: Option<MemberClusterStatus>,
    /// When free room was last written.
    pub(super) free_written: Option<Instant>,
    started: Instant,
}

impl Memory {
    fn new(settings: &Settings, object: &MemberCluster) -> Self {
        let recorded = object.status.as_ref().and_then(|status| status.identity.as_ref());
        Self {
            connection: None,
            refusal: None,
            standing: None,
            behind: None,
            trouble: None,
            silence: None,
            health: Health::new(settings.thresholds),
            agent: Health::new(settings.thresholds),
            heartbeat: Heartbeat::default(),
            identity: recorded.map(|identity| identity.uid.to_string()),
            confirmed: None,
            claim: Arc::default(),
            inventory: None,
            read_again: None,
            last_answer: None,
            left: None,
            counted: None,
            placed: None,
            count_again: None,
            held: None,
            renew_again: None,
            told: None,
            reported: None,
            taken_over: None,
            claimed: None,
            published: None,
            written: None,
            free_written: None,
            started: Instant::now(),
        }
    }

    /// A hub that went back in time says so of every member, until a person has looked.
    fn heed(&mut self, behind: i64) {
        let told = (behind > 0).then(|| Problem::hub_behind(behind));
        // What else stands with the member is not this hub's past, and stays.
        if self.standing.is_none() || (self.behind.is_some() && self.standing == self.behind) {
            self.standing.clone_from(&told);
        }
        self.behind = told;
    }

    /// Now, on the steady clock of this task.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }
}

impl Start {
    pub(super) fn spawn(self, object: MemberCluster) -> Handle {
        let uid = object.metadata.uid.clone();
        let (sender, receiver) = watch::channel(Arc::new(object));
        let task = tokio::spawn(self.run(receiver));
        Handle { uid, object: sender, task }
    }

    async fn run(mut self, mut object: watch::Receiver<Arc<MemberCluster>>) {
        let first = object.borrow_and_update().clone();
        let name = first.name_any();
        let mut memory = Memory::new(&self.settings, &first);
        let mut secrets = self.boards.secrets.changes();
        // A thousand members that begin at the same moment would all list their nodes at the same moment.
        tokio::time::sleep(spread(&name, SHORTEST_ROUND)).await;
        loop {
            let began = Instant::now();
            let current = object.borrow_and_update().clone();
            let outlook = self.outlook.borrow_and_update().clone();
            let ended = self.round(&current, &outlook, &mut memory).await;
            self.metrics.reconciled("members", began.elapsed(), ended);
            let wake = tokio::time::sleep_until(began + self.settings.round);
            tokio::select! {
                changed = object.changed() => if changed.is_err() { break },
                // Without a sender the outlook stays as it is; the clock still wakes us.
                Ok(()) = self.outlook.changed() => {}
                () = concerns(&mut secrets, &current) => {}
                () = wake => {}
            }
            tokio::time::sleep_until(began + SHORTEST_ROUND).await;
        }
        self.members.remove(&name);
        self.metrics.forget_member(&name);
    }

    /// dereference, validate, build, apply, update status. A member that is down makes no round fail; a hub that takes no
    /// status does.
    async fn round(&self, object: &MemberCluster, outlook: &Outlook, memory: &mut Memory) -> Result<(), Category> {
        let read = dereference::dereference(&self.hub, object, memory, &self.boards).await;
        let candidate = match validate::validate(read.credential, Timestamp::now()) {
            Ok(Some((endpoint, version))) => match build::build(&self.dial, endpoint, self.settings.limits) {
                Ok(connection) => Some((self.counted(object, connection), version)),
                Err(problem) => {
                    memory.refusal = Some((problem, Some(version), Instant::now()));
                    None
                }
            },
            Ok(None) => None,
            Err((problem, version)) => {
                memory.refusal = Some((problem, version, Instant::now()));
                None
            }
        };
        apply::apply(object, outlook, &self.settings, memory, candidate, &self.members).await;
        if let Some(alive) = read.agent_alive {
            let now = memory.now();
            memory.agent.observe(alive, now);
        }
        if object.spec.connection.pull.is_some() {
            pull::round(&self.hub, object, outlook, memory, &self.boards.reports, &self.members).await;
        }
        memory.heed(outlook.reached.behind());
        // Who does not lead (any more) looks and writes nothing: a finalizer that is taken off cannot be put back.
        if self.gate.check().is_err() {
            return Err(Category::Lease);
        }
        credential::renew(&self.hub, object, memory).await;
        if leave::leave(&self.hub, object, outlook, memory, &self.gate).await {
            self.members.remove(&object.name_any());
            return Ok(());
        }
        self.members.put(status::handle(object, outlook, memory));
        let written = update_status::update_status(&self.hub, object, outlook, &self.settings, memory).await;
        if self.boards.profiles.get() {
            update_status::publish(&self.hub, object, memory).await;
        }
        written
    }

    /// A connection whose requests are counted for this member.
    fn counted(&self, object: &MemberCluster, connection: Connection) -> Connection {
        let (metrics, name) = (Arc::clone(&self.metrics), object.name_any());
        connection.observed(Arc::new(move |status| metrics.requested(&name, of_answer(status))))
    }
}

/// Waits until the Secret of this member changes.
async fn concerns(secrets: &mut broadcast::Receiver<super::board::Key>, object: &MemberCluster) {
    let Some(push) = &object.spec.connection.push else { return std::future::pending().await };
    loop {
        match secrets.recv().await {
            Ok((namespace, name)) if *push.secret_namespace == *namespace && *push.secret_name == *name => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// A delay by name: always the same for one member, spread over all.
fn spread(name: &str, over: Duration) -> Duration {
    let hash = name.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    over * (hash % 1000) / 1000
}
