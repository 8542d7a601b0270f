//! A small fleet in which nothing is wrong, and what is told when one line of it is.

use jiuzhou_engine::terms::{Code, Severity};

use crate::{Fleet, Options, load};

/// Two sites, two clusters, a bureau and its department, a system and a workload.
pub(super) const FLEET: &str = r#"
apiVersion: jiuzhou.dev/v1alpha1
kind: CpuPlatform
metadata: {name: kunpeng-920}
spec: {displayName: 鲲鹏 920, vendor: hisilicon, brand: Kunpeng, architecture: arm64, isa: {level: armv8.2}}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Site
metadata: {name: dali}
spec:
  displayName: 大理州政务云机房
  region: "532900"
  provider: cec
  pue:
  - {fromMonth: 2025-01, untilMonth: 2025-10, perMille: 1280}
  certificates:
  - {id: GEC-1, wattHours: 1000000, generatedMonth: 2025-03, retiredOn: 2025-06-01}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Site
metadata: {name: kunming}
spec: {displayName: 昆明机房, region: "530100", provider: cec}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: MemberCluster
metadata: {name: dali-1, labels: {env: prod}}
spec:
  site: dali
  form: Dedicated
  ownership: Government
  connection: {pull: {}}
  defaultZone: gov-extranet
  protection:
    level: 3
    filingNumber: "53290099001"
    reports:
    - {number: R-1, assessor: 云南测评中心, date: 2025-03-01, dueAgain: 2026-03-01}
  evidence:
  - id: ev-1
    dimension: Data
    claim: keyCustody
    value: government
    issuer: 州大数据局
    validFrom: 2025-01-01
    validUntil: 2026-12-31
    recordedOn: 2025-01-05
    enteredBy: 张三
    verifiedBy: 李四
    verifiedOn: 2025-01-06
    state: Verified
status:
  pools:
  - name: arm
    architecture: arm64
    platform: kunpeng-920
    confidence: Certain
    isaLevel: armv8.2
    nodes: 3
    allocatable: {cpu: 96, memory: 192Gi}
    free:
    - {nodes: 3, free: {cpu: "30", memory: 60Gi, pods: 100}}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: MemberCluster
metadata: {name: km-1}
spec:
  site: kunming
  form: Private
  ownership: Domestic
  connection: {pull: {}}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: dali-gov}
spec: {displayName: 大理州人民政府, level: City, region: "532900"}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: Tenant
metadata: {name: dali-hrss}
spec:
  displayName: 大理州人力资源和社会保障局
  level: City
  region: "532900"
  blockParent: dali-gov
  namespaces: [{name: social}]
  defaultPolicy: in-dali
  quota:
  - {name: q1, document: {number: 大财〔2025〕1号}, from: 2025-01-01, hard: {cpu: 8}}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: ClusterPlacementPolicy
metadata: {name: in-dali}
spec:
  placement:
    clusters: {regions: ["532900"]}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: InformationSystem
metadata: {name: pension, namespace: social}
spec:
  displayName: 养老保险系统
  projectCode: P-001
  tenant: dali-hrss
  functionDomain: PublicService
  dataClass: {class: Important, setBy: 王五, confirmedBy: 州大数据局}
  protection: {level: 3}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: FleetWorkload
metadata: {name: web, namespace: social}
spec:
  system: pension
  objects:
  - name: web
    manifest:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec:
        replicas: 2
        selector: {matchLabels: {app: web}}
        template:
          metadata: {labels: {app: web}}
          spec:
            containers:
            - name: web
              image: registry.dali.gov.example/hrss/web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
              resources: {requests: {cpu: "1", memory: 1Gi}}
---
apiVersion: jiuzhou.dev/v1alpha1
kind: ImageProfile
metadata: {name: web}
spec:
  image: registry.dali.gov.example/hrss/web
  digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  entries:
  - {architecture: arm64, variant: v8, needs: {level: armv8.1}, provenance: Declared}
  - {architecture: amd64}
"#;

pub(super) fn read(text: &str) -> Fleet {
    let options = Options::at("2025-11-23T00:00:00Z".parse().unwrap());
    load(&["-".to_owned()], &mut text.as_bytes(), &options).unwrap()
}

