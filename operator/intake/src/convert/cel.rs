//! CEL checks of tiers over `evidence`, `site` and `cluster`, with the functions Kubernetes offers.

use jiuzhou_engine::terms::{Code, Reason};
use kube::core::cel::KubeCelExt;
use kube::core::cel::cel::{Context, Program, Value};

use crate::objects::{Objects, named};

/// A compiled check.
pub(super) struct Check(Program);

impl Check {
    /// Compiles an expression; the reason of a failure lacks its object.
    pub(super) fn compile(expression: &str) -> Result<Self, Reason> {
        let broken = |error: String| Reason::new(Code::RuleNotEvaluated).seen(error).wanted(expression);
        Program::compile(expression).map(Self).map_err(|error| broken(error.to_string()))
    }

    /// Whether it holds for a cluster; `None` when it cannot be evaluated there or gives no truth value.
    pub(super) fn holds(&self, objects: &Objects, cluster: &str) -> Option<bool> {
        let item = named(&objects.clusters, cluster)?;
        let spec = serde_json::to_value(&item.object.spec).ok()?;
        let site = named(&objects.sites, &item.object.spec.site);
        let site = serde_json::to_value(site.map(|site| &site.object.spec)).ok()?;
        let evidence = spec.get("evidence").cloned().unwrap_or_else(|| serde_json::json!([]));
        let mut context = Context::default().with_all();
        context.add_variable("evidence", evidence).ok()?;
        context.add_variable("site", site).ok()?;
        context.add_variable("cluster", spec).ok()?;
        match self.0.execute(&context) {
            Ok(Value::Bool(holds)) => Some(holds),
            _ => None,
        }
    }
}
