//! SARIF 2.1.0 for code scanning: one run, a rule per code, a result per problem.
//!
//! Columns count characters, which the run says. A fingerprint leaves lines out, so that a finding stays the same one
//! when the file above it grows. What has no file has its object as a logical location.

use jiuzhou_engine::terms::Severity;
use serde_json::{Value, json};

use super::problem::{Problem, Rule, problems};
use super::{Options, RenderError};
use crate::document::Document;
use crate::sentences;
use crate::words::Lang;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn render(document: &Document, options: &Options) -> Result<String, RenderError> {
    let lang = options.lang;
    let problems = problems(document, lang);
    let mut rules: Vec<Rule> = problems.iter().map(|problem| problem.rule).collect();
    rules.sort();
    rules.dedup();
    let results: Vec<Value> = problems.iter().map(|problem| result(problem, &rules)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "jiuzhou",
                "version": document.meta.engine_version,
                "rules": rules.iter().map(|one| rule(*one, lang)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": format!("jiuzhou/{}/", document.kind.key())},
            "columnKind": "unicodeCodePoints",
            "language": lang.tag(),
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log)?;
    text.push('\n');
    Ok(text)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(rule: Rule, lang: Lang) -> Value {
    let (what, fix, default) = match rule {
        Rule::Code(code) => match (sentences::of(code), lang) {
            (Some(sentence), Lang::En) => (sentence.en, sentence.fix_en, code.severity()),
            (Some(sentence), Lang::Zh) => (sentence.zh, sentence.fix_zh, code.severity()),
            (None, _) => (code.as_str(), code.as_str(), code.severity()),
        },
        Rule::Table(title) => (title.text(lang), title.text(lang), Severity::Error),
    };
    json!({
        "id": rule.id(),
        "shortDescription": {"text": what},
        "help": {"text": fix},
        "defaultConfiguration": {"level": level(default)},
    })
}

fn result(problem: &Problem<'_>, rules: &[Rule]) -> Value {
    let text = [problem.message.as_str(), problem.fix.as_str()].join(" ");
    let mut location = json!({});
    if let Some(place) = problem.place {
        let mut region = json!({"startLine": place.line.max(1), "startColumn": place.column.max(1)});
        if !place.text.is_empty() {
            region["snippet"] = json!({"text": place.text});
        }
        location["physicalLocation"] = json!({"artifactLocation": {"uri": uri(&place.file)}, "region": region});
    }
    if !problem.object.is_empty() {
        location["logicalLocations"] = json!([{"fullyQualifiedName": problem.object, "kind": "resource"}]);
    }
    let mut result = json!({
        "ruleId": problem.rule.id(),
        "level": level(problem.severity),
        "message": {"text": text.trim_end()},
        "partialFingerprints": {"jiuzhou/v1": problem.fingerprint},
    });
    if let Ok(index) = rules.binary_search(&problem.rule) {
        result["ruleIndex"] = index.into();
    }
    if location.as_object().is_some_and(|location| !location.is_empty()) {
        result["locations"] = json!([location]);
    }
    result
}

/// A path as a reference of RFC 3986: what is not unreserved is written in percent.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    /// The schema of OASIS, as published with the errata of the standard.
    const SCHEMA: &str = include_str!("../../tests/sarif-schema-2.1.0.json");

    #[test]
    fn a_log_is_valid_by_the_schema_of_the_standard_and_a_broken_one_is_not() {
        let validator = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
        for lang in Lang::ALL {
            let text = render(&sample::document(), &Options { lang, ..Options::default() }).unwrap();
            let mut log: Value = serde_json::from_str(&text).unwrap();
            let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}");
            log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = json!(0);
            assert!(!validator.is_valid(&log), "the schema refuses a line 0");
        }
    }

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("fleet/徐州 1.yaml"), "fleet/%E5%BE%90%E5%B7%9E%201.yaml");
        assert_eq!(uri("builtin:x"), "builtin%3Ax");
    }
}
