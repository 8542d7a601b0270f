//! Names of other objects that no object has.

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Reason};

use crate::documents::Document;
use crate::objects::{Items, Objects, names};
use crate::schema::nearest;

use super::own;

/// Names listed when none is near.
const LISTED: usize = 8;

pub(super) fn check(objects: &Objects, findings: &mut Vec<Finding>) {
    let mut refs = Refs { objects, findings };
    refs.clusters();
    refs.tenants();
    refs.systems();
    refs.workloads();
    refs.policies();
    refs.placements();
}

struct Refs<'a> {
    objects: &'a Objects,
    findings: &'a mut Vec<Finding>,
}

impl Refs<'_> {
    fn tell<'n>(
        &mut self,
        document: &Document,
        pointer: &str,
        kind: &str,
        name: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        let near = nearest(name, known.clone());
        let wanted = if near.is_empty() { known.take(LISTED).map(str::to_owned).collect() } else { near };
        let wanted = if wanted.is_empty() { vec!["-".to_owned()] } else { wanted };
        let reason = Reason::new(Code::ReferenceUnknown).object(format!("{kind}/{name}"));
        let reason = reason.seen(document.object_ref().to_string()).wanted(wanted);
        self.findings.push(document.finding(reason, pointer));
    }

    fn refused(&self, kind: &str, namespace: &str, name: &str) -> bool {
        self.objects.refused.contains(&ObjectRef::new(kind, namespace, name))
    }

    /// A name of a cluster-scoped kind.
    fn named<T>(&mut self, document: &Document, pointer: &str, kind: &str, items: &Items<T>, name: &str) {
        if crate::objects::named(items, name).is_none() && !self.refused(kind, "", name) {
            self.tell(document, pointer, kind, name, names(items));
        }
    }

    /// A name of a namespaced kind.
    fn inside<T>(
        &mut self,
        document: &Document,
        pointer: &str,
        kind: &str,
        items: &Items<T>,
        (namespace, name): (&str, &str),
    ) {
        if !items.contains_key(&(namespace.to_owned(), name.to_owned())) && !self.refused(kind, namespace, name) {
            let known: Vec<&str> = items.keys().filter(|key| key.0 == namespace).map(|key| key.1.as_str()).collect();
            self.tell(document, pointer, kind, &format!("{namespace}/{name}"), known.iter().copied());
        }
    }

    fn clusters(&mut self) {
        let objects = self.objects;
        for item in own(&objects.clusters) {
            let (document, spec) = (&item.document, &item.object.spec);
            self.named(document, "/spec/site", "Site", &objects.sites, &spec.site);
            for (index, facts) in spec.pool_facts.iter().enumerate() {
                if let Some(platform) = &facts.platform {
                    let at = format!("/spec/poolFacts/{index}/platform");
                    self.named(document, &at, "CpuPlatform", &objects.platforms, platform);
                }
            }
            let pools = item.object.status.iter().flat_map(|status| &status.pools).enumerate();
            for (index, pool) in pools {
                if let Some(platform) = &pool.platform {
                    let at = format!("/status/pools/{index}/platform");
                    self.named(document, &at, "CpuPlatform", &objects.platforms, platform);
                }
            }
        }
    }

    fn tenants(&mut self) {
        let objects = self.objects;
        for item in own(&objects.tenants) {
            let (document, spec) = (&item.document, &item.object.spec);
            for (field, parent) in [("blockParent", &spec.block_parent), ("lineParent", &spec.line_parent)] {
                if let Some(parent) = parent {
                    self.named(document, &format!("/spec/{field}"), "Tenant", &objects.tenants, parent);
                }
            }
            if let Some(tier) = &spec.allowed.min_tier {
                self.named(document, "/spec/allowed/minTier", "SovereigntyTier", &objects.tiers, tier);
            }
            for (index, cluster) in spec.allowed.clusters.iter().enumerate() {
                let at = format!("/spec/allowed/clusters/{index}");
                self.named(document, &at, "MemberCluster", &objects.clusters, cluster);
            }
            for (index, grant) in spec.quota.iter().enumerate() {
                if let Some(platform) = &grant.platform {
                    let at = format!("/spec/quota/{index}/platform");
                    self.named(document, &at, "CpuPlatform", &objects.platforms, platform);
                }
            }
            for (index, namespace) in spec.namespaces.iter().enumerate() {
                if let Some(system) = &namespace.system {
                    let at = format!("/spec/namespaces/{index}/system");
                    let key = (&*namespace.name, &**system);
                    self.inside(document, &at, "InformationSystem", &objects.systems, key);
                }
            }
            if let Some(policy) = &spec.default_policy {
                let owned = spec.namespaces.iter().map(|n| (n.name.to_string(), policy.to_string()));
                let shared = crate::objects::named(&objects.cluster_policies, policy).is_some()
                    || self.refused("ClusterPlacementPolicy", "", policy);
                if !shared && !owned.into_iter().any(|key| objects.policies.contains_key(&key)) {
                    let known = names(&objects.cluster_policies);
                    self.tell(document, "/spec/defaultPolicy", "ClusterPlacementPolicy", policy, known);
                }
            }
        }
    }

    fn systems(&mut self) {
        let objects = self.objects;
        for item in own(&objects.systems) {
            let (document, spec) = (&item.document, &item.object.spec);
            self.named(document, "/spec/tenant", "Tenant", &objects.tenants, &spec.tenant);
            for (index, system) in spec.depends_on.iter().enumerate() {
                let namespace = system.namespace.as_deref().unwrap_or(&document.namespace);
                let at = format!("/spec/dependsOn/{index}");
                let key = (namespace, &*system.name);
                self.inside(document, &at, "InformationSystem", &objects.systems, key);
            }
            for (index, body) in spec.bodies.iter().enumerate() {
                let at = format!("/spec/bodies/{index}/tenant");
                self.named(document, &at, "Tenant", &objects.tenants, &body.tenant);
            }
            for (index, asset) in spec.assets.iter().enumerate() {
                let at = format!("/spec/assets/{index}");
                if let Some(platform) = &asset.platform {
                    self.named(document, &format!("{at}/platform"), "CpuPlatform", &objects.platforms, platform);
                }
                if let Some(site) = &asset.site {
                    self.named(document, &format!("{at}/site"), "Site", &objects.sites, site);
                }
            }
        }
    }

    fn workloads(&mut self) {
        let objects = self.objects;
        for item in own(&objects.workloads) {
            let (document, spec) = (&item.document, &item.object.spec);
            let namespace = document.namespace.as_str();
            let key = (namespace, &*spec.system);
            self.inside(document, "/spec/system", "InformationSystem", &objects.systems, key);
            for (index, other) in spec.depends_on.iter().enumerate() {
                let at = format!("/spec/dependsOn/{index}");
                self.inside(document, &at, "FleetWorkload", &objects.workloads, (namespace, other));
            }
            if let Some(policy) = &spec.placement_policy {
                let own = objects.policies.contains_key(&(namespace.to_owned(), policy.to_string()))
                    || self.refused("PlacementPolicy", namespace, policy)
                    || self.refused("ClusterPlacementPolicy", "", policy);
                if !own && crate::objects::named(&objects.cluster_policies, policy).is_none() {
                    let inside = objects.policies.keys().filter(|key| key.0 == namespace).map(|key| key.1.as_str());
                    let known: Vec<&str> = inside.chain(names(&objects.cluster_policies)).collect();
                    self.tell(document, "/spec/placementPolicy", "PlacementPolicy", policy, known.iter().copied());
                }
            }
            if let Some(tier) = &spec.requirements.min_tier {
                self.named(document, "/spec/requirements/minTier", "SovereigntyTier", &objects.tiers, tier);
            }
            for (index, platform) in spec.requirements.platforms.iter().enumerate() {
                let at = format!("/spec/requirements/platforms/{index}");
                self.named(document, &at, "CpuPlatform", &objects.platforms, platform);
            }
            for (index, component) in spec.requirements.components.iter().enumerate() {
                if let Some(object) = &component.object
                    && !spec.objects.iter().any(|known| known.name == *object)
                {
                    let at = format!("/spec/requirements/components/{index}/object");
                    let known: Vec<&str> = spec.objects.iter().map(|known| &*known.name).collect();
                    self.tell(document, &at, "objects", object, known.iter().copied());
                }
            }
            let clusters = spec.data.iter().flat_map(|data| &data.clusters).enumerate();
            for (index, cluster) in clusters {
                let at = format!("/spec/data/clusters/{index}");
                self.named(document, &at, "MemberCluster", &objects.clusters, cluster);
            }
            if let Some(rules) = &spec.placement {
                self.rules(document, "/spec/placement", rules);
            }
        }
    }

    fn policies(&mut self) {
        let objects = self.objects;
        for item in own(&objects.policies) {
            self.rules(&item.document, "/spec/placement", &item.object.spec.placement);
        }
        for item in own(&objects.cluster_policies) {
            self.rules(&item.document, "/spec/placement", &item.object.spec.placement);
        }
        for item in own(&objects.freezes) {
            for (index, tenant) in item.object.spec.tenants.iter().enumerate() {
                let at = format!("/spec/tenants/{index}");
                self.named(&item.document, &at, "Tenant", &objects.tenants, tenant);
            }
            if let Some(selector) = &item.object.spec.clusters {
                self.selector(&item.document, "/spec/clusters", selector);
            }
        }
    }

    fn rules(&mut self, document: &Document, pointer: &str, rules: &api::PlacementRules) {
        for (at, selector) in super::policies::selectors(pointer, rules) {
            self.selector(document, &at, selector);
        }
        for (index, entry) in rules.overrides.iter().enumerate() {
            for (inner, platform) in entry.platforms.iter().enumerate() {
                let at = format!("{pointer}/overrides/{index}/platforms/{inner}");
                self.named(document, &at, "CpuPlatform", &self.objects.platforms, platform);
            }
        }
    }

    fn selector(&mut self, document: &Document, pointer: &str, selector: &api::ClusterSelector) {
        let objects = self.objects;
        for (field, list) in [("names", &selector.names), ("excludeNames", &selector.exclude_names)] {
            for (index, name) in list.iter().enumerate() {
                let at = format!("{pointer}/{field}/{index}");
                self.named(document, &at, "MemberCluster", &objects.clusters, name);
            }
        }
        for (index, name) in selector.sites.iter().enumerate() {
            self.named(document, &format!("{pointer}/sites/{index}"), "Site", &objects.sites, name);
        }
    }

    fn placements(&mut self) {
        let objects = self.objects;
        for item in own(&objects.placements) {
            for (index, placed) in item.object.spec.clusters.iter().enumerate() {
                let at = format!("/spec/clusters/{index}/name");
                self.named(&item.document, &at, "MemberCluster", &objects.clusters, &placed.name);
            }
        }
    }
}
