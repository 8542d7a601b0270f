//! Software bills of materials: which packages and vulnerabilities other tools say an image has.
//!
//! CycloneDX (1.2 and later), SPDX 2 and SPDX 3 in JSON, as syft, trivy, grype, cdxgen and `jiuzhou inspect` write them,
//! bare or inside an attestation (in-toto), as builders push them beside an image. A document is about the image it names
//! (a container component, its own subject, an SPDX package of that purpose, the subject of the attestation); what names
//! none is told, because nothing could be found by it.

mod spdx;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use jiuzhou_engine::terms::{Code, Finding, Reason};
use jiuzhou_objects::images::ImageRef;
use serde_json::Value;

use crate::files;

/// Bytes of one document; those of large images have about 50 MiB.
const BYTES: usize = 256 << 20;
/// Components inside components that are followed.
const NESTED: usize = 16;

/// A piece of software.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Component {
    /// Name; with a group or namespace in front where there is one, e.g. `org.apache.logging.log4j/log4j-core`.
    pub name: String,
    /// Version; empty when not stated.
    pub version: String,
    /// Package URL; empty when not stated.
    pub purl: String,
    /// Vulnerabilities it is said to have.
    pub vulnerabilities: BTreeSet<String>,
}

/// What is said of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Registry and repository, normalised; `None` where only a digest is known.
    pub name: Option<String>,
    /// Tags.
    pub tags: BTreeSet<String>,
    /// Digests: of the index or of one platform.
    pub digests: BTreeSet<String>,
    /// Its software.
    pub components: Vec<Component>,
    /// Whether the document lists vulnerabilities at all: silence of one that does not says nothing.
    pub lists_vulnerabilities: bool,
}

impl Described {
    /// Takes in a name as tools write it: `registry/app:1.0`, `registry/app@sha256:…`, a purl of type oci.
    fn named(&mut self, text: &str) {
        let decoded = |text: &str| text.replace("%2F", "/").replace("%2f", "/").replace("%3A", ":").replace("%3a", ":");
        if let Some(rest) = text.strip_prefix("pkg:docker/") {
            // The version is the tag or the digest, the name may have its host in front or beside.
            let (head, query) = rest.split_once('?').unwrap_or((rest, ""));
            let host = query.split('&').find_map(|pair| pair.strip_prefix("repository_url="));
            let (name, version) = head.split_once('@').map_or((head, None), |(name, version)| (name, Some(version)));
            let name = host.map_or_else(|| decoded(name), |host| format!("{}/{}", decoded(host), decoded(name)));
            match version.map(decoded) {
                Some(version) if version.starts_with("sha256:") => self.named(&format!("{name}@{version}")),
                Some(version) => self.named(&format!("{name}:{version}")),
                None => self.named(&name),
            }
        } else if let Some(rest) = text.strip_prefix("pkg:oci/") {
            let (head, query) = rest.split_once('?').unwrap_or((rest, ""));
            if let Some((_, digest)) = head.split_once('@') {
                self.digests.insert(decoded(digest));
            }
            for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
                let value = decoded(value);
                match key {
                    "repository_url" => self.named(&value),
                    "tag" => drop(self.tags.insert(value)),
                    _ => {}
                }
            }
        } else if text.starts_with("sha256:") {
            self.digests.insert(text.to_owned());
        } else if let Ok(image) = ImageRef::parse(text) {
            self.name.get_or_insert_with(|| image.name());
            self.tags.extend(image.tag);
            self.digests.extend(image.digest);
        }
    }

    fn is_known(&self) -> bool {
        self.name.is_some() || !self.digests.is_empty()
    }
}

/// Reads documents (files, folders, `-`); what is none of them is a finding.
pub fn read(inputs: &[String], stdin: &mut dyn Read) -> (Vec<Described>, Vec<Finding>) {
    let (mut images, mut findings) = (Vec::new(), Vec::new());
    let mut each = |name: &str, bytes: &[u8]| {
        let read = if bytes.len() > BYTES {
            Err(format!("more than {BYTES} bytes"))
        } else {
            serde_json::from_slice(bytes).map_err(|error| error.to_string()).and_then(|value| document(&value))
        };
        match read {
            Ok(found) => images.extend(found),
            Err(seen) => {
                let reason = Reason::new(Code::SbomUnreadable).object(name).seen(seen);
                findings.push(Finding::new(reason).at(files::top_of(name)));
            }
        }
    };
    let mut unread = files::read_each(inputs, stdin, BYTES, &mut each);
    findings.append(&mut unread);
    (images, findings)
}

