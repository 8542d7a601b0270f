//! `jiuzhou report readiness`: which systems could run today on which CPU family, and what the others would need.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Finding, ObjectRef, Reason};
use jiuzhou_study::readiness::{Answer, Readiness, State};

use super::adoption::Lookup;
use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::Word;

/// A system that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemRow {
    /// The system.
    pub system: ObjectRef,
    /// Its body, as it is called on the day.
    pub tenant: String,
    /// How it stands with each family.
    pub answers: Vec<Answer>,
}

impl SystemRow {
    fn on(&self, state: State) -> Vec<String> {
        self.answers.iter().filter(|one| one.state == state).map(|one| one.family.clone()).collect()
    }

    fn best(&self) -> Option<State> {
        self.answers.iter().map(|one| one.state).min()
    }
}

/// Everything the report is made from.
pub struct ReadinessInput<'a> {
    /// What was found.
    pub found: &'a Readiness,
    /// The systems, in the order of the register.
    pub systems: &'a [SystemRow],
    /// Systems that nothing can be asked for, and why.
    pub left_out: &'a [(ObjectRef, Reason)],
    /// Names and places.
    pub lookup: &'a dyn Lookup,
}

fn named(lookup: &dyn Lookup, object: &ObjectRef) -> Cell {
    lookup.title(object).map_or_else(|| object.name.as_str().into(), Cell::Text)
}

fn tenant(lookup: &dyn Lookup, name: &str) -> Cell {
    if name.is_empty() { Cell::Unknown } else { named(lookup, &ObjectRef::new("Tenant", "", name)) }
}

fn status(state: Option<State>) -> Status {
    match state {
        Some(State::Ready) => Status::Ok,
        Some(State::OneChange) => Status::Warn,
        Some(State::Several) => Status::Refused,
        Some(State::Unknown) | None => Status::Unknown,
    }
}

/// The document.
#[must_use]
pub fn readiness(meta: Meta, input: &ReadinessInput<'_>, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Readiness, meta);
    let int = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let all = int(input.systems.len());
    let best = |state| int(input.systems.iter().filter(|row| row.best() == state).count());
    document.figure(Word::SystemsReady, Cell::Ratio(best(Some(State::Ready)), all));
    document.figure(Word::SystemsOneChange, best(Some(State::OneChange)));
    document.figure(Word::SystemsSeveral, best(Some(State::Several)));
    document.figure(Word::SystemsUnclear, best(Some(State::Unknown)).saturating_add(best(None)));
    document.figure(Word::SystemsNotAsked, input.left_out.len());
    document.sections.push(families(input));
    document.sections.push(systems(input));
    document.sections.push(obstacles(input));
    document.sections.push(left_out(input));
    document.take_findings(findings);
    document.notes.extend([Word::NoteReadiness, Word::NoteUnknown]);
    document
}

fn families(input: &ReadinessInput<'_>) -> Section {
    let columns = vec![
        Column::text("family", Word::Family),
        Column::figure("clusters", Word::Clusters),
        Column::figure("nodes", Word::Nodes),
        Column::figure("ready", Word::SystemsReady),
        Column::figure("oneChange", Word::SystemsOneChange),
        Column::figure("several", Word::SystemsSeveral),
        Column::figure("unclear", Word::SystemsUnclear),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 3 };
    let mut section = Section::new(Word::SectionFamilies, columns).drawn(chart);
    let mut counts: BTreeMap<(&str, State), i64> = BTreeMap::new();
    for answer in input.systems.iter().flat_map(|row| &row.answers) {
        *counts.entry((&answer.family, answer.state)).or_default() += 1;
    }
    let all = i64::try_from(input.systems.len()).unwrap_or(i64::MAX);
    for family in &input.found.families {
        let count = |state| counts.get(&(family.name.as_str(), state)).copied().unwrap_or(0);
        section.row(vec![
            family.name.as_str().into(),
            family.clusters.into(),
            family.nodes.into(),
            Cell::Ratio(count(State::Ready), all),
            count(State::OneChange).into(),
            count(State::Several).into(),
            count(State::Unknown).into(),
        ]);
    }
    section
}

