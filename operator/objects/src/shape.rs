//! The shape of a workload: how many pods of which requests, what volumes they claim, and who scales them.
//!
//! A shape says what an object asks for, not whether anything can give it. Components declared for a kind without a
//! profile take the same form ([`Shape::declared`]).

use jiuzhou_engine::terms::{Bytes, Code, Finding, Form, ObjectRef, Reason};
use serde_json::Value;

use crate::object::{Object, items, shown, texts};
use crate::path::Path;
use crate::pod::{PodRequests, pod_requests};
use crate::profile::{Continuity, CountRule, Profile};
use crate::quantity::Quantity;

/// How many pods run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// This many.
    Pods(i64),
    /// A Job: at most `parallelism` at once until `completions` have ended (`None`: until one says so).
    Job {
        /// Pods at once, already at most `completions`.
        parallelism: i64,
        /// Pods in all.
        completions: Option<i64>,
    },
    /// One on every node that matches.
    PerNode,
}

impl Count {
    /// Pods at once; `None` for one per node.
    #[must_use]
    pub fn pods(self) -> Option<i64> {
        match self {
            Self::Pods(pods) | Self::Job { parallelism: pods, .. } => Some(pods),
            Self::PerNode => None,
        }
    }
}

/// A claim of storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Name of the claim or of its template.
    pub name: String,
    /// Storage class; `None` takes the cluster's default, an empty one takes none.
    pub class: Option<String>,
    /// Access modes as written.
    pub access_modes: Vec<String>,
    /// Size asked for.
    pub size: Bytes,
    /// Already tied to a volume: the data is there and nowhere else.
    pub bound: bool,
}

/// Pods of one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// JSON pointer of the template; for declared components their name.
    pub template: String,
    /// How many.
    pub count: Count,
    /// What each asks of a node.
    pub requests: PodRequests,
    /// Claims each pod makes of its own (volumeClaimTemplates, ephemeral volumes).
    pub claims: Vec<Claim>,
}

/// Who scales a workload, and between which bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaler {
    /// The HorizontalPodAutoscaler.
    pub scaler: ObjectRef,
    /// What it scales.
    pub target: ObjectRef,
    /// Smallest number of pods; Kubernetes' default is 1.
    pub min: i64,
    /// Largest number of pods.
    pub max: i64,
}

/// A workload in figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The object.
    pub object: ObjectRef,
    /// Its templates, in the profile's order.
    pub components: Vec<Component>,
    /// How it may be moved: the profile's default, or single-writer as soon as it claims storage.
    pub continuity: Continuity,
}

impl Shape {
    /// Reads the shape of an object by its profile.
    #[must_use]
    pub fn of(object: Object<'_>, profile: &Profile, findings: &mut Vec<Finding>) -> Self {
        let own = profile.claims.iter().flat_map(|path| path.resolve(object.value));
        let own: Vec<String> = own.flat_map(|list| children(object.value, &list)).collect();
        let mut components = Vec::new();
        let mut claims_storage = !own.is_empty();
        for (template, rule) in profile.templates_in(object) {
            let mut claims: Vec<Claim> = own.iter().map(|pointer| claim(object, pointer, findings)).collect();
            for volume in children(object.value, &format!("{template}/spec/volumes")) {
                let ephemeral = format!("{volume}/ephemeral/volumeClaimTemplate");
                if object.value.pointer(&ephemeral).is_some() {
                    let name = object.text(&format!("{volume}/name")).to_owned();
                    claims.push(Claim { name, ..claim(object, &ephemeral, findings) });
                }
                claims_storage |= object.value.pointer(&format!("{volume}/persistentVolumeClaim")).is_some();
            }
            components.push(Component {
                requests: pod_requests(object, &template, findings),
                count: count(object, &template, rule, findings),
                template,
                claims,
            });
        }
        let single = claims_storage && profile.continuity == Continuity::AddBeforeRemove;
        let continuity = if single { Continuity::SingleWriter } else { profile.continuity };
        Self { object: object.reference(), components, continuity }
    }

    /// The shape of an object of a kind without a profile, from components its owner declared.
    #[must_use]
    pub fn declared(object: ObjectRef, components: Vec<(String, i64, PodRequests)>, continuity: Continuity) -> Self {
        let component =
            |(template, pods, requests)| Component { template, count: Count::Pods(pods), requests, claims: Vec::new() };
        Self { object, components: components.into_iter().map(component).collect(), continuity }
    }

    /// The scaler of this workload among some; when several name it, the first by name (Kubernetes would let them
    /// fight).
    #[must_use]
    pub fn scaler<'a>(&self, scalers: &'a [Scaler]) -> Option<&'a Scaler> {
        scalers.iter().filter(|s| s.target == self.object).min_by_key(|s| &s.scaler)
    }
}

fn children(value: &Value, pointer: &str) -> Vec<String> {
    (0..items(value, pointer).len()).map(|index| format!("{pointer}/{index}")).collect()
}

