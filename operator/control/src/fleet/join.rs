//! How a cluster joins by push: what its own administrator's credential makes in it, and what the hub gets.
//!
//! The administrator's credential is used once and kept nowhere. The hub gets a token of the narrow account, bound in
//! time; the operator renews it while it holds. Everything is by server-side apply without force, so that joining again
//! repairs and a foreign object of the same name is told and not taken.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiuzhou_api::meta;
use jiuzhou_api::v1alpha1::{Connection as Way, MemberCluster, MemberClusterSpec, PushConnection, Tenant};
use jiuzhou_member::bootstrap::Bootstrap;
use jiuzhou_member::claim;
use jiuzhou_member::connection::{Connection, Endpoint, Limits, Refusal, Trouble, install_tls_provider};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace, Secret, ServiceAccount};
use kube::api::{Api, DynamicObject, ListParams, ObjectList, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::{Client, ResourceExt, discovery};
use serde_json::{Value, json};

use crate::decide::counter;

/// A token lives as long as this unless said otherwise: long enough for an operator that is down over a holiday week.
pub const TOKEN_HOURS: i64 = 8 * 24;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Join {
    /// Name of the MemberCluster.
    pub cluster: String,
    /// What is declared about it; its connection is set here.
    pub spec: MemberClusterSpec,
    /// Address of its API server as the hub reaches it.
    pub server: String,
    /// Its certificate authority in PEM.
    pub authority: String,
    /// Tenants that the hub may act as there.
    pub tenants: Vec<String>,
    /// Life of the token in hours.
    pub token_hours: i64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Version of the member.
    pub version: String,
    /// Uid of its `kube-system`.
    pub identity: String,
    /// When the credential ends.
    pub credential_ends: Option<Timestamp>,
    /// Whether policies of admission could be put in (1.30 and later).
    pub admission: bool,
}

/// Why a cluster did not join. What was made is there and is taken up by the next try.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The administrator's kubeconfig.
    #[error("failed to use the kubeconfig of the member: {0}")]
    Kubeconfig(String),
    /// The member's answer.
    #[error("failed to {what} in the member: {trouble}")]
    Member {
        /// What was tried.
        what: String,
        /// Its answer.
        trouble: Trouble,
    },
    /// The hub's answer.
    #[error("failed to {what} on the hub: {trouble}")]
    Hub {
        /// What was tried.
        what: String,
        /// Its answer.
        trouble: Trouble,
    },
    /// The credential that was made is none that the operator would take.
    #[error("failed to use the credential that was made")]
    Credential(#[from] Refusal),
    /// The cluster is in the fleet under another name.
    #[error("failed to join: the cluster is MemberCluster {other} already")]
    Already {
        /// That one.
        other: String,
    },
    /// It obeys another hub.
    #[error(
        "failed to join: the cluster obeys hub {hub}; if that hub is gone for good, put this one in its place: jiuzhou recover --promote"
    )]
    OtherHub {
        /// That one.
        hub: String,
    },
    /// A MemberCluster of this name says to be reached another way.
    #[error("failed to join: MemberCluster {0} is there and says another connection; change its spec.connection.push")]
    OtherWay(String),
}

fn member(what: &str) -> impl FnOnce(kube::Error) -> JoinError {
    let what = what.to_owned();
    move |error| JoinError::Member { what, trouble: Trouble::of(&error) }
}

fn hub(what: &str) -> impl FnOnce(kube::Error) -> JoinError {
    let what = what.to_owned();
    move |error| JoinError::Hub { what, trouble: Trouble::of(&error) }
}

/// A cluster as its administrator's own kubeconfig reaches it, and what of the kubeconfig the hub is told.
#[derive(Clone)]
pub struct Administrator {
    /// A client with the administrator's rights.
    pub client: Client,
    /// Address of the API server.
    pub server: String,
    /// Its certificate authority in PEM.
    pub authority: String,
}

