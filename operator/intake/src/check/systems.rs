//! Information systems: state secrets are refused, and what is declared agrees with what is there.

use std::collections::BTreeMap;

use jiuzhou_api::v1alpha1::{DataClass, HostingState};
use jiuzhou_engine::terms::{Code, Finding, Reason};
use serde_json::Value;

use crate::approvals::{self, Approved};
use crate::beijing;
use crate::convert::{approval, approval_of_mode};
use crate::documents::Document;
use crate::in_force::{self, Guarded};
use crate::objects::Key;

use super::scene::{Field, Scene, full_name, input};

/// Words that only a classified (涉密) system carries.
const SECRET_WORDS: &[&str] = &["涉密", "国家秘密", "绝密", "机密", "秘密级"];
/// Words that contain one of them and mean something else; `机密计算` is confidential computing.
const HARMLESS: &[&str] =
    &["非涉密", "不涉密", "未涉密", "去涉密", "脱密", "机密计算", "机密容器", "机密虚拟机", "非国家秘密"];
/// Values of labels, which cannot be Chinese, that say the same.
const SECRET_LABELS: &[&str] = &["classified", "shemi", "she-mi", "jimi", "juemi", "state-secret", "top-secret"];

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    state_secrets(scene, out);
    protection(scene, out);
    hosting(scene, out);
    classes(scene, out);
    orders(scene, out);
}

/// Orders that stop a system, and emergencies, that nobody else approved.
fn orders(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let approved = Approved::on(beijing::day(scene.as_of), &scene.objects.approvals);
    for (key, item) in &scene.objects.systems {
        let Some(order) = item.object.spec.stop.as_ref().filter(|order| !order.lifted) else { continue };
        if approval(key, order, &approved).is_none() {
            let what = format!("stop {}/{}", key.0, key.1);
            let reason = Reason::new(Code::OrderUnapproved).object(&*order.order).seen(what);
            out.push(Field::new(&item.document, "/spec/stop").finding(reason));
        }
    }
    let waits = |all: Vec<Guarded>, document: &Document, out: &mut Vec<Finding>| {
        for one in all.iter().filter(|one| one.holds(&approved).waiting.is_some()) {
            let what = format!("{} {}", approvals::word(one.order), one.subject);
            let reason = Reason::new(Code::OrderUnapproved).object(what.as_str()).seen(what.clone());
            out.push(Field::new(document, one.pointer).finding(reason));
        }
    };
    scene.objects.systems.values().for_each(|item| waits(in_force::of_system(&item.object), &item.document, out));
    scene.objects.tenants.values().for_each(|item| waits(in_force::of_tenant(&item.object), &item.document, out));
    scene.objects.tiers.values().for_each(|item| waits(in_force::of_tier(&item.object), &item.document, out));
    for (key, item) in &scene.objects.modes {
        let spec = &item.object.spec;
        let open = !spec.ended && scene.as_of < spec.until.0;
        if open && approval_of_mode(&key.1, spec, &approved).is_none() {
            let reason = Reason::new(Code::OrderUnapproved).object(&*spec.document.number);
            out.push(Field::new(&item.document, "/spec").finding(reason.seen(format!("mode {}", key.1))));
        }
    }
}

fn state_secrets(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    for item in input(&scene.objects.systems) {
        let spec = &item.object.spec;
        secret(&spec.display_name, &Field::new(&item.document, "/spec/displayName"), out);
        for (index, contact) in spec.contractors.iter().enumerate() {
            let role = contact.role.as_deref().unwrap_or_default();
            secret(role, &Field::new(&item.document, format!("/spec/contractors/{index}/role")), out);
        }
        for (index, asset) in spec.assets.iter().enumerate() {
            let product = asset.product.as_deref().unwrap_or_default();
            secret(product, &Field::new(&item.document, format!("/spec/assets/{index}/product")), out);
        }
        metadata(&item.document, &item.object.metadata, out);
    }
    for item in input(&scene.objects.workloads) {
        metadata(&item.document, &item.object.metadata, out);
        for (index, object) in item.object.spec.objects.iter().enumerate() {
            let at = Field::new(&item.document, format!("/spec/objects/{index}/manifest/metadata"));
            for list in ["labels", "annotations"] {
                let entries = object.manifest.pointer(&format!("/metadata/{list}")).and_then(Value::as_object);
                let entries = entries.into_iter().flatten().filter_map(|(key, value)| Some((key, value.as_str()?)));
                entries.for_each(|(key, value)| word(key, value, &at.down(list), out));
            }
        }
    }
    for item in input(&scene.objects.tenants) {
        metadata(&item.document, &item.object.metadata, out);
    }
}

