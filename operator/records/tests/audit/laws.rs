//! Crashes, stale writers, repeated appends, reading back.

use std::fs;

use jiff::Timestamp;
use jiuzhou_engine::terms::{Digest, DigestAlgorithm};
use jiuzhou_records::audit::{AuditError, Entry, Expected, Fault, FileLog, Kind, Log, Options, Recorder, verify};

use super::{append, decision, filled, intent, memory, open, options, outcome, segments};

#[test]
fn what_was_appended_is_read_back_over_segments_and_after_opening_again() {
    let folder = memory();
    let head = filled(folder.path());
    assert!(segments(folder.path()).len() >= 3, "the fixture must rotate");
    let (log, opened) = open(folder.path());
    assert_eq!((opened.head, opened.torn), (head.clone(), None));
    let wanted: Vec<_> = (0..12).flat_map(|number| [decision(number), intent(number), outcome(number)]).collect();
    for from in [0, 1, 17, 35, 36, 99] {
        let read: Vec<_> = log.records(from).map(|record| record.unwrap().entry).collect();
        assert_eq!(read, wanted[usize::try_from(from).unwrap().min(36)..]);
    }
    let records: Vec<_> = log.records(0).map(Result::unwrap).collect();
    assert!(records.windows(2).all(|pair| pair[1].previous == pair[0].digest && pair[1].seq == pair[0].seq + 1));
    assert_eq!(records.last().unwrap().digest, head.digest);
    assert_eq!(log.read(3, 2).unwrap(), records[3..5]);
    let verified = verify(folder.path(), Some(&head)).unwrap();
    assert!(verified.is_sound());
    assert_eq!((verified.records, verified.head), (36, Some(head)));
}

#[test]
fn a_log_digested_with_sm3_stays_so_when_opened_with_other_options() {
    let folder = memory();
    let sm3 = Options { algorithm: DigestAlgorithm::Sm3, ..options() };
    let (mut log, _) = FileLog::open(folder.path(), sm3).unwrap();
    append(&mut log, &[decision(0)]);
    drop(log);
    let (mut log, _) = open(folder.path());
    append(&mut log, &[decision(1)]);
    assert!(log.records(0).all(|record| record.unwrap().digest.algorithm() == DigestAlgorithm::Sm3));
    drop(log);
    assert!(verify(folder.path(), None).unwrap().is_sound());
}

#[test]
fn a_crash_at_every_byte_of_the_last_write_loses_only_records_of_that_write() {
    let folder = memory();
    let (mut log, _) = open(folder.path());
    append(&mut log, &[decision(0), intent(0), outcome(0)]);
    let path = segments(folder.path()).pop().unwrap();
    let before = fs::read(&path).unwrap().len();
    append(&mut log, &[decision(1), intent(1)]);
    drop(log);
    let whole = fs::read(&path).unwrap();
    for length in before..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let finished = whole[before..length].iter().filter(|byte| **byte == b'\n').count() as u64;
        let rest = whole[..length].iter().rev().take_while(|byte| **byte != b'\n').count();
        let (mut log, opened) = open(folder.path());
        assert_eq!(opened.head.size, 3 + finished, "cut at {length}");
        match opened.torn {
            None => assert_eq!(rest, 0, "cut at {length}: half a record was dropped silently"),
            Some(torn) => {
                assert_eq!(torn.bytes, rest as u64, "cut at {length}");
                assert_eq!(fs::read(torn.kept.unwrap()).unwrap(), whole[length - rest..length], "nothing is lost");
            }
        }
        let receipts = append(&mut log, &[decision(1), intent(1)]);
        assert_eq!(receipts.iter().map(|receipt| receipt.seq).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(receipts.iter().filter(|receipt| !receipt.fresh).count() as u64, finished);
        drop(log);
        assert!(verify(folder.path(), None).unwrap().is_sound(), "cut at {length}");
    }
}

