//! Random fleets and workloads for the property tests: small worlds of few values, so that rules meet often.

mod workloads;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::affinity::{Affinity, Expression, Operator, Taint, TaintEffect};
use super::input::{
    CheckInput, CheckKind, ClusterInput, ClusterState, DataClass, Dimension, Evidence, EvidenceState, Figure,
    FreezeInput, Grant, NodeShapeInput, Ownership, PoolInput, ProtectionReport, Reachability, RegistryInput, Supplied,
    TenantInput, Term, TierInput,
};
use super::snapshot::FleetInput;
use crate::detect::{Answer, Arch, Catalogue, Level, Platform, PoolFacts, Tee, labels};
use crate::terms::PerMille;

pub(crate) use workloads::{easy, parted, requirement, running, spec};

/// A small generator of numbers; the seed comes from proptest.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n.max(1)
    }

    pub(crate) fn int(&mut self, n: u64) -> i64 {
        i64::try_from(self.below(n)).unwrap()
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()].clone()
    }

    fn some(&mut self, from: &[&str], most: u64) -> BTreeSet<String> {
        (0..self.below(most + 1)).map(|_| self.pick(from).to_owned()).collect()
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = usize::try_from(self.below(at as u64 + 1)).unwrap();
            items.swap(at, other);
        }
    }
}

const REGIONS: [&str; 5] = ["530100", "532901", "320300", "513300", ""];
const ZONES: [&str; 4] = ["dedicated", "public", "internet-access", ""];
const PROVIDERS: [&str; 4] = ["云甲", "云乙", "provider-c", ""];
const TENANTS: [&str; 3] = ["大理州民政局", "徐州市数据局", "tenant-c"];
const LABELS: [&str; 3] = ["env", "grade", "family"];
const VALUES: [&str; 4] = ["a", "b", "7", "12"];
const KINDS: [&str; 3] = ["apps/v1/Deployment", "batch/v1/Job", "example.cn/v1/数据库"];
const IMAGES: [&str; 2] = ["registry.example.cn/app@sha256:1", "registry.example.cn/web@sha256:2"];

