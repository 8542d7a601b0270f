//! What is supposed: a Scenario of the input, and flags in the same words.

use anyhow::bail;
use jiuzhou_api::study::{
    Change, CloseFirewall, Emergency, ExpireEvidence, MergeTenants, Scenario, SetGridFactor, SetReplicas,
};
use jiuzhou_intake::Fleet;
use jiuzhou_intake::documents::Document;
use jiuzhou_intake::objects::Item;
use jiuzhou_intake::schema::nearest;
use serde_json::json;

use crate::args::WhatifArgs;
use crate::failure::{Failure, Near};

/// The scenario that is asked for; the input's only one where none is named and no flag supposes anything.
pub(super) fn scenario<'a>(
    args: &WhatifArgs,
    fleet: &'a Fleet,
    flags: bool,
) -> anyhow::Result<Option<&'a Item<Scenario>>> {
    let all = &fleet.studies.scenarios;
    let names = || all.values().map(|item| item.document.name.clone()).collect::<Vec<_>>();
    match &args.scenario {
        Some(name) => {
            let found = all.values().find(|item| item.document.name == *name);
            if found.is_none() {
                let names = names();
                let near = nearest(name, names.iter().map(String::as_str));
                let near = match near.into_iter().next() {
                    Some(near) => Near::One(near),
                    None if names.is_empty() => Near::Empty,
                    None => Near::Some(names, false),
                };
                bail!(Failure::NoScenario { text: name.clone(), near });
            }
            Ok(found)
        }
        None if flags || args.on.is_some() => Ok(None),
        None => match all.len() {
            0 => bail!(Failure::NothingSupposed),
            1 => Ok(all.values().next()),
            _ => bail!(Failure::ManyScenarios { names: names() }),
        },
    }
}

/// A document that stands for the command line, so that a finding about a flag has a name.
pub(super) fn command_line() -> Option<Document> {
    let value = json!({
        "apiVersion": "study.jiuzhou.dev/v1alpha1", "kind": "Scenario", "metadata": { "name": "command-line" },
    });
    Document::of_object(value)
}

/// The changes that flags suppose.
pub(super) fn flags(args: &WhatifArgs) -> Result<Vec<Change>, Failure> {
    let mut all = Vec::new();
    let mut push = |change: Change| all.push(change);
    for cluster in &args.drain {
        push(Change { drain: Some(cluster.as_str().into()), ..Change::default() });
    }
    for cluster in &args.lose {
        push(Change { lose: Some(cluster.as_str().into()), ..Change::default() });
    }
    for cluster in &args.unreachable {
        push(Change { unreachable: Some(cluster.as_str().into()), ..Change::default() });
    }
    for text in &args.replicas {
        let wrong = || wrong("replicas", text, "NAMESPACE/NAME=COUNT");
        let (workload, count) = text.split_once('=').filter(|(name, _)| name.contains('/')).ok_or_else(wrong)?;
        let replicas = count.parse().ok().filter(|count| (0..=1_000_000).contains(count)).ok_or_else(wrong)?;
        push(Change { replicas: Some(SetReplicas { workload: workload.into(), replicas }), ..Change::default() });
    }
    for text in &args.expire {
        let (cluster, evidence) = two(text, '/');
        let expire = ExpireEvidence { cluster: cluster.into(), evidence: evidence.map(Into::into) };
        push(Change { expire: Some(expire), ..Change::default() });
    }
    for text in &args.close {
        let (cluster, peer) = two(text, '/');
        let close = CloseFirewall { cluster: Some(cluster.into()), peer: peer.map(Into::into) };
        push(Change { close: Some(close), ..Change::default() });
    }
    for text in &args.grid_factor {
        let wrong = || wrong("grid-factor", text, "SITE=MILLIGRAMS");
        let (site, factor) = text.split_once('=').ok_or_else(wrong)?;
        let milligrams_per_kwh = factor.parse().ok().filter(|mg| (0..=5_000_000).contains(mg)).ok_or_else(wrong)?;
        let factor = SetGridFactor { site: Some(site.into()), milligrams_per_kwh };
        push(Change { grid_factor: Some(factor), ..Change::default() });
    }
    for text in &args.merge {
        let (from, into) = text
            .split_once('=')
            .filter(|(from, into)| from != into)
            .ok_or_else(|| wrong("merge", text, "FROM=INTO"))?;
        push(Change { merge: Some(MergeTenants { from: from.into(), into: into.into() }), ..Change::default() });
    }
    for tenant in &args.emergency {
        let tenants = if tenant.is_empty() { Vec::new() } else { vec![tenant.as_str().into()] };
        push(Change { emergency: Some(Emergency { tenants, ..Emergency::default() }), ..Change::default() });
    }
    Ok(all)
}

