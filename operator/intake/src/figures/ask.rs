//! What a `Report` asks for, once it is known to be allowed: type, Beijing days, scope; and what holds at an instant.
//!
//! A report of a namespace is over the tenant that owns it and everything below that tenant in either tree, and may only
//! narrow that. While its period runs a report speaks of now; when the period is over it speaks of the end, and when the
//! days of grace are over, too, it is frozen.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_measure::{Month, Period, Scope};

use super::bodies::Bodies;
use super::{day, today};
use crate::beijing;
use crate::convert::namespace_owners;
use crate::objects::{Objects, named};

/// Why a report cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nobody owns the namespace, so that there is nothing it may speak of.
    #[error("failed to find the tenant of namespace {0}")]
    NoTenant(String),
    /// An object that the scope names is not there.
    #[error("failed to find {kind} {name}")]
    Unknown {
        /// Kind.
        kind: &'static str,
        /// Name.
        name: String,
    },
    /// A tenant of the scope is not below the tenant of the namespace.
    #[error("failed to report on {0}: it is not below the tenant of the namespace")]
    TooWide(String),
    /// The period has no such day, or is not of whole months.
    #[error("failed to read the period: {0}")]
    Period(String),
}

impl Problem {
    /// The reason a condition gives, and the object its sentence names.
    #[must_use]
    pub fn told(&self) -> (ControllerReason, String) {
        match self {
            Self::NoTenant(namespace) => (ControllerReason::NamespaceUnowned, namespace.clone()),
            Self::Unknown { kind, name } => (ControllerReason::ReferenceMissing, format!("{kind} {name}")),
            Self::TooWide(name) => (ControllerReason::ScopeTooWide, name.clone()),
            Self::Period(period) => (ControllerReason::PeriodInvalid, period.clone()),
        }
    }
}

/// How far its period is at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not begun.
    Ahead,
    /// It runs, or its days of grace do.
    Open,
    /// Nothing counts any more that is entered now.
    Over,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Type.
    pub kind: api::ReportType,
    /// First Beijing day.
    pub from: Date,
    /// Last Beijing day.
    pub until: Date,
    /// Last Beijing day on which what is entered counts.
    pub closes: Date,
    /// Over what.
    pub scope: Scope,
    /// Days a cloud-native system must have run.
    pub minimum_days: i64,
}

impl Ask {
    /// Cloud adoption of everything as of an instant.
    #[must_use]
    pub fn adoption(as_of: Timestamp, minimum_days: i64) -> Self {
        let (kind, today) = (api::ReportType::Adoption, today(as_of));
        Self { kind, from: today, until: today, closes: today, scope: Scope::default(), minimum_days }
    }

    /// Energy of everything over a period, with all that is entered by an instant.
    #[must_use]
    pub fn energy(period: Period, as_of: Timestamp) -> Self {
        let (from, until) = (today(period.first().start()), today(period.last().end()));
        let until = until.yesterday().unwrap_or(until);
        let closes = today(as_of).max(until);
        Self { kind: api::ReportType::Energy, from, until, closes, scope: Scope::default(), minimum_days: 0 }
    }

    /// A settlement of everything over a period, with all that is entered by an instant.
    #[must_use]
    pub fn settlement(period: Period, as_of: Timestamp) -> Self {
        Self { kind: api::ReportType::Settlement, ..Self::energy(period, as_of) }
    }

    /// An assessment of everything as of an instant.
    #[must_use]
    pub fn assessment(as_of: Timestamp, minimum_days: i64) -> Self {
        Self { kind: api::ReportType::Assessment, ..Self::adoption(as_of, minimum_days) }
    }

    /// Sovereignty of everything as of an instant.
    #[must_use]
    pub fn sovereignty(as_of: Timestamp) -> Self {
        Self { kind: api::ReportType::Sovereignty, ..Self::adoption(as_of, 0) }
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        let today = today(now);
        match () {
            () if today < self.from => State::Ahead,
            () if today <= self.closes => State::Open,
            () => State::Over,
        }
    }

    /// The instant it speaks of at an instant: that one, but never later than the period reaches. What is entered about
    /// energy and prices in the days of grace is part of it, so there these belong to the period.
    #[must_use]
    pub fn as_of(&self, now: Timestamp) -> Timestamp {
        let last = match self.kind {
            api::ReportType::Energy | api::ReportType::Settlement => self.closes,
            api::ReportType::Adoption | api::ReportType::Sovereignty | api::ReportType::Assessment => self.until,
        };
        beijing::last_second(last).map_or(now, |last| last.min(now))
    }

