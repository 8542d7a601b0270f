//! Exact answer for one chain of nested keys: does a set exist, how much can stay, how few clusters do.
//!
//! Inside a group, among clusters alike but for their room, the roomiest are never worse, so a prefix of them stands for
//! all; a table over (groups used per key, clusters used) keeps the undominated attainable sums. No group is enumerated
//! twice: 5 of 31 regions costs what 2 of 31 costs. A key that crosses the chain and has few groups joins as a mask of
//! the groups used.

use super::families::{Chain, Masks};
use super::frame::{Frame, Item, Keep, Sum};
use super::{MAX_KEYS, Mode};

const LEVELS: usize = MAX_KEYS + 1;
/// Table cells beyond which the question counts as not proven.
const CELLS: usize = 1 << 21;
/// Table entries beyond which the question counts as not proven.
const ENTRIES: usize = 1 << 21;

#[derive(Clone, Copy, Debug)]
struct Entry {
    counts: [u32; LEVELS],
    mask: u32,
    sum: Sum,
}

const ZERO: Entry = Entry { counts: [0; LEVELS], mask: 0, sum: Sum { lo: 0, hi: 0, a: 0, m: 0 } };

#[derive(Clone, Copy, Debug)]
struct Limits {
    max: [u32; LEVELS],
    /// Beyond this a count no longer matters.
    saturate: [bool; LEVELS],
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    No,
    /// Out of space.
    Unknown,
    Yes {
        kept: i64,
        clusters: u32,
    },
}

/// Vectors that are used again.
#[derive(Debug, Default)]
struct Space {
    spare: Vec<Vec<Entry>>,
    /// Per cell the last entry; all `u32::MAX` between merges.
    heads: Vec<u32>,
    out: Vec<(Entry, u32)>,
}

impl Space {
    fn one(&mut self, entry: Entry) -> Vec<Entry> {
        let mut list = self.empty();
        list.push(entry);
        list
    }

    fn empty(&mut self) -> Vec<Entry> {
        self.spare.pop().unwrap_or_default()
    }

    fn back(&mut self, mut list: Vec<Entry>) {
        list.clear();
        self.spare.push(list);
    }
}

/// All items of an attempt that can matter, ready for [`Pool::exists`].
#[derive(Debug, Default)]
pub(super) struct Pool {
    items: Vec<Item>,
    /// Outermost first.
    chain: Vec<usize>,
    masks: Masks,
    first: Vec<u32>,
    next: Vec<u32>,
    plain: Vec<Item>,
    sums: Vec<i64>,
    space: Space,
}

const NONE: u32 = u32::MAX;

impl Pool {
    fn compare(&self, a: &Item, b: &Item) -> std::cmp::Ordering {
        let cols = self.chain.iter().copied().chain(self.masks.cols());
        let groups = cols.map(|col| a.group[col].cmp(&b.group[col]));
        groups.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(b.hi.cmp(&a.hi)).then(a.at.cmp(&b.at))
    }

    /// Gathers. `chain` and `masks` together are every column of the frame. Of clusters alike in an innermost group only
    /// as many are kept as may be used at all.
    pub(super) fn fill(&mut self, frame: &Frame<'_>, chain: &Chain, masks: &Masks) {
        self.chain.clear();
        self.chain.extend(chain.cols().iter().rev());
        self.masks = *masks;
        let many = u32::try_from(frame.problem.candidates.len()).unwrap_or(u32::MAX);
        let inner = self.chain.last().copied().filter(|_| masks.is_empty());
        let buckets = inner.map_or(1, |col| usize::try_from(frame.cols()[col].count).unwrap_or(0));
        self.first.clear();
        self.first.resize(buckets, NONE);
        self.next.clear();
        self.plain.clear();
        for item in (0..many).filter_map(|at| frame.item(at)) {
            let bucket = inner.map_or(0, |col| usize::try_from(item.group[col]).unwrap_or(0));
            let Some(first) = self.first.get_mut(bucket) else { continue };
            self.next.push(*first);
            *first = u32::try_from(self.plain.len()).unwrap_or(NONE);
            self.plain.push(item);
        }
        let most = usize::try_from(frame.max_clusters).unwrap_or(usize::MAX);
        self.items.clear();
        for &first in &self.first {
            let start = self.items.len();
            let mut at = first;
            while let Some(item) = usize::try_from(at).ok().and_then(|at| self.plain.get(at)) {
                self.items.push(*item);
                at = usize::try_from(at).ok().and_then(|at| self.next.get(at)).copied().unwrap_or(NONE);
            }
            let Some(bucket) = self.items.get_mut(start..) else { continue };
            if bucket.len() <= most || !masks.is_empty() {
                continue;
            }
            // Special ones first, then the roomiest.
            let plain = |item: &Item| !is_special(frame, item);
            let special = bucket.iter().filter(|item| !plain(item)).count();
            let end = special.saturating_add(most);
            if end > 0 && end < bucket.len() {
                bucket.select_nth_unstable_by(end - 1, |a, b| {
                    plain(a).cmp(&plain(b)).then(b.hi.cmp(&a.hi)).then(a.at.cmp(&b.at))
                });
                self.items.truncate(start + end);
            }
        }
        let mut items = std::mem::take(&mut self.items);
        items.sort_unstable_by(|a, b| self.compare(a, b));
        self.items = items;
    }

