//! The epochs of the hub: one counter, reserved in blocks, so that a decision costs no write of its own for it.
//!
//! The counter stands in a ConfigMap and only grows. It is read when the first epoch is needed and not before, so that a
//! restart with nothing to do writes nothing; what is left of a block when the operator ends is never used.
//!
//! How far epochs were committed is told by the placements. One that goes takes its epoch along, so before the first of
//! the newest ones goes it is written down here: else a hub that starts anew would take what its members have seen for a
//! sign that it was restored from a backup.

use jiuzhou_api::meta;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::error::Error;

/// Epochs of one block.
const BLOCK: i64 = 1000;
/// Key in the ConfigMap: the first epoch that nobody has reserved.
const NEXT: &str = "next";
/// Key in the ConfigMap: up to which epoch placements that are gone were committed.
const COMMITTED: &str = "committed";
/// Somebody else reserves at the same moment at most during a change of leader.
const TRIES: u32 = 5;

/// The counter.
pub(crate) struct Epochs {
    client: Client,
    next: i64,
    end: i64,
    /// What is known to stand under [`COMMITTED`].
    committed: i64,
}

impl Epochs {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, next: 0, end: 0, committed: 0 }
    }

    /// The first of `count` epochs in a row, all above `floor`.
    ///
    /// # Errors
    /// When the counter cannot be read or written, or holds something that is no number.
    pub(crate) async fn take(&mut self, count: i64, floor: i64) -> Result<i64, Error> {
        let first = self.next.max(floor.saturating_add(1));
        if first.saturating_add(count) > self.end {
            self.reserve(count.max(BLOCK), floor).await?;
        }
        let first = self.next.max(floor.saturating_add(1));
        self.next = first.saturating_add(count);
        Ok(first)
    }

    /// Writes down that epochs up to this one were committed. Must be done before a placement of it goes.
    ///
    /// # Errors
    /// When the counter cannot be read or written.
    pub(crate) async fn keep(&mut self, epoch: i64) -> Result<(), Error> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), meta::SYSTEM_NAMESPACE);
        let mut tried = 0;
        while self.committed < epoch {
            let known = api.get_opt(meta::EPOCH_COUNTER).await;
            // Without a counter nothing was ever committed with an epoch of ours.
            let Some(mut known) = known.map_err(|error| Error::api("read", "the epoch", error))? else { return Ok(()) };
            self.committed = self.committed.max(number(&known, COMMITTED)?.unwrap_or(0));
            if self.committed >= epoch {
                break;
            }
            known.data.get_or_insert_default().insert(COMMITTED.to_owned(), epoch.to_string());
            match api.replace(meta::EPOCH_COUNTER, &params(), &known).await {
                Ok(_) => self.committed = epoch,
                Err(kube::Error::Api(status)) if status.is_conflict() && tried < TRIES => tried += 1,
                Err(error) => return Err(Error::api("write", "the epoch", error)),
            }
        }
        Ok(())
    }

    async fn reserve(&mut self, count: i64, floor: i64) -> Result<(), Error> {
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), meta::SYSTEM_NAMESPACE);
        let mut tried = 0;
        loop {
            let known =
                api.get_opt(meta::EPOCH_COUNTER).await.map_err(|error| Error::api("read", "the epoch", error))?;
            let first = next(known.as_ref())?.max(floor.saturating_add(1));
            let end = first.saturating_add(count);
            let written = match known {
                Some(known) => api.replace(meta::EPOCH_COUNTER, &params(), &counter(known, end)).await,
                None => create(&api, end).await,
            };
            match written {
                Ok(_) => {
                    (self.next, self.end) = (first, end);
                    tracing::info!(from = first, until = end, "epochs reserved");
                    return Ok(());
                }
                Err(kube::Error::Api(status))
                    if (status.is_conflict() || status.is_already_exists()) && tried < TRIES =>
                {
                    tried += 1;
                }
                Err(error) => return Err(Error::api("reserve", "epochs", error)),
            }
        }
    }
}

async fn create(api: &Api<ConfigMap>, end: i64) -> Result<ConfigMap, kube::Error> {
    let mut first = ConfigMap::default();
    first.metadata.name = Some(meta::EPOCH_COUNTER.to_owned());
    api.create(&params(), &counter(first, end)).await
}

fn params() -> PostParams {
    PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() }
}

fn counter(mut map: ConfigMap, end: i64) -> ConfigMap {
    map.data.get_or_insert_default().insert(NEXT.to_owned(), end.to_string());
    map
}

/// Up to which epoch placements that are gone were committed.
///
/// # Errors
/// When the hub does not say, or says no number.
pub(crate) async fn committed(client: &Client) -> Result<i64, Error> {
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), meta::SYSTEM_NAMESPACE);
    let known = api.get_opt(meta::EPOCH_COUNTER).await.map_err(|error| Error::api("read", "the epoch", error))?;
    Ok(known.map(|known| number(&known, COMMITTED)).transpose()?.flatten().unwrap_or(0))
}

fn number(map: &ConfigMap, key: &str) -> Result<Option<i64>, Error> {
    let text = map.data.as_ref().and_then(|data| data.get(key));
    text.map(|text| text.parse().map_err(|_| Error::Epoch(text.clone()))).transpose()
}

/// The first epoch that is not reserved. A counter that cannot be read is no counter that begins anew.
fn next(known: Option<&ConfigMap>) -> Result<i64, Error> {
    let Some(known) = known else { return Ok(1) };
    let text = known.data.as_ref().and_then(|data| data.get(NEXT)).map(String::as_str).unwrap_or_default();
    text.parse().map_err(|_| Error::Epoch(text.to_owned()))
}
