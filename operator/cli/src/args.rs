//! What was typed, and nothing more: the one list of commands and flags.
//!
//! It feeds the parser, `--help`, completions, the man pages and the committed reference. What a flag means for the
//! work is the business of the command's own file. Chinese help texts stand in `help_zh.rs`, keyed by the ids here.

mod fleet;
mod hub;
mod images;
mod interop;
mod people;
mod recover;
mod rollout;
mod show;
mod study;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiuzhou_report::render::Format;

use crate::commands::load;
use crate::failure::Failure;

pub use fleet::{
    AgentArgs, DrainArgs, FailoverArgs, FenceArgs, FormArg, JoinArgs, LeaveArgs, OtherHubArgs, OwnershipArg,
    RebalanceArgs, ReuseDataArgs,
};
pub use hub::{ExportStateArgs, HubArgs, LogForm, OperatorArgs, Switch, WorkloadArgs};
pub use images::{FindArgs, InspectArgs};
pub use interop::{AdoptArgs, ExportArgs, ExportForm, ImportArgs};
pub use people::{ApproveArgs, ApproveWhat, RestoreArgs, StopArgs};
pub use recover::RecoverArgs;
pub use rollout::{RollbackArgs, RolloutAction, RolloutArgs};
pub use show::{CompletionArgs, CrdsArgs, DemoArgs, HelpArgs, ManArgs};
pub use study::{ConsolidateArgs, FollowOn, MigrateAction, MigrateArgs, SimulateArgs, TestArgs, WhatifArgs};

/// Decide where the workloads of government clouds run, by CPU architecture and sovereignty tier, and say why.
#[derive(Debug, Parser)]
#[command(name = "jiuzhou", bin_name = "jiuzhou", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// Flags of every command.
    #[command(flatten)]
    pub talk: Talk,
}

/// How the program talks.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Talk")]
pub struct Talk {
    /// Language of the text: zh or en [default: from LC_ALL, LC_MESSAGES or LANG, else en]
    #[arg(long, global = true, value_enum, env = "JIUZHOU_LANG", hide_env_values = true)]
    pub lang: Option<LangArg>,

    /// When to colour: NO_COLOR, CLICOLOR_FORCE and FORCE_COLOR count where this is auto
    #[arg(long, global = true, value_enum, default_value_t = ColorArg::Auto)]
    pub color: ColorArg,

    /// Marks and frames in ASCII only
    #[arg(long, global = true)]
    pub ascii: bool,

    /// Say nothing but the result
    #[arg(long, short, global = true)]
    pub quiet: bool,

