//! Words of the resources as words of the engine, one by one: a new word in either does not compile until it has its
//! place here.

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::input as engine;
use jiuzhou_engine::{decide, detect};

pub(super) fn ownership(word: api::Ownership) -> engine::Ownership {
    match word {
        api::Ownership::Government => engine::Ownership::Government,
        api::Ownership::Domestic => engine::Ownership::Domestic,
        api::Ownership::JointVenture => engine::Ownership::JointVenture,
        api::Ownership::Foreign => engine::Ownership::Foreign,
    }
}

pub(super) fn ownership_name(word: api::Ownership) -> &'static str {
    match word {
        api::Ownership::Government => "Government",
        api::Ownership::Domestic => "Domestic",
        api::Ownership::JointVenture => "JointVenture",
        api::Ownership::Foreign => "Foreign",
    }
}

pub(super) fn form_name(word: api::CloudForm) -> &'static str {
    match word {
        api::CloudForm::Public => "Public",
        api::CloudForm::Private => "Private",
        api::CloudForm::Dedicated => "Dedicated",
        api::CloudForm::Hosted => "Hosted",
    }
}

pub(super) fn place_name(word: api::PlaceKind) -> &'static str {
    match word {
        api::PlaceKind::DataCentre => "DataCentre",
        api::PlaceKind::Edge => "Edge",
    }
}

pub(super) fn brand_name(word: api::CpuBrand) -> &'static str {
    match word {
        api::CpuBrand::Kunpeng => "Kunpeng",
        api::CpuBrand::Phytium => "Phytium",
        api::CpuBrand::Hygon => "Hygon",
        api::CpuBrand::Loongson => "Loongson",
        api::CpuBrand::Zhaoxin => "Zhaoxin",
        api::CpuBrand::Sunway => "Sunway",
        api::CpuBrand::Intel => "Intel",
        api::CpuBrand::Amd => "Amd",
        api::CpuBrand::Other => "Other",
    }
}

pub(super) fn sm_name(word: api::SmAlgorithm) -> &'static str {
    match word {
        api::SmAlgorithm::Sm2 => "sm2",
        api::SmAlgorithm::Sm3 => "sm3",
        api::SmAlgorithm::Sm4 => "sm4",
    }
}

pub(super) fn data_class(word: api::DataClass) -> engine::DataClass {
    match word {
        api::DataClass::General => engine::DataClass::General,
        api::DataClass::Important => engine::DataClass::Important,
        api::DataClass::Core => engine::DataClass::Core,
    }
}

pub(crate) fn dimension(word: api::Dimension) -> engine::Dimension {
    match word {
        api::Dimension::Data => engine::Dimension::Data,
        api::Dimension::Technical => engine::Dimension::Technical,
        api::Dimension::Operational => engine::Dimension::Operational,
        api::Dimension::Availability => engine::Dimension::Availability,
        api::Dimension::SupplyChain => engine::Dimension::SupplyChain,
        api::Dimension::Geopolitical => engine::Dimension::Geopolitical,
    }
}

pub(super) fn evidence_state(word: api::EvidenceState) -> engine::EvidenceState {
    match word {
        api::EvidenceState::Unverified => engine::EvidenceState::Unverified,
        api::EvidenceState::Verified => engine::EvidenceState::Verified,
        api::EvidenceState::Rejected => engine::EvidenceState::Rejected,
        api::EvidenceState::Revoked => engine::EvidenceState::Revoked,
    }
}

/// The resource writes one word for the SEV family; the weakest member is the one that may be assumed.
pub(super) fn tee(word: api::Tee) -> detect::Tee {
    match word {
        api::Tee::Sgx => detect::Tee::Sgx,
        api::Tee::Tdx => detect::Tee::Tdx,
        api::Tee::Sev => detect::Tee::Sev,
        api::Tee::Csv => detect::Tee::Csv,
        api::Tee::VirtCca => detect::Tee::VirtCca,
        api::Tee::TrustZone => detect::Tee::TrustZone,
    }
}

pub(super) fn effect(word: api::TaintEffect) -> detect::TaintEffect {
    match word {
        api::TaintEffect::NoSchedule => detect::TaintEffect::NoSchedule,
        api::TaintEffect::PreferNoSchedule => detect::TaintEffect::PreferNoSchedule,
        api::TaintEffect::NoExecute => detect::TaintEffect::NoExecute,
    }
}

