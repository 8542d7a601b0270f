//! The input of an assessment: the index from its tables, what the fleet measures itself, and what bodies prove.
//!
//! Four items are measured: the cloud ratio, the share of evaluated domestic CPU (multi-source architecture), valid 等保
//! reports (technical protection) and kept limits of machine rooms (dual carbon). Evidence of an item that is measured is
//! not used. Evidence counts while it holds and once another person has verified it, as everywhere. The stage follows
//! from facts for prefecture-level cities only, because the paper gives values for no others.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiuzhou_api::study::{AssessmentEvidence, AssessmentStage, Infrastructure, ItemEvidence};
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Digest, Finding, Reason};
use jiuzhou_measure::adoption::{AdoptionReport, FigureId, Settings, adoption};
use jiuzhou_measure::assessment::{
    Answer, Assessed, BodyInput, Dimension, Facts, Index, Item as IndexItem, Origin, Range, Stage, StageRule, assess,
};
use jiuzhou_measure::energy::{Account, account};
use jiuzhou_measure::sovereignty::{Graded, Grades};
use jiuzhou_measure::{MeasureError, Month, Period, Ratio, Scope};
use serde_json::json;

use super::ask::Ask;
use super::bodies::Bodies;
use super::sovereignty::graded;
use super::{Scene, day, energy, minimum_days, register, today};
use crate::builtin::rows;
use crate::objects::{Item, Items, named};

/// An assessment, and what there is to say of its evidence.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// Bodies by rank.
    pub bodies: Vec<Assessed>,
    /// What each was assessed from, by name.
    pub inputs: BTreeMap<String, BodyInput>,
    /// The index.
    pub index: Index,
    /// The rule of stages.
    pub rule: StageRule,
    /// The days and the scope that were asked for.
    pub subject: String,
    /// Evidence that does not count.
    pub findings: Vec<Finding>,
    /// Digest of the evidence.
    pub entered: Digest,
}

/// The evaluation index as the built-in tables have it.
#[must_use]
pub fn index() -> Index {
    let dimensions: Vec<Dimension> = rows(&jiuzhou_data::ASSESSMENT_DIMENSIONS)
        .filter_map(|row| {
            Some(Dimension { id: (*row.get("id")?).to_owned(), weight: row.get("weight")?.parse().ok()? })
        })
        .collect();
    let item = |row: BTreeMap<&'static str, &'static str>| {
        let from = match *row.get("ticks")? {
            "3" => Stage::Basic,
            "2" => Stage::Development,
            _ => Stage::Innovation,
        };
        Some(IndexItem { id: (*row.get("id")?).to_owned(), dimension: (*row.get("dimension")?).to_owned(), from })
    };
    let shown: i64 = dimensions.iter().map(|dimension| dimension.weight).sum();
    Index { dimensions, items: rows(&jiuzhou_data::ASSESSMENT_ITEMS).filter_map(item).collect(), hidden: 100 - shown }
}

