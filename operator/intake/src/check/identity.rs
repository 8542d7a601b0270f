//! What must be unique over the whole fleet, and codes with a check digit: project codes, unified social credit codes,
//! green certificates; and systems that handle state secrets, which must not be here at all.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Code, Finding, Reason};

use crate::documents::Document;
use crate::objects::Objects;

use super::{credit_code, own};

/// Words of state secrecy (保守国家秘密法). `非涉密` and the like say the opposite and are allowed.
const SECRET: [&str; 4] = ["涉密", "绝密", "国家秘密", "机密级"];
/// Words before which they mean their opposite.
const NOT: [&str; 4] = ["非", "不", "无", "未"];

pub(super) fn check(objects: &Objects, findings: &mut Vec<Finding>) {
    project_codes(objects, findings);
    credit_codes(objects, findings);
    certificates(objects, findings);
    secrets(objects, findings);
}

fn project_codes(objects: &Objects, findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<&str, &Document> = BTreeMap::new();
    for item in own(&objects.systems) {
        let code = &*item.object.spec.project_code;
        match first.get(code) {
            None => {
                first.insert(code, &item.document);
            }
            Some(other) => {
                let place = other.place("/spec/projectCode");
                let seen = format!("{} ({}:{})", other.object_ref(), place.file, place.line);
                let reason = Reason::new(Code::ProjectCodeDuplicate).object(code).seen(seen);
                findings.push(item.document.finding(reason, "/spec/projectCode"));
            }
        }
    }
}

fn credit_codes(objects: &Objects, findings: &mut Vec<Finding>) {
    let mut check = |document: &Document, pointer: &str, code: &str| {
        if !credit_code::is_valid(code) {
            let wanted = credit_code::check_character(code).map_or_else(|| "-".to_owned(), String::from);
            let reason = Reason::new(Code::CreditCodeInvalid).seen(code).wanted(wanted);
            findings.push(document.finding(reason, pointer));
        }
    };
    for item in own(&objects.tenants) {
        if let Some(code) = &item.object.spec.unified_code {
            check(&item.document, "/spec/unifiedCode", code);
        }
    }
    for item in own(&objects.systems) {
        for (index, contractor) in item.object.spec.contractors.iter().enumerate() {
            if let Some(code) = &contractor.unified_code {
                check(&item.document, &format!("/spec/contractors/{index}/unifiedCode"), code);
            }
        }
    }
}

/// One certificate counts once in the whole fleet; within a site the schema sees to it.
fn certificates(objects: &Objects, findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<&str, &Document> = BTreeMap::new();
    for item in own(&objects.sites) {
        for (index, certificate) in item.object.spec.certificates.iter().enumerate() {
            let other = *first.entry(&certificate.id).or_insert(&item.document);
            if !std::ptr::eq(other, &item.document) {
                let reason = Reason::new(Code::CertificateReused).object(&*certificate.id);
                let reason = reason.seen(other.object_ref().to_string());
                findings.push(item.document.finding(reason, &format!("/spec/certificates/{index}/id")));
            }
        }
    }
}

/// The data class has no word for state secrets; this finds those whose name gives them away.
fn secrets(objects: &Objects, findings: &mut Vec<Finding>) {
    for item in own(&objects.systems) {
        let spec = &item.object.spec;
        let texts =
            [("/spec/displayName", spec.display_name.as_ref()), ("/metadata/name", item.document.name.as_str())];
        for (pointer, text) in texts {
            if let Some(word) = secret_word(text) {
                let name = item.document.object_ref().to_string();
                let reason = Reason::new(Code::StateSecretRefused).object(name).seen(word);
                findings.push(item.document.finding(reason, pointer));
            }
        }
    }
}

fn secret_word(text: &str) -> Option<&'static str> {
    let says = |word: &&str| {
        text.match_indices(*word).any(|(at, _)| !NOT.iter().any(|not| text.get(..at).is_some_and(|b| b.ends_with(not))))
    };
    SECRET.iter().copied().find(|word| says(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_says_it_is_not_secret_passes() {
        assert_eq!(secret_word("涉密公文系统"), Some("涉密"));
        assert_eq!(secret_word("非涉密公文系统"), None);
        assert_eq!(secret_word("公文系统"), None);
    }
}
