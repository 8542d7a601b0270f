//! The figures a report asks for, made of a scene: what `jiuzhou report` and the operator both print.
//!
//! Beside the figures stands a digest of what people had entered for the period, without what was observed: by it an
//! entry that came later is told from a fleet that simply went on living.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Digest, Finding};
use jiuzhou_measure::adoption::{AdoptionReport, FigureId, Settings, adoption};
use jiuzhou_measure::assessment::StageRule;
use jiuzhou_measure::cost::Settlement;
use jiuzhou_measure::energy::{Account, AccountInput, account};
use jiuzhou_measure::{LeftOut, MeasureError, Scope};
use serde_json::{Value, json};

use super::ask::Ask;
use super::bodies::Bodies;
use super::settlement::last_day;
use super::{
    Assessment, Register, Scene, Settled, Sovereignty, assessment, energy, findings, register, settled, sovereignty,
    today,
};
use crate::invoices::Papers;
use crate::objects::Items;

/// Figures of one type.
#[derive(Clone, Debug)]
pub enum Figures {
    /// Cloud adoption.
    Adoption(Box<AdoptionReport>),
    /// Energy.
    Energy(Box<Account>),
    /// A settlement.
    Settlement(Box<Settlement>),
    /// An assessment.
    Assessment(Box<Assessment>),
    /// Sovereignty.
    Sovereignty(Box<Sovereignty>),
}

/// Figures, and what there is to say of their inputs.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The figures.
    pub figures: Figures,
    /// The days and the scope it is of; for energy first the months that have ended.
    pub subject: String,
    /// What is missing or wrong.
    pub findings: Vec<Finding>,
    /// Digest of what was entered.
    pub entered: Digest,
}

/// Makes the figures; `None` while there is nothing to report on yet.
///
/// # Errors
/// [`MeasureError`] for sums out of range and inputs that contradict themselves.
pub fn answer(scene: &Scene<'_>, ask: &Ask, now: Timestamp) -> Result<Option<Answer>, MeasureError> {
    let as_of = ask.as_of(now);
    match ask.kind {
        api::ReportType::Adoption => {
            let names = Bodies::on(scene.objects, today(as_of));
            let register = on_day(&ask.scope, &names).of_register(register(scene, as_of));
            let settings = Settings { as_of, minimum_ready_days: ask.minimum_days };
            let report = adoption(&register, settings)?;
            let notes = notes(&report);
            let findings = findings(scene.objects, notes);
            let entered = digest(&register_entries(&register));
            let subject = ask.subject();
            Ok(Some(Answer { figures: Figures::Adoption(Box::new(report)), subject, findings, entered }))
        }
        api::ReportType::Energy => {
            let Some(period) = ask.months(now) else { return Ok(None) };
            // Whom is asked about goes by the names that the account has: those of the last day of the months.
            let names = Bodies::on(scene.objects, last_day(period));
            let scope = on_day(&ask.scope, &names);
            let mut input = energy(scene, period, as_of);
            input.sites.retain(|site| {
                let region = scene.objects.sites.get(&(String::new(), site.reference.name.clone()));
                let region = region.map_or("", |item| &*item.object.spec.region);
                scope.covers(region) && (scope.sites.is_empty() || scope.sites.contains(&site.reference.name))
            });
            let mut account = account(&input)?;
            if let Some(tenants) = scope.bodies(&names.all(scene.objects)) {
                account = account.of_tenants(&tenants)?;
                let left: BTreeSet<_> = account.sites.iter().map(|site| site.site.clone()).collect();
                input.sites.retain(|site| left.contains(&site.reference));
            }
            let findings = findings(scene.objects, account.sites.iter().flat_map(|site| &site.notes));
            let entered = digest(&energy_entries(&input));
            let subject = format!("{period} ({})", ask.subject());
            Ok(Some(Answer { figures: Figures::Energy(Box::new(account)), subject, findings, entered }))
        }
        // A report that is kept has no papers beside it.
        api::ReportType::Settlement => {
            let settled = settled(scene, ask, now, &Papers::default())?;
            Ok(settled.map(|Settled { settlement, subject, findings, entered }| Answer {
                figures: Figures::Settlement(Box::new(settlement)),
                subject,
                findings,
                entered,
            }))
        }
        // Evidence stands in files beside the resources; a hub knows what it measures itself.
        api::ReportType::Assessment => {
            let found = assessment(scene, ask, now, &Items::new(), StageRule::default())?;
            let (subject, findings, entered) = (found.subject.clone(), found.findings.clone(), found.entered);
            Ok(Some(Answer { figures: Figures::Assessment(Box::new(found)), subject, findings, entered }))
        }
        api::ReportType::Sovereignty => {
            let found = sovereignty(scene, ask, now, NonZeroUsize::MIN)?;
            let (subject, entered) = (ask.subject(), found.entered);
            Ok(Some(Answer { figures: Figures::Sovereignty(Box::new(found)), subject, findings: Vec::new(), entered }))
        }
    }
}

