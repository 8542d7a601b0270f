//! Invoices of providers and lists of deductions: CSV as a spreadsheet exports it, each row with what it is for.
//!
//! A row is for a month and a provider, and narrower where it names a body, an information system or a catalogue code. A
//! row that cannot be used is a finding with its line and left out; it never becomes a zero. How a table is read stands
//! in [`crate::table`].

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_engine::terms::{Code, Fen, Finding, ObjectRef, Place, Reason};
use jiuzhou_measure::cost::{Deduction, Invoiced, Selector};
use jiuzhou_measure::{Month, Period};

use crate::figures::Payers;
pub use crate::table::BYTES;
use crate::table::{self, Columns};

/// Largest amount of a row in fen: as much as a price may be, and a million of them are still in range.
const MOST: i64 = 9_000_000_000_000;
/// Names that a finding lists at most.
const LISTED: usize = 12;

/// Columns and what they are called.
const COLUMNS: Columns = &[
    ("month", &["账期", "月份"]),
    ("provider", &["服务商", "云服务商"]),
    ("tenant", &["单位"]),
    ("system", &["政务信息系统", "系统", "项目编码"]),
    ("code", &["服务目录编码", "目录编码"]),
    ("amount", &["金额", "金额（元）", "金额(元)"]),
    ("reason", &["扣减原因", "原因"]),
];

/// What papers say, beside the settlement they are held against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Papers {
    /// Lines of the invoice; `None` without one.
    pub invoice: Option<Vec<Invoiced>>,
    /// Places of its lines.
    pub invoice_places: BTreeMap<u32, Place>,
    /// Deductions.
    pub deductions: Vec<Deduction>,
    /// Places of their lines.
    pub deduction_places: BTreeMap<u32, Place>,
}

impl Papers {
    /// Takes an invoice in.
    pub fn take_invoice(&mut self, name: &str, bytes: &[u8], payers: &Payers, period: Period) -> Vec<Finding> {
        let mut reader = Reader { name, payers, period, findings: Vec::new() };
        // A file that cannot be read is no invoice that asks for nothing.
        let Some(rows) = reader.rows(bytes, &["month", "provider", "amount"], false) else { return reader.findings };
        self.invoice_places = rows.iter().map(|row| (row.place.line, row.place.clone())).collect();
        let line = |row: Row| Invoiced { line: row.place.line, selector: row.selector, amount: row.amount };
        self.invoice = Some(rows.into_iter().map(line).collect());
        reader.findings
    }

    /// Takes deductions in.
    pub fn take_deductions(&mut self, name: &str, bytes: &[u8], payers: &Payers, period: Period) -> Vec<Finding> {
        let mut reader = Reader { name, payers, period, findings: Vec::new() };
        let rows = reader.rows(bytes, &["month", "provider", "amount", "reason"], true).unwrap_or_default();
        self.deduction_places = rows.iter().map(|row| (row.place.line, row.place.clone())).collect();
        let line = |row: Row| Deduction {
            line: row.place.line,
            selector: row.selector,
            amount: row.amount,
            reason: row.reason,
        };
        self.deductions = rows.into_iter().map(line).collect();
        reader.findings
    }
}

/// A row that can be used.
struct Row {
    selector: Selector,
    amount: Fen,
    reason: String,
    place: Place,
}

