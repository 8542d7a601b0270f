//! A Simulation as the study room takes it: defaults filled in, dates as minutes, names held against the fleet.
//!
//! What names something that is not there becomes a finding at its place: it would do nothing, and the report would say
//! that nothing happens.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan as _};
use jiuzhou_api::study::{
    ArrivalStream, FailoverPolicy, FailoverRule, FailureEffect, FailureRule, ScalingCurve, SimulationSpec,
};
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::terms::{Code, Finding, Reason};
use jiuzhou_intake::beijing;
use jiuzhou_intake::documents::Document;
use jiuzhou_intake::schema::nearest;
use jiuzhou_study::simulate::{
    Arrivals, Chosen, Conduct, Curve, DAY, Effect, Failover, FailureTimes, Failures, HOUR, Simulation, Stage, Stay,
};

/// A replica is ready after this many minutes where nobody says.
const START: i64 = 2;
/// Workloads leave a cluster that is not reached after this many minutes where nobody says: Kubernetes' own wait.
const WAIT: i64 = 5;
/// Failures where nobody says: about six a year for each cluster, each about four hours.
const BETWEEN: i64 = 60 * DAY;
const REPAIR: i64 = 4 * HOUR;
/// A working day of an office (percent by hour): little at night, the most in the morning (早高峰), a lull at noon.
const WORKDAY: [u16; 24] =
    [40, 40, 40, 40, 40, 45, 60, 80, 110, 150, 150, 130, 90, 90, 130, 130, 120, 100, 80, 70, 60, 50, 45, 40];
/// A day of rest.
const REST_DAY: [u16; 24] = [40; 24];

/// What is asked.
pub(super) struct Asked<'a> {
    pub(super) spec: &'a SimulationSpec,
    pub(super) document: Option<&'a Document>,
    pub(super) start: Timestamp,
    pub(super) days: u32,
    pub(super) seed: u64,
    pub(super) threads: NonZeroUsize,
}

/// The simulation, with what is wrong with it.
pub(super) fn simulation(asked: &Asked<'_>, stages: Vec<Stage>, findings: &mut Vec<Finding>) -> Simulation {
    let spec = asked.spec;
    let mut names = Names::new(asked, &stages, findings);
    let conduct = Conduct {
        start_minutes: spec.start_minutes.map_or(START, i64::from),
        failover: match &spec.failover {
            None => Failover::AfterMinutes(WAIT),
            Some(FailoverRule { policy: FailoverPolicy::Never, .. }) => Failover::Never,
            Some(FailoverRule { policy: FailoverPolicy::AfterMinutes, minutes }) => {
                Failover::AfterMinutes(minutes.map_or(WAIT, i64::from))
            }
        },
    };
    let arrivals = spec.arrivals.iter().enumerate();
    let arrivals = arrivals.filter_map(|(n, stream)| names.arrivals(stream, &format!("/spec/arrivals/{n}"))).collect();
    let curves = spec.curves.iter().enumerate();
    let curves = curves.map(|(n, curve)| names.curve(curve, &format!("/spec/curves/{n}"))).collect();
    let failures = match &spec.failures {
        None => vec![Failures {
            name: "random".to_owned(),
            clusters: BTreeSet::new(),
            when: FailureTimes::Random { between: BETWEEN, repair: REPAIR },
            effect: Effect::Down,
        }],
        Some(rules) => {
            let rules = rules.iter().enumerate();
            rules.map(|(n, rule)| names.failures(rule, &format!("/spec/failures/{n}"))).collect()
        }
    };
    Simulation {
        start: asked.start,
        days: asked.days,
        seed: asked.seed,
        stages,
        conduct,
        arrivals,
        curves,
        rest_days: rest_days(asked),
        failures,
        threads: asked.threads,
    }
}

