//! The evaluation index of digital government as ranges: what is missing counts once as nothing and once as all.
//!
//! The index is a table (dimensions with weights, items with the stage they begin at); a body has facts that give its
//! stage, and answers. An item without an answer stays in the denominator: the lower end takes it as 0, the upper as 1.
//! Where the stage itself is open, both ends are over every stage that is possible. The weight of dimensions that the
//! table does not show is a range of its own. Within a dimension every item that applies weighs the same. All ends are
//! exact fractions, rounded half up to a thousandth of a point once per body and shared by dimensions, so they add up.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::MeasureError;
use crate::apportion::apportion;

const WHAT: &str = "an assessment";
const OUT: MeasureError = MeasureError::OutOfRange(WHAT);
/// Thousandths of a point in a point.
const MILLI: i64 = 1000;

/// A stage of the information base (信息化基础分级).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Stage {
    /// 基础阶段.
    Basic,
    /// 发展阶段.
    Development,
    /// 创新阶段.
    Innovation,
}

impl Stage {
    /// Every stage, the lowest first.
    pub const ALL: [Self; 3] = [Self::Basic, Self::Development, Self::Innovation];
}

/// How the stages of single factors become one; the source gives no rule, so it is chosen and printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum StageRule {
    /// The lowest of them.
    #[default]
    Lowest,
    /// The most frequent; of several as frequent the lowest.
    Majority,
}

/// What the stage of a prefecture-level city depends on; `None` is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// People.
    pub population: Option<i64>,
    /// Gross domestic product in millions of yuan.
    pub gdp_million: Option<i64>,
    /// Universities.
    pub universities: Option<i64>,
    /// Information infrastructure: weak, with a certain base, strong.
    pub infrastructure: Option<Stage>,
}

impl Facts {
    /// The stage of each factor, in the order of the fields.
    #[must_use]
    pub fn stages(&self) -> [Option<Stage>; 4] {
        let by = |value: Option<i64>, development: i64, innovation: i64| {
            value.map(|value| match value {
                _ if value >= innovation => Stage::Innovation,
                _ if value >= development => Stage::Development,
                _ => Stage::Basic,
            })
        };
        [
            by(self.population, 5_000_000, 10_000_000),
            by(self.gdp_million, 100_000, 500_000),
            by(self.universities, 5, 10),
            self.infrastructure,
        ]
    }
}

/// The stages that are possible by a rule, and whether a tie decided one of them.
#[must_use]
pub fn stages(factors: [Option<Stage>; 4], rule: StageRule) -> (BTreeSet<Stage>, bool) {
    let mut all: Vec<Vec<Stage>> = vec![Vec::new()];
    for factor in factors {
        let options = factor.map_or(Stage::ALL.to_vec(), |stage| vec![stage]);
        let longer = |one: &Vec<Stage>| -> Vec<Vec<Stage>> {
            options.iter().map(|stage| [one.as_slice(), &[*stage]].concat()).collect()
        };
        all = all.iter().flat_map(longer).collect();
    }
    let (mut possible, mut tie) = (BTreeSet::new(), false);
    for one in all {
        let count = |stage: Stage| one.iter().filter(|other| **other == stage).count();
        let most = Stage::ALL.into_iter().map(count).max().unwrap_or(0);
        let mut frequent = Stage::ALL.into_iter().filter(|stage| count(*stage) == most);
        let stage = match rule {
            StageRule::Lowest => one.iter().min().copied(),
            StageRule::Majority => frequent.next(),
        };
        tie |= rule == StageRule::Majority && frequent.next().is_some();
        possible.extend(stage);
    }
    (possible, tie)
}

/// A dimension of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dimension {
    /// Its id.
    pub id: String,
    /// Its weight in points of 100.
    pub weight: i64,
}

/// An item of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// The dimension it is of.
    pub dimension: String,
    /// The first stage it applies at.
    pub from: Stage,
}

