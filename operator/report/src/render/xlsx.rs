//! XLSX: a sheet with the key figures, a sheet per table, one for the findings.
//!
//! Figures are numbers with their unit in the heading ([`super::sheet`]), text is text and never a formula. The bytes are
//! the same for the same document: the file's own date is the time the report looks from.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use unicode_width::UnicodeWidthStr as _;

use super::sheet::{Field, headings, rows};
use super::{Options, RenderError, cell, csv};
use crate::document::Document;
use crate::words::{Lang, Word};

/// Characters that fit into a cell of a workbook.
const CELL: usize = 32_767;
/// Characters that fit into the name of a sheet.
const NAME: usize = 31;
/// Columns are at most so wide; longer text is cut by the next cell, as spreadsheets do.
const WIDEST: usize = 60;

pub(super) fn render(document: &Document, options: &Options) -> Result<Vec<u8>, RenderError> {
    Ok(book(document, options.lang)?.save_to_buffer()?)
}

fn book(document: &Document, lang: Lang) -> Result<Workbook, XlsxError> {
    let mut book = Workbook::new();
    let mut properties = DocProperties::new().set_title(cell::title(document, lang));
    // Without a time of its own a report would carry the time it was written.
    let at = document.meta.as_of.map_or(0, jiff::Timestamp::as_second).max(0);
    properties = properties.set_creation_datetime(&ExcelDateTime::from_timestamp(at)?);
    book.set_properties(&properties);
    let bold = Format::new().set_bold();
    let mut names: Vec<String> = Vec::new();

    let head = book.add_worksheet();
    head.set_name(unique(Word::Headline.text(lang), &mut names))?;
    let mut lines: Vec<(String, String)> = vec![(cell::title(document, lang), String::new())];
    lines.extend(document.headline.iter().map(|figure| cell::figure(figure, lang, false)));
    lines.extend(cell::meta(document, lang).into_iter().map(|(label, value)| (label.to_owned(), value)));
    let notes = document.notes.iter();
    lines.extend(notes.map(|note| (Word::Notes.text(lang).to_owned(), note.text(lang).to_owned())));
    for (at, (label, value)) in (0_u32..).zip(&lines) {
        head.write_string_with_format(at, 0, cut(label), &bold)?;
        head.write_string(at, 1, cut(value))?;
    }
    head.set_column_width(0, 32)?;
    head.set_column_width(1, 60)?;

    for section in &document.sections {
        let sheet = book.add_worksheet();
        sheet.set_name(unique(section.title.text(lang), &mut names))?;
        table(sheet, &headings(section, lang), &rows(section, lang), &bold)?;
    }
    if !document.findings.is_empty() {
        let sheet = book.add_worksheet();
        sheet.set_name(unique(Word::SectionFindings.text(lang), &mut names))?;
        let rows = csv::findings(document, lang).into_iter();
        let rows: Vec<Vec<Field>> = rows.map(|row| row.into_iter().map(Field::Text).collect()).collect();
        table(sheet, &csv::finding_headings(lang), &rows, &bold)?;
    }
    Ok(book)
}

fn table(sheet: &mut Worksheet, headings: &[String], rows: &[Vec<Field>], bold: &Format) -> Result<(), XlsxError> {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.width()).collect();
    for (at, heading) in (0_u16..).zip(headings) {
        sheet.write_string_with_format(0, at, cut(heading), bold)?;
    }
    for (row, fields) in (1_u32..).zip(rows) {
        for ((at, field), width) in (0_u16..).zip(fields).zip(&mut widths) {
            let text = field.plain();
            *width = (*width).max(text.width());
            match text.parse::<f64>() {
                // A number with more digits than a spreadsheet keeps stays text.
                Ok(number) if matches!(field, Field::Number { value, .. } if value.unsigned_abs() < 1 << 53) => {
                    sheet.write_number(row, at, number)?;
                }
                _ => {
                    sheet.write_string(row, at, cut(&text))?;
                }
            }
        }
    }
    for (at, width) in (0_u16..).zip(&widths) {
        let width = u32::try_from((*width).min(WIDEST) + 2).unwrap_or(0);
        sheet.set_column_width(at, f64::from(width))?;
    }
    sheet.set_freeze_panes(1, 0)?;
    if let (Ok(last_row), Ok(last_column)) = (u32::try_from(rows.len()), u16::try_from(headings.len()))
        && last_row > 0
        && last_column > 0
    {
        sheet.autofilter(0, 0, last_row, last_column - 1)?;
    }
    Ok(())
}

/// A name that Excel takes for a sheet and that no other has.
fn unique(title: &str, taken: &mut Vec<String>) -> String {
    let plain: String = title.chars().filter(|c| !"[]:*?/\\'".contains(*c)).take(NAME - 4).collect();
    let mut name = plain.clone();
    let mut nth = 2;
    while taken.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
        name = format!("{plain} {nth}");
        nth += 1;
    }
    taken.push(name.clone());
    name
}

fn cut(text: &str) -> String {
    if text.chars().count() > CELL { text.chars().take(CELL - 1).chain(['…']).collect() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn the_same_document_gives_the_same_bytes() {
        let options = Options { lang: Lang::Zh, ..Options::default() };
        let made = || render(&sample::document(), &options).expect("a workbook");
        assert_eq!(made(), made());
        assert!(made().starts_with(b"PK"));
    }

    #[test]
    fn names_of_sheets_are_short_clean_and_unique() {
        let mut taken = Vec::new();
        let long = "问".repeat(40);
        let names = [unique("a/b:c", &mut taken), unique("A/B:C", &mut taken), unique(&long, &mut taken)];
        assert_eq!((names[0].as_str(), names[1].as_str()), ("abc", "ABC 2"));
        assert_eq!(names[2].chars().count(), 27);
    }
}
