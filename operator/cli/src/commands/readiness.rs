//! `report readiness`: the fleet as it runs, asked family by family where its systems could run. Decides nothing itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::terms::{Code, ObjectRef, Reason};
use jiuzhou_intake::{Fleet, figures};
use jiuzhou_measure::adoption::Hosting;
use jiuzhou_report::document::{Document, Meta};
use jiuzhou_report::documents::readiness::{ReadinessInput, SystemRow, readiness};
use jiuzhou_study::readiness::{self as study, Answer, Asked};

use super::plan;
use super::report::Names;
use super::saved::threads;

/// The report of every system in service as of an instant.
pub(super) fn document(fleet: &Fleet, as_of: Timestamp) -> anyhow::Result<Document> {
    let meta = Meta::new(Some(as_of), Some(fleet.snapshot.digest()?));
    let today = plan::decide_all(fleet, as_of)?;
    let mut present = today.input.fleet;
    present.specs = plan::running(present.specs, &today.plan.decisions);
    let families = figures::domestic_families(&fleet.objects);
    let asked = Asked { fleet: &present, families: &families, as_of, threads: threads() };
    let found = study::readiness(&asked)?;
    let described: std::collections::BTreeSet<&str> = present.specs.iter().map(|spec| spec.system.as_str()).collect();
    let mut answers: BTreeMap<&str, Vec<Answer>> = BTreeMap::new();
    for answer in &found.answers {
        answers.entry(&answer.system).or_default().push(answer.clone());
    }
    let (mut systems, mut left_out) = (Vec::new(), Vec::new());
    for entry in figures::register(&figures::Scene::from(fleet), as_of).entries {
        let key = format!("{}/{}", entry.reference.namespace, entry.reference.name);
        let because = |code| Reason::new(code).object(title(&entry.title, &entry.reference));
        if entry.hosting == Hosting::Retired {
            left_out.push((entry.reference.clone(), because(Code::EntryRetired)));
        } else if described.contains(key.as_str()) {
            let answers = answers.remove(key.as_str()).unwrap_or_default();
            systems.push(SystemRow { system: entry.reference, tenant: entry.tenant, answers });
        } else {
            left_out.push((entry.reference.clone(), because(Code::SystemUndescribed)));
        }
    }
    systems.sort_by(|a, b| (&a.tenant, &a.system).cmp(&(&b.tenant, &b.system)));
    let names = Names(fleet);
    let input = ReadinessInput { found: &found, systems: &systems, left_out: &left_out, lookup: &names };
    let mut document = readiness(meta, &input, Vec::new());
    document.meta.content_digest = Some(jiuzhou_report::render::digest(&document)?);
    Ok(document)
}

fn title<'a>(title: &'a str, object: &'a ObjectRef) -> &'a str {
    if title.is_empty() { &object.name } else { title }
}
