//! Region codes that GB/T 2260 does not have.

use jiuzhou_api::text::RegionCode;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Finding, Reason, Severity};

use crate::builtin::{Region, region, regions_near};
use crate::documents::Document;
use crate::objects::Objects;

use super::own;
use super::policies::selectors;

pub(super) fn check(objects: &Objects, findings: &mut Vec<Finding>) {
    for item in own(&objects.sites) {
        one(&item.document, "/spec/region", &item.object.spec.region, findings);
    }
    for item in own(&objects.tenants) {
        one(&item.document, "/spec/region", &item.object.spec.region, findings);
        many(&item.document, "/spec/allowed/regions", &item.object.spec.allowed.regions, findings);
    }
    for item in own(&objects.systems) {
        if let Some(code) = &item.object.spec.region {
            one(&item.document, "/spec/region", code, findings);
        }
    }
    for item in own(&objects.workloads) {
        many(&item.document, "/spec/requirements/regions", &item.object.spec.requirements.regions, findings);
        if let Some(placement) = &item.object.spec.placement {
            rules(&item.document, placement, findings);
        }
    }
    for item in own(&objects.policies) {
        rules(&item.document, &item.object.spec.placement, findings);
    }
    for item in own(&objects.cluster_policies) {
        rules(&item.document, &item.object.spec.placement, findings);
    }
}

fn rules(document: &Document, placement: &api::PlacementRules, findings: &mut Vec<Finding>) {
    for (pointer, selector) in selectors("/spec/placement", placement) {
        many(document, &format!("{pointer}/regions"), &selector.regions, findings);
    }
}

fn many(document: &Document, pointer: &str, codes: &[RegionCode], findings: &mut Vec<Finding>) {
    for (index, code) in codes.iter().enumerate() {
        one(document, &format!("{pointer}/{index}"), code, findings);
    }
}

fn one(document: &Document, pointer: &str, code: &str, findings: &mut Vec<Finding>) {
    let severity = match region(code) {
        Region::Known => return,
        Region::UnknownBelow => Severity::Warning,
        Region::Unknown => Severity::Error,
    };
    let near = regions_near(code);
    let near = if near.is_empty() { vec!["-".to_owned()] } else { near };
    let reason = Reason::new(Code::RegionUnknown).seen(code).wanted(near);
    let mut finding = document.finding(reason, pointer);
    finding.severity = severity;
    findings.push(finding);
}
