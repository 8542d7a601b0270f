//! Whether the definitions that the hub serves are those of this version.
//!
//! An API server drops what a definition does not know, without a word: an operator newer than its definitions would write
//! half a status and decide by half an object. One that is older reads what it does not understand. So served schemas are
//! held against our own at the start and now and then; what differs is told in the log, in an event on the definition, and
//! by readiness. Deciding goes on: what is placed stays placed, and every rule that can be read holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiuzhou_api::{KindInfo, kinds, meta};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client};
use serde_json::Value;

use crate::error::Error;
use crate::events::Events;
use crate::http::Health;
use crate::stop::Stop;

/// Part of health: every definition has the fields that this version writes.
pub(crate) const DEFINITIONS: &str = "definitions";
/// Between two looks while all is well, and while it is not.
const AGAIN: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(30));
/// Fields that a line names.
const NAMED: usize = 8;

/// How a served definition differs from ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Nothing of this version is served at all.
    pub(crate) absent: bool,
    /// Fields of ours that are dropped there: the definition is older than this program.
    pub(crate) dropped: BTreeSet<String>,
    /// Fields that this program does not know: the definition is newer.
    pub(crate) unknown: BTreeSet<String>,
}

impl Difference {
    /// Whether something that is written would be lost.
    pub(crate) fn loses(&self) -> bool {
        self.absent || !self.dropped.is_empty()
    }

    /// In both languages.
    pub(crate) fn told(&self) -> String {
        let list = |fields: &BTreeSet<String>| {
            let some = fields.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = fields.len().saturating_sub(NAMED);
            if more == 0 { some } else { format!("{some} (+{more})") }
        };
        let version = env!("CARGO_PKG_VERSION");
        match () {
            () if self.absent => format!(
                "The definition is not served in {}, so nothing of this kind can be read or written; apply `jiuzhou crds` of \
                 {version}. 未提供该版本的资源定义，无法读写；请应用 {version} 版 `jiuzhou crds` 的输出。",
                meta::VERSION
            ),
            () if self.loses() => format!(
                "The definition is older than the operator {version}: the API server drops {0}. Apply `jiuzhou crds` of \
                 {version}. 资源定义早于控制器 {version}：接口服务器会丢弃 {0}；请应用该版本 `jiuzhou crds` 的输出。",
                list(&self.dropped)
            ),
            () => format!(
                "The definition is newer than the operator {version}, which does not read {0}. Upgrade the operator. \
                 资源定义新于控制器 {version}，后者不识别 {0}；请升级控制器。",
                list(&self.unknown)
            ),
        }
    }
}

