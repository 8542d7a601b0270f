//! `test`: decisions held against PlacementTests, and what the cases exercise.
//!
//! Cases about the same supposed fleet share one reading and one plan. Nothing is judged here: the engine decides, the
//! study room compares.

mod suite;

use std::collections::BTreeSet;

use jiuzhou_engine::decide::{self, Explanation, WorkloadKey};
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Place, Reason, Severity};
use jiuzhou_intake::convert::Base;
use jiuzhou_intake::objects::Origin;
use jiuzhou_intake::schema::nearest;
use jiuzhou_intake::{Fleet, Input, Options};
use jiuzhou_report::document::Meta;
use jiuzhou_report::documents::test as told;
use jiuzhou_study::cases::{Expectation, judge};
use jiuzhou_study::coverage::{CaseSeen, Coverage, Seen};

use crate::args::{FailOn, TestArgs};
use crate::commands::{load, plan};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;
use suite::Case;

/// Workloads explained in one pass: an explanation holds every rule on every cluster, so not all at once.
const AT_ONCE: usize = 256;

/// Runs the tests of what it reads.
pub(crate) fn run(args: &TestArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of = load::as_of(&args.input);
    let inputs = load::inputs(&args.input, false);
    let (fleet, input) = load::read_and_keep(&inputs, as_of, args.strict, context)?;
    let mut unread = Vec::new();
    let items = fleet.studies.tests.values();
    let cases: Vec<Case<'_>> =
        items.flat_map(|item| suite::cases(item, as_of, args.only.as_deref(), &mut unread)).collect();
    let mut run =
        Run { fleet: &fleet, input: &input, strict: args.strict, coverage: Coverage::default(), told: Vec::new() };
    run.told = cases.iter().map(|_| None).collect();
    for group in groups(&cases) {
        run.group(&cases, &group)?;
    }
    let Run { coverage, told: rows, .. } = run;
    let rows: Vec<told::Case> = rows.into_iter().flatten().collect();
    let failed = rows.iter().any(|case| !case.passed());
    let things = things(&fleet, &coverage);
    let mut findings = remaining(&fleet.findings, &cases);
    findings.append(&mut unread);
    let unusable = load::fails(&findings, args.fail_on);
    let lacking = lacking(args, &cases, &findings, &things, &inputs);
    let untested = args.require_tests && !lacking.is_empty();
    findings.extend(lacking);
    let document = told::test(
        Meta::new(Some(as_of), Some(fleet.snapshot.digest()?)),
        &told::TestInput {
            cases: rows,
            rules: coverage.rules.iter().map(|(rule, seen)| (*rule, exercised(seen))).collect(),
            things: things.into_iter().map(|one| (one.thing, one.name, one.seen, one.place)).collect(),
        },
        findings,
    );
    output::write(&document, &args.output, context)?;
    Ok(match (unusable, failed || untested) {
        (true, _) => Exit::Input,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Ok,
    })
}

