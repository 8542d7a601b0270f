//! What would help a workload without a place soonest, and until when one has to have another, as the end of the sentence
//! that says why it has none.

use jiff::Timestamp;
use jiuzhou_engine::decide::{Change, Nearest};

use super::{Lang, fix, render};
use crate::documents::decision::rule as rule_word;
use crate::words::{Word, beijing};

/// Things in the way that are told with their fix; of the others, how many.
const TOLD_MOST: usize = 2;

/// The cluster that comes nearest, what stands in the way there and what is done about it. One or two lines, whatever
/// the number of clusters.
#[must_use]
pub fn nearest(nearest: &Nearest, lang: Lang) -> String {
    let Nearest { cluster, changes, enough } = nearest;
    let told: Vec<String> = changes.iter().take(TOLD_MOST).map(|change| obstacle(change, lang)).collect();
    let more = changes.len().saturating_sub(told.len());
    let (told, zh) = (told.join(" "), lang == Lang::Zh);
    let mut said = match changes.len() {
        0 | 1 if zh => format!("最接近的是 {cluster}：{told}"),
        0 | 1 => format!("Nearest is {cluster}: {told}"),
        count if zh => format!("最接近的是 {cluster}，有 {count} 项障碍：{told}"),
        count => format!("Nearest is {cluster}, with {count} things in the way: {told}"),
    };
    match (more, zh) {
        (0, _) => {}
        (_, true) => said.push_str(&format!(" 另有 {more} 项。")),
        (_, false) => said.push_str(&format!(" And {more} more.")),
    }
    match (*enough, zh) {
        (false, _) => {}
        (true, true) => said.push_str(" 仅此一项即可安置全部副本。"),
        (true, false) => said.push_str(" That alone would place all replicas."),
    }
    said
}

/// Until when what runs against the rule of its tier has to have left.
#[must_use]
pub fn move_until(until: Timestamp, over: bool, lang: Lang) -> String {
    let until = beijing(until);
    match (over, lang) {
        (false, Lang::Zh) => format!("须在 {until} 前迁出。"),
        (false, Lang::En) => format!("It has to have left by {until}."),
        (true, Lang::Zh) => format!("本应在 {until} 前迁出，期限已过。"),
        (true, Lang::En) => format!("It had to have left by {until}; that is over."),
    }
}

/// One thing in the way with its fix.
fn obstacle(change: &Change, lang: Lang) -> String {
    match (change.reasons.first(), change.rule) {
        (Some(reason), _) => format!("{} {}", render(reason, None, lang), fix(reason, None, lang)),
        (None, rule) => {
            let word = rule.map_or(Word::StepCapacity, rule_word).text(lang);
            if lang == Lang::Zh { format!("{word}。") } else { format!("{word}.") }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::decide::Rule;
    use jiuzhou_engine::terms::{Code, Reason, Value};

    use super::*;

    fn missing(rule: Option<Rule>) -> Change {
        let reason = Reason::new(Code::ResourceMissing).object("cpu");
        let reasons = vec![reason.seen(Value::Millicores(4000)).wanted(Value::Millicores(6000))];
        Change { rule, cost: 3, reasons }
    }

    #[test]
    fn one_thing_in_the_way_is_told_with_its_fix_and_whether_it_is_enough() {
        let one = Nearest { cluster: "大理".to_owned(), changes: vec![missing(None)], enough: true };
        let said = nearest(&one, Lang::En);
        assert!(said.starts_with("Nearest is 大理: ") && said.contains('6'), "{said}");
        assert!(said.ends_with("That alone would place all replicas."), "{said}");
        let said = nearest(&Nearest { enough: false, ..one.clone() }, Lang::En);
        assert!(!said.contains("alone"), "{said}");
        assert!(nearest(&one, Lang::Zh).ends_with("仅此一项即可安置全部副本。"));
    }

    #[test]
    fn of_many_things_two_are_told_and_the_number_of_the_others() {
        let silent = Change { rule: Some(Rule::Tier), cost: 8, reasons: Vec::new() };
        let changes = vec![missing(None), silent, missing(Some(Rule::Database)), missing(Some(Rule::Data))];
        let many = Nearest { cluster: "xz".to_owned(), changes, enough: false };
        let (en, zh) = (nearest(&many, Lang::En), nearest(&many, Lang::Zh));
        assert!(en.starts_with("Nearest is xz, with 4 things in the way: ") && en.ends_with(" And 2 more."), "{en}");
        assert!(zh.starts_with("最接近的是 xz，有 4 项障碍：") && zh.ends_with("另有 2 项。"), "{zh}");
        // A rule without a reason is told by its name.
        assert!(en.contains(rule_word(Rule::Tier).text(Lang::En)), "{en}");
    }
}
