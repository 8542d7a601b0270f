//! The key under which Secrets are digested: made once for a hub, kept in a Secret of our namespace, never logged.
//!
//! With another key every digest would differ and every Secret would be sent again, so it is kept; without one, digests
//! of short passwords could be guessed by whoever may read a delivery.

use std::collections::BTreeMap;

use jiuzhou_api::meta;
use jiuzhou_objects::secrets::DigestKey;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::error::Error;

/// Name of the Secret.
const NAME: &str = "digest-key";
/// Key in it.
const ENTRY: &str = "key";
/// Bytes of the key: as many as the digest has.
const BYTES: usize = 32;

/// The key of this hub; makes one when there is none.
///
/// # Errors
/// When it cannot be read or written, or the Secret holds no key.
pub(crate) async fn digest_key(client: &Client) -> Result<DigestKey, Error> {
    let api: Api<Secret> = Api::namespaced(client.clone(), meta::SYSTEM_NAMESPACE);
    let known = api.get_opt(NAME).await.map_err(|error| Error::api("read", "the digest key", error))?;
    let secret = match known {
        Some(secret) => secret,
        None => make(&api).await?,
    };
    let bytes = secret.data.unwrap_or_default().remove(ENTRY).map(|bytes| bytes.0).unwrap_or_default();
    if bytes.len() < BYTES {
        return Err(Error::DigestKey);
    }
    Ok(DigestKey::new(bytes))
}

async fn make(api: &Api<Secret>) -> Result<Secret, Error> {
    let mut bytes = vec![0_u8; BYTES];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| Error::DigestKey)?;
    let mut secret =
        Secret { data: Some(BTreeMap::from([(ENTRY.to_owned(), ByteString(bytes))])), ..Secret::default() };
    secret.metadata.name = Some(NAME.to_owned());
    let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
    match api.create(&params, &secret).await {
        Ok(secret) => Ok(secret),
        // Another one was faster: its key is the hub's.
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            api.get(NAME).await.map_err(|error| Error::api("read", "the digest key", error))
        }
        Err(error) => Err(Error::api("make", "the digest key", error)),
    }
}
