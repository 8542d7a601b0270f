//! Puts the steps together: keeping what runs, ordered groups, Preferred keys, a better score, and the division.

use super::assign::Fit;
use super::divide::{Bound, Divider, Share};
use super::facts::Tally;
use super::families::{Chain, Families};
use super::frame::{Frame, Item, Keep};
use super::nested::Found;
use super::order::Order;
use super::walk::{Answer, Walk};
use super::{
    Facts, Invalid, KeyGroups, Limit, MAX_KEYS, MAX_REPLICAS, Mode, Outcome, Placement, Problem, Rebalance, Strength,
    Target,
};

/// Memory that is used again from call to call; one per thread. Holds nothing a result depends on.
#[derive(Debug, Default)]
pub struct Scratch {
    order: Order,
    walk: Walk,
    currents: Vec<u32>,
    picked: Vec<Item>,
    shares: Vec<Share>,
    bounds: [Vec<Bound>; MAX_KEYS],
    ids: [Vec<u32>; MAX_KEYS],
    divider: Divider,
    tally: Tally,
    tiers: (u32, u32),
    flat: bool,
    wish: Vec<i64>,
    targets: Vec<Target>,
    spare: Vec<Target>,
}

#[derive(Clone, Copy, Debug)]
struct Solved {
    leaving: i64,
    tier: u32,
    limit: Limit,
    optimal: bool,
}

#[derive(Clone, Copy, Debug)]
enum Solution {
    Placed(Solved),
    No,
    NotProven,
}

/// Decides; see the module. Deterministic, independent of the order of candidates and of what the scratch did before.
#[must_use]
pub fn choose<'s>(problem: &Problem<'_>, scratch: &'s mut Scratch) -> Outcome<'s> {
    match scan(problem) {
        Ok((first, last, flat)) => (scratch.tiers, scratch.flat) = ((first, last), flat),
        Err(invalid) => return Outcome::Invalid(invalid),
    }
    scratch.walk.nodes = 0;
    scratch.walk.lost = false;
    let all = (1_u8 << problem.keys.len()) - 1;
    let fresh = problem.rebalance == Rebalance::Ordered;
    let (mut mask, mut solution) = scratch.with_preferred(problem, all, fresh);
    let mut rebalanced = fresh;
    if let Rebalance::Above(threshold) = problem.rebalance
        && !scratch.currents.is_empty()
        && let Solution::Placed(_) = solution
    {
        std::mem::swap(&mut scratch.targets, &mut scratch.spare);
        let (other_mask, other) = scratch.with_preferred(problem, all, true);
        let gain = worth(problem, &scratch.targets) - worth(problem, &scratch.spare);
        let bar = i128::from(threshold.max(0)).saturating_mul(i128::from(problem.replicas));
        if matches!(other, Solution::Placed(_)) && gain > bar {
            (mask, solution, rebalanced) = (other_mask, other, true);
        } else {
            std::mem::swap(&mut scratch.targets, &mut scratch.spare);
        }
    }
    match solution {
        Solution::Placed(solved) => Outcome::Placed(Placement {
            targets: &scratch.targets,
            leaving: solved.leaving,
            tier: solved.tier,
            dropped: all & !mask,
            limit: solved.limit,
            optimal: solved.optimal,
            rebalanced,
        }),
        Solution::No => Outcome::Infeasible(scratch.facts(problem, mask)),
        Solution::NotProven => Outcome::NotProven(scratch.facts(problem, mask)),
    }
}

/// Checks the question; answers its first and last ordered group, and whether they and all scores are one. One pass without a branch: it is paid by every call.
fn scan(problem: &Problem<'_>) -> Result<(u32, u32, bool), Invalid> {
    if problem.replicas < 1 || problem.replicas > MAX_REPLICAS {
        return Err(Invalid::Replicas);
    }
    if problem.keys.len() > MAX_KEYS {
        return Err(Invalid::Keys);
    }
    let shortest = problem.keys.iter().fold(problem.ranks.len(), |shortest, key| match key.groups {
        KeyGroups::Cluster => shortest,
        KeyGroups::Column { by_slot, .. } => shortest.min(by_slot.len()),
    });
    let narrow = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let (slots, extras) = (narrow(shortest), narrow(problem.extras.len()));
    let (mut first, mut last, mut wrong) = (u32::MAX, 0, false);
    let score = problem.candidates.first().map_or(0, |candidate| candidate.score);
    let mut flat = true;
    for candidate in problem.candidates {
        flat &= candidate.score == score;
        wrong |= candidate.slot >= slots;
        // NO_EXTRA is the largest number, so adding one makes it 0.
        wrong |= candidate.extra.wrapping_add(1) > extras;
        first = first.min(candidate.tier);
        last = last.max(candidate.tier);
    }
    if wrong { Err(Invalid::Slot) } else { Ok((first, last, flat && first == last)) }
}

