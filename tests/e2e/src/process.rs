//! A process under test with its words in a file: started, asked, frozen, ended.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// One running process. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    /// Where the words of this start begin in the log.
    from: usize,
}

impl Process {
    /// Starts a command; its words (one JSON object a line) go behind what is in the log already.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(mut command: Command, log: PathBuf) -> Result<Self> {
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("failed to open {}", log.display()))?;
        let from = file.metadata().with_context(|| format!("failed to look at {}", log.display()))?.len();
        let output = file.try_clone().context("failed to share a log")?;
        let command = command.env("RUST_LOG", "jiuzhou=debug").stdin(Stdio::null()).stdout(output).stderr(file);
        let child = command.spawn().context("failed to start the program under test")?;
        Ok(Self { child, log, from: usize::try_from(from).context("failed to measure a log")? })
    }

    /// Where its words go.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// What it has said since this start.
    ///
    /// # Errors
    /// When its log cannot be read.
    pub fn words(&self) -> Result<Vec<Value>> {
        let words = std::fs::read(&self.log).with_context(|| format!("failed to read {}", self.log.display()))?;
        let words = String::from_utf8_lossy(words.get(self.from..).unwrap_or_default()).into_owned();
        Ok(words.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Whether it has said a message since this start.
    ///
    /// # Errors
    /// When its log cannot be read.
    pub fn said(&self, message: &str) -> Result<bool> {
        Ok(self.words()?.iter().any(|line| line["message"] == message))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a power cut does.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().context("failed to kill the program under test")?;
        self.child.wait().context("failed to wait for the program under test")?;
        Ok(())
    }

    /// Makes it stand still: its connections stay open and nothing is said.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn freeze(&self) -> Result<()> {
        self.signal("STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn thaw(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// Asks it to end, as a rollout does, and waits.
    ///
    /// # Errors
    /// When it is still there after the time given.
    pub fn terminate(mut self, within: Duration) -> Result<ExitStatus> {
        self.signal("TERM")?;
        self.ended(within)
    }

    /// Waits until it has ended by itself.
    ///
    /// # Errors
    /// When it is still there after the time given.
    pub fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().context("failed to wait for the program under test")? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("failed to end within {} s: see {}", within.as_secs(), self.log.display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it is still running; its end is told otherwise.
    ///
    /// # Errors
    /// When it has ended, with where its words are.
    pub fn alive(&mut self) -> Result<()> {
        match self.child.try_wait().context("failed to look at the program under test")? {
            None => Ok(()),
            Some(status) => bail!("failed: the program under test ended with {status}: see {}", self.log.display()),
        }
    }

    fn signal(&self, name: &str) -> Result<()> {
        let told = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.id())]).status();
        let told = told.context("failed to run sh")?;
        anyhow::ensure!(told.success(), "failed to send {name} to {}", self.id());
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Already ended is fine: there is nothing to do about a process in a destructor.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
