//! Judges one entry for every figure: in the denominator or not, in the numerator or not, and why.
//!
//! No sums here: `report` adds judgements up by group.

use jiff::civil::Date;
use jiuzhou_engine::terms::{Code, Reason, Value};

use super::{Entry, FigureId, Footprint, Hosting, Settings};
use crate::MeasureError;

/// What one entry means for one figure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    pub numerator: i64,
    pub denominator: i64,
    /// Why it is not in the denominator.
    pub left_out: Option<Reason>,
    /// Why it is not, or not wholly, in the numerator.
    pub not_counted: Vec<Reason>,
}

impl Judgement {
    fn left_out(reason: Reason) -> Self {
        Self { left_out: Some(reason), ..Self::default() }
    }

    fn one(outcome: Result<(), Reason>) -> Self {
        let (numerator, not_counted) = match outcome {
            Ok(()) => (1, Vec::new()),
            Err(reason) => (0, vec![reason]),
        };
        Self { numerator, denominator: 1, left_out: None, not_counted }
    }
}

/// Judges entries; `today` is the Beijing day of `as_of`.
pub(super) struct Judge {
    pub settings: Settings,
    pub today: Date,
}

const RANGE: MeasureError = MeasureError::OutOfRange("observed CPU");

impl Judge {
    /// The judgement for each of [`FigureId::ALL`], in that order. `repeats` names the entry of the same project code
    /// that counts in its stead.
    pub(super) fn judge(&self, entry: &Entry, repeats: Option<&Entry>) -> Result<Vec<Judgement>, MeasureError> {
        FigureId::ALL.iter().map(|figure| self.figure(*figure, entry, repeats)).collect()
    }

    /// An exemption that does not hold, as a note.
    pub(super) fn invalid_exemption(&self, entry: &Entry) -> Option<Reason> {
        let exemption = entry.exemption.as_ref().filter(|_| self.exempt(entry).is_none())?;
        let seen = if exemption.document.is_empty() { "-" } else { exemption.document.as_str() };
        Some(about(entry, Code::ExemptionInvalid).seen(seen).wanted(exemption.until.to_string()))
    }

    fn figure(&self, id: FigureId, entry: &Entry, repeats: Option<&Entry>) -> Result<Judgement, MeasureError> {
        let exemptions_count = id != FigureId::AdoptionWithoutExemptions;
        if let Some(reason) = self.outside(entry, repeats, exemptions_count) {
            return Ok(Judgement::left_out(reason));
        }
        Ok(match id {
            FigureId::AdoptionMeasured | FigureId::AdoptionWithoutExemptions => Judgement::one(self.measured(entry)),
            FigureId::AdoptionDeclared => Judgement::one(match entry.hosting {
                Hosting::Lifted | Hosting::CloudNative => self.not_yet(entry).map_or(Ok(()), Err),
                Hosting::OnPremises | Hosting::Hosted | Hosting::Retired => self.measured(entry),
            }),
            FigureId::AdoptionCloudNative => Judgement::one(match entry.hosting {
                Hosting::Lifted => Err(about(entry, Code::EntryLifted)),
                _ => self.measured(entry),
            }),
            FigureId::AdoptionGovernmentRooms => {
                Judgement::one(self.measured(entry).and_then(|()| in_government_rooms(entry)))
            }
            FigureId::AdoptionObservedVcpu => self.by_cpu(entry)?,
            FigureId::DomesticAssessed => domestic(entry, Code::CpuNotAssessed, |place| place.assessed.on(self.today))?,
            FigureId::DomesticBrand => domestic(entry, Code::CpuForeign, |place| place.domestic)?,
            FigureId::DomesticNonX86 => domestic(entry, Code::CpuX86, |place| place.x86.map(|x86| !x86))?,
        })
    }

    /// Why an entry is in no denominator.
    fn outside(&self, entry: &Entry, repeats: Option<&Entry>, exemptions_count: bool) -> Option<Reason> {
        if let Some(first) = repeats {
            let wanted = if first.title.is_empty() { first.reference.to_string() } else { first.title.clone() };
            return Some(about(entry, Code::ProjectCodeRepeated).seen(entry.project_code.as_str()).wanted(wanted));
        }
        if entry.hosting == Hosting::Retired && self.not_yet(entry).is_none() {
            return Some(about(entry, Code::EntryRetired));
        }
        self.exempt(entry).filter(|_| exemptions_count)
    }

    /// A state that is declared for a later day does not hold yet, and what held before is not on the register.
    fn not_yet(&self, entry: &Entry) -> Option<Reason> {
        let since = entry.since.filter(|since| *since > self.today)?;
        Some(about(entry, Code::HostingNotYet).seen(since.to_string()).wanted(self.today.to_string()))
    }