/// A scope by the names its bodies have on the day.
pub(super) fn on_day(scope: &Scope, names: &Bodies) -> Scope {
    let now = |bodies: &BTreeSet<String>| bodies.iter().map(|name| names.now(name)).collect();
    Scope { blocks: now(&scope.blocks), lines: now(&scope.lines), ..scope.clone() }
}

/// Everything the figures of the whole say of entries, for findings.
fn notes(report: &AdoptionReport) -> Vec<&LeftOut> {
    let whole = FigureId::ALL.iter().map(|id| report.whole.figure(*id));
    whole.flat_map(|figure| figure.left_out.iter().chain(&figure.not_counted)).chain(&report.notes).collect()
}

fn digest(entries: &Value) -> Digest {
    Digest::sha256(entries.to_string().as_bytes())
}

/// What the register says, without what was observed of its systems.
fn register_entries(register: &Register) -> Value {
    let exemption = |entry: &jiuzhou_measure::adoption::Entry| {
        entry
            .exemption
            .as_ref()
            .map(|one| json!([one.document, one.from.map(|day| day.to_string()), one.until.to_string()]))
    };
    let entries = register.entries.iter().map(|entry| {
        json!([
            entry.reference.to_string(),
            entry.project_code,
            entry.tenant,
            entry.function,
            entry.region,
            entry.hosting,
            entry.since.map(|day| day.to_string()),
            entry.lift_verified,
            exemption(entry),
        ])
    });
    let bodies = register.bodies.iter().map(|body| json!([body.name, body.block_parent, body.line_parent, body.level]));
    json!({ "bodies": bodies.collect::<Vec<_>>(), "systems": entries.collect::<Vec<_>>() })
}

/// Readings, bills, ratios, factors and certificates, without models and use.
fn energy_entries(input: &AccountInput) -> Value {
    let sites = input.sites.iter().map(|site| {
        let pools = site.clusters.iter().flat_map(|cluster| {
            cluster.pools.iter().map(|pool| json!([cluster.reference.name, pool.name, pool.metered]))
        });
        let factor = |used: &Option<jiuzhou_measure::energy::FactorUse>| {
            used.as_ref().map(|used| json!([used.factor.area, used.factor.year, used.factor.mg_per_kwh]))
        };
        let pues = site.pues.iter().map(|pue| json!([pue.value, format!("{:?}", pue.kind), pue.period]));
        json!([
            site.reference.name,
            site.it_meter,
            site.site_meter,
            site.bill,
            pues.collect::<Vec<_>>(),
            site.water,
            site.renewable_entered,
            factor(&site.average),
            factor(&site.residual),
            pools.collect::<Vec<_>>(),
        ])
    });
    let certificates =
        input.certificates.iter().filter(|one| input.period.contains(one.used_for)).map(|one| {
            json!([one.id, one.used_for, one.site, one.generated, one.energy, one.retired, one.usable_here])
        });
    json!({ "sites": sites.collect::<Vec<_>>(), "certificates": certificates.collect::<Vec<_>>() })
}
