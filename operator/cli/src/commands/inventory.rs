//! `inventory`: nodes in, pools with their CPU platform out. Takes `kubectl get nodes -o yaml` as it is.

use jiuzhou_engine::detect::{Confidence, NodeFacts, Pool, PoolFacts, World, group};
use jiuzhou_engine::terms::{Bytes, Code, Finding, Millicores, ObjectRef};
use jiuzhou_report::document::Meta;
use jiuzhou_report::documents::inventory::{InventoryRow, inventory};
use jiuzhou_report::words::Word;

use crate::args::{FailOn, InventoryArgs};
use crate::commands::load;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Labels that divide pools although no rule about CPUs looks at them.
const DIVIDING: [&str; 2] = ["topology.kubernetes.io/zone", "network.jiuzhou.dev/zone"];

/// Reads nodes.
pub(crate) fn run(args: &InventoryArgs, context: &Context) -> anyhow::Result<Exit> {
    let as_of = load::as_of(&args.input);
    let inputs = load::inputs(&args.input, true);
    let fleet = load::read(&inputs, as_of, false, context)?;
    let mut findings = fleet.findings;
    // A dump of a whole cluster has pods and Deployments beside its nodes; nobody asked to place them here.
    findings.retain(|finding| finding.reason.code != Code::NativeNotWrapped);
    let nodes = &fleet.converted.nodes;
    let pools = group(nodes, &fleet.converted.catalogue, &DIVIDING);
    let mut rows = Vec::new();
    for (number, pool) in (1..).zip(&pools) {
        let name = format!("{}-{number}", pool.profile.facts.name());
        let place = pool
            .nodes
            .first()
            .and_then(|first| nodes.get(*first))
            .and_then(|node| fleet.places.get(&ObjectRef::new("Node", "", &node.name)));
        for reason in pool.profile.reasons(&name) {
            let mut finding = Finding::new(reason).on(ObjectRef::new("MemberCluster", "", &args.cluster));
            finding.place = place.cloned();
            findings.push(finding);
        }
        rows.push(row(&args.cluster, name, pool, nodes));
    }
    let (none, failed) = (rows.is_empty(), load::fails(&findings, FailOn::Error));
    let document = inventory(Meta::new(Some(as_of), None), &args.cluster, &rows, findings);
    output::write(&document, &args.output, context)?;
    if none {
        context.say(context.pick(
            "jiuzhou: no Node in the input; try `kubectl get nodes -o yaml | jiuzhou inventory -`",
            "jiuzhou：输入中没有 Node；可尝试 `kubectl get nodes -o yaml | jiuzhou inventory -`",
        ));
        return Ok(Exit::Input);
    }
    Ok(if failed { Exit::Input } else { Exit::Ok })
}

fn row(cluster: &str, name: String, pool: &Pool, nodes: &[NodeFacts]) -> InventoryRow {
    let PoolFacts { platform, confidence, page_size, world, features, conflicting, .. } = &pool.profile.facts;
    let members: Vec<&NodeFacts> = pool.nodes.iter().filter_map(|index| nodes.get(*index)).collect();
    let sum =
        |resource: &str| members.iter().try_fold(0_i64, |sum, node| sum.checked_add(*node.allocatable.get(resource)?));
    InventoryRow {
        cluster: cluster.to_owned(),
        pool: name,
        platform: platform.clone(),
        conflicting: *conflicting,
        confidence: match confidence {
            Confidence::Certain => Some(Word::ConfidenceCertain),
            Confidence::Probable => Some(Word::ConfidenceProbable),
            Confidence::Guess => Some(Word::ConfidenceGuess),
            Confidence::Unknown => None,
        },
        nodes: u32::try_from(members.len()).unwrap_or(u32::MAX),
        cpu: sum("cpu").map(Millicores),
        memory: sum("memory").map(Bytes),
        page_size: page_size.map(|size| Bytes(i64::from(size.ki) * 1024)),
        abi: world.map(|world| match world {
            World::Old => Word::WorldOld,
            World::New => Word::WorldNew,
        }),
        features: (!features.is_empty()).then(|| features.iter().cloned().collect()),
        zone: DIVIDING.iter().find_map(|label| pool.labels.get(*label)).cloned(),
    }
}
