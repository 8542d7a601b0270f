//! What a selection takes, or the one reason why it takes nothing. Pure.
//!
//! Nothing is taken before every native kind was listed whole, and nothing of a kind that a controller of this hub acts
//! on: its pods would run here too. A controller shows itself by the status it writes, within moments; an object of a
//! kind of which none was ever left alone is therefore given those moments first. A selection that took something and
//! matches nothing any more removes nothing: it is held.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use jiuzhou_api::v1alpha1::{ObjectSelection, WorkloadObject};
use jiuzhou_engine::terms::{Code, DigestAlgorithm, Hasher, Reason};
use jiuzhou_objects::object::Object;
use jiuzhou_objects::profile::Profiles;
use jiuzhou_objects::selection;
use jiuzhou_objects::wrap::MAX_OBJECTS;
use serde_json::Value;

use super::kinds::{KINDS, named};
use super::natives::Natives;

/// How long a controller of the hub is given to show itself.
const SETTLE: SignedDuration = SignedDuration::from_secs(3);
/// Kinds whose controllers write a status as soon as they see an object.
const SHOWN_AT_ONCE: [&str; 4] = ["DaemonSet", "Deployment", "Job", "StatefulSet"];

/// Which native object an entry of a workload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) uid: String,
    /// Generation that the entry was read from.
    pub(crate) generation: i64,
}

/// What was made of a selection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resolution {
    pub(crate) selection: ObjectSelection,
    /// By the name of the entry.
    pub(crate) sources: BTreeMap<String, Source>,
    /// Another one for another content of any of them.
    pub(crate) content: String,
    /// When to look again without an event.
    pub(crate) again: Option<Timestamp>,
}

/// What a selection is resolved against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) natives: &'a Natives,
    pub(crate) namespace: &'a str,
    /// Whether the operator runs as that of a dedicated hub.
    pub(crate) dedicated: bool,
    /// Whether something of the workload has a place already.
    pub(crate) placed: bool,
    pub(crate) as_of: Timestamp,
}

/// Resolves a selection.
pub(crate) fn resolve(
    selection: &ObjectSelection,
    ground: Ground<'_>,
    profiles: &Profiles,
) -> (Resolution, Result<Vec<WorkloadObject>, Reason>) {
    let mut resolution =
        Resolution { selection: selection.clone(), sources: BTreeMap::new(), content: String::new(), again: None };
    let outcome = taken(selection, ground, profiles, &mut resolution);
    if outcome.is_err() {
        resolution.sources.clear();
    }
    (resolution, outcome)
}

fn taken(
    selection: &ObjectSelection,
    ground: Ground<'_>,
    profiles: &Profiles,
    resolution: &mut Resolution,
) -> Result<Vec<WorkloadObject>, Reason> {
    let Ground { natives, namespace, dedicated, placed, as_of } = ground;
    if !dedicated {
        return Err(Reason::new(Code::HubNotDedicated).object("spec.select"));
    }
    let unknown: Vec<String> = selection
        .kinds
        .iter()
        .filter(|asked| !KINDS.iter().any(|kind| kind.kind == &*asked.kind && kind.api_version() == *asked.api_version))
        .map(|asked| format!("{} {}", asked.api_version, asked.kind))
        .collect();
    if !unknown.is_empty() {
        let followed: Vec<String> = KINDS.iter().map(|kind| format!("{} {}", kind.api_version(), kind.kind)).collect();
        return Err(Reason::new(Code::SelectionUnknownKind).object(unknown).wanted(followed));
    }
    if let Some((kind, why)) = natives.unread() {
        let reason = Reason::new(Code::SelectionUnread).object(kind);
        return Err(reason.seen(why.unwrap_or("…")));
    }
    let manifests: Vec<Value> =
        natives.of_namespace(namespace).filter_map(|(_, native)| native.manifest.clone()).collect();
    let entries = selection::select(selection, namespace, &manifests, profiles);
    if entries.is_empty() {
        let code = if placed { Code::SelectionLost } else { Code::SelectionEmpty };
        return Err(Reason::new(code).object(namespace));
    }
    if entries.len() > MAX_OBJECTS {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let reason = Reason::new(Code::LengthOutOfRange).object("spec.select");
        return Err(reason.seen(count(entries.len())).wanted(count(MAX_OBJECTS)));
    }
    let kinds: BTreeSet<&str> =
        entries.iter().filter_map(|entry| named(Object::new(&entry.manifest).kind())).map(|kind| kind.kind).collect();
    let acted_on: Vec<String> =
        kinds.iter().filter_map(|kind| natives.acted_on(kind).map(|(at, by)| format!("{kind} ({by}: {at})"))).collect();
    if !acted_on.is_empty() {
        return Err(Reason::new(Code::SelectionRefused).object("spec.select").seen(acted_on));
    }
    let unproven = kinds.iter().find(|kind| {
        SHOWN_AT_ONCE.contains(*kind) && !natives.left_alone(kind, as_of.saturating_sub(SETTLE).unwrap_or(as_of))
    });
    if let Some(kind) = unproven {
        resolution.again = Some(as_of.saturating_add(SETTLE).unwrap_or(as_of));
        return Err(Reason::new(Code::SelectionUnread).object(*kind).seen("…"));
    }
    let mut hasher = Hasher::new(DigestAlgorithm::Sha256);
    for entry in &entries {
        let object = Object::new(&entry.manifest);
        let Some(native) = natives.get(object.kind(), namespace, object.name()) else { continue };
        hasher.field(entry.name.as_bytes());
        hasher.field(native.version.as_bytes());
        let source = Source {
            kind: native.kind.kind,
            name: object.name().to_owned(),
            uid: native.uid.clone(),
            generation: native.generation,
        };
        resolution.sources.insert(entry.name.to_string(), source);
    }
    resolution.content = hasher.finish().to_string();
    Ok(entries)
}
