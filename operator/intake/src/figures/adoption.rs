//! The register of adoption: bodies as they stand on a day, systems with what was observed of them.
//!
//! Readiness is read from the status of workloads, else of their placements. Observed CPU is what Ready replicas
//! request, and what assets are entered with. A body that was merged or renamed by the day is its successor.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, Unit};
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::Spec;
use jiuzhou_engine::decide::resources::CPU;
use jiuzhou_engine::terms::ObjectRef;
pub use jiuzhou_measure::adoption::Register;
use jiuzhou_measure::adoption::{Entry, Exemption, Footprint, Hosting};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::bodies::Bodies;
use super::cpu::{self, Cpu};
use super::{Scene, day, today};
use crate::approvals::Approved;
use crate::in_force;
use crate::objects::{Item, Key, Objects, named};

/// Days of Ready replicas a cloud-native system needs: the largest that an adoption report over the day asks for.
#[must_use]
pub fn minimum_days(objects: &Objects, as_of: Timestamp) -> i64 {
    let today = today(as_of);
    let fleet = objects.cluster_reports.values().map(|item| &item.object.spec.report);
    let asked = fleet.filter(|report| report.type_ == api::ReportType::Adoption).filter(|report| {
        let (from, until) = (day(Some(&report.period.from)), day(Some(&report.period.until)));
        from.is_some_and(|from| from <= today) && until.is_some_and(|until| today <= until)
    });
    asked.map(|report| i64::from(report.minimum_days)).max().unwrap_or(0)
}

/// The register as of a moment.
#[must_use]
pub fn register(scene: &Scene<'_>, as_of: Timestamp) -> Register {
    let objects = scene.objects;
    let reader = Reader {
        objects,
        as_of,
        today: today(as_of),
        specs: scene.specs.iter().map(|s| ((s.key.namespace.clone(), s.key.name.clone()), *s)).collect(),
        clusters: clusters(scene, today(as_of)),
        names: Bodies::on(objects, today(as_of)),
        approved: Approved::on(today(as_of), &objects.approvals),
        workloads: workloads(objects),
    };
    Register {
        bodies: reader.names.all(objects),
        entries: objects.systems.values().map(|item| reader.entry(item)).collect(),
    }
}

/// A cluster as adoption sees it.
struct Cluster {
    cpu: Cpu,
    provider: String,
    government: Option<bool>,
}

fn clusters(scene: &Scene<'_>, today: Date) -> BTreeMap<String, Cluster> {
    let objects = scene.objects;
    let cluster = |input: &&jiuzhou_engine::decide::input::ClusterInput| {
        let pools: Vec<Option<Cpu>> = input
            .pools
            .iter()
            .map(|pool| cpu::platform(&objects.platforms, pool.facts.platform.as_deref()?, today))
            .collect();
        let site = named(&objects.sites, &input.site);
        let government = site.map(|site| site.object.spec.government_owned);
        let provider = input.provider.clone();
        (input.name.clone(), Cluster { cpu: cpu::common(&pools, today), provider, government })
    };
    scene.clusters.iter().map(cluster).collect()
}

/// Workloads by namespace and system.
fn workloads(objects: &Objects) -> BTreeMap<(&str, &str), Vec<&Item<api::FleetWorkload>>> {
    let mut all: BTreeMap<(&str, &str), Vec<&Item<api::FleetWorkload>>> = BTreeMap::new();
    for item in objects.workloads.values() {
        all.entry((&item.document.namespace, &item.object.spec.system)).or_default().push(item);
    }
    all
}

struct Reader<'a> {
    objects: &'a Objects,
    as_of: Timestamp,
    today: Date,
    specs: BTreeMap<Key, &'a Spec>,
    clusters: BTreeMap<String, Cluster>,
    names: Bodies,
    approved: Approved,
    workloads: BTreeMap<(&'a str, &'a str), Vec<&'a Item<api::FleetWorkload>>>,
}

