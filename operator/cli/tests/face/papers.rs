//! `report settlement` and `report assessment` as an accountant meets them: papers that are wrong, both languages, formats.

use std::fs;

use crate::runner::{Folder, Ran};

const PROVINCE: &str = "examples/10-province";
const DAY: [&str; 2] = ["--as-of", "2026-11-23"];

fn settle(folder: &Folder, more: &[&str]) -> Ran {
    folder.run(&[&["report", "settlement", PROVINCE], &DAY[..], more].concat())
}

#[test]
fn a_month_that_runs_and_papers_elsewhere_are_refused_in_both_languages() {
    let folder = Folder::new();
    let open = settle(&folder, &["--month", "2026-11"]);
    assert!(open.code != 0 && open.err.contains("has not ended"), "{}", open.err);
    let elsewhere = folder.run(&["report", "energy", PROVINCE, "--invoice", "a.csv", "--lang", "zh"]);
    assert!(elsewhere.code != 0 && elsewhere.err.contains("只有 `report settlement`"), "{}", elsewhere.err);
    let missing = settle(&folder, &["--invoice", "missing.csv", "--lang", "zh"]);
    assert!(missing.code != 0 && missing.err.contains("无法读取 missing.csv：没有该文件或目录"), "{}", missing.err);
    let other = settle(&folder, &["--for", "assessment-dali-2026"]);
    assert!(other.code != 0 && other.err.contains("asks for Assessment"), "{}", other.err);
}

#[test]
fn papers_that_cannot_be_read_are_told_with_line_and_fix_and_count_as_nothing() {
    let folder = Folder::new();
    fs::write(folder.path().join("gbk.csv"), b"\xd5\xcb\xc6\xda,provider,amount\n").expect("a writable folder");
    let gbk = settle(&folder, &["--invoice", "gbk.csv"]);
    assert!(gbk.out.contains("TableNotUtf8") && gbk.out.contains("iconv -f GB18030"), "{}", gbk.out);
    assert!(!gbk.out.contains("Invoiced") && gbk.out.contains("gbk.csv:1"), "{}", gbk.out);
    assert_eq!(gbk.code, 4);
    let rows = "month,provider,tenant,amount,remark\n2026-10,yn-gov-cloud,kunming,\"1,000\",x\n2026-10,yn-gov-cloud,kunming,3267.65,x\n";
    fs::write(folder.path().join("rows.csv"), rows).expect("a writable folder");
    let told = settle(&folder, &["--invoice", "rows.csv", "--lang", "zh"]);
    assert_eq!(told.code, 4);
    for part in ["TableRowInvalid", "rows.csv:2", "应写作：1234.50", "TableColumnUnknown", "remark"] {
        assert!(told.out.contains(part), "{part} in\n{}", told.out);
    }
    assert!(!told.out.contains("InvoiceDiffers"), "the other row is as it should be\n{}", told.out);
}

#[test]
fn a_body_s_own_settlement_says_what_the_whole_one_says_of_it() {
    let folder = Folder::new();
    let read = |more: &[&str]| -> serde_json::Value {
        serde_json::from_str(&settle(&folder, &[more, &["-o", "json"]].concat()).out).expect("JSON")
    };
    let (whole, own) = (read(&["--month", "2026-10"]), read(&["--for", "insurance/settlement-2026-10"]));
    let rows = |document: &serde_json::Value| -> Vec<serde_json::Value> {
        let tables = document["sections"].as_array().cloned().unwrap_or_default();
        let charges = tables.iter().find(|table| table["key"] == "chargesList").cloned().unwrap_or_default();
        charges["rows"].as_array().cloned().unwrap_or_default()
    };
    let (whole, own) = (rows(&whole), rows(&own));
    assert!(!own.is_empty() && own.len() < whole.len());
    for row in &own {
        assert!(whole.contains(row), "{row} is another line in the whole settlement");
    }
}

#[test]
fn every_format_has_both_reports() {
    let folder = Folder::new();
    for kind in ["settlement", "assessment"] {
        // One run for each language: an output goes to as many files as are asked for.
        for (lang, formats) in [("en", ["wide", "json", "markdown", "html"]), ("zh", ["text", "yaml", "csv", "junit"])]
        {
            let files = formats.map(|format| format!("{format}={kind}.{format}"));
            let outputs = files.iter().flat_map(|file| ["-o", file.as_str()]);
            let args = ["report", kind, PROVINCE, "--lang", lang].into_iter().chain(DAY).chain(outputs);
            let ran = folder.run(&args.collect::<Vec<_>>());
            assert_eq!(ran.code, 0, "{kind} {lang}: {}", ran.err);
            for format in formats {
                let told = fs::read_to_string(folder.path().join(format!("{kind}.{format}"))).expect("it was written");
                assert!(told.contains("昆明市人民政府"), "{kind} {format} {lang}:\n{told}");
            }
        }
    }
}

#[test]
fn the_rule_of_stages_is_printed_and_evidence_that_does_not_count_is_told() {
    let folder = Folder::new();
    let assess = |more: &[&str]| folder.run(&[&["report", "assessment", PROVINCE], &DAY[..], more].concat());
    let lowest = assess(&[]);
    assert!(lowest.out.contains("lowest of the factors"), "{}", lowest.out);
    for code in ["AssessmentUnverified", "AssessmentMeasured"] {
        assert!(lowest.out.contains(code), "{code} in\n{}", lowest.out);
    }
    let majority = assess(&["--stage-rule", "majority", "--lang", "zh"]);
    assert!(majority.out.contains("取各项多数") && majority.out.contains("白皮书未示部分"), "{}", majority.out);
    let nothing = folder.run(&["report", "assessment", "crds", "--as-of", "2026-11-23"]);
    assert!(nothing.code == 0 && nothing.out.contains("Bodies assessed"), "{}{}", nothing.out, nothing.err);
}
