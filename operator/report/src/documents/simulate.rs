//! `jiuzhou simulate`: availability, moves, cost, energy, CO2 and adoption over days to come, and what was assumed.
//!
//! Every day, tenant and cluster stands in a table; a picture is a column of one of them. Replica-minutes are exact; what
//! is estimated is said to be, and what could not be estimated is counted beside it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use jiuzhou_engine::decide::Status as Outcome;
use jiuzhou_engine::terms::{Finding, ObjectRef, PerMille, Place};
use jiuzhou_measure::Ratio;
use jiuzhou_measure::expiry::Expiring;
use jiuzhou_study::simulate::{DateTold, Day, Failover, FailureTimes, Group, Service, Simulation, Spending};

use super::sovereignty::proof;
use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::{Unit, Word};

/// Everything the report is made from.
#[derive(Clone, Debug)]
pub struct SimulateInput<'a> {
    /// Name of the simulation; empty where none was named.
    pub name: String,
    /// The first day.
    pub first: Date,
    /// What was simulated.
    pub simulation: &'a Simulation,
    /// What came out.
    pub outcome: &'a jiuzhou_study::simulate::Outcome,
    /// Adoption at the beginning of each day.
    pub adoption: &'a [Ratio],
    /// Proofs that run out in these days.
    pub expiring: &'a [Expiring],
    /// Days with changes of the files.
    pub changes: usize,
    /// Use of nodes that is assumed.
    pub utilisation: PerMille,
    /// Where objects stand.
    pub places: &'a BTreeMap<ObjectRef, Place>,
}

/// The document.
#[must_use]
pub fn simulate(meta: Meta, input: &SimulateInput<'_>, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Simulate, meta);
    document.subject.clone_from(&input.name);
    let told = input.outcome;
    document.figure(Word::SimulatedFrom, input.first);
    document.figure(Word::SimulatedDays, Cell::Quantity(i64::from(input.simulation.days), Unit::Days));
    document.figure(Word::Seed, i64::try_from(input.simulation.seed).unwrap_or(i64::MAX));
    document.figure(Word::Availability, available(told.service));
    document.figure(Word::AvailableWherePlaced, where_placed(told.service));
    document.figure(Word::MinutesMissing, told.service.missing());
    document.figure(Word::ReplicasThatMoved, told.activity.moved);
    document.figure(Word::ClusterFailures, told.activity.failures);
    let last = told.days.last().map(|day| day.standing).unwrap_or_default();
    document.figure(Word::WaitingAtEnd, last.waiting);
    document.figure(Word::RefusedAtEnd, last.refused);
    document.figure(Word::ViolatingAtEnd, last.violating);
    let [cost, energy, carbon] = spent(&told.spending);
    document.figure(Word::CostSum, cost);
    document.figure(Word::EnergySum, energy);
    document.figure(Word::CarbonSum, carbon);
    document.figure(Word::MinutesNotEstimated, not_estimated(&told.spending));
    let adoption = input.adoption.iter().next_back().map(|one| Cell::Ratio(one.numerator, one.denominator));
    document.figure(Word::AdoptionMeasured, adoption.unwrap_or(Cell::Unknown));
    document.sections.push(service_by_day(input));
    document.sections.push(activity_by_day(input));
    document.sections.push(spending_by_day(input));
    document.sections.push(adoption_by_day(input));
    document.sections.push(groups(Word::SectionByTenant, Word::Tenant, "tenant", &told.tenants, true));
    document.sections.push(groups(Word::SectionByTier, Word::Tier, "tier", &told.tiers, false));
    document.sections.push(clusters(input));
    document.sections.push(worst(input));
    document.sections.push(runs_out(input));
    document.sections.push(dates(&told.dates));
    document.sections.push(assumed(input));
    document.take_findings(findings);
    document.notes.push(Word::NoteSimulate);
    document.notes.push(Word::NoteAvailability);
    document.notes.push(Word::NoteSimulatedEstimate);
    document.notes.push(Word::NoteUnknown);
    document
}