#[test]
fn holes_that_a_crash_leaves_in_the_last_write_are_cut_and_in_an_earlier_one_refused() {
    let folder = memory();
    let (mut log, _) = open(folder.path());
    let first = append(&mut log, &[decision(0), intent(0), outcome(0)]);
    let path = segments(folder.path()).pop().unwrap();
    let before = fs::read(&path).unwrap().len();
    append(&mut log, &[decision(1), intent(1), outcome(1)]);
    drop(log);
    let whole = fs::read(&path).unwrap();
    // The first 512 bytes of the last write did not arrive; later ones did.
    let mut torn = whole.clone();
    torn[before..before + 512].fill(0);
    fs::write(&path, &torn).unwrap();
    let (log, opened) = open(folder.path());
    assert_eq!((opened.head.size, opened.head.digest), (3, first[2].digest));
    assert_eq!(opened.torn.unwrap().bytes, (whole.len() - before) as u64);
    drop(log);
    // The same hole in the first write is damage: the second one shows that the first was durable.
    let mut damaged = whole;
    damaged[before - 512..before - 256].fill(0);
    fs::write(&path, &damaged).unwrap();
    let error = FileLog::open(folder.path(), options()).unwrap_err();
    assert!(matches!(&error, AuditError::Damaged(damage) if damage.fault == Fault::Hole), "{error}");
    assert_eq!(fs::read(&path).unwrap(), damaged, "nothing is repaired by itself");
}

#[test]
fn an_unfinished_end_of_a_segment_that_has_a_successor_is_damage() {
    let folder = memory();
    filled(folder.path());
    let first = &segments(folder.path())[0];
    let bytes = fs::read(first).unwrap();
    fs::write(first, &bytes[..bytes.len() - 7]).unwrap();
    let error = FileLog::open(folder.path(), options()).unwrap_err();
    assert!(matches!(&error, AuditError::Damaged(damage) if damage.segment == *first), "{error}");
}

#[test]
fn the_cut_is_told_in_the_log_once() {
    let folder = memory();
    filled(folder.path());
    let path = segments(folder.path()).pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let (mut log, opened) = open(folder.path());
    let entry = opened.torn.unwrap().entry(Timestamp::UNIX_EPOCH, "jiuzhou");
    assert!(append(&mut log, std::slice::from_ref(&entry))[0].fresh);
    assert!(!append(&mut log, &[entry])[0].fresh);
    drop(log);
    assert_eq!(open(folder.path()).1.torn, None);
}

#[test]
fn an_entry_appended_twice_is_one_record_also_after_opening_again() {
    let folder = memory();
    let head = filled(folder.path());
    let (mut log, _) = open(folder.path());
    for number in 0..12 {
        let mut later = decision(number);
        later.time = Timestamp::UNIX_EPOCH;
        later.actor = "another replica".into();
        let receipts = append(&mut log, &[later, intent(number), outcome(number)]);
        assert_eq!(receipts.iter().map(|receipt| receipt.seq).collect::<Vec<_>>(), [0, 1, 2].map(|at| 3 * number + at));
        assert!(receipts.iter().all(|receipt| !receipt.fresh));
    }
    assert_eq!(log.head(), head);
    let twice = append(&mut log, &[decision(99), decision(99)]);
    assert_eq!((twice[0].seq, twice[0].fresh), (twice[1].seq, !twice[1].fresh), "also within one batch");
    assert_eq!(log.find(&decision(99), 1).unwrap().unwrap().seq, 36);
    assert_eq!(log.find(&decision(98), 1).unwrap(), None);
}

#[test]
fn one_decision_with_two_contents_is_refused_and_harms_no_other_entry() {
    let folder = memory();
    let (mut log, _) = open(folder.path());
    append(&mut log, &[decision(0)]);
    let mut other = decision(0);
    other.digests.insert("snapshot".into(), Digest::sha256(b"another"));
    let answers = log.append(Expected { size: 1, term: 1 }, &[other, decision(1)]).unwrap();
    assert!(matches!(answers[0], Err(AuditError::Conflict { kind: Kind::DecisionCommitted, seq: 0 })), "{answers:?}");
    assert_eq!(answers[1].as_ref().unwrap().seq, 1);
}

