//! The face: reads flags and files, calls the rooms that know, writes what they say, ends with an exit code.
//!
//! No rule is decided here and no sentence about a decision is written here. Standard output carries the result and
//! nothing else; talk goes to standard error.

pub mod args;
pub mod exit;

mod commands;
mod context;
mod failure;
mod help_zh;
mod hub;
mod output;
mod progress;
mod talk;
mod usage_zh;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use jiuzhou_report::words::Lang;

use crate::args::Cli;
use crate::context::Context;
use crate::exit::Exit;

/// The command tree in a language: what the parser, completions, man pages and the reference are made from.
#[must_use]
pub fn command(lang: Lang) -> clap::Command {
    match lang {
        Lang::En => Cli::command(),
        Lang::Zh => help_zh::localize(Cli::command()),
    }
}

/// Runs the program with these arguments, the program's name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let lang = talk::language_of(&args);
    let cli = match command(lang).try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            match usage_zh::text(&error).filter(|_| lang == Lang::Zh) {
                Some(text) => Context::silent(lang).say(text.trim_end()),
                // A closed pipe while printing help is no error of ours.
                None => drop(error.print()),
            }
            return if error.use_stderr() { Exit::Usage } else { Exit::Ok }.into();
        }
    };
    if !cli.command.logs_by_itself() {
        talk::start_log(&cli.talk);
    }
    let context = Context::new(&cli.talk);
    match commands::run(cli.command, &context) {
        Ok(exit) => exit.into(),
        Err(error) if output::is_closed_pipe(&error) => Exit::Ok.into(),
        Err(error) => {
            context.say(&failure::line(&error, context.lang));
            let usage = error.downcast_ref::<failure::Failure>().is_some_and(failure::Failure::is_usage);
            if usage { Exit::Usage } else { Exit::Failed }.into()
        }
    }
}
