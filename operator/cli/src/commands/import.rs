//! `import`: clusters and policies of other systems as ours, and a list of what has no counterpart.
//!
//! Standard output is YAML that `kubectl apply` and `jiuzhou plan` take; findings go to standard error.

use std::io;

use jiuzhou_api::v1alpha1::{CloudForm, Ownership};
use jiuzhou_engine::terms::Severity;
use jiuzhou_intake::foreign::{Settings, import};

use crate::args::{FormArg, ImportArgs, OwnershipArg};
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{hub, output};

/// Imports what it reads.
pub(crate) fn run(args: &ImportArgs, context: &Context) -> anyhow::Result<Exit> {
    let settings = Settings {
        site: args.site.clone(),
        form: match args.form {
            FormArg::Public => CloudForm::Public,
            FormArg::Private => CloudForm::Private,
            FormArg::Dedicated => CloudForm::Dedicated,
            FormArg::Hosted => CloudForm::Hosted,
        },
        ownership: match args.ownership {
            OwnershipArg::Government => Ownership::Government,
            OwnershipArg::Domestic => Ownership::Domestic,
            OwnershipArg::JointVenture => Ownership::JointVenture,
            OwnershipArg::Foreign => Ownership::Foreign,
        },
    };
    let imported = if args.from_hub {
        let profiles = hub::profiles(&args.hub, context)?;
        import(&["-".to_owned()], &mut profiles.as_bytes(), &settings)
    } else {
        import(&load::inputs(&args.input, true), &mut io::stdin().lock(), &settings)
    };
    if imported.site_wanted {
        return Err(Failure::SiteWanted.into());
    }
    for object in &imported.objects {
        output::print("---\n")?;
        output::print(&load::yaml(object)?)?;
    }
    load::tell(&imported.findings, context);
    let unreadable = imported.findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if unreadable { Exit::Input } else { Exit::Ok })
}
