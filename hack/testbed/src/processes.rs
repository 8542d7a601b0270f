//! The processes of a set, told apart by the folder they work in.
//!
//! Every program that `kwokctl` starts has a path of the set's folder among its arguments. That finds them after a
//! crash of whoever started them, when files of process ids are stale, and never finds a stranger's.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// A running process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id.
    pub(crate) id: u32,
    /// Its arguments, joined by spaces.
    pub(crate) command: String,
}

/// What a process may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// End at once.
    Kill,
    /// Stand still.
    Stop,
    /// Go on.
    Continue,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// Processes with a path below `folder` among their arguments, this one left out.
///
/// # Errors
/// When the system's processes cannot be listed.
pub(crate) fn below(folder: &Path) -> Result<Vec<Process>> {
    let marker = format!("{}/", folder.to_str().context("failed to use a folder whose name is not UTF-8")?);
    let own = std::process::id();
    let mut found = all()?;
    found.retain(|process| process.id != own && process.command.contains(&marker));
    Ok(found)
}

fn all() -> Result<Vec<Process>> {
    let Ok(entries) = fs::read_dir("/proc") else { return by_ps() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end between the listing and the reading; one that has ended has no arguments.
        let Ok(arguments) = fs::read(entry.path().join("cmdline")) else { continue };
        if arguments.is_empty() {
            continue;
        }
        let words: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        found.push(Process { id, command: words.join(" ") });
    }
    Ok(found)
}

/// For systems without `/proc`.
fn by_ps() -> Result<Vec<Process>> {
    let output = Command::new("ps").args(["-axww", "-o", "pid=,command="]).output().context("failed to run ps")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let parsed = text.lines().filter_map(|line| {
        let (id, command) = line.trim_start().split_once(' ')?;
        Some(Process { id: id.parse().ok()?, command: command.to_owned() })
    });
    Ok(parsed.collect())
}

/// Tells every process; one that has ended meanwhile is no error.
///
/// # Errors
/// When the shell cannot be run.
pub(crate) fn tell(processes: &[Process], signal: Signal) -> Result<()> {
    for process in processes {
        // The shell's own `kill`: a minimal system has no program of that name.
        let command = format!("kill -{} {} 2>/dev/null || true", signal.name(), process.id);
        let status = Command::new("sh").args(["-c", &command]).status().context("failed to run sh")?;
        ensure!(status.success(), "failed to send {} to {}", signal.name(), process.id);
    }
    Ok(())
}

/// Ends everything below a folder and waits until it is gone.
///
/// # Errors
/// When something is still there after ten seconds.
pub(crate) fn end(folder: &Path) -> Result<usize> {
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut ended = 0;
    loop {
        let left = below(folder)?;
        if left.is_empty() {
            return Ok(ended);
        }
        if Instant::now() > deadline {
            let ids: Vec<_> = left.iter().map(|process| process.id.to_string()).collect();
            bail!("failed to end processes {} of {}", ids.join(", "), folder.display());
        }
        ended = ended.max(left.len());
        tell(&left, Signal::Kill)?;
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Memory that processes hold, in bytes; nothing where the system does not say.
pub(crate) fn resident(processes: &[Process]) -> Option<u64> {
    let one = |process: &Process| {
        let status = fs::read_to_string(format!("/proc/{}/status", process.id)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
    };
    processes.iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_what_names_the_folder_is_found_and_ended() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        let sleeper = |folder: &Path| {
            let argument = folder.join("x");
            // `exec` with a new name puts the path among the arguments of a program that needs none.
            let script = format!("exec -a sleep-{} sleep 60", argument.display());
            Command::new("bash").args(["-c", &script]).spawn().unwrap()
        };
        let (mut mine, mut strange) = (sleeper(folder.path()), sleeper(other.path()));
        let deadline = Instant::now() + Duration::from_secs(5);
        while below(folder.path()).unwrap().iter().all(|process| !process.command.starts_with("sleep-")) {
            assert!(Instant::now() < deadline, "the process was not found");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(below(folder.path()).unwrap().iter().all(|process| process.id != strange.id()));
        assert!(resident(&below(folder.path()).unwrap()).is_none_or(|bytes| bytes > 0));
        let ending = std::thread::spawn(move || mine.wait().unwrap());
        assert_eq!(end(folder.path()).unwrap(), 1);
        assert!(!ending.join().unwrap().success());
        assert!(strange.try_wait().unwrap().is_none(), "a stranger was ended");
        strange.kill().unwrap();
        strange.wait().unwrap();
    }
}
