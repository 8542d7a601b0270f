//! The one door through which YAML and JSON come in: bytes of one file to JSON values that know where they stand.
//!
//! Reading is kubectl's (sigs.k8s.io/yaml): YAML 1.1 truth values and octal numbers, integral floats as integers,
//! anchors and merge keys, duplicate keys refused. Values and positions come from the same parse, so they cannot
//! disagree. Input may be hostile: every amount is bounded by [`Limits`], and whatever is wrong ends in findings,
//! never in a panic. Documents are parsed one by one, so that one broken document does not hide the others.
//! What the values mean is not known here; see `documents` and `schema`.

mod glimpse;
mod limits;
mod marks;
mod node;
mod secrets;
mod source;
mod split;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Place, Reason, Severity};
use serde_json::Value;

pub use limits::Limits;
pub use marks::{Mark, Marks};
pub use source::Source;

use node::Node;
use secrets::Hidden;

/// One document of a file: its value and where each part of it stands.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The value, as kubectl would read it.
    pub value: Value,
    /// Where keys and values stand in `source`.
    pub marks: Marks,
    /// The text it came from.
    pub source: Arc<Source>,
}

/// Stack of the thread that parses. serde's recursion takes up to 40 KiB per level in an unoptimised build, so
/// [`Limits::depth`] levels need 4 MiB; the pages are only used when input is that deep.
const STACK: usize = 16 << 20;

/// Keys that stand twice, or are truth values, of one document that are told one by one. A finding costs about a
/// kilobyte with its line, and nobody corrects more than these before looking again.
const MOST_PROBLEMS: usize = 10_000;

/// What is wrong with a line of a Helm template: a parser would speak of a map as a key.
const TEMPLATE: &str = "a template expression that nobody has rendered";

/// Reads the bytes of one file. `name` is the path as the user gave it, or `-`.
///
/// Empty documents are left out. Findings: not UTF-8, a limit exceeded, a syntax error, a key that stands twice.
/// A document with a finding of severity Error is not among the values, so that nothing half-read is planned with.
#[must_use]
pub fn read(name: &str, bytes: &[u8], limits: &Limits) -> (Vec<Parsed>, Vec<Finding>) {
    let source = match Source::decode(name, bytes, limits) {
        Ok(source) => Arc::new(source),
        Err(finding) => return (Vec::new(), vec![*finding]),
    };
    let chunks = match split::documents(source.text(), limits.documents) {
        Ok(chunks) => chunks,
        Err(at_least) => {
            let reason = Reason::new(Code::LimitExceeded)
                .object("documents per file")
                .seen(count(at_least))
                .wanted(count(limits.documents));
            return (Vec::new(), vec![Finding::new(reason).at(unquoted(name))]);
        }
    };
    // The caller's stack is unknown (2 MiB in a test thread), the depth of the input is not: parse on our own.
    let parse = || parse(&source, chunks, limits);
    let result = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("yaml".to_owned()).stack_size(STACK).spawn_scoped(scope, parse);
        thread.map_err(|error| error.to_string())?.join().map_err(|_| "the parser failed".to_owned())
    });
    result.unwrap_or_else(|error| {
        let reason = Reason::new(Code::FileUnreadable).object(name).seen(error);
        (Vec::new(), vec![Finding::new(reason).at(unquoted(name))])
    })
}

/// The top of a file, of which nothing is known that may be shown.
fn unquoted(name: &str) -> Place {
    Place { file: name.to_owned(), line: 1, column: 1, text: String::new() }
}

fn parse(source: &Arc<Source>, chunks: Vec<split::Chunk>, limits: &Limits) -> (Vec<Parsed>, Vec<Finding>) {
    let mut file = FileReader {
        source,
        limits,
        nodes_left: limits.nodes,
        work_left: limits.work,
        findings: Vec::new(),
        hidden: Vec::new(),
    };
    let mut parsed = Vec::new();
    for chunk in chunks {
        if file.nodes_left == 0 || file.work_left == 0 {
            file.too_much(&chunk);
            break;
        }
        parsed.extend(file.document(&chunk));
    }
    // Lines are quoted last, when it is known what of them may be shown.
    source.hide(file.hidden);
    let findings = file.findings.into_iter();
    let findings = findings.map(|Found { finding, mark, word }| {
        let finding = finding.at(source.place(mark));
        if !word {
            return finding;
        }
        let written = source.token(mark);
        let wanted = format!("\"{written}\"");
        Finding { reason: finding.reason.clone().seen(written).wanted(wanted), ..finding }
    });
    let findings = findings.collect();
    (parsed, findings)
}

/// Something found whose place is not quoted yet.
struct Found {
    finding: Finding,
    mark: Mark,
    /// The word that stands there belongs into the finding.
    word: bool,
}

/// What is left of the budgets of one file while its documents are read.
struct FileReader<'a> {
    source: &'a Arc<Source>,
    limits: &'a Limits,
    nodes_left: usize,
    work_left: usize,
    findings: Vec<Found>,
    hidden: Vec<Hidden>,
}

