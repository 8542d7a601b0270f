//! Whether what is known can be acted on: there is a workload, a placement that was recorded, and nothing that forbids.

use jiuzhou_api::v1alpha1::{FleetPlacement, FleetWorkload};
use jiuzhou_engine::terms::{Code, Reason, Severity};

use super::dereference::{Deletion, Gathered};
use crate::seeded::{self, Bug};

/// What may be done for a workload now.
#[derive(Debug)]
pub(crate) enum Valid<'a> {
    /// Its objects are to be where its placement says.
    Present { workload: &'a FleetWorkload, placement: &'a FleetPlacement },
    /// Everything of it is to go. Without a placement nothing of it was ever ordered anywhere.
    Removing { placement: Option<&'a FleetPlacement> },
    /// Nothing is ordered. What runs stays.
    Nothing,
}

/// Says which. `recorded` tells whether the placement's decision is in the audit log: before that nothing is ordered.
pub(crate) fn validate<'a>(gathered: &Gathered<'a>, recorded: bool) -> Valid<'a> {
    match (gathered.workload, gathered.placement) {
        (None, Some(placement)) if seeded::is(Bug::AbsentIsDeleted) => Valid::Removing { placement: Some(placement) },
        (Some(_), placement) if gathered.deletion == Deletion::Ordered && (recorded || placement.is_none()) => {
            Valid::Removing { placement }
        }
        // A workload that cannot be read or decided on keeps what it has: nothing new goes out.
        (Some(workload), Some(placement)) if recorded && gathered.spec.is_some() => {
            Valid::Present { workload, placement }
        }
        _ => Valid::Nothing,
    }
}

/// What keeps a workload from being decided on; `None` when nothing does.
pub(crate) fn obstacle(gathered: &Gathered<'_>) -> Option<Reason> {
    if gathered.spec.is_some() {
        return None;
    }
    let error = gathered.findings.iter().find(|finding| finding.severity == Severity::Error);
    Some(match error {
        Some(finding) => finding.reason.clone(),
        None if gathered.state.tenant(gathered.key).is_empty() => {
            Reason::new(Code::NamespaceUnowned).object(gathered.key.namespace.as_str())
        }
        None => gathered.findings.first().map(|finding| finding.reason.clone())?,
    })
}
