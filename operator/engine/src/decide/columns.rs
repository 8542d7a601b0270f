//! What choice looks at besides room: the group of each cluster by a spread key, scores by preferences, and how many
//! replicas the accounts of system, tenant and fleet have in each group.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::input::{ClusterInput, Figure};
use super::record::ScoreTerm;
use super::snapshot::{ClusterSlot, Snapshot};
use super::spec::{Preference, ShareOf, Spec, SpreadKey};
use crate::choice::{NO_GROUP, Term};

/// Groups of one key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    pub(crate) by_slot: Vec<u32>,
    pub(crate) names: Vec<String>,
}

impl Groups {
    fn new(snapshot: &Snapshot, key: &SpreadKey) -> Self {
        let named = snapshot.clusters().filter_map(|(slot, cluster)| Some((slot, group(cluster, key)?)));
        Self::of_names(snapshot, &named.collect::<Vec<_>>())
    }

    /// Groups by their names; clusters that are not there have none.
    pub(crate) fn of_names(snapshot: &Snapshot, named: &[(ClusterSlot, String)]) -> Self {
        let mut ids: BTreeMap<&str, u32> = named.iter().map(|(_, name)| (name.as_str(), 0)).collect();
        for (id, place) in ids.values_mut().enumerate() {
            *place = u32::try_from(id).unwrap_or(NO_GROUP);
        }
        let mut by_slot = vec![NO_GROUP; snapshot.slots()];
        for (slot, name) in named {
            if let (Some(place), Some(id)) = (by_slot.get_mut(slot.index()), ids.get(name.as_str())) {
                *place = *id;
            }
        }
        let names = ids.into_keys().map(str::to_owned).collect();
        Self { by_slot, names }
    }

    /// The group of a cluster, by name.
    fn of(&self, slot: usize) -> Option<&String> {
        self.names.get(*self.by_slot.get(slot)? as usize)
    }

    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.names.len()).unwrap_or(NO_GROUP)
    }
}

/// The group of a cluster by a key; `None` when it states none.
fn group(cluster: &ClusterInput, key: &SpreadKey) -> Option<String> {
    let name = match key {
        SpreadKey::Cluster => cluster.name.clone(),
        SpreadKey::Site => cluster.site.clone(),
        SpreadKey::Region => cluster.region.clone(),
        SpreadKey::AvailabilityZone => cluster.availability_zone.clone(),
        SpreadKey::Provider => cluster.provider.clone(),
        SpreadKey::Platform => {
            let mut platforms: Vec<_> = cluster.pools.iter().filter_map(|pool| pool.facts.platform.clone()).collect();
            platforms.sort_unstable();
            platforms.dedup();
            platforms.join("+")
        }
        SpreadKey::Label(label) => return cluster.labels.get(label).cloned(),
        SpreadKey::Among(names) => names.contains(&cluster.name).to_string(),
    };
    (!name.is_empty()).then_some(name)
}

/// The terms of a cluster's score.
pub(crate) fn terms(cluster: &ClusterInput, preferences: &[Preference]) -> Vec<ScoreTerm> {
    preferences
        .iter()
        .map(|preference| {
            let seen = match &preference.figure {
                Figure::Label(label) => {
                    let (key, value) = label.split_once('=').map_or((&**label, None), |(k, v)| (k, Some(v)));
                    let seen = cluster.labels.get(key);
                    let has = seen.is_some_and(|seen| value.is_none_or(|value| value == seen));
                    Some(i64::from(has))
                }
                figure => cluster.figures.get(figure).copied(),
            };
            let term = Term { worst: preference.worst, best: preference.best, weight: preference.weight };
            ScoreTerm {
                figure: preference.figure.clone().into(),
                seen,
                points: term.contribution(seen).points,
                weight: i64::from(preference.weight),
            }
        })
        .collect()
}

pub(crate) fn score(terms: &[ScoreTerm]) -> i64 {
    terms.iter().fold(0_i64, |sum, term| sum.saturating_add(term.points.saturating_mul(term.weight)))
}

/// Whose account a share is counted over.
fn owner(of: ShareOf, spec: &Spec) -> String {
    match of {
        ShareOf::Workload => spec.key.to_string(),
        ShareOf::System => spec.system.clone(),
        ShareOf::Tenant => spec.requirement.tenant.clone(),
        ShareOf::Fleet => String::new(),
    }
}

/// What is placed of one account: per group and in all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) groups: Vec<i128>,
    pub(crate) total: i128,
}

