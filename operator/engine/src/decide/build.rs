//! Makes a verdict block: each rule as a few word-wise operations on the masks of the index.
//!
//! The order here is of convenience; the order in which rules are told is [`Rule::ALL`]. What a rule means stands in
//! [`super::rules`], whose functions on single values (a region, a zone, the facts of a pool) are used here too, once
//! for each distinct value.

use std::collections::{BTreeMap, BTreeSet};

use super::affinity::{Affinity, Expression, Operator, tolerated};
use super::index::{Index, Postings};
use super::input::Ownership;
use super::mask::{self, and, and_not, or};
use super::nodes;
use super::pool_rules::{POOL_RULES, UNSEEN};
use super::rule::{Answer, Rule};
use super::rules::{self, Judge};
use super::spec::{Cause, Image, Requirement};
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

/// The block of one requirement.
pub(crate) fn block(judge: Judge<'_>, buffers: &mut Buffers, memo: &mut Memo) -> Verdicts {
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
    Verdicts { width, groups, planes, strict: judge.demand.strict, at: build.at, bits }
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
        if self.judge.derived().is_err() {
            self.say(Answer::Fail, index.live.words());
        } else if !apart.unfit.is_empty() {
            let mut open = apart.open(self.width);
            and(&mut open, &any);
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

    /// Rules about whole clusters.
    fn clusters(&mut self) {
        let (index, requirement, demand, view) =
            (self.index, self.judge.requirement, self.judge.demand, self.judge.view);
        let live = index.live.words();
        let tenant = view.snapshot.tenants.get(&requirement.tenant);

        if demand.tenant_unknown {
            self.say(Answer::Fail, live);
        }
        let mut foreign = index.dedicated.clone();
        if let Some(own) = index.dedicated_to.get(&requirement.tenant) {
            mask::iter(own.words()).for_each(|slot| foreign.clear(slot));
        }
        self.say(Answer::Fail, foreign.words());
        if let Some(tenant) = tenant.filter(|tenant| !tenant.clusters.is_empty()) {
            let names = self.named(&tenant.clusters);
            self.fail_unless(&names);
        }
        self.close(Rule::Tenant);

        for prefixes in [Some(&requirement.regions), tenant.map(|t| &t.regions)].into_iter().flatten() {
            if !prefixes.is_empty() {
                for (region, words) in &index.regions {
                    self.say(rules::region(region, prefixes).answer, words.words());
                }
            }
        }
        self.close(Rule::Regions);

        for allowed in [Some(&requirement.providers), tenant.map(|t| &t.providers)].into_iter().flatten() {
            if !allowed.is_empty() {
                for (provider, words) in &index.providers {
                    self.say(rules::provider(provider, allowed).answer, words.words());
                }
            }
        }
        self.close(Rule::Providers);

        if requirement.classified {
            self.say(Answer::Fail, live);
        }
        self.close(Rule::Classified);

        if demand.undefined.is_some() {
            self.say(Answer::Fail, live);
        } else if let Some((certain, possible)) = view.calendar.tiers.get(demand.tiers).filter(|_| demand.tiers > 0) {
            self.say(Answer::Unknown, possible.words());
            and_not(&mut self.buffers.unknown, certain.words());
            self.fail_unless(possible.words());
        }
        self.close(Rule::Tier);

        if let Some(level) = requirement.protection.filter(|level| *level > 0) {
            match view.calendar.protection.get(usize::from(level)) {
                Some((certain, possible)) => {
                    self.say(Answer::Unknown, possible.words());
                    and_not(&mut self.buffers.unknown, certain.words());
                    self.fail_unless(possible.words());
                }
                None => self.say(Answer::Fail, live),
            }
        }
        self.close(Rule::Protection);

        if !requirement.ownership.is_empty() {
            for (owner, words) in &index.ownership {
                let answer = match owner {
                    Ownership::Unknown => Answer::Unknown,
                    owner if requirement.ownership.contains(owner) => Answer::Pass,
                    _ => Answer::Fail,
                };
                self.say(answer, words.words());
            }
        }
        if !requirement.jurisdictions.is_empty() {
            for (country, words) in &index.jurisdictions {
                if !requirement.jurisdictions.contains(country) {
                    self.say(Answer::Fail, words.words());
                }
            }
            self.say(Answer::Unknown, index.stateless.words());
        }
        self.close(Rule::Jurisdiction);

        if !requirement.unprofiled.is_empty() {
            self.say(Answer::Fail, live);
        } else if !requirement.kinds.is_empty() {
            self.all_of(&requirement.kinds, &index.kinds);
            and_not(&mut self.buffers.fail, index.kinds_unknown.words());
            self.say(Answer::Unknown, index.kinds_unknown.words());
        }
        self.close(Rule::Kinds);

        if requirement.cause == Cause::Change {
            for (freeze, words) in view.freezes() {
                if freeze.tenants.is_empty() || freeze.tenants.contains(&requirement.tenant) {
                    self.say(Answer::Fail, words.words());
                }
            }
        }
        self.close(Rule::Freeze);

        self.say(Answer::Fail, index.draining.words());
        self.say(Answer::Fail, index.deleting.words());
        self.close(Rule::State);

        self.say(Answer::Fail, index.unreachable.words());
        self.say(Answer::Unknown, index.reach_unknown.words());
        self.close(Rule::Reachability);

        for (taint, words) in &index.taints {
            if !tolerated(taint, &requirement.tolerations) {
                self.say(Answer::Fail, words.words());
            }
        }
        self.close(Rule::Taints);

        if !requirement.affinity.is_empty() {
            let matching = self.matching(&requirement.affinity);
            self.fail_unless(&matching);
            self.buffers.warn = matching;
            self.buffers.warn.fill(0);
        }
        self.close(Rule::Affinity);
    }

    /// Groups of the placement: a cluster belongs to the first that matches.
    fn rule_groups(&mut self) {
        if self.judge.requirement.groups.is_empty() {
            return;
        }
        let mut taken = vec![0; self.width];
        for (at, group) in self.judge.requirement.groups.iter().enumerate() {
            let mut words = self.matching(group);
            and_not(&mut words, &taken);
            or(&mut taken, &words);
            self.head(1 + at, |head| or(head, &words));
            self.buffers.warn = words;
            self.buffers.warn.fill(0);
        }
        self.fail_unless(&taken);
        self.close(Rule::Group);
    }

    fn all_of(&mut self, wanted: &BTreeSet<String>, postings: &Postings) {
        for name in wanted {
            match postings.get(name) {
                Some(have) => self.fail_unless(have.words()),
                None => self.say(Answer::Fail, self.index.live.words()),
            }
        }
    }

    fn named(&self, names: &BTreeSet<String>) -> Vec<u64> {
        let mut words = vec![0; self.width];
        for slot in names.iter().filter_map(|name| self.judge.view.snapshot.slot(name)) {
            mask::assign(&mut words, slot.index(), true);
        }
        words
    }

    /// Clusters an affinity means. Takes the (empty) warn buffer as memory; the caller gives it back empty.
    fn matching(&mut self, affinity: &Affinity) -> Vec<u64> {
        let mut words = std::mem::take(&mut self.buffers.warn);
        words.clear();
        words.resize(self.width, 0);
        or(&mut words, self.index.live.words());
        if !affinity.names.is_empty() {
            and(&mut words, &self.named(&affinity.names));
        }
        if !affinity.exclude.is_empty() {
            and_not(&mut words, &self.named(&affinity.exclude));
        }
        for (key, value) in &affinity.labels {
            let having = self.index.labels.get(key).and_then(|label| label.values.get(value));
            and(&mut words, having.map(mask::Mask::words).unwrap_or_default());
        }
        for expression in &affinity.expressions {
            self.expression(&mut words, expression);
        }
        words
    }

    fn expression(&mut self, words: &mut [u64], expression: &Expression) {
        let label = self.index.labels.get(&expression.key);
        match (expression.operator, label) {
            (Operator::In | Operator::Exists | Operator::Gt | Operator::Lt, None) => words.fill(0),
            (Operator::NotIn | Operator::DoesNotExist, None) => {}
            (Operator::Exists, Some(label)) => and(words, label.any.words()),
            (Operator::DoesNotExist, Some(label)) => and_not(words, label.any.words()),
            (Operator::In | Operator::NotIn, Some(label)) => {
                let spare = &mut self.buffers.spare;
                spare.fill(0);
                for having in expression.values.iter().filter_map(|value| label.values.get(value)) {
                    or(spare, having.words());
                }
                if expression.operator == Operator::In { and(words, spare) } else { and_not(words, spare) }
            }
            (Operator::Gt | Operator::Lt, Some(label)) => {
                let spare = &mut self.buffers.spare;
                spare.fill(0);
                for (_, having) in label.values.iter().filter(|(value, _)| expression.matches_value(Some(value))) {
                    or(spare, having.words());
                }
                and(words, spare);
            }
        }
    }
}