fn available(service: Service) -> Cell {
    Cell::Ratio(service.ready, service.wanted)
}

/// Without what had no place at all.
fn where_placed(service: Service) -> Cell {
    Cell::Ratio(service.ready, service.placed)
}

/// Finer than a share in percent: 999,950 of a million is not 1,000,000.
fn per_million(service: Service) -> Cell {
    let scaled = (i128::from(service.ready) * 1_000_000).checked_div(i128::from(service.wanted));
    scaled.and_then(|scaled| i64::try_from(scaled).ok()).map_or(Cell::NotApplicable, Cell::Int)
}

/// Cost, energy and CO2; unknown where nothing of it is known.
fn spent(spending: &Spending) -> [Cell; 3] {
    let known = |unknown: i64, cell: Cell| {
        if unknown >= spending.replicas && spending.replicas > 0 { Cell::Unknown } else { cell }
    };
    [
        known(spending.no_cost, spending.cost.into()),
        known(spending.no_energy, spending.energy.into()),
        known(spending.no_carbon, spending.carbon.into()),
    ]
}

fn not_estimated(spending: &Spending) -> i64 {
    spending.no_cost.max(spending.no_energy).max(spending.no_carbon)
}

fn estimates() -> [Column; 3] {
    [
        Column::figure("cost", Word::CostSum),
        Column::figure("energy", Word::EnergySum),
        Column::figure("carbon", Word::CarbonSum),
    ]
}

fn date(input: &SimulateInput<'_>, day: u32) -> Cell {
    input.first.checked_add(i64::from(day).days()).map_or(Cell::Unknown, Cell::Date)
}

fn over_days(title: Word, columns: Vec<Column>, value: usize) -> Section {
    Section::new(title, columns).drawn(Chart { form: ChartForm::Line, label: 0, part: None, value })
}

fn service_by_day(input: &SimulateInput<'_>) -> Section {
    let columns = vec![
        Column::text("day", Word::Day),
        Column::figure("available", Word::Availability),
        Column::figure("wherePlaced", Word::AvailableWherePlaced),
        Column::figure("readyPerMillion", Word::ReadyPerMillion).wide(),
        Column::figure("missing", Word::MinutesMissing),
        Column::figure("failures", Word::ClusterFailures),
        Column::figure("failovers", Word::Failovers),
    ];
    let mut section = over_days(Word::SectionServiceByDay, columns, 4);
    for Day { number, service, activity, .. } in &input.outcome.days {
        section.row(vec![
            date(input, *number),
            available(*service),
            where_placed(*service),
            per_million(*service),
            service.missing().into(),
            activity.failures.into(),
            activity.failovers.into(),
        ]);
    }
    section
}

fn activity_by_day(input: &SimulateInput<'_>) -> Section {
    let columns = vec![
        Column::text("day", Word::Day),
        Column::figure("workloads", Word::WorkloadsSeen),
        Column::figure("waiting", Word::WaitingAtEnd),
        Column::figure("refused", Word::RefusedAtEnd),
        Column::figure("violating", Word::ViolatingAtEnd),
        Column::figure("arrived", Word::Arrived),
        Column::figure("departed", Word::Departed),
        Column::figure("started", Word::ReplicasStarted),
        Column::figure("moved", Word::ReplicasThatMoved),
    ];
    let mut section = over_days(Word::SectionActivityByDay, columns, 8);
    for Day { number, activity, standing, .. } in &input.outcome.days {
        section.row(vec![
            date(input, *number),
            standing.workloads.into(),
            standing.waiting.into(),
            standing.refused.into(),
            standing.violating.into(),
            activity.arrived.into(),
            activity.departed.into(),
            activity.started.into(),
            activity.moved.into(),
        ]);
    }
    section
}

