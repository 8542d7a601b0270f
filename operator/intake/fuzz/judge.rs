// What must hold of any bytes at the door. Shared by the fuzz target (libFuzzer) and by tests/door.rs.

use jiuzhou_intake::documents::read_bytes;
use jiuzhou_intake::yaml::Limits;
use serde_json::Value;

/// Limits that make a run of many inputs quick.
pub(crate) fn limits() -> Limits {
    Limits { nodes: 20_000, alias_nodes: 2_000, work: 100_000, documents: 500, ..Limits::default() }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(|v| 1 + count(v)).sum(),
        _ => 0,
    }
}

/// No panic, nothing beyond the limits, every finding at a place within the text, and the same answer twice.
pub(crate) fn judge(bytes: &[u8]) {
    let limits = limits();
    let (documents, findings) = read_bytes("fuzz", bytes, &limits);
    let lines = bytes.iter().filter(|b| **b == b'\n' || **b == b'\r').count() + 1;
    for finding in &findings {
        let place = finding.place.as_ref().expect("every finding of the door has a place");
        assert!(place.line >= 1 && place.column >= 1);
        assert!(usize::try_from(place.line).unwrap() <= lines + 1, "line {} of {lines}", place.line);
    }
    assert!(documents.iter().map(|d| count(&d.value)).sum::<usize>() <= limits.nodes + limits.alias_nodes);
    let (again, found_again) = read_bytes("fuzz", bytes, &limits);
    assert_eq!(findings, found_again, "the same bytes draw the same findings");
    assert!(documents.iter().map(|d| &d.value).eq(again.iter().map(|d| &d.value)), "and the same documents");
}
