//! The input of a settlement: what was reserved of which service, since when, and the prices of the books.
//!
//! A FleetPlacement says what is reserved since it was committed, and nothing of the time before: unless it is the first
//! of its workload, that time is not recorded, and stays so rather than being filled with what is reserved today; so does
//! the time of a Job that has ended, because its end is recorded without a time. Where the use of a month was read or
//! stated, it is charged for CPU when it is more than what was reserved, and in place of it where that is not recorded.
//! Assets of the register are charged from their first day to their last.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::Spec;
use jiuzhou_engine::decide::input::ClusterInput;
use jiuzhou_engine::decide::resources::{CPU, MEMORY, STORAGE};
use jiuzhou_engine::terms::ObjectRef;
use jiuzhou_measure::cost::{Basis, MicroFen, Price, PriceBook, PriceUnit, Reservation, Service, charged};
use jiuzhou_measure::{Month, Period, Scope};

use super::Scene;
use super::bodies::Bodies;
use crate::beijing;
use crate::builtin;
use crate::objects::{Item, Objects, named};

/// Whom and what the lines of an invoice may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payers {
    /// Providers.
    pub providers: BTreeSet<String>,
    /// Bodies by their name, their name for people and their credit code.
    pub tenants: BTreeMap<String, String>,
    /// Bodies with everything below them in the tree of localities.
    pub below: BTreeMap<String, BTreeSet<String>>,
    /// Systems by project code and by `NAMESPACE/NAME`.
    pub systems: BTreeMap<String, ObjectRef>,
    /// Codes of all catalogues.
    pub codes: BTreeSet<String>,
}

impl Payers {
    /// A body and everything below it.
    #[must_use]
    pub fn below(&self, name: &str) -> BTreeSet<String> {
        self.below.get(name).cloned().unwrap_or_else(|| [name.to_owned()].into())
    }
}

/// Whom and what an invoice may name on a fleet, with bodies as they are called at the end of a period.
#[must_use]
pub fn payers(scene: &Scene<'_>, period: Period) -> Payers {
    let objects = scene.objects;
    let names = Bodies::on(objects, last_day(period));
    let bodies = names.all(objects);
    let mut payers = Payers::default();
    for item in objects.tenants.values() {
        let name = names.now(&item.document.name);
        let code = item.object.spec.unified_code.as_ref().map(ToString::to_string);
        let called = [Some(item.document.name.clone()), Some(item.object.spec.display_name.to_string()), code];
        payers.tenants.extend(called.into_iter().flatten().map(|called| (called, name.clone())));
        let scope = Scope { blocks: [name.clone()].into(), ..Scope::default() };
        payers.below.insert(name, scope.bodies(&bodies).unwrap_or_default());
    }
    for item in objects.systems.values() {
        let reference = item.document.object_ref();
        payers.systems.insert(item.object.spec.project_code.to_string(), reference.clone());
        payers.systems.insert(format!("{}/{}", reference.namespace, reference.name), reference);
    }
    payers.providers.extend(scene.clusters.iter().map(|cluster| cluster.provider.clone()));
    for item in objects.prices.values() {
        payers.providers.insert(item.object.spec.provider.to_string());
        payers.codes.extend(item.object.spec.items.iter().map(|entry| entry.code.to_string()));
    }
    payers.providers.remove("");
    payers
}