impl Administrator {
    /// Reads a kubeconfig of this machine: a person's own, so that what it runs and reads is the person's business.
    ///
    /// # Errors
    /// When it cannot be read, says no server, or no authority to check the server against.
    pub async fn connect(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Self, JoinError> {
        install_tls_provider();
        let file = match kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let file = file.map_err(|error| JoinError::Kubeconfig(error.to_string()))?;
        let options = KubeConfigOptions { context: context.map(ToOwned::to_owned), ..KubeConfigOptions::default() };
        let config = kube::Config::from_custom_kubeconfig(file, &options).await;
        let mut config = config.map_err(|error| JoinError::Kubeconfig(error.to_string()))?;
        config.default_retry = false;
        config.read_timeout = Some(Limits::default().request);
        let server = config.cluster_url.to_string();
        let roots = config.root_cert.as_deref().unwrap_or_default();
        if roots.is_empty() || config.accept_invalid_certs {
            return Err(JoinError::Kubeconfig(
                "it has no certificate authority to check the server against".to_owned(),
            ));
        }
        let authority = roots.iter().map(|der| pem(der)).collect();
        let client = Client::try_from(config).map_err(|error| JoinError::Kubeconfig(error.to_string()))?;
        Ok(Self { client, server, authority })
    }
}

/// A certificate as PEM.
fn pem(der: &[u8]) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("base64 is ASCII")).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Names of all tenants of a hub.
///
/// # Errors
/// The hub's answer.
pub async fn tenants(of: &Client) -> Result<Vec<String>, JoinError> {
    let api: Api<Tenant> = Api::all(of.clone());
    let all = api.list(&ListParams::default()).await.map_err(hub("list Tenants"))?;
    Ok(all.iter().map(ResourceExt::name_any).collect())
}

/// Where the credential of a member stands on the hub.
#[must_use]
pub fn secret_name(cluster: &str) -> String {
    format!("member-{cluster}")
}

/// Joins a cluster: `to` is the hub, `admin` the member as its administrator.
///
/// # Errors
/// The first step that failed.
pub async fn join(to: &Client, admin: &Client, join: &Join) -> Result<Joined, JoinError> {
    let version = admin.apiserver_version().await.map_err(member("read the version"))?;
    let admission = has_admission(&version.major, &version.minor);
    let identity = claim::identity(admin).await;
    let identity = identity.map_err(|trouble| JoinError::Member { what: "read its identity".to_owned(), trouble })?;
    refuse_doubles(to, admin, join, &identity).await?;
    let bootstrap = Bootstrap { tenants: join.tenants.clone(), admission, agent: None };
    for manifest in bootstrap.manifests() {
        apply(admin, &manifest).await.map_err(member(&format!("apply {}", title(&manifest))))?;
    }
    let token = token(admin, join.token_hours).await.map_err(member("make a token"))?;
    let endpoint = Endpoint::from_token(&join.server, &join.authority, &token, Timestamp::now())?;
    let connection = Connection::open(endpoint, Limits::default())?;
    // Before the hub is told: the address, the authority and the token work together.
    let seen = claim::identity(&connection.client()).await;
    let seen = seen.map_err(|trouble| JoinError::Member { what: "use the new token".to_owned(), trouble })?;
    if seen != identity {
        let trouble = Trouble::Nonsense(format!("{} is another cluster than the kubeconfig names", join.server));
        return Err(JoinError::Member { what: "use the new token".to_owned(), trouble });
    }
    put_secret(to, join, &token).await?;
    put_member(to, join).await?;
    Ok(Joined { version: version.git_version, identity, credential_ends: connection.expires_at(), admission })
}

/// ValidatingAdmissionPolicy is stable from 1.30.
fn has_admission(major: &str, minor: &str) -> bool {
    let number = |text: &str| text.trim_end_matches(|c: char| !c.is_ascii_digit()).parse::<u32>().unwrap_or(0);
    (number(major), number(minor)) >= (1, 30)
}

