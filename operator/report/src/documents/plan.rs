//! `jiuzhou plan`: where every workload goes, what moves, what finds no place and why, what it takes from quotas.

use std::collections::BTreeMap;

use jiuzhou_engine::decide::{Change, Decision, Plan, Rule, Spec, Status as Outcome, WorkloadKey};
use jiuzhou_engine::terms::{Finding, ObjectRef, Place, Reason};

use super::decision::{outcome, placed, quota, rule, targets};
use crate::document::{Cell, Chart, ChartForm, Column, Counted, Document, DocumentKind, Meta, Section};
use crate::words::Word;

/// Everything the report is made from.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The workloads it was made from, also those that nothing woke.
    pub specs: &'a [Spec],
    /// For workloads without a place: the cluster that comes nearest and what would have to change there. From
    /// `explain`, where the caller asked for it.
    pub nearest: &'a BTreeMap<WorkloadKey, (String, Vec<Change>)>,
    /// Whether there is a state to compare with (`--against`), so that moves mean something.
    pub against: bool,
    /// Where objects of the input stand, for formats that point at lines.
    pub places: &'a BTreeMap<ObjectRef, Place>,
}

/// The document. A workload without a place has a row in two tables: with the others, and with its reason and fix.
#[must_use]
pub fn plan(meta: Meta, input: &PlanInput<'_>, findings: Vec<Finding>) -> Document {
    let PlanInput { plan, specs, nearest, against, places } = *input;
    let mut document = Document::new(DocumentKind::Plan, meta);
    let known: BTreeMap<&WorkloadKey, &Spec> = specs.iter().map(|spec| (&spec.key, spec)).collect();
    let mut decisions: Vec<(&str, &Decision)> = plan
        .decisions
        .iter()
        .map(|decision| (known.get(&decision.key).map_or("", |spec| spec.requirement.tenant.as_str()), decision))
        .collect();
    decisions.sort_by_key(|(tenant, decision)| (*tenant, &decision.key));

    headline(&mut document, plan, specs);
    document.sections.push(workloads(&decisions, &known));
    document.sections.push(not_placed(&decisions, nearest, places));
    document.sections.push(violations(&decisions, places));
    if against {
        document.sections.push(moves(&decisions));
        document.sections.push(removed(plan));
        document.notes.push(Word::NoteRemoval);
    }
    document.sections.push(per_cluster(&decisions));
    document.sections.push(rejections(&decisions));
    document.sections.push(quota(&plan.quota));
    document.take_findings(findings);
    document.notes.push(Word::NoteUnknown);
    document
}

fn headline(document: &mut Document, plan: &Plan, specs: &[Spec]) {
    let count = |wanted: Outcome| plan.decisions.iter().filter(|decision| decision.status == wanted).count();
    let violating = plan.decisions.iter().filter(|decision| !decision.violations.is_empty()).count();
    let int = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    document.figure(Word::Placed, Cell::Ratio(int(count(Outcome::Placed)), int(plan.decisions.len())));
    document.figure(Word::StatusPending, count(Outcome::Pending));
    document.figure(Word::StatusRefused, count(Outcome::Refused));
    document.figure(Word::NotProven, count(Outcome::NotProven));
    document.figure(Word::StatusViolating, violating);
    document.figure(Word::Unchanged, specs.len().saturating_sub(plan.decisions.len()));
    document.figure(Word::SectionRemoved, plan.removed.len());
    document.figure(Word::NextChange, plan.next_change.map_or(Cell::NotApplicable, Cell::Time));
}

/// What limits a decision, else what it violates.
fn why(decision: &Decision) -> Option<&Reason> {
    let violated = || decision.violations.iter().find_map(|violation| violation.reasons.first());
    decision.limits.first().or_else(violated)
}

fn first(reasons: &[Reason]) -> Cell {
    reasons.first().map_or(Cell::NotApplicable, |reason| Cell::Reason(reason.clone()))
}