fn count(object: Object<'_>, template: &str, rule: &CountRule, findings: &mut Vec<Finding>) -> Count {
    match rule {
        CountRule::One => Count::Pods(1),
        CountRule::PerNode => Count::PerNode,
        CountRule::At(path) => {
            let pointer = path.beside(template).or_else(|| path.resolve(object.value).into_iter().next());
            Count::Pods(pointer.and_then(|pointer| whole_at(object, pointer, findings)).unwrap_or(1))
        }
        CountRule::JobSpec(path) => {
            let completions = whole(object, &path.child("completions"), findings);
            let parallelism = whole(object, &path.child("parallelism"), findings);
            let suspended = path.child("suspend").first(object.value) == Some(&Value::Bool(true));
            // Kubernetes sets both to 1 when neither is written, and leaves completions open when only the other is.
            let completions = if parallelism.is_none() { completions.or(Some(1)) } else { completions };
            let parallelism = if suspended { 0 } else { parallelism.unwrap_or(1) };
            Count::Job { parallelism: completions.map_or(parallelism, |c| c.min(parallelism)), completions }
        }
    }
}

/// A whole number of at least 0; anything else there is a finding.
fn whole(object: Object<'_>, path: &Path, findings: &mut Vec<Finding>) -> Option<i64> {
    whole_at(object, path.resolve(object.value).into_iter().next()?, findings)
}

fn whole_at(object: Object<'_>, pointer: String, findings: &mut Vec<Finding>) -> Option<i64> {
    let value = object.value.pointer(&pointer).filter(|value| !value.is_null())?;
    let number = value.as_i64().filter(|number| *number >= 0);
    if number.is_none() {
        let reason = Reason::new(Code::ManifestFieldInvalid)
            .object(pointer.as_str())
            .seen(shown(value))
            .wanted(Form::WholeFrom(0));
        findings.push(object.finding(reason, pointer));
    }
    number
}

