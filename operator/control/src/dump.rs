//! What stands in namespaces of a running cluster, as values: everything that can be listed there. Only reading is asked of it.
//!
//! What this credential may not list is told and left out, as is a kind that its API server cannot list just now; who takes
//! over what was read has to know that it is not all.

use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::discovery::{Discovery, Scope, verbs};
use kube::{Api, Client, ResourceExt as _};
use serde_json::Value;

use crate::error::Error;

/// Objects of one page.
const PAGE: u32 = 500;
/// Kinds that say what happened or what is measured, of which there are many and nothing is taken over.
const RECORDS: [(&str, &str); 5] = [
    ("", "events"),
    ("events.k8s.io", "events"),
    ("metrics.k8s.io", "pods"),
    ("coordination.k8s.io", "leases"),
    ("discovery.k8s.io", "endpointslices"),
];

/// What was read.
#[derive(Debug, Default)]
pub struct Dump {
    /// The objects, in order of their kind, namespace and name.
    pub objects: Vec<Value>,
    /// Kinds that could not be listed, with why.
    pub missing: Vec<(String, String)>,
}

/// Reads namespaces; all of them when none is named.
///
/// # Errors
/// When the API server does not say what it serves.
pub async fn read(client: &Client, namespaces: &[String]) -> Result<Dump, Error> {
    let served = Discovery::new(client.clone()).run().await;
    let served = served.map_err(|error| Error::api("read", "what the cluster serves", error))?;
    let mut kinds = Vec::new();
    for (kind, about) in served.groups().flat_map(kube::discovery::ApiGroup::recommended_resources) {
        let record =
            RECORDS.iter().any(|(group, plural)| (kind.group.as_str(), kind.plural.as_str()) == (*group, *plural));
        if about.scope == Scope::Namespaced && about.supports_operation(verbs::LIST) && !record {
            kinds.push(kind);
        }
    }
    kinds.sort_by(|a, b| (&a.group, &a.plural).cmp(&(&b.group, &b.plural)));
    let mut dump = Dump::default();
    for kind in kinds {
        let mut apis = vec![Api::all_with(client.clone(), &kind)];
        if !namespaces.is_empty() {
            apis = namespaces.iter().map(|name| Api::namespaced_with(client.clone(), name, &kind)).collect();
        }
        for api in apis {
            match list(&api, &kind).await {
                Ok(objects) => dump.objects.extend(objects),
                Err(error) => {
                    dump.missing.push((named(&kind), error.to_string()));
                    break;
                }
            }
        }
    }
    Ok(dump)
}

/// A kind as kubectl names it.
fn named(kind: &ApiResource) -> String {
    if kind.group.is_empty() { kind.plural.clone() } else { format!("{}.{}", kind.plural, kind.group) }
}

async fn list(api: &Api<DynamicObject>, kind: &ApiResource) -> Result<Vec<Value>, kube::Error> {
    let mut objects = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&params).await?;
        objects.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => break,
        }
    }
    objects.sort_by_key(|object| (object.namespace(), object.name_any()));
    let types = kube::api::TypeMeta { api_version: kind.api_version.clone(), kind: kind.kind.clone() };
    let value = |mut object: DynamicObject| {
        // Items of a list do not name their kind.
        object.types = Some(types.clone());
        object.metadata.managed_fields = None;
        serde_json::to_value(object).map_err(kube::Error::SerdeError)
    };
    objects.into_iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use jiuzhou_world::{Clock, World};
    use serde_json::json;

    use super::*;

    fn world() -> World {
        let world = World::new("member", Clock::at("2026-11-23T04:00:00Z".parse().expect("an instant")));
        for namespace in ["shop", "other"] {
            world.seed(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } }));
            let metadata = json!({ "name": "settings", "namespace": namespace });
            world.seed(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "a": "b" } }));
        }
        let labels = json!({ "app": "web" });
        let template = json!({
            "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "web", "image": "registry.gov.example/web:1" }] },
        });
        world.seed(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "shop" },
            "spec": { "replicas": 2, "selector": { "matchLabels": labels }, "template": template },
        }));
        world.clear_log();
        world
    }

    fn names(dump: &Dump) -> Vec<String> {
        let text = |object: &Value, at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = |object: &Value| {
            format!(
                "{} {}/{}",
                text(object, "/kind"),
                text(object, "/metadata/namespace"),
                text(object, "/metadata/name")
            )
        };
        dump.objects.iter().map(name).filter(|name| !name.contains("kube-")).collect()
    }

    #[tokio::test]
    async fn namespaces_are_read_whole_and_nothing_is_written() {
        let world = world();
        let client = world.client_named("person");
        let one = read(&client, &["shop".to_owned()]).await.expect("it is read");
        assert_eq!(names(&one), ["ConfigMap shop/settings", "Deployment shop/web"]);
        assert_eq!(one.missing, []);
        let all = read(&client, &[]).await.expect("it is read");
        assert_eq!(names(&all), ["ConfigMap other/settings", "ConfigMap shop/settings", "Deployment shop/web"]);
        assert!(world.log().iter().all(|entry| !entry.wrote), "only reading is asked");
    }
}
