//! Markdown for a comment on a merge request or a wiki page.
//!
//! It knows how many bytes it may have: first the summary, then findings, then tables, one after the other, each
//! collapsed per group. What does not fit is never left out silently: each table and the findings say how many rows
//! more there are. A hidden marker in the first line lets a bot find its own comment again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Options;
use super::cell::{self, NARROW_LIST, show};
use crate::document::{Cell, Document, Section};
use crate::finding::{severity, summary};
use crate::sentences;
use crate::words::{Lang, Word};

/// Rows above which a table is folded.
const OPEN_ROWS: usize = 10;
/// Bytes kept for a line that says how much is left out.
const RESERVE: usize = 160;

pub(super) fn render(document: &Document, options: &Options) -> String {
    let lang = options.lang;
    let limit = options.max_bytes.unwrap_or(usize::MAX);
    let mut page = Page { out: head(document, lang), limit, open_sections: document.sections.len() + 1 };
    if !document.findings.is_empty() {
        let title = format!(
            "\n### {}{}\n\n",
            Word::SectionFindings.text(lang),
            lang.bracketed(&summary(&document.findings, lang))
        );
        let items: Vec<String> = document.findings.iter().map(|finding| item(finding, lang)).collect();
        page.block(&title, "", &items, "", lang);
    } else {
        page.open_sections -= 1;
    }
    for one in &document.sections {
        section(&mut page, one, lang);
    }
    let mut tail = String::new();
    for note in &document.notes {
        // Writing to a String cannot fail.
        let _ = write!(tail, "\n> {}\n", note.text(lang));
    }
    if page.out.len() + tail.len() <= limit {
        page.out.push_str(&tail);
    }
    page.out
}

/// A page that is filled up to a limit.
struct Page {
    out: String,
    limit: usize,
    open_sections: usize,
}

impl Page {
    /// Adds a block with as many of its items as fit, and says how many do not. Each later block keeps room for its
    /// own such line.
    fn block(&mut self, before: &str, head: &str, items: &[String], after: &str, lang: Lang) {
        self.open_sections = self.open_sections.saturating_sub(1);
        let kept = RESERVE.saturating_mul(self.open_sections + 1);
        let room = self.limit.saturating_sub(self.out.len()).saturating_sub(kept);
        let frame = before.len() + head.len() + after.len();
        let mut used = frame;
        let fitting = items
            .iter()
            .take_while(|item| {
                used = used.saturating_add(item.len());
                used <= room
            })
            .count();
        if fitting > 0 || items.is_empty() && frame <= room {
            self.out.push_str(before);
            self.out.push_str(head);
            items.iter().take(fitting).for_each(|item| self.out.push_str(item));
            self.out.push_str(after);
        } else if before.len() <= kept.min(RESERVE) {
            self.out.push_str(before);
        }
        if fitting < items.len() {
            let more = items.len() - fitting;
            let text = match lang {
                Lang::En => format!("\n*{more} more, see the full report*\n"),
                Lang::Zh => format!("\n*另有 {more} 项，见完整报表*\n"),
            };
            self.out.push_str(&text);
        }
    }
}

fn head(document: &Document, lang: Lang) -> String {
    let mut out = format!("<!-- jiuzhou:{} -->\n## {}\n", document.kind.key(), escape(&cell::title(document, lang)));
    if !document.headline.is_empty() {
        out.push('\n');
        for figure in &document.headline {
            let (label, value) = cell::figure(figure, lang, false);
            let _ = writeln!(out, "- **{label}**{}{}", lang.colon(), escape(&value));
        }
    }
    let meta: Vec<String> = cell::meta(document, lang)
        .iter()
        .map(|(label, value)| format!("{label}{}{}", lang.colon(), escape(value)))
        .collect();
    let _ = write!(out, "\n<sub>{}</sub>\n", meta.join(" · "));
    out
}

