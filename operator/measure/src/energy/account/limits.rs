//! Limits on a machine room and whether it keeps them. Which limits apply to a room is intake's answer.

use jiff::civil::Date;
use jiuzhou_engine::terms::{Code, Reason, Value};
use serde::Serialize;

use super::SiteAccount;

/// What a limit bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Metric {
    /// PUE in thousandths, at most.
    Pue,
    /// REF in thousandths, at least.
    Renewable,
    /// WUE in millilitres per kWh of IT energy, at most.
    Water,
}

/// A limit that holds in the period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit {
    /// What it bounds.
    pub metric: Metric,
    /// The bound in the metric's unit.
    pub bound: i64,
    /// Its name: the id of the table's row, or the name the site gives it.
    pub name: String,
    /// Where it is written.
    pub source: String,
    /// Last Beijing day it holds; `None` for open.
    pub until: Option<Date>,
    /// Whether it applies to this room: `None` when a fact about the room is missing.
    pub applies: Option<bool>,
}

/// A limit with the room's figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The limit.
    pub limit: Limit,
    /// The room's figure in the metric's unit; `None` unknown.
    pub seen: Option<i64>,
    /// Whether it is kept; `None` when the figure, or whether the limit applies, is unknown.
    pub kept: Option<bool>,
}

/// Judges a limit. Counts are compared exactly where the figure is a ratio of counts, so that rounding saves nobody.
pub(super) fn judge(site: &SiteAccount, limit: &Limit) -> Verdict {
    let bound = i128::from(limit.bound);
    let (seen, kept) = match limit.metric {
        Metric::Pue => {
            let exact = site.pue_counts.map(|(whole, it)| i128::from(whole.0) * 1000 <= bound * i128::from(it.0));
            (site.pue.map(|pue| pue.0), exact.or(site.pue.map(|pue| i128::from(pue.0) <= bound)))
        }
        Metric::Renewable => {
            let share = site.renewable_share.filter(|share| share.denominator > 0);
            let kept = share.map(|share| i128::from(share.numerator) * 1000 >= bound * i128::from(share.denominator));
            (share.and_then(super::Ratio::per_mille).map(|share| share.0), kept)
        }
        Metric::Water => (site.water, site.water.map(|water| i128::from(water) <= bound)),
    };
    Verdict { limit: limit.clone(), seen, kept: kept.filter(|_| limit.applies == Some(true)) }
}

/// What to say of a limit that is broken.
pub(super) fn broken(title: &str, verdict: &Verdict) -> Option<Reason> {
    let code = match verdict.limit.metric {
        Metric::Pue => Code::PueAboveLimit,
        Metric::Renewable => Code::RenewableBelowLimit,
        Metric::Water => Code::WaterAboveLimit,
    };
    let seen = verdict.seen.filter(|_| verdict.kept == Some(false))?;
    Some(Reason::new(code).object(title).seen(Value::PerMille(seen)).wanted(Value::PerMille(verdict.limit.bound)))
}
