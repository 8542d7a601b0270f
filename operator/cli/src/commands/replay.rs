//! `replay`: a saved plan decided again from its stored inputs; the bytes must be the same.

use anyhow::bail;
use jiuzhou_engine::decide::{self, canonical};
use jiuzhou_engine::terms::DigestAlgorithm;
use jiuzhou_report::document::Meta;
use jiuzhou_report::documents::replay::{Compared, replay};

use crate::args::ReplayArgs;
use crate::commands::saved::{Saved, threads};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Compares what was recorded with what the stored inputs give.
pub(crate) fn run(args: &ReplayArgs, context: &Context) -> anyhow::Result<Exit> {
    // `--against` takes folders and names that are not there yet for something else; here there must be a file.
    let path = || args.plan.display().to_string();
    std::fs::metadata(&args.plan).map_err(|source| Failure::Read { path: path(), source })?;
    let Some(saved) = Saved::read(&args.plan)? else {
        bail!(Failure::NoPlan(path()));
    };
    let input_digest = canonical::digest(&saved.input, DigestAlgorithm::Sha256)?;
    let recorded = canonical::bytes(&saved.plan)?;
    let again = decide::replay_on(saved.input.clone(), threads())?;
    let compared = Compared {
        engine_version: saved.engine_version,
        decisions: saved.plan.decisions.len(),
        input: (saved.input_digest, input_digest),
        sha256: (saved.plan_digest, again.sha256),
        sm3: (saved.plan_digest_sm3, again.sm3),
        same_bytes: recorded == again.bytes,
    };
    let same = compared.same();
    let document = replay(Meta::new(Some(saved.plan.as_of), Some(input_digest)), &compared);
    output::write(&document, &args.output, context)?;
    Ok(if same { Exit::Ok } else { Exit::Findings })
}
