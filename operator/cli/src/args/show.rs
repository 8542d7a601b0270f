//! Flags of the commands that show the program itself: `demo`, `crds`, `help`, `completion`, `man`.

use std::path::PathBuf;

use clap::Args;

use super::Output;

/// `demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Which story to show
    #[arg(value_name = "STORY")]
    pub story: Option<String>,
    /// List the stories
    #[arg(long)]
    pub list: bool,
    /// Write the files of the story into this new folder, to play with
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
    /// Say how to try it on real control planes of this machine: a hub and members with several CPUs
    #[arg(id = "real", long = "cluster", conflicts_with_all = ["story", "list", "write"])]
    pub cluster: bool,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

/// `crds`
#[derive(Debug, Args)]
pub struct CrdsArgs {
    /// Write one file per kind into this folder instead of printing
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `help`
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// A command, a reason code, `codes`, `exit-codes` or `formats`
    #[arg(value_name = "TOPIC")]
    pub topic: Option<String>,
}

/// `completion`
#[derive(Debug, Args)]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The command, in as many words as it has; none for the page of the program. To a pipe goes what `man -l -` reads
    #[arg(value_name = "COMMAND")]
    pub page: Vec<String>,
    /// Folder that all pages are written to, instead
    #[arg(long, value_name = "DIR", conflicts_with = "page")]
    pub out: Option<PathBuf>,
}
