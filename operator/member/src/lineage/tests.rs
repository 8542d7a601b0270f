use serde_json::json;

use super::*;

fn owner(kind: &str, name: &str, uid: Option<&str>) -> Owner {
    Owner { key: "app".into(), kind: kind.into(), name: name.into(), uid: uid.map(str::to_owned) }
}

fn owned(kind: &str, name: &str, uid: &str) -> Value {
    json!([{"kind": kind, "name": name, "uid": uid, "controller": true}])
}

/// A pod with an owner, labels and the beginning of its name.
fn pod(owners: &Value, labels: &Value, prefix: &str) -> Value {
    let name = format!("{prefix}abcde");
    json!({"metadata": {"name": name, "generateName": prefix, "labels": labels, "ownerReferences": owners}})
}

fn listed(uid: &str, owners: &Value) -> Value {
    json!({"metadata": {"uid": uid, "ownerReferences": owners}})
}

#[test]
fn a_pod_is_of_who_made_it_through_what_stands_between() {
    let hash = json!({"pod-template-hash": "5d9"});
    let of_set = |name: &str| pod(&owned("ReplicaSet", name, "r1"), &hash, &format!("{name}-"));
    let of_job = |name: &str| pod(&owned("Job", name, "j1"), &json!({}), &format!("{name}-"));
    let deployment = owner("Deployment", "web", Some("d1"));
    let cron = owner("CronJob", "web", Some("c1"));
    let nothing: &[Value] = &[];
    let by_other = [listed("r1", &owned("Deployment", "web", "d2")), listed("j1", &owned("CronJob", "other", "c2"))];
    let by_it = [listed("r1", &owned("Deployment", "web", "d1")), listed("j1", &owned("CronJob", "web", "c1"))];
    let let_go = [listed("r1", &json!(null)), listed("j1", &json!(null))];
    let table: Vec<(Value, &Owner, &[Value], bool)> = vec![
        (of_set("web-5d9"), &deployment, nothing, true),
        (of_set("web-5d9"), &deployment, &by_it, true),
        (of_set("web-5d9"), &deployment, &let_go, true),
        (of_set("web-5d9"), &deployment, &by_other, false),
        // A ReplicaSet that a Deployment found has a name of its own.
        (of_set("old-5d9"), &deployment, &by_it, true),
        (of_set("old-5d9"), &deployment, nothing, false),
        // What begins alike is another's.
        (of_set("web-admin-5d9"), &deployment, nothing, false),
        (of_job("web-29112345"), &cron, nothing, true),
        (of_job("by-hand"), &cron, &by_it, true),
        (of_job("web-29112345"), &cron, &by_other, false),
        (of_job("web-admin-29112345"), &cron, nothing, false),
        (of_job("web-29112345"), &deployment, nothing, false),
    ];
    for (pod, owner, between, want) in table {
        let mut makers = Makers::default();
        makers.add(between);
        let found = makers.owner(&pod, std::slice::from_ref(owner)).is_some();
        assert_eq!(found, want, "{pod} of {owner:?} with {between:?}");
    }
}

#[test]
fn a_pod_that_its_owner_let_go_is_still_known_by_its_name() {
    let none = || json!([]);
    let table = [
        ("Deployment", pod(&none(), &json!({"pod-template-hash": "5d9"}), "web-5d9-"), true),
        ("Deployment", pod(&none(), &json!({"pod-template-hash": "5d9"}), "web-admin-5d9-"), false),
        ("ReplicaSet", pod(&none(), &json!({"pod-template-hash": "5d9"}), "web-"), true),
        ("DaemonSet", pod(&none(), &json!({"controller-revision-hash": "5d9"}), "web-"), true),
        ("DaemonSet", pod(&none(), &json!({}), "web-"), false),
        ("Job", pod(&none(), &json!({"batch.kubernetes.io/job-name": "web"}), "web-"), true),
        ("Job", pod(&none(), &json!({"job-name": "web"}), "web-"), true),
        ("Job", pod(&none(), &json!({"job-name": "web-admin"}), "web-admin-"), false),
        ("CronJob", pod(&none(), &json!({"job-name": "web-29112345"}), "web-29112345-"), true),
        ("Deployment", json!({"metadata": {"name": "web-5d9-x", "labels": {"app": "web"}}}), false),
    ];
    for (kind, pod, want) in table {
        let owners = [owner(kind, "web", Some("u1"))];
        assert_eq!(Makers::default().owner(&pod, &owners).is_some(), want, "{kind}: {pod}");
    }
    let ordinal = |name: &str| {
        json!({"metadata": {"name": name, "generateName": "web-",
        "labels": {"statefulset.kubernetes.io/pod-name": name, "controller-revision-hash": "web-5d9"}}})
    };
    let owners = [owner("StatefulSet", "web", Some("u1"))];
    assert!(Makers::default().owner(&ordinal("web-0"), &owners).is_some());
    assert!(Makers::default().owner(&ordinal("web-admin-0"), &owners).is_none());
}

#[test]
fn who_is_gone_and_forgotten_is_known_by_name_and_kind() {
    let direct = pod(&owned("StatefulSet", "web", "s1"), &json!({}), "web-");
    let find = |owner: &Owner| Makers::default().owner(&direct, std::slice::from_ref(owner)).is_some();
    assert!(find(&owner("StatefulSet", "web", None)));
    assert!(find(&owner("StatefulSet", "web", Some("s1"))));
    assert!(!find(&owner("StatefulSet", "web", Some("s2"))), "another object of the name");
    assert!(!find(&owner("DaemonSet", "web", None)));
}
