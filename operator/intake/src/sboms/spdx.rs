//! SPDX in JSON: documents of version 2, and graphs of version 3.
//!
//! Both name elements and say how they stand to each other. An element is an image when its purpose is a container or the
//! document is about it; where there are several, each has what can be reached from it by what contains what, and what
//! nothing leads to may be in any of them. Vulnerabilities are those that an element is said to have and that no
//! assessment (VEX) takes off it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Component, Described, list, text};

/// Elements and what leads from one to the other, by their ids.
#[derive(Default)]
struct Graph {
    images: Vec<(String, Described)>,
    packages: Vec<(String, Component)>,
    parts: BTreeMap<String, BTreeSet<String>>,
    /// Vulnerabilities of elements, and those that an assessment takes off them.
    said: BTreeMap<String, BTreeSet<String>>,
    cleared: BTreeMap<String, BTreeSet<String>>,
    lists_vulnerabilities: bool,
}

impl Graph {
    /// One image for each that the document is about.
    fn images(mut self) -> Vec<Described> {
        let none = BTreeSet::new();
        let has = |id: &str| -> BTreeSet<String> {
            let cleared = self.cleared.get(id).unwrap_or(&none);
            self.said.get(id).unwrap_or(&none).difference(cleared).cloned().collect()
        };
        for (id, component) in &mut self.packages {
            component.vulnerabilities = has(id);
        }
        let whole: Vec<BTreeSet<String>> = self.images.iter().map(|(id, _)| has(id)).collect();
        let several = self.images.len() > 1;
        let reached: Vec<BTreeSet<&str>> = self.images.iter().map(|(id, _)| self.reached(id)).collect();
        let mut images = Vec::new();
        for (((_, image), own), vulnerabilities) in self.images.iter().zip(&reached).zip(whole) {
            let mut image = image.clone();
            image.lists_vulnerabilities = self.lists_vulnerabilities;
            let here = |id: &str| !several || own.contains(id) || reached.iter().all(|other| !other.contains(id));
            let parts = self.packages.iter().filter(|(id, _)| here(id)).map(|(_, component)| component.clone());
            image.components = parts.collect();
            if !vulnerabilities.is_empty() {
                let name = image.name.clone().unwrap_or_default();
                image.components.push(Component { name, vulnerabilities, ..Component::default() });
            }
            images.push(image);
        }
        images
    }

