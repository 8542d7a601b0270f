//! The way back from what an inspection found to the `ImageProfile` that is committed: the reading of it stands in
//! `convert::images`.
//!
//! Only what was found is written: a need nobody knows stays absent, and the entry's own provenance says whether its
//! silence means anything.

use jiuzhou_api::text::{Date, ImageDigest, ImageReference, Title, Token};
use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::detect::{Execution, Fact, ImageEntry, LibcFamily, NeedField, Provenance, World};
use jiuzhou_engine::terms::Digest;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// An image and its platforms, as an inspection saw them.
#[derive(Clone, Debug)]
pub struct Described {
    /// Host and path.
    pub image: String,
    /// Tags it was seen under.
    pub tags: Vec<String>,
    /// Digest of the index or manifest.
    pub digest: Digest,
    /// Platforms: what the engine is told, `os.version`, how each need is known.
    pub entries: Vec<(ImageEntry, String, Vec<Fact>)>,
    /// The Beijing day of the inspection.
    pub on: String,
}

/// Most entries and tags of one profile, as its schema has it.
const ENTRIES: usize = 64;
const TAGS: usize = 32;
/// Longest source of a fact.
const SOURCE: usize = 120;

/// The profile, and how many entries did not fit into it.
#[must_use]
pub fn image_profile(described: &Described) -> (api::ImageProfile, usize) {
    let Described { image, tags, digest, entries, on } = described;
    let digest = digest.to_string();
    let spec = api::ImageProfileSpec {
        image: ImageReference::from(image.as_str()),
        tags: tags.iter().take(TAGS).map(|tag| Token::from(tag.as_str())).collect(),
        digest: ImageDigest::from(digest.as_str()),
        entries: entries.iter().take(ENTRIES).map(|entry| self::entry(entry, on)).collect(),
    };
    let metadata = ObjectMeta { name: Some(name(image, &digest)), ..ObjectMeta::default() };
    let profile = api::ImageProfile { metadata, spec, status: None };
    (profile, entries.len().saturating_sub(ENTRIES))
}

/// `web-0123456789ab`: the last part of the path with the head of the digest, so that two images never share one.
fn name(image: &str, digest: &str) -> String {
    let last = image.rsplit('/').next().unwrap_or(image);
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let label: String = last.chars().map(|c| if fits(c) { c } else { '-' }).take(40).collect();
    let head: String = digest.chars().skip_while(|c| *c != ':').skip(1).take(12).collect();
    format!("{}-{head}", label.trim_matches('-')).trim_matches('-').to_owned()
}

fn entry((entry, os_version, facts): &(ImageEntry, String, Vec<Fact>), on: &str) -> api::ImageEntry {
    let needs = &entry.needs;
    let some = |text: &str| (!text.is_empty()).then(|| Token::from(text));
    let known = |need: NeedField| facts.iter().any(|fact| fact.need == need && fact.provenance != Provenance::None);
    api::ImageEntry {
        digest: entry.digest.as_ref().map(|digest| ImageDigest::from(digest.to_string())),
        os: Token::from(if entry.platform.os.is_empty() { "linux" } else { &entry.platform.os }),
        architecture: Token::from(entry.platform.architecture.as_str()),
        variant: some(&entry.platform.variant),
        os_version: some(os_version),
        os_features: entry.platform.os_features.iter().map(|feature| Token::from(feature.as_str())).collect(),
        needs: api::ImageNeeds {
            level: needs.level.map(|level| Token::from(level.to_string())),
            features: needs.features.iter().map(|feature| Token::from(feature.as_str())).collect(),
            max_page_size_kib: needs.max_page_size_ki.and_then(|ki| i32::try_from(ki).ok()),
            abi_world: needs.world.map(|world| match world {
                World::Old => api::AbiWorld::Old,
                World::New => api::AbiWorld::New,
            }),
            aarch32: known(NeedField::Aarch32).then_some(needs.aarch32),
            kernel_min: needs.kernel_min.map(|kernel| Token::from(kernel.to_string())),
            libc: needs.libc.map(|libc| api::Libc {
                family: Token::from(match libc.family {
                    LibcFamily::Glibc => "glibc",
                    LibcFamily::Musl => "musl",
                }),
                min: Some(Token::from(libc.version.to_string())),
            }),
            execution: known(NeedField::Execution).then_some(match needs.execution {
                Execution::Native => api::Execution::Native,
                Execution::Interpreted => api::Execution::Interpreted,
                Execution::StaticGo => api::Execution::StaticGo,
            }),
            ..api::ImageNeeds::default()
        },
        provenance: provenance(entry.provenance),
        facts: facts.iter().filter(|fact| said(fact, entry)).map(|fact| source(fact, on)).collect(),
    }
}