/// Reads a PersistentVolumeClaim or a template of one at a pointer.
#[must_use]
pub fn claim(object: Object<'_>, pointer: &str, findings: &mut Vec<Finding>) -> Claim {
    let at = |field: &str| object.value.pointer(&format!("{pointer}/{field}"));
    let size = at("spec/resources/requests/storage").and_then(|value| {
        let size = Quantity::from_value(value).ok().filter(|size| !size.is_negative()).and_then(Quantity::bytes);
        if size.is_none() {
            let reason = Reason::new(Code::QuantityInvalid).object("storage").seen(shown(value)).wanted("10Gi");
            findings.push(object.finding(reason, format!("{pointer}/spec/resources/requests/storage")));
        }
        size
    });
    Claim {
        name: at("metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        class: at("spec/storageClassName").and_then(Value::as_str).map(str::to_owned),
        access_modes: texts(at("spec/accessModes")),
        size: size.unwrap_or_default(),
        bound: at("spec/volumeName").and_then(Value::as_str).is_some_and(|name| !name.is_empty())
            || at("status/phase").and_then(Value::as_str) == Some("Bound"),
    }
}

/// The horizontal autoscalers among some objects. One whose bounds cannot be read, or whose minimum is above its
/// maximum, is a finding and left out.
#[must_use]
pub fn scalers(objects: &[Value], findings: &mut Vec<Finding>) -> Vec<Scaler> {
    let mut scalers = Vec::new();
    for object in objects.iter().map(Object::new).filter(|object| object.kind() == "HorizontalPodAutoscaler") {
        let min = whole(object, &Path::of(&["spec", "minReplicas"]), findings).unwrap_or(1);
        let max = object.value.pointer("/spec/maxReplicas");
        match max.and_then(Value::as_i64).filter(|max| *max >= min) {
            Some(max) => scalers.push(Scaler {
                scaler: object.reference(),
                target: ObjectRef::new(
                    object.text("/spec/scaleTargetRef/kind"),
                    object.namespace(),
                    object.text("/spec/scaleTargetRef/name"),
                ),
                min,
                max,
            }),
            None => {
                let reason = Reason::new(Code::ManifestFieldInvalid)
                    .object("/spec/maxReplicas")
                    .seen(shown(max.unwrap_or(&Value::Null)))
                    .wanted(Form::WholeFrom(min));
                findings.push(object.finding(reason, "/spec/maxReplicas"));
            }
        }
    }
    scalers
}

#[cfg(test)]
mod tests {
    use jiuzhou_engine::terms::Millicores;
    use serde_json::json;

    use super::*;
    use crate::profile::{Profiles, Template};

    fn shape(value: &Value) -> (Shape, Vec<Finding>) {
        let profiles = Profiles::default();
        let mut findings = Vec::new();
        let object = Object::new(value);
        let shape = Shape::of(object, profiles.of(object).expect("a native kind"), &mut findings);
        (shape, findings)
    }

    #[expect(clippy::needless_pass_by_value, reason = "a json! literal is read best as an argument")]
    fn job(spec: Value) -> Count {
        let value = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": spec});
        let mut with_template = value.clone();
        with_template["spec"]["template"] = json!({"spec": {"containers": [{}]}});
        shape(&with_template).0.components[0].count
    }

    #[test]
    fn jobs_run_at_most_what_is_left_to_complete() {
        let table = [
            (json!({}), 1, Some(1)),
            (json!({"parallelism": 4}), 4, None),
            (json!({"completions": 8}), 1, Some(8)),
            (json!({"parallelism": 4, "completions": 2}), 2, Some(2)),
            (json!({"parallelism": 0, "completions": 2}), 0, Some(2)),
            (json!({"parallelism": 4, "completions": 8, "suspend": true}), 0, Some(8)),
        ];
        for (spec, parallelism, completions) in table {
            assert_eq!(job(spec.clone()), Count::Job { parallelism, completions }, "{spec}");
        }
    }

    #[test]
    fn counts_follow_the_kind() {
        let of = |api: &str, kind: &str, spec: Value| {
            let value = json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": spec});
            let (shape, findings) = shape(&value);
            assert_eq!(findings, vec![], "{kind}");
            (shape.components[0].count, shape.continuity)
        };
        let template = json!({"spec": {"containers": [{"name": "c"}]}});
        let t = json!({"template": template});
        assert_eq!(of("apps/v1", "Deployment", t.clone()), (Count::Pods(1), Continuity::AddBeforeRemove));
        let three = json!({"replicas": 3, "template": template});
        assert_eq!(of("apps/v1", "Deployment", three.clone()).0, Count::Pods(3));
        assert_eq!(of("apps/v1", "StatefulSet", three), (Count::Pods(3), Continuity::SingleWriter));
        assert_eq!(of("apps/v1", "DaemonSet", t.clone()), (Count::PerNode, Continuity::PerNode));
        let cron = json!({"jobTemplate": {"spec": {"parallelism": 2, "template": template}}});
        assert_eq!(
            of("batch/v1", "CronJob", cron),
            (Count::Job { parallelism: 2, completions: None }, Continuity::OneCluster)
        );
        assert_eq!(of("v1", "Pod", json!({"containers": [{}]})).0, Count::Pods(1));
    }

    #[test]
    fn claims_of_a_stateful_set_are_each_pods_own() {
        let value = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
            "replicas": 2, "template": {"spec": {"containers": [{}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"storageClassName": "ssd",
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}}]}});
        let (shape, findings) = shape(&value);
        assert_eq!(findings, vec![]);
        let want = Claim {
            name: "data".into(),
            class: Some("ssd".into()),
            access_modes: vec!["ReadWriteOnce".into()],
            size: Bytes(10 << 30),
            bound: false,
        };
        assert_eq!(shape.components[0].claims, [want]);
    }

    #[test]
    fn a_deployment_with_a_claim_has_one_writer() {
        let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {
            "template": {"spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]}}}});
        assert_eq!(shape(&value).0.continuity, Continuity::SingleWriter);
    }

    #[test]
    fn a_custom_kind_has_the_shape_its_profile_says() {
        let value = json!({"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "r"}, "spec": {
            "head": {"template": {"spec": {"containers": [{"resources": {"requests": {"cpu": 1}}}]}}},
            "workers": [{"template": {"spec": {"containers": [{"resources": {"requests": {"cpu": 2}}}]}}},
                        {"template": {"spec": {"containers": [{"resources": {"requests": {"cpu": 4}}}]}}}],
            "size": 5}});
        let path = |text| Path::parse(text).unwrap();
        let profile = Profile {
            group: "ray.io".into(),
            kind: "RayCluster".into(),
            templates: vec![
                Template { path: path("/spec/head/template"), count: CountRule::One },
                Template { path: path("/spec/workers/*/template"), count: CountRule::At(path("/spec/size")) },
            ],
            replicas: None,
            claims: vec![],
            names: vec![],
            immutable: vec![],
            continuity: Continuity::SingleWriter,
        };
        let shape = Shape::of(Object::new(&value), &profile, &mut Vec::new());
        let got: Vec<_> = shape.components.iter().map(|c| (c.count, c.requests.cpu)).collect();
        assert_eq!(
            got,
            [
                (Count::Pods(1), Millicores(1000)),
                (Count::Pods(5), Millicores(2000)),
                (Count::Pods(5), Millicores(4000))
            ]
        );
    }

    #[test]
    fn a_scaler_is_paired_with_its_target_and_bad_bounds_are_found() {
        let hpa = |name: &str, max: i64| {
            json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": "n"}, "spec": {"minReplicas": 2, "maxReplicas": max,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}})
        };
        let mut findings = Vec::new();
        let scalers = scalers(&[hpa("b", 9), hpa("a", 5), hpa("bad", 1)], &mut findings);
        let web = Shape::declared(ObjectRef::new("Deployment", "n", "web"), vec![], Continuity::AddBeforeRemove);
        assert_eq!(web.scaler(&scalers).map(|s| (s.min, s.max)), Some((2, 5)), "the first by name");
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].pointer, "/spec/maxReplicas");
    }

    #[test]
    fn a_count_that_is_no_whole_number_is_found() {
        for bad in [json!(-1), json!("3"), json!(1.5)] {
            let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
                "spec": {"replicas": bad, "template": {}}});
            let (_, findings) = shape(&value);
            assert_eq!(findings[0].reason.code, Code::ManifestFieldInvalid);
            assert_eq!(findings[0].pointer, "/spec/replicas");
        }
    }
}