fn systems(input: &ReadinessInput<'_>) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::text("system", Word::System),
        Column::text("status", Word::Status),
        Column::text("readyOn", Word::ReadyOn),
        Column::text("oneChangeOn", Word::OneChangeOn),
        Column::text("unclearOn", Word::UnclearOn),
        Column::text("severalOn", Word::SeveralOn).wide(),
    ];
    let mut section = Section::new(Word::SectionReadiness, columns).grouped_by(0);
    for row in input.systems {
        let cells = vec![
            tenant(input.lookup, &row.tenant),
            named(input.lookup, &row.system),
            status(row.best()).into(),
            Cell::List(row.on(State::Ready)),
            Cell::List(row.on(State::OneChange)),
            Cell::List(row.on(State::Unknown)),
            Cell::List(row.on(State::Several)),
        ];
        section.row_at(cells, input.lookup.place(&row.system));
    }
    section
}

/// The answers worth reading: what one change or one fact would open, and for a system that nothing opens the family with
/// the fewest obstacles. What keeps a system off a further family is only counted.
fn worth(row: &SystemRow) -> Vec<&Answer> {
    let size = |answer: &&Answer| {
        let reasons = answer.obstacles.iter().flat_map(|one| one.changes.iter().flat_map(|change| &change.reasons));
        (reasons.count(), answer.obstacles.len())
    };
    if row.best() == Some(State::Several) {
        return row.answers.iter().min_by_key(size).into_iter().collect();
    }
    row.answers.iter().filter(|one| matches!(one.state, State::OneChange | State::Unknown)).collect()
}

/// What keeps systems off the families: every reason of every change, one row each.
fn obstacles(input: &ReadinessInput<'_>) -> Section {
    let columns = vec![
        Column::text("system", Word::System),
        Column::text("family", Word::Family),
        Column::text("workload", Word::Workload),
        Column::figure("changes", Word::Changes),
        Column::text("nearestCluster", Word::NearestCluster),
        Column::text("reason", Word::Reason),
        Column::text("fix", Word::Fix),
    ];
    let mut section = Section::new(Word::SectionObstacles, columns).grouped_by(0);
    for row in input.systems {
        for answer in worth(row) {
            for obstacle in &answer.obstacles {
                let changes = obstacle.changes.len() + usize::from(obstacle.limit.is_some());
                let mut reasons: Vec<&Reason> = obstacle.changes.iter().flat_map(|change| &change.reasons).collect();
                reasons.extend(&obstacle.limit);
                for reason in reasons {
                    let cells = vec![
                        named(input.lookup, &row.system),
                        answer.family.as_str().into(),
                        obstacle.workload.to_string().into(),
                        changes.into(),
                        obstacle.cluster.as_deref().map_or(Cell::NotApplicable, Cell::from),
                        Cell::Reason(reason.clone()),
                        Cell::Fix(reason.clone()),
                    ];
                    section.row_at(cells, input.lookup.place(&row.system));
                }
            }
        }
    }
    section
}

