//! The inputs of every batch that committed something, so that each decision can be decided again to the same bytes.
//!
//! One JSON object per line, one file per run of the operator: the first line of a file has the whole fleet, each later
//! one what changed since the line before. A line is written and synced before the decisions of its batch are committed.
//! A run never adds to the file of another, so an unfinished last line (a crash) harms nobody: nothing of its batch was
//! committed, and reading stops there and goes on with the next file. A file that has grown well beyond its first line is
//! ended and another begun, so that what is not kept ([`super::retention`]) can go by whole files.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiuzhou_engine::decide::input::ClusterInput;
use jiuzhou_engine::decide::{Changes, FleetInput, Plan, PlanInput, Spec, WorkloadKey};
use jiuzhou_engine::terms::Digest;
use serde::{Deserialize, Serialize};

use crate::decide::batch::Batch;
use crate::error::Error;
use crate::state::{Changed, State};

/// The form of a line. A reader refuses another one.
const FORMAT: &str = "jiuzhou-batch/1";

/// One batch: what it was decided from, on top of the line before, and what came out.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recorded {
    format: String,
    engine_version: String,
    as_of: Timestamp,
    /// SHA-256 of the canonical bytes of `plan`.
    sha256: Digest,
    /// SM3 of the same bytes.
    sm3: Digest,
    /// Everything, rather than what changed.
    whole: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frame: Option<FleetInput>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    clusters: Vec<ClusterInput>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    clusters_gone: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    specs: Vec<Spec>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    specs_gone: Vec<WorkloadKey>,
    changes: Changes,
    plan: Plan,
}

impl Recorded {
    /// A batch, with what changed since the last one was written down; `None` writes everything.
    pub(crate) fn new(state: &State, changed: Option<&Changed>, batch: &Batch) -> Self {
        let snapshot = state.snapshot();
        let mut recorded = Self {
            format: FORMAT.to_owned(),
            engine_version: env!("CARGO_PKG_VERSION").to_owned(),
            as_of: batch.as_of,
            sha256: batch.sha256,
            sm3: batch.sm3,
            whole: changed.is_none(),
            frame: None,
            clusters: Vec::new(),
            clusters_gone: Vec::new(),
            specs: Vec::new(),
            specs_gone: Vec::new(),
            changes: batch.changes.clone(),
            plan: batch.plan.clone(),
        };
        let Some(changed) = changed else {
            recorded.frame = Some(state.frame().clone());
            recorded.clusters = snapshot.clusters().map(|(_, cluster)| (**cluster).clone()).collect();
            recorded.specs = snapshot.specs().map(|spec| (**spec).clone()).collect();
            return recorded;
        };
        recorded.frame = changed.frame.then(|| state.frame().clone());
        for name in &changed.clusters {
            match snapshot.slot(name).and_then(|slot| snapshot.cluster(slot)) {
                Some(cluster) => recorded.clusters.push((**cluster).clone()),
                None => recorded.clusters_gone.push(name.clone()),
            }
        }
        for key in &changed.specs {
            match snapshot.spec(key) {
                Some(spec) => recorded.specs.push((**spec).clone()),
                None => recorded.specs_gone.push(key.clone()),
            }
        }
        recorded
    }
}

/// What changed may take this much, or twice what the whole fleet takes, before a file is ended.
const GROWTH: u64 = 16 << 20;

/// Writes the lines of one run.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    growth: u64,
    /// Made when there is a first line, so that a run that decides nothing leaves nothing.
    file: Option<Open>,
}

/// The file that is being written.
#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: File,
    /// Bytes of its first line, and of all.
    whole: u64,
    size: u64,
}

/// What an added line means for those who write the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Appended {
    /// It was the first of its file.
    pub(crate) began: bool,
    /// The next begins another file and must have everything.
    pub(crate) full: bool,
}

impl Journal {
    /// A journal in a folder, which is made when it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
        Ok(Self { folder: folder.to_owned(), growth: GROWTH, file: None })
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds a line; it is durable when this returns.
    pub(crate) fn append(&mut self, recorded: &Recorded) -> Result<Appended, Error> {
        let mut open = match self.file.take() {
            Some(open) => open,
            None => begin(&self.folder)?,
        };
        let mut line = serde_json::to_vec(recorded).map_err(|error| failed("write", &open.path)(error.into()))?;
        line.push(b'\n');
        // Where this fails an unfinished line may be on the disk: the next one begins a file of its own.
        open.file.write_all(&line).and_then(|()| open.file.sync_data()).map_err(failed("write", &open.path))?;
        let began = open.size == 0;
        let bytes = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if began {
            open.whole = bytes;
        }
        open.size = open.size.saturating_add(bytes);
        let full = open.size - open.whole > self.growth.max(open.whole.saturating_mul(2));
        self.file = Some(open).filter(|_| !full);
        Ok(Appended { began, full })
    }
}

pub(super) fn failed(verb: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Journal { verb, path, source }
}

/// The next file, with its name durable.
fn begin(folder: &Path) -> Result<Open, Error> {
    let number = files(folder)?.last_key_value().map_or(1, |(number, _)| number + 1);
    let path = folder.join(format!("{number:08}.jsonl"));
    let file = OpenOptions::new().create_new(true).append(true).open(&path).map_err(failed("make", &path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))?;
    Ok(Open { path, file, whole: 0, size: 0 })
}

