//! Every rule on all clusters at once: the verdict block of a requirement.
//!
//! A block holds one mask per rule and answer other than Pass, one for what is eligible, one per group of the placement
//! and one per plane of accepted pools, all in one allocation. [`super::rules`] says what the rules mean; here only the
//! sets are made. When a single cluster changes, its one bit is set again through the scalar path.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::affinity::{Affinity, Expression, Operator, tolerated};
use super::index::{Index, Postings};
use super::input::Ownership;
use super::mask::{self, and, and_not, or};
use super::rule::{Answer, Rule};
use super::rules::{self, Judge, POOL_RULES};
use super::snapshot::{ClusterSlot, Snapshot};
use super::spec::{Cause, Image, Requirement};
use super::view::{Demand, View};
use crate::detect::PoolFacts;

const NONE: u16 = u16::MAX;

/// The verdicts of one requirement on all clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    width: usize,
    groups: usize,
    planes: usize,
    strict: bool,
    /// Place of the mask of each rule for Warn, Unknown, Fail; [`NONE`] when it is empty.
    at: [[u16; 3]; Rule::COUNT],
    /// Eligible; groups; planes of accepted pools; stored masks.
    bits: Vec<u64>,
}

impl Verdicts {
    fn mask(&self, at: usize) -> &[u64] {
        self.bits.get(at * self.width..(at + 1) * self.width).unwrap_or_default()
    }

    /// Clusters that every rule lets in.
    pub(crate) fn eligible(&self) -> &[u64] {
        self.mask(0)
    }

    /// Clusters of a group of the placement that no earlier group has.
    pub(crate) fn group(&self, group: usize) -> &[u64] {
        if group < self.groups { self.mask(1 + group) } else { &[] }
    }

    /// How many groups the placement has; 0 when it names none.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// Whether the k-th pool of the cluster passes all pool rules.
    pub(crate) fn accepts(&self, plane: usize, slot: usize) -> bool {
        plane < self.planes && mask::has(self.mask(1 + self.groups + plane), slot)
    }

    /// Planes of pools.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = &[u64]> {
        (0..self.planes).map(|plane| self.mask(1 + self.groups + plane))
    }

    /// Clusters of which a rule says exactly this (not Pass); empty when there are none.
    fn saying(&self, rule: Rule, answer: Answer) -> &[u64] {
        let Some(column) = (answer as usize).checked_sub(1) else { return &[] };
        match self.at.get(rule.index()).and_then(|at| at.get(column)) {
            Some(at) if *at != NONE => self.mask(usize::from(*at)),
            _ => &[],
        }
    }

    /// What a rule says of a cluster.
    #[must_use]
    pub fn answer(&self, rule: Rule, slot: ClusterSlot) -> Answer {
        [Answer::Fail, Answer::Unknown, Answer::Warn]
            .into_iter()
            .find(|answer| mask::has(self.saying(rule, *answer), slot.index()))
            .unwrap_or_default()
    }

    /// Whether a rule keeps a cluster out.
    #[must_use]
    pub fn refuses(&self, rule: Rule, slot: ClusterSlot) -> bool {
        mask::has(self.saying(rule, Answer::Fail), slot.index())
            || (self.strict && mask::has(self.saying(rule, Answer::Unknown), slot.index()))
    }

    /// How many clusters a rule keeps out.
    #[must_use]
    pub fn refused(&self, rule: Rule) -> u32 {
        let unknown = if self.strict { mask::count(self.saying(rule, Answer::Unknown)) } else { 0 };
        mask::count(self.saying(rule, Answer::Fail)) + unknown
    }

    /// Sets the bits of one cluster again by the scalar path. `false` when the block has no room for it (the fleet grew
    /// past its width or a cluster has more pools than planes) and must be made anew.
    pub(crate) fn refresh(&mut self, judge: &Judge<'_>, slot: usize) -> bool {
        let snapshot = judge.view.snapshot;
        if snapshot.width() > self.width || snapshot.index.planes.len() > self.planes {
            return false;
        }
        let cluster = snapshot.cluster(ClusterSlot::new(slot));
        let mut eligible = cluster.is_some();
        for rule in Rule::ALL {
            let answer = cluster.map_or(Answer::Pass, |cluster| judge.check(rule, slot, cluster).answer);
            eligible &= !judge.refuses(answer);
            for (column, kind) in [Answer::Warn, Answer::Unknown, Answer::Fail].into_iter().enumerate() {
                self.put(rule, column, slot, answer == kind);
            }
        }
        let group = cluster.and_then(|cluster| judge.group(cluster));
        for at in 0..self.groups {
            self.put_at(1 + at, slot, group == Some(at));
        }
        for plane in 0..self.planes {
            let pool = cluster.and_then(|cluster| Some((cluster, cluster.pools.get(plane)?)));
            let accepted = pool.is_some_and(|(cluster, pool)| judge.accepts(cluster, pool));
            self.put_at(1 + self.groups + plane, slot, accepted);
        }
        self.put_at(0, slot, eligible);
        true
    }

    fn put_at(&mut self, at: usize, slot: usize, value: bool) {
        let words = self.bits.get_mut(at * self.width..(at + 1) * self.width).unwrap_or_default();
        mask::assign(words, slot, value);
    }

    fn put(&mut self, rule: Rule, column: usize, slot: usize, value: bool) {
        let Some(place) = self.at.get_mut(rule.index()).and_then(|at| at.get_mut(column)) else { return };
        if *place == NONE {
            if !value {
                return;
            }
            let Ok(next) = u16::try_from(self.bits.len() / self.width.max(1)) else { return };
            *place = next;
            self.bits.resize(self.bits.len() + self.width, 0);
        }
        let at = usize::from(*place);
        self.put_at(at, slot, value);
    }
}

