//! Software bills of materials: which packages and vulnerabilities other tools say an image has.
//!
//! CycloneDX (1.2 and later) and SPDX 2 in JSON, as syft, trivy, grype, cdxgen and `jiuzhou inspect` write them. A
//! document is about the image it names (a container component, its own subject, or an SPDX package of that purpose);
//! what names none is told, because nothing could be found by it.

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
        if let Some(rest) = text.strip_prefix("pkg:oci/") {
            let (head, query) = rest.split_once('?').unwrap_or((rest, ""));
            if let Some((_, digest)) = head.split_once('@') {
                self.digests.insert(digest.replace("%3A", ":").replace("%3a", ":"));
            }
            for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
                let value = value.replace("%2F", "/").replace("%2f", "/").replace("%3A", ":").replace("%3a", ":");
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
    let images = if value["bomFormat"] == "CycloneDX" {
        cyclonedx(value)
    } else if value["spdxVersion"].as_str().is_some_and(|version| version.starts_with("SPDX-2")) {
        vec![spdx(value)]
    } else if value.get("@graph").is_some() {
        return Err("SPDX 3, which is not read yet".to_owned());
    } else {
        return Err("neither bomFormat nor spdxVersion".to_owned());
    };
    if images.iter().any(Described::is_known) { Ok(images) } else { Err("it names no image".to_owned()) }
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
    out.push(Component { name, version, vulnerabilities });
    for part in list(component, "components").iter().filter(|_| depth > 0) {
        components(part, affected, depth - 1, out);
    }
}

fn spdx(value: &Value) -> Described {
    let mut image = Described::default();
    let described: BTreeSet<&str> = list(value, "documentDescribes")
        .iter()
        .filter_map(Value::as_str)
        .chain(
            list(value, "relationships")
                .iter()
                .filter(|one| text(one, "relationshipType") == "DESCRIBES")
                .map(|one| text(one, "relatedSpdxElement")),
        )
        .collect();
    for package in list(value, "packages") {
        let container = text(package, "primaryPackagePurpose") == "CONTAINER";
        if container || described.contains(text(package, "SPDXID")) {
            image.named(text(package, "name"));
            image.named(text(package, "versionInfo"));
            for reference in list(package, "externalRefs") {
                image.named(text(reference, "referenceLocator"));
            }
        } else {
            let (name, version) = (text(package, "name").to_owned(), text(package, "versionInfo").to_owned());
            image.components.push(Component { name, version, vulnerabilities: BTreeSet::new() });
        }
    }
    image
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
    fn what_is_no_sbom_or_names_no_image_is_told() {
        for (value, seen) in [
            (json!({ "spdxVersion": "SPDX-2.3", "packages": [] }), "names no image"),
            (json!({ "@graph": [] }), "SPDX 3"),
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
