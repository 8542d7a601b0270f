//! Everything that is shipped passes its own door and checks.

use jiuzhou_engine::detect::{Confidence, PageSize, detect};
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

/// Page sizes that are usual under an operating system: by its id, from a release on, or whatever it is.
#[test]
fn likely_page_sizes_of_the_catalogue_are_taken_where_a_node_says_nothing() {
    let node = |labels: &str, arch: &str, kernel: &str| {
        format!(
            "apiVersion: v1\nkind: Node\nmetadata: {{name: n1, labels: {{{labels}}}}}\nstatus:\n  nodeInfo: \
             {{architecture: {arch}, kernelVersion: {kernel}, operatingSystem: linux}}\n"
        )
    };
    let nfd = "feature.node.kubernetes.io/cpu-model";
    let kunpeng = format!("{nfd}.vendor_id: VendorUnknown, {nfd}.id: \"53264\"");
    let page = |text: &str| {
        let options = Options::at("2026-11-23T00:00:00Z".parse().expect("a timestamp"));
        let fleet = load(&["-".to_owned()], &mut text.as_bytes(), &options).expect("the build is sound");
        let node = fleet.converted.nodes.first().expect("a node");
        let size = detect(node, &fleet.converted.catalogue).facts.page_size;
        size.map(|PageSize { ki, confidence }| (ki, confidence))
    };
    let likely = |ki| Some((ki, Confidence::Probable));
    assert_eq!(page(&node(&kunpeng, "arm64", "4.19.90-24.4.v2101.ky10.aarch64")), likely(64));
    assert_eq!(page(&node(&kunpeng, "arm64", "5.10.0-216.0.0.115.oe2203sp4.aarch64")), likely(4));
    assert_eq!(
        page(&node(&kunpeng, "arm64", "4.19.90-2003.4.0.0036.oe1.aarch64")),
        None,
        "before 22.03 nothing is known"
    );
    assert_eq!(page(&node("", "loong64", "4.19.190-7.4.a.lns8.loongarch64")), likely(16));
}
