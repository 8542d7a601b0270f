//! Canonical bytes: JSON without spaces, object keys sorted by their bytes, numbers as integers.
//!
//! Decisions, specs and snapshots are digested in this form, so that two machines (and an auditor's script) get the
//! same digest. Keys are sorted here rather than by the JSON library, whose order depends on a feature another crate
//! may switch on.

use serde::Serialize;
use serde_json::Value;

use crate::terms::{Digest, DigestAlgorithm};

/// A value cannot be written as JSON (a map with keys that are no text).
#[derive(Debug, thiserror::Error)]
#[error("failed to write canonical JSON: {0}")]
pub struct CanonicalError(#[from] serde_json::Error);

/// Canonical bytes of a value.
///
/// # Errors
/// [`CanonicalError`] when the type has a form JSON does not know.
pub fn bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::new();
    write(&serde_json::to_value(value)?, &mut out)?;
    Ok(out)
}

/// Digest of a value's canonical bytes.
///
/// # Errors
/// As [`bytes`].
pub fn digest<T: Serialize + ?Sized>(value: &T, algorithm: DigestAlgorithm) -> Result<Digest, CanonicalError> {
    Ok(Digest::of(algorithm, &bytes(value)?))
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => serde_json::to_writer(out, value)?,
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(b.0));
            out.push(b'{');
            for (at, (key, item)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, key)?;
                out.push(b':');
                write(item, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_text_is_not_escaped_needlessly() {
        let value: Value = serde_json::from_str(r#"{ "b": [1, {"d": null, "c": "九州"}], "a": true }"#).unwrap();
        assert_eq!(String::from_utf8(bytes(&value).unwrap()).unwrap(), r#"{"a":true,"b":[1,{"c":"九州","d":null}]}"#);
    }
}
