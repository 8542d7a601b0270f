//! The name of an image in a registry: `registry.gov.example/app/web:1.2@sha256:…`.

use std::fmt;

use jiuzhou_engine::terms::Digest;

/// The text is no reference of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the image {0:?}: want HOST/PATH:TAG or HOST/PATH@sha256:DIGEST")]
pub struct ReferenceError(pub String);

/// A reference, with Docker's defaults filled in: no host is docker.io, a path of one part is under `library/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Registry, with its port.
    pub host: String,
    /// Path of the repository.
    pub path: String,
    /// Tag.
    pub tag: Option<String>,
    /// Digest.
    pub digest: Option<Digest>,
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// When the text is none.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let wrong = || ReferenceError(text.to_owned());
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(Digest::parse(digest).ok_or_else(wrong)?)),
            None => (text, None),
        };
        // A colon behind the last slash begins the tag; one before it is a port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong());
        }
        let (host, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
                (host.to_owned(), path.to_owned())
            }
            Some(_) => ("docker.io".to_owned(), name.to_owned()),
            None => ("docker.io".to_owned(), format!("library/{name}")),
        };
        let part = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
        };
        let host_fits = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:[]".contains(&b));
        if !host_fits || text.len() > 512 || !path.split('/').all(part) {
            return Err(wrong());
        }
        Ok(Self { host, path, tag: tag.map(str::to_owned), digest })
    }

    /// Host and path, without tag and digest.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.host, self.path)
    }
}

/// A tag as the distribution specification has it.
pub(crate) fn is_tag(tag: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=128).contains(&tag.len()) && tag.bytes().all(inner) && !tag.starts_with(['.', '-'])
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.path)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_ports_tags_and_digests_are_told_apart() {
        let digest = Digest::sha256(b"").to_string();
        for (text, want) in [
            ("nginx", "docker.io/library/nginx"),
            ("bitnami/redis:7", "docker.io/bitnami/redis:7"),
            ("localhost:5000/app", "localhost:5000/app"),
            ("registry.gov.example/a/b-c:v1.2", "registry.gov.example/a/b-c:v1.2"),
        ] {
            assert_eq!(Reference::parse(text).unwrap().to_string(), want);
        }
        let both = Reference::parse(&format!("r.example/a:1@{digest}")).unwrap();
        assert_eq!((both.tag.as_deref(), both.digest.unwrap().to_string()), (Some("1"), digest));
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for text in
            ["", "/", "App", "r.example/", "r.example/a//b", "r.example/../etc", "a:b:c d", "a@sha256:00", "镜像", "a:"]
        {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
    }
}
