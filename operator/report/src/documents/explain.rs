//! `jiuzhou explain`: why one workload is where it is, for every cluster, and what would have to change elsewhere.

use std::collections::BTreeMap;

use jiuzhou_engine::decide::{ClusterExplanation, Explanation, Rule, RuleCheck};
use jiuzhou_engine::terms::{Finding, Reason};

use super::decision::{answer, outcome, placed, quota, rule};
use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::Word;

/// How much of an explanation is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Also the rules that a cluster passes without remark: every rule on every cluster and pool.
    pub passes: bool,
}

/// The document. Every cluster of the fleet has a row, whether it was chosen, had room or was kept out.
#[must_use]
pub fn explain(meta: Meta, explanation: &Explanation, detail: Detail, findings: Vec<Finding>) -> Document {
    let Explanation { decision, clusters, quota: uses, one_change: _ } = explanation;
    let mut document = Document::new(DocumentKind::Explain, meta);
    document.subject = decision.key.to_string();
    let int = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let eligible = clusters.iter().filter(|cluster| cluster.eligible).count();
    let has = placed(decision);
    document.figure(Word::Status, outcome(decision));
    document.figure(Word::Placed, Cell::Ratio(has, has.saturating_add(decision.shortfall)));
    document.figure(Word::Eligible, Cell::Ratio(int(eligible), int(clusters.len())));
    let limit = decision.limits.first();
    document.figure(Word::Reason, limit.map_or(Cell::NotApplicable, |reason| Cell::Reason(reason.clone())));

    document.sections.push(funnel(clusters));
    document.sections.push(table(clusters));
    document.sections.push(scores(clusters));
    document.sections.push(one_change(explanation));
    document.sections.push(rules(clusters, detail));
    document.sections.push(quota(uses));
    document.take_findings(findings);
    if !detail.passes {
        document.notes.push(Word::NotePasses);
    }
    document.notes.push(Word::NoteUnknown);
    document
}

/// The clusters that are left after each rule, in the order of the rules. A cluster several rules keep out is told at
/// the first of them; the table of rules has them all.
fn funnel(clusters: &[ClusterExplanation]) -> Section {
    let columns = vec![
        Column::text("step", Word::Step),
        Column::figure("remaining", Word::Remaining),
        Column::figure("dropped", Word::Dropped),
        Column::text("droppedNames", Word::DroppedNames),
    ];
    let chart = Chart { form: ChartForm::Funnel, label: 0, part: None, value: 1 };
    let mut section = Section::new(Word::SectionFunnel, columns).drawn(chart);
    let mut left = clusters.len();
    let mut step = |word: Word, names: Vec<String>| {
        left = left.saturating_sub(names.len());
        let dropped = names.len();
        section.row(vec![word.into(), left.into(), dropped.into(), names.into()]);
    };
    step(Word::StepAll, Vec::new());
    let mut by_rule: BTreeMap<Rule, Vec<String>> = BTreeMap::new();
    for cluster in clusters.iter().filter(|cluster| !cluster.eligible) {
        let first = cluster.rules.iter().filter(|check| check.refuses).map(|check| check.rule).min();
        by_rule.entry(first.unwrap_or(Rule::Pools)).or_default().push(cluster.cluster.clone());
    }
    for (one, names) in by_rule {
        step(rule(one), names);
    }
    let names = |wanted: &dyn Fn(&ClusterExplanation) -> bool| -> Vec<String> {
        let some = clusters.iter().filter(|cluster| cluster.eligible && wanted(cluster));
        some.map(|cluster| cluster.cluster.clone()).collect()
    };
    let full = |cluster: &ClusterExplanation| cluster.slots <= 0 && cluster.replicas == 0;
    step(Word::StepCapacity, names(&full));
    step(Word::StepChosen, names(&|cluster| !full(cluster) && cluster.replicas == 0));
    section
}

/// What stands against a cluster: the first refusing rule, else what its pools say.
fn against(cluster: &ClusterExplanation) -> Option<&Reason> {
    let refusing =
        |checks: &'_ [RuleCheck]| checks.iter().position(|check| check.refuses && !check.check.reasons.is_empty());
    if let Some(at) = refusing(&cluster.rules) {
        return cluster.rules[at].check.reasons.first();
    }
    cluster.pools.iter().find_map(|pool| refusing(&pool.rules).and_then(|at| pool.rules[at].check.reasons.first()))
}

fn table(clusters: &[ClusterExplanation]) -> Section {
    let mut section = Section::new(
        Word::SectionClusters,
        vec![
            Column::text("cluster", Word::Cluster),
            Column::text("status", Word::Status),
            Column::figure("from", Word::From),
            Column::figure("to", Word::To),
            Column::figure("slots", Word::Slots),
            Column::figure("score", Word::Score),
            Column::figure("group", Word::Group).wide(),
            Column::text("reason", Word::Reason),
            Column::text("fix", Word::Fix).wide(),
            Column::figure("cost", Word::Cost).wide(),
        ],
    );
    for cluster in clusters {
        let status = match (cluster.eligible, cluster.replicas > 0 || cluster.current > 0) {
            (true, false) if cluster.slots <= 0 => Status::Warn,
            (true, _) => Status::Ok,
            (false, true) => Status::Violating,
            (false, false) => Status::Refused,
        };
        let change = cluster.changes.first().and_then(|change| change.reasons.first());
        let reason = if cluster.eligible { change } else { against(cluster).or(change) };
        section.row(vec![
            cluster.cluster.as_str().into(),
            status.into(),
            cluster.current.into(),
            cluster.replicas.into(),
            cluster.slots.into(),
            if cluster.eligible { cluster.score.into() } else { Cell::NotApplicable },
            cluster.group.map_or(Cell::NotApplicable, Cell::from),
            reason.map_or(Cell::NotApplicable, |reason| Cell::Reason(reason.clone())),
            change.or(reason).map_or(Cell::NotApplicable, |reason| Cell::Fix(reason.clone())),
            cluster.cost.into(),
        ]);
    }
    section
}

