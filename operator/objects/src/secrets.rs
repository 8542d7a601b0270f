//! Secrets on their way to a member: named by a keyed digest, kept apart from everything that may be shown.
//!
//! A delivery refers to a Secret by [`SecretManifest::name`] and a digest under a key that never leaves the hub, so that
//! nobody can guess a password by hashing candidates. Between hub and agent the data stands in a Secret of the member's
//! hub namespace ([`SecretManifest::stored`], [`SecretManifest::read`]); in memory it is here, and `Debug` does not show
//! it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiuzhou_engine::terms::Digest;
use serde_json::{Map, Value, json};

use crate::digest;
use crate::error::ObjectsError;
use crate::object::Object;

/// Annotation of a stored Secret with the object of a member that its data belongs to; who has it is one of these.
pub const MANIFEST: &str = "jiuzhou.dev/manifest";
/// Annotation of a stored Secret: its keyed digest.
const DIGEST: &str = "jiuzhou.dev/digest";

/// The key of the digests of Secrets; belongs to one hub.
#[derive(Clone)]
pub struct DigestKey(Vec<u8>);

impl DigestKey {
    /// A key of any length; 32 random bytes are meant.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// HMAC-SHA-256 (RFC 2104).
    #[must_use]
    pub fn digest(&self, message: &[u8]) -> Digest {
        const BLOCK: usize = 64;
        let mut key = [0u8; BLOCK];
        if self.0.len() > BLOCK {
            key[..32].copy_from_slice(Digest::sha256(&self.0).bytes());
        } else {
            key[..self.0.len()].copy_from_slice(&self.0);
        }
        let padded = |pad: u8| key.iter().map(move |byte| byte ^ pad);
        let inner: Vec<u8> = padded(0x36).chain(message.iter().copied()).collect();
        let outer: Vec<u8> = padded(0x5c).chain(Digest::sha256(&inner).bytes().iter().copied()).collect();
        Digest::sha256(&outer)
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DigestKey(…)")
    }
}

/// A Secret for one member, with its data.
#[derive(Clone, PartialEq)]
pub struct SecretManifest {
    name: String,
    digest: Digest,
    manifest: Value,
}

impl fmt::Debug for SecretManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretManifest").field("name", &self.name).field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl SecretManifest {
    /// Takes a rendered Secret; `stringData` goes into `data`, as an API server would have it. `owner` makes the name
    /// differ between two workloads with one secret.
    ///
    /// # Errors
    /// [`ObjectsError::Secret`] when `data` or `stringData` is no map of texts. The message has no data in it.
    pub fn new(mut manifest: Value, owner: &str, key: &DigestKey) -> Result<Self, ObjectsError> {
        let mut data = texts(&manifest, "data")?;
        for (name, text) in texts(&manifest, "stringData")? {
            let text = text.as_str().unwrap_or_default();
            data.insert(name, STANDARD.encode(text).into());
        }
        if let Some(map) = manifest.as_object_mut() {
            map.remove("stringData");
            map.insert("data".to_owned(), data.into());
        }
        let digest = key.digest(&[owner.as_bytes(), b"\n", &digest::canonical(&manifest)].concat());
        let hex = digest.to_string();
        let short: String = hex.chars().skip_while(|c| *c != ':').skip(1).take(40).collect();
        Ok(Self { name: format!("secret-{short}"), digest, manifest })
    }

    /// Name of the stored Secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Keyed digest of everything in it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The Secret for the member, with its data: for the request to the member and for nothing else.
    #[must_use]
    pub fn manifest(&self) -> &Value {
        &self.manifest
    }

    /// The Secret that carries it in a namespace of the hub. It is immutable: other content is another name.
    #[must_use]
    pub fn stored(&self, namespace: &str) -> Value {
        let mut bare = self.manifest.clone();
        let data = bare.as_object_mut().and_then(|map| map.remove("data")).unwrap_or_else(|| json!({}));
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self.name,
                "namespace": namespace,
                "labels": {jiuzhou_api::meta::LABEL_MANAGED_BY: jiuzhou_api::meta::MANAGED_BY},
                "annotations": {MANIFEST: bare.to_string(), DIGEST: self.digest.to_string()},
            },
            "immutable": true,
            "type": "Opaque",
            "data": data,
        })
    }

    /// Reads what [`Self::stored`] made.
    ///
    /// # Errors
    /// [`ObjectsError::Secret`] for any other Secret. The message has no data in it.
    pub fn read(stored: &Value) -> Result<Self, ObjectsError> {
        let object = Object::new(stored);
        let fault = |why: &str| ObjectsError::Secret { name: object.name().to_owned(), why: why.to_owned() };
        let bare = object.annotation(MANIFEST).ok_or_else(|| fault("it carries no object of a member"))?;
        let mut manifest: Value = serde_json::from_str(bare).map_err(|_| fault("its object cannot be read"))?;
        let digest = object.annotation(DIGEST).and_then(Digest::parse).ok_or_else(|| fault("it has no digest"))?;
        let data = texts(stored, "data")?;
        let map = manifest.as_object_mut().ok_or_else(|| fault("its object cannot be read"))?;
        map.insert("data".to_owned(), data.into());
        Ok(Self { name: object.name().to_owned(), digest, manifest })
    }
}

