//! The claim of tamper evidence, against random changes of the files.

use std::{fs, path::Path};

use jiff::Timestamp;
use jiuzhou_records::audit::{Entry, FileLog, Log, Options, verify};
use proptest::prelude::{Strategy, any, prop, prop_oneof};
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::{append, filled, memory, open, options, segments};

/// One way to change a log.
#[derive(Clone, Debug)]
enum Mutation {
    Flip {
        at: usize,
        bit: u8,
    },
    Drop {
        line: usize,
    },
    SwapLines {
        a: usize,
        b: usize,
    },
    Repeat {
        line: usize,
        to: usize,
    },
    Insert {
        at: usize,
        byte: u8,
    },
    Zero {
        at: usize,
        bytes: usize,
    },
    Truncate {
        at: usize,
    },
    SwapSegments {
        a: usize,
        b: usize,
    },
    DropSegment {
        at: usize,
    },
    /// Records from a line on are replaced by the log's own code with another history.
    Fork {
        keep: usize,
    },
}

fn mutations() -> impl Strategy<Value = Mutation> {
    let n = any::<prop::sample::Index>;
    let at = move || n().prop_map(|index| index.index(1 << 20));
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip { at, bit }),
        2 => at().prop_map(|line| Mutation::Drop { line }),
        2 => (at(), at()).prop_map(|(a, b)| Mutation::SwapLines { a, b }),
        2 => (at(), at()).prop_map(|(line, to)| Mutation::Repeat { line, to }),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert { at, byte }),
        1 => (at(), 1..600_usize).prop_map(|(at, bytes)| Mutation::Zero { at, bytes }),
        2 => at().prop_map(|at| Mutation::Truncate { at }),
        1 => (at(), at()).prop_map(|(a, b)| Mutation::SwapSegments { a, b }),
        1 => at().prop_map(|at| Mutation::DropSegment { at }),
        1 => (0..36_usize).prop_map(|keep| Mutation::Fork { keep }),
    ]
}

/// Applies a mutation to the files of a log; numbers wrap around what there is.
fn mutate(folder: &Path, mutation: &Mutation) {
    let paths = segments(folder);
    let files: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    let total: usize = files.iter().map(Vec::len).sum();
    let edit = |at: usize, change: &dyn Fn(&mut Vec<u8>, usize)| {
        let mut at = at % total;
        for (path, bytes) in paths.iter().zip(&files) {
            if at < bytes.len() {
                let mut bytes = bytes.clone();
                change(&mut bytes, at);
                return fs::write(path, bytes).unwrap();
            }
            at -= bytes.len();
        }
    };
    let lines = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let path = &paths[paths.len() / 2];
        let bytes = fs::read(path).unwrap();
        let mut lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        change(&mut lines);
        fs::write(path, lines.concat()).unwrap();
    };
    match *mutation {
        Mutation::Flip { at, bit } => edit(at, &|bytes, at| bytes[at] ^= 1 << bit),
        Mutation::Insert { at, byte } => edit(at, &|bytes, at| bytes.insert(at, byte)),
        Mutation::Zero { at, bytes: count } => edit(at, &|bytes, at| {
            let end = bytes.len().min(at + count);
            bytes[at..end].fill(0);
        }),
        Mutation::Truncate { at } => edit(at, &Vec::truncate),
        Mutation::Drop { line } => lines(&|lines| drop(lines.remove(line % lines.len()))),
        Mutation::SwapLines { a, b } => lines(&|lines| {
            let count = lines.len();
            lines.swap(a % count, b % count);
        }),
        Mutation::Repeat { line, to } => lines(&|lines| {
            let again = lines[line % lines.len()].clone();
            lines.insert(to % (lines.len() + 1), again);
        }),
        Mutation::SwapSegments { a, b } => {
            let (a, b) = (a % paths.len(), b % paths.len());
            fs::write(&paths[a], &files[b]).unwrap();
            fs::write(&paths[b], &files[a]).unwrap();
        }
        Mutation::DropSegment { at } => fs::remove_file(&paths[at % paths.len()]).unwrap(),
        Mutation::Fork { keep } => {
            let records: Vec<_> = open(folder).0.records(0).map(|record| record.unwrap().entry).collect();
            paths.iter().for_each(|path| fs::remove_file(path).unwrap());
            let (mut log, _) = open(folder);
            for (at, entry) in records.into_iter().enumerate() {
                let time = if at < keep { entry.time } else { Timestamp::UNIX_EPOCH };
                append(&mut log, &[Entry { time, ..entry }]);
            }
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for path in segments(from) {
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// The claim of tamper evidence: with a head kept elsewhere every change of any byte is found, by `verify` and when
/// the log is opened. 1,000 cases, each its own change.
#[test]
fn every_one_of_a_thousand_random_changes_is_detected() {
    let original = memory();
    let head = filled(original.path());
    let bytes = |folder: &Path| segments(folder).into_iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>();
    let before = bytes(original.path());
    assert!(before.len() >= 3, "the fixture must have several segments");
    let mut runner = TestRunner::new(Config { cases: 1_000, failure_persistence: None, ..Config::default() });
    runner
        .run(&mutations(), |mutation| {
            let folder = memory();
            copy(original.path(), folder.path());
            mutate(folder.path(), &mutation);
            if bytes(folder.path()) == before {
                return Err(TestCaseError::reject("the change changed nothing"));
            }
            let verified = verify(folder.path(), Some(&head)).unwrap();
            assert!(!verified.is_sound(), "verify missed {mutation:?}: {verified:?}");
            let opened = FileLog::open(folder.path(), Options { seen: Some(head.clone()), ..options() });
            assert!(opened.is_err(), "open missed {mutation:?}");
            Ok(())
        })
        .unwrap();
}