/// A fact belongs into the profile when its value does: what the variant declares stands in the variant.
fn said(fact: &Fact, entry: &ImageEntry) -> bool {
    match (fact.provenance, fact.need) {
        (Provenance::None | Provenance::Declared, _) => false,
        (_, NeedField::Features) => !entry.needs.features.is_empty(),
        _ => true,
    }
}

fn source(fact: &Fact, on: &str) -> api::FactSource {
    let shown: String = fact.source.chars().take(SOURCE).collect();
    api::FactSource {
        need: match fact.need {
            NeedField::Level => api::NeedField::Level,
            NeedField::Features => api::NeedField::Features,
            NeedField::MaxPageSize => api::NeedField::MaxPageSize,
            NeedField::AbiWorld => api::NeedField::AbiWorld,
            NeedField::Aarch32 => api::NeedField::Aarch32,
            NeedField::KernelMin => api::NeedField::KernelMin,
            NeedField::Libc => api::NeedField::Libc,
            NeedField::Execution => api::NeedField::Execution,
        },
        provenance: provenance(fact.provenance),
        source: (!shown.is_empty()).then(|| Title::from(shown)),
        recorded_on: Some(Date::from(on)),
    }
}

fn provenance(word: Provenance) -> api::Provenance {
    match word {
        Provenance::None => api::Provenance::None,
        Provenance::Inferred => api::Provenance::Inferred,
        Provenance::Declared => api::Provenance::Declared,
        Provenance::NfdArtifact => api::Provenance::NfdArtifact,
        Provenance::Inspected => api::Provenance::Inspected,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiuzhou_engine::detect::{KernelVersion, Level, Libc, Needs, OciPlatform};

    use super::*;
    use crate::{Options, load_texts};

    fn fact(need: NeedField, provenance: Provenance) -> Fact {
        Fact { need, provenance, source: "/usr/bin/门户".to_owned() }
    }

    fn described(level: Option<Level>, provenance: Provenance) -> Described {
        let needs = Needs {
            level,
            max_page_size_ki: Some(4),
            world: Some(World::Old),
            kernel_min: Some(KernelVersion(4, 15, 0)),
            libc: Some(Libc { family: LibcFamily::Glibc, version: KernelVersion(2, 28, 0) }),
            ..Needs::default()
        };
        let platform = OciPlatform::new("linux", "arm64", "v8");
        let entry = ImageEntry { digest: Some(Digest::sha256(b"m")), platform, needs, provenance };
        let facts = vec![
            fact(NeedField::MaxPageSize, Provenance::Inspected),
            fact(NeedField::Execution, Provenance::Inspected),
            fact(NeedField::Level, if level.is_some() { Provenance::Inspected } else { Provenance::None }),
        ];
        Described {
            image: "registry.gov.example/app/Web_1".to_lowercase(),
            tags: vec!["1.0".to_owned()],
            digest: Digest::sha256(b"i"),
            entries: vec![(entry, String::new(), facts)],
            on: "2026-11-26".to_owned(),
        }
    }

    /// What is written passes the schema and is read back as the needs that were found.
    #[test]
    fn a_profile_is_read_back_as_it_was_found() {
        for level in [None, Some(Level::Arm(8, 1))] {
            let provenance = if level.is_some() { Provenance::Inspected } else { Provenance::None };
            let described = described(level, provenance);
            let (profile, left) = image_profile(&described);
            assert_eq!(left, 0);
            let text = serde_json::to_string(&profile).unwrap();
            let workload = r#"{"apiVersion":"jiuzhou.dev/v1alpha1","kind":"FleetWorkload","metadata":{"name":"w","namespace":"n"},
                "spec":{"objects":[{"name":"d","manifest":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},
                "spec":{"template":{"spec":{"containers":[{"name":"c","image":"registry.gov.example/app/web_1:1.0"}]}}}}}]}}"#;
            let texts = [("p.yaml".to_owned(), text.as_bytes()), ("w.json".to_owned(), workload.as_bytes())];
            let as_of: Timestamp = "2026-11-27T00:00:00Z".parse().unwrap();
            let fleet = load_texts(&texts, &Options::at(as_of)).unwrap();
            let about: Vec<_> =
                fleet.findings.iter().filter(|f| f.place.as_ref().is_some_and(|p| p.file == "p.yaml")).collect();
            assert!(about.is_empty(), "{about:?}");
            let item = fleet.objects.images.values().next().unwrap();
            assert_eq!(item.object.spec, profile.spec);
            assert!(profile.metadata.name.unwrap().starts_with("web-1-"));
        }
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut described = described(None, Provenance::None);
        let one = described.entries[0].clone();
        described.entries = vec![one; ENTRIES + 3];
        assert_eq!(image_profile(&described).1, 3);
    }
}
