//! Charts as inline SVG: bars, stacked bars, the funnel of a decision, a line over time.
//!
//! A chart draws columns of a table that stands beside it, so it is a picture for the eye and hidden from screen
//! readers, which have the table. No script, no font, no link. Colours are classes of the page's style sheet; the
//! parts of a stack also carry their name as a tooltip and in the legend.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use super::cell::show;
use crate::document::{Cell, Chart, ChartForm, Section};
use crate::finding::width;
use crate::words::{Lang, Word, grouped};

/// Bars drawn; below a longer table's picture stands how many more rows it has.
const MOST: usize = 24;
/// Width kept for the names, in units of the view box.
const LABEL: i128 = 190;
/// Width of the longest bar.
const BAR: i128 = 400;
/// Width kept for the figures; a picture with longer ones is wider.
const VALUE: i128 = 150;
/// Width of a display column of text, rounded up.
const COLUMN: i128 = 8;
/// Height of a row.
const ROW: usize = 26;
/// The same, as a length.
const ROW_HEIGHT: i128 = 26;
/// Height of the plot of a line.
const PLOT: i128 = 120;
/// Display columns of a name before it is cut.
const NAME: usize = 24;
/// Colours of the style sheet, used in turn.
const COLOURS: usize = 6;

/// The picture of a section, or `None` when it has none to draw.
pub(super) fn draw(section: &Section, lang: Lang) -> Option<String> {
    let chart = section.chart.as_ref()?;
    if chart.form == ChartForm::Line {
        return line(section, chart, lang);
    }
    let (bars, parts) = bars(section, chart, lang);
    let longest = bars.iter().map(|bar| bar.total().max(bar.limit.unwrap_or(0))).max().filter(|total| *total > 0)?;
    let more = bars.len().saturating_sub(MOST);
    let drawn = &bars[..bars.len() - more];
    let height = ROW * (drawn.len() + usize::from(!parts.is_empty()) + usize::from(more > 0)) + 6;
    let right = |bar: &Bar| bar.end(longest, chart.form) + 8 + COLUMN * columns(&bar.text);
    let wide = drawn.iter().map(right).max().unwrap_or(0).max(LABEL + BAR + VALUE);
    let mut out =
        format!("<svg class=\"chart\" viewBox=\"0 0 {wide} {height}\" aria-hidden=\"true\" focusable=\"false\">");
    let mut y = 3;
    if !parts.is_empty() {
        legend(&mut out, &parts);
        y += ROW;
    }
    for bar in drawn {
        bar.write(&mut out, y, longest, chart.form);
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

/// A line from the first row to the last, over zero; a gap where a figure is not known. `None` with fewer than two known.
fn line(section: &Section, chart: &Chart, lang: Lang) -> Option<String> {
    let cell = |row: &[Cell], at: usize| row.get(at).map_or_else(String::new, |cell| show(cell, lang, false, 8));
    let value = |row: &Vec<Cell>| row.get(chart.value).and_then(Cell::magnitude).map(|value| i128::from(value.max(0)));
    let values: Vec<Option<i128>> = section.rows.iter().map(value).collect();
    let most = values.iter().flatten().copied().max()?;
    if values.iter().flatten().count() < 2 || most == 0 {
        return None;
    }
    let steps = i128::try_from(values.len() - 1).ok()?.max(1);
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {} {}\" aria-hidden=\"true\" focusable=\"false\">",
        LABEL + BAR + VALUE,
        PLOT + 2 * ROW_HEIGHT
    );
    let (mut path, mut pen) = (String::new(), 'M');
    for (at, value) in (0_i128..).zip(&values) {
        let Some(value) = value else {
            pen = 'M';
            continue;
        };
        let _ = write!(path, "{pen}{} {} ", LABEL + at * BAR / steps, ROW_HEIGHT + PLOT - value * PLOT / most);
        pen = 'L';
    }
    let _ = write!(out, "<path class=\"axis\" d=\"M{LABEL} {ROW_HEIGHT} v{PLOT} h{BAR}\"/>");
    let _ = write!(out, "<path class=\"line\" d=\"{}\"/>", path.trim_end());
    let highest = section.rows.iter().find(|row| value(row) == Some(most));
    let top = highest.map(|row| cell(row, chart.value)).unwrap_or_default();
    label(&mut out, 0, 3, "figure", &top);
    let below = usize::try_from(PLOT + ROW_HEIGHT).unwrap_or(0);
    for (row, x) in [(section.rows.first(), LABEL), (section.rows.last(), LABEL + BAR)] {
        label(&mut out, x, below, "muted", &row.map(|row| cell(row, chart.label)).unwrap_or_default());
    }
    out.push_str("</svg>");
    Some(out)
}

/// The bars in the order in which their names appear, and the names of the parts when they have some.
fn bars(section: &Section, chart: &Chart, lang: Lang) -> (Vec<Bar>, Vec<String>) {
    let (mut bars, mut parts): (Vec<Bar>, Vec<String>) = (Vec::new(), Vec::new());
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for row in &section.rows {
        let text = |at: usize| row.get(at).map_or_else(String::new, |cell| show(cell, lang, false, 8));
        let name = text(chart.label);
        // Without parts each row is a bar of its own, whatever its name.
        let key = if chart.part.is_some() { name.clone() } else { bars.len().to_string() };
        let place = *places.entry(key).or_insert(bars.len());
        if place == bars.len() {
            bars.push(Bar { name, parts: Vec::new(), text: String::new(), known: false, limit: None });
        }
        let colour = chart.part.map_or(0, |part| {
            let part = text(part);
            parts.iter().position(|known| *known == part).unwrap_or_else(|| {
                parts.push(part);
                parts.len() - 1
            })
        });
        let bar = &mut bars[place];
        if let ChartForm::Limit(column) = chart.form {
            bar.limit = row.get(column).and_then(Cell::magnitude).map(|limit| i128::from(limit.max(0)));
        }
        let value = row.get(chart.value).and_then(Cell::magnitude);
        bar.known |= value.is_some();
        bar.parts.push(Part { colour, value: i128::from(value.unwrap_or(0).max(0)), text: text(chart.value) });
    }
    for bar in &mut bars {
        bar.text = match bar.parts.as_slice() {
            _ if !bar.known => Word::Unknown.text(lang).to_owned(),
            [part] => part.text.clone(),
            _ => grouped(i64::try_from(bar.total()).unwrap_or(i64::MAX)),
        };
    }
    (bars, parts)
}

/// One bar: its name, its parts, what stands at its end.
struct Bar {
    name: String,
    parts: Vec<Part>,
    text: String,
    known: bool,
    limit: Option<i128>,
}

/// One part of a bar.
struct Part {
    colour: usize,
    value: i128,
    text: String,
}

impl Bar {
    fn total(&self) -> i128 {
        self.parts.iter().map(|part| part.value).sum()
    }

    fn write(&self, out: &mut String, y: usize, longest: i128, form: ChartForm) {
        let scale = |value: i128| value * BAR / longest;
        label(out, 0, y, "", &self.name);
        let full = scale(self.total());
        let mut x = LABEL + if form == ChartForm::Funnel { (BAR - full) / 2 } else { 0 };
        for part in self.parts.iter().filter(|part| part.value > 0) {
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "<rect class=\"c{}\" x=\"{x}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{} {}</title></rect>",
                part.colour % COLOURS,
                y + 3,
                scale(part.value).max(1),
                ROW - 8,
                escape(&self.name),
                escape(&part.text)
            );
            x += scale(part.value);
        }
        if !self.known {
            let _ = write!(
                out,
                "<rect class=\"hollow\" x=\"{LABEL}\" y=\"{}\" width=\"24\" height=\"{}\"/>",
                y + 3,
                ROW - 8
            );
        }
        if let Some(x) = self.limit.map(|limit| LABEL + scale(limit)) {
            let _ = write!(out, "<path class=\"limit\" d=\"M{x} {} v{}\"/>", y, ROW - 2);
        }
        label(out, self.end(longest, form) + 8, y, "figure", &self.text);
    }

    /// Where it ends, with its limit.
    fn end(&self, longest: i128, form: ChartForm) -> i128 {
        let scale = |value: i128| value * BAR / longest;
        match form {
            ChartForm::Funnel => LABEL + BAR,
            ChartForm::Bars | ChartForm::Limit(_) | ChartForm::Line => {
                let full = if self.known { scale(self.total()) } else { 24 };
                LABEL + full.max(self.limit.map_or(0, scale))
            }
        }
    }
}