    /// Log to standard error: -v what is done, -vv in detail (RUST_LOG overrides)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LangArg {
    /// 简体中文
    Zh,
    /// English
    En,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal only
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decide every workload and show what would change
    Plan(PlanArgs),
    /// Say why a workload is where it is, cluster by cluster and rule by rule
    Explain(ExplainArgs),
    /// Decide a saved plan again from its stored inputs and compare the bytes
    Replay(ReplayArgs),
    /// Check files: syntax, schema, rules, references
    Validate(ValidateArgs),
    /// Suppose changes and say what would follow: moves, violations, cost, carbon, tenants touched
    Whatif(WhatifArgs),
    /// Say which clusters and nodes could be emptied within the rules, and what that saves
    Consolidate(ConsolidateArgs),
    /// Let days go by: arrivals, scaling, failures, prices and what runs out; say what becomes of availability, cost and carbon
    Simulate(SimulateArgs),
    /// Say what a Migration would do in which order and what keeps it, or how far it has come
    Migrate(MigrateArgs),
    /// Hold decisions against the expectations of PlacementTests, and say what they exercise
    Test(TestArgs),
    /// Read `kubectl get nodes -o yaml` and say which CPUs the nodes have
    Inventory(InventoryArgs),
    /// Look into images and say what each platform needs: instruction set, page size, loader, ABI world
    Inspect(InspectArgs),
    /// Find the workloads that run an image, a package or what a vulnerability is in
    Find(FindArgs),
    /// Turn plain manifests (or a Helm post-renderer's input) into FleetWorkloads
    Wrap(WrapArgs),
    /// Turn clusters and policies of Karmada, OCM, ClusterProfiles or a kubeconfig, or the register of systems in CSV, into ours
    Import(ImportArgs),
    /// Take over namespaces of a running cluster as they are, from a dump or from the cluster itself
    Adopt(AdoptArgs),
    /// Write what is decided in the forms of other systems
    Export(ExportArgs),
    /// Reports of adoption, energy, settlement, assessment, sovereignty and readiness for domestic CPUs
    Report(ReportArgs),
    /// Show all of it on a built-in example province: no cluster, no network
    Demo(DemoArgs),
    /// Print the CustomResourceDefinitions
    Crds(CrdsArgs),
    /// Run on a hub: decide, deliver, watch, report (builds with the feature `hub`)
    Operator(OperatorArgs),
    /// Make a cluster a member of the fleet (builds with the feature `hub`)
    Join(JoinArgs),
    /// Empty a member of what can move (builds with the feature `hub`)
    Drain(DrainArgs),
    /// Let a member go once nothing is left there (builds with the feature `hub`)
    Leave(LeaveArgs),
    /// Confirm that nothing runs in a member that does not answer, so that what may run only once is started elsewhere (builds with the feature `hub`)
    Fence(FenceArgs),
    /// Go on after hub or member was restored from a backup, or put a standby hub in the place of a lost one (builds with the feature `hub`)
    Recover(RecoverArgs),
    /// Let a workload leave a member that does not answer, without waiting for its turn (builds with the feature `hub`)
    Failover(FailoverArgs),
    /// Order a workload to be placed anew by all rules, as if nothing of it ran (builds with the feature `hub`)
    Rebalance(RebalanceArgs),
    /// Say that older data which a workload left in a cluster may be used again (builds with the feature `hub`)
    ReuseData(ReuseDataArgs),
    /// How a change of a workload goes out: status, history, pause, resume, approve (builds with the feature `hub`)
    Rollout(RolloutArgs),
    /// Go back to an older revision of a workload (builds with the feature `hub`)
    Rollback(RollbackArgs),
    /// Order an information system to stop everywhere, once another person approves it; objects and volumes are kept (builds with the feature `hub`)
    Stop(StopArgs),
    /// Look at an order of another person and approve exactly it (builds with the feature `hub`)
    Approve(ApproveArgs),
    /// Lift the order that stops a system: it runs again where it ran (builds with the feature `hub`)
    Restore(RestoreArgs),
    /// Run in a member that the hub does not reach: fetch orders, carry them out, report (builds with the feature `agent`)
    Agent(AgentArgs),
    /// Write what a hub knows and has decided, for `plan` and `replay` (builds with the feature `hub`)
    ExportState(ExportStateArgs),
    /// Explain a reason code, the exit codes or the formats
    Help(HelpArgs),
    /// Print the completion script of a shell
    Completion(CompletionArgs),
    /// Print the man page of a command, or write them all
    Man(ManArgs),
}

impl Command {
    /// Whether it runs for long and starts a log of its own, which is on unless switched off.
    #[must_use]
    pub fn logs_by_itself(&self) -> bool {
        matches!(self, Self::Operator(_) | Self::Agent(_))
    }
}

/// Which files to read.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct Input {
    /// Files or folders of YAML or JSON; `-` is standard input
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// The same, as kubectl spells it; may be repeated
    #[arg(long = "filename", short = 'f', value_name = "PATH")]
    pub filenames: Vec<PathBuf>,

    /// Decide as of this day (Beijing, its end) or instant, e.g. 2026-11-23 or 2026-11-23T08:00:00+08:00 [default: now]
    #[arg(long, value_name = "TIME", value_parser = load::parse_as_of)]
    pub as_of: Option<Timestamp>,
}

/// Where results go.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Format, or FORMAT=FILE; repeat it for several from one run
    #[arg(long = "output", short = 'o', value_name = "FORMAT[=FILE]", value_parser = parse_output)]
    pub outputs: Vec<OutputArg>,

    /// Markdown: cut after this many bytes, the summary first
    #[arg(long, value_name = "BYTES")]
    pub max_bytes: Option<usize>,
}

/// One `-o`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputArg {
    /// The format.
    pub format: Format,
    /// The file, or standard output.
    pub file: Option<PathBuf>,
}

fn parse_output(text: &str) -> Result<OutputArg, Failure> {
    let (name, file) = text.split_once('=').map_or((text, None), |(name, file)| (name, Some(file)));
    let format = Format::parse(name).ok_or_else(|| {
        let known = Format::ALL.iter().map(|format| format.name()).collect();
        Failure::Format { name: name.to_owned(), known }
    })?;
    if file.is_some_and(str::is_empty) {
        return Err(Failure::NoFile(name.to_owned()));
    }
    if file.is_none() && !format.is_text() {
        return Err(Failure::NeedsFile(name.to_owned()));
    }
    Ok(OutputArg { format, file: file.map(PathBuf::from) })
}

/// A name as Kubernetes takes it for a namespace (RFC 1123 label).
fn name(text: &str) -> Result<String, Failure> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| inner(*byte));
    let bytes = text.as_bytes();
    if bytes.len() <= 63 && ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(|b| inner(*b) || *b == b'-') {
        return Ok(text.to_owned());
    }
    Err(Failure::Name)
}

