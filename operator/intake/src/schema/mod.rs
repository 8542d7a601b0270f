//! The checks an API server would make of our kinds, offline and in its order: unknown fields, nulls, defaults, the
//! structure, then the CEL rules.
//!
//! The schemas are those of the CRDs themselves, so the gate and the cluster cannot disagree. Unlike the API server we
//! never stop at the first: every finding of every object comes out of one run. As there, CEL rules run only on objects
//! whose structure holds, for they may assume it. References between objects are not looked at here (`check`).

mod compile;
mod format;
mod mend;
mod metadata;
mod path;
mod prune;
mod rules;
mod shapes;
pub(crate) mod structure;
mod suggest;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiuzhou_engine::terms::{Code, Finding, Reason, Severity};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use crate::documents::Document;

use compile::Schema;
pub(crate) use metadata::check_native_metadata;
pub(crate) use path::dotted;
use rules::Compiled;
pub use suggest::nearest;

/// The kinds of our API group: what the CRDs say about them, compiled once and only when a document needs it.
#[derive(Debug)]
pub struct Kinds {
    group: String,
    kinds: BTreeMap<String, Kind>,
}

#[derive(Debug)]
struct Kind {
    namespaced: bool,
    versions: BTreeMap<String, Version>,
}

#[derive(Debug)]
struct Version {
    schema: Value,
    compiled: OnceLock<(Schema, Compiled)>,
}

/// Whether the CEL rules of a kind are to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// They are.
    Run,
    /// Of this object they held before, and what they are about is as it was: they cost most of a check.
    HeldBefore,
}

/// Why the schemas of our own kinds cannot be used. A test reads all of them, so a release never meets it.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A schema does not serialise.
    #[error("failed to read the schema of {kind}")]
    Schema {
        /// The kind.
        kind: String,
        /// What serde says.
        source: serde_json::Error,
    },
}

impl Kinds {
    /// Reads the schemas of some CRDs, all of API group `group`.
    ///
    /// # Errors
    /// When a schema does not serialise to JSON.
    pub fn new(group: &str, crds: &[CustomResourceDefinition]) -> Result<Self, SchemaError> {
        let mut kinds = BTreeMap::new();
        for crd in crds {
            let kind = &crd.spec.names.kind;
            let mut versions = BTreeMap::new();
            for version in &crd.spec.versions {
                let schema = version.schema.as_ref().and_then(|s| s.open_api_v3_schema.as_ref());
                let schema = serde_json::to_value(schema)
                    .map_err(|source| SchemaError::Schema { kind: kind.clone(), source })?;
                versions.insert(version.name.clone(), Version { schema, compiled: OnceLock::new() });
            }
            kinds.insert(kind.clone(), Kind { namespaced: crd.spec.scope == "Namespaced", versions });
        }
        Ok(Self { group: group.to_owned(), kinds })
    }

    /// Whether a document is of our API group; the others are native.
    #[must_use]
    pub fn owns(&self, document: &Document) -> bool {
        document.group_version().0 == self.group
    }

    /// Checks one document of ours: prunes and defaults its value in place, adds what is wrong to `findings`.
    ///
    /// `true` when it can be converted: no finding of severity Error.
    pub fn check(&self, document: &mut Document, findings: &mut Vec<Finding>) -> bool {
        self.check_with(document, Rules::Run, findings)
    }

    /// The same, with the rules or without them.
    pub(crate) fn check_with(&self, document: &mut Document, run: Rules, findings: &mut Vec<Finding>) -> bool {
        let before = findings.len();
        if let Some((namespaced, version)) = self.version(document, findings) {
            metadata::check_scope(document, namespaced, findings);
            let (schema, rules) = version.compiled();
            let mut value = std::mem::take(&mut document.value);
            prune::unknown(document, &mut value, schema, "", findings);
            prune::nulls(&mut value, schema);
            prune::defaults(&mut value, schema);
            let structure_from = findings.len();
            structure::check(document, &value, schema, findings);
            metadata::check(document, &value, findings);
            let whole = findings.iter().skip(structure_from).all(|f| f.severity < Severity::Error);
            if run == Rules::Run && whole {
                rules.check(document, &value, findings);
            }
            document.value = value;
        }
        findings.iter().skip(before).all(|f| f.severity < Severity::Error)
    }

    /// Makes what was refused fit for reading; gives the places that say something else now than what was written. Rules
    /// that could not run on what was written run on what is mended.
    pub(crate) fn mend(&self, document: &mut Document, findings: &mut Vec<Finding>) -> Vec<String> {
        let mut touched = Vec::new();
        if let Some((_, version)) = self.version(document, &mut Vec::new()) {
            let (schema, rules) = version.compiled();
            mend::mend(&mut document.value, schema, "", &mut touched);
            let from = findings.len();
            rules.check(document, &document.value, findings);
            // Of a rule that cannot be evaluated on what was mended nothing is known.
            let mut at = 0;
            findings.retain(|finding| {
                at += 1;
                at <= from || finding.reason.code == Code::RuleBroken
            });
        }
        touched
    }

    fn version(&self, document: &Document, findings: &mut Vec<Finding>) -> Option<(bool, &Version)> {
        let Some(kind) = self.kinds.get(&document.kind) else {
            let wanted = suggest::nearest_or_all(&document.kind, self.kinds.keys().map(String::as_str));
            let reason = Reason::new(Code::KindUnknown).object(document.kind.as_str()).wanted(wanted);
            findings.push(document.finding(reason, "/kind"));
            return None;
        };
        let (_, name) = document.group_version();
        let Some(version) = kind.versions.get(name) else {
            let wanted: Vec<String> = kind.versions.keys().map(|v| format!("{}/{v}", self.group)).collect();
            let reason = Reason::new(Code::ApiVersionUnknown).object(document.kind.as_str());
            let reason = reason.seen(document.api_version.as_str()).wanted(wanted);
            findings.push(document.finding(reason, "/apiVersion"));
            return None;
        };
        Some((kind.namespaced, version))
    }
}

impl Version {
    fn compiled(&self) -> &(Schema, Compiled) {
        self.compiled.get_or_init(|| (Schema::compile(&self.schema), Compiled::new(&self.schema)))
    }
}
