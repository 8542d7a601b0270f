//! Whether a placement exists where keys cross: a search over which groups are used, not over clusters.
//!
//! Clusters of the same group of every key are one cell, and what a cell carries is a number, so that 1,000 clusters in
//! 31 regions of 6 providers are 37 yes-or-no questions with a flow under each. A flow that cannot carry the total, or
//! that leaves a needed group short, proves that nothing exists below that point; a flow that breaks no bound becomes a
//! set of clusters. Where neither can be said (a third key that crosses both, least amounts that leave gaps, a bound on
//! clusters that the set found breaks) the answer is Unknown, never No.

use std::collections::BTreeMap;

use super::MAX_KEYS;
use super::families::Families;
use super::flow::Flow;
use super::frame::{Frame, Item};

/// Worth of a unit that a least amount needs; see [`super::assign`].
const NEEDED: i64 = 1 << 44;
/// What a whole group costs that is not yet used: each unit costs its part of what the group holds. Rounded down, so
/// that a flow that costs more than the groups still to be had proves that there are too few.
const GROUP: i64 = 1 << 20;

type Groups = [u32; MAX_KEYS];

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exists {
    /// Proven: none.
    No,
    /// Neither found nor excluded.
    Unknown,
    /// With these of the optional items, by candidate index.
    Yes(Vec<u32>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Used,
    Closed,
}

/// Optional items that share every group, in the order of the walk.
#[derive(Clone, Debug)]
struct Cell {
    group: Groups,
    items: Vec<Item>,
    /// Most they carry together.
    hi: i64,
}

/// What one flow carries.
#[derive(Clone, Debug)]
struct Carried {
    cells: Vec<i64>,
    set: Vec<i64>,
}

/// The question, with what does not change during the search.
struct Question<'q, 'a> {
    frame: &'q Frame<'a>,
    /// Columns of the flow: the nested family from outside inwards, and the key across.
    chain: Vec<usize>,
    across: Option<usize>,
    set: &'q [Item],
    cells: Vec<Cell>,
    total: i64,
    /// The number of clusters can matter.
    counted: bool,
}

/// Memory of searches.
#[derive(Debug, Default)]
pub(super) struct Cells {
    flow: Flow,
}

impl Cells {
    /// Whether a placement exists that uses all of `set` and any of `rest` (in the order of the walk). `nodes` counts
    /// work; beyond `stop` the answer is Unknown.
    pub(super) fn exists(
        &mut self,
        frame: &Frame<'_>,
        families: &Families,
        set: &[Item],
        rest: &[Item],
        nodes: &mut u64,
        stop: u64,
    ) -> Exists {
        let Some(question) = Question::new(frame, families, set, rest) else { return Exists::Unknown };
        let Some(first) = question.start() else { return Exists::No };
        let mut open = vec![first];
        let mut unknown = false;
        while let Some(mut states) = open.pop() {
            // A flow costs as much as some steps of the search by clusters for each of its arcs.
            let cost = 32 + 2 * question.cells.len() + 4 * set.len();
            *nodes = nodes.saturating_add(u64::try_from(cost).unwrap_or(u64::MAX));
            if *nodes > stop {
                return Exists::Unknown;
            }
            let Some(costs) = question.propagate(&mut states) else { continue };
            let Some(carried) = self.relaxed(&question, &states, &costs) else { continue };
            match question.broken(&states, &carried) {
                Broken::Nothing => match question.realised(&carried) {
                    Some(chosen) => return Exists::Yes(chosen),
                    None => unknown = true,
                },
                Broken::Beyond => unknown = true,
                Broken::Group { col, group, first } => {
                    let other = if first == State::Used { State::Closed } else { State::Used };
                    for state in [other, first] {
                        let mut next = states.clone();
                        if let Some(place) = next[col].get_mut(group) {
                            *place = state;
                        }
                        open.push(next);
                    }
                }
            }
        }
        if unknown { Exists::Unknown } else { Exists::No }
    }

    /// A flow of the total within all bounds of its keys, in few groups; groups that are still free need no least.
    fn relaxed(&mut self, question: &Question<'_, '_>, states: &[Vec<State>], costs: &Costs) -> Option<Carried> {
        let flow = &mut self.flow;
        flow.reset();
        let (from, to) = (flow.node(), flow.node());
        let mut known: [BTreeMap<u32, usize>; MAX_KEYS] = Default::default();
        let mut needed: Vec<(usize, i64)> = Vec::new();
        let mut priced: Vec<(usize, i64)> = Vec::new();
        let mut ends = |flow: &mut Flow, group: &Groups, needed: &mut Vec<(usize, i64)>| {
            let mut at = |flow: &mut Flow, col: usize, outer: Option<usize>| {
                let id = group[col];
                if let Some(node) = known[col].get(&id) {
                    return *node;
                }
                let node = flow.node();
                known[col].insert(id, node);
                let least = if question.state(states, col, id) == State::Used { question.least(col) } else { 0 };
                let most = question.frame.most(col, id);
                let (tail, head) = outer.map_or((node, to), |outer| (outer, node));
                if least > 0 {
                    needed.push((flow.arc(tail, head, least.min(most), -NEEDED), least));
                }
                let cost = usize::try_from(id).ok().and_then(|id| costs.units[col].get(id)).copied().unwrap_or(0);
                let arc = flow.arc(tail, head, most.saturating_sub(least), cost);
                if cost > 0 {
                    priced.push((arc, cost));
                }
                node
            };
            let mut inner = from;
            for &col in &question.chain {
                inner = at(flow, col, Some(inner));
            }
            let across = question.across.map_or(to, |col| at(flow, col, None));
            (inner, across)
        };
        let mut set_arcs = Vec::with_capacity(question.set.len());
        for item in question.set {
            let (inner, across) = ends(flow, &item.group, &mut needed);
            let least = flow.arc(inner, across, item.lo, -NEEDED);
            needed.push((least, item.lo));
            set_arcs.push((least, flow.arc(inner, across, item.hi - item.lo, 0)));
        }
        let mut cell_arcs = Vec::with_capacity(question.cells.len());
        for cell in &question.cells {
            cell_arcs.push(if question.is_open(states, &cell.group) {
                let (inner, across) = ends(flow, &cell.group, &mut needed);
                Some(flow.arc(inner, across, cell.hi, 0))
            } else {
                None
            });
        }
        if flow.send(from, to, question.total) < question.total {
            return None;
        }
        if needed.iter().any(|(arc, least)| flow.carried(*arc) < *least) {
            return None;
        }
        let paid = priced.iter().map(|(arc, cost)| flow.carried(*arc).saturating_mul(*cost));
        if paid.fold(0_i64, i64::saturating_add) > costs.budget {
            return None;
        }
        Some(Carried {
            cells: cell_arcs.into_iter().map(|arc| arc.map_or(0, |arc| flow.carried(arc))).collect(),
            set: set_arcs.into_iter().map(|(least, more)| flow.carried(least) + flow.carried(more)).collect(),
        })
    }
}

/// What units cost in groups that are not yet used, where a key may use only some of those left.
struct Costs {
    units: [Vec<i64>; MAX_KEYS],
    /// What all groups still to be had cost.
    budget: i64,
}

/// What a flow breaks.
enum Broken {
    Nothing,
    /// Something that deciding about a group does not mend.
    Beyond,
    /// A group to decide about, and what to try first.
    Group {
        col: usize,
        group: usize,
        first: State,
    },
}

impl<'q, 'a> Question<'q, 'a> {
    /// `None` where there is no total to carry.
    fn new(frame: &'q Frame<'a>, families: &Families, set: &'q [Item], rest: &[Item]) -> Option<Self> {
        let total = frame.total?;
        let chain: Vec<usize> = families.chain().iter().rev().copied().collect();
        let outside = (0..frame.cols().len()).find(|col| !chain.contains(col));
        let across = families.cross().first().copied().or(outside);
        let mut by_group: BTreeMap<Groups, Vec<Item>> = BTreeMap::new();
        for item in rest {
            by_group.entry(item.group).or_default().push(*item);
        }
        let cell = |(group, items): (Groups, Vec<Item>)| {
            let hi = items.iter().fold(0_i64, |sum, item| sum.saturating_add(item.hi)).min(total);
            Cell { group, items, hi }
        };
        let many = i64::try_from(set.len() + rest.len()).unwrap_or(i64::MAX);
        let counted = i64::from(frame.max_clusters) < many.min(total);
        let cells = by_group.into_iter().map(cell).collect();
        Some(Self { frame, chain, across, set, cells, total, counted })
    }

    fn state(&self, states: &[Vec<State>], col: usize, group: u32) -> State {
        let state = usize::try_from(group).ok().and_then(|group| states.get(col)?.get(group));
        state.copied().unwrap_or(State::Closed)
    }

    /// Least replicas of a group that is used.
    fn least(&self, col: usize) -> i64 {
        self.frame.cols()[col].least.max(1)
    }

    fn is_open(&self, states: &[Vec<State>], group: &Groups) -> bool {
        (0..self.frame.cols().len()).all(|col| self.state(states, col, group[col]) != State::Closed)
    }

    /// Groups of the set are used, groups of optional items free, all others closed. `None` when sums say already that
    /// nothing exists.
    fn start(&self) -> Option<Vec<Vec<State>>> {
        let frame = self.frame;
        let mut states: Vec<Vec<State>> =
            frame.cols().iter().map(|col| vec![State::Closed; usize::try_from(col.count).unwrap_or(0)]).collect();
        let groups = self.cells.iter().map(|cell| (&cell.group, State::Free));
        for (group, state) in groups.chain(self.set.iter().map(|item| (&item.group, State::Used))) {
            for (states, id) in states.iter_mut().zip(group) {
                if let Some(place) = usize::try_from(*id).ok().and_then(|id| states.get_mut(id)) {
                    *place = state;
                }
            }
        }
        let taken = u32::try_from(self.set.len()).unwrap_or(u32::MAX);
        if taken > frame.max_clusters {
            return None;
        }
        if self.counted {
            let free = usize::try_from(frame.max_clusters - taken).unwrap_or(usize::MAX);
            let mut most: Vec<i64> = self.cells.iter().flat_map(|cell| &cell.items).map(|item| item.hi).collect();
            most.sort_unstable_by(|a, b| b.cmp(a));
            let own = self.set.iter().map(|item| item.hi);
            let sum = own.chain(most.into_iter().take(free)).fold(0_i64, i64::saturating_add);
            if sum < self.total {
                return None;
            }
        }
        Some(states)
    }

    /// Draws what follows from the states; `None` when they contradict a bound.
    fn propagate(&self, states: &mut [Vec<State>]) -> Option<Costs> {
        let frame = self.frame;
        loop {
            let mut changed = false;
            let mut costs = Costs { units: Default::default(), budget: 0 };
            for (col, bounds) in frame.cols().iter().enumerate() {
                let mut caps = vec![0_i64; states[col].len()];
                let mut lows = caps.clone();
                let mut add = |group: u32, hi: i64, lo: i64| {
                    let Ok(group) = usize::try_from(group) else { return };
                    if let (Some(cap), Some(low)) = (caps.get_mut(group), lows.get_mut(group)) {
                        *cap = cap.saturating_add(hi);
                        *low = low.saturating_add(lo);
                    }
                };
                self.set.iter().for_each(|item| add(item.group[col], item.hi, item.lo));
                for cell in self.cells.iter().filter(|cell| self.is_open(states, &cell.group)) {
                    add(cell.group[col], cell.hi, 0);
                }
                let least = self.least(col);
                let (mut used, mut free, mut floor) = (0_u32, 0_u32, 0_i64);
                let (mut sure, mut maybe): (i64, Vec<i64>) = (0, Vec::new());
                for (group, (cap, low)) in caps.iter().zip(&lows).enumerate() {
                    let cap = (*cap).min(frame.most(col, u32::try_from(group).unwrap_or(u32::MAX)));
                    let Some(state) = states[col].get_mut(group) else { continue };
                    match state {
                        State::Closed => {}
                        State::Used if cap < least.max(*low) => return None,
                        State::Used => {
                            used += 1;
                            floor = floor.saturating_add(least.max(*low));
                            sure = sure.saturating_add(cap);
                        }
                        State::Free if cap < least => {
                            *state = State::Closed;
                            changed = true;
                        }
                        State::Free => {
                            free += 1;
                            maybe.push(cap);
                        }
                    }
                }
                if used > bounds.max || used.saturating_add(free) < bounds.min || floor > self.total {
                    return None;
                }
                maybe.sort_unstable_by(|a, b| b.cmp(a));
                let more = usize::try_from(bounds.max - used).unwrap_or(usize::MAX);
                let best = maybe.iter().take(more).fold(sure, |sum, cap| sum.saturating_add(*cap));
                if best < self.total {
                    return None;
                }
                // What other missing groups need leaves less for each further one, so those are no longer free.
                let missing = i64::from(bounds.min.saturating_sub(used));
                if floor.saturating_add(missing.saturating_mul(least)) > self.total {
                    return None;
                }
                if used.saturating_add(free) > bounds.max && (self.chain.contains(&col) || self.across == Some(col)) {
                    costs.budget += i64::from(bounds.max - used) * GROUP;
                    let unit = |(group, cap): (usize, &i64)| {
                        let cap = (*cap).min(frame.most(col, u32::try_from(group).unwrap_or(u32::MAX)));
                        let free = states[col].get(group) == Some(&State::Free);
                        if free { GROUP.checked_div(cap).unwrap_or(0) } else { 0 }
                    };
                    costs.units[col] = caps.iter().enumerate().map(unit).collect();
                }
                let settle = if free == 0 {
                    None
                } else if used == bounds.max || floor.saturating_add(least) > self.total {
                    Some(State::Closed)
                } else if used + free == bounds.min {
                    Some(State::Used)
                } else {
                    None
                };
                if let Some(settled) = settle {
                    for state in states[col].iter_mut().filter(|state| **state == State::Free) {
                        *state = settled;
                    }
                    changed = true;
                }
            }
            if !changed {
                return Some(costs);
            }
        }
    }

    /// Replicas per group of a key.
    fn sums(&self, col: usize, groups: usize, carried: &Carried) -> Vec<i64> {
        let mut sums = vec![0_i64; groups];
        let cells = self.cells.iter().map(|cell| cell.group[col]).zip(&carried.cells);
        for (group, replicas) in self.set.iter().map(|item| item.group[col]).zip(&carried.set).chain(cells) {
            if let Some(sum) = usize::try_from(group).ok().and_then(|group| sums.get_mut(group)) {
                *sum = sum.saturating_add(*replicas);
            }
        }
        sums
    }

    /// What a flow breaks, and the group to decide about next: of the key with the fewest open questions, because what is
    /// closed there takes room from every group of the others.
    fn broken(&self, states: &[Vec<State>], carried: &Carried) -> Broken {
        let (mut beyond, mut broken) = (false, false);
        let mut next: Option<(usize, usize, usize, State)> = None;
        for (col, bounds) in self.frame.cols().iter().enumerate() {
            let least = self.least(col);
            let sums = self.sums(col, states[col].len(), carried);
            let all = || sums.iter().copied().zip(&states[col]).enumerate();
            let free = || all().filter(|(_, (_, state))| **state == State::Free);
            let short = free().filter(|(_, (sum, _))| *sum > 0 && *sum < least).max_by_key(|(_, (sum, _))| *sum);
            let used = all().filter(|(_, (sum, state))| *sum > 0 || **state == State::Used).count();
            let used = u32::try_from(used).unwrap_or(u32::MAX);
            broken |= short.is_some() || used > bounds.max || used < bounds.min;
            let over = |group: usize| self.frame.most(col, u32::try_from(group).unwrap_or(u32::MAX));
            // Of a key outside the flow only the groups are decided here.
            beyond |= all().any(|(group, (sum, state))| {
                sum > over(group) || (*state == State::Used && sum < least) || (*state == State::Closed && sum > 0)
            });
            let questions = free().count();
            let choice = if let Some((group, _)) = short {
                Some((group, State::Used))
            } else if used < bounds.min {
                free().find(|(_, (sum, _))| *sum == 0).map(|(group, _)| (group, State::Used))
            } else {
                let fullest = free().max_by_key(|(group, (sum, _))| (*sum, std::cmp::Reverse(*group)));
                fullest.map(|(group, (sum, _))| (group, if sum > 0 { State::Used } else { State::Closed }))
            };
            // A key that may use all that is left of it leaves nothing to decide.
            let binding = short.is_some() || used < bounds.min || i64::from(bounds.max) < self.open(&states[col]);
            if let Some((group, first)) = choice.filter(|_| binding)
                && next.is_none_or(|(fewest, ..)| questions < fewest)
            {
                next = Some((questions, col, group, first));
            }
        }
        match (broken, next) {
            (true, Some((_, col, group, first))) => Broken::Group { col, group, first },
            (true, None) => Broken::Beyond,
            (false, _) if beyond => Broken::Beyond,
            (false, _) => Broken::Nothing,
        }
    }

    /// Groups that are used or may be.
    fn open(&self, states: &[State]) -> i64 {
        i64::try_from(states.iter().filter(|state| **state != State::Closed).count()).unwrap_or(i64::MAX)
    }

    /// Clusters for what each cell carries: the best in order, or the roomiest where their number counts.
    fn realised(&self, carried: &Carried) -> Option<Vec<u32>> {
        let most = usize::try_from(self.frame.max_clusters).unwrap_or(usize::MAX).checked_sub(self.set.len())?;
        let least = usize::try_from(self.frame.min_clusters).unwrap_or(0).saturating_sub(self.set.len());
        [false, true].into_iter().find_map(|roomiest| {
            let mut chosen = Vec::new();
            for (cell, replicas) in self.cells.iter().zip(&carried.cells).filter(|(_, replicas)| **replicas > 0) {
                let mut items = cell.items.clone();
                if roomiest {
                    items.sort_by_key(|item| std::cmp::Reverse(item.hi));
                }
                let (mut lo, mut hi) = (0_i64, 0_i64);
                for item in items {
                    if hi >= *replicas && chosen.len() >= least {
                        break;
                    }
                    if lo.saturating_add(item.lo) <= *replicas {
                        lo += item.lo;
                        hi = hi.saturating_add(item.hi);
                        chosen.push(item.at);
                    }
                }
                if hi < *replicas {
                    return None;
                }
            }
            (chosen.len() <= most && chosen.len() >= least).then_some(chosen)
        })
    }
}
