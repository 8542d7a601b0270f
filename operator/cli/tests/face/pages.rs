//! The console blocks of README and docs: every line that begins with `$ jiuzhou` is run, the rest is its output.
//! What pages and messages say in two languages is the same in both, and told in one.

use std::fs;
use std::path::{Path, PathBuf};

use jiuzhou_engine::terms::{Code, Reason};
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;
use serde_json::Value;

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

#[test]
fn both_readmes_have_the_same_headings_commands_and_codes() {
    let read = |name: &str| fs::read_to_string(root().join(name)).expect("a readable page");
    let shape = |text: &str| -> Vec<String> {
        let level = |line: &str| line.chars().take_while(|c| *c == '#').count();
        let heading = |line: &&str| (1..=6).contains(&level(line)) && line.chars().nth(level(line)) == Some(' ');
        let headings = text.lines().filter(heading).map(|line| format!("heading {}", level(line)));
        let commands =
            text.lines().filter(|line| line.starts_with("$ ") || line.starts_with("cargo ")).map(str::to_owned);
        let codes = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse::<u8>().ok());
        headings
            .chain(commands.map(|c| c.replace(" --lang zh", "")))
            .chain(codes.map(|c| format!("code {c}")))
            .collect()
    };
    assert_eq!(shape(&read("README.md")), shape(&read("README.zh-CN.md")));
}

/// Every message of the definitions is told in the language asked for alone, wherever its two halves meet.
#[test]
fn each_rule_of_the_definitions_is_told_in_one_language() {
    fn messages<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                let rules = fields.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten();
                found.extend(rules.filter_map(|rule| rule["message"].as_str()));
                fields.values().for_each(|value| messages(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| messages(value, found)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    jiuzhou_api::kinds().iter().for_each(|kind| messages(&kind.schema, &mut all));
    assert!(all.len() > 100, "{}", all.len());
    for message in all {
        let reason = Reason::new(Code::RuleBroken).object("x").wanted(message.trim_end_matches('。'));
        let [en, zh] = [Lang::En, Lang::Zh].map(|lang| sentences::render(&reason, None, lang));
        assert!(en.contains("because") && !en.contains(['：', '，', '、']), "{message}\n{en}");
        assert!(!zh.contains("because") && zh.matches('：').count() > 1, "{message}\n{zh}");
    }
}
