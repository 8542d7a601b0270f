//! Charts as inline SVG: bars, stacked bars and the funnel of a decision.
//!
//! A chart draws columns of a table that stands beside it, so it is a picture for the eye and hidden from screen
//! readers, which have the table. No script, no font, no link. Colours are classes of the page's style sheet; the
//! parts of a stack also carry their name as a tooltip and in the legend.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use super::cell::show;
use crate::document::{Cell, ChartForm, Section};
use crate::finding::width;
use crate::words::{Lang, Word};

/// Bars drawn; below a longer table's picture stands how many more rows it has.
const MOST: usize = 24;
/// Width kept for the names, in units of the view box.
const LABEL: i128 = 190;
/// Width of the longest bar.
const BAR: i128 = 400;
/// Width kept for the figures.
const VALUE: i128 = 150;
/// Height of a row.
const ROW: usize = 26;
/// Display columns of a name before it is cut.
const NAME: usize = 24;
/// Colours of the style sheet, used in turn.
const COLOURS: usize = 6;

/// The picture of a section, or `None` when it has none to draw.
pub(super) fn draw(section: &Section, lang: Lang) -> Option<String> {
    let chart = section.chart.as_ref()?;
    let rows: Vec<Bar> =
        section.rows.iter().take(MOST).map(|row| Bar::of(row, chart.label, &chart.values, lang)).collect();
    let longest = rows.iter().map(Bar::total).max().filter(|total| *total > 0)?;
    let stacked = chart.values.len() > 1;
    let more = section.rows.len().saturating_sub(MOST);
    let height = ROW * (rows.len() + usize::from(stacked) + usize::from(more > 0)) + 6;
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {} {height}\" aria-hidden=\"true\" focusable=\"false\">",
        LABEL + BAR + VALUE
    );
    let mut y = 3;
    if stacked {
        legend(&mut out, section, &chart.values, lang);
        y += ROW;
    }
    for bar in &rows {
        bar.write(&mut out, y, longest, chart.form, stacked);
        y += ROW;
    }
    if more > 0 {
        let text = match lang {
            Lang::En => format!("{more} more in the table"),
            Lang::Zh => format!("另有 {more} 项见表"),
        };
        label(&mut out, 0, y, "muted", &text);
    }
    out.push_str("</svg>");
    Some(out)
}

/// One bar: its name, its parts, what stands at its end.
struct Bar {
    name: String,
    parts: Vec<(i128, String)>,
    text: String,
    known: bool,
}

impl Bar {
    fn of(row: &[Cell], label: usize, values: &[usize], lang: Lang) -> Self {
        let text = |at: usize| row.get(at).map_or_else(String::new, |cell| show(cell, lang, false, 8));
        let parts: Vec<_> = values
            .iter()
            .map(|at| {
                let value = row.get(*at).and_then(Cell::magnitude).unwrap_or(0);
                (i128::from(value.max(0)), text(*at))
            })
            .collect();
        let known = values.iter().any(|at| row.get(*at).is_some_and(|cell| cell.magnitude().is_some()));
        let all: Vec<&str> = parts.iter().map(|(_, text)| text.as_str()).collect();
        let end = if known { all.join(" + ") } else { Word::Unknown.text(lang).to_owned() };
        Self { name: text(label), parts, text: end, known }
    }

    fn total(&self) -> i128 {
        self.parts.iter().map(|(value, _)| value).sum()
    }

    fn write(&self, out: &mut String, y: usize, longest: i128, form: ChartForm, stacked: bool) {
        let scale = |value: i128| value * BAR / longest;
        label(out, 0, y, "", &self.name);
        let full = scale(self.total());
        let mut x = LABEL + if form == ChartForm::Funnel { (BAR - full) / 2 } else { 0 };
        for (at, (value, text)) in self.parts.iter().enumerate().filter(|(_, (value, _))| *value > 0) {
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "<rect class=\"c{}\" x=\"{x}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{} {}</title></rect>",
                at % COLOURS,
                y + 3,
                scale(*value).max(1),
                ROW - 8,
                escape(&self.name),
                escape(text)
            );
            x += scale(*value);
        }
        if !self.known {
            let _ = write!(
                out,
                "<rect class=\"hollow\" x=\"{LABEL}\" y=\"{}\" width=\"24\" height=\"{}\"/>",
                y + 3,
                ROW - 8
            );
        }
        let end = match form {
            ChartForm::Funnel => LABEL + BAR,
            ChartForm::Bars if self.known => LABEL + full,
            ChartForm::Bars => LABEL + 24,
        };
        let most = if stacked { NAME + 8 } else { NAME };
        label_at(out, end + 8, y, "figure", &self.text, most);
    }
}

fn legend(out: &mut String, section: &Section, values: &[usize], lang: Lang) {
    let mut x = LABEL;
    for (at, column) in values.iter().enumerate() {
        let name = section.columns.get(*column).map_or("", |column| column.label.text(lang));
        let _ = write!(out, "<rect class=\"c{}\" x=\"{x}\" y=\"8\" width=\"12\" height=\"12\"/>", at % COLOURS);
        label(out, x + 17, 3, "", name);
        x += 34 + 8 * i128::try_from(width(name)).unwrap_or(0);
    }
}

fn label(out: &mut String, x: i128, y: usize, class: &str, text: &str) {
    label_at(out, x, y, class, text, NAME);
}

/// Text cut to a display width, with the whole of it as a tooltip.
fn label_at(out: &mut String, x: i128, y: usize, class: &str, text: &str, most: usize) {
    let mut used = 0;
    let short: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= most
        })
        .collect();
    let cut = if short.len() < text.len() { "…" } else { "" };
    let _ = write!(
        out,
        "<text class=\"{class}\" x=\"{x}\" y=\"{}\">{}{cut}<title>{}</title></text>",
        y + ROW - 10,
        escape(&short),
        escape(text)
    );
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Chart, Column};

    fn section(values: &[i64]) -> Section {
        let columns = vec![Column::text("cluster", Word::Cluster), Column::figure("nodes", Word::Nodes)];
        let chart = Chart { form: ChartForm::Bars, label: 0, values: vec![1] };
        let mut section = Section::new(Word::SectionClusters, columns).drawn(chart);
        values.iter().for_each(|value| section.row(vec!["<麒麟>".into(), (*value).into()]));
        section
    }

    #[test]
    fn the_longest_bar_fills_the_room_and_the_others_are_in_proportion() {
        let svg = draw(&section(&[i64::MAX, i64::MAX / 2, -5]), Lang::En).unwrap();
        assert!(svg.contains("width=\"400\"") && svg.contains("width=\"199\""), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2);
    }

    #[test]
    fn names_are_escaped_and_an_empty_table_has_no_picture() {
        let svg = draw(&section(&[1]), Lang::En).unwrap();
        assert!(svg.contains("&lt;麒麟&gt;") && !svg.contains("<麒麟>"));
        assert_eq!(draw(&section(&[]), Lang::En), None);
        assert_eq!(draw(&section(&[0]), Lang::En), None);
    }

    #[test]
    fn a_long_table_says_how_many_rows_are_not_drawn() {
        let svg = draw(&section(&[3; 100]), Lang::Zh).unwrap();
        assert!(svg.contains("另有 76 项见表"));
    }
}
