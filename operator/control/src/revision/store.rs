//! Revisions on the hub: one immutable `ControllerRevision` each, in the namespace of the workload, at most ten.
//!
//! An API server never lets the data of one change, and `kubectl get controllerrevisions` lists them. They are read when
//! an older revision is needed and are not watched. What a cluster still runs is never pruned.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::meta;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::terms::Digest;
use jiuzhou_objects::render::label_value;
use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use super::content::Content;
use crate::error::Error;

/// Revisions that are kept of a workload, as many as a Deployment keeps.
pub(crate) const KEPT: usize = 10;
/// Entries of one page of a list.
const PAGE: u32 = 500;

/// A stored revision.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) object: ControllerRevision,
    pub(crate) revision: i64,
}

/// All of a workload, oldest first.
///
/// # Errors
/// When the hub does not answer or refuses.
pub(crate) async fn all(client: &Client, key: &WorkloadKey) -> Result<Vec<Stored>, Error> {
    let api: Api<ControllerRevision> = Api::namespaced(client.clone(), &key.namespace);
    let selector =
        format!("{}={},{}={}", meta::LABEL_MANAGED_BY, meta::MANAGED_BY, meta::LABEL_WORKLOAD, label_value(&key.name));
    let listed = api.list(&ListParams::default().labels(&selector)).await;
    let listed = listed.map_err(|error| Error::api("list", format!("revisions of {key}"), error))?;
    let own = |object: &ControllerRevision| object.annotations().get(meta::ANNOTATION_OWNER) == Some(&key.to_string());
    let mut stored: Vec<Stored> =
        listed.items.into_iter().filter(own).map(|object| Stored { revision: object.revision, object }).collect();
    stored.sort_by_key(|one| (one.revision, one.object.creation_timestamp()));
    Ok(stored)
}

/// Which revisions of which workloads are stored, without their data.
///
/// # Errors
/// When the hub does not answer or refuses.
pub(crate) async fn index(client: &Client) -> Result<BTreeMap<WorkloadKey, BTreeSet<i64>>, Error> {
    let api: Api<ControllerRevision> = Api::all(client.clone());
    let selector = format!("{}={}", meta::LABEL_MANAGED_BY, meta::MANAGED_BY);
    let mut index: BTreeMap<WorkloadKey, BTreeSet<i64>> = BTreeMap::new();
    let mut params = ListParams::default().labels(&selector).limit(PAGE);
    loop {
        let page = api.list_metadata(&params).await;
        let page = page.map_err(|error| Error::api("list", "revisions", error))?;
        for object in &page.items {
            let owner = object.annotations().get(meta::ANNOTATION_OWNER).and_then(|owner| owner.split_once('/'));
            let revision = object.labels().get(meta::LABEL_REVISION).and_then(|text| text.parse().ok());
            if let (Some((namespace, name)), Some(revision)) = (owner, revision) {
                index.entry(WorkloadKey::new(namespace, name)).or_default().insert(revision);
            }
        }
        match page.metadata.continue_ {
            Some(token) if !token.is_empty() => params = params.continue_token(&token),
            _ => return Ok(index),
        }
    }
}

/// The content of a stored revision; `None` when it is none of ours any more.
pub(crate) fn content(stored: &Stored) -> Option<Content> {
    let data = &stored.object.data.as_ref()?.0;
    let content: Content = serde_json::from_value(data.clone()).ok()?;
    let named = stored.object.name_any();
    named.contains(&short(&content.digest())).then_some(content)
}

