//! What is said in two languages: the same in both, and one of them at a time.

use std::fs;

use jiuzhou_engine::terms::{Code, Reason};
use jiuzhou_report::sentences;
use jiuzhou_report::words::Lang;
use serde_json::Value;

use crate::runner::root;

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