fn spending_by_day(input: &SimulateInput<'_>) -> Section {
    let mut columns = vec![Column::text("day", Word::Day)];
    columns.extend(estimates());
    columns.push(Column::figure("notEstimated", Word::MinutesNotEstimated));
    let mut section = over_days(Word::SectionSpendingByDay, columns, 2);
    for Day { number, spending, .. } in &input.outcome.days {
        let mut row = vec![date(input, *number)];
        row.extend(spent(spending));
        row.push(not_estimated(spending).into());
        section.row(row);
    }
    section
}

fn adoption_by_day(input: &SimulateInput<'_>) -> Section {
    let columns = vec![Column::text("day", Word::Day), Column::figure("adoptionMeasured", Word::AdoptionMeasured)];
    let mut section = over_days(Word::SectionAdoptionByDay, columns, 1);
    for (day, ratio) in (0_u32..).zip(input.adoption) {
        section.row(vec![date(input, day), Cell::Ratio(ratio.numerator, ratio.denominator)]);
    }
    section
}

fn groups(
    title: Word,
    label: Word,
    key: &'static str,
    groups: &BTreeMap<String, Group>,
    with_spending: bool,
) -> Section {
    let mut columns = vec![
        Column::text(key, label),
        Column::figure("workloads", Word::WorkloadsSeen),
        Column::figure("available", Word::Availability),
        Column::figure("wherePlaced", Word::AvailableWherePlaced),
        Column::figure("readyPerMillion", Word::ReadyPerMillion).wide(),
        Column::figure("missing", Word::MinutesMissing),
        Column::figure("moved", Word::ReplicasThatMoved),
        Column::figure("waitingMinutes", Word::WaitingMinutes),
        Column::figure("refusedMinutes", Word::RefusedMinutes),
        Column::figure("violatingMinutes", Word::ViolatingMinutes),
    ];
    if with_spending {
        columns.extend(estimates());
        columns.push(Column::figure("notEstimated", Word::MinutesNotEstimated).wide());
    }
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 5 };
    let mut section = Section::new(title, columns).drawn(chart);
    for (name, group) in groups {
        let name = if name.is_empty() { Cell::Word(Word::None) } else { name.as_str().into() };
        let mut row: Vec<Cell> = vec![
            name,
            group.workloads.into(),
            available(group.service),
            where_placed(group.service),
            per_million(group.service),
            group.service.missing().into(),
            group.moved.into(),
            group.waiting.into(),
            group.refused.into(),
            group.violating.into(),
        ];
        if with_spending {
            row.extend(spent(&group.spending));
            row.push(not_estimated(&group.spending).into());
        }
        section.row(row);
    }
    section
}

fn clusters(input: &SimulateInput<'_>) -> Section {
    let mut columns = vec![
        Column::text("cluster", Word::Cluster),
        Column::figure("failures", Word::ClusterFailures),
        Column::figure("minutes", Word::HoursUnreached),
    ];
    columns.extend(estimates());
    columns.push(Column::figure("notEstimated", Word::MinutesNotEstimated).wide());
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 2 };
    let mut section = Section::new(Word::SectionByCluster, columns).drawn(chart);
    for (cluster, told) in &input.outcome.clusters {
        let mut row: Vec<Cell> = vec![cluster.as_str().into(), told.failures.into(), told.minutes.into()];
        row.extend(spent(&told.spending));
        row.push(not_estimated(&told.spending).into());
        section.row(row);
    }
    section
}

fn worst(input: &SimulateInput<'_>) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::text("workload", Word::Workload),
        Column::text("tier", Word::Tier),
        Column::text("status", Word::LatestStatus),
        Column::figure("available", Word::Availability),
        Column::figure("missing", Word::MinutesMissing),
        Column::figure("moved", Word::ReplicasThatMoved),
        Column::figure("waitingMinutes", Word::WaitingMinutes),
    ];
    let mut section = Section::new(Word::SectionWorst, columns);
    for one in &input.outcome.worst {
        let status = match one.last {
            Outcome::Placed => Status::Ok,
            Outcome::Pending => Status::Pending,
            Outcome::Refused => Status::Refused,
            Outcome::NotProven => Status::Unknown,
        };
        let tier = if one.tier.is_empty() { Cell::NotApplicable } else { one.tier.as_str().into() };
        let cells = vec![
            one.tenant.as_str().into(),
            one.key.to_string().into(),
            tier,
            status.into(),
            available(one.service),
            one.service.missing().into(),
            one.moved.into(),
            one.waiting.into(),
        ];
        let object = ObjectRef::new("FleetWorkload", &one.key.namespace, &one.key.name);
        section.row_at(cells, input.places.get(&object).cloned());
    }
    section
}

