//! Contexts of a kubeconfig as member clusters. Users and certificates are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Reason};
use serde_json::Value;

use crate::files;

use super::{Work, name_of, push};

/// Longest name of a member cluster.
const NAME: usize = 48;

pub(super) fn is_one(value: &Value) -> bool {
    value["kind"] == "Config" && value["apiVersion"] == "v1" && value.get("contexts").is_some()
}

pub(super) fn import(work: &mut Work<'_>, file: &str, config: &Value) {
    let list = |field: &str| config.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let servers: BTreeMap<String, String> =
        list("clusters").iter().map(|one| (text(one, "/name"), text(one, "/cluster/server"))).collect();
    let mut known = BTreeSet::new();
    for context in list("contexts") {
        let (context, cluster) = (text(&context, "/name"), text(&context, "/context/cluster"));
        if context.is_empty() {
            continue;
        }
        let name = name_of(&context, NAME);
        let subject = ObjectRef::new("MemberCluster", "", &name);
        let mut found = |reason: Reason| {
            work.imported.findings.push(Finding::new(reason).on(subject.clone()).at(files::top_of(file)));
        };
        // Two contexts of one cluster are two users of it.
        let server = servers.get(&cluster).cloned().unwrap_or_default();
        if server.is_empty() {
            found(Reason::new(Code::ReferenceUnknown).object(cluster).seen(context).wanted(Vec::new()));
            continue;
        }
        if !known.insert(server.clone()) {
            found(
                Reason::new(Code::NoCounterpart)
                    .object(format!("contexts.{context}"))
                    .seen(server)
                    .wanted("MemberCluster"),
            );
            continue;
        }
        if name != context {
            found(Reason::new(Code::CounterpartDiffers).object(format!("contexts.{context}")).wanted(name.as_str()));
        }
        found(Reason::new(Code::ConnectionNotImported).object(name.as_str()));
        let title: String = context.chars().take(128).collect();
        let spec = api::MemberClusterSpec {
            display_name: (title != name).then(|| title.into()),
            connection: push(&name),
            ..api::MemberClusterSpec::default()
        };
        work.cluster(&name, BTreeMap::new(), spec);
    }
}
