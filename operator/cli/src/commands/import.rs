//! `import`: clusters and policies of other systems as ours with a list of what has no counterpart, and registers in CSV.
//!
//! Standard output is YAML that `kubectl apply` and `jiuzhou plan` take; findings go to standard error.

use std::io;
use std::path::PathBuf;

use jiuzhou_api::v1alpha1::{CloudForm, Ownership};
use jiuzhou_engine::terms::{Finding, Severity};
use jiuzhou_intake::foreign::{Imported, Settings, import};
use jiuzhou_intake::objects::Objects;
use jiuzhou_intake::register;

use crate::args::{FormArg, ImportArgs, OwnershipArg};
use crate::commands::load;
use crate::commands::settlement::{OF_PAPERS, paper};
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
    let imported = if args.register.is_some() || args.assets.is_some() {
        registers(args, context)?
    } else if args.from_hub {
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
    let left_out = |finding: &Finding| finding.severity == Severity::Error || OF_PAPERS.contains(&finding.reason.code);
    Ok(if imported.findings.iter().any(left_out) { Exit::Input } else { Exit::Ok })
}

/// The registers onto what the paths have.
fn registers(args: &ImportArgs, context: &Context) -> anyhow::Result<Imported> {
    let none = args.input.paths.is_empty() && args.input.filenames.is_empty();
    let (objects, mut findings) = if none {
        (Objects::default(), Vec::new())
    } else {
        let fleet = load::fleet(&args.input, load::as_of(&args.input), false, context)?;
        (fleet.objects, fleet.findings)
    };
    // What else is to be said of what is there, `validate` says.
    findings.retain(|finding| finding.severity == Severity::Error);
    let read = |path: &Option<PathBuf>| -> Result<Option<(String, Vec<u8>)>, Failure> {
        path.as_ref().map(|path| Ok((path.to_string_lossy().into_owned(), paper(path)?))).transpose()
    };
    let (register, assets) = (read(&args.register)?, read(&args.assets)?);
    let mut imported = register::import(&objects, file(register.as_ref()), file(assets.as_ref()));
    imported.findings.append(&mut findings);
    imported.findings.sort_by_cached_key(Finding::sort_key);
    Ok(imported)
}

fn file(read: Option<&(String, Vec<u8>)>) -> Option<register::File<'_>> {
    read.map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
}
