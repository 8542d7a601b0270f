//! One attempt at a problem, compiled: the keys in force, the bounds of each candidate, what counts as kept.
//!
//! Everything later steps read about a candidate comes from [`Frame::item`], so that the walk, the exact searches and
//! the division cannot disagree on a bound.

use super::{Candidate, Extra, KeyGroups, MAX_KEYS, Mode, NO_EXTRA, NO_GROUP, Problem};

/// How what runs is honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// As if nothing ran.
    Nothing,
    /// Every replica that runs stays.
    All,
    /// Fewer are wanted than run: only what runs, and nothing grows.
    OnlyCurrent,
    /// At least this many replicas that run stay.
    AtLeast(i64),
}

/// A key over a column of groups, in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct Col<'a> {
    pub(super) key: u8,
    pub(super) by_slot: &'a [u32],
    pub(super) count: u32,
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) least: i64,
    pub(super) most: i64,
    pub(super) room: &'a [i64],
    /// Whether it bounds replicas and not only the number of groups.
    pub(super) sums: bool,
}

/// A candidate with its bounds in this attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) at: u32,
    pub(super) lo: i64,
    pub(super) hi: i64,
    pub(super) cur: i64,
    pub(super) forced: bool,
    pub(super) group: [u32; MAX_KEYS],
}

/// Attainable sums of a set: every sum in `lo..=hi`; of these `min(a + sum, m)` is what stays of what runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) lo: i64,
    pub(super) hi: i64,
    pub(super) a: i64,
    pub(super) m: i64,
}

impl Sum {
    pub(super) fn plus(self, other: Self) -> Self {
        Self { lo: self.lo + other.lo, hi: self.hi + other.hi, a: self.a + other.a, m: self.m + other.m }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self { lo: self.lo - other.lo, hi: self.hi - other.hi, a: self.a - other.a, m: self.m - other.m }
    }

    /// Under a bound from below and above; `lo > hi` afterwards means that no sum is attainable.
    pub(super) fn within(self, least: i64, most: i64) -> Self {
        let (lo, hi) = (self.lo.max(least), self.hi.min(most));
        let a = self.a.min(self.m - lo);
        Self { lo, hi, a, m: self.m.min(a + hi) }
    }

    pub(super) fn kept(self, sum: i64) -> i64 {
        (self.a + sum).min(self.m)
    }
}

/// One attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) problem: &'a Problem<'a>,
    /// The sum wanted: replicas, or for Duplicated no particular number of copies.
    pub(super) total: Option<i64>,
    /// No bound on a sum needs to be larger than this.
    pub(super) ceiling: i64,
    pub(super) min_clusters: u32,
    pub(super) max_clusters: u32,
    least: i64,
    most: i64,
    cols: [Col<'a>; MAX_KEYS],
    len: usize,
    pub(super) keep: Keep,
    /// Ordered groups up to this one may be used; clusters where something runs always, unless only what runs counts.
    pub(super) tier: u32,
}

const NO_COL: Col<'static> =
    Col { key: 0, by_slot: &[], count: 0, min: 0, max: u32::MAX, least: 1, most: i64::MAX, room: &[], sums: false };

impl<'a> Frame<'a> {
    /// The frame with the keys of `mask` in force (bit i: key i).
    pub(super) fn new(problem: &'a Problem<'a>, mask: u8, keep: Keep, tier: u32) -> Self {
        let n = problem.replicas;
        let copies = problem.mode == Mode::Duplicated;
        let many = u32::try_from(problem.candidates.len()).unwrap_or(u32::MAX);
        let mut frame = Self {
            problem,
            total: (!copies).then_some(n),
            ceiling: if copies { i64::from(many) } else { n },
            min_clusters: 1,
            max_clusters: many,
            least: 1,
            most: i64::MAX,
            cols: [NO_COL; MAX_KEYS],
            len: 0,
            keep,
            tier,
        };
        if !copies {
            frame.max_clusters = many.min(u32::try_from(n).unwrap_or(u32::MAX));
        }
        for (index, key) in (0_u8..).zip(problem.keys) {
            if mask & (1 << index) == 0 {
                continue;
            }
            let share = if copies { i64::MAX } else { key.max_share.map_or(i64::MAX, |share| share.floor_of(n)) };
            let most = key.max_replicas.min(share);
            match key.groups {
                KeyGroups::Cluster => {
                    frame.min_clusters = frame.min_clusters.max(key.min_groups);
                    frame.max_clusters = frame.max_clusters.min(key.max_groups);
                    frame.least = frame.least.max(key.min_replicas);
                    frame.most = frame.most.min(most);
                }
                KeyGroups::Column { by_slot, count } => {
                    let least = key.min_replicas.max(1);
                    // Of copies, each weighs n replicas.
                    let (least, most) = if copies { ((least - 1) / n + 1, most / n) } else { (least, most) };
                    frame.cols[frame.len] = Col {
                        key: index,
                        by_slot,
                        count,
                        min: key.min_groups,
                        max: key.max_groups,
                        least,
                        most,
                        room: key.room,
                        sums: least > 1 || most < frame.ceiling || !key.room.is_empty(),
                    };
                    frame.len += 1;
                }
            }
        }
        frame
    }

