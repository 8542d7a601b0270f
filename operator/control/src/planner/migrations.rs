//! Migrations: how far their waves have come, worked out by the engine's step and written down.
//!
//! What is written in the status of a Migration narrows where its workloads may be placed; the next turn decides them by
//! all the rules, commits, records and orders as it does any other change. Nothing is moved here, and nothing is acted on
//! that was not written before.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_api::text::{Text, Token};
use jiuzhou_api::v1alpha1::{Migration, MigrationStatus, WaveStatus};
use jiuzhou_engine::step::migration::{Phase, Progress, Step, Wait};
use jiuzhou_intake::migrations::{Scene, written};
use jiuzhou_intake::objects::{Item, Key};
use jiuzhou_report::sentences::{Told, migration as told};
use jiuzhou_report::words::Lang;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;
use tokio::time::Instant;

use super::turn::whole_second;
use super::{Planner, chain};
use crate::workload::conditions::{Standing, dated, of_standing};

/// Longest sentence that a wave takes.
const MESSAGE_MOST: usize = 1024;
/// How long a wave that found no place on its target is not asked for again: each time costs a plan.
const ASKED_AGAIN: Duration = Duration::from_secs(30);

/// What is kept of migrations from look to look.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// When to look again although nothing happens.
    pub(super) wake: Option<Instant>,
    /// When those that wait for their target were asked for last.
    asked: BTreeMap<Key, Instant>,
}

impl Waiting {
    /// Until when a migration that waits for its target is left alone.
    fn rests(&mut self, key: &Key, migration: &Migration) -> Option<Instant> {
        let waves = migration.status.as_ref().map(|status| status.waves.as_slice()).unwrap_or_default();
        let of_target = |wave: &WaveStatus| {
            wave.reason.as_deref().is_some_and(|reason| ["TargetUnfit", "TargetUnknown"].contains(&reason))
        };
        let same =
            migration.status.as_ref().and_then(|status| status.observed_generation) == migration.metadata.generation;
        if !same || !waves.iter().any(of_target) {
            self.asked.remove(key);
            return None;
        }
        let now = Instant::now();
        match self.asked.get(key).map(|at| *at + ASKED_AGAIN).filter(|until| *until > now) {
            Some(until) => Some(until),
            None => {
                self.asked.insert(key.clone(), now);
                None
            }
        }
    }
}

impl Planner {
    /// Works every migration out anew and writes what is another than before.
    pub(super) async fn look_at_migrations(&mut self) {
        self.migrations.wake = None;
        if self.state.objects().migrations.is_empty() || self.gate.check().is_err() {
            return;
        }
        let now = whole_second(self.now());
        let mut writes = Vec::new();
        let mut wake: Option<Instant> = None;
        let at = |at: Timestamp| Instant::now() + Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO);
        if let Some(base) = self.state.base() {
            let objects = self.state.objects();
            let scene = Scene { objects, base, snapshot: self.state.snapshot(), as_of: now };
            let live = |item: &Item<Migration>| item.object.metadata.deletion_timestamp.is_none();
            for (key, item) in objects.migrations.iter().filter(|(_, item)| live(item)) {
                if let Some(until) = self.migrations.rests(key, &item.object) {
                    wake = wake.into_iter().chain([until]).min();
                    continue;
                }
                let step = match scene.step(item) {
                    Ok(step) => step,
                    Err(error) => {
                        tracing::error!(migration = item.document.name, error = %chain(&error), "failed to step");
                        continue;
                    }
                };
                wake = wake.into_iter().chain(step.wake.map(at)).min();
                let next = status(&item.object, &step, now);
                if item.object.status.as_ref() != Some(&next) {
                    writes.push(((*item.object).clone(), next));
                }
            }
        }
        self.migrations.wake = wake;
        for (migration, status) in writes {
            self.write_migration(&migration, status).await;
        }
    }

    async fn write_migration(&mut self, migration: &Migration, status: MigrationStatus) {
        let (name, namespace) = (migration.name_any(), migration.namespace().unwrap_or_default());
        let api: Api<Migration> = Api::namespaced(self.client.clone(), &namespace);
        let body = json!({
            "apiVersion": meta::API_VERSION, "kind": "Migration",
            "metadata": { "name": name, "namespace": namespace, "uid": migration.metadata.uid },
            "status": status,
        });
        let params = PatchParams::apply(meta::FIELD_MANAGER).force();
        match api.patch_status(&name, &params, &Patch::Apply(body)).await {
            Ok(after) => {
                let (wave, step) = (status.wave.as_deref(), status.step);
                tracing::info!(migration = name, namespace, wave, ?step, "migration");
                self.take_in(&after, "Migration");
            }
            Err(error) => {
                tracing::warn!(migration = name, namespace, error = %chain(&error), "failed to write a migration");
                // Nothing is acted on that is not written: it is worked out again.
                self.migrations.wake = Some(Instant::now() + super::RETRY.1);
            }
        }
    }
}

/// The status as it should be.
fn status(migration: &Migration, step: &Step, now: Timestamp) -> MigrationStatus {
    let generation = migration.metadata.generation.unwrap_or(0);
    let before = migration.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let current = step.waves.iter().find(|(_, progress, _)| progress.phase != Phase::Completed);
    let shown = current.or(step.waves.last());
    let standing = standing(current);
    MigrationStatus {
        observed_generation: Some(generation),
        wave: shown.map(|(name, ..)| name.as_str().into()),
        step: shown.map(|(_, progress, _)| written(progress.phase)),
        waves: step.waves.iter().map(wave).collect(),
        conditions: dated(of_standing(&standing, generation), before, now),
    }
}

fn wave((name, progress, wait): &(String, Progress, Wait)) -> WaveStatus {
    let said = |lang| Text::from(told(wait, name, lang).sentence.chars().take(MESSAGE_MOST).collect::<String>());
    let Progress { attempt, phase, since, healthy_since, first_write } = progress;
    WaveStatus {
        name: name.as_str().into(),
        attempt: i32::try_from(*attempt).unwrap_or(i32::MAX),
        step: written(*phase),
        since: Time(*since),
        healthy_since: healthy_since.map(Time),
        first_write_at: first_write.map(Time),
        reason: Some(Token::from(told(wait, name, Lang::En).reason)),
        message_en: Some(said(Lang::En)),
        message_zh: Some(said(Lang::Zh)),
    }
}

/// How the whole stands: as the first wave that is not completed.
fn standing(current: Option<&(String, Progress, Wait)>) -> Standing {
    let (name, wait) = match current {
        Some((name, _, wait)) => (name.as_str(), wait),
        None => ("", &Wait::Nothing),
    };
    let Told { reason, sentence: en, goes_on } = told(wait, name, Lang::En);
    let zh = told(wait, name, Lang::Zh).sentence;
    Standing { ready: current.is_none(), reason: reason.to_owned(), en, zh, progressing: goes_on }
}
