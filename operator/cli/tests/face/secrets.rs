//! A canary in Secrets, in environment variables and in broken files: no command and no format may show it.
//!
//! The files are wrong wherever something can be wrong, because a finding shows the line it stands in. What `wrap`
//! writes is its product and holds the manifests it was given; what it says about them does not.

use std::fs;
use std::io::Read as _;

use jiuzhou_report::render::Format;

use crate::runner::{Folder, Ran};

const CANARY: &str = "c4n4ry-do-not-show";
const DAY: [&str; 2] = ["--as-of", "2026-11-23"];

/// A Secret in flow style on one line with a label that is no text: the finding stands in the line of the data.
const NATIVE: &str = "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: kunming-portal, labels: {a: 1}}, \
                      stringData: {password: c4n4ry-do-not-show}}\n";

/// A workload with faults around a Secret and around an environment variable.
const WORKLOAD: &str = r#"apiVersion: jiuzhou.dev/v1alpha1
kind: FleetWorkload
metadata: {name: leaky, namespace: kunming-portal}
spec:
  system: portal
  placement:
    overrides:
      - {name: o, env: [{name: DB_PASSWORD, value: c4n4ry-do-not-show, unknown: 1}]}
  objects:
    - {name: secret, manifest: {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: other}, stringData: {a: c4n4ry-do-not-show}}}
    - {name: twice, manifest: {stringData: {a: c4n4ry-do-not-show}, apiVersion: v1, kind: Secret, metadata: {name: s, namespace: other}}}
    - name: app
      onDrift: c4n4ry
      manifest:
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: leaky}
        spec:
          selector: {matchLabels: {app: leaky}}
          template:
            metadata: {labels: {app: leaky}}
            spec:
              nodeName: n1
              containers: [{name: web, image: "registry.gov.example/leaky:1", env: [{name: API_TOKEN, value: c4n4ry-do-not-show}], resources: {requests: {cpu: x}}}]
"#;

/// Files that do not parse, each with the canary where the parser stops.
const BROKEN: [&str; 4] = [
    "apiVersion: v1\nkind: Secret\nmetadata: {name: b1}\nstringData:\n\tpassword: c4n4ry-do-not-show\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: b2}\nstringData: {password: *c4n4ry-do-not-show}\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: b3}\ndata:\n  a: x\n  a: c4n4ry-do-not-show\n",
    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"data\":{\"a\":\"c4n4ry-do-not-show\"},}}",
];

fn folder() -> Folder {
    let folder = Folder::new();
    let at = folder.path().join("in");
    fs::create_dir(&at).expect("a folder");
    for file in ["clusters.yaml", "images.yaml", "sites.yaml", "systems.yaml", "tenants.yaml", "workloads.yaml"] {
        let from = crate::runner::root().join("examples/01-first-tenant").join(file);
        fs::copy(from, at.join(file)).expect("the story");
    }
    fs::write(at.join("native.yaml"), NATIVE).expect("a file");
    fs::write(at.join("leaky.yaml"), WORKLOAD).expect("a file");
    for (number, text) in BROKEN.iter().enumerate() {
        fs::write(at.join(format!("broken-{number}.yaml")), text).expect("a file");
    }
    folder
}

/// What a reader of a file sees; a workbook is unpacked.
fn text_of(format: Format, bytes: Vec<u8>) -> String {
    if format.is_text() {
        return String::from_utf8(bytes).expect("UTF-8");
    }
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a workbook");
    let mut text = String::new();
    for at in 0..archive.len() {
        archive.by_index(at).expect("a part").read_to_string(&mut text).expect("UTF-8");
    }
    text
}

#[track_caller]
fn silent(ran: &Ran, what: &str) {
    assert_ne!(ran.code, 101, "{what}: it panicked");
    assert!(!ran.out.contains(CANARY), "{what} prints it:\n{}", ran.out);
    assert!(!ran.err.contains(CANARY), "{what} says it:\n{}", ran.err);
}

