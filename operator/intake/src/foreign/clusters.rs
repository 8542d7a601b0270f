//! Clusters of other systems: Karmada `Cluster`, OCM `ManagedCluster`, SIG `ClusterProfile`.
//!
//! Regions and zones there are words of clouds and no GB/T 2260 codes, so they become labels, by which imported policies
//! select; the code belongs to the Site.

use std::collections::BTreeMap;

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Reason};
use serde_json::Value;

use crate::documents::Document;

use super::{Taken, Work, is_label_key, is_label_value, name_of, pull, push, renamed};

/// Where a cloud's region and zone stand.
pub(super) const REGION: &str = "topology.kubernetes.io/region";
pub(super) const ZONE: &str = "topology.kubernetes.io/zone";
/// Longest name of a member cluster.
const NAME: usize = 48;
/// Most taints of a cluster.
const TAINTS: usize = 32;

pub(super) fn karmada(work: &mut Work<'_>, document: &Document) {
    let name = renamed(work, document, NAME);
    let mut spec = Taken::of(document, "/spec");
    let mut labels = labels(document);
    let mut made = api::MemberClusterSpec::default();
    let mode = spec.text("/syncMode");
    made.connection = if mode.as_deref() == Some("Pull") { pull() } else { push(&name) };
    credential(work, document, &name);
    // The address and the credentials are those of Karmada's own connection.
    for field in ["/apiEndpoint", "/secretRef", "/impersonatorSecretRef", "/id"] {
        spec.take(field);
    }
    if let Some(region) = spec.text("/region").filter(|text| !text.is_empty()) {
        label(work, &spec, "/region", REGION, &region, &mut labels);
    }
    let zones = spec.list("/zones");
    let zone = spec.text("/zone").or_else(|| zones.first().and_then(Value::as_str).map(str::to_owned));
    if let Some(zone) = zone.filter(|text| !text.is_empty()) {
        label(work, &spec, "/zone", ZONE, &zone, &mut labels);
    }
    if zones.len() > 1 {
        spec.lost(work, "/zones", &Value::from(zones), "spec.poolFacts");
    }
    if let Some(provider) = spec.text("/provider").filter(|text| !text.is_empty()) {
        made.provider = Some(name_of(&provider, 63).into());
        if made.provider.as_deref() != Some(provider.as_str()) {
            spec.differs(work, "/provider", made.provider.as_deref().unwrap_or_default());
        }
    }
    taints(work, &mut spec, &mut made);
    spec.finish(work, "spec.connection, spec.poolFacts");
    work.cluster(&name, labels, made);
}

pub(super) fn managed(work: &mut Work<'_>, document: &Document) {
    let name = renamed(work, document, NAME);
    let mut spec = Taken::of(document, "/spec");
    let mut labels = labels(document);
    // An agent there calls the hub: that is what Pull is.
    let mut made = api::MemberClusterSpec { connection: pull(), ..api::MemberClusterSpec::default() };
    credential(work, document, &name);
    spec.take("/managedClusterClientConfigs");
    if let Some(lease) = spec.number("/leaseDurationSeconds") {
        // OCM calls a cluster unknown after five leases, we after three heartbeats.
        let heartbeat = i32::try_from(lease).unwrap_or(i32::MAX).clamp(5, 59);
        made.connection.pull = Some(api::PullConnection { heartbeat_seconds: heartbeat, http_proxy: None });
        if i64::from(heartbeat) != lease {
            spec.differs(work, "/leaseDurationSeconds", &format!("heartbeatSeconds: {heartbeat}"));
        }
    }
    if spec.take("/hubAcceptsClient") == Some(Value::Bool(false)) {
        spec.lost(work, "/hubAcceptsClient", &Value::Bool(false), "MemberCluster");
    }
    taints(work, &mut spec, &mut made);
    spec.finish(work, "spec.connection");
    // Claims are what placements select by, so they are kept as labels where they can be.
    let claims = document.value.pointer("/status/clusterClaims").and_then(Value::as_array).cloned().unwrap_or_default();
    for claim in &claims {
        let text = |field: &str| claim.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        properties(&text("name"), &text("value"), &mut labels);
    }
    work.cluster(&name, labels, made);
}

