//! Every example: the commands of `commands.txt`, one after the other, against `output.txt`.

use std::fs;

use crate::runner::{Folder, root};
use crate::{golden, runner};

fn stories() -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> = fs::read_dir(root().join("examples"))
        .expect("the examples are there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_dir())
        .collect();
    all.sort();
    assert!(all.len() >= 10, "some stories are missing: {all:?}");
    all
}

#[test]
fn every_story_tells_what_is_committed() {
    let folder = Folder::new();
    let mut wrong = Vec::new();
    for story in stories() {
        let commands = fs::read_to_string(story.join("commands.txt")).expect("every story has commands");
        let mut told = String::new();
        for line in commands.lines() {
            if line.starts_with("jiuzhou ") {
                told.push_str(&folder.transcript(line));
                told.push('\n');
            } else {
                told.push_str(line);
                told.push('\n');
            }
        }
        golden::check(&story.join("output.txt"), &told, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_same_bytes_come_out_of_a_second_run() {
    let folder = Folder::new();
    let args = ["plan", "examples/10-province", "--as-of", "2026-11-23", "-o", "json"];
    let (first, second): (runner::Ran, runner::Ran) = (folder.run(&args), folder.run(&args));
    assert_eq!(first.out, second.out);
    assert!(first.out.len() > 10_000, "{}", first.err);
}
