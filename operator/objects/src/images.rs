//! Image references: every one in an object, read and normalised as the container runtimes do, and rewritten for the
//! registry of a zone.
//!
//! Normalisation follows distribution/reference: no registry means `docker.io`, one name there means `library/`. What
//! an image contains is not known here.

use std::collections::BTreeMap;
use std::fmt;

use jiuzhou_engine::terms::{Code, Finding, Reason};
use serde_json::Value;

use crate::error::ObjectsError;
use crate::object::{Object, items, shown};
use crate::profile::Profile;

/// A normalised image reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageRef {
    /// Host, with port if any.
    pub registry: String,
    /// Path below the host.
    pub repository: String,
    /// Tag as written; a runtime takes `latest` when tag and digest are absent.
    pub tag: Option<String>,
    /// `sha256:…` as written.
    pub digest: Option<String>,
}

impl ImageRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// [`ObjectsError::Image`] for anything a runtime would refuse.
    pub fn parse(text: &str) -> Result<Self, ObjectsError> {
        parse(text).ok_or_else(|| ObjectsError::Image(text.chars().take(256).collect()))
    }

    /// Registry and repository.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same image under another name: the longest entry of `map` (a registry, or a registry and leading path
    /// steps) that the name starts with is replaced. `None` when no entry fits.
    #[must_use]
    pub fn rewritten(&self, map: &BTreeMap<String, String>) -> Option<Self> {
        let name = self.name();
        let fits = |from: &&String| {
            let from = from.trim_end_matches('/');
            name.strip_prefix(from).is_some_and(|rest| rest.starts_with('/') || rest.is_empty())
        };
        let from = map.keys().filter(fits).max_by_key(|from| from.len())?;
        let rest = name.get(from.trim_end_matches('/').len()..)?;
        let to = map.get(from)?.trim_end_matches('/');
        let (registry, repository) = format!("{to}{rest}").split_once('/').map(|(a, b)| (a.into(), b.into()))?;
        Some(Self { registry, repository, tag: self.tag.clone(), digest: self.digest.clone() })
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

fn parse(text: &str) -> Option<ImageRef> {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    if let Some(digest) = digest {
        let (algorithm, hex) = digest.split_once(':')?;
        let size = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return None,
        };
        (hex.len() == size && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))).then_some(())?;
    }
    // A colon after the last slash is a tag's; before it, a port's.
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match name.get(last..)?.split_once(':') {
        Some((end, tag)) => (name.get(..last + end.len())?, Some(tag)),
        None => (name, None),
    };
    let good_tag = |tag: &str| {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        tag.len() <= 128
            && tag.bytes().next().is_some_and(word)
            && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
    };
    tag.is_none_or(good_tag).then_some(())?;
    let (registry, repository) = match name.split_once('/') {
        Some((host, rest))
            if host.contains(['.', ':']) || host == "localhost" || host.bytes().any(|b| b.is_ascii_uppercase()) =>
        {
            (host, rest.to_owned())
        }
        Some(_) => ("docker.io", name.to_owned()),
        None => ("docker.io", format!("library/{name}")),
    };
    let docker = matches!(registry, "docker.io" | "index.docker.io");
    let repository = if docker && !repository.contains('/') { format!("library/{repository}") } else { repository };
    (good_host(registry) && good_repository(&repository)).then(|| ImageRef {
        registry: if docker { "docker.io".to_owned() } else { registry.to_owned() },
        repository,
        tag: tag.map(str::to_owned),
        digest: digest.map(str::to_owned),
    })
}

fn good_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let good_port = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let ipv6 = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let good_name = match ipv6 {
        Some(address) => address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') && !address.is_empty(),
        None => name.split('.').all(|label| {
            let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(inner)
        }),
    };
    good_port && good_name
}

fn good_repository(repository: &str) -> bool {
    repository.len() <= 255
        && repository.split('/').all(|step| {
            let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            let separators = step.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
            step.bytes().next().is_some_and(word)
                && step.bytes().last().is_some_and(word)
                && step.bytes().all(|b| word(b) || matches!(b, b'.' | b'_' | b'-'))
                && separators.into_iter().all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
        })
}

/// One place in an object that names an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUse {
    /// JSON pointer of the text.
    pub pointer: String,
    /// Container name.
    pub container: String,
    /// The reference.
    pub image: ImageRef,
}

/// Lists where each container of the pod template at a pointer stands.
pub(crate) fn containers(object: Object<'_>, template: &str) -> Vec<String> {
    ["initContainers", "containers", "ephemeralContainers"]
        .iter()
        .flat_map(|list| {
            let here = format!("{template}/spec/{list}");
            (0..items(object.value, &here).len()).map(move |index| format!("{here}/{index}"))
        })
        .collect()
}