fn legend(out: &mut String, parts: &[String]) {
    let mut x = LABEL;
    for (at, name) in parts.iter().enumerate() {
        let _ = write!(out, "<rect class=\"c{}\" x=\"{x}\" y=\"8\" width=\"12\" height=\"12\"/>", at % COLOURS);
        label(out, x + 17, 3, "", name);
        x += 34 + COLUMN * columns(name);
    }
}

/// Display columns of a text as it is drawn.
fn columns(text: &str) -> i128 {
    i128::try_from(width(text).min(NAME + 1)).unwrap_or(0)
}

/// Text cut to a display width, with the whole of it as a tooltip.
fn label(out: &mut String, x: i128, y: usize, class: &str, text: &str) {
    let mut used = 0;
    let short: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= NAME
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
    use crate::document::Column;

    fn section(values: &[i64]) -> Section {
        let columns = vec![Column::text("cluster", Word::Cluster), Column::figure("nodes", Word::Nodes)];
        let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 1 };
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
    fn a_long_figure_at_the_end_of_the_longest_bar_is_inside_the_picture() {
        let columns = vec![Column::text("figure", Word::Cluster), Column::figure("share", Word::Nodes)];
        let chart = Chart { form: ChartForm::Bars, label: 0, part: None, value: 1 };
        let wide = |cell: Cell| {
            let mut section = Section::new(Word::SectionClusters, columns.clone()).drawn(chart.clone());
            section.row(vec!["国产品牌占比".into(), cell]);
            let svg = draw(&section, Lang::Zh).unwrap();
            let width = svg.split("viewBox=\"0 0 ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
            width.parse::<i128>().unwrap()
        };
        assert_eq!(wide(7_i64.into()), 740);
        // Cut after 24 display columns, with an ellipsis, behind the longest bar.
        assert_eq!(wide(Cell::Ratio(123_456_789, 987_654_321)), LABEL + BAR + 8 + 8 * 25);
    }

    #[test]
    fn names_are_escaped_and_an_empty_table_has_no_picture() {
        let svg = draw(&section(&[1]), Lang::En).unwrap();
        assert!(svg.contains("&lt;麒麟&gt;") && !svg.contains("<麒麟>"));
        assert_eq!(draw(&section(&[]), Lang::En), None);
        assert_eq!(draw(&section(&[0]), Lang::En), None);
    }

    #[test]
    fn a_line_goes_through_every_row_over_zero_and_breaks_where_nothing_is_known() {
        let mut section = section(&[0, 50, 100]);
        section.rows.push(vec!["d".into(), Cell::Unknown]);
        section.rows.push(vec!["e".into(), 25_i64.into()]);
        section.chart = Some(Chart { form: ChartForm::Line, label: 0, part: None, value: 1 });
        let svg = draw(&section, Lang::En).unwrap();
        assert!(svg.contains("d=\"M190 146 L290 86 L390 26 M590 116\""), "{svg}");
        assert!(svg.contains(">100<title>") && svg.contains(">e<title>"), "{svg}");
        section.rows.truncate(1);
        assert_eq!(draw(&section, Lang::En), None);
    }

    #[test]
    fn a_long_table_says_how_many_rows_are_not_drawn() {
        let svg = draw(&section(&[3; 100]), Lang::Zh).unwrap();
        assert!(svg.contains("另有 76 项见表"));
    }

    #[test]
    fn rows_of_one_name_stack_and_show_their_sum() {
        let columns = ["cluster", "object", "nodes"].map(|key| Column::text(key, Word::Cluster)).to_vec();
        let chart = Chart { form: ChartForm::Bars, label: 0, part: Some(1), value: 2 };
        let mut section = Section::new(Word::SectionClusters, columns).drawn(chart);
        for (cluster, part, value) in [("a", "PUE", 30_i64), ("a", "cost", 10), ("b", "cost", 20)] {
            section.row(vec![cluster.into(), part.into(), value.into()]);
        }
        let svg = draw(&section, Lang::En).unwrap();
        assert!(svg.contains(">40<title>"), "{svg}");
        // Two in the legend, three parts; the same part has the same colour in both bars.
        assert_eq!((svg.matches("class=\"c0\"").count(), svg.matches("class=\"c1\"").count()), (2, 3));
    }
}
