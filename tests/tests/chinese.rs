//! What a person reads in Chinese has no English prose in it, whatever is wrong with the input.
//!
//! The corpus: texts that are no YAML, and every document of the examples made wrong at one place after the other. Words
//! that stand in the input, names of fields, kinds and allowed values, and the few words the field itself writes in Latin
//! letters may stand in a sentence; two words of anything else are a sentence that nobody translated.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::decide::{self, Changes, Snapshot};
use jiuzhou_engine::terms::{Code, Finding};
use jiuzhou_intake::Options;
use jiuzhou_intake::documents::read_bytes;
use jiuzhou_intake::yaml::Limits;
use jiuzhou_report::sentences::{fix, render};
use jiuzhou_report::words::Lang;
use jiuzhou_tests::{examples, load, stories};
use serde_json::{Value, json};

const AS_OF: &str = "2026-11-23T15:59:59Z";

/// Words that Chinese texts of the field write as they are.
const LATIN: &[&str] = &[
    "amd",
    "apiversion",
    "arm",
    "cel",
    "cpu",
    "digest",
    "gb",
    "gbk",
    "gib",
    "gitops",
    "host",
    "id",
    "iso",
    "json",
    "kib",
    "kind",
    "kindprofile",
    "kubernetes",
    "loong",
    "mib",
    "ocs",
    "path",
    "pod",
    "pue",
    "registry",
    "repository",
    "sha",
    "tag",
    "tee",
    "true",
    "false",
    "null",
    "unicode",
    "utf",
    "valuejson",
    "wh",
    "yaml",
    "yyyy",
    "mm",
    "dd",
    "hh",
    "ss",
    "linux",
    "ki",
    "mi",
    "gi",
    "ti",
    "pi",
    "ei",
    "binary",
    "build",
    "include",
    "kustomize",
    "metadata",
    "sm",
];

/// Words a text has, in small letters: runs of Latin letters. What has a digit, a stroke or a dot inside is a name.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '/' | '.'));
    let is_word = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_alphabetic());
    parts.map(|part| part.trim_matches(['.', '-'])).filter(is_word).map(str::to_lowercase)
}

/// Names of fields and allowed values of a schema.
fn names(schema: &Value, out: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => out.extend(properties.keys().flat_map(|k| words(k))),
                    ("enum" | "required", Value::Array(all)) => {
                        out.extend(all.iter().filter_map(Value::as_str).flat_map(words));
                    }
                    ("pattern" | "format" | "kind" | "plural", Value::String(text)) => out.extend(words(text)),
                    _ => {}
                }
                names(value, out);
            }
        }
        Value::Array(all) => all.iter().for_each(|one| names(one, out)),
        _ => {}
    }
}

/// Words that may stand in a sentence about any input.
fn known() -> BTreeSet<String> {
    let mut known: BTreeSet<String> = LATIN.iter().map(|word| (*word).to_owned()).collect();
    names(&serde_json::to_value(jiuzhou_api::all_crds()).unwrap(), &mut known);
    known.extend(Code::ALL.iter().flat_map(|code| words(code.as_str()).collect::<Vec<_>>()));
    known
}

/// Sentences with a word that is neither known nor of the input, once for each code.
fn untranslated(findings: &[Finding], input: &str, known: &BTreeSet<String>, out: &mut BTreeMap<String, String>) {
    let given: BTreeSet<String> = words(input).collect();
    for finding in findings {
        let subject = finding.subject.as_ref();
        let told = [render(&finding.reason, subject, Lang::Zh), fix(&finding.reason, subject, Lang::Zh)];
        for sentence in told {
            let strange: Vec<String> =
                words(&sentence).filter(|word| !known.contains(word) && !given.contains(word)).collect();
            if !strange.is_empty() {
                let key = format!("{} {}", finding.reason.code, strange.join(" "));
                out.entry(key).or_insert(sentence);
            }
        }
    }
}

