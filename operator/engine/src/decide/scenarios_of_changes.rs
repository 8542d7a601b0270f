//! As [`super::scenarios`], of what an explanation tells: what stands in the way, and the one change that would be enough.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::affinity::Affinity;
use super::fixture::now;
use super::input::{Grant, Term};
use super::rule::{Answer, Check};
use super::scenarios::{codes, fleet, granted, one, resources, spec, told, with};
use super::{
    Changes, FleetInput, MaxShare, Policy, Requirement, Rule, ShareOf, Snapshot, Spec, SpreadKey, Status, WorkloadKey,
    explain,
};
use crate::terms::{Code, Percent, Reason, Value};

#[test]
fn one_change_that_would_be_enough_is_listed_cheapest_first() {
    let wanted = with(spec("app", 1), |r| {
        r.affinity = Affinity { names: ["大理".to_owned()].into(), ..Affinity::default() };
        r.regions = ["53".to_owned()].into();
    });
    let mut fleet = fleet();
    fleet.clusters[1].databases.insert("达梦".to_owned(), BTreeSet::new());
    let wanted = with(wanted, |r| _ = r.databases.insert("openGauss".to_owned()));
    let explained = told(fleet, &wanted);
    assert_eq!(explained.decision.status, Status::Refused);
    let names: Vec<_> = explained.one_change.iter().map(|(name, change)| (&**name, change.rule)).collect();
    assert_eq!(names, [("大理", Some(Rule::Database))]);
    let costs: Vec<_> = explained.clusters.iter().map(|cluster| (&*cluster.cluster, cluster.changes.len())).collect();
    assert_eq!(costs, [("大理", 1), ("徐州", 3), ("昆明", 2)]);
}

#[test]
fn a_rule_that_two_things_break_is_two_changes_and_what_only_warns_is_none() {
    let wanted = with(spec("app", 1), |r| {
        r.regions = ["5329".to_owned()].into();
        r.databases = ["openGauss".to_owned(), "达梦".to_owned()].into();
    });
    let two = told(fleet(), &wanted);
    assert_eq!((two.decision.status, &two.one_change), (Status::Refused, &vec![]), "two services are to be opened");
    let there = two.clusters.iter().find(|cluster| cluster.cluster == "大理").unwrap();
    assert_eq!((there.changes.len(), there.changes[0].reasons.len()), (1, 2));
    let mut one = fleet();
    let dali = one.clusters.iter_mut().find(|cluster| cluster.name == "大理").unwrap();
    dali.databases.insert("达梦".to_owned(), BTreeSet::new());
    let one = told(one, &wanted);
    let names: Vec<_> = one.one_change.iter().map(|(name, change)| (&**name, change.rule)).collect();
    assert_eq!(names, [("大理", Some(Rule::Database))]);
}

#[test]
fn reasons_are_told_with_what_refuses_first_and_only_that_is_to_be_changed() {
    let reason = |code| Reason::new(code);
    let noted = Check::of(Answer::Warn, vec![reason(Code::PageSizeLikely)]);
    let open = Check::because(Answer::Unknown, reason(Code::IsaUnknown));
    let failed = Check::of(Answer::Fail, vec![reason(Code::NoManifestForPlatform), reason(Code::KernelTooOld)]);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let all = [&noted, &open, &failed];
        let check = order.iter().fold(Check::pass(), |sum, at| sum.and(all[*at].clone()));
        let codes: Vec<_> = check.reasons.iter().map(|reason| reason.code).collect();
        let expected = [Code::NoManifestForPlatform, Code::KernelTooOld, Code::IsaUnknown, Code::PageSizeLikely];
        assert_eq!((check.answer, codes.as_slice()), (Answer::Fail, &expected[..]), "{order:?}");
        assert_eq!((check.refusing(false).len(), check.refusing(true).len()), (2, 3));
    }
}

#[test]
fn a_quota_that_alone_stands_in_the_way_is_the_one_change_and_two_of_them_are_not() {
    let mut greedy = spec("贪心", 2);
    greedy.quota = resources(1000);
    let limited = |fleet: &mut FleetInput, name: &str, cpu: i64| {
        let tenant = fleet.tenants.iter_mut().find(|tenant| tenant.name == name).unwrap();
        tenant.grants =
            Some(vec![Grant { document: "批复".into(), term: Term::OPEN, amount: [("cpu".to_owned(), cpu)].into() }]);
    };
    let tenant = greedy.requirement.tenant.clone();
    let mut short = fleet();
    limited(&mut short, &tenant, 1500);
    let told_of = told(short.clone(), &greedy);
    assert_eq!((told_of.decision.status, codes(&told_of.decision)), (Status::Pending, vec![Code::QuotaExceeded]));
    let named: Vec<_> = told_of.one_change.iter().map(|(name, change)| (&**name, change.reasons[0].code)).collect();
    assert_eq!(named, [("", Code::QuotaExceeded)]);
    limited(&mut short, &tenant, 2000);
    assert_eq!(one(short.clone(), greedy.clone()).status, Status::Placed, "raised by what it is short of, it fits");
}

#[test]
fn missing_room_is_told_as_an_amount() {
    let mut big = spec("大模型", 1);
    big.pods[0].request = resources(6000);
    let explained = told(fleet(), &big);
    assert_eq!(explained.decision.status, Status::Pending);
    assert_eq!(codes(&explained.decision), [Code::CapacityInsufficient]);
    let change = &explained.clusters[0].changes;
    assert_eq!((change.len(), change[0].rule), (1, None));
    assert_eq!(change[0].reasons[0].seen, Value::Millicores(4000));
    assert_eq!(change[0].reasons[0].wanted, Value::Millicores(6000));
}

#[test]
fn a_change_is_told_as_enough_only_when_it_gives_every_replica_a_place() {
    let mut shared = spec("app", 3);
    shared.requirement = Arc::new(Requirement { regions: ["53".to_owned()].into(), ..(*shared.requirement).clone() });
    let share =
        MaxShare { percent: Percent::new(34).unwrap(), key: SpreadKey::Cluster, of: ShareOf::Workload, required: true };
    shared.policy = Arc::new(Policy { max_share: vec![share], ..Policy::default() });
    let two = told(fleet(), &shared);
    assert_eq!(two.decision.status, Status::Pending);
    let names: Vec<_> = two.one_change.iter().map(|(name, change)| (&**name, change.rule)).collect();
    let shares = ("", None);
    assert_eq!(names, [shares, ("徐州", Some(Rule::Regions))], "three groups of one replica each are enough");

    let four = told(fleet(), &Spec { replicas: 4, ..shared });
    assert_eq!(four.decision.status, Status::Pending);
    let names: Vec<_> = four.one_change.iter().map(|(name, change)| (&**name, change.rule)).collect();
    assert_eq!(names, [shares], "one more group of one replica is not, a larger share is");
    assert!(four.clusters.iter().any(|cluster| cluster.cluster == "徐州" && cluster.changes.len() == 1));
}

#[test]
fn an_explanation_tells_what_its_own_decision_takes_from_the_quota() {
    let specs = vec![Spec { priority: 1, ..spec("先", 1) }, spec("后", 1)];
    let changes = Changes { specs, ..Changes::default() };
    let snapshot = Snapshot::new(granted(4000, None)).unwrap();
    let told = explain(&snapshot, &changes, &WorkloadKey::new("民政", "后"), now()).unwrap().unwrap();
    let line = told.quota.iter().find(|line| line.tenant == "省级" && line.resource == "cpu").unwrap();
    assert_eq!((line.before, line.after), (1000, 2000));
}
