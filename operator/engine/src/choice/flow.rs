//! A small integer flow of least cost: what decides replicas of a set when two families of bounds cross.
//!
//! Successive cheapest paths, each filled at once, found by a queue (arcs may cost less than nothing; there is no cycle
//! of them, because every network here leads from source to sink). Nodes and arcs are tried in the order in which they
//! were made, so the answer is always the same. Knows nothing of clusters.

const NONE: usize = usize::MAX;

#[derive(Clone, Copy, Debug)]
struct Arc {
    to: usize,
    next: usize,
    room: i64,
    cost: i64,
}

/// A network; arc `at ^ 1` is the way back of arc `at`. Keeps its memory.
#[derive(Debug, Default)]
pub(super) struct Flow {
    first: Vec<usize>,
    arcs: Vec<Arc>,
    cost: Vec<i64>,
    via: Vec<usize>,
    waits: Vec<bool>,
    queue: std::collections::VecDeque<usize>,
}

impl Flow {
    pub(super) fn reset(&mut self) {
        self.first.clear();
        self.arcs.clear();
    }

    pub(super) fn node(&mut self) -> usize {
        self.first.push(NONE);
        self.first.len() - 1
    }

    /// An arc with room for `room` units at `cost` each.
    pub(super) fn arc(&mut self, from: usize, to: usize, room: i64, cost: i64) -> usize {
        let at = self.arcs.len();
        self.arcs.push(Arc { to, next: self.first[from], room: room.max(0), cost });
        self.arcs.push(Arc { to: from, next: self.first[to], room: 0, cost: -cost });
        self.first[from] = at;
        self.first[to] = at + 1;
        at
    }

    /// Units an arc carries.
    pub(super) fn carried(&self, arc: usize) -> i64 {
        self.arcs[arc ^ 1].room
    }

    /// Sends up to `want` units as cheaply as possible; answers how many.
    pub(super) fn send(&mut self, from: usize, to: usize, want: i64) -> i64 {
        let mut sent = 0;
        while sent < want && self.cheapest(from, to) {
            let mut step = want - sent;
            let mut at = to;
            while at != from {
                let arc = self.via[at];
                step = step.min(self.arcs[arc].room);
                at = self.arcs[arc ^ 1].to;
            }
            at = to;
            while at != from {
                let arc = self.via[at];
                self.arcs[arc].room -= step;
                self.arcs[arc ^ 1].room += step;
                at = self.arcs[arc ^ 1].to;
            }
            sent += step;
        }
        sent
    }

    fn cheapest(&mut self, from: usize, to: usize) -> bool {
        let nodes = self.first.len();
        self.cost.clear();
        self.cost.resize(nodes, i64::MAX);
        self.via.clear();
        self.via.resize(nodes, NONE);
        self.waits.clear();
        self.waits.resize(nodes, false);
        self.queue.clear();
        self.cost[from] = 0;
        self.queue.push_back(from);
        while let Some(node) = self.queue.pop_front() {
            self.waits[node] = false;
            let so_far = self.cost[node];
            let mut next = self.first[node];
            while let Some(arc) = self.arcs.get(next) {
                let cost = so_far + arc.cost;
                if arc.room > 0 && cost < self.cost[arc.to] {
                    self.cost[arc.to] = cost;
                    self.via[arc.to] = next;
                    if !self.waits[arc.to] {
                        self.waits[arc.to] = true;
                        self.queue.push_back(arc.to);
                    }
                }
                next = arc.next;
            }
        }
        self.via[to] != NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cheaper_way_is_taken_back_when_all_would_not_fit() {
        let mut flow = Flow::default();
        let [from, one, two, to] = std::array::from_fn(|_| flow.node());
        flow.arc(from, one, 1, 0);
        flow.arc(from, two, 1, 5);
        let through = flow.arc(one, two, 1, -10);
        let direct = flow.arc(one, to, 1, 0);
        flow.arc(two, to, 1, 0);
        assert_eq!(flow.send(from, to, 1), 1);
        assert_eq!((flow.carried(through), flow.carried(direct)), (1, 0));
        assert_eq!(flow.send(from, to, 9), 1);
        assert_eq!((flow.carried(through), flow.carried(direct)), (0, 1));
    }
}
