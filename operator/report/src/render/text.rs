//! Aligned columns for a terminal, and the same with every column (`wide`).
//!
//! Widths are display widths: a Chinese character takes two columns. Where the terminal is too narrow the widest
//! text columns are wrapped inside their column; nothing is cut off. The meaning is in words and marks, colour repeats
//! it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Ansi};
use unicode_width::UnicodeWidthChar as _;

use jiuzhou_engine::terms::{Finding, Severity};

use super::cell::{self, NARROW_LIST, show};
use super::{Options, Style};
use crate::document::{Cell, Column, Document, Section, Status};
use crate::finding::{brief, frame, summary, width};
use crate::words::{Lang, Word};

/// Blanks between two columns.
const GAP: usize = 2;
/// A wrapped column is never narrower.
const NARROWEST: usize = 10;
/// A word up to this width is not broken while another column can still give way.
const WORD: usize = 28;

pub(super) fn render(document: &Document, options: &Options, wide: bool) -> String {
    let Options { lang, style, .. } = *options;
    let bold = Ansi::new().bold();
    let mut out = String::new();
    line(&mut out, &style.paint(bold, &cell::title(document, lang)));
    let head: Vec<_> = document.headline.iter().map(|figure| cell::figure(figure, lang, style.ascii)).collect();
    pairs(&mut out, &head);
    let mut empty_before = false;
    for section in &document.sections {
        let heading = format!("{}{}", section.title.text(lang), lang.bracketed(&section.rows.len().to_string()));
        let empty = section.rows.is_empty();
        // Empty tables are a line each and stand together: that there is nothing is worth a word, not a paragraph.
        if !(empty && empty_before) {
            line(&mut out, "");
        }
        if empty {
            let colon = match lang {
                Lang::En => ": ",
                Lang::Zh => "：",
            };
            line(&mut out, &format!("{}{colon}{}", style.paint(bold, &heading), Word::None.text(lang)));
        } else {
            line(&mut out, &style.paint(bold, &heading));
            table(&mut out, section, lang, style, wide);
        }
        empty_before = empty;
    }
    if !document.findings.is_empty() {
        // What is only worth knowing takes one line each, after what has to be mended.
        let framed = |finding: &&Finding| wide || finding.severity > Severity::Info;
        for finding in document.findings.iter().filter(framed) {
            line(&mut out, "");
            out.push_str(&frame(finding, lang, style));
        }
        line(&mut out, "");
        for finding in document.findings.iter().filter(|finding| !framed(finding)) {
            out.push_str(&brief(finding, lang, style));
        }
        line(&mut out, &summary(&document.findings, lang));
    }
    if !document.notes.is_empty() {
        line(&mut out, "");
        for note in &document.notes {
            for (index, part) in
                wrap(note.text(lang), style.width.map_or(usize::MAX, |w| w.saturating_sub(2))).iter().enumerate()
            {
                line(&mut out, &format!("{} {part}", if index == 0 { "*" } else { " " }));
            }
        }
    }
    if wide {
        line(&mut out, "");
        pairs(&mut out, &cell::meta(document, lang));
    }
    out
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}", text.trim_end());
}

/// Labels and values in two columns.
fn pairs<T: AsRef<str>>(out: &mut String, pairs: &[(T, String)]) {
    let widest = pairs.iter().map(|(label, _)| width(label.as_ref())).max().unwrap_or(0);
    for (label, value) in pairs {
        let label = label.as_ref();
        line(out, &format!("  {label}{}  {value}", blanks(widest - width(label))));
    }
}

fn blanks(count: usize) -> String {
    " ".repeat(count)
}

