//! The handle of one member: who is asked, as whom, and what is known of its kinds.
//!
//! Cheap to clone. It holds no state that a restart may not lose.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiuzhou_api::text::Resources;
use jiuzhou_objects::profile::Profiles;
use tokio::time::Instant;

use crate::health::Rules;
use crate::kinds::{Kinds, Served};
use crate::witness::Witness;

/// Gives the client that acts as a tenant's service account, or says why there is none.
pub type Actors = Arc<dyn Fn(&str) -> Result<kube::Client, String> + Send + Sync>;

/// A namespace, whose it is, and what the tenant may use of it.
pub(crate) type Place<'a> = (&'a str, &'a str, &'a Resources);

/// By namespace and tenant: the quota it was found with, and when.
type Grounds = BTreeMap<(String, String), (Resources, Instant)>;

/// What is known of kinds: where things stand in them, and when they are healthy.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    /// Paths of templates, counts and fields that cannot change.
    pub profiles: Profiles,
    /// CEL of KindProfiles; kinds without it are judged as kstatus does.
    pub rules: Rules,
}

/// One member cluster.
#[derive(Clone)]
pub struct Member {
    pub(crate) cluster: Arc<str>,
    pub(crate) client: kube::Client,
    pub(crate) actors: Option<Actors>,
    pub(crate) kinds: Arc<Kinds>,
    pub(crate) knowledge: Arc<Knowledge>,
    pub(crate) limit: Duration,
    pub(crate) witness: Option<Arc<dyn Witness>>,
    seen: Arc<Mutex<BTreeMap<String, (String, String)>>>,
    /// Namespaces found ready for a tenant, and when.
    grounds: Arc<Mutex<Grounds>>,
}

/// For so long a namespace that was found ready is not asked about again; what fails there ends it at once.
const GROUND: Duration = Duration::from_secs(30);

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

/// Objects remembered as equal in all but spelling; more than this are forgotten and asked about again.
const REMEMBERED: usize = 8192;

impl Member {
    /// A member asked by one client, as itself.
    #[must_use]
    pub fn new(cluster: &str, client: kube::Client, knowledge: Arc<Knowledge>) -> Self {
        Self {
            cluster: cluster.into(),
            client,
            actors: None,
            kinds: Arc::default(),
            knowledge,
            limit: Duration::from_secs(30),
            witness: None,
            seen: Arc::default(),
            grounds: Arc::default(),
        }
    }

    /// Objects of a tenant are read and written as its service account in `jiuzhou-tenants`, so that the member's own
    /// rights and quotas judge them. Namespaces stay with the own account.
    #[must_use]
    pub fn acting_as(mut self, actors: Actors) -> Self {
        self.actors = Some(actors);
        self
    }

    /// Every write is shown to a witness before and after it.
    #[must_use]
    pub fn witnessed(mut self, witness: Arc<dyn Witness>) -> Self {
        self.witness = Some(witness);
        self
    }

    /// Longest time of one request; 30 seconds unless said otherwise.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Name of the cluster.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// A kind as the member serves it; `None` when it does not.
    ///
    /// # Errors
    /// When the member cannot be asked.
    pub async fn served(&self, api_version: &str, kind: &str) -> Result<Option<Served>, kube::Error> {
        self.kinds.find(&self.client, api_version, kind).await
    }

    /// What it knows of its kinds.
    #[must_use]
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    pub(crate) fn client_for(&self, tenant: &str) -> Result<kube::Client, String> {
        self.actors.as_ref().map_or_else(|| Ok(self.client.clone()), |actors| actors(tenant))
    }

    /// Whether the namespace was found ready for the tenant, with this quota, a moment ago.
    pub(crate) fn knows_ground(&self, (namespace, tenant, quota): Place<'_>) -> bool {
        let grounds = self.grounds.lock().unwrap_or_else(PoisonError::into_inner);
        let found = grounds.get(&(namespace.to_owned(), tenant.to_owned()));
        found.is_some_and(|(fenced, at)| fenced == quota && at.elapsed() < GROUND)
    }

    /// Notes whether the namespace is ready for the tenant.
    pub(crate) fn note_ground(&self, (namespace, tenant, quota): Place<'_>, ready: bool) {
        let mut grounds = self.grounds.lock().unwrap_or_else(PoisonError::into_inner);
        if grounds.len() >= REMEMBERED {
            grounds.clear();
        }
        let key = (namespace.to_owned(), tenant.to_owned());
        if ready {
            grounds.insert(key, (quota.clone(), Instant::now()));
        } else {
            grounds.remove(&key);
        }
    }

    /// Whether a dry run already told that this version of an object is as wanted.
    pub(crate) fn knows_equal(&self, uid: &str, version: &str, digest: &str) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(uid).is_some_and(|(v, d)| v == version && d == digest)
    }

    pub(crate) fn remember_equal(&self, uid: &str, version: &str, digest: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(uid.to_owned(), (version.to_owned(), digest.to_owned()));
    }
}
