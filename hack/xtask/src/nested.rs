//! Cargo as a chore calls it.
//!
//! Cargo sets variables about the package for the program that it runs (`CARGO_MANIFEST_DIR`, `CARGO_PKG_NAME`), and
//! the build script of ring runs again when one is another than before. A call that hands them on builds TLS and all
//! that stands on it anew, and so does the next call from a shell.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// A call of cargo in a folder, with nothing in its environment of the package that the chore belongs to.
pub(crate) fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root);
    for name in std::env::vars_os().map(|(name, _)| name).filter(of_a_package) {
        command.env_remove(name);
    }
    command
}

/// Whether cargo sets a variable for the program of one package alone.
fn of_a_package(name: &OsString) -> bool {
    let Some(name) = name.to_str() else { return false };
    name == "OUT_DIR" || ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::cargo;

    /// Tests run under cargo, so its variables are there.
    #[test]
    fn a_call_hands_nothing_on_of_the_package_it_comes_from() {
        let command = cargo(&std::env::temp_dir());
        let removed: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION_MAJOR"] {
            assert!(std::env::var_os(name).is_some(), "cargo sets {name} no more");
            assert!(removed.contains(&std::ffi::OsStr::new(name)), "{name}");
        }
        // Whoever sets where things are built means every call.
        assert!(!removed.contains(&std::ffi::OsStr::new("CARGO_TARGET_DIR")));
        assert!(!removed.contains(&std::ffi::OsStr::new("PATH")));
    }
}
