//! Four eyes: who entered something does not verify it.
//!
//! The schema compares the names as written; here they are compared as people read them: without spaces, without
//! regard to case and to full-width letters.

use jiuzhou_engine::terms::{Code, Finding, Reason};

use super::scene::{Field, Scene, full_name, input};

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    evidence(scene, out);
    reports(scene, out);
    hosting(scene, out);
    data_class(scene, out);
}

/// A name as people read it.
fn person(name: &str) -> String {
    let narrow = |letter: char| match letter {
        '\u{ff01}'..='\u{ff5e}' => u32::from(letter).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(letter),
        other => other,
    };
    name.chars().map(narrow).filter(|c| !c.is_whitespace() && *c != '·').flat_map(char::to_lowercase).collect()
}

fn same(object: &str, first: Option<&str>, second: Option<&str>, at: &Field<'_>, out: &mut Vec<Finding>) {
    if let (Some(first), Some(second)) = (first, second)
        && person(first) == person(second)
    {
        out.push(at.finding(Reason::new(Code::EvidenceSelfVerified).object(object).seen(second)));
    }
}

fn evidence(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    for item in input(&scene.objects.clusters) {
        for (index, evidence) in item.object.spec.evidence.iter().enumerate() {
            let at = Field::new(&item.document, format!("/spec/evidence/{index}/verifiedBy"));
            same(&evidence.id, Some(&evidence.entered_by), evidence.verified_by.as_deref(), &at, out);
        }
    }
}

/// Reports of 等保 and 密评, of clusters and of systems.
fn reports(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let clusters = input(&scene.objects.clusters)
        .map(|item| (&item.document, &item.object.spec.protection, &item.object.spec.cryptography));
    let systems = input(&scene.objects.systems)
        .map(|item| (&item.document, &item.object.spec.protection, &item.object.spec.cryptography));
    for (document, protection, cryptography) in clusters.chain(systems) {
        for (part, assessed) in [("protection", protection), ("cryptography", cryptography)] {
            for (index, report) in assessed.iter().flat_map(|assessed| &assessed.reports).enumerate() {
                let at = Field::new(document, format!("/spec/{part}/reports/{index}/verifiedBy"));
                same(&report.number, report.entered_by.as_deref(), report.verified_by.as_deref(), &at, out);
            }
        }
    }
}

fn hosting(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    for item in input(&scene.objects.systems) {
        let hosting = &item.object.spec.hosting;
        let at = Field::new(&item.document, "/spec/hosting/verifiedBy");
        let name = full_name(&item.document);
        same(&name, hosting.declared_by.as_deref(), hosting.verified_by.as_deref(), &at, out);
    }
}

fn data_class(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    for item in input(&scene.objects.systems) {
        let class = &item.object.spec.data_class;
        let at = Field::new(&item.document, "/spec/dataClass/confirmedBy");
        same(&full_name(&item.document), Some(&class.set_by), class.confirmed_by.as_deref(), &at, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_is_recognised_however_the_name_is_typed() {
        for other in ["张 三", "张\u{3000}三", " 张三"] {
            assert_eq!(person(other), person("张三"));
        }
        assert_eq!(person("Ｌｉ Lei"), person("li lei"));
        assert_ne!(person("张三丰"), person("张三"));
    }
}
