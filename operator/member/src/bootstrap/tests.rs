//! What no role of ours may hold.

use super::*;

fn rules(manifests: &[Value]) -> Vec<(String, Value)> {
    let roles = manifests.iter().filter(|m| m["kind"] == "Role" || m["kind"] == "ClusterRole");
    roles
        .flat_map(|role| {
            let name = format!("{}/{}", role["kind"], role["metadata"]["name"]);
            role["rules"].as_array().unwrap().iter().map(move |rule| (name.clone(), rule.clone()))
        })
        .collect()
}

fn says(rule: &Value, field: &str, word: &str) -> bool {
    rule[field].as_array().is_some_and(|list| list.iter().any(|entry| entry == word))
}

#[test]
fn no_role_holds_a_star_escalate_or_an_unnamed_bind_or_impersonate() {
    for tenants in [vec![], vec!["bureau".to_owned()]] {
        let all = rules(&Bootstrap { tenants, admission: true, agent: None }.manifests());
        for (role, rule) in &all {
            for field in ["apiGroups", "resources", "verbs"] {
                assert!(!says(rule, field, "*"), "{role}: {rule}");
            }
            assert!(!says(rule, "verbs", "escalate"), "{role}: {rule}");
            if says(rule, "verbs", "bind") || says(rule, "verbs", "impersonate") {
                let names = rule["resourceNames"].as_array();
                assert!(names.is_some_and(|names| !names.is_empty()), "{role}: {rule}");
            }
            let listed = says(rule, "verbs", "list") || says(rule, "verbs", "watch");
            assert!(!(says(rule, "resources", "secrets") && listed), "{role}: {rule}");
            for forbidden in ["pods/exec", "nodes/proxy", "clusterrolebindings", "pods/attach"] {
                assert!(!says(rule, "resources", forbidden), "{role}: {rule}");
            }
        }
    }
}

#[test]
fn the_hub_acts_as_the_tenants_that_are_named_and_no_other() {
    let impersonated = |tenants: &[&str]| -> Vec<Value> {
        let tenants = tenants.iter().map(|t| (*t).to_owned()).collect();
        let all = rules(&Bootstrap { tenants, admission: false, agent: None }.manifests());
        all.into_iter()
            .filter(|(_, rule)| says(rule, "verbs", "impersonate"))
            .map(|(_, rule)| rule["resourceNames"].clone())
            .collect()
    };
    assert_eq!(impersonated(&["b", "a", "b"]), [json!(["a", "b"])]);
    assert!(impersonated(&[]).is_empty(), "an empty list of names would mean everybody");
}

#[test]
fn an_older_cluster_gets_no_policy() {
    let kinds = |admission| -> Vec<String> {
        let all = Bootstrap { admission, ..Bootstrap::default() }.manifests();
        all.iter().map(|m| m["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert!(!kinds(false).iter().any(|kind| kind.starts_with("ValidatingAdmissionPolicy")));
    assert_eq!(kinds(true).iter().filter(|kind| *kind == "ValidatingAdmissionPolicy").count(), 3);
}

#[test]
fn an_agents_pod_is_a_restricted_one_and_its_token_stands_in_a_secret_only() {
    let agent =
        AgentPod { cluster: "a".into(), image: "jiuzhou:1".into(), token: "canary".into(), ..AgentPod::default() };
    let all = Bootstrap { agent: Some(agent), ..Bootstrap::default() }.manifests();
    for manifest in &all {
        assert!(manifest["kind"] == "Secret" || !manifest.to_string().contains("canary"), "{manifest}");
    }
    let pod = all.iter().find(|manifest| manifest["kind"] == "Deployment").unwrap();
    let container = &pod["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    assert_eq!(container["securityContext"]["capabilities"]["drop"], json!(["ALL"]));
    assert_eq!(pod["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"], true);
}
