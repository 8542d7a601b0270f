//! The rules about nodes, judged per pool, and what they mean for a whole cluster: one pool that passes all of them, and
//! no way for pods to a pool that is refused. Rules about whole clusters are in [`super::rules`].

use std::collections::{BTreeMap, BTreeSet};

use super::fit::nobody_says;
use super::index::{Offer, Zoned, registry_of};
use super::input::{ClusterInput, PoolInput, RegistryInput};
use super::nodes::{self, NodeSide};
use super::rule::{Answer, Check, Rule};
use super::rules::{Judge, fail, list, unknown};
use super::spec::Image;
use crate::detect::{self, Outcome, PoolFacts};
use crate::terms::{Code, Reason};

/// The rules that are judged per pool.
pub(crate) const POOL_RULES: [Rule; 11] = [
    Rule::Zones,
    Rule::PoolZone,
    Rule::Reach,
    Rule::Architecture,
    Rule::Registry,
    Rule::Tee,
    Rule::Database,
    Rule::Accelerator,
    Rule::NodeLabels,
    Rule::NodeTaints,
    Rule::NodeAffinity,
];

/// Pool rules that the scheduler of the member knows nothing of: only the delivered affinity keeps pods off what they
/// refuse.
pub(crate) const UNSEEN: [Rule; 7] =
    [Rule::Zones, Rule::PoolZone, Rule::Reach, Rule::Architecture, Rule::Registry, Rule::Tee, Rule::Database];

