//! The console blocks of README and docs: every line that begins with `$ jiuzhou` is run, the rest is its output.

use std::fs;
use std::path::{Path, PathBuf};

use crate::golden;
use crate::runner::{Folder, root};

fn pages(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            pages(&path, out);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            out.push(path);
        }
    }
}

/// The page with the output of each console block made anew.
fn made_anew(page: &str, folder: &Folder) -> String {
    let mut made = String::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        made.push_str(line);
        made.push('\n');
        if line != "```console" {
            continue;
        }
        while let Some(line) = lines.next_if(|line| *line != "```") {
            // What is no command is old output.
            if let Some(command) = line.strip_prefix("$ ") {
                made.push_str(&folder.transcript(command));
            }
        }
    }
    made
}

#[test]
fn every_console_block_shows_what_the_program_says() {
    let mut all = vec![root().join("README.md"), root().join("README.zh-CN.md")];
    pages(&root().join("docs"), &mut all);
    all.sort();
    let folder = Folder::new();
    let mut wrong = Vec::new();
    for page in all {
        let text = fs::read_to_string(&page).expect("a readable page");
        golden::check(&page, &made_anew(&text, &folder), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