/// Stores a revision, renumbers an older one with the same content, and prunes what is beyond the ten newest where `many`
/// may be there; `used` are revisions that clusters still run. One request where nothing is in the way.
///
/// # Errors
/// When the hub does not answer or refuses.
pub(crate) async fn put(
    client: &Client,
    key: &WorkloadKey,
    revision: i64,
    (content, cause): (&Content, &str),
    used: &BTreeSet<i64>,
    many: bool,
) -> Result<(), Error> {
    let api: Api<ControllerRevision> = Api::namespaced(client.clone(), &key.namespace);
    let name = name(key, &content.digest());
    let failed = |error| Error::api("store", format!("revision {revision} of {key}"), error);
    let fresh = create(&api, key, revision, &name, (content, cause)).await?;
    if !fresh {
        // The same content once more: it is this revision now, as a Deployment numbers a ReplicaSet anew. Where a cluster
        // runs it under its older number, that has to be found as long as it does.
        let known = api.get(&name).await.map_err(failed)?;
        if known.revision < revision && used.contains(&known.revision) {
            create(&api, key, revision, &format!("{name}-{revision}"), (content, cause)).await?;
        } else if known.revision < revision {
            let cause = format!("back to revision {}", known.revision);
            let patch = json!({
                "metadata": {
                    "uid": known.uid(),
                    "labels": labels(key, revision), "annotations": annotations(key, &cause),
                },
                "revision": revision,
            });
            let params = PatchParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
            api.patch(&name, &params, &Patch::Merge(patch)).await.map_err(failed)?;
        }
    }
    if many || !fresh { prune(&api, key, all(client, key).await?, used).await } else { Ok(()) }
}

/// Creates an object; not when one of that name is there.
async fn create(
    api: &Api<ControllerRevision>,
    key: &WorkloadKey,
    revision: i64,
    name: &str,
    (content, cause): (&Content, &str),
) -> Result<bool, Error> {
    let object = json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": {
            "name": name, "namespace": key.namespace,
            "labels": labels(key, revision), "annotations": annotations(key, cause),
        },
        "data": content, "revision": revision,
    });
    let object: ControllerRevision =
        serde_json::from_value(object).map_err(|error| Error::Revision(key.to_string(), error))?;
    let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
    match api.create(&params, &object).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(false),
        Err(error) => Err(Error::api("store", format!("revision {revision} of {key}"), error)),
    }
}

fn labels(key: &WorkloadKey, revision: i64) -> Value {
    json!({
        meta::LABEL_MANAGED_BY: meta::MANAGED_BY, meta::LABEL_WORKLOAD: label_value(&key.name),
        meta::LABEL_REVISION: revision.to_string(),
    })
}

fn annotations(key: &WorkloadKey, cause: &str) -> Value {
    json!({ meta::ANNOTATION_OWNER: key.to_string(), meta::ANNOTATION_CHANGE_CAUSE: cause })
}

/// Removes what is beyond the ten newest, and older objects of one number.
async fn prune(
    api: &Api<ControllerRevision>,
    key: &WorkloadKey,
    stored: Vec<Stored>,
    used: &BTreeSet<i64>,
) -> Result<(), Error> {
    let numbers: BTreeSet<i64> = stored.iter().map(|one| one.revision).collect();
    let kept: BTreeSet<i64> = numbers.iter().rev().take(KEPT).chain(used).copied().collect();
    for (at, one) in stored.iter().enumerate() {
        let newer = stored.iter().skip(at + 1).any(|other| other.revision == one.revision);
        if newer || !kept.contains(&one.revision) {
            remove(api, key, &one.object).await?;
        }
    }
    Ok(())
}

/// Removes all of a workload that is gone.
///
/// # Errors
/// When the hub does not answer or refuses.
pub(crate) async fn remove_all(client: &Client, key: &WorkloadKey) -> Result<(), Error> {
    let api: Api<ControllerRevision> = Api::namespaced(client.clone(), &key.namespace);
    for one in all(client, key).await? {
        remove(&api, key, &one.object).await?;
    }
    Ok(())
}

async fn remove(api: &Api<ControllerRevision>, key: &WorkloadKey, object: &ControllerRevision) -> Result<(), Error> {
    let exactly = Preconditions { uid: object.uid(), resource_version: None };
    let params = DeleteParams { preconditions: Some(exactly), ..DeleteParams::default() };
    match api.delete(&object.name_any(), &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(Error::api("delete", format!("a revision of {key}"), error)),
    }
}

/// `WORKLOAD-DIGEST`: content tells the name, so that the same content is the same object.
fn name(key: &WorkloadKey, digest: &Digest) -> String {
    let most: String = key.name.chars().take(220).collect();
    format!("{}-{}", most.trim_end_matches(['-', '.']), short(digest))
}

fn short(digest: &Digest) -> String {
    let text: Value = digest.to_string().into();
    let hex = text.as_str().unwrap_or_default().rsplit(':').next().unwrap_or_default();
    hex.chars().take(12).collect()
}