fn table(out: &mut String, section: &Section, lang: Lang, style: Style, wide: bool) {
    let shown: Vec<(usize, &Column)> =
        section.columns.iter().enumerate().filter(|(_, column)| wide || !column.wide).collect();
    let most = if wide { usize::MAX } else { NARROW_LIST };
    let texts: Vec<Vec<String>> = section
        .rows
        .iter()
        .map(|row| {
            shown
                .iter()
                .map(|(at, _)| row.get(*at).map_or_else(String::new, |c| show(c, lang, style.ascii, most)))
                .collect()
        })
        .collect();
    let headings: Vec<&str> = shown.iter().map(|(_, column)| column.label.text(lang)).collect();
    let mut widths: Vec<usize> = headings.iter().map(|heading| width(heading)).collect();
    for row in &texts {
        for (at, text) in row.iter().enumerate() {
            widths[at] = widths[at].max(width(text));
        }
    }
    let whole = |at: usize| {
        let words = texts.iter().flat_map(|row| tokens(&row[at])).map(|token| width(token.trim_end()));
        words.max().unwrap_or(0).clamp(NARROWEST, WORD)
    };
    let floors = |floor: &dyn Fn(usize) -> usize| -> Vec<usize> {
        shown.iter().enumerate().map(|(at, (_, column))| if column.right { usize::MAX } else { floor(at) }).collect()
    };
    fit(&mut widths, &floors(&whole), style.width);
    fit(&mut widths, &floors(&|_| NARROWEST), style.width);

    let faint = Ansi::new().underline();
    let cells: Vec<Vec<String>> = headings.iter().zip(&widths).map(|(heading, w)| wrap(heading, *w)).collect();
    block(out, &cells, &shown, &widths, |_, text| style.paint(faint, text));
    for (row, texts) in section.rows.iter().zip(&texts) {
        let cells: Vec<Vec<String>> = texts.iter().zip(&widths).map(|(text, w)| wrap(text, *w)).collect();
        block(out, &cells, &shown, &widths, |at, text| match row.get(at) {
            Some(Cell::Status(status)) => style.paint(colour(*status), text),
            Some(Cell::Unknown) => style.paint(colour(Status::Unknown), text),
            _ => text.to_owned(),
        });
    }
}

fn colour(status: Status) -> Ansi {
    let colour = match status {
        Status::Ok => AnsiColor::Green,
        Status::Warn | Status::Pending => AnsiColor::Yellow,
        Status::Unknown => AnsiColor::Magenta,
        Status::Refused | Status::Violating | Status::Failed => AnsiColor::Red,
    };
    Ansi::new().fg_color(Some(colour.into()))
}

/// Makes the widest columns narrower, none below its floor, until the table fits, if it can.
fn fit(widths: &mut [usize], floors: &[usize], limit: Option<usize>) {
    let Some(limit) = limit else { return };
    loop {
        // Two blanks before the first column, none after the last.
        let total: usize = widths.iter().map(|w| w + GAP).sum();
        let Some(over) = total.checked_sub(limit).filter(|over| *over > 0) else { return };
        let candidates = || widths.iter().zip(floors).enumerate().filter(|(_, (w, floor))| w > floor);
        let Some((at, (widest, floor))) = candidates().max_by_key(|(at, (w, _))| (**w, *at)) else { return };
        let (widest, floor) = (*widest, *floor);
        let next = candidates().map(|(_, (w, _))| *w).filter(|w| *w < widest).max().unwrap_or(floor).max(floor);
        widths[at] = widest - over.min(widest - next).max(1);
    }
}

/// One row of the table, as many lines as its longest cell.
fn block(
    out: &mut String,
    cells: &[Vec<String>],
    shown: &[(usize, &Column)],
    widths: &[usize],
    paint: impl Fn(usize, &str) -> String,
) {
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    for number in 0..height {
        let mut text = String::from("  ");
        for (at, parts) in cells.iter().enumerate() {
            let part = parts.get(number).map_or("", String::as_str);
            let space = blanks(widths[at].saturating_sub(width(part)));
            let (column, right) = (shown[at].0, shown[at].1.right);
            let painted = if part.is_empty() { String::new() } else { paint(column, part) };
            text.push_str(&if right { format!("{space}{painted}") } else { format!("{painted}{space}") });
            text.push_str(&blanks(GAP));
        }
        line(out, &text);
    }
}

/// Breaks a text into lines of a display width: at blanks, after Chinese characters, else inside a long word.
fn wrap(text: &str, limit: usize) -> Vec<String> {
    if width(text) <= limit {
        return vec![text.to_owned()];
    }
    let mut lines = Vec::new();
    let (mut current, mut used) = (String::new(), 0);
    for token in tokens(text) {
        let size = width(token);
        if used + width(token.trim_end()) > limit && used > 0 {
            lines.push(std::mem::take(&mut current).trim_end().to_owned());
            used = 0;
        }
        if size > limit {
            for c in token.chars() {
                let size = c.width().unwrap_or(0);
                if used + size > limit && used > 0 {
                    lines.push(std::mem::take(&mut current));
                    used = 0;
                }
                current.push(c);
                used += size;
            }
        } else {
            current.push_str(token);
            used += size;
        }
    }
    lines.push(current.trim_end().to_owned());
    lines
}

