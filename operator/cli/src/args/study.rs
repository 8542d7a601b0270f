//! Flags of the commands about what is not: tests, scenarios, consolidation, simulation, migrations to come.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{FailOn, Input, Output};
use crate::commands::load;

/// `test`
#[derive(Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,

    /// Only tests and cases whose name contains this text
    #[arg(long, value_name = "TEXT", help_heading = "Input")]
    pub only: Option<String>,

    /// Exit with 3 when there is no test, or when a placement policy or a demanded tier has no case
    #[arg(long, help_heading = "Gate")]
    pub require_tests: bool,

    /// Exit with 4 when a finding about the files weighs at least this much
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "SEVERITY", help_heading = "Gate")]
    pub fail_on: FailOn,

    /// Treat warnings as errors, and what is unknown as a refusal
    #[arg(long, help_heading = "Gate")]
    pub strict: bool,
}

/// `whatif`
#[derive(Debug, Args)]
pub struct WhatifArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,

    /// The present state to start from: a saved plan, or files with FleetPlacements [default: the input's own, else as planned]
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub against: Option<PathBuf>,

    /// The Scenario of the input to suppose, by name; needed where the input has several
    #[arg(long, value_name = "NAME", help_heading = "Supposed")]
    pub scenario: Option<String>,

    /// Judge what is supposed as of this day or instant, e.g. to see what runs out until then
    #[arg(long, value_name = "TIME", value_parser = load::parse_as_of, help_heading = "Supposed")]
    pub on: Option<Timestamp>,

    /// Empty this cluster of what can move; may be repeated
    #[arg(long, value_name = "CLUSTER", help_heading = "Supposed")]
    pub drain: Vec<String>,

    /// Lose this cluster with everything that runs there; may be repeated
    #[arg(long, value_name = "CLUSTER", help_heading = "Supposed")]
    pub lose: Vec<String>,

    /// This cluster is not reached, and runs on; may be repeated
    #[arg(long, value_name = "CLUSTER", help_heading = "Supposed")]
    pub unreachable: Vec<String>,

    /// Want so many replicas of a workload; may be repeated
    #[arg(long, value_name = "NAMESPACE/NAME=COUNT", help_heading = "Supposed")]
    pub replicas: Vec<String>,

    /// Let a piece of evidence, a report, or everything about a cluster run out; may be repeated
    #[arg(long, value_name = "CLUSTER[/ID]", help_heading = "Supposed")]
    pub expire: Vec<String>,

    /// Close the firewall of a cluster towards a peer, or towards all; may be repeated
    #[arg(long, value_name = "CLUSTER[/PEER]", help_heading = "Supposed")]
    pub close: Vec<String>,

    /// Emission factor of the grid at a site, in milligrams of CO2 per kWh; may be repeated
    #[arg(long, value_name = "SITE=MILLIGRAMS", help_heading = "Supposed")]
    pub grid_factor: Vec<String>,

    /// Merge one tenant into another; may be repeated
    #[arg(long, value_name = "FROM=INTO", help_heading = "Supposed")]
    pub merge: Vec<String>,

    /// Emergency mode for a tenant, or for all; may be repeated
    #[arg(long, value_name = "TENANT", num_args = 0..=1, default_missing_value = "", help_heading = "Supposed")]
    pub emergency: Vec<String>,

    /// Exit with 3 when any of these follows from what is supposed
    #[arg(long = "fail-on", value_enum, value_delimiter = ',', default_values_t = [FollowOn::Violation, FollowOn::Unplaced], value_name = "WHAT", help_heading = "Gate")]
    pub fail_when: Vec<FollowOn>,

    /// Treat warnings as errors, and what is unknown as a refusal
    #[arg(long, help_heading = "Gate")]
    pub strict: bool,
}

/// What may follow from a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FollowOn {
    /// A workload moves
    Move,
    /// A workload newly runs against a rule
    Violation,
    /// A workload newly has no place
    Unplaced,
    /// The supposed files have an error that the present ones have not
    Error,
    /// Nothing
    Never,
}

/// `consolidate`
#[derive(Debug, Args)]
pub struct ConsolidateArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,

    /// The present state to start from: a saved plan, or files with FleetPlacements [default: the input's own, else as planned]
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub against: Option<PathBuf>,

    /// Try only this cluster; may be repeated
    #[arg(long, value_name = "CLUSTER", help_heading = "Input")]
    pub cluster: Vec<String>,

    /// Treat warnings as errors, and what is unknown as a refusal
    #[arg(long, help_heading = "Gate")]
    pub strict: bool,
}

/// `simulate`
#[derive(Debug, Args)]
pub struct SimulateArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,

    /// The present state to start from: a saved plan, or files with FleetPlacements [default: the input's own, else as planned]
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub against: Option<PathBuf>,

    /// The Simulation of the input to run, by name; needed where the input has several [default: its only one, else clusters that fail by chance]
    #[arg(long, value_name = "NAME", help_heading = "Supposed")]
    pub simulation: Option<String>,

    /// Days to simulate [default: those of the Simulation, else 30]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=366), help_heading = "Supposed")]
    pub days: Option<u32>,

    /// What chance is drawn from: the same seed gives the same report [default: that of the Simulation, else 1]
    #[arg(long, value_name = "NUMBER", help_heading = "Supposed")]
    pub seed: Option<u64>,

    /// Treat warnings as errors, and what is unknown as a refusal
    #[arg(long, help_heading = "Gate")]
    pub strict: bool,
}

/// What is asked of migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MigrateAction {
    /// What would happen in which order, what each gate needs, and what blocks
    Plan,
    /// How far each wave has come, by what is written
    Status,
}

/// `migrate`
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// What to tell
    #[arg(id = "migrate_action", value_enum, value_name = "ACTION")]
    pub action: MigrateAction,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub input: Input,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub output: Output,

    /// Only the Migration of this name: NAME or NAMESPACE/NAME
    #[arg(id = "migrate_name", long = "name", value_name = "NAME", help_heading = "Input")]
    pub name: Option<String>,

    /// Treat warnings as errors, and what is unknown as a refusal
    #[arg(long, help_heading = "Gate")]
    pub strict: bool,
}
