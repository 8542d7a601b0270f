//! The best set in order: walk the candidates downwards, take one if and only if a placement with it still exists.
//!
//! First as if nothing went wrong: take what no bound forbids and look at the end whether the set is a placement. If it
//! is, it was there at every step, and the set is the best one. Only otherwise each step asks an exact search.

use super::assign::{Assign, Fit};
use super::cells::{Cells, Exists};
use super::families::{Chain, Families, Masks, chain_and_masks};
use super::frame::{Frame, Item, Keep};
use super::nested::{Found, Pool};
use super::order::Order;
use super::state::State;
use super::{Limit, Mode};

/// One part in so many of the budget is searched cluster by cluster before the search by groups, or a table of masks.
const PART: u64 = 50;

/// Answer of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    No,
    NotProven,
    Set(Limit),
}

/// Memory of a walk.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) state: State,
    pub(super) set: Vec<Item>,
    items: Vec<Item>,
    suffix: Vec<Suffix>,
    stack: Vec<usize>,
    /// Size of the stack when each of `refused` was refused.
    depths: Vec<usize>,
    taken: Vec<bool>,
    refused: Vec<Item>,
    pool: Pool,
    cells: Cells,
    pub(super) assign: Assign,
    families: Families,
    pub(super) nodes: u64,
    /// What stays of what runs with the set just found.
    pub(super) kept: i64,
    /// A search gave up somewhere: what was found may not be the best, what was not found may exist.
    pub(super) lost: bool,
}

/// What the items from a position on can add at most.
#[derive(Clone, Copy, Debug, Default)]
struct Suffix {
    hi: i64,
    max: i64,
    cur: i64,
    groups: [u32; super::MAX_KEYS],
}

impl Walk {
    /// Takes every item that must be taken; false when that breaks a bound.
    fn start(&mut self, frame: &Frame<'_>, families: &Families, currents: &[u32]) -> bool {
        self.families = *families;
        self.state.reset(frame, families);
        self.set.clear();
        if frame.keep != Keep::All {
            return true;
        }
        for &at in currents {
            let Some(item) = frame.item(at) else { return false };
            self.take(frame, item);
        }
        self.state.allowed(frame).is_ok()
    }

    fn take(&mut self, frame: &Frame<'_>, item: Item) {
        self.state.add(frame, &item);
        self.set.push(item);
    }

    fn cut(&mut self, frame: &Frame<'_>, length: usize) {
        while self.set.len() > length {
            if let Some(item) = self.set.pop() {
                self.state.remove(frame, &item);
            }
        }
    }

    /// The best set of the attempt.
    pub(super) fn run(
        &mut self,
        frame: &Frame<'_>,
        order: &mut Order,
        families: &Families,
        currents: &[u32],
    ) -> Answer {
        if !self.start(frame, families, currents) {
            return Answer::No;
        }
        let mut frame = *frame;
        if frame.problem.mode == Mode::Packed {
            // The fewest clusters any set needs; if that many do, nothing else needs to be asked.
            let groups = frame.cols().iter().map(|col| col.min).max().unwrap_or(0);
            let held = if frame.total.is_some_and(|total| total <= self.state.sum.hi) { 0 } else { 1 };
            let fewest = frame.min_clusters.max(groups).max(self.state.clusters.saturating_add(held));
            let bound = frame.max_clusters;
            frame.max_clusters = fewest.min(bound);
            if let Some(limit) = self.optimistic(&frame, order, 0) {
                return Answer::Set(limit);
            }
            frame.max_clusters = bound;
        } else if let Some(limit) = self.optimistic(&frame, order, 0) {
            return Answer::Set(limit);
        }
        let chain = if families.cross().is_empty() { Chain::whole(&frame) } else { None };
        match chain {
            Some(chain) => self.nested(frame, order, &chain, &Masks::default()),
            None => self.crossing(frame, order),
        }
    }

    fn next(&self, frame: &Frame<'_>, order: &mut Order, position: &mut usize) -> Option<Item> {
        loop {
            let at = order.get(frame, *position)?;
            *position += 1;
            if let Some(item) = frame.item(at)
                && !item.forced
            {
                return Some(item);
            }
        }
    }

