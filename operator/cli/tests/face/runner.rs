//! Runs the binary in a fresh folder beside the repository's `examples`, with a bare environment.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the package lies two below the root").to_owned()
}

/// What a run gave.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A fresh folder in which `examples`, `crds` and `docs` are those of the repository.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["examples", "crds", "docs"] {
            std::os::unix::fs::symlink(root().join(name), folder.path().join(name)).expect("a link");
        }
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs `jiuzhou` with these arguments and this standard input.
    pub(crate) fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_jiuzhou"))
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        // A program that does not read its input closes the pipe, which is its right.
        let _ = child.stdin.take().expect("a pipe").write_all(stdin.as_bytes());
        let output = child.wait_with_output().expect("the binary ends");
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("talk is UTF-8"),
        }
    }

    /// Runs `jiuzhou` with these arguments and nothing to read.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs a line that begins with `jiuzhou ` and shows what a terminal would: output, talk, a code that is not 0.
    /// `> FILE` at its end puts the output into a file of the folder, as a shell does.
    pub(crate) fn transcript(&self, line: &str) -> String {
        let (command, file) = line.split_once(" > ").map_or((line, None), |(command, file)| (command, Some(file)));
        let mut words = command.split_whitespace();
        assert_eq!(words.next(), Some("jiuzhou"), "{line:?} runs something else");
        let mut ran = self.run(&words.collect::<Vec<_>>());
        assert_ne!(ran.code, 101, "{line}: it panicked\n{}", ran.err);
        if let Some(file) = file {
            std::fs::write(self.path().join(file), std::mem::take(&mut ran.out)).expect("a writable folder");
        }
        let mut shown = format!("$ {line}\n{}{}", ran.out, ran.err);
        if ran.code != 0 {
            shown.push_str(&format!("[exit {}]\n", ran.code));
        }
        shown
    }
}