/// Cases by the fleet they are about, in the order of their first case.
fn groups(cases: &[Case<'_>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let same = |group: &&mut Vec<usize>| {
            group.first().and_then(|first| cases.get(*first)).is_some_and(|first| first.fleet() == case.fleet())
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// What a run knows while it goes from fleet to fleet.
struct Run<'a> {
    fleet: &'a Fleet,
    input: &'a Input,
    strict: bool,
    coverage: Coverage,
    told: Vec<Option<told::Case>>,
}

impl Run<'_> {
    /// Judges cases about one supposed fleet.
    fn group(&mut self, cases: &[Case<'_>], group: &[usize]) -> anyhow::Result<()> {
        let Some(first) = group.first().and_then(|index| cases.get(*index)) else { return Ok(()) };
        let mut wrong = Vec::new();
        let (input, supposed) = self.input.supposing(&first.changes, first.as_of, &mut wrong);
        let options = Options { strict: self.strict, ..Options::at(first.as_of) };
        let fleet = input.build(&options)?;
        // What the present fleet has, too, is told of it and not of the case.
        let known: BTreeSet<_> =
            self.fleet.findings.iter().map(|one| (one.reason.code, &one.subject, &one.pointer)).collect();
        let new = fleet.findings.iter().filter(|one| {
            one.severity == Severity::Error && !known.contains(&(one.reason.code, &one.subject, &one.pointer))
        });
        wrong.extend(new.cloned());
        let mut planned = plan::input(&fleet, None, first.as_of);
        supposed.tell(&mut planned.fleet.specs);
        let snapshot = decide::Snapshot::new(planned.fleet)?;
        let base = Base::new(&fleet.objects, first.as_of, &mut Vec::new());
        let taints: BTreeSet<(String, String)> = snapshot
            .clusters()
            .flat_map(|(_, one)| one.taints.iter().map(|taint| (one.name.clone(), taint.key.clone())))
            .collect();
        let keys: Vec<WorkloadKey> = group
            .iter()
            .filter_map(|at| cases.get(*at)?.workload.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let mut left: BTreeSet<usize> = group.iter().copied().collect();
        for some in keys.chunks(AT_ONCE).chain([&[][..]]) {
            let some: BTreeSet<WorkloadKey> = some.iter().cloned().collect();
            let explained = decide::explain_all(&snapshot, &planned.changes, &some, first.as_of)?;
            let ready =
                |at: &usize| cases.get(*at).is_some_and(|c| c.workload.as_ref().is_none_or(|key| some.contains(key)));
            for at in left.iter().copied().filter(ready).collect::<Vec<_>>() {
                left.remove(&at);
                let Some(case) = cases.get(at) else { continue };
                let why = case.workload.as_ref().and_then(|key| explained.get(key));
                let row = judged(case, why, &fleet, &wrong);
                if let (Some(why), Some(spec)) = (why, case.workload.as_ref().and_then(|key| snapshot.spec(key))) {
                    let expectations: Vec<Expectation> = case.expectations.iter().map(|(one, _)| one.clone()).collect();
                    let key = (spec.key.namespace.clone(), spec.key.name.clone());
                    self.coverage.take(&CaseSeen {
                        told: why,
                        expectations: &expectations,
                        passed: row.passed(),
                        tier: decide::demanded_tier(&snapshot, &spec.requirement).map(|tier| tier.name.as_str()),
                        policy: base.policy(&fleet.objects, &key).as_ref(),
                        taints: &taints,
                    });
                }
                if let Some(slot) = self.told.get_mut(at) {
                    *slot = Some(row);
                }
            }
        }
        Ok(())
    }
}

/// One case with every expectation judged.
fn judged(case: &Case<'_>, why: Option<&Explanation>, fleet: &Fleet, wrong: &[Finding]) -> told::Case {
    let mut checks = Vec::new();
    // A change that could not be made, or that broke the files, makes the case one about something else.
    let expected = |finding: &&Finding| case.expectations.iter().any(|(one, _)| expects(one, finding));
    for finding in wrong.iter().filter(|finding| !expected(finding)) {
        checks.push(told::Check {
            about: "changes".to_owned(),
            missed: Some(finding.reason.clone()),
            why: None,
            place: Some(finding.place.clone().unwrap_or_else(|| case.place.clone())),
        });
    }
    if let Some(key) = case.workload.as_ref().filter(|_| why.is_none()) {
        checks.push(told::Check {
            about: "workload".to_owned(),
            missed: Some(absent(key, case, fleet)),
            why: None,
            place: Some(case.place.clone()),
        });
    }
    for (expectation, place) in &case.expectations {
        if why.is_none() && !matches!(expectation, Expectation::Finding { .. }) {
            continue;
        }
        let verdict = judge(expectation, why, &fleet.findings);
        checks.push(told::Check {
            about: verdict.about.clone(),
            missed: (!verdict.met).then(|| verdict.reason()),
            why: verdict.why.first().cloned(),
            place: Some(place.clone()),
        });
    }
    let workload = case.workload.as_ref().map(ToString::to_string);
    told::Case { test: case.test.to_owned(), name: case.name.to_owned(), workload, checks }
}

/// Why a workload cannot be judged: what is wrong with it, else that nobody knows it.
fn absent(key: &WorkloadKey, case: &Case<'_>, fleet: &Fleet) -> Reason {
    let object = ObjectRef::new("FleetWorkload", &key.namespace, &key.name);
    let own =
        fleet.findings.iter().find(|one| one.severity == Severity::Error && one.subject.as_ref() == Some(&object));
    if let Some(finding) = own {
        return finding.reason.clone();
    }
    let names: Vec<String> = fleet.converted.fleet.specs.iter().map(|spec| spec.key.to_string()).collect();
    let mut near = nearest(&key.to_string(), names.iter().map(String::as_str));
    if near.is_empty() {
        near = names.into_iter().take(8).collect();
    }
    let reason = Reason::new(Code::ReferenceUnknown).object(object.to_string());
    reason.seen(format!("PlacementTest/{}", case.test)).wanted(near)
}

fn expects(expectation: &Expectation, finding: &Finding) -> bool {
    let Expectation::Finding { code, object, present: true } = expectation else { return false };
    let named = |object: &String| finding.subject.as_ref().is_some_and(|subject| subject.to_string() == *object);
    *code == finding.reason.code && object.as_ref().is_none_or(named)
}

/// Findings of the files that matter to a gate and that no case expects.
fn remaining(findings: &[Finding], cases: &[Case<'_>]) -> Vec<Finding> {
    let expected =
        |finding: &&Finding| cases.iter().flat_map(|case| &case.expectations).any(|(one, _)| expects(one, finding));
    findings.iter().filter(|one| one.severity > Severity::Info && !expected(one)).cloned().collect()
}

/// A tier, policy or taint with what cases saw of it.
struct Tried {
    thing: told::Thing,
    object: Option<ObjectRef>,
    name: String,
    seen: told::Exercised,
    place: Option<Place>,
}

/// Tiers that the files define or some workload demands, the policies of the files, and the taints of the clusters.
fn things(fleet: &Fleet, coverage: &Coverage) -> Vec<Tried> {
    let mut all = Vec::new();
    let of = |seen: Option<&Seen>| seen.map(exercised).unwrap_or_default();
    let place = |object: &ObjectRef| fleet.places.get(object).cloned();
    let own = fleet.objects.tiers.values().filter(|item| item.origin == Origin::Input);
    let mut tiers: BTreeSet<String> = own.map(|item| item.document.name.clone()).collect();
    let demanded = |spec: &decide::Spec| decide::demanded_tier(&fleet.snapshot, &spec.requirement);
    tiers.extend(fleet.snapshot.specs().filter_map(|spec| demanded(spec)).map(|tier| tier.name.clone()));
    tiers.extend(coverage.tiers.keys().cloned());
    for name in tiers {
        let object = ObjectRef::new("SovereigntyTier", "", &name);
        let (seen, place) = (of(coverage.tiers.get(&name)), place(&object));
        all.push(Tried { thing: told::Thing::Tier, object: Some(object), name, seen, place });
    }
    let policies = fleet.objects.policies.values().map(|item| item.document.object_ref());
    let shared = fleet.objects.cluster_policies.values().filter(|item| item.origin == Origin::Input);
    let mut policies: BTreeSet<ObjectRef> = policies.chain(shared.map(|item| item.document.object_ref())).collect();
    policies.extend(coverage.policies.keys().cloned());
    for object in policies {
        let (seen, place) = (of(coverage.policies.get(&object)), place(&object));
        let name = if object.namespace.is_empty() {
            object.name.clone()
        } else {
            format!("{}/{}", object.namespace, object.name)
        };
        all.push(Tried { thing: told::Thing::Policy, object: Some(object), name, seen, place });
    }
    let clusters = fleet.snapshot.clusters();
    let taints = clusters.flat_map(|(_, one)| one.taints.iter().map(|taint| (one.name.clone(), taint.key.clone())));
    let mut taints: BTreeSet<(String, String)> = taints.collect();
    taints.extend(coverage.taints.keys().cloned());
    for (cluster, key) in taints {
        let place = place(&ObjectRef::new("MemberCluster", "", &cluster));
        let seen = of(coverage.taints.get(&(cluster.clone(), key.clone())));
        all.push(Tried { thing: told::Thing::Taint, object: None, name: format!("{cluster} {key}"), seen, place });
    }
    all
}

fn exercised(seen: &Seen) -> told::Exercised {
    let Seen { let_in, kept_out, asserted, failed } = *seen;
    told::Exercised { let_in, kept_out, asserted, failed }
}

/// What has no test: a warning where nothing is asked for, an error with `--require-tests`.
fn lacking(
    args: &TestArgs,
    cases: &[Case<'_>],
    findings: &[Finding],
    things: &[Tried],
    inputs: &[String],
) -> Vec<Finding> {
    let mut lacking = Vec::new();
    // A test that is there and was refused is told as what it is.
    let refused = findings.iter().any(|one| one.subject.as_ref().is_some_and(|on| on.kind == "PlacementTest"));
    if cases.is_empty() && !refused {
        let only = args.only.as_ref().map(|text| format!(" --only {text}")).unwrap_or_default();
        let mut finding = Finding::new(Reason::new(Code::TestsAbsent).object(inputs.join(", ") + &only));
        if args.require_tests || args.fail_on == FailOn::Warning {
            finding.severity = Severity::Error;
        }
        lacking.push(finding);
    }
    if args.require_tests {
        for one in things.iter().filter(|one| !one.seen.met()) {
            let Some(object) = &one.object else { continue };
            let finding = Finding::new(Reason::new(Code::TestMissing).object(object.to_string())).on(object.clone());
            lacking.push(match &one.place {
                Some(place) => finding.pointer("/metadata/name").at(place.clone()),
                None => finding,
            });
        }
    }
    lacking
}
