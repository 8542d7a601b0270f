//! `wrap`: plain manifests in, FleetWorkloads out; also as a Helm post-renderer (`helm --post-renderer jiuzhou-wrap`).
//!
//! Standard output is YAML that `kubectl apply` and `jiuzhou plan` take: the workloads, then what cannot be carried to
//! a member (cluster-scoped objects, hooks) and what is ours already, unchanged. Findings go to standard error.

use std::io;

use jiuzhou_engine::terms::Severity;
use jiuzhou_intake::manifests;
use jiuzhou_intake::yaml::Limits;
use jiuzhou_objects::wrap::{WrapOptions, wrap};

use crate::args::WrapArgs;
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Wraps what it reads.
pub(crate) fn run(args: &WrapArgs, context: &Context) -> anyhow::Result<Exit> {
    let inputs = load::inputs(&args.input, true);
    let mut manifests = manifests(&inputs, &mut io::stdin().lock(), &Limits::default())?;
    let options = WrapOptions {
        name: args.name.clone(),
        namespace: args.namespace.clone().unwrap_or_else(|| "default".to_owned()),
        system: Some(args.system.clone()),
        policy: args.placement_policy.clone(),
    };
    let mut wrapped = wrap(manifests.values(), &options, &manifests.profiles);
    manifests.locate(&mut wrapped.findings, &options.namespace);
    let mut findings = std::mem::take(&mut manifests.findings);
    findings.append(&mut wrapped.findings);
    let ours = manifests.ours.iter().map(|document| &document.value);
    for object in wrapped.workloads.iter().chain(&wrapped.left_out).chain(ours) {
        output::print("---\n")?;
        output::print(&load::yaml(object)?)?;
    }
    load::tell(&findings, context);
    let unreadable = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if unreadable { Exit::Input } else { Exit::Ok })
}
