//! Every reference by name leads to an object.
//!
//! Names of providers and network zones have no kind of their own; they are compared with those the fleet has, and a
//! strange one is a warning. Names inside manifests are in `manifests`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiuzhou_api::text::Name;
use jiuzhou_api::v1alpha1::{
    ClusterSelector, GATE_COMPARE, GATE_COPY, GATE_WAY_BACK, Override, PlacementRules, Requirements,
};
use jiuzhou_engine::terms::{Code, Finding, Reason, Severity};

use crate::objects::{Items, named, names};

use super::scene::{Field, Scene, full_name, input, weigh};

pub(super) fn check(scene: &Scene<'_>, out: &mut Vec<Finding>) {
    let mut refs = Refs { scene, out };
    refs.clusters();
    refs.tenants();
    refs.systems();
    refs.workloads();
    refs.policies();
    refs.migrations();
    refs.others();
}

struct Refs<'s, 'o> {
    scene: &'s Scene<'s>,
    out: &'o mut Vec<Finding>,
}

impl Refs<'_, '_> {
    /// A name of a cluster-scoped kind.
    fn one<T>(&mut self, at: &Field<'_>, kind: &str, items: &Items<T>, name: &str) {
        if named(items, name).is_none() && !self.scene.refused(kind, "", name) {
            self.out.push(self.scene.unknown(at, kind, name, names(items)));
        }
    }

    fn some<T>(&mut self, at: &Field<'_>, kind: &str, items: &Items<T>, name: Option<&impl AsRef<str>>) {
        if let Some(name) = name {
            self.one(at, kind, items, name.as_ref());
        }
    }

    fn each<T>(&mut self, at: &Field<'_>, list: &str, kind: &str, items: &Items<T>, names: &[impl AsRef<str>]) {
        for (index, name) in names.iter().enumerate() {
            self.one(&at.at(list, index), kind, items, name.as_ref());
        }
    }

    /// A name in the same or another namespace.
    fn inside<T>(&mut self, at: &Field<'_>, kind: &str, items: &Items<T>, namespace: &str, name: &str) {
        if items.contains_key(&(namespace.to_owned(), name.to_owned())) || self.scene.refused(kind, namespace, name) {
            return;
        }
        let from = (namespace.to_owned(), String::new());
        let here = items.range(from..).take_while(|((ns, _), _)| ns == namespace).map(|((_, name), _)| name.as_str());
        self.out.push(self.scene.unknown(at, kind, &format!("{namespace}/{name}"), here));
    }

    /// A provider or zone: known when anything of the fleet has it; nothing is said about a fleet that has none.
    fn word(&mut self, at: &Field<'_>, kind: &str, name: &str) {
        let known = if kind == "zone" { &self.scene.zones } else { &self.scene.providers };
        if !known.is_empty() && !known.contains(name) && !self.scene.refused_any(&["MemberCluster", "Site"]) {
            let finding = self.scene.unknown(at, kind, name, known.iter().copied());
            self.out.push(weigh(finding, Severity::Warning));
        }
    }

    fn words(&mut self, at: &Field<'_>, list: &str, kind: &str, names: &[Name]) {
        for (index, name) in names.iter().enumerate() {
            self.word(&at.at(list, index), kind, name);
        }
    }

    fn clusters(&mut self) {
        let objects = self.scene.objects;
        for item in input(&objects.clusters) {
            let at = Field::new(&item.document, "/spec");
            self.one(&at.down("site"), "Site", &objects.sites, &item.object.spec.site);
            self.each(&at, "dedicatedTo", "Tenant", &objects.tenants, &item.object.spec.dedicated_to);
            for (index, facts) in item.object.spec.pool_facts.iter().enumerate() {
                let at = at.at("poolFacts", index).down("platform");
                self.some(&at, "CpuPlatform", &objects.platforms, facts.platform.as_ref());
            }
            let pools = item.object.status.iter().flat_map(|status| &status.pools);
            for (index, pool) in pools.enumerate() {
                let at = Field::new(&item.document, format!("/status/pools/{index}/platform"));
                self.some(&at, "CpuPlatform", &objects.platforms, pool.platform.as_ref());
            }
        }
    }