#[test]
fn no_command_and_no_format_shows_a_secret() {
    let folder = folder();
    let commands: [&[&str]; 7] = [
        &["validate", "in"],
        &["plan", "in"],
        &["explain", "portal", "in"],
        &["report", "adoption", "in"],
        &["report", "energy", "in"],
        &["inventory", "in"],
        &["find", "--image", "*", "in"],
    ];
    let mut told = 0;
    for command in commands {
        for lang in ["en", "zh"] {
            let mut args = [command, &DAY, &["--lang", lang, "-vv"]].concat();
            let files: Vec<String> = Format::ALL.iter().map(|format| format!("{0}=out.{0}", format.name())).collect();
            files.iter().for_each(|file| args.extend(["-o", file]));
            let ran = folder.run(&args);
            silent(&ran, &format!("{args:?}"));
            for format in Format::ALL {
                let file = folder.path().join(format!("out.{}", format.name()));
                let bytes = fs::read(&file).unwrap_or_else(|_| panic!("{args:?} writes {}", format.name()));
                let text = text_of(format, bytes);
                assert!(!text.contains(CANARY), "{args:?}: {} shows it", format.name());
                told += text.matches("KeyDuplicate").count();
                fs::remove_file(file).expect("a file");
            }
        }
    }
    assert!(told > 0, "the broken files were not even read");
}

#[test]
fn a_saved_plan_its_placements_and_its_replay_hold_no_secret() {
    let folder = folder();
    let args = [["plan", "in", "--save", "plan.json", "--placements", "state.yaml"].as_slice(), &DAY].concat();
    silent(&folder.run(&args), "plan");
    for file in ["plan.json", "state.yaml"] {
        let text = fs::read_to_string(folder.path().join(file)).expect("written");
        assert!(!text.is_empty() && !text.contains(CANARY), "{file}");
    }
    silent(&folder.run(&["replay", "plan.json", "-o", "json"]), "replay");
}

#[test]
fn wrap_writes_the_secret_it_was_given_and_says_so_without_it() {
    let folder = folder();
    let args = ["wrap", "--system", "portal", "-n", "kunming-portal", "in"];
    let ran = folder.run(&args);
    assert!(ran.out.contains(CANARY), "the Secret is part of what was wrapped");
    assert!(!ran.err.contains(CANARY), "{}", ran.err);
    assert!(ran.err.contains("SecretInlined"), "{}", ran.err);
}

#[test]
fn what_comes_from_other_systems_is_told_without_its_secrets() {
    let folder = folder();
    let config = "apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: 'https://a', certificate-authority-data: c4n4ry-do-not-show}}]\n\
                  contexts: [{name: a, context: {cluster: a, user: u}}]\nusers: [{name: u, user: {token: c4n4ry-do-not-show}}]\n";
    fs::write(folder.path().join("kubeconfig"), config).expect("a file");
    let policy = "apiVersion: policy.karmada.io/v1alpha1\nkind: OverridePolicy\nmetadata: {name: o, namespace: n}\nspec:\n  overrideRules:\n  \
                  - overriders: {plaintext: [{path: /a, operator: add, value: {password: c4n4ry-do-not-show}}]}\n";
    fs::write(folder.path().join("policy.yaml"), policy).expect("a file");
    for lang in ["en", "zh"] {
        let ran = folder.run(&["import", "kubeconfig", "policy.yaml", "--site", "a", "--lang", lang]);
        assert!(ran.err.contains("NoCounterpart"), "{}", ran.err);
        silent(&ran, "import");
    }
    let ran = folder.run(&["adopt", "in", "--tenant", "t", "--region", "530000", "--consent", "c.sh"]);
    assert!(ran.out.contains(CANARY) && !ran.err.contains(CANARY), "the Secret is part of what was taken over");
    assert!(!fs::read_to_string(folder.path().join("c.sh")).expect("written").contains(CANARY));
    silent(&folder.run(&["export", "manifest-work", "in", "--as-of", "2026-11-23"]), "export");
}