struct Reader<'a> {
    name: &'a str,
    payers: &'a Payers,
    period: Period,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn rows(&mut self, bytes: &[u8], needed: &[&str], deductions: bool) -> Option<Vec<Row>> {
        let read = table::read(self.name, bytes, COLUMNS, needed, &mut self.findings)?;
        let mut rows = Vec::new();
        for one in read {
            match self.row(&|key: &str| one.get(key), one.place.clone(), deductions) {
                Ok(row) => rows.extend(row),
                Err(reason) => self.told(reason, one.place.clone()),
            }
        }
        self.findings.sort_by_key(|finding| finding.place.as_ref().map(|place| place.line));
        Some(rows)
    }

    fn row<'b>(
        &mut self,
        cell: &impl Fn(&str) -> &'b str,
        place: Place,
        deductions: bool,
    ) -> Result<Option<Row>, Reason> {
        let wrong = |key: &str| Reason::new(Code::TableRowInvalid).object(key).seen(cell(key));
        let month = Month::parse(cell("month")).map_err(|_| wrong("month").wanted("2026-10"))?;
        let provider = cell("provider");
        if !self.payers.providers.contains(provider) {
            return Err(wrong("provider").wanted(some(self.payers.providers.iter())));
        }
        let amount = fen(cell("amount")).filter(|fen| !deductions || fen.0 > 0);
        let amount = amount.ok_or_else(|| wrong("amount").wanted("1234.50"))?;
        let optional = |key: &str| Some(cell(key)).filter(|text| !text.is_empty());
        let tenant = optional("tenant").map(|text| {
            let found = self.payers.tenants.get(text);
            found.cloned().ok_or_else(|| wrong("tenant").wanted(some(self.payers.tenants.keys())))
        });
        let system = optional("system").map(|text| {
            let found = self.payers.systems.get(text);
            found.cloned().ok_or_else(|| wrong("system").wanted(some(self.payers.systems.keys())))
        });
        let (tenant, system): (Option<String>, Option<ObjectRef>) = (tenant.transpose()?, system.transpose()?);
        let code = optional("code").map(str::to_owned);
        if let Some(code) = code.as_ref().filter(|code| !self.payers.codes.contains(*code)) {
            return Err(wrong("code").seen(code.as_str()).wanted(some(self.payers.codes.iter())));
        }
        let reason = cell("reason").to_owned();
        if deductions && reason.is_empty() {
            return Err(wrong("reason").wanted("SLA 99.95 %"));
        }
        if !self.period.contains(month) {
            let reason = Reason::new(Code::TableRowOutside).seen(month.to_string()).wanted(self.period.to_string());
            self.told(reason, place);
            return Ok(None);
        }
        let bodies = tenant.as_ref().map(|name| self.payers.below(name)).unwrap_or_default();
        let selector = Selector { month, provider: provider.to_owned(), tenant, system, code, bodies };
        Ok(Some(Row { selector, amount, reason, place }))
    }

    fn told(&mut self, reason: Reason, place: Place) {
        self.findings.push(Finding::new(reason).at(place));
    }
}

/// The first of some names.
fn some<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let distinct: BTreeSet<&String> = names.collect();
    distinct.into_iter().take(LISTED).cloned().collect()
}

