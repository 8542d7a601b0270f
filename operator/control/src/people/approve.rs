//! What a person approves: shown first, then consented to under the person's own name.
//!
//! An order is named by a digest of all that is shown. The approval is created by the approver, or, where more than one is
//! needed, gets another approver; admission on the hub holds every name against the API server's own.

use std::collections::BTreeSet;

use jiuzhou_api::conditions::ControllerReason;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{
    Approval, ApprovalSpec, ApprovedOrder, Approver, Document, FleetPlacement, FleetWorkload, InformationSystem,
    OperatingMode, SovereigntyTier, Tenant,
};
use jiuzhou_engine::decide::WorkloadKey;
use jiuzhou_engine::terms::Digest;
pub use jiuzhou_intake::approvals::word;
use jiuzhou_intake::{approvals, in_force};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use super::{change, workloads};
use crate::error::Error;

/// What moves that wait are about, and where their plan is written down: a ConfigMap of our namespace and its key.
pub const FLEET: &str = "fleet";
pub(crate) const HELD_MOVES: &str = "held-moves";
pub(crate) const PLAN: &str = "plan";

/// Characters of the digest in the name of an approval.
const SHORT: usize = 16;

/// An order that waits for an approval, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Kind of order.
    pub order: ApprovedOrder,
    /// What it is about.
    pub subject: String,
    /// Digest of it.
    pub digest: Digest,
    /// Who asked, where the hub knows.
    pub requester: Option<String>,
    /// Number of its document.
    pub number: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Workloads it touches, each with its clusters and replicas.
    pub touches: Vec<String>,
}

/// What an approver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The approver, as the API server knows them.
    pub user: String,
    /// In which role.
    pub role: String,
    /// What is confirmed.
    pub statement: Option<String>,
    /// Who asked, where the hub does not know.
    pub requester: Option<String>,
    /// Number of the document it rests on.
    pub document: String,
    /// Last Beijing day on which it can be used.
    pub until: String,
    /// How many have to approve.
    pub needed: i32,
}

/// Who asks, in the API server's own words.
///
/// # Errors
/// When the hub does not answer or does not say.
pub async fn whoami(client: &Client) -> Result<String, Error> {
    let api: Api<SelfSubjectReview> = Api::all(client.clone());
    let review = api.create(&PostParams::default(), &SelfSubjectReview::default()).await;
    let review = review.map_err(|error| Error::api("ask", "who I am", error))?;
    let user = review.status.and_then(|status| status.user_info).and_then(|user| user.username);
    user.ok_or_else(|| Error::Order("the hub does not say who you are.".to_owned(), "中心未告知当前用户。".to_owned()))
}

/// The order that is to stop a system.
///
/// # Errors
/// When the hub does not answer or refuses, and when nobody ordered the system to stop.
pub async fn stop(client: &Client, key: &WorkloadKey) -> Result<Asked, Error> {
    let api: Api<InformationSystem> = Api::namespaced(client.clone(), &key.namespace);
    let system = api.get(&key.name).await;
    let system = system.map_err(|error| Error::api("read", format!("InformationSystem {key}"), error))?;
    let Some(order) = system.spec.stop.filter(|stop| !stop.lifted) else {
        return Err(Error::Order(format!("nobody ordered {key} to stop."), format!("{key} 没有停用令。")));
    };
    let mut touches = Vec::new();
    for workload in workloads(client, &key.namespace).await? {
        if *workload.spec.system == *key.name {
            touches.push(told(client, &workload).await?);
        }
    }
    Ok(Asked {
        order: ApprovedOrder::StopSystem,
        subject: key.to_string(),
        digest: approvals::of_stop(&key.namespace, &key.name, &order),
        requester: Some(order.requested_by.to_string()),
        number: Some(order.order.to_string()),
        reason: order.reason.map(|reason| reason.to_string()),
        touches,
    })
}

/// An emergency that waits.
///
/// # Errors
/// When the hub does not answer or refuses, and when it is ended.
pub async fn mode(client: &Client, name: &str) -> Result<Asked, Error> {
    let mode = Api::<OperatingMode>::all(client.clone()).get(name).await;
    let spec = mode.map_err(|error| Error::api("read", format!("OperatingMode {name}"), error))?.spec;
    if spec.ended {
        return Err(Error::Order(format!("{name} is ended."), format!("{name} 已结束。")));
    }
    let mut touches = vec![format!("{} - {}", spec.from.0, spec.until.0)];
    touches.extend(spec.tenants.iter().map(|tenant| format!("+ {}/*", &**tenant)));
    touches.extend(spec.workloads.iter().map(|one| {
        let priority = one.priority.map(|priority| format!(" ({priority})")).unwrap_or_default();
        format!("+ {}/{}{priority}", &*one.namespace, &*one.name)
    }));
    touches.extend(spec.victims.iter().map(|one| format!("- {}/{}", &*one.namespace, &*one.name)));
    Ok(Asked {
        order: ApprovedOrder::OperatingMode,
        subject: name.to_owned(),
        digest: approvals::of_mode(name, &spec),
        requester: Some(spec.requested_by.to_string()),
        number: Some(spec.document.number.to_string()),
        reason: Some(spec.reason.to_string()),
        touches,
    })
}

