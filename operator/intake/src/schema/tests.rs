//! One small kind with every keyword we use, and what the API server would say.

use serde_json::json;

use super::*;
use crate::documents::read_bytes;
use crate::yaml::Limits;

fn kinds() -> Kinds {
    let spec = json!({
        "type": "object", "required": ["region"],
        "x-kubernetes-validations": [
            {"rule": "!has(self.min) || !has(self.max) || self.min <= self.max", "message": "min: at most max."}],
        "properties": {
            "region": {"type": "string", "pattern": "^[0-9]{6}$"},
            "form": {"type": "string", "enum": ["Public", "Private"], "default": "Public"},
            "min": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 100},
            "max": {"type": "integer", "minimum": 0},
            "memory": {"x-kubernetes-int-or-string": true},
            "cpu": {"x-kubernetes-int-or-string": true, "pattern": "^[0-9]+(m|Gi)?$"},
            "until": {"type": "string", "format": "date-time"},
            "names": {"type": "array", "maxItems": 3, "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "labels": {"type": "object", "additionalProperties": {"type": "string",
                "x-kubernetes-validations": [{"rule": "self != 'bad'", "message": "never bad"}]}},
            "pools": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "required": ["name"], "properties": {
                    "name": {"type": "string", "maxLength": 5},
                    "size": {"type": "integer", "default": 3},
                    "note": {"type": "string", "nullable": true}}}},
            "manifest": {"type": "object", "x-kubernetes-embedded-resource": true,
                "x-kubernetes-preserve-unknown-fields": true},
        }
    });
    let crd = json!({
        "metadata": {"name": "places.test.dev"},
        "spec": {"group": "test.dev", "scope": "Cluster", "names": {"kind": "Place", "plural": "places"}, "versions": [
            {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object",
                "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"},
                    "metadata": {"type": "object"}, "spec": spec}}}}]}
    });
    Kinds::new("test.dev", &[serde_json::from_value(crd).unwrap()]).unwrap()
}

/// The spec after the checks, and what was found as (code, pointer, line).
fn check(spec: &str) -> (Value, Vec<(Code, String, u32)>) {
    let indented: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("apiVersion: test.dev/v1\nkind: Place\nmetadata: {{name: a}}\nspec:\n{indented}");
    check_text(&text)
}

fn check_text(text: &str) -> (Value, Vec<(Code, String, u32)>) {
    let (mut documents, mut findings) = read_bytes("t.yaml", text.as_bytes(), &Limits::default());
    let kinds = kinds();
    for document in &mut documents {
        let good = kinds.check(document, &mut findings);
        assert_eq!(good, findings.iter().all(|f| f.severity < Severity::Error));
    }
    let told = findings.into_iter().map(|f| (f.reason.code, f.pointer, f.place.unwrap().line)).collect();
    (documents.first().map(|d| d.value["spec"].clone()).unwrap_or_default(), told)
}