fn left_out(input: &ReadinessInput<'_>) -> Section {
    let columns = vec![
        Column::text("system", Word::System),
        Column::text("reason", Word::Reason),
        Column::text("fix", Word::Fix),
    ];
    let mut section = Section::new(Word::SectionNotAsked, columns);
    for (system, reason) in input.left_out {
        let cells = vec![named(input.lookup, system), Cell::Reason(reason.clone()), Cell::Fix(reason.clone())];
        section.row_at(cells, input.lookup.place(system));
    }
    section
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiuzhou_engine::decide::{Change, Rule, WorkloadKey};
    use jiuzhou_engine::terms::{Code, Place};
    use jiuzhou_study::readiness::{Family, Obstacle};

    use super::*;
    use crate::render::{Format, Options, render_text};
    use crate::words::Lang;

    struct Names(BTreeMap<ObjectRef, &'static str>);

    impl Lookup for Names {
        fn title(&self, object: &ObjectRef) -> Option<String> {
            self.0.get(object).map(|title| (*title).to_owned())
        }

        fn division(&self, _code: &str) -> Option<String> {
            None
        }

        fn document(&self, _object: &ObjectRef, _reason: &Reason) -> Option<String> {
            None
        }

        fn place(&self, _object: &ObjectRef) -> Option<Place> {
            None
        }
    }

    fn answer(family: &str, state: State, reasons: usize) -> Answer {
        let change = |at: usize| Change {
            rule: Some(Rule::Architecture),
            cost: 4,
            reasons: vec![Reason::new(Code::NoManifestForPlatform).object(format!("{family}-{at}"))],
        };
        let obstacle = Obstacle {
            workload: WorkloadKey::new("ns", "w"),
            cluster: Some("麒麟-一号".to_owned()),
            changes: (0..reasons).map(change).collect(),
            limit: None,
        };
        let obstacles = if state == State::Ready { Vec::new() } else { vec![obstacle] };
        Answer { system: "ns/s".to_owned(), family: family.to_owned(), state, obstacles }
    }

    fn made(systems: &[Vec<Answer>], left_out: &[(ObjectRef, Reason)]) -> Document {
        let family = |name: &str| Family { name: name.to_owned(), clusters: 1, nodes: 4 };
        let found = Readiness { families: vec![family("Hygon"), family("Kunpeng")], others: 0, answers: Vec::new() };
        let row = |(at, answers): (usize, &Vec<Answer>)| SystemRow {
            system: ObjectRef::new("InformationSystem", "ns", &format!("s{at}")),
            tenant: "civil".to_owned(),
            answers: answers.clone(),
        };
        let rows: Vec<SystemRow> = systems.iter().enumerate().map(row).collect();
        let names = Names([(ObjectRef::new("Tenant", "", "civil"), "徐州市民政局")].into());
        let input = ReadinessInput { found: &found, systems: &rows, left_out, lookup: &names };
        readiness(Meta::default(), &input, Vec::new())
    }

    #[test]
    fn each_system_is_counted_once_by_its_best_family() {
        let document = made(
            &[
                vec![answer("Hygon", State::Several, 2), answer("Kunpeng", State::Ready, 0)],
                vec![answer("Hygon", State::OneChange, 1), answer("Kunpeng", State::Several, 3)],
                vec![answer("Hygon", State::Unknown, 1), answer("Kunpeng", State::OneChange, 1)],
                vec![answer("Hygon", State::Several, 2), answer("Kunpeng", State::Several, 3)],
                // No family has nodes.
                Vec::new(),
            ],
            &[],
        );
        let told: Vec<Cell> = document.headline.iter().map(|figure| figure.value.clone()).collect();
        assert_eq!(told, [Cell::Ratio(1, 5), Cell::Int(1), Cell::Int(1), Cell::Int(2), Cell::Int(0)]);
        let family = &document.sections[0].rows[1];
        assert_eq!(family[3..], [Cell::Ratio(1, 5), Cell::Int(1), Cell::Int(2), Cell::Int(0)]);
        assert_eq!(document.sections[1].rows[0][0], Cell::from("徐州市民政局"));
    }

    #[test]
    fn what_opens_nothing_is_told_for_the_nearest_family_only() {
        let both = vec![answer("Hygon", State::Several, 3), answer("Kunpeng", State::Several, 2)];
        let ready = vec![answer("Hygon", State::Several, 3), answer("Kunpeng", State::Ready, 0)];
        let rows = |systems: &[Vec<Answer>]| made(systems, &[]).sections[2].rows.clone();
        let told = rows(&[both]);
        assert_eq!((told.len(), &told[0][1]), (2, &Cell::from("Kunpeng")));
        assert_eq!(rows(&[ready]).len(), 0);
    }

    #[test]
    fn it_renders_in_every_format_and_both_languages() {
        let gone = ObjectRef::new("InformationSystem", "ns", "old");
        let document = made(
            &[vec![answer("Hygon", State::OneChange, 1), answer("Kunpeng", State::Unknown, 1)]],
            &[(gone, Reason::new(Code::SystemUndescribed).object("旧系统"))],
        );
        for lang in Lang::ALL {
            for format in Format::ALL.into_iter().filter(|format| format.has_tables() && format.is_text()) {
                let text = render_text(&document, format, &Options { lang, ..Options::default() }).unwrap();
                assert!(text.contains("麒麟-一号"), "{}", format.name());
            }
        }
        let zh = Options { lang: Lang::Zh, ..Options::default() };
        let text = render_text(&document, Format::Text, &zh).unwrap();
        assert!(text.contains("旧系统 未登记工作负载"), "{text}");
    }
}
