//! Writing results: every `-o` of one run from the same document, files whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use jiuzhou_report::document::Document;
use jiuzhou_report::render::{Format, render};

use crate::args::{Output, OutputArg};
use crate::context::Context;
use crate::failure::Failure;

/// Writes the document in every format asked for; text to standard output when none is.
pub(crate) fn write(document: &Document, output: &Output, context: &Context) -> anyhow::Result<()> {
    let plain = [OutputArg { format: Format::Text, file: None }];
    let wanted: &[OutputArg] = if output.outputs.is_empty() { &plain } else { &output.outputs };
    // Two results behind each other are neither; nothing is written then.
    for (at, one) in wanted.iter().enumerate() {
        if wanted.iter().take(at).any(|other| other.file == one.file) {
            let file = one.file.as_ref().map(|file| file.display().to_string());
            return Err(Failure::OnePlace { name: one.format.name(), file }.into());
        }
    }
    for one in wanted {
        let options = context.options(one.file.is_some(), output.max_bytes);
        let bytes = render(document, one.format, &options)?;
        match &one.file {
            None => print_bytes(&bytes)?,
            Some(file) => replace(file, &bytes)?,
        }
    }
    Ok(())
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    print_bytes(text.as_bytes())
}

fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Writes a file by a neighbour and a rename, so that a reader never sees half of it.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut neighbour = file.as_os_str().to_owned();
    neighbour.push(format!(".{}.tmp", std::process::id()));
    let attempt = fs::write(&neighbour, bytes).and_then(|()| fs::rename(&neighbour, file));
    if attempt.is_err() {
        // What is left of the neighbour is of no use; the first error is the one to tell.
        let _ = fs::remove_file(&neighbour);
    }
    attempt.map_err(|source| Failure::Write { path: file.display().to_string(), source }.into())
}

/// Makes a folder and those above it.
pub(crate) fn folder(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path).map_err(|source| Failure::Create { path: path.display().to_string(), source }.into())
}

/// Whether the reader of a pipe has gone (`jiuzhou … | head`), which is its right.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|io| io.kind() == io::ErrorKind::BrokenPipe)
}
