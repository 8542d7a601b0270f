//! `jiuzhou report assessment` 评估指数: bodies by the evaluation index, as ranges, with what each end rests on.
//!
//! The rank goes by the lower end, which only evidence can raise. The points that the source does not show stand in a
//! row of their own; the stage of a body is printed with the rule that made it one and the tie that was decided.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Finding, ObjectRef};
use jiuzhou_measure::assessment::{Assessed, BodyInput, Index, Origin, Range, Stage, StageRule};

use super::adoption::Lookup;
use crate::document::{Cell, Chart, ChartForm, Column, Document, DocumentKind, Meta, Section, Status};
use crate::words::{Unit, Word};

/// Everything the report is made from.
pub struct AssessmentInput<'a> {
    /// Bodies by rank.
    pub bodies: &'a [Assessed],
    /// What each was assessed from.
    pub inputs: &'a BTreeMap<String, BodyInput>,
    /// The index.
    pub index: &'a Index,
    /// The rule of stages.
    pub rule: StageRule,
    /// Names.
    pub lookup: &'a dyn Lookup,
}

/// The document.
#[must_use]
pub fn assessment(meta: Meta, input: &AssessmentInput<'_>, findings: Vec<Finding>) -> Document {
    let mut document = Document::new(DocumentKind::Assessment, meta);
    document.figure(Word::BodiesAssessed, input.bodies.len());
    let (answered, all) = input
        .bodies
        .iter()
        .flat_map(|body| &body.dimensions)
        .fold((0, 0), |(answered, items), one| (answered + one.answered, items + one.items));
    document.figure(Word::ItemsAnswered, Cell::Ratio(answered, all));
    let shown: i64 = input.index.dimensions.iter().map(|dimension| dimension.weight).sum();
    document.figure(Word::WeightShown, Cell::Share(shown, shown + input.index.hidden, Unit::Points));
    document.figure(Word::StageRule, rule(input.rule));
    document.sections.push(ranking(input));
    document.sections.push(dimensions(input));
    document.sections.push(stages(input));
    document.sections.push(items(input));
    document.take_findings(findings);
    document.notes.extend([Word::NoteAssessment, Word::NoteHidden, Word::NoteStage, Word::NoteMeasuredItems]);
    document
}

fn rule(rule: StageRule) -> Word {
    match rule {
        StageRule::Lowest => Word::RuleLowest,
        StageRule::Majority => Word::RuleMajority,
    }
}

fn stage(stage: Stage) -> Word {
    match stage {
        Stage::Basic => Word::StageBasic,
        Stage::Development => Word::StageDevelopment,
        Stage::Innovation => Word::StageInnovation,
    }
}

fn points(range: Range) -> Cell {
    if range.low == range.high {
        Cell::Quantity(range.low, Unit::Thousandths)
    } else {
        Cell::Between(range.low, range.high, Unit::Thousandths)
    }
}

fn named(lookup: &dyn Lookup, name: &str) -> Cell {
    lookup.title(&ObjectRef::new("Tenant", "", name)).map_or_else(|| name.into(), Cell::Text)
}

/// Words of an id of the index: `item-` or `dimension-` and the id, as a key.
fn index_word(kind: &str, id: &str) -> Cell {
    let mut key = kind.to_owned();
    for part in id.split('-') {
        let mut letters = part.chars();
        key.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        key.push_str(letters.as_str());
    }
    Word::of_key(&key).map_or_else(|| id.into(), Cell::Word)
}

fn ranking(input: &AssessmentInput<'_>) -> Section {
    let columns = vec![
        Column::figure("rank", Word::PlaceInRanking),
        Column::text("tenant", Word::Tenant),
        Column::text("stage", Word::StageOf),
        Column::figure("lower", Word::LowerEnd),
        Column::figure("upper", Word::UpperEnd),
        Column::figure("hidden", Word::NotShown),
        Column::figure("total", Word::IndexTotal),
        Column::figure("answered", Word::ItemsAnswered),
        Column::figure("peers", Word::PeersLow),
        Column::figure("ahead", Word::AheadOfPeers),
    ];
    let chart = Chart { form: ChartForm::Bars, label: 1, part: None, value: 3 };
    let mut section = Section::new(Word::SectionRanking, columns).drawn(chart);
    for body in input.bodies {
        let (answered, items) = body.dimensions.iter().fold((0, 0), |(a, n), one| (a + one.answered, n + one.items));
        let milli = |milli: i64| Cell::Quantity(milli, Unit::Thousandths);
        section.row(vec![
            body.rank.into(),
            named(input.lookup, &body.name),
            Cell::Words(body.stages.iter().map(|one| stage(*one)).collect()),
            milli(body.shown.low),
            milli(body.shown.high),
            points(Range { low: 0, high: body.total.high - body.shown.high }),
            points(body.total),
            Cell::Ratio(answered, items),
            body.peers_low.map_or(Cell::NotApplicable, milli),
            body.peers_low.map_or(Cell::NotApplicable, |low| milli(body.shown.low - low)),
        ]);
    }
    section
}

fn dimensions(input: &AssessmentInput<'_>) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::text("dimension", Word::DimensionOf),
        Column::figure("weight", Word::Weight),
        Column::figure("points", Word::IndexPoints),
        Column::figure("answered", Word::ItemsAnswered),
    ];
    let mut section = Section::new(Word::SectionDimensions, columns).grouped_by(0);
    for body in input.bodies {
        for one in &body.dimensions {
            section.row(vec![
                named(input.lookup, &body.name),
                index_word("dimension", &one.dimension),
                one.weight.into(),
                points(one.points),
                Cell::Ratio(one.answered, one.items),
            ]);
        }
        let hidden = Range { low: 0, high: body.total.high - body.shown.high };
        section.row(vec![
            named(input.lookup, &body.name),
            Word::NotShown.into(),
            input.index.hidden.into(),
            points(hidden),
            Cell::NotApplicable,
        ]);
    }
    section
}

