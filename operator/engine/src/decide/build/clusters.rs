//! Rules about whole clusters, and the clusters that affinities mean.
//!
//! The rules about pools are the parent's.

use std::collections::BTreeSet;

use super::Build;
use crate::decide::affinity::{Affinity, Expression, Operator, tolerated};
use crate::decide::index::Postings;
use crate::decide::input::Ownership;
use crate::decide::mask::{self, and, and_not, or};
use crate::decide::rule::{Answer, Rule};
use crate::decide::rules;
use crate::decide::spec::Cause;

impl Build<'_> {
    /// Rules about whole clusters.
    pub(super) fn clusters(&mut self) {
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
    pub(super) fn rule_groups(&mut self) {
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