fn two(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(first, second)| (first, Some(second)))
}

fn wrong(flag: &'static str, text: &str, wanted: &'static str) -> Failure {
    Failure::Supposed { flag, text: text.to_owned(), wanted }
}

/// A change in a few words, as the file or the command line would write it.
pub(super) fn told(change: &Change) -> (&'static str, String) {
    let Change { drain, lose, unreachable, put, patch, remove, expire, close, grid_factor, replicas, emergency, merge } =
        change;
    let full = |kind: &str, namespace: Option<&str>, name: &str| match namespace {
        Some(namespace) => format!("{kind}/{namespace}/{name}"),
        None => format!("{kind}/{name}"),
    };
    let optional = |name: Option<&str>| name.unwrap_or("*").to_owned();
    let of = |value: &serde_json::Value, pointer: &str| {
        value.pointer(pointer).and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    None.or_else(|| drain.as_ref().map(|one| ("drain", one.to_string())))
        .or_else(|| lose.as_ref().map(|one| ("lose", one.to_string())))
        .or_else(|| unreachable.as_ref().map(|one| ("unreachable", one.to_string())))
        .or_else(|| {
            put.as_ref().map(|one| {
                let kind = of(one, "/kind").unwrap_or_default();
                let name = of(one, "/metadata/name").unwrap_or_default();
                ("put", full(&kind, of(one, "/metadata/namespace").as_deref(), &name))
            })
        })
        .or_else(|| {
            patch.as_ref().map(|one| {
                let name = full(&one.kind, one.namespace.as_deref(), &one.name);
                ("patch", format!("{name} {}", one.merge))
            })
        })
        .or_else(|| remove.as_ref().map(|one| ("remove", full(&one.kind, one.namespace.as_deref(), &one.name))))
        .or_else(|| {
            expire.as_ref().map(|one| ("expire", format!("{}/{}", one.cluster, optional(one.evidence.as_deref()))))
        })
        .or_else(|| {
            let name =
                |one: &CloseFirewall| format!("{}/{}", optional(one.cluster.as_deref()), optional(one.peer.as_deref()));
            close.as_ref().map(|one| ("close", name(one)))
        })
        .or_else(|| {
            let name = |one: &SetGridFactor| format!("{}={}", optional(one.site.as_deref()), one.milligrams_per_kwh);
            grid_factor.as_ref().map(|one| ("gridFactor", name(one)))
        })
        .or_else(|| replicas.as_ref().map(|one| ("replicas", format!("{}={}", one.workload, one.replicas))))
        .or_else(|| {
            emergency.as_ref().map(|one| {
                let tenants = one.tenants.iter().map(ToString::to_string);
                let names: Vec<String> = tenants.chain(one.workloads.iter().map(ToString::to_string)).collect();
                ("emergency", if names.is_empty() { "*".to_owned() } else { names.join(", ") })
            })
        })
        .or_else(|| merge.as_ref().map(|one| ("merge", format!("{}={}", one.from, one.into))))
        .unwrap_or_default()
}
