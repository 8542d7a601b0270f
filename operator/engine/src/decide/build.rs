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
use super::rule::{Answer, Rule};
use super::rules::{self, Judge, POOL_RULES};
use super::spec::{Cause, Image};
use super::verdicts::{NONE, Verdicts};
use crate::detect::PoolFacts;

/// Memory used again from block to block.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    out: Vec<u64>,
    fail: Vec<u64>,
    unknown: Vec<u64>,
    warn: Vec<u64>,
    spare: Vec<u64>,
}

/// What the images of a requirement meet on each distinct kind of pool.
pub(crate) type ArchitectureKey = (Vec<Image>, BTreeSet<String>, bool);

/// The block of one requirement.
pub(crate) fn block(
    judge: Judge<'_>,
    buffers: &mut Buffers,
    architecture: &mut BTreeMap<ArchitectureKey, Vec<Answer>>,
) -> Verdicts {
    let snapshot = judge.view.snapshot;
    let index = &snapshot.index;
    let (width, groups, planes) = (snapshot.width(), judge.requirement.groups.len(), index.planes.len());
    buffers.out.clear();
    buffers.out.resize(width * (1 + groups + planes), 0);
    for buffer in [&mut buffers.fail, &mut buffers.unknown, &mut buffers.warn, &mut buffers.spare] {
        buffer.clear();
        buffer.resize(width, 0);
    }
    let mut build =
        Build { judge, index, width, groups, at: [[NONE; 3]; Rule::COUNT], buffers, architecture, said: false };
    build.head(0, |words| or(words, index.live.words()));
    build.planes();
    build.clusters();
    build.rule_groups();
    let bits = build.buffers.out.as_slice().into();
    Verdicts { width, groups, planes, strict: judge.demand.strict, at: build.at, bits }
}

struct Build<'a> {
    judge: Judge<'a>,
    index: &'a Index,
    width: usize,
    groups: usize,
    at: [[u16; 3]; Rule::COUNT],
    buffers: &'a mut Buffers,
    architecture: &'a mut BTreeMap<ArchitectureKey, Vec<Answer>>,
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
        for rule in POOL_RULES {
            if !self.demands(rule) {
                continue;
            }
            let by_facts = self.by_facts(rule);
            let by_registry: Vec<_> = if rule == Rule::Registry {
                (0..index.registries.len())
                    .map(|id| {
                        let registry = u32::try_from(id).ok().and_then(|id| index.registries.get(id));
                        registry.map_or(Answer::Pass, |registry| self.judge.registry(registry).answer)
                    })
                    .collect()
            } else {
                Vec::new()
            };
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
                    Rule::Registry => {
                        for (id, words) in &plane.registries {
                            tell(by_registry.get(*id as usize).copied().unwrap_or_default(), words.words());
                        }
                    }
                    _ => {
                        for (id, words) in &plane.facts {
                            tell(by_facts.get(*id as usize).copied().unwrap_or_default(), words.words());
                        }
                    }
                }
                let strict = self.judge.demand.strict;
                let [_, _, unknown, fail] = &answers;
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
            Rule::Architecture => !requirement.images.is_empty() || !requirement.platforms.is_empty(),
            Rule::Registry => !requirement.images.is_empty() && self.index.registries.len() > 0,
            Rule::Tee => !requirement.tee.is_empty(),
            Rule::Accelerator => !requirement.accelerators.is_empty(),
            _ => false,
        }
    }

    fn by_facts(&mut self, rule: Rule) -> Vec<Answer> {
        let facts = &self.index.facts;
        let each = |from: usize, judge: &dyn Fn(&PoolFacts) -> Answer| {
            (from..facts.len())
                .map(|id| u32::try_from(id).ok().and_then(|id| facts.get(id)).map_or(Answer::Pass, judge))
                .collect::<Vec<_>>()
        };
        match rule {
            Rule::Architecture => {
                let requirement = self.judge.requirement;
                let key = (requirement.images.clone(), requirement.platforms.clone(), requirement.allow_emulation);
                let judge = self.judge;
                let known = self.architecture.entry(key).or_default();
                known.extend(each(known.len(), &|facts| judge.architecture(facts).answer));
                known.clone()
            }
            Rule::Tee => each(0, &|facts| self.judge.tee(facts).answer),
            Rule::Accelerator => each(0, &|facts| self.judge.accelerator(facts).answer),
            _ => Vec::new(),
        }
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
        } else if let Some((certain, possible)) = view.tiers.get(demand.tiers).filter(|_| demand.tiers > 0) {
            self.say(Answer::Unknown, possible.words());
            and_not(&mut self.buffers.unknown, certain.words());
            self.fail_unless(possible.words());
        }
        self.close(Rule::Tier);

        if let Some(level) = requirement.protection.filter(|level| *level > 0) {
            match view.protection.get(usize::from(level)) {
                Some((certain, possible)) => {
                    self.say(Answer::Unknown, possible.words());
                    and_not(&mut self.buffers.unknown, certain.words());
                    self.fail_unless(possible.words());
                }
                None => self.say(Answer::Fail, live),
            }
        }
        self.close(Rule::Protection);

        self.all_of(&requirement.reach, &index.peers);
        self.close(Rule::Reach);

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

        self.all_of(&requirement.databases, &index.databases);
        self.close(Rule::Database);

        if requirement.cause == Cause::Change {
            for (freeze, words) in &view.freezes {
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