/// Every image of an object's pod templates, and image volumes (1.31). Texts that are no reference, and references
/// without a digest (the tag may mean another image tomorrow), are findings; the latter are listed all the same.
#[must_use]
pub fn images(object: Object<'_>, profile: &Profile, findings: &mut Vec<Finding>) -> Vec<ImageUse> {
    let mut uses = Vec::new();
    for (template, _) in profile.templates_in(object) {
        let mut places: Vec<(String, String)> = Vec::new();
        for container in containers(object, &template) {
            let name = object.text(&format!("{container}/name")).to_owned();
            places.push((format!("{container}/image"), name));
        }
        for (index, volume) in items(object.value, &format!("{template}/spec/volumes")).iter().enumerate() {
            if volume.pointer("/image/reference").is_some() {
                places.push((format!("{template}/spec/volumes/{index}/image/reference"), String::new()));
            }
        }
        for (pointer, container) in places {
            let seen = object.value.pointer(&pointer).unwrap_or(&Value::Null);
            let Some(image) = seen.as_str().and_then(parse) else {
                let reason = Reason::new(Code::ImageInvalid).object(container.as_str()).seen(shown(seen));
                findings.push(object.finding(reason, pointer));
                continue;
            };
            if image.digest.is_none() {
                let reason = Reason::new(Code::ImageNotPinned).object(container.as_str()).seen(image.to_string());
                findings.push(object.finding(reason, pointer.as_str()));
            }
            uses.push(ImageUse { pointer, container, image });
        }
    }
    uses
}

/// Rewrites every image of an object for the registry map of a zone; gives the pointers that changed.
pub fn rewrite(value: &mut Value, profile: &Profile, map: &BTreeMap<String, String>) -> Vec<String> {
    let uses = images(Object::new(value), profile, &mut Vec::new());
    let mut changed = Vec::new();
    for ImageUse { pointer, image, .. } in uses {
        if let (Some(to), Some(place)) = (image.rewritten(map), value.pointer_mut(&pointer)) {
            let to = Value::String(to.to_string());
            if *place != to {
                *place = to;
                changed.push(pointer);
            }
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_are_normalised_as_the_runtimes_do() {
        let table = [
            ("nginx", "docker.io/library/nginx"),
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("bitnami/redis", "docker.io/bitnami/redis"),
            ("index.docker.io/nginx", "docker.io/library/nginx"),
            ("localhost/a", "localhost/a"),
            ("registry:5000/a/b:c", "registry:5000/a/b:c"),
            ("quay.io/a/b_c/d--e:v1.0-rc", "quay.io/a/b_c/d--e:v1.0-rc"),
            ("[fd00::1]:5000/a", "[fd00::1]:5000/a"),
        ];
        for (text, want) in table {
            assert_eq!(ImageRef::parse(text).map(|i| i.to_string()), Ok(want.to_owned()), "{text}");
        }
        let pinned = ImageRef::parse(&format!("gcr.io/a/b:v1@{DIGEST}")).unwrap();
        assert_eq!((pinned.tag.as_deref(), pinned.digest.as_deref()), (Some("v1"), Some(DIGEST)));
    }

    #[test]
    fn what_a_runtime_refuses_is_refused() {
        for text in [
            "",
            ":",
            "@",
            "Nginx",
            "a//b",
            "a/",
            "/a",
            "a:",
            "a:-x",
            "a@sha256:00",
            "a@md5:00",
            "a b",
            "镜像",
            "a___b",
            "a..b",
            "host:port/a",
            "-h.io/a",
            "{{ .Values.image }}",
            "https://a.io/b",
        ] {
            assert!(ImageRef::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_longest_entry_rewrites_on_whole_steps() {
        let map: BTreeMap<String, String> = [
            ("docker.io", "mirror.gov.cn/hub"),
            ("docker.io/library", "mirror.gov.cn/official"),
            ("quay.io/org", "mirror.gov.cn/org/"),
        ]
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .into();
        let table = [
            ("nginx:1", Some("mirror.gov.cn/official/nginx:1")),
            ("bitnami/redis", Some("mirror.gov.cn/hub/bitnami/redis")),
            ("quay.io/org/x", Some("mirror.gov.cn/org/x")),
            ("quay.io/organisation/x", None),
            ("ghcr.io/a/b", None),
        ];
        for (text, want) in table {
            let got = ImageRef::parse(text).unwrap().rewritten(&map).map(|i| i.to_string());
            assert_eq!(got.as_deref(), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_normalised_reference_reads_back(text in "[a-z0-9.:/@_-]{0,40}") {
            if let Ok(image) = ImageRef::parse(&text) {
                prop_assert_eq!(ImageRef::parse(&image.to_string()).unwrap(), image);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = ImageRef::parse(&text);
        }
    }
}
