//! The operator as a process of its own, which a test starts, kills and starts again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::fleet::{Fleet, binary};

/// One running process. Killed when dropped.
#[derive(Debug)]
pub struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    /// Starts the program under test with arguments; its standard error goes to `logs/NAME.log` of the set, each
    /// start behind the one before.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(fleet: &Fleet, name: &str, arguments: &[&str]) -> Result<Self> {
        let log = fleet.set().layout().logs().join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("failed to open {}", log.display()))?;
        let output = file.try_clone().context("failed to share a log")?;
        let child = Command::new(binary()?)
            .args(arguments)
            .env("KUBECONFIG", fleet.hub().plane.kubeconfig())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(file)
            .spawn()
            .context("failed to start the program under test")?;
        Ok(Self { child, log })
    }

    /// Where its words go.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
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

    /// Asks it to end, as a rollout does, and waits.
    ///
    /// # Errors
    /// When it is still there after the time given.
    pub fn terminate(mut self, within: Duration) -> Result<ExitStatus> {
        let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.id())]).status();
        asked.context("failed to run sh")?;
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
}

impl Drop for Operator {
    fn drop(&mut self) {
        // Already ended is fine: there is nothing to do about a process in a destructor.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
