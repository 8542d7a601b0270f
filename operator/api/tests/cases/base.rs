//! A small valid object of each kind, on which the examples of rules are patches.

use serde_json::{Value, json};

/// A small valid object of a kind, without apiVersion and kind.
pub(crate) fn base(kind: &str) -> Value {
    let spec = match kind {
        "Approval" => json!({
            "order": "StopSystem", "subject": "portal/portal", "digest": sha('a'), "requester": "张三",
            "approvers": [{ "user": "李四", "role": "分管局长" }], "document": { "number": "云数停〔2026〕3号" },
            "until": "2026-12-31",
        }),
        "ChangeFreeze" => {
            json!({ "start": "2026-09-28T00:00:00Z", "end": "2026-10-08T00:00:00Z", "reason": "国庆保障" })
        }
        "ClusterPlacementPolicy" => json!({ "placement": {} }),
        "CpuPlatform" => {
            json!({ "displayName": "鲲鹏 920", "vendor": "华为", "brand": "Kunpeng", "architecture": "arm64" })
        }
        "Delivery" => json!({
            "cluster": "kunpeng", "workload": { "namespace": "portal", "name": "web" }, "tenant": "bureau",
            "decision": sha('a'), "epoch": 3, "objects": [delivered("web")],
        }),
        "FleetPlacement" => json!({
            "decision": sha('a'), "epoch": 3, "sequence": 7, "inputs": { "workload": sha('b'), "snapshot": sha('c') },
        }),
        "FleetWorkload" => json!({
            "system": "portal",
            "objects": [{ "name": "web", "manifest": { "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" } } }],
        }),
        "ImageProfile" => json!({
            "image": "registry.gov.example/app/web", "digest": sha('d'), "entries": [{ "architecture": "arm64" }],
        }),
        "InformationSystem" => json!({
            "displayName": "一网通办", "projectCode": "530000-2023-0001", "tenant": "bureau",
            "functionDomain": "PublicService", "dataClass": { "class": "General", "setBy": "数据所有者" },
        }),
        "MemberCluster" => json!({
            "site": "dali-1", "form": "Private", "ownership": "Government", "connection": { "pull": {} },
        }),
        "Migration" => migrating(&json!({})),
        "OperatingMode" => json!({
            "from": "2026-11-26T00:00:00Z", "until": "2026-11-28T00:00:00Z", "reason": "防汛一级响应",
            "document": { "number": "云防汛〔2026〕1号" }, "requestedBy": "张三", "requestedAt": "2026-11-25T23:00:00Z",
            "workloads": [{ "namespace": "emergency", "name": "command" }],
        }),
        "PriceBook" => json!({ "displayName": "价目表", "provider": "cloud-a", "items": [] }),
        "Report" => {
            json!({ "report": { "type": "Adoption", "period": { "from": "2026-01-01", "until": "2026-03-31" } } })
        }
        "Site" => json!({ "displayName": "大理一号机房", "region": "532900", "provider": "cloud-a" }),
        "SovereigntyTier" => json!({ "displayName": "S2", "rank": 2 }),
        "Tenant" => json!({ "displayName": "大理州大数据局", "level": "City", "region": "532900" }),
        _ => panic!("no base for {kind}"),
    };
    json!({ "metadata": { "name": "example" }, "spec": spec })
}

/// A migration whose one wave says this beside its name and workloads.
pub(super) fn migrating(wave: &Value) -> Value {
    let mut first = json!({ "name": "first", "workloads": ["web"] });
    merge(&mut first, wave);
    json!({ "type": "Adaptation", "from": ["x86"], "to": ["kunpeng"], "waves": [first] })
}

/// A rendered object of a delivery.
pub(super) fn delivered(name: &str) -> Value {
    json!({ "name": name, "manifest": { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name } } })
}

/// RFC 7396.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().expect("made above").remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
}

/// A whole object of a kind: its base with a patch.
pub(crate) fn object(kind: &str, patch: &Value) -> Value {
    let mut object = base(kind);
    merge(&mut object, patch);
    object["apiVersion"] = json!("jiuzhou.dev/v1alpha1");
    object["kind"] = json!(kind);
    object
}

/// A digest of 64 equal digits.
pub(super) fn sha(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}
