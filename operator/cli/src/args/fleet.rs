//! Flags of the commands about member clusters: `join`, `drain`, `leave`, `fence`, `failover`, `rebalance`, `agent`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::name;
use crate::commands::load;

/// Which API server is the hub, where another kubeconfig is named beside it.
#[derive(Clone, Debug, Args)]
pub struct OtherHubArgs {
    /// Kubeconfig of the hub [default: KUBECONFIG or ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = "Hub")]
    pub hub_kubeconfig: Option<PathBuf>,

    /// Context of the hub's kubeconfig
    #[arg(long, value_name = "NAME", help_heading = "Hub")]
    pub hub_context: Option<String>,
}

/// Form of cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormArg {
    /// Public cloud
    Public,
    /// Private cloud
    Private,
    /// Dedicated cloud
    Dedicated,
    /// Hosted machines
    Hosted,
}

/// Whose a cluster is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OwnershipArg {
    /// Government
    Government,
    /// A domestic company
    Domestic,
    /// A joint venture
    JointVenture,
    /// A foreign company
    Foreign,
}

/// `join`
#[derive(Clone, Debug, Args)]
pub struct JoinArgs {
    /// Name of the MemberCluster
    #[arg(value_name = "CLUSTER", value_parser = name)]
    pub cluster: String,

    /// Kubeconfig of the member's administrator; used once and kept nowhere
    #[arg(long = "kubeconfig", value_name = "FILE", help_heading = "Member")]
    pub member_kubeconfig: Option<PathBuf>,

    /// Context of that kubeconfig
    #[arg(long = "context", value_name = "NAME", help_heading = "Member")]
    pub member_context: Option<String>,

    /// Address of the member's API server as the hub reaches it [default: the kubeconfig's]
    #[arg(long, value_name = "URL", help_heading = "Member")]
    pub server: Option<String>,

    /// Site it stands in
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = "Member")]
    pub site: String,

    /// Form of cloud
    #[arg(long, value_enum, value_name = "FORM", default_value_t = FormArg::Private, help_heading = "Member")]
    pub form: FormArg,

    /// Whose it is
    #[arg(long, value_enum, value_name = "OWNER", default_value_t = OwnershipArg::Government, help_heading = "Member")]
    pub ownership: OwnershipArg,

    /// Tenants that the hub may act as there; comma between several [default: all Tenants of the hub]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = name, help_heading = "Member")]
    pub tenants: Vec<String>,

    /// Life of the credential in hours; the operator renews it while a week is left
    #[arg(long, value_name = "HOURS", default_value_t = 192, value_parser = clap::value_parser!(i64).range(1..=8760), help_heading = "Member")]
    pub credential_hours: i64,

    /// The hub does not reach it: an agent there fetches its orders; needs --manifests
    #[arg(long, help_heading = "Pull")]
    pub pull: bool,

    /// Image of the agent
    #[arg(long, value_name = "IMAGE", default_value = concat!("jiuzhou:", env!("CARGO_PKG_VERSION")), help_heading = "Pull")]
    pub image: String,

    /// HTTP proxy on the agent's way out, http://host:port
    #[arg(long, value_name = "URL", help_heading = "Pull")]
    pub http_proxy: Option<String>,

    /// Seconds between two heartbeats
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(5..60), help_heading = "Pull")]
    pub heartbeat_seconds: u64,

    /// New file for what the member's administrator applies; it holds a token and is readable by you only
    #[arg(long, value_name = "FILE", help_heading = "Pull")]
    pub manifests: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: OtherHubArgs,

    /// Print what would be applied in the member, for its administrator, and do nothing
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,
}

/// `agent`
#[derive(Clone, Debug, Args)]
pub struct AgentArgs {
    /// Name of the MemberCluster
    #[arg(value_name = "CLUSTER", value_parser = name)]
    pub cluster: String,

