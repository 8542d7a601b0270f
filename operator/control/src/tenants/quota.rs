//! What a tenant was granted in all, as the fence of its namespaces. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiuzhou_api::text::Resources;
use jiuzhou_api::v1alpha1::QuotaGrant;
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_intake::in_force;
use jiuzhou_objects::quantity::Quantity;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Amount;

use crate::state::State;

/// What the tenant of a workload may use in all on the day of the snapshot.
pub(crate) fn granted(state: &State, key: &WorkloadKey) -> Resources {
    let tenant = state.objects().tenants.get(&(String::new(), state.tenant(key)));
    let day = state.day();
    let approved = state.base().map(|base| &base.approved);
    let known = tenant.zip(day).zip(approved);
    known.map(|((tenant, day), approved)| sum(&in_force::quota(&tenant.object, approved).0, day)).unwrap_or_default()
}

/// The sum of the grants that hold on a day. Those for one platform only are the ledger's: a namespace knows no platform.
/// An amount that is none, or a sum that is beyond what Kubernetes keeps, limits nothing here; intake has told of it.
pub(super) fn sum(grants: &[QuotaGrant], day: Date) -> Resources {
    let holds = |grant: &&QuotaGrant| {
        let date = |text: &str| text.parse::<Date>().ok();
        let begun = date(&grant.from).is_some_and(|from| from <= day);
        let ended = grant.until.as_ref().and_then(|until| date(until)).is_some_and(|until| until < day);
        grant.platform.is_none() && begun && !ended
    };
    let mut sums: BTreeMap<String, Option<(i128, String)>> = BTreeMap::new();
    for (resource, amount) in grants.iter().filter(holds).flat_map(|grant| grant.hard.iter()) {
        let add = Quantity::parse(&amount.0).ok();
        let next = match (sums.get(resource), add) {
            (None, Some(first)) => Some((first.nanos(), amount.0.clone())),
            (Some(Some((before, text))), Some(add)) => Quantity::parse(text)
                .ok()
                .and_then(|known| known.checked_add(add))
                .map(|total| (before + add.nanos(), total.to_string())),
            _ => None,
        };
        sums.insert(resource.clone(), next);
    }
    let known = sums.into_iter().filter_map(|(resource, sum)| Some((resource, Amount(sum?.1))));
    Resources(known.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(from: &str, until: Option<&str>, platform: Option<&str>, cpu: &str) -> QuotaGrant {
        QuotaGrant {
            from: from.into(),
            until: until.map(Into::into),
            platform: platform.map(Into::into),
            hard: Resources(BTreeMap::from([("cpu".to_owned(), Amount(cpu.to_owned()))])),
            ..QuotaGrant::default()
        }
    }

    #[test]
    fn grants_that_hold_are_added_and_those_of_one_platform_are_not() {
        let grants = [
            grant("2026-01-01", None, None, "8"),
            grant("2026-01-01", Some("2026-11-26"), None, "500m"),
            grant("2026-01-01", Some("2026-11-25"), None, "100"),
            grant("2027-01-01", None, None, "100"),
            grant("2026-01-01", None, Some("kunpeng-920"), "100"),
        ];
        let cpu = |day: &str| sum(&grants, day.parse().unwrap()).get("cpu").map(|amount| amount.0.clone());
        assert_eq!(cpu("2026-11-26").as_deref(), Some("8500m"), "the last day counts");
        assert_eq!(cpu("2025-01-01"), None, "nothing is granted yet");
    }
}