/// Memory used again from block to block.
#[derive(Debug, Default)]
struct Buffers {
    out: Vec<u64>,
    fail: Vec<u64>,
    unknown: Vec<u64>,
    warn: Vec<u64>,
    spare: Vec<u64>,
}

/// What the images of a requirement meet on each distinct kind of pool.
type ArchitectureKey = (Vec<Image>, BTreeSet<String>, bool);

/// All verdict blocks made so far, shared by requirements that ask the same.
///
/// A store outlives a planner ([`super::Planner::resume`]) as long as it is told of every changed cluster of its one
/// snapshot; it empties itself when tenants, tiers, freezes or what holds by the calendar have changed meanwhile.
#[derive(Debug, Default)]
pub struct VerdictStore {
    ids: BTreeMap<Arc<Requirement>, usize>,
    blocks: Vec<Verdicts>,
    /// What the blocks hold for: revision of the rules, and the instants between which no date matters.
    valid: Option<(u64, Timestamp, Option<Timestamp>)>,
    architecture: BTreeMap<ArchitectureKey, Vec<Answer>>,
    buffers: Buffers,
}

impl VerdictStore {
    /// Empties the store unless what it holds is right for this view.
    pub(crate) fn keep_for(&mut self, view: &View<'_>) {
        let revision = view.snapshot.revision();
        let holds = self.valid.is_some_and(|(known, from, until)| {
            known == revision && from <= view.as_of && until.is_none_or(|until| view.as_of < until)
        });
        if !holds {
            self.ids.clear();
            self.blocks.clear();
        }
        self.valid = Some((revision, view.as_of, view.next_change));
    }

    /// The block of a requirement, made when it is asked for first.
    pub(crate) fn of(&mut self, view: &View<'_>, requirement: &Arc<Requirement>) -> usize {
        if let Some(id) = self.ids.get(requirement) {
            return *id;
        }
        let block = self.build(view, requirement);
        self.blocks.push(block);
        let id = self.blocks.len() - 1;
        self.ids.insert(Arc::clone(requirement), id);
        id
    }

    pub(crate) fn block(&self, id: usize) -> Option<&Verdicts> {
        self.blocks.get(id)
    }

    /// How many distinct requirements have been judged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether nothing has been judged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// A cluster changed, came or went: its bit is set again in every block by the scalar path. Returns the requirements
    /// for which it became eligible or ceased to be: only workloads that ask one of these are woken.
    pub fn cluster_changed(
        &mut self,
        snapshot: &Snapshot,
        as_of: Timestamp,
        slot: ClusterSlot,
    ) -> Vec<Arc<Requirement>> {
        let view = &View::new(snapshot, as_of);
        let mut flipped = Vec::new();
        let ids: Vec<_> = self.ids.iter().map(|(requirement, id)| (Arc::clone(requirement), *id)).collect();
        for (requirement, id) in ids {
            let demand = Demand::new(view.snapshot, &requirement);
            let judge = Judge { view, requirement: &requirement, demand: &demand };
            let Some(block) = self.blocks.get_mut(id) else { continue };
            let before = mask::has(block.eligible(), slot.index());
            if !block.refresh(&judge, slot.index()) {
                let fresh = self.build(view, &requirement);
                if let Some(place) = self.blocks.get_mut(id) {
                    *place = fresh;
                }
            }
            let after = self.blocks.get(id).is_some_and(|block| mask::has(block.eligible(), slot.index()));
            if before != after {
                flipped.push(requirement);
            }
        }
        flipped
    }

    fn build(&mut self, view: &View<'_>, requirement: &Requirement) -> Verdicts {
        let demand = Demand::new(view.snapshot, requirement);
        let judge = Judge { view, requirement, demand: &demand };
        let index = &view.snapshot.index;
        let (width, groups, planes) = (view.snapshot.width(), requirement.groups.len(), index.planes.len());
        let buffers = &mut self.buffers;
        buffers.out.clear();
        buffers.out.resize(width * (1 + groups + planes), 0);
        for buffer in [&mut buffers.fail, &mut buffers.unknown, &mut buffers.warn, &mut buffers.spare] {
            buffer.clear();
            buffer.resize(width, 0);
        }
        let mut build = Build {
            judge,
            index,
            width,
            groups,
            at: [[NONE; 3]; Rule::COUNT],
            buffers,
            architecture: &mut self.architecture,
        };
        build.head(0, |words| or(words, index.live.words()));
        build.planes();
        build.clusters();
        build.rule_groups();
        Verdicts {
            width,
            groups,
            planes,
            strict: demand.strict,
            at: build.at,
            bits: build.buffers.out.as_slice().into(),
        }
    }
}

