//! What the door promises, tried with the input of users and of attackers.

use std::time::{Duration, Instant};

use jiuzhou_engine::terms::Severity;
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use serde_json::json;

use super::*;

fn read_text(text: &str) -> (Vec<Parsed>, Vec<Finding>) {
    read("t.yaml", text.as_bytes(), &Limits::default())
}

fn values(text: &str) -> Vec<Value> {
    let (parsed, findings) = read_text(text);
    assert_eq!(findings, [], "{text}");
    parsed.into_iter().map(|p| p.value).collect()
}

fn codes(bytes: &[u8]) -> Vec<Code> {
    read("t.yaml", bytes, &Limits::default()).1.into_iter().map(|f| f.reason.code).collect()
}

/// The judge's column was written by sigs.k8s.io/yaml v1.6.0 in strict mode, which kubectl reads with.
#[test]
fn scalars_are_read_as_kubectl_reads_them() {
    let table: Vec<Value> = serde_json::from_str(include_str!("../../tests/kubectl_parity.json")).unwrap();
    assert!(table.len() >= 27, "the table was cut");
    for row in table {
        let input = row["input"].as_str().unwrap();
        let (parsed, findings) = read_text(input);
        match row.get("value") {
            Some(wanted) => {
                assert!(findings.iter().all(|f| f.severity < Severity::Error), "{input}: {findings:?}");
                assert_eq!(&parsed[0].value, wanted, "{input}");
            }
            None => assert!(findings.iter().any(|f| f.severity == Severity::Error), "{input} must be refused"),
        }
    }
}

#[test]
fn positions_count_characters_lines_and_documents() {
    let (parsed, _) = read_text("# 说明\n---\n单位: {名称: 大理}\n---\nspec:\n  - name: a\n    值: 甲\n");
    let (first, second) = (&parsed[0], &parsed[1]);
    assert_eq!(first.marks.value("/单位/名称"), Mark { line: 3, column: 10 });
    assert_eq!(first.marks.key("/单位/名称"), Mark { line: 3, column: 6 });
    assert_eq!(second.marks.value("/spec/0/值"), Mark { line: 7, column: 8 });
    assert_eq!(second.marks.key("/spec/0/missing/deeper"), Mark { line: 6, column: 5 });
    assert_eq!(second.source.place(Mark { line: 7, column: 8 }).text, "    值: 甲");
}

#[test]
fn an_aliased_value_points_at_its_text() {
    let (parsed, _) = read_text("base: &b {x: 1}\nuse: *b\nmerged:\n  <<: *b\n  z: 2\n");
    assert_eq!(parsed[0].value, json!({"base": {"x": 1}, "use": {"x": 1}, "merged": {"x": 1, "z": 2}}));
    assert_eq!(parsed[0].marks.value("/use/x"), Mark { line: 1, column: 14 });
    assert_eq!(parsed[0].marks.value("/merged/x"), Mark { line: 1, column: 14 });
}

#[test]
fn a_key_that_stands_twice_names_both_lines() {
    let (parsed, findings) = read_text("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n");
    assert!(parsed.is_empty());
    let told: Vec<_> = findings.iter().map(|f| (f.place.as_ref().unwrap().line, f.reason.seen.clone())).collect();
    assert_eq!(told, [(5, 3.into()), (6, 1.into())]);
}

#[test]
fn an_explicit_key_beats_a_merged_one() {
    assert_eq!(values("a: &a {x: 1}\nb: {<<: *a, x: 2}\n")[0]["b"], json!({"x": 2}));
}

#[test]
fn one_broken_document_hides_nothing_of_the_others() {
    let (parsed, findings) = read_text("a: 1\n---\nb: [1\n---\nc: 3\n---\nd: 'x\n");
    assert_eq!(parsed.iter().map(|p| p.value.clone()).collect::<Vec<_>>(), [json!({"a": 1}), json!({"c": 3})]);
    let lines: Vec<_> = findings.iter().map(|f| f.place.as_ref().unwrap().line).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0] >= 3 && lines[1] >= 7, "{lines:?}");
}

#[test]
fn crlf_bom_and_markers_in_block_scalars_are_ordinary() {
    assert_eq!(values("\u{feff}a: 1\r\n---\r\nb: |\r\n  x\r\n  ---\r\n"), [json!({"a": 1}), json!({"b": "x\n---\n"})]);
}

#[test]
fn json_is_read_as_it_is() {
    assert_eq!(
        values("{\n\t\"a\": \"\\u4e5d\\ud83d\\ude00\\/\",\n\t\"b\": [1, 2.5, true, null]\n}\n"),
        [json!({"a": "九😀/", "b": [1, 2.5, true, null]})]
    );
}

#[test]
fn empty_documents_and_files_hold_nothing() {
    for text in ["", "\n", "---\n", "---\n---\n# only a note\n", "null\n", "~\n", "\u{feff}"] {
        assert_eq!(values(text), Vec::<Value>::new(), "{text:?}");
    }
}

#[test]
fn other_encodings_and_binaries_are_refused_by_name() {
    let gbk: &[u8] = b"name: \xb4\xf3\xc0\xed\n";
    for (bytes, word) in [
        (&b"\xff\xfea\0"[..], "UTF-16"),
        (b"\xfe\xff\0a", "UTF-16"),
        (b"\xff\xfe\0\0", "UTF-32"),
        (b"\x7fELF\x02\x01\0", "binary"),
        (gbk, "GBK"),
    ] {
        let (_, findings) = read("t.yaml", bytes, &Limits::default());
        assert_eq!(findings[0].reason.code, Code::ContentUnsupported);
        assert!(format!("{:?}", findings[0].reason.seen).contains(word), "{findings:?}");
    }
}