#[track_caller]
fn told(text: &str) -> Vec<(Code, String)> {
    read(text).findings.into_iter().map(|f| (f.reason.code, f.pointer)).collect()
}

#[test]
fn a_fleet_in_order_is_loaded_without_a_word() {
    let fleet = read(FLEET);
    assert_eq!(fleet.findings, []);
    assert_eq!(fleet.worst(), None);
    assert_eq!((fleet.snapshot.len(), fleet.converted.fleet.specs.len()), (2, 1));
    let cluster = &fleet.converted.fleet.clusters[0];
    assert_eq!((cluster.region.as_str(), cluster.provider.as_str()), ("532900", "cec"));
    assert_eq!(cluster.pools[0].zone, "gov-extranet");
    assert_eq!(cluster.pools[0].shapes[0].free["memory"], 60 << 30);
    let spec = &fleet.converted.fleet.specs[0];
    assert_eq!((spec.replicas, spec.pods[0].count), (2, 1));
    assert_eq!(spec.pods[0].request["cpu"], 1000);
    assert_eq!(spec.requirement.tenant, "dali-hrss");
    assert_eq!(spec.requirement.protection, Some(3));
    assert_eq!(spec.requirement.images[0].entries.len(), 2);
    assert!(spec.requirement.affinity.matches("dali-1", &cluster.labels));
    assert!(!spec.requirement.affinity.matches("km-1", &fleet.converted.fleet.clusters[1].labels));
}

#[test]
fn the_order_of_documents_changes_nothing() {
    let mut documents: Vec<&str> = FLEET.split("---\n").collect();
    let forward = read(FLEET);
    documents.reverse();
    let backward = read(&documents.join("---\n"));
    assert_eq!(forward.converted.fleet, backward.converted.fleet);
}

