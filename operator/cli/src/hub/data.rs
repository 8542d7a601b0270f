//! `reuse-data`: a person says that older data in a cluster may be used again.

use jiuzhou_control::people::data;

use crate::args::ReuseDataArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::hub::connect::{ask, named};

/// Gives the word, about the data that is there now and no other.
pub(crate) fn reuse_data(args: &ReuseDataArgs, context: &Context) -> anyhow::Result<Exit> {
    let key = named(&args.of);
    let cluster = &args.cluster;
    let epoch = ask(&args.of.hub, async |client| data::reuse(client, &key, cluster).await)?;
    context.say(&format!(
        "{key} {} {cluster} (epoch {epoch})",
        context.pick("may run on its data in", "可使用其留存的数据：")
    ));
    Ok(Exit::Ok)
}