    /// Makes sure that an item is among the items; answers whether it was not.
    pub(super) fn insert(&mut self, item: &Item) -> bool {
        match self.items.binary_search_by(|other| self.compare(other, item)) {
            Ok(_) => false,
            Err(at) => {
                self.items.insert(at, *item);
                true
            }
        }
    }

    /// Undoes [`Pool::insert`].
    pub(super) fn remove(&mut self, item: &Item) {
        if let Ok(at) = self.items.binary_search_by(|other| self.compare(other, item)) {
            self.items.remove(at);
        }
    }

    /// Whether plain sums say already that nothing can exist. Far cheaper than the table, and the usual refusal.
    pub(super) fn is_hopeless(&mut self, frame: &Frame<'_>) -> bool {
        let most = usize::try_from(frame.max_clusters).unwrap_or(usize::MAX);
        let best = |sums: &mut Vec<i64>, most: usize| {
            if most == 0 {
                return 0;
            }
            if most < sums.len() {
                sums.select_nth_unstable_by(most - 1, |a, b| b.cmp(a));
            }
            sums.iter().take(most).fold(0_i64, |sum, &hi| sum.saturating_add(hi))
        };
        self.sums.clear();
        self.sums.extend(self.items.iter().map(|item| item.hi));
        if self.items.len() < usize::try_from(frame.min_clusters.max(1)).unwrap_or(usize::MAX) {
            return true;
        }
        if frame.total.is_some_and(|total| best(&mut self.sums, most) < total) {
            return true;
        }
        let Some(&outer) = self.chain.first() else { return false };
        let col = &frame.cols()[outer];
        // Other groups that must be used take a cluster each.
        let others = usize::try_from(col.min.saturating_sub(1)).unwrap_or(usize::MAX);
        let here =
            if self.chain.len() == 1 && self.masks.is_empty() { most.saturating_sub(others) } else { usize::MAX };
        self.sums.clear();
        for run in self.items.chunk_by(|a, b| a.group[outer] == b.group[outer]) {
            let sum = run.iter().take(here).fold(0_i64, |sum, item| sum.saturating_add(item.hi));
            let sum = sum.min(run.first().map_or(0, |item| frame.most(outer, item.group[outer])));
            if sum >= col.least {
                self.sums.push(sum);
            }
        }
        let groups = usize::try_from(col.max).unwrap_or(usize::MAX);
        self.sums.len() < usize::try_from(col.min).unwrap_or(usize::MAX)
            || frame.total.is_some_and(|total| best(&mut self.sums, groups) < total)
    }

