//! Placement policies: groups, preferences, division, spread, shares, tolerations.

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::choice::POINTS;
use jiuzhou_engine::decide::affinity::{Affinity, Toleration};
use jiuzhou_engine::decide::input::Figure;
use jiuzhou_engine::decide::{Division, MaxShare, Policy, Preference, Spread};
use jiuzhou_engine::terms::Percent;

use super::places::Places;
use super::{figures, words};

/// What a policy says, split as the engine takes it: which clusters may (part of the requirement), how to place.
#[derive(Clone, Debug, Default)]
pub(super) struct Placement {
    pub(super) affinity: Affinity,
    pub(super) groups: Vec<Affinity>,
    pub(super) tolerations: Vec<Toleration>,
    pub(super) policy: Policy,
}

pub(super) fn placement(rules: &api::PlacementRules, places: &Places) -> Placement {
    let api::PlacementRules {
        clusters,
        groups,
        preferences,
        replicas,
        spread,
        max_share,
        tolerations,
        failover: _,   // a step of control
        disruption: _, // a step of control
        rebalance_gain_per_mille,
        overrides: _, // rendered for the chosen clusters
    } = rules;
    let api::ReplicaRule { mode, divide_by, weights, min_per_cluster, max_per_cluster } = replicas;
    let division = match (mode, divide_by.unwrap_or_default()) {
        (api::ReplicaMode::Duplicated, _) => Division::Duplicated,
        (api::ReplicaMode::Divided, api::DivideBy::Capacity) => Division::ByCapacity,
        (api::ReplicaMode::Divided, api::DivideBy::Packed) => Division::Packed,
        (api::ReplicaMode::Divided, api::DivideBy::Weight) => {
            let weight = |entry: &api::ClusterWeight| {
                let api::ClusterWeight { selector, weight } = entry;
                (places.affinity(selector), u32::try_from(*weight).unwrap_or(0))
            };
            Division::ByWeight(weights.iter().map(weight).collect())
        }
    };
    // A group that does not overflow ends the list: what comes after it is never opened.
    let last = groups.iter().position(|group| !group.overflow).map_or(groups.len(), |index| index + 1);
    let preferences: Vec<Preference> = preferences.iter().flat_map(preference).collect();
    // Of the best score there can be: all points of every preference.
    let best = preferences.iter().fold(0_i64, |sum, one| sum.saturating_add(i64::from(one.weight) * POINTS));
    let groups = groups.get(..last).unwrap_or_default();
    Placement {
        affinity: clusters.as_ref().map(|selector| places.affinity(selector)).unwrap_or_default(),
        groups: groups.iter().map(|group| places.affinity(&group.selector)).collect(),
        tolerations: tolerations.iter().map(toleration).collect(),
        policy: Policy {
            division,
            preferences,
            min_per_cluster: min_per_cluster.map_or(0, i64::from),
            max_per_cluster: max_per_cluster.map(i64::from),
            spread: spread.iter().map(self::spread).collect(),
            max_share: max_share.iter().filter_map(self::max_share).collect(),
            rebalance_gain: rebalance_gain_per_mille.map(|per_mille| best.saturating_mul(i64::from(per_mille)) / 1000),
            failback_seconds: groups.iter().map(failback).collect(),
        },
    }
}

/// How long the clusters of a group must have been healthy before what overflowed goes back to it.
fn failback(group: &api::ClusterGroup) -> Option<i64> {
    let api::ClusterGroup { name: _, selector: _, overflow: _, failback_after_minutes } = group;
    Some(i64::from(*failback_after_minutes).saturating_mul(60))
}

fn toleration(toleration: &api::ClusterToleration) -> Toleration {
    // Seconds count from a taint's time and are control's; a plan asks whether the taint is stood at all.
    let api::ClusterToleration { key, operator, value, effect, seconds: _ } = toleration;
    Toleration {
        key: key.to_string(),
        exists: match operator {
            api::TolerationOperator::Equal => false,
            api::TolerationOperator::Exists => true,
        },
        value: value.as_deref().unwrap_or_default().to_owned(),
        effect: effect.map(words::effect),
    }
}

/// A label with several values becomes one wish per value: a cluster has one of them at most, so the points are equal.
fn preference(preference: &api::Preference) -> Vec<Preference> {
    let api::Preference { name: _, metric, weight, lowest, highest, label } = preference;
    let (low, high) = (lowest.unwrap_or(0), highest.unwrap_or(1));
    let weight = u32::try_from(*weight).unwrap_or(0);
    let less = |figure: Figure| vec![Preference { figure, worst: high, best: low, weight }];
    let more = |figure: Figure| vec![Preference { figure, worst: low, best: high, weight }];
    match metric {
        api::PreferenceMetric::Carbon => less(Figure::Named(figures::CARBON.to_owned())),
        api::PreferenceMetric::Energy => less(Figure::PuePerMille),
        api::PreferenceMetric::Cost => less(Figure::Named(figures::COST.to_owned())),
        api::PreferenceMetric::LowUtilisation => less(Figure::UtilisationPerMille),
        api::PreferenceMetric::HighUtilisation => more(Figure::UtilisationPerMille),
        api::PreferenceMetric::LocalSupplier => more(Figure::LocalSupplier),
        api::PreferenceMetric::Label => {
            let Some(api::PreferredLabel { key, values }) = label else { return Vec::new() };
            let liked = |text: String| Preference { figure: Figure::Label(text), worst: 0, best: 1, weight };
            match values.as_slice() {
                [] => vec![liked(key.to_string())],
                values => values.iter().map(|value| liked(format!("{key}={value}"))).collect(),
            }
        }
    }
}

fn spread(spread: &api::Spread) -> Spread {
    let api::Spread { key, label, min_groups, max_groups, min_replicas_per_group, strength } = spread;
    Spread {
        key: words::spread_key(*key, label.as_deref()),
        min_groups: u32::try_from(*min_groups).unwrap_or(1),
        max_groups: max_groups.and_then(|n| u32::try_from(n).ok()),
        min_replicas: i64::from(*min_replicas_per_group),
        required: words::required(*strength),
    }
}

fn max_share(share: &api::MaxShare) -> Option<MaxShare> {
    let api::MaxShare { percent, key, label, of, strength } = share;
    Some(MaxShare {
        key: words::spread_key(*key, label.as_deref()),
        percent: Percent::new(u8::try_from(*percent).ok()?)?,
        of: words::share_of(*of),
        required: words::required(*strength),
    })
}
