//! `inspect`, `find`, `import`, `adopt`, `export` as a user meets them: right input, wrong input, both languages.

use std::fs;

use serde_json::Value;

use crate::runner::Folder;

const IMAGE: &str = "docs/inputs/portal";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn every_need_is_declared_inspected_or_unknown() {
    let folder = Folder::new();
    let ran = folder.run(&["inspect", IMAGE, "-o", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let document = json(&ran.out);
    let rows = document["sections"][1]["rows"].as_array().expect("rows");
    let of = |platform: &str, need: &str| {
        let row = rows.iter().find(|row| row["platform"] == platform && row["need"] == need);
        row.unwrap_or_else(|| panic!("{platform} {need} is not in {rows:#?}")).clone()
    };
    assert_eq!(of("linux/amd64", "needLevel")["knownBy"], "provenanceInspected");
    assert_eq!(of("linux/amd64", "needLevel")["value"], "x86-64-v2");
    let silent = of("linux/arm64/v8", "needLevel");
    assert!(silent["knownBy"].is_null() && silent["value"].is_null(), "{silent}");
    assert_eq!(of("linux/loong64", "needAbiWorld")["value"], "old");
}

#[test]
fn what_is_no_image_is_told_in_both_languages_and_ends_with_4() {
    let folder = Folder::new();
    fs::write(folder.path().join("文本.tar"), "这不是镜像").expect("a file");
    fs::create_dir(folder.path().join("空")).expect("a folder");
    for source in ["文本.tar", "./空", "./没有", "registry.invalid/app:1", "-"] {
        let (en, zh) = (folder.run(&["inspect", source]), folder.run(&["inspect", source, "--lang", "zh"]));
        assert_eq!((en.code, zh.code), (4, 4), "{source}: {}{}", en.out, en.err);
        assert!(en.out.contains("ImageUnreadable") && en.out.contains("cannot be inspected"), "{}", en.out);
        assert!(zh.out.contains("无法检查"), "{}", zh.out);
    }
}

#[test]
fn profiles_that_are_written_are_what_plan_reads() {
    let folder = Folder::new();
    let ran = folder.run(&["inspect", IMAGE, "--profiles", "p.yaml", "-o", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let written = fs::read_to_string(folder.path().join("p.yaml")).expect("a profile");
    assert!(written.contains("kind: ImageProfile") && written.contains("registry.gov.example/portal/web"), "{written}");
    let valid = folder.run(&["validate", "p.yaml", "--fail-on", "warning"]);
    assert_eq!(valid.code, 0, "{}", valid.out);
    let printed = folder.run(&["inspect", IMAGE, "--profiles", "-"]);
    assert_eq!(printed.out, written);
}

#[test]
fn a_profile_without_a_name_or_of_several_images_is_refused() {
    let folder = Folder::new();
    let named = ["inspect", IMAGE, IMAGE, "--image-name", "r.example/a:1"];
    let ran = folder.run(&named);
    assert!(ran.code == 64 && ran.err.contains("for one image"), "{}", ran.err);
    let zh = folder.run(&["inspect", IMAGE, "--image-name", "大写/A", "--lang", "zh"]);
    assert!(zh.code == 1 && zh.err.contains("无法读取镜像名"), "{}", zh.err);
    assert_eq!(folder.run(&["inspect", IMAGE, "--digest", "sha256:00"]).code, 64);
    assert_eq!(folder.run(&["inspect"]).code, 64);
}

#[test]
fn what_runs_a_package_is_found_by_the_list_that_inspect_wrote() {
    let folder = Folder::new();
    assert_eq!(folder.run(&["inspect", IMAGE, "--sbom", "s.json"]).code, 0);
    let wrapped = folder.run(&["adopt", "docs/inputs/dump.yaml", "--tenant", "dali", "--region", "532900"]);
    fs::write(folder.path().join("fleet.yaml"), wrapped.out).expect("a file");
    let find = |more: &[&str]| {
        let ran = folder.run(&[&["find", "fleet.yaml", "-o", "json"], more].concat());
        let document = json(&ran.out);
        let rows = |at: usize| document["sections"][at]["rows"].as_array().map_or(0, Vec::len);
        (rows(0), rows(1), ran.code)
    };
    assert_eq!(find(&["--package", "log4j-core", "--sbom", "s.json"]), (1, 0, 0));
    assert_eq!(find(&["--package", "log4j-core@2.17*", "--sbom", "s.json"]), (0, 0, 0));
    assert_eq!(find(&["--package", "log4j-core"]), (0, 1, 0), "nobody looked into it");
    assert_eq!(find(&["--cve", "CVE-2021-44228", "--sbom", "s.json"]), (0, 1, 0), "the list says nothing of it");
    assert_eq!(find(&["--image", "portal/web:2.1"]), (1, 0, 0));
    assert_eq!(find(&["--image", "web", "--sbom", "fleet.yaml"]).2, 4, "no SBOM");
    assert_eq!(folder.run(&["find", "fleet.yaml"]).code, 64);
}

#[test]
fn an_import_needs_a_site_only_for_clusters_and_its_result_is_valid() {
    let folder = Folder::new();
    let without = folder.run(&["import", "-f", "docs/inputs/karmada.yaml", "--lang", "zh"]);
    assert!(without.code == 64 && without.err.contains("--site") && without.out.is_empty(), "{}", without.err);
    let ran = folder.run(&["import", "-f", "docs/inputs/karmada.yaml", "--site", "dali-a"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("purgeMode") && ran.err.contains("insecureSkipTLSVerification"), "{}", ran.err);
    let valid = folder.run_with(&["validate", "-", "-o", "json"], &ran.out);
    // The site is not part of what was imported.
    assert!(!valid.out.contains("FieldUnknown") && !valid.out.contains("RuleBroken"), "{}", valid.out);
    let nothing = folder.run_with(&["import", "-"], "不是: [YAML");
    assert_eq!(nothing.code, 4, "{}", nothing.err);
}

#[test]
fn what_is_adopted_can_be_consented_to_and_a_dump_of_nothing_is_told() {
    let folder = Folder::new();
    let args = ["adopt", "docs/inputs/dump.yaml", "--tenant", "dali", "--region", "532900", "--cluster", "dali-1"];
    let ran = folder.run(&[&args[..], &["--consent", "consent.sh"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let script = fs::read_to_string(folder.path().join("consent.sh")).expect("a script");
    assert!(script.contains("'deployment.apps/web' 'jiuzhou.dev/take-over=dali-portal/web'"), "{script}");
    let planned = folder.run_with(&["validate", "-", "--as-of", "2026-11-26"], &ran.out);
    assert!(!planned.out.contains("FieldUnknown") && !planned.out.contains("RuleBroken"), "{}", planned.out);
    assert_eq!(folder.run_with(&["adopt", "-", "--tenant", "dali"], "apiVersion: v1\nkind: List\nitems: []\n").code, 4);
}

#[test]
fn decisions_are_exported_in_every_form_and_no_secret_with_them() {
    let folder = Folder::new();
    let export = |form: &str, story: &str| {
        let ran = folder.run(&["export", form, story, "--as-of", "2026-11-23"]);
        assert_eq!(ran.code, 0, "{form}: {}", ran.err);
        ran.out
    };
    let story = "examples/01-first-tenant";
    let works = export("manifest-work", story);
    assert!(works.contains("kind: ManifestWork") && works.contains("namespace: kunming-gov-1"), "{works}");
    assert!(works.contains("kind: Deployment") && works.contains("propagationPolicy: Foreground"), "{works}");
    let sig = export("placement-decision", story);
    assert!(sig.contains("clusterProfileRef") && sig.contains("multicluster.x-k8s.io/decision-key: portal"), "{sig}");
    let ocm = export("ocm-placement-decision", story);
    assert!(ocm.contains("clusterName: kunming-gov-1"), "{ocm}");
    let argo = export("argocd-cluster", story);
    assert!(
        argo.contains("jiuzhou.dev/region") && argo.contains("arch.jiuzhou.dev/") && !argo.contains("\ndata:"),
        "{argo}"
    );
    // As many decisions as workloads, in a province too.
    let province = export("placement-decision", "examples/10-province");
    let workloads = fs::read_dir(folder.path().join("examples/10-province")).expect("a story").flatten();
    let count: usize = workloads
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        .map(|text| text.lines().filter(|line| *line == "kind: FleetWorkload").count())
        .sum();
    assert_eq!(province.matches("kind: PlacementDecision").count(), count);
}
