//! `crds`: the CustomResourceDefinitions inside the binary, so that nothing is ever downloaded.

use crate::args::CrdsArgs;
use crate::exit::Exit;
use crate::output;

/// Prints all, or writes one file per kind.
pub(crate) fn run(args: &CrdsArgs) -> anyhow::Result<Exit> {
    let files = jiuzhou_api::render::crd_files()?;
    match &args.dir {
        None => {
            for text in files.values() {
                output::print("---\n")?;
                output::print(text)?;
            }
        }
        Some(dir) => {
            output::folder(dir)?;
            for (name, text) in &files {
                output::replace(&dir.join(name), text.as_bytes())?;
            }
        }
    }
    Ok(Exit::Ok)
}
