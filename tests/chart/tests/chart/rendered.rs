//! What helm rendered keeps its promises, and the kustomize base is the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use jiuzhou_chart::{documents, text};

/// Objects of a rendering by kind and name.
fn objects(case: &str) -> BTreeMap<(String, String), Value> {
    let path = format!("charts/golden/{case}.yaml");
    let all = documents(&path, &text(&path)).into_iter().filter(|object| !object.is_null());
    all.map(|object| ((word(&object, "/kind"), word(&object, "/metadata/name")), object)).collect()
}

fn word(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn one(case: &str, kind: &str, name: &str) -> Value {
    objects(case).remove(&(kind.to_owned(), name.to_owned())).unwrap_or_else(|| panic!("{case} has no {kind} {name}"))
}

/// The profile "restricted" of the Pod Security Standards, and more: no writable root, no shell to start.
#[test]
fn the_pod_is_restricted() {
    for (case, name) in [("default", "jiuzhou"), ("everything", "jiuzhou"), ("agent", "jiuzhou-agent")] {
        let deployment = one(case, "Deployment", name);
        let pod = &deployment["spec"]["template"]["spec"];
        let security = &pod["securityContext"];
        assert_eq!((&security["runAsNonRoot"], &security["runAsUser"]), (&json!(true), &json!(65534)));
        assert_eq!(security["seccompProfile"], json!({ "type": "RuntimeDefault" }));
        for key in ["hostNetwork", "hostPID", "hostIPC"] {
            assert!(pod.get(key).is_none(), "{key}");
        }
        let containers = pod["containers"].as_array().unwrap();
        assert_eq!((containers.len(), pod.get("initContainers")), (1, None));
        let container = &containers[0];
        let wanted = json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        });
        assert_eq!(container["securityContext"], wanted);
        assert!(container.get("command").is_none(), "the image knows its program");
        assert!(
            container["resources"]["limits"]["memory"].is_string()
                && container["resources"]["requests"]["cpu"].is_string()
        );
        assert!(pod["volumes"].as_array().unwrap().iter().all(|volume| volume.get("hostPath").is_none()));
    }
}

#[test]
fn an_agent_is_called_by_nobody_and_acts_as_the_tenants_that_are_named() {
    let policy = one("agent", "NetworkPolicy", "jiuzhou-agent");
    assert_eq!(
        (&policy["spec"]["ingress"], &policy["spec"]["policyTypes"]),
        (&json!([]), &json!(["Ingress", "Egress"]))
    );
    let deployment = one("agent", "Deployment", "jiuzhou-agent");
    assert_eq!(
        (&deployment["spec"]["replicas"], word(&deployment, "/spec/strategy/type")),
        (&json!(1), "Recreate".into())
    );
    assert!(deployment["spec"]["template"]["spec"]["containers"][0].get("ports").is_none(), "it has no port");
    let role = one("agent", "Role", "jiuzhou-hub");
    let acts: Vec<_> =
        role["rules"].as_array().unwrap().iter().filter(|rule| rule["verbs"] == json!(["impersonate"])).collect();
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0]["resourceNames"], json!(["dali-health", "dali-portal"]));
    // With the names of the values it is the role that `jiuzhou join` makes.
    let names = ["dali-health".to_owned(), "dali-portal".to_owned()];
    assert_eq!(role["rules"], jiuzhou_member::bootstrap::tenants_role(&names)["rules"]);
}