struct Build<'a> {
    judge: Judge<'a>,
    index: &'a Index,
    width: usize,
    groups: usize,
    at: [[u16; 3]; Rule::COUNT],
    buffers: &'a mut Buffers,
    architecture: &'a mut BTreeMap<ArchitectureKey, Vec<Answer>>,
}

impl Build<'_> {
    fn head(&mut self, at: usize, change: impl FnOnce(&mut [u64])) {
        if let Some(words) = self.buffers.out.get_mut(at * self.width..(at + 1) * self.width) {
            change(words);
        }
    }

    /// Adds clusters to the answers of the rule at work.
    fn say(&mut self, answer: Answer, words: &[u64]) {
        match answer {
            Answer::Pass => {}
            Answer::Warn => or(&mut self.buffers.warn, words),
            Answer::Unknown => or(&mut self.buffers.unknown, words),
            Answer::Fail => or(&mut self.buffers.fail, words),
        }
    }

    /// The rule at work fails on all live clusters that are not in the set.
    fn fail_unless(&mut self, words: &[u64]) {
        self.buffers.spare.fill(0);
        or(&mut self.buffers.spare, self.index.live.words());
        and_not(&mut self.buffers.spare, words);
        or(&mut self.buffers.fail, &self.buffers.spare);
    }

    /// Closes the rule at work: the worst answer of each cluster stands, empty masks are not kept.
    fn close(&mut self, rule: Rule) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decide::fixture::{self, Dice};

    fn assert_scalar_equals_mask(view: &View<'_>, requirement: &Requirement, block: &Verdicts) {
        let demand = Demand::new(view.snapshot, requirement);
        let judge = Judge { view, requirement, demand: &demand };
        for (slot, cluster) in view.snapshot.clusters() {
            let mut eligible = true;
            for rule in Rule::ALL {
                let check = judge.check(rule, slot.index(), cluster);
                assert_eq!(block.answer(rule, slot), check.answer, "{rule:?} on {}: {check:?}", cluster.name);
                eligible &= !judge.refuses(check.answer);
            }
            assert_eq!(mask::has(block.eligible(), slot.index()), eligible, "{}", cluster.name);
            for (plane, pool) in cluster.pools.iter().enumerate() {
                assert_eq!(block.accepts(plane, slot.index()), judge.accepts(cluster, pool), "{}", pool.name);
            }
            for group in 0..block.groups() {
                assert_eq!(mask::has(block.group(group), slot.index()), judge.group(cluster) == Some(group));
            }
        }
    }

    proptest! {
        #[test]
        fn the_scalar_path_equals_the_mask_path(seed in any::<u64>()) {
            let mut dice = Dice::new(seed);
            let snapshot = Snapshot::new(fixture::fleet(&mut dice, 70)).unwrap();
            for as_of in fixture::instants() {
                let view = View::new(&snapshot, as_of);
                let mut store = VerdictStore::default();
                for _ in 0..4 {
                    let requirement = Arc::new(fixture::requirement(&mut dice));
                    let id = store.of(&view, &requirement);
                    assert_scalar_equals_mask(&view, &requirement, store.block(id).unwrap());
                }
            }
        }

        #[test]
        fn a_block_kept_up_to_date_says_what_a_fresh_one_says(seed in any::<u64>()) {
            let mut dice = Dice::new(seed);
            let mut snapshot = Snapshot::new(fixture::fleet(&mut dice, 12)).unwrap();
            let requirements: Vec<_> = (0..3).map(|_| Arc::new(fixture::requirement(&mut dice))).collect();
            let mut store = VerdictStore::default();
            {
                let view = View::new(&snapshot, fixture::now());
                requirements.iter().for_each(|requirement| { store.of(&view, requirement); });
            }
            for _ in 0..12 {
                let name = format!("集群-{}", dice.below(15));
                let slot = if dice.one_in(3) {
                    snapshot.remove_cluster(&name)
                } else {
                    Some(snapshot.upsert_cluster(fixture::cluster(&mut dice, &name)))
                };
                let Some(slot) = slot else { continue };
                store.cluster_changed(&snapshot, fixture::now(), slot);
                let view = View::new(&snapshot, fixture::now());
                for requirement in &requirements {
                    let id = store.of(&view, requirement);
                    assert_scalar_equals_mask(&view, requirement, store.block(id).unwrap());
                }
            }
        }
    }
}
