//! The fleet of each day to come, as its files and dated changes say: what a simulation starts from every morning.
//!
//! Days without a change share the objects of the day before; only what depends on the date (evidence, checks of tiers,
//! firewalls, figures, prices, adoption) is asked anew. Nothing is decided and nothing is drawn by chance here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use jiuzhou_api::study::DatedChange;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::{FleetInput, Spec, WorkloadKey};
use jiuzhou_engine::step::Continuity;
use jiuzhou_engine::terms::{Code, Finding, Reason};
use jiuzhou_measure::adoption::{self, FigureId, Settings};
use jiuzhou_measure::expiry::Expiring;
use jiuzhou_measure::{MeasureError, Month, Ratio};

use super::{Supposed, placed};
use crate::beijing;
use crate::convert::{self, Base};
use crate::documents::Document;
use crate::figures::{self, Rates, Scene};
use crate::load::{Fleet, Input, LoadError, Options};

/// The fleet from an instant on.
#[derive(Clone, Debug)]
pub struct Morning {
    /// The first instant of a day.
    pub at: Timestamp,
    /// Everything but workloads.
    pub fleet: FleetInput,
    /// The workloads, where they may be others than the morning before.
    pub specs: Option<Vec<Spec>>,
    /// How they may be moved, and whether they stop by themselves where nobody reaches them.
    pub traits: BTreeMap<WorkloadKey, (Continuity, bool)>,
    /// Clusters lost for good.
    pub lost: BTreeSet<String>,
    /// What clusters draw and cost.
    pub rates: Rates,
    /// Systems on the cloud of all, by evidence.
    pub adoption: Ratio,
}

/// Days to come.
#[derive(Clone, Debug, Default)]
pub struct Days {
    /// One for each day.
    pub mornings: Vec<Morning>,
    /// Proofs that run out in these days.
    pub expiring: Vec<Expiring>,
    /// What is wrong with the changes, or with the files because of them.
    pub findings: Vec<Finding>,
}

/// Days cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum DaysError {
    /// As reading the files.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The register is beyond what can be counted.
    #[error(transparent)]
    Measure(#[from] MeasureError),
}

impl Input {
    /// The fleet of so many days from a midnight on. `changes` stand in `document` at `/spec/changes`.
    ///
    /// # Errors
    /// [`DaysError`] when nothing can be loaded or counted.
    pub fn days(
        &self,
        start: Timestamp,
        days: u32,
        changes: &[DatedChange],
        document: Option<&Document>,
        options: &Options,
    ) -> Result<Days, DaysError> {
        let (mut told, mut known) = (Days::default(), Vec::new());
        let mut by_day = dated(changes, start, days, document, &mut told.findings);
        let mut input = self.clone();
        let mut supposed = Supposed::default();
        let mut built: Option<(Fleet, Base)> = None;
        let mut rates: Option<(Option<Month>, Rates)> = None;
        for day in 0..days {
            let at = morning(start, day);
            let numbers = by_day.remove(&day);
            if let (Some(numbers), Some(document)) = (&numbers, document) {
                for number in numbers {
                    let Some(change) = changes.get(*number) else { continue };
                    let list = placed(&change.make, document, &format!("/spec/changes/{number}/make"));
                    let (other, effects) = input.supposing(&list, at, &mut told.findings);
                    input = other;
                    supposed.lost.extend(effects.lost);
                    supposed.emergency.extend(effects.emergency);
                }
                built = None;
            }
            let anew = built.is_none();
            let (fleet, base) = match built.take() {
                Some(same) => same,
                None => {
                    let fleet = input.clone().build(&Options { as_of: at, ..options.clone() })?;
                    let base = Base::new(&fleet.objects, at, &mut Vec::new());
                    (fleet, base)
                }
            };
            // What was wrong before is told by whoever reads the files; here stands what a day brings.
            if day == 0 {
                known.clone_from(&fleet.findings);
            } else if anew {
                let new = fleet.findings.iter().filter(|one| !known.contains(one) && !told.findings.contains(one));
                let new: Vec<Finding> = new.cloned().collect();
                told.findings.extend(new);
            }
            let month = Month::of(at).ok();
            let rates = match rates.take().filter(|(of, _)| !anew && *of == month) {
                Some(same) => rates.insert(same),
                None => rates.insert((month, figures::rates(&fleet, at))),
            };
            told.mornings.push(Morning {
                at,
                fleet: told_at(&fleet, &base, at, anew),
                specs: anew.then(|| specs(&fleet, &supposed)),
                traits: traits(&fleet),
                lost: supposed.lost.clone(),
                rates: rates.1.clone(),
                adoption: measured(&fleet, at)?,
            });
            let (from, until) = (at, morning(start, day + 1));
            let expiring = figures::expiring(&fleet.objects, at);
            told.expiring.extend(expiring.into_iter().filter(|one| from <= one.ends && one.ends < until));
            built = Some((fleet, base));
        }
        told.findings.sort_by_cached_key(Finding::sort_key);
        told.findings.dedup();
        Ok(told)
    }
}