#[track_caller]
fn assert_found(spec: &str, wanted: &[(Code, &str, u32)]) {
    let (_, found) = check(spec);
    let found: Vec<_> = found.iter().map(|(code, pointer, line)| (*code, pointer.as_str(), *line)).collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_good_object_is_defaulted_as_by_the_server() {
    let (spec, found) =
        check("region: '530000'\nmemory: 1Gi\npools:\n- name: a\n  note: null\n- {name: b, size: null}\n");
    assert_eq!(found, []);
    assert_eq!(
        spec,
        json!({"region": "530000", "memory": "1Gi", "form": "Public",
            "pools": [{"name": "a", "note": null, "size": 3}, {"name": "b", "size": 3}]})
    );
}

#[test]
fn every_finding_of_a_document_comes_out_at_once_with_its_line() {
    assert_found(
        "regoin: '530000'\nform: Publik\nmin: -1\nmax: 1.5\nmemory: [1]\nuntil: tomorrow\nnames: [a, a]\npools:\n- name: toolong\n- name: toolong\n- size: 4\n",
        &[
            (Code::FieldUnknown, "/spec/regoin", 5),
            (Code::FieldMissing, "/spec/region", 4 + 1),
            (Code::ValueNotAllowed, "/spec/form", 6),
            (Code::TypeMismatch, "/spec/max", 8),
            (Code::TypeMismatch, "/spec/memory", 9),
            (Code::OutOfRange, "/spec/min", 7),
            (Code::ElementDuplicate, "/spec/names/1", 11),
            (Code::LengthOutOfRange, "/spec/pools/0/name", 13),
            (Code::LengthOutOfRange, "/spec/pools/1/name", 14),
            (Code::FieldMissing, "/spec/pools/2/name", 15),
            (Code::ElementDuplicate, "/spec/pools/1", 14),
            (Code::FormatInvalid, "/spec/until", 10),
        ],
    );
}

#[test]
fn an_unknown_field_names_the_one_that_was_meant() {
    let text =
        "apiVersion: test.dev/v1\nkind: Place\nmetadata: {name: a, lables: {}}\nspec: {region: '530000', froms: x}\n";
    let (mut documents, mut findings) = read_bytes("t", text.as_bytes(), &Limits::default());
    assert!(!kinds().check(&mut documents[0], &mut findings));
    let told: Vec<_> = findings.iter().map(|f| (f.pointer.as_str(), f.reason.wanted.clone())).collect();
    assert_eq!(
        told,
        [("/spec/froms", vec!["form".to_owned()].into()), ("/metadata/lables", vec!["labels".to_owned()].into())]
    );
}

#[test]
fn unquoted_text_is_told_with_the_quotes_it_needs() {
    let text = "apiVersion: test.dev/v1\nkind: Place\nmetadata: {name: a, labels: {hot: on}}\nspec: {region: 530000, form: no}\n";
    let (mut documents, mut findings) = read_bytes("t", text.as_bytes(), &Limits::default());
    assert!(!kinds().check(&mut documents[0], &mut findings));
    let told: Vec<_> = findings.iter().map(|f| (f.reason.code, f.reason.wanted.clone())).collect();
    assert_eq!(
        told,
        [
            (Code::BooleanUnquoted, "\"no\"".into()),
            (Code::NumberUnquoted, "\"530000\"".into()),
            (Code::BooleanUnquoted, "\"on\"".into())
        ]
    );
}

#[test]
fn rules_run_where_the_structure_holds_and_say_what_the_schema_says() {
    assert_found(
        "region: '530000'\nmin: 5\nmax: 4\nlabels: {a.b/c: bad, d: good}\n",
        &[(Code::RuleBroken, "/spec", 5), (Code::RuleBroken, "/spec/labels/a.b~1c", 8)],
    );
    assert_found("region: '530000'\nmin: 5\nmax: many\n", &[(Code::TypeMismatch, "/spec/max", 7)]);
}

#[test]
fn quantities_have_units_we_know_and_are_not_negative() {
    assert_found("region: '530000'\ncpu: 4 cores\n", &[(Code::UnitUnknown, "/spec/cpu", 6)]);
    assert_found("region: '530000'\ncpu: -1\n", &[(Code::UnitUnknown, "/spec/cpu", 6)]);
    assert_found("region: '530000'\ncpu: 4\n", &[]);
}

#[test]
fn an_embedded_manifest_must_be_an_object_and_is_otherwise_free() {
    assert_found(
        "region: '530000'\nmanifest: {apiVersion: v1, kind: Service, metadata: {name: x}, spec: {any: 1}}\n",
        &[],
    );
    assert_found(
        "region: '530000'\nmanifest: {kind: Service}\n",
        &[(Code::FieldMissing, "/spec/manifest/apiVersion", 6)],
    );
}

#[test]
fn names_scopes_kinds_and_versions_are_checked() {
    for (head, code) in [
        ("apiVersion: test.dev/v1\nkind: Place\nmetadata: {name: A_b}\nspec: {region: '530000'}\n", Code::NameInvalid),
        ("apiVersion: test.dev/v1\nkind: Palce\nmetadata: {name: a}\n", Code::KindUnknown),
        ("apiVersion: test.dev/v2\nkind: Place\nmetadata: {name: a}\n", Code::ApiVersionUnknown),
        (
            "apiVersion: test.dev/v1\nkind: Place\nmetadata: {name: a, namespace: b}\nspec: {region: '530000'}\n",
            Code::NamespaceIgnored,
        ),
    ] {
        assert_eq!(check_text(head).1.first().map(|f| f.0), Some(code), "{head}");
    }
}
