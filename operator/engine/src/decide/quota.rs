//! Quotas along the payer's tree: what every ancestor of a tenant allows, what is used, what is left.
//!
//! A placement is charged to its tenant and to every tenant above it (`quota_parent`). At each of them the grants that
//! hold at the instant add up to a limit per resource; a part of it is headroom that only failover may use. Nothing here
//! is ever charged beyond a limit by a decision; what already runs is counted as it is.

use std::collections::{BTreeMap, BTreeSet};

use super::input::TenantInput;
use super::record::QuotaUse;
use super::resources::Resources;
use super::view::View;

/// Where a quota stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    pub(crate) tenant: String,
    pub(crate) resource: String,
    /// Still free there.
    pub(crate) left: i64,
}

/// What is used, by tenant and resource. Sums are wide enough never to be cut off: what was charged can be given back in
/// any order.
type Used<T> = BTreeMap<String, BTreeMap<String, T>>;

/// What runs uses of one resource of one tenant, and how many charges that is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    amount: i128,
    charges: i64,
}

/// The accounts.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    /// By what runs.
    standing: Used<Standing>,
    /// What a plan adds to that.
    planned: Used<i128>,
}

/// As a record holds it.
fn narrow(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}

/// The tenant and everybody above; a circle (which intake reports) is walked once.
fn chain<'s>(view: &View<'s>, tenant: &str) -> Vec<&'s TenantInput> {
    let mut chain: Vec<&TenantInput> = Vec::new();
    let mut next = view.snapshot.tenants.get(tenant);
    while let Some(tenant) = next {
        if chain.iter().any(|seen| seen.name == tenant.name) {
            break;
        }
        chain.push(tenant);
        next = tenant.quota_parent.as_ref().and_then(|parent| view.snapshot.tenants.get(parent));
    }
    chain
}

/// What a tenant's grants allow of a resource: the limit and the part only failover may use. `None` when not limited.
fn limit(view: &View<'_>, tenant: &TenantInput, resource: &str) -> Option<(i64, i64)> {
    let grants = tenant.grants.as_ref()?;
    if !grants.is_empty() && grants.iter().all(|grant| !grant.amount.contains_key(resource)) {
        return None;
    }
    let holding = grants.iter().filter(|grant| grant.term.holds(view.as_of));
    let sum = holding
        .filter_map(|grant| grant.amount.get(resource))
        .fold(0_i64, |sum, amount| sum.saturating_add((*amount).max(0)));
    let headroom = i128::from(sum) * i128::from(tenant.headroom_percent.min(100)) / 100;
    Some((sum, i64::try_from(headroom).unwrap_or(sum)))
}

/// The amounts of a resource as a grant for one platform names them.
pub(crate) fn on_platform(each: &Resources, platform: &str) -> Resources {
    each.iter().map(|(resource, amount)| (format!("{resource}@{platform}"), *amount)).collect()
}

