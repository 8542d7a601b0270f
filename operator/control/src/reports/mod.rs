//! Reports, fleet metrics and reminders: everything that is worked out of the hub beside decisions, once a minute.
//!
//! The task asks the planner for a copy of what it knows and works on that in a thread of its own, so that no turn waits
//! for it. It writes a status only where it says something new; a restart with nothing changed writes nothing. What a
//! report says is what `jiuzhou report --for` prints of the exported state: both ask intake and measure the same question
//! and build the same document.

mod copy;
mod document;
mod facts;
mod reminders;
mod status;
#[cfg(test)]
mod tests;
mod update_status;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_intake::figures::{self, Expiring};
use jiuzhou_intake::objects::Objects;
use kube::{Client, ResourceExt as _};
use tokio::sync::{oneshot, watch};

pub(crate) use copy::{Copy, Wished, Wishes, channel};
pub(crate) use facts::connection;
pub(crate) use reminders::{mark, named};

use crate::error::{Category, Error};
use crate::leader::Gate;
use crate::metrics::{Metrics, Rows};
use crate::planner::{Clock, chain};
use crate::stop::Stop;
use crate::tenants::usage::Told;
use facts::Meter;
use reminders::Note;
use update_status::Write;

/// Between two looks: figures move slowly, and a report is written at most once in this time.
const PACE: Duration = Duration::from_secs(60);
/// Before the first look, and between two while the hub is not known whole.
const AGAIN: Duration = Duration::from_secs(5);

/// The task.
pub(crate) struct Reporter {
    client: Client,
    clock: Clock,
    gate: Gate,
    metrics: Arc<Metrics>,
    wishes: Wishes,
    meter: Meter,
    note: Note,
    /// Who tells tenants listens here.
    tenants: watch::Sender<Option<Arc<Told>>>,
}

/// What was worked out of a copy.
struct Outcome {
    meter: Meter,
    rows: Rows,
    workloads: Vec<(&'static str, String, u32)>,
    members: Vec<(&'static str, &'static str, u32)>,
    writes: Vec<Write>,
    things: Vec<(Expiring, String)>,
    tenants: Told,
}

impl Reporter {
    pub(crate) fn new(client: Client, clock: Clock, gate: Gate, metrics: Arc<Metrics>, wishes: Wishes) -> Self {
        let note = Note::new(&client);
        let tenants = watch::Sender::new(None);
        Self { client, clock, gate, metrics, wishes, meter: Meter::default(), note, tenants }
    }

    /// What is known of tenants from now on; nothing before the first look.
    pub(crate) fn tenants(&self) -> watch::Receiver<Option<Arc<Told>>> {
        self.tenants.subscribe()
    }

    /// Looks once a minute until told to stop.
    pub(crate) async fn run(mut self, stop: Stop) {
        let mut pause = AGAIN;
        loop {
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(pause) => {}
            }
            let began = tokio::time::Instant::now();
            let looked = self.look().await;
            let ended = looked.as_ref().map(drop).map_err(Error::category);
            self.metrics.reconciled("reports", began.elapsed(), ended);
            pause = match looked {
                Ok(true) => PACE,
                Ok(false) => AGAIN,
                Err(error) => {
                    let category = error.category().as_str();
                    tracing::warn!(error = %chain(&error), category, "failed to report; trying again");
                    PACE
                }
            };
        }
    }