/// Yuan with at most two decimals as fen; no grouping, no sign of a currency, because both are written in many ways.
fn fen(text: &str) -> Option<Fen> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (yuan, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric(yuan) || !numeric(part) || part.len() > 2 {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    let fen = yuan.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part)?;
    (fen <= MOST).then_some(Fen(if negative { -fen } else { fen }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payers() -> Payers {
        let name = |text: &str| text.to_owned();
        let portal = ObjectRef::new("InformationSystem", "dali", "portal");
        Payers {
            providers: [name("cec"), name("yn")].into(),
            tenants: [(name("dali"), name("dali")), (name("大理州"), name("dali"))].into(),
            below: [(name("dali"), [name("dali"), name("dali-health")].into())].into(),
            systems: [(name("dali/portal"), portal.clone()), (name("53-2026-001"), portal)].into(),
            codes: [name("CPU-01")].into(),
        }
    }

    fn period() -> Period {
        Period::parse("2026-10").unwrap()
    }

    fn invoice(bytes: &[u8]) -> (Vec<Invoiced>, Vec<Finding>) {
        let mut papers = Papers::default();
        let findings = papers.take_invoice("账单.csv", bytes, &payers(), period());
        (papers.invoice.unwrap_or_default(), findings)
    }

    fn codes(findings: &[Finding]) -> Vec<(Code, u32)> {
        let line = |finding: &Finding| finding.place.as_ref().map_or(0, |place| place.line);
        findings.iter().map(|finding| (finding.reason.code, line(finding))).collect()
    }

    #[test]
    fn both_languages_quotes_and_a_byte_order_mark_are_read() {
        let text = "\u{feff}账期,服务商,单位,项目编码,目录编码,金额（元）\r\n2026-10,cec,大理州,53-2026-001,CPU-01,1234.5\r\n\r\n2026-10,yn,,,,\"-0.07\"\r\n";
        let (rows, findings) = invoice(text.as_bytes());
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(rows.iter().map(|row| (row.amount.0, row.line)).collect::<Vec<_>>(), [(123_450, 2), (-7, 4)]);
        assert_eq!((rows[0].selector.tenant.as_deref(), rows[0].selector.bodies.len()), (Some("dali"), 2));
        assert!(rows[0].selector.system.is_some() && rows[1].selector.tenant.is_none());
    }

    #[test]
    fn another_encoding_is_told_and_not_guessed() {
        // 账期 in GBK.
        let (rows, findings) = invoice(b"month,provider,amount\n\xd5\xcb\xc6\xda,cec,1\n");
        assert!(rows.is_empty());
        assert_eq!(codes(&findings), [(Code::TableNotUtf8, 2)]);
        assert_eq!(findings[0].reason.seen, "0xD5".into());
        assert_eq!(codes(&invoice(b"\xff\xfem\0").1), [(Code::TableNotUtf8, 1)]);
    }

    #[test]
    fn every_bad_row_is_told_with_its_line_and_left_out() {
        let text = "month,provider,tenant,system,code,amount\n\
            2026-13,cec,,,,1\n2026-10,aws,,,,1\n2026-10,cec,nobody,,,1\n2026-10,cec,,nothing,,1\n\
            2026-10,cec,,,ECS,1\n2026-10,cec,,,,\"1,234.00\"\n2026-10,cec,,,,1.005\n2026-10,cec,,,,¥1\n\
            2026-10,cec,,,1\n2026-09,cec,,,,1\n2026-10,cec,,,,90000000000.01\n2026-10,cec,,,,\n2026-10,cec,,,,8\n";
        let (rows, findings) = invoice(text.as_bytes());
        assert_eq!(rows.iter().map(|row| (row.line, row.amount.0)).collect::<Vec<_>>(), [(14, 800)]);
        let invalid = Code::TableRowInvalid;
        assert_eq!(
            codes(&findings),
            [
                (invalid, 2),
                (invalid, 3),
                (invalid, 4),
                (invalid, 5),
                (invalid, 6),
                (invalid, 7),
                (invalid, 8),
                (invalid, 9),
                (Code::TableRowUneven, 10),
                (Code::TableRowOutside, 11),
                (invalid, 12),
                (invalid, 13)
            ]
        );
        assert_eq!(findings[0].place.as_ref().unwrap().text, "2026-13,cec,,,,1");
    }

    #[test]
    fn a_head_without_a_needed_column_and_one_with_a_mistyped_one_are_told() {
        assert_eq!(codes(&invoice(b"month;provider;amount\n").1), [(Code::TableColumnMissing, 1)]);
        let mut unread = Papers::default();
        assert_eq!(codes(&unread.take_invoice("a.csv", b"", &payers(), period())), [(Code::TableColumnMissing, 1)]);
        assert_eq!(unread.invoice, None, "not an invoice over nothing");
        let (rows, findings) = invoice(b"month,provider,tennant,amount\n2026-10,cec,dali,1\n");
        assert_eq!((rows.len(), codes(&findings)), (1, vec![(Code::TableColumnUnknown, 1)]));
    }

    #[test]
    fn a_deduction_needs_a_reason_and_takes_something_away() {
        let mut papers = Papers::default();
        let text =
            "month,provider,amount,reason\n2026-10,cec,5,SLA\n2026-10,cec,5,\n2026-10,cec,-5,SLA\n2026-10,cec,0,SLA\n";
        let findings = papers.take_deductions("扣减.csv", text.as_bytes(), &payers(), period());
        assert_eq!(papers.deductions.iter().map(|one| one.line).collect::<Vec<_>>(), [2]);
        assert_eq!(codes(&findings).iter().map(|(_, line)| *line).collect::<Vec<_>>(), [3, 4, 5]);
    }
}
