//! Replicas of a fixed set of clusters when keys that bound replicas cross each other.
//!
//! A nested family and one key across it are a flow, and exact. A third key that crosses both (hard in general) is met
//! by halving the bounds of clusters in a group that breaks it, each half a flow again, counted in nodes. The same
//! network with the rest of the clusters as mere room says early that no completion exists.

use std::collections::BTreeMap;

use super::MAX_KEYS;
use super::families::Families;
use super::flow::Flow;
use super::frame::{Frame, Item, Keep};

/// Worth of a unit: that a least amount needs, that keeps what runs, that follows the wished division. Each outweighs
/// all units of the next ([`MAX_REPLICAS`](super::MAX_REPLICAS) is below 2^20).
const NEEDED: i64 = 1 << 44;
const KEPT: i64 = 1 << 22;
const WISHED: i64 = 1;

/// Whether a set can carry the total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    No,
    /// Out of budget.
    Unknown,
    /// With the most that can stay of what runs.
    Yes(i64),
}

/// Memory for assignments; [`Assign::replicas`] holds the last one found, in the order of the set.
#[derive(Debug, Default)]
pub(super) struct Assign {
    flow: Flow,
    groups: [BTreeMap<u32, usize>; MAX_KEYS],
    bounds: Vec<(usize, i64)>,
    ways: Vec<usize>,
    found: Vec<i64>,
    pub(super) replicas: Vec<i64>,
    rest: BTreeMap<[u32; MAX_KEYS], i64>,
}

impl Assign {
    /// The node of a group; made with its bounds on first sight.
    fn group(
        &mut self,
        frame: &Frame<'_>,
        col: usize,
        group: u32,
        needed: bool,
        edge: (Option<usize>, usize),
    ) -> usize {
        if let Some(&node) = self.groups[col].get(&group) {
            return node;
        }
        let node = self.flow.node();
        self.groups[col].insert(group, node);
        let least = if needed { frame.cols()[col].least } else { 0 };
        let most = frame.most(col, group);
        let (from, to) = match edge.0 {
            Some(from) => (from, node),
            None => (node, edge.1),
        };
        if least > 0 {
            let arc = self.flow.arc(from, to, least.min(most), -NEEDED);
            self.bounds.push((arc, least));
        }
        self.flow.arc(from, to, most.saturating_sub(least.max(0)), 0);
        node
    }

    fn start(&mut self) -> (usize, usize) {
        self.flow.reset();
        self.bounds.clear();
        self.ways.clear();
        self.groups.iter_mut().for_each(BTreeMap::clear);
        (self.flow.node(), self.flow.node())
    }

    /// Nodes at both ends of an item: its innermost group of the nested family and its group of the key across.
    fn ends(
        &mut self,
        frame: &Frame<'_>,
        families: &Families,
        group: &[u32; MAX_KEYS],
        needed: bool,
        (from, to): (usize, usize),
    ) -> (usize, usize) {
        let mut inner = from;
        for &col in families.chain().iter().rev() {
            inner = self.group(frame, col, group[col], needed, (Some(inner), to));
        }
        let across = families.cross().first().map_or(to, |&col| self.group(frame, col, group[col], needed, (None, to)));
        (inner, across)
    }

    /// One flow; `bounds` are those of the items at this node of the search. Answers the worth.
    fn relaxed(
        &mut self,
        frame: &Frame<'_>,
        families: &Families,
        set: &[Item],
        bounds: &[(i64, i64)],
        wish: &[i64],
    ) -> Option<(i64, i64)> {
        let ends = self.start();
        for (index, (item, &(lo, hi))) in set.iter().zip(bounds).enumerate() {
            if lo > hi {
                return None;
            }
            let (inner, across) = self.ends(frame, families, &item.group, true, ends);
            let kept = if frame.keep == Keep::Nothing { 0 } else { item.cur };
            let wished = wish.get(index).copied().unwrap_or(0);
            let mut from = lo;
            let arc = self.flow.arc(inner, across, lo, -NEEDED);
            self.bounds.push((arc, lo));
            self.ways.push(arc);
            // Up to each of these a unit is worth more than beyond.
            let mut steps = [kept.clamp(lo, hi), wished.clamp(lo, hi)];
            steps.sort_unstable();
            for until in [steps[0], steps[1], hi] {
                let worth = if until <= kept { KEPT } else { 0 } + if until <= wished { WISHED } else { 0 };
                self.flow.arc(inner, across, until - from, -worth);
                from = until;
            }
        }
        let want = frame.total.unwrap_or_else(|| bounds.iter().map(|bound| bound.1).sum());
        if self.flow.send(ends.0, ends.1, want) < want {
            return None;
        }
        if self.bounds.iter().any(|&(arc, least)| self.flow.carried(arc) < least) {
            return None;
        }
        self.found.clear();
        let mut worth = (0_i64, 0_i64);
        for (index, (item, &arc)) in set.iter().zip(&self.ways).enumerate() {
            // Four arcs in a row belong to an item.
            let replicas = (0..4).map(|step| self.flow.carried(arc + 2 * step)).sum::<i64>();
            worth.0 += replicas.min(item.cur);
            worth.1 += replicas.min(wish.get(index).copied().unwrap_or(0));
            self.found.push(replicas);
        }
        Some(worth)
    }