/// Texts that are no YAML, no UTF-8, or too much of it.
fn broken() -> Vec<Vec<u8>> {
    let texts = [
        "a: [1, 2\nb: 3\n",
        "a: b: c\n",
        "a: *nope\n",
        "a: \"unclosed\n",
        "a: &x [*x]\n",
        "- a\n b\n",
        "a: !!binary \"###\"\n",
        "%YAML 3.0\n---\na: 1\n",
        "a: \"\\q\"\n",
        "<<: 3\na: 1\n",
        "{\"a\": 1,, }",
        "42\n",
        "- 1\n",
        "a: .nan\n",
        "a: .inf\n",
        "? {x: 1}\n: y\n",
        "? [1]\n: y\n",
        "a: 'x' y\n",
        "a: \"x\" y\n",
        "a: |0\n  x\n",
        "a: |q\n  x\n",
        "a: >\n\tx\n",
        "a:\n\tb: 1\n",
        "a: ]\n",
        "a: [}\n",
        "a: {b: [}\n",
        "a: }\n",
        "a: @x\n",
        "a: `x`\n",
        "a: %x\n",
        "&\n",
        "a: &\n",
        "a: *\n",
        "!<x\n",
        "a: !<x b\n",
        "a: !x!y b\n",
        "%TAG\n---\n",
        "%TAG ! a\n%TAG ! b\n---\na\n",
        "%FOO\n",
        "%YAML\n---\n",
        "%YAML 1\n---\n",
        "%YAML 1.2\n%YAML 1.2\n---\n",
        "a: 'x\n---\nb: 1\n",
        "a: \"\\x1\"\n",
        "a: \"\\ud800\"\n",
        "a: \"\\udc00\"\n",
        "a: \"\\ud800\\u0041\"\n",
        "a: \"\\U00110000\"\n",
        "[a, b\n",
        "{a: 1\n",
        "{a: [b}\n",
        "a: - b\n",
        "-\ta\n\tb\n",
        "a: b\n - c\n",
        "a:b\nc: d\n",
        "a\nb: c\n",
        "key: [a]b\n",
        "{a: 1}}\n",
        "[a]]\n",
        "{\"a\" 1}",
        "{\"a\":}",
        "{a: b: c}",
        "[a: b: c]",
        "{'x':'y' 'z'}",
        "a: |\n x\n  y\n z\nw",
        "...\nx",
        "a: 1\na: 2\n",
        "yes: 1\n",
        "a: #b\n  - c\n d: e\n",
        "a: b #c\nd\n",
        "a: 'b'#c\n",
        "--- a\n--- %b\n",
        "- - - [\n",
        "a: {b\n: c}\n",
        "a: [b\n: c]\n",
        "{? a : b, ? c\n",
        "\u{feff}a: \u{feff}\n\u{feff}b: c\n",
        "a: \u{7}\n",
        "apiVersion: [v1]\nkind: Site\nmetadata: {name: x}\n",
        "apiVersion: v1\nkind: List\nitems: {a: 1}\n",
        "apiVersion: v1\nkind: List\nitems: [1]\n",
        "kind: Site\n",
        "apiVersion: jiuzhou.dev/v2\nkind: Site\nmetadata: {name: x}\n",
        "apiVersion: jiuzhou.dev/v1alpha1\nkind: Sites\nmetadata: {name: x}\n",
        "apiVersion: true\nkind: 1\nmetadata: {name: 2}\n",
        "apiVersion: kustomize.config.k8s.io/v1\nkind: Kustomization\n",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    all.push(b"\0abc".to_vec());
    all.push(b"\xff\xfea".to_vec());
    all.push(b"\xff\xfe\0\0".to_vec());
    all.push(b"a: \xb0\xb2\n".to_vec());
    all.push(format!("a: {}{}\n", "[".repeat(500), "]".repeat(500)).into_bytes());
    all.push(format!("{}x", "- ".repeat(300)).into_bytes());
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (at, name) in ('b'..='j').enumerate() {
        let before = char::from(b'a' + u8::try_from(at).unwrap());
        bomb.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(",")));
    }
    all.push(bomb.into_bytes());
    let mut list = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
    for _ in 0..40 {
        list = json!({"apiVersion": "v1", "kind": "List", "items": [list]});
    }
    all.push(list.to_string().into_bytes());
    all
}

