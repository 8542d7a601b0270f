//! Spread entries and shares of a policy as keys of choice.
//!
//! A share of the workload's own replicas is a percentage that choice applies; a share of what a system, a tenant or the
//! fleet has is an account of the ledger and becomes a number of replicas per group here.

use super::columns::{self, Columns, Groups};
use super::planner::Planner;
use super::spec::{ShareOf, Spec, SpreadKey};
use crate::choice::{Key, KeyGroups, MAX_KEYS, Strength};

impl Planner<'_> {
    /// Per share of System, Tenant or Fleet: most replicas of this workload in each group.
    pub(crate) fn share_rooms(&mut self, spec: &Spec) -> Vec<Vec<i64>> {
        if spec.policy.max_share.iter().all(|share| share.of == ShareOf::Workload) {
            return Vec::new();
        }
        let mut rooms = Vec::new();
        for share in &spec.policy.max_share {
            if share.of == ShareOf::Workload {
                rooms.push(Vec::new());
                continue;
            }
            let placed = self.books.placed.iter().flatten().map(|(spec, targets)| (&**spec, targets.as_slice()));
            let account = self.books.columns.account(share.of, &share.key, spec, placed);
            let Some(groups) = self.books.columns.groups(&share.key) else { continue };
            let own: Vec<_> = self.books.placed_of(&spec.key).map(|(_, own)| own.clone()).unwrap_or_default();
            let others = columns::without(account, groups, &own);
            let all = i64::try_from(others.total + i128::from(spec.replicas)).unwrap_or(i64::MAX);
            let cap = i128::from(share.percent.floor_of(all));
            let left = |used: &i128| i64::try_from((cap - used).max(0)).unwrap_or(i64::MAX);
            rooms.push(others.groups.iter().map(left).collect());
        }
        rooms
    }
}

impl Planner<'_> {
    /// Clusters by the CPU platforms that replicas of a workload may land on there; `None` where no bound asks. Pools that
    /// are not its own are nothing to it. Accounts of several workloads go by all platforms of a cluster.
    pub(crate) fn platform_groups(&self, spec: &Spec, block: usize) -> Option<Groups> {
        let shares = spec.policy.max_share.iter().filter(|share| share.of == ShareOf::Workload).map(|share| &share.key);
        let mut keys = spec.policy.spread.iter().map(|spread| &spread.key).chain(shares);
        if !keys.any(|key| *key == SpreadKey::Platform) {
            return None;
        }
        let snapshot = self.view.snapshot;
        let named = snapshot.clusters().map(|(slot, _)| {
            let platforms: Vec<&str> = self.platforms(block, slot).into_iter().collect();
            (slot, platforms.join("+"))
        });
        Some(Groups::of_names(snapshot, &named.filter(|(_, name)| !name.is_empty()).collect::<Vec<_>>()))
    }
}

/// Spread entries and shares as keys of choice, entries first; shares of a key that also spreads join it. `None` when
/// there are more than choice takes. `platforms` are the groups of bounds on the workload's own platforms.
pub(crate) fn keys_of<'a>(
    spec: &Spec,
    (columns, platforms): (&'a Columns, Option<&'a Groups>),
    rooms: &'a [Vec<i64>],
    keys: &mut [Option<Key<'a>>; MAX_KEYS],
) -> Option<usize> {
    let policy = &spec.policy;
    let column = |groups: &'a Groups| KeyGroups::Column { by_slot: &groups.by_slot, count: groups.count() };
    let own = platforms.map(column);
    let groups_of = |key: &SpreadKey| match key {
        SpreadKey::Cluster => Some(KeyGroups::Cluster),
        SpreadKey::Platform if own.is_some() => own,
        key => columns.groups(key).map(column),
    };
    let strength = |required: bool| if required { Strength::Required } else { Strength::Preferred };
    let mut count = 0;
    for spread in &policy.spread {
        let place = keys.get_mut(count)?;
        *place = Some(Key {
            min_groups: spread.min_groups,
            max_groups: spread.max_groups.unwrap_or(u32::MAX),
            min_replicas: spread.min_replicas,
            strength: strength(spread.required),
            ..Key::new(groups_of(&spread.key)?)
        });
        count += 1;
    }
    for (at, share) in policy.max_share.iter().enumerate() {
        let same = policy.spread.iter().position(|s| s.key == share.key && s.required == share.required);
        let place = match same {
            Some(same) => keys.get_mut(same)?.as_mut()?,
            None => {
                let place = keys.get_mut(count)?;
                count += 1;
                place.insert(Key { strength: strength(share.required), ..Key::new(groups_of(&share.key)?) })
            }
        };
        match share.of {
            ShareOf::Workload => {
                place.max_share = Some(place.max_share.map_or(share.percent, |p| p.min(share.percent)));
            }

            ShareOf::System | ShareOf::Tenant | ShareOf::Fleet => {
                place.room = rooms.get(at).map_or(&[], Vec::as_slice);
                if [SpreadKey::Cluster, SpreadKey::Platform].contains(&share.key) {
                    place.groups = column(columns.groups(&share.key)?);
                }
            }
        }
    }
    Some(count)
}
