//! Files for studies: what `jiuzhou test`, `whatif`, `simulate` and `report assessment` read beside the resources of a fleet.
//!
//! They have a group of their own and no definition on any API server: nothing acts on them. Their schemas are made and
//! checked as those of the resources are, so a mistake in one is told with its line, its rule and its fix.
#![allow(unreachable_pub, reason = "kube's KubeSchema derive repeats every struct inside a function")]

mod assessment_evidence;
mod change;
mod placement_test;
mod scenario;
mod simulation;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;

use crate::crd::{KindInfo, info, published};

pub use assessment_evidence::{
    AssessmentEvidence, AssessmentEvidenceSpec, AssessmentStage, DeclaredStage, Infrastructure, ItemEvidence,
    StageFacts,
};
pub use change::{
    Change, CloseFirewall, Emergency, ExpireEvidence, MergeTenants, ObjectName as TargetObject, PatchObject,
    SetGridFactor, SetReplicas,
};
pub use placement_test::{
    Case, Expectations, ExpectedFinding, ExpectedStatus, ExpectedViolation, PlacementTest, PlacementTestSpec, Refusal,
};
pub use scenario::{Scenario, ScenarioSpec};
pub use simulation::{
    ArrivalStream, DatedChange, FailoverPolicy, FailoverRule, FailureEffect, FailureRule, FailureWindow, ScalingCurve,
    Simulation, SimulationSpec,
};

/// Group of the files for studies.
pub const GROUP: &str = "study.jiuzhou.dev";

/// The definitions of the files, for readers; they are never installed.
#[must_use]
pub fn definitions() -> Vec<CustomResourceDefinition> {
    [AssessmentEvidence::crd(), PlacementTest::crd(), Scenario::crd(), Simulation::crd()]
        .into_iter()
        .map(published)
        .collect()
}

/// Every kind of file with its schema.
#[must_use]
pub fn kinds() -> Vec<KindInfo> {
    definitions().into_iter().map(info).collect()
}
