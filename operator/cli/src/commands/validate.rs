//! `validate`: files alone, no decision. Reads everything, tells everything.

use std::collections::BTreeMap;

use jiuzhou_report::document::Meta;
use jiuzhou_report::documents::validate::{Read, validate};

use crate::args::ValidateArgs;
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Checks what it reads.
pub(crate) fn run(args: &ValidateArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of = load::as_of(&args.input);
    let inputs = load::inputs(&args.input, false);
    let fleet = load::read(&inputs, as_of, false, context)?;
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for place in fleet.places.values() {
        *files.entry(place.file.clone()).or_default() += 1;
    }
    let failed = load::fails(&fleet.findings, args.fail_on);
    let document = validate(Meta::new(Some(as_of), None), &Read { files }, fleet.findings);
    output::write(&document, &args.output, context)?;
    Ok(if failed { Exit::Input } else { Exit::Ok })
}
