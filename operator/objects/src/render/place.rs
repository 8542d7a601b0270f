//! What the place changes: overrides by platform and zone, values of the cluster, names of registries.
//!
//! A delivery is one set of objects for all accepted pools of a cluster. An override that would hold on some of those
//! pools only cannot be told to a scheduler, so it is refused with the pools' platforms or zones. After overrides the
//! object is looked at again: the decision counted requests and replicas, so neither may grow past it.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::{Override as Rule, PatchOp, PatchOperation};
use jiuzhou_engine::terms::{Code, Reason};
use serde_json::{Value, json};

use crate::images;
use crate::object::Object;
use crate::overrides::{self, Override, Site};
use crate::pod::{PodRequests, pod_requests};
use crate::profile::CountRule;

use super::{Draft, Work};

/// The overrides that hold on every accepted pool.
pub(super) fn in_force<'a>(work: &mut Work<'a>) -> Vec<&'a Rule> {
    let target = work.target;
    let mut rules = Vec::new();
    for rule in target.overrides {
        let platforms = named(&rule.platforms, target.platforms);
        let zones = named(&rule.zones, target.zones);
        match (platforms, zones) {
            (Holds::Everywhere, Holds::Everywhere) => rules.push(*rule),
            (Holds::Nowhere, _) | (_, Holds::Nowhere) => {}
            _ => {
                let pools: Vec<&str> = target.platforms.iter().chain(target.zones).map(String::as_str).collect();
                let seen = format!("it holds on some of the pools of {} only: {}", target.cluster, pools.join(", "));
                work.tell(
                    Reason::new(Code::OverrideInvalid).object(&*rule.name).seen(seen),
                    "/spec/placement/overrides",
                );
            }
        }
    }
    rules
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Everywhere,
    Somewhere,
    Nowhere,
}

fn named<T: AsRef<str>>(wanted: &[T], there: &BTreeSet<String>) -> Holds {
    let fits = |one: &String| wanted.iter().any(|name| name.as_ref() == one);
    if wanted.is_empty() {
        Holds::Everywhere
    } else if there.is_empty() || !there.iter().any(fits) {
        Holds::Nowhere
    } else if there.iter().all(fits) {
        Holds::Everywhere
    } else {
        Holds::Somewhere
    }
}

/// Applies the overrides for one object and looks at it again.
pub(super) fn overrides(work: &mut Work<'_>, draft: &mut Draft<'_>, rules: &[&Rule]) {
    let name = &draft.entry.name;
    let own = rules.iter().filter(|rule| rule.objects.is_empty() || rule.objects.contains(name));
    for rule in own {
        let profile = work.profiles.of(Object::new(&draft.value));
        let before = draft.value.clone();
        let compiled = match compile(rule, work.target.values) {
            Ok(compiled) => compiled,
            Err(seen) => {
                work.refuse(draft, Reason::new(Code::OverrideInvalid).object(&*rule.name).seen(seen), "");
                continue;
            }
        };
        if let Err(error) = overrides::apply(&mut draft.value, profile, &[compiled], &Site::default()) {
            // What a patch holds may be secret; where it did not fit is not.
            let reason = Reason::new(Code::OverrideInvalid).object(&*rule.name).seen(error.to_string());
            work.refuse(draft, reason, "");
            continue;
        }
        look_again(work, draft, rule, &before);
    }
}

fn look_again(work: &mut Work<'_>, draft: &mut Draft<'_>, rule: &Rule, before: &Value) {
    let Some(profile) = work.profiles.of(Object::new(&draft.value)) else { return };
    let (was, now) = (Object::new(before), Object::new(&draft.value));
    let (old, new) = (profile.templates_in(was), profile.templates_in(now));
    let mut faults: Vec<(String, String)> = Vec::new();
    if old.len() != new.len() {
        faults.push((String::new(), "it changes how many pod templates there are".to_owned()));
    }
    for ((template, rule), (other, _)) in old.iter().zip(&new) {
        let requests = |object: Object<'_>, at: &str| pod_requests(object, at, &mut Vec::new());
        if let Some(name) = raised(&requests(was, template), &requests(now, other)) {
            faults.push((template.clone(), format!("it raises the request of {name} above what was decided")));
        }
        let count = |value: &Value| match rule {
            CountRule::At(path) | CountRule::JobSpec(path) => {
                let path = path.beside(template).unwrap_or_else(|| path.to_string());
                match rule {
                    CountRule::JobSpec(_) => ["parallelism", "completions", "suspend"]
                        .iter()
                        .map(|field| value.pointer(&format!("{path}/{field}")).cloned())
                        .collect::<Vec<_>>(),
                    _ => vec![value.pointer(&path).cloned()],
                }
            }
            CountRule::One | CountRule::PerNode => Vec::new(),
        };
        if count(before) != count(&draft.value) {
            faults.push((template.clone(), "it changes the number of pods, which the placement decides".to_owned()));
        }
    }
    let seen = |object: Object<'_>| -> BTreeSet<String> {
        let uses = images::images(object, profile, &mut Vec::new());
        uses.into_iter().map(|one| one.image.to_string()).collect()
    };
    let brought: Vec<String> = seen(now).difference(&seen(was)).cloned().collect();
    work.overridden.extend(brought);
    for (pointer, fault) in faults {
        work.refuse(draft, Reason::new(Code::OverrideInvalid).object(&*rule.name).seen(fault), &pointer);
    }
}