/// What makes a run fail.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Gate")]
pub struct Gate {
    /// Exit with 3 when a finding weighs at least this much
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY")]
    pub fail_on: FailOn,

    /// Treat warnings as errors, and what is unknown (an undeclared instruction set, unverified evidence) as a refusal
    #[arg(long)]
    pub strict: bool,
}

/// A severity, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Fail on errors
    Error,
    /// Fail on warnings and errors
    Warning,
    /// Never fail because of findings
    Never,
}

/// `plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub gate: Gate,

    /// Compare with this saved plan or with files of the present state, and show the moves
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub against: Option<PathBuf>,

    /// Place this workload anew, as `jiuzhou rebalance` orders it: NAME or NAMESPACE/NAME; may be repeated
    #[arg(long, value_name = "WORKLOAD", help_heading = "Input")]
    pub rebalance: Vec<String>,

    /// Write the plan with its inputs and their digest to this file
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub save: Option<PathBuf>,

    /// Write what this plan commits as FleetPlacements to this YAML file; `--against` reads it
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub placements: Option<PathBuf>,

    /// Exit with 2 when the plan changes something
    #[arg(long, help_heading = "Gate")]
    pub detailed_exitcode: bool,

    /// Exit with 3 when there is no workload to place (an empty render must not pass)
    #[arg(long, help_heading = "Gate")]
    pub require_match: bool,
}

/// `explain`
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The workload: NAME or NAMESPACE/NAME
    #[arg(value_name = "WORKLOAD")]
    pub workload: String,
    /// Namespace of the workload, as kubectl spells it
    #[arg(long, short, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Explain against this saved plan or these files of the present state
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub against: Option<PathBuf>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
    /// Only this cluster
    #[arg(long, value_name = "CLUSTER")]
    pub cluster: Option<String>,
    /// Also the rules that pass
    #[arg(long)]
    pub all: bool,
    /// Treat warnings as errors, and what is unknown as a refusal
    #[arg(long)]
    pub strict: bool,
}

/// `replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A plan written by `plan --save`
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
}

/// `validate`
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
    /// Exit with 4 when a finding weighs at least this much
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY", help_heading = "Gate")]
    pub fail_on: FailOn,
}

/// `inventory`
#[derive(Debug, Args)]
pub struct InventoryArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
    /// Name of the cluster the nodes belong to
    #[arg(long, value_name = "NAME", default_value = "cluster")]
    pub cluster: String,
}

/// `wrap`
#[derive(Debug, Args)]
pub struct WrapArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    /// Information system the workloads belong to
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub system: String,
    /// Namespace for manifests that name none
    #[arg(long, short, value_name = "NAMESPACE", value_parser = name)]
    pub namespace: Option<String>,
    /// Placement policy the workloads name
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub placement_policy: Option<String>,
    /// Put everything into one FleetWorkload of this name
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub name: Option<String>,
}

/// `report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Which report
    #[arg(value_enum)]
    pub kind: ReportKind,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,
    /// Beijing months: 2026-10, 2026-Q4, 2026, 2026-07/2026-12 [default: the last month that has ended by --as-of]
    #[arg(long, value_name = "MONTH")]
    pub month: Option<String>,
    /// Make what a ClusterReport (NAME) or Report (NAMESPACE/NAME) of the input asks for: its days and its scope
    #[arg(long = "for", value_name = "REPORT", conflicts_with = "month")]
    pub report: Option<String>,
    /// settlement: the provider's invoice to compare with, CSV in UTF-8 with month, provider, amount and maybe tenant, system, code
    #[arg(long, value_name = "FILE")]
    pub invoice: Option<PathBuf>,
    /// settlement: what is deducted, CSV in UTF-8 like the invoice, with a reason in each row
    #[arg(long, value_name = "FILE")]
    pub deductions: Option<PathBuf>,
    /// assessment: how the stages of population, GDP, universities and infrastructure become one
    #[arg(long, value_enum, default_value_t = StageRule::Lowest, value_name = "RULE")]
    pub stage_rule: StageRule,
}

/// How stages of factors become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StageRule {
    /// The lowest of them
    Lowest,
    /// The most frequent; of several as frequent the lowest
    Majority,
}

/// A report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportKind {
    /// 上云率: which information systems run on government cloud
    Adoption,
    /// 能耗: energy, PUE, renewable share and carbon
    Energy,
    /// 评估指数: bodies by the evaluation index of the white paper, as ranges
    Assessment,
    /// 结算单: what bodies owe which provider for what, against its invoice
    Settlement,
    /// 数字主权: tiers, what runs out, 等保 and 密评 by body, concentration, refused placements
    Sovereignty,
    /// 信创迁移就绪度: which systems could run today on which domestic CPU, and what the others lack
    Readiness,
}
