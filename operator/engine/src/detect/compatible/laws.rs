//! Laws of the exact rule, over random images, needs and pools.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::fixture::{POOLS, pool};
use super::super::{
    AcceleratorNeed, Execution, ImageEntry, KernelVersion, Level, Needs, OciPlatform, Policy, PoolFacts, Provenance,
    Selection, Tee, World, compatible,
};

const FEATURES: [&str; 8] = ["atomics", "lrcpc", "sm3", "jscvt", "avx2", "aes", "bf16", "unheard-of"];

fn any_features() -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set(prop::sample::select(FEATURES.to_vec()).prop_map(str::to_owned), 0..3)
}

fn any_needs() -> impl Strategy<Value = Needs> {
    let levels = vec![None, Some(Level::Arm(8, 0)), Some(Level::Arm(8, 2)), Some(Level::X86(2)), Some(Level::X86(3))];
    let pages = vec![None, Some(4), Some(16), Some(64)];
    let worlds = vec![None, Some(World::Old), Some(World::New)];
    let kernels = vec![None, Some(KernelVersion(4, 19, 0)), Some(KernelVersion(5, 10, 0))];
    let tees = vec![BTreeSet::new(), BTreeSet::from([Tee::Csv])];
    (
        prop::sample::select(levels),
        any_features(),
        prop::sample::select(pages),
        prop::sample::select(worlds),
        prop::sample::select(kernels),
        prop::sample::select(tees),
        any::<bool>(),
        prop::sample::select(vec![Execution::Native, Execution::StaticGo]),
    )
        .prop_map(|(level, features, max_page_size_ki, world, kernel_min, tee, aarch32, execution)| Needs {
            level,
            features,
            max_page_size_ki,
            world,
            kernel_min,
            tee,
            aarch32,
            execution,
            ..Needs::default()
        })
}

fn any_entry() -> impl Strategy<Value = ImageEntry> {
    let platforms = vec![
        "amd64",
        "amd64/v2",
        "amd64/v3",
        "arm64",
        "arm64/v8",
        "arm64/v8.2",
        "arm/v7",
        "386",
        "loong64",
        "sw64",
        "arm64/v8.10",
    ];
    let provenance = vec![Provenance::None, Provenance::Declared, Provenance::Inferred];
    (prop::sample::select(platforms), any_needs(), prop::sample::select(provenance)).prop_map(
        |(platform, needs, provenance)| ImageEntry {
            digest: None,
            platform: OciPlatform::parse(&format!("linux/{platform}")),
            needs,
            provenance,
        },
    )
}

fn any_pool() -> impl Strategy<Value = PoolFacts> {
    let selections =
        vec![Selection::Stock, Selection::MaxNative, Selection::DeclaredVariant(Level::Arm(8, 2)), Selection::Pinned];
    (prop::sample::select(POOLS.to_vec()), prop::sample::select(selections)).prop_map(|(name, selection)| {
        let mut facts = pool(name);
        facts.runtime.selection = selection;
        facts
    })
}

/// One step stricter in one field.
fn raise(needs: &Needs, how: u8) -> Needs {
    let mut raised = needs.clone();
    match how % 7 {
        0 => raised.features.extend(["atomics".to_owned(), "avx2".to_owned()]),
        1 => {
            raised.level = match needs.level {
                None => Some(Level::Arm(8, 2)),
                Some(Level::Arm(8, minor)) => Some(Level::Arm(8, minor.saturating_add(1).min(9))),
                Some(Level::X86(n)) => Some(Level::X86(n.saturating_add(1).min(4))),
                other => other,
            }
        }
        2 => raised.max_page_size_ki = needs.max_page_size_ki.map_or(Some(64), |most| Some((most / 4).max(4))),
        3 => raised.kernel_min = Some(KernelVersion(6, 12, 0)),
        4 if needs.tee.is_empty() => raised.tee = [Tee::TrustZone].into(),
        5 => raised.aarch32 = true,
        _ => drop(raised.accelerators.insert(AcceleratorNeed { class: "a.b/c".to_owned(), count: 1 })),
    }
    raised
}

proptest! {
    #[test]
    fn a_new_feature_never_worsens_a_verdict(
        entries in prop::collection::vec(any_entry(), 0..4),
        needs in any_needs(),
        facts in any_pool(),
        feature in prop::sample::select(FEATURES.to_vec()),
    ) {
        let policy = Policy::default();
        let before = compatible(&entries, &needs, &facts, &policy);
        let mut richer = facts;
        richer.features.insert(feature.to_owned());
        richer.absent.remove(feature);
        let after = compatible(&entries, &needs, &richer, &policy);
        prop_assert!(after.outcome <= before.outcome, "{:?} became {:?}", before, after);
    }

    #[test]
    fn raising_the_needs_of_the_workload_never_improves_a_verdict(
        entries in prop::collection::vec(any_entry(), 0..4),
        needs in any_needs(),
        facts in any_pool(),
        how in any::<u8>(),
    ) {
        let policy = Policy::default();
        let before = compatible(&entries, &needs, &facts, &policy);
        let after = compatible(&entries, &raise(&needs, how), &facts, &policy);
        prop_assert!(after.outcome >= before.outcome, "{:?} became {:?}", before, after);
    }

    #[test]
    fn raising_a_declared_need_of_the_image_never_improves_a_verdict(
        entry in any_entry(),
        facts in any_pool(),
        how in any::<u8>(),
    ) {
        let mut declared = entry;
        declared.provenance = Provenance::Declared;
        declared.needs.level = declared.needs.level.or(Level::lowest(&facts.arch));
        declared.needs.max_page_size_ki = declared.needs.max_page_size_ki.or(Some(64));
        let mut raised = declared.clone();
        raised.needs = raise(&declared.needs, how);
        let policy = Policy::default();
        let before = compatible(&[declared], &Needs::default(), &facts, &policy);
        let after = compatible(&[raised], &Needs::default(), &facts, &policy);
        prop_assert!(after.outcome >= before.outcome, "{:?} became {:?}", before, after);
    }

    #[test]
    fn the_order_of_entries_matters_only_between_equal_platforms(
        entries in prop::collection::vec(any_entry(), 0..5),
        needs in any_needs(),
        facts in any_pool(),
    ) {
        let mut distinct: Vec<ImageEntry> = Vec::new();
        for entry in entries {
            if distinct.iter().all(|other| other.platform.normalise() != entry.platform.normalise()) {
                distinct.push(entry);
            }
        }
        let policy = Policy::default();
        let forward = compatible(&distinct, &needs, &facts, &policy);
        let picked = forward.entry.map(|index| distinct[index].platform.normalise());
        distinct.reverse();
        let backward = compatible(&distinct, &needs, &facts, &policy);
        prop_assert_eq!(forward.outcome, backward.outcome);
        prop_assert_eq!(picked, backward.entry.map(|index| distinct[index].platform.normalise()));
    }

    #[test]
    fn strictness_changes_admission_only(
        entries in prop::collection::vec(any_entry(), 0..4),
        needs in any_needs(),
        facts in any_pool(),
    ) {
        let lax = compatible(&entries, &needs, &facts, &Policy::default());
        let strict = compatible(&entries, &needs, &facts, &Policy { strict: true, ..Policy::default() });
        prop_assert!(lax.admitted || !strict.admitted);
        prop_assert_eq!(lax.judgements, strict.judgements);
    }
}
