//! Region codes exist in GB/T 2260, and a province without a published grid factor is named.
//!
//! Provinces and prefectures are known exactly; counties are founded, merged and renamed every year, so an unknown
//! county of a known prefecture is a warning only.

use std::collections::BTreeSet;

use jiuzhou_api::text::RegionCode;
use jiuzhou_api::v1alpha1::PlacementRules;
use jiuzhou_engine::terms::{Code, Finding, Reason};

use crate::builtin::{region_name, regions_near, rows};

use super::scene::{Field, Scene, input};

/// First digits of the prefecture level where GB/T 2260 has a placeholder instead of a prefecture: districts and
/// counties of the four municipalities, and units a province or region governs directly.
const PLACEHOLDERS: &[&str] = &["1101", "1201", "3101", "5001", "5002", "4190", "4290", "4690", "6590"];

/// Suggestions made in one run.
const SUGGESTIONS: usize = 32;

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut codes = Codes { scene, out, suggestions: SUGGESTIONS };
    codes.places();
    codes.wishes();
    grid_factors(scene, out);
}

/// What the tables say of a code.
enum Known {
    Yes,
    /// The county is not in the table, its prefecture is.
    County(&'static str),
    No,
}

fn look(code: &str) -> Known {
    let (Some(province), Some(prefecture)) = (code.get(..2), code.get(..4)) else { return Known::No };
    if region_name(code).is_some() {
        return Known::Yes;
    }
    let above = match PLACEHOLDERS.contains(&prefecture) {
        true if code.ends_with("00") => return Known::Yes,
        true => format!("{province}0000"),
        false => format!("{prefecture}00"),
    };
    match region_name(&above) {
        Some(name) if !code.ends_with("00") => Known::County(name),
        _ => Known::No,
    }
}

/// The province of a code, where nothing is nearer.
fn province(code: &str) -> String {
    let above = format!("{}0000", code.get(..2).unwrap_or_default());
    region_name(&above).map_or_else(|| "-".to_owned(), |name| format!("{above} {name}"))
}

struct Codes<'s, 'o> {
    scene: &'s Scene<'s>,
    out: &'o mut Vec<Finding>,
    suggestions: usize,
}

impl Codes<'_, '_> {
    fn code(&mut self, code: &RegionCode, at: &Field<'_>) {
        let reason = match look(code) {
            Known::Yes => return,
            Known::County(prefecture) => Reason::new(Code::CountyUnlisted).seen(code.as_ref()).wanted(prefecture),
            Known::No => {
                // Comparing with all counties costs; many wrong codes are one mistake, seldom thousands.
                let near = if self.suggestions == 0 { Vec::new() } else { regions_near(code) };
                self.suggestions = self.suggestions.saturating_sub(1);
                let near = if near.is_empty() { vec![province(code)] } else { near };
                Reason::new(Code::RegionUnknown).seen(code.as_ref()).wanted(near)
            }
        };
        self.out.push(at.finding(reason));
    }

    fn list(&mut self, codes: &[RegionCode], at: &Field<'_>) {
        for (index, code) in codes.iter().enumerate() {
            self.code(code, &at.at("regions", index));
        }
    }

    /// Where something is.
    fn places(&mut self) {
        for item in input(&self.scene.objects.sites) {
            self.code(&item.object.spec.region, &Field::new(&item.document, "/spec/region"));
        }
        for item in input(&self.scene.objects.tenants) {
            self.code(&item.object.spec.region, &Field::new(&item.document, "/spec/region"));
            self.list(&item.object.spec.allowed.regions, &Field::new(&item.document, "/spec/allowed"));
        }
        for item in input(&self.scene.objects.systems) {
            if let Some(region) = &item.object.spec.region {
                self.code(region, &Field::new(&item.document, "/spec/region"));
            }
        }
    }

    /// Where something may go, and what is reported on.
    fn wishes(&mut self) {
        for item in input(&self.scene.objects.workloads) {
            let at = Field::new(&item.document, "/spec");
            self.list(&item.object.spec.requirements.regions, &at.down("requirements"));
            if let Some(rules) = &item.object.spec.placement {
                self.rules(rules, &at.down("placement"));
            }
        }
        for item in input(&self.scene.objects.policies) {
            self.rules(&item.object.spec.placement, &Field::new(&item.document, "/spec/placement"));
        }
        for item in input(&self.scene.objects.cluster_policies) {
            self.rules(&item.object.spec.placement, &Field::new(&item.document, "/spec/placement"));
        }
        let own = input(&self.scene.objects.reports).map(|item| (&item.document, &item.object.spec.report));
        let fleet = input(&self.scene.objects.cluster_reports).map(|item| (&item.document, &item.object.spec.report));
        for (document, report) in own.chain(fleet) {
            self.list(&report.scope.regions, &Field::new(document, "/spec/report/scope"));
        }
    }

    fn rules(&mut self, rules: &PlacementRules, at: &Field<'_>) {
        if let Some(selector) = &rules.clusters {
            self.list(&selector.regions, &at.down("clusters"));
        }
        for (index, group) in rules.groups.iter().enumerate() {
            self.list(&group.selector.regions, &at.at("groups", index).down("selector"));
        }
        for (index, weight) in rules.replicas.weights.iter().enumerate() {
            self.list(&weight.selector.regions, &at.down("replicas").at("weights", index).down("selector"));
        }
    }
}

/// A site in a province without a published factor, and without one of its own: reports use the national one.
fn grid_factors(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut published: BTreeSet<&str> = BTreeSet::new();
    let mut national = "";
    for row in rows(&jiuzhou_data::GRID_FACTORS) {
        let column = |name| row.get(name).copied().unwrap_or_default();
        match (column("kind"), column("series")) {
            ("province", "average") => {
                published.insert(column("area"));
            }
            ("national", "average") => national = national.max(column("year")),
            _ => {}
        }
    }
    for item in input(&scene.objects.sites).filter(|item| item.object.spec.grid_factors.is_empty()) {
        let province = format!("{}0000", item.object.spec.region.get(..2).unwrap_or_default());
        if let Some(name) = region_name(&province).filter(|_| !published.contains(province.as_str())) {
            let reason = Reason::new(Code::FactorFallback).object(name).seen(national);
            out.push(item.document.finding(reason, "/spec/region"));
        }
    }
}