    /// The months of the period that have ended; `None` while none has. A month that has not ended has no figures:
    /// modelling its rest would be a forecast.
    #[must_use]
    pub fn months(&self, now: Timestamp) -> Option<Period> {
        let month = |day: Date| Month::new(day.year(), day.month()).ok();
        // An instant that names a day by its last second ends it.
        let reached = now.as_second().saturating_add(1);
        let (first, mut last) = (month(self.from)?, month(self.until)?);
        while last.end().as_second() > reached {
            last = last.previous().ok()?;
        }
        Period::new(first, last).ok()
    }

    /// What it is over, in one line: days, then what narrows it.
    #[must_use]
    pub fn subject(&self) -> String {
        let Scope { blocks, lines, regions, sites } = &self.scope;
        let mut text = format!("{}/{}", self.from, self.until);
        for (key, names) in [("tenants", blocks), ("lines", lines), ("regions", regions), ("sites", sites)] {
            if !names.is_empty() {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                text += &format!(" {key}={}", names.join(","));
            }
        }
        text
    }
}

/// Reads what a report of a namespace, or of the whole fleet, asks for.
///
/// # Errors
/// [`Problem`]: the first of them.
pub fn ask(objects: &Objects, namespace: Option<&str>, request: &api::ReportRequest) -> Result<Ask, Problem> {
    let api::ReportRequest { type_, period, scope, minimum_days, grace_days } = request;
    let read = |text: &str| day(Some(text)).ok_or_else(|| Problem::Period(text.to_owned()));
    let (from, until) = (read(&period.from)?, read(&period.until)?);
    let whole = from.day() == 1 && until.day() == until.days_in_month();
    let by_month = matches!(type_, api::ReportType::Energy | api::ReportType::Settlement);
    if by_month && !whole {
        return Err(Problem::Period(format!("{from}/{until}")));
    }
    let closes = until.checked_add(grace_days.days()).map_err(|_| Problem::Period(until.to_string()))?;
    let mut scope = read_scope(objects, scope)?;
    if let Some(namespace) = namespace {
        confine(objects, namespace, until, &mut scope)?;
    }
    Ok(Ask { kind: *type_, from, until, closes, scope, minimum_days: i64::from(*minimum_days) })
}

fn read_scope(objects: &Objects, scope: &api::ReportScope) -> Result<Scope, Problem> {
    let api::ReportScope { tenants, lines, regions, sites } = scope;
    for name in tenants.iter().chain(lines) {
        named(&objects.tenants, name).ok_or_else(|| Problem::Unknown { kind: "Tenant", name: name.to_string() })?;
    }
    for name in sites {
        named(&objects.sites, name).ok_or_else(|| Problem::Unknown { kind: "Site", name: name.to_string() })?;
    }
    Ok(Scope {
        blocks: tenants.iter().map(ToString::to_string).collect(),
        lines: lines.iter().map(ToString::to_string).collect(),
        regions: regions.iter().map(ToString::to_string).collect(),
        sites: sites.iter().map(ToString::to_string).collect(),
    })
}

/// Holds a scope inside what the tenant of a namespace may see: itself and all below it in either tree.
fn confine(objects: &Objects, namespace: &str, on: Date, scope: &mut Scope) -> Result<(), Problem> {
    let owner = namespace_owners(objects).remove(namespace).ok_or_else(|| Problem::NoTenant(namespace.to_owned()))?;
    let names = Bodies::on(objects, on);
    let bodies = names.all(objects);
    let own: BTreeSet<String> = [names.now(&owner)].into();
    let block = Scope { blocks: own.clone(), ..Scope::default() }.bodies(&bodies).unwrap_or_default();
    let line = Scope { lines: own.clone(), ..Scope::default() }.bodies(&bodies).unwrap_or_default();
    if scope.blocks.is_empty() && scope.lines.is_empty() {
        scope.blocks = own;
        return Ok(());
    }
    let now = |asked: &BTreeSet<String>| asked.iter().map(|name| names.now(name)).collect();
    let (blocks, lines) = (now(&scope.blocks), now(&scope.lines));
    // By another tree than its own a body may stand for some that its owner does not.
    let asked = Scope { blocks, lines, ..Scope::default() }.bodies(&bodies).unwrap_or_default();
    match asked.into_iter().find(|name| !block.contains(name) && !line.contains(name)) {
        Some(name) => Err(Problem::TooWide(name)),
        None => Ok(()),
    }
}