/// Saturdays, Sundays and holidays, without those that are worked.
fn rest_days(asked: &Asked<'_>) -> BTreeSet<u32> {
    let first = beijing::day(asked.start);
    let listed = |days: &[jiuzhou_api::text::Date]| -> BTreeSet<Date> {
        days.iter().filter_map(|day| day.parse().ok()).collect()
    };
    let (holidays, workdays) = (listed(&asked.spec.holidays), listed(&asked.spec.workdays));
    let rests = |number: &u32| {
        let Ok(day) = first.checked_add(i64::from(*number).days()) else { return false };
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        holidays.contains(&day) || (weekend && !workdays.contains(&day))
    };
    (0..asked.days).filter(rests).collect()
}

/// What names can be held against.
struct Names<'a> {
    asked: &'a Asked<'a>,
    clusters: BTreeSet<String>,
    tenants: BTreeSet<String>,
    workloads: BTreeSet<WorkloadKey>,
    /// Names of streams, curves and rules, by kind.
    used: BTreeMap<&'static str, BTreeSet<String>>,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Names<'a> {
    /// What is there on any of the days.
    fn new(asked: &'a Asked<'a>, stages: &[Stage], findings: &'a mut Vec<Finding>) -> Self {
        let fleets = stages.iter().map(|stage| &stage.fleet);
        let clusters = fleets.clone().flat_map(|fleet| &fleet.clusters).map(|one| one.name.clone()).collect();
        let tenants = fleets.flat_map(|fleet| &fleet.tenants).map(|one| one.name.clone()).collect();
        let specs = stages.iter().flat_map(|stage| stage.specs.iter().flatten());
        let workloads = specs.filter(|spec| !spec.reserved).map(|spec| spec.key.clone()).collect();
        Self { asked, clusters, tenants, workloads, used: BTreeMap::new(), findings }
    }

    fn wrong(&mut self, reason: Reason, pointer: &str) {
        if let Some(document) = self.asked.document {
            self.findings.push(document.finding(reason, pointer));
        }
    }

    fn unknown(&mut self, kind: &str, name: &str, known: &BTreeSet<String>, pointer: &str) {
        let mut wanted = nearest(name, known.iter().map(String::as_str));
        if wanted.is_empty() {
            wanted = known.iter().take(8).cloned().collect();
        }
        let seen = self.asked.document.map(|document| document.object_ref().to_string()).unwrap_or_default();
        let reason = Reason::new(Code::ReferenceUnknown).object(format!("{kind}/{name}")).seen(seen).wanted(wanted);
        self.wrong(reason, pointer);
    }

    /// A name that is there twice would make two streams one.
    fn unique(&mut self, kind: &'static str, name: &str, pointer: &str) {
        if !self.used.entry(kind).or_default().insert(name.to_owned()) {
            let reason = Reason::new(Code::FormatInvalid).object("name").seen(name).wanted(format!("{name}-2"));
            self.wrong(reason, &format!("{pointer}/name"));
        }
    }

    fn clusters(&mut self, names: &[jiuzhou_api::text::Name], pointer: &str) -> BTreeSet<String> {
        let known = self.clusters.clone();
        for (n, name) in names.iter().enumerate().filter(|(_, name)| !known.contains(&***name)) {
            self.unknown("MemberCluster", name, &known, &format!("{pointer}/clusters/{n}"));
        }
        names.iter().map(ToString::to_string).collect()
    }

    fn workload(&mut self, name: &str, pointer: &str) -> Option<WorkloadKey> {
        let (namespace, short) = name.split_once('/')?;
        let key = WorkloadKey::new(namespace, short);
        if self.workloads.contains(&key) {
            return Some(key);
        }
        let known = self.workloads.iter().map(ToString::to_string).collect();
        self.unknown("FleetWorkload", name, &known, pointer);
        None
    }

    fn arrivals(&mut self, stream: &ArrivalStream, pointer: &str) -> Option<Arrivals> {
        let ArrivalStream { name, template, every_minutes, stay_minutes, mean_stay_minutes } = stream;
        self.unique("arrivals", name, pointer);
        let template = self.workload(template, &format!("{pointer}/template"))?;
        let stay = match (stay_minutes, mean_stay_minutes) {
            (Some(exactly), _) => Stay::Between(i64::from(*exactly), i64::from(*exactly)),
            (None, Some(mean)) => Stay::Exponential(i64::from(*mean)),
            (None, None) => Stay::Forever,
        };
        Some(Arrivals { name: name.to_string(), template, every: i64::from(*every_minutes), stay })
    }

    fn curve(&mut self, curve: &ScalingCurve, pointer: &str) -> Curve {
        let ScalingCurve { name, tenants, workloads, percent_by_hour, rest_day_percent_by_hour, least } = curve;
        self.unique("curves", name, pointer);
        let known = self.tenants.clone();
        for (n, tenant) in tenants.iter().enumerate().filter(|(_, tenant)| !known.contains(&***tenant)) {
            self.unknown("Tenant", tenant, &known, &format!("{pointer}/tenants/{n}"));
        }
        // Names that nobody has stay: a curve about nobody must not become one about everybody.
        let mut chosen = Chosen { tenants: tenants.iter().map(ToString::to_string).collect(), ..Chosen::default() };
        for (n, name) in workloads.iter().enumerate() {
            self.workload(name, &format!("{pointer}/workloads/{n}"));
            let (namespace, short) = name.split_once('/').unwrap_or_default();
            chosen.workloads.insert(WorkloadKey::new(namespace, short));
        }
        let by_hour = |percent: &[i32], otherwise: [u16; 24]| {
            let mut hours = otherwise;
            for (hour, percent) in hours.iter_mut().zip(percent) {
                *hour = u16::try_from(*percent).unwrap_or(0);
            }
            hours
        };
        Curve {
            name: name.to_string(),
            chosen,
            least: least.map_or(1, i64::from),
            workday: by_hour(percent_by_hour, WORKDAY),
            rest_day: by_hour(rest_day_percent_by_hour, REST_DAY),
        }
    }

    fn failures(&mut self, rule: &FailureRule, pointer: &str) -> Failures {
        let FailureRule { name, clusters, effect, every_hours, mean_minutes, windows } = rule;
        self.unique("failures", name, pointer);
        let clusters = self.clusters(clusters, pointer);
        let when = match (every_hours, mean_minutes) {
            (Some(hours), Some(minutes)) => {
                FailureTimes::Random { between: i64::from(*hours) * HOUR, repair: i64::from(*minutes) }
            }
            _ => {
                let windows = windows.iter().flatten().enumerate();
                let windows = windows.filter_map(|(n, window)| {
                    let from = self.minute(&window.from, &format!("{pointer}/windows/{n}/from"))?;
                    Some((from, i64::from(window.minutes)))
                });
                FailureTimes::Windows(windows.collect())
            }
        };
        let effect = match effect.unwrap_or_default() {
            FailureEffect::Down => Effect::Down,
            FailureEffect::CutOff => Effect::CutOff,
        };
        Failures { name: name.to_string(), clusters, when, effect }
    }

    /// The minute of an instant in these days.
    fn minute(&mut self, text: &str, pointer: &str) -> Option<i64> {
        let (start, days) = (self.asked.start, self.asked.days);
        let at: Option<Timestamp> = text.parse().ok();
        let minute = at.map(|at| at.duration_since(start).as_secs().div_euclid(60));
        let found = minute.filter(|minute| (0..i64::from(days) * DAY).contains(minute));
        if found.is_none() {
            let last = start.saturating_add(jiff::SignedDuration::from_hours(24 * i64::from(days)));
            let wanted = format!("{start} … {}", last.unwrap_or(start));
            self.wrong(Reason::new(Code::FormatInvalid).object("from").seen(text).wanted(wanted), pointer);
        }
        found
    }
}
