//! What every rule looks at: the objects, the day, and the few indexes that keep the rules linear.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan};
use jiuzhou_api::v1alpha1::{InformationSystem, MemberCluster, Site, Tenant};
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Reason, Severity};
use jiuzhou_objects::profile::Profiles;

use crate::beijing;
use crate::convert;
use crate::documents::Document;
use crate::objects::{Item, Items, Objects, Origin, named};
use crate::schema;

/// Names compared for "did you mean" in one run; beyond, unknown names get no suggestion. Bounds the time of an input
/// with thousands of wrong names.
const COMPARISONS: usize = 20_000;

/// Names listed when none is near.
const LISTED: usize = 8;

/// Days ahead at which the end of a term is announced.
const SOON_DAYS: i32 = 90;

/// The input and the indexes over it.
pub(super) struct Scene<'a> {
    pub(super) objects: &'a Objects,
    /// The instant rules judge on.
    pub(super) as_of: Timestamp,
    /// The Beijing day of it, `YYYY-MM-DD`. Days in this form compare as text.
    pub(super) today: String,
    /// The last day whose end is announced.
    pub(super) soon: String,
    /// Owners of each namespace in order of name.
    pub(super) owners: BTreeMap<&'a str, Vec<&'a Item<Tenant>>>,
    /// Kinds whose pods are known: Kubernetes' own and those of KindProfiles.
    pub(super) profiles: Profiles,
    /// Providers of sites and clusters.
    pub(super) providers: BTreeSet<&'a str>,
    /// Network zones of pools.
    pub(super) zones: BTreeSet<&'a str>,
    left: Cell<usize>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(objects: &'a Objects, as_of: Timestamp) -> Self {
        let today = beijing::day(as_of);
        let soon = today.checked_add(SOON_DAYS.days()).unwrap_or(today);
        let mut owners: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for tenant in objects.tenants.values() {
            let mut own: Vec<&str> = tenant.object.spec.namespaces.iter().map(|n| n.name.as_ref()).collect();
            own.sort_unstable();
            own.dedup();
            for namespace in own {
                owners.entry(namespace).or_default().push(tenant);
            }
        }
        // What cannot be read of a profile is a finding of the conversion.
        let profiles = convert::profiles(&objects.kinds, &mut Vec::new());
        let clusters = objects.clusters.values().map(|item| &*item.object);
        let mut providers: BTreeSet<&str> = objects.sites.values().map(|s| s.object.spec.provider.as_ref()).collect();
        providers.extend(clusters.clone().filter_map(|c| c.spec.provider.as_deref()));
        let zones = clusters.flat_map(zones_of).collect();
        let left = Cell::new(COMPARISONS);
        Self {
            objects,
            as_of,
            today: today.to_string(),
            soon: soon.to_string(),
            owners,
            profiles,
            providers,
            zones,
            left,
        }
    }

    /// The month of the day rules judge on, `YYYY-MM`.
    pub(super) fn month(&self) -> &str {
        self.today.get(..7).unwrap_or_default()
    }

    /// The site of a cluster.
    pub(super) fn site(&self, cluster: &MemberCluster) -> Option<&'a Site> {
        named(&self.objects.sites, &cluster.spec.site).map(|item| &*item.object)
    }

    /// The system of a namespace by name.
    pub(super) fn system(&self, namespace: &str, name: &str) -> Option<&'a Item<InformationSystem>> {
        self.objects.systems.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// A finding about a name nothing has, with the nearest of the names there are, or the first few.
    pub(super) fn unknown<'n>(
        &self,
        at: &Field<'_>,
        kind: &str,
        name: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> Finding {
        let names: Vec<&str> = names.collect();
        let mut wanted = self.nearest(name.rsplit('/').next().unwrap_or(name), &mut names.iter().copied());
        if wanted.is_empty() {
            wanted = names.into_iter().take(LISTED).map(str::to_owned).collect();
        }
        let reason = Reason::new(Code::ReferenceUnknown).object(format!("{kind}/{name}"));
        at.finding(reason.seen(full_name(at.document)).wanted(wanted))
    }

    /// Whether an object is in the input but was refused: who names it makes no mistake.
    pub(super) fn refused(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let refused = &self.objects.refused;
        !refused.is_empty() && refused.contains(&ObjectRef::new(kind, namespace, name))
    }

    /// Whether any object of some kinds was refused, so that what seems to be missing may be there.
    pub(super) fn refused_any(&self, kinds: &[&str]) -> bool {
        self.objects.refused.iter().any(|object| kinds.contains(&object.kind.as_str()))
    }

    /// "Did you mean", while the run may still compare names.
    pub(super) fn nearest(&self, wrong: &str, names: &mut dyn Iterator<Item = &str>) -> Vec<String> {
        let allowed = (wrong.len() / 3).max(2);
        let near = names.filter(|name| name.len().abs_diff(wrong.len()) <= allowed).take(self.left.get());
        let near: Vec<&str> = near.collect();
        self.left.set(self.left.get().saturating_sub(near.len()));
        schema::nearest(wrong, near)
    }
}

/// The zones a cluster says it has.
fn zones_of(cluster: &MemberCluster) -> impl Iterator<Item = &str> {
    let pools = cluster.status.iter().flat_map(|status| &status.pools).filter_map(|pool| pool.zone.as_deref());
    let facts = cluster.spec.pool_facts.iter().filter_map(|facts| facts.zone.as_deref());
    cluster.spec.default_zone.as_deref().into_iter().chain(facts).chain(pools)
}

/// One field of one object of the input.
pub(super) struct Field<'a> {
    pub(super) document: &'a Document,
    pub(super) pointer: String,
}

impl<'a> Field<'a> {
    pub(super) fn new(document: &'a Document, pointer: impl Into<String>) -> Self {
        Self { document, pointer: pointer.into() }
    }

    /// A field below this one.
    pub(super) fn down(&self, step: &str) -> Self {
        Self::new(self.document, format!("{}/{step}", self.pointer))
    }

    /// An element of a list below this one.
    pub(super) fn at(&self, list: &str, index: usize) -> Self {
        Self::new(self.document, format!("{}/{list}/{index}", self.pointer))
    }

    pub(super) fn finding(&self, reason: Reason) -> Finding {
        self.document.finding(reason, &self.pointer)
    }

    /// The path for people: `spec.pools[0].name`.
    pub(super) fn name(&self) -> String {
        schema::dotted(&self.pointer)
    }
}

/// The objects of the input; rules speak of nothing else.
pub(super) fn input<T>(items: &Items<T>) -> impl Iterator<Item = &Item<T>> {
    items.values().filter(|item| item.origin == Origin::Input)
}

/// A finding of another weight than its code's own.
pub(super) fn weigh(mut finding: Finding, severity: Severity) -> Finding {
    finding.severity = severity;
    finding
}

/// `Kind/name` or `Kind/namespace/name`, as findings name objects.
pub(super) fn full_name(document: &Document) -> String {
    document.object_ref().to_string()
}

/// The part of a GB/T 2260 code that its divisions share: `530000` is `53`, `532900` is `5329`.
pub(super) fn region_prefix(code: &str) -> &str {
    let code = code.strip_suffix("00").unwrap_or(code);
    code.strip_suffix("00").unwrap_or(code)
}

/// Whether one region covers another.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    narrow.starts_with(region_prefix(wide))
}
