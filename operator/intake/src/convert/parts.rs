//! Which pods of a workload have nodes of their own.
//!
//! A scheduler places every pod by itself, so the pods of one template need no node that those of another could use, too.
//! Templates that ask the same of nodes (images for the same CPUs with the same needs, selectors, affinity, tolerations)
//! are one part; where all of them do, the workload has no parts. Pods of a DaemonSet run where they can and hold nobody
//! up, unless there are no others.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::decide::{Image, NodeDemand, Part};
use jiuzhou_engine::detect::{ImageEntry, Needs};
use jiuzhou_objects::images::ImageRef;
use jiuzhou_objects::needs::NodeNeeds;

use super::images::Images;

/// Pods of one template, or those that are declared of one object.
pub(super) struct Asker {
    /// The object (or the component) they belong to.
    pub(super) name: String,
    /// Its template as [`Part::templates`] names it.
    pub(super) template: String,
    /// Images of their containers, as they are written.
    pub(super) images: BTreeSet<String>,
    /// What they say of the nodes they want; nothing where they are declared.
    pub(super) needs: NodeNeeds,
    pub(super) demand: NodeDemand,
    /// They run on every node.
    pub(super) per_node: bool,
}

/// What the askers ask, put together.
#[derive(Default)]
pub(super) struct Asked {
    /// Of all pods.
    pub(super) images: Vec<Image>,
    pub(super) nodes: BTreeSet<NodeDemand>,
    pub(super) parts: Vec<Part>,
    /// By asker: the place of its part.
    pub(super) of: Vec<u32>,
}

/// An image as it is known, with what nodes it runs on for one asker.
type Asks = BTreeSet<(Vec<ImageEntry>, Needs)>;

/// What a description says of nodes: two images of which the same is known ask the same.
fn asks<'a>(images: impl Iterator<Item = &'a Image>) -> Asks {
    let entry = |entry: &ImageEntry| ImageEntry { digest: None, ..entry.clone() };
    images.map(|image| (image.entries.iter().map(entry).collect(), image.needs.clone())).collect()
}

/// What is known of every image that is used, by how it is written: with the architectures that any pod names for it.
pub(super) fn known(
    askers: &[Asker],
    seen: &BTreeMap<String, (ImageRef, String)>,
    raised: &BTreeMap<String, Needs>,
    images: &Images,
) -> BTreeMap<String, (Image, bool)> {
    let found = seen.iter().map(|(written, (image, _))| {
        let uses = askers.iter().filter(|asker| asker.images.contains(written));
        let named: BTreeSet<String> = uses.flat_map(|asker| asker.needs.named_architectures()).collect();
        let more = raised.get(written).cloned().unwrap_or_default();
        (written.clone(), images.find(image, more, &named))
    });
    found.collect()
}

/// The images of an asker, by how they are written. A pod that asks for other nodes never runs there, whatever the image
/// offers.
pub(super) fn images_of<'a>(
    asker: &'a Asker,
    known: &'a BTreeMap<String, (Image, bool)>,
) -> impl Iterator<Item = (&'a String, Image)> {
    known.iter().filter(|(written, _)| asker.images.contains(*written)).map(|(written, (image, _))| {
        let mut image = image.clone();
        image.entries.retain(|entry| asker.needs.admits_architecture(&entry.platform.architecture));
        (written, image)
    })
}

/// Askers that ask the same.
struct Group<'a> {
    asks: Asks,
    demand: &'a NodeDemand,
    members: Vec<usize>,
}

/// Puts together what is asked.
pub(super) fn asked(askers: &[Asker], known: &BTreeMap<String, (Image, bool)>) -> Asked {
    let only_daemons = askers.iter().all(|asker| asker.per_node);
    let (mut groups, mut daemons): (Vec<Group<'_>>, Vec<Group<'_>>) = (Vec::new(), Vec::new());
    for (at, asker) in askers.iter().enumerate() {
        let own: Vec<Image> = images_of(asker, known).map(|(_, image)| image).collect();
        let asks = asks(own.iter());
        let list = if asker.per_node && !only_daemons { &mut daemons } else { &mut groups };
        match list.iter_mut().find(|group| group.asks == asks && *group.demand == asker.demand) {
            Some(group) => group.members.push(at),
            None => list.push(Group { asks, demand: &asker.demand, members: vec![at] }),
        }
    }
    // Asking nothing and standing no taint is what is taken of pods that say nothing.
    let nodes = |demand: &NodeDemand| -> BTreeSet<NodeDemand> {
        if *demand == NodeDemand::default() { BTreeSet::new() } else { [demand.clone()].into() }
    };
    let images = |members: &[usize]| -> Vec<Image> {
        let members = members.iter().filter_map(|at| askers.get(*at));
        let all: BTreeMap<&String, Image> = members.flat_map(|asker| images_of(asker, known)).collect();
        all.into_values().collect()
    };
    let one = groups.len() <= 1;
    if one && daemons.iter().all(|daemon| groups.iter().all(|group| daemon.asks.is_subset(&group.asks))) {
        let all: Vec<usize> = (0..askers.len()).collect();
        let nodes = groups.first().map(|group| nodes(group.demand)).unwrap_or_default();
        return Asked { images: images(&all), nodes, parts: Vec::new(), of: vec![0; askers.len()] };
    }
    let mut asked = Asked { of: vec![0; askers.len()], ..Asked::default() };
    let optional = groups.len();
    for (at, group) in groups.into_iter().chain(daemons).enumerate() {
        let members: Vec<&Asker> = group.members.iter().filter_map(|at| askers.get(*at)).collect();
        // An object with pods in several parts is told by its template.
        let name = |asker: &&Asker| {
            let alone = askers.iter().filter(|other| other.name == asker.name).count() == 1;
            if alone { asker.name.clone() } else { asker.template.clone() }
        };
        let names: BTreeSet<String> = members.iter().map(name).collect();
        asked.parts.push(Part {
            name: names.into_iter().collect::<Vec<_>>().join(", "),
            templates: members.iter().map(|asker| asker.template.clone()).collect(),
            images: images(&group.members),
            nodes: nodes(group.demand),
            optional: at >= optional,
        });
        for member in group.members {
            if let Some(place) = asked.of.get_mut(member) {
                *place = u32::try_from(at).unwrap_or(u32::MAX);
            }
        }
    }
    asked
}
