//! Certificates of agents: approved when the request is exactly the one that this cluster's agent may make.
//!
//! Who asks, for which name, for which use: each must fit, and the MemberCluster must be one by pull that is not leaving.
//! What does not fit is left alone (another approver may know it) unless it asks for a name of ours: then it is denied.

use std::collections::BTreeMap;

use futures::StreamExt;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{Lifecycle, MemberCluster};
use jiuzhou_member::agent::identity::{GROUP, SIGNER, USAGES, user_name};
use jiuzhou_member::connection::request_subject;
use k8s_openapi::api::certificates::v1::{
    CertificateSigningRequest, CertificateSigningRequestCondition, CertificateSigningRequestSpec,
};
use kube::api::{Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use super::invite::bootstrap_user;
use crate::stop::Stop;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// None of ours.
    Ignore,
    /// Exactly what the agent of this cluster may ask for.
    Approve(String),
    /// It asks for a name of ours and may not have it; why.
    Deny(&'static str),
}

/// Judges a request. `member` finds a MemberCluster.
pub(super) fn judge(spec: &CertificateSigningRequestSpec, member: impl Fn(&str) -> Option<MemberCluster>) -> Verdict {
    if spec.signer_name != SIGNER {
        return Verdict::Ignore;
    }
    let Some((name, groups)) = der(&spec.request.0).as_deref().and_then(request_subject) else {
        return Verdict::Ignore;
    };
    let Some(cluster) = name.strip_prefix(&user_name("")) else {
        let ours = groups.iter().any(|group| group == GROUP);
        return if ours { Verdict::Deny("the group of agents is for agents only") } else { Verdict::Ignore };
    };
    if groups != [GROUP] {
        return Verdict::Deny("an agent is in the group of agents and in no other");
    }
    let usages = spec.usages.as_deref().unwrap_or_default();
    if usages.is_empty() || !usages.iter().all(|usage| USAGES.contains(&usage.as_str()) || usage == "key encipherment")
    {
        return Verdict::Deny("an agent's certificate is for client authentication only");
    }
    let asks = spec.username.as_deref().unwrap_or_default();
    if asks != name && asks != bootstrap_user(cluster) {
        return Verdict::Deny("only the agent itself or its bootstrap account may ask for this name");
    }
    match member(cluster) {
        Some(member) if member.spec.connection.pull.is_none() => Verdict::Deny("this cluster is not reached by pull"),
        Some(member) if member.spec.lifecycle == Lifecycle::Leaving => Verdict::Deny("this cluster is leaving"),
        Some(member) if member.metadata.deletion_timestamp.is_some() => Verdict::Deny("this cluster is leaving"),
        Some(_) => Verdict::Approve(cluster.to_owned()),
        None => Verdict::Deny("there is no MemberCluster of this name"),
    }
}

fn der(request: &[u8]) -> Option<Vec<u8>> {
    use rustls::pki_types::CertificateSigningRequestDer;
    use rustls::pki_types::pem::PemObject;
    CertificateSigningRequestDer::from_pem_slice(request).ok().map(|der| der.as_ref().to_vec())
}

/// Follows the requests on the hub.
pub(super) async fn approve(hub: Client, stop: Stop) {
    let requests: Api<CertificateSigningRequest> = Api::all(hub.clone());
    let config = watcher::Config::default().labels(meta::LABEL_CLUSTER);
    let mut events = watcher(requests.clone(), config).default_backoff().boxed();
    loop {
        let event = tokio::select! {
            () = stop.requested() => return,
            event = events.next() => event,
        };
        match event {
            None => return,
            Some(Err(error)) => tracing::warn!(%error, "failed to watch certificate requests; trying again"),
            Some(Ok(watcher::Event::Apply(request) | watcher::Event::InitApply(request))) => {
                if let Err(error) = answer(&hub, &requests, request).await {
                    tracing::warn!(%error, "failed to answer a certificate request");
                }
            }
            Some(Ok(_)) => {}
        }
    }
}

async fn answer(
    hub: &Client,
    requests: &Api<CertificateSigningRequest>,
    request: CertificateSigningRequest,
) -> Result<(), kube::Error> {
    let decided =
        request.status.as_ref().is_some_and(|status| !status.conditions.as_deref().unwrap_or_default().is_empty());
    if decided {
        return Ok(());
    }
    // Read anew, not from a cache: a member that left a moment ago gets nothing.
    let members: Api<MemberCluster> = Api::all(hub.clone());
    let asked = request.labels().get(meta::LABEL_CLUSTER).cloned().unwrap_or_default();
    let known: BTreeMap<String, MemberCluster> =
        members.get_opt(&asked).await?.into_iter().map(|member| (member.name_any(), member)).collect();
    let (kind, reason, message) = match judge(&request.spec, |name| known.get(name).cloned()) {
        Verdict::Ignore => return Ok(()),
        Verdict::Approve(cluster) => ("Approved", "AgentOfMember", format!("the agent of MemberCluster {cluster}")),
        Verdict::Deny(why) => ("Denied", "NotAnAgent", why.to_owned()),
    };
    tracing::info!(request = %request.name_any(), %kind, %message, "answered a certificate request");
    let condition = CertificateSigningRequestCondition {
        type_: kind.to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message),
        ..CertificateSigningRequestCondition::default()
    };
    // Exactly the request that was judged: another content under this name is another version.
    let patch = json!({
        "metadata": { "uid": request.metadata.uid, "resourceVersion": request.metadata.resource_version },
        "status": { "conditions": [condition] },
    });
    let params = PatchParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    requests.patch_approval(&request.name_any(), &params, &Patch::Merge(&patch)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use jiuzhou_api::v1alpha1::{Connection, MemberClusterSpec, PullConnection, PushConnection};
    use jiuzhou_member::agent::identity::request;
    use k8s_openapi::ByteString;

    use super::*;

    fn member(name: &str) -> Option<MemberCluster> {
        let pull = Connection { pull: Some(PullConnection::default()), ..Connection::default() };
        let push = Connection { push: Some(PushConnection::default()), ..Connection::default() };
        let (connection, lifecycle) = match name {
            "a" => (pull, Lifecycle::Active),
            "pushed" => (push, Lifecycle::Active),
            "leaving" => (pull, Lifecycle::Leaving),
            _ => return None,
        };
        Some(MemberCluster::new(name, MemberClusterSpec { connection, lifecycle, ..MemberClusterSpec::default() }))
    }

    fn asks(by: &str, of: &str) -> CertificateSigningRequestSpec {
        CertificateSigningRequestSpec {
            request: ByteString(request(of).unwrap().1.into_bytes()),
            signer_name: SIGNER.to_owned(),
            usages: Some(USAGES.map(str::to_owned).to_vec()),
            username: Some(by.to_owned()),
            ..CertificateSigningRequestSpec::default()
        }
    }

    #[test]
    fn only_the_agent_of_a_member_by_pull_gets_its_name() {
        let denied = |verdict: Verdict| matches!(verdict, Verdict::Deny(_));
        let approved = Verdict::Approve("a".to_owned());
        assert_eq!(judge(&asks(&bootstrap_user("a"), "a"), member), approved);
        assert_eq!(judge(&asks(&user_name("a"), "a"), member), approved, "a renewal");
        assert!(denied(judge(&asks(&bootstrap_user("b"), "a"), member)), "another's bootstrap account");
        assert!(denied(judge(&asks(&user_name("ab"), "a"), member)), "a longer name");
        assert!(denied(judge(&asks("system:admin", "a"), member)));
        for cluster in ["pushed", "leaving", "nobody"] {
            assert!(denied(judge(&asks(&bootstrap_user(cluster), cluster), member)), "{cluster}");
        }
    }

    #[test]
    fn another_signer_use_or_form_is_not_approved() {
        let spec = asks(&bootstrap_user("a"), "a");
        let signer =
            CertificateSigningRequestSpec { signer_name: "kubernetes.io/kubelet-serving".into(), ..spec.clone() };
        assert_eq!(judge(&signer, member), Verdict::Ignore);
        let usages = Some(vec!["client auth".to_owned(), "server auth".to_owned()]);
        let server = CertificateSigningRequestSpec { usages, ..spec.clone() };
        assert!(matches!(judge(&server, member), Verdict::Deny(_)));
        let nonsense = CertificateSigningRequestSpec { request: ByteString(b"no request".to_vec()), ..spec };
        assert_eq!(judge(&nonsense, member), Verdict::Ignore);
    }
}