    fn tenants(&mut self) {
        let objects = self.scene.objects;
        for item in input(&objects.tenants) {
            let spec = &item.object.spec;
            let at = Field::new(&item.document, "/spec");
            self.some(&at.down("blockParent"), "Tenant", &objects.tenants, spec.block_parent.as_ref());
            self.some(&at.down("lineParent"), "Tenant", &objects.tenants, spec.line_parent.as_ref());
            for (index, grant) in spec.quota.iter().enumerate() {
                let at = at.at("quota", index).down("platform");
                self.some(&at, "CpuPlatform", &objects.platforms, grant.platform.as_ref());
            }
            let allowed = at.down("allowed");
            self.some(&allowed.down("minTier"), "SovereigntyTier", &objects.tiers, spec.allowed.min_tier.as_ref());
            self.each(&allowed, "clusters", "MemberCluster", &objects.clusters, &spec.allowed.clusters);
            self.words(&allowed, "providers", "provider", &spec.allowed.providers);
            self.words(&allowed, "zones", "zone", &spec.allowed.zones);
            for (index, old) in spec.predecessors.iter().enumerate() {
                // A body that was merged away may well have left the register.
                let from = self.out.len();
                self.one(&at.at("predecessors", index).down("tenant"), "Tenant", &objects.tenants, &old.tenant);
                self.out.iter_mut().skip(from).for_each(|finding| finding.severity = Severity::Info);
            }
            for (index, namespace) in spec.namespaces.iter().enumerate() {
                if let Some(system) = &namespace.system {
                    let at = at.at("namespaces", index).down("system");
                    // Several environments of one system each have a namespace; the system stands in one of them.
                    let own = spec.namespaces.iter().any(|ns| self.scene.system(&ns.name, system).is_some());
                    if !own {
                        self.inside(&at, "InformationSystem", &objects.systems, &namespace.name, system);
                    }
                }
            }
            if let Some(policy) = &spec.default_policy {
                let own = |ns: &str| objects.policies.contains_key(&(ns.to_owned(), policy.to_string()));
                if !spec.namespaces.iter().any(|ns| own(&ns.name)) {
                    let at = at.down("defaultPolicy");
                    self.one(&at, "ClusterPlacementPolicy", &objects.cluster_policies, policy);
                }
            }
        }
    }

    /// Clusters, workloads, and the wave and gate of each piece of evidence.
    fn migrations(&mut self) {
        let objects = self.scene.objects;
        // A workload goes with the first wave that names it; whoever names it too must hear that nothing comes of it.
        let mut moved: BTreeMap<(&str, &str), String> = BTreeMap::new();
        for item in input(&objects.migrations) {
            let spec = &item.object.spec;
            let at = Field::new(&item.document, "/spec");
            self.each(&at, "from", "MemberCluster", &objects.clusters, &spec.from);
            self.each(&at, "to", "MemberCluster", &objects.clusters, &spec.to);
            self.each(&at, "platforms", "CpuPlatform", &objects.platforms, &spec.platforms);
            for (index, wave) in spec.waves.iter().enumerate() {
                for (place, name) in wave.workloads.iter().enumerate() {
                    let at = at.at("waves", index).at("workloads", place);
                    self.inside(&at, "FleetWorkload", &objects.workloads, &item.document.namespace, name);
                    let this = format!("{}/{}", full_name(&item.document), wave.name);
                    match moved.entry((&item.document.namespace, name)) {
                        Entry::Vacant(free) => drop(free.insert(this)),
                        Entry::Occupied(first) => {
                            let reason = Reason::new(Code::MigrationOverlaps).object(&**name);
                            self.out.push(at.finding(reason.seen(this).wanted(first.get().as_str())));
                        }
                    }
                }
            }
            for (index, proof) in spec.evidence.iter().enumerate() {
                let at = at.at("evidence", index);
                let Some(wave) = spec.waves.iter().find(|wave| wave.name == proof.wave) else {
                    let waves = spec.waves.iter().map(|wave| &*wave.name);
                    self.out.push(self.scene.unknown(&at.down("wave"), "wave", &proof.wave, waves));
                    continue;
                };
                let of_data = wave.data.iter().flat_map(|_| [GATE_COPY, GATE_COMPARE, GATE_WAY_BACK]);
                let gates: Vec<&str> = wave.gates.iter().map(|gate| &*gate.name).chain(of_data).collect();
                if !gates.contains(&&*proof.gate) {
                    let finding = self.scene.unknown(&at.down("gate"), "gate", &proof.gate, gates.into_iter());
                    self.out.push(finding);
                }
            }
        }
    }

