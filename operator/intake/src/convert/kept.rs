//! Where the data of a workload is, and where older data of it was left.
//!
//! A claim is tied to a volume in its cluster once its pods have run there; from then on the workload stays with its data
//! unless `spec.data` says that the data is elsewhere, copied or of no worth. Where its replicas went away (a person moved
//! it, or it is replicated) its placement says which epoch the data there is of. The newest is its data; what is older
//! than that is not run on again until a person says that it may be.

use std::collections::{BTreeMap, BTreeSet};

use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1 as api;
use kube::ResourceExt as _;

use super::tenants::texts;

/// What the objects of a workload say of claims.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Claims {
    /// One is tied to a volume already.
    pub(super) bound: bool,
    /// There are some: each is tied to a volume once its pod has run.
    pub(super) any: bool,
}

/// What the engine is told of data.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// Clusters the data ties the workload to; `None` when it may go anywhere.
    pub(super) on: Option<BTreeSet<String>>,
    /// Whether data stays behind where its replicas go away.
    pub(super) keeps: bool,
    /// Clusters with data that is older than what is elsewhere, and its epoch.
    pub(super) stale: BTreeMap<String, i64>,
}

/// Works it out.
pub(super) fn kept(
    workload: &api::FleetWorkload,
    data: Option<&api::DataPlacement>,
    claims: Claims,
    placed: Option<&api::FleetPlacement>,
) -> Kept {
    let mode = data.map(|data| data.mode);
    if matches!(mode, Some(api::DataMode::External | api::DataMode::Disposable)) {
        return Kept::default();
    }
    let begun = placed.and_then(|placed| placed.status.as_ref()).is_some_and(|status| status.begun);
    let bound = claims.bound || (claims.any && begun);
    let keeps = claims.bound || (begun && (claims.any || mode.is_some()));
    let here = || placed.map(here).filter(|clusters| !clusters.is_empty());
    let on = match data {
        Some(data) if data.mode == api::DataMode::Replicated || !data.clusters.is_empty() => {
            Some(texts(&data.clusters))
        }
        Some(_) => here(),
        None if bound => here(),
        None => None,
    };
    let stale = placed.filter(|_| keeps).map(|placed| stale(workload, &placed.spec)).unwrap_or_default();
    Kept { on, keeps, stale }
}

/// Where the data is now: where replicas are, else where they were last, else wherever the placement names.
fn here(placed: &api::FleetPlacement) -> BTreeSet<String> {
    let spec = &placed.spec;
    let with = |replicas: bool| {
        let named = spec.clusters.iter().filter(move |cluster| !replicas || cluster.replicas > 0);
        named.map(|cluster| cluster.name.to_string()).collect::<BTreeSet<_>>()
    };
    let running = with(true);
    if !running.is_empty() {
        return running;
    }
    let newest = newest(spec);
    if newest.is_empty() { with(false) } else { newest }
}

/// Clusters with the newest data that was left; none while replicas run, for theirs is newer.
fn newest(spec: &api::FleetPlacementSpec) -> BTreeSet<String> {
    if spec.clusters.iter().any(|cluster| cluster.replicas > 0) {
        return BTreeSet::new();
    }
    let last = spec.left.iter().map(|left| left.epoch).max();
    spec.left.iter().filter(|left| Some(left.epoch) == last).map(|left| left.name.to_string()).collect()
}

fn stale(workload: &api::FleetWorkload, spec: &api::FleetPlacementSpec) -> BTreeMap<String, i64> {
    let stated = workload.annotations().get(meta::ANNOTATION_REUSE_DATA);
    let stated: BTreeSet<&str> = stated.into_iter().flat_map(|stated| stated.split(',')).map(str::trim).collect();
    let newest = newest(spec);
    let old = spec.left.iter().filter(|left| {
        let word = format!("{}@{}", &*left.name, left.epoch);
        !newest.contains(&*left.name) && !stated.contains(word.as_str())
    });
    old.map(|left| (left.name.to_string(), left.epoch)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(word: Option<&str>) -> api::FleetWorkload {
        let mut workload = api::FleetWorkload::new("db", api::FleetWorkloadSpec::default());
        if let Some(word) = word {
            workload.annotations_mut().insert(meta::ANNOTATION_REUSE_DATA.to_owned(), word.to_owned());
        }
        workload
    }

    fn placed(clusters: &[(&str, i32)], left: &[(&str, i64)], begun: bool) -> api::FleetPlacement {
        let spec = api::FleetPlacementSpec {
            clusters: clusters
                .iter()
                .map(|(name, replicas)| api::PlacedCluster { name: (*name).into(), replicas: *replicas, place: None })
                .collect(),
            left: left.iter().map(|(name, epoch)| api::LeftData { name: (*name).into(), epoch: *epoch }).collect(),
            ..api::FleetPlacementSpec::default()
        };
        let mut placed = api::FleetPlacement::new("db", spec);
        placed.status = Some(api::FleetPlacementStatus { begun, ..api::FleetPlacementStatus::default() });
        placed
    }

    const CLAIMED: Claims = Claims { bound: false, any: true };

    fn mode(mode: api::DataMode, clusters: &[&str]) -> api::DataPlacement {
        api::DataPlacement { mode, clusters: clusters.iter().map(|name| (*name).into()).collect() }
    }

    fn set(names: &[&str]) -> Option<BTreeSet<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_claim_ties_a_workload_to_its_cluster_once_it_has_run_there_unless_it_says_otherwise() {
        let of = |data: Option<&api::DataPlacement>, begun| {
            kept(&workload(None), data, CLAIMED, Some(&placed(&[("a", 1), ("b", 0)], &[], begun))).on
        };
        assert_eq!(of(None, false), None, "nothing has run: there is no data");
        assert_eq!(of(None, true), set(&["a"]));
        assert_eq!(of(Some(&mode(api::DataMode::External, &[])), true), None);
        assert_eq!(of(Some(&mode(api::DataMode::Disposable, &[])), true), None);
        assert_eq!(of(Some(&mode(api::DataMode::Replicated, &["a", "c"])), true), set(&["a", "c"]));
        let none = kept(&workload(None), None, Claims::default(), Some(&placed(&[("a", 1)], &[], true)));
        assert_eq!(none, Kept::default(), "without a claim there is no data");
    }

    #[test]
    fn what_was_left_is_stale_where_newer_data_is_elsewhere_until_a_person_says_so_of_exactly_it() {
        let replicated = mode(api::DataMode::Replicated, &["a", "b", "c"]);
        let of = |word: Option<&str>, placed: &api::FleetPlacement| {
            let stale = kept(&workload(word), Some(&replicated), CLAIMED, Some(placed)).stale;
            stale.into_iter().collect::<Vec<_>>()
        };
        let running = placed(&[("b", 1)], &[("a", 7)], true);
        assert_eq!(of(None, &running), [("a".to_owned(), 7)]);
        assert_eq!(of(Some("a@6"), &running), [("a".to_owned(), 7)], "that was said of older data");
        assert_eq!(of(Some("c@7, a@7"), &running), []);
        // Nothing runs any more: the newest that was left is its data.
        let scaled = placed(&[("b", 0)], &[("a", 7), ("b", 9)], true);
        assert_eq!(of(None, &scaled), [("a".to_owned(), 7)]);
        assert_eq!(kept(&workload(None), None, CLAIMED, Some(&scaled)).on, set(&["b"]));
        let external = mode(api::DataMode::External, &[]);
        assert_eq!(kept(&workload(None), Some(&external), CLAIMED, Some(&running)), Kept::default());
    }
}