fn workloads(decisions: &[(&str, &Decision)], known: &BTreeMap<&WorkloadKey, &Spec>) -> Section {
    let mut section = Section::new(
        Word::SectionWorkloads,
        vec![
            Column::text("tenant", Word::Tenant),
            Column::text("workload", Word::Workload),
            Column::text("status", Word::Status),
            Column::figure("wanted", Word::Wanted),
            Column::figure("placed", Word::Placed),
            Column::text("clusters", Word::SectionClusters),
            Column::text("kept", Word::Kept).wide(),
            Column::text("added", Word::Added).wide(),
            Column::text("removed", Word::SectionRemoved).wide(),
            Column::text("limit", Word::Reason).wide(),
            Column::figure("sequence", Word::Sequence).wide(),
        ],
    )
    .grouped_by(0);
    for (tenant, decision) in decisions {
        let counted = |count: fn(i64, i64) -> i64| {
            let changed = decision.moves.iter().map(|one| (&one.cluster, count(one.from, one.to)));
            changed.filter(|(_, count)| *count > 0).map(|(name, count)| Counted { name: name.clone(), count }).collect()
        };
        let moved: BTreeMap<&str, i64> = decision.moves.iter().map(|one| (one.cluster.as_str(), one.from)).collect();
        let kept: Vec<Counted> = targets(decision)
            .into_iter()
            .map(|target| Counted {
                count: moved.get(target.name.as_str()).map_or(target.count, |from| target.count.min(*from)),
                ..target
            })
            .filter(|target| target.count > 0)
            .collect();
        let added: Vec<Counted> = counted(|from, to| to.saturating_sub(from));
        let gone: Vec<Counted> = counted(i64::saturating_sub);
        section.row(vec![
            (*tenant).into(),
            decision.key.to_string().into(),
            outcome(decision).into(),
            Cell::known(known.get(&decision.key).map(|spec| spec.replicas)),
            placed(decision).into(),
            targets(decision).into(),
            kept.into(),
            added.into(),
            gone.into(),
            why(decision).map_or(Cell::NotApplicable, |reason| Cell::Reason(reason.clone())),
            i64::try_from(decision.sequence).map_or(Cell::Unknown, Cell::Int),
        ]);
    }
    section
}

type Places = BTreeMap<ObjectRef, Place>;

/// Where a workload stands in the input.
fn place(places: &Places, key: &WorkloadKey) -> Option<Place> {
    places.get(&ObjectRef::new("FleetWorkload", &key.namespace, &key.name)).cloned()
}

pub(super) fn not_placed(
    decisions: &[(&str, &Decision)],
    nearest: &BTreeMap<WorkloadKey, (String, Vec<Change>)>,
    places: &Places,
) -> Section {
    let mut section = Section::new(
        Word::SectionNotPlaced,
        vec![
            Column::text("tenant", Word::Tenant),
            Column::text("workload", Word::Workload),
            Column::text("status", Word::Status),
            Column::figure("missing", Word::Missing),
            Column::text("reason", Word::Reason),
            Column::text("nearestCluster", Word::NearestCluster),
            Column::text("fix", Word::Fix),
        ],
    )
    .grouped_by(0)
    .of_problems();
    for (tenant, decision) in decisions.iter().filter(|(_, decision)| decision.status != Outcome::Placed) {
        let near = nearest.get(&decision.key);
        let wanted = near.and_then(|(_, changes)| changes.first()).and_then(|change| change.reasons.first());
        // What nobody may carry is told by the cluster that comes nearest; what waits, by what it waits for.
        let reason =
            if decision.status == Outcome::Refused { wanted.or(why(decision)) } else { why(decision).or(wanted) };
        let cells = vec![
            (*tenant).into(),
            decision.key.to_string().into(),
            outcome(decision).into(),
            decision.shortfall.into(),
            reason.map_or(Cell::NotApplicable, |reason| Cell::Reason(reason.clone())),
            // A cluster is told only where the reason is one of its own: what waits for a quota or a share is not near it.
            near.filter(|_| reason.is_some() && reason == wanted)
                .map_or(Cell::NotApplicable, |(cluster, _)| cluster.as_str().into()),
            reason.map_or(Cell::NotApplicable, |reason| Cell::Fix(reason.clone())),
        ];
        section.row_at(cells, place(places, &decision.key));
    }
    section
}

