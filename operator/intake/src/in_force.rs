//! What holds of a spec where a change of it needs an approval: the class of a system's data, its exemption, a tenant's
//! quota, a tier.
//!
//! What holds stands in the object's status. A change that loosens holds once others approved exactly it; until then the
//! former value does, for the operator and for `plan` alike. Files without a status say what they say: nobody knows what
//! held before. One that tightens holds at once.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_api::v1alpha1::{
    ApprovedOrder, Exemption, InForce, InformationSystem, SovereigntyTier, SystemDataClass, Tenant,
};
use jiuzhou_engine::terms::Digest;
use jiuzhou_objects::quantity::Quantity;
use kube::ResourceExt as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::approvals::{Approved, of_change};
use crate::objects::Objects;

/// What of a tenant a grant of quota changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Quota {
    quota: Vec<api::QuotaGrant>,
    failover_headroom_percent: i32,
}

/// A part of a spec that needs an approval to change, with what holds of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Guarded {
    /// Kind of order that changes it.
    pub order: ApprovedOrder,
    /// Whose it is: `NAMESPACE/NAME` or a name.
    pub subject: String,
    /// Where it stands in the spec.
    pub pointer: &'static str,
    /// What held before, as the status says; `None` where nobody has written it.
    pub held: Option<Value>,
    /// What the spec says.
    pub wanted: Value,
    /// By which approval what is held came to hold.
    approval: Option<String>,
}

impl Guarded {
    /// Digest of the change; `None` where there is none that needs an approval.
    #[must_use]
    pub fn change(&self) -> Option<Digest> {
        let held = self.held.as_ref().filter(|held| **held != self.wanted)?;
        needs(self.order, held, &self.wanted)
            .then(|| of_change(self.order, &self.subject, &held.to_string(), &self.wanted.to_string()))
    }

    /// What holds, and what is to be written of it.
    #[must_use]
    pub fn holds(&self, approved: &Approved) -> InForce {
        let (order, wanted) = (self.order, || self.wanted.clone());
        let by = |name: &str| Some(name.into());
        let Some(digest) = self.change() else {
            let same = self.held.as_ref() == Some(&self.wanted);
            let approval = self.approval.as_deref().filter(|_| same).and_then(by);
            return InForce { order, value: wanted(), approval, waiting: None };
        };
        match approved.of(order, &digest, None) {
            Some(name) => InForce { order, value: wanted(), approval: by(name), waiting: None },
            None => InForce {
                order,
                value: self.held.clone().unwrap_or_default(),
                approval: self.approval.as_deref().and_then(by),
                waiting: Some(digest.to_string().into()),
            },
        }
    }
}

/// Everything of a system that is guarded.
#[must_use]
pub fn of_system(system: &InformationSystem) -> Vec<Guarded> {
    let subject = format!("{}/{}", system.namespace().unwrap_or_default(), system.name_any());
    let status = system.status.as_ref().map(|status| status.in_force.as_slice()).unwrap_or_default();
    let exemption = system.spec.exemption.as_ref().map_or_else(|| json!({}), written);
    vec![
        guarded(
            ApprovedOrder::LowerClass,
            subject.clone(),
            "/spec/dataClass",
            written(&system.spec.data_class),
            status,
        ),
        guarded(ApprovedOrder::Exempt, subject, "/spec/exemption", exemption, status),
    ]
}

/// Everything of a tenant that is guarded.
#[must_use]
pub fn of_tenant(tenant: &Tenant) -> Vec<Guarded> {
    let status = tenant.status.as_ref().map(|status| status.in_force.as_slice()).unwrap_or_default();
    let quota =
        Quota { quota: tenant.spec.quota.clone(), failover_headroom_percent: tenant.spec.failover_headroom_percent };
    vec![guarded(ApprovedOrder::RaiseQuota, tenant.name_any(), "/spec/quota", written(&quota), status)]
}

/// Everything of a tier that is guarded.
#[must_use]
pub fn of_tier(tier: &SovereigntyTier) -> Vec<Guarded> {
    let status = tier.status.as_ref().map(|status| status.in_force.as_slice()).unwrap_or_default();
    vec![guarded(ApprovedOrder::ChangeTier, tier.name_any(), "/spec", written(&tier.spec), status)]
}

/// Everything that is guarded, in order of kind and name.
#[must_use]
pub fn all(objects: &Objects) -> Vec<Guarded> {
    let systems = objects.systems.values().flat_map(|item| of_system(&item.object));
    let tenants = objects.tenants.values().flat_map(|item| of_tenant(&item.object));
    let tiers = objects.tiers.values().flat_map(|item| of_tier(&item.object));
    systems.chain(tenants).chain(tiers).collect()
}

/// The class of a system's data that holds.
#[must_use]
pub fn data_class<'a>(system: &'a InformationSystem, approved: &Approved) -> Cow<'a, SystemDataClass> {
    former(of_system(system), ApprovedOrder::LowerClass, approved)
        .map_or(Cow::Borrowed(&system.spec.data_class), Cow::Owned)
}

