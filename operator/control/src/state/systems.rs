//! Information systems of the hub, and which workloads are of them.

use jiuzhou_api::v1alpha1 as api;
use jiuzhou_engine::decide::WorkloadKey;
use serde_json::Value;

use super::State;

impl State {
    /// A system as the API server has it.
    #[must_use]
    pub fn system(&self, key: &WorkloadKey) -> Option<&api::InformationSystem> {
        self.objects.systems.get(&(key.namespace.clone(), key.name.clone())).map(|item| &*item.object)
    }

    /// The workloads of a system.
    pub fn workloads_of(&self, key: &WorkloadKey) -> impl Iterator<Item = &api::FleetWorkload> {
        let (namespace, name) = (key.namespace.clone(), key.name.clone());
        let from = (namespace.clone(), String::new());
        let here = self.objects.workloads.range(from..).take_while(move |((of, _), _)| *of == namespace);
        here.map(|(_, item)| &*item.object).filter(move |workload| *workload.spec.system == *name)
    }

    /// Every system.
    pub fn systems(&self) -> impl Iterator<Item = (WorkloadKey, &api::InformationSystem)> {
        let key = |(namespace, name): &(String, String)| WorkloadKey::new(namespace, name);
        self.objects.systems.iter().map(move |(of, item)| (key(of), &*item.object))
    }

    /// Whether an object is a system that says what it said before, so that only what is told of it may be new.
    #[must_use]
    pub fn is_told_only(&self, value: &Value) -> bool {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if text("/kind") != "InformationSystem" {
            return false;
        }
        let key = WorkloadKey::new(text("/metadata/namespace"), text("/metadata/name"));
        let generation = value.pointer("/metadata/generation").and_then(Value::as_i64);
        self.system(&key).is_some_and(|known| {
            generation.is_some()
                && known.metadata.generation == generation
                && known.metadata.uid.as_deref() == Some(text("/metadata/uid"))
        })
    }
}
