//! The ResourceQuota of a tenant's namespace in a member. Pure.

use jiuzhou_api::meta;
use jiuzhou_api::text::Resources;
use serde_json::{Map, Value, json};

/// Name of our ResourceQuota in a namespace.
pub(super) const NAME: &str = "jiuzhou";

/// What a tenant may use in one namespace of one member.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grant {
    /// The tenant.
    pub tenant: String,
    /// The namespace, of the same name as on the hub.
    pub namespace: String,
    /// What the tenant was granted in all, by resource. A resource that is not named is not limited.
    pub hard: Resources,
}

/// The whole grant in each namespace: the ledger of the hub divides it; this is the fence that holds if anybody else
/// creates pods there, so that a tenant cannot take more of one member than it was granted everywhere. `None` without a
/// grant.
#[must_use]
pub fn quota(grant: &Grant) -> Option<Value> {
    let hard: Map<String, Value> = grant
        .hard
        .iter()
        .map(|(resource, amount)| {
            let name = match resource.as_str() {
                // Counted as it is; what a container asks for is a request.
                "pods" => resource.clone(),
                _ => format!("requests.{resource}"),
            };
            (name, json!(amount.0))
        })
        .collect();
    (!hard.is_empty()).then(|| {
        json!({
            "apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": {
                "name": NAME, "namespace": grant.namespace,
                "labels": { meta::LABEL_MANAGED_BY: meta::MANAGED_BY, meta::LABEL_TENANT: grant.tenant },
            },
            "spec": { "hard": hard },
        })
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

    use super::*;

    #[test]
    fn a_grant_is_a_fence_of_requests_and_no_grant_is_none() {
        let amount = |text: &str| Quantity(text.to_owned());
        let hard = [("cpu", "8"), ("huawei.com/Ascend910", "2"), ("pods", "100")];
        let hard = Resources(hard.into_iter().map(|(name, text)| (name.to_owned(), amount(text))).collect());
        let grant = Grant { tenant: "bureau".into(), namespace: "portal".into(), hard };
        let made = quota(&grant).unwrap();
        let want = json!({ "requests.cpu": "8", "requests.huawei.com/Ascend910": "2", "pods": "100" });
        assert_eq!(made["spec"]["hard"], want);
        assert_eq!(quota(&Grant { hard: Resources::default(), ..grant }), None);
    }
}
