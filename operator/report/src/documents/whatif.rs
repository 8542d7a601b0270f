//! `jiuzhou whatif`: what would follow from changes that are supposed, against the present.
//!
//! Figures of energy, carbon and cost are estimates by the same rates on both sides; replicas that lack a rate are
//! counted beside them, so that a sum never passes for the whole.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_engine::decide::{QuotaUse, Status as Outcome, Target, WorkloadKey};
use jiuzhou_engine::terms::{Finding, ObjectRef, Place};
use jiuzhou_study::compare::{Both, Comparison, State, Total};

use super::decision::{amount, rule};
use crate::document::{Cell, Chart, ChartForm, Column, Counted, Document, DocumentKind, Meta, Section, Status};
use crate::words::{Unit, Word};

/// One change that is supposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supposed {
    /// The verb.
    pub verb: String,
    /// What it is about.
    pub object: String,
    /// Where it stands; `None` on the command line.
    pub place: Option<Place>,
}

/// Everything the report is made from.
#[derive(Clone, Debug)]
pub struct WhatifInput<'a> {
    /// Name of the scenario; empty when it was given by flags.
    pub name: String,
    /// The instant of what is supposed, where it is another than that of the present.
    pub on: Option<Timestamp>,
    /// The changes.
    pub changes: Vec<Supposed>,
    /// Hours that estimates are for.
    pub hours: i64,
    /// What differs.
    pub comparison: &'a Comparison,
    /// Where objects stand.
    pub places: &'a BTreeMap<ObjectRef, Place>,
}

/// The document.
#[must_use]
pub fn whatif(meta: Meta, input: &WhatifInput<'_>, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Whatif, meta);
    document.subject.clone_from(&input.name);
    let compared = input.comparison;
    document.figure(Word::WorkloadsMoved, compared.moved());
    document.figure(Word::ReplicasStarted, compared.started());
    document.figure(Word::LosePlace, compared.unplaced());
    document.figure(Word::NewlyViolating, compared.violating());
    document.figure(Word::TenantsTouched, compared.tenants.values().filter(|(_, changed)| *changed > 0).count());
    document.figure(Word::Unchanged, compared.unchanged);
    let (before, after) = (&compared.whole.before, &compared.whole.after);
    document.figure(
        Word::CostMonth,
        between(before.cost.0, after.cost.0, Unit::Fen, before.no_cost, after.no_cost, (before, after)),
    );
    document.figure(
        Word::EnergyMonth,
        between(
            before.energy.0,
            after.energy.0,
            Unit::MilliwattHours,
            before.no_energy,
            after.no_energy,
            (before, after),
        ),
    );
    document.figure(
        Word::CarbonMonth,
        between(
            before.carbon.0,
            after.carbon.0,
            Unit::MilligramsCo2,
            before.no_carbon,
            after.no_carbon,
            (before, after),
        ),
    );
    document.figure(Word::NotEstimated, after.no_cost.max(after.no_energy).max(after.no_carbon));
    if let Some(on) = input.on {
        document.figure(Word::SupposedOn, on);
    }
    document.sections.push(supposed(&input.changes));
    document.sections.push(workloads(compared));
    document.sections.push(lose_place(compared, input.places));
    document.sections.push(violations(compared, input.places));
    document.sections.push(moves(compared));
    document.sections.push(tenants(compared));
    document.sections.push(clusters(compared));
    document.sections.push(quota(compared));
    document.take_findings(findings);
    document.notes.push(Word::NoteEstimate);
    document.notes.push(Word::NoteRemoval);
    document
}

/// From and to; unknown where nothing at all is known on either side.
fn between(before: i64, after: i64, unit: Unit, unknown: i64, unknown_after: i64, of: (&Total, &Total)) -> Cell {
    let nothing = unknown >= of.0.replicas && unknown_after >= of.1.replicas && of.0.replicas + of.1.replicas > 0;
    if nothing { Cell::Unknown } else { Cell::Change(before, after, unit) }
}

