//! Fills the holes of a sentence from the typed parameters of a reason. What stands in square brackets is said only where
//! its hole has something in it: `correct the name[: {wanted}]`.
//!
//! A value is formatted by its type (bytes as GiB, time as Beijing time), a list is cut after eight names and says
//! how many are left. What comes from the input is inserted once and never read as a template again.

use jiuzhou_engine::terms::{Form, ObjectRef, Reason, Value};

use crate::words::{Lang, Term, Unit, Word, beijing, grouped, quantity};

/// Names of a list shown in a sentence.
const LIST_MOST: usize = 8;

/// What is the case, as a full sentence. `subject` is the object the finding belongs to.
#[must_use]
pub fn render(reason: &Reason, subject: Option<&ObjectRef>, lang: Lang) -> String {
    let Some(sentence) = super::of(reason.code) else { return reason.code.to_string() };
    let said = fill(if lang == Lang::Zh { sentence.zh } else { sentence.en }, reason, subject, lang);
    match (&reason.about, lang) {
        (Value::Unknown, _) => said,
        (about, Lang::En) => format!("{}: {said}", short(&value(about, lang))),
        (about, Lang::Zh) => format!("{}：{said}", short(&value(about, lang))),
    }
}

/// An image by digest with 12 digits of it, as container tools show it; anything else whole.
fn short(name: &str) -> String {
    match name.split_once("@sha256:") {
        Some((image, digest)) if digest.len() > 12 => {
            format!("{image}@{}", digest.chars().take(12).collect::<String>())
        }
        _ => name.to_owned(),
    }
}

/// What a person can do about it, as a full sentence.
#[must_use]
pub fn fix(reason: &Reason, subject: Option<&ObjectRef>, lang: Lang) -> String {
    let Some(sentence) = super::of(reason.code) else { return reason.code.to_string() };
    fill(if lang == Lang::Zh { sentence.fix_zh } else { sentence.fix_en }, reason, subject, lang)
}

/// A typed value as a person of that language reads it.
#[must_use]
pub fn value(value: &Value, lang: Lang) -> String {
    match value {
        Value::Unknown => Word::Unknown.text(lang).to_owned(),
        // Labels the intake gives clusters for their place are told by their last word.
        Value::Text(text) => match Form::of(text).filter(|_| lang == Lang::Zh) {
            Some(form) => form_zh(form),
            None => text.replace("label:place.jiuzhou.dev/", ""),
        },
        Value::Int(number) => grouped(*number),
        Value::Millicores(figure) => quantity(*figure, Unit::Millicores, lang),
        Value::Bytes(figure) => quantity(*figure, Unit::Bytes, lang),
        Value::MilliwattHours(figure) => quantity(*figure, Unit::MilliwattHours, lang),
        Value::PerMille(figure) => quantity(*figure, Unit::PerMille, lang),
        Value::Percent(figure) => quantity(*figure, Unit::Percent, lang),
        Value::Fen(figure) => quantity(*figure, Unit::Fen, lang),
        Value::Time(time) => beijing(*time),
        Value::List(list) if list.is_empty() => Word::None.text(lang).to_owned(),
        Value::List(list) => lang.list(list, LIST_MOST),
    }
}

/// What a field has to look like; in English it is its own text.
fn form_zh(form: Form<'_>) -> String {
    match form {
        Form::Map => "映射".to_owned(),
        Form::TextMap => "值均为文本的映射".to_owned(),
        Form::Quantity => "形如 250m、1.5 或 2Gi 的数量".to_owned(),
        Form::QuantityFromZero => "不小于 0 的数量".to_owned(),
        Form::SmallerQuantity => "更小的数量".to_owned(),
        Form::UncountableSum => "超过 2^63 - 1 的总和".to_owned(),
        Form::Whole => "整数".to_owned(),
        Form::WholeFrom(least) => format!("不小于 {least} 的整数"),
        Form::CountablePods => "小于 2^63 的 Pod 数".to_owned(),
        Form::UnfilledType => "不由控制器填写的类型".to_owned(),
        Form::NoReplicas(kind) => format!("0 或 1，因为 {kind} 没有副本数"),
        Form::NoStop(kind) => format!("不小于 1，因为 {kind} 不能用副本数停止"),
    }
}