pub(super) fn arch(word: api::Architecture) -> detect::Arch {
    match word {
        api::Architecture::Amd64 => detect::Arch::Amd64,
        api::Architecture::I386 => detect::Arch::Other("386".to_owned()),
        api::Architecture::Arm64 => detect::Arch::Arm64,
        api::Architecture::Arm => detect::Arch::Other("arm".to_owned()),
        api::Architecture::Loong64 => detect::Arch::Loong64,
        api::Architecture::Sw64 => detect::Arch::Sw64,
        api::Architecture::Riscv64 => detect::Arch::Riscv64,
    }
}

/// `Any` of a node or a platform means that both kinds run: no single world, so none is stated.
pub(super) fn world(word: api::AbiWorld) -> Option<detect::World> {
    match word {
        api::AbiWorld::New => Some(detect::World::New),
        api::AbiWorld::Old => Some(detect::World::Old),
        api::AbiWorld::Unknown | api::AbiWorld::Any | api::AbiWorld::NotApplicable => None,
    }
}

pub(super) fn known(word: api::Known) -> detect::Answer {
    match word {
        api::Known::Unknown => detect::Answer::Unknown,
        api::Known::Yes => detect::Answer::Yes,
        api::Known::No => detect::Answer::No,
    }
}

pub(super) fn confidence(word: api::Confidence) -> detect::Confidence {
    match word {
        api::Confidence::Guess => detect::Confidence::Guess,
        api::Confidence::Probable => detect::Confidence::Probable,
        api::Confidence::Certain => detect::Confidence::Certain,
    }
}

/// A declared variant that is no level falls back to what stock runtimes do, which is what they would do with it.
pub(super) fn selection(word: api::RuntimeSelection, variant: Option<&str>) -> detect::Selection {
    match word {
        api::RuntimeSelection::Stock => detect::Selection::Stock,
        api::RuntimeSelection::MaxNative => detect::Selection::MaxNative,
        api::RuntimeSelection::DeclaredVariant => variant
            .and_then(|text| detect::Level::parse(&format!("arm{text}")).or_else(|| detect::Level::parse(text)))
            .map_or(detect::Selection::Stock, detect::Selection::DeclaredVariant),
        api::RuntimeSelection::Pinned => detect::Selection::Pinned,
    }
}

pub(super) fn provenance(word: api::Provenance) -> detect::Provenance {
    match word {
        api::Provenance::None => detect::Provenance::None,
        api::Provenance::Inferred => detect::Provenance::Inferred,
        api::Provenance::Declared => detect::Provenance::Declared,
        api::Provenance::NfdArtifact => detect::Provenance::NfdArtifact,
        api::Provenance::Inspected => detect::Provenance::Inspected,
    }
}

pub(super) fn execution(word: api::Execution) -> detect::Execution {
    match word {
        api::Execution::Native => detect::Execution::Native,
        api::Execution::Interpreted => detect::Execution::Interpreted,
        api::Execution::StaticGo => detect::Execution::StaticGo,
    }
}

pub(super) fn required(word: api::Strength) -> bool {
    match word {
        api::Strength::Required => true,
        api::Strength::Preferred => false,
    }
}

pub(super) fn share_of(word: api::ShareOf) -> decide::ShareOf {
    match word {
        api::ShareOf::Workload => decide::ShareOf::Workload,
        api::ShareOf::System => decide::ShareOf::System,
        api::ShareOf::Tenant => decide::ShareOf::Tenant,
        api::ShareOf::Fleet => decide::ShareOf::Fleet,
    }
}

pub(super) fn spread_key(word: api::TopologyKey, free: Option<&str>) -> decide::SpreadKey {
    use super::places::label;
    match word {
        api::TopologyKey::Cluster => decide::SpreadKey::Cluster,
        api::TopologyKey::Site => decide::SpreadKey::Site,
        api::TopologyKey::Prefecture => decide::SpreadKey::Label(label::PREFECTURE.to_owned()),
        api::TopologyKey::Province => decide::SpreadKey::Label(label::PROVINCE.to_owned()),
        api::TopologyKey::Zone => decide::SpreadKey::Label(label::ZONE.to_owned()),
        api::TopologyKey::Provider => decide::SpreadKey::Provider,
        api::TopologyKey::Platform => decide::SpreadKey::Platform,
        api::TopologyKey::Brand => decide::SpreadKey::Label(label::BRAND.to_owned()),
        api::TopologyKey::Label => decide::SpreadKey::Label(free.unwrap_or_default().to_owned()),
    }
}