/// The exemption of a system that holds.
#[must_use]
pub fn exemption<'a>(system: &'a InformationSystem, approved: &Approved) -> Option<Cow<'a, Exemption>> {
    let guarded = of_system(system).into_iter().find(|one| one.order == ApprovedOrder::Exempt)?;
    let holds = guarded.holds(approved);
    match holds.waiting {
        None => system.spec.exemption.as_ref().map(Cow::Borrowed),
        Some(_) => serde_json::from_value(holds.value).ok().map(Cow::Owned),
    }
}

/// The grants of a tenant that hold, and the headroom for failover in percent.
#[must_use]
pub fn quota<'a>(tenant: &'a Tenant, approved: &Approved) -> (Cow<'a, [api::QuotaGrant]>, i32) {
    match former::<Quota>(of_tenant(tenant), ApprovedOrder::RaiseQuota, approved) {
        Some(held) => (Cow::Owned(held.quota), held.failover_headroom_percent),
        None => (Cow::Borrowed(tenant.spec.quota.as_slice()), tenant.spec.failover_headroom_percent),
    }
}

/// What holds of a tier.
#[must_use]
pub fn tier<'a>(tier: &'a SovereigntyTier, approved: &Approved) -> Cow<'a, api::SovereigntyTierSpec> {
    former(of_tier(tier), ApprovedOrder::ChangeTier, approved).map_or(Cow::Borrowed(&tier.spec), Cow::Owned)
}

/// What held before, where a change waits for an approval.
fn former<T: DeserializeOwned>(all: Vec<Guarded>, order: ApprovedOrder, approved: &Approved) -> Option<T> {
    let holds = all.into_iter().find(|one| one.order == order)?.holds(approved);
    holds.waiting.as_ref()?;
    serde_json::from_value(holds.value).ok()
}

fn guarded(order: ApprovedOrder, subject: String, pointer: &'static str, wanted: Value, status: &[InForce]) -> Guarded {
    let known = status.iter().find(|one| one.order == order);
    let approval = known.and_then(|known| known.approval.as_ref().map(ToString::to_string));
    Guarded { order, subject, pointer, held: known.map(|known| known.value.clone()), wanted, approval }
}