/// Lists them, waiting a little for an API server that is still making room for the definition: it answers 429 for some
/// seconds after that was applied, and a person who types the next command at once should not meet that.
async fn list_when_served(members: &Api<MemberCluster>) -> kube::Result<ObjectList<MemberCluster>> {
    let mut tries = 30;
    loop {
        match members.list(&ListParams::default()).await {
            Err(kube::Error::Api(status)) if status.code == 429 && tries > 0 => tries -= 1,
            answer => return answer,
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn refuse_doubles(to: &Client, admin: &Client, join: &Join, identity: &str) -> Result<(), JoinError> {
    let members: Api<MemberCluster> = Api::all(to.clone());
    let all = list_when_served(&members).await.map_err(hub("list MemberClusters"))?;
    let is_it = |member: &&MemberCluster| {
        let seen = member.status.as_ref().and_then(|status| status.identity.as_ref());
        member.name_any() != join.cluster && seen.is_some_and(|seen| *seen.uid == *identity)
    };
    if let Some(other) = all.iter().find(is_it) {
        return Err(JoinError::Already { other: other.name_any() });
    }
    let ours = claim::identity(to).await;
    let ours = ours.map_err(|trouble| JoinError::Hub { what: "read its identity".to_owned(), trouble })?;
    // A hub that was put in the place of a lost one joins the members of that one anew.
    let former = counter::read(to).await.ok().and_then(|counter| counter.succeeds);
    let found = claim::read(admin).await;
    match found.map_err(|trouble| JoinError::Member { what: "read its claim".to_owned(), trouble })? {
        Some(found) if former.as_deref() == Some(&*found.claim.hub) => Ok(()),
        Some(found) if *found.claim.hub != *ours => Err(JoinError::OtherHub { hub: found.claim.hub.to_string() }),
        _ => Ok(()),
    }
}

/// Applies a manifest of ours whose kind every API server has. By force: what `kubectl` applied of it (a member by pull that
/// now joins by push) or somebody widened is ours again.
pub(crate) async fn apply(client: &Client, manifest: &Value) -> Result<(), kube::Error> {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = text("/apiVersion").split_once('/').unwrap_or(("", text("/apiVersion")));
    let kind = GroupVersionKind::gvk(group, version, text("/kind"));
    let (resource, _) = discovery::pinned_kind(client, &kind).await?;
    let api: Api<DynamicObject> = match text("/metadata/namespace") {
        "" => Api::all_with(client.clone(), &resource),
        namespace => Api::namespaced_with(client.clone(), namespace, &resource),
    };
    let params = PatchParams::apply(meta::FIELD_MANAGER).force();
    api.patch(text("/metadata/name"), &params, &Patch::Apply(manifest)).await.map(drop)
}

fn title(manifest: &Value) -> String {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", text("/kind"), text("/metadata/name"))
}

/// A token of the hub's account.
pub(crate) async fn token(client: &Client, hours: i64) -> Result<String, kube::Error> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), meta::SYSTEM_NAMESPACE);
    let request = TokenRequest {
        spec: TokenRequestSpec {
            audiences: Vec::new(),
            bound_object_ref: None,
            expiration_seconds: Some(hours.max(1) * 3600),
        },
        ..TokenRequest::default()
    };
    let answer = accounts.create_token_request(meta::PUSH_ACCOUNT, &PostParams::default(), &request).await?;
    Ok(answer.status.map(|status| status.token).unwrap_or_default())
}

/// The kubeconfig that the hub keeps. JSON is YAML.
pub(crate) fn kubeconfig(cluster: &str, server: &str, authority: &str, token: &str) -> String {
    use base64::Engine;
    let authority = base64::engine::general_purpose::STANDARD.encode(authority);
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": cluster,
        "contexts": [{ "name": cluster, "context": { "cluster": cluster, "user": meta::PUSH_ACCOUNT } }],
        "clusters": [{ "name": cluster, "cluster": { "server": server, "certificate-authority-data": authority } }],
        "users": [{ "name": meta::PUSH_ACCOUNT, "user": { "token": token } }],
    })
    .to_string()
}