    /// Kubeconfig of the member [default: the service account of the pod]
    #[arg(long = "kubeconfig", value_name = "FILE", help_heading = "Member")]
    pub agent_kubeconfig: Option<PathBuf>,

    /// Address of the hub's API server
    #[arg(long, value_name = "URL", help_heading = "Hub")]
    pub hub_server: String,

    /// File with the hub's certificate authority in PEM
    #[arg(long, value_name = "FILE", help_heading = "Hub")]
    pub hub_ca: PathBuf,

    /// File with the token for the first certificate
    #[arg(long, value_name = "FILE", help_heading = "Hub")]
    pub bootstrap_token: Option<PathBuf>,

    /// HTTP proxy on the agent's way out, http://host:port
    #[arg(long, value_name = "URL", help_heading = "Hub")]
    pub http_proxy: Option<String>,

    /// Seconds between two heartbeats
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(5..60), help_heading = "Running")]
    pub heartbeat_seconds: u64,

    /// Minutes without the hub after which its orders start nothing new; what runs stays
    #[arg(long, value_name = "MINUTES", default_value_t = 1440, value_parser = clap::value_parser!(u64).range(1..=43200), help_heading = "Running")]
    pub orders_hold_minutes: u64,

    /// Form of the log
    #[arg(long, value_enum, value_name = "FORM", default_value_t = super::LogForm::Text, help_heading = "Running")]
    pub log: super::LogForm,
}

/// `drain`
#[derive(Clone, Debug, Args)]
pub struct DrainArgs {
    /// Name of the MemberCluster
    #[arg(value_name = "CLUSTER", value_parser = name)]
    pub cluster: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: super::HubArgs,

    /// Let it carry workloads again
    #[arg(long)]
    pub undo: bool,
}

/// `leave`
#[derive(Clone, Debug, Args)]
pub struct LeaveArgs {
    /// Name of the MemberCluster
    #[arg(value_name = "CLUSTER", value_parser = name)]
    pub cluster: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: super::HubArgs,

    /// Let it go although objects are left there (they stay and run on): repeat its name
    #[arg(long, value_name = "CLUSTER")]
    pub abandon: Option<String>,
}

/// `fence`
#[derive(Clone, Debug, Args)]
pub struct FenceArgs {
    /// Name of the MemberCluster
    #[arg(value_name = "CLUSTER", value_parser = name)]
    pub cluster: String,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: super::HubArgs,

    /// You have made sure that nothing runs there (it is powered off, or cut off from what it writes to): repeat its name
    #[arg(long, value_name = "CLUSTER", help_heading = "Confirmation")]
    pub confirm: String,

    /// Who says so
    #[arg(long = "by", value_name = "PERSON", help_heading = "Confirmation")]
    pub by: String,

    /// Number of the document that orders it
    #[arg(long, value_name = "NUMBER", help_heading = "Confirmation")]
    pub document: Option<String>,
}

/// `reuse-data`
#[derive(Clone, Debug, Args)]
pub struct ReuseDataArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub of: super::WorkloadArgs,

    /// Cluster whose data may be used again
    #[arg(long = "in", value_name = "CLUSTER", value_parser = name)]
    pub cluster: String,
}

/// `rebalance`
#[derive(Clone, Debug, Args)]
pub struct RebalanceArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub of: super::WorkloadArgs,

    /// Not before this instant, or the end of this day (Beijing) [default: now]
    #[arg(long = "at", value_name = "TIME", value_parser = load::parse_as_of)]
    pub rebalance_at: Option<Timestamp>,

    /// Withdraw the order that waits
    #[arg(long = "undo", conflicts_with = "rebalance_at")]
    pub withdraw: bool,
}

/// `failover`
#[derive(Clone, Debug, Args)]
pub struct FailoverArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub of: super::WorkloadArgs,

    /// Member that it leaves
    #[arg(long, value_name = "CLUSTER", value_parser = name)]
    pub from: String,

    /// Take the order back
    #[arg(long)]
    pub undo: bool,
}
