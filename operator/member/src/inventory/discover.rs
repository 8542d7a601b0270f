//! Kinds that a cluster serves, in the two requests of aggregated discovery, or group by group where it is older.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::ServedKinds;
use kube::discovery::Discovery;

use crate::connection::Trouble;

/// Bounds of the schema.
const MAX_VERSIONS: usize = 256;
const MAX_KINDS: usize = 256;

/// All API versions with their kinds, sorted; subresources are not kinds of their own.
pub(super) async fn served(client: &kube::Client) -> Result<Vec<ServedKinds>, Trouble> {
    let found = match Discovery::new(client.clone()).run_aggregated().await {
        Ok(found) => found,
        // Before Kubernetes 1.26 the answer is a list of another kind.
        Err(error) if !Trouble::of(&error).is_silence() => {
            Discovery::new(client.clone()).run().await.map_err(|error| Trouble::of(&error))?
        }
        Err(error) => return Err(Trouble::of(&error)),
    };
    let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for group in found.groups() {
        let resources = group.versions().flat_map(|version| group.versioned_resources(version));
        for (resource, _) in resources {
            if is_kind(&resource.kind) && is_api_version(&resource.api_version) {
                kinds.entry(resource.api_version).or_default().insert(resource.kind);
            }
        }
    }
    let served = |(version, kinds): (String, BTreeSet<String>)| ServedKinds {
        api_version: version.into(),
        kinds: kinds.into_iter().take(MAX_KINDS).map(Into::into).collect(),
    };
    Ok(kinds.into_iter().take(MAX_VERSIONS).map(served).collect())
}

/// A member may say anything; the hub's schema takes only this.
fn is_kind(kind: &str) -> bool {
    kind.len() <= 63
        && kind.starts_with(|first: char| first.is_ascii_uppercase())
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_api_version(text: &str) -> bool {
    let (group, version) = text.split_once('/').unwrap_or(("g", text));
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| lower(*byte));
    let group_fits = group.bytes().all(|byte| lower(byte) || byte == b'.' || byte == b'-');
    let version_fits = version.len() > 1 && version.starts_with('v') && version.bytes().all(lower);
    text.len() <= 317 && group_fits && version_fits && ends(group.as_bytes().first()) && ends(group.as_bytes().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_the_schema_takes_are_kept() {
        for good in ["v1", "apps/v1", "metrics.k8s.io/v1beta1"] {
            assert!(is_api_version(good), "{good}");
        }
        for bad in ["", "v", "1", "Apps/v1", "a/b/v1", "/v1", "apps/V1", "a./v1"] {
            assert!(!is_api_version(bad), "{bad}");
        }
        assert!(is_kind("ConfigMap") && !is_kind("configMap") && !is_kind("A-b") && !is_kind(""));
    }
}