async fn put_secret(to: &Client, join: &Join, token: &str) -> Result<(), JoinError> {
    let namespaces: Api<Namespace> = Api::all(to.clone());
    let there = namespaces.get_opt(meta::SYSTEM_NAMESPACE).await.map_err(hub("read the namespace jiuzhou-system"))?;
    let params = PatchParams::apply(meta::FIELD_MANAGER);
    if there.is_none() {
        let namespace =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": meta::SYSTEM_NAMESPACE } });
        let made = namespaces.patch(meta::SYSTEM_NAMESPACE, &params, &Patch::Apply(&namespace)).await;
        made.map_err(hub("make the namespace jiuzhou-system"))?;
    }
    let name = secret_name(&join.cluster);
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": { "name": name, "labels": {
            meta::LABEL_MANAGED_BY: meta::MANAGED_BY, meta::LABEL_CLUSTER: join.cluster,
        } },
        "stringData": { "kubeconfig": kubeconfig(&join.cluster, &join.server, &join.authority, token) },
    });
    let secrets: Api<Secret> = Api::namespaced(to.clone(), meta::SYSTEM_NAMESPACE);
    // `stringData` is never read back, so a field manager owns what the server made of it: force is without effect on
    // others, and a Secret of this name that is not ours has no label of ours.
    let there = secrets.get_metadata_opt(&name).await.map_err(hub("read the Secret of the member"))?;
    let foreign = there.is_some_and(|there| there.labels().get(meta::LABEL_CLUSTER) != Some(&join.cluster));
    if foreign {
        let trouble = Trouble::Conflict(format!("Secret {}/{name} is not ours", meta::SYSTEM_NAMESPACE));
        return Err(JoinError::Hub { what: "write the credential".to_owned(), trouble });
    }
    let written = secrets.patch(&name, &params.force(), &Patch::Apply(&secret)).await;
    written.map(drop).map_err(hub("write the credential"))
}

/// A MemberCluster that is declared elsewhere (Git) is left as it is, provided it says the same way.
async fn put_member(to: &Client, join: &Join) -> Result<(), JoinError> {
    let push = PushConnection {
        secret_namespace: meta::SYSTEM_NAMESPACE.into(),
        secret_name: secret_name(&join.cluster).into(),
        secret_key: "kubeconfig".into(),
    };
    let members: Api<MemberCluster> = Api::all(to.clone());
    match members.get_opt(&join.cluster).await.map_err(hub("read the MemberCluster"))? {
        Some(there) if there.spec.connection.push.as_ref() == Some(&push) => Ok(()),
        Some(_) => Err(JoinError::OtherWay(join.cluster.clone())),
        None => {
            let connection = Way { push: Some(push), ..Way::default() };
            let spec = MemberClusterSpec { connection, ..join.spec.clone() };
            let object = MemberCluster::new(&join.cluster, spec);
            let params = PostParams { field_manager: Some(meta::FIELD_MANAGER.to_owned()), ..PostParams::default() };
            members.create(&params, &object).await.map(drop).map_err(hub("make the MemberCluster"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_of_admission_come_with_1_30() {
        for (minor, want) in [("29", false), ("30", true), ("30+", true), ("36", true), ("", false)] {
            assert_eq!(has_admission("1", minor), want, "{minor}");
        }
    }

    #[test]
    fn the_kubeconfig_that_is_made_is_one_that_is_taken() {
        let key = "opaque-token";
        let text = kubeconfig("a", "https://10.0.0.1:6443", "not a certificate", key);
        let refusal = Endpoint::from_kubeconfig(text.as_bytes(), Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(refusal, Refusal::AuthorityInvalid, "everything but the authority was found good");
    }
}
