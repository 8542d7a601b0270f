//! Built-in data: tables and documents as files, compiled into the binary.
//!
//! No logic: readers parse the text. A table (`tables/*.tsv`) opens with `#` lines that say what it is and where it is
//! from, then one line of column names, then rows; every row ends in source, date and confidence. Confidence is
//! `certain` (read at the source), `secondary` (read in a copy), `derived` (computed or grouped by us), `memory` or
//! `unverified`. Documents (`cpu-platforms/`, `kinds/`, `tiers/`) are resources of our own kinds, which a user's own of the same name
//! replace. [`ALL`] lists every text; its names and texts are part of every snapshot digest. [`INDEX`] lists tables that
//! only reports read (`index/`): no decision depends on them, so they are no part of it.

/// A built-in text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// File name below this room, e.g. `tables/provinces.tsv`; places in findings say `builtin:NAME`.
    pub name: &'static str,
    /// The whole file.
    pub text: &'static str,
    /// Where it is from, in a few words.
    pub source: &'static str,
}

macro_rules! tables {
    ($all:ident: $($(#[$doc:meta])* $name:ident = $file:literal, $source:literal;)*) => {
        $($(#[$doc])* pub const $name: Table =
            Table { name: $file, text: include_str!(concat!("../", $file)), source: $source };)*

        /// The built-in texts of this list in order of file name.
        pub const $all: &[Table] = &[$($name,)*];
    };
}

tables! { ALL:
    /// CPU platform armv8.0.
    CPU_ARMV8_0 = "cpu-platforms/armv8.0.yaml", "the sources named in the file";
    /// CPU platform armv8.2.
    CPU_ARMV8_2 = "cpu-platforms/armv8.2.yaml", "the sources named in the file";
    /// CPU platform armv9.0.
    CPU_ARMV9_0 = "cpu-platforms/armv9.0.yaml", "the sources named in the file";
    /// CPU platform hygon-7000.
    CPU_HYGON_7000 = "cpu-platforms/hygon-7000.yaml", "the sources named in the file";
    /// CPU platform hygon-c86.
    CPU_HYGON_C86 = "cpu-platforms/hygon-c86.yaml", "the sources named in the file";
    /// CPU platform kunpeng-920-v120.
    CPU_KUNPENG_920_V120 = "cpu-platforms/kunpeng-920-v120.yaml", "the sources named in the file";
    /// CPU platform kunpeng-920.
    CPU_KUNPENG_920 = "cpu-platforms/kunpeng-920.yaml", "the sources named in the file";
    /// CPU platform kunpeng-950.
    CPU_KUNPENG_950 = "cpu-platforms/kunpeng-950.yaml", "the sources named in the file";
    /// CPU platform loongson-3c5000.
    CPU_LOONGSON_3C5000 = "cpu-platforms/loongson-3c5000.yaml", "the sources named in the file";
    /// CPU platform loongson-3c6000.
    CPU_LOONGSON_3C6000 = "cpu-platforms/loongson-3c6000.yaml", "the sources named in the file";
    /// CPU platform loongson-generic.
    CPU_LOONGSON_GENERIC = "cpu-platforms/loongson-generic.yaml", "the sources named in the file";
    /// CPU platform phytium-ft2000plus.
    CPU_PHYTIUM_FT2000PLUS = "cpu-platforms/phytium-ft2000plus.yaml", "the sources named in the file";
    /// CPU platform phytium-ftc663.
    CPU_PHYTIUM_FTC663 = "cpu-platforms/phytium-ftc663.yaml", "the sources named in the file";
    /// CPU platform phytium-ftc862.
    CPU_PHYTIUM_FTC862 = "cpu-platforms/phytium-ftc862.yaml", "the sources named in the file";
    /// CPU platform phytium-s2500.
    CPU_PHYTIUM_S2500 = "cpu-platforms/phytium-s2500.yaml", "the sources named in the file";
    /// CPU platform phytium-s5000c.
    CPU_PHYTIUM_S5000C = "cpu-platforms/phytium-s5000c.yaml", "the sources named in the file";
    /// CPU platform sunway-sw64.
    CPU_SUNWAY_SW64 = "cpu-platforms/sunway-sw64.yaml", "the sources named in the file";
    /// CPU platform x86-64-v2.
    CPU_X86_64_V2 = "cpu-platforms/x86-64-v2.yaml", "the sources named in the file";
    /// CPU platform x86-64-v3.
    CPU_X86_64_V3 = "cpu-platforms/x86-64-v3.yaml", "the sources named in the file";
    /// CPU platform x86-64-v4.
    CPU_X86_64_V4 = "cpu-platforms/x86-64-v4.yaml", "the sources named in the file";
    /// CPU platform zhaoxin-kh40000.
    CPU_ZHAOXIN_KH40000 = "cpu-platforms/zhaoxin-kh40000.yaml", "the sources named in the file";
    /// CPU platform zhaoxin-kx6000.
    CPU_ZHAOXIN_KX6000 = "cpu-platforms/zhaoxin-kx6000.yaml", "the sources named in the file";
    /// Kind profiles of services, configuration, storage, policy and rights.
    KINDS_PLATFORM = "kinds/platform.yaml", "Kubernetes API reference v1.33";
    /// Kind profiles of popular custom resources.
    KINDS_POPULAR = "kinds/popular.yaml", "Gateway API, Argo Rollouts, OpenKruise type definitions";
    /// Kind profiles of workloads.
    KINDS_WORKLOADS = "kinds/workloads.yaml", "Kubernetes API reference v1.33";
    /// Portable accelerator class to resource names.
    ACCELERATOR_CLASSES = "tables/accelerator-classes.tsv", "grouping of accelerators.tsv";
    /// Accelerators: resource names, PCI vendor, memory.
    ACCELERATORS = "tables/accelerators.tsv", "HAMi, Volcano, MindCluster, Koordinator";
    /// GB/T 2260, county level, all provinces.
    COUNTIES = "tables/counties.tsv", "china-division 2.7.0 (statistics bureau, 2023-06-30)";
    /// Thermal design power per socket.
    CPU_POWER = "tables/cpu-power.tsv", "vendor pages, press, Boavizta";
    /// Data class to lowest tier.
    DATA_CLASSES = "tables/data-classes.tsv", "GB/T 43697-2024 and the project's proposal";
    /// Limits on PUE, REF, WUE, rack occupancy.
    EFFICIENCY_LIMITS = "tables/efficiency-limits.tsv", "GB 40879-2021, 财库〔2023〕7号, hub approvals";
    /// Terms in both languages.
    GLOSSARY = "tables/glossary.tsv", "words of the project";
    /// Emission factors of electricity.
    GRID_FACTORS = "tables/grid-factors.tsv", "bulletins of the Ministry of Ecology and Environment";
    /// Members of the regional grids.
    GRID_REGIONS = "tables/grid-regions.tsv", "general knowledge";
    /// Coefficients of the Boavizta curve.
    POWER_CURVES = "tables/power-curves.tsv", "Boavizta API";
    /// Coefficients of power and embodied carbon models.
    POWER_DEFAULTS = "tables/power-defaults.tsv", "Impact Framework, Cloud Carbon Footprint, SPECpower";
    /// GB/T 2260, prefecture level.
    PREFECTURES = "tables/prefectures.tsv", "china-division 2.7.0 (statistics bureau, 2023-06-30)";
    /// GB/T 2260, provinces.
    PROVINCES = "tables/provinces.tsv", "cn/GB2260 2019-04";
    /// Published figures for comparison.
    REFERENCE_FIGURES = "tables/reference-figures.tsv", "IDC China and China Electronics Cloud, 2023";
    /// Measured power of whole servers.
    SERVER_POWER = "tables/server-power.tsv", "SPECpower_ssj2008, Cloud Carbon Footprint";
    /// How long things are valid.
    TERMS = "tables/terms.tsv", "trading rules, assessment notices";
    /// Power of one vCPU.
    VCPU_POWER = "tables/vcpu-power.tsv", "Cloud Carbon Footprint";
    /// Coded vocabularies with Chinese names.
    VOCABULARIES = "tables/vocabularies.tsv", "IDC China and China Electronics Cloud, 2023";
    /// Sovereignty tier S0.
    TIER_S0 = "tiers/s0.yaml", "the project's proposal on the white paper's figure 23";
    /// Sovereignty tier S1.
    TIER_S1 = "tiers/s1.yaml", "the project's proposal on the white paper's figure 23";
    /// Sovereignty tier S2.
    TIER_S2 = "tiers/s2.yaml", "the project's proposal on the white paper's figure 23";
    /// Sovereignty tier S3.
    TIER_S3 = "tiers/s3.yaml", "the project's proposal on the white paper's figure 23";
    /// Sovereignty tier S4.
    TIER_S4 = "tiers/s4.yaml", "the project's proposal on the white paper's figure 23";
}

tables! { INDEX:
    /// Dimensions of the evaluation index.
    ASSESSMENT_DIMENSIONS = "index/assessment-dimensions.tsv", "IDC China and China Electronics Cloud, 2023";
    /// Items of the evaluation index.
    ASSESSMENT_ITEMS = "index/assessment-items.tsv", "IDC China and China Electronics Cloud, 2023";
}

/// Documents of kind `SovereigntyTier`, by rank.
pub const TIERS: &[Table] = &[TIER_S0, TIER_S1, TIER_S2, TIER_S3, TIER_S4];

/// Documents of kind `KindProfile`, several to a text.
pub const KIND_PROFILES: &[Table] = &[KINDS_WORKLOADS, KINDS_PLATFORM, KINDS_POPULAR];

/// Documents of kind `CpuPlatform`, one to a text.
pub const CPU_PLATFORMS: &[Table] = &[
    CPU_ARMV8_0,
    CPU_ARMV8_2,
    CPU_ARMV9_0,
    CPU_HYGON_7000,
    CPU_HYGON_C86,
    CPU_KUNPENG_920_V120,
    CPU_KUNPENG_920,
    CPU_KUNPENG_950,
    CPU_LOONGSON_3C5000,
    CPU_LOONGSON_3C6000,
    CPU_LOONGSON_GENERIC,
    CPU_PHYTIUM_FT2000PLUS,
    CPU_PHYTIUM_FTC663,
    CPU_PHYTIUM_FTC862,
    CPU_PHYTIUM_S2500,
    CPU_PHYTIUM_S5000C,
    CPU_SUNWAY_SW64,
    CPU_X86_64_V2,
    CPU_X86_64_V3,
    CPU_X86_64_V4,
    CPU_ZHAOXIN_KH40000,
    CPU_ZHAOXIN_KX6000,
];
