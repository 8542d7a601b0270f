//! The epochs of the hub: one counter, reserved in blocks, so that a decision costs no write of its own for it.
//!
//! The counter stands in a ConfigMap and only grows. It is read when the first epoch is needed and not before, so that a
//! restart with nothing to do writes nothing; what is left of a block when the operator ends is never used.

use std::collections::BTreeMap;

use jiuzhou_api::meta;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::error::Error;

/// Epochs of one block.
const BLOCK: i64 = 1000;
/// Key in the ConfigMap: the first epoch that nobody has reserved.
const NEXT: &str = "next";
/// Somebody else reserves at the same moment at most during a change of leader.
const TRIES: u32 = 5;

/// The counter.
pub(crate) struct Epochs {
    client: Client,
    next: i64,
    end: i64,
}

impl Epochs {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, next: 0, end: 0 }
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
    map.data = Some(BTreeMap::from([(NEXT.to_owned(), end.to_string())]));
    map
}

/// The first epoch that is not reserved. A counter that cannot be read is no counter that begins anew.
fn next(known: Option<&ConfigMap>) -> Result<i64, Error> {
    let Some(known) = known else { return Ok(1) };
    let text = known.data.as_ref().and_then(|data| data.get(NEXT)).map(String::as_str).unwrap_or_default();
    text.parse().map_err(|_| Error::Epoch(text.to_owned()))
}