/// The table of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Index {
    /// Dimensions whose items are known.
    pub dimensions: Vec<Dimension>,
    /// Their items.
    pub items: Vec<Item>,
    /// Points of dimensions that the source does not show.
    pub hidden: i64,
}

/// A range; low and high are equal where everything is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Range {
    /// With all that is missing as nothing.
    pub low: i64,
    /// With all that is missing as everything.
    pub high: i64,
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Origin {
    /// Measured from the fleet.
    Measured,
    /// Evidence that somebody entered and another person verified.
    Evidence,
}

/// An answer to an item, in thousandths of fulfilment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// How far it is fulfilled.
    pub per_mille: Range,
    /// Where it comes from.
    pub origin: Origin,
    /// What it rests on: two counts, or a document.
    pub basis: String,
}

/// A body to assess.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyInput {
    /// Name.
    pub name: String,
    /// Bodies of one level are compared.
    pub level: String,
    /// What its stage depends on.
    pub facts: Facts,
    /// Its stage by a document; it goes before what follows from facts.
    pub declared: Option<Stage>,
    /// Answers by item.
    pub answers: BTreeMap<String, Answer>,
}

/// A dimension of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scored {
    /// Dimension.
    pub dimension: String,
    /// Its weight in points.
    pub weight: i64,
    /// Thousandths of points.
    pub points: Range,
    /// Items that have an answer, of those that apply at some possible stage.
    pub answered: i64,
    /// Items that apply at some possible stage.
    pub items: i64,
}

/// A body assessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Assessed {
    /// Name.
    pub name: String,
    /// Level.
    pub level: String,
    /// Place by the lower end; bodies with one lower end share it.
    pub rank: i64,
    /// Stages that are possible.
    pub stages: BTreeSet<Stage>,
    /// Stage of each factor; nothing where a document declares the stage.
    pub factors: [Option<Stage>; 4],
    /// The stage was declared.
    pub declared: bool,
    /// A tie of factors was decided for the lower stage.
    pub tie: bool,
    /// Thousandths of points of the dimensions that are shown.
    pub shown: Range,
    /// With the dimensions that are not shown.
    pub total: Range,
    /// By dimension.
    pub dimensions: Vec<Scored>,
    /// Other bodies of its level.
    pub peers: i64,
    /// The mean lower end of its level without itself, cut.
    pub peers_low: Option<i64>,
}

/// Bodies in order of rank, then name.
///
/// # Errors
/// [`MeasureError`] for a body twice, an answer outside 0 to 1000 and sums out of range.
pub fn assess(index: &Index, bodies: &[BodyInput], rule: StageRule) -> Result<Vec<Assessed>, MeasureError> {
    let mut all: Vec<Assessed> = bodies.iter().map(|body| one(index, body, rule)).collect::<Result<_, _>>()?;
    all.sort_by(|a, b| (-a.shown.low, &a.name).cmp(&(-b.shown.low, &b.name)));
    let mut names: Vec<&str> = all.iter().map(|body| body.name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(MeasureError::Repeated { what: "body", name: twice[0].to_owned() });
    }
    let mut levels: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for body in &all {
        let (count, sum) = levels.entry(body.level.clone()).or_default();
        *count += 1;
        *sum = sum.checked_add(body.shown.low).ok_or(OUT)?;
    }
    let lows: Vec<i64> = all.iter().map(|body| body.shown.low).collect();
    for body in &mut all {
        let above = lows.iter().filter(|low| **low > body.shown.low).count();
        body.rank = i64::try_from(above).map_err(|_| OUT)? + 1;
        let (count, sum) = levels.get(&body.level).copied().unwrap_or((1, body.shown.low));
        body.peers = count - 1;
        body.peers_low = (sum - body.shown.low).checked_div(count - 1);
    }
    Ok(all)
}

/// Ends of a body at one stage as exact fractions: numerators by dimension, and their denominator in thousandths.
struct AtStage {
    low: Vec<i128>,
    high: Vec<i128>,
    denominator: i128,
}