fn stages(input: &AssessmentInput<'_>) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::text("stage", Word::StageOf),
        Column::text("population", Word::FactPopulation),
        Column::text("gdp", Word::FactGdp),
        Column::text("universities", Word::FactUniversities),
        Column::text("infrastructure", Word::FactInfrastructure),
        Column::text("rule", Word::StageRule),
        Column::text("tie", Word::StageTie),
    ];
    let mut section = Section::new(Word::SectionStages, columns);
    for body in input.bodies {
        let factor = |at: usize| match body.factors[at] {
            _ if body.declared => Cell::NotApplicable,
            Some(one) => stage(one).into(),
            None => Cell::Unknown,
        };
        section.row(vec![
            named(input.lookup, &body.name),
            Cell::Words(body.stages.iter().map(|one| stage(*one)).collect()),
            factor(0),
            factor(1),
            factor(2),
            factor(3),
            if body.declared { Word::StageDeclared.into() } else { rule(input.rule).into() },
            if body.tie { Word::TieLower.into() } else { Word::None.into() },
        ]);
    }
    section
}

/// Every item that may apply to a body, and what answers it.
fn items(input: &AssessmentInput<'_>) -> Section {
    let columns = vec![
        Column::text("tenant", Word::Tenant),
        Column::text("dimension", Word::DimensionOf).wide(),
        Column::text("item", Word::IndexItem),
        Column::text("id", Word::IndexItemId),
        Column::figure("fulfilled", Word::Fulfilled),
        Column::text("origin", Word::AnswerOrigin),
        Column::text("basis", Word::AnswerBasis),
        Column::text("status", Word::Status),
    ];
    let mut section = Section::new(Word::SectionItems, columns).grouped_by(0);
    for body in input.bodies {
        let answers = input.inputs.get(&body.name).map(|input| &input.answers);
        for item in input.index.items.iter().filter(|item| body.stages.last().is_some_and(|last| item.from <= *last)) {
            let answer = answers.and_then(|answers| answers.get(&item.id));
            let origin = answer.map(|answer| match answer.origin {
                Origin::Measured => Word::AnswerMeasured,
                Origin::Evidence => Word::ProofEvidence,
            });
            section.row(vec![
                named(input.lookup, &body.name),
                index_word("dimension", &item.dimension),
                index_word("item", &item.id),
                item.id.as_str().into(),
                Cell::known(answer.map(|answer| points(answer.per_mille))),
                origin.map_or(Cell::Word(Word::AnswerMissing), Cell::Word),
                answer.map_or(Cell::NotApplicable, |answer| answer.basis.as_str().into()),
                if answer.is_some() { Status::Ok } else { Status::Unknown }.into(),
            ]);
        }
    }
    section
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::{Place, Reason};
    use jiuzhou_measure::assessment::{Answer, Dimension, Facts, Item, assess};

    use super::*;
    use crate::render::{Format, Options, render_text};
    use crate::words::Lang;

    struct Names;

    impl Lookup for Names {
        fn title(&self, _: &ObjectRef) -> Option<String> {
            Some("徐州市".to_owned())
        }
        fn division(&self, _: &str) -> Option<String> {
            None
        }
        fn document(&self, _: &ObjectRef, _: &Reason) -> Option<String> {
            None
        }
        fn place(&self, _: &ObjectRef) -> Option<Place> {
            None
        }
    }

    #[test]
    fn ranges_the_hidden_weight_and_the_tie_are_told() {
        let item = |id: &str| Item { id: id.to_owned(), dimension: "security".to_owned(), from: Stage::Basic };
        let index = Index {
            dimensions: vec![Dimension { id: "security".to_owned(), weight: 85 }],
            items: vec![item("security-operation"), item("technical-protection")],
            hidden: 15,
        };
        let facts = Facts {
            population: Some(12_000_000),
            gdp_million: Some(90_000),
            universities: Some(11),
            infrastructure: Some(Stage::Basic),
        };
        let per_mille = Range { low: 400, high: 400 };
        let answer = Answer { per_mille, origin: Origin::Measured, basis: "2/5".to_owned() };
        let body = BodyInput {
            name: "xuzhou".to_owned(),
            level: "City".to_owned(),
            facts,
            declared: None,
            answers: [("technical-protection".to_owned(), answer)].into(),
        };
        let bodies = assess(&index, std::slice::from_ref(&body), StageRule::Majority).expect("sums in range");
        let inputs = [("xuzhou".to_owned(), body)].into();
        let input = AssessmentInput {
            bodies: &bodies,
            inputs: &inputs,
            index: &index,
            rule: StageRule::Majority,
            lookup: &Names,
        };
        let document = assessment(Meta::default(), &input, Vec::new());
        let told = |lang| render_text(&document, Format::Wide, &Options { lang, ..Options::default() }).expect("text");
        // 85 x 0.4 / 2 and 85 x 1.4 / 2.
        for part in ["17", "59.5", "0 – 15", "17 – 74.5", "security operation", "missing", "2/5", "lower stage"] {
            assert!(told(Lang::En).contains(part), "{part} in\n{}", told(Lang::En));
        }
        for part in ["安全运营", "缺失", "基础阶段", "取较低阶段"] {
            assert!(told(Lang::Zh).contains(part), "{part} in\n{}", told(Lang::Zh));
        }
    }
}
