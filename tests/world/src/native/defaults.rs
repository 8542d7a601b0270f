//! Defaults of native kinds, as the defaulting functions of Kubernetes set them.

use serde_json::{Map, Value, json};

use crate::kinds::Kind;

/// Where a DaemonSet shows the generation of its template.
pub(crate) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// Puts the defaults of a kind in. The object has its Go form already.
pub(crate) fn default(kind: &Kind, object: &mut Value) {
    match kind.resource().as_str() {
        "deployments.apps" => deployment(object),
        "statefulsets.apps" => stateful_set(object),
        "daemonsets.apps" => daemon_set(object),
        "replicasets.apps" => {
            set(&mut object["spec"], "replicas", json!(1));
            template(&mut object["spec"]["template"]);
        }
        "jobs.batch" => {
            job_spec(&mut object["spec"]);
            let labels = object.pointer("/spec/template/metadata/labels").cloned();
            if let (Some(labels), None) = (labels, object.pointer("/metadata/labels")) {
                object["metadata"]["labels"] = labels;
            }
        }
        "cronjobs.batch" => {
            let spec = &mut object["spec"];
            set(spec, "concurrencyPolicy", json!("Allow"));
            set(spec, "suspend", json!(false));
            set(spec, "successfulJobsHistoryLimit", json!(3));
            set(spec, "failedJobsHistoryLimit", json!(1));
            template(&mut spec["jobTemplate"]["spec"]["template"]);
        }
        "pods" => {
            pod_spec(&mut object["spec"]);
            for list in ["containers", "initContainers"] {
                for container in each(&mut object["spec"], list) {
                    requests_from_limits(container);
                }
            }
            set(&mut object["spec"], "enableServiceLinks", json!(true));
            set(&mut object["status"], "phase", json!("Pending"));
        }
        "services" => service(object),
        "secrets" => secret(object),
        "namespaces" => {
            if let Some(name) = object.pointer("/metadata/name").cloned().filter(|name| name != "") {
                object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
            }
            set(&mut object["status"], "phase", json!("Active"));
        }
        "persistentvolumeclaims" => {
            set(&mut object["spec"], "volumeMode", json!("Filesystem"));
            set(&mut object["status"], "phase", json!("Pending"));
        }
        "persistentvolumes" => {
            set(&mut object["spec"], "volumeMode", json!("Filesystem"));
            set(&mut object["spec"], "persistentVolumeReclaimPolicy", json!("Retain"));
            set(&mut object["status"], "phase", json!("Pending"));
        }
        "nodes" => {
            let capacity = object.pointer("/status/capacity").cloned();
            if let Some(capacity) = capacity {
                set(&mut object["status"], "allocatable", capacity);
            }
        }
        "horizontalpodautoscalers.autoscaling" => autoscaler(object),
        "networkpolicies.networking.k8s.io" => network_policy(object),
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => binding(object),
        "storageclasses.storage.k8s.io" => {
            set(object, "reclaimPolicy", json!("Delete"));
            set(object, "volumeBindingMode", json!("Immediate"));
        }
        "priorityclasses.scheduling.k8s.io" => set(object, "preemptionPolicy", json!("PreemptLowerPriority")),
        "validatingadmissionpolicies.admissionregistration.k8s.io" => {
            set(&mut object["spec"], "failurePolicy", json!("Fail"));
            let constraints = &mut object["spec"]["matchConstraints"];
            if constraints.is_object() {
                set(constraints, "matchPolicy", json!("Equivalent"));
                set(constraints, "namespaceSelector", json!({}));
                set(constraints, "objectSelector", json!({}));
                for rule in each(constraints, "resourceRules") {
                    set(rule, "scope", json!("*"));
                }
            }
        }
        "validatingadmissionpolicybindings.admissionregistration.k8s.io" => {
            let resources = &mut object["spec"]["matchResources"];
            if resources.is_object() {
                set(resources, "matchPolicy", json!("Equivalent"));
                set(resources, "namespaceSelector", json!({}));
                set(resources, "objectSelector", json!({}));
            } else if let Some(spec) = object["spec"].as_object_mut() {
                spec.remove("matchResources");
            }
        }
        "customresourcedefinitions.apiextensions.k8s.io" => definition(object),
        _ => {}
    }
}

/// Sets a field that is absent or empty.
fn set(object: &mut Value, field: &str, value: Value) {
    if object.is_null() {
        *object = json!({});
    }
    if let Some(fields) = object.as_object_mut() {
        let absent = fields.get(field).is_none_or(|seen| seen.is_null() || seen == "");
        if absent {
            fields.insert(field.to_owned(), value);
        }
    }
}

/// The elements of a list field.
fn each<'v>(object: &'v mut Value, field: &str) -> impl Iterator<Item = &'v mut Value> {
    object.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten()
}

