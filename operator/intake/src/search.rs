//! Which workloads run an image, a package or what a vulnerability is in, and of which nobody knows.
//!
//! Images are those of the manifests of the input; what is inside them comes from SBOMs. An image is the one of an SBOM
//! when a digest of both is equal, or else name and tag are, where the SBOM has a tag; a profile tells the digest of a
//! tag.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_objects::images::{ImageRef, images};
use jiuzhou_objects::object::Object;

use crate::convert::namespace_owners;
use crate::load::Fleet;
use crate::sboms::Described;

/// What is looked for. `*` stands for any part; case does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// An image: a reference, the end of its path, or a pattern.
    Image(String),
    /// A package: name, and version behind `@`.
    Package(String),
    /// A vulnerability by its id.
    Vulnerability(String),
}

/// A workload with one of its images.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Tenant that owns the namespace.
    pub tenant: Option<String>,
    /// Information system, by its name for people.
    pub system: Option<String>,
    /// `namespace/name`.
    pub workload: String,
    /// Image as the manifest names it.
    pub image: String,
    /// What matched.
    pub matched: Vec<String>,
    /// Clusters its placement names; `None` without one.
    pub clusters: Option<Vec<String>>,
    /// Network zone it asks for.
    pub zones: Vec<String>,
    /// First contact of the system.
    pub contact: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Workloads that match.
    pub hits: Vec<Hit>,
    /// Workloads with images nobody looked into, for this question.
    pub unseen: Vec<Hit>,
    /// Distinct images of all workloads.
    pub images: usize,
}

/// Searches a fleet.
#[must_use]
pub fn search(fleet: &Fleet, sboms: &[Described], query: &Query) -> Found {
    let owners = namespace_owners(&fleet.objects);
    let digests = digests(fleet);
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for ((namespace, name), item) in &fleet.objects.workloads {
        let spec = &item.object.spec;
        let mut uses: BTreeSet<ImageRef> = BTreeSet::new();
        for entry in &spec.objects {
            let object = Object::new(&entry.manifest);
            if let Some(profile) = fleet.converted.profiles.of(object) {
                uses.extend(images(object, profile, &mut Vec::new()).into_iter().map(|used| used.image));
            }
        }
        // Objects of kinds without a profile name their images as components.
        let declared = spec.requirements.components.iter().flat_map(|component| &component.images);
        uses.extend(declared.filter_map(|image| ImageRef::parse(image).ok()));
        let system = fleet.objects.systems.get(&(namespace.clone(), spec.system.to_string()));
        let placement = fleet.objects.placements.get(&(namespace.clone(), name.clone()));
        for image in uses {
            let hit = |matched| Hit {
                tenant: owners.get(namespace).cloned(),
                system: Some(
                    system.map_or(spec.system.to_string(), |system| system.object.spec.display_name.to_string()),
                ),
                workload: format!("{namespace}/{name}"),
                image: image.to_string(),
                matched,
                clusters: placement.map(|item| item.object.spec.clusters.iter().map(|c| c.name.to_string()).collect()),
                zones: spec.requirements.zone.iter().map(ToString::to_string).collect(),
                contact: system.and_then(|system| contact(&system.object.spec)),
            };
            let digest = digest_of(&image, &digests);
            match judge(query, &image, digest.as_deref(), sboms) {
                Judged::Matched(matched) => found.hits.push(hit(matched)),
                Judged::Unseen => found.unseen.push(hit(Vec::new())),
                Judged::Other => {}
            }
            seen.insert(image);
        }
    }
    found.images = seen.len();
    found.hits.sort();
    found.unseen.sort();
    found
}

enum Judged {
    Matched(Vec<String>),
    Unseen,
    Other,
}

