//! A member's words, made fit to be shown: short, on one line, and without anything that a Secret holds.
//!
//! An API server repeats the value it refuses. [`Censor`] knows the data of the Secrets of one delivery, plain and in
//! base64, and takes it out of every text; of an object that is itself a Secret only the names of fields are told.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiuzhou_objects::secrets::SecretManifest;
use serde_json::Value;

/// Longest message that is kept, in characters.
const LONGEST: usize = 400;
/// Data shorter than this is no secret worth the name, and would black out ordinary words.
const SHORTEST: usize = 4;

/// Takes secrets out of texts.
#[derive(Clone, Default)]
pub(crate) struct Censor(BTreeSet<String>);

impl Censor {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretManifest>) -> Self {
        let mut hidden = BTreeSet::new();
        for secret in secrets {
            let data = secret.manifest().get("data").and_then(Value::as_object);
            for text in data.into_iter().flatten().filter_map(|(_, value)| value.as_str()) {
                hidden.insert(text.to_owned());
                let plain = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                for plain in plain.into_iter() {
                    // A quoted value has its line ends escaped; each line may also stand alone.
                    hidden.extend(plain.lines().map(|line| line.trim().to_owned()));
                    hidden.insert(plain);
                }
            }
        }
        Self(hidden.into_iter().filter(|text| text.chars().count() >= SHORTEST).collect())
    }

    /// A text that may be shown.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // Longest first, so that no end of a longer secret is left over.
        let mut hidden: Vec<&String> = self.0.iter().collect();
        hidden.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in hidden {
            text = text.replace(secret.as_str(), "***");
        }
        let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if one_line.chars().count() > LONGEST {
            one_line.chars().take(LONGEST - 1).chain(['…']).collect()
        } else {
            one_line
        }
    }
}

/// How a member refused a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No answer, or none of an API server: nothing is known of what was done.
    Silence(String),
    /// We held a write back ourselves; nothing was sent.
    Held(String),
    /// 404.
    NotFound,
    /// 409: changed in between; read again.
    Changed,
    /// 409: fields are another manager's. Field and manager of each, as the member says it.
    Fields(Vec<String>),
    /// 422 that says a field cannot be changed.
    Immutable(String),
    /// 403: a right is missing, in the member's words.
    Forbidden(String),
    /// Any other answer, in the member's words.
    Refused(String),
}

impl Refusal {
    /// Reads an error of kube. `secret`: the object is a Secret, so that no word of the member is repeated.
    pub(crate) fn of(error: &kube::Error, secret: bool, censor: &Censor) -> Self {
        let kube::Error::Api(status) = error else {
            return Self::Silence(censor.clean(&innermost(error)));
        };
        let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
        let fields = || causes.iter().map(|cause| cause.field.clone()).filter(|field| !field.is_empty());
        let words = if secret {
            let named: Vec<String> = fields().collect();
            format!("{} ({}) {}", status.reason, status.code, named.join(", ")).trim_end().to_owned()
        } else {
            censor.clean(&format!("{} ({})", status.message, status.code))
        };
        match status.code {
            404 => Self::NotFound,
            409 if causes.iter().any(|cause| cause.reason == "FieldManagerConflict") => Self::Fields(
                causes.iter().map(|cause| censor.clean(&format!("{}: {}", cause.field, cause.message))).collect(),
            ),
            409 => Self::Changed,
            // An update that names the uid of an object that was replaced in between.
            422 if causes.iter().any(|cause| cause.field == "metadata.uid") => Self::Changed,
            422 if status.message.contains("immutable") || status.message.contains("updates to statefulset spec") => {
                Self::Immutable(words)
            }
            // Overloaded, starting, or a gateway in between: not the member's judgement on the object.
            429 | 502 | 503 | 504 => Self::Silence(words),
            403 => Self::Forbidden(words),
            _ => Self::Refused(words),
        }
    }
}

/// The last cause of an error: what kube wraps around it says nothing.
fn innermost(error: &kube::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use jiuzhou_objects::secrets::DigestKey;
    use kube::core::Status;
    use serde_json::json;

    use super::*;

    fn censor() -> Censor {
        let manifest = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "stringData": {"password": "canary-1", "pem": "BEGIN\ncanary-2-line\nEND", "on": "1"}});
        Censor::new([&SecretManifest::new(manifest, "n/w", &DigestKey::new(*b"k")).unwrap()])
    }

    #[test]
    fn no_form_of_a_secret_is_left_in_a_text() {
        let text = format!(
            "Invalid value: \"canary-1\" {} {:?} canary-2-line 1",
            STANDARD.encode("canary-1"),
            "BEGIN\ncanary-2-line\nEND"
        );
        let clean = censor().clean(&text);
        assert!(!clean.contains("canary") && !clean.contains(&STANDARD.encode("canary-1")), "{clean}");
        assert!(clean.starts_with("Invalid value: \"***\""), "{clean}");
        assert!(clean.ends_with(" 1"), "what is too short to be a secret stays: {clean}");
        assert_eq!(censor().clean("a\nb"), "a b");
        assert_eq!(censor().clean(&"九".repeat(1000)).chars().count(), LONGEST);
    }

    fn status(code: u16, message: &str, causes: &[(&str, &str, &str)]) -> kube::Error {
        let cause = |(reason, field, message): &(&str, &str, &str)| json!({"reason": reason, "field": field, "message": message});
        let causes: Vec<Value> = causes.iter().map(cause).collect();
        let status = json!({"code": code, "message": message, "reason": "Invalid", "details": {"causes": causes}});
        kube::Error::Api(Box::new(serde_json::from_value::<Status>(status).unwrap()))
    }

    #[test]
    fn refusals_are_told_apart() {
        let of = |error: kube::Error| Refusal::of(&error, false, &censor());
        assert_eq!(of(status(404, "", &[])), Refusal::NotFound);
        assert_eq!(of(status(409, "modified", &[])), Refusal::Changed);
        let replaced = ("FieldValueInvalid", "metadata.uid", "field is immutable");
        assert_eq!(of(status(422, "field is immutable", &[replaced])), Refusal::Changed);
        let taken = status(409, "conflict", &[("FieldManagerConflict", ".spec.replicas", "conflict with \"kubectl\"")]);
        assert_eq!(of(taken), Refusal::Fields(vec![".spec.replicas: conflict with \"kubectl\"".into()]));
        let fixed = "Deployment.apps \"a\" is invalid: spec.selector: Invalid value: x: field is immutable";
        assert!(matches!(of(status(422, fixed, &[])), Refusal::Immutable(_)));
        assert_eq!(of(status(403, "no", &[])), Refusal::Forbidden("no (403)".into()));
        assert!(matches!(of(status(503, "starting", &[])), Refusal::Silence(_)));
    }

    #[test]
    fn of_a_secret_only_names_of_fields_are_told() {
        let error =
            status(422, "Invalid value: \"unknown-canary\"", &[("FieldValueInvalid", "data[k]", "unknown-canary")]);
        let told = Refusal::of(&error, true, &censor());
        assert_eq!(told, Refusal::Refused("Invalid (422) data[k]".into()));
    }
}
