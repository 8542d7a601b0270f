//! Renewing the token of a member before it ends.
//!
//! Only a Secret that `jiuzhou join` made is renewed: one that an administrator keeps is his. The new token is asked of
//! the member with the old one, written by compare-and-swap, and taken into use as any rotation: tried before the old one
//! is let go.

use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::MemberCluster;
use jiuzhou_member::connection::Trouble;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::join;
use super::task::Memory;

/// A renewal that failed is tried again after this time.
const AGAIN: Duration = Duration::from_secs(300);

/// Renews while a week of the token's life is left.
pub(super) async fn renew(hub: &Client, object: &MemberCluster, memory: &mut Memory) {
    let Some((connection, version)) = &memory.connection else { return };
    let Some(term) = connection.term().filter(|term| term.renew_at() <= Timestamp::now()) else { return };
    if memory.renew_again.is_some_and(|at| at > Instant::now()) || memory.standing.is_some() {
        return;
    }
    let hours = (term.ends.as_second() - term.begins.as_second()) / 3600;
    let name = object.name_any();
    let (client, version) = (connection.client(), version.clone());
    memory.renew_again = Some(Instant::now() + AGAIN);
    match exchange(hub, object, &client, &version, hours).await {
        Ok(true) => tracing::info!(member = %name, "renewed the credential"),
        Ok(false) => {}
        Err(trouble) => tracing::warn!(member = %name, %trouble, ends = %term.ends, "failed to renew the credential"),
    }
}

async fn exchange(
    hub: &Client,
    object: &MemberCluster,
    member: &Client,
    version: &str,
    hours: i64,
) -> Result<bool, Trouble> {
    let Some(push) = &object.spec.connection.push else { return Ok(false) };
    let api: Api<Secret> = Api::namespaced(hub.clone(), &push.secret_namespace);
    let read = api.get_opt(&push.secret_name).await.map_err(|error| Trouble::of(&error))?;
    let Some(mut secret) = read else { return Ok(false) };
    let ours = secret.labels().get(meta::LABEL_CLUSTER) == Some(&object.name_any());
    if !ours || secret.resource_version().as_deref() != Some(version) {
        return Ok(false);
    }
    let key = push.secret_key.to_string();
    let Some(old) = secret.data.as_ref().and_then(|data| data.get(&key)) else { return Ok(false) };
    let token = join::token(member, hours).await.map_err(|error| Trouble::of(&error))?;
    let Some(new) = with_token(&old.0, &token) else { return Ok(false) };
    secret.data.get_or_insert_default().insert(key, ByteString(new));
    let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
    api.replace(&push.secret_name, &params, &secret).await.map_err(|error| Trouble::of(&error))?;
    Ok(true)
}

/// The kubeconfig with another token; `None` when it is not of the form that `join` writes.
fn with_token(kubeconfig: &[u8], token: &str) -> Option<Vec<u8>> {
    let mut file: Value = serde_json::from_slice(kubeconfig).ok()?;
    let user = file.pointer_mut("/users/0/user")?.as_object_mut()?;
    if token.is_empty() || !user.contains_key("token") {
        return None;
    }
    user.insert("token".to_owned(), json!(token));
    Some(file.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_changes() {
        let old = join::kubeconfig("a", "https://a:6443", "ca", "old");
        let new = with_token(old.as_bytes(), "new").unwrap();
        assert_eq!(String::from_utf8(new).unwrap(), join::kubeconfig("a", "https://a:6443", "ca", "new"));
        assert_eq!(with_token(b"users: []", "new"), None, "an administrator's own file is left alone");
        assert_eq!(with_token(old.as_bytes(), ""), None);
    }
}
