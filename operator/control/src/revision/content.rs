//! What is delivered of a workload, apart from where and how often: its content.
//!
//! Two digests tell whether it changed: the template's (objects, overrides, node affinity; the same in every cluster) and
//! one per cluster (values, registries, zones: what that cluster puts in). Data of Secrets is never in it: a keyed digest
//! stands in its place, and an older revision takes the data from the workload as it is now where that is the same.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::input::ClusterInput;
use jiuzhou_engine::decide::{Spec, WorkloadKey};
use jiuzhou_engine::detect::affinity::Term;
use jiuzhou_engine::terms::Digest;
use jiuzhou_intake::objects::named;
use jiuzhou_objects::digest;
use jiuzhou_objects::object::Object;
use jiuzhou_objects::secrets::{DigestKey, SecretManifest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::state::State;

/// Fields of a manifest that hold the data of a Secret.
const SECRET_DATA: [&str; 2] = ["data", "stringData"];

/// What is delivered, whatever the cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Content {
    /// Objects; those of Secrets without their data.
    pub(crate) objects: Vec<api::WorkloadObject>,
    /// Keyed digests of the data of Secrets, by the name of the object in its workload.
    pub(crate) secrets: BTreeMap<String, String>,
    /// Overrides of the rules that held.
    pub(crate) overrides: Vec<api::Override>,
    /// Node affinity that delivery adds; `None` adds nothing.
    pub(crate) affinity: Option<Vec<Term>>,
    /// In its place, that of templates whose pods have nodes of their own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) affinities: BTreeMap<String, Vec<Term>>,
    /// What clusters put in, for those that put in anything.
    pub(crate) places: BTreeMap<String, Place>,
}

/// What one cluster puts into the content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Place {
    /// Values that overrides may use.
    pub(crate) values: BTreeMap<String, String>,
    /// How image hosts are rewritten.
    pub(crate) registries: Vec<api::RegistryRewrite>,
    /// Network zones of the pools that may be used.
    pub(crate) zones: BTreeSet<String>,
    /// CPU platforms of these pools.
    pub(crate) platforms: BTreeSet<String>,
    /// Overrides whose clusters take this one, as indices.
    pub(crate) overrides: Vec<usize>,
}

impl Place {
    /// What a cluster puts in now; `None` when it is not in the fleet.
    pub(crate) fn now(state: &State, spec: &Spec, cluster: &str) -> Option<Self> {
        let input = state.snapshot().slot(cluster).and_then(|slot| state.snapshot().cluster(slot))?;
        let member: &api::MemberCluster = &named(&state.objects().clusters, cluster)?.object;
        let base = state.base()?;
        let (zones, platforms) = pools(spec, input);
        let all = state.rules(&spec.key).map(|rules| rules.overrides.as_slice()).unwrap_or_default();
        let takes = |one: &api::Override| one.clusters.as_ref().is_none_or(|one| base.selects(one, input));
        let overrides: Vec<usize> = (0..).zip(all).filter(|(_, one)| takes(one)).map(|(at, _)| at).collect();
        // Which digests a mirror holds is a matter of rules, and changes nothing that is delivered.
        let plain =
            |one: &api::RegistryRewrite| api::RegistryRewrite { holds: Vec::new(), must_hold: false, ..one.clone() };
        Some(Self {
            values: if overrides.is_empty() { BTreeMap::new() } else { member.spec.values.0.clone() },
            registries: member.spec.registries.iter().map(plain).collect(),
            zones,
            platforms,
            overrides,
        })
    }

    /// The same of a cluster that puts nothing in.
    pub(crate) fn plain(self) -> Self {
        Self { values: BTreeMap::new(), registries: Vec::new(), overrides: Vec::new(), ..self }
    }

    /// Digest of it; `None` when nothing of it can change what is delivered.
    pub(crate) fn digest(&self) -> Option<Digest> {
        let counts = !self.overrides.is_empty() || !self.registries.is_empty();
        counts.then(|| digest::of(&serde_json::to_value(self).unwrap_or_default()))
    }
}

/// Zones and platforms of the pools a workload may use in a cluster.
fn pools(spec: &Spec, cluster: &ClusterInput) -> (BTreeSet<String>, BTreeSet<String>) {
    let requirement = &spec.requirement;
    let (mut zones, mut platforms) = (BTreeSet::new(), BTreeSet::new());
    for pool in &cluster.pools {
        let platform = pool.facts.platform.clone().unwrap_or_default();
        let other_zone = requirement.zone.as_ref().is_some_and(|zone| *zone != pool.zone);
        let other_platform = !requirement.platforms.is_empty() && !requirement.platforms.contains(&platform);
        if !other_zone && !other_platform {
            zones.insert(pool.zone.clone());
            platforms.insert(platform);
        }
    }
    (zones, platforms)
}

