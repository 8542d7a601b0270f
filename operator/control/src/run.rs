//! The wiring of one run: what is started, in which order, and how it ends.
//!
//! Health answers first, so that a process that waits is seen to wait. Then the audit log is opened (one process has it),
//! then the lease is taken, then the caches are filled, and only then anything is decided. Whoever loses the lease ends:
//! a process that starts anew is simpler than one that remembers what it no longer may do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_member::claim::Hub;
use jiuzhou_records::audit::AuditError;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;

use crate::decide::counter;
use crate::definitions::{self, DEFINITIONS};
use crate::delivery::audit::Audit;
use crate::delivery::{self, Deliveries, Pace};
use crate::error::Error;
use crate::fleet::{Fleet, Members, Outlook, Roads, Settings as FleetSettings, dial};
use crate::http::{self, Access, Health, Tokens};
use crate::hub;
use crate::keys;
use crate::leader::{Gate, KubeLease, Leader, NotLeader, Settings, Term};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::orders::Orders;
use crate::planner::{Clock, Parts, Planner};
use crate::record::{ACTOR, Records};
use crate::reports::{self, Reporter};
use crate::stop::Stop;
use crate::telemetry::traces::Traces;
use crate::tenants::{Keeper, Leaving};

/// Part of health: every kind of the hub was listed whole.
pub(crate) const CACHES: &str = "caches";
/// Part of health: this process leads, or no lease is asked for.
const LEASE: &str = "lease";
/// Between two tries for an audit log that another process has open.
const LOCKED: Duration = Duration::from_millis(500);
/// How long what has begun may take to end when this process is told to stop: less than a pod is given.
const CALM: Duration = Duration::from_secs(15);

