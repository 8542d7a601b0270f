//! Checks a folder from its files alone: every line, every link, every segment, and a head kept elsewhere.
//!
//! Takes no lock and writes nothing, so it may run on a copy, or beside the process that writes. It goes on after a
//! damaged segment, so that an auditor sees all of them at once.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use super::{AuditError, Damage, Fault, Head, Torn, file::Witness, record::Chain, scan, segment};

/// What a check found.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The end of the chain; none when the folder holds no log or its end could not be read.
    pub head: Option<Head>,
    /// Records that are sound.
    pub records: u64,
    /// Segments read.
    pub segments: u64,
    /// Everything that is not what was written, the first of each segment.
    pub damages: Vec<Damage>,
    /// An unfinished write at the end. Not damage: it was never acknowledged. A writer at work shows one for a moment.
    pub torn: Option<Torn>,
    /// Why the log does not contain the head kept elsewhere.
    pub rewritten: Option<AuditError>,
}

impl Verification {
    /// Whether every acknowledged record is as it was written, as far as the chain and the head kept elsewhere tell.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.damages.is_empty() && self.rewritten.is_none()
    }
}

/// Checks the log in a folder, against a head kept elsewhere if there is one.
///
/// # Errors
/// [`AuditError::Io`] only; what is wrong with the log is in the answer.
pub fn verify(folder: &Path, seen: Option<&Head>) -> Result<Verification, AuditError> {
    let mut found =
        Verification { head: None, records: 0, segments: 0, damages: Vec::new(), torn: None, rewritten: None };
    let mut witness = Witness::new(seen);
    let mut chain: Option<Chain> = None;
    let mut whole = true;
    let paths = segment::list(folder)?;
    for (number, path) in paths.values().enumerate() {
        found.segments += 1;
        let start = match (chain.take(), whole) {
            (Some(chain), true) => Ok(chain),
            // The first segment, or one behind a damaged one: what its own header says is all there is.
            _ => resume(path, number == 0)?,
        };
        let mut next = match start {
            Ok(chain) => chain,
            Err(fault) => {
                found.damages.push(Damage::new(path, 0, fault));
                whole = false;
                continue;
            }
        };
        let last = number + 1 == paths.len();
        let scanned = scan::segment(path, &mut next, last, |record| {
            found.records += 1;
            witness.visit(record);
        });
        match scanned {
            Ok(scanned) => {
                found.torn = scanned.torn.map(|(torn, _)| torn);
                whole = true;
            }
            Err(AuditError::Damaged(damage)) => {
                found.damages.push(damage);
                whole = false;
            }
            Err(error) => return Err(error),
        }
        chain = Some(next);
    }
    if whole {
        found.head = chain.map(|chain| chain.head);
    }
    found.rewritten = match (seen, &found.head) {
        (Some(seen), None) if seen.size > 0 && found.damages.is_empty() => {
            Some(AuditError::Rewritten { at: seen.size - 1, missing: true })
        }
        (_, Some(head)) => witness.judge(head).err(),
        _ => None,
    };
    Ok(found)
}

/// The chain a segment says it continues.
fn resume(path: &Path, first: bool) -> Result<Result<Chain, Fault>, AuditError> {
    let mut line = Vec::new();
    let mut reader = BufReader::new(File::open(path).map_err(AuditError::io("open", path))?);
    reader.read_until(b'\n', &mut line).map_err(AuditError::io("read", path))?;
    if line.is_empty() {
        return Ok(Err(Fault::Headless));
    }
    Ok(segment::header(&line).map(|(head, algorithm)| {
        if first { Chain::start(&head.log, algorithm) } else { Chain::resume(head, algorithm) }
    }))
}
