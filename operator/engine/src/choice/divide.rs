//! How many replicas each chosen cluster gets: Webster / Sainte-Laguë seats within bounds, integers only.
//!
//! A seat j of a cluster is worth weight / (2j - 1). Seats that keep what runs come first, then those of earlier ordered
//! groups, then by worth. Least amounts are met from the inside out, then seats are given one by one; with nested bounds
//! that greedy order is optimal, and one more replica is one more seat. Worths are compared by cross products.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// One cluster to divide among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Least replicas.
    pub least: i64,
    /// Most replicas.
    pub most: i64,
    /// Replicas there now.
    pub current: i64,
    /// Weight; 0 or less gets more only when nobody else can.
    pub weight: i64,
    /// Ordered group; an earlier one is filled first.
    pub tier: u32,
    /// Innermost first: index of the group per level, into the levels given to [`Divider::divide`].
    pub groups: [usize; super::MAX_KEYS],
    /// The result.
    pub replicas: i64,
}

/// Bounds of a group; `sum` is used while dividing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Least replicas together.
    pub least: i64,
    /// Most replicas together.
    pub most: i64,
    /// Replicas given so far.
    pub sum: i64,
}

#[derive(Clone, Copy, Debug)]
struct Seat {
    filled: bool,
    tier: u32,
    weight: i64,
    has: i64,
    at: usize,
}

impl Ord for Seat {
    /// Greater is given first.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_worth = || {
            let one = i128::from(self.weight) * (2 * i128::from(other.has) + 1);
            let two = i128::from(other.weight) * (2 * i128::from(self.has) + 1);
            one.cmp(&two).then(other.has.cmp(&self.has))
        };
        let by = other.tier.cmp(&self.tier);
        let by = if self.filled { by } else { by.then_with(by_worth) };
        by.then(other.at.cmp(&self.at))
    }
}

impl PartialOrd for Seat {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Seat {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Seat {}

/// Divides; keeps its memory.
#[derive(Debug, Default)]
pub struct Divider {
    heap: Vec<Seat>,
}

impl Divider {
    /// Divides `total` among `shares` (in order of preference among equals) and answers the shortfall: what found no
    /// place. `levels`: bounds of groups, innermost level first, nested. `packed`: fill the first before the next.
    /// Least amounts are given even when they exceed `total`; the answer is then negative.
    pub fn divide(&mut self, total: i64, shares: &mut [Share], levels: &mut [&mut [Bound]], packed: bool) -> i64 {
        let mut sum = 0_i64;
        for bound in levels.iter_mut().flat_map(|level| level.iter_mut()) {
            bound.sum = 0;
        }
        for share in shares.iter_mut() {
            share.replicas = 0;
            add(share, levels, share.least.max(0));
            sum = sum.saturating_add(share.replicas);
        }
        for level in 0..levels.len() {
            for group in 0..levels[level].len() {
                let bound = levels[level][group];
                if bound.sum < bound.least {
                    sum = sum.saturating_add(self.fill(
                        bound.least.saturating_sub(bound.sum),
                        shares,
                        levels,
                        Some((level, group)),
                        packed,
                    ));
                }
            }
        }
        let missing = total.saturating_sub(sum);
        missing.saturating_sub(self.fill(missing, shares, levels, None, packed))
    }

    /// Gives up to `want` seats, of one group or of all; answers how many.
    fn fill(
        &mut self,
        want: i64,
        shares: &mut [Share],
        levels: &mut [&mut [Bound]],
        only: Option<(usize, usize)>,
        packed: bool,
    ) -> i64 {
        let mut given = 0_i64;
        for keeping in [true, false] {
            if given >= want {
                break;
            }
            let limit = |share: &Share| if keeping { share.most.min(share.current) } else { share.most };
            let mut heap = std::mem::take(&mut self.heap);
            heap.clear();
            heap.extend(shares.iter().enumerate().filter(|(_, share)| share.replicas < limit(share)).filter_map(
                |(at, share)| {
                    let inside = only.is_none_or(|(level, group)| share.groups[level] == group);
                    let seat =
                        Seat { filled: packed, tier: share.tier, weight: share.weight.max(0), has: share.replicas, at };
                    inside.then_some(seat)
                },
            ));
            if !packed {
                given += jump(want - given, shares, levels, &mut heap, limit);
            }
            let mut heap = BinaryHeap::from(heap);
            while given < want
                && let Some(mut seat) = heap.pop()
            {
                let Some(share) = shares.get_mut(seat.at) else { continue };
                let room = limit(share).saturating_sub(share.replicas).min(spare(share, levels));
                if room <= 0 {
                    continue;
                }
                let step = if packed { room.min(want - given) } else { 1 };
                add(share, levels, step);
                given += step;
                seat.has = share.replicas;
                if room > step {
                    heap.push(seat);
                }
            }
            self.heap = heap.into_vec();
        }
        given
    }
}

/// Gives at once the seats that come first in any case: those worth more than total weight / 2 (want - number of
/// shares), of which there are fewer than wanted. Only where no group is full on the way, for then the order counts.
fn jump(
    want: i64,
    shares: &mut [Share],
    levels: &mut [&mut [Bound]],
    heap: &mut Vec<Seat>,
    limit: impl Fn(&Share) -> i64,
) -> i64 {
    let many = i64::try_from(heap.len()).unwrap_or(i64::MAX);
    let sure = want.saturating_sub(many);
    let one_tier = heap.windows(2).all(|pair| pair[0].tier == pair[1].tier);
    let weights: i128 = heap.iter().map(|seat| i128::from(seat.weight)).sum();
    if sure <= many || !one_tier || weights == 0 {
        return 0;
    }
    // The last seat j with weight / (2j - 1) > weights / 2 sure. Weights are below 2^63 each, so the product is below
    // 2^84 and the sum of weights below 2^127 for any number of clusters.
    let seats = |seat: &Seat, share: &Share| {
        let odd = (2 * i128::from(sure) * i128::from(seat.weight) - 1).div_euclid(weights);
        i64::try_from((odd + 1).div_euclid(2)).unwrap_or(i64::MAX).min(limit(share)).saturating_sub(seat.has).max(0)
    };
    let mut given = 0;
    for seat in &*heap {
        let Some(share) = shares.get_mut(seat.at) else { continue };
        let more = seats(seat, share);
        add(share, levels, more);
        given += more;
    }
    let full = levels.iter().flat_map(|level| level.iter()).any(|bound| bound.sum > bound.most);
    for seat in heap.iter_mut() {
        let Some(share) = shares.get_mut(seat.at) else { continue };
        if full {
            add(share, levels, seat.has - share.replicas);
        } else {
            seat.has = share.replicas;
        }
    }
    if full {
        return 0;
    }
    heap.retain(|seat| shares.get(seat.at).is_some_and(|share| share.replicas < limit(share)));
    given
}

fn spare(share: &Share, levels: &[&mut [Bound]]) -> i64 {
    let bounds = levels.iter().zip(share.groups).filter_map(|(level, group)| level.get(group));
    bounds.map(|bound| bound.most.saturating_sub(bound.sum)).min().unwrap_or(i64::MAX)
}

fn add(share: &mut Share, levels: &mut [&mut [Bound]], count: i64) {
    share.replicas = share.replicas.saturating_add(count);
    for (level, group) in levels.iter_mut().zip(share.groups) {
        if let Some(bound) = level.get_mut(group) {
            bound.sum = bound.sum.saturating_add(count);
        }
    }
}
