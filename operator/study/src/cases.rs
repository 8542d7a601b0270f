//! What a case expects, held against what the engine says.
//!
//! One verdict per expectation: what was wanted, what was seen, and the reasons the engine has for what was seen. A
//! cluster that an expectation names and the fleet does not have never meets it, not even an expectation to be kept out.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::decide::{Answer, ClusterExplanation, Explanation, Rule, Status};
use jiuzhou_engine::terms::{Code, Finding, Reason, Value};

/// What is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// How the decision ends.
    Status(Status),
    /// Replicas with a place.
    Replicas(i64),
    /// Exactly these clusters with so many replicas.
    Clusters(BTreeMap<String, i64>),
    /// A cluster that gets replicas.
    Uses(String),
    /// A cluster that gets none.
    Avoids(String),
    /// A cluster that every rule lets it into.
    Allowed(String),
    /// A cluster that keeps it out.
    Refused {
        /// Cluster.
        cluster: String,
        /// The rule that does; any when not stated.
        rule: Option<Rule>,
        /// The code of its reason; any when not stated.
        code: Option<Code>,
    },
    /// A code of what limits the decision.
    Because(Code),
    /// Exactly what runs against a rule.
    Violations(BTreeSet<(String, Rule)>),
    /// A finding about the input.
    Finding {
        /// Code.
        code: Code,
        /// Object as findings name it; any when not stated.
        object: Option<String>,
        /// Whether it is to be there.
        present: bool,
    },
}

/// How an expectation came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is met.
    pub met: bool,
    /// The expectation by the name of its field, with what it is about.
    pub about: String,
    /// What was wanted.
    pub wanted: Value,
    /// What was seen.
    pub seen: Value,
    /// Why it is so; the engine's reasons, most telling first.
    pub why: Vec<Reason>,
}

impl Verdict {
    /// The verdict as a reason, for whoever tells one that is not met.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let missed = Reason::new(Code::ExpectationMissed).object(self.about.as_str());
        missed.seen(self.seen.clone()).wanted(self.wanted.clone())
    }
}

