//! Which kinds a member serves, under which path, and whether they live in a namespace.
//!
//! Asked of the member per `apiVersion`, kept, and asked again when a kind is missing: a CRD may have come since. The
//! member's word on scope decides, never a table of ours (a namespaced name for a cluster-scoped kind has cost others
//! their border between tenants).

use std::collections::BTreeMap;
use std::time::Duration;

use kube::core::discovery::ApiResource;
use kube::core::gvk::GroupVersion;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A table is not asked for again within this time, whatever is missing in it.
const FRESH: Duration = Duration::from_secs(10);

/// A kind as a member serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Group, version, kind and plural.
    pub resource: ApiResource,
    /// Whether objects live in a namespace.
    pub namespaced: bool,
}

/// Kinds of one `apiVersion`, and when they were read.
#[derive(Debug)]
struct Table {
    kinds: BTreeMap<String, Served>,
    read: Instant,
}

/// What is known of the kinds of one member.
#[derive(Debug, Default)]
pub struct Kinds(Mutex<BTreeMap<String, Table>>);

impl Kinds {
    /// Finds a kind; `None` when the member does not serve it.
    ///
    /// # Errors
    /// When the member cannot be asked. Nothing is concluded then.
    pub async fn find(
        &self,
        client: &kube::Client,
        api_version: &str,
        kind: &str,
    ) -> Result<Option<Served>, kube::Error> {
        {
            let tables = self.0.lock().await;
            if let Some(table) = tables.get(api_version) {
                let found = table.kinds.get(kind);
                if found.is_some() || table.read.elapsed() < FRESH {
                    return Ok(found.cloned());
                }
            }
        }
        // Not under the lock: a slow answer holds up nobody who needs another table.
        let kinds = ask(client, api_version).await?;
        let found = kinds.get(kind).cloned();
        self.0.lock().await.insert(api_version.to_owned(), Table { kinds, read: Instant::now() });
        Ok(found)
    }

    /// Forgets everything: the member was replaced or upgraded.
    pub async fn forget(&self) {
        self.0.lock().await.clear();
    }
}

async fn ask(client: &kube::Client, api_version: &str) -> Result<BTreeMap<String, Served>, kube::Error> {
    let Ok(version) = api_version.parse::<GroupVersion>() else { return Ok(BTreeMap::new()) };
    let answer = if version.group.is_empty() {
        client.list_core_api_resources(&version.version).await
    } else {
        client.list_api_group_resources(api_version).await
    };
    let list = match answer {
        Ok(list) => list,
        // A version that is not served is an answer, not a failure.
        Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let own = list.resources.into_iter().filter(|resource| !resource.name.contains('/'));
    Ok(own
        .map(|resource| {
            let served = Served {
                resource: ApiResource {
                    group: version.group.clone(),
                    version: version.version.clone(),
                    api_version: version.api_version(),
                    kind: resource.kind.clone(),
                    plural: resource.name,
                },
                namespaced: resource.namespaced,
            };
            (resource.kind, served)
        })
        .collect())
}