    /// Takes all that is allowed from a position on. On failure the set is as before.
    fn optimistic(&mut self, frame: &Frame<'_>, order: &mut Order, mut position: usize) -> Option<Limit> {
        let length = self.set.len();
        let mut bound = None;
        while !self.state.full_up(frame) {
            let Some(item) = self.next(frame, order, &mut position) else { break };
            self.state.add(frame, &item);
            match self.state.allowed(frame) {
                Ok(()) => self.set.push(item),
                Err(limit) => {
                    self.state.remove(frame, &item);
                    bound.get_or_insert(limit);
                }
            }
        }
        if self.complete(frame) {
            let full = if frame.total.is_some_and(|total| i64::from(self.state.clusters) >= total) {
                Some(Limit::Replicas)
            } else {
                self.full_by_key(frame)
            };
            return Some(full.or(bound).unwrap_or(Limit::Candidates));
        }
        self.cut(frame, length);
        None
    }

    /// Whether the set is a placement as it stands.
    fn complete(&mut self, frame: &Frame<'_>) -> bool {
        let Some(mut kept) = self.state.complete(frame) else { return false };
        if !self.families.cross().is_empty() {
            match self.assign.fit(frame, &self.families, &self.set, &[], &mut self.nodes) {
                Fit::Yes(found) if !matches!(frame.keep, Keep::AtLeast(wanted) if found < wanted) => kept = found,
                Fit::Unknown => {
                    self.lost = true;
                    return false;
                }
                Fit::Yes(_) | Fit::No => return false,
            }
        }
        self.kept = kept;
        true
    }

    fn full_by_key(&self, frame: &Frame<'_>) -> Option<Limit> {
        (0_u8..).zip(frame.problem.keys).find_map(|(at, key)| {
            let full = key.groups == super::KeyGroups::Cluster && key.max_groups <= self.state.clusters;
            full.then_some(Limit::MaxGroups(at))
        })
    }

    fn nested(&mut self, mut frame: Frame<'_>, order: &mut Order, chain: &Chain, masks: &Masks) -> Answer {
        self.taken.clear();
        self.taken.resize(frame.problem.candidates.len(), false);
        let mut pool = std::mem::take(&mut self.pool);
        pool.fill(&frame, chain, masks);
        let found = if pool.is_hopeless(&frame) { Found::No } else { pool.exists(&frame, &self.taken) };
        let answer = match found {
            Found::No => Answer::No,
            Found::Unknown => Answer::NotProven,
            Found::Yes { clusters, .. } => {
                if frame.problem.mode == Mode::Packed {
                    frame.max_clusters = clusters;
                }
                self.careful(&frame, order, &mut pool)
            }
        };
        self.pool = pool;
        answer
    }

    /// The most that can stay of what runs; for nested keys only.
    pub(super) fn most_kept(&mut self, frame: &Frame<'_>, chain: &Chain) -> Found {
        self.taken.clear();
        self.taken.resize(frame.problem.candidates.len(), false);
        let mut frame = *frame;
        frame.keep = Keep::AtLeast(i64::MIN);
        self.pool.fill(&frame, chain, &Masks::default());
        self.pool.exists(&frame, &self.taken)
    }

    fn careful(&mut self, frame: &Frame<'_>, order: &mut Order, pool: &mut Pool) -> Answer {
        let mut position = 0;
        let mut unknown = false;
        self.refused.clear();
        loop {
            if let Some(limit) = self.optimistic(frame, order, position) {
                return if unknown { Answer::NotProven } else { Answer::Set(limit) };
            }
            let Some(item) = self.next(frame, order, &mut position) else {
                // Every step kept a placement in reach, so the set itself is one.
                return Answer::NotProven;
            };
            self.state.add(frame, &item);
            let allowed = self.state.allowed(frame).is_ok();
            self.state.remove(frame, &item);
            // A cluster no roomier than one that was refused beside it is refused as well: the set has only grown.
            let alike = |other: &Item| {
                other.group == item.group && other.lo <= item.lo && other.hi >= item.hi && other.cur >= item.cur
            };
            let uncounted = matches!(frame.keep, Keep::AtLeast(_)) && item.cur > 0;
            if !allowed || (!uncounted && self.refused.iter().any(|other| alike(other) && other.cur == item.cur)) {
                continue;
            }
            let Some(flag) = usize::try_from(item.at).ok().and_then(|at| self.taken.get_mut(at)) else { continue };
            *flag = true;
            let inserted = pool.insert(&item);
            match pool.exists(frame, &self.taken) {
                Found::Yes { .. } => self.take(frame, item),
                found => {
                    unknown |= found == Found::Unknown;
                    if let Some(flag) = usize::try_from(item.at).ok().and_then(|at| self.taken.get_mut(at)) {
                        *flag = false;
                    }
                    if inserted {
                        pool.remove(&item);
                    }
                    self.refused.push(item);
                }
            }
        }
    }