    fn reached(&self, from: &str) -> BTreeSet<&str> {
        let (mut found, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(id) = next.pop() {
            for part in self.parts.get(id).into_iter().flatten() {
                if found.insert(part.as_str()) {
                    next.push(part);
                }
            }
        }
        found
    }

    fn leads(&mut self, from: &str, to: &str) {
        self.parts.entry(from.to_owned()).or_default().insert(to.to_owned());
    }
}

/// A document of version 2.
pub(super) fn two(value: &Value) -> Vec<Described> {
    let mut graph = Graph::default();
    let mut described: BTreeSet<&str> = list(value, "documentDescribes").iter().filter_map(Value::as_str).collect();
    for one in list(value, "relationships") {
        let (from, to) = (text(one, "spdxElementId"), text(one, "relatedSpdxElement"));
        match text(one, "relationshipType") {
            "DESCRIBES" => drop(described.insert(to)),
            "DESCRIBED_BY" => drop(described.insert(from)),
            "CONTAINS" | "DEPENDS_ON" | "HAS_PREREQUISITE" => graph.leads(from, to),
            "CONTAINED_BY" | "DEPENDENCY_OF" => graph.leads(to, from),
            _ => {}
        }
    }
    let packages = list(value, "packages");
    // What the document is about is the image, whatever it calls itself, unless it names containers.
    let named = packages.iter().any(|package| text(package, "primaryPackagePurpose") == "CONTAINER");
    for package in packages {
        let id = text(package, "SPDXID");
        let container = text(package, "primaryPackagePurpose") == "CONTAINER";
        let references = list(package, "externalRefs");
        if container || (!named && described.contains(id)) {
            let mut image = Described::default();
            image.named(text(package, "name"));
            image.named(text(package, "versionInfo"));
            for reference in references {
                image.named(text(reference, "referenceLocator"));
            }
            graph.images.push((id.to_owned(), image));
        } else if !described.contains(id) {
            graph.packages.push((id.to_owned(), component(package, "versionInfo")));
        }
        for reference in references {
            let locator = text(reference, "referenceLocator");
            match text(reference, "referenceType") {
                "purl" => {
                    if let Some((_, known)) = graph.packages.last_mut().filter(|(last, _)| last == id) {
                        known.purl = locator.to_owned();
                    }
                }
                // An advisory is about the package; that all of them are listed is not said.
                "advisory" => graph.said.entry(id.to_owned()).or_default().extend(identifier(locator)),
                "fix" => graph.cleared.entry(id.to_owned()).or_default().extend(identifier(locator)),
                _ => {}
            }
        }
    }
    graph.images()
}

/// The last part of an address, where that names a vulnerability: `https://nvd.nist.gov/vuln/detail/CVE-2021-44228`.
fn identifier(locator: &str) -> Option<String> {
    let last = locator.trim_end_matches('/').rsplit(['/', '=', '#']).next()?;
    (last.starts_with("CVE-") || last.starts_with("GHSA-") || last.starts_with("CNVD-")).then(|| last.to_owned())
}

fn component(package: &Value, version: &str) -> Component {
    Component {
        name: text(package, "name").to_owned(),
        version: text(package, version).to_owned(),
        ..Component::default()
    }
}

/// A graph of version 3 (JSON-LD by the published context).
pub(super) fn three(value: &Value) -> Vec<Described> {
    let mut graph = Graph::default();
    let elements = list(value, "@graph");
    let roots: BTreeSet<&str> = elements
        .iter()
        .filter(|one| matches!(text(one, "type"), "SpdxDocument" | "software_Sbom" | "Bom"))
        .flat_map(|one| list(one, "rootElement"))
        .filter_map(Value::as_str)
        .collect();
    let package = |one: &&Value| text(one, "type") == "software_Package";
    let named = elements.iter().filter(package).any(|one| text(one, "software_primaryPurpose") == "container");
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    for one in elements {
        let id = text(one, "spdxId");
        match text(one, "type") {
            "software_Package" => {
                let container = text(one, "software_primaryPurpose") == "container";
                if container || (!named && roots.contains(id)) {
                    let mut image = Described::default();
                    let version = text(one, "software_packageVersion");
                    for name in [text(one, "name"), version, text(one, "software_packageUrl")] {
                        image.named(name);
                    }
                    for hash in list(one, "verifiedUsing").iter().filter(|hash| text(hash, "algorithm") == "sha256") {
                        image.digests.insert(format!("sha256:{}", text(hash, "hashValue")));
                    }
                    graph.images.push((id.to_owned(), image));
                } else if !roots.contains(id) {
                    let purl = text(one, "software_packageUrl").to_owned();
                    let part = Component { purl, ..component(one, "software_packageVersion") };
                    graph.packages.push((id.to_owned(), part));
                }
            }
            "security_Vulnerability" => {
                graph.lists_vulnerabilities = true;
                let known = list(one, "externalIdentifier").iter().map(|other| text(other, "identifier"));
                let name = known.chain([text(one, "name")]).find(|name| !name.is_empty());
                ids.insert(id, name.unwrap_or(id).to_owned());
            }
            _ => {}
        }
    }
    for one in elements {
        let (from, kind) = (text(one, "from"), text(one, "relationshipType"));
        for to in list(one, "to").iter().filter_map(Value::as_str) {
            let id = |id: &str| ids.get(id).cloned().unwrap_or_else(|| id.to_owned());
            match kind {
                "contains" | "dependsOn" | "hasDynamicLink" | "hasStaticLink" => graph.leads(from, to),
                "hasAssociatedVulnerability" => drop(graph.said.entry(from.to_owned()).or_default().insert(id(to))),
                "affects" => drop(graph.said.entry(to.to_owned()).or_default().insert(id(from))),
                "doesNotAffect" | "fixedIn" => drop(graph.cleared.entry(to.to_owned()).or_default().insert(id(from))),
                _ => {}
            }
        }
    }
    graph.images()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(image: &Described) -> Vec<&str> {
        image.components.iter().map(|component| component.name.as_str()).collect()
    }

    #[test]
    fn each_image_of_a_document_has_what_leads_from_it_and_what_nothing_leads_to() {
        let container =
            |id: &str, name: &str| json!({ "SPDXID": id, "name": name, "primaryPackagePurpose": "CONTAINER" });
        let package = |id: &str| json!({ "SPDXID": id, "name": id, "versionInfo": "1" });
        let contains = |from: &str, kind: &str, to: &str| json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to });
        let document = json!({
            "spdxVersion": "SPDX-2.3", "documentDescribes": ["system"],
            "packages": [container("a", "registry.gov.example/a:1"), container("b", "registry.gov.example/b:1"),
                package("system"), package("ssl"), package("zlib"), package("musl"), package("loose")],
            "relationships": [contains("a", "CONTAINS", "ssl"), contains("ssl", "DEPENDS_ON", "zlib"),
                contains("musl", "CONTAINED_BY", "b")],
        });
        let images = two(&document);
        assert_eq!(images.len(), 2);
        assert_eq!(names(&images[0]), ["ssl", "zlib", "loose"]);
        assert_eq!(names(&images[1]), ["musl", "loose"]);
        assert_eq!(images[1].name.as_deref(), Some("registry.gov.example/b"));
    }

    #[test]
    fn advisories_of_a_package_are_its_vulnerabilities_but_for_what_is_fixed() {
        let reference = |kind: &str, locator: &str| json!({ "referenceCategory": "SECURITY", "referenceType": kind, "referenceLocator": locator });
        let document = json!({ "spdxVersion": "SPDX-2.3", "documentDescribes": ["i"], "packages": [
            { "SPDXID": "i", "name": "registry.gov.example/app:1" },
            { "SPDXID": "p", "name": "log4j-core", "versionInfo": "2.14.1", "externalRefs": [
                reference("advisory", "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"),
                reference("advisory", "https://example.org/CVE-2021-45046/"),
                reference("fix", "https://example.org/?id=CVE-2021-45046"),
                reference("advisory", "https://example.org/news"),
                { "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1" },
            ] },
        ] });
        let images = two(&document);
        let log4j = &images[0].components[0];
        assert_eq!(log4j.vulnerabilities.iter().collect::<Vec<_>>(), ["CVE-2021-44228"]);
        assert_eq!(log4j.purl, "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1");
        assert!(!images[0].lists_vulnerabilities, "silence of such a document says nothing");
    }

    #[test]
    fn a_graph_of_version_3_names_image_packages_and_vulnerabilities() {
        let digest = "b".repeat(64);
        let document = json!({ "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [
            { "type": "SpdxDocument", "spdxId": "urn:d", "rootElement": ["urn:s"] },
            { "type": "software_Sbom", "spdxId": "urn:s", "rootElement": ["urn:i"] },
            { "type": "software_Package", "spdxId": "urn:i", "name": "registry.gov.example/portal:2", "software_primaryPurpose": "container",
              "verifiedUsing": [{ "type": "Hash", "algorithm": "sha256", "hashValue": digest }] },
            { "type": "software_Package", "spdxId": "urn:p", "name": "openssl", "software_packageVersion": "3.0.1", "software_packageUrl": "pkg:deb/debian/openssl@3.0.1" },
            { "type": "security_Vulnerability", "spdxId": "urn:v1", "externalIdentifier": [{ "externalIdentifierType": "cve", "identifier": "CVE-2022-3602" }] },
            { "type": "security_Vulnerability", "spdxId": "urn:v2", "name": "CVE-2022-3786" },
            { "type": "Relationship", "from": "urn:i", "relationshipType": "contains", "to": ["urn:p"] },
            { "type": "Relationship", "from": "urn:p", "relationshipType": "hasAssociatedVulnerability", "to": ["urn:v1", "urn:v2"] },
            { "type": "security_VexNotAffectedVulnAssessmentRelationship", "from": "urn:v2", "relationshipType": "doesNotAffect", "to": ["urn:p"] },
        ] });
        let images = three(&document);
        assert_eq!(images.len(), 1);
        assert!(images[0].lists_vulnerabilities && images[0].tags.contains("2"));
        assert_eq!(images[0].digests.iter().next().map(String::as_str), Some(format!("sha256:{digest}").as_str()));
        let openssl = &images[0].components[0];
        assert_eq!((openssl.name.as_str(), openssl.version.as_str()), ("openssl", "3.0.1"));
        assert_eq!(openssl.vulnerabilities.iter().collect::<Vec<_>>(), ["CVE-2022-3602"]);
    }
}
