//! Makes a verdict block: each rule as a few word-wise operations on the masks of the index.
//!
//! The order here is of convenience; the order in which rules are told is [`Rule::ALL`]. What a rule means stands in
//! [`super::rules`], whose functions on single values (a region, a zone, the facts of a pool) are used here too, once
//! for each distinct value.

mod clusters;
mod together;

use std::collections::{BTreeMap, BTreeSet};

use super::index::Index;
use super::mask::{and, and_not, or};
use super::nodes;
use super::pool_rules::{POOL_RULES, UNSEEN};
use super::rule::{Answer, Rule};
use super::rules::Judge;
use super::spec::{Image, Requirement};
use super::verdicts::{NONE, Verdicts};
use super::view::Derived;
use crate::detect::affinity::NodeAffinity;

/// Memory used again from block to block.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    out: Vec<u64>,
    fail: Vec<u64>,
    unknown: Vec<u64>,
    warn: Vec<u64>,
    spare: Vec<u64>,
}

/// What many requirements have in common, worked out once.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    /// What images meet on each distinct kind of pool.
    pub(crate) architecture: BTreeMap<ArchitectureKey, Vec<Answer>>,
    /// The affinities derived so far.
    pub(crate) derived: BTreeMap<DerivedKey, Derived>,
    /// Which distinct labels a derived affinity admits.
    pub(crate) admitted: BTreeMap<NodeAffinity, Vec<bool>>,
}

impl Memo {
    /// Takes over what another one, of the same snapshot, has worked out.
    pub(crate) fn join(&mut self, other: Self) {
        let Self { architecture, derived, admitted } = other;
        for (key, answers) in architecture {
            let known = self.architecture.entry(key).or_default();
            if known.len() < answers.len() {
                *known = answers;
            }
        }
        for (key, answers) in admitted {
            let known = self.admitted.entry(key).or_default();
            if known.len() < answers.len() {
                *known = answers;
            }
        }
        self.derived.extend(derived);
    }
}

/// Images, platforms, leave to emulate, tiers demanded (which state floors).
pub(crate) type ArchitectureKey = (Vec<Image>, BTreeSet<String>, bool, usize);

/// What a derived affinity depends on within one snapshot: also zone, the tenant's zones, and strictness.
pub(crate) type DerivedKey = (ArchitectureKey, Option<String>, BTreeSet<String>, bool);

/// The block of a requirement: that of its only part, or those of its parts put together.
pub(crate) fn block(judge: Judge<'_>, buffers: &mut Buffers, memo: &mut Memo) -> Verdicts {
    if judge.has_parts() {
        let parts = judge.parts().into_iter().map(|(_, part)| (part, of_one(part, buffers, memo)));
        return together::together(judge, &parts.collect::<Vec<_>>());
    }
    of_one(judge, buffers, memo)
}

fn of_one(judge: Judge<'_>, buffers: &mut Buffers, memo: &mut Memo) -> Verdicts {
    let snapshot = judge.view.snapshot;
    let index = &snapshot.index;
    let (width, groups, planes) = (snapshot.width(), judge.requirement.groups.len(), index.planes.len());
    buffers.out.clear();
    buffers.out.resize(width * (1 + groups + planes), 0);
    for buffer in [&mut buffers.fail, &mut buffers.unknown, &mut buffers.warn, &mut buffers.spare] {
        buffer.clear();
        buffer.resize(width, 0);
    }
    let mut build = Build { judge, index, width, groups, at: [[NONE; 3]; Rule::COUNT], buffers, memo, said: false };
    build.head(0, |words| or(words, index.live.words()));
    build.planes();
    build.clusters();
    build.rule_groups();
    let bits = build.buffers.out.as_slice().into();
    Verdicts { width, groups, planes, parts: 1, strict: judge.demand.strict, at: build.at, bits }
}

/// By plane: pools that a rule refuses without the scheduler knowing, and pools that the scheduler keeps pods off (or
/// that are not there).
#[derive(Default)]
struct Apart {
    unfit: Vec<Vec<u64>>,
    closed: Vec<Vec<u64>>,
}

impl Apart {
    fn unfit(&self, plane: usize) -> &[u64] {
        self.unfit.get(plane).map_or(&[], Vec::as_slice)
    }

    fn refuse(&mut self, plane: usize, words: &[u64]) {
        self.unfit.get_mut(plane).into_iter().for_each(|unfit| or(unfit, words));
    }

    fn close(&mut self, plane: usize, words: &[u64]) {
        self.closed.get_mut(plane).into_iter().for_each(|closed| or(closed, words));
    }

    /// Clusters with a refused pool that pods would find.
    fn open(&self, width: usize) -> Vec<u64> {
        let mut open = vec![0; width];
        for (unfit, closed) in self.unfit.iter().zip(&self.closed) {
            for ((open, unfit), closed) in open.iter_mut().zip(unfit).zip(closed) {
                *open |= unfit & !closed;
            }
        }
        open
    }
}