pub(super) fn profile(work: &mut Work<'_>, document: &Document) {
    let name = renamed(work, document, NAME);
    let mut spec = Taken::of(document, "/spec");
    let mut labels = labels(document);
    labels.remove("x-k8s.io/cluster-manager");
    let mut made = api::MemberClusterSpec { connection: push(&name), ..api::MemberClusterSpec::default() };
    if let Some(title) = spec.text("/displayName").filter(|title| !title.is_empty()) {
        made.display_name = Some(title.chars().take(128).collect::<String>().into());
    }
    spec.take("/clusterManager");
    credential(work, document, &name);
    spec.finish(work, "MemberCluster");
    let list = document.value.pointer("/status/properties").and_then(Value::as_array).cloned().unwrap_or_default();
    for property in &list {
        let text = |field: &str| property.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (key, value) = (text("name"), text("value"));
        if !properties(&key, &value, &mut labels) {
            let reason = Reason::new(Code::NoCounterpart).object(format!("status.properties.{key}")).seen(value);
            work.found(document.finding(reason.wanted("spec.values"), "/status/properties"));
        }
    }
    work.cluster(&name, labels, made);
}

/// Labels of the object that could be labels of ours.
fn labels(document: &Document) -> BTreeMap<String, String> {
    let labels = document.value.pointer("/metadata/labels").and_then(Value::as_object);
    let pairs = labels.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    pairs.collect()
}

fn properties(key: &str, value: &str, labels: &mut BTreeMap<String, String>) -> bool {
    let fits = is_label_key(key) && is_label_value(value);
    if fits {
        labels.entry(key.to_owned()).or_insert_with(|| value.to_owned());
    }
    fits
}

fn label(
    work: &mut Work<'_>,
    spec: &Taken<'_>,
    at: &str,
    key: &str,
    value: &str,
    labels: &mut BTreeMap<String, String>,
) {
    if is_label_value(value) {
        labels.insert(key.to_owned(), value.to_owned());
        spec.differs(work, at, &format!("metadata.labels[{key}]: {value}"));
    } else {
        spec.lost(work, at, &Value::from(value), "spec.site");
    }
}

fn credential(work: &mut Work<'_>, document: &Document, name: &str) {
    work.found(document.finding(Reason::new(Code::ConnectionNotImported).object(name), "/spec"));
}

/// Taints of both systems; OCM has effects of its own.
fn taints(work: &mut Work<'_>, spec: &mut Taken<'_>, made: &mut api::MemberClusterSpec) {
    for (index, taint) in spec.list("/taints").iter().enumerate() {
        let text = |field: &str| taint.get(field).and_then(Value::as_str).unwrap_or_default();
        let at = format!("/taints/{index}");
        let effect = match text("effect") {
            "NoSchedule" | "NoSelect" => api::TaintEffect::NoSchedule,
            "PreferNoSchedule" | "PreferNoSelect" => api::TaintEffect::PreferNoSchedule,
            "NoExecute" => api::TaintEffect::NoExecute,
            "NoSelectIfNew" => {
                spec.differs(work, &format!("{at}/effect"), "effect: NoSchedule");
                api::TaintEffect::NoSchedule
            }
            _ => {
                spec.lost(work, &at, taint, "spec.taints");
                continue;
            }
        };
        let key = text("key");
        let value = Some(text("value")).filter(|value| !value.is_empty());
        let fits = is_label_key(key) && value.is_none_or(is_label_value);
        let twice = made.taints.iter().any(|other| other.key == key && other.effect == effect);
        if !fits || twice || made.taints.len() >= TAINTS {
            spec.lost(work, &at, taint, "spec.taints");
            continue;
        }
        made.taints.push(api::ClusterTaint { key: key.into(), value: value.map(Into::into), effect, since: None });
    }
}
