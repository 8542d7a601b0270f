//! `export`: what is decided in the forms of other systems, on standard output.

use jiuzhou_intake::exports::{self, Exported};

use crate::args::{ExportArgs, ExportForm, FailOn};
use crate::commands::saved::Saved;
use crate::commands::{load, plan};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Exports what it reads.
pub(crate) fn run(args: &ExportArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of = load::as_of(&args.input);
    let fleet = load::fleet(&args.input, as_of, args.strict, context)?;
    let decided = match args.form {
        ExportForm::ArgocdCluster => None,
        _ => Some(Saved::decide(plan::input(&fleet, None, as_of))?),
    };
    let decisions = decided.as_ref().map_or(&[][..], |saved| &saved.plan.decisions);
    let exported = match args.form {
        ExportForm::ManifestWork => exports::manifest_works(&fleet, decisions),
        ExportForm::PlacementDecision => Exported { objects: exports::sig_decisions(decisions), ..Exported::default() },
        ExportForm::OcmPlacementDecision => {
            Exported { objects: exports::ocm_decisions(decisions), ..Exported::default() }
        }
        ExportForm::ArgocdCluster => Exported { objects: exports::argocd_labels(&fleet, as_of), ..Exported::default() },
    };
    for object in &exported.objects {
        output::print("---\n")?;
        output::print(&load::yaml(object)?)?;
    }
    let mut findings = fleet.findings;
    findings.extend(exported.findings);
    load::tell(&findings, context);
    Ok(if load::fails(&findings, FailOn::Error) { Exit::Input } else { Exit::Ok })
}