/// The first instant of a day, counted from 0.
fn morning(start: Timestamp, day: u32) -> Timestamp {
    start.saturating_add(SignedDuration::from_hours(24 * i64::from(day))).unwrap_or(Timestamp::MAX)
}

/// Numbers of changes by the day they are made on. One outside of the days is a finding: it would do nothing.
fn dated(
    changes: &[DatedChange],
    start: Timestamp,
    days: u32,
    document: Option<&Document>,
    findings: &mut Vec<Finding>,
) -> BTreeMap<u32, Vec<usize>> {
    let mut by_day: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let first = beijing::day(start);
    let last = beijing::day(morning(start, days.saturating_sub(1)));
    for (number, change) in changes.iter().enumerate() {
        let day = change.from.parse::<Date>().ok().and_then(|on| {
            let after = first.until(on).ok()?.get_days();
            u32::try_from(after).ok().filter(|day| *day < days)
        });
        match (day, document) {
            (Some(day), _) => by_day.entry(day).or_default().push(number),
            (None, Some(document)) => {
                let wanted = format!("{first} … {last}");
                let reason = Reason::new(Code::FormatInvalid).object("from").seen(&*change.from.0).wanted(wanted);
                findings.push(document.finding(reason, &format!("/spec/changes/{number}/from")));
            }
            (None, None) => {}
        }
    }
    by_day
}

/// What the engine is told on a day, without workloads.
fn told_at(fleet: &Fleet, base: &Base, at: Timestamp, anew: bool) -> FleetInput {
    let mut told = FleetInput { specs: Vec::new(), ..fleet.converted.fleet.clone() };
    if !anew {
        for cluster in &mut told.clusters {
            if let Some(now) = base.cluster(&fleet.objects, &cluster.name, at, &mut Vec::new()) {
                *cluster = now;
            }
        }
    }
    told
}

fn specs(fleet: &Fleet, supposed: &Supposed) -> Vec<Spec> {
    let mut specs = fleet.converted.fleet.specs.clone();
    // What is lost is the simulation's to lose.
    Supposed { lost: BTreeSet::new(), emergency: supposed.emergency.clone() }.tell(&mut specs);
    specs
}

fn traits(fleet: &Fleet) -> BTreeMap<WorkloadKey, (Continuity, bool)> {
    let of = |item: &crate::objects::Item<api::FleetWorkload>| {
        let key = WorkloadKey::new(&item.document.namespace, &item.document.name);
        let spec = fleet.snapshot.spec(&key).map(|spec| &**spec);
        let fenced = item.object.spec.fence == api::Fence::SelfFence;
        (key.clone(), (convert::continuity(&item.object, spec), fenced))
    };
    fleet.objects.workloads.values().map(of).collect()
}

fn measured(fleet: &Fleet, at: Timestamp) -> Result<Ratio, MeasureError> {
    let settings = Settings { as_of: at, minimum_ready_days: figures::minimum_days(&fleet.objects, at) };
    let report = adoption::adoption(&figures::register(&Scene::from(fleet), at), settings)?;
    Ok(report.whole.figure(FigureId::AdoptionMeasured).ratio)
}
