//! Seeing to a tenant's fence and to the right to act as it, with as few requests as there are changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiuzhou_api::meta;
use jiuzhou_member::bootstrap;
use jiuzhou_member::connection::Trouble;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::core::v1::ResourceQuota;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use tokio::time::Instant;

use super::quota::{Grant, NAME, quota};
use crate::fleet::Member;

/// What was found good is looked at again after this time.
const AGAIN: Duration = Duration::from_secs(300);

/// Why a tenant cannot be served in a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A ResourceQuota of our name is somebody else's.
    #[error("failed to fence namespace {namespace}: its ResourceQuota {NAME} is not ours")]
    QuotaConflict {
        /// The namespace.
        namespace: String,
    },
    /// The hub may not act as the tenant; what to apply in the member is said.
    #[error("failed to act as tenant {tenant}: apply this in the member: {manifest}")]
    RightMissing {
        /// The tenant.
        tenant: String,
        /// The object that gives the right, as JSON (which is YAML).
        manifest: String,
    },
    /// The member's answer.
    #[error("failed to {what}: {trouble}")]
    Member {
        /// What was tried.
        what: String,
        /// Its answer.
        trouble: Trouble,
    },
}

/// A member under an identity, and the tenant or namespace there.
type Place = (String, String);

/// Sees to tenants in members, and remembers what it found good.
#[derive(Clone, Debug, Default)]
pub struct Tenants {
    may_act: Arc<Mutex<BTreeMap<Place, Instant>>>,
    fenced: Arc<Mutex<BTreeMap<Place, (Grant, Instant)>>>,
}

fn remembered<T: Clone>(map: &Mutex<BTreeMap<(String, String), T>>, key: &(String, String)) -> Option<T> {
    map.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
}

fn remember<T>(map: &Mutex<BTreeMap<(String, String), T>>, key: (String, String), value: T) {
    map.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value);
}

/// A member under an identity: what was good in the former cluster is nothing in another.
fn place(member: &Member, what: &str) -> (String, String) {
    (format!("{}/{}", member.name, member.identity.as_deref().unwrap_or_default()), what.to_owned())
}

fn client(member: &Member) -> Result<Client, Refusal> {
    let trouble = Trouble::NoConnection("there is no connection".to_owned());
    member.client().ok_or(Refusal::Member { what: "reach the member".to_owned(), trouble })
}

impl Tenants {
    /// Whether the hub may act as a tenant in a member; asked at most once in five minutes. `named` are all tenants that
    /// it acts as there, this one among them: the right is shown for all of them.
    ///
    /// # Errors
    /// [`Refusal::RightMissing`] with what to apply, or the member's answer.
    pub async fn may_act(&self, member: &Member, tenant: &str, named: &[String]) -> Result<(), Refusal> {
        let key = place(member, tenant);
        if remembered(&self.may_act, &key).is_some_and(|at| at.elapsed() < AGAIN) {
            return Ok(());
        }
        may_act(&client(member)?, tenant, named).await?;
        remember(&self.may_act, key, Instant::now());
        Ok(())
    }

    /// Sees to the fence of a namespace that is there; looked at again after five minutes.
    ///
    /// # Errors
    /// [`Refusal::QuotaConflict`], or the member's answer.
    pub async fn fence(&self, member: &Member, grant: &Grant) -> Result<(), Refusal> {
        let key = place(member, &grant.namespace);
        let good = remembered(&self.fenced, &key);
        if good.is_some_and(|(known, at)| known == *grant && at.elapsed() < AGAIN) {
            return Ok(());
        }
        fence(&client(member)?, grant).await?;
        remember(&self.fenced, key, (grant.clone(), Instant::now()));
        Ok(())
    }
}

async fn fence(client: &Client, grant: &Grant) -> Result<(), Refusal> {
    let Some(wanted) = quota(grant) else { return Ok(()) };
    let api: Api<ResourceQuota> = Api::namespaced(client.clone(), &grant.namespace);
    let failed = |what: &str, error: &kube::Error| Refusal::Member {
        what: format!("{what} the ResourceQuota of {}", grant.namespace),
        trouble: Trouble::of(error),
    };
    if let Some(live) = api.get_opt(NAME).await.map_err(|error| failed("read", &error))? {
        if live.labels().get(meta::LABEL_TENANT) != Some(&grant.tenant) {
            return Err(Refusal::QuotaConflict { namespace: grant.namespace.clone() });
        }
        let hard = serde_json::to_value(live.spec.and_then(|spec| spec.hard)).unwrap_or_default();
        if Some(&hard) == wanted.pointer("/spec/hard") {
            return Ok(());
        }
    }
    let params = PatchParams::apply(meta::FIELD_MANAGER);
    api.patch(NAME, &params, &Patch::Apply(&wanted)).await.map(drop).map_err(|error| failed("apply", &error))
}

/// Asks the member. Nothing is written by asking.
async fn may_act(client: &Client, tenant: &str, named: &[String]) -> Result<(), Refusal> {
    let attributes = ResourceAttributes {
        verb: Some("impersonate".to_owned()),
        resource: Some("serviceaccounts".to_owned()),
        namespace: Some(meta::TENANTS_NAMESPACE.to_owned()),
        name: Some(tenant.to_owned()),
        ..ResourceAttributes::default()
    };
    let spec =
        SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..SelfSubjectAccessReviewSpec::default() };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = reviews.create(&PostParams::default(), &review).await;
    let answer = answer.map_err(|error| Refusal::Member {
        what: "ask for the right to act as a tenant".to_owned(),
        trouble: Trouble::of(&error),
    })?;
    if answer.status.is_some_and(|status| status.allowed) {
        return Ok(());
    }
    Err(Refusal::RightMissing { tenant: tenant.to_owned(), manifest: bootstrap::tenants_role(named).to_string() })
}