impl Judge<'_> {
    /// One pool rule on one pool.
    pub(crate) fn check_pool(&self, rule: Rule, cluster: &ClusterInput, pool: &PoolInput) -> Check {
        match rule {
            Rule::Zones => self.tenant_zone(&pool.zone),
            Rule::PoolZone => self.pool_zone(&pool.zone),
            Rule::Architecture => self.architecture(&pool.facts),
            Rule::Tee => self.tee(&pool.facts),
            Rule::Accelerator => self.accelerator(&pool.facts),
            Rule::Reach => self.reach(&Offer::of(cluster, &pool.zone)),
            Rule::Database => self.database(&Offer::of(cluster, &pool.zone)),
            Rule::Registry => {
                registry_of(cluster, &pool.zone).map_or_else(Check::pass, |registry| self.registry(registry))
            }
            Rule::NodeLabels => nodes::selected(&self.requirement.nodes, &NodeSide::of(pool)),
            Rule::NodeTaints => nodes::stands(&self.requirement.nodes, &NodeSide::of(pool)),
            Rule::NodeAffinity if !self.unfit(cluster, pool) => self.admitted(&pool.name, &NodeSide::of(pool).shown()),
            _ => Check::pass(),
        }
    }

    /// Whether a pool passes all pool rules.
    pub(crate) fn accepts(&self, cluster: &ClusterInput, pool: &PoolInput) -> bool {
        POOL_RULES.iter().all(|rule| !self.refuses(self.check_pool(*rule, cluster, pool).answer))
    }

    /// Whether a rule that the scheduler does not know refuses a pool.
    pub(crate) fn unfit(&self, cluster: &ClusterInput, pool: &PoolInput) -> bool {
        UNSEEN.iter().any(|rule| self.refuses(self.check_pool(*rule, cluster, pool).answer))
    }

    /// The derived affinity on the labels of a pool.
    pub(crate) fn admitted(&self, pool: &str, labels: &BTreeMap<String, String>) -> Check {
        match self.derived() {
            Ok(affinity) if !affinity.admits(labels) => {
                fail(Reason::new(Code::AffinityExcludes).object(pool).wanted(list(affinity.missing(labels))))
            }
            // Without an affinity nothing goes anywhere: see [`Rule::Separation`].
            Ok(_) | Err(_) => Check::pass(),
        }
    }

    /// As [`Self::admitted`], of a pool that some rules refuse, supposed that they did not: the labels its nodes do not show,
    /// or show otherwise than the zone and the platform they are of. What images and trusted execution need of labels
    /// changes with them, so it is not told of a pool that is refused for them.
    pub(crate) fn unlabelled(&self, pool: &PoolInput, refused: &[Rule]) -> Check {
        let Ok(affinity) = self.derived() else { return Check::pass() };
        let shown = NodeSide::of(pool).shown();
        let needs = refused.iter().any(|rule| matches!(rule, Rule::Architecture | Rule::Tee));
        let kept_out = |key: &String| match key.as_str() {
            detect::labels::ZONE => shown.get(key) != Some(&pool.zone),
            detect::labels::PLATFORM => shown.get(key) != pool.facts.platform.as_ref(),
            _ => !needs && !shown.contains_key(key),
        };
        let missing: Vec<String> = affinity.missing(&shown).into_iter().filter(kept_out).collect();
        if missing.is_empty() {
            return Check::pass();
        }
        fail(Reason::new(Code::AffinityExcludes).object(&*pool.name).wanted(list(missing)))
    }

    /// Pods that go to an accepted pool of a cluster must not find their way to one that is refused.
    pub(crate) fn separation(&self, cluster: &ClusterInput) -> Check {
        let affinity = match self.derived() {
            Ok(affinity) => affinity,
            Err(reason) => return fail(reason.clone()),
        };
        if self.demand.optional && affinity.terms().is_some_and(<[_]>::is_empty) {
            // No node anywhere: nothing that could be delivered says so.
            return fail(Reason::new(Code::NotExpressible).wanted(detect::labels::ARCH));
        }
        if !self.demand.optional && !cluster.pools.iter().any(|pool| self.accepts(cluster, pool)) {
            return Check::pass();
        }
        let open = |pool: &&PoolInput| {
            let side = NodeSide::of(pool);
            let seen = [Rule::Accelerator, Rule::NodeLabels, Rule::NodeTaints];
            affinity.admits(&side.shown())
                && seen.iter().all(|rule| self.check_pool(*rule, cluster, pool).answer != Answer::Fail)
        };
        let unfit = cluster.pools.iter().filter(|pool| self.unfit(cluster, pool) && open(pool));
        unfit
            .map(|pool| {
                fail(Reason::new(Code::NotExpressible).object(&*pool.name).wanted(self.separator(cluster, pool)))
            })
            .fold(Check::pass(), Check::and)
    }

    /// The label (or the option of NFD) that would keep pods off a pool.
    fn separator(&self, cluster: &ClusterInput, pool: &PoolInput) -> &'static str {
        let refused = |rule: &Rule| self.refuses(self.check_pool(*rule, cluster, pool).answer);
        match UNSEEN.iter().find(|rule| refused(rule)) {
            Some(Rule::Zones | Rule::PoolZone | Rule::Registry | Rule::Reach | Rule::Database) => detect::labels::ZONE,
            _ => {
                let policy = self.demand.policy(self.view.snapshot, self.requirement);
                let verdict = |image: &Image| detect::compatible(&image.entries, &image.needs, &pool.facts, &policy);
                let refused = self.requirement.images.iter().map(verdict).find(|verdict| !verdict.admitted);
                refused.map_or(detect::labels::PLATFORM, |verdict| detect::affinity::separator(&verdict))
            }
        }
    }

    pub(crate) fn pools(&self, cluster: &ClusterInput) -> Check {
        if cluster.pools.iter().any(|pool| self.accepts(cluster, pool)) {
            return Check::pass();
        }
        let names = list(cluster.pools.iter().map(|pool| &pool.name));
        fail(Reason::new(Code::NoPoolAccepted).seen(names))
    }

    pub(crate) fn reach(&self, offer: &Offer) -> Check {
        offered(&self.requirement.reach, &offer.peers, Code::ReachNotOpened)
    }

    pub(crate) fn database(&self, offer: &Offer) -> Check {
        offered(&self.requirement.databases, &offer.databases, Code::DatabaseNotOffered)
    }

    pub(crate) fn tenant_zone(&self, zone: &str) -> Check {
        match self.view.snapshot.tenants.get(&self.requirement.tenant).map(|tenant| &tenant.zones) {
            Some(zones) if !zones.is_empty() && zone.is_empty() => {
                unknown(Reason::new(Code::ZoneUnknown).wanted(list(zones)))
            }
            Some(zones) if !zones.is_empty() && !zones.contains(zone) => {
                fail(Reason::new(Code::ZoneNotAllowed).seen(zone).wanted(list(zones)))
            }
            _ => Check::pass(),
        }
    }

    pub(crate) fn pool_zone(&self, zone: &str) -> Check {
        let Some(wanted) = self.requirement.zone.as_deref().filter(|wanted| *wanted != zone) else {
            return Check::pass();
        };
        let check = match zone {
            "" => unknown(Reason::new(Code::ZoneUnknown).wanted(wanted)),
            _ => fail(Reason::new(Code::ZoneMismatch).seen(zone).wanted(wanted)),
        };
        // In that zone the tenant must be allowed, too: otherwise nodes there would help nobody.
        check.and(self.tenant_zone(wanted))
    }

    pub(crate) fn registry(&self, registry: &RegistryInput) -> Check {
        let absent = |code| {
            move |image: &Image| Reason::new(code).object(&*image.name).seen(&*registry.host).wanted(&*image.name)
        };
        match &registry.holds {
            None => self
                .requirement
                .images
                .iter()
                .map(absent(Code::ImageRegistryUnknown))
                .map(unknown)
                .fold(Check::pass(), Check::and),
            Some(held) => self
                .requirement
                .images
                .iter()
                .filter(|image| {
                    !held.contains(&image.name) && !digest_of(&image.name).is_some_and(|d| held.contains(d))
                })
                .map(absent(Code::ImageNotInRegistry))
                .map(fail)
                .fold(Check::pass(), Check::and),
        }
    }

    pub(crate) fn architecture(&self, facts: &PoolFacts) -> Check {
        let platforms = &self.requirement.platforms;
        let mut check = match &facts.platform {
            _ if platforms.is_empty() => Check::pass(),
            None => unknown(Reason::new(Code::PlatformNotKnown).seen(facts.name()).wanted(list(platforms))),
            Some(platform) if platforms.contains(platform) => Check::pass(),
            Some(platform) => fail(Reason::new(Code::PlatformNotAllowed).seen(&**platform).wanted(list(platforms))),
        };
        if self.requirement.images.is_empty() {
            return check;
        }
        let policy = self.demand.policy(self.view.snapshot, self.requirement);
        for image in &self.requirement.images {
            let verdict = detect::compatible(&image.entries, &image.needs, facts, &policy);
            let answer = match verdict.outcome {
                Outcome::Accept => continue,
                Outcome::AcceptWithWarning => Answer::Warn,
                Outcome::Unknown => Answer::Unknown,
                Outcome::Reject => Answer::Fail,
            };
            let told = |mut reason: Reason| {
                // That an image lacks a manifest is a fact only where somebody has looked.
                if reason.code == Code::NoManifestForPlatform && nobody_says(image) {
                    reason.code = Code::ManifestNotKnown;
                }
                reason.about(&*image.name)
            };
            let reasons = verdict.binding().map(|judgement| told(judgement.reason.clone())).collect();
            check = check.and(Check::of(answer, reasons));
        }
        check
    }

    pub(crate) fn tee(&self, facts: &PoolFacts) -> Check {
        let wanted = &self.requirement.tee;
        if wanted.is_empty() || !wanted.is_disjoint(&facts.tee) {
            return Check::pass();
        }
        let names = list(wanted.iter().map(|tee| tee.as_str()));
        let seen = list(facts.tee.iter().map(|tee| tee.as_str()));
        if wanted.is_disjoint(&facts.tee_possible) {
            fail(Reason::new(Code::TeeAbsent).seen(seen).wanted(names))
        } else {
            unknown(Reason::new(Code::TeeUndeclared).seen(seen).wanted(names))
        }
    }

    pub(crate) fn accelerator(&self, facts: &PoolFacts) -> Check {
        let classes = &self.view.snapshot.architecture.accelerator_classes;
        let mut check = Check::pass();
        for need in &self.requirement.accelerators {
            let direct = BTreeSet::from([need.class.clone()]);
            let resources = match classes.get(&need.class) {
                Some(resources) => resources,
                None if need.class.contains('/') => &direct,
                None => {
                    check = check.and(unknown(Reason::new(Code::AcceleratorClassUnknown).wanted(&*need.class)));
                    continue;
                }
            };
            let most = resources.iter().filter_map(|name| facts.accelerators.get(name)).max().copied().unwrap_or(0);
            if most < need.count.max(1) {
                let reason = Reason::new(Code::AcceleratorAbsent).object(&*need.class).seen(most).wanted(need.count);
                check = check.and(fail(reason));
            }
        }
        check
    }
}

/// All of what is wanted, as a pool's zone is offered it.
fn offered(wanted: &BTreeSet<String>, zone: &Zoned, code: Code) -> Check {
    let told = |name: &String| {
        if zone.offered.contains(name) {
            return Check::pass();
        }
        match zone.perhaps.get(name) {
            Some(zones) => unknown(Reason::new(Code::ZoneUnknown).object(&**name).wanted(list(zones))),
            None => fail(Reason::new(code).object(&**name).seen(list(&zone.offered)).wanted(&**name)),
        }
    };
    wanted.iter().map(told).fold(Check::pass(), Check::and)
}

/// The digest of a reference by digest, which names the image in whatever registry.
fn digest_of(name: &str) -> Option<&str> {
    name.rsplit_once('@').map(|(_, digest)| digest)
}