fn document(value: &Value) -> Result<Vec<Described>, String> {
    let images = if value.get("predicateType").is_some() { attested(value)? } else { said(value)? };
    if images.iter().any(Described::is_known) { Ok(images) } else { Err("it names no image".to_owned()) }
}

/// A statement of in-toto: its subjects are the images that the document in it is about.
fn attested(value: &Value) -> Result<Vec<Described>, String> {
    let inside = &value["predicate"];
    // An envelope of its own inside, as some builders write it.
    let inside = inside.get("Data").unwrap_or(inside);
    let mut images = said(inside)?;
    let alone = images.len() == 1;
    let subjects = list(value, "subject");
    for image in images.iter_mut().filter(|_| alone && !subjects.is_empty()) {
        // Inside, the subject is often called by what was scanned: a folder, a layer, "sbom".
        image.name = None;
        image.tags.clear();
        for subject in subjects {
            image.named(text(subject, "name"));
            if let Some(digest) = subject["digest"]["sha256"].as_str() {
                image.digests.insert(format!("sha256:{digest}"));
            }
        }
    }
    Ok(images)
}

fn said(value: &Value) -> Result<Vec<Described>, String> {
    let images = if value["bomFormat"] == "CycloneDX" {
        cyclonedx(value)
    } else if value["spdxVersion"].as_str().is_some_and(|version| version.starts_with("SPDX-2")) {
        spdx::two(value)
    } else if value.get("@graph").is_some() {
        spdx::three(value)
    } else {
        return Err("neither bomFormat nor spdxVersion nor @graph".to_owned());
    };
    Ok(images)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn cyclonedx(value: &Value) -> Vec<Described> {
    let mut affected: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut whole: BTreeSet<String> = BTreeSet::new();
    for vulnerability in list(value, "vulnerabilities") {
        // Analyses that say it does not concern the product (VEX) take it out.
        if ["not_affected", "false_positive", "resolved"].contains(&text(&vulnerability["analysis"], "state")) {
            continue;
        }
        let id = text(vulnerability, "id").to_owned();
        whole.insert(id.clone());
        for target in list(vulnerability, "affects") {
            affected.entry(text(target, "ref")).or_default().insert(id.clone());
        }
    }
    let lists = value.get("vulnerabilities").is_some();
    let subject = &value["metadata"]["component"];
    let mut own = Described { lists_vulnerabilities: lists, ..Described::default() };
    image_of(subject, &mut own);
    // What affects the subject as a whole, as scanners of images write it.
    if let Some(ids) = affected.get(text(subject, "bom-ref")).filter(|_| subject.is_object()) {
        own.components.push(Component {
            name: text(subject, "name").to_owned(),
            vulnerabilities: ids.clone(),
            ..Component::default()
        });
    }
    let mut images = Vec::new();
    for component in list(value, "components") {
        if text(component, "type") == "container" {
            let mut image = Described { lists_vulnerabilities: lists, ..Described::default() };
            image_of(component, &mut image);
            for part in list(component, "components") {
                components(part, &affected, NESTED, &mut image.components);
            }
            images.push(image);
        } else {
            components(component, &affected, NESTED, &mut own.components);
        }
    }
    if own.is_known() || images.is_empty() {
        images.push(own);
    }
    images
}

fn image_of(component: &Value, image: &mut Described) {
    for text in [text(component, "name"), text(component, "version"), text(component, "purl")] {
        image.named(text);
    }
    for property in list(component, "properties") {
        let value = text(property, "value");
        match text(property, "name") {
            "jiuzhou:tags" => image.tags.extend(value.split(',').map(str::to_owned)),
            "aquasecurity:trivy:RepoDigest" | "aquasecurity:trivy:RepoTag" => image.named(value),
            _ => {}
        }
    }
}

fn components(component: &Value, affected: &BTreeMap<&str, BTreeSet<String>>, depth: usize, out: &mut Vec<Component>) {
    let group = text(component, "group");
    let name = text(component, "name");
    let name = if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") };
    let version = text(component, "version").to_owned();
    let vulnerabilities = affected.get(text(component, "bom-ref")).cloned().unwrap_or_default();
    out.push(Component { name, version, purl: text(component, "purl").to_owned(), vulnerabilities });
    for part in list(component, "components").iter().filter(|_| depth > 0) {
        components(part, affected, depth - 1, out);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(value: &Value) -> (Vec<Described>, Vec<Finding>) {
        read(&["-".to_owned()], &mut value.to_string().as_bytes())
    }

    #[test]
    fn the_forms_of_several_tools_name_image_packages_and_vulnerabilities() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let syft = json!({ "bomFormat": "CycloneDX", "metadata": { "component": { "type": "container", "name": "registry.gov.example/app:1.0", "version": digest } },
            "components": [{ "bom-ref": "x", "type": "library", "group": "org.apache.logging.log4j", "name": "log4j-core", "version": "2.14.1" }] });
        let (images, findings) = one(&syft);
        assert_eq!(findings, []);
        assert_eq!(images[0].name.as_deref(), Some("registry.gov.example/app"));
        assert_eq!((images[0].tags.contains("1.0"), images[0].digests.contains(&digest)), (true, true));
        assert_eq!(images[0].components[0].name, "org.apache.logging.log4j/log4j-core");
        assert!(!images[0].lists_vulnerabilities);

        let mut trivy = syft.clone();
        trivy["metadata"]["component"]["purl"] =
            "pkg:oci/app@sha256%3Ab?repository_url=registry.gov.example%2Fapp&tag=1.1".into();
        trivy["vulnerabilities"] = json!([
            { "id": "CVE-2021-44228", "affects": [{ "ref": "x" }] },
            { "id": "CVE-2000-0001", "affects": [{ "ref": "x" }], "analysis": { "state": "not_affected" } },
        ]);
        let (images, _) = one(&trivy);
        assert_eq!(images[0].components[0].vulnerabilities.iter().collect::<Vec<_>>(), ["CVE-2021-44228"]);
        assert!(images[0].tags.contains("1.1") && images[0].lists_vulnerabilities);

        let spdx = json!({ "spdxVersion": "SPDX-2.3", "documentDescribes": ["SPDXRef-i"], "packages": [
            { "SPDXID": "SPDXRef-i", "name": "registry.gov.example/门户", "externalRefs": [{ "referenceLocator": format!("pkg:oci/x@{digest}") }] },
            { "SPDXID": "SPDXRef-p", "name": "openssl", "versionInfo": "3.0.1" } ] });
        let (images, _) = one(&spdx);
        assert_eq!((images[0].components[0].version.as_str(), images[0].digests.len()), ("3.0.1", 1));
    }

    #[test]
    fn an_attestation_says_which_image_the_document_in_it_is_about() {
        let digest = "c".repeat(64);
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document",
            "subject": [{ "name": "pkg:docker/registry.gov.example/app@1.0?platform=linux%2Farm64", "digest": { "sha256": digest } }],
            "predicate": { "spdxVersion": "SPDX-2.3", "documentDescribes": ["SPDXRef-root"], "packages": [
                { "SPDXID": "SPDXRef-root", "name": "sbom" }, { "SPDXID": "SPDXRef-p", "name": "openssl", "versionInfo": "3.0.1" },
            ] },
        });
        let (images, findings) = one(&statement);
        assert_eq!(findings, []);
        assert!(images[0].digests.contains(&format!("sha256:{digest}")) && images[0].tags.contains("1.0"));
        assert_eq!((images[0].name.as_deref(), images[0].components.len()), (Some("registry.gov.example/app"), 1));
    }

    #[test]
    fn what_is_no_sbom_or_names_no_image_is_told() {
        for (value, seen) in [
            (json!({ "spdxVersion": "SPDX-2.3", "packages": [] }), "names no image"),
            (json!({ "@graph": [] }), "names no image"),
            (
                json!({ "predicateType": "https://spdx.dev/Document", "predicate": { "spdxVersion": "SPDX-2.3" } }),
                "names no image",
            ),
            (json!({ "predicateType": "https://slsa.dev/provenance/v1", "predicate": {} }), "neither"),
            (json!([1]), "neither"),
            (json!({ "bomFormat": "CycloneDX", "components": null }), "names no image"),
        ] {
            let (images, findings) = one(&value);
            assert!(images.is_empty());
            assert_eq!(findings[0].reason.code, Code::SbomUnreadable);
            assert!(format!("{:?}", findings[0].reason.seen).contains(seen), "{findings:?}");
        }
        let (_, findings) = read(&["-".to_owned()], &mut "不是 JSON".as_bytes());
        assert_eq!(findings[0].reason.code, Code::SbomUnreadable);
    }
}
