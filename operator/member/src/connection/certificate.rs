//! When certificates and tokens begin and end, and who a certificate request is for.
//!
//! Nothing here is trusted: a wrong end only shows a wrong date, and a request is judged by who approves it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{FromDer, X509Certificate};

/// From when until when a certificate holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// First instant.
    pub begins: Timestamp,
    /// Last instant.
    pub ends: Timestamp,
}

/// Seconds of a week.
const WEEK: i64 = 7 * 24 * 3600;

impl Term {
    /// When to renew: while a week is left, so that nobody is locked out by a hub that was down over a holiday; at half
    /// of its life at the latest, and not before an eighth of it is over.
    #[must_use]
    pub fn renew_at(&self) -> Timestamp {
        let (begins, ends) = (self.begins.as_second(), self.ends.as_second());
        let life = ends.saturating_sub(begins);
        let at = (begins + life / 2).min(ends - WEEK).max(begins + life / 8);
        Timestamp::from_second(at).unwrap_or(self.ends)
    }
}

/// The term of a certificate in DER; `None` when it is none.
#[must_use]
pub fn certificate_term(der: &[u8]) -> Option<Term> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    Some(Term { begins: at(validity.not_before)?, ends: at(validity.not_after)? })
}

/// From when until when a JSON Web Token holds; `None` when it does not say its end or is no such token. A beginning that
/// is not said is the epoch.
#[must_use]
pub fn token_term(token: &str) -> Option<Term> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    let at = |claim: &str| Timestamp::from_second(claims.get(claim)?.as_i64()?).ok();
    Some(Term { begins: at("iat").unwrap_or(Timestamp::UNIX_EPOCH), ends: at("exp")? })
}

/// Whom a certificate request is for: its common name and its organisations, when it asks for nothing else.
///
/// `None` when it is no request, its signature does not fit its key, or it wants more (names of hosts, other parts of a
/// subject, extensions).
#[must_use]
pub fn request_subject(der: &[u8]) -> Option<(String, Vec<String>)> {
    let (rest, request) = X509CertificationRequest::from_der(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let info = &request.certification_request_info;
    if info.iter_attributes().next().is_some() {
        return None;
    }
    request.verify_signature().ok()?;
    let text = |value: &x509_parser::x509::AttributeTypeAndValue<'_>| value.as_str().map(str::to_owned).ok();
    let names: Vec<String> = info.subject.iter_common_name().map(text).collect::<Option<_>>()?;
    let organisations: Vec<String> = info.subject.iter_organization().map(text).collect::<Option<_>>()?;
    if info.subject.iter_attributes().count() != names.len() + organisations.len() {
        return None;
    }
    let [name] = names.as_slice() else { return None };
    Some((name.clone(), organisations))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn request(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "system:jiuzhou:member:a");
        params.distinguished_name.push(DnType::OrganizationName, "system:jiuzhou:members");
        change(&mut params);
        params.serialize_request(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn a_request_for_a_name_and_nothing_else_is_read() {
        let subject = request_subject(&request(|_| {}));
        assert_eq!(subject, Some(("system:jiuzhou:member:a".to_owned(), vec!["system:jiuzhou:members".to_owned()])));
    }

    #[test]
    fn a_request_that_wants_more_is_not_read() {
        let hosts = request(|params| {
            params.subject_alt_names.push(rcgen::SanType::DnsName("kubernetes.default".try_into().unwrap()));
        });
        assert_eq!(request_subject(&hosts), None, "names of hosts");
        let unit = request(|params| params.distinguished_name.push(DnType::OrganizationalUnitName, "x"));
        assert_eq!(request_subject(&unit), None, "another part of the subject");
        let mut forged = request(|_| {});
        let last = forged.len() - 1;
        forged[last] ^= 1;
        assert_eq!(request_subject(&forged), None, "a signature that does not fit");
    }

    #[test]
    fn the_term_of_a_token_is_its_claims() {
        let token = |claims: &str| token_term(&format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)));
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let term = Term { begins: at(1_763_000_000), ends: at(1_764_000_000) };
        assert_eq!(token(r#"{"iat":1763000000,"exp":1764000000}"#), Some(term));
        assert_eq!(token(r#"{"iat":1763000000}"#), None);
        assert_eq!(token_term("opaque"), None);
    }

    #[test]
    fn a_credential_is_renewed_while_a_week_of_it_is_left() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let day = 24 * 3600;
        let renewed = |days: i64| Term { begins: at(0), ends: at(days * day) }.renew_at();
        assert_eq!(renewed(8), at(day), "what join makes");
        assert_eq!(renewed(14), at(7 * day), "what an agent asks for");
        assert_eq!(renewed(365), at(365 * day / 2));
        assert_eq!(Term { begins: at(0), ends: at(600) }.renew_at(), at(75), "not all the time");
    }

    #[test]
    fn the_term_of_a_certificate_is_read() {
        let mut params = CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 2, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let term = certificate_term(certificate.der()).unwrap();
        assert_eq!(term.begins, "2026-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(term.ends, "2026-02-01T00:00:00Z".parse().unwrap());
        assert_eq!(certificate_term(b"no certificate"), None);
    }
}
