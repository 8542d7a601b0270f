//! Rules one at a time: a change of the fleet in order (`tests`), what it draws, where, and on which line. That every
//! rule is silent without the change is the fleet's own test.

use std::fmt::Write as _;
use std::time::Instant;

use jiuzhou_engine::terms::{Code, Finding, Severity};

use super::tests::{FLEET, read};

/// Changes of one line: from, to, code, pointer, a piece of the line told.
type Change = (&'static str, &'static str, Code, &'static str, &'static str);

/// An object more.
fn object(kind: &str, namespace: &str, name: &str, spec: &str) -> String {
    let namespace = if namespace.is_empty() { String::new() } else { format!(", namespace: {namespace}") };
    format!(
        "---\napiVersion: jiuzhou.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}{namespace}}}\nspec: {{{spec}}}\n"
    )
}

#[track_caller]
fn told(text: &str, code: Code, pointer: &str, line: &str) -> Finding {
    let findings = read(text).findings;
    let found = findings.iter().find(|f| f.reason.code == code && f.pointer == pointer);
    let found = found.unwrap_or_else(|| panic!("no {code} at {pointer}: {findings:#?}")).clone();
    let place = found.place.clone().expect("every finding of the input has a place");
    assert!(place.text.contains(line), "{code} at {pointer} is told on line {}: {:?}", place.line, place.text);
    assert!(text.lines().nth(usize::try_from(place.line).unwrap() - 1).unwrap().contains(line));
    found
}