/// A rule as the field of a test names it: the engine's own name.
#[must_use]
pub fn rule_name(rule: Rule) -> String {
    let name = format!("{rule:?}");
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The rule of a name.
#[must_use]
pub fn rule_of(name: &str) -> Option<Rule> {
    Rule::ALL.into_iter().find(|rule| rule_name(*rule) == name)
}

/// Judges one expectation. `told` is what the engine says of the case's workload, `findings` what was found in the input.
#[must_use]
pub fn judge(expectation: &Expectation, told: Option<&Explanation>, findings: &[Finding]) -> Verdict {
    if let Expectation::Finding { code, object, present } = expectation {
        return finding(*code, object.as_deref(), *present, findings);
    }
    let Some(told) = told else {
        return Verdict {
            met: false,
            about: field(expectation).to_owned(),
            wanted: wanted(expectation),
            seen: Value::Unknown,
            why: Vec::new(),
        };
    };
    let decision = &told.decision;
    let placed: BTreeMap<&str, i64> = decision.targets.iter().map(|t| (t.cluster.as_str(), t.replicas)).collect();
    let cluster = |name: &str| told.clusters.iter().find(|one| one.cluster == *name);
    let (met, seen, why) = match expectation {
        Expectation::Status(status) => {
            (*status == decision.status, Value::Text(format!("{:?}", decision.status)), limits(told))
        }
        Expectation::Replicas(replicas) => {
            let sum = placed.values().copied().fold(0_i64, i64::saturating_add);
            (sum == *replicas, Value::Int(sum), limits(told))
        }
        Expectation::Clusters(clusters) => {
            let same = clusters
                .iter()
                .filter(|(_, n)| **n > 0)
                .map(|(name, n)| (name.as_str(), *n))
                .collect::<BTreeMap<_, _>>()
                == placed;
            let missing = clusters.keys().filter(|name| !placed.contains_key(name.as_str()));
            let mut why: Vec<Reason> = missing.filter_map(|name| cluster(name)).flat_map(refusals).collect();
            why.extend(limits(told));
            (same, Value::List(counted(placed.iter().map(|(name, n)| (*name, *n)))), why)
        }
        Expectation::Uses(name) => {
            let count = placed.get(name.as_str()).copied().unwrap_or(0);
            (count > 0, Value::Int(count), cluster(name).map(refusals).unwrap_or_default())
        }
        Expectation::Avoids(name) => {
            let count = placed.get(name.as_str()).copied().unwrap_or(0);
            (
                count == 0 && cluster(name).is_some(),
                cluster(name).map_or(Value::Unknown, |_| Value::Int(count)),
                Vec::new(),
            )
        }
        Expectation::Allowed(name) => match cluster(name) {
            Some(one) => (one.eligible, Value::List(rules(one).map(rule_name).collect()), refusals(one)),
            None => (false, Value::Unknown, Vec::new()),
        },
        Expectation::Refused { cluster: name, rule, code } => match cluster(name) {
            Some(one) => refused(one, *rule, *code),
            None => (false, Value::Unknown, Vec::new()),
        },
        Expectation::Because(code) => {
            let reasons: Vec<Reason> = limits(told);
            let codes: BTreeSet<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
            let seen = Value::List(codes.iter().map(|code| (*code).to_owned()).collect());
            (codes.contains(code.as_str()), seen, reasons)
        }
        Expectation::Violations(wanted) => {
            let seen: BTreeSet<(String, Rule)> =
                decision.violations.iter().map(|one| (one.cluster.clone(), one.rule)).collect();
            let why = decision.violations.iter().flat_map(|one| one.reasons.clone()).collect();
            (seen == *wanted, pairs(&seen), why)
        }
        Expectation::Finding { .. } => (false, Value::Unknown, Vec::new()),
    };
    Verdict {
        met,
        about: about(expectation),
        wanted: wanted(expectation),
        seen,
        why: if met { Vec::new() } else { why },
    }
}

/// Whether the rules keep a cluster out as expected.
fn refused(one: &ClusterExplanation, rule: Option<Rule>, code: Option<Code>) -> (bool, Value, Vec<Reason>) {
    let mut seen = BTreeSet::new();
    let mut met = false;
    let pools = one.pools.iter().flat_map(|pool| &pool.rules);
    for check in one.rules.iter().chain(pools).filter(|check| check.refuses) {
        let name = rule_name(check.rule);
        let fits = rule.is_none_or(|rule| rule == check.rule);
        met |= fits && code.is_none() && one.rules.iter().any(|own| own.refuses && own.rule == check.rule);
        for reason in &check.check.reasons {
            seen.insert(format!("{name} {}", reason.code));
            met |= fits && code == Some(reason.code) && !one.eligible;
        }
        if check.check.reasons.is_empty() {
            seen.insert(name);
        }
    }
    let seen = if one.eligible { Value::Text("allowed".to_owned()) } else { Value::List(seen.into_iter().collect()) };
    (met && !one.eligible, seen, refusals(one))
}

fn finding(code: Code, object: Option<&str>, present: bool, findings: &[Finding]) -> Verdict {
    let of_code = || findings.iter().filter(|one| one.reason.code == code);
    let names = |one: &&Finding| {
        object.is_none_or(|name| one.subject.as_ref().is_some_and(|subject| subject.to_string() == name))
    };
    let found = of_code().any(|one| names(&one));
    let others = of_code().filter_map(|one| one.subject.as_ref()).map(ToString::to_string).collect::<BTreeSet<_>>();
    let told = object.map_or_else(|| code.to_string(), |object| format!("{code} {object}"));
    let presence = |there: bool| if there { "present" } else { "absent" };
    let seen = match (found, others.is_empty()) {
        (false, false) if present => Value::List(others.into_iter().collect()),
        (found, _) => Value::Text(presence(found).to_owned()),
    };
    let why = of_code().filter(names).map(|one| one.reason.clone()).take(1);
    Verdict {
        met: found == present,
        about: format!("findings {told}"),
        wanted: Value::Text(presence(present).to_owned()),
        seen,
        why: if found == present { Vec::new() } else { why.collect() },
    }
}

/// What limits a decision, else what keeps all clusters out.
fn limits(told: &Explanation) -> Vec<Reason> {
    let decision = &told.decision;
    let mut reasons: Vec<Reason> = decision.limits.clone();
    reasons.extend(decision.violations.iter().flat_map(|one| one.reasons.iter().cloned()));
    if reasons.is_empty() && decision.status != Status::Placed {
        reasons.extend(told.clusters.iter().flat_map(refusals));
    }
    reasons
}

/// Rules that keep a cluster out.
fn rules(one: &ClusterExplanation) -> impl Iterator<Item = Rule> {
    one.rules.iter().filter(|check| check.refuses).map(|check| check.rule)
}

/// Why a cluster is kept out: its own reasons, then those of its pools.
fn refusals(one: &ClusterExplanation) -> Vec<Reason> {
    let own = one.rules.iter().filter(|check| check.refuses && check.rule != Rule::Pools);
    let pools =
        one.pools.iter().filter(|pool| !pool.accepted).flat_map(|pool| &pool.rules).filter(|check| check.refuses);
    let checks = own.chain(pools).filter(|check| check.check.answer > Answer::Pass);
    let mut reasons: Vec<Reason> = Vec::new();
    for reason in checks.flat_map(|check| &check.check.reasons) {
        if !reasons.contains(reason) {
            reasons.push(reason.clone());
        }
    }
    reasons
}

fn counted<'a>(clusters: impl Iterator<Item = (&'a str, i64)>) -> Vec<String> {
    clusters.map(|(name, replicas)| format!("{name}={replicas}")).collect()
}