    pub(super) fn cols(&self) -> &[Col<'a>] {
        &self.cols[..self.len]
    }

    /// Most replicas (copies) of a group.
    pub(super) fn most(&self, col: usize, group: u32) -> i64 {
        let col = &self.cols[col];
        let room = usize::try_from(group).ok().and_then(|group| col.room.get(group)).copied();
        let room = room.unwrap_or(i64::MAX).max(0);
        let room = if self.total.is_none() { room / self.problem.replicas } else { room };
        col.most.min(room).min(self.ceiling)
    }

    pub(super) fn extra(&self, candidate: &Candidate) -> Extra {
        if candidate.extra == NO_EXTRA {
            return Extra::NONE;
        }
        let found = usize::try_from(candidate.extra).ok().and_then(|at| self.problem.extras.get(at));
        found.copied().unwrap_or(Extra::NONE)
    }

    /// What runs on a candidate, in the unit of this attempt.
    pub(super) fn current(&self, extra: &Extra) -> i64 {
        if self.keep == Keep::Nothing {
            0
        } else if self.total.is_none() {
            i64::from(extra.current > 0)
        } else {
            extra.current.max(0)
        }
    }

    /// Bounds before anything is kept: `(least, most)`.
    pub(super) fn own_bounds(&self, candidate: &Candidate, extra: &Extra) -> (i64, i64) {
        let least = self.least.max(extra.min);
        let most = self.most.min(extra.max).min(candidate.capacity);
        if self.total.is_some() {
            (least, most.min(self.ceiling))
        } else {
            let fits = self.problem.replicas >= least && self.problem.replicas <= most;
            (1, i64::from(fits))
        }
    }

    /// Whether a candidate can hold its least, whatever is kept.
    pub(super) fn has_room(&self, candidate: &Candidate) -> bool {
        let extra = self.extra(candidate);
        let (least, most) = self.own_bounds(candidate, &extra);
        least <= most
    }

    /// Least replicas of a used cluster without an extra of its own.
    pub(super) fn plain_least(&self) -> i64 {
        if self.total.is_some() { self.least } else { 1 }
    }

    /// The candidate in this attempt; `None` when it cannot be used.
    pub(super) fn item(&self, at: u32) -> Option<Item> {
        let candidate = self.problem.candidates.get(usize::try_from(at).ok()?)?;
        let extra = self.extra(candidate);
        let cur = self.current(&extra);
        // Where fewer are wanted a later group is given back before an earlier one loses anything.
        if candidate.tier > self.tier && (cur == 0 || self.keep == Keep::OnlyCurrent) {
            return None;
        }
        let (mut lo, mut hi) = self.own_bounds(candidate, &extra);
        match self.keep {
            Keep::Nothing | Keep::AtLeast(_) => {}
            Keep::All => lo = lo.max(cur),
            Keep::OnlyCurrent => hi = hi.min(cur),
        }
        if lo > hi {
            return None;
        }
        let mut group = [NO_GROUP; MAX_KEYS];
        for (group, col) in group.iter_mut().zip(self.cols()) {
            *group = *col.by_slot.get(usize::try_from(candidate.slot).ok()?)?;
            if *group >= col.count {
                return None;
            }
        }
        Some(Item { at, lo, hi, cur, forced: self.keep == Keep::All && cur > 0, group })
    }

    pub(super) fn sum(&self, item: &Item) -> Sum {
        if matches!(self.keep, Keep::AtLeast(_)) {
            Sum { lo: item.lo, hi: item.hi, a: (item.cur - item.lo).min(0), m: item.cur.min(item.hi) }
        } else {
            Sum { lo: item.lo, hi: item.hi, a: 0, m: 0 }
        }
    }

    /// Whether a set with these attainable sums gives the total and keeps enough.
    pub(super) fn reaches(&self, sum: Sum) -> Option<i64> {
        let at = self.total.unwrap_or(sum.hi);
        let kept = sum.kept(at);
        let enough = if let Keep::AtLeast(wanted) = self.keep { kept >= wanted } else { true };
        (sum.lo <= at && at <= sum.hi && enough).then_some(kept)
    }
}
