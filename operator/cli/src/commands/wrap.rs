//! `wrap`: plain manifests in, FleetWorkloads out; also as a Helm post-renderer (`helm --post-renderer jiuzhou-wrap`).
//!
//! Standard output is YAML that `kubectl apply` and `jiuzhou plan` take: the workloads, then what cannot be carried to
//! a member (cluster-scoped objects, hooks), unchanged. Findings go to standard error.

use std::io;

use jiuzhou_engine::terms::Severity;
use jiuzhou_intake::yaml::Limits;
use jiuzhou_intake::{documents, native};
use jiuzhou_objects::profile::Profiles;
use jiuzhou_objects::wrap::{WrapOptions, wrap};
use serde_json::Value;

use crate::args::WrapArgs;
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Wraps what it reads.
pub(crate) fn run(args: &WrapArgs, context: &Context) -> anyhow::Result<Exit> {
    let inputs = load::inputs(&args.input, true);
    let (documents, mut findings) = documents::read_all(&inputs, &mut io::stdin().lock(), &Limits::default());
    let keep = |document| native::keep(document, &mut findings).document.value;
    let manifests: Vec<Value> = documents.into_iter().map(keep).collect();
    let options = WrapOptions {
        name: args.name.clone(),
        namespace: args.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        system: Some(args.system.clone()),
        policy: args.placement_policy.clone(),
    };
    let mut wrapped = wrap(manifests, &options, &Profiles::default());
    findings.append(&mut wrapped.findings);
    for object in wrapped.workloads.iter().chain(&wrapped.left_out) {
        output::print("---\n")?;
        output::print(&load::yaml(object)?)?;
    }
    load::tell(&findings, context);
    let unreadable = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if unreadable { Exit::Input } else { Exit::Ok })
}
