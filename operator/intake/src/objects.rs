//! The objects of one input, typed, by kind and name, each with the places it came from.
//!
//! One list names our kinds; everything that walks "all kinds" is made from it, and a test holds it against the CRDs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiuzhou_api::v1alpha1::{
    Approval, ChangeFreeze, ClusterPlacementPolicy, ClusterReport, CpuPlatform, Delivery, FleetPlacement,
    FleetWorkload, ImageProfile, InformationSystem, KindProfile, MemberCluster, Migration, OperatingMode,
    PlacementPolicy, PriceBook, Report, Site, SovereigntyTier, Tenant,
};
use jiuzhou_engine::terms::{Code, Finding, ObjectRef, Place, Reason, Severity};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::builtin;
use crate::documents::Document;
use crate::native::Native;
use crate::schema::{Kinds, Rules};

/// Namespace (empty for cluster-scoped kinds) and name.
pub type Key = (String, String);

/// Where an object comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Shipped with the program; an object of the user with the same name takes its place.
    BuiltIn,
    /// The input.
    Input,
}

/// A typed object and where it stands. Both are shared, so that a copy of all objects costs little more than their keys.
#[derive(Clone, Debug)]
pub struct Item<T> {
    /// The object.
    pub object: Arc<T>,
    /// Where it stands; its value was moved into `object`.
    pub document: Arc<Document>,
    /// Who wrote it.
    pub origin: Origin,
}

impl<T> Item<T> {
    /// An object where it stands.
    #[must_use]
    pub fn new(object: T, document: Document, origin: Origin) -> Self {
        Self { object: Arc::new(object), document: Arc::new(document), origin }
    }
}

/// Items of one kind in order of namespace and name.
pub type Items<T> = BTreeMap<Key, Item<T>>;

macro_rules! kinds {
    ($($(#[$doc:meta])* $field:ident: $kind:ident,)*) => {
        /// All typed objects of an input, and the native ones beside them.
        #[derive(Clone, Debug, Default)]
        pub struct Objects {
            $($(#[$doc])* pub $field: Items<$kind>,)*
            /// Objects of other API groups, in order of reading.
            pub natives: Vec<Native>,
            /// Why a workload's selection takes nothing. What it takes are the workload's objects.
            pub unselected: BTreeMap<Key, Reason>,
            /// Objects that are there but were refused: who names one of them makes no mistake.
            pub refused: BTreeSet<ObjectRef>,
            /// Objects of files that their schema refused, as they were read: what they say of names and codes that
            /// must be one of a kind still counts, or the next run would tell of it.
            pub rejected: Vec<Document>,
        }

        impl Objects {
            /// The kinds this type holds.
            pub const KINDS: &'static [&'static str] = &[$(stringify!($kind),)*];

            /// Adds an object of ours that has passed the checks of its schema.
            pub fn add(&mut self, document: Document, origin: Origin, findings: &mut Vec<Finding>) {
                match document.kind.as_str() {
                    $(stringify!($kind) => add(&mut self.$field, document, origin, findings),)*
                    _ => {
                        let reason = Reason::new(Code::KindUnknown).object(document.kind.as_str());
                        findings.push(document.finding(reason, "/kind"));
                    }
                }
            }

            /// Takes an object of the input out. One of the same name in `builtin` holds again.
            pub fn remove(&mut self, object: &ObjectRef, builtin: &Self) {
                let key = (object.namespace.clone(), object.name.clone());
                match object.kind.as_str() {
                    $(stringify!($kind) => match builtin.$field.get(&key) {
                        Some(item) => drop(self.$field.insert(key, item.clone())),
                        None => drop(self.$field.remove(&key)),
                    },)*
                    _ => {}
                }
                self.refused.remove(object);
            }
        }
    };
}

kinds! {
    /// 机房.
    sites: Site,
    /// 成员集群.
    clusters: MemberCluster,
    /// 芯片平台.
    platforms: CpuPlatform,
    /// 主权等级.
    tiers: SovereigntyTier,
    /// 镜像适配档案.
    images: ImageProfile,
    /// Kind profiles.
    kinds: KindProfile,
    /// 价目表.
    prices: PriceBook,
    /// 单位.
    tenants: Tenant,
    /// 政务信息系统.
    systems: InformationSystem,
    /// 工作负载.
    workloads: FleetWorkload,
    /// 部署策略 of one namespace.
    policies: PlacementPolicy,
    /// 部署策略 for every namespace.
    cluster_policies: ClusterPlacementPolicy,
    /// 部署结果.
    placements: FleetPlacement,
    /// 下发单.
    deliveries: Delivery,
    /// 报表 of one namespace.
    reports: Report,
    /// 报表 of the whole fleet.
    cluster_reports: ClusterReport,
    /// 封网期.
    freezes: ChangeFreeze,
    /// 审批单.
    approvals: Approval,
    /// 平战模式.
    modes: OperatingMode,
    /// 迁移任务.
    migrations: Migration,
}

pub(crate) fn add<T: DeserializeOwned>(
    items: &mut Items<T>,
    mut document: Document,
    origin: Origin,
    findings: &mut Vec<Finding>,
) {
    let value = std::mem::replace(&mut document.value, Value::Null);
    let object = match serde_json::from_value(value) {
        Ok(object) => object,
        Err(error) => {
            // The schema is made from the type, so this is a difference between the two and worth its words.
            let reason = Reason::new(Code::RuleNotEvaluated).object(document.kind.as_str()).seen(error.to_string());
            findings.push(document.finding(reason, ""));
            return;
        }
    };
    let key = (document.namespace.clone(), document.name.clone());
    if let Some(first) = items.get(&key)
        && first.origin == origin
    {
        findings.push(duplicate(&document, &first.document.place("/metadata/name")));
        return;
    }
    items.insert(key, Item::new(object, document, origin));
}

/// That an object of this kind and name was read before, at `first`.
pub(crate) fn duplicate(document: &Document, first: &Place) -> Finding {
    let reason = Reason::new(Code::ObjectDuplicate).object(document.object_ref().to_string());
    document.finding(reason.seen(format!("{}:{}", first.file, first.line)), "/metadata/name")
}

impl Objects {
    /// What every reading starts from: the objects that are shipped with the program.
    #[must_use]
    pub fn builtin(kinds: &Kinds, findings: &mut Vec<Finding>) -> Self {
        let mut objects = Self::default();
        builtin::add(kinds, &mut objects, findings);
        objects
    }

    /// Puts an object of an API server in the place of what it was before. `false` when it is refused: it stays away,
    /// and what is wrong with it is in `findings`.
    pub fn put(
        &mut self,
        mut document: Document,
        kinds: &Kinds,
        rules: Rules,
        builtin: &Self,
        findings: &mut Vec<Finding>,
    ) -> bool {
        let object = document.object_ref();
        self.remove(&object, builtin);
        let before = findings.len();
        if kinds.check_with(&mut document, rules, findings) {
            self.add(document, Origin::Input, findings);
        }
        let refused = findings.iter().skip(before).any(|finding| finding.severity == Severity::Error);
        if refused {
            self.refused.insert(object);
        }
        !refused
    }
}

/// The item of a cluster-scoped kind by name.
pub fn named<'a, T>(items: &'a Items<T>, name: &str) -> Option<&'a Item<T>> {
    items.get(&(String::new(), name.to_owned()))
}

/// The names of a cluster-scoped kind, for "did you mean".
pub fn names<T>(items: &Items<T>) -> impl Iterator<Item = &str> + Clone {
    items.keys().map(|(_, name)| name.as_str())
}