/// The places where a line may break: after a blank, a `/`, a `,`, and after every wide character that is not
/// followed by closing punctuation.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut from = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        let Some((next, following)) = chars.peek().copied() else { break };
        let closing = "，。、；：！？）》】”’\")]|:.;".contains(following);
        let wide = |c: char| c.width() == Some(2);
        let may = matches!(c, ' ' | '/' | ',') || (wide(c) && !"（《【“‘".contains(c)) || (wide(following) && !closing);
        if may && !closing && following != ' ' {
            tokens.push(&text[from..next]);
            from = next;
        }
    }
    tokens.push(&text[from..]);
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    fn at(width: Option<usize>, lang: Lang) -> String {
        let style = Style { width, ..Style::default() };
        render(&sample::document(), &Options { lang, style, max_bytes: None }, false)
    }

    #[test]
    fn columns_align_under_chinese_text() {
        let text = at(None, Lang::Zh);
        let rows: Vec<&str> = text.lines().filter(|line| line.contains("row-")).take(7).collect();
        let column = |line: &str, needle: &str| line.find(needle).map(|at| width(&line[..at]));
        let starts: Vec<_> = rows.iter().filter_map(|line| column(line, "row-")).collect();
        assert!(rows.len() > 3 && starts.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }

    #[test]
    fn nothing_is_wider_than_the_terminal_and_nothing_is_lost() {
        for lang in Lang::ALL {
            let (free, narrow) = (at(None, lang), at(Some(80), lang));
            // Findings quote lines of files as they are; tables and headline have to fit.
            let mut lines = narrow.lines().take_while(|line| !line.contains("[EvidenceConflict]"));
            assert!(lines.all(|line| width(line) <= 80), "{narrow}");
            let squeeze = |text: &str| {
                let mut chars: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
                chars.sort_unstable();
                chars
            };
            assert_eq!(squeeze(&free), squeeze(&narrow));
        }
    }

    #[test]
    fn colour_only_when_asked_and_adds_nothing_else() {
        let plain = at(Some(100), Lang::En);
        let style = Style { colour: true, width: Some(100), ascii: false };
        let coloured = render(&sample::document(), &Options { lang: Lang::En, style, max_bytes: None }, false);
        assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
        let mut stripped = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            stripped.push_str(before);
            rest = after.split_once('m').expect("every sequence ends").1;
        }
        stripped.push_str(rest);
        let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(lines(&stripped), lines(&plain));
    }

    #[test]
    fn ascii_marks_hold_no_other_character() {
        for status in Status::ALL {
            assert!(show(&Cell::Status(status), Lang::En, true, 8).is_ascii());
        }
    }

    #[test]
    fn a_line_never_begins_with_closing_punctuation() {
        for limit in 8..30 {
            for part in wrap("集群不满足亲和性：现有 麒麟，要求 飞腾、海光（信创）。", limit)
            {
                assert!(width(&part) <= limit, "{part} at {limit}");
                assert!(!part.starts_with(['，', '。', '、', '：', '）']), "{part} at {limit}");
            }
        }
    }

    #[test]
    fn a_code_is_not_broken_while_another_column_can_give_way() {
        assert!(at(Some(100), Lang::En).contains("NoManifestForPlatform"));
    }

    proptest::proptest! {
        #[test]
        fn wrapping_keeps_every_character_and_the_width(text in "[a-z0-9 /,.:|（），。、麒麟飞腾海光-]{0,120}", limit in 2_usize..40) {
            let lines = wrap(&text, limit);
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            proptest::prop_assert_eq!(letters(&lines.concat()), letters(&text));
            proptest::prop_assert!(lines.iter().all(|line| width(line.trim_end()) <= limit), "{:?}", lines);
        }

        #[test]
        fn no_text_of_the_input_reaches_the_terminal_as_an_escape(name in ".{0,60}") {
            let mut document = sample::document();
            document.sections[0].rows[0][1] = name.as_str().into();
            document.subject = name;
            let text = render(&document, &Options::default(), true);
            proptest::prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}
