//! The bytes of a manifest that a digest is taken of, and the digest.
//!
//! JSON without spaces, keys in order, numbers as read. Two manifests with one meaning to us have one digest, whatever
//! the order of their keys.

use jiuzhou_engine::terms::Digest;
use serde_json::Value;

/// The bytes: equal for equal values.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

/// SHA-256 of [`canonical`].
#[must_use]
pub fn of(value: &Value) -> Digest {
    Digest::sha256(&canonical(value))
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            // serde_json keeps keys as they were read when any crate of the build asks it to.
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            out.push(b'{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(&Value::from(key.as_str()), out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        scalar => out.extend_from_slice(scalar.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::strategies::any_json;

    #[test]
    fn keys_are_in_order_and_lists_are_not_sorted() {
        let value = json!({"b": [2, 1, {"z": null, "a": "\"\u{4e5d}\n"}], "a": 1.5});
        let text = String::from_utf8(canonical(&value)).unwrap();
        assert_eq!(text, "{\"a\":1.5,\"b\":[2,1,{\"a\":\"\\\"\u{4e5d}\\n\",\"z\":null}]}");
    }

    proptest! {
        #[test]
        fn the_bytes_read_back_to_the_value(value in any_json()) {
            let back: Value = serde_json::from_slice(&canonical(&value)).unwrap();
            prop_assert_eq!(canonical(&back), canonical(&value));
        }
    }
}