    fn systems(&mut self) {
        let objects = self.scene.objects;
        for item in input(&objects.systems) {
            let spec = &item.object.spec;
            let at = Field::new(&item.document, "/spec");
            self.one(&at.down("tenant"), "Tenant", &objects.tenants, &spec.tenant);
            for (index, other) in spec.depends_on.iter().enumerate() {
                let namespace = other.namespace.as_deref().unwrap_or(&item.document.namespace);
                let at = at.at("dependsOn", index);
                self.inside(&at, "InformationSystem", &objects.systems, namespace, &other.name);
            }
            for (index, body) in spec.bodies.iter().enumerate() {
                self.one(&at.at("bodies", index).down("tenant"), "Tenant", &objects.tenants, &body.tenant);
            }
            for (index, asset) in spec.assets.iter().enumerate() {
                let at = at.at("assets", index);
                self.some(&at.down("platform"), "CpuPlatform", &objects.platforms, asset.platform.as_ref());
                self.some(&at.down("site"), "Site", &objects.sites, asset.site.as_ref());
            }
        }
    }

    fn workloads(&mut self) {
        let objects = self.scene.objects;
        for item in input(&objects.workloads) {
            let (spec, namespace) = (&item.object.spec, item.document.namespace.as_str());
            let at = Field::new(&item.document, "/spec");
            self.inside(&at.down("system"), "InformationSystem", &objects.systems, namespace, &spec.system);
            for (index, name) in spec.depends_on.iter().enumerate() {
                self.inside(&at.at("dependsOn", index), "FleetWorkload", &objects.workloads, namespace, name);
            }
            if let Some(policy) = &spec.placement_policy
                && !objects.policies.contains_key(&(namespace.to_owned(), policy.to_string()))
            {
                self.policy(&at.down("placementPolicy"), namespace, policy);
            }
            self.requirements(&at.down("requirements"), &spec.requirements);
            for (index, part) in spec.requirements.components.iter().enumerate() {
                if let Some(name) = &part.object
                    && !spec.objects.iter().any(|object| object.name == *name)
                {
                    let at = at.down("requirements").at("components", index).down("object");
                    let own = spec.objects.iter().map(|object| object.name.as_ref());
                    self.out.push(self.scene.unknown(&at, "object", name, own));
                }
            }
            if let Some(data) = &spec.data {
                self.each(&at.down("data"), "clusters", "MemberCluster", &objects.clusters, &data.clusters);
            }
            for (index, stage) in spec.rollout.iter().flat_map(|rollout| &rollout.stages).enumerate() {
                let at = at.down("rollout").at("stages", index);
                if let Some(clusters) = &stage.clusters {
                    self.selector(&at.down("clusters"), clusters);
                }
                self.each(&at, "tiers", "SovereigntyTier", &objects.tiers, &stage.tiers);
                self.words(&at, "zones", "zone", &stage.zones);
            }
            if let Some(rules) = &spec.placement {
                let own: Vec<&Name> = spec.objects.iter().map(|object| &object.name).collect();
                self.rules(&at.down("placement"), rules, Some(&own));
            }
        }
    }

    /// A policy of a namespace or of the fleet; both are candidates for "did you mean".
    fn policy(&mut self, at: &Field<'_>, namespace: &str, name: &str) {
        let objects = self.scene.objects;
        let refused = self.scene.refused("PlacementPolicy", namespace, name)
            || self.scene.refused("ClusterPlacementPolicy", "", name);
        if refused || named(&objects.cluster_policies, name).is_some() {
            return;
        }
        let from = (namespace.to_owned(), String::new());
        let own = objects.policies.range(from..).take_while(|((ns, _), _)| ns == namespace);
        let candidates = own.map(|((_, name), _)| name.as_str()).chain(names(&objects.cluster_policies));
        self.out.push(self.scene.unknown(at, "PlacementPolicy", name, candidates));
    }

