//! Cells for spreadsheets, shared by CSV and XLSX: figures as bare numbers in one unit per column, named in its heading.
//!
//! A program that adds a column up needs numbers without unit and grouping. Where a column mixes units or holds ranges
//! and shares, its cells stay the text a person reads.

use super::cell::show;
use crate::document::{Cell, Section};
use crate::words::{Lang, Unit};

/// What a spreadsheet is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A text, never a formula.
    Text(String),
    /// `value / 10^decimals`.
    Number {
        /// The digits.
        value: i64,
        /// How many of them stand after the point.
        decimals: u32,
    },
}

impl Field {
    /// The number without grouping, or the text.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number { value, decimals } => plain(*value, *decimals),
        }
    }
}

/// Decimals of a unit, and its name in a heading.
fn scale(unit: Unit, lang: Lang) -> (u32, &'static str) {
    let pick = |en, zh| if lang == Lang::Zh { zh } else { en };
    match unit {
        Unit::Millicores => (3, pick("CPU", "核")),
        Unit::Bytes => (0, "B"),
        Unit::MilliwattHours => (6, "kWh"),
        Unit::MilligramsCo2 => (6, "kgCO2"),
        Unit::Fen => (2, pick("CNY", "元")),
        Unit::PerMille => (3, ""),
        Unit::Percent => (0, "%"),
        Unit::Points => (0, pick("points", "分")),
        Unit::Days => (0, pick("days", "天")),
        Unit::Seconds => (0, pick("s", "秒")),
        Unit::Thousandths => (3, ""),
        Unit::MicroFen => (8, pick("CNY", "元")),
    }
}

/// The one unit of a column; `None` when it has none or several.
fn unit_of(section: &Section, column: usize) -> Option<Unit> {
    let mut unit = None;
    for cell in section.rows.iter().filter_map(|row| row.get(column)) {
        match cell {
            Cell::Quantity(_, own) if unit.is_none_or(|unit| unit == *own) => unit = Some(*own),
            Cell::Unknown | Cell::NotApplicable => {}
            _ => return None,
        }
    }
    unit
}

/// Headings of all columns, wide ones included.
pub(super) fn headings(section: &Section, lang: Lang) -> Vec<String> {
    let heading = |(at, column): (usize, &crate::document::Column)| {
        let label = column.label.text(lang);
        match unit_of(section, at).map(|unit| scale(unit, lang).1).filter(|name| !name.is_empty()) {
            Some(unit) => format!("{label} [{unit}]"),
            None => label.to_owned(),
        }
    };
    section.columns.iter().enumerate().map(heading).collect()
}

/// The rows under [`headings`].
pub(super) fn rows(section: &Section, lang: Lang) -> Vec<Vec<Field>> {
    let units: Vec<Option<Unit>> = (0..section.columns.len()).map(|at| unit_of(section, at)).collect();
    let field = |(cell, unit): (&Cell, &Option<Unit>)| match (cell, unit) {
        (Cell::Int(value), _) => Field::Number { value: *value, decimals: 0 },
        (Cell::Quantity(value, _), Some(unit)) => Field::Number { value: *value, decimals: scale(*unit, lang).0 },
        (cell, _) => Field::Text(show(cell, lang, false, usize::MAX)),
    };
    section.rows.iter().map(|row| row.iter().zip(&units).map(field).collect()).collect()
}

/// `value / 10^decimals` without needless zeros.
fn plain(value: i64, decimals: u32) -> String {
    let scale = 10_u64.pow(decimals);
    let (whole, fraction) = (value.unsigned_abs() / scale, value.unsigned_abs() % scale);
    let width = usize::try_from(decimals).unwrap_or(0);
    let digits = if decimals == 0 { String::new() } else { format!(".{fraction:0width$}") };
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{}{whole}{digits}", if value < 0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Column;
    use crate::words::Word;

    #[test]
    fn a_column_of_one_unit_is_numbers_and_a_mixed_one_is_text() {
        let columns = vec![Column::figure("cpu", Word::Cpu), Column::figure("memory", Word::Memory)];
        let mut section = Section::new(Word::SectionPools, columns);
        section.row(vec![Cell::Quantity(12_500, Unit::Millicores), Cell::Quantity(1 << 30, Unit::Bytes)]);
        section.row(vec![Cell::Unknown, Cell::Quantity(5, Unit::Days)]);
        assert_eq!(headings(&section, Lang::En), ["CPU [CPU]", "Memory"]);
        let texts: Vec<Vec<String>> =
            rows(&section, Lang::En).iter().map(|row| row.iter().map(Field::plain).collect()).collect();
        assert_eq!(texts, [["12.5", "1 GiB"], ["unknown", "5 days"]]);
    }

    #[test]
    fn numbers_are_written_without_grouping_and_needless_zeros() {
        let cases = [(1_234_500, 2, "12345"), (-5, 3, "-0.005"), (0, 6, "0"), (i64::MIN, 0, "-9223372036854775808")];
        for (value, decimals, text) in cases {
            assert_eq!(plain(value, decimals), text);
        }
    }
}
