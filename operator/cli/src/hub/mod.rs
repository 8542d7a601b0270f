//! Commands that talk to API servers: one file each, all behind the feature `hub`.
//!
//! A build without the feature knows the commands and says how to get a build that has them.

#[cfg(feature = "hub")]
mod connect;
#[cfg(feature = "hub")]
mod export_state;
#[cfg(feature = "hub")]
mod operator;

#[cfg(feature = "hub")]
pub(crate) use export_state::run as export_state;
#[cfg(feature = "hub")]
pub(crate) use operator::run as operator;

#[cfg(not(feature = "hub"))]
pub(crate) use offline::{export_state, operator};

/// What a build without the feature answers.
#[cfg(not(feature = "hub"))]
mod offline {
    use anyhow::bail;

    use crate::args::{ExportStateArgs, OperatorArgs};
    use crate::context::Context;
    use crate::exit::Exit;

    fn refuse(command: &str, context: &Context) -> anyhow::Result<Exit> {
        let sentence = context.pick(
            "this build is offline; use the image, or build with `cargo build --release --features hub`",
            "此版本为离线构建；请使用镜像，或以 `cargo build --release --features hub` 构建",
        );
        bail!("{command}: {sentence}")
    }

    pub(crate) fn operator(_args: &OperatorArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("operator", context)
    }

    pub(crate) fn export_state(_args: &ExportStateArgs, context: &Context) -> anyhow::Result<Exit> {
        refuse("export-state", context)
    }
}
