//! `export-state`: what a hub knows and has decided, as files that `plan` and `replay` read.
//!
//! `objects/` has one file per kind with objects; `decisions/` one saved plan per recorded batch, oldest first.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::args::ExportStateArgs;
use crate::commands::saved::Saved;
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect;
use crate::output;

/// Writes the state of a hub into a folder.
pub(crate) fn run(args: &ExportStateArgs, context: &Context) -> anyhow::Result<Exit> {
    let state = connect::ask(&args.hub, async |client| {
        jiuzhou_control::export::state(client).await.context("failed to read the hub")
    })?;
    let folder = args.out.join("objects");
    fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let mut objects = 0_usize;
    for (kind, values) in state.iter().filter(|(_, values)| !values.is_empty()) {
        objects += values.len();
        let mut text = String::new();
        for value in values {
            text.push_str("---\n");
            text.push_str(&crate::commands::load::yaml(value)?);
        }
        output::replace(&folder.join(format!("{kind}.yaml")), text.as_bytes())?;
    }
    context.hint(&format!("{objects} objects → {}", folder.display()));
    if let Some(audit) = &args.audit {
        let folder = args.out.join("decisions");
        let count = decisions(audit, &folder)?;
        context.hint(&format!("{count} batches of decisions → {}", folder.display()));
        context.hint(&format!("→ jiuzhou replay {}", folder.join("00000001.json").display()));
    }
    context.hint(&format!("→ jiuzhou plan {}", folder.display()));
    Ok(Exit::Ok)
}

/// Writes every recorded batch as a saved plan. Returns how many there are.
fn decisions(audit: &Path, folder: &Path) -> anyhow::Result<usize> {
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let mut count = 0;
    jiuzhou_control::read_decisions(audit, |decided| -> anyhow::Result<()> {
        count += 1;
        output::replace(&folder.join(format!("{count:08}.json")), &Saved::recorded(decided)?.bytes()?)
    })?;
    Ok(count)
}
