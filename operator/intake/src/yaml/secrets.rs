//! Which parts of a text are never quoted: values of Secrets, and what is named or looks like one elsewhere.
//!
//! Findings show the line they stand in, and those lines end in logs of CI, in pull requests and in reports. So values
//! under `data` and `stringData` of a Secret (wherever one is embedded), values whose key or name speaks of a password,
//! token, credential or key, private keys and addresses with a password are cut from what is shown. A document that does
//! not parse cannot be taken apart; if it speaks of a Secret, none of its lines is shown.
//! SECURITY.md states this rule; what `wrap` writes is a product and holds what it was given.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::marks::{Inside, Mark};
use super::split;

/// What stands for a hidden text.
pub(super) const HIDDEN: &str = "***";

/// A part of a text that is not shown: from a place up to another, which is shown again; to the end where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hidden {
    pub(super) from: Mark,
    pub(super) until: Mark,
}

impl Hidden {
    pub(super) fn down(self, lines: u32) -> Self {
        Self { from: self.from.down(lines), until: self.until.down(lines) }
    }
}

/// Annotation in which `kubectl apply` keeps the whole object, data included.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Names that speak of something secret.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)pass[^a-z0-9]?w(or)?d|passphrase|secret|token|credential|(api|access|private)[^a-z0-9]?key|pwd[^a-z0-9]*$",
    )
    .expect("the pattern is constant")
});

/// Of those, the ones that only point at something secret.
static POINTERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)(name|namespace|ref)[^a-z0-9]*$").expect("the pattern is constant"));

/// Whether a name speaks of something secret.
fn speaks_of_secret(name: &str) -> bool {
    NAMES.is_match(name) && !POINTERS.is_match(name)
}

static LOOKS_SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|[A-Za-z][A-Za-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@")
        .expect("the pattern is constant")
});

static KIND_SECRET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:^|[^A-Za-z])kind["']?\s*:\s*["']?Secret(?:List)?(?:$|[^A-Za-z])"#)
        .expect("the pattern is constant")
});

/// What is hidden of a document that was read.
pub(super) fn of_document(value: &Value, top: Mark, inside: &Inside, text: &str) -> Vec<Hidden> {
    let mut secret = Vec::new();
    item(value, top, inside, As::Open, &mut secret);
    if secret.is_empty() {
        return Vec::new();
    }
    let end = after(text);
    let mut marks = vec![top];
    positions(inside, &mut marks);
    marks.sort_unstable();
    secret.sort_unstable();
    secret.dedup();
    let until = |from: Mark| marks.get(marks.partition_point(|mark| *mark <= from)).copied().unwrap_or(end);
    secret.into_iter().map(|from| Hidden { from, until: until(from) }).collect()
}

/// The start of the line after a text.
fn after(text: &str) -> Mark {
    start_of(split::lines(text).count())
}

/// The start of a line, counted from 0.
fn start_of(line: usize) -> Mark {
    Mark { line: u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1), column: 1 }
}

/// What a value is by what stands above it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum As {
    /// Anything.
    Open,
    /// A Secret, or a list of them.
    Secret,
    /// Secret in all its parts.
    Hidden,
}

fn positions(inside: &Inside, out: &mut Vec<Mark>) {
    match inside {
        Inside::Leaf => {}
        Inside::List(elements) => {
            for (mark, below) in elements {
                out.push(*mark);
                positions(below, out);
            }
        }
        Inside::Map(entries) => {
            for entry in entries {
                out.extend([entry.key_mark, entry.value_mark]);
                positions(&entry.inside, out);
            }
        }
    }
}

/// Notes where secret scalars stand.
fn item(value: &Value, at: Mark, inside: &Inside, how: As, out: &mut Vec<Mark>) {
    let hidden = how == As::Hidden;
    match (value, inside) {
        (Value::Object(fields), Inside::Map(entries)) => {
            let text = |key: &str| fields.get(key).and_then(Value::as_str);
            let is_secret = how == As::Secret || text("kind") == Some("Secret");
            let names_secret = ["name", "path", "key"].iter().any(|key| text(key).is_some_and(speaks_of_secret));
            for entry in entries {
                let (key, Some(value)) = (&*entry.key, fields.get(&*entry.key)) else { continue };
                let scalar = !value.is_object() && !value.is_array();
                let hides = hidden
                    || (is_secret && matches!(key, "data" | "stringData"))
                    || (names_secret && matches!(key, "value" | "valueJson"))
                    || key == LAST_APPLIED
                    || (scalar && speaks_of_secret(key));
                let how = match (hides, key) {
                    (true, _) => As::Hidden,
                    // Items of a typed list may leave out their kind.
                    (false, "items") if text("kind") == Some("SecretList") => As::Secret,
                    (false, _) => As::Open,
                };
                item(value, entry.value_mark, &entry.inside, how, out);
            }
        }
        (Value::Array(values), Inside::List(elements)) => {
            for (value, (at, inside)) in values.iter().zip(elements) {
                item(value, *at, inside, how, out);
            }
        }
        (Value::String(text), _) if !text.is_empty() && (hidden || LOOKS_SECRET.is_match(text)) => out.push(at),
        // Where text is meant, a number or a truth value may be a password, too.
        (Value::Number(_) | Value::Bool(_), _) if hidden => out.push(at),
        _ => {}
    }
}

