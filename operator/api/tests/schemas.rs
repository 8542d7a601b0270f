//! What every published schema must keep: documented in both languages, bounded, signed, small, few columns.

use std::collections::BTreeSet;

use jiuzhou_api::{KindInfo, Scope, all_crds, kinds, meta, render, study};
use serde_json::Value;

/// Every schema node of a kind below the root, with its path; `metadata` is Kubernetes' own.
fn nodes(kind: &KindInfo) -> Vec<(String, Value)> {
    fn walk(path: &str, node: &Value, into: &mut Vec<(String, Value)>) {
        into.push((path.to_owned(), node.clone()));
        for (name, child) in node["properties"].as_object().into_iter().flatten() {
            walk(&format!("{path}.{name}"), child, into);
        }
        if node["items"].is_object() {
            walk(&format!("{path}[]"), &node["items"], into);
        }
        if node["additionalProperties"].is_object() {
            walk(&format!("{path}{{}}"), &node["additionalProperties"], into);
        }
    }
    let mut found = Vec::new();
    for part in ["spec", "status"] {
        walk(&format!("{}.{part}", kind.kind), &kind.schema["properties"][part], &mut found);
    }
    found
}

/// Fails with every path for which the check answers a fault.
fn every_node(check: impl Fn(&str, &Value) -> Option<String>) {
    let faults: BTreeSet<String> = kinds()
        .iter()
        .flat_map(nodes)
        .filter_map(|(path, node)| check(&path, &node).map(|fault| format!("{path}: {fault}")))
        .collect();
    assert!(faults.is_empty(), "{}\n{} faults", faults.iter().cloned().collect::<Vec<_>>().join("\n"), faults.len());
}