    /// A group of the last key that the flow just found breaks, and whether it holds too much.
    fn broken(&self, frame: &Frame<'_>, families: &Families, set: &[Item]) -> Option<(usize, u32, bool)> {
        let &col = families.cross().get(1)?;
        let mut sums: BTreeMap<u32, i64> = BTreeMap::new();
        for (item, replicas) in set.iter().zip(&self.found) {
            *sums.entry(item.group[col]).or_insert(0) += replicas;
        }
        sums.into_iter().find_map(|(group, sum)| {
            let over = sum > frame.most(col, group);
            (over || sum < frame.cols()[col].least).then_some((col, group, over))
        })
    }

    /// Whether exactly this set can carry the total within all bounds. Among all ways the one that keeps most, then the
    /// one nearest to `wish` (in replicas that differ).
    pub(super) fn fit(
        &mut self,
        frame: &Frame<'_>,
        families: &Families,
        set: &[Item],
        wish: &[i64],
        nodes: &mut u64,
    ) -> Fit {
        let mut best: Option<(i64, i64)> = None;
        let mut open: Vec<Vec<(i64, i64)>> = vec![set.iter().map(|item| (item.lo, item.hi)).collect()];
        let mut lost = false;
        while let Some(bounds) = open.pop() {
            // A flow costs as much as some steps of the search for every cluster of the set.
            *nodes = nodes.saturating_add(1 + 8 * u64::try_from(set.len()).unwrap_or(u64::MAX / 16));
            if *nodes > frame.problem.budget {
                lost = true;
                break;
            }
            let Some(worth) = self.relaxed(frame, families, set, &bounds, wish) else { continue };
            if best.is_some_and(|best| worth <= best) {
                continue;
            }
            let Some((col, group, over)) = self.broken(frame, families, set) else {
                best = Some(worth);
                std::mem::swap(&mut self.replicas, &mut self.found);
                continue;
            };
            let widest = set.iter().zip(&bounds).enumerate().filter(|(_, (item, _))| item.group[col] == group);
            let widest = widest.map(|(at, (_, &(lo, hi)))| (hi - lo, std::cmp::Reverse(at))).max();
            let Some((width, std::cmp::Reverse(at))) = widest.filter(|widest| widest.0 > 0) else { continue };
            let (lo, hi) = bounds[at];
            let middle = lo + (width - 1) / 2;
            let (mut lower, mut upper) = (bounds.clone(), bounds);
            lower[at] = (lo, middle);
            upper[at] = (middle + 1, hi);
            open.extend(if over { [upper, lower] } else { [lower, upper] });
        }
        match best {
            Some((kept, _)) => Fit::Yes(kept),
            None if lost => Fit::Unknown,
            None => Fit::No,
        }
    }

    /// Whether the bounds of the nested family and of the key across it leave room for the total when `set` is used and
    /// of `rest` anything may be. Necessary for a completion, not sufficient.
    pub(super) fn may_complete(
        &mut self,
        frame: &Frame<'_>,
        families: &Families,
        set: &[Item],
        rest: impl Iterator<Item = Item>,
    ) -> bool {
        let Some(total) = frame.total else { return true };
        let mut room = std::mem::take(&mut self.rest);
        room.clear();
        for item in rest {
            let sum = room.entry(item.group).or_insert(0);
            *sum = sum.saturating_add(item.hi).min(total);
        }
        let ends = self.start();
        for item in set {
            let (inner, across) = self.ends(frame, families, &item.group, true, ends);
            let arc = self.flow.arc(inner, across, item.lo, -NEEDED);
            self.bounds.push((arc, item.lo));
            self.flow.arc(inner, across, item.hi - item.lo, 0);
        }
        for (group, &sum) in &room {
            let (inner, across) = self.ends(frame, families, group, false, ends);
            self.flow.arc(inner, across, sum, 0);
        }
        self.rest = room;
        self.flow.send(ends.0, ends.1, total) == total
            && self.bounds.iter().all(|&(arc, least)| self.flow.carried(arc) >= least)
    }
}
