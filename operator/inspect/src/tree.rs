//! The file system of an image as an index of paths: layers applied one over the other, links followed inside it only.
//!
//! Paths are relative to the root, without `.` and `..`; a name that leads above the root ends at the root, as in a
//! container. What decides is kept of a file; its bytes are not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::elf::Elf;
use crate::limits::Limits;

/// What stands at a path.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Folder,
    File(Arc<File>),
    Link(String),
    /// Devices, pipes: nothing that can be read.
    Other,
}

/// What is kept of a regular file.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    pub(crate) runnable: bool,
    pub(crate) content: Content,
}

/// What a file is, as far as it matters.
#[derive(Clone, Debug, Default)]
pub(crate) enum Content {
    #[default]
    Other,
    /// An executable, a library, or an object.
    Elf(Box<Elf>),
    /// A script: the line after `#!`.
    Script(String),
    /// A text that is asked for by name.
    Text(Arc<Vec<u8>>),
}

/// An indexed file system.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    nodes: BTreeMap<String, (usize, Node)>,
    layer: usize,
    /// Layers that could not be read to their end: what is not found may stand there.
    pub(crate) holes: Vec<String>,
}

impl Tree {
    /// Begins the next layer: what is added from now on lies over what is there.
    pub(crate) fn next_layer(&mut self) {
        self.layer += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The parts of a path, `..` taken back, never above the root.
    fn parts(path: &str) -> Vec<&str> {
        let mut parts = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        parts
    }

    /// Where a path of a layer lands: its folder may be a link of a lower layer (`lib -> usr/lib`).
    fn landing(&self, path: &str, limits: &Limits) -> Option<String> {
        let parts = Self::parts(path);
        let (name, parents) = parts.split_last()?;
        let folder = parents.join("/");
        let folder = self.follow(&folder, limits).unwrap_or(folder);
        Some(if folder.is_empty() { (*name).to_owned() } else { format!("{folder}/{name}") })
    }

    /// Adds what a layer has at a path.
    pub(crate) fn add(&mut self, path: &str, node: Node, limits: &Limits) {
        let Some(path) = self.landing(path, limits) else { return };
        let name = path.rsplit('/').next().unwrap_or_default();
        if name == ".wh..wh..opq" {
            let folder = path.strip_suffix(name).unwrap_or_default().trim_end_matches('/').to_owned();
            return self.remove_below(&folder, self.layer);
        }
        if let Some(gone) = name.strip_prefix(".wh.") {
            let gone = format!("{}{gone}", path.strip_suffix(name).unwrap_or_default());
            self.remove_below(&gone, self.layer);
            if self.nodes.get(&gone).is_some_and(|(layer, _)| *layer < self.layer) {
                self.nodes.remove(&gone);
            }
            return;
        }
        match (&node, self.nodes.get(&path)) {
            // A folder over a folder keeps what is inside.
            (Node::Folder, Some((_, Node::Folder))) => {}
            (Node::Folder, _) => drop(self.nodes.insert(path, (self.layer, node))),
            _ => {
                self.remove_below(&path, usize::MAX);
                self.nodes.insert(path, (self.layer, node));
            }
        }
    }

    /// A second name of a file of this or a lower layer.
    pub(crate) fn add_hard_link(&mut self, path: &str, target: &str, limits: &Limits) {
        let node = self.landing(target, limits).and_then(|path| self.nodes.get(&path)).map(|(_, node)| node.clone());
        if let Some(node) = node {
            self.add(path, node, limits);
        }
    }

    /// Removes what lies below a folder and comes from a layer under `layer`.
    fn remove_below(&mut self, folder: &str, layer: usize) {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = self.nodes.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
        let gone: Vec<String> = below.filter(|(_, (of, _))| *of < layer).map(|(path, _)| path.clone()).collect();
        for path in gone {
            self.nodes.remove(&path);
        }
    }

    /// The path behind all links; `None` when links go in circles or through a file.
    pub(crate) fn follow(&self, path: &str, limits: &Limits) -> Option<String> {
        let mut hops = 0;
        let mut todo: Vec<String> = Self::parts(path).into_iter().rev().map(str::to_owned).collect();
        let mut done: Vec<String> = Vec::new();
        while let Some(part) = todo.pop() {
            if part == ".." {
                done.pop();
                continue;
            }
            done.push(part);
            let here = done.join("/");
            if let Some((_, Node::Link(target))) = self.nodes.get(&here) {
                hops += 1;
                if hops > limits.links || todo.len() > limits.path_bytes {
                    return None;
                }
                done.pop();
                if target.starts_with('/') {
                    done.clear();
                }
                // `..` of a target counts from where the link stands, so the parts are kept.
                let parts = target.split('/').filter(|part| !part.is_empty() && *part != ".");
                todo.extend(parts.rev().map(str::to_owned));
            }
        }
        Some(done.join("/"))
    }

    /// The file at a path, links followed, with the path it really has.
    pub(crate) fn file(&self, path: &str, limits: &Limits) -> Option<(String, Arc<File>)> {
        let path = self.follow(path, limits)?;
        match self.nodes.get(&path) {
            Some((_, Node::File(file))) => Some((path, Arc::clone(file))),
            _ => None,
        }
    }

    /// Every file with its path, in order of paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &Arc<File>)> {
        self.nodes.iter().filter_map(|(path, (_, node))| match node {
            Node::File(file) => Some((path.as_str(), file)),
            _ => None,
        })
    }