/// One line changed, one thing told, at its place.
#[test]
fn every_kind_of_bad_input_is_told_at_its_place() {
    let other_system = "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: InformationSystem\nmetadata: {name: other, namespace: social}\nspec: {displayName: 其他系统, projectCode: P-001, tenant: dali-hrss, functionDomain: PublicService, dataClass: {class: General, setBy: 王五}}\n";
    let same_tenant = "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: Tenant\nmetadata: {name: dali-gov}\nspec: {displayName: 又一个, level: City, region: \"532900\"}\n";
    let cases: &[(&str, &str, Code, &str)] = &[
        ("site: kunming", "site: kunmin", Code::ReferenceUnknown, "/spec/site"),
        ("blockParent: dali-gov", "blockParent: dali", Code::ReferenceUnknown, "/spec/blockParent"),
        ("defaultPolicy: in-dali", "defaultPolicy: in-dal", Code::ReferenceUnknown, "/spec/defaultPolicy"),
        ("system: pension", "system: pensions", Code::ReferenceUnknown, "/spec/system"),
        ("platform: kunpeng-920", "platform: kunpeng-921", Code::ReferenceUnknown, "/status/pools/0/platform"),
        (
            "{displayName: 大理州人民政府,",
            "{blockParent: dali-hrss, displayName: 大理州人民政府,",
            Code::TenantCycle,
            "/spec/blockParent",
        ),
        ("region: \"530100\"", "region: \"860100\"", Code::RegionUnknown, "/spec/region"),
        (
            "namespaces: [{name: social}]",
            "namespaces: [{name: sociall}]",
            Code::NamespaceUnowned,
            "/metadata/namespace",
        ),
        ("recordedOn: 2025-01-05", "recordedOn: 2025-12-05", Code::EvidenceFromFuture, "/spec/evidence/0/recordedOn"),
        ("validUntil: 2026-12-31", "validUntil: 2025-10-31", Code::TermExpired, "/spec/evidence/0/validUntil"),
        ("verifiedBy: 李四", "verifiedBy: \"张三 \"", Code::EvidenceSelfVerified, "/spec/evidence/0/verifiedBy"),
        ("dueAgain: 2026-03-01", "dueAgain: 2025-06-01", Code::TermExpired, "/spec/protection/reports/0/dueAgain"),
        (
            "spec: {displayName: 昆明机房,",
            "spec: {certificates: [{id: GEC-1, wattHours: 1, generatedMonth: 2025-03}], displayName: 昆明机房,",
            Code::CertificateReused,
            "/spec/certificates/0/id",
        ),
        ("displayName: 养老保险系统", "displayName: 涉密系统", Code::StateSecretRefused, "/spec/displayName"),
        ("regions: [\"532900\"]", "regions: [\"532300\"]", Code::SelectorEmpty, "/spec/placement/clusters"),
        ("  defaultPolicy: in-dali\n", "", Code::PolicyUnused, "/metadata/name"),
        (
            "  system: pension\n",
            "  system: pension\n  requirements: {protectionLevel: 2}\n",
            Code::RequirementLooser,
            "/spec/requirements/protectionLevel",
        ),
        ("hard: {cpu: 8}", "hard: {cpu: 1}", Code::QuotaBelowUse, "/spec/quota"),
        ("hard: {cpu: 8}", "hard: {cpu: 8 cores}", Code::UnitUnknown, "/spec/quota/0/hard/cpu"),
        ("hard: {cpu: 8}", "hard: {cpu: -8}", Code::UnitUnknown, "/spec/quota/0/hard/cpu"),
        ("perMille: 1280", "perMille: 980", Code::RuleBroken, "/spec/pue/0"),
        ("class: Important", "class: 涉密", Code::RuleBroken, "/spec/dataClass/class"),
        (
            "  image: registry.dali.gov.example/hrss/web\n",
            "  image: registry.example/other\n",
            Code::ImageNotProfiled,
            "/spec/objects/0/manifest/spec/template/spec/containers/0/image",
        ),
        (
            "level: City, region: \"532900\"}\n---",
            "unifiedCode: 91330106673959645P, level: City, region: \"532900\"}\n---",
            Code::CreditCodeInvalid,
            "/spec/unifiedCode",
        ),
    ];
    for (from, to, code, pointer) in cases {
        assert!(FLEET.contains(from), "{from:?} is not in the fleet");
        let found = told(&FLEET.replacen(from, to, 1));
        assert!(found.contains(&(*code, (*pointer).to_owned())), "{to:?} gave {found:?}");
    }
    for (more, code) in [(other_system, Code::ProjectCodeDuplicate), (same_tenant, Code::ObjectDuplicate)] {
        let found = told(&format!("{FLEET}{more}"));
        assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [code]);
    }
}

/// Names and codes are told in the same run as what else is wrong, whichever of the two is refused.
#[test]
fn what_is_there_twice_is_told_although_one_of_the_two_is_refused() {
    let system = "apiVersion: jiuzhou.dev/v1alpha1\nkind: InformationSystem\nmetadata: {name: NAME, namespace: social}\nspec: {displayName: 系统, projectCode: CODE, tenant: dali-hrss, functionDomain: PublicService, dataClass: {class: General, setBy: 王五}MORE}\n---\n";
    let document =
        |name: &str, code: &str, more: &str| system.replace("NAME", name).replace("CODE", code).replace("MORE", more);
    let (good, bad) = (document("one", "p-7", ""), document("two", "P-7 ", ", bogus: 1"));
    for text in [
        format!("{good}{bad}{FLEET}"),
        format!("{bad}{good}{FLEET}"),
        format!("{bad}{}{FLEET}", bad.replace("two", "one")),
    ] {
        let found = told(&text);
        let double = found.iter().filter(|(code, _)| *code == Code::ProjectCodeDuplicate);
        assert_eq!(double.count(), 1, "{found:?}");
        assert!(found.iter().any(|(code, _)| *code == Code::FieldUnknown), "{found:?}");
    }
    let (good, bad) = (document("one", "p-7", ""), document("one", "p-8", ", bogus: 1"));
    for text in [format!("{good}{bad}{FLEET}"), format!("{bad}{good}{FLEET}"), format!("{bad}{bad}{FLEET}")] {
        let found = told(&text);
        let double: Vec<_> = found.iter().filter(|(code, _)| *code == Code::ObjectDuplicate).collect();
        assert_eq!(double, [&(Code::ObjectDuplicate, "/metadata/name".to_owned())], "{found:?}");
    }
    let found = told(&format!("{good}{bad}{good}{FLEET}"));
    assert_eq!(found.iter().filter(|(code, _)| *code == Code::ObjectDuplicate).count(), 2, "{found:?}");
}

