//! `jiuzhou consolidate`: which clusters and nodes could be emptied, what would move, and what that would save.

use jiuzhou_engine::terms::{Fen, Finding, Milligrams, MilliwattHours};
use jiuzhou_measure::rates::Estimate;
use jiuzhou_study::consolidate::{Consolidation, Emptied, Kept, Nodes};

use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section};
use crate::words::Word;

/// The document.
#[must_use]
pub fn consolidate(meta: Meta, found: &Consolidation, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Consolidate, meta);
    let clusters = found.emptied.len().saturating_add(found.kept.len());
    let int = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    document.figure(Word::ClustersEmptied, Cell::Ratio(int(found.emptied.len()), int(clusters)));
    let of_pools = |count: fn(&Nodes) -> i64| found.nodes.iter().map(count).fold(0_i64, i64::saturating_add);
    let whole = found.emptied.iter().map(|one| one.nodes).fold(0_i64, i64::saturating_add);
    let spare = of_pools(|one| one.spare.unwrap_or(0));
    document.figure(
        Word::NodesEmptied,
        Cell::Ratio(whole.saturating_add(spare), whole.saturating_add(of_pools(|one| one.nodes))),
    );
    let moved = found.emptied.iter().map(|one| one.replicas).fold(0_i64, i64::saturating_add);
    document.figure(Word::ReplicasMoved, moved);
    let saves = || found.emptied.iter().map(|one| one.saves).chain(found.nodes.iter().map(|one| one.saves));
    // A sum of what is known; where some of it is not, the tables say so and the note does.
    let sum = |of: fn(&Estimate) -> Option<i64>| {
        let known: Vec<i64> = saves().filter_map(|one| of(&one)).collect();
        (!known.is_empty()).then(|| known.into_iter().fold(0_i64, i64::saturating_add))
    };
    document.figure(Word::SavedEnergy, Cell::known(sum(|one| one.energy.map(|e| e.0)).map(MilliwattHours)));
    document.figure(Word::SavedCarbon, Cell::known(sum(|one| one.carbon.map(|e| e.0)).map(Milligrams)));
    document.figure(Word::SavedCost, Cell::known(sum(|one| one.cost.map(|e| e.0)).map(Fen)));
    document.sections.push(emptied(&found.emptied));
    document.sections.push(kept(&found.kept));
    document.sections.push(nodes(&found.nodes));
    document.sections.push(moves(&found.emptied));
    document.take_findings(findings);
    document.notes.push(Word::NoteConsolidate);
    document.notes.push(Word::NoteUnknown);
    document
}

fn saved() -> [Column; 3] {
    [
        Column::figure("energy", Word::SavedEnergy),
        Column::figure("carbon", Word::SavedCarbon),
        Column::figure("cost", Word::SavedCost),
    ]
}

fn saves(of: &Estimate) -> [Cell; 3] {
    [Cell::known(of.energy), Cell::known(of.carbon), Cell::known(of.cost)]
}

fn emptied(emptied: &[Emptied]) -> Section {
    let mut columns = vec![
        Column::text("cluster", Word::Cluster),
        Column::figure("nodes", Word::Nodes),
        Column::figure("replicas", Word::ReplicasMoved),
    ];
    columns.extend(saved());
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 3 };
    let mut section = Section::new(Word::SectionEmptied, columns).drawn(chart);
    for one in emptied {
        let mut row: Vec<Cell> = vec![one.cluster.as_str().into(), one.nodes.into(), one.replicas.into()];
        row.extend(saves(&one.saves));
        section.row(row);
    }
    section
}

fn kept(kept: &[Kept]) -> Section {
    let columns = vec![
        Column::text("cluster", Word::Cluster),
        Column::figure("replicas", Word::Replicas),
        Column::figure("blocking", Word::Blocking),
        Column::text("workload", Word::Workload),
        Column::text("reason", Word::Reason),
        Column::text("nearestCluster", Word::NearestCluster),
    ];
    let mut section = Section::new(Word::SectionKeptClusters, columns);
    for one in kept {
        section.row(vec![
            one.cluster.as_str().into(),
            one.replicas.into(),
            one.blocking.into(),
            one.workload.to_string().into(),
            one.why.clone().map_or(Cell::NotApplicable, Cell::Reason),
            one.nearest.as_deref().map_or(Cell::NotApplicable, Cell::from),
        ]);
    }
    section
}

fn nodes(nodes: &[Nodes]) -> Section {
    let mut columns = vec![
        Column::text("cluster", Word::Cluster),
        Column::text("pool", Word::Pool),
        Column::figure("nodes", Word::Nodes),
        Column::figure("spare", Word::NodesEmptied),
    ];
    columns.extend(saved());
    let mut section = Section::new(Word::SectionNodesEmptied, columns).grouped_by(0);
    for one in nodes {
        let mut row: Vec<Cell> =
            vec![one.cluster.as_str().into(), one.pool.as_str().into(), one.nodes.into(), Cell::known(one.spare)];
        row.extend(saves(&one.saves));
        section.row(row);
    }
    section
}

fn moves(emptied: &[Emptied]) -> Section {
    let columns = vec![
        Column::text("emptied", Word::EmptiedCluster),
        Column::text("workload", Word::Workload),
        Column::text("cluster", Word::Cluster),
        Column::figure("from", Word::From),
        Column::figure("to", Word::To),
    ];
    let mut section = Section::new(Word::SectionMoves, columns).grouped_by(0);
    for one in emptied {
        for (key, step) in &one.moves {
            section.row(vec![
                one.cluster.as_str().into(),
                key.to_string().into(),
                step.cluster.as_str().into(),
                step.from.into(),
                step.to.into(),
            ]);
        }
    }
    section
}