/// The deletions that are held in a namespace.
///
/// # Errors
/// When the hub does not answer or refuses, and when nothing is held there.
pub async fn deletions(client: &Client, namespace: &str) -> Result<Asked, Error> {
    let held = |workload: &FleetWorkload| {
        let reason = workload.status.as_ref().and_then(|status| status.reason.as_deref());
        workload.metadata.deletion_timestamp.is_some() && reason == Some(ControllerReason::DeletionHeld.as_str())
    };
    let all: Vec<FleetWorkload> = workloads(client, namespace).await?.into_iter().filter(held).collect();
    if all.is_empty() {
        return Err(Error::Order(
            format!("no deletion is held in namespace {namespace}."),
            format!("命名空间 {namespace} 中没有被暂停的删除。"),
        ));
    }
    let named: Vec<(String, String)> = all.iter().map(|one| (one.name_any(), one.uid().unwrap_or_default())).collect();
    let mut touches = Vec::new();
    for workload in &all {
        touches.push(told(client, workload).await?);
    }
    Ok(Asked {
        order: ApprovedOrder::DeleteWorkloads,
        subject: namespace.to_owned(),
        digest: approvals::of_deletions(named.iter().map(|(name, uid)| (namespace, name.as_str(), uid.as_str()))),
        requester: None,
        number: None,
        reason: None,
        touches,
    })
}

/// Approves exactly what was shown. Returns the name of the approval and how many more have to approve.
///
/// # Errors
/// When the hub does not answer or refuses, when nobody knows who asked, and when the approver is who asked.
pub async fn approve(client: &Client, asked: &Asked, by: &Signature) -> Result<(String, i32), Error> {
    let Some(requester) = asked.requester.clone().or_else(|| by.requester.clone()) else {
        return Err(Error::Order(
            "say who asked for it; the hub does not know.".to_owned(),
            "请说明申请人；中心无从得知。".to_owned(),
        ));
    };
    if requester == by.user {
        return Err(Error::Order(
            format!("{requester} asked for it and cannot approve it."),
            format!("申请人 {requester} 不得自行批准。"),
        ));
    }
    let name = name(asked);
    let api: Api<Approval> = Api::all(client.clone());
    let approver = Approver {
        user: by.user.as_str().into(),
        role: by.role.as_str().into(),
        statement: by.statement.as_deref().map(Into::into),
    };
    let known = api.get_opt(&name).await.map_err(|error| Error::api("read", format!("Approval {name}"), error))?;
    let left = |spec: &ApprovalSpec| {
        spec.needed.saturating_sub(i32::try_from(spec.approvers.len()).unwrap_or(i32::MAX)).max(0)
    };
    // Whoever joins an approval signs what stands in it, and its name says only the beginning of that.
    if let Some(known) = &known {
        let same = known.spec.order == asked.order
            && *known.spec.subject == *asked.subject
            && *known.spec.digest == *asked.digest.to_string()
            && *known.spec.requester == *requester;
        if !same {
            return Err(Error::Order(
                format!("Approval {name} is there already and is of another order; look at it and delete it."),
                format!("审批单 {name} 已存在，且针对另一项指令；请核对后删除。"),
            ));
        }
    }
    let written = match known {
        Some(known) if known.spec.approvers.iter().any(|one| one.user == approver.user) => known,
        Some(known) => {
            let mut approvers = known.spec.approvers.clone();
            approvers.push(approver);
            change(&api, &known, json!({ "spec": { "approvers": approvers } })).await?
        }
        None => {
            let spec = ApprovalSpec {
                order: asked.order,
                subject: asked.subject.as_str().into(),
                digest: asked.digest.to_string().into(),
                requester: requester.into(),
                approvers: vec![approver],
                needed: by.needed,
                document: Document { number: by.document.as_str().into(), ..Document::default() },
                until: by.until.as_str().into(),
            };
            let params =
                PostParams { field_manager: Some(meta::FIELD_MANAGER_PERSON.to_owned()), ..PostParams::default() };
            let created = api.create(&params, &Approval::new(&name, spec)).await;
            created.map_err(|error| Error::api("create", format!("Approval {name}"), error))?
        }
    };
    Ok((name, left(&written.spec)))
}