#[track_caller]
fn silent(text: &str, code: Code) {
    let found: Vec<Finding> = read(text).findings.into_iter().filter(|f| f.reason.code == code).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[track_caller]
fn change(from: &str, to: &str) -> String {
    assert!(FLEET.contains(from), "{from:?} is not in the fleet");
    FLEET.replacen(from, to, 1)
}

const TENANT: &str = "displayName: 祥云县, level: County, region: \"532923\"";
const SYSTEM: &str = "displayName: 医保系统, tenant: dali-hrss, functionDomain: PublicService";
const CLASS: &str = "dataClass: {class: General, setBy: 王五}";

#[test]
fn one_changed_line_is_told_on_its_line() {
    let cases: &[Change] = &[
        (
            "dataClass: {class: Important, setBy: 王五, confirmedBy: 州大数据局}",
            "dataClass: {class: Important, setBy: 王五}",
            Code::ClassUnconfirmed,
            "/spec/dataClass",
            "class: Important",
        ),
        (
            "confirmedBy: 州大数据局",
            "confirmedBy: \"王 五\"",
            Code::EvidenceSelfVerified,
            "/spec/dataClass/confirmedBy",
            "王 五",
        ),
        (
            "  projectCode: P-001\n",
            "  projectCode: P-001\n  hosting: {state: Retired}\n",
            Code::HostingContradicted,
            "/spec/hosting/state",
            "Retired",
        ),
        (
            "  projectCode: P-001\n",
            "  projectCode: P-001\n  hosting: {state: Lifted, declaredBy: 张三, verifiedBy: \"张　三\"}\n",
            Code::EvidenceSelfVerified,
            "/spec/hosting/verifiedBy",
            "hosting",
        ),
        (
            "  projectCode: P-001\n",
            "  projectCode: P-001\n  contractors: [{name: 某公司, until: 2026-01-31}]\n",
            Code::TermEnding,
            "/spec/contractors/0/until",
            "2026-01-31",
        ),
        (
            "  projectCode: P-001\n",
            "  projectCode: P-001\n  exemption: {document: {number: 豁免〔2024〕3号}, until: 2025-10-31}\n",
            Code::TermExpired,
            "/spec/exemption/until",
            "豁免",
        ),
        (
            "from: 2025-01-01, hard: {cpu: 8}",
            "from: 2026-01-01, hard: {cpu: 8}",
            Code::TermUnstarted,
            "/spec/quota/0/from",
            "2026-01-01",
        ),
        (
            "assessor: 云南测评中心, date: 2025-03-01",
            "assessor: 云南测评中心, date: 2025-12-01",
            Code::RecordFromFuture,
            "/spec/protection/reports/0/date",
            "2025-12-01",
        ),
        (
            "untilMonth: 2025-10, perMille",
            "untilMonth: 2026-12, perMille",
            Code::RecordFromFuture,
            "/spec/pue/0/untilMonth",
            "2026-12",
        ),
        ("perMille: 1280}", "perMille: 1280, kind: Design}", Code::PueNotMeasured, "/spec/pue/0/kind", "Design"),
        (", retiredOn: 2025-06-01", "", Code::CertificateNotRetired, "/spec/certificates/0", "GEC-1"),
        (
            "generatedMonth: 2025-03, retiredOn: 2025-06-01",
            "generatedMonth: 2023-03, retiredOn: 2026-01-01",
            Code::CertificateExpired,
            "/spec/certificates/0/generatedMonth",
            "2023-03",
        ),
        ("region: \"530100\"", "region: \"532200\"", Code::RegionUnknown, "/spec/region", "532200"),
        ("region: \"530100\"", "region: \"530199\"", Code::CountyUnlisted, "/spec/region", "530199"),
        ("region: \"530100\"", "region: \"540100\"", Code::FactorFallback, "/spec/region", "540100"),
        ("tenant: dali-hrss\n", "tenant: dali-gov\n", Code::SystemOutsideTenant, "/spec/tenant", "dali-gov"),
        (
            "      metadata: {name: web}\n",
            "      metadata: {name: web, namespace: other}\n",
            Code::ManifestNamespaceOther,
            "/spec/objects/0/manifest/metadata/namespace",
            "other",
        ),
        (
            "      metadata: {name: web}\n",
            "      metadata: {name: web, annotations: {note: 涉密}}\n",
            Code::StateSecretRefused,
            "/spec/objects/0/manifest/metadata/annotations/note",
            "涉密",
        ),
        (
            "            containers:\n",
            "            nodeName: node-1\n            containers:\n",
            Code::NodeNameFixed,
            "/spec/objects/0/manifest/spec/template/spec/nodeName",
            "node-1",
        ),
        (
            "            containers:\n",
            "            volumes: [{name: c, configMap: {name: absent}}]\n            containers:\n",
            Code::DependencyMissing,
            "/spec/objects/0/manifest/spec/template/spec/volumes/0/configMap/name",
            "absent",
        ),
        (
            "  system: pension\n",
            "  system: pension\n  requirements: {dataClass: General}\n",
            Code::RequirementLooser,
            "/spec/requirements/dataClass",
            "General",
        ),
        (
            "  system: pension\n",
            "  system: pension\n  requirements: {minTier: s1}\n",
            Code::RequirementLooser,
            "/spec/requirements/minTier",
            "s1",
        ),
        (
            "  system: pension\n",
            "  system: pension\n  requirements: {zone: gov-intranet}\n",
            Code::ReferenceUnknown,
            "/spec/requirements/zone",
            "gov-intranet",
        ),
        (
            "  system: pension\n",
            "  system: pension\n  dependsOn: [web]\n",
            Code::DependencyCycle,
            "/spec/dependsOn",
            "dependsOn",
        ),
        (
            "    clusters: {regions: [\"532900\"]}\n",
            "    spread: [{key: Site, minGroups: 3}]\n",
            Code::GroupsTooFew,
            "/spec/placement/spread/0/minGroups",
            "minGroups: 3",
        ),
        (
            "    clusters: {regions: [\"532900\"]}\n",
            "    replicas: {mode: Divided, divideBy: Weight, weights: [{selector: {names: [km-1]}, weight: 0}]}\n",
            Code::DivisionWeightless,
            "/spec/placement/replicas/weights",
            "weights",
        ),
    ];
    for (from, to, code, pointer, line) in cases {
        told(&change(from, to), *code, pointer, line);
    }
}

#[test]
fn one_object_more_is_told_on_its_line() {
    let site = "spec: {displayName: 昆明机房,";
    let with = |fields: &str| change(site, &format!("spec: {{{fields}, displayName: 昆明机房,"));
    let it = "meterReadings: [{month: 2025-01, wattHours: 1000}, {month: 2025-01, meter: It, wattHours: 1250}]";
    let found = told(&with(it), Code::PueBelowOne, "/spec/meterReadings/1/wattHours", "1250");
    assert_eq!(found.reason.seen, jiuzhou_engine::terms::Value::PerMille(800));
    let gap = "meterReadings: [{month: 2025-01, wattHours: 1000}, {month: 2025-04, wattHours: 1000}]";
    let found = told(&with(gap), Code::ReadingMissing, "/spec/meterReadings", "meterReadings");
    assert_eq!(found.reason.seen, vec!["2025-02".to_owned(), "2025-03".to_owned()].into());
    let mut year = "certificates: [{id: GEC-9, wattHours: 13000, generatedMonth: 2024-03, retiredOn: 2025-01-01}], meterReadings: [".to_owned();
    for month in 1..=12 {
        write!(year, "{{month: 2024-{month:02}, wattHours: 1000}},").unwrap();
    }
    told(&with(&format!("{year}]")), Code::CertificatesAboveUse, "/spec/certificates", "GEC-9");
    let enough = format!("{year}]").replace("13000", "12000");
    silent(&with(&enough), Code::CertificatesAboveUse);

    let system = |name: &str, more: &str| {
        object("InformationSystem", "social", name, &format!("{SYSTEM}, projectCode: {name}, {CLASS}, {more}"))
    };
    let more = |text: &str| format!("{FLEET}{text}");
    let ring = system("a", "dependsOn: [{name: b}]") + &system("b", "dependsOn: [{name: a}]");
    told(&more(&ring), Code::DependencyCycle, "/spec/dependsOn", "projectCode: a");
    let native = system("a", "hosting: {state: CloudNative}, protection: {level: 4}");
    told(&more(&native), Code::HostingContradicted, "/spec/hosting/state", "CloudNative");
    told(&more(&native), Code::ProtectionUnreachable, "/spec/protection/level", "level: 4");
    let secret = object(
        "InformationSystem",
        "social",
        "mm",
        &format!(
            "displayName: 绝密文件系统, projectCode: X, tenant: dali-hrss, functionDomain: PublicService, {CLASS}"
        ),
    );
    assert_eq!(told(&more(&secret), Code::StateSecretRefused, "/spec/displayName", "绝密").severity, Severity::Error);
    for harmless in ["非涉密", "机密计算", "脱密"] {
        silent(&more(&secret.replace("绝密", harmless)), Code::StateSecretRefused);
    }

    let tenant = |more: &str| object("Tenant", "", "xiangyun", &format!("{TENANT}, {more}"));
    let twice = tenant("namespaces: [{name: social}]");
    told(&more(&twice), Code::NamespaceOwnedTwice, "/spec/namespaces/0/name", "social");
    let old = tenant("predecessors: [{tenant: gone, date: 2020-01-01, document: {number: 云编〔2019〕7号}}]");
    let found = told(&more(&old), Code::ReferenceUnknown, "/spec/predecessors/0/tenant", "gone");
    assert_eq!(found.severity, Severity::Info);
    let code = tenant("unifiedCode: 91330106673959654P");
    let same = code.clone() + &code.replace("name: xiangyun", "name: other");
    told(&more(&same), Code::CreditCodeDuplicate, "/spec/unifiedCode", "91330106673959654P");

    let parent = |allowed: &str| {
        change("level: City, region: \"532900\"}", &format!("level: City, region: \"532900\", {allowed}}}"))
    };
    let child = |allowed: &str| tenant(&format!("blockParent: dali-gov, {allowed}"));
    let wide = parent("allowed: {regions: [\"532900\"], providers: [cec]}");
    let looser = format!("{wide}{}", child("allowed: {regions: [\"530100\"]}"));
    told(&looser, Code::GuardrailLooser, "/spec/allowed/regions/0", "530100");
    silent(&format!("{wide}{}", child("allowed: {regions: [\"532923\"]}")), Code::GuardrailLooser);
    let granted = "quota: [{name: q, document: {number: 大财〔2025〕2号}, from: 2025-01-01, hard: {cpu: 10}}]";
    let above = format!("{}{}", parent(granted), child(granted));
    told(&above, Code::GrantAboveParent, "/spec/quota", "大财〔2025〕2号");
    let within = format!("{}{}", parent(granted), child(&granted.replace("cpu: 10", "cpu: 2")));
    silent(&within, Code::GrantAboveParent);

    let push = "connection: {push: {secretNamespace: keys, secretName: k1}}";
    let cluster =
        |name| object("MemberCluster", "", name, &format!("site: dali, form: Private, ownership: Domestic, {push}"));
    told(&more(&(cluster("c1") + &cluster("c2"))), Code::ClusterIdentityDuplicate, "/spec/connection/push", "k1");

    let book = |prices: &str| {
        let item = format!("items: [{{code: cpu, title: 云主机, unit: CpuHour, prices: [{prices}]}}]");
        more(&object("PriceBook", "", "cec", &format!("displayName: 价目, provider: cec, {item}")))
    };
    let (first, second) = ("{fromMonth: 2025-01, untilMonth: 2025-06, fen: 3}", "{fromMonth: 2025-06, fen: 4}");
    let both = book(&format!("{first}, {second}"));
    told(&both, Code::PriceConflict, "/spec/items/0/prices/1/fromMonth", "云主机");
    let later = |from: &str| book(&format!("{first}, {}", second.replace("2025-06", from)));
    told(&later("2025-08"), Code::PriceGap, "/spec/items/0/prices/1/fromMonth", "云主机");
    silent(&later("2025-07"), Code::PriceGap);
    silent(&later("2025-07"), Code::PriceConflict);
    told(&book(first), Code::TermExpired, "/spec/items/0/prices/0/untilMonth", "云主机");
}

#[test]
fn manifests_of_several_workloads_are_seen_together() {
    let workload = FLEET.split("---\n").find(|text| text.contains("kind: FleetWorkload")).unwrap();
    let twin = workload.replacen("name: web, namespace: social", "name: web-2, namespace: social", 1);
    let pointer = "/spec/objects/0/manifest/metadata/name";
    told(&format!("{FLEET}---\n{twin}"), Code::ObjectClaimedTwice, pointer, "metadata: {name: web}");

    // A name in another namespace leads to what a workload there brings.
    let binding = |account: &str| {
        let role = "roleRef: {kind: ClusterRole, name: view}";
        let subject = format!("subjects: [{{kind: ServiceAccount, name: {account}, namespace: social}}]");
        let of = "apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b}";
        let objects = format!("objects: [{{name: b, manifest: {{{of}, {role}, {subject}}}}}]");
        let account = "apiVersion: v1, kind: ServiceAccount, metadata: {name: reader}";
        let other = format!("objects: [{{name: a, manifest: {{{account}}}}}]");
        object("FleetWorkload", "elsewhere", "binding", &format!("system: pension, {objects}"))
            + &object("FleetWorkload", "social", "account", &format!("system: pension, {other}"))
    };
    silent(&format!("{FLEET}{}", binding("reader")), Code::DependencyMissing);
    let pointer = "/spec/objects/0/manifest/subjects/0/name";
    told(&format!("{FLEET}{}", binding("writer")), Code::DependencyMissing, pointer, "writer");

    // A ConfigMap in one workload, its pods in another: only one key of both keeps them in one cluster.
    let uses = change(
        "            containers:\n",
        "            volumes: [{name: c, configMap: {name: common}}]\n            containers:\n",
    );
    let config = |more: &str| {
        let manifest = "apiVersion: v1, kind: ConfigMap, metadata: {name: common}";
        let objects = format!("objects: [{{name: c, manifest: {{{manifest}}}}}]");
        object("FleetWorkload", "social", "common", &format!("system: pension, {objects}{more}"))
    };
    let named = "/spec/objects/0/manifest/spec/template/spec/volumes/0/configMap/name";
    told(&format!("{uses}{}", config("")), Code::DependencyElsewhere, named, "name: common");
    let set = uses.replacen("  system: pension\n", "  system: pension\n  colocate: front\n", 1);
    assert!(set != uses);
    told(&format!("{set}{}", config("")), Code::DependencyElsewhere, named, "name: common");
    silent(&format!("{set}{}", config(", colocate: front")), Code::DependencyElsewhere);

    let asks = |owner: &str| {
        let manifest = format!(
            "apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: runs, annotations: {{jiuzhou.dev/take-over: {owner}}}}}, spec: {{template: {{metadata: {{labels: {{app: runs}}}}, spec: {{containers: []}}}}}}"
        );
        let objects = format!("objects: [{{name: runs, manifest: {{{manifest}}}}}]");
        format!("{FLEET}{}", object("FleetWorkload", "social", "ours", &format!("system: pension, {objects}")))
    };
    let labels = "/spec/objects/0/manifest/spec/template/metadata/labels";
    told(&asks("social/ours"), Code::AffinityDeferred, labels, "app: runs");
    silent(&asks("social/other"), Code::AffinityDeferred);

    let deployment = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: 平台, namespace: social}\nspec: {template: {spec: {containers: []}}}\n";
    let found = told(&format!("{FLEET}{deployment}"), Code::NativeNotWrapped, "", "apiVersion: apps/v1");
    assert_eq!(found.severity, Severity::Info);

    let scaler = "  objects:\n  - name: hpa\n    manifest:\n      apiVersion: autoscaling/v2\n      kind: HorizontalPodAutoscaler\n      metadata: {name: hpa}\n      spec: {minReplicas: 3, maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n";
    let text = change("  objects:\n", scaler);
    told(&text, Code::ScalerContradicts, "/spec/objects/1/manifest/spec/replicas", "replicas: 2");
    silent(&text.replace("minReplicas: 3", "minReplicas: 2"), Code::ScalerContradicts);

    let kind = change(
        "      apiVersion: apps/v1\n      kind: Deployment",
        "      apiVersion: db.example/v1\n      kind: Database",
    );
    told(&kind, Code::KindUnprofiled, "/spec/objects/0/manifest/kind", "Database");
}