#[test]
fn a_text_that_is_no_yaml_is_told_in_chinese() {
    let known = known();
    let mut strange = BTreeMap::new();
    let tight = Limits { bytes: 200, documents: 3, nodes: 20, alias_nodes: 3, ..Limits::default() };
    for bytes in broken() {
        let text = String::from_utf8_lossy(&bytes);
        for limits in [&Limits::default(), &tight] {
            let (_, findings) = read_bytes("f.yaml", &bytes, limits);
            untranslated(&findings, &text, &known, &mut strange);
        }
    }
    let many = "a: 1\n---\n".repeat(5);
    let (_, findings) = read_bytes("f.yaml", many.as_bytes(), &tight);
    assert!(findings.iter().any(|finding| finding.reason.code == Code::LimitExceeded));
    untranslated(&findings, &many, &known, &mut strange);
    assert!(strange.is_empty(), "{strange:#?}");
}

#[test]
fn a_path_that_cannot_be_read_is_told_in_chinese() {
    let known = known();
    let mut strange = BTreeMap::new();
    let inputs = ["/nonexistent/x".to_owned(), "/dev/null/x".to_owned(), "a\0b".to_owned(), "/dev/null".to_owned()];
    let fleet = jiuzhou_intake::load(&inputs, &mut std::io::empty(), &Options::at(AS_OF.parse().unwrap())).unwrap();
    assert!(!fleet.findings.is_empty());
    untranslated(&fleet.findings, &inputs.join(" "), &known, &mut strange);
    assert!(strange.is_empty(), "{strange:#?}");
}

/// Every place in a value, as a JSON pointer.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
            out.push(at.clone());
            places(value, &at, out);
        }),
        Value::Array(all) => all.iter().enumerate().take(2).for_each(|(index, value)| {
            places(value, &format!("{at}/{index}"), out);
        }),
        _ => {}
    }
}

/// Makes a document wrong at one place, in the way that is meant for this round.
fn spoil(document: &mut Value, round: usize) {
    let mut all = Vec::new();
    places(document, "", &mut all);
    all.retain(|at| at.starts_with("/spec") || at.starts_with("/status"));
    let Some(at) = all.get(round.wrapping_mul(7) % all.len().max(1)) else { return };
    let (parent, key) = at.rsplit_once('/').unwrap();
    let values = [
        json!(-1),
        json!("qx zy"),
        json!({"qx": 1}),
        json!([1]),
        Value::Null,
        json!(true),
        json!(1.5),
        json!(""),
        json!("2099-13-45"),
        json!("2099-12"),
        json!(99_999_999_999_i64),
        json!("530199"),
        json!("1Qi"),
        json!("7x".repeat(1500)),
    ];
    let Some(place) = document.pointer_mut(parent) else { return };
    let new = values.get(round % (values.len() + 2)).cloned();
    match (place, new) {
        (Value::Object(fields), Some(new)) => drop(fields.insert(key.replace("~1", "/").replace("~0", "~"), new)),
        (Value::Object(fields), None) if round.is_multiple_of(2) => drop(fields.remove(&key.replace("~1", "/"))),
        (Value::Object(fields), None) => drop(fields.insert("qxField".to_owned(), json!(1))),
        (place, new) => *place = new.unwrap_or(json!(["a", "a"])),
    }
}

