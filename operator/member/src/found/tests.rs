use jiuzhou_api::v1alpha1::{ObjectIdentity, WrittenAffinity};
use jiuzhou_objects::affinity;
use jiuzhou_objects::profile::Profiles;
use jiuzhou_objects::selector::Requirement;
use proptest::prelude::*;

use super::*;

/// What a person wrote: an object with a pod template at this pointer.
fn written(kind: &str, affinity: Option<Value>) -> (Value, String) {
    let mut pods = json!({"containers": [{"name": "web", "image": "registry.gov.example/web:1"}]});
    if let Some(affinity) = affinity {
        pods["affinity"] = affinity;
    }
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": pods});
    let metadata = json!({"name": "web", "namespace": "bureau"});
    let (api, spec, pointer) = match kind {
        "CronJob" => {
            ("batch/v1", json!({"jobTemplate": {"spec": {"template": template}}}), "/spec/jobTemplate/spec/template")
        }
        "Job" => ("batch/v1", json!({"template": template}), "/spec/template"),
        "Ring" => ("x.io/v1", json!({"template": template}), "/spec/template"),
        _ => ("apps/v1", json!({"template": template}), "/spec/template"),
    };
    (json!({"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}), pointer.to_owned())
}

/// The same as rendering makes it: our labels, the owner, what a copy before said, and the node affinity.
fn rendered(kind: &str, affinity: Option<Value>, platforms: &[&str]) -> (Value, DeliveredObject) {
    let (mut manifest, template) = written(kind, affinity.clone());
    let metadata = manifest.pointer_mut(&template).unwrap().get_mut("metadata").unwrap();
    metadata["labels"]["jiuzhou.dev/workload"] = "web".into();
    metadata["labels"]["jiuzhou.dev/object"] = "app".into();
    metadata["annotations"] = json!({"jiuzhou.dev/owner": "bureau/web", "state.jiuzhou.dev/job": "7"});
    manifest["metadata"]["labels"] = json!({"jiuzhou.dev/workload": "web"});
    let demand = [vec![Requirement::is_in("chips.jiuzhou.dev/platform", platforms)]];
    let mut order = DeliveredObject::default();
    if affinity::require(&mut manifest, &template, &demand) {
        let pod_spec = format!("{template}/spec").into();
        order.written_affinity.push(WrittenAffinity { pod_spec, affinity });
    }
    (manifest, order)
}

fn as_written_of(manifest: &Value, order: &DeliveredObject) -> Option<AsWritten> {
    as_written(manifest, order, Profiles::default().of(Object::new(manifest)))
}

/// The object of a member that was taken over with such templates.
fn live(digest: Option<&str>) -> Value {
    let mut live = json!({"metadata": {"uid": "u1", "labels": {"jiuzhou.dev/taken-over": "true"}}});
    if let Some(digest) = digest {
        live["metadata"]["annotations"] = json!({"jiuzhou.dev/template-as-found": digest});
    }
    live
}

fn kept_of(manifest: &Value, order: &DeliveredObject, live: &Value, recorded: Option<&ObjectObservation>) -> Value {
    kept(manifest, order, Profiles::default().of(Object::new(manifest)), Known { live, recorded })
}

#[test]
fn what_we_add_to_templates_comes_off_again_and_nothing_else() {
    let preferred = json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}});
    let required = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]}}});
    for kind in ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"] {
        for affinity in [None, Some(json!({})), Some(preferred.clone()), Some(required.clone())] {
            let (person, template) = written(kind, affinity.clone());
            let (manifest, order) = rendered(kind, affinity, &["kunpeng-920"]);
            assert_ne!(manifest.pointer(&template), person.pointer(&template), "{kind}");
            let got = as_written_of(&manifest, &order).expect("a followed kind");
            assert_eq!(got.manifest.pointer(&template), person.pointer(&template), "{kind}");
            assert_eq!(got.manifest["metadata"]["labels"]["jiuzhou.dev/workload"], "web", "the object's own stay");
            assert!(has_mark(&got.manifest) && digest_on(&got.manifest) == Some(got.digest.as_str()), "{kind}");
        }
    }
    let (ring, order) = rendered("Ring", None, &["kunpeng-920"]);
    assert!(as_written_of(&ring, &order).is_none(), "nobody can tell whose its pods are without our labels");
}