/// Assesses the bodies that are asked for: those with evidence, and those that have bodies below them by locality (块).
///
/// # Errors
/// [`MeasureError`] for sums out of range and inputs that contradict themselves.
pub fn assessment(
    scene: &Scene<'_>,
    ask: &Ask,
    now: Timestamp,
    evidence: &Items<AssessmentEvidence>,
    rule: StageRule,
) -> Result<Assessment, MeasureError> {
    let as_of = ask.as_of(now);
    let (index, names) = (index(), Bodies::on(scene.objects, today(as_of)));
    let all = names.all(scene.objects);
    let called = |bodies: &BTreeSet<String>| bodies.iter().map(|name| names.now(name)).collect();
    let scope = Scope { blocks: called(&ask.scope.blocks), lines: called(&ask.scope.lines), ..ask.scope.clone() };
    let within = scope.bodies(&all);
    let mut findings = Vec::new();
    let mut inputs: BTreeMap<String, BodyInput> = BTreeMap::new();
    let parents: BTreeSet<&str> = all.iter().filter_map(|body| body.block_parent.as_deref()).collect();
    let told = evidence.values().map(|item| names.now(&item.object.spec.tenant));
    let told: BTreeSet<String> = told.chain(scope.blocks.iter().cloned()).collect();
    for body in &all {
        let asked = within.as_ref().is_none_or(|within| within.contains(&body.name));
        if asked && (parents.contains(body.name.as_str()) || told.contains(&body.name)) {
            let own = BodyInput { name: body.name.clone(), level: body.level.clone(), ..BodyInput::default() };
            inputs.insert(body.name.clone(), own);
        }
    }
    let measured = Measured::of(scene, as_of, ask)?;
    for (name, input) in &mut inputs {
        let below = Scope { blocks: [name.clone()].into(), ..Scope::default() }.bodies(&all).unwrap_or_default();
        let region = named(&scene.objects.tenants, name).map_or("", |item| &*item.object.spec.region);
        input.answers = measured.answers(scene, name, &below, region)?;
    }
    for item in evidence.values() {
        let name = names.now(&item.object.spec.tenant);
        if let Some(input) = inputs.get_mut(&name) {
            let proof = Proof { item, index: &index, today: today(as_of) };
            proof.take(scene, input, &mut findings);
        } else if !all.iter().any(|body| body.name == name) {
            let known: Vec<String> = all.iter().map(|body| body.name.clone()).take(12).collect();
            let reason = Reason::new(Code::ReferenceUnknown).object(format!("Tenant/{name}"));
            let reason = reason.seen(item.document.object_ref().to_string()).wanted(known);
            findings.push(item.document.finding(reason, "/spec/tenant"));
        }
    }
    let bodies: Vec<BodyInput> = inputs.values().cloned().collect();
    let entered = json!(evidence.values().map(|item| json!(item.object.spec)).collect::<Vec<_>>());
    Ok(Assessment {
        bodies: assess(&index, &bodies, rule)?,
        inputs,
        index,
        rule,
        subject: ask.subject(),
        findings,
        entered: Digest::sha256(entered.to_string().as_bytes()),
    })
}

/// What the fleet measures of all bodies.
struct Measured {
    adoption: AdoptionReport,
    /// 等保 by body.
    graded: BTreeMap<String, Vec<Graded>>,
    rooms: Option<Account>,
    today: Date,
}

impl Measured {
    fn of(scene: &Scene<'_>, as_of: Timestamp, ask: &Ask) -> Result<Self, MeasureError> {
        let minimum_ready_days = ask.minimum_days.max(minimum_days(scene.objects, as_of));
        let adoption = adoption(&register(scene, as_of), Settings { as_of, minimum_ready_days })?;
        let mut by_body: BTreeMap<String, Vec<Graded>> = BTreeMap::new();
        for one in graded(scene, as_of) {
            by_body.entry(one.body).or_default().push(one.protection);
        }
        let month = Month::of(as_of).ok().and_then(|month| {
            let ended = month.end().as_second() <= as_of.as_second().saturating_add(1);
            if ended { Some(month) } else { month.previous().ok() }
        });
        let rooms = month.map(|month| account(&energy(scene, Period::month(month), as_of))).transpose()?;
        Ok(Self { adoption, graded: by_body, rooms, today: today(as_of) })
    }

    fn answers(
        &self,
        scene: &Scene<'_>,
        name: &str,
        below: &BTreeSet<String>,
        region: &str,
    ) -> Result<BTreeMap<String, Answer>, MeasureError> {
        let mut answers = BTreeMap::new();
        let mut put = |item: &str, low: Ratio, high: Ratio| {
            if let (Some(least), Some(most)) = (low.per_mille(), high.per_mille()) {
                let per_mille = Range { low: least.0, high: most.0 };
                let basis = if low == high {
                    format!("{}/{}", low.numerator, low.denominator)
                } else {
                    format!("{}–{}/{}", low.numerator, high.numerator, low.denominator)
                };
                answers.insert(item.to_owned(), Answer { per_mille, origin: Origin::Measured, basis });
            }
        };
        if let Some(own) = self.adoption.by_block.get(name) {
            let ratio = |id: FigureId| own.figure(id).ratio;
            put("cloud-ratio", ratio(FigureId::AdoptionMeasured), ratio(FigureId::AdoptionMeasured));
            put("multi-source", ratio(FigureId::DomesticAssessed), ratio(FigureId::DomesticAssessed));
        }
        let mut grades = Grades::default();
        for graded in below.iter().filter_map(|body| self.graded.get(body)).flatten() {
            grades.count(*graded, self.today);
        }
        let holding = Ratio::new(grades.holding(), grades.systems());
        put("technical-protection", holding, holding);
        let here = Scope { regions: [region.to_owned()].into(), ..Scope::default() };
        let (mut kept, mut open, mut limits) = (0, 0, 0);
        for site in self.rooms.iter().flat_map(|rooms| &rooms.sites) {
            let at = named(&scene.objects.sites, &site.site.name).map_or("", |item| &*item.object.spec.region);
            if region.is_empty() || !here.covers(at) {
                continue;
            }
            for verdict in &site.verdicts {
                limits += 1;
                kept += i64::from(verdict.kept == Some(true));
                open += i64::from(verdict.kept.is_none());
            }
        }
        put("dual-carbon", Ratio::new(kept, limits), Ratio::new(kept + open, limits));
        Ok(answers)
    }
}