fn one(index: &Index, body: &BodyInput, rule: StageRule) -> Result<Assessed, MeasureError> {
    let valid = |answer: &Answer| 0 <= answer.per_mille.low && answer.per_mille.low <= answer.per_mille.high;
    if body.answers.values().any(|answer| !valid(answer) || answer.per_mille.high > 1000) {
        return Err(OUT);
    }
    let factors = if body.declared.is_some() { [None; 4] } else { body.facts.stages() };
    let (possible, tie) = match body.declared {
        Some(stage) => ([stage].into(), false),
        None => stages(factors, rule),
    };
    let ends: Vec<AtStage> = possible.iter().map(|stage| at(index, body, *stage)).collect::<Result<_, _>>()?;
    let total = |parts: &[i128], denominator: i128| -> Result<i64, MeasureError> {
        let sum = parts.iter().try_fold(0_i128, |sum, part| sum.checked_add(*part)).ok_or(OUT)?;
        i64::try_from((sum * 2 + denominator) / (denominator * 2)).map_err(|_| OUT)
    };
    let names: Vec<String> = (0..index.dimensions.len()).map(|at| format!("{at:03}")).collect();
    let split = |parts: &[i128], sum: i64| -> Result<Vec<i64>, MeasureError> {
        let weights: Vec<(&str, i128)> = names.iter().map(String::as_str).zip(parts.iter().copied()).collect();
        apportion(sum, &weights, WHAT)
    };
    // The stage that makes the end: the least of the lower ones and the greatest of the upper ones.
    let mut low: Option<(i64, &AtStage)> = None;
    let mut high: Option<(i64, &AtStage)> = None;
    for end in &ends {
        let (least, most) = (total(&end.low, end.denominator)?, total(&end.high, end.denominator)?);
        if low.is_none_or(|(low, _)| least < low) {
            low = Some((least, end));
        }
        if high.is_none_or(|(high, _)| most > high) {
            high = Some((most, end));
        }
    }
    let ((low, low_end), (high, high_end)) = low.zip(high).ok_or(OUT)?;
    let (lows, highs) = (split(&low_end.low, low)?, split(&high_end.high, high)?);
    let applies = |item: &&Item| possible.last().is_some_and(|last| item.from <= *last);
    let dimensions = index.dimensions.iter().zip(lows.iter().zip(&highs)).map(|(dimension, (low, high))| {
        let own = || index.items.iter().filter(applies).filter(|item| item.dimension == dimension.id);
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Scored {
            dimension: dimension.id.clone(),
            weight: dimension.weight,
            points: Range { low: *low, high: *high },
            answered: count(own().filter(|item| body.answers.contains_key(&item.id)).count()),
            items: count(own().count()),
        }
    });
    let hidden = index.hidden.checked_mul(MILLI).ok_or(OUT)?;
    Ok(Assessed {
        name: body.name.clone(),
        level: body.level.clone(),
        rank: 0,
        factors,
        declared: body.declared.is_some(),
        tie,
        shown: Range { low, high },
        total: Range { low, high: high.checked_add(hidden).ok_or(OUT)? },
        dimensions: dimensions.collect(),
        stages: possible,
        peers: 0,
        peers_low: None,
    })
}