/// What is placed of whom, by workload: the base of all share accounts.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    groups: BTreeMap<SpreadKey, Groups>,
    scores: BTreeMap<Vec<Preference>, Vec<i64>>,
    accounts: BTreeMap<(ShareOf, String), BTreeMap<SpreadKey, Account>>,
}

impl Columns {
    pub(crate) fn prepare(&mut self, snapshot: &Snapshot, spec: &Spec) {
        let policy = &spec.policy;
        for key in policy.spread.iter().map(|spread| &spread.key).chain(policy.max_share.iter().map(|share| &share.key))
        {
            if !self.groups.contains_key(key) {
                self.groups.insert(key.clone(), Groups::new(snapshot, key));
            }
        }
        if !policy.preferences.is_empty() && !self.scores.contains_key(&policy.preferences) {
            let mut scores = vec![0; snapshot.slots()];
            for (slot, cluster) in snapshot.clusters() {
                if let Some(place) = scores.get_mut(slot.index()) {
                    *place = score(&terms(cluster, &policy.preferences));
                }
            }
            self.scores.insert(policy.preferences.clone(), scores);
        }
    }

    pub(crate) fn groups(&self, key: &SpreadKey) -> Option<&Groups> {
        self.groups.get(key)
    }

    pub(crate) fn scores(&self, preferences: &[Preference]) -> &[i64] {
        if preferences.is_empty() { &[] } else { self.scores.get(preferences).map_or(&[], Vec::as_slice) }
    }

    /// The account a share of this workload is counted over, made from what is placed when first asked for.
    pub(crate) fn account<'p>(
        &mut self,
        of: ShareOf,
        key: &SpreadKey,
        spec: &Spec,
        placed: impl Iterator<Item = (&'p Spec, &'p [(usize, i64)])>,
    ) -> Account {
        let name = owner(of, spec);
        let of_owner = self.accounts.entry((of, name.clone())).or_default();
        if let Some(account) = of_owner.get(key) {
            return account.clone();
        }
        let mut account = Account::default();
        if let Some(groups) = self.groups.get(key) {
            account.groups = vec![0; groups.names.len()];
            for (_, targets) in placed.filter(|(other, _)| owner(of, other) == name) {
                add(&mut account, groups, targets, 1);
            }
        }
        of_owner.insert(key.clone(), account.clone());
        account
    }

    /// Enters a change of what is placed into every account it concerns.
    pub(crate) fn moved(&mut self, spec: &Spec, targets: &[(usize, i64)], sign: i64) {
        if self.accounts.is_empty() || targets.is_empty() {
            return;
        }
        for of in [ShareOf::Workload, ShareOf::System, ShareOf::Tenant, ShareOf::Fleet] {
            for (key, account) in self.accounts.get_mut(&(of, owner(of, spec))).into_iter().flatten() {
                if let Some(groups) = self.groups.get(key) {
                    add(account, groups, targets, sign);
                }
            }
        }
    }

    /// Brings groups and scores up to date with clusters that changed. Groups that are other than before take the
    /// accounts that are kept by them along: those are made again when they are asked for.
    pub(crate) fn bring(&mut self, snapshot: &Snapshot, slots: &[ClusterSlot]) {
        let Self { groups, scores, accounts } = self;
        groups.retain(|key, groups| {
            let same = slots.iter().all(|slot| {
                let now = snapshot.cluster(*slot).and_then(|cluster| group(cluster, key));
                groups.of(slot.index()) == now.as_ref()
            });
            if !same {
                accounts.values_mut().for_each(|of_owner| drop(of_owner.remove(key)));
            }
            same
        });
        for (preferences, scores) in scores {
            for slot in slots {
                if let Some(place) = scores.get_mut(slot.index()) {
                    let score = |cluster: &Arc<ClusterInput>| score(&terms(cluster, preferences));
                    *place = snapshot.cluster(*slot).map_or(0, score);
                }
            }
        }
    }
}

/// Sums are wide enough never to be cut off: what was added can be taken out in any order.
fn add(account: &mut Account, groups: &Groups, targets: &[(usize, i64)], sign: i64) {
    for (slot, replicas) in targets {
        let change = i128::from(*replicas) * i128::from(sign);
        account.total += change;
        if let Some(group) = groups.by_slot.get(*slot).and_then(|id| account.groups.get_mut(*id as usize)) {
            *group += change;
        }
    }
}

/// Takes a workload's own replicas out of a copy of its account.
pub(crate) fn without(mut account: Account, groups: &Groups, targets: &[(usize, i64)]) -> Account {
    add(&mut account, groups, targets, -1);
    account
}