struct Build<'a> {
    judge: Judge<'a>,
    index: &'a Index,
    width: usize,
    groups: usize,
    at: [[u16; 3]; Rule::COUNT],
    buffers: &'a mut Buffers,
    memo: &'a mut Memo,
    /// The rule at work has said something.
    said: bool,
}

impl Build<'_> {
    fn head(&mut self, at: usize, change: impl FnOnce(&mut [u64])) {
        if let Some(words) = self.buffers.out.get_mut(at * self.width..(at + 1) * self.width) {
            change(words);
        }
    }

    /// Adds clusters to the answers of the rule at work.
    fn say(&mut self, answer: Answer, words: &[u64]) {
        if words.is_empty() {
            return;
        }
        self.said |= answer != Answer::Pass;
        match answer {
            Answer::Pass => {}
            Answer::Warn => or(&mut self.buffers.warn, words),
            Answer::Unknown => or(&mut self.buffers.unknown, words),
            Answer::Fail => or(&mut self.buffers.fail, words),
        }
    }

    /// The rule at work fails on all live clusters that are not in the set.
    fn fail_unless(&mut self, words: &[u64]) {
        self.said = true;
        self.buffers.spare.fill(0);
        or(&mut self.buffers.spare, self.index.live.words());
        and_not(&mut self.buffers.spare, words);
        or(&mut self.buffers.fail, &self.buffers.spare);
    }

    /// Closes the rule at work: the worst answer of each cluster stands, empty masks are not kept.
    fn close(&mut self, rule: Rule) {
        if !std::mem::take(&mut self.said) {
            return;
        }
        let Buffers { out, fail, unknown, warn, .. } = &mut *self.buffers;
        let live = self.index.live.words();
        and(fail, live);
        and(unknown, live);
        and_not(unknown, fail);
        and(warn, live);
        and_not(warn, fail);
        and_not(warn, unknown);
        for (column, words) in [warn, unknown, fail].into_iter().enumerate() {
            if words.iter().all(|word| *word == 0) {
                continue;
            }
            if column == 2 || (column == 1 && self.judge.demand.strict) {
                and_not(out.get_mut(..self.width).unwrap_or_default(), words);
            }
            let next = u16::try_from(out.len() / self.width.max(1)).unwrap_or(NONE);
            if let Some(at) = self.at.get_mut(rule.index()).and_then(|at| at.get_mut(column)) {
                *at = next;
            }
            out.extend_from_slice(words);
            words.fill(0);
        }
    }

    /// Pool rules on every plane, the clusters' answers by their best pool, and the accepted pools.
    fn planes(&mut self) {
        let index = self.index;
        let first = 1 + self.groups;
        for (at, plane) in index.planes.iter().enumerate() {
            self.head(first + at, |words| or(words, plane.exists.words()));
        }
        let mut apart = self.apart();
        for rule in POOL_RULES {
            if !self.demands(rule) {
                continue;
            }
            let by_id = self.by_id(rule);
            // Per plane: pools by answer. `best[k]`: clusters that have a pool with the k-th answer.
            let mut best = [const { Vec::new() }; 4];
            for words in &mut best {
                words.resize(self.width, 0);
            }
            for (at, plane) in index.planes.iter().enumerate() {
                let mut answers = [const { Vec::new() }; 4];
                for words in &mut answers {
                    words.resize(self.width, 0);
                }
                let [pass, ..] = &mut answers;
                or(pass, plane.exists.words());
                if rule == Rule::NodeAffinity {
                    and_not(pass, apart.unfit(at));
                }
                let mut tell = |answer: Answer, words: &[u64]| {
                    if answer != Answer::Pass {
                        if let Some(to) = answers.get_mut(answer as usize) {
                            or(to, words);
                        }
                        and_not(&mut answers[0], words);
                    }
                };
                match rule {
                    Rule::Zones | Rule::PoolZone => {
                        for (zone, words) in &plane.zones {
                            let check = match rule {
                                Rule::Zones => self.judge.tenant_zone(zone),
                                _ => self.judge.pool_zone(zone),
                            };
                            tell(check.answer, words.words());
                        }
                    }
                    _ => {
                        let postings = match rule {
                            Rule::Registry => &plane.registries,
                            Rule::Reach | Rule::Database => &plane.offers,
                            Rule::NodeLabels | Rule::NodeTaints => &plane.sides,
                            Rule::NodeAffinity => &plane.shown,
                            _ => &plane.facts,
                        };
                        for (id, words) in postings {
                            tell(by_id.get(*id as usize).copied().unwrap_or_default(), words.words());
                        }
                    }
                }
                let strict = self.judge.demand.strict;
                let [_, _, unknown, fail] = &mut answers;
                if UNSEEN.contains(&rule) {
                    apart.refuse(at, fail);
                    if strict {
                        apart.refuse(at, unknown);
                    }
                } else {
                    apart.close(at, fail);
                    if rule == Rule::NodeAffinity {
                        and_not(fail, apart.unfit(at));
                    }
                }
                self.head(first + at, |words| {
                    and_not(words, fail);
                    if strict {
                        and_not(words, unknown);
                    }
                });
                for (best, words) in best.iter_mut().zip(&answers) {
                    or(best, words);
                }
            }
            let [pass, warn, unknown, fail] = &mut best;
            and_not(fail, unknown);
            and_not(fail, warn);
            and_not(fail, pass);
            and_not(unknown, warn);
            and_not(unknown, pass);
            and_not(warn, pass);
            self.say(Answer::Warn, warn);
            self.say(Answer::Unknown, unknown);
            self.say(Answer::Fail, fail);
            self.close(rule);
        }
        let mut any = std::mem::take(&mut self.buffers.warn);
        for at in 0..index.planes.len() {
            let words = self.buffers.out.get((first + at) * self.width..(first + at + 1) * self.width);
            or(&mut any, words.unwrap_or_default());
        }
        let nowhere = |affinity: &NodeAffinity| affinity.terms().is_some_and(<[_]>::is_empty);
        let optional = self.judge.demand.optional;
        if self.judge.derived().as_ref().map_or(true, |affinity| optional && nowhere(affinity)) {
            self.say(Answer::Fail, index.live.words());
        } else if !apart.unfit.is_empty() {
            let mut open = apart.open(self.width);
            if !self.judge.demand.optional {
                and(&mut open, &any);
            }
            self.say(Answer::Fail, &open);
        }
        self.close(Rule::Separation);
        self.fail_unless(&any);
        any.fill(0);
        self.buffers.warn = any;
        self.close(Rule::Pools);
    }

    /// Whether a pool rule has anything to test for this requirement.
    fn demands(&self, rule: Rule) -> bool {
        let requirement = self.judge.requirement;
        match rule {
            Rule::Zones => {
                self.judge.view.snapshot.tenants.get(&requirement.tenant).is_some_and(|t| !t.zones.is_empty())
            }
            Rule::PoolZone => requirement.zone.is_some(),
            Rule::Reach => !requirement.reach.is_empty(),
            Rule::Database => !requirement.databases.is_empty(),
            Rule::Architecture => !requirement.images.is_empty() || !requirement.platforms.is_empty(),
            Rule::Registry => !requirement.images.is_empty() && self.index.registries.len() > 0,
            Rule::Tee => !requirement.tee.is_empty(),
            Rule::Accelerator => !requirement.accelerators.is_empty(),
            Rule::NodeLabels => requirement.nodes.iter().any(|demand| demand.terms.is_some()),
            Rule::NodeTaints => self.index.sides.from(0).iter().any(|side| !side.taints.is_empty()),
            Rule::NodeAffinity => self.judge.derived().as_ref().is_ok_and(|affinity| affinity.terms().is_some()),
            _ => false,
        }
    }

    /// The answers of a pool rule by the interned values it looks at.
    fn by_id(&mut self, rule: Rule) -> Vec<Answer> {
        let (index, judge) = (self.index, self.judge);
        let demands = &judge.requirement.nodes;
        match rule {
            Rule::Architecture => {
                let requirement = judge.requirement;
                let Requirement { images, platforms, allow_emulation, .. } = requirement;
                let key = (images.clone(), platforms.clone(), *allow_emulation, judge.demand.tiers);
                let known = self.memo.architecture.entry(key).or_default();
                known.extend(index.facts.from(known.len()).iter().map(|facts| judge.architecture(facts).answer));
                known.clone()
            }
            Rule::Tee => index.facts.from(0).iter().map(|facts| judge.tee(facts).answer).collect(),
            Rule::Accelerator => index.facts.from(0).iter().map(|facts| judge.accelerator(facts).answer).collect(),
            Rule::Reach => index.offers.from(0).iter().map(|offer| judge.reach(offer).answer).collect(),
            Rule::Database => index.offers.from(0).iter().map(|offer| judge.database(offer).answer).collect(),
            Rule::Registry => index.registries.from(0).iter().map(|registry| judge.registry(registry).answer).collect(),
            Rule::NodeLabels => index.sides.from(0).iter().map(|side| nodes::selected(demands, side).answer).collect(),
            Rule::NodeTaints => index.sides.from(0).iter().map(|side| nodes::stands(demands, side).answer).collect(),
            Rule::NodeAffinity => {
                let Ok(affinity) = judge.derived() else { return Vec::new() };
                if !self.memo.admitted.contains_key(affinity) {
                    self.memo.admitted.insert(affinity.clone(), Vec::new());
                }
                let Some(known) = self.memo.admitted.get_mut(affinity) else { return Vec::new() };
                known.extend(index.shown.from(known.len()).iter().map(|labels| affinity.admits(labels)));
                known.iter().map(|admitted| if *admitted { Answer::Pass } else { Answer::Fail }).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What [`Rule::NodeAffinity`] and [`Rule::Separation`] gather; nothing where no rule tells pools apart unseen.
    fn apart(&self) -> Apart {
        let mut apart = Apart::default();
        if UNSEEN.into_iter().any(|rule| self.demands(rule)) {
            for plane in &self.index.planes {
                let mut closed = vec![u64::MAX; self.width];
                and_not(&mut closed, plane.exists.words());
                apart.closed.push(closed);
                apart.unfit.push(vec![0; self.width]);
            }
        }
        apart
    }
}