/// The prices of all books. Energy is what a provider buys, not what it charges a body for.
#[must_use]
pub fn price_book(objects: &Objects) -> PriceBook {
    let mut all = Vec::new();
    for book in objects.prices.values().map(|item| &item.object.spec) {
        for entry in &book.items {
            let (service, unit) = match entry.unit {
                api::PriceUnit::CpuHour => (Service::Cpu, PriceUnit::Hour),
                api::PriceUnit::MemoryGibHour => (Service::Memory, PriceUnit::Hour),
                api::PriceUnit::StorageGibMonth => (Service::Storage, PriceUnit::Month),
                api::PriceUnit::AcceleratorHour => {
                    let class = entry.accelerator.as_ref().map(ToString::to_string).unwrap_or_default();
                    (Service::Accelerator(class), PriceUnit::Hour)
                }
                // A node by the month is charged to who has it as an asset; the nodes of clusters are the provider's own.
                api::PriceUnit::ItemMonth | api::PriceUnit::NodeMonth => {
                    (Service::Item(entry.code.to_string()), PriceUnit::Month)
                }
                api::PriceUnit::KilowattHour => continue,
            };
            for price in &entry.prices {
                let Ok(from) = Month::parse(&price.from_month) else { continue };
                let until = price.until_month.as_ref().and_then(|month| Month::parse(month).ok());
                let Some(micro) = per_unit(price) else { continue };
                all.push(Price {
                    service: service.clone(),
                    code: entry.code.to_string(),
                    provider: Some(book.provider.to_string()),
                    platform: entry.platform.as_ref().map(ToString::to_string),
                    unit,
                    price: micro,
                    from,
                    until,
                });
            }
        }
    }
    PriceBook::new(all)
}

/// The price of one unit to a millionth of a fen, half up.
fn per_unit(price: &api::Price) -> Option<MicroFen> {
    let per = i64::from(price.per_units.max(1));
    price.fen.checked_mul(1_000_000)?.checked_add(per / 2).map(|micro| MicroFen(micro / per))
}

/// What was reserved in the months of a period by everybody, as far as the objects say; a scope says what is asked for.
#[must_use]
pub fn reservations(scene: &Scene<'_>, period: Period, scope: &Scope) -> Vec<Reservation> {
    let names = Bodies::on(scene.objects, last_day(period));
    let bodies = scope.bodies(&names.all(scene.objects));
    let clusters = scene.clusters.iter().map(|cluster| (cluster.name.as_str(), *cluster)).collect();
    let reader = Reader { scene, scope, clusters, classes: classes() };
    let mut all = Vec::new();
    for spec in &scene.specs {
        let tenant = names.now(&spec.requirement.tenant);
        let asked = bodies.as_ref().is_none_or(|bodies| bodies.contains(&tenant));
        for month in period.months() {
            reader.month(spec, &tenant, month, asked, &mut all);
        }
    }
    for item in scene.objects.systems.values() {
        let tenant = names.now(&item.object.spec.tenant);
        let asked = bodies.as_ref().is_none_or(|bodies| bodies.contains(&tenant));
        all.extend(item.object.spec.assets.iter().flat_map(|asset| reader.asset(item, asset, &tenant, period, asked)));
    }
    all
}

pub(super) fn last_day(period: Period) -> jiff::civil::Date {
    let after = super::today(period.last().end());
    after.yesterday().unwrap_or(after)
}

/// Classes of accelerators by the resource that pods ask for.
fn classes() -> BTreeMap<String, String> {
    let classes = builtin::accelerator_classes();
    classes.into_iter().flat_map(|(class, all)| all.into_iter().map(move |one| (one, class.clone()))).collect()
}

struct Reader<'a> {
    scene: &'a Scene<'a>,
    scope: &'a Scope,
    clusters: BTreeMap<&'a str, &'a ClusterInput>,
    classes: BTreeMap<String, String>,
}