    fn exempt(&self, entry: &Entry) -> Option<Reason> {
        let exemption = entry.exemption.as_ref()?;
        let begun = exemption.from.is_none_or(|from| from <= self.today);
        let holds = !exemption.document.trim().is_empty() && begun && self.today <= exemption.until;
        holds.then(|| {
            about(entry, Code::EntryExempt).seen(exemption.document.as_str()).wanted(exemption.until.to_string())
        })
    }

    /// The rule of the headline.
    fn measured(&self, entry: &Entry) -> Result<(), Reason> {
        if entry.project_code.is_empty() {
            return Err(about(entry, Code::ProjectCodeAbsent));
        }
        if let Some(reason) = self.not_yet(entry) {
            return Err(reason);
        }
        match entry.hosting {
            Hosting::Retired => Err(about(entry, Code::EntryRetired)),
            Hosting::OnPremises => Err(about(entry, Code::EntryOnPremises)),
            Hosting::Hosted => Err(about(entry, Code::HostedNotCloud)),
            Hosting::Lifted if entry.lift_verified => Ok(()),
            Hosting::Lifted => Err(about(entry, Code::LiftUnverified)),
            Hosting::CloudNative => {
                let enough = self.settings.minimum_ready_days.max(0);
                if entry.ready_days.is_some_and(|days| days >= enough) {
                    return Ok(());
                }
                let seen = entry.ready_days.map_or(Value::Unknown, Value::Int);
                Err(about(entry, Code::NotReadyLongEnough).seen(seen).wanted(enough))
            }
        }
    }

    fn by_cpu(&self, entry: &Entry) -> Result<Judgement, MeasureError> {
        let denominator = sum(entry, |_| true)?;
        if denominator == 0 {
            return Ok(Judgement::left_out(unobserved(entry)));
        }
        let outcome = self.measured(entry);
        let on_cloud = sum(entry, |place| place.on_cloud)?;
        Ok(match outcome {
            Ok(()) if on_cloud == denominator => Judgement { numerator: on_cloud, denominator, ..Judgement::default() },
            Ok(()) => {
                let off = about(entry, Code::EntryOnPremises).seen(Value::Millicores(denominator - on_cloud));
                Judgement { numerator: on_cloud, denominator, not_counted: vec![off], ..Judgement::default() }
            }
            Err(reason) => Judgement { denominator, not_counted: vec![reason], ..Judgement::default() },
        })
    }
}

fn about(entry: &Entry, code: Code) -> Reason {
    Reason::new(code).object(if entry.title.is_empty() { entry.reference.name.as_str() } else { entry.title.as_str() })
}

fn unobserved(entry: &Entry) -> Reason {
    about(entry, Code::CpuUnobserved)
}

fn sum(entry: &Entry, which: impl Fn(&Footprint) -> bool) -> Result<i64, MeasureError> {
    if entry.footprint.iter().any(|place| place.millicores < 0) {
        return Err(RANGE);
    }
    let mut chosen = entry.footprint.iter().filter(|place| which(place));
    chosen.try_fold(0_i64, |sum, place| sum.checked_add(place.millicores)).ok_or(RANGE)
}

fn in_government_rooms(entry: &Entry) -> Result<(), Reason> {
    if entry.footprint.is_empty() || entry.footprint.iter().any(|place| place.government_room.is_none()) {
        return Err(about(entry, Code::RoomUnknown));
    }
    let outside = entry.footprint.iter().filter(|place| place.government_room == Some(false));
    match outside.map(|place| place.millicores).reduce(i64::saturating_add) {
        None => Ok(()),
        Some(millicores) => Err(about(entry, Code::OutsideGovernmentRooms).seen(Value::Millicores(millicores))),
    }
}

/// A share of the entry's CPU on the cloud. What is unknown stays in the denominator and is listed as unknown.
fn domestic(
    entry: &Entry,
    missed: Code,
    counts: impl Fn(&Footprint) -> Option<bool>,
) -> Result<Judgement, MeasureError> {
    let denominator = sum(entry, |place| place.on_cloud)?;
    let all = sum(entry, |_| true)?;
    if denominator == 0 && all > 0 {
        return Ok(Judgement::left_out(about(entry, Code::CpuOffCloud).seen(Value::Millicores(all))));
    }
    if denominator == 0 {
        return Ok(Judgement::left_out(unobserved(entry)));
    }
    let numerator = sum(entry, |place| place.on_cloud && counts(place) == Some(true))?;
    let places = entry.footprint.iter().filter(|place| place.on_cloud && place.millicores > 0);
    let not_counted = places
        .filter_map(|place| match counts(place) {
            Some(true) => None,
            Some(false) => {
                let seen = if place.cpu.is_empty() { Value::Unknown } else { Value::from(place.cpu.as_str()) };
                Some(about(entry, missed).seen(seen).wanted(Value::Millicores(place.millicores)))
            }
            None => Some(about(entry, Code::CpuUnknown).wanted(Value::Millicores(place.millicores))),
        })
        .collect();
    Ok(Judgement { numerator, denominator, left_out: None, not_counted })
}
