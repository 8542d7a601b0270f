//! Findings as a compiler prints them: code and sentence, place, the line with a caret, the object, the fix.
//!
//! The line is text of the user's file and may hold anything, terminal escapes included: [`clean`] takes them out.
//! The caret stands by display width, so it is right under Chinese text and after tabs too.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Ansi};
use jiuzhou_engine::terms::{Finding, Place, Severity};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::render::Style;
use crate::sentences;
use crate::words::{Lang, Word};

/// Characters of the source line shown on either side of the finding.
const LINE_MOST: usize = 160;

/// The word of a severity.
#[must_use]
pub fn severity(severity: Severity) -> Word {
    match severity {
        Severity::Error => Word::SeverityError,
        Severity::Warning => Word::SeverityWarning,
        Severity::Info => Word::SeverityInfo,
    }
}

/// How many findings weigh how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// The rest.
    pub infos: usize,
}

impl Tally {
    /// Counts findings.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        findings.iter().fold(Self::default(), |mut tally, finding| {
            match finding.severity {
                Severity::Error => tally.errors += 1,
                Severity::Warning => tally.warnings += 1,
                Severity::Info => tally.infos += 1,
            }
            tally
        })
    }
}

/// Text of the input made safe for a terminal: control characters and those that reorder text become visible.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// One finding in one line, for what is only worth knowing: the head of its frame and its place.
#[must_use]
pub fn brief(finding: &Finding, lang: Lang, style: Style) -> String {
    let head = format!("{}[{}]", severity(finding.severity).text(lang), finding.reason.code);
    let head = style.paint(Ansi::new().bold().fg_color(Some(AnsiColor::Cyan.into())), &head);
    let sentence = clean(&sentences::render(&finding.reason, finding.subject.as_ref(), lang));
    let place = match (&finding.place, &finding.subject) {
        (Some(place), _) => lang.bracketed(&format!("{}:{}:{}", clean(&place.file), place.line, place.column)),
        (None, Some(subject)) => lang.bracketed(&clean(&subject.to_string())),
        (None, None) => String::new(),
    };
    let mut out = String::new();
    line(&mut out, &format!("{head}{}{sentence}{place}", lang.colon()));
    out
}

/// One finding as a frame that ends with a line break.
#[must_use]
pub fn frame(finding: &Finding, lang: Lang, style: Style) -> String {
    let colour = match finding.severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Info => AnsiColor::Cyan,
    };
    let head = format!("{}[{}]", severity(finding.severity).text(lang), finding.reason.code);
    let subject = finding.subject.as_ref();
    let sentence = clean(&sentences::render(&finding.reason, subject, lang));
    let mut out = String::new();
    let bold = Ansi::new().bold();
    let faint = Ansi::new().fg_color(Some(AnsiColor::Blue.into())).bold();
    let head = style.paint(bold.fg_color(Some(colour.into())), &head);
    line(&mut out, &format!("{head}{}{}", lang.colon(), style.paint(bold, &sentence)));

    let margin = finding.place.as_ref().map_or(1, |place| place.line.to_string().len());
    let pad = " ".repeat(margin);
    let bar = style.paint(faint, "|");
    if let Some(place) = &finding.place {
        let arrow = style.paint(faint, "-->");
        line(&mut out, &format!("{pad}{arrow} {}:{}:{}", clean(&place.file), place.line, place.column));
        if !place.text.is_empty() {
            let (text, before, under) = excerpt(place);
            let number = style.paint(faint, &place.line.to_string());
            let caret = style.paint(bold.fg_color(Some(colour.into())), &"^".repeat(under));
            line(&mut out, &format!("{pad} {bar}"));
            line(&mut out, &format!("{number} {bar} {text}"));
            line(&mut out, &format!("{pad} {bar} {}{caret}", " ".repeat(before)));
        }
    }
    let equals = style.paint(faint, "=");
    let mut note = |label: Word, text: &str| {
        line(&mut out, &format!("{pad} {equals} {}{}{text}", label.text(lang), lang.colon()));
    };
    match (subject, finding.pointer.as_str()) {
        (None, "") => {}
        (None, pointer) => note(Word::Object, &clean(pointer)),
        (Some(object), "") => note(Word::Object, &clean(&object.to_string())),
        (Some(object), pointer) => note(Word::Object, &clean(&format!("{object} {pointer}"))),
    }
    note(Word::Fix, &clean(&sentences::fix(&finding.reason, subject, lang)));
    out
}

