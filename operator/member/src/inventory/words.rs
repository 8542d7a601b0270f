//! Words of detection as words of the resources, and texts of a member as texts the hub's schema takes.

use std::collections::BTreeSet;

use jiuzhou_api::text::Title;
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::detect;

pub(super) fn confidence(word: detect::Confidence) -> api::Confidence {
    match word {
        detect::Confidence::Unknown | detect::Confidence::Guess => api::Confidence::Guess,
        detect::Confidence::Probable => api::Confidence::Probable,
        detect::Confidence::Certain => api::Confidence::Certain,
    }
}

pub(super) fn architecture(word: &detect::Arch) -> Option<api::Architecture> {
    Some(match word {
        detect::Arch::Amd64 => api::Architecture::Amd64,
        detect::Arch::Arm64 => api::Architecture::Arm64,
        detect::Arch::Loong64 => api::Architecture::Loong64,
        detect::Arch::Sw64 => api::Architecture::Sw64,
        detect::Arch::Riscv64 => api::Architecture::Riscv64,
        detect::Arch::Other(name) => match name.as_str() {
            "386" => api::Architecture::I386,
            "arm" => api::Architecture::Arm,
            _ => return None,
        },
    })
}

pub(super) fn world(word: Option<detect::World>, arch: &detect::Arch) -> api::AbiWorld {
    match word {
        Some(detect::World::New) => api::AbiWorld::New,
        Some(detect::World::Old) => api::AbiWorld::Old,
        None if *arch == detect::Arch::Loong64 => api::AbiWorld::Unknown,
        None => api::AbiWorld::NotApplicable,
    }
}

pub(super) fn known(word: detect::Answer) -> api::Known {
    match word {
        detect::Answer::Yes => api::Known::Yes,
        detect::Answer::No => api::Known::No,
        detect::Answer::Unknown => api::Known::Unknown,
    }
}

pub(super) fn selection(word: detect::Selection) -> api::RuntimeSelection {
    match word {
        detect::Selection::Stock => api::RuntimeSelection::Stock,
        detect::Selection::MaxNative => api::RuntimeSelection::MaxNative,
        detect::Selection::DeclaredVariant(_) => api::RuntimeSelection::DeclaredVariant,
        detect::Selection::Pinned => api::RuntimeSelection::Pinned,
    }
}

/// The resource writes one word for the SEV family, and has none for accelerators and Arm's own realms yet.
pub(super) fn tees(words: &BTreeSet<detect::Tee>) -> Vec<api::Tee> {
    let word = |tee: &detect::Tee| match tee {
        detect::Tee::Sgx => Some(api::Tee::Sgx),
        detect::Tee::Tdx => Some(api::Tee::Tdx),
        detect::Tee::Sev | detect::Tee::SevEs | detect::Tee::SevSnp => Some(api::Tee::Sev),
        detect::Tee::Csv => Some(api::Tee::Csv),
        detect::Tee::TrustZone => Some(api::Tee::TrustZone),
        detect::Tee::VirtCca => Some(api::Tee::VirtCca),
        detect::Tee::HygonDcu | detect::Tee::Cca => None,
    };
    let words: BTreeSet<api::Tee> = words.iter().filter_map(word).collect();
    words.into_iter().collect()
}

/// Commercial cryptography that CPU features show.
pub(super) fn sm(features: &BTreeSet<String>) -> Vec<api::SmAlgorithm> {
    let all = [("sm2", api::SmAlgorithm::Sm2), ("sm3", api::SmAlgorithm::Sm3), ("sm4", api::SmAlgorithm::Sm4)];
    all.into_iter().filter(|(feature, _)| features.contains(*feature)).map(|(_, word)| word).collect()
}

pub(super) fn taint(taint: &detect::Taint) -> Option<api::NodeTaint> {
    let detect::Taint { key, value, effect } = taint;
    let effect = match effect {
        detect::TaintEffect::NoSchedule => api::TaintEffect::NoSchedule,
        detect::TaintEffect::NoExecute => api::TaintEffect::NoExecute,
        detect::TaintEffect::PreferNoSchedule => api::TaintEffect::PreferNoSchedule,
    };
    let value = (!value.is_empty()).then(|| value.as_str().into());
    (!key.is_empty()).then(|| api::NodeTaint { key: key.as_str().into(), value, effect })
}

/// A text of at most 128 characters without control characters; `None` when nothing is left.
pub(super) fn title(text: &str) -> Option<Title> {
    let text: String = text.chars().filter(|c| !c.is_control()).take(128).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.into())
}

/// A text of the form of a token; `None` when it is not.
pub(super) fn token(text: &str) -> Option<String> {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._/+:- ".contains(&byte));
    (first && rest && text.len() <= 128).then(|| text.to_owned())
}

/// Whether a text has the form of a name.
pub(super) fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| inner(*byte));
    let bytes = text.as_bytes();
    bytes.len() <= 63 && ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(|b| inner(*b) || *b == b'-')
}