impl Quota {
    /// Platforms that the payer's tree limits by themselves.
    pub(crate) fn platforms<'s>(&self, view: &View<'s>, tenant: &str) -> BTreeSet<&'s str> {
        let grants = chain(view, tenant).into_iter().flat_map(|tenant| tenant.grants.iter().flatten());
        let resources = grants.flat_map(|grant| grant.amount.keys());
        resources.filter_map(|resource| resource.split_once('@')).map(|(_, platform)| platform).collect()
    }

    fn used(&self, tenant: &str, resource: &str) -> (i64, i64) {
        let standing = self.standing.get(tenant).and_then(|of| of.get(resource)).map_or(0, |used| used.amount);
        let planned = self.planned.get(tenant).and_then(|of| of.get(resource)).copied().unwrap_or(0);
        (narrow(standing), narrow(standing + planned))
    }

    /// Charges what a plan adds to a tenant and everybody above; negative gives back.
    pub(crate) fn charge(&mut self, view: &View<'_>, tenant: &str, each: &Resources, replicas: i64) {
        if replicas == 0 || each.is_empty() {
            return;
        }
        for tenant in chain(view, tenant) {
            let of = self.planned.entry(tenant.name.clone()).or_default();
            for (resource, amount) in each {
                *of.entry(resource.clone()).or_default() += i128::from(*amount) * i128::from(replicas);
            }
        }
    }

    /// Enters what runs, or takes it out (`enter` false) by the numbers it was entered with.
    pub(crate) fn stand(&mut self, view: &View<'_>, tenant: &str, each: &Resources, replicas: i64, enter: bool) {
        if replicas == 0 || each.is_empty() {
            return;
        }
        let sign = if enter { 1 } else { -1 };
        for tenant in chain(view, tenant) {
            let of = self.standing.entry(tenant.name.clone()).or_default();
            for (resource, amount) in each {
                let used = of.entry(resource.clone()).or_default();
                used.amount += i128::from(*amount) * i128::from(replicas) * i128::from(sign);
                used.charges += sign;
                if used.charges == 0 {
                    of.remove(resource);
                }
            }
        }
    }

    /// Forgets what a plan added.
    pub(crate) fn roll_back(&mut self) {
        self.planned.clear();
    }

    /// How many further replicas the tree allows, headroom included where that is said, with the bound that says so; `None` when nothing limits.
    pub(crate) fn room(&self, view: &View<'_>, tenant: &str, each: &Resources, headroom: bool) -> Option<(i64, Bound)> {
        let mut least: Option<(i64, Bound)> = None;
        for tenant in chain(view, tenant) {
            for (resource, amount) in each.iter().filter(|(_, amount)| **amount > 0) {
                let Some(left) = self.left(view, tenant, resource, headroom) else { continue };
                let fit = left / amount;
                if least.as_ref().is_none_or(|(known, _)| fit < *known) {
                    let bound = Bound { tenant: tenant.name.clone(), resource: resource.clone(), left };
                    least = Some((fit, bound));
                }
            }
        }
        least
    }

    /// The quota that so much is beyond, if any: the one that the fewest of `replicas` would find room in.
    pub(crate) fn short(
        &self,
        view: &View<'_>,
        tenant: &str,
        needed: &Resources,
        replicas: i64,
        headroom: bool,
    ) -> Option<Bound> {
        let mut least: Option<(i128, Bound)> = None;
        for tenant in chain(view, tenant) {
            for (resource, amount) in needed.iter().filter(|(_, amount)| **amount > 0) {
                let Some(left) = self.left(view, tenant, resource, headroom).filter(|left| left < amount) else {
                    continue;
                };
                let fit = i128::from(left) * i128::from(replicas) / i128::from(*amount);
                if least.as_ref().is_none_or(|(known, _)| fit < *known) {
                    least = Some((fit, Bound { tenant: tenant.name.clone(), resource: resource.clone(), left }));
                }
            }
        }
        least.map(|(_, bound)| bound)
    }

    /// What is left of a resource at one tenant; `None` where nothing limits it.
    fn left(&self, view: &View<'_>, tenant: &TenantInput, resource: &str, headroom: bool) -> Option<i64> {
        let (sum, kept) = limit(view, tenant, resource)?;
        let open = if headroom { sum } else { sum - kept };
        Some(open.saturating_sub(self.used(&tenant.name, resource).1).max(0))
    }

    /// Every quota that is limited or used, of these tenants (or all).
    pub(crate) fn report(&self, view: &View<'_>, of: Option<&str>) -> Vec<QuotaUse> {
        let wanted: Vec<&TenantInput> = match of {
            Some(tenant) => chain(view, tenant),
            None => view.snapshot.tenants.values().collect(),
        };
        let mut lines = Vec::new();
        for tenant in wanted {
            let (standing, planned) = (self.standing.get(&tenant.name), self.planned.get(&tenant.name));
            let used = standing.iter().flat_map(|of| of.keys()).chain(planned.iter().flat_map(|of| of.keys()));
            let limited = tenant.grants.iter().flatten().flat_map(|grant| grant.amount.keys());
            let mut resources: Vec<_> = used.chain(limited).collect();
            resources.sort_unstable();
            resources.dedup();
            for resource in resources {
                let (before, after) = self.used(&tenant.name, resource);
                let limit = limit(view, tenant, resource);
                lines.push(QuotaUse {
                    tenant: tenant.name.clone(),
                    resource: resource.clone(),
                    before,
                    after,
                    limit: limit.map(|limit| limit.0),
                    headroom: limit.map_or(0, |limit| limit.1),
                });
            }
        }
        lines
    }
}