pub(crate) fn instants() -> Vec<Timestamp> {
    ["2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect()
}

pub(crate) fn now() -> Timestamp {
    instants()[2]
}

fn term(dice: &mut Dice) -> Term {
    let bound = |dice: &mut Dice| if dice.one_in(3) { None } else { Some(dice.pick(&instants())) };
    Term { from: bound(dice), until: bound(dice) }
}

fn report(dice: &mut Dice) -> ProtectionReport {
    ProtectionReport {
        number: format!("报告-{}", dice.below(3)),
        level: u8::try_from(1 + dice.below(5)).unwrap(),
        conforms: !dice.one_in(4),
        term: term(dice),
        recorded_at: dice.pick(&instants()),
        state: dice.pick(&[EvidenceState::Verified, EvidenceState::Verified, EvidenceState::Unverified]),
        state_since: dice.one_in(3).then(|| dice.pick(&instants())),
    }
}

pub(crate) fn affinity(dice: &mut Dice) -> Affinity {
    let mut affinity = Affinity::default();
    for _ in 0..dice.below(3) {
        let operator = dice.pick(&[
            Operator::In,
            Operator::NotIn,
            Operator::Exists,
            Operator::DoesNotExist,
            Operator::Gt,
            Operator::Lt,
        ]);
        let values = match operator {
            Operator::In | Operator::NotIn => (0..=dice.below(2)).map(|_| dice.pick(&VALUES).to_owned()).collect(),
            Operator::Exists | Operator::DoesNotExist => vec![],
            Operator::Gt | Operator::Lt => vec![dice.pick(&["5", "9", "x"]).to_owned()],
        };
        let key = dice.pick(&["env", "grade", "family", "absent"]).to_owned();
        affinity.expressions.push(Expression { key, operator, values });
    }
    if dice.one_in(4) {
        affinity.labels.insert(dice.pick(&LABELS).to_owned(), dice.pick(&VALUES).to_owned());
    }
    if dice.one_in(8) {
        affinity.exclude.insert(format!("集群-{}", dice.below(6)));
    }
    if dice.one_in(10) {
        affinity.names = (0..4).map(|n| format!("集群-{n}")).collect();
    }
    affinity
}

fn facts(dice: &mut Dice) -> PoolFacts {
    let mut facts = PoolFacts::unknown(dice.pick(&[Arch::Amd64, Arch::Arm64, Arch::Loong64]));
    if !dice.one_in(3) {
        facts.platform = Some(dice.pick(&["kunpeng-920", "hygon-7285", "3c6000"]).to_owned());
    }
    if dice.one_in(3) {
        facts.tee.insert(Tee::Csv);
    }
    if dice.one_in(3) {
        facts.tee_possible.insert(Tee::TrustZone);
    }
    if dice.one_in(3) {
        facts.accelerators.insert("huawei.com/Ascend910".to_owned(), dice.int(9));
    }
    facts
}

/// Some of these, for all zones or for some.
fn zoned(dice: &mut Dice, names: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let offered = dice.some(names, 2);
    offered
        .into_iter()
        .map(|name| (name, if dice.one_in(3) { dice.some(&ZONES[..3], 2) } else { BTreeSet::new() }))
        .collect()
}

/// Labels as nodes show them, not always what the facts of their pool are.
fn node_labels(dice: &mut Dice) -> BTreeMap<String, String> {
    let all: [(&str, &[&str]); 4] = [
        ("disk", &["ssd", "hdd"]),
        (labels::PLATFORM, &["kunpeng-920", "hygon-7285"]),
        (labels::PAGE_SIZE_KI, &["4", "64"]),
        (labels::ZONE, &ZONES[..3]),
    ];
    let mut labels = BTreeMap::new();
    for (key, values) in all {
        if dice.one_in(2) {
            labels.insert(key.to_owned(), dice.pick(values).to_owned());
        }
    }
    labels
}

pub(crate) fn cluster(dice: &mut Dice, name: &str) -> ClusterInput {
    let pools = (0..dice.below(4)).map(|at| PoolInput {
        name: format!("池-{at}"),
        zone: dice.pick(&ZONES).to_owned(),
        facts: facts(dice),
        labels: node_labels(dice),
        taints: (0..dice.below(4) / 3)
            .map(|_| Taint {
                key: "gpu".to_owned(),
                value: String::new(),
                effect: dice.pick(&[TaintEffect::NoSchedule, TaintEffect::PreferNoSchedule]),
            })
            .collect(),
        shapes: (0..1 + dice.below(2))
            .map(|_| NodeShapeInput {
                count: dice.int(4),
                free: [
                    ("cpu".to_owned(), dice.int(9) * 1000),
                    ("memory".to_owned(), dice.int(17) << 30),
                    ("pods".to_owned(), 1 + dice.int(20)),
                ]
                .into(),
            })
            .collect(),
        unschedulable: if dice.one_in(8) { vec![[("cpu".to_owned(), 250 * (1 + dice.int(8)))].into()] } else { vec![] },
        cpu_normalised: dice.one_in(8),
    });
    let pools = pools.collect();
    let mut taints = BTreeSet::new();
    for _ in 0..dice.below(2) {
        taints.insert(Taint {
            key: dice.pick(&["费用", "secret"]).to_owned(),
            value: dice.pick(&["高", ""]).to_owned(),
            effect: dice.pick(&[TaintEffect::NoSchedule, TaintEffect::NoExecute, TaintEffect::PreferNoSchedule]),
        });
    }
    ClusterInput {
        name: name.to_owned(),
        site: format!("机房-{}", dice.below(3)),
        region: dice.pick(&REGIONS).to_owned(),
        availability_zone: format!("az{}", dice.below(2)),
        provider: dice.pick(&PROVIDERS).to_owned(),
        labels: LABELS
            .iter()
            .map(|key| ((*key).to_owned(), dice.pick(&["a", "b", "7", "12", "-"]).to_owned()))
            .filter(|(_, value)| value != "-")
            .collect(),
        taints,
        state: dice.pick(&[ClusterState::Active; 5].map(|s| s)).max(if dice.one_in(8) {
            dice.pick(&[ClusterState::Draining, ClusterState::Deleting])
        } else {
            ClusterState::Active
        }),
        healthy_since: dice.one_in(2).then(|| dice.pick(&instants())),
        reachability: if dice.one_in(6) {
            dice.pick(&[Reachability::Unknown, Reachability::Unreachable])
        } else {
            Reachability::Reachable
        },
        ownership: dice.pick(&[Ownership::Unknown, Ownership::Government, Ownership::Domestic, Ownership::Foreign]),
        jurisdictions: dice.some(&["CN", "CN", "US"], 2),
        dedicated_to: if dice.one_in(5) { dice.some(&TENANTS, 2) } else { BTreeSet::new() },
        protection: (0..dice.below(3)).map(|_| report(dice)).collect(),
        cryptography: (0..dice.below(2)).map(|_| report(dice)).collect(),
        evidence: (0..dice.below(4))
            .map(|n| Evidence {
                id: format!("e{n}"),
                dimension: dice.pick(&Dimension::ALL),
                claim: dice.pick(&["kms", "staff"]).to_owned(),
                value: dice.pick(&["SM4", ""]).to_owned(),
                term: term(dice),
                recorded_at: dice.pick(&instants()),
                state: dice.pick(&[
                    EvidenceState::Verified,
                    EvidenceState::Verified,
                    EvidenceState::Unverified,
                    EvidenceState::Rejected,
                    EvidenceState::Revoked,
                ]),
                state_since: if dice.one_in(2) { Some(dice.pick(&instants())) } else { None },
            })
            .collect(),
        supplied: [("cel".to_owned(), dice.pick(&[Supplied::Holds(Term::OPEN), Supplied::Fails, Supplied::Unknown]))]
            .into(),
        kinds: (!dice.one_in(5)).then(|| dice.some(&KINDS, 4)),
        databases: zoned(dice, &["达梦", "openGauss"]),
        registries: if dice.one_in(2) {
            let holds = (!dice.one_in(3)).then(|| dice.some(&IMAGES, 3));
            [(dice.pick(&ZONES).to_owned(), RegistryInput { host: "registry.example.cn".to_owned(), holds })].into()
        } else {
            BTreeMap::new()
        },
        peers: zoned(dice, &["省级平台", "gateway"]),
        pools,
        figures: [(Figure::CarbonGramsPerKwh, dice.int(900))].into(),
        emergency_reserve_percent: 0,
    }
}

fn tiers(dice: &mut Dice) -> Vec<TierInput> {
    let dimension = Dimension::Data;
    let check = |id: &str, kind| CheckInput { id: id.to_owned(), dimension, kind };
    let owners = BTreeSet::from([Ownership::Government, Ownership::Domestic]);
    vec![
        TierInput {
            name: "s1".into(),
            rank: 1,
            checks: vec![check("cn", CheckKind::Jurisdictions(BTreeSet::from(["CN".into()])))],
            classes: [DataClass::Important].into(),
            strict: dice.one_in(3),
            floors: [(Arch::Arm64, Level::Arm(8, 2))].into(),
            ..TierInput::default()
        },
        TierInput {
            name: "s2".into(),
            rank: 2,
            checks: vec![
                check("kms", CheckKind::Evidence { claim: "kms".into(), values: dice.some(&["SM4"], 1) }),
                check("owner", CheckKind::Ownership(owners)),
            ],
            classes: [DataClass::Core].into(),
            strict: dice.one_in(2),
            ..TierInput::default()
        },
        TierInput {
            name: "s3".into(),
            rank: 3,
            checks: vec![check("cel", CheckKind::Supplied), check("level", CheckKind::Protection(3))],
            ..TierInput::default()
        },
    ]
}

pub(crate) fn fleet(dice: &mut Dice, clusters: u64) -> FleetInput {
    FleetInput {
        clusters: (0..clusters).map(|n| cluster(dice, &format!("集群-{n}"))).collect(),
        tenants: TENANTS
            .iter()
            .map(|name| TenantInput {
                name: (*name).to_owned(),
                quota_parent: (*name != TENANTS[0]).then(|| TENANTS[0].to_owned()),
                grants: dice.one_in(3).then(|| {
                    vec![Grant {
                        document: "批复".into(),
                        term: term(dice),
                        amount: [("cpu".to_owned(), 4000 + dice.int(40) * 1000)].into(),
                    }]
                }),
                headroom_percent: u8::try_from(dice.below(40)).unwrap(),
                regions: if dice.one_in(3) { dice.some(&["53", "5329", "320000"], 2) } else { BTreeSet::new() },
                zones: if dice.one_in(3) { dice.some(&ZONES[..3], 2) } else { BTreeSet::new() },
                providers: if dice.one_in(4) { dice.some(&PROVIDERS[..3], 2) } else { BTreeSet::new() },
                tier: dice.one_in(4).then(|| dice.pick(&["s1", "s2", "s9"]).to_owned()),
                clusters: BTreeSet::new(),
            })
            .collect(),
        tiers: tiers(dice),
        freezes: if dice.one_in(4) {
            vec![FreezeInput {
                name: "封网".into(),
                term: term(dice),
                clusters: Some(affinity(dice)),
                tenants: dice.some(&TENANTS, 1),
            }]
        } else {
            vec![]
        },
        catalogue: catalogue(),
        ..FleetInput::default()
    }
}

/// One platform whose performance is declared, one whose is not.
fn catalogue() -> Catalogue {
    let platform = |id: &str, arch: Arch, perf: Option<i64>| Platform {
        id: id.to_owned(),
        vendor: id.to_owned(),
        arch,
        level: None,
        features: BTreeSet::new(),
        absent: BTreeSet::new(),
        page_hints: Vec::new(),
        aarch32: Answer::Unknown,
        world: None,
        tee_possible: BTreeSet::new(),
        threads_per_core: None,
        per_cpu_perf: perf.map(PerMille),
        detect: Vec::new(),
    };
    let platforms = vec![
        platform("kunpeng-920", Arch::Arm64, Some(700)),
        platform("hygon-7285", Arch::Amd64, Some(1300)),
        platform("3c6000", Arch::Loong64, None),
    ];
    Catalogue { platforms, ..Catalogue::default() }
}
