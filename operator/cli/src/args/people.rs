//! Flags of the orders of people: `stop`, `restore`, `approve`.

use clap::{Args, ValueEnum};

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

/// What is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ApproveWhat {
    /// The order that is to stop a system
    Stop,
    /// The deletions that are held in a namespace
    Deletions,
    /// An emergency: an OperatingMode
    Mode,
    /// The class of a system's data is lowered
    Class,
    /// A system is exempt from moving to the cloud
    Exemption,
    /// A tenant's quota is raised
    Quota,
    /// What a sovereignty tier asks for is changed
    Tier,
    /// So many workloads would move at once that they wait
    Moves,
}

/// `approve`
#[derive(Clone, Debug, Args)]
pub struct ApproveArgs {
    /// What to approve
    #[arg(value_enum, value_name = "ORDER")]
    pub approved: ApproveWhat,

    /// What it is about: NAMESPACE/SYSTEM of a stop, a class or an exemption, NAMESPACE of deletions, NAME of a mode, a tenant or a tier, `fleet` of moves
    #[arg(value_name = "SUBJECT")]
    pub subject: String,

    /// Digest of the order as it was shown; without it the order is shown and nothing is approved
    #[arg(long, value_name = "DIGEST", requires_all = ["role", "document"])]
    pub approved_digest: Option<String>,

    /// In which role you approve
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,

    /// Number of the document that it rests on
    #[arg(long, value_name = "NUMBER")]
    pub document: Option<String>,

    /// Last day on which the approval can be used [default: in 7 days]
    #[arg(long, value_name = "DAY")]
    pub until: Option<String>,

    /// How many people have to approve
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=8))]
    pub needed: i32,

    /// Who asked for it, where the hub does not know (all but stop and mode)
    #[arg(long, value_name = "USER")]
    pub requester: Option<String>,

    /// What you confirm
    #[arg(long, value_name = "TEXT")]
    pub statement: Option<String>,

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
