//! Seeing to the right to act as a tenant, with as few questions as there are changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiuzhou_api::meta;
use jiuzhou_member::bootstrap;
use jiuzhou_member::connection::Trouble;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::time::Instant;

use crate::fleet::Member;

/// What was found good is looked at again after this time.
const AGAIN: Duration = Duration::from_secs(300);

/// Why a tenant cannot be served in a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
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

/// Asks members whether we may act as a tenant there, and remembers what it found good.
#[derive(Clone, Debug, Default)]
pub struct Tenants {
    may_act: Arc<Mutex<BTreeMap<Place, Instant>>>,
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
