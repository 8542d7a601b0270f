//! `completion` and `man`: both are made from the one command tree.

use std::io;

use crate::args::{CompletionArgs, ManArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;
use crate::talk;

/// Prints the completion script.
pub(crate) fn completion(args: &CompletionArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    let mut command = crate::command(jiuzhou_report::words::Lang::En);
    clap_complete::generate(args.shell, &mut command, "jiuzhou", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}

/// Prints one page, or writes one per command.
pub(crate) fn man(args: &ManArgs, context: &Context) -> anyhow::Result<Exit> {
    let mut command = crate::command(context.lang);
    command.build();
    let mut all = Vec::new();
    pages(&command, command.get_name(), &mut all);
    if let Some(folder) = &args.out {
        output::folder(folder)?;
        for (name, command) in all {
            output::replace(&folder.join(format!("{name}.1")), &roff(command)?)?;
        }
        return Ok(Exit::Ok);
    }
    let name = std::iter::once("jiuzhou").chain(args.page.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
    let names: Vec<String> = all.iter().filter_map(|(name, _)| Some(name.split_once('-')?.1.to_owned())).collect();
    let Some((_, mut command)) = all.into_iter().find(|(known, _)| *known == name) else {
        let near = jiuzhou_intake::schema::nearest(&args.page.join("-"), names.iter().map(String::as_str));
        let near = near.first().map_or_else(String::new, |near| {
            format!("{}{near}{}", context.pick("; did you mean ", "；是否指 "), context.pick("?", "？"))
        });
        let none = context.pick("no such command", "没有该命令");
        context.say(&format!("jiuzhou: {}: {none}{near}", args.page.join(" ")));
        return Ok(Exit::Usage);
    };
    if talk::reads() {
        output::print(&command.render_long_help().to_string())?;
    } else {
        output::print(&String::from_utf8_lossy(&roff(command)?))?;
    }
    Ok(Exit::Ok)
}

fn roff(command: clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(io::Error::other)?;
    Ok(page)
}

/// A command and all below it, each called by all the words it takes.
fn pages(command: &clap::Command, name: &str, out: &mut Vec<(String, clap::Command)>) {
    out.push((name.to_owned(), command.clone().name(name.to_owned())));
    for sub in command.get_subcommands() {
        pages(sub, &format!("{name}-{}", sub.get_name()), out);
    }
}