pub(super) fn files(folder: &Path) -> Result<BTreeMap<u64, PathBuf>, Error> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed("read", folder))? {
        let path = entry.map_err(failed("read", folder))?.path();
        let number = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".jsonl"));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            files.insert(number, path);
        }
    }
    Ok(files)
}

/// A batch as it was recorded, with its inputs put together.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Version of the program that decided.
    pub engine_version: String,
    /// What it was decided from.
    pub input: PlanInput,
    /// What was decided.
    pub plan: Plan,
    /// SHA-256 of the plan's canonical bytes, as recorded.
    pub sha256: Digest,
    /// SM3 of the same bytes, as recorded.
    pub sm3: Digest,
}

/// Every recorded batch, oldest first, handed to `each`. `folder` is that of the audit log.
///
/// # Errors
/// When a file cannot be read, or a line that is not the last of its file is not one of ours; what `each` says.
pub fn read<E: From<Error>>(folder: &Path, mut each: impl FnMut(Decided) -> Result<(), E>) -> Result<(), E> {
    for path in files(&folder.join(super::INPUTS))?.into_values() {
        let file = File::open(&path).map_err(failed("read", &path))?;
        let mut fleet = Held::default();
        let mut lines = BufReader::new(file).split(b'\n').peekable();
        while let Some(line) = lines.next() {
            let line = line.map_err(failed("read", &path))?;
            let recorded: Recorded = match serde_json::from_slice(&line) {
                Ok(recorded) => recorded,
                Err(_) if lines.peek().is_none() => break,
                Err(error) => return Err(failed("read", &path)(error.into()).into()),
            };
            if recorded.format != FORMAT {
                let other = std::io::Error::other(format!("form {:?}, this program reads {FORMAT:?}", recorded.format));
                return Err(failed("read", &path)(other).into());
            }
            each(fleet.take(recorded))?;
        }
    }
    Ok(())
}

/// The fleet as the lines so far say.
#[derive(Debug, Default)]
struct Held {
    frame: FleetInput,
    clusters: BTreeMap<String, ClusterInput>,
    specs: BTreeMap<WorkloadKey, Spec>,
}

impl Held {
    fn take(&mut self, recorded: Recorded) -> Decided {
        let Recorded {
            format: _,
            engine_version,
            as_of,
            sha256,
            sm3,
            whole,
            frame,
            clusters,
            clusters_gone,
            specs,
            specs_gone,
            changes,
            plan,
        } = recorded;
        if whole {
            *self = Self::default();
        }
        if let Some(frame) = frame {
            self.frame = frame;
        }
        self.clusters.extend(clusters.into_iter().map(|cluster| (cluster.name.clone(), cluster)));
        self.specs.extend(specs.into_iter().map(|spec| (spec.key.clone(), spec)));
        clusters_gone.iter().for_each(|name| drop(self.clusters.remove(name)));
        specs_gone.iter().for_each(|key| drop(self.specs.remove(key)));
        let fleet = FleetInput {
            clusters: self.clusters.values().cloned().collect(),
            specs: self.specs.values().cloned().collect(),
            ..self.frame.clone()
        };
        Decided { engine_version, input: PlanInput { fleet, changes, as_of }, plan, sha256, sm3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(second: i64, whole: bool) -> Recorded {
        let as_of = Timestamp::from_second(second).unwrap();
        let digest = Digest::sha256(b"");
        let (decisions, removed, quota) = (Vec::new(), Vec::new(), Vec::new());
        Recorded {
            format: FORMAT.to_owned(),
            engine_version: "1".to_owned(),
            as_of,
            sha256: digest,
            sm3: digest,
            whole,
            frame: whole.then(FleetInput::default),
            clusters: Vec::new(),
            clusters_gone: Vec::new(),
            specs: Vec::new(),
            specs_gone: Vec::new(),
            changes: Changes::default(),
            plan: Plan { as_of, fleet: digest, decisions, removed, quota, next_change: None },
        }
    }

    fn read_back(folder: &Path) -> Vec<i64> {
        let mut seen = Vec::new();
        read::<Error>(folder, |decided| {
            seen.push(decided.plan.as_of.as_second());
            Ok(())
        })
        .unwrap();
        seen
    }

    #[test]
    fn a_file_that_has_grown_is_ended_and_what_is_left_reads_without_the_ones_before() {
        let folder = tempfile::tempdir().unwrap();
        let inputs = folder.path().join(super::super::INPUTS);
        let mut journal = Journal::open(&inputs).unwrap();
        journal.growth = 1;
        let mut whole = true;
        for second in 0..12 {
            let appended = journal.append(&line(second, whole)).unwrap();
            assert_eq!(appended.began, whole, "a file begins with everything, and nothing else does");
            whole = appended.full;
        }
        assert_eq!(read_back(folder.path()), (0..12).collect::<Vec<_>>());
        let all = files(&inputs).unwrap();
        assert!(all.len() >= 3, "{all:?}");
        let first = fs::read_to_string(&all[&1]).unwrap().lines().count();
        fs::remove_file(&all[&1]).unwrap();
        let left = i64::try_from(first).unwrap();
        assert_eq!(read_back(folder.path()), (left..12).collect::<Vec<_>>());
    }
}
