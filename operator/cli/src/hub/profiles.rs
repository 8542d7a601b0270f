//! What `import --from-hub` reads: ClusterProfiles that another cluster manager publishes on the hub.

use jiuzhou_control::people::profiles;

use crate::args::HubArgs;
use crate::context::Context;
use crate::hub::connect::ask;

/// The profiles as one text of documents. Clusters that are members already are told and left out.
pub(crate) fn run(hub: &HubArgs, context: &Context) -> anyhow::Result<String> {
    let others = ask(hub, profiles::others)?;
    for name in &others.members {
        context.hint(&format!("{name} {}", context.pick("is a member already", "已是成员")));
    }
    if others.profiles.is_empty() {
        context.hint(context.pick(
            "no ClusterProfile of another cluster manager is without a MemberCluster",
            "没有其他集群管理方发布、且尚非成员的 ClusterProfile",
        ));
    }
    let mut text = String::new();
    for profile in &others.profiles {
        text.push_str("---\n");
        text.push_str(&crate::commands::load::yaml(&serde_json::to_value(profile)?)?);
    }
    Ok(text)
}