fn violations(decisions: &[(&str, &Decision)], places: &Places) -> Section {
    let mut section = Section::new(
        Word::SectionViolations,
        vec![
            Column::text("tenant", Word::Tenant),
            Column::text("workload", Word::Workload),
            Column::text("cluster", Word::Cluster),
            Column::text("rule", Word::Rule),
            Column::text("reason", Word::Reason),
            Column::text("fix", Word::Fix),
        ],
    )
    .grouped_by(0)
    .of_problems();
    for (tenant, decision) in decisions {
        for violation in &decision.violations {
            let fix = violation.reasons.first().map_or(Cell::NotApplicable, |reason| Cell::Fix(reason.clone()));
            let cells = vec![
                (*tenant).into(),
                decision.key.to_string().into(),
                violation.cluster.as_str().into(),
                rule(violation.rule).into(),
                first(&violation.reasons),
                fix,
            ];
            section.row_at(cells, place(places, &decision.key));
        }
    }
    section
}

fn moves(decisions: &[(&str, &Decision)]) -> Section {
    let mut section = Section::new(
        Word::SectionMoves,
        vec![
            Column::text("tenant", Word::Tenant),
            Column::text("workload", Word::Workload),
            Column::text("cluster", Word::Cluster),
            Column::figure("from", Word::From),
            Column::figure("to", Word::To),
            Column::text("reason", Word::Reason),
        ],
    )
    .grouped_by(0);
    for (tenant, decision) in decisions {
        for one in &decision.moves {
            section.row(vec![
                (*tenant).into(),
                decision.key.to_string().into(),
                one.cluster.as_str().into(),
                one.from.into(),
                one.to.into(),
                one.reason.clone().map_or(Cell::NotApplicable, Cell::Reason),
            ]);
        }
    }
    section
}

fn removed(plan: &Plan) -> Section {
    let mut section = Section::new(Word::SectionRemoved, vec![Column::text("workload", Word::Workload)]);
    for key in &plan.removed {
        section.row(vec![key.to_string().into()]);
    }
    section
}

fn per_cluster(decisions: &[(&str, &Decision)]) -> Section {
    let columns = vec![
        Column::text("cluster", Word::Cluster),
        Column::figure("workloads", Word::SectionWorkloads),
        Column::figure("replicas", Word::Replicas),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 2 };
    let mut section = Section::new(Word::SectionCapacity, columns).drawn(chart);
    let mut totals: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for target in decisions.iter().flat_map(|(_, decision)| &decision.targets) {
        let total = totals.entry(&target.cluster).or_default();
        *total = (total.0.saturating_add(1), total.1.saturating_add(target.replicas));
    }
    for (cluster, (workloads, replicas)) in totals {
        section.row(vec![cluster.into(), workloads.into(), replicas.into()]);
    }
    section
}

fn rejections(decisions: &[(&str, &Decision)]) -> Section {
    let columns = vec![
        Column::text("rule", Word::Rule),
        Column::figure("workloads", Word::SectionWorkloads),
        Column::figure("clusters", Word::Clusters),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 1 };
    let mut section = Section::new(Word::SectionRejections, columns).drawn(chart);
    let mut totals: BTreeMap<Rule, (i64, i64)> = BTreeMap::new();
    for (one, clusters) in decisions.iter().flat_map(|(_, decision)| &decision.rejected) {
        let total = totals.entry(*one).or_default();
        *total = (total.0.saturating_add(1), total.1.saturating_add(i64::from(*clusters)));
    }
    for (one, (workloads, clusters)) in totals {
        section.row(vec![rule(one).into(), workloads.into(), clusters.into()]);
    }
    section
}
