//! What is wrong harms itself alone: credentials that are refused, objects that a member refuses, that two want, that
//! nobody knows how to run, that cannot be read.

use std::time::Duration;

use jiuzhou_e2e::scene::{AFTER_A_KILL, SOON, Scene, list, object};
use jiuzhou_e2e::{Seen, Start, eventually};
use serde_json::{Value, json};

/// A workload of its own, placed while something else is wrong: the proof that others are not harmed.
async fn others_go_on(scene: &Scene, name: &str) {
    scene.apply(&[scene.workload(name, "arm", 1)]).unwrap();
    scene.runs(name, &[("kunpeng", 1)], SOON).await.unwrap();
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A MemberCluster with a kubeconfig that somebody wrote.
fn stranger(scene: &Scene, name: &str, kubeconfig: &Value) -> Vec<Value> {
    // Where join keeps them: elsewhere the operator may read no Secret.
    let (namespace, secret) = ("jiuzhou-system", format!("member-{name}"));
    let spec = json!({
        "site": scene.name(), "form": "Private", "ownership": "Government", "jurisdictions": ["CN"],
        "connection": { "push": { "secretNamespace": namespace, "secretName": secret } },
    });
    vec![
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": secret, "namespace": namespace },
            "data": { "kubeconfig": base64(&kubeconfig.to_string()) },
        }),
        object("MemberCluster", name, None, &spec),
    ]
}

/// A service account's token that ended long ago; nobody signed it, and nobody is asked.
fn ended_token() -> String {
    use base64::Engine as _;
    let part = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "iat": 1_500_000_000, "nbf": 1_500_000_000, "exp": 1_500_003_600, "sub": "nobody" });
    format!("{}.{}.c2lnbmF0dXJl", part(json!({ "alg": "RS256" })), part(claims))
}

#[tokio::test]
async fn a_credential_that_would_run_read_or_trust_something_is_refused_and_says_why() {
    let mut scene = Scene::begin("credentials").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["kunpeng"]).await.unwrap();

    let good: Value =
        serde_json::from_str(&std::fs::read_to_string(scene.member("x86").plane.kubeconfig()).unwrap()).unwrap();
    let user = |user: Value| {
        let mut config = good.clone();
        config["users"][0]["user"] = user;
        config
    };
    let hub: Value =
        serde_json::from_str(&std::fs::read_to_string(scene.fleet.hub().plane.kubeconfig()).unwrap()).unwrap();
    let mut wrong_authority = good.clone();
    wrong_authority["clusters"][0]["cluster"]["certificate-authority-data"] =
        hub["clusters"][0]["cluster"]["certificate-authority-data"].clone();
    let mut refused_there = good.clone();
    refused_there["users"][0]["user"] = json!({ "token": "nobody-issued-this" });
    let marker = scene.fleet.set().layout().folder().join("a-program-ran");
    let runs = json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "touch", "args": [marker], "interactiveMode": "Never",
    } });
    let cases = [
        ("bad-exec", user(runs), "CredentialRefused", "exec would run a program"),
        ("bad-path", user(json!({ "tokenFile": "/etc/passwd" })), "CredentialRefused", "names a file of the hub"),
        ("bad-ended", user(json!({ "token": ended_token() })), "CredentialExpired", "ended at"),
        ("bad-token", refused_there, "CredentialRefused", "401"),
        ("bad-authority", wrong_authority, "CredentialRefused", "certificate"),
    ];
    for (name, kubeconfig, ..) in &cases {
        scene.apply(&stranger(&scene, name, kubeconfig)).unwrap();
    }
    for (name, _, reason, words) in &cases {
        let told = eventually(&format!("{name} is refused for {reason}"), SOON, || async {
            let object = scene.get("mc", name, None)?;
            let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let ready = conditions.iter().find(|one| one["type"] == "Ready").cloned().unwrap_or_default();
            let right = ready["status"] == "False" && ready["reason"] == *reason;
            Ok(Seen::when(right, ready["message"].to_string(), ready))
        })
        .await
        .unwrap();
        assert!(told.contains(words), "{name}: {told}");
        assert!(!told.contains("nobody-issued-this"), "{name}: {told}");
    }
    assert!(!marker.exists(), "a program of a kubeconfig ran on the hub");
    others_go_on(&scene, "meanwhile").await;

    // Mended, it is taken without any restart; it is kunpeng's neighbour x86 after all.
    let system = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "jiuzhou-system" } });
    scene.member("x86").apply(&system.to_string()).unwrap();
    scene.apply(&stranger(&scene, "bad-exec", &good)).unwrap();
    scene.ready(&["bad-exec"]).await.unwrap();
    scene.order(&["leave", "bad-exec"]).unwrap();
    for (name, ..) in &cases[1..] {
        scene.order(&["leave", name, "--abandon", name]).unwrap();
    }
    eventually("they have left", AFTER_A_KILL, || async {
        let there = scene.fleet.hub().kubectl(&["get", "mc", "--no-headers"])?;
        Ok(Seen::when(!there.contains("bad-"), (), there))
    })
    .await
    .unwrap();
    let secrets: Vec<String> = cases.iter().map(|(name, ..)| format!("member-{name}")).collect();
    let mut gone = vec!["delete", "secret", "--ignore-not-found", "--namespace=jiuzhou-system"];
    gone.extend(secrets.iter().map(String::as_str));
    scene.fleet.hub().kubectl(&gone).unwrap();
    scene.end(operator).await.unwrap();
}

