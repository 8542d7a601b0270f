//! Documents of the OCI image specification and of Docker's manifest schema 2, as far as they are read.
//!
//! Own types instead of a crate: readers of images must take what builders wrote over ten years (absent media types,
//! `null` lists, unknown architectures), and a dozen fields are asked for.

use std::collections::BTreeMap;

use jiuzhou_engine::detect::OciPlatform;
use serde::{Deserialize, Deserializer};

use crate::error::InspectError;

/// Docker's first schema, which has no configuration and signed bytes; registries stopped serving it.
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1";

/// What is asked of a registry, best first.
#[cfg(feature = "registry")]
pub(crate) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// A reference to a blob.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Descriptor {
    /// Form of the blob.
    #[serde(deserialize_with = "null")]
    pub media_type: String,
    /// Its digest, as written; checked before it becomes a path or a request.
    #[serde(deserialize_with = "null")]
    pub digest: String,
    /// Its size as promised.
    pub size: Option<u64>,
    /// For which platform.
    pub platform: Option<PlatformText>,
    /// Names, among others.
    #[serde(deserialize_with = "null")]
    pub annotations: BTreeMap<String, String>,
    /// What an artifact is.
    pub artifact_type: Option<String>,
    /// Where it stands in an archive that names members and not digests.
    #[serde(skip)]
    pub member: Option<String>,
}

impl Descriptor {
    /// Attestations of build tools, signatures and the like stand in an index as manifests of no platform.
    pub(crate) fn is_attestation(&self) -> bool {
        let unknown = self.platform.as_ref().is_some_and(|p| p.os == "unknown" || p.architecture == "unknown");
        unknown || self.annotations.contains_key("vnd.docker.reference.type")
    }
}

/// A platform as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PlatformText {
    #[serde(deserialize_with = "null")]
    pub(crate) os: String,
    #[serde(deserialize_with = "null")]
    pub(crate) architecture: String,
    #[serde(deserialize_with = "null")]
    pub(crate) variant: String,
    #[serde(rename = "os.version", deserialize_with = "null")]
    pub(crate) os_version: String,
    #[serde(rename = "os.features", deserialize_with = "null")]
    pub(crate) os_features: Vec<String>,
}

impl PlatformText {
    pub(crate) fn platform(&self) -> OciPlatform {
        let mut platform = OciPlatform::new(&self.os, &self.architecture, &self.variant);
        platform.os_features = self.os_features.iter().cloned().collect();
        platform
    }
}

/// An index, a manifest list, or a manifest: which one is known by what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Manifest {
    pub(crate) schema_version: Option<i64>,
    #[serde(deserialize_with = "null")]
    pub(crate) media_type: String,
    pub(crate) artifact_type: Option<String>,
    pub(crate) config: Option<Descriptor>,
    pub(crate) layers: Option<Vec<Descriptor>>,
    pub(crate) manifests: Option<Vec<Descriptor>>,
}

impl Manifest {
    pub(crate) fn parse(what: &str, bytes: &[u8]) -> Result<Self, InspectError> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| InspectError::malformed(what, error))?;
        if manifest.schema_version == Some(1) || manifest.media_type.starts_with(SCHEMA_1) {
            return Err(InspectError::unsupported(what, "Docker manifest schema 1"));
        }
        Ok(manifest)
    }
}

/// The configuration of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    #[serde(flatten)]
    pub(crate) platform: PlatformText,
    #[serde(deserialize_with = "null")]
    pub(crate) config: Run,
    #[serde(deserialize_with = "null")]
    pub(crate) rootfs: Rootfs,
}

/// What a container runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Run {
    #[serde(deserialize_with = "null")]
    pub(crate) entrypoint: Vec<String>,
    #[serde(deserialize_with = "null")]
    pub(crate) cmd: Vec<String>,
    #[serde(deserialize_with = "null")]
    pub(crate) env: Vec<String>,
    #[serde(deserialize_with = "null")]
    pub(crate) working_dir: String,
}

/// Digests of the unpacked layers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Rootfs {
    #[serde(deserialize_with = "null")]
    pub(crate) diff_ids: Vec<String>,
}

/// One image of `manifest.json`, which `docker save` writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Saved {
    #[serde(deserialize_with = "null")]
    pub(crate) config: String,
    #[serde(deserialize_with = "null")]
    pub(crate) repo_tags: Vec<String>,
    #[serde(deserialize_with = "null")]
    pub(crate) layers: Vec<String>,
}

/// `null` is what Go writes for an empty list.
fn null<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_builders_leave_out_or_write_as_null_is_empty() {
        let text = br#"{"architecture":"arm64","os":"linux","config":{"Entrypoint":null,"Cmd":["sh"],"Env":null},"rootfs":null}"#;
        let config: Config = serde_json::from_slice(text).unwrap();
        assert_eq!((config.config.cmd, config.config.entrypoint.len()), (vec!["sh".to_owned()], 0));
        assert_eq!(config.platform.platform().to_string(), "linux/arm64");
        let manifest = Manifest::parse("m", br#"{"manifests":[{"digest":"sha256:00","annotations":null}]}"#).unwrap();
        assert_eq!(manifest.manifests.unwrap()[0].digest, "sha256:00");
    }

    #[test]
    fn the_first_schema_is_told_as_such() {
        let error = Manifest::parse("m", br#"{"schemaVersion":1,"fsLayers":[]}"#).unwrap_err();
        assert!(error.to_string().contains("schema 1"), "{error}");
    }
}