#[test]
fn an_entry_that_breaks_a_rule_is_refused_alone() {
    let folder = memory();
    let (mut log, _) = open(folder.path());
    let broken = Entry { decision: None, ..decision(0) };
    let answers = log.append(Expected { size: 0, term: 1 }, &[broken, decision(1)]).unwrap();
    assert!(matches!(answers[0], Err(AuditError::Entry(_))), "{answers:?}");
    assert_eq!(answers[1].as_ref().unwrap().seq, 0);
}

#[test]
fn a_stale_term_or_a_wrong_size_is_refused_and_writes_nothing() {
    let folder = memory();
    let (mut log, _) = open(folder.path());
    log.append(Expected { size: 0, term: 7 }, &[decision(0)]).unwrap();
    let before = fs::read(&segments(folder.path())[0]).unwrap();
    let stale = log.append(Expected { size: 1, term: 6 }, &[decision(1)]).unwrap_err();
    assert!(matches!(stale, AuditError::StaleTerm { given: 6, seen: 7 }), "{stale}");
    for size in [0, 2] {
        let moved = log.append(Expected { size, term: 7 }, &[decision(1)]).unwrap_err();
        assert!(matches!(moved, AuditError::Moved { found: 1, .. }), "{moved}");
    }
    assert_eq!(fs::read(&segments(folder.path())[0]).unwrap(), before);
    drop(log);
    let (mut log, _) = open(folder.path());
    assert!(log.append(Expected { size: 1, term: 6 }, &[decision(1)]).is_err(), "the term outlives the process");
    assert!(log.append(Expected { size: 1, term: 8 }, &[decision(1)]).is_ok());
}

#[test]
fn two_processes_cannot_have_one_log() {
    let folder = memory();
    let (log, _) = open(folder.path());
    let second = FileLog::open(folder.path(), options()).unwrap_err();
    assert!(matches!(second, AuditError::Locked(_)), "{second}");
    drop(log);
    open(folder.path());
}

#[test]
fn the_log_of_another_hub_is_refused() {
    let folder = memory();
    filled(folder.path());
    let error = FileLog::open(folder.path(), Options::new("other-hub")).unwrap_err();
    assert!(matches!(error, AuditError::OtherLog { .. }), "{error}");
}

#[test]
fn a_clean_cut_at_the_end_is_found_by_a_head_kept_elsewhere_and_only_by_it() {
    let folder = memory();
    let head = filled(folder.path());
    let path = segments(folder.path()).pop().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let kept: String =
        text.lines().rev().skip(1).collect::<Vec<_>>().into_iter().rev().map(|l| format!("{l}\n")).collect();
    fs::write(&path, kept).unwrap();
    assert!(verify(folder.path(), None).unwrap().is_sound(), "the chain alone cannot tell");
    assert!(!verify(folder.path(), Some(&head)).unwrap().is_sound());
    let error = FileLog::open(folder.path(), Options { seen: Some(head), ..options() }).unwrap_err();
    assert!(matches!(error, AuditError::Rewritten { at: 35, missing: true }), "{error}");
}

#[test]
fn many_callers_share_one_recorder_and_each_gets_its_own_answer() {
    let folder = memory();
    let recorder = Recorder::start(open(folder.path()).0).unwrap();
    std::thread::scope(|scope| {
        for caller in 0..8_u64 {
            let recorder = &recorder;
            scope.spawn(move || {
                for number in 0..25 {
                    let entry = decision(1_000 * caller + number);
                    let receipt = recorder.append(1, entry.clone()).unwrap();
                    assert_eq!(recorder.read(receipt.seq, 1).unwrap()[0].entry, entry);
                }
            });
        }
    });
    assert_eq!((recorder.stats().appended, recorder.head().size), (200, 200));
    drop(recorder);
    assert_eq!(verify(folder.path(), None).unwrap().records, 200);
}