    /// One look; `false` while the hub is not known whole.
    pub(crate) async fn look(&mut self) -> Result<bool, Error> {
        let (wish, copy) = oneshot::channel();
        if self.wishes.send(wish).await.is_err() {
            return Ok(false);
        }
        let Ok(copy) = copy.await else { return Ok(false) };
        let (now, meter) = ((self.clock)(), std::mem::take(&mut self.meter));
        let worked = tokio::task::spawn_blocking(move || work(&copy, meter, now)).await;
        let outcome = worked.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()));
        let Outcome { meter, rows, workloads, members, writes, things, tenants } = outcome;
        self.tenants.send_if_modified(|told| {
            let news = told.as_deref() != Some(&tenants);
            if news {
                *told = Some(Arc::new(tenants));
            }
            news
        });
        self.meter = meter;
        self.metrics.set_fleet(rows);
        self.metrics.set_workloads(workloads.iter().map(|(state, reason, count)| (*state, reason.as_str(), *count)));
        self.metrics.set_members(members);
        let mut failed = None;
        for write in &writes {
            self.gate.check()?;
            if let Err(error) = update_status::update_status(&self.client, write).await {
                tracing::warn!(report = write.name, error = %chain(&error), "failed to write a report");
                failed = Some(error);
            }
        }
        self.remind(&things, now).await?;
        failed.map_or(Ok(true), Err)
    }

    /// Tells what is due, then notes it.
    async fn remind(&mut self, things: &[(Expiring, String)], now: Timestamp) -> Result<(), Error> {
        let told = self.note.read().await?;
        let all: Vec<Expiring> = things.iter().map(|(thing, _)| thing.clone()).collect();
        let (due, mut kept) = reminders::due(&all, &told, now);
        let mut failed = None;
        for reminder in due {
            self.gate.check()?;
            let uid = things.iter().find(|(thing, _)| *thing == reminder.thing).map_or("", |(_, uid)| uid);
            match reminders::tell(&self.client, &reminder, uid, now).await {
                Ok(()) => drop(kept.insert(reminder.key.clone(), reminder.told())),
                Err(error) => failed = Some(error),
            }
        }
        if kept != told {
            self.gate.check()?;
            self.note.write(kept).await?;
        }
        match failed {
            // A right that is missing is shown and does not end the look: the figures are worth having without.
            Some(error) if error.category() == Category::Lease => Err(error),
            Some(error) => {
                tracing::warn!(error = %chain(&error), "failed to remind");
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// Everything there is to work out. Runs in a thread that may block.
fn work(copy: &Copy, mut meter: Meter, now: Timestamp) -> Outcome {
    let scene = copy.scene();
    let rows = facts::facts(&scene, &mut meter, now);
    let objects = copy.objects();
    let workloads = facts::workloads(&scene).into_iter().map(|((state, reason), count)| (state, reason, count));
    let members = facts::members(&scene).into_iter().map(|((connection, state), count)| (connection, state, count));
    let things = figures::expiring(objects, now);
    Outcome {
        rows,
        workloads: workloads.collect(),
        members: members.collect(),
        writes: writes(&scene, now),
        things: things
            .into_iter()
            .map(|thing| (uid(objects, &thing), thing))
            .map(|(uid, thing)| (thing, uid))
            .collect(),
        meter,
        tenants: copy.told_of_tenants(),
    }
}

/// The reports whose status is not what it should be.
fn writes(scene: &figures::Scene<'_>, now: Timestamp) -> Vec<Write> {
    let objects = scene.objects;
    let mut writes = Vec::new();
    let mut take =
        |namespace: Option<&str>, name: &str, metadata: &kube::api::ObjectMeta, request, before: Option<&_>| {
            if metadata.deletion_timestamp.is_some() {
                return;
            }
            let generation = metadata.generation.unwrap_or(0);
            let known = status::Known { namespace, generation, request, status: before };
            let status = status::status(scene, known, now);
            if Some(&status) != before {
                writes.push(Write {
                    namespace: namespace.map(str::to_owned),
                    name: name.to_owned(),
                    uid: metadata.uid.clone().unwrap_or_default(),
                    version: metadata.resource_version.clone().unwrap_or_default(),
                    status,
                });
            }
        };
    for ((_, name), item) in &objects.cluster_reports {
        take(None, name, &item.object.metadata, &item.object.spec.report, item.object.status.as_ref());
    }
    for ((namespace, name), item) in &objects.reports {
        take(Some(namespace), name, &item.object.metadata, &item.object.spec.report, item.object.status.as_ref());
    }
    writes
}

/// Uid of who has a thing that runs out.
fn uid(objects: &Objects, thing: &Expiring) -> String {
    let key = (thing.subject.namespace.clone(), thing.subject.name.clone());
    let uid = match thing.subject.kind.as_str() {
        "MemberCluster" => objects.clusters.get(&key).and_then(|item| item.object.uid()),
        _ => objects.systems.get(&key).and_then(|item| item.object.uid()),
    };
    uid.unwrap_or_default()
}