    fn requirements(&mut self, at: &Field<'_>, needs: &Requirements) {
        let objects = self.scene.objects;
        self.some(&at.down("minTier"), "SovereigntyTier", &objects.tiers, needs.min_tier.as_ref());
        self.each(at, "platforms", "CpuPlatform", &objects.platforms, &needs.platforms);
        if let Some(zone) = &needs.zone {
            self.word(&at.down("zone"), "zone", zone);
        }
    }

    fn policies(&mut self) {
        for item in input(&self.scene.objects.policies) {
            self.rules(&Field::new(&item.document, "/spec/placement"), &item.object.spec.placement, None);
        }
        for item in input(&self.scene.objects.cluster_policies) {
            self.rules(&Field::new(&item.document, "/spec/placement"), &item.object.spec.placement, None);
        }
    }

    /// Placement rules; `own` are the names of the objects of the workload they are written in.
    fn rules(&mut self, at: &Field<'_>, rules: &PlacementRules, own: Option<&[&Name]>) {
        if let Some(selector) = &rules.clusters {
            self.selector(&at.down("clusters"), selector);
        }
        for (index, group) in rules.groups.iter().enumerate() {
            self.selector(&at.at("groups", index).down("selector"), &group.selector);
        }
        for (index, weight) in rules.replicas.weights.iter().enumerate() {
            self.selector(&at.down("replicas").at("weights", index).down("selector"), &weight.selector);
        }
        for (index, change) in rules.overrides.iter().enumerate() {
            self.change(&at.at("overrides", index), change, own);
        }
    }

    fn change(&mut self, at: &Field<'_>, change: &Override, own: Option<&[&Name]>) {
        if let Some(selector) = &change.clusters {
            self.selector(&at.down("clusters"), selector);
        }
        self.each(at, "platforms", "CpuPlatform", &self.scene.objects.platforms, &change.platforms);
        self.words(at, "zones", "zone", &change.zones);
        for (index, name) in change.objects.iter().enumerate() {
            if let Some(own) = own.filter(|own| !own.contains(&name)) {
                let candidates = own.iter().map(AsRef::as_ref);
                self.out.push(self.scene.unknown(&at.at("objects", index), "object", name, candidates));
            }
        }
    }

    fn selector(&mut self, at: &Field<'_>, selector: &ClusterSelector) {
        let objects = self.scene.objects;
        self.each(at, "names", "MemberCluster", &objects.clusters, &selector.names);
        self.each(at, "excludeNames", "MemberCluster", &objects.clusters, &selector.exclude_names);
        self.each(at, "sites", "Site", &objects.sites, &selector.sites);
        self.words(at, "providers", "provider", &selector.providers);
    }

    fn others(&mut self) {
        let objects = self.scene.objects;
        for item in input(&objects.prices) {
            let at = Field::new(&item.document, "/spec");
            self.word(&at.down("provider"), "provider", &item.object.spec.provider);
            for (index, entry) in item.object.spec.items.iter().enumerate() {
                let at = at.at("items", index).down("platform");
                self.some(&at, "CpuPlatform", &objects.platforms, entry.platform.as_ref());
            }
        }
        for item in input(&objects.placements) {
            let at = Field::new(&item.document, "/spec");
            for (index, cluster) in item.object.spec.clusters.iter().enumerate() {
                let at = at.at("clusters", index).down("name");
                self.one(&at, "MemberCluster", &objects.clusters, &cluster.name);
            }
        }
        for item in input(&objects.freezes) {
            let at = Field::new(&item.document, "/spec");
            self.each(&at, "tenants", "Tenant", &objects.tenants, &item.object.spec.tenants);
            if let Some(selector) = &item.object.spec.clusters {
                self.selector(&at.down("clusters"), selector);
            }
        }
        let own = input(&objects.reports).map(|item| (&item.document, &item.object.spec.report));
        let fleet = input(&objects.cluster_reports).map(|item| (&item.document, &item.object.spec.report));
        for (document, report) in own.chain(fleet) {
            let at = Field::new(document, "/spec/report/scope");
            self.each(&at, "tenants", "Tenant", &objects.tenants, &report.scope.tenants);
            self.each(&at, "sites", "Site", &objects.sites, &report.scope.sites);
        }
    }
}
