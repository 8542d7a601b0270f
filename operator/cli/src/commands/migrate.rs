//! `migrate plan|status`: what a migration would do in which order, what keeps it, and how far it has come.
//!
//! Nothing is decided here: the engine's step says where each wave stands, its rules say what could run on the target.

use anyhow::bail;
use jiff::Timestamp;
use jiuzhou_api::v1alpha1::{FleetWorkload, Migration, MigrationWave};
use jiuzhou_engine::decide::{Snapshot, Spec};
use jiuzhou_engine::step::migration::{Fits, Sides};
use jiuzhou_intake::convert::Base;
use jiuzhou_intake::migrations::{self, Scene};
use jiuzhou_intake::objects::{Item, Key};
use jiuzhou_intake::{Fleet, schema};
use jiuzhou_report::document::{Document, Meta};
use jiuzhou_report::documents::migrate::{self as told, WaveRow, WorkloadRow};

use crate::args::{FailOn, MigrateAction, MigrateArgs};
use crate::commands::{load, plan};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, Near};
use crate::output;

/// Tells of the migrations of the input.
pub(crate) fn run(args: &MigrateArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of = load::as_of(&args.input);
    let fleet = load::fleet(&args.input, as_of, args.strict, context)?;
    let document = document(&fleet, args, as_of)?;
    output::write(&document, &args.output, context)?;
    Ok(if load::fails(&fleet.findings, FailOn::Error) { Exit::Input } else { Exit::Ok })
}

fn document(fleet: &Fleet, args: &MigrateArgs, as_of: Timestamp) -> anyhow::Result<Document> {
    let today = plan::decide_all(fleet, as_of)?;
    let mut present = today.input.fleet;
    present.specs = plan::running(present.specs, &today.plan.decisions);
    let snapshot = Snapshot::new(present)?;
    let base = Base::new(&fleet.objects, as_of, &mut Vec::new());
    let scene = Scene { objects: &fleet.objects, base: &base, snapshot: &snapshot, as_of };
    let mut waves = Vec::new();
    for item in chosen(fleet, args.name.as_deref())? {
        waves.extend(rows(&scene, item)?);
    }
    let meta = Meta::new(Some(as_of), Some(fleet.snapshot.digest()?));
    let tell = match args.action {
        MigrateAction::Plan => told::plan,
        MigrateAction::Status => told::status,
    };
    Ok(tell(meta, &waves, fleet.findings.clone()))
}

/// The migrations that are asked for: all, or the ones of a name.
fn chosen<'a>(fleet: &'a Fleet, name: Option<&str>) -> anyhow::Result<Vec<&'a Item<Migration>>> {
    let full = |key: &Key| format!("{}/{}", key.0, key.1);
    let all = &fleet.objects.migrations;
    let Some(text) = name else { return Ok(all.values().collect()) };
    let found: Vec<_> =
        all.iter().filter(|(key, _)| key.1 == text || full(key) == text).map(|(_, item)| item).collect();
    if found.is_empty() {
        let names: Vec<String> = all.keys().map(full).collect();
        let near = schema::nearest(text, names.iter().map(String::as_str)).into_iter().next();
        let near = match near {
            Some(near) => Near::One(near),
            None if names.is_empty() => Near::Empty,
            None => Near::Some(names.iter().take(8).cloned().collect(), names.len() > 8),
        };
        bail!(Failure::NoMigration { text: text.to_owned(), near });
    }
    Ok(found)
}

fn rows(scene: &Scene<'_>, item: &Item<Migration>) -> anyhow::Result<Vec<WaveRow>> {
    let course = migrations::course(&item.object.spec);
    let before = migrations::progress(item.object.status.as_ref());
    let step = scene.step(item)?;
    let mut rows = Vec::new();
    for ((wave, declared), (name, _, wait)) in item.object.spec.waves.iter().zip(course.waves).zip(step.waves) {
        let written = before.get(&name).cloned();
        let workloads = migrations::keys(item, wave).zip(&wave.workloads);
        let workloads =
            workloads.map(|(key, name)| workload(scene, item, wave, &key, name)).collect::<Result<_, _>>()?;
        rows.push(WaveRow {
            migration: format!("{}/{}", item.document.namespace, item.document.name),
            wave: declared,
            phase: written.as_ref().map(|progress| progress.phase).unwrap_or_default(),
            since: written.as_ref().map(|progress| progress.since),
            first_write: written.and_then(|progress| progress.first_write),
            wait,
            workloads,
        });
    }
    Ok(rows)
}

fn workload(
    scene: &Scene<'_>,
    item: &Item<Migration>,
    wave: &MigrationWave,
    key: &Key,
    name: &jiuzhou_api::text::Name,
) -> anyhow::Result<WorkloadRow> {
    let alone = MigrationWave { workloads: vec![name.clone()], ..wave.clone() };
    let spec = scene.snapshot.specs().find(|spec| (&spec.key.namespace, &spec.key.name) == (&key.0, &key.1));
    let placed = |side: &[jiuzhou_api::text::Name]| {
        let current = spec.map(|spec| spec.current.as_slice()).unwrap_or_default();
        let here = current.iter().filter(|one| side.iter().any(|name| **name == *one.cluster));
        here.map(|one| one.placed).sum()
    };
    let ready = |workload: &FleetWorkload| workload.status.as_ref()?.ready.map(i64::from);
    let object = scene.objects.workloads.get(key);
    Ok(WorkloadRow {
        name: name.to_string(),
        source: placed(&item.object.spec.from),
        target: placed(&item.object.spec.to),
        ready: object.and_then(|item| ready(&item.object)),
        fits: if is_there(spec, &item.object.spec.to) { Fits::Yes } else { scene.fits(item, &alone, Sides::Target)? },
    })
}

/// Whether all of it runs on the target already.
fn is_there(spec: Option<&std::sync::Arc<Spec>>, to: &[jiuzhou_api::text::Name]) -> bool {
    spec.is_some_and(|spec| {
        let there = |cluster: &str| to.iter().any(|name| **name == *cluster);
        let running = || spec.current.iter().filter(|one| one.placed > 0);
        running().next().is_some() && running().all(|one| there(&one.cluster))
    })
}
