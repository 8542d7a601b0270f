//! What a person asks of rollouts and revisions: how it stands, what there was, hold, go on, approve, go back.
//!
//! Every order is a change of the FleetWorkload under the person's own rights, by the same door as any other change: it
//! is decided, checked by all rules, recorded and rolled out. Going back writes the objects of an older revision, as
//! `kubectl rollout undo` does; whoever keeps workloads in Git reverts the commit instead, which is the same change.

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{FleetPlacement, FleetWorkload, StageApproval, WorkloadObject};
use jiuzhou_engine::decide::WorkloadKey;
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use super::content::Content;
use super::store;
use crate::error::Error;
use crate::people;

/// One stored revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub revision: i64,
    /// When it was stored.
    pub at: String,
    /// Why it came to be.
    pub cause: String,
    /// Images it names.
    pub images: Vec<String>,
}

/// A workload with its placement.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The workload.
    pub workload: FleetWorkload,
    /// Its placement; `None` when nothing was decided yet.
    pub placement: Option<FleetPlacement>,
}

/// How a workload stands.
///
/// # Errors
/// When the hub does not answer or refuses, or there is no such workload.
pub async fn standing(client: &Client, key: &WorkloadKey) -> Result<Standing, Error> {
    let workload = workload(client, key).await?;
    let placement = Api::<FleetPlacement>::namespaced(client.clone(), &key.namespace).get_opt(&key.name).await;
    let placement = placement.map_err(|error| Error::api("read", format!("FleetPlacement {key}"), error))?;
    Ok(Standing { workload, placement })
}

/// Revisions that are stored, oldest first.
///
/// # Errors
/// When the hub does not answer or refuses.
pub async fn history(client: &Client, key: &WorkloadKey) -> Result<Vec<Line>, Error> {
    let line = |stored: &store::Stored| Line {
        revision: stored.revision,
        at: stored.object.creation_timestamp().map(|at| at.0.to_string()).unwrap_or_default(),
        cause: stored.object.annotations().get(meta::ANNOTATION_CHANGE_CAUSE).cloned().unwrap_or_default(),
        images: store::content(stored).map(|content| images(&content)).unwrap_or_default(),
    };
    Ok(store::all(client, key).await?.iter().map(line).collect())
}

fn images(content: &Content) -> Vec<String> {
    fn walk(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    match value {
                        Value::String(image) if name == "image" => out.push(image.clone()),
                        other => walk(other, out),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    content.objects.iter().for_each(|object| walk(&object.manifest, &mut out));
    out.sort();
    out.dedup();
    out
}

/// Holds a rollout, or lets it go on.
///
/// # Errors
/// When the hub does not answer or refuses.
pub async fn pause(client: &Client, key: &WorkloadKey, paused: bool) -> Result<(), Error> {
    let known = workload(client, key).await?;
    patch(client, key, &known, json!({ "spec": { "rollout": { "paused": paused } } })).await
}

/// Lets the change that is rolled out go beyond a stage. Returns the digest of what was approved.
///
/// # Errors
/// When the hub does not answer or refuses, and when nothing waits for this approval or `change` is not what waits.
pub async fn approve(client: &Client, key: &WorkloadKey, approval: StageApproval) -> Result<String, Error> {
    let Standing { workload, placement } = standing(client, key).await?;
    let rollout = workload.spec.rollout.clone().unwrap_or_default();
    let asks = rollout.stages.iter().any(|stage| stage.name == approval.stage && stage.approval);
    if !asks {
        let stage = &approval.stage;
        return Err(Error::Order(
            format!("no stage {stage} of {key} asks for an approval."),
            format!("{key} 没有需要批准的阶段 {stage}。"),
        ));
    }
    let change = placement.and_then(|placement| placement.spec.inputs.content);
    if change.as_deref() != Some(&*approval.change) {
        let now = change.as_deref().unwrap_or("-").to_owned();
        return Err(Error::Order(
            format!("what is rolled out is {now}; look at it before you approve it."),
            format!("当前发布的变更为 {now}；批准前请先核对。"),
        ));
    }
    let mut approvals: Vec<StageApproval> =
        rollout.approvals.into_iter().filter(|one| one.stage != approval.stage).collect();
    let digest = approval.change.to_string();
    approvals.push(approval);
    let change = json!({ "spec": { "rollout": { "approvals": approvals } } });
    patch(client, key, &workload, change).await?;
    Ok(digest)
}

/// Goes back to an older revision: the one before when none is named. Returns its number.
///
/// # Errors
/// When the hub does not answer or refuses, when there is no such revision, and when it had a Secret that the workload has
/// no more: data of Secrets is kept nowhere.
pub async fn back(client: &Client, key: &WorkloadKey, to: Option<i64>) -> Result<i64, Error> {
    let Standing { workload, placement } = standing(client, key).await?;
    let current = placement.map_or(0, |placement| placement.spec.revision);
    let stored = store::all(client, key).await?;
    let wanted = stored.iter().rev().find(|one| to.map_or(one.revision < current, |to| one.revision == to));
    let content = wanted.and_then(|one| Some((one.revision, store::content(one)?)));
    let Some((revision, content)) = content else {
        let known: Vec<String> = stored.iter().map(|one| one.revision.to_string()).collect();
        let (which, known) = (to.map_or("-".to_owned(), |to| to.to_string()), known.join(", "));
        return Err(Error::Order(
            format!("{key} has no revision {which} to go back to; kept are: {known}."),
            format!("{key} 没有可回退的版本 {which}；现存版本：{known}。"),
        ));
    };
    let objects = objects(key, &workload, &content)?;
    patch(client, key, &workload, json!({ "spec": { "objects": objects } })).await?;
    Ok(revision)
}

/// The objects of a revision, Secrets with the data they have now.
fn objects(key: &WorkloadKey, now: &FleetWorkload, content: &Content) -> Result<Vec<WorkloadObject>, Error> {
    let mut objects = Vec::new();
    for object in &content.objects {
        if !content.secrets.contains_key(&*object.name) {
            objects.push(object.clone());
            continue;
        }
        match now.spec.objects.iter().find(|one| one.name == object.name) {
            Some(known) => objects.push(known.clone()),
            None => {
                let name = &object.name;
                return Err(Error::Order(
                    format!("the Secret {name} of that revision is not in {key} any more; add it again first."),
                    format!("该版本中的 Secret {name} 已不在 {key} 中；请先重新加入。"),
                ));
            }
        }
    }
    Ok(objects)
}

async fn workload(client: &Client, key: &WorkloadKey) -> Result<FleetWorkload, Error> {
    let api: Api<FleetWorkload> = Api::namespaced(client.clone(), &key.namespace);
    api.get(&key.name).await.map_err(|error| Error::api("read", format!("FleetWorkload {key}"), error))
}

async fn patch(client: &Client, key: &WorkloadKey, known: &FleetWorkload, change: Value) -> Result<(), Error> {
    let api: Api<FleetWorkload> = Api::namespaced(client.clone(), &key.namespace);
    people::change(&api, known, change).await.map(drop)
}
