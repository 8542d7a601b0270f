//! The resource definitions on a real API server.

use std::time::Duration;

use jiuzhou_e2e::{Fleet, Seen, eventually};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::ListParams;

/// Installs the definitions on the hub and waits until all of them are served; every test of resources begins so.
pub(crate) async fn install(fleet: &Fleet) {
    fleet.hub().apply_path("crds").unwrap();
    let definitions: Api<CustomResourceDefinition> = Api::all(fleet.hub().client.clone());
    eventually("every definition is established", Duration::from_secs(60), || async {
        let waiting: Vec<String> = ours(&definitions).await?.iter().filter_map(not_established).collect();
        Ok(Seen::when(waiting.is_empty(), (), waiting.join("; ")))
    })
    .await
    .unwrap();
}

async fn ours(definitions: &Api<CustomResourceDefinition>) -> kube::Result<Vec<CustomResourceDefinition>> {
    let mut list = definitions.list(&ListParams::default()).await?.items;
    list.retain(|one| one.spec.group == jiuzhou_api::meta::GROUP);
    Ok(list)
}

/// A definition that is not established or has a condition that tells of a fault, with what it shows.
fn not_established(definition: &CustomResourceDefinition) -> Option<String> {
    let name = definition.metadata.name.clone().unwrap_or_default();
    let conditions = definition.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let shown: Vec<String> = conditions
        .map(|one| format!("{}={} {}", one.type_, one.status, one.message.as_deref().unwrap_or_default()))
        .collect();
    let good =
        ["Established=True", "NamesAccepted=True"].iter().all(|wanted| shown.iter().any(|one| one.starts_with(wanted)));
    let faulty = shown.iter().any(|one| one.starts_with("NonStructuralSchema=True"));
    (!good || faulty).then(|| format!("{name}: {}", shown.join(", ")))
}

#[tokio::test]
async fn every_definition_is_established_and_served() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    let definitions: Api<CustomResourceDefinition> = Api::all(fleet.hub().client.clone());
    let seen = ours(&definitions).await.unwrap().len();
    assert_eq!(seen, jiuzhou_api::kinds().len());
    let served =
        fleet.hub().kubectl(&["api-resources", "--api-group=jiuzhou.dev", "--no-headers", "-o", "name"]).unwrap();
    assert_eq!(served.lines().count(), seen, "{served}");
    let category = fleet.hub().kubectl(&["get", "jiuzhou", "--all-namespaces", "--ignore-not-found"]);
    assert!(category.is_ok(), "{category:?}");
}

#[tokio::test]
async fn kubectl_explains_fields_in_both_languages() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    let told = fleet.hub().kubectl(&["explain", "memberclusters.spec"]).unwrap();
    assert!(told.contains("FIELDS:") && told.contains("connection"), "{told}");
    assert!(told.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{told}");
}

/// Applying the definitions again changes nothing: what the API server fills in is not fought over.
#[tokio::test]
async fn installing_twice_writes_nothing() {
    let fleet = Fleet::start().await.unwrap();
    install(&fleet).await;
    let definitions: Api<CustomResourceDefinition> = Api::all(fleet.hub().client.clone());
    let versions = |list: Vec<CustomResourceDefinition>| -> Vec<_> {
        list.into_iter().map(|one| (one.metadata.name, one.metadata.resource_version)).collect()
    };
    let before = versions(ours(&definitions).await.unwrap());
    install(&fleet).await;
    assert_eq!(versions(ours(&definitions).await.unwrap()), before);
}
