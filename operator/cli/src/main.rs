//! `jiuzhou`, also `kubectl jiuzhou`: parse, dispatch, map to an exit code. Everything else stands in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    jiuzhou::run(std::env::args_os())
}
