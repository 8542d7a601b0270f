//! The examples of `rules.rs`: a valid base per kind, and per rule what it accepts and what it refuses.
//!
//! The end-to-end tests try the same examples on a real API server.

mod base;

use serde_json::{Value, json};

use base::{delivered, migrating, sha};
pub(crate) use base::{merge, object};

/// One rule with its two examples, each a merge patch on the base; `old` makes it an update.
pub(crate) struct Case {
    pub(crate) kind: &'static str,
    pub(crate) message: &'static str,
    pub(crate) accepted: Value,
    pub(crate) rejected: Value,
    pub(crate) old: Option<Value>,
}

/// Cases of one kind: message, accepted spec, rejected spec.
fn of(kind: &'static str, cases: Vec<(&'static str, Value, Value)>) -> Vec<Case> {
    let spec = |spec: Value| json!({ "spec": spec });
    let case = |(message, accepted, rejected)| Case {
        kind,
        message,
        accepted: spec(accepted),
        rejected: spec(rejected),
        old: None,
    };
    cases.into_iter().map(case).collect()
}

/// A case about an update: message, the old spec, accepted and rejected new spec.
fn update(kind: &'static str, message: &'static str, old: Value, accepted: Value, rejected: Value) -> Case {
    let spec = |spec: Value| json!({ "spec": spec });
    Case { kind, message, accepted: spec(accepted), rejected: spec(rejected), old: Some(spec(old)) }
}

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    [site(), member(), declarations(), tenants(), workloads(), placement(), migrations(), deliveries(), updates()]
        .into_iter()
        .flatten()
        .collect()
}

fn site() -> Vec<Case> {
    let pue = |from: &str, until: &str, figure: i32| json!({ "pue": [{ "fromMonth": from, "untilMonth": until, "perMille": figure }] });
    let certificate = |id: &str, retired: &str| json!({ "id": id, "wattHours": 1_000_000, "generatedMonth": "2025-06", "retiredOn": retired });
    let limit = |until: &str| json!({ "limits": [{ "name": "own", "metric": "PuePerMille", "bound": 1300, "from": "2025-01-01", "until": until, "document": { "number": "财库〔2023〕7号" } }] });
    let document = |digest: &str| json!({ "limits": [{ "name": "own", "metric": "PuePerMille", "bound": 1300, "from": "2025-01-01", "document": { "number": "1", "digest": digest } }] });
    let mut cases = of(
        "Site",
        vec![
            ("perMille: PUE", pue("2025-01", "2025-12", 1000), pue("2025-01", "2025-12", 999)),
            (
                "untilMonth: must not be before fromMonth, because a period",
                pue("2025-01", "2025-01", 1250),
                pue("2025-02", "2025-01", 1250),
            ),
            (
                "certificates: every id",
                json!({ "certificates": [certificate("GEC-1", "2025-12-31"), certificate("GEC-2", "2025-12-31")] }),
                json!({ "certificates": [certificate("GEC-1", "2025-12-31"), certificate("GEC-1", "2025-12-31")] }),
            ),
            (
                "retiredOn: must",
                json!({ "certificates": [certificate("GEC-1", "2025-06-01")] }),
                json!({ "certificates": [certificate("GEC-1", "2025-05-31")] }),
            ),
            ("until: must not be before from, because a limit", limit("2025-01-01"), limit("2024-12-31")),
            ("region: give", json!({ "region": "532900" }), json!({ "region": "5329" })),
            ("digest: give", document(&sha('0')), document("md5:00")),
        ],
    );
    cases.push(update("Site", "region: cannot", json!({}), json!({}), json!({ "region": "530000" })));
    cases
}