/// Looks until told to stop.
pub(crate) async fn watch(hub: Client, health: Health, stop: Stop) {
    let events = Events::new(hub.clone());
    let mut told: BTreeMap<String, Difference> = BTreeMap::new();
    loop {
        let pause = match look(&hub).await {
            Ok(found) => {
                for (name, difference) in found.iter().filter(|(name, one)| told.get(*name) != Some(one)) {
                    let note = difference.told();
                    match difference.loses() {
                        true => tracing::error!(definition = name, "{note}"),
                        false => tracing::warn!(definition = name, "{note}"),
                    }
                    events.definition(name, &note);
                }
                if found.is_empty() && !told.is_empty() {
                    tracing::info!("every definition is of this version again");
                }
                let loses = found.values().any(Difference::loses);
                health.set_ready(DEFINITIONS, !loses);
                told = found;
                if loses { AGAIN.1 } else { AGAIN.0 }
            }
            // Not known is not wrong: what was told stays.
            Err(error) => {
                tracing::warn!(error = %crate::planner::chain(&error), "failed to read the definitions; trying again");
                AGAIN.1
            }
        };
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Definitions that differ, by name.
pub(crate) async fn look(hub: &Client) -> Result<BTreeMap<String, Difference>, Error> {
    let api: Api<CustomResourceDefinition> = Api::all(hub.clone());
    let mut found = BTreeMap::new();
    for info in kinds() {
        let name = format!("{}.{}", info.plural, meta::GROUP);
        let served = api.get_opt(&name).await.map_err(|error| Error::api("read", name.as_str(), error))?;
        let difference = difference(info, served.as_ref());
        if difference != Difference::default() {
            found.insert(name, difference);
        }
    }
    Ok(found)
}

fn difference(info: &KindInfo, served: Option<&CustomResourceDefinition>) -> Difference {
    let versions = served.into_iter().flat_map(|served| &served.spec.versions);
    let version = versions.into_iter().find(|version| version.name == meta::VERSION && version.served);
    let schema = version.and_then(|version| version.schema.as_ref()?.open_api_v3_schema.as_ref());
    let Some(schema) = schema.and_then(|schema| serde_json::to_value(schema).ok()) else {
        return Difference { absent: true, ..Difference::default() };
    };
    let (ours, theirs) = (fields(&info.schema), fields(&schema));
    let without = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
        // A field below one that is missing itself says nothing more.
        let missing: BTreeSet<&String> = one.difference(other).collect();
        let above = |field: &str| {
            let ends = field.match_indices(['.', '[']).map(|(at, _)| &field[..at]);
            ends.into_iter().any(|start| missing.iter().any(|missing| missing.as_str() == start))
        };
        missing.iter().filter(|field| !above(field)).map(|field| (*field).clone()).collect()
    };
    Difference { absent: false, dropped: without(&ours, &theirs), unknown: without(&theirs, &ours) }
}

/// Every field that a schema keeps, as a path; metadata is the API server's.
fn fields(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec![(String::new(), schema)];
    while let Some((path, schema)) = left.pop() {
        for (key, below) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if path.is_empty() && ["apiVersion", "kind", "metadata"].contains(&key.as_str()) {
                continue;
            }
            let field = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            left.push((field.clone(), below));
            found.insert(field);
        }
        if let Some(items) = schema.get("items") {
            left.push((format!("{path}[]"), items));
        }
        if let Some(more) = schema.get("additionalProperties").filter(|more| more.is_object()) {
            left.push((format!("{path}[*]"), more));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::all_crds;
    use jiuzhou_world::{Clock, World};
    use serde_json::json;

    use super::*;

    /// A hub whose definition of MemberClusters is changed.
    fn hub(change: impl Fn(&mut Value)) -> World {
        let world = World::new("hub", Clock::default());
        let changed = all_crds().into_iter().map(|crd| {
            let mut value = serde_json::to_value(&crd).expect("JSON");
            if crd.spec.names.kind == "MemberCluster" {
                change(&mut value["spec"]["versions"][0]);
            }
            serde_json::from_value(value).expect("a definition")
        });
        world.install(&changed.collect::<Vec<CustomResourceDefinition>>());
        world
    }

    #[tokio::test]
    async fn the_definitions_of_this_version_differ_in_nothing() {
        assert_eq!(look(&hub(|_| {}).client()).await.expect("a look"), BTreeMap::new());
    }

    #[tokio::test(start_paused = true)]
    async fn an_older_definition_is_not_ready_and_says_what_is_dropped_until_it_is_upgraded() {
        let world = hub(|version| {
            let status = &mut version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"];
            status.as_object_mut().expect("fields").remove("left");
        });
        let found = look(&world.client()).await.expect("a look");
        let difference = &found["memberclusters.jiuzhou.dev"];
        assert_eq!((found.len(), difference.loses()), (1, true));
        assert_eq!(difference.dropped, ["status.left".to_owned()].into(), "without what is below it");
        assert!(difference.told().contains("status.left") && difference.told().contains("丢弃"));
        let health = Health::new([DEFINITIONS]);
        let (stopper, stop) = Stop::new();
        let running = tokio::spawn(watch(world.client_named("operator"), health.clone(), stop));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(health.waiting(), [DEFINITIONS]);
        let events = world.objects("events.k8s.io/v1", "Event");
        assert!(events.iter().any(|event| event["note"].to_string().contains("status.left")), "{events:?}");
        let api: Api<CustomResourceDefinition> = Api::all(world.client_named("person"));
        let mut upgraded = api.get("memberclusters.jiuzhou.dev").await.expect("the definition");
        upgraded.spec = all_crds().into_iter().find(|crd| crd.spec.names.kind == "MemberCluster").expect("ours").spec;
        api.replace("memberclusters.jiuzhou.dev", &kube::api::PostParams::default(), &upgraded)
            .await
            .expect("an upgrade");
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(health.waiting().is_empty(), "it is noticed without a restart");
        stopper.stop();
        running.await.expect("no panic");
    }

    #[tokio::test]
    async fn a_newer_definition_is_told_and_an_absent_version_loses_everything() {
        let newer = hub(|version| {
            version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["tomorrow"] =
                json!({ "type": "object", "properties": { "x": { "type": "string" } } });
        });
        let found = look(&newer.client()).await.expect("a look");
        let difference = &found["memberclusters.jiuzhou.dev"];
        assert!(!difference.loses() && difference.unknown == ["spec.tomorrow".to_owned()].into(), "{difference:?}");
        let absent = World::new("hub", Clock::default());
        assert!(look(&absent.client()).await.expect("a look").values().all(Difference::loses));
    }
}
