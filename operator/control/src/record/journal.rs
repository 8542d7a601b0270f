//! The inputs of every batch that committed something, so that each decision can be decided again to the same bytes.
//!
//! One JSON object per line, one file per run of the operator: the first line of a file has the whole fleet, each later
//! one what changed since the line before. A line is written and synced before the decisions of its batch are committed.
//! A run never adds to the file of another, so an unfinished last line (a crash) harms nobody: nothing of its batch was
//! committed, and reading stops there and goes on with the next file.

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

/// Writes the lines of one run.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    /// Made when there is a first line, so that a run that decides nothing leaves nothing.
    file: Option<(PathBuf, File)>,
}

impl Journal {
    /// A journal in a folder, which is made when it is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
        Ok(Self { folder: folder.to_owned(), file: None })
    }

    /// Adds a line; it is durable when this returns.
    pub(crate) fn append(&mut self, recorded: &Recorded) -> Result<(), Error> {
        let (path, mut file) = match self.file.take() {
            Some(open) => open,
            None => begin(&self.folder)?,
        };
        let mut line = serde_json::to_vec(recorded).map_err(|error| failed("write", &path)(error.into()))?;
        line.push(b'\n');
        // Where this fails an unfinished line may be on the disk: the next one begins a file of its own.
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(failed("write", &path))?;
        self.file = Some((path, file));
        Ok(())
    }
}

fn failed(verb: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Journal { verb, path, source }
}

/// The next file, with its name durable.
fn begin(folder: &Path) -> Result<(PathBuf, File), Error> {
    let number = files(folder)?.last_key_value().map_or(1, |(number, _)| number + 1);
    let path = folder.join(format!("{number:08}.jsonl"));
    let file = OpenOptions::new().create_new(true).append(true).open(&path).map_err(failed("make", &path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("sync", folder))?;
    Ok((path, file))
}

fn files(folder: &Path) -> Result<BTreeMap<u64, PathBuf>, Error> {
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