/// The first resource of which more is asked for.
fn raised(before: &PodRequests, after: &PodRequests) -> Option<String> {
    let named = [
        ("cpu", before.cpu.0, after.cpu.0),
        ("memory", before.memory.0, after.memory.0),
        ("ephemeral-storage", before.ephemeral_storage.0, after.ephemeral_storage.0),
    ];
    let above = named.iter().find(|(_, was, now)| now > was).map(|(name, ..)| (*name).to_owned());
    above.or_else(|| {
        let more = |(name, now): &(&String, &i64)| **now > before.extended.get(*name).copied().unwrap_or(0);
        after.extended.iter().find(more).map(|(name, _)| name.clone())
    })
}

/// An override of a policy as the room applies it, with the values of the cluster filled in.
fn compile(rule: &Rule, values: &BTreeMap<String, String>) -> Result<Override, String> {
    let Rule { name: _, clusters: _, platforms: _, zones: _, objects: _, images, env, patches } = rule;
    let mut compiled = Override::default();
    for image in images {
        compiled.images_by_name.insert(image.from.to_string(), image.to.to_string());
    }
    for variable in env {
        let container = variable.container.as_deref().unwrap_or_default().to_owned();
        let value = filled(&variable.value, values)?;
        compiled.env.entry(container).or_default().insert(variable.name.to_string(), value);
    }
    for PatchOperation { op, path, value_json } in patches {
        let op = match op {
            PatchOp::Add => "add",
            PatchOp::Replace => "replace",
            PatchOp::Remove => "remove",
            PatchOp::Test => "test",
        };
        let mut operation = json!({"op": op, "path": &**path});
        if let Some(text) = value_json {
            operation["value"] = serde_json::from_str(text).map_err(|_| format!("valueJson of {path} is not JSON"))?;
        }
        compiled.patch.push(operation);
    }
    Ok(compiled)
}

/// A text with every `$(value:NAME)` replaced; `$$(value:` stays as it is, as in Kubernetes' own expansion.
fn filled(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    const OPEN: &str = "$(value:";
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(OPEN) {
        if before.ends_with('$') {
            out.push_str(before);
            out.push_str("(value:");
            rest = after;
            continue;
        }
        let (name, after) = after.split_once(')').ok_or_else(|| format!("{OPEN} is not closed"))?;
        let value = values.get(name).ok_or_else(|| format!("the cluster has no value {name}"))?;
        out.push_str(before);
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Names images as the zones of this cluster reach them.
pub(super) fn registries(work: &mut Work<'_>, draft: &mut Draft<'_>) {
    let Some(profile) = work.profiles.of(Object::new(&draft.value)) else { return };
    let map = |zone: Option<&str>| -> BTreeMap<String, String> {
        let of = |own: bool| {
            work.target.registries.iter().filter(move |r| match &r.zone {
                None => !own,
                Some(named) => own && zone == Some(&**named),
            })
        };
        // A zone's own entry takes the place of the one for every zone.
        of(false).chain(of(true)).map(|r| (r.from.to_string(), r.to.to_string())).collect()
    };
    let mut zones: Vec<Option<&str>> = work.target.zones.iter().map(|zone| Some(zone.as_str())).collect();
    if zones.is_empty() {
        zones.push(None);
    }
    let mut results: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
    for zone in &zones {
        let mut value = draft.value.clone();
        images::rewrite(&mut value, profile, &map(*zone));
        results.insert(crate::digest::canonical(&value), value);
    }
    if results.len() > 1 {
        let zones: Vec<&str> = zones.into_iter().flatten().collect();
        let seen = format!("the zones {} reach its images under different names", zones.join(", "));
        work.refuse(draft, Reason::new(Code::OverrideInvalid).object("registries").seen(seen), "");
        return;
    }
    if let Some((_, value)) = results.pop_first() {
        draft.value = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_cluster_are_filled_in() {
        let values = BTreeMap::from([("db".to_owned(), "dm.dali".to_owned())]);
        let table = [
            ("jdbc:dm://$(value:db):5236", Ok("jdbc:dm://dm.dali:5236")),
            ("$(value:db)$(value:db)", Ok("dm.dalidm.dali")),
            ("$$(value:db)", Ok("$(value:db)")),
            ("$(OTHER)", Ok("$(OTHER)")),
            ("$(value:none)", Err("the cluster has no value none")),
            ("$(value:db", Err("$(value: is not closed")),
        ];
        for (text, want) in table {
            assert_eq!(filled(text, &values), want.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }
}