/// Runs until told to stop.
///
/// # Errors
/// What makes going on pointless: a hub that refuses us, an audit log that cannot be written, a lost lease.
pub async fn run(client: Client, options: Options, stop: Stop) -> Result<(), Error> {
    let (health, metrics) = (Health::new([CACHES, LEASE, DEFINITIONS]), Arc::new(Metrics::new()));
    serve(&client, &options, &health, &metrics, &stop).await?;
    let version = client.apiserver_version().await.map_err(|error| Error::api("read", "the hub's version", error))?;
    let id = identity(&client).await?;
    tracing::info!(version = %version.git_version, hub = id, dedicated = options.dedicated_hub, "started");
    let clock: Clock = Arc::new(Timestamp::now);
    let Some(records) = open_records(&options, &id, &clock, &stop).await? else { return Ok(()) };
    let counter = counter::read(&client).await?;
    // A person may have given this hub a term above all that its members have seen.
    let floor = records.highest_term().max(u64::try_from(counter.term).unwrap_or(0));
    let (leader, gate) = elect(&client, &options, floor);
    let lost = lead(leader.as_ref(), &gate, &metrics, &stop).await;
    let Some(lost) = lost else { return Ok(()) };
    health.set_ready(LEASE, true);
    tokio::spawn(definitions::watch(client.clone(), health.clone(), stop.clone()));
    let digest_key = keys::digest_key(&client).await?;
    let (natives, followed) = watch::channel(false);
    let seen = hub::watch_all(&client, &stop, &followed);
    let (reporter, reports) = mpsc::unbounded_channel();
    let term = gate.check()?;
    let (term, epoch, succeeds) = (i64::try_from(term.0).unwrap_or(i64::MAX), counter.committed, counter.succeeds);
    let hub = Hub { id, term, epoch, succeeds, ..Hub::default() };
    let outlook = Outlook { hub, ..Outlook::default() };
    outlook.reached.remember(counter.behind);
    let (outlook, seen_outlook) = watch::channel(Arc::new(outlook));
    let members = Members::default();
    let witness = Arc::new(Audit::new(records.log(), gate.clone(), Arc::clone(&clock), ACTOR));
    let (keepers_witness, keepers_members) = (Arc::clone(&witness) as _, members.clone());
    let deliveries = Arc::new(Deliveries::new(delivery::Parts {
        hub: client.clone(),
        ways: Arc::new(Roads::new(members.clone(), seen_outlook.clone())),
        witness,
        reports: reporter,
        clock: Arc::clone(&clock),
        pace: Pace::default(),
    }));
    let waker = tokio::spawn(wake(members.clone(), Arc::clone(&deliveries), stop.clone()));
    let fleet = Fleet {
        hub: client.clone(),
        outlook: seen_outlook,
        settings: FleetSettings::default(),
        dial: dial(),
        members,
        gate: gate.clone(),
        metrics: Arc::clone(&metrics),
    };
    let fleet = tokio::spawn(watch_over(fleet, stop.clone()));
    let settled = tokio::spawn(settle(gate.clone(), Arc::clone(&deliveries)));
    let orders: Arc<dyn Orders> = Arc::clone(&deliveries) as Arc<dyn Orders>;
    let dedicated = options.dedicated_hub;
    let traces = options.otlp.as_deref().map(Traces::to).transpose()?.unwrap_or_default();
    let (wishes, wished) = reports::channel();
    let figures = Reporter::new(client.clone(), Arc::clone(&clock), gate.clone(), Arc::clone(&metrics), wishes);
    let keeper = Keeper {
        hub: client.clone(),
        gate: gate.clone(),
        clock: Arc::clone(&clock),
        leaving: Leaving {
            hub: client.clone(),
            members: keepers_members,
            witness: keepers_witness,
            log: records.log(),
            gate: gate.clone(),
            clock: Arc::clone(&clock),
            actor: ACTOR,
            recorded: Mutex::default(),
        },
        metrics: Arc::clone(&metrics),
        told: figures.tenants(),
    };
    let keeper = tokio::spawn(keeper.run(stop.clone()));
    let figures = tokio::spawn(figures.run(stop.clone()));
    let parts = Parts {
        client,
        clock,
        records,
        orders,
        outlook,
        digest_key,
        gate,
        metrics,
        health,
        dedicated,
        natives,
        wished,
        traces,
    };
    let planner = Planner::new(parts)?;
    let ended = tokio::select! {
        ended = planner.run(seen, reports, stop.clone()) => ended,
        () = lost => Err(Error::LeaseLost),
    };
    keeper.abort();
    figures.abort();
    waker.abort();
    settled.abort();
    // What has begun ends before another may lead; else the lease runs out, and the next one waits for it.
    let calm = stop.is_requested() && calm(&deliveries, fleet).await;
    match leader {
        Some(leader) if calm => leader.release().await,
        Some(_) => tracing::warn!("the lease is not given back: the next leader waits until it runs out"),
        None => {}
    }
    tracing::info!("stopped");
    ended
}

/// Waits until nothing that this process has begun is under way any more. Returns whether it was so in time.
async fn calm(deliveries: &Deliveries, fleet: JoinHandle<()>) -> bool {
    let watched = tokio::time::timeout(CALM, fleet);
    let (delivered, watched) = tokio::join!(deliveries.finish(CALM), watched);
    delivered && watched.is_ok()
}

/// What was held back while requests of the former leader could be under way goes on as soon as it may.
async fn settle(gate: Gate, deliveries: Arc<Deliveries>) {
    while let Err(NotLeader::Settling(wait)) = gate.check_member() {
        tokio::time::sleep(wait).await;
    }
    deliveries.retry();
}

/// Answers for health and metrics until told to stop.
async fn serve(
    client: &Client,
    options: &Options,
    health: &Health,
    metrics: &Arc<Metrics>,
    stop: &Stop,
) -> Result<(), Error> {
    let access = match options.listen.ip().is_loopback() {
        true => Access::Loopback,
        false => Access::Tokens(Tokens::new(client.clone())),
    };
    let listener = http::listen_for_metrics(options.listen, &access).await.map_err(Error::Serve)?;
    let routes = http::health_routes(health.clone()).merge(http::metrics_routes(Arc::clone(metrics), access));
    let stop = stop.clone();
    tokio::spawn(async move {
        if let Err(error) = http::serve(listener, routes, async move { stop.requested().await }).await {
            tracing::error!(%error, "nobody is answered any more");
        }
    });
    Ok(())
}

