//! The sovereignty tier of each cluster at an instant, as its status tells it. Pure; judging is the engine's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::input::{ClusterInput, Dimension, TierInput};
use jiuzhou_engine::decide::tier::{CheckOutcome, CheckResult, Standing, evaluate};
use jiuzhou_intake::beijing;
use jiuzhou_intake::objects::Objects;

/// Longest list of failing checks of the schema.
const MAX_FAILING: usize = 64;

/// Tiers by cluster. Without any SovereigntyTier nothing is said.
#[must_use]
pub fn tiers<'a>(
    objects: &Objects,
    tiers: &[TierInput],
    clusters: impl IntoIterator<Item = &'a ClusterInput>,
    as_of: Timestamp,
) -> BTreeMap<String, api::TierStatus> {
    let mut tiers = tiers.to_vec();
    tiers.sort_by(|a, b| (a.rank, &a.name).cmp(&(b.rank, &b.name)));
    if tiers.is_empty() {
        return BTreeMap::new();
    }
    let known: Vec<Known<'_>> = tiers
        .iter()
        .map(|tier| Known { name: &tier.name, rank: i32::from(tier.rank), stage: stage(objects, &tier.name) })
        .collect();
    clusters
        .into_iter()
        .map(|cluster| (cluster.name.clone(), status(&evaluate(cluster, &tiers, as_of), &known)))
        .collect()
}

/// A tier, lowest first.
struct Known<'a> {
    name: &'a str,
    rank: i32,
    stage: api::SovereigntyStage,
}

fn stage(objects: &Objects, name: &str) -> api::SovereigntyStage {
    let item = objects.tiers.get(&(String::new(), name.to_owned()));
    item.map(|item| item.object.spec.stage).unwrap_or_default()
}

fn status(standing: &Standing, tiers: &[Known<'_>]) -> api::TierStatus {
    let Standing { certain, possible: _, dimensions, checks, next_expiry } = standing;
    let reached = certain.checked_sub(1).and_then(|index| tiers.get(index));
    let next = tiers.get(*certain).map(|tier| tier.name);
    let fails =
        |check: &&CheckResult| Some(check.tier.as_str()) == next && !matches!(check.outcome, CheckOutcome::Pass { .. });
    let short = |check: &CheckResult| check.check.rsplit('/').next().unwrap_or_default().into();
    let dimension = |(dimension, count): (&Dimension, &usize)| {
        let reached = count.checked_sub(1).and_then(|index| tiers.get(index));
        api::DimensionTier {
            dimension: word(*dimension),
            name: reached.map(|tier| tier.name.into()),
            rank: reached.map_or(0, |tier| tier.rank),
        }
    };
    api::TierStatus {
        name: reached.map(|tier| tier.name.into()),
        rank: reached.map_or(0, |tier| tier.rank),
        stage: reached.map(|tier| tier.stage).unwrap_or_default(),
        dimensions: dimensions.iter().map(dimension).collect(),
        failing: checks.iter().filter(fails).take(MAX_FAILING).map(short).collect(),
        next_expiry: next_expiry.map(|at| beijing::day(at).to_string().into()),
    }
}

fn word(dimension: Dimension) -> api::Dimension {
    match dimension {
        Dimension::Data => api::Dimension::Data,
        Dimension::Technical => api::Dimension::Technical,
        Dimension::Operational => api::Dimension::Operational,
        Dimension::Availability => api::Dimension::Availability,
        Dimension::SupplyChain => api::Dimension::SupplyChain,
        Dimension::Geopolitical => api::Dimension::Geopolitical,
    }
}

/// When the tier of any cluster may next change by the clock alone, so that it is judged again then.
#[must_use]
pub fn next_change(tiers: &BTreeMap<String, api::TierStatus>, as_of: Timestamp) -> Option<Timestamp> {
    let ends = tiers.values().filter_map(|tier| beijing::start(tier.next_expiry.as_deref()?));
    ends.filter(|at| *at > as_of).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLEET: &str = r#"
apiVersion: jiuzhou.dev/v1alpha1
kind: Site
metadata: { name: dali }
spec: { displayName: 大理, region: "532900", provider: own }
---
apiVersion: jiuzhou.dev/v1alpha1
kind: MemberCluster
metadata: { name: a }
spec:
  site: dali
  form: Private
  ownership: Government
  connection: { pull: {} }
"#;

    fn judged(as_of: &str) -> BTreeMap<String, api::TierStatus> {
        let as_of: Timestamp = as_of.parse().unwrap();
        let texts = [("fleet.yaml".to_owned(), FLEET.as_bytes())];
        let fleet = jiuzhou_intake::load_texts(&texts, &jiuzhou_intake::Options::at(as_of)).unwrap();
        let told = &fleet.converted.fleet;
        tiers(&fleet.objects, &told.tiers, &told.clusters, as_of)
    }

    #[test]
    fn a_cluster_gets_the_highest_tier_that_holds_and_what_keeps_it_from_the_next() {
        let tiers = judged("2026-06-01T00:00:00Z");
        let tier = &tiers["a"];
        assert!(tier.name.is_some(), "{tier:?}");
        assert!(!tier.failing.is_empty() && tier.failing.iter().all(|check| !check.contains('/')), "{tier:?}");
        assert_eq!(tier.dimensions.len(), 6);
        assert!(tier.dimensions.iter().all(|dimension| dimension.rank >= tier.rank), "the weakest decides: {tier:?}");
    }
}
