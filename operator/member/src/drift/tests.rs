use jiuzhou_api::v1alpha1::ObjectIdentity;
use jiuzhou_objects::profile::Profiles;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const OWNER: &str = "bureau/web";

fn wanted(kind: &str) -> Value {
    let group = match kind {
        "Job" => "batch/v1",
        "PersistentVolumeClaim" => "v1",
        _ => "apps/v1",
    };
    json!({"apiVersion": group, "kind": kind, "metadata": {"name": "web", "namespace": "bureau",
        "annotations": {"jiuzhou.dev/owner": OWNER}}, "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
        "template": {"spec": {"containers": [{"name": "web", "image": "a"}]}}}})
}

/// The object as a member has it after our apply of the digest `d1`.
fn ours(kind: &str) -> Value {
    let mut live = wanted(kind);
    live["metadata"]["uid"] = "u1".into();
    live["metadata"]["annotations"]["jiuzhou.dev/applied"] = "d1".into();
    live["metadata"]["annotations"]["jiuzhou.dev/epoch"] = "7".into();
    live["metadata"]["managedFields"] =
        json!([{"manager": "jiuzhou", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
    live["spec"]["strategy"] = json!({"type": "RollingUpdate"});
    live
}

fn recorded(state: ObjectState) -> ObjectObservation {
    let identity = ObjectIdentity { uid: "u1".into(), ..ObjectIdentity::default() };
    ObjectObservation { name: "web".into(), state, identity: Some(identity), ..ObjectObservation::default() }
}

/// Everything a case may change; the rest is the usual.
struct Case {
    kind: &'static str,
    wanted: Option<Value>,
    digest: &'static str,
    live: Option<Value>,
    order: DeliveredObject,
    recorded: Option<ObjectObservation>,
    epoch: i64,
    expired: bool,
}

impl Case {
    fn new(live: Option<Value>) -> Self {
        let order = DeliveredObject::default();
        Self { kind: "Deployment", wanted: None, digest: "d1", live, order, recorded: None, epoch: 7, expired: false }
    }

    fn step(self) -> Step {
        let wanted = self.wanted.unwrap_or_else(|| wanted(self.kind));
        let profiles = Profiles::default();
        decide(&Facts {
            wanted: &wanted,
            digest: self.digest,
            live: self.live.as_ref(),
            order: &self.order,
            recorded: self.recorded.as_ref(),
            profile: profiles.of(Object::new(&wanted)),
            owner: OWNER,
            epoch: self.epoch,
            expired: self.expired,
        })
    }

    fn state(self) -> Option<ObjectState> {
        match self.step() {
            Step::Stay(state, _) => Some(state),
            _ => None,
        }
    }
}

#[test]
fn what_is_not_there_is_made_unless_a_rule_forbids_it() {
    assert_eq!(Case::new(None).step(), Step::Create);
    let deleted = |state| Case { recorded: Some(recorded(state)), ..Case::new(None) };
    assert_eq!(deleted(ObjectState::Ready).step(), Step::Create, "drift is corrected");
    let report = DeliveredObject { on_drift: OnDrift::Report, ..DeliveredObject::default() };
    assert_eq!(Case { order: report.clone(), ..deleted(ObjectState::Ready) }.state(), Some(ObjectState::Drifted));
    assert_eq!(
        Case { order: report, ..deleted(ObjectState::Removing) }.step(),
        Step::Create,
        "we deleted it ourselves"
    );
    assert_eq!(Case { expired: true, ..Case::new(None) }.state(), Some(ObjectState::Waiting));
}

#[test]
fn a_job_never_runs_twice() {
    let gone = |state| Case { kind: "Job", recorded: Some(recorded(state)), ..Case::new(None) };
    assert_eq!(gone(ObjectState::Finished).state(), Some(ObjectState::Finished));
    assert_eq!(gone(ObjectState::Failed).state(), Some(ObjectState::Failed));
    assert_eq!(gone(ObjectState::Applied).state(), Some(ObjectState::Gone));
    assert_eq!(Case { recorded: None, ..gone(ObjectState::Applied) }.step(), Step::Create);
    let mut other = ours("Job");
    other["spec"]["template"]["spec"]["containers"][0]["image"] = "b".into();
    let recreate = DeliveredObject { on_immutable: OnImmutable::Recreate, ..DeliveredObject::default() };
    let changed = Case { kind: "Job", digest: "d2", order: recreate, ..Case::new(Some(other)) };
    assert_eq!(changed.step(), Step::Update, "its template stays, it is not made again");
}

#[test]
fn another_ones_object_is_never_touched() {
    let mut foreign = ours("Deployment");
    foreign["metadata"]["annotations"]["jiuzhou.dev/owner"] = "bureau/other".into();
    let take_over = DeliveredObject { take_over: true, ..DeliveredObject::default() };
    assert_eq!(Case { order: take_over.clone(), ..Case::new(Some(foreign)) }.state(), Some(ObjectState::Conflict));
    let mut before = ours("Deployment");
    before["metadata"]["annotations"] = json!({});
    before["metadata"]["managedFields"] = json!([{"manager": "kubectl", "operation": "Update"}]);
    assert_eq!(Case::new(Some(before.clone())).state(), Some(ObjectState::Conflict));
    assert_eq!(Case { order: take_over.clone(), ..Case::new(Some(before.clone())) }.step(), Step::TakeOver);
    let late = Case { order: take_over, expired: true, ..Case::new(Some(before.clone())) };
    assert_eq!(late.state(), Some(ObjectState::Conflict));
    before["metadata"]["annotations"] = json!({"jiuzhou.dev/take-over": OWNER});
    assert_eq!(Case::new(Some(before)).step(), Step::TakeOver, "its own side asks");
}

#[test]
fn stripped_annotations_do_not_make_our_object_foreign() {
    let mut stripped = ours("Deployment");
    stripped["metadata"]["annotations"] = json!({});
    let known = Case { recorded: Some(recorded(ObjectState::Ready)), ..Case::new(Some(stripped.clone())) };
    assert_eq!(known.step(), Step::Update);
    assert_eq!(Case::new(Some(stripped)).state(), Some(ObjectState::Conflict), "nothing tells that it is ours");
}

#[test]
fn unchanged_content_is_kept_and_a_difference_is_looked_at() {
    assert_eq!(Case::new(Some(ours("Deployment"))).step(), Step::Keep, "what the member adds is no difference");
    let mut drifted = ours("Deployment");
    drifted["spec"]["replicas"] = 5.into();
    assert_eq!(Case::new(Some(drifted.clone())).step(), Step::Compare(vec!["/spec/replicas".into()]));
    assert_eq!(Case { expired: true, ..Case::new(Some(drifted)) }.step(), Step::Keep);
    assert_eq!(Case { digest: "d2", ..Case::new(Some(ours("Deployment"))) }.step(), Step::Update);
}

#[test]
fn an_older_order_is_refused() {
    assert_eq!(
        Case { epoch: 6, digest: "d2", ..Case::new(Some(ours("Deployment"))) }.state(),
        Some(ObjectState::Refused)
    );
    assert_eq!(Case { epoch: 8, ..Case::new(Some(ours("Deployment"))) }.step(), Step::Keep);
}

#[test]
fn fields_that_cannot_change_are_refused_or_made_again_as_declared() {
    let mut live = ours("StatefulSet");
    live["spec"]["selector"]["matchLabels"]["app"] = "old".into();
    let case = |order: &DeliveredObject, live: &Value| Case {
        kind: "StatefulSet",
        digest: "d2",
        order: order.clone(),
        ..Case::new(Some(live.clone()))
    };
    let recreate = DeliveredObject { on_immutable: OnImmutable::Recreate, ..DeliveredObject::default() };
    assert_eq!(case(&DeliveredObject::default(), &live).state(), Some(ObjectState::Refused));
    let fields = vec!["/spec/selector/matchLabels/app".to_owned()];
    assert_eq!(case(&recreate, &live).step(), Step::Recreate(fields.clone()));
    let claim = wanted("PersistentVolumeClaim");
    let facts = Facts {
        wanted: &claim,
        digest: "d",
        live: None,
        order: &recreate,
        recorded: None,
        profile: None,
        owner: OWNER,
        epoch: 1,
        expired: false,
    };
    assert!(super::recreate(&facts, &fields).is_err(), "a claim of storage is never made again");
}

#[test]
fn what_is_being_deleted_is_waited_for() {
    let mut going = ours("Deployment");
    going["metadata"]["deletionTimestamp"] = "2026-11-26T00:00:00Z".into();
    assert_eq!(Case { digest: "d2", ..Case::new(Some(going)) }.state(), Some(ObjectState::Removing));
}

#[test]
fn another_owner_of_replicas_is_named() {
    let profiles = Profiles::default();
    let mut live = ours("Deployment");
    let profile = profiles.of(Object::new(&live)).cloned().unwrap();
    assert_eq!(replicas_elsewhere(&live, &profile), None);
    let scaler = json!({"manager": "kube-controller-manager", "operation": "Update", "subresource": "scale",
        "fieldsV1": {"f:spec": {"f:replicas": {}}}});
    live["metadata"]["managedFields"].as_array_mut().unwrap().push(scaler);
    let want = Some(("kube-controller-manager".to_owned(), "/spec/replicas".to_owned()));
    assert_eq!(replicas_elsewhere(&live, &profile), want);
}

#[test]
fn lists_are_compared_by_name_and_empty_is_absent() {
    let table = [
        (json!({"a": {}, "b": [], "c": ""}), json!({}), vec![]),
        (
            json!({"a": [{"name": "x", "v": 1}]}),
            json!({"a": [{"name": "sidecar"}, {"name": "x", "v": 1, "d": 2}]}),
            vec![],
        ),
        (json!({"a": [{"name": "x", "v": 1}]}), json!({"a": [{"name": "x", "v": 2}]}), vec!["/a/0/v"]),
        (json!({"a": ["x"]}), json!({"a": ["x", "y"]}), vec!["/a/0"]),
        (json!({"a/b": 1}), json!({"a/b": 2}), vec!["/a~1b"]),
        (json!({"cpu": "1000m"}), json!({"cpu": "1"}), vec!["/cpu"]),
        (json!({"a": 0}), json!({}), vec!["/a"]),
    ];
    for (wanted, live, want) in table {
        assert_eq!(differences(&wanted, &live), want, "{wanted} in {live}");
    }
}

proptest! {
    #[test]
    fn what_a_member_adds_is_never_a_difference(
        values in proptest::collection::btree_map("[a-d]", 0i64..3, 0..4),
        more in proptest::collection::btree_map("[e-h]", 0i64..3, 0..4),
    ) {
        let mut live = values.clone();
        live.extend(more);
        prop_assert_eq!(differences(&json!({"s": values}), &json!({"s": live})), Vec::<String>::new());
    }
}
