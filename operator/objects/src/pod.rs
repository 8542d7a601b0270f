//! What one pod asks of a node, computed as Kubernetes does.
//!
//! The formula is that of k8s.io/component-helpers `resource.PodRequests` after the defaults of the API server: a limit
//! without a request is the request; containers add up; an init container needs its own request plus those of the
//! restartable ones before it; restartable ones also run with the containers; pod-level cpu, memory and huge pages
//! (1.32) replace the sum; overhead comes last. Sums are exact, rounding up happens once at the end.

use std::collections::BTreeMap;

use jiuzhou_engine::terms::{Bytes, Code, Finding, Form, Millicores, Reason};
use serde_json::Value;

use crate::object::{Object, items, shown};
use crate::path::join;
use crate::quantity::Quantity;

/// Requests by resource name, exact.
type List = BTreeMap<String, Quantity>;

/// What one pod asks for. Absent resources are not in the map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodRequests {
    /// `cpu`.
    pub cpu: Millicores,
    /// `memory`.
    pub memory: Bytes,
    /// `ephemeral-storage`.
    pub ephemeral_storage: Bytes,
    /// Everything else by full name, in whole units: huge pages in bytes, extended resources in pieces.
    pub extended: BTreeMap<String, i64>,
}

/// Computes the requests of the pod template (or Pod) at a pointer. Faults go to `findings`; the faulty entry counts
/// as absent, so a caller must not place an object with errors.
#[must_use]
pub fn pod_requests(object: Object<'_>, template: &str, findings: &mut Vec<Finding>) -> PodRequests {
    let spec_pointer = join(template, "spec");
    let Some(spec) = object.value.pointer(&spec_pointer) else { return PodRequests::default() };
    let mut reader = Reader { object, findings };
    let mut total = reader.containers(spec, &spec_pointer);
    reader.pod_level(spec, &spec_pointer, &mut total);
    let overhead = reader.list(spec.get("overhead"), &join(&spec_pointer, "overhead"));
    reader.add(&mut total, &overhead, &spec_pointer);
    reader.round(total, &spec_pointer)
}

struct Reader<'o, 'f> {
    object: Object<'o>,
    findings: &'f mut Vec<Finding>,
}

impl Reader<'_, '_> {
    fn containers(&mut self, spec: &Value, pointer: &str) -> List {
        let mut sum = List::new();
        for (index, container) in items(spec, "/containers").iter().enumerate() {
            let here = format!("{pointer}/containers/{index}/resources");
            let requests = self.effective(container.get("resources"), &here);
            self.add(&mut sum, &requests, &here);
        }
        let (mut sidecars, mut peak) = (List::new(), List::new());
        for (index, container) in items(spec, "/initContainers").iter().enumerate() {
            let here = format!("{pointer}/initContainers/{index}/resources");
            let requests = self.effective(container.get("resources"), &here);
            if container.get("restartPolicy").and_then(Value::as_str) == Some("Always") {
                self.add(&mut sum, &requests, &here);
                self.add(&mut sidecars, &requests, &here);
                raise(&mut peak, &sidecars);
            } else {
                let mut running = requests;
                self.add(&mut running, &sidecars, &here);
                raise(&mut peak, &running);
            }
        }
        raise(&mut sum, &peak);
        sum
    }

    /// Pod-level requests replace the sum for cpu, memory and huge pages. A limit without a request stands in where no
    /// container asks for that resource; huge pages cannot be overcommitted, so there the limit always stands in.
    fn pod_level(&mut self, spec: &Value, pointer: &str, total: &mut List) {
        let Some(resources) = spec.get("resources") else { return };
        let requests = self.list(resources.get("requests"), &format!("{pointer}/resources/requests"));
        let limits = self.list(resources.get("limits"), &format!("{pointer}/resources/limits"));
        for (name, limit) in limits {
            let huge = name.starts_with("hugepages-");
            if pod_level_resource(&name) && !requests.contains_key(&name) && (huge || !total.contains_key(&name)) {
                total.insert(name, limit);
            }
        }
        for (name, request) in requests.into_iter().filter(|(name, _)| pod_level_resource(name)) {
            total.insert(name, request);
        }
    }

