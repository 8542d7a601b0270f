//! What a log does when the disk fails, with a file that fails when told.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::audit::Kind;

/// Switches of a failing file.
#[derive(Default)]
struct Switches {
    write: AtomicBool,
    sync: AtomicBool,
    cut: AtomicBool,
}

/// A real file that writes half and fails, or fails to sync, when told.
struct Failing(File, Arc<Switches>);

fn when(switch: &AtomicBool) -> io::Result<()> {
    if switch.load(Ordering::Relaxed) { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
}

impl Medium for Failing {
    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match when(&self.1.write) {
            Ok(()) => self.0.add(bytes),
            Err(error) => self.0.add(&bytes[..bytes.len() / 2]).and(Err(error)),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        when(&self.1.sync).and_then(|()| self.0.sync())
    }

    fn cut(&mut self, size: u64) -> io::Result<()> {
        when(&self.1.cut).and_then(|()| self.0.cut(size))
    }
}

fn order(text: &str) -> Entry {
    let mut entry = Entry::new(Timestamp::UNIX_EPOCH, Kind::OrderGiven, "someone");
    entry.decision = Some(Digest::sha256(text.as_bytes()));
    entry
}

fn failing(folder: &TempDir) -> (FileLog, Arc<Switches>) {
    let (mut log, _) = FileLog::open(folder.path(), Options::new("hub")).unwrap();
    let switches = Arc::new(Switches::default());
    log.tail = Box::new(Failing(log.last().tail().unwrap(), Arc::clone(&switches)));
    (log, switches)
}

fn append(log: &mut FileLog, text: &str) -> Result<Receipt, AuditError> {
    let expected = Expected { size: log.head().size, term: 1 };
    log.append(expected, &[order(text)])?.pop().unwrap()
}

#[test]
fn a_full_disk_refuses_the_batch_and_leaves_no_half_record() {
    let folder = TempDir::new().unwrap();
    let (mut log, switches) = failing(&folder);
    append(&mut log, "one").unwrap();
    switches.write.store(true, Ordering::Relaxed);
    let error = append(&mut log, "two").unwrap_err();
    assert!(matches!(error, AuditError::Io { doing: "write", .. }), "{error}");
    switches.write.store(false, Ordering::Relaxed);
    assert_eq!(append(&mut log, "two").unwrap().seq, 1, "the log goes on when there is room again");
    drop(log);
    let (log, opened) = FileLog::open(folder.path(), Options::new("hub")).unwrap();
    assert_eq!((log.head().size, opened.torn), (2, None));
}

#[test]
fn after_a_failed_fsync_nothing_is_acknowledged_until_the_log_is_read_again() {
    let folder = TempDir::new().unwrap();
    let (mut log, switches) = failing(&folder);
    append(&mut log, "one").unwrap();
    switches.sync.store(true, Ordering::Relaxed);
    assert!(append(&mut log, "two").is_err());
    switches.sync.store(false, Ordering::Relaxed);
    let error = append(&mut log, "three").unwrap_err();
    assert!(matches!(error, AuditError::Io { doing: "sync", .. }), "the first failure is told again: {error}");
    assert_eq!(log.head().size, 1);
    drop(log);
    let (mut log, _) = FileLog::open(folder.path(), Options::new("hub")).unwrap();
    let receipt = append(&mut log, "two").unwrap();
    assert_eq!((receipt.seq, receipt.fresh), (1, false), "what reached the disk is found, not written twice");
}

#[test]
fn a_half_write_that_cannot_be_cut_closes_the_log_and_is_cut_when_opened() {
    let folder = TempDir::new().unwrap();
    let (mut log, switches) = failing(&folder);
    append(&mut log, "one").unwrap();
    switches.write.store(true, Ordering::Relaxed);
    switches.cut.store(true, Ordering::Relaxed);
    assert!(append(&mut log, "two").is_err());
    switches.write.store(false, Ordering::Relaxed);
    assert!(append(&mut log, "two").is_err(), "closed to appends");
    drop(log);
    let (mut log, opened) = FileLog::open(folder.path(), Options::new("hub")).unwrap();
    assert!(opened.torn.is_some());
    assert!(append(&mut log, "two").unwrap().fresh);
}

#[test]
fn bytes_that_another_process_added_are_noticed_before_the_next_write() {
    let folder = TempDir::new().unwrap();
    let (mut log, _) = failing(&folder);
    append(&mut log, "one").unwrap();
    log.last().tail().unwrap().write_all(b"{}\n").unwrap();
    let error = append(&mut log, "two").unwrap_err();
    assert!(matches!(error, AuditError::Overwritten { .. }), "{error}");
}

#[test]
fn a_batch_is_one_fsync_and_a_repeated_one_is_none() {
    let folder = TempDir::new().unwrap();
    let (mut log, _) = failing(&folder);
    let batch: Vec<_> = (0..50).map(|number| order(&number.to_string())).collect();
    log.append(Expected { size: 0, term: 1 }, &batch).unwrap();
    assert_eq!((log.syncs(), log.head().size), (1, 50));
    log.append(Expected { size: 50, term: 1 }, &batch).unwrap();
    assert_eq!((log.syncs(), log.head().size), (1, 50));
}
