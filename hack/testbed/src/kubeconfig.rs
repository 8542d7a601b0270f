//! Kubeconfigs with the certificates inside.
//!
//! `kwokctl` writes paths instead; a file that can be copied into a Secret or to another machine must not have any.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// One cluster and its administrator.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    /// Name of cluster, user and context.
    pub(crate) name: String,
    /// `https://127.0.0.1:PORT`.
    pub(crate) server: String,
    authority: String,
    certificate: String,
    key: String,
}

impl Access {
    /// Reads the certificates of a control plane.
    ///
    /// # Errors
    /// When one is missing.
    pub(crate) fn read(name: &str, server: String, pki: &Path) -> Result<Self> {
        let encoded = |file: &str| -> Result<String> {
            let path = pki.join(file);
            let bytes = fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
            Ok(STANDARD.encode(bytes))
        };
        let (authority, certificate, key) = (encoded("ca.crt")?, encoded("admin.crt")?, encoded("admin.key")?);
        Ok(Self { name: name.to_owned(), server, authority, certificate, key })
    }
}

/// A kubeconfig of several clusters; the first is the current one. JSON, which is YAML.
pub(crate) fn kubeconfig(accesses: &[Access]) -> String {
    let list = |entry: &dyn Fn(&Access) -> Value| accesses.iter().map(entry).collect::<Vec<_>>();
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": accesses.first().map(|access| access.name.as_str()).unwrap_or_default(),
        "clusters": list(&|access| json!({
            "name": access.name,
            "cluster": { "server": access.server, "certificate-authority-data": access.authority },
        })),
        "users": list(&|access| json!({
            "name": access.name,
            "user": { "client-certificate-data": access.certificate, "client-key-data": access.key },
        })),
        "contexts": list(&|access| json!({
            "name": access.name,
            "context": { "cluster": access.name, "user": access.name },
        })),
    });
    format!("{config:#}\n")
}

/// Writes a file that only its owner can read.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("failed to open {}", path.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).with_context(|| format!("failed to write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_carries_its_certificates_and_names_no_file() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["ca.crt", "admin.crt", "admin.key"] {
            fs::write(folder.path().join(file), file).unwrap();
        }
        let one = Access::read("hub", "https://127.0.0.1:1".to_owned(), folder.path()).unwrap();
        let text = kubeconfig(&[one]);
        let config: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(config["current-context"], "hub");
        assert_eq!(config["users"][0]["user"]["client-key-data"], STANDARD.encode("admin.key"));
        assert!(!text.contains(&folder.path().display().to_string()));
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_readable_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hub");
        write_private(&path, "x").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
