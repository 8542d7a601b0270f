//! Who an agent is on the hub: a key that never leaves the member, and a certificate for exactly one name.

use std::collections::BTreeMap;
use std::time::Duration;

use jiuzhou_api::meta;
use k8s_openapi::ByteString;
use k8s_openapi::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestSpec};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde_json::json;
use tokio::time::sleep;

use super::{AgentError, Either};
use crate::connection::Trouble;

/// Organisation of all agents: the group of their users on the hub.
pub const GROUP: &str = "system:jiuzhou:members";
/// The signer of Kubernetes whose certificates authenticate users.
pub const SIGNER: &str = "kubernetes.io/kube-apiserver-client";
/// What such a certificate is for.
pub const USAGES: [&str; 2] = ["client auth", "digital signature"];
/// Life of a certificate that is asked for: two weeks, renewed after one, so that a hub may be down for the other. The hub
/// may give less.
const LIFE_SECONDS: i32 = 14 * 24 * 3600;
/// Secret in the member with key and certificate.
pub const SECRET: &str = "agent-identity";
/// Questions about a request until it is given up: ten minutes.
const QUESTIONS: u32 = 200;
const PAUSE: Duration = Duration::from_secs(3);

/// Name of the user that the agent of a cluster is on the hub.
#[must_use]
pub fn user_name(cluster: &str) -> String {
    format!("system:jiuzhou:member:{cluster}")
}

/// A key and its certificate, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

/// A new key, and a request for the certificate of a cluster's agent; both in PEM.
///
/// # Errors
/// When no key can be made.
pub fn request(cluster: &str) -> Result<(String, String), rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, GROUP);
    params.distinguished_name.push(DnType::CommonName, user_name(cluster));
    let key = KeyPair::generate()?;
    let request = params.serialize_request(&key)?.pem()?;
    Ok((key.serialize_pem(), request))
}

/// What was kept in the member.
pub(super) async fn load(member: &Client) -> Result<Option<Identity>, Trouble> {
    let secrets: Api<Secret> = Api::namespaced(member.clone(), meta::SYSTEM_NAMESPACE);
    let found = secrets.get_opt(SECRET).await.map_err(|error| Trouble::of(&error))?;
    let data = found.and_then(|secret| secret.data).unwrap_or_default();
    let text = |key: &str| data.get(key).and_then(|bytes| String::from_utf8(bytes.0.clone()).ok());
    Ok(text("tls.crt").zip(text("tls.key")).map(|(certificate, key)| Identity { certificate, key }))
}

/// Keeps it in the member.
pub(super) async fn store(member: &Client, identity: &Identity) -> Result<(), Trouble> {
    let data = [("tls.crt", &identity.certificate), ("tls.key", &identity.key)];
    let data: BTreeMap<&str, ByteString> =
        data.into_iter().map(|(key, text)| (key, ByteString(text.clone().into_bytes()))).collect();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": { "name": SECRET, "labels": { meta::LABEL_MANAGED_BY: meta::MANAGED_BY } },
        "data": data,
    });
    let secrets: Api<Secret> = Api::namespaced(member.clone(), meta::SYSTEM_NAMESPACE);
    let params = PatchParams::apply(meta::FIELD_MANAGER).force();
    secrets.patch(SECRET, &params, &Patch::Apply(&secret)).await.map(drop).map_err(|error| Trouble::of(&error))
}

/// Asks the hub for a certificate and waits for it.
pub(super) async fn obtain(hub: &Client, cluster: &str) -> Result<Identity, Either> {
    let (key, request) = request(cluster).map_err(|error| Either::Ends(error.into()))?;
    let again = |error: kube::Error| Either::Again(Trouble::of(&error));
    let requests: Api<CertificateSigningRequest> = Api::all(hub.clone());
    let object = CertificateSigningRequest {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", meta::member_namespace(cluster))),
            labels: Some(BTreeMap::from([(meta::LABEL_CLUSTER.to_owned(), cluster.to_owned())])),
            ..ObjectMeta::default()
        },
        spec: CertificateSigningRequestSpec {
            request: ByteString(request.into_bytes()),
            signer_name: SIGNER.to_owned(),
            usages: Some(USAGES.map(str::to_owned).to_vec()),
            expiration_seconds: Some(LIFE_SECONDS),
            ..CertificateSigningRequestSpec::default()
        },
        status: None,
    };
    let made = requests.create(&PostParams::default(), &object).await.map_err(again)?;
    let name = made.name_any();
    for _ in 0..QUESTIONS {
        sleep(PAUSE).await;
        let Some(status) = requests.get(&name).await.map_err(again)?.status else { continue };
        let refused = status.conditions.iter().flatten().find(|condition| condition.type_ != "Approved");
        if let Some(refused) = refused {
            let why = refused.message.clone().unwrap_or_else(|| refused.type_.clone());
            return Err(Either::Ends(AgentError::Refused(why)));
        }
        if let Some(certificate) = status.certificate {
            let certificate = String::from_utf8(certificate.0);
            let certificate = certificate.map_err(|_| Either::Again(nonsense("a certificate that is no text")))?;
            return Ok(Identity { certificate, key });
        }
    }
    Err(Either::Again(nonsense("a request for a certificate that nobody answers; is the operator running?")))
}

fn nonsense(what: &str) -> Trouble {
    Trouble::Nonsense(what.to_owned())
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateSigningRequestDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;
    use crate::connection::request_subject;

    #[test]
    fn the_request_is_for_the_one_name_of_this_cluster() {
        let (key, request) = request("a").unwrap();
        let der = CertificateSigningRequestDer::from_pem_slice(request.as_bytes()).unwrap();
        let want = ("system:jiuzhou:member:a".to_owned(), vec![GROUP.to_owned()]);
        assert_eq!(request_subject(&der), Some(want));
        assert!(!request.contains(key.lines().nth(1).unwrap()), "the key stays");
    }
}