impl Reader<'_> {
    fn entry(&self, item: &Item<api::InformationSystem>) -> Entry {
        let spec = &item.object.spec;
        let tenant = self.names.now(&spec.tenant);
        let owner = named(&self.objects.tenants, &tenant).or_else(|| named(&self.objects.tenants, &spec.tenant));
        let region = spec.region.as_deref().or(owner.map(|owner| &*owner.object.spec.region));
        let key = (item.document.namespace.as_str(), item.document.name.as_str());
        let workloads = self.workloads.get(&key).map_or(&[][..], Vec::as_slice);
        let hosting = &spec.hosting;
        Entry {
            reference: ObjectRef::new("InformationSystem", &item.document.namespace, &item.document.name),
            title: spec.display_name.to_string(),
            project_code: spec.project_code.to_string(),
            tenant,
            function: format!("{:?}", spec.function_domain),
            region: region.unwrap_or_default().to_owned(),
            hosting: match hosting.state {
                api::HostingState::OnPremises => Hosting::OnPremises,
                api::HostingState::Hosted => Hosting::Hosted,
                api::HostingState::Lifted => Hosting::Lifted,
                api::HostingState::CloudNative => Hosting::CloudNative,
                api::HostingState::Retired => Hosting::Retired,
            },
            since: day(hosting.since.as_deref()),
            lift_verified: self.verified(hosting),
            ready_days: self.ready_days(workloads),
            exemption: in_force::exemption(&item.object, &self.approved).and_then(|exemption| {
                Some(Exemption {
                    document: exemption.document.number.to_string(),
                    from: day(exemption.document.date.as_deref()),
                    until: day(Some(&exemption.until))?,
                })
            }),
            footprint: self.footprint(&spec.assets, workloads),
        }
    }

    /// Proof on paper, verified by another person, on a stated day that has come.
    fn verified(&self, hosting: &api::Hosting) -> bool {
        let other = hosting.verified_by.as_ref().is_some_and(|by| Some(by) != hosting.declared_by.as_ref());
        other && hosting.evidence.is_some() && day(hosting.verified_on.as_deref()).is_some_and(|on| on <= self.today)
    }

    /// Whole Beijing days for which all workloads have been Ready; `None` when one is not, or there is none.
    fn ready_days(&self, workloads: &[&Item<api::FleetWorkload>]) -> Option<i64> {
        workloads.iter().map(|item| self.ready_since(item)).collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    fn ready_since(&self, item: &Item<api::FleetWorkload>) -> Option<i64> {
        let own = item.object.status.as_ref().map(|status| (status.ready, status.conditions.as_slice()));
        let placed = self.objects.placements.get(&(item.document.namespace.clone(), item.document.name.clone()));
        let placed = placed.and_then(|placed| placed.object.status.as_ref());
        let placed = placed.map(|s| (s.totals.as_ref().and_then(|totals| totals.ready), s.conditions.as_slice()));
        let states = [own, placed].into_iter().flatten();
        states.filter_map(|(ready, conditions)| self.days(ready?, conditions)).next()
    }

    /// Days since the condition became true, with at least one replica Ready.
    fn days(&self, ready: i32, conditions: &[Condition]) -> Option<i64> {
        let holds =
            conditions.iter().find(|one| one.type_ == "Ready").filter(|one| one.status == "True" && ready > 0)?;
        let since = today(holds.last_transition_time.0);
        if since > self.today || holds.last_transition_time.0 > self.as_of {
            return None;
        }
        since.until((Unit::Day, self.today)).ok().map(|span| i64::from(span.get_days()))
    }

    fn footprint(&self, assets: &[api::Asset], workloads: &[&Item<api::FleetWorkload>]) -> Vec<Footprint> {
        let mut places = Vec::new();
        for asset in assets.iter().filter(|asset| asset.cpus > 0) {
            let named_platform = asset.platform.as_deref();
            let known = named_platform.and_then(|id| cpu::platform(&self.objects.platforms, id, self.today));
            let cpu = known.or_else(|| asset.brand.map(cpu::brand)).unwrap_or_default();
            let site = asset.site.as_deref().and_then(|site| named(&self.objects.sites, site));
            let government = site.map(|site| site.object.spec.government_owned);
            let provider = asset.cloud.as_ref().map(ToString::to_string).unwrap_or_default();
            places.push(place(i64::from(asset.cpus) * 1000, asset.cloud.is_some(), provider, government, cpu));
        }
        for item in workloads {
            places.extend(self.ready_footprint(item));
        }
        places
    }

    /// What the Ready replicas of a workload request, by cluster. Where one number is unknown there is none.
    fn ready_footprint(&self, item: &Item<api::FleetWorkload>) -> Vec<Footprint> {
        let key = (item.document.namespace.clone(), item.document.name.clone());
        let (Some(status), Some(spec)) = (&item.object.status, self.specs.get(&key)) else { return Vec::new() };
        let request = spec.pods.iter().try_fold(0_i64, |sum, pod| {
            sum.checked_add(pod.request.get(CPU).copied().unwrap_or(0).checked_mul(pod.count)?)
        });
        let Some(request) = request.filter(|request| *request > 0) else { return Vec::new() };
        let known = status.clusters.iter().filter_map(|one| Some((one, i64::from(one.ready.filter(|r| *r > 0)?))));
        known
            .filter_map(|(one, ready)| {
                let cluster = self.clusters.get(&*one.name);
                let cpu = cluster.map(|cluster| cluster.cpu.clone()).unwrap_or_default();
                let provider = cluster.map(|cluster| cluster.provider.clone()).unwrap_or_default();
                Some(place(request.checked_mul(ready)?, true, provider, cluster.and_then(|c| c.government), cpu))
            })
            .collect()
    }
}

fn place(millicores: i64, on_cloud: bool, provider: String, government_room: Option<bool>, cpu: Cpu) -> Footprint {
    let Cpu { name, brand, domestic, x86, assessed } = cpu;
    Footprint { millicores, on_cloud, government_room, cpu: name, brand, provider, domestic, x86, assessed }
}
