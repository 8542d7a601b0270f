//! What a kubeconfig may not hold: one row each.

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::*;

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn certificate(from: i32, until: i32) -> (String, String) {
    let mut params = CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    (STANDARD.encode(params.self_signed(&key).unwrap().pem()), STANDARD.encode(key.serialize_pem()))
}

fn file(cluster: &Value, user: &Value) -> Vec<u8> {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "contexts": [{ "name": "it", "context": { "cluster": "c", "user": "u" } }],
        "clusters": [{ "name": "c", "cluster": cluster }],
        "users": [{ "name": "u", "user": user }],
    })
    .to_string()
    .into_bytes()
}

fn good_cluster() -> Value {
    json!({ "server": "https://10.0.0.1:6443", "certificate-authority-data": certificate(2025, 2030).0 })
}

fn with(mut base: Value, key: &str, value: Value) -> Value {
    base[key] = value;
    base
}

#[tokio::test]
async fn a_plain_kubeconfig_with_a_token_or_a_certificate_is_taken() {
    let token = Endpoint::from_kubeconfig(&file(&good_cluster(), &json!({ "token": "opaque" })), now()).unwrap();
    assert_eq!((token.server().as_str(), token.term), ("https://10.0.0.1:6443/", None));
    let (certificate, key) = certificate(2026, 2027);
    let user = json!({ "client-certificate-data": certificate, "client-key-data": key });
    let endpoint = Endpoint::from_kubeconfig(&file(&good_cluster(), &user), now()).unwrap();
    assert_eq!(endpoint.term.map(|term| term.ends), Some("2027-01-01T00:00:00Z".parse().unwrap()));
    assert!(super::super::Connection::open(endpoint, super::super::Limits::default()).is_ok());
}

#[test]
fn what_runs_reads_or_trusts_is_refused_with_its_own_reason() {
    let token = json!({ "token": "opaque" });
    let path = |field| Refusal::FilePath { field };
    let users = [
        ("exec", json!({ "command": "sh" }), Refusal::Exec),
        ("auth-provider", json!({ "name": "gcp", "config": {} }), Refusal::AuthProvider),
        ("tokenFile", json!("/etc/passwd"), path("tokenFile")),
        ("client-certificate", json!("/c"), path("client-certificate")),
        ("client-key", json!("/k"), path("client-key")),
        ("username", json!("admin"), Refusal::Password),
        ("as", json!("system:masters"), Refusal::ActsAsAnother),
        ("as-groups", json!(["system:masters"]), Refusal::ActsAsAnother),
    ];
    for (field, value, want) in users {
        let got = Endpoint::from_kubeconfig(&file(&good_cluster(), &with(token.clone(), field, value)), now());
        assert_eq!(got.err(), Some(want), "{field}");
    }
    let clusters = [
        ("insecure-skip-tls-verify", json!(true), Refusal::Insecure),
        ("certificate-authority", json!("/ca"), path("certificate-authority")),
        ("proxy-url", json!("http://proxy"), Refusal::Proxy),
        ("certificate-authority-data", Value::Null, Refusal::AuthorityMissing),
        ("certificate-authority-data", json!(STANDARD.encode("no certificate")), Refusal::AuthorityInvalid),
        ("server", json!("http://10.0.0.1"), Refusal::ServerInvalid),
        ("server", json!("https://user:word@10.0.0.1"), Refusal::ServerInvalid),
        ("server", Value::Null, Refusal::ServerInvalid),
    ];
    for (field, value, want) in clusters {
        let got = Endpoint::from_kubeconfig(&file(&with(good_cluster(), field, value), &token), now());
        assert_eq!(got.err(), Some(want), "{field}");
    }
}

#[test]
fn an_entry_that_is_not_used_is_looked_at_too() {
    let mut file: Value = serde_json::from_slice(&file(&good_cluster(), &json!({ "token": "opaque" }))).unwrap();
    let other = json!({ "name": "other", "user": { "exec": { "command": "sh" } } });
    file["users"].as_array_mut().unwrap().push(other);
    assert_eq!(Endpoint::from_kubeconfig(file.to_string().as_bytes(), now()).err(), Some(Refusal::Exec));
}

#[test]
fn a_credential_outside_its_term_is_refused_with_the_date() {
    let user = |(certificate, key): (String, String)| json!({ "client-certificate-data": certificate, "client-key-data": key });
    let read = |user: &Value| Endpoint::from_kubeconfig(&file(&good_cluster(), user), now()).err();
    let at = |text: &str| text.parse().unwrap();
    let expired = Some(Refusal::CredentialExpired { at: at("2026-01-01T00:00:00Z") });
    assert_eq!(read(&user(certificate(2025, 2026))), expired);
    let early = Some(Refusal::CredentialNotYetValid { at: at("2027-01-01T00:00:00Z") });
    assert_eq!(read(&user(certificate(2027, 2028))), early);
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"exp":1767225600}"#);
    assert_eq!(read(&json!({ "token": format!("e30.{claims}.c2ln") })), expired);
    assert_eq!(read(&json!({})), Some(Refusal::NoCredential));
    let (certificate, _) = certificate(2026, 2027);
    assert_eq!(read(&json!({ "client-certificate-data": certificate })), Some(Refusal::CredentialUnusable));
}

#[test]
fn no_refusal_repeats_what_the_file_says() {
    let canary = "canary-7f3a";
    for text in [format!("{{ token: {canary}"), format!("users: {canary}"), format!("current-context: {canary}")] {
        let refusal = Endpoint::from_kubeconfig(text.as_bytes(), now()).unwrap_err();
        assert!(!format!("{refusal} {refusal:?}").contains(canary), "{refusal}");
    }
    assert_eq!(Endpoint::from_kubeconfig(&vec![b' '; MAX_BYTES + 1], now()).err(), Some(Refusal::TooLarge));
    assert_eq!(Endpoint::from_kubeconfig(&[0xff], now()).err(), Some(Refusal::Unreadable));
}