fn is_chinese(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

#[test]
fn every_field_is_documented_in_english_and_chinese() {
    every_node(|path, node| {
        let description = node["description"].as_str().unwrap_or_default();
        let english = description.chars().filter(char::is_ascii_alphabetic).count() >= 2;
        let chinese = description.chars().any(is_chinese);
        let part = path.ends_with(".spec") || path.ends_with(".status");
        let documented = english && chinese && description.ends_with(['。', '.', '；']);
        (!part && !documented).then(|| format!("description {description:?}"))
    });
    for crd in all_crds() {
        let kind = &crd.spec.names.kind;
        let schema = serde_json::to_value(&crd.spec.versions[0].schema).unwrap();
        let description = schema["openAPIV3Schema"]["description"].as_str().unwrap_or_default();
        assert!(description.chars().any(is_chinese), "{kind}: {description:?}");
    }
}

#[test]
fn every_string_list_and_map_is_bounded() {
    every_node(|_, node| {
        let bounded = match node["type"].as_str() {
            Some("string") => node["maxLength"].is_number() || node["enum"].is_array() || node["format"] == "date-time",
            Some("array") => node["maxItems"].is_number(),
            Some("object") => !node["additionalProperties"].is_object() || node["maxProperties"].is_number(),
            Some("integer") => node["maximum"].is_number() || node["minimum"].is_number(),
            Some("boolean") => true,
            Some(_) => false,
            None => node["x-kubernetes-int-or-string"] == true && node["maxLength"].is_number(),
        };
        (!bounded).then(|| "has no bound".to_owned())
    });
}

#[test]
fn no_number_is_unsigned_and_nothing_is_nullable() {
    every_node(|_, node| {
        let format = node["format"].as_str().unwrap_or_default();
        let null = node["enum"].as_array().is_some_and(|members| members.contains(&Value::Null));
        (format.starts_with("uint") || format == "double" || node["nullable"] == true || null)
            .then(|| format!("format {format:?}, nullable {}", node["nullable"]))
    });
}

#[test]
fn schemas_are_structural() {
    every_node(|path, node| {
        if node["type"].is_string() || node["x-kubernetes-int-or-string"] == true {
            let keeps_unknown = node["x-kubernetes-preserve-unknown-fields"] == true;
            let embedded = node["x-kubernetes-embedded-resource"] == true;
            let stray = ["oneOf", "allOf", "$ref", "definitions"].iter().find(|key| !node[**key].is_null());
            let any_of = !node["anyOf"].is_null() && node["x-kubernetes-int-or-string"] != true;
            // Copies of a part of a spec whose own schema has been passed (another part for each kind of order), and of a part
            // of a manifest beside it, which the member judges with the manifest.
            let copied = path.ends_with(".status.inForce[].value") || path.ends_with(".writtenAffinity[].affinity");
            (keeps_unknown != (embedded || copied) || stray.is_some() || any_of)
                .then(|| format!("is not structural at {path}"))
        } else {
            Some("has no type".to_owned())
        }
    });
}

#[test]
fn a_list_keyed_by_fields_requires_or_defaults_them() {
    every_node(|_, node| {
        let keys = node["x-kubernetes-list-map-keys"].as_array()?;
        let item = &node["items"];
        let missing = keys.iter().filter_map(Value::as_str).find(|key| {
            let required = item["required"].as_array().is_some_and(|fields| fields.iter().any(|field| field == *key));
            !required && item["properties"][*key]["default"].is_null()
        })?;
        Some(format!("key {missing} is neither required nor defaulted"))
    });
}

#[test]
fn a_list_of_objects_with_a_name_or_id_says_how_it_is_merged() {
    every_node(|_, node| {
        let item = &node["items"];
        let required = |key: &str| item["required"].as_array().is_some_and(|fields| fields.iter().any(|f| f == key));
        let keyed = required("name") || required("id");
        let decided = matches!(node["x-kubernetes-list-type"].as_str(), Some("map" | "atomic"));
        (keyed && !decided && item["properties"]["namespace"].is_null())
            .then(|| "has keyed items but is no list-map".to_owned())
    });
}

#[test]
fn every_kind_has_conditions_and_observed_generation() {
    for kind in kinds() {
        let status = &kind.schema["properties"]["status"]["properties"];
        assert!(status["observedGeneration"].is_object(), "{}", kind.kind);
        assert_eq!(status["conditions"]["x-kubernetes-list-map-keys"][0], "type", "{}", kind.kind);
    }
}

#[test]
fn names_category_and_columns_are_as_promised() {
    let mut names = BTreeSet::new();
    for crd in all_crds() {
        let kind = &crd.spec.names;
        let short = kind.short_names.clone().unwrap_or_default();
        assert_eq!(short.len(), 1, "{} has one short name", kind.kind);
        assert!(names.insert(short[0].clone()), "{} is taken", short[0]);
        assert_eq!(crd.spec.group, meta::GROUP, "{}", kind.kind);
        assert_eq!(crd.spec.versions[0].name, meta::VERSION, "{}", kind.kind);
        assert_eq!(kind.categories.clone().unwrap_or_default(), [meta::CATEGORY], "{}", kind.kind);
        let columns = crd.spec.versions[0].additional_printer_columns.clone().unwrap_or_default();
        assert!((1..=7).contains(&columns.len()), "{}: {} columns", kind.kind, columns.len());
        assert!(columns.iter().all(|column| column.description.is_some()), "{}", kind.kind);
        assert!(crd.spec.versions[0].subresources.as_ref().is_some_and(|sub| sub.status.is_some()), "{}", kind.kind);
    }
}

#[test]
fn every_kind_of_this_version_is_there_with_its_scope() {
    let cluster: Vec<_> = kinds().iter().filter(|k| k.scope == Scope::Cluster).map(|k| k.kind.clone()).collect();
    let namespaced: Vec<_> = kinds().iter().filter(|k| k.scope == Scope::Namespaced).map(|k| k.kind.clone()).collect();
    assert_eq!(
        cluster,
        [
            "Approval",
            "ChangeFreeze",
            "ClusterPlacementPolicy",
            "ClusterReport",
            "CpuPlatform",
            "ImageProfile",
            "KindProfile",
            "MemberCluster",
            "OperatingMode",
            "PriceBook",
            "Site",
            "SovereigntyTier",
            "Tenant"
        ]
    );
    assert_eq!(
        namespaced,
        ["Delivery", "FleetPlacement", "FleetWorkload", "InformationSystem", "Migration", "PlacementPolicy", "Report"]
    );
}

#[test]
fn the_committed_definitions_are_the_generated_ones_and_small() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds");
    let files = render::crd_files().unwrap();
    let committed: BTreeSet<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    let generated: BTreeSet<_> = files.keys().cloned().collect();
    assert_eq!(committed, generated, "run `{}`", render::GENERATE_COMMAND);
    for (name, text) in files {
        assert!(text.len() < 200 * 1024, "{name}: {} bytes", text.len());
        let on_disk = std::fs::read_to_string(folder.join(&name)).unwrap();
        assert!(on_disk == text, "crds/{name} is not what the types say: run `{}`", render::GENERATE_COMMAND);
    }
}

#[test]
fn the_schemas_of_files_for_studies_are_committed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    for (name, text) in render::study_schemas().unwrap() {
        let committed = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(committed == text, "docs/schema/{name} is old: run `{}`", render::GENERATE_COMMAND);
    }
}

#[test]
fn every_field_of_files_for_studies_is_documented_and_bounded() {
    // Nothing merges or stores these files, so what is asked of resources beyond that is not asked of them.
    for kind in study::kinds() {
        for (path, node) in nodes(&kind).into_iter().filter(|(path, _)| !path.ends_with(".spec")) {
            if node.is_null() {
                continue;
            }
            let description = node["description"].as_str().unwrap_or_default();
            assert!(description.chars().any(is_chinese), "{path}: {description:?}");
            assert!(description.chars().filter(char::is_ascii_alphabetic).count() >= 2, "{path}: {description:?}");
            let bounded = match node["type"].as_str() {
                Some("string") => node["maxLength"].is_number() || node["enum"].is_array(),
                Some("array") => node["maxItems"].is_number(),
                Some("object") => !node["additionalProperties"].is_object() || node["maxProperties"].is_number(),
                _ => true,
            };
            assert!(bounded, "{path} has no bound");
        }
    }
}