/// The hub is who its `kube-system` namespace is.
async fn identity(client: &Client) -> Result<String, Error> {
    let namespace = Api::<Namespace>::all(client.clone()).get("kube-system").await;
    let namespace = namespace.map_err(|error| Error::api("read", "the hub's identity", error))?;
    Ok(namespace.uid().unwrap_or_default())
}

/// Opens the records, once no other process has them; `None` when told to stop before.
async fn open_records(options: &Options, hub: &str, clock: &Clock, stop: &Stop) -> Result<Option<Records>, Error> {
    let mut told = false;
    loop {
        let (folder, hub, now, keep) = (options.audit.clone(), hub.to_owned(), clock(), options.keep);
        let opened = tokio::task::spawn_blocking(move || Records::open(&folder, &hub, now, keep)).await;
        match opened.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic())) {
            Err(Error::Audit(AuditError::Locked(_))) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::info!(folder = %options.audit.display(), "another process has the audit log; waiting");
                }
                tokio::select! {
                    () = stop.requested() => return Ok(None),
                    () = tokio::time::sleep(LOCKED) => {}
                }
            }
            answer => return answer.map(Some),
        }
    }
}

/// Takes part in the election, or opens the gate for a process that is alone.
fn elect(client: &Client, options: &Options, floor: u64) -> (Option<Leader>, Gate) {
    if !options.leader_election {
        return (None, Gate::alone(Term(floor.saturating_add(1))));
    }
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let identity = format!("{}_{}_{}", host.trim(), std::process::id(), Timestamp::now().as_millisecond());
    let lease = KubeLease::new(client.clone(), meta::SYSTEM_NAMESPACE, meta::LEADER_LEASE);
    let leader = Leader::start(lease, Settings::new(identity, floor));
    let gate = leader.gate();
    (Some(leader), gate)
}

/// Waits until this process leads; what comes back is done when it leads no more. `None` when told to stop before.
pub(crate) async fn lead(
    leader: Option<&Leader>,
    gate: &Gate,
    metrics: &Arc<Metrics>,
    stop: &Stop,
) -> Option<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> {
    let Some(leader) = leader else {
        metrics.leads(gate.check().ok());
        return Some(Box::pin(std::future::pending()));
    };
    let mut claim = leader.claim();
    let mut told = false;
    let term = loop {
        let now = *claim.borrow_and_update();
        if let Some(term) = now {
            break term;
        }
        if !std::mem::replace(&mut told, true) {
            tracing::info!("waiting for the lease");
        }
        tokio::select! {
            () = stop.requested() => return None,
            changed = claim.changed() => changed.ok()?,
        }
    };
    tracing::info!(%term, "leading");
    metrics.leads(Some(term));
    let metrics = Arc::clone(metrics);
    Some(Box::pin(async move {
        let _ = claim.wait_for(|now| *now != Some(term)).await;
        metrics.leads(None);
    }))
}

/// Runs the tasks of the members once the planner has seen the whole hub: before, an epoch of a member would look like
/// one from the future, and a tier like one that was lost.
async fn watch_over(fleet: Fleet, stop: Stop) {
    let mut outlook = fleet.outlook.clone();
    let told = tokio::select! {
        () = stop.requested() => return,
        told = outlook.wait_for(|outlook| outlook.knowledge_version > 0) => told.is_ok(),
    };
    if told {
        fleet.run(stop).await;
    }
}

/// Tells deliveries when how a member is reached changed.
async fn wake(members: Members, deliveries: Arc<Deliveries>, stop: Stop) {
    let mut events = members.events();
    loop {
        let event = tokio::select! {
            () = stop.requested() => return,
            event = events.recv() => event,
        };
        match event {
            Ok(event) => deliveries.wake(&event.name),
            Err(broadcast::error::RecvError::Lagged(_)) => {
                members.all().iter().for_each(|member| deliveries.wake(&member.name));
            }
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
