//! Cluster affinity, taints and tolerations with Kubernetes' exact semantics.
//!
//! Expressions follow node affinity (`k8s.io/component-helpers` `nodeaffinity`, with `Gt` and `Lt`), tolerations follow
//! `k8s.io/api/core/v1` `Toleration.ToleratesTaint`. This is the scalar form: one cluster at a time. The mask form over
//! all clusters is in [`super::verdicts`]; a property test holds them equal.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use crate::detect::{Taint, TaintEffect};

/// How an expression compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// The label is there with one of the values.
    In,
    /// The label is absent, or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The label is an integer greater than the one value.
    Gt,
    /// The label is an integer less than the one value.
    Lt,
}

/// One test of one label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expression {
    /// Label key.
    pub key: String,
    /// How it compares.
    pub operator: Operator,
    /// Values; exactly one integer for `Gt` and `Lt`, none for `Exists` and `DoesNotExist`.
    #[serde(default)]
    pub values: Vec<String>,
}

impl Expression {
    /// Whether a label value (or its absence) satisfies the expression.
    #[must_use]
    pub fn matches_value(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|wanted| wanted == value);
        match self.operator {
            Operator::In => value.is_some_and(listed),
            Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt | Operator::Lt => {
                let bound = match self.values.as_slice() {
                    [one] => one.parse::<i64>().ok(),
                    _ => None,
                };
                let seen = value.and_then(|value| value.parse::<i64>().ok());
                match (seen, bound) {
                    (Some(seen), Some(bound)) if self.operator == Operator::Gt => seen > bound,
                    (Some(seen), Some(bound)) => seen < bound,
                    _ => false,
                }
            }
        }
    }
}

/// Which clusters are meant. Everything stated must hold; the default means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Affinity {
    /// Cluster names; empty means any.
    pub names: BTreeSet<String>,
    /// Cluster names left out.
    pub exclude: BTreeSet<String>,
    /// Labels with exact values.
    pub labels: BTreeMap<String, String>,
    /// Label expressions.
    pub expressions: Vec<Expression>,
}

impl Affinity {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.exclude.is_empty() && self.labels.is_empty() && self.expressions.is_empty()
    }

    /// The clusters that both mean; the tests of this one first.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let Self { mut names, mut exclude, mut labels, mut expressions } = self;
        expressions.extend(other.expressions);
        exclude.extend(other.exclude);
        for (key, value) in other.labels {
            // Two values for one label: the second test is kept as an expression, and no cluster passes both.
            match labels.get(&key) {
                Some(first) if *first != value => {
                    expressions.push(Expression { key, operator: Operator::In, values: vec![value] });
                }
                _ => drop(labels.insert(key, value)),
            }
        }
        if names.is_empty() {
            names = other.names;
        } else if !other.names.is_empty() {
            let none = names.is_disjoint(&other.names);
            names.retain(|name| none || other.names.contains(name));
            if none {
                // No name is left, and none at all would mean any.
                exclude.extend(names.iter().cloned());
            }
        }
        Self { names, exclude, labels, expressions }
    }

    /// Whether a cluster is meant.
    #[must_use]
    pub fn matches(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        (self.names.is_empty() || self.names.contains(name))
            && !self.exclude.contains(name)
            && self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.expressions.iter().all(|e| e.matches_value(labels.get(&e.key).map(String::as_str)))
    }
}

/// What taints a workload stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Toleration {
    /// Taint key; empty means any (with `Exists`).
    pub key: String,
    /// Any value is stood (`Exists`) instead of the one named (`Equal`).
    pub exists: bool,
    /// Value stood with `Equal`.
    pub value: String,
    /// Effect; `None` means any.
    pub effect: Option<TaintEffect>,
}

impl Toleration {
    /// `Toleration.ToleratesTaint` of Kubernetes.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.effect.is_none_or(|effect| effect == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && (self.exists || self.value == taint.value)
    }
}

/// Whether a hard taint (`NoSchedule`, `NoExecute`) is tolerated, or is none.
#[must_use]
pub fn tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    taint.effect == TaintEffect::PreferNoSchedule || tolerations.iter().any(|toleration| toleration.tolerates(taint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(operator: Operator, values: &[&str]) -> Expression {
        Expression { key: "k".into(), operator, values: values.iter().map(|v| (*v).to_owned()).collect() }
    }

    #[test]
    fn both_is_what_each_of_two_selections_means() {
        let labels = |text: &str| -> BTreeMap<String, String> {
            text.split(' ').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
        };
        let named = |names: &[&str]| Affinity {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Affinity::default()
        };
        let labelled = |text: &str| Affinity { labels: labels(text), ..Affinity::default() };
        let without = |name: &str| Affinity { exclude: [name.to_owned()].into(), ..Affinity::default() };
        let all = [
            Affinity::default(),
            named(&["a"]),
            named(&["b"]),
            named(&["a", "b"]),
            without("a"),
            labelled("x=1"),
            labelled("x=2"),
            labelled("x=1 y=1"),
            Affinity { expressions: vec![expression(Operator::NotIn, &["v"])], ..Affinity::default() },
        ];
        for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
            let both = one.clone().and(other.clone());
            for (name, has) in [("a", "x=1"), ("b", "x=2"), ("c", "x=1 y=1"), ("a", ""), ("b", "x=1"), ("a", "k=v x=1")]
            {
                let has = labels(has);
                let want = one.matches(name, &has) && other.matches(name, &has);
                assert_eq!(both.matches(name, &has), want, "{one:?} and {other:?} of {name} {has:?}");
            }
        }
    }

    #[test]
    fn expressions_match_as_kubernetes_does() {
        for (operator, values, value, want) in [
            (Operator::In, &["a", "b"][..], Some("a"), true),
            (Operator::In, &["a"], None, false),
            (Operator::NotIn, &["a"], None, true),
            (Operator::NotIn, &["a"], Some("a"), false),
            (Operator::Exists, &[], Some(""), true),
            (Operator::DoesNotExist, &[], None, true),
            (Operator::Gt, &["3"], Some("4"), true),
            (Operator::Gt, &["3"], Some("3"), false),
            (Operator::Gt, &["3"], Some("四"), false),
            (Operator::Gt, &["3"], None, false),
            (Operator::Lt, &["3"], Some("-4"), true),
            (Operator::Lt, &["3", "9"], Some("1"), false),
            (Operator::Lt, &["x"], Some("1"), false),
        ] {
            assert_eq!(expression(operator, values).matches_value(value), want, "{operator:?} {values:?} {value:?}");
        }
    }

    #[test]
    fn tolerations_match_as_kubernetes_does() {
        let taint = Taint { key: "涉密".into(), value: "是".into(), effect: TaintEffect::NoSchedule };
        let base = Toleration { key: "涉密".into(), ..Toleration::default() };
        assert!(!base.tolerates(&taint), "an empty value equals only an empty value");
        assert!(Toleration { value: "是".into(), ..base.clone() }.tolerates(&taint));
        assert!(Toleration { exists: true, ..base.clone() }.tolerates(&taint));
        assert!(Toleration { exists: true, ..Toleration::default() }.tolerates(&taint), "empty key with Exists");
        assert!(!Toleration { exists: true, effect: Some(TaintEffect::NoExecute), ..base }.tolerates(&taint));
        let soft = Taint { effect: TaintEffect::PreferNoSchedule, ..taint };
        assert!(tolerated(&soft, &[]), "a soft taint keeps nobody out");
    }
}