/// What a body's answers come to at a stage.
fn at(index: &Index, body: &BodyInput, stage: Stage) -> Result<AtStage, MeasureError> {
    let own = |dimension: &Dimension| {
        let of = |item: &&Item| item.dimension == dimension.id && item.from <= stage;
        index.items.iter().filter(of).collect::<Vec<_>>()
    };
    let items: Vec<Vec<&Item>> = index.dimensions.iter().map(own).collect();
    // A common denominator of all dimensions; few items make it small.
    let counts = items.iter().map(|items| i128::try_from(items.len().max(1)));
    let denominator = counts.clone().try_fold(1_i128, |all, n| n.map_err(|_| OUT).map(|n| all / gcd(all, n) * n))?;
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for (dimension, items) in index.dimensions.iter().zip(items) {
        let (mut least, mut most) = (0_i64, 0_i64);
        for item in &items {
            let answer = body.answers.get(&item.id).map_or(Range { low: 0, high: 1000 }, |answer| answer.per_mille);
            least += answer.low;
            most += answer.high;
        }
        // No item applies: all of the dimension is open.
        if items.is_empty() {
            most = 1000;
        }
        let scale = denominator / i128::try_from(items.len().max(1)).map_err(|_| OUT)?;
        let points = |sum: i64| i128::from(dimension.weight) * i128::from(sum) * scale;
        low.push(points(least));
        high.push(points(most));
    }
    Ok(AtStage { low, high, denominator })
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two dimensions of 60 and 25 points with 3 and 2 items, the last of each only for innovation; 15 are hidden.
    fn index() -> Index {
        let item = |id: &str, dimension: &str, from| Item { id: id.into(), dimension: dimension.into(), from };
        Index {
            dimensions: vec![Dimension { id: "a".into(), weight: 60 }, Dimension { id: "b".into(), weight: 25 }],
            items: vec![
                item("a1", "a", Stage::Basic),
                item("a2", "a", Stage::Basic),
                item("a3", "a", Stage::Innovation),
                item("b1", "b", Stage::Basic),
                item("b2", "b", Stage::Innovation),
            ],
            hidden: 15,
        }
    }

    fn answer(low: i64, high: i64) -> Answer {
        Answer { per_mille: Range { low, high }, origin: Origin::Evidence, basis: String::new() }
    }

    fn body(name: &str, stage: Option<Stage>, answers: &[(&str, i64, i64)]) -> BodyInput {
        BodyInput {
            name: name.into(),
            level: "City".into(),
            declared: stage,
            answers: answers.iter().map(|(id, low, high)| ((*id).to_owned(), answer(*low, *high))).collect(),
            ..BodyInput::default()
        }
    }

    fn range(low: i64, high: i64) -> Range {
        Range { low, high }
    }

    #[test]
    fn factors_change_stage_at_the_values_of_the_paper() {
        let of = |population, gdp, universities| {
            let facts = Facts {
                population: Some(population),
                gdp_million: Some(gdp),
                universities: Some(universities),
                infrastructure: None,
            };
            facts.stages().map(|stage| stage.map_or('?', |stage| format!("{stage:?}").chars().next().unwrap()))
        };
        assert_eq!(of(4_999_999, 99_999, 4), ['B', 'B', 'B', '?']);
        assert_eq!(of(5_000_000, 100_000, 5), ['D', 'D', 'D', '?']);
        assert_eq!(of(9_999_999, 499_999, 9), ['D', 'D', 'D', '?']);
        assert_eq!(of(10_000_000, 500_000, 10), ['I', 'I', 'I', '?']);
    }

    #[test]
    fn the_rule_and_the_tie_decide_a_mixed_body() {
        let (basic, innovation) = (Some(Stage::Basic), Some(Stage::Innovation));
        let mixed = [innovation, basic, innovation, basic];
        assert_eq!(stages(mixed, StageRule::Lowest), ([Stage::Basic].into(), false));
        assert_eq!(stages(mixed, StageRule::Majority), ([Stage::Basic].into(), true));
        let three = [innovation, basic, innovation, innovation];
        assert_eq!(stages(three, StageRule::Majority), ([Stage::Innovation].into(), false));
        assert_eq!(stages([None, basic, None, None], StageRule::Lowest), ([Stage::Basic].into(), false));
        assert_eq!(stages([None; 4], StageRule::Lowest).0, Stage::ALL.into());
        // Three alike are the majority whatever the fourth is.
        assert_eq!(
            stages([None, innovation, innovation, innovation], StageRule::Majority).0,
            [Stage::Innovation].into()
        );
    }

    #[test]
    fn what_is_missing_stays_in_the_denominator_and_widens_the_range() {
        let all = assess(&index(), &[body("x", Some(Stage::Basic), &[("a1", 500, 500)])], StageRule::Lowest).unwrap();
        // 60 x (0.5 + 0..1) / 2 and 25 x 0..1.
        assert_eq!(all[0].dimensions[0].points, range(15_000, 45_000));
        assert_eq!(all[0].dimensions[1].points, range(0, 25_000));
        assert_eq!((all[0].shown, all[0].total), (range(15_000, 70_000), range(15_000, 85_000)));
        assert_eq!((all[0].dimensions[0].answered, all[0].dimensions[0].items), (1, 2));
        let none = assess(&index(), &[body("x", None, &[])], StageRule::Lowest).unwrap();
        assert_eq!((none[0].shown, none[0].total), (range(0, 85_000), range(0, 100_000)));
    }

    #[test]
    fn an_open_stage_takes_the_worst_and_the_best_of_those_possible() {
        let answers = [("a1", 1000, 1000), ("a2", 1000, 1000), ("a3", 0, 0), ("b1", 1000, 1000), ("b2", 0, 0)];
        let at = |stage| assess(&index(), &[body("x", stage, &answers)], StageRule::Lowest).unwrap()[0].shown;
        assert_eq!(at(Some(Stage::Basic)), range(85_000, 85_000));
        // 60 x 2/3 and 25 x 1/2.
        assert_eq!(at(Some(Stage::Innovation)), range(52_500, 52_500));
        assert_eq!(at(None), range(52_500, 85_000));
    }

    #[test]
    fn bodies_are_ranked_by_the_lower_end_and_share_a_place() {
        let of = |name: &str, low| body(name, Some(Stage::Basic), &[("b1", low, 1000)]);
        let mut other = of("d", 100);
        other.level = "County".into();
        let all = assess(&index(), &[of("c", 800), of("b", 200), of("a", 200), other], StageRule::Lowest).unwrap();
        let told: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.rank, one.peers, one.peers_low)).collect();
        assert_eq!(
            told,
            [("c", 1, 2, Some(5_000)), ("a", 2, 2, Some(12_500)), ("b", 2, 2, Some(12_500)), ("d", 4, 0, None)]
        );
        assert!(assess(&index(), &[of("a", 0), of("a", 0)], StageRule::Lowest).is_err());
        assert!(assess(&index(), &[body("a", None, &[("a1", 0, 1001)])], StageRule::Lowest).is_err());
    }

    proptest! {
        #[test]
        fn dimensions_add_up_ranges_hold_and_more_evidence_never_widens_one(
            answers in prop::collection::btree_map(0usize..5, (0i64..=1000, 0i64..=1000), 0..6),
            more in (0usize..5, 0i64..=1000),
            stage in 0usize..4,
        ) {
            let ids = ["a1", "a2", "a3", "b1", "b2"];
            let stage = Stage::ALL.get(stage).copied();
            let given: Vec<_> = answers.iter().map(|(at, (x, y))| (ids[*at], *x.min(y), *x.max(y))).collect();
            let before = assess(&index(), &[body("x", stage, &given)], StageRule::Lowest).unwrap().remove(0);
            let sum = |end: fn(&Range) -> i64| before.dimensions.iter().map(|one| end(&one.points)).sum::<i64>();
            prop_assert_eq!((sum(|r| r.low), sum(|r| r.high)), (before.shown.low, before.shown.high));
            prop_assert!(0 <= before.shown.low && before.shown.low <= before.shown.high && before.shown.high <= 85_000);
            prop_assert!(before.dimensions.iter().all(|one| one.points.low <= one.points.high && one.points.high <= one.weight * 1000 + 1));
            let mut again = body("x", stage, &given);
            again.answers.entry(ids[more.0].to_owned()).or_insert_with(|| answer(more.1, more.1));
            let after = assess(&index(), &[again], StageRule::Lowest).unwrap().remove(0);
            prop_assert!(before.shown.low <= after.shown.low && after.shown.high <= before.shown.high);
        }
    }
}
