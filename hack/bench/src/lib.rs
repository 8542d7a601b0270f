//! Fleets and workloads made from a seed, for the figures that need no problem file: the same numbers everywhere.
//!
//! Nothing is decided here. The binaries say what they measure; problems of the placement format are `problem`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiuzhou_engine::decide::affinity::{Affinity, Expression, Operator, Taint, TaintEffect};
use jiuzhou_engine::decide::input::{ClusterInput, NodeShapeInput, PoolInput};
use jiuzhou_engine::decide::resources::{CPU, MEMORY, PODS};
use jiuzhou_engine::decide::{Division, PodInput, Policy, Requirement, Spec, Spread, SpreadKey, WorkloadKey};
use jiuzhou_engine::detect::{Arch, PoolFacts};

/// xorshift64*.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// Numbers of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..8).for_each(|_| _ = dice.below(2));
        dice
    }

    /// Below `n`, which is not 0.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    /// Both ends included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// Below `n`, as amounts are.
    pub fn int(&mut self, n: u64) -> i64 {
        i64::try_from(self.below(n)).unwrap_or(0)
    }
}

/// Clusters with so many pools each, of two node shapes; 31 regions, 6 providers, a tenth tainted.
#[must_use]
pub fn clusters(seed: u64, many: u64, pools: u64) -> Vec<ClusterInput> {
    let mut dice = Dice::new(seed);
    (0..many).map(|n| cluster(&mut dice, n, pools)).collect()
}

fn cluster(dice: &mut Dice, n: u64, pools: u64) -> ClusterInput {
    let arch = [Arch::Amd64, Arch::Arm64, Arch::Loong64];
    let free = |dice: &mut Dice| {
        BTreeMap::from([
            (CPU.to_owned(), 4_000 + dice.int(120) * 500),
            (MEMORY.to_owned(), (8 + dice.int(240)) << 30),
            (PODS.to_owned(), 20 + dice.int(90)),
        ])
    };
    let pool = |dice: &mut Dice, at: u64| PoolInput {
        name: format!("pool-{at}"),
        zone: "gov-extranet".to_owned(),
        facts: PoolFacts::unknown(arch[usize::try_from(dice.below(3)).unwrap_or(0)].clone()),
        labels: BTreeMap::new(),
        taints: BTreeSet::new(),
        shapes: (0..2).map(|_| NodeShapeInput { count: 2 + dice.int(20), free: free(dice) }).collect(),
        unschedulable: Vec::new(),
        cpu_normalised: false,
    };
    let tainted = dice.below(10) == 0;
    ClusterInput {
        name: format!("cluster-{n:05}"),
        region: format!("{:02}0000", 11 + dice.below(31)),
        provider: format!("provider-{}", dice.below(6)),
        labels: BTreeMap::from([
            ("tier".to_owned(), format!("t{}", dice.below(4))),
            ("ring".to_owned(), format!("r{}", dice.below(8))),
            ("serial".to_owned(), n.to_string()),
        ]),
        taints: tainted
            .then(|| Taint { key: "drill".to_owned(), value: String::new(), effect: TaintEffect::NoSchedule })
            .into_iter()
            .collect(),
        pools: (0..pools).map(|at| pool(dice, at)).collect(),
        ..ClusterInput::default()
    }
}

/// Workload `n` of a seed: a selector of its own where `distinct`, one of 16 shapes, half of them spread over regions.
#[must_use]
pub fn spec(seed: u64, n: u64, distinct: bool) -> Spec {
    let mut dice = Dice::new(seed ^ n.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let list = |key: &str, operator, values: Vec<String>| Expression { key: key.to_owned(), operator, values };
    let tiers: Vec<String> = (0..2).map(|_| format!("t{}", dice.below(4))).collect();
    let mut expressions = vec![list("tier", Operator::In, tiers)];
    if distinct {
        expressions.push(list("serial", Operator::NotIn, vec![n.to_string()]));
    }
    let size = 1 + dice.int(16);
    let request = BTreeMap::from([(CPU.to_owned(), 100 * size), (MEMORY.to_owned(), size << 26)]);
    let spread = Spread { key: SpreadKey::Region, min_groups: 2, max_groups: Some(5), min_replicas: 1, required: true };
    Spec {
        key: WorkloadKey::new("bench", &format!("app-{n:06}")),
        admitted: n,
        requirement: Arc::new(Requirement {
            affinity: Affinity { expressions, ..Affinity::default() },
            ..Requirement::default()
        }),
        policy: Arc::new(Policy {
            division: Division::ByCapacity,
            spread: if dice.below(2) == 0 { vec![spread] } else { Vec::new() },
            ..Policy::default()
        }),
        replicas: 2 + dice.int(9),
        pods: vec![PodInput { request, count: 1, ..PodInput::default() }],
        ..Spec::default()
    }
}

/// The most memory this process ever had, from `/proc`; 0 where there is none.
#[must_use]
pub fn peak_rss() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