    /// Whether a placement exists that uses every forced item and every one in `taken` (by candidate index; each has
    /// been [inserted](Pool::insert)).
    pub(super) fn exists(&mut self, frame: &Frame<'_>, taken: &[bool]) -> Found {
        let many = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        let mut limits = Limits { max: [0; LEVELS], saturate: [false; LEVELS] };
        for (level, &col) in self.chain.iter().enumerate() {
            let col = &frame.cols()[col];
            limits.saturate[level] = col.max >= many;
            limits.max[level] = if col.max >= many { col.min } else { col.max };
        }
        let loose =
            frame.max_clusters >= many || frame.total.is_some_and(|total| i64::from(frame.max_clusters) >= total);
        let at = self.chain.len();
        limits.saturate[at] = loose && frame.problem.mode != Mode::Packed;
        limits.max[at] = if limits.saturate[at] { frame.min_clusters.max(1) } else { frame.max_clusters.min(many) };
        let Self { items, chain, masks, space, .. } = self;
        let mut search = Search { frame, taken, chain, masks, limits, lost: false, space };
        let entries = search.group(items, 0);
        let mut found = Found::No;
        for entry in &entries {
            let groups = search.chain.iter().zip(entry.counts);
            let enough = groups.into_iter().all(|(&col, used)| used >= frame.cols()[col].min);
            let clusters = entry.counts[at];
            let enough = enough && masks.reached(frame, entry.mask);
            if !enough || clusters < frame.min_clusters.max(1) {
                continue;
            }
            if let Some(kept) = frame.reaches(entry.sum) {
                let best = match found {
                    Found::Yes { kept, clusters } => (kept, std::cmp::Reverse(clusters)),
                    _ => (i64::MIN, std::cmp::Reverse(u32::MAX)),
                };
                let by_kept = (kept, std::cmp::Reverse(clusters)) > best;
                // With a wanted amount kept, the fewest clusters count; else the most kept.
                let fewer = matches!(frame.keep, Keep::AtLeast(least) if least > i64::MIN);
                if if fewer { clusters < best.1.0 } else { by_kept } {
                    found = Found::Yes { kept, clusters };
                }
            }
        }
        let lost = search.lost;
        space.back(entries);
        if lost && found == Found::No { Found::Unknown } else { found }
    }
}

/// Whether room alone does not say which of two is better.
fn is_special(frame: &Frame<'_>, item: &Item) -> bool {
    item.forced || item.lo != frame.plain_least() || (matches!(frame.keep, Keep::AtLeast(_)) && item.cur > 0)
}

struct Search<'s, 'a> {
    frame: &'s Frame<'a>,
    taken: &'s [bool],
    chain: &'s [usize],
    masks: &'s Masks,
    limits: Limits,
    lost: bool,
    space: &'s mut Space,
}

impl Search<'_, '_> {
    fn is_taken(&self, item: &Item) -> bool {
        item.forced || usize::try_from(item.at).ok().and_then(|at| self.taken.get(at)).copied().unwrap_or(false)
    }

    /// Undominated entries of all items, which share their groups above `level`.
    fn group(&mut self, items: &[Item], level: usize) -> Vec<Entry> {
        let mut all = self.space.one(ZERO);
        let Some(&col) = self.chain.get(level) else {
            let masks = self.masks;
            for run in items.chunk_by(|a, b| masks.cols().all(|col| a.group[col] == b.group[col])) {
                let inner = self.leaf(run);
                all = self.merge(all, inner);
            }
            return all;
        };
        for run in items.chunk_by(|a, b| a.group[col] == b.group[col]) {
            let Some(first) = run.first() else { continue };
            let (least, most) = (self.frame.cols()[col].least, self.frame.most(col, first.group[col]));
            let mut inner = self.group(run, level + 1);
            inner.retain_mut(|entry| {
                if entry.counts[self.chain.len()] == 0 {
                    return true;
                }
                entry.sum = entry.sum.within(least, most);
                entry.counts[level] = 1;
                if self.limits.max[level] == 0 {
                    entry.counts[level] = u32::from(!self.limits.saturate[level]);
                }
                entry.sum.lo <= entry.sum.hi && entry.counts[level] <= self.limits.max[level]
            });
            all = self.merge(all, inner);
        }
        all
    }

    fn leaf(&mut self, items: &[Item]) -> Vec<Entry> {
        let at = self.chain.len();
        let mut all = self.space.one(ZERO);
        let mut plain = self.space.one(ZERO);
        for item in items {
            let mut single = Entry { sum: self.frame.sum(item), mask: self.masks.bits(item), ..ZERO };
            single.counts[at] = 1;
            if self.is_taken(item) {
                let list = self.space.one(single);
                all = self.merge(all, list);
            } else if is_special(self.frame, item) {
                let mut list = self.space.one(ZERO);
                list.push(single);
                all = self.merge(all, list);
            } else if let Some(&last) = plain.last() {
                // Once these alone hold everything, more of them only matter for the number of clusters.
                let enough = last.sum.hi >= self.frame.ceiling && self.limits.saturate[at];
                if enough && last.counts[at] >= self.limits.max[at] {
                    continue;
                }
                if let Some(more) = self.join(&last, &single) {
                    plain.push(more);
                }
            }
        }
        self.merge(all, plain)
    }