    /// A container's requests, with limits standing in for missing ones.
    fn effective(&mut self, resources: Option<&Value>, pointer: &str) -> List {
        let Some(resources) = resources else { return List::new() };
        let mut requests = self.list(resources.get("requests"), &join(pointer, "requests"));
        let limits = self.list(resources.get("limits"), &join(pointer, "limits"));
        for (name, limit) in limits {
            let request = *requests.entry(name.clone()).or_insert(limit);
            if request.nanos() > limit.nanos() {
                let reason = Reason::new(Code::RequestAboveLimit)
                    .object(name.as_str())
                    .seen(request.to_string())
                    .wanted(limit.to_string());
                self.findings.push(self.object.finding(reason, join(&join(pointer, "requests"), &name)));
            }
        }
        requests
    }

    fn list(&mut self, value: Option<&Value>, pointer: &str) -> List {
        let mut list = List::new();
        let entries = match value {
            None | Some(Value::Null) => return list,
            Some(Value::Object(entries)) => entries,
            Some(other) => {
                let reason =
                    Reason::new(Code::ManifestFieldInvalid).object(pointer).seen(shown(other)).wanted(Form::Map);
                self.findings.push(self.object.finding(reason, pointer));
                return list;
            }
        };
        for (name, value) in entries {
            let read = Quantity::from_value(value).map_err(|error| error.to_string());
            match read {
                Ok(quantity) if quantity.is_negative() => self.bad(name, value, pointer, Form::QuantityFromZero),
                Ok(quantity) if counted_in_pieces(name) && !quantity.is_whole() => {
                    self.bad(name, value, pointer, Form::Whole);
                }
                Ok(quantity) => {
                    list.insert(name.clone(), quantity);
                }
                Err(_) => self.bad(name, value, pointer, Form::Quantity),
            }
        }
        list
    }

    fn bad(&mut self, name: &str, value: &Value, pointer: &str, wanted: Form<'_>) {
        let reason = Reason::new(Code::QuantityInvalid).object(name).seen(shown(value)).wanted(wanted);
        self.findings.push(self.object.finding(reason, join(pointer, name)));
    }

    fn add(&mut self, sum: &mut List, more: &List, pointer: &str) {
        for (name, quantity) in more {
            let present = sum.get(name).copied().unwrap_or_default();
            if let Some(total) = present.checked_add(*quantity) {
                sum.insert(name.clone(), total);
            } else {
                self.overflow(name, pointer);
            }
        }
    }

    fn overflow(&mut self, name: &str, pointer: &str) {
        let reason =
            Reason::new(Code::QuantityInvalid).object(name).seen(Form::UncountableSum).wanted(Form::SmallerQuantity);
        self.findings.push(self.object.finding(reason, pointer));
    }

    fn round(&mut self, total: List, pointer: &str) -> PodRequests {
        let mut requests = PodRequests::default();
        for (name, quantity) in total {
            let rounded = if name == "cpu" { quantity.millicores().map(|m| m.0) } else { quantity.units() };
            let Some(rounded) = rounded else {
                self.overflow(&name, pointer);
                continue;
            };
            match name.as_str() {
                "cpu" => requests.cpu = Millicores(rounded),
                "memory" => requests.memory = Bytes(rounded),
                "ephemeral-storage" => requests.ephemeral_storage = Bytes(rounded),
                _ => {
                    requests.extended.insert(name, rounded);
                }
            }
        }
        requests
    }
}

fn raise(list: &mut List, other: &List) {
    for (name, quantity) in other {
        let present = list.get(name).copied().unwrap_or_default();
        list.insert(name.clone(), present.max(*quantity));
    }
}

fn pod_level_resource(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || name.starts_with("hugepages-")
}

