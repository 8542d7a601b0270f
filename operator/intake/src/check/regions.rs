//! Region codes exist in GB/T 2260, and a province without a published grid factor is named.
//!
//! Provinces and prefectures are known exactly; counties are founded, merged and renamed every year, so an unknown
//! county of a known prefecture is a warning only.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::text::RegionCode;
use jiuzhou_api::v1alpha1::PlacementRules;
use jiuzhou_data::Table;
use jiuzhou_engine::terms::{Code, Finding, Reason};

use super::scene::{Field, Scene, input};

/// First digits of the prefecture level where GB/T 2260 has a placeholder instead of a prefecture: districts and
/// counties of the four municipalities, and units a province or region governs directly.
const PLACEHOLDERS: &[&str] = &["1101", "1201", "3101", "5001", "5002", "4190", "4290", "4690", "6590"];

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut codes = Codes { scene, out, divisions: Divisions::built_in() };
    codes.places();
    codes.wishes();
    grid_factors(scene, &codes.divisions.names.clone(), out);
}

/// The columns of a built-in table by name, row by row; comments are left out.
fn rows(table: &Table) -> impl Iterator<Item = BTreeMap<&'static str, &'static str>> + use<> {
    let mut lines = table.text.lines().filter(|line| !line.starts_with('#'));
    let columns: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    lines.map(move |line| columns.iter().copied().zip(line.split('\t')).collect())
}

/// The divisions of GB/T 2260 by code.
struct Divisions {
    names: BTreeMap<&'static str, &'static str>,
}

/// What the tables say of a code.
enum Known {
    Yes,
    /// The county is not in the table, its prefecture is.
    County(&'static str),
    No,
}

impl Divisions {
    fn built_in() -> Self {
        let tables = [jiuzhou_data::PROVINCES, jiuzhou_data::PREFECTURES, jiuzhou_data::COUNTIES];
        let rows = tables.iter().flat_map(rows);
        Self { names: rows.filter_map(|row| Some((*row.get("code")?, *row.get("name")?))).collect() }
    }

    fn look(&self, code: &str) -> Known {
        let (Some(province), Some(prefecture)) = (code.get(..2), code.get(..4)) else { return Known::No };
        if self.names.contains_key(code) {
            return Known::Yes;
        }
        let above = match PLACEHOLDERS.contains(&prefecture) {
            true if code.ends_with("00") => return Known::Yes,
            true => format!("{province}0000"),
            false => format!("{prefecture}00"),
        };
        match self.names.get(above.as_str()) {
            Some(name) if !code.ends_with("00") => Known::County(name),
            _ => Known::No,
        }
    }
}

struct Codes<'s, 'o> {
    scene: &'s Scene<'s>,
    out: &'o mut Vec<Finding>,
    divisions: Divisions,
}

impl Codes<'_, '_> {
    fn code(&mut self, code: &RegionCode, at: &Field<'_>) {
        let reason = match self.divisions.look(code) {
            Known::Yes => return,
            Known::County(prefecture) => Reason::new(Code::CountyUnlisted).seen(code.as_ref()).wanted(prefecture),
            Known::No => {
                // Suggest within the province if there is one, else among provinces.
                let province = code.get(..2).unwrap_or_default();
                let own = self.divisions.names.keys().copied();
                let own: Vec<&str> = own.filter(|c| c.starts_with(province) && c.ends_with("00")).collect();
                let all = self.divisions.names.keys().copied().filter(|c| c.ends_with("0000"));
                let near = match own.is_empty() {
                    true => self.scene.nearest(code, &mut all.into_iter()),
                    false => self.scene.nearest(code, &mut own.into_iter()),
                };
                let named = |code: String| {
                    let name = self.divisions.names.get(code.as_str()).copied().unwrap_or_default();
                    format!("{code} {name}")
                };
                let near: Vec<String> = near.into_iter().map(named).collect();
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
        for item in input(&self.scene.objects.reports) {
            let at = Field::new(&item.document, "/spec/report/scope");
            self.list(&item.object.spec.report.scope.regions, &at);
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
fn grid_factors(scene: &Scene<'_>, names: &BTreeMap<&str, &str>, out: &mut Vec<Finding>) {
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
        if let Some(name) = names.get(province.as_str()).filter(|_| !published.contains(province.as_str())) {
            let reason = Reason::new(Code::FactorFallback).object(*name).seen(national);
            out.push(item.document.finding(reason, "/spec/region"));
        }
    }
}