/// The word of a figure the engine knows; one of the installation's own keeps its name.
fn figure(name: &str) -> Cell {
    let known =
        [Word::FigureCarbon, Word::FigurePue, Word::FigureCost, Word::FigureUtilisation, Word::FigureLocalSupplier];
    known.into_iter().find(|word| word.key() == name).map_or_else(|| name.into(), Cell::Word)
}

fn scores(clusters: &[ClusterExplanation]) -> Section {
    let columns = vec![
        Column::text("cluster", Word::Cluster),
        Column::text("figure", Word::Figure),
        Column::figure("seen", Word::Seen),
        Column::figure("points", Word::Points),
        Column::figure("weight", Word::Weight),
        Column::figure("weighted", Word::Weighted),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: Some(1), value: 5 };
    let mut section = Section::new(Word::SectionScores, columns).drawn(chart);
    for cluster in clusters.iter().filter(|cluster| cluster.eligible) {
        for term in &cluster.terms {
            section.row(vec![
                cluster.cluster.as_str().into(),
                figure(&term.figure),
                Cell::known(term.seen),
                term.points.into(),
                term.weight.into(),
                Cell::known(term.points.checked_mul(term.weight)),
            ]);
        }
    }
    section
}

fn one_change(explanation: &Explanation) -> Section {
    let mut section = Section::new(
        Word::SectionOneChange,
        vec![
            Column::text("cluster", Word::Cluster),
            Column::text("rule", Word::Rule),
            Column::text("reason", Word::Reason),
            Column::text("fix", Word::Fix),
            Column::figure("cost", Word::Cost),
        ],
    );
    for (cluster, change) in &explanation.one_change {
        let reason = change.reasons.first();
        // What no cluster is named for limits the whole workload, and its reason says what it is.
        let (cluster, rule) = match (cluster.as_str(), change.rule) {
            ("", _) => (Cell::NotApplicable, Cell::NotApplicable),
            (name, None) => (name.into(), Word::StepCapacity.into()),
            (name, Some(of)) => (name.into(), rule(of).into()),
        };
        section.row(vec![
            cluster,
            rule,
            reason.map_or(Cell::NotApplicable, |reason| Cell::Reason(reason.clone())),
            reason.map_or(Cell::NotApplicable, |reason| Cell::Fix(reason.clone())),
            change.cost.into(),
        ]);
    }
    section
}

fn rules(clusters: &[ClusterExplanation], detail: Detail) -> Section {
    let mut section = Section::new(
        Word::SectionRules,
        vec![
            Column::text("cluster", Word::Cluster),
            Column::text("pool", Word::Pool),
            Column::text("rule", Word::Rule),
            Column::text("status", Word::Status),
            Column::text("reason", Word::Reason),
            Column::text("fix", Word::Fix).wide(),
        ],
    )
    .grouped_by(0);
    let mut tell = |cluster: &str, pool: Option<&str>, check: &RuleCheck| {
        let status = answer(check);
        if status == Status::Ok && check.check.reasons.is_empty() && !detail.passes {
            return;
        }
        // A rule may have several reasons; each is a row, so that none is lost.
        let reasons: Vec<Option<&Reason>> =
            if check.check.reasons.is_empty() { vec![None] } else { check.check.reasons.iter().map(Some).collect() };
        for reason in reasons {
            section.row(vec![
                cluster.into(),
                pool.map_or(Cell::NotApplicable, Cell::from),
                rule(check.rule).into(),
                status.into(),
                reason.map_or(Cell::NotApplicable, |reason| Cell::Reason(reason.clone())),
                reason.map_or(Cell::NotApplicable, |reason| Cell::Fix(reason.clone())),
            ]);
        }
    };
    for cluster in clusters {
        for check in &cluster.rules {
            // A rule about pools is told at the pools; the cluster has only what they do not say.
            let at_a_pool = |reason: &Reason| {
                let mut rules = cluster.pools.iter().flat_map(|pool| &pool.rules);
                rules.any(|own| own.rule == check.rule && own.check.reasons.contains(reason))
            };
            let mut own = check.clone();
            own.check.reasons.retain(|reason| !at_a_pool(reason));
            if check.check.reasons.is_empty() || !own.check.reasons.is_empty() || detail.passes {
                tell(&cluster.cluster, None, &own);
            }
        }
        for pool in &cluster.pools {
            // Where pods have nodes of their own, each part has its say on each pool.
            let name = if pool.part.is_empty() { pool.pool.clone() } else { format!("{} ({})", pool.pool, pool.part) };
            pool.rules.iter().for_each(|check| tell(&cluster.cluster, Some(&name), check));
        }
    }
    section
}
