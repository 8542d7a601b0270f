//! Laws of the audit log, from outside. Here: the logs that the tests use.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod laws;
mod mutations;

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use jiuzhou_engine::terms::{Digest, DigestAlgorithm};
use jiuzhou_records::audit::{
    Cluster, Entry, Expected, FileLog, Head, Kind, Log, ObjectId, Opened, Options, Outcome, Receipt, Verb, WorkloadId,
    WriteResult,
};
use tempfile::TempDir;

/// A folder in memory where there is one: these tests sync thousands of times, and ask nothing of the disk.
fn memory() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

fn decision(number: u64) -> Entry {
    let time = Timestamp::from_second(1_780_000_000 + i64::try_from(number).unwrap()).unwrap();
    let mut entry = Entry::new(time, Kind::DecisionCommitted, "system:serviceaccount:jiuzhou-system:jiuzhou");
    entry.decision = Some(Digest::sha256(&number.to_le_bytes()));
    entry.epoch = Some(number);
    entry.workload = Some(WorkloadId { namespace: "民政".into(), name: format!("w{number}"), uid: Some("u".into()) });
    entry.digests.insert("snapshot".into(), Digest::of(DigestAlgorithm::Sm3, b"snapshot"));
    entry
}

fn intent(number: u64) -> Entry {
    let objects = ["Deployment", "Service"].map(|kind| ObjectId {
        api_version: "apps/v1".into(),
        kind: kind.into(),
        namespace: Some("ns".into()),
        name: "web".into(),
        uid: None,
    });
    Entry {
        kind: Kind::WriteIntent,
        cluster: Some(Cluster { name: "kunpeng-a".into(), uid: Some("identity".into()) }),
        objects: objects.into(),
        verb: Some(Verb::Apply),
        ..decision(number)
    }
}

fn outcome(number: u64) -> Entry {
    let result = WriteResult { outcome: Outcome::Refused, reason: Some("Forbidden".into()) };
    Entry { kind: Kind::WriteOutcome, result: Some(result), ..intent(number) }
}

fn options() -> Options {
    Options { segment_bytes: 4_096, ..Options::new("hub-uid") }
}

fn open(folder: &Path) -> (FileLog, Opened) {
    FileLog::open(folder, options()).expect("the log opens")
}

fn append(log: &mut FileLog, entries: &[Entry]) -> Vec<Receipt> {
    let expected = Expected { size: log.head().size, term: log.head().term.max(1) };
    log.append(expected, entries).unwrap().into_iter().map(Result::unwrap).collect()
}

/// A log of several segments: 12 decisions with intent and outcome, in batches of three.
fn filled(folder: &Path) -> Head {
    let (mut log, _) = open(folder);
    for number in 0..12 {
        append(&mut log, &[decision(number), intent(number), outcome(number)]);
    }
    log.head()
}

/// Segments in order.
fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    found.sort();
    found
}
