//! `demo`: the stories of `examples/`, which are inside the binary: nothing is read from disk, nothing from a network.

use std::fs;
use std::path::Path;

use anyhow::bail;
use include_dir::{Dir, include_dir};
use jiff::Timestamp;

use crate::args::DemoArgs;
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// The stories, as they stand in the repository.
static STORIES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../examples");

/// The story that is shown when none is named.
const DEFAULT: &str = "10-province";

/// The day the stories are written for; what they say of certificates and terms holds as of then.
pub(crate) const AS_OF: &str = "2026-11-23";

/// Shows a story.
pub(crate) fn run(args: &DemoArgs, context: &Context) -> anyhow::Result<Exit> {
    if args.list {
        return list(context);
    }
    if args.cluster {
        return cluster(context);
    }
    let name = args.story.as_deref().unwrap_or(DEFAULT);
    let story = find(name)?;
    match &args.write {
        Some(to) => write(story, to, context),
        None => show(story, args, context),
    }
}

/// Commands a person types in a clone of the repository; the end-to-end tests run them as they stand here.
const ON_CLUSTERS: &str = "
  hack/clusters up
  export PATH=$PWD/target/clusters/jiuzhou/bin:$PATH KUBECONFIG=$PWD/target/clusters/jiuzhou/kubeconfig/all
  kubectl --context kunpeng get nodes -o yaml | jiuzhou inventory -
  jiuzhou crds | kubectl apply --server-side -f -
  kubectl wait --for=condition=Established crd --all
  jiuzhou demo 01 --write first-tenant
  kubectl create namespace kunming-portal
  kubectl apply --server-side -f first-tenant
  kubectl get jiuzhou --all-namespaces
  hack/clusters status
  hack/clusters down
";

/// Says how to get real control planes; starting them needs the repository, so nothing is started here.
fn cluster(context: &Context) -> anyhow::Result<Exit> {
    let head = context.pick(
        "On real control planes of this machine: etcd, kube-apiserver and the rest for a dedicated hub and members with\n\
         Kunpeng, Phytium, Hygon and x86 nodes; pods become Running without containers. In a clone of the repository, on\n\
         Linux or macOS (the first start builds them with Go, 10 to 25 minutes, unless JIUZHOU_KUBE_BIN names a folder):\n",
        "在本机的真实控制面上试用：etcd、kube-apiserver 等组成一个专用中心，以及鲲鹏、飞腾、海光、x86 节点的成员集群；\n\
         Pod 无需容器即进入 Running。在代码仓库的克隆中运行（Linux 或 macOS；首次启动用 Go 构建，约 10 至 25 分钟，\n\
         也可用 JIUZHOU_KUBE_BIN 指明已有程序的目录）：\n",
    );
    output::print(&format!("{head}{ON_CLUSTERS}"))?;
    Ok(Exit::Ok)
}

fn find(name: &str) -> anyhow::Result<&'static Dir<'static>> {
    let matches = |dir: &&Dir<'_>| {
        let full = dir.path().to_string_lossy();
        full == name || full.split('-').next() == Some(name)
    };
    match STORIES.dirs().find(matches) {
        Some(story) => Ok(story),
        None => {
            let names: Vec<_> = stories().map(|(name, _)| name).collect();
            bail!(Failure::NoStory { text: name.to_owned(), names })
        }
    }
}

/// Name and title (the first heading of its README) of every story, in order.
fn stories() -> impl Iterator<Item = (String, String)> {
    let mut all: Vec<_> = STORIES.dirs().collect();
    all.sort_by_key(|dir| dir.path());
    all.into_iter().map(|dir| {
        let readme = dir.get_file(dir.path().join("README.md")).and_then(|file| file.contents_utf8());
        let title = readme.and_then(|text| text.lines().find_map(|line| line.strip_prefix("# "))).unwrap_or_default();
        (dir.path().to_string_lossy().into_owned(), title.to_owned())
    })
}

fn list(context: &Context) -> anyhow::Result<Exit> {
    for (name, title) in stories() {
        output::print(&format!("{name:<26} {title}\n"))?;
    }
    context.hint(context.pick("→ jiuzhou demo STORY", "→ jiuzhou demo 故事名"));
    Ok(Exit::Ok)
}

/// Files of a story: path below it, contents.
fn files(dir: &'static Dir<'static>, out: &mut Vec<&'static include_dir::File<'static>>) {
    out.extend(dir.files());
    dir.dirs().for_each(|sub| files(sub, out));
}

fn write(story: &'static Dir<'static>, to: &Path, context: &Context) -> anyhow::Result<Exit> {
    if to.exists() {
        bail!(Failure::Exists(to.display().to_string()));
    }
    let mut all = Vec::new();
    files(story, &mut all);
    for file in all {
        let below = file.path().strip_prefix(story.path())?;
        let path = to.join(below);
        if let Some(folder) = path.parent() {
            output::folder(folder)?;
        }
        let wrote = fs::write(&path, file.contents());
        wrote.map_err(|source| Failure::Write { path: path.display().to_string(), source })?;
    }
    context.hint(&format!("→ jiuzhou plan {} --as-of {AS_OF}", to.display()));
    Ok(Exit::Ok)
}

fn show(story: &'static Dir<'static>, args: &DemoArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of: Timestamp = load::parse_as_of(AS_OF)?;
    let mut all = Vec::new();
    files(story, &mut all);
    let texts: Vec<(String, &[u8])> = all
        .iter()
        .filter(|file| file.path().extension().is_some_and(|ending| ending == "yaml"))
        .map(|file| (format!("examples/{}", file.path().to_string_lossy()), file.contents()))
        .collect();
    let fleet = load::texts(&texts, as_of)?;
    crate::commands::tour::show(&fleet, as_of, args, context)
}