    fn join(&self, a: &Entry, b: &Entry) -> Option<Entry> {
        let mut counts = [0; LEVELS];
        for (level, count) in counts.iter_mut().enumerate().take(self.chain.len() + 1) {
            *count = a.counts[level].saturating_add(b.counts[level]);
            if *count > self.limits.max[level] {
                if !self.limits.saturate[level] {
                    return None;
                }
                *count = self.limits.max[level];
            }
        }
        let mask = a.mask | b.mask;
        if !self.masks.within(self.frame, mask) {
            return None;
        }
        let mut sum = a.sum.plus(b.sum);
        if self.frame.total.is_some() {
            if sum.lo > self.frame.ceiling {
                return None;
            }
            sum = sum.within(sum.lo, self.frame.ceiling);
        }
        Some(Entry { counts, mask, sum })
    }

    /// All sums of one of each, without the dominated ones.
    fn merge(&mut self, left: Vec<Entry>, right: Vec<Entry>) -> Vec<Entry> {
        if is_nothing(&right) {
            self.space.back(right);
            return left;
        }
        if is_nothing(&left) {
            self.space.back(left);
            return right;
        }
        let mut found = self.space.empty();
        if let [only] = right.as_slice() {
            found.extend(left.iter().filter_map(|entry| self.join(entry, only)));
        } else {
            self.cross(&left, &right, &mut found);
        }
        self.space.back(left);
        self.space.back(right);
        found
    }

    fn cross(&mut self, left: &[Entry], right: &[Entry], found: &mut Vec<Entry>) {
        let levels = self.chain.len() + 1;
        let mut cells = 1_usize << self.masks.len();
        for max in &self.limits.max[..levels] {
            cells = cells.saturating_mul(usize::try_from(*max).unwrap_or(usize::MAX).saturating_add(1));
        }
        if cells > CELLS {
            self.lost = true;
            return;
        }
        let mut heads = std::mem::take(&mut self.space.heads);
        let mut out = std::mem::take(&mut self.space.out);
        if heads.len() < cells {
            heads.resize(cells, NONE);
        }
        let max = &self.limits.max[..levels];
        let cell = |entry: &Entry| {
            let counts = entry.counts.iter().zip(max).fold(0_usize, |cell, (&count, &max)| {
                cell * (usize::try_from(max).unwrap_or(0) + 1) + usize::try_from(count).unwrap_or(0)
            });
            (counts << self.masks.len()) + usize::try_from(entry.mask).unwrap_or(0)
        };
        'all: for a in left {
            for b in right {
                let Some(new) = self.join(a, b) else { continue };
                if out.len() >= ENTRIES {
                    self.lost = true;
                    break 'all;
                }
                if let Some(head) = heads.get_mut(cell(&new)) {
                    insert(head, &mut out, new);
                }
            }
        }
        for (entry, _) in &out {
            if let Some(head) = heads.get_mut(cell(entry)) {
                *head = NONE;
            }
        }
        // A dominated entry is marked with an empty interval.
        found.extend(out.drain(..).map(|(entry, _)| entry).filter(|entry| entry.sum.lo <= entry.sum.hi));
        self.space.heads = heads;
        self.space.out = out;
    }
}

/// Whether merging with this list changes nothing.
fn is_nothing(list: &[Entry]) -> bool {
    matches!(list, [only] if only.counts == [0; LEVELS] && only.mask == 0 && only.sum == Sum::default())
}

fn insert(head: &mut u32, out: &mut Vec<(Entry, u32)>, new: Entry) {
    let mut next = *head;
    while let Some((old, after)) = usize::try_from(next).ok().and_then(|next| out.get_mut(next)) {
        if covers(&old.sum, &new.sum) {
            return;
        }
        if covers(&new.sum, &old.sum) {
            old.sum = Sum { lo: 1, hi: 0, a: i64::MIN, m: i64::MIN };
        }
        next = *after;
    }
    let at = u32::try_from(out.len()).unwrap_or(NONE);
    out.push((new, *head));
    *head = at;
}

/// Whether every sum of `other` is attainable with as much kept.
fn covers(one: &Sum, other: &Sum) -> bool {
    one.lo <= other.lo && one.hi >= other.hi && one.a >= other.a && one.m >= other.m
}