#[test]
fn a_tab_as_indentation_is_a_syntax_error_with_its_line() {
    let (_, findings) = read_text("a:\n\tb: 1\n");
    assert_eq!(findings[0].reason.code, Code::SyntaxInvalid);
    assert_eq!(findings[0].place.as_ref().unwrap().line, 2);
}

#[test]
fn an_unquoted_key_that_is_a_truth_value_is_told() {
    let (parsed, findings) = read_text("on: push\n");
    assert_eq!(parsed[0].value, json!({"true": "push"}));
    assert_eq!((findings[0].reason.code, findings[0].severity), (Code::BooleanUnquoted, Severity::Warning));
    assert_eq!(findings[0].reason.seen, "on".into());
}

/// Each ends in a finding of the limit, and soon. Seconds are generous: the build is unoptimised and shared.
#[test]
fn hostile_input_ends_in_a_finding_in_bounded_time() {
    let laughs = (1..40).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, i| {
        let above = vec![format!("*a{}", i - 1); 9].join(", ");
        format!("{text}a{i}: &a{i} [{above}]\n")
    });
    let cases: Vec<(&str, String)> = vec![
        ("alias bomb", laughs),
        ("alias to itself", "a: &a [*a]\n".to_owned()),
        ("flow nesting", "[".repeat(100_000)),
        ("map nesting", "{a: ".repeat(100_000)),
        ("block nesting", (0..3_000).map(|i| format!("{}a:\n", " ".repeat(i))).collect()),
        ("sequence nesting", "- ".repeat(100_000)),
        ("many documents", "---\n".repeat(1_000_000)),
        ("question marks", "? ".repeat(100_000)),
        ("open quote", format!("a: \"{}", "x".repeat(2_000_000))),
        ("many anchors", (0..200_000).map(|i| format!("- &a{i} x\n")).collect()),
    ];
    for (name, text) in cases {
        let start = Instant::now();
        let found = codes(text.as_bytes());
        assert!(!found.is_empty(), "{name} passed");
        assert!(start.elapsed() < Duration::from_secs(20), "{name} took {:?}", start.elapsed());
    }
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    assert_eq!(read("big", &vec![b'a'; (1 << 20) + 1], &limits).1[0].reason.code, Code::LimitExceeded);
}

#[test]
fn a_long_line_is_quoted_in_part() {
    let text = format!("a: {}\nb: [", "九".repeat(100_000));
    let (_, findings) = read_text(&text);
    assert!(!findings.is_empty());
    let (parsed, _) = read_text(&format!("a: {}\n", "九".repeat(100_000)));
    assert_eq!(parsed[0].source.place(Mark::START).text.chars().count(), 240);
}

/// Nesting up to the limit is read on the 2 MiB stack of a test thread.
#[test]
fn nesting_up_to_the_limit_is_read() {
    let depth = Limits::default().depth;
    assert_eq!(values(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).len(), 1);
    assert_eq!(codes(format!("{}{}", "[".repeat(depth + 1), "]".repeat(depth + 1)).as_bytes()), [Code::LimitExceeded]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_in_values_or_findings(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        let limits = Limits { nodes: 1_000, alias_nodes: 100, work: 5_000, ..Limits::default() };
        let (parsed, _) = read("p", &bytes, &limits);
        for p in parsed {
            assert!(p.marks.value("/a/0/b").line >= 1);
            serde_json::to_string(&p.value).unwrap();
        }
    }

    #[test]
    fn any_yaml_like_text_ends_in_values_or_findings(text in "[-a:{}\\[\\]&*<?|>'\"%#!,.0-9 \t\r\n~]{0,200}") {
        let (parsed, findings) = read("p", text.as_bytes(), &Limits::default());
        for finding in findings {
            let place = finding.place.unwrap();
            assert!(place.line >= 1 && place.column >= 1);
        }
        drop(parsed);
    }

    /// What JSON says, the door reads; beside integral floats, which become integers as kubectl has them.
    #[test]
    fn json_values_survive_the_door(keys in prop::collection::btree_map("\\PC{0,8}", (any::<i64>(), "\\PC{0,12}", any::<bool>()), 1..6)) {
        let value = json!(keys);
        let (parsed, findings) = read("p.json", value.to_string().as_bytes(), &Limits::default());
        assert_eq!(findings, []);
        assert_eq!(parsed[0].value, value);
    }
}

#[test]
fn keys_that_stand_twice_very_often_are_told_up_to_a_number_and_then_together() {
    let text = format!("kind: Tenant\nmetadata: {{name: kunming}}\nspec: {{{}}}\n", "k: 1, ".repeat(MOST_PROBLEMS + 3));
    let (parsed, findings) = read_text(&text);
    assert!(parsed.is_empty());
    assert_eq!(findings.len(), MOST_PROBLEMS + 1);
    let last = findings.last().unwrap();
    assert_eq!((last.reason.code, last.severity), (Code::LimitExceeded, Severity::Error));
    assert_eq!(last.reason.seen, i64::try_from(MOST_PROBLEMS + 2).unwrap().into());
    assert!(findings.iter().all(|f| f.subject.as_ref().is_some_and(|object| object.to_string() == "Tenant/kunming")));
}

#[test]
fn a_template_that_was_not_rendered_is_called_so_on_its_line() {
    let (_, findings) = read_text("kind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n");
    let told: Vec<_> = findings.iter().map(|f| (f.reason.code, f.place.as_ref().unwrap().line)).collect();
    assert_eq!(told, [(Code::SyntaxInvalid, 3)]);
    assert_eq!(findings[0].reason.seen, TEMPLATE.into());
    let (_, other) = read_text("a: [1\nb: {{ .Values.b }}\n");
    assert_eq!(other.len(), 1);
}
