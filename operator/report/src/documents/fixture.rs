//! A small fleet decided, for the tests of plan and explain.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiuzhou_engine::decide::{
    Answer, Change, Check, ClusterExplanation, Decision, Explanation, Move, Plan, PoolExplanation, QuotaUse,
    Requirement, Rule, RuleCheck, ScoreTerm, Spec, Status, Target, Violation, WorkloadKey,
};
use jiuzhou_engine::terms::{Code, Digest, Reason, Value};

pub(super) fn reason() -> Reason {
    Reason::new(Code::NoManifestForPlatform).object("门户:2.1").seen("linux/amd64").wanted("linux/arm64")
}

pub(super) fn full() -> Reason {
    Reason::new(Code::CapacityInsufficient).object("审批").seen(Value::Int(3)).wanted(Value::Int(5))
}

pub(super) fn decision(name: &str, status: Status, targets: &[(&str, i64)]) -> Decision {
    let target = |(cluster, replicas): &(&str, i64)| Target { cluster: (*cluster).to_owned(), replicas: *replicas };
    Decision {
        key: WorkloadKey::new("xuzhou", name),
        sequence: 7,
        as_of: Timestamp::UNIX_EPOCH,
        status,
        targets: targets.iter().map(target).collect(),
        shortfall: 0,
        moves: Vec::new(),
        limits: Vec::new(),
        violations: Vec::new(),
        rebalanced: None,
        rejected: BTreeMap::new(),
        full: 0,
        spec: Digest::sha256(b"spec"),
        verdicts: None,
        fleet: Digest::sha256(b"fleet"),
        before: None,
    }
}

/// Four workloads: placed with moves, pending, refused, violating; a fifth that nothing woke.
pub(super) fn plan() -> (Plan, Vec<Spec>) {
    let mut placed = decision("门户", Status::Placed, &[("麒麟-一号", 3), ("飞腾-二号", 2)]);
    let step = |cluster: &str, from, to| Move { cluster: cluster.to_owned(), from, to, reason: None };
    placed.moves = vec![step("海光-三号", 2, 0), step("飞腾-二号", 1, 2)];
    let mut pending = decision("审批", Status::Pending, &[("麒麟-一号", 3)]);
    (pending.shortfall, pending.limits) = (2, vec![full()]);
    let mut refused = decision("档案", Status::Refused, &[]);
    (refused.shortfall, refused.limits) = (1, vec![reason()]);
    refused.rejected = BTreeMap::from([(Rule::Architecture, 3), (Rule::Tier, 1)]);
    let mut violating = decision("报送", Status::Refused, &[("海光-三号", 1)]);
    violating.violations =
        vec![Violation { cluster: "海光-三号".to_owned(), rule: Rule::Tier, reasons: vec![reason()] }];
    let decisions = vec![placed, pending, refused, violating];
    let requirement = Arc::new(Requirement { tenant: "徐州大数据局".to_owned(), ..Requirement::default() });
    let spec = |name: &str| Spec {
        key: WorkloadKey::new("xuzhou", name),
        requirement: Arc::clone(&requirement),
        replicas: 5,
        ..Spec::default()
    };
    let specs = ["门户", "审批", "档案", "报送", "静"].map(spec).to_vec();
    let quota = QuotaUse {
        tenant: "徐州大数据局".to_owned(),
        resource: "cpu".to_owned(),
        before: 8_000,
        after: 10_000,
        limit: Some(64_000),
        headroom: 4_000,
    };
    let plan = Plan {
        as_of: Timestamp::UNIX_EPOCH,
        fleet: Digest::sha256(b"fleet"),
        decisions,
        removed: vec![WorkloadKey::new("xuzhou", "旧系统")],
        quota: vec![quota],
        next_change: None,
    };
    (plan, specs)
}

fn check(rule: Rule, answer: Answer, reasons: Vec<Reason>) -> RuleCheck {
    RuleCheck { rule, check: Check::of(answer, reasons), refuses: answer == Answer::Fail }
}

/// Five clusters: two chosen, one full, one of the wrong architecture, one that fails two rules.
pub(super) fn explanation() -> Explanation {
    let cluster = |name: &str, replicas: i64, slots: i64| ClusterExplanation {
        cluster: name.to_owned(),
        eligible: true,
        current: 0,
        replicas,
        rules: Rule::ALL.iter().map(|rule| check(*rule, Answer::Pass, Vec::new())).collect(),
        pools: Vec::new(),
        slots,
        score: 0,
        terms: Vec::new(),
        group: Some(0),
        changes: Vec::new(),
        cost: 0,
    };
    let scored = |mut cluster: ClusterExplanation, carbon: i64, cost: i64| {
        let term =
            |figure: &str, points| ScoreTerm { figure: figure.to_owned(), seen: Some(points), points, weight: 2 };
        cluster.terms = vec![term("carbonGramsPerKwh", carbon), term("costFenPerMonth", cost)];
        cluster.score = 2 * (carbon + cost);
        cluster
    };
    let fail = |mut cluster: ClusterExplanation, rules: &[Rule]| {
        cluster.eligible = false;
        for rule in rules {
            cluster.rules[rule.index()] = check(*rule, Answer::Fail, vec![reason()]);
        }
        cluster.changes =
            rules.iter().map(|rule| Change { rule: Some(*rule), cost: 40, reasons: vec![reason()] }).collect();
        cluster.cost = 40;
        cluster
    };
    let mut x86 = fail(cluster("海光-三号", 0, 9), &[Rule::Architecture]);
    x86.pools = vec![PoolExplanation {
        pool: "计算".to_owned(),
        part: String::new(),
        platform: "hygon".to_owned(),
        accepted: false,
        rules: vec![check(Rule::Architecture, Answer::Fail, vec![reason()])],
        slots: 9,
    }];
    let one_change = vec![("海光-三号".to_owned(), x86.changes[0].clone())];
    Explanation {
        decision: decision("门户", Status::Placed, &[("麒麟-一号", 3), ("飞腾-二号", 2)]),
        clusters: vec![
            scored(cluster("麒麟-一号", 3, 12), 900, 300),
            scored(cluster("飞腾-二号", 2, 4), 500, 600),
            scored(cluster("鲲鹏-满", 0, 0), 950, 100),
            x86,
            fail(cluster("境外-云", 0, 50), &[Rule::Tier, Rule::Jurisdiction]),
        ],
        quota: plan().0.quota,
        one_change,
    }
}