/// What runs out, in order of time, with what the engine found at that instant.
fn runs_out(input: &SimulateInput<'_>) -> Section {
    let columns = vec![
        Column::text("lastDay", Word::LastDay),
        Column::text("object", Word::Object),
        Column::text("proof", Word::Proof),
        Column::text("name", Word::ProofName),
        Column::figure("violating", Word::ViolatingFrom),
        Column::figure("moved", Word::ReplicasThatMoved),
    ];
    let dates: BTreeMap<Timestamp, &DateTold> = input.outcome.dates.iter().map(|date| (date.at, date)).collect();
    let mut section = Section::new(Word::SectionRunsOut, columns);
    let mut expiring: Vec<&Expiring> = input.expiring.iter().collect();
    expiring.sort_by(|a, b| (a.ends, *a).cmp(&(b.ends, *b)));
    for one in expiring {
        let date = dates.get(&one.ends);
        let cells = vec![
            one.last_day().into(),
            one.subject.to_string().into(),
            proof(one.proof).into(),
            one.name.as_str().into(),
            date.map_or(0, |date| date.violating).into(),
            date.map_or(0, |date| date.moved).into(),
        ];
        section.row_at(cells, input.places.get(&one.subject).cloned());
    }
    section
}

fn dates(dates: &[DateTold]) -> Section {
    let columns = vec![
        Column::text("at", Word::AsOf),
        Column::figure("violating", Word::ViolatingFrom),
        Column::figure("moved", Word::ReplicasThatMoved),
    ];
    let mut section = Section::new(Word::SectionDates, columns);
    for one in dates {
        section.row(vec![one.at.into(), one.violating.into(), one.moved.into()]);
    }
    section
}

fn assumed(input: &SimulateInput<'_>) -> Section {
    let columns = vec![
        Column::text("name", Word::Name),
        Column::text("assumption", Word::Assumption),
        Column::figure("value", Word::Value),
    ];
    let mut section = Section::new(Word::SectionAssumed, columns);
    let mut say = |name: &str, what: Word, value: Cell| {
        let name = if name.is_empty() { Cell::NotApplicable } else { name.into() };
        section.row(vec![name, what.into(), value]);
    };
    let of = input.simulation;
    say("", Word::AssumedStart, of.conduct.start_minutes.into());
    match of.conduct.failover {
        Failover::AfterMinutes(minutes) => say("", Word::AssumedFailover, minutes.into()),
        Failover::Never => say("", Word::AssumedFailoverNever, Cell::NotApplicable),
    }
    say("", Word::AssumedUse, input.utilisation.into());
    for rule in &of.failures {
        match &rule.when {
            FailureTimes::Random { between, repair } => {
                say(&rule.name, Word::AssumedFailureEvery, (between / 60).into());
                say(&rule.name, Word::AssumedFailureLasts, (*repair).into());
            }
            FailureTimes::Windows(windows) => say(&rule.name, Word::AssumedWindows, windows.len().into()),
        }
    }
    for stream in &of.arrivals {
        say(&stream.name, Word::AssumedArrivals, stream.every.into());
    }
    for curve in &of.curves {
        let most = curve.workday.iter().chain(&curve.rest_day).max().copied().unwrap_or(0);
        say(&curve.name, Word::AssumedCurve, Cell::Quantity(i64::from(most), Unit::Percent));
    }
    if input.changes > 0 {
        say("", Word::AssumedChanges, input.changes.into());
    }
    section
}
