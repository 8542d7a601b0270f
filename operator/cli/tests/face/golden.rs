//! Committed text against made text.

use std::fs;
use std::path::Path;

/// Whether committed texts are to be rewritten.
pub(crate) fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// Compares, or rewrites. The difference shown is the first line that differs, with its neighbours.
pub(crate) fn check(path: &Path, made: &str, wrong: &mut Vec<String>) {
    let committed = fs::read_to_string(path).unwrap_or_default();
    if committed == made {
        return;
    }
    if updating() {
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        fs::write(path, made).expect("a file that can be written");
        return;
    }
    let at = committed.lines().zip(made.lines()).take_while(|(a, b)| a == b).count();
    let line = |text: &str| text.lines().nth(at).unwrap_or("(the end)").to_owned();
    wrong.push(format!(
        "{}:{}\n  committed: {}\n  made:      {}\nrun `cargo xtask gen` and look at the difference",
        path.display(),
        at + 1,
        line(&committed),
        line(made)
    ));
}
