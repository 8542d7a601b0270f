//! Flags of the commands that talk to an API server. They are in every build, so that help, completions and the
//! reference do not depend on features; a build without the feature `hub` says so when one is run.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::name;

/// Which API server is the hub.
#[derive(Clone, Debug, Args)]
pub struct HubArgs {
    // Each flag has its heading: one for the whole would hold for what a command says after it, too.
    /// Kubeconfig of the hub [default: KUBECONFIG, ~/.kube/config, or the service account of the pod]
    #[arg(long, value_name = "FILE", help_heading = "Hub")]
    pub kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig
    #[arg(long, value_name = "NAME", help_heading = "Hub")]
    pub context: Option<String>,
}

/// Which workload of the hub.
#[derive(Clone, Debug, Args)]
pub struct WorkloadArgs {
    /// The workload: NAME or NAMESPACE/NAME
    #[arg(value_name = "WORKLOAD")]
    pub workload: String,

    /// Namespace
    #[arg(long, short = 'n', value_name = "NAME", value_parser = name)]
    pub namespace: Option<String>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: HubArgs,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On
    On,
    /// Off
    Off,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogForm {
    /// Lines for people
    Text,
    /// One JSON object per line
    Json,
}

/// `operator`
#[derive(Clone, Debug, Args)]
pub struct OperatorArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: HubArgs,

    /// The hub is dedicated: no controller of workloads runs there, so `select` may take native objects
    #[arg(long, help_heading = "Hub")]
    pub dedicated_hub: bool,

    /// Folder of the audit log: one per hub, on a volume that outlives the pod
    #[arg(long, value_name = "DIR", default_value = "/var/lib/jiuzhou/audit", help_heading = "Running")]
    pub audit: PathBuf,

    /// Days that the inputs of a decision are kept for replay; that it was committed is kept for ever
    #[arg(long, value_name = "DAYS", default_value_t = 180, value_parser = clap::value_parser!(u32).range(1..=36500), help_heading = "Running")]
    pub inputs_days: u32,

    /// Mebibytes that all inputs may take together; the oldest go first
    #[arg(long, value_name = "MIB", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(16..=1_048_576), help_heading = "Running")]
    pub inputs_mib: u64,

    /// Where /healthz, /readyz and /metrics answer
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", help_heading = "Running")]
    pub listen: SocketAddr,

    /// Send traces of decisions to this OTLP collector, http://HOST:PORT [default: OTEL_EXPORTER_OTLP_ENDPOINT, else none]
    #[arg(long, value_name = "URL", help_heading = "Running")]
    pub otlp: Option<String>,

    /// Hold a lease before anything is written; off only where nothing else can run
    #[arg(long, value_enum, value_name = "SWITCH", default_value_t = Switch::On, help_heading = "Running")]
    pub leader_election: Switch,

    /// Form of the log
    #[arg(long, value_enum, value_name = "FORM", default_value_t = LogForm::Text, help_heading = "Running")]
    pub log: LogForm,
}

/// `export-state`
#[derive(Clone, Debug, Args)]
pub struct ExportStateArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub hub: HubArgs,

    /// Folder of the audit log; decisions are exported where it is given
    #[arg(long, value_name = "DIR", help_heading = "Hub")]
    pub audit: Option<PathBuf>,

    /// Folder to write into; made when it is not there
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub out: PathBuf,
}