    /// Paths that have this last part, of files and links, in order.
    pub(crate) fn named(&self, name: &str) -> BTreeSet<&str> {
        let tail = format!("/{name}");
        let fits = |path: &&String| path.ends_with(&tail) || *path == name;
        self.nodes
            .iter()
            .filter(|(_, (_, node))| matches!(node, Node::File(_) | Node::Link(_)))
            .map(|(path, _)| path)
            .filter(fits)
            .map(String::as_str)
            .collect()
    }

    /// A text of the image.
    pub(crate) fn text(&self, path: &str, limits: &Limits) -> Option<String> {
        match &self.file(path, limits)?.1.content {
            Content::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is told from others by a number.
    fn file(number: u64) -> Node {
        Node::File(Arc::new(File { content: Content::Script(number.to_string()), ..File::default() }))
    }

    fn number(tree: &Tree, path: &str) -> Option<u64> {
        match &tree.file(path, &Limits::default())?.1.content {
            Content::Script(number) => number.parse().ok(),
            _ => None,
        }
    }

    fn tree(layers: &[&[(&str, Node)]]) -> Tree {
        let mut tree = Tree::default();
        for layer in layers {
            tree.next_layer();
            for (path, node) in *layer {
                tree.add(path, node.clone(), &Limits::default());
            }
        }
        tree
    }

    #[test]
    fn whiteouts_remove_what_lies_below_and_spare_their_own_layer() {
        let tree = tree(&[
            &[("etc/a", file(1)), ("etc/b", file(2)), ("opt/x/y", file(3)), ("opt/x", Node::Folder)],
            &[("etc/.wh.a", Node::Other), ("opt/new", file(4)), ("opt/.wh..wh..opq", Node::Other)],
        ]);
        assert_eq!((number(&tree, "etc/a"), number(&tree, "etc/b")), (None, Some(2)));
        assert_eq!((number(&tree, "opt/x/y"), number(&tree, "opt/new")), (None, Some(4)));
    }

    #[test]
    fn links_are_followed_inside_the_image_and_circles_end() {
        let link = |to: &str| Node::Link(to.to_owned());
        let tree = tree(&[
            &[("usr/lib/libc.so", file(1)), ("lib", link("usr/lib")), ("abs", link("/lib/libc.so"))],
            &[("lib/new.so", file(2)), ("up", link("../../../usr/lib/libc.so")), ("a", link("b")), ("b", link("a"))],
        ]);
        assert_eq!(
            (number(&tree, "/lib/libc.so"), number(&tree, "abs"), number(&tree, "up")),
            (Some(1), Some(1), Some(1))
        );
        assert_eq!(number(&tree, "usr/lib/new.so"), Some(2), "a folder that is a link takes what a layer puts there");
        assert_eq!(number(&tree, "a"), None);
    }

    #[test]
    fn no_path_leads_above_the_root() {
        let tree = tree(&[&[("../../etc/passwd", file(1)), ("/etc/../../shadow", file(2)), ("..", file(3))]]);
        assert_eq!((number(&tree, "etc/passwd"), number(&tree, "shadow")), (Some(1), Some(2)));
        assert_eq!(tree.len(), 2);
    }

    #[test]
    fn a_file_over_a_folder_takes_its_place() {
        let tree = tree(&[&[("a/b", file(1))], &[("a", file(2))]]);
        assert_eq!((number(&tree, "a"), number(&tree, "a/b")), (Some(2), None));
    }
}
