//! The set taken so far: groups used per key and attainable sums, added to and taken from in constant time.
//!
//! [`State::allowed`] holds only conditions that no further cluster can repair, which is what makes a skipped cluster
//! a justified skip; [`State::complete`] says whether the set is a placement as it stands.

use super::families::Families;
use super::frame::{Frame, Item, Sum};
use super::{Limit, MAX_KEYS};

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    epoch: u32,
    used: u32,
    raw: Sum,
    /// Of a key across the nested family: sum of the least of each cluster.
    least: i64,
}

/// The set taken so far.
#[derive(Debug, Default)]
pub(super) struct State {
    nodes: [Vec<Node>; MAX_KEYS],
    epoch: u32,
    families: Families,
    pub(super) clusters: u32,
    pub(super) groups: [u32; MAX_KEYS],
    pub(super) sum: Sum,
    /// Sum of the least of each cluster, groups aside.
    least: i64,
    /// Most that could stay of what runs on the set, groups aside.
    pub(super) stays: i64,
    /// Used groups that cannot reach their least yet.
    short: u32,
    /// Per column used groups whose least sum is above their most.
    over: [u32; MAX_KEYS],
}

impl State {
    /// An empty set.
    pub(super) fn reset(&mut self, frame: &Frame<'_>, families: &Families) {
        self.epoch = self.epoch.wrapping_add(1);
        if self.epoch == 0 {
            self.nodes.iter_mut().for_each(Vec::clear);
            self.epoch = 1;
        }
        for (nodes, col) in self.nodes.iter_mut().zip(frame.cols()) {
            let count = usize::try_from(col.count).unwrap_or(usize::MAX);
            if nodes.len() < count {
                nodes.resize(count, Node::default());
            }
        }
        self.families = *families;
        self.clusters = 0;
        self.groups = [0; MAX_KEYS];
        self.sum = Sum::default();
        self.least = 0;
        self.stays = 0;
        self.short = 0;
        self.over = [0; MAX_KEYS];
    }

    fn node(&mut self, col: usize, group: u32) -> Option<&mut Node> {
        let epoch = self.epoch;
        let node = self.nodes[col].get_mut(usize::try_from(group).ok()?)?;
        if node.epoch != epoch {
            *node = Node { epoch, ..Node::default() };
        }
        Some(node)
    }

    fn change(&mut self, frame: &Frame<'_>, item: &Item, add: bool) {
        self.clusters = if add { self.clusters + 1 } else { self.clusters - 1 };
        self.least += if add { item.lo } else { -item.lo };
        for (col, &group) in item.group.iter().enumerate().take(frame.cols().len()) {
            let Some(node) = self.node(col, group) else { continue };
            node.used = if add { node.used + 1 } else { node.used - 1 };
            if add && node.used == 1 {
                self.groups[col] += 1;
            } else if !add && node.used == 0 {
                self.groups[col] -= 1;
            }
        }
        let families = self.families;
        for &col in families.cross() {
            let most = frame.most(col, item.group[col]);
            let Some(node) = self.node(col, item.group[col]) else { continue };
            let before = node.least;
            node.least += if add { item.lo } else { -item.lo };
            let after = node.least;
            self.over[col] += u32::from(after > most);
            self.over[col] -= u32::from(before > most);
        }
        let mut delta = frame.sum(item);
        self.stays += if add { delta.m } else { -delta.m };
        if !add {
            delta = Sum::default().minus(delta);
        }
        for &col in families.chain() {
            let group = item.group[col];
            let (least, most) = (frame.cols()[col].least, frame.most(col, group));
            let Some(node) = self.node(col, group) else { continue };
            let was_used = if add { node.used > 1 } else { true };
            let is_used = node.used > 0;
            let before = if was_used { node.raw.within(least, most) } else { Sum::default() };
            node.raw = node.raw.plus(delta);
            let raw = node.raw;
            let after = if is_used { raw.within(least, most) } else { Sum::default() };
            self.short -= u32::from(was_used && before.lo > before.hi);
            self.short += u32::from(is_used && after.lo > after.hi);
            self.over[col] -= u32::from(was_used && before.lo > most);
            self.over[col] += u32::from(is_used && after.lo > most);
            delta = after.minus(before);
        }
        self.sum = self.sum.plus(delta);
    }

    pub(super) fn add(&mut self, frame: &Frame<'_>, item: &Item) {
        self.change(frame, item, true);
    }

    pub(super) fn remove(&mut self, frame: &Frame<'_>, item: &Item) {
        self.change(frame, item, false);
    }

    /// `Err` with the bound when no completion of this set can exist, whatever is added.
    pub(super) fn allowed(&self, frame: &Frame<'_>) -> Result<(), Limit> {
        if self.clusters > frame.max_clusters {
            return Err(self.full(frame));
        }
        let ceiling = frame.total.unwrap_or(i64::MAX);
        if self.sum.lo > ceiling {
            return Err(Limit::Replicas);
        }
        let mut missing = i64::from(frame.min_clusters.saturating_sub(self.clusters));
        for (col, used) in frame.cols().iter().zip(self.groups) {
            if used > col.max {
                return Err(Limit::MaxGroups(col.key));
            }
            missing = missing.max(i64::from(col.min.saturating_sub(used)));
        }
        if let Some((col, _)) = frame.cols().iter().zip(self.over).find(|(_, over)| *over > 0) {
            return Err(Limit::Share(col.key, 0));
        }
        if i64::from(self.clusters) + missing > i64::from(frame.max_clusters) {
            return Err(self.full(frame));
        }
        if self.least.saturating_add(missing) > ceiling {
            return Err(Limit::Replicas);
        }
        // Groups of the outermost key are apart, so what each missing one must get comes on top. Of inner keys this is
        // not so: an outer group's least may already cover them.
        if let Some(&outer) = self.families.chain().last() {
            let col = &frame.cols()[outer];
            let groups = i64::from(col.min.saturating_sub(self.groups[outer]));
            if self.sum.lo.saturating_add(groups.saturating_mul(col.least)) > ceiling {
                return Err(Limit::MinReplicas(col.key));
            }
        }
        Ok(())
    }

    fn full(&self, frame: &Frame<'_>) -> Limit {
        let key = (0_u8..).zip(frame.problem.keys).find(|(_, key)| key.groups == super::KeyGroups::Cluster);
        match key {
            Some((at, key)) if key.max_groups == frame.max_clusters => Limit::MaxGroups(at),
            _ => Limit::Replicas,
        }
    }

    /// Whether nothing more can be added.
    pub(super) fn full_up(&self, frame: &Frame<'_>) -> bool {
        self.clusters >= frame.max_clusters || frame.total.is_some_and(|total| self.least >= total)
    }

    /// What stays of what runs when the set is a placement as it stands, keys across the nested family aside: with
    /// those, necessary and an upper bound.
    pub(super) fn complete(&self, frame: &Frame<'_>) -> Option<i64> {
        let counts = self.clusters >= frame.min_clusters.max(1)
            && self.clusters <= frame.max_clusters
            && frame.cols().iter().zip(self.groups).all(|(col, used)| used >= col.min && used <= col.max);
        if counts && self.short == 0 { frame.reaches(self.sum) } else { None }
    }
}
