//! What the keeper tells of a tenant that only the planner knows: what its workloads take, and where a namespace of its
//! name is somebody else's.
//!
//! Worked out of a copy once a minute, so that a burst of commits is one write for each tenant. What is placed counts by
//! its quota, as the ledger counts it, for the tenant and for all above that pay with it.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::conditions::{ConditionType, ControllerReason};
use jiuzhou_api::text::Resources;
use jiuzhou_engine::decide::Spec;
use jiuzhou_engine::decide::resources::CPU;
use jiuzhou_objects::quantity::Quantity;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Amount;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::workload::conditions::condition;

/// Namespaces that a message lists.
const NAMED: usize = 10;
/// Levels of tenants at most; a circle is told elsewhere and ends here.
const LEVELS: usize = 16;

/// What is known of one tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// What is placed, own and of its children.
    pub(crate) used: Resources,
    /// `CLUSTER/NAMESPACE` that are not ours in a member.
    pub(crate) conflicts: BTreeSet<String>,
}

/// What is known of all tenants.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// By tenant; one that is not in it uses nothing.
    pub(crate) tenants: BTreeMap<String, Known>,
    /// Every member with a placement was looked at: a conflict that is not among these is none any more.
    pub(crate) whole: bool,
}

/// What the planner knows beside objects and workloads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// Who pays with whom, by tenant.
    pub(crate) parents: BTreeMap<String, Option<String>>,
    /// Namespaces that are somebody else's: tenant, cluster, namespace.
    pub(crate) conflicts: BTreeSet<(String, String, String)>,
    /// Every member with a placement was looked at.
    pub(crate) whole: bool,
}

/// Works it out.
pub(crate) fn told<'a>(specs: impl IntoIterator<Item = &'a Spec>, sources: &Sources) -> Told {
    let Sources { parents, conflicts, whole } = sources;
    let mut sums: BTreeMap<&str, BTreeMap<&str, i128>> = BTreeMap::new();
    for spec in specs {
        // While a removal is under way what is still there is not free yet.
        let replicas: i64 = spec.current.iter().map(|one| one.placed.max(one.observed)).sum();
        if replicas <= 0 {
            continue;
        }
        let mut next = parents.get_key_value(&spec.requirement.tenant);
        for _ in 0..LEVELS {
            let Some((tenant, parent)) = next else { break };
            let sum = sums.entry(tenant).or_default();
            for (resource, each) in &spec.quota {
                *sum.entry(resource).or_default() += i128::from(*each) * i128::from(replicas);
            }
            next = parent.as_ref().and_then(|parent| parents.get_key_value(parent));
        }
    }
    let mut tenants: BTreeMap<String, Known> = BTreeMap::new();
    for (tenant, sum) in sums {
        let amount = |(resource, sum): (&str, i128)| Some((resource.to_owned(), Amount(written(resource, sum)?)));
        tenants.entry(tenant.to_owned()).or_default().used = Resources(sum.into_iter().filter_map(amount).collect());
    }
    for (tenant, cluster, namespace) in conflicts {
        tenants.entry(tenant.clone()).or_default().conflicts.insert(format!("{cluster}/{namespace}"));
    }
    Told { tenants, whole: *whole }
}

/// An amount as Kubernetes writes it: the engine counts CPU in thousandths, and bytes and pieces as they are.
fn written(resource: &str, amount: i128) -> Option<String> {
    let bytes = resource.contains("memory") || resource.contains("storage");
    let text = match () {
        () if resource == CPU || resource.ends_with(".cpu") => format!("{amount}m"),
        () if bytes && amount % 1024 == 0 => format!("{}Ki", amount / 1024),
        () => amount.to_string(),
    };
    Quantity::parse(&text).ok().map(|quantity| quantity.to_string())
}

/// The condition of a tenant some of whose namespaces are another's.
pub(super) fn conflict(known: &Known, generation: i64) -> Option<Condition> {
    if known.conflicts.is_empty() {
        return None;
    }
    let some = known.conflicts.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let count = known.conflicts.len();
    let text = format!(
        "{count} namespaces in members carry its names and are not ours, so nothing is delivered there: {some}. Whoever \
         administers the member labels the namespace as this tenant's, or the tenant takes another name. 成员集群中有 \
         {count} 个同名命名空间不属于本平台，不向其下发：{some}。请由成员集群管理员为该命名空间加上本单位标签，或改用其他名称。"
    );
    let reason = ControllerReason::DeliveryRefused.as_str();
    Some(condition(ConditionType::NamespaceConflict, true, reason, &text, generation))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiuzhou_engine::decide::{Current, Requirement};

    use super::*;

    fn spec(tenant: &str, current: &[(i64, i64)]) -> Spec {
        let requirement = Requirement { tenant: tenant.to_owned(), ..Requirement::default() };
        let on = |(number, (placed, observed)): (usize, &(i64, i64))| Current {
            cluster: format!("c{number}"),
            placed: *placed,
            observed: *observed,
        };
        Spec {
            requirement: Arc::new(requirement),
            quota: [("cpu", 500), ("memory", 512 << 20), ("example.com/npu", 1)]
                .map(|(name, amount)| (name.to_owned(), amount))
                .into(),
            current: current.iter().enumerate().map(on).collect(),
            ..Spec::default()
        }
    }

    #[test]
    fn what_is_placed_counts_for_the_tenant_and_for_all_who_pay_with_it() {
        let parents = [("province", None), ("health", Some("province")), ("portal", Some("province"))];
        let parents = parents.map(|(name, parent)| (name.to_owned(), parent.map(str::to_owned))).into();
        // Three of four are gone from c1, one is on its way out.
        let specs = [spec("health", &[(2, 2), (0, 1)]), spec("portal", &[(1, 0)]), spec("nobody", &[(9, 9)])];
        let told = told(&specs, &Sources { parents, ..Sources::default() }).tenants;
        let used = |tenant: &str, resource: &str| told[tenant].used.0[resource].0.clone();
        assert_eq!((used("health", "cpu"), used("health", "memory")), ("1500m".into(), "1536Mi".into()));
        assert_eq!((used("portal", "cpu"), used("portal", "example.com/npu")), ("500m".into(), "1".into()));
        assert_eq!((used("province", "cpu"), used("province", "memory")), ("2".into(), "2Gi".into()));
        assert_eq!(told.len(), 3, "who is no tenant is told of nowhere");
    }

    #[test]
    fn a_namespace_of_somebody_else_is_told_by_cluster_and_name() {
        let conflicts = [("health".to_owned(), "dali".to_owned(), "health-prod".to_owned())].into();
        let told = told(&[], &Sources { conflicts, ..Sources::default() }).tenants;
        let condition = conflict(&told["health"], 3).expect("a condition");
        assert_eq!((condition.type_.as_str(), condition.status.as_str()), ("NamespaceConflict", "True"));
        assert!(condition.message.contains("dali/health-prod") && condition.message.contains("命名空间"));
        assert_eq!(conflict(&Known::default(), 3), None);
    }
}