/// Sum of score times replicas. Within i128: at most 2^20 replicas in all, or 2^32 clusters of 2^20.
fn worth(problem: &Problem<'_>, targets: &[Target]) -> i128 {
    let mut sum = 0_i128;
    for candidate in problem.candidates {
        if let Some(target) = targets.iter().find(|target| target.slot == candidate.slot) {
            sum += i128::from(candidate.score) * i128::from(target.replicas);
        }
    }
    sum
}

impl Scratch {
    fn facts(&mut self, problem: &Problem<'_>, mask: u8) -> Facts {
        self.tally.facts(problem, mask, self.walk.nodes)
    }

    /// Solves with all keys, then without Preferred ones from the last while that is needed or moves less.
    fn with_preferred(&mut self, problem: &Problem<'_>, all: u8, fresh: bool) -> (u8, Solution) {
        let mut mask = all;
        let mut best = self.solve(problem, mask, fresh);
        let preferred = (0..problem.keys.len()).rev().filter(|&at| problem.keys[at].strength == Strength::Preferred);
        let mut trial = all;
        for at in preferred {
            let needed = match best {
                // An ordered rebalance decides as if nothing ran.
                Solution::Placed(solved) => solved.leaving > 0 && !fresh,
                Solution::No | Solution::NotProven => true,
            };
            if !needed {
                break;
            }
            trial &= !(1 << at);
            let kept = (self.targets.len(), best);
            let mut before = std::mem::take(&mut self.picked);
            let saved: Vec<Target> = self.targets.clone();
            let next = self.solve(problem, trial, fresh);
            let better = match (kept.1, next) {
                (_, Solution::No) => false,
                (Solution::Placed(old), Solution::Placed(new)) => new.leaving < old.leaving,
                (Solution::Placed(_), Solution::NotProven) => false,
                (Solution::No | Solution::NotProven, _) => true,
            };
            if better {
                (mask, best) = (trial, next);
            } else {
                self.targets.clone_from(&saved);
            }
            before.clear();
            self.picked = before;
        }
        (mask, best)
    }

    fn solve(&mut self, problem: &Problem<'_>, mask: u8, fresh: bool) -> Solution {
        self.targets.clear();
        self.order.reset(self.flat);
        self.currents.clear();
        let mut running = 0_i64;
        let base = Frame::new(problem, mask, Keep::Nothing, u32::MAX);
        if !problem.extras.is_empty() {
            for (at, candidate) in (0_u32..).zip(problem.candidates) {
                let current = base.extra(candidate).current;
                if current > 0 {
                    running = running.saturating_add(current);
                    self.currents.push(at);
                }
            }
        }
        let families = &Families::of(&base);
        let keep = if fresh || self.currents.is_empty() {
            Keep::Nothing
        } else if problem.mode == Mode::Duplicated || problem.replicas >= running {
            Keep::All
        } else {
            Keep::OnlyCurrent
        };
        let mut frame = Frame::new(problem, mask, keep, 0);
        let mut unsure = false;
        if let Some(answer) = self.by_tier(&mut frame, families, &mut unsure) {
            return {
                let sure = !unsure && !self.walk.lost;
                self.finish(&frame, running, families, answer, sure)
            };
        }
        if keep == Keep::Nothing {
            return if unsure { Solution::NotProven } else { Solution::No };
        }
        // Something must leave: first how little.
        let last = self.tiers.1;
        frame = Frame::new(problem, mask, Keep::AtLeast(0), last);
        let chain = if families.cross().is_empty() { Chain::whole(&frame) } else { None };
        if let Some(chain) = chain {
            match self.walk.most_kept(&frame, &chain) {
                Found::No => return if unsure { Solution::NotProven } else { Solution::No },
                Found::Unknown => return Solution::NotProven,
                Found::Yes { kept, .. } => frame.keep = Keep::AtLeast(kept),
            }
        } else {
            let mut wanted = 0;
            loop {
                frame.keep = Keep::AtLeast(wanted);
                match self.walk.run(&frame, &mut self.order, families, &self.currents) {
                    Answer::Set(_) => wanted = self.walk.kept.saturating_add(1),
                    Answer::No => break,
                    Answer::NotProven => {
                        unsure = true;
                        break;
                    }
                }
            }
            if wanted == 0 {
                return if unsure { Solution::NotProven } else { Solution::No };
            }
            self.walk.nodes = 0;
            frame.keep = Keep::AtLeast(wanted - 1);
        }
        match self.by_tier(&mut frame, families, &mut unsure) {
            Some(answer) => {
                let sure = !unsure && !self.walk.lost;
                self.finish(&frame, running, families, answer, sure)
            }
            None => Solution::NotProven,
        }
    }