/// The line a finding stands in, the width before the caret and the width of the caret.
fn excerpt(place: &Place) -> (String, usize, usize) {
    let line: Vec<char> = clean(&place.text.replace('\t', "    ")).chars().collect();
    // A tab counts as one character in a column but is shown as four.
    let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(0);
    let tabs = place.text.chars().take(column).filter(|c| *c == '\t').count();
    let at = (column + 3 * tabs).min(line.len());
    let from = at.saturating_sub(LINE_MOST / 2);
    let shown = &line[from..line.len().min(from + LINE_MOST)];
    let width = |chars: &[char]| chars.iter().map(|c| c.width().unwrap_or(0)).sum::<usize>();
    let tail = &shown[at - from..];
    let word = tail.iter().position(|c| c.is_whitespace()).unwrap_or(tail.len());
    let word = if word > 1 && tail[word - 1] == ':' { word - 1 } else { word };
    (shown.iter().collect(), width(&shown[..at - from]), width(&tail[..word]).max(1))
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}", text.trim_end());
}

/// The closing line: how many of what.
#[must_use]
pub fn summary(findings: &[Finding], lang: Lang) -> String {
    let tally = Tally::of(findings);
    let parts: Vec<String> =
        [(tally.errors, "error", "个错误"), (tally.warnings, "warning", "个警告"), (tally.infos, "note", "个提示")]
            .iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, en, zh)| match (lang, count) {
                (Lang::Zh, _) => format!("{count} {zh}"),
                (Lang::En, 1) => format!("1 {en}"),
                (Lang::En, _) => format!("{count} {en}s"),
            })
            .collect();
    match (parts.is_empty(), lang) {
        (true, Lang::En) => "no findings".to_owned(),
        (true, Lang::Zh) => "没有问题项".to_owned(),
        (false, _) => parts.join(lang.comma()),
    }
}

/// Display width of a text in a terminal.
#[must_use]
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::{Code, ObjectRef, Reason};

    use super::*;

    fn example(text: &str, column: u32) -> Finding {
        Finding::new(Reason::new(Code::SyntaxInvalid).seen("found a tab"))
            .on(ObjectRef::new("FleetWorkload", "xz", "门户"))
            .pointer("/spec/replicas")
            .at(Place { file: "a.yaml".to_owned(), line: 12, column, text: text.to_owned() })
    }

    #[test]
    fn a_frame_names_code_place_line_object_and_fix() {
        let expected = "\
error[SyntaxInvalid]: The text is not valid YAML or JSON: found a tab.
  --> a.yaml:12:3
   |
12 |   replicas: -1
   |   ^^^^^^^^
   = Object: FleetWorkload/xz/门户 /spec/replicas
   = Fix: Correct the line shown.
";
        assert_eq!(frame(&example("  replicas: -1", 3), Lang::En, Style::default()), expected);
    }

    #[test]
    fn the_caret_stands_by_display_width() {
        let text = frame(&example("名称: 麒麟", 5), Lang::Zh, Style::default());
        assert!(text.starts_with("错误[SyntaxInvalid]："), "{text}");
        assert!(text.contains("12 | 名称: 麒麟\n   |       ^^^^\n"), "{text}");
        let (_, before, _) = excerpt(&Place { column: 2, text: "\tx".to_owned(), ..Place::default() });
        assert_eq!(before, 4);
    }

    #[test]
    fn escapes_of_the_input_do_not_reach_the_terminal() {
        let mut finding = example("\u{1b}[31mred\u{202e}", 1);
        finding.reason.seen = "\u{1b}]0;title\u{7}".into();
        let text = frame(&finding, Lang::En, Style::default());
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }

    #[test]
    fn a_column_past_the_line_and_a_line_without_end_do_no_harm() {
        for (text, column) in [("", 9), ("a", 900), (&"长".repeat(5000), 2500), ("a", 0)] {
            let shown = frame(&example(text, column), Lang::En, Style::default());
            assert!(shown.lines().all(|line| width(line) < 400), "{shown}");
        }
    }

    #[test]
    fn the_summary_counts_in_both_languages() {
        let findings = [example("a", 1), example("b", 1)];
        assert_eq!(summary(&findings, Lang::En), "2 errors");
        assert_eq!(summary(&findings, Lang::Zh), "2 个错误");
        assert_eq!(summary(&[], Lang::En), "no findings");
    }
}
