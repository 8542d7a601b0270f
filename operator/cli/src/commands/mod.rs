//! One file per command: what its flags mean for the work.

mod crds;
mod help;
mod shell;

use crate::args::Command;
use crate::context::Context;
use crate::exit::Exit;

/// Runs one command.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<Exit> {
    match command {
        Command::Crds(args) => crds::run(&args),
        Command::Help(args) => help::run(&args, context),
        Command::Completion(args) => shell::completion(&args),
        Command::Man(args) => shell::man(&args, context),
    }
}