    /// Opens ordered groups one after the other until a set is found.
    fn by_tier(&mut self, frame: &mut Frame<'_>, families: &Families, unsure: &mut bool) -> Option<Limit> {
        let (first, last) = self.tiers;
        // Where something runs a cluster is open anyway, and that alone may do. Where fewer are wanted it is given back in order.
        let from_first = self.currents.is_empty() || frame.keep == Keep::OnlyCurrent;
        let mut tier = Some(if from_first { first } else { 0 }).filter(|_| first <= last);
        let mut found = None;
        while let Some(open) = tier {
            frame.tier = open;
            match self.walk.run(frame, &mut self.order, families, &self.currents) {
                Answer::Set(limit) => {
                    found = Some(limit);
                    break;
                }
                Answer::No => {}
                Answer::NotProven => *unsure = true,
            }
            let later = frame.problem.candidates.iter().map(|candidate| candidate.tier).filter(|&tier| tier > open);
            tier = if open < last { later.min() } else { None };
        }
        found
    }

    fn finish(
        &mut self,
        frame: &Frame<'_>,
        running: i64,
        families: &Families,
        limit: Limit,
        optimal: bool,
    ) -> Solution {
        let problem = frame.problem;
        self.picked.clear();
        self.picked.extend_from_slice(&self.walk.set);
        let place = |item: &Item| {
            let candidate = usize::try_from(item.at).ok().and_then(|at| problem.candidates.get(at));
            candidate.map(|candidate| {
                let rank = usize::try_from(candidate.slot).ok().and_then(|slot| problem.ranks.get(slot));
                (candidate.tier, std::cmp::Reverse(candidate.score), rank)
            })
        };
        self.picked.sort_unstable_by(|a, b| place(a).cmp(&place(b)));
        self.shares.clear();
        for (ids, bounds) in self.ids.iter_mut().zip(self.bounds.iter_mut()) {
            ids.clear();
            bounds.clear();
        }
        for item in &self.picked {
            let Some(candidate) = usize::try_from(item.at).ok().and_then(|at| problem.candidates.get(at)) else {
                continue;
            };
            let extra = frame.extra(candidate);
            let (least, most) = frame.own_bounds(candidate, &extra);
            let mut groups = [0; MAX_KEYS];
            for (level, &col) in families.chain().iter().enumerate() {
                let id = item.group[col];
                let known = self.ids[level].iter().position(|&other| other == id);
                groups[level] = known.unwrap_or_else(|| {
                    self.ids[level].push(id);
                    let most = frame.most(col, id);
                    self.bounds[level].push(Bound { least: frame.cols()[col].least, most, sum: 0 });
                    self.ids[level].len() - 1
                });
            }
            let weight = if problem.mode == Mode::ByCapacity { candidate.capacity } else { extra.weight };
            let most = if frame.keep == Keep::OnlyCurrent { item.hi } else { most };
            let current = frame.current(&extra);
            self.shares.push(Share { least, most, current, weight, tier: candidate.tier, groups, replicas: 0 });
        }
        let mut left = 0;
        if let Some(total) = frame.total {
            let [one, two, three] = &mut self.bounds;
            let mut levels = [one.as_mut_slice(), two.as_mut_slice(), three.as_mut_slice()];
            let levels = &mut levels[..families.chain().len()];
            left = self.divider.divide(total, &mut self.shares, levels, problem.mode == Mode::Packed);
        }
        if left != 0 {
            // A set is only taken when its attainable sums hold the total.
            return Solution::NotProven;
        }
        if !families.cross().is_empty() && !self.across(frame, families) {
            return Solution::NotProven;
        }
        let mut kept = 0_i64;
        let mut tier = 0;
        for (item, share) in self.picked.iter().zip(&self.shares) {
            let Some(candidate) = usize::try_from(item.at).ok().and_then(|at| problem.candidates.get(at)) else {
                continue;
            };
            let current = frame.extra(candidate).current.max(0);
            let replicas = if frame.total.is_some() { share.replicas } else { problem.replicas };
            kept = kept.saturating_add(if frame.total.is_some() { replicas.min(current) } else { current });
            tier = tier.max(if current > 0 { 0 } else { candidate.tier });
            self.targets.push(Target { slot: candidate.slot, replicas, current });
        }
        self.targets.sort_unstable_by_key(|target| {
            usize::try_from(target.slot).ok().and_then(|slot| problem.ranks.get(slot)).copied()
        });
        let given_up = if frame.total.is_some() { running.saturating_sub(problem.replicas).max(0) } else { 0 };
        let leaving = running.saturating_sub(kept).saturating_sub(given_up).max(0);
        Solution::Placed(Solved { leaving, tier, limit, optimal })
    }
    /// Brings the division within the keys across the nested family, as near to it as they let it be.
    fn across(&mut self, frame: &Frame<'_>, families: &Families) -> bool {
        if frame.total.is_none() {
            return true;
        }
        self.wish.clear();
        self.wish.extend(self.shares.iter().map(|share| share.replicas));
        // Within its own budget: that a division exists is known.
        let mut nodes = 0;
        let fit = self.walk.assign.fit(frame, families, &self.picked, &self.wish, &mut nodes);
        for (share, replicas) in self.shares.iter_mut().zip(&self.walk.assign.replicas) {
            share.replicas = *replicas;
        }
        matches!(fit, Fit::Yes(_))
    }
}