    /// Depth first, taking before skipping: the first placement found is the best set.
    fn crossing(&mut self, frame: Frame<'_>, order: &mut Order) -> Answer {
        self.items.clear();
        let all = order.all(&frame);
        self.items.extend(all.iter().filter_map(|&at| frame.item(at)).filter(|item| !item.forced));
        self.suffixes(&frame);
        // Where a table of masks or a search by groups can settle it, this one gets the first steps only.
        let table = if self.families.cross().is_empty() { chain_and_masks(&frame) } else { None };
        let budget = frame.problem.budget;
        let by_groups = frame.total.is_some() && !matches!(frame.keep, Keep::AtLeast(_));
        let stop =
            if table.is_some() || by_groups { self.nodes.saturating_add(budget / PART).min(budget) } else { budget };
        let answer = self.by_clusters(&frame, stop);
        if answer != Answer::NotProven {
            return answer;
        }
        if let Some((chain, masks)) = table {
            return self.nested(frame, order, &chain, &masks);
        }
        if by_groups && let Some(answer) = self.by_groups(&frame, budget) {
            return answer;
        }
        let answer = if stop < budget { self.by_clusters(&frame, budget) } else { answer };
        self.lost |= answer == Answer::NotProven;
        answer
    }

    /// The search by clusters; packed, with ever more of them.
    fn by_clusters(&mut self, frame: &Frame<'_>, stop: u64) -> Answer {
        let last = frame.max_clusters;
        let packed = frame.problem.mode == Mode::Packed;
        let first = if packed { frame.min_clusters.max(1) } else { last };
        let mut answer = Answer::No;
        for clusters in first..=last {
            let mut fewer = *frame;
            fewer.max_clusters = clusters;
            answer = self.depth_first(&fewer, stop);
            if answer != Answer::No {
                break;
            }
        }
        answer
    }

    /// Walks the items downwards and takes each one with which a placement exists, by the search over groups. `None`
    /// where that says neither way, and where the fewest clusters are wanted and there is a placement.
    fn by_groups(&mut self, frame: &Frame<'_>, budget: u64) -> Option<Answer> {
        let mut cells = std::mem::take(&mut self.cells);
        let mut nodes = 0;
        let items = std::mem::take(&mut self.items);
        let answer = match cells.exists(frame, &self.families, &self.set, &items, &mut nodes, budget) {
            Exists::No => Some(Answer::No),
            Exists::Yes(found) if frame.problem.mode != Mode::Packed => {
                self.downwards(frame, &mut cells, &items, found, &mut nodes, budget)
            }
            Exists::Yes(_) | Exists::Unknown => None,
        };
        self.nodes = self.nodes.saturating_add(nodes);
        self.items = items;
        self.cells = cells;
        answer
    }

    /// `found` are the items of a placement with the set; so at every step there is one.
    fn downwards(
        &mut self,
        frame: &Frame<'_>,
        cells: &mut Cells,
        items: &[Item],
        mut found: Vec<u32>,
        nodes: &mut u64,
        budget: u64,
    ) -> Option<Answer> {
        let base = self.set.len();
        self.refused.clear();
        let mut lost = false;
        for (position, item) in items.iter().enumerate() {
            if self.state.full_up(frame) {
                break;
            }
            let alike = |other: &Item| other.group == item.group && other.lo <= item.lo && other.hi >= item.hi;
            let member = found.contains(&item.at);
            if !member && self.refused.iter().any(alike) {
                continue;
            }
            self.take(frame, *item);
            if member {
                continue;
            }
            let rest = items.get(position + 1..).unwrap_or_default();
            let better = match self.state.allowed(frame) {
                Ok(()) => cells.exists(frame, &self.families, &self.set, rest, nodes, budget),
                Err(_) => Exists::No,
            };
            match better {
                Exists::Yes(next) => found = next,
                other => {
                    lost |= other == Exists::Unknown;
                    let length = self.set.len() - 1;
                    self.cut(frame, length);
                    self.refused.push(*item);
                }
            }
        }
        if self.complete(frame) {
            // What could not be told was passed over: a better set may exist.
            self.lost |= lost;
            return Some(Answer::Set(self.full_by_key(frame).unwrap_or(Limit::Candidates)));
        }
        self.cut(frame, base);
        None
    }