fn supposed(changes: &[Supposed]) -> Section {
    let columns = vec![
        Column::text("change", Word::ChangeVerb),
        Column::text("object", Word::Object),
        Column::text("place", Word::Place),
    ];
    let mut section = Section::new(Word::SectionSupposed, columns);
    for one in changes {
        let place = one.place.as_ref().map(|place| format!("{}:{}", place.file, place.line));
        let place = place.map_or(Cell::NotApplicable, Cell::Text);
        section.row_at(vec![one.verb.as_str().into(), one.object.as_str().into(), place], one.place.clone());
    }
    section
}

fn status(state: Option<&State>) -> Cell {
    let Some(state) = state else { return Cell::NotApplicable };
    if !state.violations.is_empty() {
        return Status::Violating.into();
    }
    Cell::Status(match state.status {
        Outcome::Placed => Status::Ok,
        Outcome::Pending => Status::Pending,
        Outcome::Refused => Status::Refused,
        Outcome::NotProven => Status::Unknown,
    })
}

fn targets(state: Option<&State>) -> Cell {
    let Some(state) = state else { return Cell::NotApplicable };
    let one = |target: &Target| Counted { name: target.cluster.clone(), count: target.replicas };
    Cell::Counted(state.targets.iter().map(one).collect())
}

fn workloads(compared: &Comparison) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::text("workload", Word::Workload),
        Column::text("status", Word::SupposedStatus),
        Column::text("before", Word::Present),
        Column::text("after", Word::AsSupposed),
        Column::figure("wanted", Word::Wanted),
        Column::text("statusBefore", Word::PresentStatus).wide(),
    ];
    let mut section = Section::new(Word::SectionWorkloadsChanged, columns).grouped_by(0);
    for one in &compared.workloads {
        let wanted = one.after.as_ref().or(one.before.as_ref()).map_or(Cell::Unknown, |state| state.wanted.into());
        // The status that is supposed stands first: formats that look for one take it.
        section.row(vec![
            one.tenant.as_str().into(),
            one.key.to_string().into(),
            status(one.after.as_ref()),
            targets(one.before.as_ref()),
            targets(one.after.as_ref()),
            wanted,
            status(one.before.as_ref()),
        ]);
    }
    section
}

fn place(places: &BTreeMap<ObjectRef, Place>, key: &WorkloadKey) -> Option<Place> {
    places.get(&ObjectRef::new("FleetWorkload", &key.namespace, &key.name)).cloned()
}

fn lose_place(compared: &Comparison, places: &BTreeMap<ObjectRef, Place>) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::text("workload", Word::Workload),
        Column::text("status", Word::Status),
        Column::text("reason", Word::Reason),
        Column::text("fix", Word::Fix),
    ];
    let mut section = Section::new(Word::SectionLosePlace, columns).grouped_by(0).of_problems();
    for one in compared.workloads.iter().filter(|one| one.loses_place) {
        let why = one.why.as_ref();
        let cells = vec![
            one.tenant.as_str().into(),
            one.key.to_string().into(),
            status(one.after.as_ref()),
            why.map_or(Cell::NotApplicable, |reason| Cell::Reason(reason.clone())),
            why.map_or(Cell::NotApplicable, |reason| Cell::Fix(reason.clone())),
        ];
        section.row_at(cells, place(places, &one.key));
    }
    section
}

fn violations(compared: &Comparison, places: &BTreeMap<ObjectRef, Place>) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::text("workload", Word::Workload),
        Column::text("cluster", Word::Cluster),
        Column::text("rule", Word::Rule),
        Column::text("reason", Word::Reason),
        Column::text("fix", Word::Fix),
    ];
    let mut section = Section::new(Word::SectionNewViolations, columns).grouped_by(0).of_problems();
    for one in &compared.workloads {
        for violation in &one.new_violations {
            let why = violation.reasons.first();
            let cells = vec![
                one.tenant.as_str().into(),
                one.key.to_string().into(),
                violation.cluster.as_str().into(),
                rule(violation.rule).into(),
                why.map_or(Cell::NotApplicable, |reason| Cell::Reason(reason.clone())),
                why.map_or(Cell::NotApplicable, |reason| Cell::Fix(reason.clone())),
            ];
            section.row_at(cells, place(places, &one.key));
        }
    }
    section
}

