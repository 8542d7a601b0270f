//! Exact answer for one chain of nested keys: does a set exist, how much can stay, how few clusters do.
//!
//! Inside a group, among clusters alike but for their room, the roomiest are never worse, so a prefix of them stands for
//! all; a table over (groups used per key, clusters used) keeps the undominated attainable sums. No group is enumerated
//! twice: 5 of 31 regions costs what 2 of 31 costs.

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
    sum: Sum,
}

const ZERO: Entry = Entry { counts: [0; LEVELS], sum: Sum { lo: 0, hi: 0, a: 0, m: 0 } };

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

/// All items of an attempt, ready for [`exists`].
#[derive(Debug, Default)]
pub(super) struct Pool {
    items: Vec<Item>,
    chain: Vec<usize>,
}

impl Pool {
    /// Gathers and sorts. `chain`: every column of the frame, innermost first.
    pub(super) fn fill(&mut self, frame: &Frame<'_>, chain: &[usize]) {
        self.chain.clear();
        self.chain.extend(chain.iter().rev());
        self.items.clear();
        let many = u32::try_from(frame.problem.candidates.len()).unwrap_or(u32::MAX);
        self.items.extend((0..many).filter_map(|at| frame.item(at)));
        let chain = &self.chain;
        self.items.sort_unstable_by(|a, b| {
            let groups = chain.iter().map(|&col| a.group[col].cmp(&b.group[col]));
            groups.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(b.hi.cmp(&a.hi)).then(a.at.cmp(&b.at))
        });
    }

    /// Whether a placement exists that uses every forced item and every one in `taken` (by candidate index).
    pub(super) fn exists(&self, frame: &Frame<'_>, taken: &[bool]) -> Found {
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
        let mut search = Search { frame, taken, chain: &self.chain, limits, lost: false };
        let entries = search.group(&self.items, 0);
        let mut found = Found::No;
        for entry in entries {
            let groups = self.chain.iter().zip(entry.counts);
            let enough = groups.into_iter().all(|(&col, used)| used >= frame.cols()[col].min);
            let clusters = entry.counts[at];
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
        if search.lost && found == Found::No { Found::Unknown } else { found }
    }
}

struct Search<'s, 'a> {
    frame: &'s Frame<'a>,
    taken: &'s [bool],
    chain: &'s [usize],
    limits: Limits,
    lost: bool,
}

impl Search<'_, '_> {
    fn is_taken(&self, item: &Item) -> bool {
        item.forced || usize::try_from(item.at).ok().and_then(|at| self.taken.get(at)).copied().unwrap_or(false)
    }

    /// Undominated entries of all items, which share their groups above `level`.
    fn group(&mut self, items: &[Item], level: usize) -> Vec<Entry> {
        let Some(&col) = self.chain.get(level) else { return self.leaf(items) };
        let mut all = vec![ZERO];
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
            all = self.merge(&all, &inner);
        }
        all
    }

    fn leaf(&mut self, items: &[Item]) -> Vec<Entry> {
        let at = self.chain.len();
        let one = |item: &Item, frame: &Frame<'_>| {
            let mut entry = Entry { sum: frame.sum(item), ..ZERO };
            entry.counts[at] = 1;
            entry
        };
        let mut all = vec![ZERO];
        let mut plain = vec![ZERO];
        let keeps = matches!(self.frame.keep, Keep::AtLeast(_));
        for item in items {
            let single = one(item, self.frame);
            if self.is_taken(item) {
                all = self.merge(&all, &[single]);
            } else if item.lo != self.frame.plain_least() || (keeps && item.cur > 0) {
                all = self.merge(&all, &[ZERO, single]);
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
        self.merge(&all, &plain)
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
        let mut sum = a.sum.plus(b.sum);
        if self.frame.total.is_some() {
            if sum.lo > self.frame.ceiling {
                return None;
            }
            sum = sum.within(sum.lo, self.frame.ceiling);
        }
        Some(Entry { counts, sum })
    }

    /// All sums of one of each, without the dominated ones.
    fn merge(&mut self, left: &[Entry], right: &[Entry]) -> Vec<Entry> {
        if let [only] = right {
            return left.iter().filter_map(|entry| self.join(entry, only)).collect();
        }
        let levels = self.chain.len() + 1;
        let mut cells = 1_usize;
        for max in &self.limits.max[..levels] {
            cells = cells.saturating_mul(usize::try_from(*max).unwrap_or(usize::MAX).saturating_add(1));
        }
        if cells > CELLS {
            self.lost = true;
            return Vec::new();
        }
        let mut heads = vec![u32::MAX; cells];
        let mut out: Vec<(Entry, u32)> = Vec::with_capacity(left.len() * 2);
        for a in left {
            for b in right {
                let Some(new) = self.join(a, b) else { continue };
                if out.len() >= ENTRIES {
                    self.lost = true;
                    break;
                }
                insert(&mut heads, &mut out, new, &self.limits.max[..levels]);
            }
        }
        // A dominated entry is marked with an empty interval.
        out.into_iter().map(|(entry, _)| entry).filter(|entry| entry.sum.lo <= entry.sum.hi).collect()
    }
}

fn insert(heads: &mut [u32], out: &mut Vec<(Entry, u32)>, new: Entry, max: &[u32]) {
    let cell = new.counts.iter().zip(max).fold(0_usize, |cell, (&count, &max)| {
        cell * (usize::try_from(max).unwrap_or(0) + 1) + usize::try_from(count).unwrap_or(0)
    });
    let Some(head) = heads.get_mut(cell) else { return };
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
    let at = u32::try_from(out.len()).unwrap_or(u32::MAX);
    out.push((new, *head));
    *head = at;
}

/// Whether every sum of `other` is attainable with as much kept.
fn covers(one: &Sum, other: &Sum) -> bool {
    one.lo <= other.lo && one.hi >= other.hi && one.a >= other.a && one.m >= other.m
}