/// The moves that wait because they are so many at once, with their whole plan.
///
/// # Errors
/// When the hub does not answer or refuses, and when none waits.
pub async fn moves(client: &Client) -> Result<Asked, Error> {
    let map = Api::<ConfigMap>::namespaced(client.clone(), meta::SYSTEM_NAMESPACE).get_opt(HELD_MOVES).await;
    let map = map.map_err(|error| Error::api("read", "the moves that wait", error))?;
    let plan = map.and_then(|map| map.data?.remove(PLAN)).unwrap_or_default();
    let touches: Vec<String> = plan.lines().map(ToOwned::to_owned).collect();
    if touches.is_empty() {
        return Err(Error::Order("no moves wait for an approval.".to_owned(), "没有等待审批的迁移。".to_owned()));
    }
    Ok(Asked {
        order: ApprovedOrder::MassChange,
        subject: FLEET.to_owned(),
        digest: approvals::of_moves(touches.iter().map(String::as_str)),
        requester: None,
        number: None,
        reason: None,
        touches,
    })
}

/// A change of what needs an approval: the class of a system's data, its exemption, a tenant's quota, a tier.
///
/// # Errors
/// When the hub does not answer or refuses, and when no such change waits.
pub async fn change_of(client: &Client, order: ApprovedOrder, subject: &str) -> Result<Asked, Error> {
    let all = match order {
        ApprovedOrder::RaiseQuota => {
            let tenant = Api::<Tenant>::all(client.clone()).get(subject).await;
            in_force::of_tenant(&tenant.map_err(|error| Error::api("read", format!("Tenant {subject}"), error))?)
        }
        ApprovedOrder::ChangeTier => {
            let tier = Api::<SovereigntyTier>::all(client.clone()).get(subject).await;
            in_force::of_tier(&tier.map_err(|error| Error::api("read", format!("SovereigntyTier {subject}"), error))?)
        }
        _ => {
            let (namespace, name) = subject.split_once('/').unwrap_or_default();
            let system = Api::<InformationSystem>::namespaced(client.clone(), namespace).get(name).await;
            let what = || format!("InformationSystem {subject}");
            in_force::of_system(&system.map_err(|error| Error::api("read", what(), error))?)
        }
    };
    let found = all.iter().find(|one| one.order == order).and_then(|one| Some((one, one.change()?)));
    let Some((one, digest)) = found else {
        let word = word(order);
        return Err(Error::Order(
            format!("no change of {word} of {subject} waits for an approval."),
            format!("{subject} 没有等待审批的 {word} 变更。"),
        ));
    };
    let held = one.held.clone().unwrap_or_default();
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let (held, wanted) = (fields(&held), fields(&one.wanted));
    let names: BTreeSet<&String> = held.keys().chain(wanted.keys()).collect();
    let said = |value: Option<&Value>| value.map_or_else(|| "-".to_owned(), ToString::to_string);
    let touches = names
        .into_iter()
        .filter(|name| held.get(*name) != wanted.get(*name))
        .map(|name| format!("{name}: {} -> {}", said(held.get(name)), said(wanted.get(name))));
    Ok(Asked {
        order,
        subject: subject.to_owned(),
        digest,
        requester: None,
        number: None,
        reason: None,
        touches: touches.collect(),
    })
}

/// One approval for one order: whoever approves it later joins.
fn name(asked: &Asked) -> String {
    let digest = asked.digest.to_string();
    let short: String = digest.trim_start_matches("sha256:").chars().take(SHORT).collect();
    format!("{}-{short}", word(asked.order))
}

/// A workload with where it is.
async fn told(client: &Client, workload: &FleetWorkload) -> Result<String, Error> {
    let (namespace, name) = (workload.namespace().unwrap_or_default(), workload.name_any());
    let placement = Api::<FleetPlacement>::namespaced(client.clone(), &namespace).get_opt(&name).await;
    let placement =
        placement.map_err(|error| Error::api("read", format!("FleetPlacement {namespace}/{name}"), error))?;
    let clusters = placement.map(|placement| placement.spec.clusters).unwrap_or_default();
    let placed: Vec<String> =
        clusters.iter().map(|cluster| format!("{} {}", &*cluster.name, cluster.replicas)).collect();
    Ok(format!("{namespace}/{name}: {}", if placed.is_empty() { "-".to_owned() } else { placed.join(", ") }))
}