fn moves(compared: &Comparison) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::text("workload", Word::Workload),
        Column::text("cluster", Word::Cluster),
        Column::figure("from", Word::From),
        Column::figure("to", Word::To),
        Column::text("reason", Word::Reason),
    ];
    let mut section = Section::new(Word::SectionMoves, columns).grouped_by(0);
    for one in &compared.workloads {
        for step in &one.moves {
            section.row(vec![
                one.tenant.as_str().into(),
                one.key.to_string().into(),
                step.cluster.as_str().into(),
                step.from.into(),
                step.to.into(),
                step.reason.clone().map_or(Cell::NotApplicable, Cell::Reason),
            ]);
        }
    }
    section
}

fn estimates() -> [Column; 3] {
    [
        Column::figure("cost", Word::CostMonth),
        Column::figure("energy", Word::EnergyMonth),
        Column::figure("carbon", Word::CarbonMonth),
    ]
}

fn estimated(Both { before, after }: &Both) -> [Cell; 3] {
    let of = (before, after);
    [
        between(before.cost.0, after.cost.0, Unit::Fen, before.no_cost, after.no_cost, of),
        between(before.energy.0, after.energy.0, Unit::MilliwattHours, before.no_energy, after.no_energy, of),
        between(before.carbon.0, after.carbon.0, Unit::MilligramsCo2, before.no_carbon, after.no_carbon, of),
    ]
}

fn tenants(compared: &Comparison) -> Section {
    let mut columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::figure("workloads", Word::WorkloadsChanged),
        Column::figure("before", Word::ReplicasPresent),
        Column::figure("after", Word::ReplicasSupposed),
    ];
    columns.extend(estimates());
    let mut section = Section::new(Word::SectionTenantsTouched, columns);
    for (tenant, (both, changed)) in compared.tenants.iter().filter(|(_, (_, changed))| *changed > 0) {
        let mut row: Vec<Cell> =
            vec![tenant.as_str().into(), (*changed).into(), both.before.replicas.into(), both.after.replicas.into()];
        row.extend(estimated(both));
        section.row(row);
    }
    section
}

fn clusters(compared: &Comparison) -> Section {
    let mut columns = vec![
        Column::text("cluster", Word::Cluster),
        Column::figure("before", Word::ReplicasPresent),
        Column::figure("after", Word::ReplicasSupposed),
    ];
    columns.extend(estimates());
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 2 };
    let mut section = Section::new(Word::SectionClusters, columns).drawn(chart);
    for (cluster, both) in &compared.clusters {
        let mut row: Vec<Cell> = vec![cluster.as_str().into(), both.before.replicas.into(), both.after.replicas.into()];
        row.extend(estimated(both));
        section.row(row);
    }
    section
}

fn quota(compared: &Comparison) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::text("resource", Word::Resource),
        Column::figure("before", Word::Present),
        Column::figure("after", Word::AsSupposed),
        Column::figure("limit", Word::Limit),
    ];
    let mut section = Section::new(Word::SectionQuota, columns).grouped_by(0);
    for (before, after) in &compared.quota {
        let Some(one) = after.as_ref().or(before.as_ref()) else { continue };
        let used =
            |side: &Option<QuotaUse>| side.as_ref().map_or(Cell::NotApplicable, |one| amount(&one.resource, one.after));
        section.row(vec![
            one.tenant.as_str().into(),
            one.resource.as_str().into(),
            used(before),
            used(after),
            one.limit.map_or(Cell::NotApplicable, |limit| amount(&one.resource, limit)),
        ]);
    }
    section
}