#[test]
fn an_image_by_tag_is_told_and_found_by_its_tag() {
    let digest = "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n              resources";
    let text = FLEET.replacen(digest, ":1.2\n              resources", 1).replacen(
        "  entries:\n",
        "  tags: [\"1.2\"]\n  entries:\n",
        1,
    );
    let fleet = read(&text);
    assert_eq!(fleet.findings.iter().map(|f| f.reason.code).collect::<Vec<_>>(), [Code::ImageNotPinned]);
    assert!(fleet.converted.fleet.specs[0].requirement.images[0].name.ends_with(&"a".repeat(64)));
}

#[test]
fn a_user_s_tier_takes_the_place_of_the_built_in_one() {
    let tier = "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: SovereigntyTier\nmetadata: {name: s0}\nspec: {displayName: 我的, rank: 0, strict: true}\n";
    let fleet = read(&format!("{FLEET}{tier}"));
    let s0 = fleet.converted.fleet.tiers.iter().find(|tier| tier.name == "s0").unwrap();
    assert!(s0.strict && s0.checks.is_empty());
}

/// A cluster with a mistake of its own is there all the same: only the mistake is told.
#[test]
fn a_broken_object_draws_no_findings_about_those_that_name_it() {
    let text =
        FLEET.replacen("form: Dedicated", "form: Dedicatd", 1).replacen("regions: [\"532900\"]", "names: [dali-1]", 1);
    assert_eq!(told(&text), [(Code::ValueNotAllowed, "/spec/form".to_owned())]);
}

#[test]
fn strict_turns_warnings_into_errors() {
    let text = FLEET.replacen("  defaultPolicy: in-dali\n", "", 1);
    let mut options = Options::at("2025-11-23T00:00:00Z".parse().unwrap());
    options.strict = true;
    let fleet = load(&["-".to_owned()], &mut text.as_bytes(), &options).unwrap();
    assert_eq!(fleet.worst(), Some(Severity::Error));
}

#[test]
fn nodes_become_pools_of_the_cluster_they_name() {
    let nodes = "---\napiVersion: v1\nkind: NodeList\nitems:\n- metadata: {name: n1, labels: {jiuzhou.dev/cluster: km-1, jiuzhou.dev/zone: internet}}\n  status: {allocatable: {cpu: \"16\", memory: 32Gi}, nodeInfo: {architecture: amd64}}\n";
    let fleet = read(&format!("{FLEET}{nodes}"));
    assert_eq!(fleet.findings, []);
    let pools = &fleet.converted.fleet.clusters[1].pools;
    assert_eq!(pools.len(), 1);
    assert_eq!((pools[0].zone.as_str(), pools[0].shapes[0].free["cpu"]), ("internet", 16_000));
}

#[test]
fn a_cel_check_of_a_tier_is_answered_per_cluster() {
    use jiuzhou_engine::decide::input::Supplied;
    let tier = "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: SovereigntyTier\nmetadata: {name: own}\nspec:\n  displayName: 自有\n  rank: 9\n  checks:\n  - {name: gov, dimension: Operational, cel: \"cluster.ownership == 'Government' && evidence.exists(e, e.claim == 'keyCustody')\"}\n  - {name: broken, dimension: Data, cel: \"cluster.(\"}\n";
    let fleet = read(&format!("{FLEET}{tier}"));
    let answers: Vec<_> = fleet.converted.fleet.clusters.iter().map(|c| c.supplied["own/gov"]).collect();
    assert!(matches!(answers[..], [Supplied::Holds(_), Supplied::Fails]), "{answers:?}");
    let told: Vec<_> = fleet.findings.iter().map(|f| (f.reason.code, f.pointer.as_str())).collect();
    assert_eq!(told, [(Code::RuleNotEvaluated, "/spec/checks/1/cel")]);
}
