//! Packages of inspected images as one CycloneDX document, which `find` and other tools read.

use jiuzhou_inspect::Inspected;
use serde_json::{Value, json};

/// CycloneDX 1.5: one container component per image, its packages nested in it.
pub(crate) fn cyclonedx(images: &[Inspected]) -> anyhow::Result<String> {
    let images: Vec<Value> = images.iter().map(image).collect();
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "tools": { "components": [{
            "type": "application", "name": "jiuzhou", "version": env!("CARGO_PKG_VERSION"),
        }] } },
        "components": images,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn image(image: &Inspected) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    for package in image.entries.iter().flat_map(|entry| &entry.packages) {
        let purl = format!("pkg:{}/{}@{}", package.kind, package.name, package.version);
        if parts.iter().any(|part| part["purl"] == purl.as_str()) {
            continue;
        }
        parts.push(json!({
            "type": "library",
            "name": package.name,
            "version": package.version,
            "purl": purl,
            "properties": [{ "name": "jiuzhou:path", "value": package.source }],
        }));
    }
    let mut component = json!({
        "type": "container",
        "name": image.name.clone().unwrap_or_else(|| image.label()),
        "components": parts,
    });
    if let Some(digest) = &image.digest {
        component["version"] = digest.to_string().into();
    }
    if !image.tags.is_empty() {
        component["properties"] = json!([{ "name": "jiuzhou:tags", "value": image.tags.join(",") }]);
    }
    component
}