#[test]
fn freezes_of_one_scope_that_overlap_and_those_that_are_over_are_told() {
    let freeze = |name: &str, from: &str, to: &str| {
        object("ChangeFreeze", "", name, &format!("start: {from}T00:00:00Z, end: {to}T00:00:00Z, reason: 两会"))
    };
    let text = format!("{FLEET}{}{}", freeze("a", "2026-02-01", "2026-03-01"), freeze("b", "2026-02-20", "2026-04-01"));
    told(&text, Code::FreezeOverlap, "/spec/start", "2026-02-20");
    silent(&text.replace("2026-02-20", "2026-03-01"), Code::FreezeOverlap);
    let over = told(
        &format!("{FLEET}{}", freeze("a", "2025-02-01", "2025-03-01")),
        Code::TermExpired,
        "/spec/end",
        "2025-03-01",
    );
    assert_eq!(over.severity, Severity::Info);
}

/// A province: every rule is linear, so this is well under a second even without optimisation.
#[test]
fn a_thousand_tenants_and_three_thousand_workloads_are_checked_in_a_moment() {
    use std::collections::BTreeMap;

    use crate::documents::read_bytes;
    use crate::objects::{Item, Objects, Origin};

    let mut objects = Objects::default();
    let mut template = BTreeMap::new();
    for text in FLEET.split("---\n") {
        let (documents, _) = read_bytes("fleet.yaml", text.as_bytes(), &crate::yaml::Limits::default());
        for document in documents {
            template.insert(document.kind.clone(), document.clone());
            objects.add(document, Origin::Input, &mut Vec::new());
        }
    }
    let tenant = objects.tenants.values().next().unwrap().object.clone();
    let system = objects.systems.values().next().unwrap().object.clone();
    let workload = objects.workloads.values().next().unwrap().object.clone();
    let place = |kind: &str, namespace: &str, name: &str| {
        let mut document = template[kind].clone();
        (document.namespace, document.name) = (namespace.to_owned(), name.to_owned());
        document.value = serde_json::Value::Null;
        document
    };
    for n in 0..1000 {
        let (name, namespace) = (format!("t{n}"), format!("单位-{n}"));
        let mut object = (*tenant).clone();
        object.spec.block_parent = Some(format!("t{}", n / 10).into());
        object.spec.line_parent = (n % 3 == 0).then(|| format!("nobody{n}").into());
        let own = jiuzhou_api::v1alpha1::TenantNamespace { name: namespace.as_str().into(), ..Default::default() };
        object.spec.namespaces = vec![own];
        let item = Item::new(object, place("Tenant", "", &name), Origin::Input);
        objects.tenants.insert((String::new(), name.clone()), item);
        let mut object = (*system).clone();
        object.spec.project_code = format!("P-{n}").into();
        object.spec.tenant = name.as_str().into();
        let item = Item::new(object, place("InformationSystem", &namespace, "s"), Origin::Input);
        objects.systems.insert((namespace.clone(), "s".to_owned()), item);
        for w in 0..3 {
            let name = format!("w{w}");
            let mut object = (*workload).clone();
            object.spec.system = "s".into();
            object.spec.depends_on = vec![format!("w{}", (w + 1) % 3).into()];
            let item = Item::new(object, place("FleetWorkload", &namespace, &name), Origin::Input);
            objects.workloads.insert((namespace.clone(), name), item);
        }
    }
    let started = Instant::now();
    let mut findings = Vec::new();
    super::objects(&objects, "2025-11-23T00:00:00Z".parse().unwrap(), &mut findings);
    let took = started.elapsed();
    let count = |code| findings.iter().filter(|f| f.reason.code == code).count();
    assert_eq!(count(Code::DependencyCycle), 1000);
    assert_eq!(count(Code::ObjectClaimedTwice), 2000);
    assert_eq!(count(Code::TenantCycle), 1);
    // Ten times what it takes on a small machine that is busy.
    assert!(took.as_secs() < 10, "{took:?}");
    println!("{took:?} for {} findings", findings.len());
}

