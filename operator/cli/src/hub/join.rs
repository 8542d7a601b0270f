//! `join`: a cluster becomes a member by push. What it makes there is what `--dry-run` prints.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use jiuzhou_api::v1alpha1::{CloudForm, MemberClusterSpec, Ownership, PullConnection};
use jiuzhou_control::Target;
use jiuzhou_control::fleet::invite::invite;
use jiuzhou_control::fleet::join::{Administrator, Join, join, tenants};
use jiuzhou_member::bootstrap::{AgentPod, Bootstrap};

use crate::args::{FormArg, JoinArgs, OwnershipArg};
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Joins a cluster.
pub(crate) fn run(args: &JoinArgs, context: &Context) -> anyhow::Result<Exit> {
    if args.dry_run && !args.tenants.is_empty() {
        return print(args.tenants.clone());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start")?;
    runtime.block_on(async {
        let target = Target { kubeconfig: args.hub.hub_kubeconfig.clone(), context: args.hub.hub_context.clone() };
        let hub = jiuzhou_control::connect(&target).await.context("failed to reach the hub")?;
        let tenants = if args.tenants.is_empty() { tenants(&hub).await? } else { args.tenants.clone() };
        if args.dry_run {
            return print(tenants);
        }
        let spec = MemberClusterSpec {
            site: args.site.as_str().into(),
            form: form(args.form),
            ownership: ownership(args.ownership),
            jurisdictions: vec!["CN".into()],
            ..MemberClusterSpec::default()
        };
        if args.pull {
            return pull(&hub, args, spec, tenants, context).await;
        }
        if args.member_kubeconfig.is_none() && args.member_context.is_none() {
            bail!("--kubeconfig or --context must name the member, so that the hub does not join itself by accident");
        }
        let admin = Administrator::connect(args.member_kubeconfig.as_deref(), args.member_context.as_deref()).await?;
        let request = Join {
            cluster: args.cluster.clone(),
            spec,
            server: args.server.clone().unwrap_or_else(|| admin.server.clone()),
            authority: admin.authority.clone(),
            tenants,
            token_hours: args.credential_hours,
        };
        let joined = join(&hub, &admin.client, &request).await?;
        let ends = joined.credential_ends.map(|at| at.to_string()).unwrap_or_default();
        context.say(context.pick(
            &format!(
                "{} joined: Kubernetes {}, credential until {ends} (renewed by the operator)",
                args.cluster, joined.version
            ),
            &format!("{} 已加入：Kubernetes {}，凭据有效至 {ends}（由 operator 续期）", args.cluster, joined.version),
        ));
        Ok(Exit::Ok)
    })
}

/// Makes the member's place on the hub and writes what its administrator applies. The token goes into a file of the
/// caller's and nowhere else.
async fn pull(
    hub: &jiuzhou_control::Client,
    args: &JoinArgs,
    spec: MemberClusterSpec,
    tenants: Vec<String>,
    context: &Context,
) -> anyhow::Result<Exit> {
    let Some(path) = &args.manifests else {
        bail!("--pull needs --manifests FILE for what the member's administrator applies")
    };
    let Some(server) = &args.server else {
        bail!("--pull needs --server URL: the address of the hub as the member reaches it")
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("failed to make {}", path.display()))?;
    let reach = Administrator::connect(args.hub.hub_kubeconfig.as_deref(), args.hub.hub_context.as_deref()).await?;
    let heartbeat_seconds = i32::try_from(args.heartbeat_seconds).context("heartbeat")?;
    let http_proxy = args.http_proxy.as_deref().map(|proxy| proxy.trim_start_matches("http://").into());
    let way = PullConnection { heartbeat_seconds, http_proxy };
    let token = invite(hub, &args.cluster, spec, way).await?;
    let agent = AgentPod {
        cluster: args.cluster.clone(),
        image: args.image.clone(),
        server: server.clone(),
        authority: reach.authority,
        token,
        proxy: args.http_proxy.clone(),
        heartbeat_seconds,
    };
    for manifest in (Bootstrap { tenants, admission: true, agent: Some(agent) }).manifests() {
        writeln!(file, "---\n{}", load::yaml(&manifest)?)
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    context.say(context.pick(
        &format!(
            "{} may join: in the member, kubectl apply --server-side -f {}, then delete the file",
            args.cluster,
            path.display()
        ),
        &format!(
            "{} 可以加入：在成员中执行 kubectl apply --server-side -f {}，随后删除该文件",
            args.cluster,
            path.display()
        ),
    ));
    Ok(Exit::Ok)
}

fn print(tenants: Vec<String>) -> anyhow::Result<Exit> {
    for manifest in (Bootstrap { tenants, admission: true, agent: None }).manifests() {
        output::print("---\n")?;
        output::print(&load::yaml(&manifest)?)?;
    }
    Ok(Exit::Ok)
}

fn form(form: FormArg) -> CloudForm {
    match form {
        FormArg::Public => CloudForm::Public,
        FormArg::Private => CloudForm::Private,
        FormArg::Dedicated => CloudForm::Dedicated,
        FormArg::Hosted => CloudForm::Hosted,
    }
}

fn ownership(ownership: OwnershipArg) -> Ownership {
    match ownership {
        OwnershipArg::Government => Ownership::Government,
        OwnershipArg::Domestic => Ownership::Domestic,
        OwnershipArg::JointVenture => Ownership::JointVenture,
        OwnershipArg::Foreign => Ownership::Foreign,
    }
}