fn written<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Whether a change loosens something. One whose former value cannot be read does.
fn needs(order: ApprovedOrder, held: &Value, wanted: &Value) -> bool {
    match order {
        ApprovedOrder::LowerClass => match (read::<SystemDataClass>(held), read::<SystemDataClass>(wanted)) {
            (Some(held), Some(wanted)) => wanted.class < held.class || (held.personal && !wanted.personal),
            _ => true,
        },
        // Taking an exemption back needs none.
        ApprovedOrder::Exempt => *wanted != json!({}),
        ApprovedOrder::RaiseQuota => match (read::<Quota>(held), read::<Quota>(wanted)) {
            (Some(held), Some(wanted)) => raises(&held, &wanted),
            _ => true,
        },
        // What a tier asks for is weighed by people; its name and its note are not what it asks for.
        ApprovedOrder::ChangeTier => {
            let plain = |value: &Value| {
                let mut value = value.clone();
                for told in ["displayName", "note"] {
                    value.as_object_mut().map(|fields| fields.remove(told));
                }
                value
            };
            plain(held) != plain(wanted)
        }
        ApprovedOrder::StopSystem
        | ApprovedOrder::DeleteWorkloads
        | ApprovedOrder::OperatingMode
        | ApprovedOrder::MassChange => false,
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

/// Whether anything may be used on some day that might not before. A resource that no grant names is not limited, so a grant
/// that goes raises what it alone limited; each amount is therefore weighed on every day on which something begins or ends.
fn raises(held: &Quota, wanted: &Quota) -> bool {
    if wanted.failover_headroom_percent < held.failover_headroom_percent {
        return true;
    }
    let day = |text: &str| text.parse::<Date>().ok();
    let mut days = vec![Date::MIN];
    for grant in held.quota.iter().chain(&wanted.quota) {
        days.extend(day(&grant.from));
        days.extend(grant.until.as_ref().and_then(|until| day(until)?.tomorrow().ok()));
    }
    let sums = |quota: &Quota, on: Date| {
        let mut sums: BTreeMap<(Option<String>, String), Option<i128>> = BTreeMap::new();
        for grant in &quota.quota {
            let platform = grant.platform.as_ref().map(ToString::to_string);
            let holds = day(&grant.from).is_some_and(|from| from <= on)
                && grant.until.as_ref().is_none_or(|until| day(until).is_some_and(|until| on <= until));
            for (resource, amount) in grant.hard.iter() {
                let sum = sums.entry((platform.clone(), resource.clone())).or_insert(Some(0));
                if holds {
                    let amount = Quantity::parse(&amount.0).ok().map(Quantity::nanos);
                    *sum = sum.zip(amount).and_then(|(sum, amount)| sum.checked_add(amount));
                }
            }
        }
        sums
    };
    days.into_iter().any(|on| {
        let (before, after) = (sums(held, on), sums(wanted, on));
        before.iter().any(|(resource, before)| match after.get(resource) {
            None => true,
            Some(after) => before.zip(*after).is_none_or(|(before, after)| after > before),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(grants: &[(&str, &str, &str, Option<&str>)]) -> Value {
        let grants = grants.iter().map(|(name, cpu, from, until)| {
            json!({ "name": name, "document": { "number": "1" }, "from": from, "until": until, "hard": { "cpu": cpu } })
        });
        json!({ "quota": grants.collect::<Vec<_>>(), "failoverHeadroomPercent": 10 })
    }

    #[test]
    fn what_loosens_needs_an_approval_and_what_tightens_does_not() {
        let class = |class: &str, personal: bool| json!({ "class": class, "personal": personal, "setBy": "张三" });
        let table = [
            ("class lowered", ApprovedOrder::LowerClass, class("Core", false), class("Important", false), true),
            ("class raised", ApprovedOrder::LowerClass, class("General", false), class("Core", false), false),
            ("no personal data any more", ApprovedOrder::LowerClass, class("Core", true), class("Core", false), true),
            ("personal data", ApprovedOrder::LowerClass, class("Core", false), class("Core", true), false),
            ("exempt", ApprovedOrder::Exempt, json!({}), json!({ "until": "2026-12-31" }), true),
            (
                "longer exempt",
                ApprovedOrder::Exempt,
                json!({ "until": "2026-12-31" }),
                json!({ "until": "2027-12-31" }),
                true,
            ),
            ("exempt no more", ApprovedOrder::Exempt, json!({ "until": "2026-12-31" }), json!({}), false),
            ("a tier's check", ApprovedOrder::ChangeTier, json!({ "rank": 1 }), json!({ "rank": 2 }), true),
            (
                "a tier's name",
                ApprovedOrder::ChangeTier,
                json!({ "displayName": "a" }),
                json!({ "displayName": "b" }),
                false,
            ),
        ];
        for (name, order, held, wanted, needed) in table {
            assert_eq!(needs(order, &held, &wanted), needed, "{name}");
        }
    }

    #[test]
    fn a_quota_is_raised_when_more_may_be_used_on_any_day() {
        let held = quota(&[("a", "4", "2026-01-01", Some("2026-12-31"))]);
        let table = [
            ("more", quota(&[("a", "5", "2026-01-01", Some("2026-12-31"))]), true),
            ("less", quota(&[("a", "3", "2026-01-01", Some("2026-12-31"))]), false),
            ("longer", quota(&[("a", "4", "2026-01-01", Some("2027-12-31"))]), true),
            ("shorter", quota(&[("a", "4", "2026-02-01", Some("2026-11-30"))]), false),
            (
                "another beside it",
                quota(&[("a", "4", "2026-01-01", Some("2026-12-31")), ("b", "1", "2026-06-01", None)]),
                true,
            ),
            (
                "in two parts",
                quota(&[("a", "1", "2026-01-01", Some("2026-12-31")), ("b", "3", "2026-01-01", Some("2026-12-31"))]),
                false,
            ),
            ("no limit at all", quota(&[]), true),
            ("nobody can say", quota(&[("a", "much", "2026-01-01", None)]), true),
        ];
        for (name, wanted, needed) in table {
            assert_eq!(needs(ApprovedOrder::RaiseQuota, &held, &wanted), needed, "{name}");
        }
        let mut less = held.clone();
        less["failoverHeadroomPercent"] = json!(0);
        assert!(needs(ApprovedOrder::RaiseQuota, &held, &less), "what is kept for failover is opened");
    }

    #[test]
    fn the_former_value_holds_until_exactly_the_change_is_approved() {
        let held = json!({ "class": "Core", "personal": false, "setBy": "张三" });
        let status = [InForce { order: ApprovedOrder::LowerClass, value: held.clone(), approval: None, waiting: None }];
        let wanted = json!({ "class": "General", "personal": false, "setBy": "张三" });
        let of = |wanted: &Value| {
            guarded(ApprovedOrder::LowerClass, "a/b".to_owned(), "/spec/dataClass", wanted.clone(), &status)
        };
        let waits = of(&wanted).holds(&Approved::default());
        assert_eq!((&waits.value, waits.waiting.is_some()), (&held, true));
        let other = json!({ "class": "Important", "personal": false, "setBy": "张三" });
        assert_ne!(of(&wanted).change(), of(&other).change(), "bound to the exact change");
        let back = of(&held).holds(&Approved::default());
        assert_eq!((&back.value, back.waiting), (&held, None), "a change that is taken back waits for nobody");
        let first = guarded(ApprovedOrder::LowerClass, "a/b".to_owned(), "/spec/dataClass", wanted.clone(), &[]);
        assert_eq!(first.holds(&Approved::default()).value, wanted, "what was first is as it says");
    }
}
