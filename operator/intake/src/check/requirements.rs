//! Workloads that ask for less than their information system demands. The system's value is what a plan takes; that a
//! workload says otherwise is a mistake of one of the two.

use jiuzhou_engine::terms::{Code, Finding, Reason};

use crate::objects::Objects;

use super::own;

pub(super) fn check(objects: &Objects, findings: &mut Vec<Finding>) {
    for item in own(&objects.workloads) {
        let spec = &item.object.spec;
        let key = (item.document.namespace.clone(), spec.system.to_string());
        let Some(system) = objects.systems.get(&key).map(|system| &system.object.spec) else { continue };
        let mut tell = |field: &str, seen: String, wanted: String| {
            let reason = Reason::new(Code::RequirementLooser).object(field).seen(seen).wanted(wanted);
            let pointer = format!("/spec/requirements/{field}");
            findings.push(item.document.finding(reason, &pointer));
        };
        let demanded = system.data_class.class;
        if let Some(class) = spec.requirements.data_class.filter(|class| *class < demanded) {
            tell("dataClass", format!("{class:?}"), format!("{demanded:?}"));
        }
        let demanded = system.protection.as_ref().map(|protection| protection.level);
        if let (Some(level), Some(demanded)) = (spec.requirements.protection_level, demanded)
            && level < demanded
        {
            tell("protectionLevel", level.to_string(), demanded.to_string());
        }
    }
}
