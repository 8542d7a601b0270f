//! Names of node labels that detection reads: the administrator's own under `chips.jiuzhou.dev/`, and those of others.
//!
//! An administrator's label beats everything a tool found out; it is the way to state what no tool can see (ABI world,
//! TEE, emulator, runtime configuration).

/// Platform id of the catalogue.
pub const PLATFORM: &str = "chips.jiuzhou.dev/platform";
/// Kernel page size in KiB: `4`, `16`, `64`.
pub const PAGE_SIZE_KI: &str = "chips.jiuzhou.dev/page-size-ki";
/// LoongArch ABI world: `old`, `new`.
pub const ABI_WORLD: &str = "chips.jiuzhou.dev/abi-world";
/// Whether 32-bit Arm programs run: `yes`, `no`.
pub const AARCH32: &str = "chips.jiuzhou.dev/aarch32";
/// Prefix of one label per usable TEE: `chips.jiuzhou.dev/tee.csv=true`.
pub const TEE_PREFIX: &str = "chips.jiuzhou.dev/tee.";
/// Prefix of one label per installed emulator: `chips.jiuzhou.dev/emulator.exagear=true`.
pub const EMULATOR_PREFIX: &str = "chips.jiuzhou.dev/emulator.";
/// `stock`, `max-native`, `declared-variant`, `pinned`.
pub const RUNTIME_SELECTION: &str = "chips.jiuzhou.dev/runtime-selection";
/// The level that a declared variant means, e.g. `armv8.2`.
pub const RUNTIME_VARIANT: &str = "chips.jiuzhou.dev/runtime-variant";
/// libLoL is installed: old-world LoongArch programs run on a new-world kernel.
pub const LIBLOL: &str = "chips.jiuzhou.dev/liblol";

/// Well-known Kubernetes label of the architecture.
pub const ARCH: &str = "kubernetes.io/arch";
/// Well-known Kubernetes label of the operating system.
pub const OS: &str = "kubernetes.io/os";
/// Well-known Kubernetes label of the cloud's machine type.
pub const INSTANCE_TYPE: &str = "node.kubernetes.io/instance-type";

/// Everything Node Feature Discovery writes.
pub const NFD: &str = "feature.node.kubernetes.io/";
/// Prefix of NFD's CPU flags; value `true`.
pub const NFD_FLAG: &str = "feature.node.kubernetes.io/cpu-cpuid.";
/// NFD's kernel build options; value `true` (`worker.sources.kernel.configOpts`).
pub const NFD_KERNEL_CONFIG: &str = "feature.node.kubernetes.io/kernel-config.";
/// NFD's security features of the CPU.
pub const NFD_SECURITY: &str = "feature.node.kubernetes.io/cpu-security.";
/// Koordinator's ratio of CPU normalisation, two decimals.
pub const KOORDINATOR_RATIO: &str = "node.koordinator.sh/cpu-normalization-ratio";
/// Prefix of all labels of an administrator about CPUs.
pub const CHIPS: &str = "chips.jiuzhou.dev/";
/// Network zone a node stands in, set by whoever runs the cluster.
pub const ZONE: &str = "jiuzhou.dev/zone";
/// The kubelet's older names of [`ARCH`] and [`OS`].
pub const BETA: [&str; 2] = ["beta.kubernetes.io/arch", "beta.kubernetes.io/os"];