impl FileReader<'_> {
    fn document(&mut self, chunk: &split::Chunk) -> Option<Parsed> {
        let text = self.source.text().get(chunk.range.clone())?;
        let options = self.limits.options(self.nodes_left);
        let node = serde_saphyr::from_str_with_options::<serde_saphyr::Spanned<Node>>(text, options);
        match node {
            Ok(spanned) => {
                let top = Mark::of(&spanned);
                let node = spanned.value;
                self.nodes_left = self.nodes_left.saturating_sub(node.count);
                self.work_left = self.work_left.saturating_sub(node.count);
                let hidden = secrets::of_document(&node.value, top, &node.inside, text);
                self.hidden.extend(hidden.into_iter().map(|one| one.down(chunk.lines_before)));
                let refused = self.problems(chunk, text, &node);
                if refused {
                    // What stands twice is not part of the value.
                    self.hide_unread(chunk, text);
                }
                if refused || node.value.is_null() {
                    return None;
                }
                let marks = Marks::new(top, node.inside, chunk.lines_before);
                Some(Parsed { value: node.value, marks, source: Arc::clone(self.source) })
            }
            Err(error) => {
                // What a failed document cost is not known; with anchors it may be a whole alias budget.
                let aliases = text.contains('&') && text.contains('*');
                let cost = text.len() / 8 + if aliases { self.limits.alias_nodes } else { 1 };
                self.work_left = self.work_left.saturating_sub(cost);
                self.syntax_error(chunk, text, &error);
                self.hide_unread(chunk, text);
                None
            }
        }
    }

    fn hide_unread(&mut self, chunk: &split::Chunk, text: &str) {
        self.hidden.extend(secrets::of_unread(text).into_iter().map(|one| one.down(chunk.lines_before)));
    }

    /// Something for which a document is not taken; it is told of the object that the text seems to be about.
    fn found(&mut self, reason: Reason, mark: Mark, text: &str) {
        self.about(glimpse::object(text), reason, mark);
    }

    fn about(&mut self, object: Option<ObjectRef>, reason: Reason, mark: Mark) {
        let finding = object.into_iter().fold(Finding::new(reason), Finding::on);
        self.findings.push(Found { finding, mark, word: false });
    }

    /// Duplicate keys and keys that are truth values; `true` when the document must be refused.
    fn problems(&mut self, chunk: &split::Chunk, text: &str, node: &Node) -> bool {
        let mut refused = false;
        let object = if node.problems.is_empty() { None } else { glimpse::object(text) };
        for (told, problem) in node.problems.iter().enumerate() {
            let mark = problem.mark().down(chunk.lines_before);
            if told == MOST_PROBLEMS {
                let reason = Reason::new(Code::LimitExceeded).object("repeated keys per document");
                let (seen, wanted) = (count(node.problems.len()), count(MOST_PROBLEMS));
                self.about(object, reason.seen(seen).wanted(wanted), mark);
                return true;
            }
            match problem {
                node::Problem::DuplicateKey { key, first, .. } => {
                    refused = true;
                    let line = first.down(chunk.lines_before).line;
                    let reason = Reason::new(Code::KeyDuplicate).object(key.as_str()).seen(i64::from(line));
                    self.about(object.clone(), reason, mark);
                }
                node::Problem::TruthKey { .. } => {
                    let mut finding = Finding::new(Reason::new(Code::BooleanUnquoted).object("key"));
                    finding.severity = Severity::Warning;
                    self.findings.push(Found { finding, mark, word: true });
                }
            }
        }
        refused
    }

    fn syntax_error(&mut self, chunk: &split::Chunk, text: &str, error: &serde_saphyr::Error) {
        let mark = error.location().map_or(Mark::START, Mark::from_location).down(chunk.lines_before);
        let reason = limits::exceeded(error, self.limits).unwrap_or_else(|| {
            let line = error.location().and_then(|at| usize::try_from(at.line()).ok()).unwrap_or(1);
            if text.lines().nth(line.saturating_sub(1)).is_some_and(|line| line.contains("{{")) {
                return Reason::new(Code::SyntaxInvalid).seen(TEMPLATE);
            }
            let options = serde_saphyr::render_options! {
                formatter: &serde_saphyr::UserMessageFormatter,
                snippets: serde_saphyr::SnippetMode::Off,
            };
            let message = error.render_with_options(options);
            // The place is a field of its own; the parser's line counts from the start of the document.
            let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(head, _)| head);
            let shown = if !secrets::of_unread(text).is_empty() && secrets::repeats(message, text) {
                secrets::HIDDEN
            } else {
                message
            };
            Reason::new(Code::SyntaxInvalid).seen(shown)
        });
        self.found(reason, mark, text);
    }

    fn too_much(&mut self, chunk: &split::Chunk) {
        let reason = Reason::new(Code::LimitExceeded)
            .object("values per file")
            .seen(format!("> {}", self.limits.nodes))
            .wanted(count(self.limits.nodes));
        let text = self.source.text().get(chunk.range.clone()).unwrap_or_default();
        self.hide_unread(chunk, text);
        self.found(reason, Mark::START.down(chunk.lines_before), text);
    }
}

/// A count as a parameter of a reason.
fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
