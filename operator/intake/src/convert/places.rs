//! Where a cluster is and whose it is, as labels: how selectors by site, region, provider, form, place and ownership
//! reach an engine that knows names and labels only.
//!
//! The labels stand beside the user's own under a prefix no user may set, and appear in explanations as they are.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::v1alpha1::{ClusterSelector, LabelExpression, LabelOperator, MemberCluster, Site};
use jiuzhou_engine::decide::affinity::{Affinity, Expression, Operator};

use crate::objects::{Item, Items, named};

use super::words;

/// Keys of the labels that conversion adds.
pub(super) mod label {
    /// Name of the site.
    pub(crate) const SITE: &str = "place.jiuzhou.dev/site";
    /// GB/T 2260 code of the site.
    pub(crate) const REGION: &str = "place.jiuzhou.dev/region";
    /// Code of its province.
    pub(crate) const PROVINCE: &str = "place.jiuzhou.dev/province";
    /// Code of its prefecture.
    pub(crate) const PREFECTURE: &str = "place.jiuzhou.dev/prefecture";
    /// Provider.
    pub(crate) const PROVIDER: &str = "place.jiuzhou.dev/provider";
    /// Form of cloud.
    pub(crate) const FORM: &str = "place.jiuzhou.dev/form";
    /// Kind of place.
    pub(crate) const PLACE: &str = "place.jiuzhou.dev/place";
    /// Whose it is.
    pub(crate) const OWNERSHIP: &str = "place.jiuzhou.dev/ownership";
    /// Network zones of its pools, joined by `+`.
    pub(crate) const ZONE: &str = "place.jiuzhou.dev/zone";
    /// Brands of its pools, joined by `+`.
    pub(crate) const BRAND: &str = "place.jiuzhou.dev/brand";

    /// Key of the label of a cluster that declares an algorithm.
    pub(crate) fn crypto(algorithm: jiuzhou_api::v1alpha1::SmAlgorithm) -> String {
        format!("{PREFIX}{}", super::words::sm_name(algorithm))
    }

    /// What the keys of this module begin with; no label of the user may.
    pub(crate) const PREFIX: &str = "place.jiuzhou.dev/";
}

/// What a code covers: 530000 its province, 532900 its prefecture, others themselves. Municipalities have districts
/// under codes like 110101, so a code ending in 00 covers four digits and one ending in 0000 two.
#[must_use]
pub(super) fn prefix(code: &str) -> &str {
    code.strip_suffix("0000").or_else(|| code.strip_suffix("00")).unwrap_or(code)
}

/// The codes of the province and of the prefecture a code belongs to; a province has no prefecture.
#[must_use]
pub(super) fn above(code: &str) -> (Option<String>, Option<String>) {
    let province = code.get(..2).map(|head| format!("{head}0000"));
    let prefecture = code.get(..4).filter(|head| !head.ends_with("00")).map(|head| format!("{head}00"));
    (province, prefecture)
}

/// Provider of a cluster: its own, else its site's.
#[must_use]
pub(super) fn provider<'a>(cluster: &'a MemberCluster, site: Option<&'a Item<Site>>) -> &'a str {
    match (&cluster.spec.provider, site) {
        (Some(own), _) => own,
        (None, Some(site)) => &site.object.spec.provider,
        (None, None) => "",
    }
}

/// The labels of a cluster: its own and those of this module, except zone and brand, which its pools tell.
#[must_use]
pub(crate) fn labels(cluster: &MemberCluster, site: Option<&Item<Site>>) -> BTreeMap<String, String> {
    let mut labels = cluster.metadata.labels.clone().unwrap_or_default();
    labels.retain(|key, _| !key.starts_with(label::PREFIX));
    let mut set = |key: &str, value: &str| {
        if !value.is_empty() {
            labels.insert(key.to_owned(), value.to_owned());
        }
    };
    let spec = &cluster.spec;
    set(label::SITE, &spec.site);
    set(label::PROVIDER, provider(cluster, site));
    set(label::FORM, words::form_name(spec.form));
    set(label::PLACE, words::place_name(spec.place));
    set(label::OWNERSHIP, words::ownership_name(spec.ownership));
    if let Some(site) = site {
        let region = &site.object.spec.region;
        let (province, prefecture) = above(region);
        set(label::REGION, region);
        set(label::PROVINCE, &province.unwrap_or_default());
        set(label::PREFECTURE, &prefecture.unwrap_or_default());
    }
    labels
}

