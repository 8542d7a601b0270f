//! Every rule of the definitions on a real API server: the same examples as offline, with the same words.

use std::collections::BTreeMap;

use jiuzhou_api::{KindInfo, Scope, kinds};
use jiuzhou_e2e::scene::SOON;
use jiuzhou_e2e::{Cluster, Fleet, Seen, eventually};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, PostParams};
use kube::core::cel::Validator;
use kube::core::discovery::ApiResource;
use serde_json::{Value, json};

use crate::cases::{Case, all, object};
use crate::definitions::install;

/// Objects of a kind, in `default` where they have a namespace.
fn objects(hub: &Cluster, kind: &KindInfo) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: jiuzhou_api::meta::GROUP.to_owned(),
        version: jiuzhou_api::meta::VERSION.to_owned(),
        api_version: jiuzhou_api::meta::API_VERSION.to_owned(),
        kind: kind.kind.clone(),
        plural: kind.plural.clone(),
    };
    if kind.scope == Scope::Namespaced {
        Api::default_namespaced_with(hub.client.clone(), &resource)
    } else {
        Api::all_with(hub.client.clone(), &resource)
    }
}

/// What the rules say offline.
fn offline(kind: &KindInfo, object: &Value, old: Option<&Value>) -> Vec<String> {
    let checked = Validator::new().validate_with_defaults(&kind.schema, object, old);
    checked.err().map(|errors| errors.into_vec().into_iter().map(|error| error.message).collect()).unwrap_or_default()
}

/// What the API server says to a trial run: nothing when it would take the object.
async fn online(api: &Api<DynamicObject>, object: &Value, update: bool) -> Vec<String> {
    let trial = PostParams { dry_run: true, ..PostParams::default() };
    let mut object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let answer = if update {
        let name = object.metadata.name.clone().unwrap();
        object.metadata.resource_version = api.get(&name).await.unwrap().metadata.resource_version;
        api.replace(&name, &trial, &object).await
    } else {
        api.create(&trial, &object).await
    };
    match answer {
        Ok(_) => Vec::new(),
        Err(kube::Error::Api(status)) => {
            let causes = status.details.as_ref().map(|details| details.causes.clone()).unwrap_or_default();
            let told: Vec<String> = causes.into_iter().map(|cause| cause.message).collect();
            if told.is_empty() { vec![status.message.clone()] } else { told }
        }
        Err(error) => panic!("{error}"),
    }
}

/// What the chart's policies, and not the rules of the schema, refuse of what is right.
async fn refused_by_policies(hub: &Cluster, kinds: &BTreeMap<String, &KindInfo>, cases: &[Case]) -> Vec<String> {
    let mut refused = Vec::new();
    for case in cases.iter().filter(|case| case.old.is_none()) {
        refused.extend(online(&objects(hub, kinds[case.kind]), &object(case.kind, &case.accepted), false).await);
    }
    refused.retain(|told| told.starts_with("ValidatingAdmissionPolicy 'jiuzhou-"));
    refused
}

async fn faults(hub: &Cluster, kind: &KindInfo, case: &Case) -> Vec<String> {
    let api = objects(hub, kind);
    let old = case.old.as_ref().map(|patch| object(case.kind, patch));
    if let Some(old) = &old {
        let old: DynamicObject = serde_json::from_value(old.clone()).unwrap();
        api.create(&PostParams::default(), &old).await.unwrap();
    }
    let mut faults = Vec::new();
    let accepted = online(&api, &object(case.kind, &case.accepted), old.is_some()).await;
    if !accepted.is_empty() {
        faults.push(format!("{} {:?}: the accepted example is refused: {accepted:?}", case.kind, case.message));
    }
    let rejected = object(case.kind, &case.rejected);
    let wanted = offline(kind, &rejected, old.as_ref());
    let mut told = online(&api, &rejected, old.is_some()).await;
    // Keys of lists are the server's own check beside the rules; offline it is intake's.
    told.retain(|one| !one.starts_with("Duplicate value: "));
    for message in &wanted {
        // The server puts the value in front of the rule's own words.
        if !told.iter().any(|one| one.ends_with(message.as_str())) {
            faults.push(format!("{} {:?}: offline says {message:?}, the server {told:?}", case.kind, case.message));
        }
    }
    if wanted.is_empty() || wanted.len() != told.len() {
        faults.push(format!("{} {:?}: offline says {wanted:?}, the server {told:?}", case.kind, case.message));
    }
    if old.is_some() {
        api.delete("example", &DeleteParams::default()).await.unwrap();
    }
    faults
}

#[tokio::test]
async fn the_api_server_takes_and_refuses_the_same_examples_with_the_same_words() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    // The chart's policies, where another story has installed them, let people write under their own name alone; the rules
    // here are the schema's.
    let kind = "validatingadmissionpolicybindings";
    let listed: Value = serde_json::from_str(&fleet.hub().kubectl(&["get", kind, "-o", "json"]).unwrap()).unwrap();
    let mut bindings = listed["items"].as_array().unwrap().clone();
    bindings.retain(|binding| binding["metadata"]["name"].as_str().unwrap().starts_with("jiuzhou-"));
    for binding in &bindings {
        fleet.hub().kubectl(&["delete", kind, binding["metadata"]["name"].as_str().unwrap()]).unwrap();
    }
    let kinds: BTreeMap<_, _> = kinds().iter().map(|kind| (kind.kind.clone(), kind)).collect();
    let mut found = Vec::new();
    let cases = all();
    assert!(cases.len() > 50, "{}", cases.len());
    // The server notices that a binding is gone about once a second.
    eventually("the chart's policies are bound no more", SOON, || async {
        let refused = refused_by_policies(fleet.hub(), &kinds, &cases).await;
        Ok(Seen::when(refused.is_empty(), (), refused.join("\n")))
    })
    .await
    .unwrap();
    for case in &cases {
        found.extend(faults(fleet.hub(), kinds[case.kind], case).await);
    }
    for mut binding in bindings {
        let metadata = binding["metadata"].take();
        binding["metadata"] = json!({ "name": metadata["name"], "labels": metadata["labels"] });
        fleet.hub().apply(&binding.to_string()).unwrap();
    }
    assert!(found.is_empty(), "{} faults:\n{}", found.len(), found.join("\n"));
}