fn judge(query: &Query, image: &ImageRef, digest: Option<&str>, sboms: &[Described]) -> Judged {
    let about = |sbom: &&Described| is_about(sbom, image, digest);
    let (mut matched, mut looked) = (BTreeSet::new(), false);
    match query {
        Query::Image(text) => {
            return if is_image(text, image, digest) { Judged::Matched(Vec::new()) } else { Judged::Other };
        }
        Query::Package(text) => {
            let (name, version) = text.rsplit_once('@').filter(|(name, _)| !name.is_empty()).unwrap_or((text, "*"));
            let by_url = text.starts_with("pkg:");
            for sbom in sboms.iter().filter(about) {
                looked = true;
                let fits = |component: &&crate::sboms::Component| {
                    if by_url {
                        // A package URL names kind and namespace too; what is behind `?` is not asked about.
                        let url = component.purl.split(['?', '#']).next().unwrap_or_default();
                        let (url, has) = url.rsplit_once('@').unwrap_or((url, component.version.as_str()));
                        return like(name, url) && like(version, has);
                    }
                    let tail = component.name.rsplit('/').next().unwrap_or(&component.name);
                    (like(name, &component.name) || like(name, tail)) && like(version, &component.version)
                };
                let label =
                    |c: &crate::sboms::Component| format!("{}@{}", c.name, c.version).trim_end_matches('@').to_owned();
                matched.extend(sbom.components.iter().filter(fits).map(label));
            }
        }
        Query::Vulnerability(id) => {
            for sbom in sboms.iter().filter(about) {
                looked |= sbom.lists_vulnerabilities;
                for component in &sbom.components {
                    let named = component.vulnerabilities.iter().filter(|one| like(id, one));
                    matched.extend(named.map(|one| format!("{one} {}@{}", component.name, component.version)));
                }
            }
        }
    }
    match (matched.is_empty(), looked) {
        (false, _) => Judged::Matched(matched.into_iter().collect()),
        (true, true) => Judged::Other,
        (true, false) => Judged::Unseen,
    }
}

fn is_about(sbom: &Described, image: &ImageRef, digest: Option<&str>) -> bool {
    if digest.is_some_and(|digest| sbom.digests.contains(digest)) {
        return true;
    }
    let named = sbom.name.as_deref() == Some(image.name().as_str());
    let tag = image.tag.as_deref().unwrap_or("latest");
    // A digest of both that differs is another image; without one the tag has to do.
    let other = image.digest.is_some() && !sbom.digests.is_empty() && sbom.tags.is_empty();
    named && !other && (sbom.tags.is_empty() || (image.digest.is_none() && sbom.tags.contains(tag)))
}

fn is_image(text: &str, image: &ImageRef, digest: Option<&str>) -> bool {
    let whole = image.to_string();
    if text.contains('*') {
        return like(text, &whole) || like(text, &image.name()) || like(text, &image.repository);
    }
    if text.starts_with("sha256:") {
        return digest == Some(text);
    }
    let Ok(wanted) = ImageRef::parse(text) else { return false };
    let bare = wanted.repository.strip_prefix("library/").unwrap_or(&wanted.repository);
    let hosted = text.split('/').next().is_some_and(|host| text.contains('/') && host.contains(['.', ':']));
    let tail = !hosted && (image.repository == bare || image.repository.ends_with(&format!("/{bare}")));
    let tagged = wanted.tag.is_none() || wanted.tag == image.tag;
    let digested = wanted.digest.is_none() || wanted.digest.as_deref() == digest;
    (wanted.name() == image.name() || tail) && tagged && digested
}

/// Digests of names and tags that profiles know.
fn digests(fleet: &Fleet) -> BTreeMap<(String, String), String> {
    let mut known = BTreeMap::new();
    for item in fleet.objects.images.values() {
        let api::ImageProfileSpec { image, tags, digest, entries: _ } = &item.object.spec;
        if let Ok(reference) = ImageRef::parse(image) {
            known.extend(tags.iter().map(|tag| ((reference.name(), tag.to_string()), digest.to_string())));
        }
    }
    known
}

fn digest_of(image: &ImageRef, known: &BTreeMap<(String, String), String>) -> Option<String> {
    let tag = || image.tag.clone().unwrap_or_else(|| "latest".to_owned());
    image.digest.clone().or_else(|| known.get(&(image.name(), tag())).cloned())
}

fn contact(system: &api::InformationSystemSpec) -> Option<String> {
    let first = system.contacts.first()?;
    Some(match &first.reach {
        Some(reach) => format!("{} {reach}", first.name),
        None => first.name.to_string(),
    })
}

/// Whether a text is like a pattern with `*`, without regard to case.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{Options, load_texts};

    const FLEET: &str = "\
apiVersion: jiuzhou.dev/v1alpha1
kind: FleetWorkload
metadata: {name: web, namespace: portal}
spec:
  system: portal
  objects:
  - name: web
    manifest:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec: {template: {spec: {containers: [
        {name: a, image: 'registry.gov.example/app/web:1.0'}, {name: b, image: 'nginx:1.27'}]}}}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: FleetPlacement