impl Reader<'_> {
    fn month(&self, spec: &Spec, tenant: &str, month: Month, asked: bool, all: &mut Vec<Reservation>) {
        let key = (spec.key.namespace.clone(), spec.key.name.clone());
        let objects = self.scene.objects;
        let status = objects.workloads.get(&key).and_then(|item| item.object.status.as_ref());
        let placement = objects.placements.get(&key).map(|item| &*item.object);
        let placed = placement.map(|placement| &placement.spec);
        // What runs once and has ended: nobody recorded when.
        let started = placement.and_then(|placement| placement.status.as_ref()).map(|status| status.started.as_slice());
        let ended = started.unwrap_or_default().iter().filter(|run| run.outcome.is_some());
        let ended: BTreeSet<&str> = ended.map(|run| &*run.name).collect();
        let committed: Vec<(&str, i64)> = placed
            .map(|placed| placed.clusters.iter().map(|one| (&*one.name, i64::from(one.replicas))).collect())
            .unwrap_or_default();
        let seen = status.is_some_and(|status| status.clusters.iter().any(|one| one.placed > 0));
        let of_month = |entry: &&api::ClusterUse| Month::parse(&entry.month) == Ok(month);
        let used: BTreeMap<&str, i64> = status
            .map(|status| status.usage.iter().filter(of_month).map(|one| (&*one.cluster, one.cpu_millicores)).collect())
            .unwrap_or_default();
        // From when on what is committed was reserved; and whether there was anything before it.
        let (since, before) = match placed {
            Some(placed) => {
                let since = placed.as_of.as_ref().map_or(month.end(), |at| at.0);
                (since.clamp(month.start(), month.end()), placed.previous.is_some() || placed.epoch > 1)
            }
            None => (month.end(), seen || !used.is_empty()),
        };
        for (service, each) in self.asked(spec) {
            let is_cpu = service == Service::Cpu;
            let mut push = |cluster: &str, basis, quantity_milli, from: Timestamp, to: Timestamp| {
                if from < to {
                    let one = self.reservation(spec, tenant, &service, cluster, basis, quantity_milli, from, to);
                    all.push(Reservation { asked: asked && (cluster.is_empty() || self.covers(cluster)), ..one });
                }
            };
            if before && since > month.start() {
                if is_cpu && !used.is_empty() {
                    for (cluster, cpu) in &used {
                        push(cluster, Basis::Used, Some(*cpu), month.start(), since);
                    }
                } else {
                    push("", Basis::Unrecorded, None, month.start(), since);
                }
            }
            for (cluster, replicas) in committed.iter().filter(|(_, replicas)| *replicas > 0) {
                let each = each.filter(|_| !ended.contains(cluster));
                let reserved = each.and_then(|each| each.checked_mul(*replicas));
                let use_of = used.get(cluster).copied().filter(|_| is_cpu);
                let (basis, quantity) = match (reserved, use_of) {
                    (Some(reserved), Some(used)) if used > reserved => (Basis::Used, Some(charged(reserved, used))),
                    (Some(reserved), _) => (Basis::Reserved, Some(reserved)),
                    (None, Some(used)) => (Basis::Used, Some(used)),
                    (None, None) => (Basis::Unrecorded, None),
                };
                push(cluster, basis, quantity, since, month.end());
            }
        }
    }

    /// What is charged for an asset of the register: one item of its code, else its CPUs and memory. An asset on no cloud
    /// has nobody who charges for it; one of which nobody says since when it runs is not charged.
    fn asset(
        &self,
        item: &Item<api::InformationSystem>,
        asset: &api::Asset,
        tenant: &str,
        period: Period,
        asked: bool,
    ) -> Vec<Reservation> {
        let Some((cloud, since)) = asset.cloud.as_ref().zip(asset.since.as_ref()) else { return Vec::new() };
        let (first, last) = (period.first().start(), period.last().end());
        let Some(from) = beijing::start(since).map(|from| from.max(first)) else { return Vec::new() };
        let to = asset.until.as_ref().and_then(|day| beijing::end(day)).map_or(last, |end| end.min(last));
        if from >= to {
            return Vec::new();
        }
        let services = match &asset.code {
            Some(code) => vec![(Service::Item(code.to_string()), 1)],
            None => vec![(Service::Cpu, i64::from(asset.cpus)), (Service::Memory, i64::from(asset.memory_gib))],
        };
        let site = asset.site.as_deref().unwrap_or_default();
        let place = named(&self.scene.objects.sites, site).map(|item| &*item.object.spec.region);
        let serves = || item.object.spec.region.as_deref().unwrap_or_default();
        let sited = self.scope.sites.is_empty() || self.scope.sites.contains(site);
        let asked = asked && sited && self.scope.covers(place.unwrap_or_else(serves));
        let one = |(service, count): (Service, i64)| Reservation {
            tenant: tenant.to_owned(),
            system: item.document.object_ref(),
            provider: cloud.to_string(),
            service,
            workload: ObjectRef::new("Asset", &item.document.namespace, &asset.name),
            cluster: String::new(),
            from,
            to,
            platforms: [asset.platform.as_ref().map(ToString::to_string).unwrap_or_default()].into(),
            basis: Basis::Reserved,
            quantity_milli: count.checked_mul(1000),
            asked,
        };
        services.into_iter().filter(|(_, count)| *count > 0).map(one).collect()
    }

    /// What one replica asks for, in thousandths; `None` where it depends on the nodes of each cluster.
    fn asked(&self, spec: &Spec) -> BTreeMap<Service, Option<i64>> {
        let mut sums: BTreeMap<Service, Option<i64>> = BTreeMap::new();
        let mut add = |service: Service, amount: Option<i64>| {
            let sum = sums.entry(service).or_insert(Some(0));
            *sum = sum.zip(amount).and_then(|(sum, more)| sum.checked_add(more));
        };
        for pod in &spec.pods {
            for (resource, amount) in pod.request.iter().filter(|(_, amount)| **amount > 0) {
                if let Some((service, milli)) = self.service(resource, amount.checked_mul(pod.count)) {
                    add(service, milli);
                }
            }
        }
        for resource in spec.per_node.iter().flat_map(|daemon| daemon.request.keys()) {
            if let Some((service, _)) = self.service(resource, None) {
                add(service, None);
            }
        }
        if let Some(storage) = spec.quota.get(STORAGE).filter(|storage| **storage > 0) {
            add(Service::Storage, gib(*storage));
        }
        sums
    }

    /// The service behind a resource, and an amount of it in thousandths.
    fn service(&self, resource: &str, amount: Option<i64>) -> Option<(Service, Option<i64>)> {
        Some(match resource {
            CPU => (Service::Cpu, amount),
            MEMORY => (Service::Memory, amount.and_then(gib)),
            other => {
                let class = self.classes.get(other)?;
                (Service::Accelerator(class.clone()), amount.and_then(|amount| amount.checked_mul(1000)))
            }
        })
    }

    fn covers(&self, cluster: &str) -> bool {
        let input = self.clusters.get(cluster);
        let site = input.map_or("", |input| input.site.as_str());
        let region = named(&self.scene.objects.sites, site).map_or("", |item| &*item.object.spec.region);
        self.scope.covers(region) && (self.scope.sites.is_empty() || self.scope.sites.contains(site))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one line, each from somewhere else")]
    fn reservation(
        &self,
        spec: &Spec,
        tenant: &str,
        service: &Service,
        cluster: &str,
        basis: Basis,
        quantity_milli: Option<i64>,
        from: Timestamp,
        to: Timestamp,
    ) -> Reservation {
        let input = self.clusters.get(cluster);
        let (namespace, name) = spec.system.split_once('/').unwrap_or(("", &spec.system));
        let pools = input.map(|input| input.pools.as_slice()).unwrap_or_default();
        Reservation {
            tenant: tenant.to_owned(),
            system: ObjectRef::new("InformationSystem", namespace, name),
            provider: input.map(|input| input.provider.clone()).unwrap_or_default(),
            service: service.clone(),
            workload: ObjectRef::new("FleetWorkload", &spec.key.namespace, &spec.key.name),
            cluster: cluster.to_owned(),
            from,
            to,
            platforms: pools.iter().map(|pool| pool.facts.platform.clone().unwrap_or_default()).collect(),
            basis,
            quantity_milli,
            asked: true,
        }
    }
}

/// Bytes as thousandths of a GiB, half up.
fn gib(bytes: i64) -> Option<i64> {
    i64::try_from((i128::from(bytes) * 1000 + (1 << 29)) >> 30).ok()
}