impl Content {
    /// The content of a workload as it is written now, without what clusters put in; `None` when it cannot be told: the
    /// workload is not there, or a need of it cannot be said to a scheduler.
    pub(crate) fn now(state: &State, key: &WorkloadKey, digest_key: &DigestKey) -> Option<Self> {
        let workload = state.fleet_workload(key)?;
        let spec = state.snapshot().decided_on(key)?;
        let (affinity, affinities) = state.snapshot().node_affinities(&spec.requirement).ok()?.terms();
        let overrides = state.rules(key).map(|rules| rules.overrides.clone()).unwrap_or_default();
        let (mut objects, mut secrets) = (Vec::new(), BTreeMap::new());
        for object in &workload.spec.objects {
            let mut object = object.clone();
            if let Some(digest) = secret(key, &object, digest_key) {
                secrets.insert(object.name.to_string(), digest);
                if let Some(manifest) = object.manifest.as_object_mut() {
                    SECRET_DATA.iter().for_each(|field| drop(manifest.remove(*field)));
                }
            }
            objects.push(object);
        }
        objects.sort_by_cached_key(|object| object.name.to_string());
        Some(Self { objects, secrets, overrides, affinity, affinities, places: BTreeMap::new() })
    }

    /// With what these clusters put in now.
    pub(crate) fn with_places<'a>(
        mut self,
        state: &State,
        spec: &Spec,
        clusters: impl Iterator<Item = &'a str>,
    ) -> Self {
        let place = |cluster: &str| Place::now(state, spec, cluster).filter(|place| place.digest().is_some());
        self.places = clusters.filter_map(|cluster| Some((cluster.to_owned(), place(cluster)?))).collect();
        self
    }

    /// Digest of what is the same in every cluster. How many replicas a manifest asks for is no content: they are set
    /// for each cluster, and a workload that is scaled has not changed.
    pub(crate) fn template(&self) -> Digest {
        let plain = |object: &api::WorkloadObject| {
            let mut object = object.clone();
            let scales = Object::new(&object.manifest).group() == "apps";
            if let Some(spec) = object.manifest.get_mut("spec").and_then(Value::as_object_mut).filter(|_| scales) {
                spec.remove("replicas");
            }
            serde_json::to_value(object).unwrap_or_default()
        };
        let objects: Vec<Value> = self.objects.iter().map(plain).collect();
        let mut whole = json!({
            "objects": objects, "secrets": self.secrets, "overrides": self.overrides, "affinity": self.affinity,
        });
        if !self.affinities.is_empty() {
            whole["affinities"] = json!(self.affinities);
        }
        digest::of(&whole)
    }

    /// Digest of the whole, by which a stored revision is named.
    pub(crate) fn digest(&self) -> Digest {
        digest::of(&serde_json::to_value(self).unwrap_or_default())
    }

    /// A workload with this content. Data of a Secret comes from the workload as it is now where it is the same; where it
    /// has changed, a cluster that `has` the Secret keeps its own and another one gets the newer data.
    pub(crate) fn workload(
        &self,
        now: &api::FleetWorkload,
        digest_key: &DigestKey,
        has: &dyn Fn(&str) -> bool,
    ) -> api::FleetWorkload {
        let key = WorkloadKey::new(
            now.metadata.namespace.as_deref().unwrap_or_default(),
            now.metadata.name.as_deref().unwrap_or_default(),
        );
        let mut workload = now.clone();
        let filled = |object: &api::WorkloadObject| {
            let Some(digest) = self.secrets.get(&*object.name) else { return Some(object.clone()) };
            let newer = now.spec.objects.iter().find(|one| one.name == object.name);
            let newer = newer.and_then(|newer| Some((newer, secret(&key, newer, digest_key)?)));
            match newer {
                Some((newer, known)) if known == *digest => {
                    let mut object = object.clone();
                    for field in SECRET_DATA {
                        if let Some(data) = newer.manifest.get(field) {
                            object.manifest[field] = data.clone();
                        }
                    }
                    Some(object)
                }
                Some((newer, _)) if !has(&object.name) => Some(newer.clone()),
                _ => None,
            }
        };
        workload.spec.objects = self.objects.iter().filter_map(filled).collect();
        workload
    }
}

/// Keyed digest of the data of a Secret; `None` for any other object.
fn secret(key: &WorkloadKey, object: &api::WorkloadObject, digest_key: &DigestKey) -> Option<String> {
    let view = Object::new(&object.manifest);
    if !view.group().is_empty() || view.kind() != "Secret" {
        return None;
    }
    let owner = format!("{key}/{}", object.name);
    let known = SecretManifest::new(object.manifest.clone(), &owner, digest_key);
    // What is no Secret an API server would take is rendered for nobody; its digest only has to change with it.
    let digest = known.map_or_else(|_| digest_key.digest(&digest::canonical(&object.manifest)), |known| known.digest());
    Some(digest.to_string())
}