fn member() -> Vec<Case> {
    let evidence = |patch: Value| {
        let mut one = json!({
            "id": "E-1", "dimension": "Data", "claim": "keyCustody", "value": "government", "issuer": "密码管理局",
            "validFrom": "2025-01-01", "validUntil": "2026-01-01", "recordedOn": "2025-01-02", "enteredBy": "甲",
        });
        merge(&mut one, &patch);
        json!({ "evidence": [one] })
    };
    let protection = |patch: Value| {
        let mut one = json!({ "level": 3 });
        merge(&mut one, &patch);
        json!({ "protection": one })
    };
    let report = |due: &str| {
        protection(
            json!({ "reports": [{ "number": "R-1", "assessor": "测评机构", "date": "2025-05-01", "dueAgain": due }] }),
        )
    };
    let verified = |patch: Value| {
        let mut one = json!({
            "number": "R-1", "assessor": "测评机构", "date": "2025-05-01", "dueAgain": "2026-05-01", "state": "Verified",
            "enteredBy": "甲", "verifiedBy": "乙", "verifiedOn": "2025-05-04",
        });
        merge(&mut one, &patch);
        protection(json!({ "reports": [one] }))
    };
    let ferry = json!({ "keyDigest": sha('e') });
    let image = |digest: &str| json!({ "registries": [{ "from": "a.example", "to": "b.example", "holds": [digest] }] });
    let mut cases = of(
        "MemberCluster",
        vec![
            (
                "connection: give",
                json!({ "connection": { "pull": null, "ferry": ferry } }),
                json!({ "connection": { "ferry": ferry } }),
            ),
            (
                "validUntil: must not be before validFrom",
                evidence(json!({ "validUntil": "2025-01-01" })),
                evidence(json!({ "validUntil": "2024-12-31" })),
            ),
            (
                "verifiedBy: must be another",
                evidence(json!({ "verifiedBy": "乙", "state": "Verified" })),
                evidence(json!({ "verifiedBy": "甲", "state": "Verified" })),
            ),
            (
                "verifiedBy: must be given",
                evidence(json!({ "verifiedBy": "乙", "state": "Verified" })),
                evidence(json!({ "state": "Verified" })),
            ),
            (
                "business, service:",
                protection(json!({ "business": 3, "service": 2 })),
                protection(json!({ "service": 4 })),
            ),
            ("dueAgain:", report("2026-05-01"), report("2025-05-01")),
            ("reports.verifiedBy: must be another", verified(json!({})), verified(json!({ "verifiedBy": "甲" }))),
            ("enteredBy, verifiedBy, verifiedOn:", verified(json!({})), verified(json!({ "verifiedOn": null }))),
            (
                "nodeLabels:",
                json!({ "poolFacts": [{ "name": "arm", "nodeLabels": { "pool": "arm" } }] }),
                json!({ "poolFacts": [{ "name": "arm" }] }),
            ),
            ("image digest:", image(&sha('f')), image("sha256:short")),
        ],
    );
    let name = |length: usize| json!({ "metadata": { "name": "m".repeat(length) } });
    cases.push(Case {
        kind: "MemberCluster",
        message: "metadata.name:",
        accepted: name(48),
        rejected: name(49),
        old: None,
    });
    cases
}