/// Extended resources (a domain prefix) are integers in the API server's validation.
fn counted_in_pieces(name: &str) -> bool {
    name.contains('/')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a json! literal is read best as an argument")]
    fn requests(spec: Value) -> (PodRequests, Vec<Finding>) {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec});
        let mut findings = Vec::new();
        (pod_requests(Object::new(&pod), "", &mut findings), findings)
    }

    fn cpu(millis: i64) -> Value {
        json!({"resources": {"requests": {"cpu": format!("{millis}m")}}})
    }

    fn sidecar(millis: i64) -> Value {
        json!({"restartPolicy": "Always", "resources": {"requests": {"cpu": format!("{millis}m")}}})
    }

    #[test]
    fn init_containers_and_sidecars_count_as_the_scheduler_counts() {
        // (name, init, containers, cpu in milli)
        let table = [
            ("containers add up", vec![], vec![cpu(300), cpu(200)], 500),
            ("the largest init container below the sum", vec![cpu(400), cpu(100)], vec![cpu(300), cpu(200)], 500),
            ("the largest init container above the sum", vec![cpu(700), cpu(600)], vec![cpu(300)], 700),
            ("a sidecar runs with the containers", vec![sidecar(100)], vec![cpu(300)], 400),
            ("init after a sidecar", vec![sidecar(100), cpu(500)], vec![cpu(300)], 600),
            ("init before a sidecar", vec![cpu(500), sidecar(100)], vec![cpu(300)], 500),
            ("sidecars accumulate in order", vec![sidecar(100), cpu(250), sidecar(200), cpu(400)], vec![cpu(50)], 700),
            ("only sidecars", vec![sidecar(100), sidecar(200)], vec![], 300),
        ];
        for (name, init, containers, want) in table {
            let (got, findings) = requests(json!({"initContainers": init, "containers": containers}));
            assert_eq!((got.cpu, findings), (Millicores(want), vec![]), "{name}");
        }
    }

    #[test]
    fn limits_stand_in_and_every_resource_keeps_its_unit() {
        let (got, findings) = requests(json!({"containers": [
            {"resources": {"limits": {"cpu": 2, "memory": "1Gi", "huawei.com/Ascend910": "1"}}},
            {"resources": {"requests": {"memory": "512Mi", "ephemeral-storage": "1.5k"},
                           "limits": {"memory": "1Gi", "hugepages-2Mi": "4Mi"}}},
        ]}));
        assert_eq!(findings, vec![]);
        assert_eq!(got.cpu, Millicores(2000));
        assert_eq!(got.memory, Bytes((1 << 30) + (1 << 29)));
        assert_eq!(got.ephemeral_storage, Bytes(1500));
        let extended: Vec<_> = got.extended.iter().map(|(k, v)| (k.as_str(), *v)).collect();
        assert_eq!(extended, [("huawei.com/Ascend910", 1), ("hugepages-2Mi", 4 << 20)]);
    }

    #[test]
    fn pod_level_resources_replace_the_sum_and_overhead_comes_on_top() {
        let containers = json!([cpu(300), cpu(300)]);
        let table = [
            (json!({"requests": {"cpu": "2"}}), 2100, 0),
            (json!({"requests": {"cpu": "100m"}}), 200, 0),
            (json!({"limits": {"cpu": "4"}}), 700, 0), // containers ask for cpu: their sum is the default
            (json!({"limits": {"memory": "1Ki"}}), 700, 1024), // none asks for memory: the limit is
            (json!({"requests": {"example.com/gpu": "3"}}), 700, 0), // not a pod-level resource
        ];
        for (resources, want_cpu, want_memory) in table {
            let spec = json!({"containers": containers, "resources": resources, "overhead": {"cpu": "100m"}});
            let (got, _) = requests(spec);
            assert_eq!((got.cpu, got.memory), (Millicores(want_cpu), Bytes(want_memory)), "{resources}");
            assert!(got.extended.is_empty());
        }
    }

    #[test]
    fn parts_of_a_milli_add_up_before_they_round() {
        let third = json!({"resources": {"requests": {"cpu": "333333n"}}});
        let (got, _) = requests(json!({"containers": [third, third, third]}));
        assert_eq!(got.cpu, Millicores(1), "999999 n is one milli, not three");
    }

    #[test]
    fn faults_are_found_with_their_pointer() {
        let (_, findings) = requests(json!({"containers": [{"resources": {
            "requests": {"cpu": "2", "memory": "1GB", "example.com/gpu": "0.5", "hugepages-2Mi": -1},
            "limits": {"cpu": "1"}}}], "overhead": 5}));
        let found: Vec<_> = findings.iter().map(|f| (f.reason.code, f.pointer.as_str())).collect();
        let here = "/spec/containers/0/resources/requests";
        assert_eq!(
            found,
            [
                (Code::QuantityInvalid, &*format!("{here}/example.com~1gpu")),
                (Code::QuantityInvalid, &*format!("{here}/hugepages-2Mi")),
                (Code::QuantityInvalid, &*format!("{here}/memory")),
                (Code::RequestAboveLimit, &*format!("{here}/cpu")),
                (Code::ManifestFieldInvalid, "/spec/overhead"),
            ]
        );
    }

    #[test]
    fn a_sum_beyond_the_range_is_a_finding() {
        let big = json!({"resources": {"requests": {"memory": "8E"}}});
        let (_, findings) = requests(json!({"containers": [big, big]}));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].reason.code, Code::QuantityInvalid);
    }
}