    fn suffixes(&mut self, frame: &Frame<'_>) {
        let mut last = Suffix::default();
        let mut seen: [std::collections::BTreeSet<u32>; super::MAX_KEYS] = Default::default();
        self.suffix.clear();
        self.suffix.push(last);
        for item in self.items.iter().rev() {
            last.hi = last.hi.saturating_add(item.hi);
            last.max = last.max.max(item.hi);
            last.cur += item.cur.min(item.hi);
            for (col, seen) in seen.iter_mut().enumerate().take(frame.cols().len()) {
                last.groups[col] += u32::from(seen.insert(item.group[col]));
            }
            self.suffix.push(last);
        }
        self.suffix.reverse();
    }

    fn hopeless(&self, frame: &Frame<'_>, rest: &Suffix) -> bool {
        let free = i64::from(frame.max_clusters.saturating_sub(self.state.clusters));
        let more = rest.hi.min(free.saturating_mul(rest.max));
        frame.total.is_some_and(|total| self.state.sum.hi.saturating_add(more) < total)
            || matches!(frame.keep, Keep::AtLeast(kept) if self.state.stays.saturating_add(rest.cur) < kept)
            || frame
                .cols()
                .iter()
                .zip(self.state.groups)
                .zip(rest.groups)
                .any(|((col, used), new)| used + new < col.min)
    }

    fn depth_first(&mut self, frame: &Frame<'_>, stop: u64) -> Answer {
        let base = self.set.len();
        self.stack.clear();
        self.refused.clear();
        self.depths.clear();
        let crossing = !self.families.cross().is_empty();
        let mut position = 0;
        let mut dived = false;
        loop {
            self.nodes += 1;
            if self.nodes > stop {
                self.cut(frame, base);
                return Answer::NotProven;
            }
            let rest = self.suffix.get(position).copied().unwrap_or_default();
            let end = position >= self.items.len() || self.state.full_up(frame);
            if end && self.complete(frame) {
                return Answer::Set(self.full_by_key(frame).unwrap_or(Limit::Candidates));
            }
            if end || self.hopeless(frame, &rest) || (crossing && dived && !self.may_complete(frame, position)) {
                dived = true;
                let Some(last) = self.stack.pop() else {
                    self.cut(frame, base);
                    return Answer::No;
                };
                let length = self.set.len().saturating_sub(1);
                self.cut(frame, length);
                self.refuse(last);
                position = last + 1;
                continue;
            }
            if let Some(&item) = self.items.get(position)
                && !self.is_refused(frame, &item)
            {
                self.take(frame, item);
                if self.state.allowed(frame).is_ok() {
                    self.stack.push(position);
                } else {
                    let length = self.set.len() - 1;
                    self.cut(frame, length);
                    self.refuse(position);
                }
            }
            position += 1;
        }
    }

    /// Notes that no placement has the set and the item at this position.
    fn refuse(&mut self, position: usize) {
        let depth = self.stack.len();
        while self.depths.last().is_some_and(|&other| other > depth) {
            self.depths.pop();
            self.refused.pop();
        }
        if let Some(&item) = self.items.get(position) {
            self.depths.push(depth);
            self.refused.push(item);
        }
    }

    /// Whether an item could be exchanged for one beside it that was refused with no more taken than now.
    fn is_refused(&self, frame: &Frame<'_>, item: &Item) -> bool {
        let kept = matches!(frame.keep, Keep::AtLeast(_));
        self.refused.iter().any(|other| {
            let alike = other.group == item.group && other.lo <= item.lo && other.hi >= item.hi;
            alike && (!kept || other.cur == item.cur)
        })
    }

    fn may_complete(&mut self, frame: &Frame<'_>, position: usize) -> bool {
        let rest = self.items.get(position..).unwrap_or_default();
        let cost = 100 + rest.len() / 4 + 8 * self.set.len();
        self.nodes = self.nodes.saturating_add(u64::try_from(cost).unwrap_or(u64::MAX));
        self.assign.may_complete(frame, &self.families, &self.set, rest.iter().copied())
    }
}
