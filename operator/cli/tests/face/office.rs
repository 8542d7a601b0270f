//! The workbooks that reports write, as LibreOffice reads them: every sheet is there, with every row of its section. It needs
//! Debian's `libreoffice-calc-nogui` and a minute, so it runs weekly, by name (`.ci/full`).

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::runner::Folder;

const KINDS: [&str; 6] = ["adoption", "energy", "settlement", "assessment", "sovereignty", "readiness"];

/// Every sheet as CSV in UTF-8, as shown; `-1` is every sheet.
const EVERY_SHEET: &str = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1";

/// Rows below the head of each sheet, by its name, as LibreOffice reads a workbook.
fn sheets(folder: &Path, kind: &str) -> BTreeMap<String, usize> {
    let home = format!("-env:UserInstallation=file://{}", folder.join("home").display());
    let read = Command::new("soffice")
        .args(["--headless", &home, "--convert-to", EVERY_SHEET, "--outdir"])
        .args([folder.join(kind), folder.join(format!("{kind}.xlsx"))])
        .output()
        .expect("LibreOffice is installed: apt-get install libreoffice-calc-nogui");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let files = std::fs::read_dir(folder.join(kind)).expect("sheets").map(|file| file.expect("a sheet").path());
    files
        .map(|file| {
            let rows = csv::ReaderBuilder::new().flexible(true).from_path(&file).expect("a sheet").into_records();
            let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            (
                name.trim_start_matches(&format!("{kind}-")).to_owned(),
                rows.collect::<Result<Vec<_>, _>>().expect("rows").len(),
            )
        })
        .collect()
}

#[allow(clippy::disallowed_methods, reason = "what our own program wrote is read as it is")]
#[test]
#[ignore = "needs LibreOffice; .ci/full runs it"]
fn every_sheet_of_every_report_is_read_by_libreoffice_with_all_of_its_rows() {
    let folder = Folder::new();
    for kind in KINDS {
        let (book, json) = (format!("xlsx={kind}.xlsx"), format!("json={kind}.json"));
        let ran =
            folder.run(&["report", kind, "examples/10-province", "--as-of", "2026-11-23", "-o", &book, "-o", &json]);
        assert_eq!(ran.code, 0, "{kind}: {}", ran.err);
        let text = std::fs::read_to_string(folder.path().join(format!("{kind}.json"))).expect("a document");
        let document: Value = serde_saphyr::from_str(&text).expect("JSON");
        let sheets = sheets(folder.path(), kind);
        for section in document["sections"].as_array().expect("sections") {
            let title = section["title"]["en"].as_str().expect("a title");
            // A workbook cuts long names, and some signs are not allowed in them.
            let plain = title.replace(':', "");
            let found = sheets.iter().find(|(name, _)| plain.starts_with(name.trim_end()));
            let (_, rows) = found.unwrap_or_else(|| panic!("{kind}: no sheet for {title:?} among {sheets:?}"));
            assert_eq!(Some(*rows), section["rows"].as_array().map(Vec::len), "{kind}: {title}");
        }
        let findings = document["findings"].as_array().map_or(0, Vec::len);
        assert_eq!(sheets.get("Findings").copied().unwrap_or(0), findings, "{kind}: findings");
    }
}
