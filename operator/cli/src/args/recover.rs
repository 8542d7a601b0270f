//! Flags of `recover`.

use clap::Args;

use super::{HubArgs, name};

/// `recover`
#[derive(Clone, Debug, Args)]
pub struct RecoverArgs {
    /// A member that was restored from a backup; without it, the hub itself
    #[arg(value_name = "CLUSTER", value_parser = name, conflicts_with_all = ["promote", "former"])]
    pub cluster: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: HubArgs,

    /// Put this hub in the place of another one that is lost: it takes over the members of that hub
    #[arg(long)]
    pub promote: bool,

    /// Id of the hub that it succeeds, where its members do not remember exactly one
    #[arg(long, value_name = "HUB", requires = "promote")]
    pub former: Option<String>,

    /// You have looked at what was shown: repeat what it says (an epoch, a hub's id, a member's name). Without it, it is
    /// shown and nothing is done
    #[arg(long = "confirm", value_name = "WHAT", help_heading = "Confirmation")]
    pub recovered: Option<String>,
}
