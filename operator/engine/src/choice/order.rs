//! Candidates in (ordered group, score descending, name rank) order, sorted only as far as somebody looks.

use std::cmp::Reverse;

use super::Problem;
use super::frame::Frame;

type Place = (u32, Reverse<i64>, u32, u32);

/// The order, sorted as far as needed.
#[derive(Debug, Default)]
pub(super) struct Order {
    best: Vec<Place>,
    sorted: Vec<u32>,
    whole: bool,
    /// All candidates have one ordered group and one score: only the rank counts.
    flat: bool,
}

const FIRST: usize = 24;
const SECOND: usize = 128;

fn place(problem: &Problem<'_>, at: usize) -> Option<Place> {
    let candidate = problem.candidates.get(at)?;
    let rank = problem.ranks.get(usize::try_from(candidate.slot).ok()?)?;
    Some((candidate.tier, Reverse(candidate.score), *rank, u32::try_from(at).ok()?))
}

impl Order {
    pub(super) fn reset(&mut self, flat: bool) {
        self.flat = flat;
        self.sorted.clear();
        self.whole = false;
    }

    /// The candidate at a position, or `None` after the last. `frame` only says who has room for its least.
    pub(super) fn get(&mut self, frame: &Frame<'_>, position: usize) -> Option<u32> {
        while position >= self.sorted.len() && !self.whole {
            let size = match self.sorted.len() {
                0 => FIRST,
                FIRST => SECOND,
                _ => usize::MAX,
            };
            self.fill(frame, size);
        }
        self.sorted.get(position).copied()
    }

    /// All of them, sorted.
    pub(super) fn all(&mut self, frame: &Frame<'_>) -> &[u32] {
        if !self.whole {
            self.fill(frame, usize::MAX);
        }
        &self.sorted
    }

    fn fill(&mut self, frame: &Frame<'_>, size: usize) {
        let problem = frame.problem;
        self.best.clear();
        let mut worst = (u32::MAX, i64::MIN, u32::MAX);
        let mut seen = false;
        let flat = self.flat;
        for (at, candidate) in problem.candidates.iter().enumerate() {
            // Cheap tests first: nearly all candidates of a large fleet end here.
            if !flat && (candidate.tier > worst.0 || (candidate.tier == worst.0 && candidate.score < worst.1)) {
                continue;
            }
            let rank = usize::try_from(candidate.slot).ok().and_then(|slot| problem.ranks.get(slot));
            let Some(&rank) = rank else { continue };
            if rank > worst.2 && (flat || (candidate.tier == worst.0 && candidate.score == worst.1)) {
                continue;
            }
            let Some(place) = place(problem, at) else { continue };
            if !frame.has_room(candidate) {
                continue;
            }
            self.best.push(place);
            if self.best.len() >= size.saturating_mul(2) {
                self.best.select_nth_unstable(size - 1);
                self.best.truncate(size);
                if let Some(&(tier, Reverse(score), rank, _)) = self.best.last() {
                    worst = (tier, score, rank);
                    seen = true;
                }
            }
        }
        self.whole = self.best.len() <= size && !seen;
        if self.best.len() > size {
            self.best.select_nth_unstable(size - 1);
            self.best.truncate(size);
        }
        self.best.sort_unstable();
        self.sorted.clear();
        self.sorted.extend(self.best.iter().map(|place| place.3));
    }
}