metadata: {name: web, namespace: portal}
spec:
  decision: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  epoch: 1
  sequence: 1
  clusters: [{name: dali-1, replicas: 2}]
  inputs:
    workload: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    snapshot: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
";

    #[allow(clippy::needless_pass_by_value, reason = "literals of the tests")]
    fn find(query: Query, sboms: &[Described]) -> Found {
        let fleet =
            load_texts(&[("f.yaml".to_owned(), FLEET.as_bytes())], &Options::at(Timestamp::UNIX_EPOCH)).unwrap();
        search(&fleet, sboms, &query)
    }

    fn sbom(name: &str, tag: &str, vulnerable: bool) -> Described {
        let component = crate::sboms::Component {
            name: "org.apache.logging.log4j/log4j-core".to_owned(),
            version: "2.14.1".to_owned(),
            purl: "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar".to_owned(),
            vulnerabilities: vulnerable.then(|| "CVE-2021-44228".to_owned()).into_iter().collect(),
        };
        Described {
            name: Some(name.to_owned()),
            tags: BTreeSet::from([tag.to_owned()]),
            components: vec![component],
            lists_vulnerabilities: vulnerable,
            ..Described::default()
        }
    }

    #[test]
    fn an_image_is_found_by_name_end_tag_and_pattern() {
        for (text, hits) in [
            ("nginx", 1),
            ("web", 1),
            ("app/web:1.0", 1),
            ("web:2.0", 0),
            ("registry.gov.example/app/web", 1),
            ("registry.gov.example/web", 0),
            ("registry.gov.example/*", 1),
            ("*", 2),
            ("eb", 0),
        ] {
            let found = find(Query::Image(text.to_owned()), &[]);
            assert_eq!((found.hits.len(), found.images), (hits, 2), "{text}");
        }
        let hit = find(Query::Image("nginx".to_owned()), &[]).hits.remove(0);
        assert_eq!((hit.workload.as_str(), hit.clusters), ("portal/web", Some(vec!["dali-1".to_owned()])));
    }

    #[test]
    fn a_package_is_found_by_its_last_name_and_what_nobody_looked_into_is_listed() {
        let sboms = [sbom("registry.gov.example/app/web", "1.0", false)];
        for (text, hits) in [
            ("log4j-core", 1),
            ("LOG4J-CORE@2.14.*", 1),
            ("log4j-core@2.15.0", 0),
            ("log4j", 0),
            ("pkg:maven/org.apache.logging.log4j/log4j-core", 1),
            ("pkg:maven/*/log4j-core@2.14.*", 1),
            ("pkg:npm/*/log4j-core", 0),
            ("pkg:maven/org.apache.logging.log4j/log4j-core@2.15.0", 0),
        ] {
            let found = find(Query::Package(text.to_owned()), &sboms);
            assert_eq!((found.hits.len(), found.unseen.len()), (hits, 1), "{text}: nginx was not looked into");
        }
        let other = [sbom("registry.gov.example/app/web", "0.9", false)];
        assert_eq!(find(Query::Package("log4j-core".to_owned()), &other).unseen.len(), 2, "of another tag");
    }

    #[test]
    fn an_sbom_without_vulnerabilities_says_nothing_of_them() {
        let id = || Query::Vulnerability("cve-2021-44228".to_owned());
        let silent = find(id(), &[sbom("registry.gov.example/app/web", "1.0", false)]);
        assert_eq!((silent.hits.len(), silent.unseen.len()), (0, 2));
        let telling = find(id(), &[sbom("registry.gov.example/app/web", "1.0", true)]);
        assert_eq!(telling.hits[0].matched, ["CVE-2021-44228 org.apache.logging.log4j/log4j-core@2.14.1"]);
    }

    #[test]
    fn patterns_have_both_ends() {
        for (pattern, text, want) in [
            ("a*c", "abc", true),
            ("a*c", "abcd", false),
            ("*", "", true),
            ("ab", "abc", false),
            ("a*b*c", "axxbc", true),
        ] {
            assert_eq!(like(pattern, text), want, "{pattern} {text}");
        }
    }
}
