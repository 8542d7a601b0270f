//! One line of a segment: canonical JSON with the digest of the rest of it under `hash`.
//!
//! Canonical means that a value has one spelling, so every changed byte shows: either the spelling is no longer the
//! canonical one, or the digest differs. An auditor checks a line with `jq -cS 'del(.hash)'` and `sha256sum`.

use jiuzhou_engine::{
    decide::canonical,
    terms::{Digest, DigestAlgorithm},
};
use serde::Serialize;
use serde_json::Value;

use super::Fault;

/// Key of a line's own digest.
const HASH: &str = "hash";

/// Writes a value as a line, newline included, and says its digest.
pub(super) fn seal<T: Serialize>(value: &T, algorithm: DigestAlgorithm) -> (Vec<u8>, Digest) {
    let mut value = serde_json::to_value(value).expect("a record has only text keys");
    let digest = Digest::of(algorithm, &canonical::bytes(&value).expect("a value is JSON"));
    value.as_object_mut().expect("a record is an object").insert(HASH.into(), Value::String(digest.to_string()));
    let mut line = canonical::bytes(&value).expect("a value is JSON");
    line.push(b'\n');
    (line, digest)
}

/// Reads a line, newline included, and holds it against its digest.
pub(super) fn open(line: &[u8]) -> Result<(Value, Digest), Fault> {
    let Some(text) = line.strip_suffix(b"\n") else { return Err(Fault::Unfinished) };
    if text.contains(&0) {
        return Err(Fault::Hole);
    }
    let mut value: Value = serde_json::from_slice(text).map_err(|_| Fault::NotJson)?;
    if canonical::bytes(&value).ok().as_deref() != Some(text) {
        return Err(Fault::NotCanonical);
    }
    let hash = value.as_object_mut().and_then(|fields| fields.remove(HASH));
    let digest = hash.as_ref().and_then(Value::as_str).and_then(Digest::parse).ok_or(Fault::NoDigest)?;
    let bytes = canonical::bytes(&value).expect("a value is JSON");
    if Digest::of(digest.algorithm(), &bytes) != digest {
        return Err(Fault::Digest);
    }
    Ok((value, digest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_its_canonical_json_with_the_digest_of_the_rest() {
        let (line, digest) = seal(&json!({ "b": 1, "a": "九" }), DigestAlgorithm::Sha256);
        assert_eq!(
            String::from_utf8(line.clone()).unwrap(),
            format!("{{\"a\":\"九\",\"b\":1,\"hash\":\"{digest}\"}}\n")
        );
        assert_eq!(digest, Digest::sha256("{\"a\":\"九\",\"b\":1}".as_bytes()));
        assert_eq!(open(&line).unwrap(), (json!({ "a": "九", "b": 1 }), digest));
    }

    #[test]
    fn another_spelling_of_the_same_value_is_found() {
        let (line, _) = seal(&json!({ "a": "九" }), DigestAlgorithm::Sm3);
        let text = String::from_utf8(line).unwrap();
        assert_eq!(open(text.replace("九", "\\u4e5d").as_bytes()), Err(Fault::NotCanonical));
        assert_eq!(open(text.replacen('{', "{ ", 1).as_bytes()), Err(Fault::NotCanonical));
        assert_eq!(open(text.replacen("{", "{\"a\":\"八\",", 1).as_bytes()), Err(Fault::NotCanonical));
        assert_eq!(open(text.replace('九', "八").as_bytes()), Err(Fault::Digest));
        assert_eq!(open(text.trim_end().as_bytes()), Err(Fault::Unfinished));
    }
}
