//! Cuts a text into documents before any of them is parsed.
//!
//! YAML forbids `---` and `...` at the start of a line inside any scalar or flow collection, so a cut there is exact;
//! indented ones inside block scalars are left alone. JSON values that follow each other without a marker, as kubectl
//! accepts them, are cut by counting braces outside of strings.

use std::ops::Range;

/// One document: its bytes and the number of lines before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) range: Range<usize>,
    pub(super) lines_before: u32,
}

/// The documents of a text, empty ones left out.
///
/// # Errors
/// The number found so far when there are more than `limit`, counting empty ones.
pub(super) fn documents(text: &str, limit: usize) -> Result<Vec<Chunk>, usize> {
    if text.trim_start().starts_with('{')
        && let Some(chunks) = json_values(text, limit)
    {
        return if chunks.len() > limit { Err(chunks.len()) } else { Ok(chunks) };
    }
    yaml_documents(text, limit)
}

/// What the lines of a document amount to so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    Directives,
    Content,
}

fn yaml_documents(text: &str, limit: usize) -> Result<Vec<Chunk>, usize> {
    let (mut chunks, mut cuts) = (Vec::new(), 0usize);
    let (mut start, mut start_line, mut seen, mut opened) = (0usize, 0u32, Seen::Nothing, false);
    let (mut at, mut line_number) = (0usize, 0u32);
    let mut keep = |seen: Seen, range: Range<usize>, lines_before: u32| {
        cuts += 1;
        if seen == Seen::Content {
            chunks.push(Chunk { range, lines_before });
        }
        if cuts > limit { Err(cuts) } else { Ok(()) }
    };
    for line in lines(text) {
        let end = at + line.len();
        if is_marker(line, "---") {
            // Directives belong to the document that the marker opens.
            if seen != Seen::Directives {
                if at > start {
                    keep(seen, start..at, start_line)?;
                }
                (start, start_line) = (at, line_number);
            }
            opened = true;
            let after = line.get(3..).unwrap_or_default().trim_start();
            seen = if after.is_empty() || after.starts_with('#') { Seen::Nothing } else { Seen::Content };
        } else if is_marker(line, "...") {
            keep(seen, start..end, start_line)?;
            (start, start_line, seen, opened) = (end, line_number.saturating_add(1), Seen::Nothing, false);
        } else {
            let bare = line.trim();
            if line.starts_with('%') && seen != Seen::Content && !opened {
                seen = Seen::Directives;
            } else if !bare.is_empty() && !bare.starts_with('#') {
                seen = Seen::Content;
            }
        }
        at = end;
        line_number = line_number.saturating_add(1);
    }
    if at > start {
        let seen = if seen == Seen::Directives { Seen::Content } else { seen };
        keep(seen, start..at, start_line)?;
    }
    Ok(chunks)
}

/// Lines with their ends; LF, CRLF and CR end a line.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = match rest.find(['\n', '\r']) {
            None => rest.len(),
            Some(at) if rest[at..].starts_with("\r\n") => at + 2,
            Some(at) => at + 1,
        };
        let (line, tail) = rest.split_at(end);
        rest = tail;
        Some(line)
    })
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}

/// JSON objects one after the other; `None` when the text is something else, such as YAML in flow style.
fn json_values(text: &str, limit: usize) -> Option<Vec<Chunk>> {
    let (mut chunks, mut depth, mut line) = (Vec::new(), 0usize, 0u32);
    let (mut start, mut start_line, mut line_start) = (0usize, 0u32, 0usize);
    let (mut in_string, mut escaped, mut previous) = (false, false, 0u8);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' if previous == b'\r' => line_start = at + 1,
            b'\n' | b'\r' => (line, line_start) = (line.saturating_add(1), at + 1),
            _ => {}
        }
        previous = byte;
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' if depth > 0 => in_string = true,
            b'{' | b'[' => {
                if depth == 0 {
                    // The parser counts lines and columns from the start of the chunk: begin it with its line.
                    (start, start_line) = (line_start.max(start), line);
                }
                depth += 1;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    chunks.push(Chunk { range: start..at + 1, lines_before: start_line });
                    start = at + 1;
                    if chunks.len() > limit {
                        return Some(chunks);
                    }
                }
            }
            _ if depth == 0 && !byte.is_ascii_whitespace() => return None,
            _ => {}
        }
    }
    (depth == 0 && !in_string).then_some(chunks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(&str, u32)> {
        documents(text, 100).unwrap().into_iter().map(|c| (&text[c.range], c.lines_before)).collect()
    }

    #[test]
    fn empty_documents_are_left_out_and_lines_keep_counting() {
        assert_eq!(cut("---\n# note\n---\na: 1\n---\n\n---\nb: 2\n"), [("---\na: 1\n", 2), ("---\nb: 2\n", 6)]);
    }

    #[test]
    fn markers_inside_block_scalars_do_not_cut() {
        let text = "data: |\n  ---\n  x\nother: 1\n";
        assert_eq!(cut(text), [(text, 0)]);
    }

    #[test]
    fn directives_stay_with_their_document() {
        let text = "%YAML 1.2\n---\na: 1\n";
        assert_eq!(cut(text), [(text, 0)]);
        assert_eq!(cut("a: 1\n...\n%YAML 1.2\n---\nb: 1\n"), [("a: 1\n...\n", 0), ("%YAML 1.2\n---\nb: 1\n", 2)]);
    }

    #[test]
    fn json_objects_follow_each_other() {
        assert_eq!(
            cut("{\"a\": \"}{\"}\n{\"b\": [1]} {\"c\": 1}"),
            [("{\"a\": \"}{\"}", 0), ("{\"b\": [1]}", 1), (" {\"c\": 1}", 1)]
        );
    }

    #[test]
    fn flow_style_yaml_is_not_taken_for_json() {
        let text = "{a: it's}\n---\n{b: 1}\n";
        assert_eq!(cut(text), [("{a: it's}\n", 0), ("---\n{b: 1}\n", 2 - 1)]);
    }

    #[test]
    fn too_many_documents_are_counted_even_when_empty() {
        assert_eq!(documents(&"---\n".repeat(50), 10), Err(11));
    }
}