/// One file of evidence.
struct Proof<'a> {
    item: &'a Item<AssessmentEvidence>,
    index: &'a Index,
    today: Date,
}

impl Proof<'_> {
    fn take(&self, scene: &Scene<'_>, input: &mut BodyInput, findings: &mut Vec<Finding>) {
        let spec = &self.item.object.spec;
        let mut tell = |reason: Reason, pointer: &str| findings.push(self.item.document.finding(reason, pointer));
        let tenant = named(&scene.objects.tenants, &input.name).map(|item| &item.object.spec);
        let city = tenant.is_some_and(|tenant| {
            tenant.level == api::TenantLevel::City && tenant.region.ends_with("00") && !tenant.region.ends_with("0000")
        });
        if let Some(declared) = &spec.stage {
            input.declared.get_or_insert(stage(declared.stage));
        } else if city {
            if input.facts == Facts::default() {
                input.facts = facts(&spec.facts);
            }
        } else if input.declared.is_none() {
            tell(Reason::new(Code::AssessmentStageOpen).object(input.name.as_str()), "/spec");
        }
        for (at, one) in spec.items.iter().enumerate() {
            let pointer = format!("/spec/items/{at}");
            match self.answer(one, input) {
                Ok(answer) => drop(input.answers.insert(one.item.to_string(), answer)),
                Err(reason) => tell(reason.object(&*one.item), &pointer),
            }
        }
    }

    fn answer(&self, one: &ItemEvidence, input: &BodyInput) -> Result<Answer, Reason> {
        if !self.index.items.iter().any(|item| item.id == *one.item) {
            let known: Vec<String> = self.index.items.iter().map(|item| item.id.clone()).collect();
            return Err(Reason::new(Code::AssessmentItemUnknown).wanted(known));
        }
        match input.answers.get(&*one.item).map(|answer| (answer.origin, answer.basis.as_str())) {
            Some((Origin::Measured, basis)) => return Err(Reason::new(Code::AssessmentMeasured).seen(basis)),
            Some((Origin::Evidence, basis)) => return Err(Reason::new(Code::AssessmentRepeated).seen(basis)),
            None => {}
        }
        if let Some(until) = day(one.valid_until.as_deref()).filter(|until| *until < self.today) {
            return Err(Reason::new(Code::TermExpired).seen(until.to_string()));
        }
        let other = one.verified_by.as_ref().is_some_and(|by| one.entered_by.as_ref().is_some_and(|own| own != by));
        if !other || day(one.verified_on.as_deref()).is_none_or(|on| on > self.today) {
            return Err(Reason::new(Code::AssessmentUnverified));
        }
        let end = i64::from(one.per_mille);
        let per_mille = Range { low: end, high: end };
        Ok(Answer { per_mille, origin: Origin::Evidence, basis: one.document.number.to_string() })
    }
}

fn stage(stage: AssessmentStage) -> Stage {
    match stage {
        AssessmentStage::Basic => Stage::Basic,
        AssessmentStage::Development => Stage::Development,
        AssessmentStage::Innovation => Stage::Innovation,
    }
}

fn facts(facts: &jiuzhou_api::study::StageFacts) -> Facts {
    let infrastructure = facts.infrastructure.map(|base| match base {
        Infrastructure::Weak => Stage::Basic,
        Infrastructure::Certain => Stage::Development,
        Infrastructure::Strong => Stage::Innovation,
    });
    Facts {
        population: facts.population,
        gdp_million: facts.gdp_million_yuan,
        universities: facts.universities.map(i64::from),
        infrastructure,
    }
}