fn pairs(of: &BTreeSet<(String, Rule)>) -> Value {
    Value::List(of.iter().map(|(cluster, rule)| format!("{cluster} {}", rule_name(*rule))).collect())
}

/// The field of an expectation.
#[must_use]
pub fn field(expectation: &Expectation) -> &'static str {
    match expectation {
        Expectation::Status(_) => "status",
        Expectation::Replicas(_) => "replicas",
        Expectation::Clusters(_) => "clusters",
        Expectation::Uses(_) => "uses",
        Expectation::Avoids(_) => "avoids",
        Expectation::Allowed(_) => "allowed",
        Expectation::Refused { .. } => "refused",
        Expectation::Because(_) => "because",
        Expectation::Violations(_) => "violations",
        Expectation::Finding { .. } => "findings",
    }
}

fn about(expectation: &Expectation) -> String {
    let field = field(expectation);
    match expectation {
        Expectation::Uses(cluster)
        | Expectation::Avoids(cluster)
        | Expectation::Allowed(cluster)
        | Expectation::Refused { cluster, .. } => format!("{field} {cluster}"),
        _ => field.to_owned(),
    }
}

fn wanted(expectation: &Expectation) -> Value {
    match expectation {
        Expectation::Status(status) => Value::Text(format!("{status:?}")),
        Expectation::Replicas(replicas) => Value::Int(*replicas),
        Expectation::Clusters(clusters) => {
            Value::List(counted(clusters.iter().map(|(name, replicas)| (name.as_str(), *replicas))))
        }
        Expectation::Uses(_) => Value::Text(">0".to_owned()),
        Expectation::Avoids(_) => Value::Int(0),
        Expectation::Allowed(_) => Value::List(Vec::new()),
        Expectation::Refused { rule, code, .. } => {
            let names = [rule.map(rule_name), code.map(|code| code.to_string())];
            let told: Vec<String> = names.into_iter().flatten().collect();
            Value::Text(if told.is_empty() { "refused".to_owned() } else { told.join(" ") })
        }
        Expectation::Because(code) => Value::Text(code.to_string()),
        Expectation::Violations(wanted) => pairs(wanted),
        Expectation::Finding { .. } => Value::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{cluster, explain, fleet, within, workload};

    /// `b` is abroad of what the workload may use.
    fn told() -> Explanation {
        let mut b = cluster("b", 2, 4);
        b.region = "110000".to_owned();
        explain(&fleet(&[cluster("a", 2, 4), b], &[within(workload("w", 3, &[]), &["53"])]), "w")
    }

    fn met(expectation: &Expectation) -> bool {
        judge(expectation, Some(&told()), &[]).met
    }

    fn refused(cluster: &str, rule: Option<Rule>, code: Option<Code>) -> Expectation {
        Expectation::Refused { cluster: cluster.to_owned(), rule, code }
    }

    #[test]
    fn each_expectation_is_met_by_what_is_so_and_by_nothing_else() {
        let on = |list: &[(&str, i64)]| {
            Expectation::Clusters(list.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect())
        };
        let name = str::to_owned;
        let table = [
            (Expectation::Status(Status::Placed), Expectation::Status(Status::Refused)),
            (Expectation::Replicas(3), Expectation::Replicas(2)),
            (on(&[("a", 3)]), on(&[("a", 2)])),
            (on(&[("a", 3), ("b", 0)]), on(&[("a", 3), ("b", 1)])),
            (Expectation::Uses(name("a")), Expectation::Uses(name("b"))),
            (Expectation::Avoids(name("b")), Expectation::Avoids(name("a"))),
            (Expectation::Allowed(name("a")), Expectation::Allowed(name("b"))),
            (refused("b", None, None), refused("a", None, None)),
            (refused("b", Some(Rule::Regions), None), refused("b", Some(Rule::Tier), None)),
            (
                refused("b", Some(Rule::Regions), Some(Code::RegionNotAllowed)),
                refused("b", Some(Rule::Tier), Some(Code::RegionNotAllowed)),
            ),
            (refused("b", None, Some(Code::RegionNotAllowed)), refused("b", None, Some(Code::TierTooLow))),
            (Expectation::Violations(BTreeSet::new()), Expectation::Violations([(name("b"), Rule::Tier)].into())),
        ];
        for (so, not_so) in table {
            assert!(met(&so), "{so:?}");
            assert!(!met(&not_so), "{not_so:?}");
        }
    }

    #[test]
    fn a_cluster_that_is_not_there_meets_nothing() {
        for one in [
            Expectation::Avoids("c".to_owned()),
            Expectation::Allowed("c".to_owned()),
            Expectation::Uses("c".to_owned()),
            refused("c", None, None),
        ] {
            assert!(!met(&one), "{one:?}");
        }
    }

    #[test]
    fn what_limits_is_expected_by_its_code_and_told_as_the_cause_of_a_miss() {
        let told = explain(&fleet(&[cluster("a", 1, 2)], &[workload("w", 5, &[])]), "w");
        let code = told.decision.limits[0].code;
        assert!(judge(&Expectation::Because(code), Some(&told), &[]).met);
        let missed = judge(&Expectation::Status(Status::Placed), Some(&told), &[]);
        assert_eq!((missed.met, missed.why[0].code, missed.seen), (false, code, "Pending".into()));
    }

    #[test]
    fn a_violation_that_runs_is_expected_exactly() {
        let mut a = cluster("a", 2, 4);
        a.region = "110000".to_owned();
        let told = explain(&fleet(&[a], &[within(workload("w", 1, &[("a", 1)]), &["53"])]), "w");
        let there = Expectation::Violations([("a".to_owned(), Rule::Regions)].into());
        assert!(judge(&there, Some(&told), &[]).met, "{:?}", told.decision);
        let missed = judge(&Expectation::Violations(BTreeSet::new()), Some(&told), &[]);
        assert_eq!((missed.met, missed.why[0].code), (false, Code::RegionNotAllowed));
    }

    #[test]
    fn findings_are_expected_by_code_and_object_present_or_absent() {
        use jiuzhou_engine::terms::ObjectRef;
        let found = [Finding::new(Reason::new(Code::RegionUnknown)).on(ObjectRef::new("Site", "", "room"))];
        let expects = |object: Option<&str>, present| Expectation::Finding {
            code: Code::RegionUnknown,
            object: object.map(str::to_owned),
            present,
        };
        let met = |one: &Expectation| judge(one, None, &found).met;
        assert!(
            met(&expects(None, true)) && met(&expects(Some("Site/room"), true)) && met(&expects(Some("Site/x"), false))
        );
        assert!(!met(&expects(None, false)) && !met(&expects(Some("Site/x"), true)));
    }

    #[test]
    fn every_rule_has_a_name_that_leads_back_to_it() {
        for rule in Rule::ALL {
            assert_eq!(rule_of(&rule_name(rule)), Some(rule));
        }
        assert_eq!((rule_name(Rule::PoolZone).as_str(), rule_of("Tier")), ("poolZone", None));
    }
}