fn declarations() -> Vec<Case> {
    let assurance = |until: &str| json!({ "assurance": [{ "scheme": "安全可靠测评", "product": "腾云 S5000C-E", "level": "II", "notice": "2025年第1号", "date": "2025-06-01", "validUntil": until }] });
    let predicate = |predicate: Value| json!({ "detect": [{ "confidence": "Certain", "all": [predicate] }] });
    let price = |until: &str| json!({ "items": [{ "code": "ECS-1", "title": "云主机", "unit": "CpuHour", "prices": [{ "fromMonth": "2026-01", "untilMonth": until, "fen": 8 }] }] });
    let check = |patch: Value| {
        let mut one = json!({ "name": "custody", "dimension": "Data", "claim": { "claim": "keyCustody" } });
        merge(&mut one, &patch);
        json!({ "checks": [one] })
    };
    [
        of("Approval", vec![("approvers: must be others", json!({}), json!({ "requester": "李四" }))]),
        of(
            "OperatingMode",
            vec![
                ("until: must be after from", json!({}), json!({ "until": "2026-11-26T00:00:00Z" })),
                ("tenants, workloads:", json!({ "workloads": null, "tenants": ["bureau"] }), json!({ "workloads": null })),
                (
                    "victims: must be others",
                    json!({ "victims": [{ "namespace": "emergency", "name": "other" }] }),
                    json!({ "victims": [{ "namespace": "emergency", "name": "command" }] }),
                ),
            ],
        ),
        of("ChangeFreeze", vec![("end:", json!({}), json!({ "end": "2026-09-28T00:00:00Z" }))]),
        of(
            "CpuPlatform",
            vec![
                ("validUntil: must not be before date", assurance("2028-05-31"), assurance("2025-05-31")),
                (
                    "labelKey:",
                    predicate(json!({ "evidence": "Label", "labelKey": "chips.jiuzhou.dev/platform", "values": ["kunpeng-920"] })),
                    predicate(json!({ "evidence": "Label", "values": ["kunpeng-920"] })),
                ),
            ],
        ),
        of("PriceBook", vec![("untilMonth: must not be before fromMonth, because a price", price("2026-12"), price("2025-12"))]),
        of(
            "Report",
            vec![
                ("until: must not be before from, because a period", json!({}), json!({ "report": { "period": { "until": "2025-12-31" } } })),
                ("scope.sites: not for type Adoption", json!({ "report": { "scope": { "regions": ["532900"] } } }), json!({ "report": { "scope": { "sites": ["dali-1"] } } })),
                (
                    "period: whole Beijing months",
                    json!({ "report": { "type": "Energy" } }),
                    json!({ "report": { "type": "Energy", "period": { "until": "2026-03-30" } } }),
                ),
                (
                    "period: whole Beijing months",
                    json!({ "report": { "type": "Settlement" } }),
                    json!({ "report": { "type": "Settlement", "period": { "until": "2026-03-30" } } }),
                ),
            ],
        ),
        of(
            "SovereigntyTier",
            vec![
                ("moveWithinHours:", json!({ "onExpiry": "Move", "moveWithinHours": 72 }), json!({ "onExpiry": "Move" })),
                ("check: give", check(json!({})), check(json!({ "cel": "true" }))),
            ],
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn tenants() -> Vec<Case> {
    let grant = |until: &str| json!({ "quota": [{ "name": "g", "document": { "number": "1" }, "from": "2026-01-01", "until": until, "hard": { "cpu": 64 } }] });
    let exemption = |until: &str| json!({ "exemption": { "document": { "number": "豁免〔2025〕1号", "date": "2025-01-01" }, "until": until } });
    let class = |patch: Value| json!({ "dataClass": patch });
    [
        of(
            "Tenant",
            vec![
                ("blockParent, lineParent:", json!({ "blockParent": "province" }), json!({ "lineParent": "example" })),
                (
                    "quotaParent:",
                    json!({ "quotaParent": "Line", "lineParent": "ministry" }),
                    json!({ "quotaParent": "Line" }),
                ),
                ("until: must not be before from, because a grant", grant("2026-12-31"), grant("2025-12-31")),
                (
                    "unified social credit code:",
                    json!({ "unifiedCode": "11532900MB0W12345X" }),
                    json!({ "unifiedCode": "11532900MB0I12345X" }),
                ),
            ],
        ),
        of(
            "InformationSystem",
            vec![
                ("data class:", class(json!({ "class": "Core" })), class(json!({ "class": "涉密" }))),
                (
                    "confirmedBy:",
                    class(json!({ "confirmedBy": "主管部门" })),
                    class(json!({ "confirmedBy": "数据所有者" })),
                ),
                (
                    "confirmedOn:",
                    class(json!({ "setOn": "2025-01-01", "confirmedBy": "主管部门", "confirmedOn": "2025-01-01" })),
                    class(json!({ "setOn": "2025-01-02", "confirmedBy": "主管部门", "confirmedOn": "2025-01-01" })),
                ),
                ("until: must not be before the date", exemption("2025-12-31"), exemption("2024-12-31")),
                (
                    "until: needs since",
                    json!({ "assets": [{ "name": "vm", "kind": "Machine", "since": "2026-01-01", "until": "2026-01-01" }] }),
                    json!({ "assets": [{ "name": "vm", "kind": "Machine", "until": "2026-01-01" }] }),
                ),
                (
                    "verifiedBy: must be another",
                    json!({ "hosting": { "declaredBy": "甲", "verifiedBy": "乙" } }),
                    json!({ "hosting": { "declaredBy": "甲", "verifiedBy": "甲" } }),
                ),
            ],
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn workloads() -> Vec<Case> {
    let select = json!({ "labels": { "labels": { "app": "web" } } });
    let rollout = json!({ "stages": [{ "name": "first", "clusters": { "names": ["a"] } }] });
    let manifest = |version: &str| json!({ "objects": [{ "name": "web", "manifest": { "apiVersion": version, "kind": "Deployment", "metadata": { "name": "web" } } }] });
    let fence = json!({ "continuity": "SingleWriter", "fence": "SelfFence", "maxClockDriftSeconds": 5 });
    of(
        "FleetWorkload",
        vec![
            ("objects, select:", json!({ "objects": null, "select": select }), json!({ "select": select })),
            (
                "replicas:",
                json!({ "objects": null, "select": select }),
                json!({ "objects": null, "select": select, "replicas": 2 }),
            ),
            (
                "placement, placementPolicy:",
                json!({ "placementPolicy": "p" }),
                json!({ "placementPolicy": "p", "placement": {} }),
            ),
            (
                "rollout:",
                json!({ "continuity": "AddBeforeRemove", "rollout": rollout }),
                json!({ "continuity": "RunOnce", "rollout": rollout }),
            ),
            ("stage:", json!({ "rollout": rollout }), json!({ "rollout": { "stages": [{ "name": "first" }] } })),
            (
                "name: choose another than others",
                json!({ "rollout": rollout }),
                json!({ "rollout": { "stages": [{ "name": "others", "zones": ["z"] }] } }),
            ),
            (
                "placement.replicas.mode:",
                json!({ "continuity": "SingleWriter", "placement": { "replicas": { "mode": "Divided" } } }),
                json!({ "continuity": "SingleWriter", "placement": { "replicas": { "mode": "Duplicated" } } }),
            ),
            ("fence:", fence.clone(), json!({ "fence": "SelfFence", "maxClockDriftSeconds": 5 })),
            ("maxClockDriftSeconds:", fence, json!({ "maxClockDriftSeconds": 5 })),
            ("manifest:", manifest("apps/v1"), manifest("jiuzhou.dev/v1alpha1")),
            (
                "data.clusters:",
                json!({ "data": { "mode": "Replicated", "clusters": ["a"] } }),
                json!({ "data": { "mode": "Replicated" } }),
            ),
            (
                "label selector:",
                json!({ "objects": null, "select": select }),
                json!({ "objects": null, "select": { "labels": {} } }),
            ),
        ],
    )
}

fn placement() -> Vec<Case> {
    let with = |part: Value| json!({ "placement": part });
    let spread = |keys: &[&str]| {
        let entries: Vec<_> = keys.iter().map(|key| json!({ "key": key })).collect();
        with(json!({ "spread": entries }))
    };
    let preference = |patch: Value| {
        let mut one = json!({ "name": "p", "metric": "Carbon", "lowest": 0, "highest": 1_000_000 });
        merge(&mut one, &patch);
        with(json!({ "preferences": [one] }))
    };
    let replicas = |rule: Value| with(json!({ "replicas": rule }));
    let weight = |weight: i32| json!({ "divideBy": "Weight", "weights": [{ "selector": { "names": ["a"] }, "weight": weight }] });
    let application = |one: Value, mode: &str| with(json!({ "failover": { "mode": mode, "application": one } }));
    let state = |path: &str| application(json!({ "state": [{ "alias": "savepoint", "jsonPath": path }] }), "Automatic");
    let share = |percent: i32| with(json!({ "maxShare": [{ "percent": percent, "key": "Provider" }] }));
    let overriding = |one: Value| with(json!({ "overrides": [one] }));
    let patch = |patch: Value| json!({ "name": "o", "zones": ["internet"], "patches": [patch] });
    let env = json!([{ "name": "A", "value": "1" }]);
    let toleration = |one: Value| with(json!({ "tolerations": [one] }));
    let expression = |one: Value| with(json!({ "clusters": { "expressions": [one] } }));
    of(
        "ClusterPlacementPolicy",
        vec![
            (
                "cluster selector:",
                with(json!({ "groups": [{ "name": "g", "selector": { "names": ["a"] } }] })),
                with(json!({ "groups": [{ "name": "g", "selector": {} }] })),
            ),
            (
                "values:",
                expression(json!({ "key": "k", "operator": "In", "values": ["v"] })),
                expression(json!({ "key": "k", "operator": "Exists", "values": ["v"] })),
            ),
            (
                "spread: at most",
                spread(&["Cluster", "Site", "Province"]),
                spread(&["Cluster", "Site", "Province", "Brand"]),
            ),
            ("spread: every key", spread(&["Cluster", "Site"]), spread(&["Site", "Site"])),
            (
                "minGroups:",
                with(json!({ "spread": [{ "key": "Site", "minGroups": 2, "maxGroups": 2 }] })),
                with(json!({ "spread": [{ "key": "Site", "minGroups": 3, "maxGroups": 2 }] })),
            ),
            ("application: leave", application(json!({}), "Manual"), application(json!({}), "Never")),
            (
                "application.afterSeconds:",
                application(json!({ "afterSeconds": 30 }), "Automatic"),
                application(json!({ "afterSeconds": 29 }), "Automatic"),
            ),
            (
                "application.cooldownSeconds:",
                application(json!({ "cooldownSeconds": 300 }), "Automatic"),
                application(json!({ "cooldownSeconds": 299 }), "Automatic"),
            ),
            ("jsonPath: begin", state(".status.jobStatus.savepoint[0].path"), state(".spec.job")),
            ("percent:", share(100), share(101)),
            (
                "label: give it exactly when key",
                with(json!({ "spread": [{ "key": "Label", "label": "example.gov/ring" }] })),
                with(json!({ "spread": [{ "key": "Label" }] })),
            ),
            (
                "label: give it exactly when metric",
                preference(json!({ "metric": "Label", "label": { "key": "k" } })),
                preference(json!({ "label": { "key": "k" } })),
            ),
            ("lowest, highest:", preference(json!({})), preference(json!({ "highest": null }))),
            (
                "lowest: must",
                preference(json!({ "lowest": 5, "highest": 6 })),
                preference(json!({ "lowest": 6, "highest": 6 })),
            ),
            (
                "weight: must be 0 or more, because a preference",
                preference(json!({ "weight": 0 })),
                preference(json!({ "weight": -1 })),
            ),
            ("weight: must be 0 or more, because replicas", replicas(weight(0)), replicas(weight(-1))),
            (
                "divideBy:",
                replicas(json!({ "mode": "Duplicated" })),
                replicas(json!({ "mode": "Duplicated", "divideBy": "Packed" })),
            ),
            (
                "minPerCluster, maxPerCluster:",
                replicas(json!({ "maxPerCluster": 3 })),
                replicas(json!({ "mode": "Duplicated", "maxPerCluster": 3 })),
            ),
            ("weights:", replicas(weight(1)), replicas(json!({ "divideBy": "Weight" }))),
            (
                "minPerCluster: must",
                replicas(json!({ "minPerCluster": 2, "maxPerCluster": 2 })),
                replicas(json!({ "minPerCluster": 3, "maxPerCluster": 2 })),
            ),
            (
                "value: leave",
                toleration(json!({ "key": "k", "value": "v" })),
                toleration(json!({ "key": "k", "operator": "Exists", "value": "v" })),
            ),
            (
                "override: give at least one of clusters",
                overriding(json!({ "name": "o", "platforms": ["kunpeng-920"], "env": env })),
                overriding(json!({ "name": "o", "env": env })),
            ),
            (
                "override: give at least one of images",
                overriding(json!({ "name": "o", "platforms": ["kunpeng-920"], "env": env })),
                overriding(json!({ "name": "o", "platforms": ["kunpeng-920"] })),
            ),
            (
                "valueJson:",
                overriding(patch(json!({ "op": "remove", "path": "/spec/paused" }))),
                overriding(patch(json!({ "op": "replace", "path": "/spec/paused" }))),
            ),
        ],
    )
}

fn deliveries() -> Vec<Case> {
    let identity = json!({ "apiVersion": "v1", "kind": "ConfigMap", "namespace": "portal", "name": "web", "uid": "1" });
    let secret = json!({ "name": "web-1", "digest": sha('f') });
    let objects = |object: Value| json!({ "objects": [object] });
    of(
        "Delivery",
        vec![
            (
                "removing: name",
                json!({ "state": "Removing", "objects": null, "removing": [identity] }),
                json!({ "state": "Removing", "objects": null }),
            ),
            ("objects: give at least one with Present", json!({}), json!({ "objects": null })),
            (
                "manifest, secret, blob: give exactly one",
                objects(json!({ "name": "web", "secret": secret })),
                objects(json!({ "name": "web", "secret": secret, "manifest": delivered("web")["manifest"] })),
            ),
        ],
    )
}

fn migrations() -> Vec<Case> {
    let gate = |name: &str| migrating(&json!({ "gates": [{ "name": name, "before": "CutOver" }] }));
    let verified = |by: &str| {
        let proof = json!({ "wave": "first", "gate": "copy", "result": "Passed", "date": "2026-11-26", "recordedBy": "张三", "verifiedBy": by });
        json!({ "evidence": [proof] })
    };
    let trial = migrating(&json!({ "trialPercent": 10, "trialMinutes": 30 }));
    of(
        "Migration",
        vec![
            ("to: must be other clusters", json!({}), json!({ "to": ["kunpeng", "x86"] })),
            (
                "platforms:",
                json!({ "platforms": ["kunpeng-920"] }),
                json!({ "type": "Relocation", "platforms": ["kunpeng-920"] }),
            ),
            ("trialMinutes:", trial, migrating(&json!({ "trialMinutes": 30 }))),
            ("gates: choose another name", gate("functional-test"), gate("way-back")),
            ("verifiedBy: must be another", verified("李四"), verified("张三")),
        ],
    )
}

fn updates() -> Vec<Case> {
    let stopped = |lifted: bool| {
        let (by, at) = ("张三", "2026-11-26T01:00:00Z");
        json!({ "stop": { "order": "停〔2026〕3号", "requestedBy": by, "requestedAt": at, "lifted": lifted } })
    };
    let placed = |decision: char, previous: char, epoch: i32| json!({ "decision": sha(decision), "previous": sha(previous), "epoch": epoch });
    vec![
        update("ImageProfile", "digest: cannot", json!({}), json!({}), json!({ "digest": sha('e') })),
        update("InformationSystem", "projectCode: cannot", json!({}), json!({}), json!({ "projectCode": "other" })),
        update("OperatingMode", "ended: cannot", json!({ "ended": true }), json!({ "ended": true }), json!({})),
        update("Migration", "type, from, to", json!({}), json!({}), json!({ "to": ["phytium"] })),
        update(
            "Migration",
            "attempt: cannot be lowered",
            migrating(&json!({ "attempt": 2 })),
            migrating(&json!({ "attempt": 3 })),
            migrating(&json!({})),
        ),
        update("Approval", "order, subject", json!({}), json!({}), json!({ "digest": sha('e') })),
        update(
            "InformationSystem",
            "stop.lifted: cannot be taken back",
            stopped(true),
            json!({ "stop": { "order": "停〔2026〕3号", "requestedBy": "张三", "requestedAt": "2026-11-27T01:00:00Z" } }),
            stopped(false),
        ),
        update("InformationSystem", "stop: cannot be dropped", stopped(false), stopped(true), json!({})),
        update(
            "InformationSystem",
            "stop.order: cannot be changed",
            stopped(false),
            stopped(false),
            json!({ "stop": { "order": "停〔2026〕4号", "requestedBy": "张三", "requestedAt": "2026-11-26T01:00:00Z" } }),
        ),
        update("Delivery", "epoch: must", json!({}), json!({ "epoch": 4 }), json!({ "epoch": 2 })),
        update("FleetPlacement", "epoch: must", json!({}), placed('e', 'a', 3), placed('e', 'a', 2)),
        update("FleetPlacement", "previous: must", json!({}), placed('e', 'a', 4), placed('e', 'f', 4)),
        update("FleetPlacement", "sequence: cannot", json!({}), json!({}), json!({ "sequence": 8 })),
        update(
            "Tenant",
            "unifiedCode: cannot",
            json!({ "unifiedCode": "11532900MB0W12345X" }),
            json!({ "unifiedCode": "11532900MB0W12345X" }),
            json!({}),
        ),
    ]
}