/// What selectors are read against: the regions that exist in the fleet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    regions: BTreeSet<String>,
}

impl Places {
    pub(crate) fn new(clusters: &Items<MemberCluster>, sites: &Items<Site>) -> Self {
        let of = |item: &Item<MemberCluster>| {
            named(sites, &item.object.spec.site).map(|site| site.object.spec.region.to_string())
        };
        Self { regions: clusters.values().filter_map(of).collect() }
    }

    /// A selector as the engine's affinity. Every part that is given must match.
    pub(crate) fn affinity(&self, selector: &ClusterSelector) -> Affinity {
        let ClusterSelector {
            names,
            exclude_names,
            sites,
            regions,
            providers,
            forms,
            places,
            ownerships,
            labels,
            expressions,
        } = selector;
        let mut tests: Vec<Expression> = expressions.iter().map(expression).collect();
        let mut one_of = |key: &str, values: Vec<String>, given: bool| {
            if given {
                tests.push(Expression { key: key.to_owned(), operator: Operator::In, values });
            }
        };
        one_of(label::SITE, sites.iter().map(ToString::to_string).collect(), !sites.is_empty());
        let covered = |code: &&String| regions.iter().any(|wanted| code.starts_with(prefix(wanted)));
        one_of(label::REGION, self.regions.iter().filter(covered).cloned().collect(), !regions.is_empty());
        one_of(label::PROVIDER, providers.iter().map(ToString::to_string).collect(), !providers.is_empty());
        let named = |word: &'static str| word.to_owned();
        let words = |list: Vec<&'static str>| list.into_iter().map(named).collect::<Vec<_>>();
        one_of(label::FORM, words(forms.iter().copied().map(words::form_name).collect()), !forms.is_empty());
        one_of(label::PLACE, words(places.iter().copied().map(words::place_name).collect()), !places.is_empty());
        let owners = ownerships.iter().copied().map(words::ownership_name).collect();
        one_of(label::OWNERSHIP, words(owners), !ownerships.is_empty());
        Affinity {
            names: names.iter().map(ToString::to_string).collect(),
            exclude: exclude_names.iter().map(ToString::to_string).collect(),
            labels: labels.0.clone(),
            expressions: tests,
        }
    }
}

fn expression(expression: &LabelExpression) -> Expression {
    let LabelExpression { key, operator, values } = expression;
    let operator = match operator {
        LabelOperator::In => Operator::In,
        LabelOperator::NotIn => Operator::NotIn,
        LabelOperator::Exists => Operator::Exists,
        LabelOperator::DoesNotExist => Operator::DoesNotExist,
    };
    Expression { key: key.to_string(), operator, values: values.iter().map(ToString::to_string).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_covers_what_is_below_it() {
        assert_eq!((prefix("530000"), prefix("532900"), prefix("532901")), ("53", "5329", "532901"));
        assert_eq!(above("532901"), (Some("530000".into()), Some("532900".into())));
        assert_eq!(above("530000"), (Some("530000".into()), None));
        assert_eq!(above(""), (None, None));
    }

    #[test]
    fn a_selector_that_matches_no_region_matches_no_cluster() {
        let places = Places { regions: BTreeSet::from(["532901".to_owned()]) };
        let selector = |code: &str| ClusterSelector { regions: vec![code.into()], ..ClusterSelector::default() };
        let labels = BTreeMap::from([(label::REGION.to_owned(), "532901".to_owned())]);
        assert!(places.affinity(&selector("530000")).matches("a", &labels));
        assert!(!places.affinity(&selector("510000")).matches("a", &labels));
    }
}
