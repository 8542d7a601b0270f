//! `completion` and `man`: both are made from the one command tree.

use std::io;

use crate::args::{CompletionArgs, ManArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Prints the completion script.
pub(crate) fn completion(args: &CompletionArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    let mut command = crate::command(jiuzhou_report::words::Lang::En);
    clap_complete::generate(args.shell, &mut command, "jiuzhou", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}

/// Writes one page per command.
pub(crate) fn man(args: &ManArgs, context: &Context) -> anyhow::Result<Exit> {
    output::folder(&args.out)?;
    let mut command = crate::command(context.lang);
    command.build();
    for (name, command) in pages(&command) {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(io::Error::other)?;
        output::replace(&args.out.join(format!("{name}.1")), &page)?;
    }
    Ok(Exit::Ok)
}

fn pages(command: &clap::Command) -> Vec<(String, clap::Command)> {
    let own = (command.get_name().to_owned(), command.clone());
    let subs = command.get_subcommands().map(|sub| {
        let name = format!("{}-{}", command.get_name(), sub.get_name());
        (name.clone(), sub.clone().name(name))
    });
    std::iter::once(own).chain(subs).collect()
}
