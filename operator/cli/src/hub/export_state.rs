//! `export-state`: what a hub knows and has decided, as files that `plan` and `replay` read.

use anyhow::Context as _;

use crate::args::ExportStateArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect;
use crate::output;

/// Writes the state of a hub into a folder.
pub(crate) fn run(args: &ExportStateArgs, context: &Context) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start")?;
    let state = runtime.block_on(async {
        let client = connect::client(&args.hub).await?;
        jiuzhou_control::export::state(&client).await.context("failed to read the hub")
    })?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("failed to create {}", args.out.display()))?;
    let mut objects = 0_usize;
    for (kind, values) in &state {
        objects += values.len();
        let mut text = String::new();
        for value in values {
            text.push_str("---\n");
            text.push_str(&crate::commands::load::yaml(value)?);
        }
        output::replace(&args.out.join(format!("{kind}.yaml")), text.as_bytes())?;
    }
    context.hint(&format!("{objects} objects → {}", args.out.display()));
    context.hint(&format!("→ jiuzhou plan {}", args.out.display()));
    Ok(Exit::Ok)
}
