//! `hack/clusters`: see `cli`.
#![allow(clippy::print_stdout, reason = "it talks to the person who ran it")]

fn main() -> anyhow::Result<()> {
    testbed::cli::run(std::env::args().skip(1), &mut |line| println!("{line}"))
}
