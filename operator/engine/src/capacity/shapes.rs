//! A pool's free capacity as classes of nodes with equal free vectors, and exact taking and giving back.

use super::resources::{Request, Resources};

/// Classes a pool is observed with at most.
pub const MAX_SHAPES: usize = 16;

/// Nodes with equal free vectors.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeShape {
    /// Free on each of them.
    pub free: Resources,
    /// Number of nodes.
    pub count: i64,
}

/// A pod of this request was seen Unschedulable: of requests at least as large no more than `slots` fit until the next
/// observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnschedulableBound {
    /// What the pod asked for.
    pub request: Request,
    /// Usually 0.
    pub slots: i64,
}

/// What one [`FreePool::take`] did; hand it to [`FreePool::give_back`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Taken {
    /// Pods that found a slot.
    pub pods: i64,
    /// Nodes moved from one free vector to another, in order.
    moves: Vec<(Resources, Resources, i64)>,
}

/// Free capacity of a pool. Taking splits classes, so there may be more than [`MAX_SHAPES`] afterwards; nothing is
/// rounded by taking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreePool {
    shapes: Vec<NodeShape>,
    bounds: Vec<UnschedulableBound>,
}

impl FreePool {
    /// Summarises nodes into at most [`MAX_SHAPES`] classes. Classes that lose least are merged, and a merged class has
    /// the smaller of each resource: what the pool promises is there. Nodes with a negative amount count as having none
    /// of it; classes without nodes are left out.
    #[must_use]
    pub fn new(nodes: impl IntoIterator<Item = NodeShape>) -> Self {
        let mut pool = Self::default();
        for mut node in nodes {
            if node.count <= 0 {
                continue;
            }
            if !node.free.is_valid() {
                node.free = node.free.raised_to_zero();
            }
            pool.put(node.free, node.count);
        }
        while pool.shapes.len() > MAX_SHAPES {
            let pairs = pool.shapes.windows(2).enumerate();
            let Some((at, _)) = pairs.min_by_key(|(at, pair)| (loss(&pair[0], &pair[1]), *at)) else { break };
            let upper = pool.shapes.remove(at + 1);
            let lower = pool.shapes.remove(at);
            pool.put(lower.free.floor(&upper.free), lower.count.saturating_add(upper.count));
        }
        pool
    }

    /// The classes, in the order of their vectors.
    #[must_use]
    pub fn shapes(&self) -> &[NodeShape] {
        &self.shapes
    }

    /// A pod was seen Unschedulable; see [`UnschedulableBound`].
    pub fn note_unschedulable(&mut self, bound: UnschedulableBound) {
        self.bounds.push(bound);
    }

    /// Pods of this request that fit: the sum over classes of count x min(free / request), rounded down per node.
    /// Saturates; a request for nothing at all is bounded by nothing.
    #[must_use]
    pub fn slots(&self, request: &Request) -> i64 {
        let sum = self
            .shapes
            .iter()
            .fold(0_i64, |sum, shape| sum.saturating_add(shape.free.fits(request).saturating_mul(shape.count)));
        let bounds = self.bounds.iter().filter(|bound| request.covers(&bound.request));
        bounds.map(|bound| bound.slots.max(0)).fold(sum, i64::min)
    }

    /// [`Self::slots`], but no more than `most`: who asks for few of many does not look at every class.
    #[must_use]
    pub fn slots_up_to(&self, request: &Request, most: i64) -> i64 {
        if !self.bounds.is_empty() {
            return self.slots(request).min(most);
        }
        let mut sum = 0_i64;
        for shape in &self.shapes {
            if sum >= most {
                break;
            }
            sum = sum.saturating_add(shape.free.fits(request).saturating_mul(shape.count));
        }
        sum.min(most)
    }

    /// Takes slots for up to `pods` pods, on the nodes with the fewest slots first. Never takes more than is free.
    pub fn take(&mut self, request: &Request, pods: i64) -> Taken {
        let mut moves = Vec::new();
        let pods = self.take_with(request, pods, |before, after, nodes| moves.push((before, after, nodes)));
        Taken { pods, moves }
    }

    /// [`Self::take`] for whoever gives nothing back.
    pub fn remove(&mut self, request: &Request, pods: i64) {
        self.take_with(request, pods, |_, _, _| {});
    }

    /// [`Self::remove`] of pods that are known to fit ([`Self::slots`]).
    pub fn remove_fitting(&mut self, request: &Request, pods: i64) {
        self.take_fitting(request, pods, |_, _, _| {});
    }

    fn take_with(&mut self, request: &Request, pods: i64, moved: impl FnMut(Resources, Resources, i64)) -> i64 {
        let fitting = self.slots_up_to(request, pods).max(0);
        self.take_fitting(request, fitting, moved)
    }

    fn take_fitting(&mut self, request: &Request, pods: i64, mut moved: impl FnMut(Resources, Resources, i64)) -> i64 {
        let mut left = pods;
        let mut taken = 0;
        while left > 0 {
            let mut least: Option<(i64, &NodeShape)> = None;
            for shape in &self.shapes {
                let fits = shape.free.fits(request);
                if fits > 0 && least.is_none_or(|(known, _)| fits < known) {
                    least = Some((fits, shape));
                }
                // Nothing has fewer than one.
                if fits == 1 {
                    break;
                }
            }
            let Some((fits, shape)) = least else { break };
            let (each, nodes) = if left >= fits { (fits, (left / fits).min(shape.count)) } else { (left, 1) };
            let before = shape.free.clone();
            let Some(after) = before.checked_less(request, each) else { break };
            left -= each * nodes;
            taken += each * nodes;
            if before == after {
                // A request for nothing takes nothing.
                taken += left;
                break;
            }
            self.shift(&before, &after, nodes);
            moved(before, after, nodes);
        }
        taken
    }

