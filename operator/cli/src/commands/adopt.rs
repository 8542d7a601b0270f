//! `adopt`: namespaces of a running cluster as a tenant, its systems and workloads that take them over as they are.
//!
//! Reads a dump (`kubectl get all,configmap,secret,ingress,pvc,serviceaccount -A -o yaml`), or the cluster itself by a
//! kubeconfig; nothing but reading is asked of it. Standard output is YAML; what is not taken over and what would change go
//! to standard error.

use std::fmt::Write as _;
use std::io;

use anyhow::bail;
use jiuzhou_api::meta::ANNOTATION_TAKE_OVER;
use jiuzhou_engine::terms::Severity;
use jiuzhou_intake::adopt::{Consent, Settings, adopt};
use jiuzhou_intake::manifests;
use jiuzhou_intake::yaml::Limits;

use crate::args::AdoptArgs;
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{hub, output};

/// Takes over what it reads.
pub(crate) fn run(args: &AdoptArgs, context: &Context) -> anyhow::Result<Exit> {
    let mut manifests = if args.kubeconfig.is_some() || args.context.is_some() {
        if !load::inputs(&args.input, false).iter().all(|input| input == ".") {
            bail!(Failure::DumpOrCluster);
        }
        let read = hub::dump(args, context)?;
        // What stands in a cluster has no line to point at; its objects are named.
        manifests(&["-".to_owned()], &mut read.as_bytes(), &Limits::default())?
    } else {
        manifests(&load::inputs(&args.input, true), &mut io::stdin().lock(), &Limits::default())?
    };
    let settings = Settings {
        tenant: args.tenant.clone(),
        title: args.tenant_title.clone(),
        region: args.region.clone().unwrap_or_default(),
        cluster: args.cluster.clone(),
        namespaces: args.namespaces.clone(),
        existing: args.region.is_none(),
    };
    let adopted = adopt(&manifests.native, &manifests.profiles, &settings);
    let mut findings = std::mem::take(&mut manifests.findings);
    findings.extend(adopted.findings);
    for object in &adopted.objects {
        output::print("---\n")?;
        output::print(&load::yaml(object)?)?;
    }
    if let Some(file) = &args.consent {
        output::replace(file, script(&adopted.consent, context).as_bytes())?;
    }
    load::tell(&findings, context);
    if !adopted.objects.is_empty() {
        context.hint(context.pick(
            "jiuzhou: correct displayName, projectCode, functionDomain and dataClass of each system before applying: no dump knows them",
            "jiuzhou：请在应用前更正各系统的 displayName、projectCode、functionDomain 与 dataClass：导出内容中没有这些信息",
        ));
    }
    let unreadable = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if unreadable || adopted.objects.is_empty() { Exit::Input } else { Exit::Ok })
}

/// Commands for the administrator of the member; names come from an API server and hold nothing that a shell reads.
fn script(consent: &[Consent], context: &Context) -> String {
    let mut text = format!(
        "#!/bin/sh\n# {}\nset -eu\n",
        context.pick(
            "Lets each object be taken over by the workload that is named, if it is identical.",
            "允许所列工作负载接管各对象，前提是内容一致。",
        )
    );
    for Consent { namespace, resource, name, owner } in consent {
        let _ = writeln!(
            text,
            "kubectl annotate --overwrite --namespace '{namespace}' '{resource}/{name}' '{ANNOTATION_TAKE_OVER}={owner}'"
        );
    }
    text
}
