//! Flags of the commands about the revisions of a workload: `rollout`, `rollback`.

use clap::{Args, ValueEnum};

use super::{WorkloadArgs, name};

/// What is asked of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RolloutAction {
    /// How far it has come, cluster by cluster
    Status,
    /// Revisions that are kept
    History,
    /// Hold it where it is
    Pause,
    /// Let it go on
    Resume,
    /// Let the change go beyond a stage; needs --stage, --change and --by
    Approve,
}

/// `rollout`
#[derive(Clone, Debug, Args)]
pub struct RolloutArgs {
    /// What to do
    #[arg(value_enum, value_name = "ACTION")]
    pub action: RolloutAction,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub of: WorkloadArgs,

    /// Stage that the change may go beyond
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = "Approval")]
    pub stage: Option<String>,

    /// Digest of the change, as `rollout status` shows it
    #[arg(long, value_name = "DIGEST", help_heading = "Approval")]
    pub change: Option<String>,

    /// Who approves
    #[arg(long, value_name = "PERSON", help_heading = "Approval")]
    pub by: Option<String>,

    /// What is confirmed, with the document's number where there is one
    #[arg(long, value_name = "TEXT", help_heading = "Approval")]
    pub statement: Option<String>,
}

/// `rollback`
#[derive(Clone, Debug, Args)]
pub struct RollbackArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub of: WorkloadArgs,

    /// Revision to go back to [default: the one before]
    #[arg(long, value_name = "NUMBER")]
    pub to: Option<i64>,
}