#[test]
fn the_file_log_has_one_writer_and_outlives_the_release() {
    let deployment = one("default", "Deployment", "jiuzhou");
    assert_eq!(
        (&deployment["spec"]["replicas"], word(&deployment, "/spec/strategy/type")),
        (&json!(1), "Recreate".into())
    );
    let claim = one("default", "PersistentVolumeClaim", "jiuzhou-audit");
    assert_eq!(claim["spec"]["accessModes"], json!(["ReadWriteOncePod"]));
    assert_eq!(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    let mount = &deployment["spec"]["template"]["spec"]["containers"][0]["volumeMounts"][0];
    let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    assert!(args.contains(&format!("--audit={}/", mount["mountPath"].as_str().unwrap())), "{args}");
}

#[test]
fn what_is_off_by_default_is_absent_and_what_is_switched_on_is_there() {
    let extra = [("ServiceMonitor", "jiuzhou"), ("PrometheusRule", "jiuzhou"), ("ConfigMap", "jiuzhou-dashboard")];
    let (default, everything) = (objects("default"), objects("everything"));
    for (kind, name) in extra {
        let key = (kind.to_owned(), name.to_owned());
        assert!(!default.contains_key(&key) && everything.contains_key(&key), "{kind}");
    }
    let args =
        |case| one(case, "Deployment", "jiuzhou")["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    assert!(!args("default").contains("--dedicated-hub") && args("everything").contains("--dedicated-hub"));
    assert!(default.keys().all(|key| everything.contains_key(key)));
}

#[test]
fn the_dashboard_and_the_alerts_arrive_as_they_are() {
    let shipped: Value = serde_json::from_str(&text("charts/jiuzhou/files/dashboard.json")).unwrap();
    let map = one("everything", "ConfigMap", "jiuzhou-dashboard");
    let arrived: Value = serde_json::from_str(map["data"]["jiuzhou.json"].as_str().unwrap()).unwrap();
    assert_eq!(arrived, shipped);
    let shipped = documents("alerts.yaml", &text("charts/jiuzhou/files/alerts.yaml")).remove(0);
    assert_eq!(one("everything", "PrometheusRule", "jiuzhou")["spec"], shipped);
}

#[test]
fn policies_hold_for_what_they_name_and_fail_closed() {
    let objects = objects("default");
    let policies: Vec<_> = objects.values().filter(|object| object["kind"] == "ValidatingAdmissionPolicy").collect();
    assert_eq!(policies.len(), 7);
    for policy in policies {
        let name = word(policy, "/metadata/name");
        // One asks an object of ours: without its definition it must not hold every namespace of the hub.
        let asks = policy["spec"].get("paramKind").is_some();
        assert_eq!(policy["spec"]["failurePolicy"], if asks { "Ignore" } else { "Fail" }, "{name}");
        for validation in policy["spec"]["validations"].as_array().unwrap() {
            let message = validation["message"].as_str().unwrap();
            assert!(!message.is_ascii() && message.contains(". "), "{name}: both languages: {message}");
        }
        let binding = one("default", "ValidatingAdmissionPolicyBinding", &name);
        assert_eq!(binding["spec"]["policyName"], json!(name));
        assert_eq!(binding["spec"]["validationActions"], json!(["Deny", "Audit"]), "{name}");
    }
    let text = objects.values().map(Value::to_string).collect::<String>();
    assert!(text.contains(jiuzhou_api::meta::ANNOTATION_CONFIRM_DELETE));
    assert!(text.contains(jiuzhou_api::meta::MEMBER_NAMESPACE_PREFIX));
}

#[test]
fn selectors_find_the_pod() {
    let deployment = one("default", "Deployment", "jiuzhou");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    let selectors = [
        one("default", "Service", "jiuzhou")["spec"]["selector"].clone(),
        one("default", "NetworkPolicy", "jiuzhou")["spec"]["podSelector"]["matchLabels"].clone(),
        one("default", "PodDisruptionBudget", "jiuzhou")["spec"]["selector"]["matchLabels"].clone(),
        deployment["spec"]["selector"]["matchLabels"].clone(),
    ];
    for selector in selectors {
        let pairs = selector.as_object().unwrap();
        assert!(!pairs.is_empty() && pairs.iter().all(|(key, value)| labels.get(key) == Some(value)), "{selector}");
    }
}

/// Flags of a command, as its help lists them.
fn flags(command: &str) -> Vec<String> {
    let help = text("docs/en/commands.md");
    let (_, rest) = help.split_once(&format!("\n## jiuzhou {command}\n")).expect("the command has a section");
    let section = rest.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
    lines.map(|line| line.split([' ', '<']).next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_flag_of_the_programs_is_set_by_the_charts_or_is_none_for_a_pod() {
    // A pod uses its service account, and what must hold there is the default.
    let not_for_pods = ["kubeconfig", "context", "leader-election"];
    for (command, case, name) in [("operator", "everything", "jiuzhou"), ("agent", "agent", "jiuzhou-agent")] {
        let deployment = one(case, "Deployment", name);
        let args = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
        let set: Vec<&str> = args.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let flags = flags(command);
        assert!(flags.len() > 5, "{command}: {flags:?}");
        for flag in flags.iter().filter(|flag| !not_for_pods.contains(&flag.as_str())) {
            let is_set =
                |arg: &&str| arg.strip_prefix("--").is_some_and(|arg| arg.split('=').next() == Some(flag.as_str()));
            assert!(set.iter().any(is_set), "--{flag} of {command} has no value in the chart");
        }
    }
}

#[test]
fn the_way_to_a_collector_of_traces_is_open_when_there_is_one() {
    let ports = |case| {
        let policy = one(case, "NetworkPolicy", "jiuzhou");
        let egress = policy["spec"]["egress"].as_array().unwrap().clone();
        egress
            .iter()
            .flat_map(|rule| rule["ports"].as_array().unwrap().clone())
            .map(|port| port["port"].clone())
            .collect::<Vec<_>>()
    };
    assert!(ports("everything").contains(&json!(4318)) && !ports("default").contains(&json!(4318)));
}
