//! PlacementTests as the study room judges them: expectations with their places, names of rules and codes read.

use jiff::Timestamp;
use jiuzhou_api::study::{self, Change, Expectations, ExpectedStatus, PlacementTest};
use jiuzhou_engine::decide::{Rule, Status, WorkloadKey};
use jiuzhou_engine::terms::{Code, Finding, Place, Reason};
use jiuzhou_intake::documents::Document;
use jiuzhou_intake::objects::Item;
use jiuzhou_intake::schema::nearest;
use jiuzhou_intake::studies::{Placed, placed};
use jiuzhou_study::cases::{Expectation, rule_name, rule_of};

use crate::commands::load;

/// One case, ready to be judged.
pub(super) struct Case<'a> {
    pub(super) test: &'a str,
    pub(super) name: &'a str,
    pub(super) workload: Option<WorkloadKey>,
    pub(super) as_of: Timestamp,
    pub(super) changes: Vec<Placed<'a>>,
    pub(super) expectations: Vec<(Expectation, Place)>,
    pub(super) place: Place,
}

impl Case<'_> {
    /// What tells whether two cases are about the same supposed fleet.
    pub(super) fn fleet(&self) -> (Timestamp, Vec<Change>) {
        (self.as_of, self.changes.iter().map(|placed| placed.change.clone()).collect())
    }
}

/// The cases of a test. What cannot be read becomes a finding.
pub(super) fn cases<'a>(
    item: &'a Item<PlacementTest>,
    as_of: Timestamp,
    only: Option<&str>,
    findings: &mut Vec<Finding>,
) -> Vec<Case<'a>> {
    let (document, spec) = (&item.document, &item.object.spec);
    let day = |date: Option<&str>, at: &str, otherwise: Timestamp, findings: &mut Vec<Finding>| {
        let Some(date) = date else { return otherwise };
        load::parse_as_of(date).unwrap_or_else(|_| {
            let reason = Reason::new(Code::FormatInvalid).object("asOf").seen(date).wanted("2026-11-23");
            findings.push(document.finding(reason, at));
            otherwise
        })
    };
    let of_test = day(spec.as_of.as_deref(), "/spec/asOf", as_of, findings);
    let mut cases = Vec::new();
    for (index, case) in spec.cases.iter().enumerate() {
        let study::Case { name, as_of, changes, workload, expect } = case;
        let wanted = only.is_none_or(|text| document.name.contains(text) || name.contains(text));
        if !wanted {
            continue;
        }
        let at = format!("/spec/cases/{index}");
        let mut all = placed(&spec.changes, document, "/spec/changes");
        all.extend(placed(changes, document, &format!("{at}/changes")));
        let key = workload.as_deref().and_then(|name| name.split_once('/'));
        cases.push(Case {
            test: &document.name,
            name,
            workload: key.map(|(namespace, name)| WorkloadKey::new(namespace, name)),
            as_of: day(as_of.as_deref(), &format!("{at}/asOf"), of_test, findings),
            changes: all,
            expectations: expectations(document, &format!("{at}/expect"), expect, findings),
            place: document.place(&at),
        });
    }
    cases
}