    /// Takes an amount from the nodes whatever the gaps are, class by class. Answers what was not there. Of what every
    /// node has one of it takes nothing: such pods are more than one a node already.
    pub fn drain(&mut self, amount: &Resources) -> Resources {
        let mut left = amount.raised_to_zero().countable();
        for shape in self.shapes.clone() {
            let mut nodes = shape.count;
            while nodes > 0 {
                let part = shape.free.floor(&left).countable();
                // Something asked for nothing of every resource fits without end: there is nothing more to take here.
                let times = left.fits(&part);
                if times == i64::MAX {
                    break;
                }
                let times = times.clamp(1, nodes);
                let (Some(after), Some(rest)) = (shape.free.checked_less(&part, 1), left.checked_less(&part, times))
                else {
                    break;
                };
                self.shift(&shape.free, &after, times);
                left = rest;
                nodes -= times;
            }
        }
        left
    }

    /// What is left when every node gives this much, as the pod of a DaemonSet on each of them takes it. A node that has
    /// not that much is left out: its daemon would be missing, so nothing is counted on it.
    #[must_use]
    pub fn less_on_each(&self, request: &Request) -> Self {
        let mut less = Self { shapes: Vec::new(), bounds: self.bounds.clone() };
        for shape in &self.shapes {
            if shape.free.covers(request)
                && let Some(free) = shape.free.checked_less(request, 1)
            {
                less.put(free, shape.count);
            }
        }
        less
    }

    /// Whether every node has this much, and there is one.
    #[must_use]
    pub fn every_node_covers(&self, request: &Request) -> bool {
        !self.shapes.is_empty() && self.shapes.iter().all(|shape| shape.free.covers(request))
    }

    /// Takes this much from every node that has it.
    pub fn take_on_each(&mut self, request: &Request) {
        for NodeShape { free, count } in std::mem::take(&mut self.shapes) {
            match free.checked_less(request, 1).filter(|_| free.covers(request)) {
                Some(left) => self.put(left, count),
                None => self.put(free, count),
            }
        }
    }

    /// Undoes a take. Takes are given back in reverse order (a journal); out of order it may be that the nodes have
    /// moved on, and then nothing changes and the answer is false.
    #[must_use]
    pub fn give_back(&mut self, taken: &Taken) -> bool {
        let mut trial = self.shapes.clone();
        for (before, after, nodes) in taken.moves.iter().rev() {
            let Ok(at) = trial.binary_search_by(|shape| shape.free.cmp(after)) else { return false };
            if trial[at].count < *nodes {
                return false;
            }
            shift(&mut trial, after, before, *nodes);
        }
        self.shapes = trial;
        true
    }

    fn put(&mut self, free: Resources, count: i64) {
        put(&mut self.shapes, free, count);
    }

    fn shift(&mut self, from: &Resources, to: &Resources, nodes: i64) {
        shift(&mut self.shapes, from, to, nodes);
    }
}

fn put(shapes: &mut Vec<NodeShape>, free: Resources, count: i64) {
    match shapes.binary_search_by(|shape| shape.free.cmp(&free)) {
        Ok(at) => shapes[at].count = shapes[at].count.saturating_add(count),
        Err(at) => shapes.insert(at, NodeShape { free, count }),
    }
}

fn shift(shapes: &mut Vec<NodeShape>, from: &Resources, to: &Resources, nodes: i64) {
    if let Ok(at) = shapes.binary_search_by(|shape| shape.free.cmp(from)) {
        shapes[at].count -= nodes;
        if shapes[at].count <= 0 {
            shapes.remove(at);
        }
        put(shapes, to.clone(), nodes);
    }
}

/// What merging two classes throws away, in thousandths of the larger vector, times nodes.
fn loss(one: &NodeShape, two: &NodeShape) -> i128 {
    let floor = one.free.floor(&two.free);
    [one, two].into_iter().fold(0_i128, |sum, shape| {
        let pairs = shape.free.amounts().zip(floor.amounts_of(&shape.free));
        let parts =
            pairs.map(
                |(have, left)| {
                    if have > 0 { (i128::from(have) - i128::from(left)) * 1000 / i128::from(have) } else { 0 }
                },
            );
        sum.saturating_add(parts.sum::<i128>() * i128::from(shape.count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{Bytes, Millicores};

    #[test]
    fn who_asks_for_few_slots_is_told_what_all_of_them_would_say() {
        let of = |cpu: i64, memory: i64| Resources::new(Millicores(cpu), Bytes(memory), Bytes(0), 10);
        let nodes = [(1, 0, 2), (2, 3, 1), (5, 1, 3), (9, 9, 2)];
        let nodes = nodes.map(|(cpu, memory, count)| NodeShape { free: of(cpu, memory), count });
        let one = |cpu: i64, memory: i64| Resources::new(Millicores(cpu), Bytes(memory), Bytes(0), 1);
        let open = FreePool::new(nodes);
        let mut bound = open.clone();
        bound.note_unschedulable(UnschedulableBound { request: one(2, 1), slots: 2 });
        for pool in [open, bound] {
            for request in [one(1, 1), one(2, 1), one(4, 0), one(0, 0), one(50, 0)] {
                for most in [-1, 0, 1, 2, 5, 1000, i64::MAX] {
                    assert_eq!(pool.slots_up_to(&request, most), pool.slots(&request).min(most), "{request:?} {most}");
                }
            }
        }
    }
}
