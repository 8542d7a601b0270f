//! Any bytes through the door: no panic, nothing beyond the limits, every place within the text.

#![no_main]

use jiuzhou_intake::documents::read_bytes;
use jiuzhou_intake::yaml::Limits;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(|v| 1 + count(v)).sum(),
        _ => 0,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { nodes: 20_000, alias_nodes: 2_000, work: 100_000, documents: 500, ..Limits::default() };
    let (documents, findings) = read_bytes("fuzz", bytes, &limits);
    let lines = bytes.iter().filter(|b| **b == b'\n' || **b == b'\r').count() + 1;
    for finding in findings {
        let place = finding.place.expect("every finding of the door has a place");
        assert!(place.line >= 1 && place.column >= 1);
        assert!(usize::try_from(place.line).unwrap() <= lines + 1, "line {} of {lines}", place.line);
    }
    assert!(documents.iter().map(|d| count(&d.value)).sum::<usize>() <= limits.nodes + limits.alias_nodes);
});
