//! Markdown for a comment on a merge request or a wiki page.
//!
//! It knows how many bytes it may have: first the summary, then findings, then tables, one after the other, each
//! collapsed per group. What does not fit is never left out silently: each table and the findings say how many rows
//! more there are. A hidden marker in the first line lets a bot find its own comment again.

use std::fmt::Write as _;

use super::Options;
use super::cell::{self, NARROW_LIST, show};
use crate::document::{Cell, Document, Section};
use crate::finding::{severity, summary};
use crate::sentences;
use crate::words::{Lang, Word};

/// Rows above which a table is folded.
const OPEN_ROWS: usize = 10;
/// Most rows of one fold: a large group is several, so that a page with a limit shows what fits of it.
const FOLD_ROWS: usize = 50;
/// Bytes kept for a line that says how much is left out.
const RESERVE: usize = 160;

pub(super) fn render(document: &Document, options: &Options) -> String {
    let lang = options.lang;
    let mut out = head(document, lang);
    let mut blocks = Vec::new();
    if !document.findings.is_empty() {
        let count = lang.bracketed(&summary(&document.findings, lang));
        blocks.push(Block {
            before: format!("\n### {}{count}\n\n", Word::SectionFindings.text(lang)),
            items: document.findings.iter().map(|finding| (1, item(finding, lang))).collect(),
            after: "",
        });
    }
    blocks.extend(document.sections.iter().map(|one| section(one, lang)));
    let notes: String = document.notes.iter().map(|note| format!("\n> {}\n", note.text(lang))).collect();

    let limit = options.max_bytes.unwrap_or(usize::MAX);
    // Later blocks are promised up to an equal part of half the page, so that one long list does not eat the rest.
    let part = limit / 2 / blocks.len().max(1);
    let promised: Vec<usize> = blocks.iter().map(|block| block.size().min(part).max(RESERVE)).collect();
    for (at, block) in blocks.iter().enumerate() {
        let later = promised[at + 1..].iter().fold(notes.len(), |sum, size| sum.saturating_add(*size));
        block.write(&mut out, limit.saturating_sub(later), lang);
    }
    if out.len().saturating_add(notes.len()) <= limit {
        out.push_str(&notes);
    }
    out
}

/// A heading with items that may be left out from the end.
struct Block {
    before: String,
    /// Each with the number of rows it holds.
    items: Vec<(usize, String)>,
    after: &'static str,
}

impl Block {
    fn size(&self) -> usize {
        let items: usize = self.items.iter().map(|(_, item)| item.len()).sum();
        self.before.len() + items + self.after.len()
    }

    /// Writes as many items as fit into the page up to `limit` bytes and says how many rows do not.
    fn write(&self, out: &mut String, limit: usize, lang: Lang) {
        let all: usize = self.items.iter().map(|(rows, _)| rows).sum();
        let mut room = limit.saturating_sub(out.len());
        let fitting = if self.size() <= room {
            self.items.len()
        } else {
            room = room.saturating_sub(self.before.len() + self.after.len() + RESERVE);
            let fits = |(_, item): &&(usize, String)| {
                let left = room.checked_sub(item.len());
                room = left.unwrap_or(0);
                left.is_some()
            };
            self.items.iter().take_while(fits).count()
        };
        let shown = &self.items[..fitting];
        if fitting > 0 || self.items.is_empty() {
            if self.size() <= limit.saturating_sub(out.len()) || fitting > 0 {
                out.push_str(&self.before);
            }
            shown.iter().for_each(|(_, item)| out.push_str(item));
            out.push_str(if self.items.is_empty() { "" } else { self.after });
        }
        let more = all - shown.iter().map(|(rows, _)| rows).sum::<usize>();
        if more > 0 {
            let heading = self.before.trim_start().lines().next().unwrap_or_default().trim_start_matches('#').trim();
            let name = if fitting == 0 { format!("{heading}{}", lang.colon()) } else { String::new() };
            out.push_str(&match lang {
                Lang::En => format!("\n*{name}{more} more, see the full report*\n"),
                Lang::Zh => format!("\n*{name}另有 {more} 项，见完整报表*\n"),
            });
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

fn section(section: &Section, lang: Lang) -> Block {
    let title = section.title.text(lang);
    let before = format!("\n### {title}{}\n", lang.bracketed(&section.rows.len().to_string()));
    let columns = || {
        let shown = |(at, column): &(usize, &crate::document::Column)| !column.wide && section.group != Some(*at);
        section.columns.iter().enumerate().filter(shown)
    };
    let names: Vec<&str> = columns().map(|(_, column)| column.label.text(lang)).collect();
    let rule: Vec<&str> = columns().map(|(_, column)| if column.right { "---:" } else { "---" }).collect();
    let head = format!("\n| {} |\n| {} |\n", names.join(" | "), rule.join(" | "));
    let line = |row: &Vec<Cell>| {
        let text = |cell: &Cell| escape(&show(cell, lang, false, NARROW_LIST));
        let cells: Vec<String> = columns().map(|(at, _)| row.get(at).map_or_else(String::new, text)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let fold = |name: &str, rows: &str| format!("\n<details><summary>{name}{}</summary>\n", lang.bracketed(rows));
    if section.group.is_some() && !section.rows.is_empty() {
        // A fold per group; one that does not fit whole is left out and counted.
        let mut items = Vec::new();
        for (name, rows) in section.groups() {
            let name = name.map_or_else(String::new, |cell| escape(&show(cell, lang, false, NARROW_LIST)));
            for (nth, part) in rows.chunks(FOLD_ROWS).enumerate() {
                let from = nth * FOLD_ROWS;
                let shown = match rows.len() {
                    all @ 0..=FOLD_ROWS => all.to_string(),
                    all => format!("{}–{} / {all}", from + 1, from + part.len()),
                };
                let lines: String = part.iter().map(|row| line(row)).collect();
                items.push((part.len(), format!("{}{head}{lines}\n</details>\n", fold(&name, &shown))));
            }
        }
        return Block { before, items, after: "" };
    }
    let items: Vec<(usize, String)> = section.rows.iter().map(|row| (1, line(row))).collect();
    match items.len() {
        0 => Block { before: format!("{before}\n{}\n", Word::None.text(lang)), items, after: "" },
        1..=OPEN_ROWS => Block { before: before + &head, items, after: "" },
        rows => Block { before: before + &fold(title, &rows.to_string()) + &head, items, after: "\n</details>\n" },
    }
}

/// Text of the input that stays text: no markup, no table border, no mention, no line break.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '~' => {
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
    fn one_large_group_shows_what_fits_of_it() {
        let mut document = sample::large(1000);
        document.sections[0].rows.iter_mut().for_each(|row| row[0] = "昆明市".into());
        let text = render(&document, &Options { max_bytes: Some(60_000), ..Options::default() });
        let rows = text.lines().filter(|line| line.starts_with("| row-")).count();
        assert!(text.len() <= 60_000 && (100..1000).contains(&rows), "{rows} rows in {} bytes", text.len());
        assert!(text.contains("昆明市 (1–50 / 1000)"), "{text}");
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