fn fill(template: &str, reason: &Reason, subject: Option<&ObjectRef>, lang: Lang) -> String {
    let prose = |parameter: &Value| match parameter {
        Value::Text(text) => super::prose::told(reason.code, text, lang),
        _ => None,
    };
    let (seen, wanted) = pair(&reason.seen, &reason.wanted, lang);
    let (seen, wanted) = (prose(&reason.seen).unwrap_or(seen), prose(&reason.wanted).unwrap_or(wanted));
    let mut out = String::with_capacity(template.len() + 64);
    let template = said(template, reason);
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((hole, after)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match hole {
            "object" => out.push_str(&prose(&reason.object).unwrap_or_else(|| value(&reason.object, lang))),
            "seen" => out.push_str(&seen),
            "wanted" => out.push_str(&wanted),
            "subject" => out.push_str(&named(subject, lang)),
            other => {
                out.push('{');
                out.push_str(other);
                out.push('}');
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A template without the brackets, and without what stands in them where nothing fills its hole.
fn said(template: &str, reason: &Reason) -> String {
    let empty = |value: &Value| match value {
        Value::Unknown => true,
        Value::Text(text) => text.is_empty(),
        Value::List(list) => list.is_empty(),
        _ => false,
    };
    let nothing = |part: &str| {
        [("{object}", &reason.object), ("{seen}", &reason.seen), ("{wanted}", &reason.wanted)]
            .into_iter()
            .any(|(hole, value)| part.contains(hole) && empty(value))
    };
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, part, after)) = rest.split_once('[').and_then(|(before, rest)| {
        let (part, after) = rest.split_once(']')?;
        Some((before, part, after))
    }) {
        out.push_str(before);
        if !nothing(part) {
            out.push_str(part);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Value seen and value wanted. Two different amounts of bytes never read the same.
fn pair(seen: &Value, wanted: &Value, lang: Lang) -> (String, String) {
    let texts = (value(seen, lang), value(wanted, lang));
    match (seen, wanted) {
        (Value::Bytes(a), Value::Bytes(b)) if a != b && texts.0 == texts.1 => {
            (format!("{} B", grouped(*a)), format!("{} B", grouped(*b)))
        }
        _ => texts,
    }
}

fn named(subject: Option<&ObjectRef>, lang: Lang) -> String {
    let Some(object) = subject else { return Word::Unknown.text(lang).to_owned() };
    let kind = Term::of_kind(&object.kind).map_or(object.kind.as_str(), |term| term.text(lang));
    if object.namespace.is_empty() {
        format!("{kind} {}", object.name)
    } else {
        format!("{kind} {}/{}", object.namespace, object.name)
    }
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::Code;

    use super::*;

    #[test]
    fn what_a_field_has_to_look_like_is_said_in_chinese_without_english_words() {
        let filled = [Form::WholeFrom(0), Form::NoReplicas("任务"), Form::NoStop("任务")];
        for form in Form::FIXED.into_iter().chain(filled) {
            let told = value(&Value::from(form), Lang::Zh);
            let words = told.replace("Pod", "").replace("2Gi", "").replace("250m", "");
            assert!(!words.chars().any(|letter| letter.is_ascii_alphabetic()), "{told}");
            assert_eq!(value(&Value::from(form), Lang::En), form.to_string());
        }
    }

    #[test]
    fn holes_are_filled_by_type() {
        let reason = Reason::new(Code::CapacityInsufficient)
            .object("web")
            .seen(Value::Bytes(3 << 30))
            .wanted(Value::Bytes(16 << 30));
        assert_eq!(render(&reason, None, Lang::En), "There is too little room for web: 3 GiB of 16 GiB replicas fit.");
        assert!(render(&reason, None, Lang::Zh).contains("16 GiB"));
    }

    #[test]
    fn a_name_that_looks_like_a_hole_stays_a_name() {
        let reason = Reason::new(Code::FileUnreadable).object("{seen}{wanted}").seen("{object}");
        assert_eq!(render(&reason, None, Lang::En), "{seen}{wanted} cannot be read: {object}.");
    }

    #[test]
    fn what_is_not_known_is_not_offered() {
        let reason = Reason::new(Code::ReferenceUnknown).object("Site/a").seen("Tenant/b");
        let none = reason.clone().wanted(Vec::<String>::new());
        for without in [&reason, &none] {
            assert_eq!(fix(without, None, Lang::En), "Add the object, or correct the name.");
            assert_eq!(fix(without, None, Lang::Zh), "请补充该对象，或更正名称。");
        }
        let near = reason.wanted(vec!["[c]".to_owned()]);
        assert_eq!(fix(&near, None, Lang::En), "Add the object, or correct the name; there is: [c].");
    }

    #[test]
    fn amounts_that_differ_by_a_byte_do_not_read_the_same() {
        let (seen, wanted) = pair(&Value::Bytes((8 << 30) + 1), &Value::Bytes(8 << 30), Lang::En);
        assert_eq!((seen.as_str(), wanted.as_str()), ("8,589,934,593 B", "8,589,934,592 B"));
    }

    #[test]
    fn a_list_is_cut_after_eight_and_an_empty_one_has_a_word() {
        let many = Value::List((0..11).map(|n| format!("c{n}")).collect());
        assert!(value(&many, Lang::En).ends_with("c7 and 3 more"));
        assert!(value(&many, Lang::Zh).ends_with("c7等 11 项"));
        assert_eq!(value(&Value::List(Vec::new()), Lang::En), "none");
        assert_eq!(value(&Value::Unknown, Lang::Zh), "未知");
    }

    #[test]
    fn a_subject_is_called_by_its_glossary_name() {
        let ours = ObjectRef::new("MemberCluster", "", "xz-a");
        let theirs = ObjectRef::new("Deployment", "shop", "web");
        assert_eq!(named(Some(&ours), Lang::Zh), "成员集群 xz-a");
        assert_eq!(named(Some(&theirs), Lang::Zh), "Deployment shop/web");
    }
}
