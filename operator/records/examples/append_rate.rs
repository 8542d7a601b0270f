//! Measures the audit log on this machine's disk: appends a second by how many callers wait, and the time to check it.
//!
//! `cargo run --release --package jiuzhou-records --example append_rate [FOLDER]`; the folder must be on the disk that
//! is to be measured and is left as it was.
#![allow(clippy::print_stdout, reason = "an example that prints its measurements")]

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use jiuzhou_engine::terms::Digest;
use jiuzhou_records::audit::{Cluster, Entry, FileLog, Kind, Options, Recorder, Verb, WorkloadId, verify};

/// How long each row is measured.
const EACH: Duration = Duration::from_secs(3);

fn entry(caller: u64, number: u64) -> Entry {
    let mut entry =
        Entry::new(Timestamp::UNIX_EPOCH, Kind::WriteIntent, "system:serviceaccount:jiuzhou-system:jiuzhou");
    entry.decision = Some(Digest::sha256(&(caller << 40 | number).to_le_bytes()));
    entry.epoch = Some(number);
    entry.workload = Some(WorkloadId { namespace: "civil-affairs".into(), name: "web".into(), uid: None });
    entry.cluster = Some(Cluster { name: "kunpeng-a".into(), uid: None });
    entry.verb = Some(Verb::Apply);
    entry
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    println!("callers  appends/s  records per fsync");
    for callers in [1, 8, 64, 256, 2_048] {
        let folder = tempfile::tempdir_in(&parent)?;
        let (log, _) = FileLog::open(folder.path(), Options::new("measure"))?;
        let recorder = Recorder::start(log)?;
        let start = Instant::now();
        std::thread::scope(|scope| {
            for caller in 0..callers {
                let recorder = &recorder;
                scope.spawn(move || {
                    let mut number = 0;
                    while start.elapsed() < EACH && recorder.append(1, entry(caller, number)).is_ok() {
                        number += 1;
                    }
                });
            }
        });
        let (elapsed, stats) = (start.elapsed(), recorder.stats());
        let rate = u128::from(stats.appended) * 1_000 / elapsed.as_millis().max(1);
        println!("{callers:>7}  {rate:>9}  {:>17}", stats.appended / stats.batches.max(1));
        drop(recorder);
        if callers == 2_048 {
            let start = Instant::now();
            let verified = verify(folder.path(), None)?;
            println!("verify: {} records in {:?}, sound: {}", verified.records, start.elapsed(), verified.is_sound());
            let start = Instant::now();
            let (_, opened) = FileLog::open(folder.path(), Options::new("measure"))?;
            println!("open: {} records in {:?}", opened.head.size, start.elapsed());
        }
    }
    Ok(())
}
