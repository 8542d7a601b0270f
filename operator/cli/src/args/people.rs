//! Flags of the orders of people about whole systems: `stop`, `restore`.

use clap::Args;

use super::{HubArgs, name};

/// `stop`
#[derive(Clone, Debug, Args)]
pub struct StopArgs {
    /// The information system: NAME or NAMESPACE/NAME
    #[arg(value_name = "SYSTEM")]
    pub stopped_system: String,

    /// Namespace
    #[arg(long, short = 'n', value_name = "NAME", value_parser = name)]
    pub namespace: Option<String>,

    /// Number of the order, as printed on the document
    #[arg(long, value_name = "NUMBER")]
    pub order: String,

    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: HubArgs,
}

/// `restore`
#[derive(Clone, Debug, Args)]
pub struct RestoreArgs {
    /// The information system: NAME or NAMESPACE/NAME
    #[arg(value_name = "SYSTEM")]
    pub stopped_system: String,

    /// Namespace
    #[arg(long, short = 'n', value_name = "NAME", value_parser = name)]
    pub namespace: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: HubArgs,
}