/// What is hidden of a document that was not read, or only in part: every line if it speaks of a Secret, else the lines
/// around a word that speaks of something secret. Lines count from the start of the document.
pub(super) fn of_unread(text: &str) -> Vec<Hidden> {
    if KIND_SECRET.is_match(text) {
        return vec![Hidden { from: Mark::START, until: after(text) }];
    }
    let mut hidden: Vec<Hidden> = Vec::new();
    for (at, line) in split::lines(text).enumerate() {
        let mut words = line.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')));
        if words.any(speaks_of_secret) || LOOKS_SECRET.is_match(line) {
            // The value may stand on the next line, and a key in all that follow.
            let until = if line.contains("PRIVATE KEY") { after(text) } else { start_of(at + 3) };
            hidden.push(Hidden { from: start_of(at), until });
        }
    }
    hidden
}

/// Whether a message of the parser repeats words of the text.
pub(super) fn repeats(message: &str, text: &str) -> bool {
    let words = message.split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`' | ',' | ':' | '(' | ')'));
    words.filter(|word| word.chars().count() > 3).any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, read};
    use super::*;

    /// The lines a file shows, each at its own first character.
    fn shown(text: &str) -> Vec<String> {
        let (parsed, _) = read("t.yaml", text.as_bytes(), &Limits::default());
        let source = &parsed.first().expect("a document").source;
        (1..).zip(text.lines()).map(|(line, _)| source.place(Mark { line, column: 1 }).text).collect()
    }

    #[test]
    fn values_of_a_secret_are_cut_in_every_style() {
        let text = "kind: Secret\nmetadata: {name: s, labels: {a: b}}\nstringData:\n  plain: canary\n  block: |\n    canary\n    \
                    canary\n  folded: 'canary\n\n    canary'\n  number: 12345\n  on: yes\ntype: Opaque\n";
        let lines = shown(text);
        assert!(lines.iter().all(|line| !line.contains("canary") && !line.contains("123") && !line.contains("yes")));
        assert_eq!((lines[1].as_str(), lines[3].as_str()), ("metadata: {name: s, labels: {a: b}}", "  plain: ***"));
        assert_eq!(lines.last().map(String::as_str), Some("type: Opaque"));
        let flow = "{\"kind\": \"Secret\", \"data\": {\"a\": \"canary\", \"b\": \"canary\"}, \"type\": \"Opaque\"}";
        assert_eq!(shown(flow), ["{\"kind\": \"Secret\", \"data\": {\"a\": ***"]);
    }

    #[test]
    fn a_secret_inside_another_object_and_in_a_list_is_cut() {
        let inside =
            "kind: FleetWorkload\nspec:\n  objects:\n  - manifest:\n      data: {a: canary}\n      kind: Secret\n";
        assert!(shown(inside).iter().all(|line| !line.contains("canary")));
        let typed = "kind: SecretList\nitems:\n- {data: {a: canary}}\n";
        assert!(shown(typed).iter().all(|line| !line.contains("canary")));
        let list = "kind: List\nitems:\n- kind: Secret\n  data:\n    a: canary\n- kind: ConfigMap\n  data: {a: seen}\n";
        let lines = shown(list);
        assert!(lines.iter().all(|line| !line.contains("canary")));
        assert!(lines.iter().any(|line| line.contains("seen")));
    }

    #[test]
    fn what_is_named_like_a_secret_or_looks_like_one_is_cut() {
        for line in [
            "env: [{name: DB_PASSWORD, value: canary}]",
            "env: [{value: canary, name: api-token}]",
            "patches: [{op: add, path: /data/apiKey, valueJson: canary}]",
            "data: {REDIS_PWD: canary}",
            "password: canary",
            "url: postgres://app:canary@db/app",
            "key: \"-----BEGIN EC PRIVATE KEY----- canary\"",
            "metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: canary}}",
            "use: &a {password: canary}",
        ] {
            assert!(!shown(line)[0].contains("canary"), "{line}");
        }
        for line in
            ["secretName: seen", "tokenRef: seen", "env: [{name: MODE, value: seen}]", "url: https://seen/a:b@c"]
        {
            assert_eq!(shown(line)[0], line);
        }
    }

    #[test]
    fn an_anchor_that_a_secret_uses_is_cut_where_it_is_written() {
        let lines = shown("kind: Secret\nmetadata: {annotations: {a: &x canary}}\nstringData: {a: *x}\n");
        assert!(lines.iter().all(|line| !line.contains("canary")), "{lines:?}");
    }

    #[test]
    fn a_broken_document_with_a_secret_shows_none_of_its_lines() {
        let findings = |text: &str| read("t.yaml", text.as_bytes(), &Limits::default()).1;
        for text in [
            "kind: Secret\nstringData:\n  a: canary\n\tb: c\n",
            "kind: Secret\nstringData: {a: *canary}\n",
            "kind: Secret\nstringData:\n  a: b\n  a: canary\n",
            "{\"kind\":\"Secret\",\"data\":{\"a\":\"canary\",}}}",
            "kind: Secret\nstringData: {a: \"canary}\n",
            "env:\n- name: DB_PASSWORD\n  value: \"canary\n",
        ] {
            let told = findings(text);
            assert!(!told.is_empty(), "{text}");
            assert!(!format!("{told:?}").contains("canary"), "{told:?}");
        }
        let told = findings("kind: ConfigMap\ndata: {a: *seen}\n");
        assert!(format!("{told:?}").contains("seen"), "{told:?}");
    }
}
