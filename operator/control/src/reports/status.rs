//! What a report's status says, from what it said before and what is known now. Pure.
//!
//! While its period and the days of grace run, the figures follow what is observed. At the first look after that they
//! are made a last time, as of the end, and frozen: from then on nothing of them is written again, whatever happens to
//! the clock, the fleet or the report's spec. What people enter later for the period is told by a condition.

use jiff::Timestamp;
use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::v1alpha1::{ReportRequest, ReportStatus};
use jiuzhou_engine::terms::Digest;
use jiuzhou_intake::beijing;
use jiuzhou_intake::figures::{self, Ask, Scene, State};
use jiuzhou_report::document::FORMAT_VERSION;
use jiuzhou_report::render;
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::document::document;
use crate::workload::conditions::{Standing, condition, dated, of_standing};

/// Most bytes of a summary: the schema's bound.
const SUMMARY_MOST: usize = 8 * 1024;

/// A report as the hub has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) namespace: Option<&'a str>,
    pub(super) generation: i64,
    pub(super) request: &'a ReportRequest,
    pub(super) status: Option<&'a ReportStatus>,
}

/// The status as it should be.
pub(super) fn status(scene: &Scene<'_>, known: Known<'_>, now: Timestamp) -> ReportStatus {
    let before = known.status.cloned().unwrap_or_default();
    let asked = figures::ask(scene.objects, known.namespace, known.request);
    if before.frozen_at.is_some() {
        return frozen(scene, known, before, asked.ok().as_ref(), now);
    }
    let conditions = before.conditions.clone();
    let (standing, mut status) = match asked {
        Ok(ask) => live(scene, &ask, now),
        Err(problem) => {
            let (reason, object) = problem.told();
            (stands(false, reason, &object), ReportStatus::default())
        }
    };
    status.observed_generation = Some(known.generation);
    let mut all = of_standing(&standing, known.generation);
    if status.frozen_at.is_some() {
        all.push(said(ConditionType::Frozen, &standing, known.generation));
    }
    status.conditions = dated(all, &conditions, now);
    status
}

fn live(scene: &Scene<'_>, ask: &Ask, now: Timestamp) -> (Standing, ReportStatus) {
    let none = ReportStatus::default;
    let state = ask.state(now);
    let open = || stands(false, ControllerReason::PeriodOpen, &format!("{}/{}", ask.from, ask.until)).progressing();
    if state == State::Ahead {
        return (open(), none());
    }
    let failed = |words: String| (stands(false, ControllerReason::FiguresFailed, &words), none());
    let answer = match figures::answer(scene, ask, now) {
        Ok(Some(answer)) => answer,
        Ok(None) => return (open(), none()),
        Err(error) => return failed(error.to_string()),
    };
    let summary = match render::summary(&document(scene.objects, ask, &answer, now), SUMMARY_MOST) {
        Ok(summary) => summary,
        Err(error) => return failed(error.to_string()),
    };
    let over = state == State::Over;
    let reason = if over { ControllerReason::ReportFrozen } else { ControllerReason::ReportLive };
    let status = ReportStatus {
        headline: Some(summary.headline.as_str().into()),
        summary: Some(summary.json),
        digest: Some(digest(summary.digest)),
        entries: Some(digest(answer.entered)),
        format: Some(FORMAT_VERSION.into()),
        frozen_at: over.then(|| Time(whole_second(now))),
        ..none()
    };
    (stands(true, reason, &if over { beijing::day(now) } else { ask.closes }.to_string()), status)
}

/// A frozen report: its figures are not touched.
fn frozen(
    scene: &Scene<'_>,
    known: Known<'_>,
    before: ReportStatus,
    asked: Option<&Ask>,
    now: Timestamp,
) -> ReportStatus {
    let on = before.frozen_at.as_ref().map(|at| beijing::day(at.0).to_string()).unwrap_or_default();
    let frozen = stands(true, ControllerReason::ReportFrozen, &on);
    let same_spec = before.observed_generation == Some(known.generation);
    let standing = if same_spec { frozen.clone() } else { stands(false, ControllerReason::ReportSpecChanged, &on) };
    let mut all = of_standing(&standing, known.generation);
    all.push(said(ConditionType::Frozen, &frozen, known.generation));
    if let Some(ask) = asked.filter(|_| same_spec)
        && let Ok(Some(answer)) = figures::answer(scene, ask, now)
        && before.entries.as_ref().is_some_and(|entries| *entries != digest(answer.entered))
    {
        let later = stands(true, ControllerReason::EntriesChanged, "");
        all.push(said(ConditionType::EnteredLater, &later, known.generation));
    }
    let conditions = dated(all, &before.conditions, now);
    ReportStatus { conditions, ..before }
}

fn stands(ready: bool, reason: ControllerReason, object: &str) -> Standing {
    Standing::new(ready, reason.as_str(), object, 0, 0)
}

/// A condition that holds, with the sentence of a standing.
fn said(kind: ConditionType, standing: &Standing, generation: i64) -> Condition {
    condition(kind, true, &standing.reason, &format!("{} {}", standing.en, standing.zh), generation)
}

fn digest(digest: Digest) -> jiuzhou_api::text::ContentDigest {
    digest.to_string().as_str().into()
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The sentence of a reason in a language, for events.
pub(super) fn sentence(reason: ControllerReason, object: &str, lang: Lang) -> String {
    sentences::condition(reason.as_str(), object, 0, 0, lang).unwrap_or_else(|| reason.as_str().to_owned())
}