/// A policy of the member that says aloud what it was shown, as badly written ones do.
fn talkative() -> String {
    let match_constraints = json!({ "resourceRules": [
        { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["secrets"] },
    ] });
    list(&[
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": { "name": "talkative" },
            "spec": {
                "failurePolicy": "Fail", "matchConstraints": match_constraints,
                "matchConditions": [{ "name": "ours", "expression": "object.metadata.name == 'password'" }],
                "validations": [{
                    "expression": "false",
                    "messageExpression": "'no such password here: ' + string(object.data.word)",
                }],
            },
        }),
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": { "name": "talkative" },
            "spec": { "policyName": "talkative", "validationActions": ["Deny"] },
        }),
    ])
}

#[tokio::test]
async fn what_a_member_refuses_and_what_cannot_be_delivered_is_told_by_name_and_without_secrets() {
    const WORD: &str = "kingfisher-at-dawn-2026";
    let mut scene = Scene::begin("refused").await.unwrap();
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["kunpeng"]).await.unwrap();
    let member = scene.member("kunpeng");
    member.apply(&talkative()).unwrap();

    // The member's own words about an object that no schema of the hub knows to be wrong.
    let mut limits = scene.deployment("limits", "arm", 1);
    limits["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] = json!({ "cpu": "50m" });
    // A Secret that the member refuses while repeating it.
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "password" }, "data": { "word": base64(WORD) },
    });
    let whole = scene.workload_of("talk", &[secret, scene.deployment("talk", "arm", 1)]);
    // An object that is another workload's, and a kind that nobody knows how to run.
    let ring = json!({ "apiVersion": "example.org/v1", "kind": "Ring", "metadata": { "name": "ring" }, "spec": {} });
    others_go_on(&scene, "first").await;
    scene
        .apply(&[
            scene.workload_of("limits", &[limits]),
            whole,
            scene.workload_of("second", &[scene.deployment("first", "arm", 1)]),
            scene.workload_of("ring", &[ring]),
        ])
        .unwrap();

    scene.says("limits", &["kunpeng", "must be less than or equal to cpu limit"], SOON).await.unwrap();
    // Of a Secret not even the refusal is repeated: only that it was refused, and which.
    let told = scene.says("talk", &["DeliveryRefused", "kunpeng", "part-0"], SOON).await.unwrap();
    assert!(!told.contains(WORD) && !told.contains(&base64(WORD)), "{told}");
    let told = scene.says("second", &["ObjectClaimedTwice"], SOON).await.unwrap();
    assert!(told.contains("first"), "{told}");
    scene.says("ring", &["NoCandidate", "ring"], SOON).await.unwrap();
    // Which rule it is says the explanation over the state of the hub: the kind has no profile and nothing is declared.
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("state").display().to_string();
    scene.order(&["export-state", "--out", &folder]).unwrap();
    let told = jiuzhou_e2e::scene::jiuzhou(&["explain", "refused-portal/ring", &folder, "--lang", "en"]);
    let told = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap();
    assert!(told.contains("The kind example.org/v1/Ring has no profile"), "{told}");

    // Nothing of it is anywhere it should not be, and the first owner has what it had.
    let hub = scene.fleet.hub();
    let everything = hub.kubectl(&["get", "fwl,fpl,mc", "-A", "-o", "json"]).unwrap();
    let objects: Value = serde_json::from_str(&everything).unwrap();
    for object in objects["items"].as_array().unwrap() {
        // The wish itself holds it, where the tenant wrote it.
        let status = object["status"].to_string();
        assert!(!status.contains(WORD) && !status.contains(&base64(WORD)), "{status}");
    }
    for log in [operator.log().to_owned(), jiuzhou_e2e::operator::audit(&scene.fleet)] {
        let files = if log.is_dir() { walk(&log) } else { vec![log] };
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(!text.contains(WORD) && !text.contains(&base64(WORD)), "{} holds a secret", file.display());
        }
    }
    assert_eq!(scene.running("kunpeng", "first"), 1);
    assert_eq!(scene.running("kunpeng", "talk"), 0, "what needs the Secret has not started");

    // The policy goes, and what waited for it arrives by itself.
    member
        .kubectl(&["delete", "validatingadmissionpolicybinding/talkative", "validatingadmissionpolicy/talkative"])
        .unwrap();
    scene.runs("talk", &[("kunpeng", 1)], AFTER_A_KILL).await.unwrap();
    scene.end(operator).await.unwrap();
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// An object from before a rule was there, or from a hand that went around it: read by nobody, in nobody's way.
#[tokio::test]
async fn an_object_that_cannot_be_read_stops_no_watch_and_no_start() {
    let mut scene = Scene::begin("unreadable").await.unwrap();
    let hub = scene.fleet.hub().clone();
    let definitions = ["fleetworkloads", "memberclusters", "tenants"].map(|plural| format!("{plural}.jiuzhou.dev"));
    let operator = scene.operator(Start::default()).await.unwrap();
    scene.join(&["kunpeng"]).await.unwrap();
    let whole = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    for name in &definitions {
        let patch = json!([{ "op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema", "value": whole }]);
        hub.kubectl(&["patch", "crd", name, "--type=json", "-p", &patch.to_string()]).unwrap();
    }
    let broken = |kind: &str, namespace: Option<&str>| {
        let spec = json!({ "objects": "none", "connection": 7, "displayName": ["a"] });
        let mut one = object(kind, "broken", namespace, &spec);
        one["status"] = json!({ "conditions": "none" });
        one
    };
    let namespace = scene.namespace();
    let all = [broken("FleetWorkload", Some(&namespace)), broken("MemberCluster", None), broken("Tenant", None)];
    eventually("the loosened definitions take anything", Duration::from_secs(30), || async {
        scene.fleet.hub().apply(&list(&all)).map(Seen::Done)
    })
    .await
    .unwrap();
    others_go_on(&scene, "during").await;

    // Nor does it stop a start, whose lists all meet it.
    assert!(operator.terminate(Duration::from_secs(30)).unwrap().success());
    let operator = scene.operator(Start::default()).await.unwrap();
    others_go_on(&scene, "after").await;

    hub.kubectl(&["delete", "fwl/broken", "-n", &namespace, "--wait=false"]).unwrap();
    for kind in ["mc", "tenant"] {
        hub.delete_confirmed(kind, "broken", &["--wait=false"]).unwrap();
    }
    hub.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", "crds"]).unwrap();
    eventually("the broken ones are gone", SOON, || async {
        let there = hub.kubectl(&["get", "fwl,mc,tenants", "-A", "--no-headers"])?;
        Ok(Seen::when(!there.contains("broken"), (), there))
    })
    .await
    .unwrap();
    scene.end(operator).await.unwrap();
}
