//! Which keys are nested in which.
//!
//! Keys that bound replicas are split into one nested family, as large as there is, and the keys that cross it. Keys that
//! only bound the number of groups and cross the others become masks when they have few groups.

use super::MAX_KEYS;
use super::frame::{Frame, Item};

/// Columns of a frame, each nested in the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chain {
    cols: [usize; MAX_KEYS],
    len: usize,
}

impl Chain {
    pub(super) fn cols(&self) -> &[usize] {
        &self.cols[..self.len]
    }

    fn put(&mut self, at: usize, col: usize) {
        self.cols[at..].rotate_right(1);
        self.cols[at] = col;
        self.len += 1;
    }

    fn is_one(&self) -> bool {
        self.len <= 1
    }

    /// These columns, innermost first, when they are nested.
    fn nested(frame: &Frame<'_>, mut chain: Self) -> Option<Self> {
        if chain.is_one() {
            return Some(chain);
        }
        for end in (1..chain.len).rev() {
            // Bring to `end` the key that all others before it are inside of.
            let open = &chain.cols[..=end];
            let found = (0..=end).rev().find(|&top| {
                open.iter().enumerate().all(|(at, &other)| at == top || inside(frame, other, open[top]))
            })?;
            chain.cols[found..=end].rotate_left(1);
        }
        Some(chain)
    }

    /// Every column of the frame, innermost first, when they are nested.
    pub(super) fn whole(frame: &Frame<'_>) -> Option<Self> {
        let mut all = Self::default();
        for col in 0..frame.cols().len() {
            all.put(col, col);
        }
        Self::nested(frame, all)
    }
}

/// Most bits of masks together.
const BITS: u32 = 14;

/// Columns that cross a chain, bound no replicas and have few groups: a bit per group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Masks {
    /// Column and number of groups.
    keys: [(usize, u32); MAX_KEYS],
    count: usize,
    bits: u32,
}

impl Masks {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bits of a mask.
    pub(super) fn len(&self) -> u32 {
        self.bits
    }

    pub(super) fn cols(&self) -> impl Iterator<Item = usize> {
        self.keys.into_iter().take(self.count).map(|key| key.0)
    }

    /// Number of groups used per column.
    fn used(&self, mask: u32) -> impl Iterator<Item = (usize, u32)> {
        let mut rest = mask;
        self.keys.into_iter().take(self.count).map(move |(col, groups)| {
            let own = rest & ((1 << groups) - 1);
            rest >>= groups;
            (col, own.count_ones())
        })
    }

    pub(super) fn bits(&self, item: &Item) -> u32 {
        let mut shift = 0;
        self.keys.into_iter().take(self.count).fold(0, |mask, (col, groups)| {
            let bit = 1 << (shift + item.group[col].min(groups - 1));
            shift += groups;
            mask | bit
        })
    }

    /// Whether no key has more groups than it may.
    pub(super) fn within(&self, frame: &Frame<'_>, mask: u32) -> bool {
        self.count == 0 || self.used(mask).all(|(col, used)| used <= frame.cols()[col].max)
    }

    /// Whether every key has the groups it needs.
    pub(super) fn reached(&self, frame: &Frame<'_>, mask: u32) -> bool {
        self.used(mask).all(|(col, used)| used >= frame.cols()[col].min)
    }
}

/// A chain and masks that are all columns of the frame together, with the fewest bits.
pub(super) fn chain_and_masks(frame: &Frame<'_>) -> Option<(Chain, Masks)> {
    let cols = frame.cols();
    let splits = (0..1_u32 << cols.len()).filter_map(|outside| {
        let (mut chain, mut masks) = (Chain::default(), Masks::default());
        for (at, col) in cols.iter().enumerate() {
            if outside & (1 << at) == 0 {
                chain.put(chain.len, at);
                continue;
            }
            if col.sums || col.count == 0 || col.count > BITS {
                return None;
            }
            masks.keys[masks.count] = (at, col.count);
            masks.count += 1;
            masks.bits += col.count;
        }
        (masks.bits <= BITS).then_some((chain, masks))
    });
    let mut splits: Vec<(Chain, Masks)> = splits.collect();
    splits.sort_by_key(|split| split.1.bits);
    splits.into_iter().find_map(|(chain, masks)| Some((Chain::nested(frame, chain)?, masks)))
}

fn inside(frame: &Frame<'_>, inner: usize, outer: usize) -> bool {
    let (inner, outer) = (&frame.cols()[inner], &frame.cols()[outer]);
    let mut parent = vec![None; usize::try_from(inner.count).unwrap_or(0)];
    frame.problem.candidates.iter().all(|candidate| {
        let at = usize::try_from(candidate.slot).unwrap_or(usize::MAX);
        let (Some(&group), Some(&over)) = (inner.by_slot.get(at), outer.by_slot.get(at)) else { return true };
        if group >= inner.count || over >= outer.count {
            return true;
        }
        let Some(parent) = usize::try_from(group).ok().and_then(|group| parent.get_mut(group)) else { return true };
        *parent.get_or_insert(over) == over
    })
}

/// Columns that bound replicas.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Families {
    nested: Chain,
    cross: Chain,
}

impl Families {
    pub(super) fn of(frame: &Frame<'_>) -> Self {
        let mut all = Chain::default();
        for col in (0..frame.cols().len()).filter(|&col| frame.cols()[col].sums) {
            all.put(all.len, col);
        }
        if let Some(nested) = Chain::nested(frame, all) {
            return Self { nested, cross: Chain::default() };
        }
        // Not all: two of three, or one. What stays outside crosses at least one inside.
        for out in (0..all.len).rev().filter(|_| all.len > 2) {
            let (mut pair, mut cross) = (Chain::default(), Chain::default());
            for (at, &col) in all.cols().iter().enumerate() {
                if at == out { cross.put(0, col) } else { pair.put(pair.len, col) }
            }
            if let Some(nested) = Chain::nested(frame, pair) {
                return Self { nested, cross };
            }
        }
        let (mut nested, mut cross) = (Chain::default(), Chain::default());
        for (at, &col) in all.cols().iter().enumerate() {
            if at == 0 { nested.put(0, col) } else { cross.put(at - 1, col) }
        }
        Self { nested, cross }
    }

    /// The nested family, innermost first.
    pub(super) fn chain(&self) -> &[usize] {
        self.nested.cols()
    }

    /// Keys across it.
    pub(super) fn cross(&self) -> &[usize] {
        self.cross.cols()
    }
}
