//! One file per command: what its flags mean for the work.

mod adopt;
mod consolidate;
mod crds;
mod demo;
mod explain;
mod export;
mod find;
mod help;
mod import;
mod inspect;
mod inventory;
pub(crate) mod load;
mod migrate;
mod plan;
mod readiness;
mod replay;
mod report;
pub(crate) mod saved;
mod sbom;
mod settlement;
mod shell;
mod simulate;
mod test;
mod tour;
mod validate;
mod whatif;
mod wrap;

use crate::args::Command;
use crate::context::Context;
use crate::exit::Exit;
use crate::hub;

/// Runs one command.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<Exit> {
    match command {
        Command::Plan(args) => plan::run(&args, context),
        Command::Explain(args) => explain::run(&args, context),
        Command::Replay(args) => replay::run(&args, context),
        Command::Validate(args) => validate::run(&args, context),
        Command::Whatif(args) => whatif::run(&args, context),
        Command::Consolidate(args) => consolidate::run(&args, context),
        Command::Simulate(args) => simulate::run(&args, context),
        Command::Migrate(args) => migrate::run(&args, context),
        Command::Test(args) => test::run(&args, context),
        Command::Inventory(args) => inventory::run(&args, context),
        Command::Inspect(args) => inspect::run(&args, context),
        Command::Find(args) => find::run(&args, context),
        Command::Import(args) => import::run(&args, context),
        Command::Adopt(args) => adopt::run(&args, context),
        Command::Export(args) => export::run(&args, context),
        Command::Report(args) => report::run(&args, context),
        Command::Wrap(args) => wrap::run(&args, context),
        Command::Demo(args) => demo::run(&args, context),
        Command::Crds(args) => crds::run(&args),
        Command::Operator(args) => hub::operator(&args, context),
        Command::Agent(args) => hub::agent(&args, context),
        Command::Join(args) => hub::join(&args, context),
        Command::Drain(args) => hub::drain(&args, context),
        Command::Fence(args) => hub::fence(&args, context),
        Command::Recover(args) => hub::recover(&args, context),
        Command::Failover(args) => hub::failover(&args, context),
        Command::Rebalance(args) => hub::rebalance(&args, context),
        Command::ReuseData(args) => hub::reuse_data(&args, context),
        Command::Leave(args) => hub::leave(&args, context),
        Command::Rollout(args) => hub::rollout(&args, context),
        Command::Rollback(args) => hub::rollback(&args, context),
        Command::Approve(args) => hub::approve(&args, context),
        Command::Stop(args) => hub::stop(&args, context),
        Command::Restore(args) => hub::restore(&args, context),
        Command::ExportState(args) => hub::export_state(&args, context),
        Command::Help(args) => help::run(&args, context),
        Command::Completion(args) => shell::completion(&args),
        Command::Man(args) => shell::man(&args, context),
    }
}
