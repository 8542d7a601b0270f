//! Commands that talk to API servers: one file each, all behind the feature `hub`.
//!
//! A build without the feature knows the commands and says how to get a build that has them.

#[cfg(feature = "agent")]
mod agent;
#[cfg(feature = "hub")]
mod connect;
#[cfg(feature = "hub")]
mod data;
#[cfg(feature = "hub")]
mod dump;
#[cfg(feature = "hub")]
mod export_state;
#[cfg(feature = "hub")]
mod join;
#[cfg(feature = "hub")]
mod leave;
#[cfg(feature = "agent")]
mod log;
#[cfg(feature = "hub")]
mod lost;
#[cfg(feature = "hub")]
mod operator;
#[cfg(feature = "hub")]
mod people;
#[cfg(feature = "hub")]
mod profiles;
#[cfg(feature = "hub")]
mod rebalance;
#[cfg(feature = "hub")]
mod recover;
#[cfg(feature = "hub")]
mod rollout;

#[cfg(feature = "agent")]
pub(crate) use agent::run as agent;
#[cfg(feature = "hub")]
pub(crate) use data::reuse_data;
#[cfg(feature = "hub")]
pub(crate) use dump::run as dump;
#[cfg(feature = "hub")]
pub(crate) use export_state::run as export_state;
#[cfg(feature = "hub")]
pub(crate) use join::run as join;
#[cfg(feature = "hub")]
pub(crate) use leave::{drain, leave};
#[cfg(feature = "hub")]
pub(crate) use lost::{failover, fence};
#[cfg(feature = "hub")]
pub(crate) use operator::run as operator;
#[cfg(feature = "hub")]
pub(crate) use people::{approve, restore, stop};
#[cfg(feature = "hub")]
pub(crate) use profiles::run as profiles;
#[cfg(feature = "hub")]
pub(crate) use rebalance::rebalance;
#[cfg(feature = "hub")]
pub(crate) use recover::run as recover;
#[cfg(feature = "hub")]
pub(crate) use rollout::{rollback, rollout};

#[cfg(not(feature = "agent"))]
pub(crate) use offline::agent;
#[cfg(not(feature = "hub"))]
pub(crate) use offline::{
    approve, drain, dump, export_state, failover, fence, join, leave, operator, profiles, rebalance, recover, restore,
    reuse_data, rollback, rollout, stop,
};

/// What a build without the feature answers.
#[cfg(not(feature = "hub"))]
mod offline {
    use anyhow::bail;

    #[cfg(not(feature = "agent"))]
    use crate::args::AgentArgs;
    use crate::args::{
        AdoptArgs, ApproveArgs, DrainArgs, ExportStateArgs, FailoverArgs, FenceArgs, JoinArgs, LeaveArgs, OperatorArgs,
        RebalanceArgs, RecoverArgs, RestoreArgs, ReuseDataArgs, RollbackArgs, RolloutArgs, StopArgs,
    };
    use crate::context::Context;
    use crate::exit::Exit;

    fn refuse(command: &str, context: &Context) -> anyhow::Result<Exit> {
        let sentence = context.pick(
            "this build is offline; use the image, or build with `cargo build --release --features hub`",
            "此版本为离线构建；请使用镜像，或以 `cargo build --release --features hub` 构建",
        );
        bail!("{command}: {sentence}")
    }

    #[cfg(not(feature = "agent"))]
    pub(crate) fn agent(_args: &AgentArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("agent", context)
    }

    pub(crate) fn operator(_args: &OperatorArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("operator", context)
    }

    pub(crate) fn profiles(_args: &crate::args::HubArgs, context: &Context) -> anyhow::Result<String> {
        refuse("import --from-hub", context).map(|_| String::new())
    }

    pub(crate) fn dump(_args: &AdoptArgs, context: &Context) -> anyhow::Result<String> {
        refuse("adopt --context", context).map(|_| String::new())
    }

    pub(crate) fn export_state(_args: &ExportStateArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("export-state", context)
    }

    pub(crate) fn join(_args: &JoinArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("join", context)
    }

    pub(crate) fn drain(_args: &DrainArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("drain", context)
    }

    pub(crate) fn fence(_args: &FenceArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("fence", context)
    }

    pub(crate) fn recover(_args: &RecoverArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("recover", context)
    }

    pub(crate) fn failover(_args: &FailoverArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("failover", context)
    }

    pub(crate) fn rebalance(_args: &RebalanceArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("rebalance", context)
    }

    pub(crate) fn reuse_data(_args: &ReuseDataArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("reuse-data", context)
    }

    pub(crate) fn rollout(_args: &RolloutArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("rollout", context)
    }

    pub(crate) fn rollback(_args: &RollbackArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("rollback", context)
    }

    pub(crate) fn approve(_args: &ApproveArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("approve", context)
    }

    pub(crate) fn stop(_args: &StopArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("stop", context)
    }

    pub(crate) fn restore(_args: &RestoreArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("restore", context)
    }

    pub(crate) fn leave(_args: &LeaveArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("leave", context)
    }
}