#[test]
fn every_document_of_the_examples_made_wrong_is_told_in_chinese() {
    const ROUNDS: usize = 12;
    let known = known();
    let mut strange = BTreeMap::new();
    let mut codes = BTreeSet::new();
    for story in stories().unwrap() {
        let (documents, _) = load(&story).unwrap();
        if documents.len() > 120 {
            continue;
        }
        for round in 0..ROUNDS {
            let mut values: Vec<Value> = documents.iter().map(|document| document.value.clone()).collect();
            for (at, value) in values.iter_mut().enumerate() {
                // One in three, so that what refers to it is still there to be told of.
                if (at + round) % 3 == 0 {
                    spoil(value, round * 31 + at);
                }
            }
            let text = serde_json::to_vec(&json!({"apiVersion": "v1", "kind": "List", "items": values})).unwrap();
            let options = Options::at(AS_OF.parse().unwrap());
            let fleet = jiuzhou_intake::load_texts(&[("f.json".to_owned(), &text)], &options).unwrap();
            codes.extend(fleet.findings.iter().map(|finding| finding.reason.code));
            let text = format!("{} f.json", String::from_utf8_lossy(&text));
            untranslated(&fleet.findings, &text, &known, &mut strange);
        }
    }
    assert!(codes.len() > 28, "the corpus is too tame: {codes:?}");
    assert!(strange.is_empty(), "{strange:#?}");
}

#[test]
fn a_rule_of_the_schema_has_its_own_half_in_each_language() {
    let crds = serde_json::to_value(jiuzhou_api::all_crds()).unwrap();
    let mut messages = BTreeSet::new();
    collect(&crds, &mut messages);
    assert!(messages.len() > 50);
    let han = |text: &str| text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count();
    for message in messages {
        let reason = jiuzhou_engine::terms::Reason::new(Code::RuleBroken).object("spec").wanted(message.as_str());
        let (en, zh) = (render(&reason, None, Lang::En), render(&reason, None, Lang::Zh));
        assert!(han(&en) < 3 && han(&zh) > 10, "{en}\n{zh}");
        assert!(en.len() + zh.len() < message.len() + 120, "{message} is told whole");
    }
}

#[test]
fn every_reason_of_every_rule_on_the_stories_is_told_in_chinese() {
    let known = known();
    let mut strange = BTreeMap::new();
    let mut codes = BTreeSet::new();
    for story in ["02-mixed-cpus", "03-tiers-and-vault", "04-dali-two-zones", "07-supplier-concentration"] {
        let inputs = [examples().join(story).to_string_lossy().into_owned()];
        let as_of = AS_OF.parse().unwrap();
        let fleet = jiuzhou_intake::load(&inputs, &mut std::io::empty(), &Options::at(as_of)).unwrap();
        let (documents, _) = load(&examples().join(story)).unwrap();
        let given: Vec<String> = documents.iter().map(|document| document.value.to_string()).collect();
        let snapshot = Snapshot::new(fleet.converted.fleet).unwrap();
        let changes = Changes { all: true, ..Changes::default() };
        let keys = snapshot.specs().map(|spec| spec.key.clone()).collect();
        for explanation in decide::explain_all(&snapshot, &changes, &keys, as_of).unwrap().into_values() {
            let pools = explanation.clusters.iter().flat_map(|cluster| &cluster.pools);
            let rules = explanation.clusters.iter().flat_map(|cluster| &cluster.rules);
            let rules = rules.chain(pools.flat_map(|pool| &pool.rules)).flat_map(|rule| &rule.check.reasons);
            let changes = explanation.clusters.iter().flat_map(|cluster| &cluster.changes);
            let reasons = rules.chain(changes.flat_map(|change| &change.reasons)).chain(&explanation.decision.limits);
            let findings: Vec<Finding> = reasons.cloned().map(Finding::new).collect();
            codes.extend(findings.iter().map(|finding| finding.reason.code));
            untranslated(&findings, &given.join(" "), &known, &mut strange);
        }
    }
    assert!(codes.len() > 15, "{codes:?}");
    assert!(strange.is_empty(), "{strange:#?}");
}

fn collect(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let (Some(Value::String(message)), Some(_)) = (fields.get("message"), fields.get("rule")) {
                out.insert(message.clone());
            }
            fields.values().for_each(|value| collect(value, out));
        }
        Value::Array(all) => all.iter().for_each(|one| collect(one, out)),
        _ => {}
    }
}