fn item(finding: &jiuzhou_engine::terms::Finding, lang: Lang) -> String {
    let subject = finding.subject.as_ref();
    let sentence = sentences::render(&finding.reason, subject, lang);
    let fix = sentences::fix(&finding.reason, subject, lang);
    let mut out = format!("- **{}** `{}`", severity(finding.severity).text(lang), finding.reason.code);
    if let Some(place) = &finding.place {
        let _ = write!(out, " {}:{}:{}", escape(&place.file), place.line, place.column);
    }
    if let Some(object) = subject {
        let _ = write!(out, " {}", escape(&format!("{object} {}", finding.pointer)).trim_end());
    }
    let _ = writeln!(out, "{}{} *{}*", lang.colon(), escape(&sentence), escape(&fix));
    out
}

fn section(page: &mut Page, section: &Section, lang: Lang) {
    let title = format!("\n### {}{}\n", section.title.text(lang), lang.bracketed(&section.rows.len().to_string()));
    let shown: Vec<usize> = section
        .columns
        .iter()
        .enumerate()
        .filter(|(at, column)| !column.wide && section.group != Some(*at))
        .map(|(at, _)| at)
        .collect();
    let mut head = String::from("\n|");
    for at in &shown {
        let _ = write!(head, " {} |", section.columns[*at].label.text(lang));
    }
    head.push_str("\n|");
    for at in &shown {
        head.push_str(if section.columns[*at].right { " ---: |" } else { " --- |" });
    }
    head.push('\n');
    let line = |row: &Vec<Cell>| {
        let cells = shown
            .iter()
            .map(|at| row.get(*at).map_or_else(String::new, |c| escape(&show(c, lang, false, NARROW_LIST))));
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let folds = section.rows.len() > OPEN_ROWS;
    let fold = |name: &str, rows: usize| {
        format!("\n<details><summary>{name}{}</summary>\n", lang.bracketed(&rows.to_string()))
    };
    let Some(group) = section.group else {
        let rows: Vec<String> = section.rows.iter().map(line).collect();
        let (before, after) = if folds {
            (title.clone() + &fold(section.title.text(lang), rows.len()), "\n</details>\n")
        } else {
            (title, "")
        };
        page.block(&before, if rows.is_empty() { "" } else { &head }, &rows, after, lang);
        return;
    };
    // One fold per group; a group that does not fit whole is cut and says so.
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &section.rows {
        let name = row.get(group).map_or_else(String::new, |c| escape(&show(c, lang, false, NARROW_LIST)));
        groups.entry(name).or_default().push(line(row));
    }
    let blocks: Vec<String> = groups
        .iter()
        .map(|(name, rows)| format!("{}{head}{}\n</details>\n", fold(name, rows.len()), rows.concat()))
        .collect();
    page.block(&title, "", &blocks, "", lang);
}

/// Text of the input that stays text: no markup, no table border, no mention, no line break.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            // A mention would call a person who has nothing to do with it.
            '@' => out.push_str("&#64;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_limit_holds_and_what_is_left_out_is_counted() {
        let document = sample::large(1000);
        for lang in Lang::ALL {
            for max in [4_000, 60_000] {
                let options = Options { lang, max_bytes: Some(max), ..Options::default() };
                let text = render(&document, &options);
                assert!(text.len() <= max, "{} bytes for {max}", text.len());
                let more = if lang == Lang::En { " more, see" } else { "另有" };
                assert!(text.contains(more), "{text}");
                assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
            }
        }
    }

    #[test]
    fn names_do_not_become_markup() {
        assert_eq!(escape("a|b <script> @all *x*\n"), "a\\|b &lt;script&gt; &#64;all \\*x\\* ");
    }

    #[test]
    fn the_first_line_is_the_marker_a_bot_looks_for() {
        assert!(render(&sample::document(), &Options::default()).starts_with("<!-- jiuzhou:Inventory -->\n"));
    }
}