#[test]
fn templates_wait_until_the_workload_says_something_else_and_those_of_jobs_for_ever() {
    let (manifest, order) = rendered("Deployment", None, &["kunpeng-920"]);
    let digest = as_written_of(&manifest, &order).unwrap().digest;
    let waits = kept_of(&manifest, &order, &live(Some(&digest)), None);
    assert_eq!(waits["spec"], written("Deployment", None).0["spec"]);

    let (other, other_order) = rendered("Deployment", None, &["phytium-ft2000plus", "kunpeng-920"]);
    let still = kept_of(&other, &other_order, &live(Some(&digest)), None);
    assert_eq!(still, waits, "another node affinity of ours is no other wish of a person");

    let mut changed = manifest.clone();
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.gov.example/web:2".into();
    let ended = kept_of(&changed, &order, &live(Some(&digest)), None);
    assert_eq!(ended["spec"], changed["spec"], "with that change all of it goes in");
    assert!(has_mark(&ended) && digest_on(&ended).is_none(), "pods of before are still found");
    let after = kept_of(&manifest, &order, &live(None), None);
    assert_eq!(after["spec"], manifest["spec"], "what has ended does not begin again");

    let (job, order) = rendered("Job", None, &["kunpeng-920"]);
    let kept = kept_of(&job, &order, &live(Some("sha256:of-another-time")), None);
    assert_eq!(kept["spec"], written("Job", None).0["spec"], "what runs once is never edited");
}

#[test]
fn an_object_that_we_made_gets_all_of_it() {
    let (manifest, order) = rendered("Deployment", None, &["kunpeng-920"]);
    assert_eq!(kept_of(&manifest, &order, &json!({"metadata": {"uid": "u1"}}), None), manifest);
}

#[test]
fn marks_that_somebody_took_off_are_remembered_of_the_same_object_only() {
    let (manifest, order) = rendered("Deployment", None, &["kunpeng-920"]);
    let written = as_written_of(&manifest, &order).unwrap();
    let bare = json!({"metadata": {"uid": "u1"}});
    let recorded = |uid: &str| ObjectObservation {
        identity: Some(ObjectIdentity { uid: uid.into(), ..ObjectIdentity::default() }),
        taken_over: true,
        as_found: Some(written.digest.as_str().into()),
        ..ObjectObservation::default()
    };
    assert_eq!(kept_of(&manifest, &order, &bare, Some(&recorded("u1"))), written.manifest);
    assert_eq!(kept_of(&manifest, &order, &bare, Some(&recorded("u2"))), manifest, "another object of the name");
}

fn any_affinity() -> impl Strategy<Value = Option<Value>> {
    let term = prop_oneof![
        Just(json!({})),
        Just(json!({"matchExpressions": [{"key": "disk", "operator": "Exists"}]})),
        Just(
            json!({"matchExpressions": [{"key": "chips.jiuzhou.dev/platform", "operator": "In", "values": ["kunpeng-920"]}]})
        ),
        Just(json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]})),
    ];
    let required = proptest::collection::vec(term, 0..3).prop_map(|terms| {
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}})
    });
    prop_oneof![
        Just(None),
        Just(Some(json!({}))),
        Just(Some(json!({"podAntiAffinity": {"x": 1}}))),
        required.prop_map(Some)
    ]
}

proptest! {
    /// Whatever a person wrote and whatever is derived for it: taken off again it is what the person wrote, so the digest
    /// depends on the person alone, and a template that waits is one that nobody would see a change of.
    #[test]
    fn what_waits_is_what_the_person_wrote(
        affinity in any_affinity(),
        one in proptest::sample::subsequence(vec!["kunpeng-920", "hygon-7285", "phytium-ft2000plus"], 1..=3),
        two in proptest::sample::subsequence(vec!["kunpeng-920", "hygon-7285", "phytium-ft2000plus"], 1..=3),
        kind in prop_oneof![Just("Deployment"), Just("CronJob"), Just("DaemonSet")],
    ) {
        let (person, template) = written(kind, affinity.clone());
        let (first, first_order) = rendered(kind, affinity.clone(), &one);
        let (second, second_order) = rendered(kind, affinity, &two);
        let taken = as_written_of(&first, &first_order).unwrap();
        prop_assert_eq!(taken.manifest.pointer(&template), person.pointer(&template));
        let later = kept_of(&second, &second_order, &taken.manifest, None);
        prop_assert_eq!(&later, &taken.manifest);
    }
}