fn texts(manifest: &Value, field: &str) -> Result<Map<String, Value>, ObjectsError> {
    let fault = || ObjectsError::Secret {
        name: Object::new(manifest).name().to_owned(),
        why: format!("{field} is not a map of texts"),
    };
    match manifest.get(field) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) if map.values().all(Value::is_string) => Ok(map.clone()),
        Some(_) => Err(fault()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Value {
        json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth",
            "metadata": {"name": "db", "namespace": "n", "labels": {"a": "b"}},
            "data": {"username": "YWRtaW4="}, "stringData": {"password": "口令-canary"}})
    }

    /// RFC 4231, test cases 2 and 6.
    #[test]
    fn the_keyed_digest_is_hmac_sha256() {
        let short = DigestKey::new(*b"Jefe").digest(b"what do ya want for nothing?");
        assert_eq!(short.to_string(), "sha256:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let long = DigestKey::new(vec![0xaa; 131]).digest(b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(long.to_string(), "sha256:60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn a_secret_goes_through_the_hub_and_comes_out_whole() {
        let key = DigestKey::new(*b"k");
        let made = SecretManifest::new(secret(), "n/w", &key).unwrap();
        let stored = made.stored("jiuzhou-member-dali");
        assert_eq!(SecretManifest::read(&stored).unwrap(), made);
        assert_eq!(made.manifest()["data"]["password"], STANDARD.encode("口令-canary"));
        assert!(made.manifest().get("stringData").is_none());
        assert_eq!(stored["type"], "Opaque", "no controller of the hub acts on it");
        let annotations = stored["metadata"]["annotations"].to_string();
        assert!(!annotations.contains("password"), "not even the names of the keys: {annotations}");
    }

    #[test]
    fn name_and_digest_follow_key_owner_and_content() {
        let name = |owner: &str, key: &[u8], manifest: Value| {
            SecretManifest::new(manifest, owner, &DigestKey::new(key)).unwrap().name().to_owned()
        };
        let first = name("n/w", b"k", secret());
        assert_eq!(first, name("n/w", b"k", secret()));
        let mut other = secret();
        other["stringData"]["password"] = "x".into();
        for changed in [name("n/v", b"k", secret()), name("n/w", b"l", secret()), name("n/w", b"k", other)] {
            assert_ne!(first, changed);
        }
    }

    #[test]
    fn neither_debug_nor_errors_show_data() {
        let made = SecretManifest::new(secret(), "n/w", &DigestKey::new(*b"k")).unwrap();
        assert!(!format!("{made:?} {:?}", DigestKey::new(*b"canary")).contains("canary"));
        let mut bad = secret();
        bad["stringData"]["pin"] = json!({"canary": 1});
        let error = SecretManifest::new(bad, "n/w", &DigestKey::new(*b"k")).unwrap_err();
        assert!(!error.to_string().contains("canary"), "{error}");
        assert!(SecretManifest::read(&secret()).is_err());
    }
}
