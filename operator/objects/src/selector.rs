//! Selectors as Kubernetes evaluates them: node selector terms (OR of ANDs) and label selectors.
//!
//! The corners that matter: a term without requirements matches no node; `NotIn` matches a node without the label;
//! `Gt` and `Lt` compare integers and fail on anything else; a requirement that cannot be read matches nothing.

use serde_json::Value;

use crate::object::{Labels, text_map, texts};

/// An operator of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// The label is absent or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The label is an integer above the value.
    Gt,
    /// The label is an integer below the value.
    Lt,
}

impl Operator {
    /// Kubernetes' spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
            Self::Gt => "Gt",
            Self::Lt => "Lt",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::In, Self::NotIn, Self::Exists, Self::DoesNotExist, Self::Gt, Self::Lt]
            .into_iter()
            .find(|operator| operator.as_str() == text)
    }
}

/// One requirement on a label (or a field).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Requirement {
    /// Label key, or field path.
    pub key: String,
    /// Operator.
    pub operator: Operator,
    /// Values, as written.
    pub values: Vec<String>,
}

impl Requirement {
    /// `key In values`.
    #[must_use]
    pub fn is_in(key: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Self { key: key.to_owned(), operator: Operator::In, values }
    }

    /// Reads a requirement; `None` when Kubernetes would refuse it.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        let requirement = Self {
            key: value.get("key")?.as_str().filter(|key| !key.is_empty())?.to_owned(),
            operator: Operator::parse(value.get("operator")?.as_str()?)?,
            values: texts(value.get("values")),
        };
        let fits = match requirement.operator {
            Operator::In | Operator::NotIn => !requirement.values.is_empty(),
            Operator::Exists | Operator::DoesNotExist => requirement.values.is_empty(),
            Operator::Gt | Operator::Lt => {
                matches!(requirement.values.as_slice(), [value] if value.parse::<i64>().is_ok())
            }
        };
        fits.then_some(requirement)
    }

    /// The JSON form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut value = serde_json::json!({"key": self.key, "operator": self.operator.as_str()});
        if !self.values.is_empty() {
            value["values"] = self.values.clone().into();
        }
        value
    }

    /// Whether a label map meets it.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let listed = value.is_some_and(|value| self.values.contains(value));
        let bound = || self.values.first().and_then(|bound| bound.parse::<i64>().ok());
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => number().zip(bound()).is_some_and(|(number, bound)| number > bound),
            Operator::Lt => number().zip(bound()).is_some_and(|(number, bound)| number < bound),
        }
    }
}

/// One node selector term: all of its requirements.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// On labels.
    pub labels: Vec<Requirement>,
    /// On fields; Kubernetes knows `metadata.name` only.
    pub fields: Vec<Requirement>,
    /// A requirement could not be read: the term matches nothing.
    pub broken: bool,
}

impl Term {
    /// Reads a term.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let mut term = Self { broken: !value.is_object(), ..Self::default() };
        for (field, into) in [("matchExpressions", &mut term.labels), ("matchFields", &mut term.fields)] {
            match value.get(field) {
                None | Some(Value::Null) => {}
                Some(Value::Array(items)) => {
                    let read: Vec<_> = items.iter().filter_map(Requirement::read).collect();
                    term.broken |= read.len() != items.len();
                    *into = read;
                }
                Some(_) => term.broken = true,
            }
        }
        term
    }

    /// Whether a node of this name with these labels meets the term.
    #[must_use]
    pub fn matches(&self, node: &str, labels: &Labels) -> bool {
        let name: Labels = [("metadata.name".to_owned(), node.to_owned())].into();
        let states_something = !self.labels.is_empty() || !self.fields.is_empty();
        !self.broken
            && states_something
            && self.labels.iter().all(|requirement| requirement.matches(labels))
            && self.fields.iter().all(|requirement| requirement.matches(&name))
    }
}

/// Labels that the controllers of StatefulSets, Deployments, DaemonSets and Jobs put on pods.
const RUN_TIME_LABELS: &[&str] = &[
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
];

/// A `metav1.LabelSelector`, or the plain map of a Service or ReplicationController.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    labels: Labels,
    expressions: Vec<Requirement>,
    broken: bool,
}

impl LabelSelector {
    /// Reads `{matchLabels, matchExpressions}`.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let term = Term::read(value);
        Self { labels: text_map(value.get("matchLabels")), expressions: term.labels, broken: term.broken }
    }

    /// Reads a plain map of labels.
    #[must_use]
    pub fn read_map(value: &Value) -> Self {
        Self { labels: text_map(Some(value)), ..Self::default() }
    }

    /// The selector without demands on labels that controllers give to each pod at run time, which no template can
    /// carry.
    #[must_use]
    pub fn for_templates(&self) -> Self {
        let known = |key: &String| !RUN_TIME_LABELS.contains(&key.as_str());
        Self {
            labels: self.labels.iter().filter(|(key, _)| known(key)).map(|(k, v)| (k.clone(), v.clone())).collect(),
            expressions: self.expressions.iter().filter(|one| known(&one.key)).cloned().collect(),
            broken: self.broken,
        }
    }

    /// Selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.expressions.is_empty() && !self.broken
    }

    /// Whether a label map is selected. The empty selector selects everything.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        !self.broken
            && self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.expressions.iter().all(|requirement| requirement.matches(labels))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn corners_of_node_selector_terms() {
        let labels: Labels =
            [("arch", "arm64"), ("cores", "64"), ("odd", "x")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        let table = [
            (json!({}), false),
            (json!({"matchExpressions": []}), false),
            (json!({"matchExpressions": [{"key": "arch", "operator": "In", "values": ["arm64"]}]}), true),
            (json!({"matchExpressions": [{"key": "arch", "operator": "NotIn", "values": ["arm64"]}]}), false),
            (json!({"matchExpressions": [{"key": "none", "operator": "NotIn", "values": ["a"]}]}), true),
            (json!({"matchExpressions": [{"key": "none", "operator": "DoesNotExist"}]}), true),
            (json!({"matchExpressions": [{"key": "arch", "operator": "Exists"}]}), true),
            (json!({"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["63"]}]}), true),
            (json!({"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["64"]}]}), false),
            (json!({"matchExpressions": [{"key": "cores", "operator": "Lt", "values": ["100"]}]}), true),
            (json!({"matchExpressions": [{"key": "odd", "operator": "Lt", "values": ["100"]}]}), false),
            (json!({"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["1", "2"]}]}), false),
            (json!({"matchExpressions": [{"key": "arch", "operator": "in", "values": ["arm64"]}]}), false),
            (json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}), true),
            (json!({"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["n1"]}]}), false),
        ];
        for (term, want) in table {
            assert_eq!(Term::read(&term).matches("n1", &labels), want, "{term}");
        }
    }

    #[test]
    fn an_empty_label_selector_selects_everything_and_a_broken_one_nothing() {
        let labels: Labels = [("app".to_owned(), "a".to_owned())].into();
        assert!(LabelSelector::read(&json!({})).matches(&labels));
        assert!(!LabelSelector::read(&json!({"matchExpressions": [{"key": "app"}]})).matches(&labels));
        assert!(LabelSelector::read_map(&json!({"app": "a"})).matches(&labels));
        assert!(!LabelSelector::read(&json!({"matchLabels": {"app": "b"}})).matches(&labels));
        let one_pod = LabelSelector::read_map(&json!({"app": "a", "statefulset.kubernetes.io/pod-name": "a-0"}));
        assert!(!one_pod.matches(&labels));
        assert!(one_pod.for_templates().matches(&labels));
    }
}