fn metadata(document: &Document, meta: &kube::core::ObjectMeta, out: &mut Vec<Finding>) {
    let at = Field::new(document, "/metadata");
    for (list, entries) in [("labels", &meta.labels), ("annotations", &meta.annotations)] {
        for (key, value) in entries.iter().flatten() {
            word(key, value, &at.down(list), out);
        }
    }
}

/// One label or annotation. kubectl's copy of the whole object would repeat what the fields say.
fn word(key: &str, value: &str, at: &Field<'_>, out: &mut Vec<Finding>) {
    if key == "kubectl.kubernetes.io/last-applied-configuration" {
        return;
    }
    let at = at.down(&key.replace('~', "~0").replace('/', "~1"));
    if SECRET_LABELS.contains(&value.to_lowercase().as_str()) {
        refuse(value, &at, out);
    } else {
        secret(value, &at, out);
    }
}

fn secret(text: &str, at: &Field<'_>, out: &mut Vec<Finding>) {
    let mut text = text.to_owned();
    for harmless in HARMLESS.iter().filter(|_| !text.is_ascii()).collect::<Vec<_>>() {
        text = text.replace(harmless, "");
    }
    if let Some(word) = SECRET_WORDS.iter().find(|word| text.contains(**word)) {
        refuse(word, at, out);
    }
}

fn refuse(word: &str, at: &Field<'_>, out: &mut Vec<Finding>) {
    let reason = Reason::new(Code::StateSecretRefused).object(full_name(at.document)).seen(word);
    out.push(at.finding(reason));
}

/// Workloads of each system.
fn workloads(scene: &Scene<'_>) -> BTreeMap<Key, i64> {
    let mut counts = BTreeMap::new();
    for item in scene.objects.workloads.values() {
        let key = (item.document.namespace.clone(), item.object.spec.system.to_string());
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// A level that no cluster has, for systems that are to run on one.
fn protection(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let levels =
        scene.objects.clusters.values().map(|item| item.object.spec.protection.as_ref().map_or(0, |p| p.level));
    let Some(highest) = levels.max() else { return };
    for item in input(&scene.objects.systems) {
        let on_cloud = matches!(item.object.spec.hosting.state, HostingState::Lifted | HostingState::CloudNative);
        if let Some(level) = item.object.spec.protection.as_ref().map(|p| p.level).filter(|l| on_cloud && *l > highest)
        {
            let reason = Reason::new(Code::ProtectionUnreachable).object(full_name(&item.document));
            let reason = reason.seen(i64::from(highest)).wanted(i64::from(level));
            out.push(item.document.finding(reason, "/spec/protection/level"));
        }
    }
}

/// Cloud-native without a workload, or retired with one.
fn hosting(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let counts = workloads(scene);
    for item in input(&scene.objects.systems) {
        let key = (item.document.namespace.clone(), item.document.name.clone());
        let count = counts.get(&key).copied().unwrap_or_default();
        let state = item.object.spec.hosting.state;
        let contradicts = match state {
            // A refused workload may be the one.
            HostingState::CloudNative => count == 0 && !scene.refused_any(&["FleetWorkload"]),
            HostingState::Retired => count > 0,
            HostingState::OnPremises | HostingState::Hosted | HostingState::Lifted => false,
        };
        if contradicts {
            let reason = Reason::new(Code::HostingContradicted).object(full_name(&item.document));
            let reason = reason.seen(format!("{state:?}")).wanted(count);
            out.push(item.document.finding(reason, "/spec/hosting/state"));
        }
    }
}

/// Important and core data is confirmed by the bureau.
fn classes(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    for item in input(&scene.objects.systems) {
        let class = &item.object.spec.data_class;
        if class.class != DataClass::General && class.confirmed_by.is_none() {
            let reason = Reason::new(Code::ClassUnconfirmed).object(full_name(&item.document));
            out.push(item.document.finding(reason.seen(format!("{:?}", class.class)), "/spec/dataClass"));
        }
    }
}