fn expectations(
    document: &Document,
    at: &str,
    expect: &Expectations,
    findings: &mut Vec<Finding>,
) -> Vec<(Expectation, Place)> {
    let Expectations {
        status,
        replicas,
        clusters,
        uses,
        avoids,
        allowed,
        refused,
        because,
        violations,
        findings: found,
    } = expect;
    let mut read = Reader { document, findings, all: Vec::new() };
    if let Some(status) = status {
        let status = match status {
            ExpectedStatus::Placed => Status::Placed,
            ExpectedStatus::Pending => Status::Pending,
            ExpectedStatus::Refused => Status::Refused,
            ExpectedStatus::NotProven => Status::NotProven,
        };
        read.take(Some(Expectation::Status(status)), &format!("{at}/status"));
    }
    if let Some(replicas) = replicas {
        read.take(Some(Expectation::Replicas(i64::from(*replicas))), &format!("{at}/replicas"));
    }
    if let Some(clusters) = clusters {
        let clusters = clusters.iter().map(|(name, replicas)| (name.clone(), i64::from(*replicas))).collect();
        read.take(Some(Expectation::Clusters(clusters)), &format!("{at}/clusters"));
    }
    for (field, names, make) in [
        ("uses", uses, Expectation::Uses as fn(String) -> Expectation),
        ("avoids", avoids, Expectation::Avoids),
        ("allowed", allowed, Expectation::Allowed),
    ] {
        for (index, name) in names.iter().enumerate() {
            read.take(Some(make(name.to_string())), &format!("{at}/{field}/{index}"));
        }
    }
    for (index, refusal) in refused.iter().enumerate() {
        let study::Refusal { cluster, rule, code } = refusal;
        let at = format!("{at}/refused/{index}");
        // A name that cannot be read takes its expectation along: half of it would be another one.
        let rule = rule.as_deref().map(|name| read.rule(name, &format!("{at}/rule")));
        let code = code.as_deref().map(|name| read.code(name, &format!("{at}/code")));
        if rule != Some(None) && code != Some(None) {
            let (rule, code) = (rule.flatten(), code.flatten());
            read.take(Some(Expectation::Refused { cluster: cluster.to_string(), rule, code }), &at);
        }
    }
    for (index, code) in because.iter().enumerate() {
        let at = format!("{at}/because/{index}");
        let code = read.code(code, &at);
        read.take(code.map(Expectation::Because), &at);
    }
    if let Some(violations) = violations {
        let at = format!("{at}/violations");
        let pairs: Vec<_> = violations
            .iter()
            .enumerate()
            .map(|(index, one)| Some((one.cluster.to_string(), read.rule(&one.rule, &format!("{at}/{index}/rule"))?)))
            .collect();
        read.take(pairs.into_iter().collect::<Option<_>>().map(Expectation::Violations), &at);
    }
    for (index, finding) in found.iter().enumerate() {
        let study::ExpectedFinding { code, object, present } = finding;
        let at = format!("{at}/findings/{index}");
        let object = object.as_ref().map(ToString::to_string);
        let code = read.code(code, &format!("{at}/code"));
        read.take(code.map(|code| Expectation::Finding { code, object, present: *present }), &at);
    }
    read.all
}

/// Reads names, and tells those that are none.
struct Reader<'a> {
    document: &'a Document,
    findings: &'a mut Vec<Finding>,
    all: Vec<(Expectation, Place)>,
}

impl Reader<'_> {
    fn take(&mut self, expectation: Option<Expectation>, at: &str) {
        if let Some(expectation) = expectation {
            self.all.push((expectation, self.document.place(at)));
        }
    }

    fn rule(&mut self, name: &str, at: &str) -> Option<Rule> {
        let rule = rule_of(name);
        if rule.is_none() {
            let all: Vec<String> = Rule::ALL.into_iter().map(rule_name).collect();
            let mut near = nearest(name, all.iter().map(String::as_str));
            if near.is_empty() {
                near = all;
            }
            self.unknown("rule", name, near, at);
        }
        rule
    }

    fn code(&mut self, name: &str, at: &str) -> Option<Code> {
        let code = Code::parse(name);
        if code.is_none() {
            let near = nearest(name, Code::ALL.iter().map(|code| code.as_str()));
            let near = if near.is_empty() { vec!["jiuzhou help codes".to_owned()] } else { near };
            self.unknown("code", name, near, at);
        }
        code
    }

    fn unknown(&mut self, field: &str, name: &str, near: Vec<String>, at: &str) {
        let reason = Reason::new(Code::ValueNotAllowed).object(field).seen(name).wanted(near);
        self.findings.push(self.document.finding(reason, at));
    }
}
