//! Everything that is shipped passes its own door and checks.

use jiuzhou_intake::objects::Objects;
use jiuzhou_intake::{Options, load};

#[test]
fn built_in_documents_raise_no_finding_but_the_empty_input() {
    let options = Options::at("2026-11-23T00:00:00Z".parse().expect("a timestamp"));
    let fleet = load(&["-".to_owned()], &mut "".as_bytes(), &options).expect("the build is sound");
    let told: Vec<String> =
        fleet.findings.iter().map(|f| format!("{} {:?} {:?}", f.reason.code, f.place, f.reason)).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    let shipped = [fleet.objects.tiers.len(), fleet.objects.kinds.len(), fleet.objects.platforms.len()];
    assert!(shipped.iter().all(|count| *count > 4), "{shipped:?}");
}

#[test]
fn every_kind_of_the_api_has_its_place() {
    let mut crds: Vec<String> = jiuzhou_api::all_crds().into_iter().map(|crd| crd.spec.names.kind).collect();
    crds.sort();
    let mut kinds: Vec<String> = Objects::KINDS.iter().map(|kind| (*kind).to_owned()).collect();
    kinds.sort();
    assert_eq!(kinds, crds);
}