#[test]
fn a_policy_is_told_softly_while_a_tenant_that_may_use_it_is_refused() {
    let text = change("  defaultPolicy: in-dali\n", "");
    assert_eq!(told(&text, Code::PolicyUnused, "/metadata/name", "in-dali").severity, Severity::Warning);
    let text = text.replacen("level: City", "level: Ciyt", 1);
    assert_eq!(told(&text, Code::PolicyUnused, "/metadata/name", "in-dali").severity, Severity::Info);
}

#[test]
fn every_tenant_of_a_circle_is_told_whichever_trees_it_is_made_of() {
    let above = |name: &str, fields: &str| object("Tenant", "", name, &format!("{TENANT}, {fields}"));
    let ring = above("r1", "blockParent: r2") + &above("r2", "blockParent: r3") + &above("r3", "blockParent: r1");
    let findings = read(&format!("{FLEET}{ring}")).findings;
    let told: Vec<_> = findings.iter().filter(|f| f.reason.code == Code::TenantCycle).collect();
    assert_eq!(told.len(), 3, "the payer's tree is the same one");
    assert_eq!(told[1].reason.seen, "r2 → r3 → r1 → r2".into());
    // Neither tree has a circle; who pays for whom does.
    let mixed = above("m1", "blockParent: m2") + &above("m2", "lineParent: m1, quotaParent: Line");
    let findings = read(&format!("{FLEET}{mixed}")).findings;
    let told: Vec<_> = findings.iter().filter(|f| f.reason.code == Code::TenantCycle).map(|f| &f.pointer).collect();
    assert_eq!(told, ["/spec/quotaParent", "/spec/quotaParent"]);
}