fn deployment(object: &mut Value) {
    let spec = &mut object["spec"];
    set(spec, "replicas", json!(1));
    set(&mut spec["strategy"], "type", json!("RollingUpdate"));
    if spec["strategy"]["type"] == "RollingUpdate" {
        let rolling = &mut spec["strategy"]["rollingUpdate"];
        set(rolling, "maxUnavailable", json!("25%"));
        set(rolling, "maxSurge", json!("25%"));
    }
    set(spec, "revisionHistoryLimit", json!(10));
    set(spec, "progressDeadlineSeconds", json!(600));
    template(&mut spec["template"]);
}

fn stateful_set(object: &mut Value) {
    let spec = &mut object["spec"];
    set(spec, "podManagementPolicy", json!("OrderedReady"));
    let untyped = spec["updateStrategy"]["type"].as_str().is_none_or(str::is_empty);
    set(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
    if untyped && spec["updateStrategy"].get("rollingUpdate").is_none() {
        spec["updateStrategy"]["rollingUpdate"] = json!({});
    }
    if spec["updateStrategy"]["type"] == "RollingUpdate" && spec["updateStrategy"].get("rollingUpdate").is_some() {
        set(&mut spec["updateStrategy"]["rollingUpdate"], "partition", json!(0));
    }
    let retention = &mut spec["persistentVolumeClaimRetentionPolicy"];
    set(retention, "whenDeleted", json!("Retain"));
    set(retention, "whenScaled", json!("Retain"));
    set(spec, "replicas", json!(1));
    set(spec, "revisionHistoryLimit", json!(10));
    for claim in each(spec, "volumeClaimTemplates") {
        set(&mut claim["spec"], "volumeMode", json!("Filesystem"));
        set(&mut claim["status"], "phase", json!("Pending"));
        set(claim, "apiVersion", json!("v1"));
        set(claim, "kind", json!("PersistentVolumeClaim"));
    }
    template(&mut spec["template"]);
}

fn daemon_set(object: &mut Value) {
    set(&mut object["metadata"]["annotations"], TEMPLATE_GENERATION, json!("0"));
    let spec = &mut object["spec"];
    set(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        let rolling = &mut spec["updateStrategy"]["rollingUpdate"];
        set(rolling, "maxUnavailable", json!(1));
        set(rolling, "maxSurge", json!(0));
    }
    set(spec, "revisionHistoryLimit", json!(10));
    template(&mut spec["template"]);
}

fn job_spec(spec: &mut Value) {
    if spec.get("completions").is_none() && spec.get("parallelism").is_none() {
        spec["completions"] = json!(1);
    }
    set(spec, "parallelism", json!(1));
    set(spec, "backoffLimit", json!(6));
    set(spec, "completionMode", json!("NonIndexed"));
    set(spec, "suspend", json!(false));
    let replacement = if spec.get("podFailurePolicy").is_some() { "Failed" } else { "TerminatingOrFailed" };
    set(spec, "podReplacementPolicy", json!(replacement));
    set(spec, "manualSelector", json!(false));
    template(&mut spec["template"]);
}

/// A pod template; an empty one stays as it is, validation refuses it.
fn template(template: &mut Value) {
    pod_spec(&mut template["spec"]);
}

fn pod_spec(spec: &mut Value) {
    set(spec, "dnsPolicy", json!("ClusterFirst"));
    set(spec, "restartPolicy", json!("Always"));
    set(spec, "securityContext", json!({}));
    set(spec, "terminationGracePeriodSeconds", json!(30));
    set(spec, "schedulerName", json!("default-scheduler"));
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        // The old name of the field is printed beside the new one.
        set(spec, "serviceAccount", account);
    }
    for volume in each(spec, "volumes") {
        volume_source(volume);
    }
    let host_network = spec.get("hostNetwork") == Some(&json!(true));
    for list in ["containers", "initContainers"] {
        for container in each(spec, list) {
            self::container(container, host_network);
        }
    }
}

fn volume_source(volume: &mut Value) {
    for (source, field, mode) in [
        ("secret", "defaultMode", json!(420)),
        ("configMap", "defaultMode", json!(420)),
        ("downwardAPI", "defaultMode", json!(420)),
        ("projected", "defaultMode", json!(420)),
        ("hostPath", "type", json!("")),
    ] {
        if volume.get(source).is_some_and(Value::is_object) && volume[source].get(field).is_none() {
            volume[source][field] = mode;
        }
    }
    if volume.as_object().is_some_and(|fields| fields.keys().all(|name| name == "name")) {
        volume["emptyDir"] = json!({});
    }
}

fn container(container: &mut Value, host_network: bool) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let policy = if is_latest(image) { "Always" } else { "IfNotPresent" };
    set(container, "imagePullPolicy", json!(policy));
    set(container, "terminationMessagePath", json!("/dev/termination-log"));
    set(container, "terminationMessagePolicy", json!("File"));
    for port in each(container, "ports") {
        set(port, "protocol", json!("TCP"));
        if host_network {
            let own = port["containerPort"].clone();
            set(port, "hostPort", own);
        }
    }
    for variable in each(container, "env") {
        let field = &mut variable["valueFrom"]["fieldRef"];
        if field.is_object() {
            set(field, "apiVersion", json!("v1"));
        } else {
            without_null_source(variable);
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container.get(probe).is_some_and(Value::is_object) {
            self::probe(&mut container[probe]);
        }
    }
    for hook in ["postStart", "preStop"] {
        let pointer = format!("/lifecycle/{hook}/httpGet");
        if let Some(get) = container.pointer_mut(&pointer) {
            set(get, "path", json!("/"));
            set(get, "scheme", json!("HTTP"));
        }
    }
}

/// A pod asks for what it is limited to, where it says nothing else.
fn requests_from_limits(container: &mut Value) {
    let limits = container.pointer("/resources/limits").and_then(Value::as_object).cloned();
    for (name, quantity) in limits.into_iter().flatten() {
        set(&mut container["resources"]["requests"], &name, quantity);
    }
}

/// Looking at a field made it; take it away again.
fn without_null_source(variable: &mut Value) {
    let empty = variable["valueFrom"].as_object().is_none_or(|from| from.values().all(Value::is_null));
    if let Some(fields) = variable.as_object_mut() {
        if empty {
            fields.remove("valueFrom");
        } else if let Some(from) = fields.get_mut("valueFrom").and_then(Value::as_object_mut) {
            from.retain(|_, value| !value.is_null());
        }
    }
}

fn probe(probe: &mut Value) {
    for (field, value) in
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        set(probe, field, json!(value));
    }
    if let Some(get) = probe.get_mut("httpGet") {
        set(get, "path", json!("/"));
        set(get, "scheme", json!("HTTP"));
    }
    if let Some(grpc) = probe.get_mut("grpc").and_then(Value::as_object_mut) {
        grpc.entry("service").or_insert(json!(""));
    }
}

/// Whether an image has the tag `latest`, said or not.
fn is_latest(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn service(object: &mut Value) {
    let spec = &mut object["spec"];
    set(spec, "sessionAffinity", json!("None"));
    if spec["sessionAffinity"] == "ClientIP" {
        set(&mut spec["sessionAffinityConfig"]["clientIP"], "timeoutSeconds", json!(10800));
    }
    set(spec, "type", json!("ClusterIP"));
    for port in each(spec, "ports") {
        set(port, "protocol", json!("TCP"));
        if port.get("targetPort").is_none_or(|target| target == 0 || target == "") {
            port["targetPort"] = port["port"].clone();
        }
    }
    let kind = spec["type"].as_str().unwrap_or_default().to_owned();
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        set(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if kind != "ExternalName" {
        set(spec, "internalTrafficPolicy", json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
}

fn secret(object: &mut Value) {
    use base64::Engine as _;
    set(object, "type", json!("Opaque"));
    let plain = object.get("stringData").and_then(Value::as_object).cloned();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("stringData");
    }
    for (name, text) in plain.into_iter().flatten() {
        let text = text.as_str().unwrap_or_default();
        object["data"][name] = json!(base64::engine::general_purpose::STANDARD.encode(text));
    }
}

fn autoscaler(object: &mut Value) {
    let spec = &mut object["spec"];
    set(spec, "minReplicas", json!(1));
    if spec.get("metrics").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        spec["metrics"] = json!([{"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]);
    }
    if spec.get("behavior").is_some_and(Value::is_object) {
        let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
        let up = &mut spec["behavior"]["scaleUp"];
        set(up, "stabilizationWindowSeconds", json!(0));
        set(up, "selectPolicy", json!("Max"));
        set(up, "policies", json!([{"type": "Pods", "value": 4, "periodSeconds": 15}, percent]));
        let down = &mut spec["behavior"]["scaleDown"];
        set(down, "selectPolicy", json!("Max"));
        set(down, "policies", json!([percent]));
    }
}

fn network_policy(object: &mut Value) {
    let spec = &mut object["spec"];
    if spec.get("policyTypes").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        let egress = spec.get("egress").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty());
        spec["policyTypes"] = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    }
    for list in ["ingress", "egress"] {
        for rule in each(spec, list) {
            for port in each(rule, "ports") {
                set(port, "protocol", json!("TCP"));
            }
        }
    }
}

fn binding(object: &mut Value) {
    let group = "rbac.authorization.k8s.io";
    set(&mut object["roleRef"], "apiGroup", json!(group));
    for subject in each(object, "subjects") {
        if subject["kind"] == "User" || subject["kind"] == "Group" {
            set(subject, "apiGroup", json!(group));
        }
    }
}

fn definition(object: &mut Value) {
    let spec = &mut object["spec"];
    let kind = spec["names"]["kind"].as_str().unwrap_or_default().to_owned();
    set(&mut spec["names"], "singular", json!(kind.to_lowercase()));
    set(&mut spec["names"], "listKind", json!(format!("{kind}List")));
    set(spec, "conversion", json!({"strategy": "None"}));
    if spec["conversion"].as_object().is_some_and(Map::is_empty) {
        spec["conversion"] = json!({"strategy": "None"});
    }
}
