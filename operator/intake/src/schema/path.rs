//! JSON pointers and the dotted paths people read.

use serde_json::Value;

/// A pointer one step deeper.
pub(super) fn down(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// `/spec/pools/0/name` as `spec.pools[0].name`. A key that is a number reads like an index; that is for people only.
pub(crate) fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for token in pointer.split('/').skip(1) {
        if !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit()) {
            path = format!("{path}[{token}]");
        } else {
            let name = token.replace("~1", "/").replace("~0", "~");
            path = if path.is_empty() { name } else { format!("{path}.{name}") };
        }
    }
    path
}

/// The pointer of a path as kube-cel writes it (`spec.list[0].key`), found by following the value: keys may hold dots.
pub(super) fn pointer_of(path: &str, value: &Value) -> String {
    let (mut pointer, mut rest, mut value) = (String::new(), path, Some(value));
    while !rest.is_empty() {
        let trimmed = rest.strip_prefix('.').unwrap_or(rest);
        if let Some((index, tail)) = trimmed.strip_prefix('[').and_then(|r| r.split_once(']')) {
            pointer = down(&pointer, index);
            value = value.and_then(|v| index.parse::<usize>().ok().and_then(|i| v.get(i)));
            rest = tail;
            continue;
        }
        // The longest key that is there; a missing field is taken up to the next separator.
        let fields = value.and_then(Value::as_object);
        let starts = |key: &&String| {
            trimmed.strip_prefix(key.as_str()).is_some_and(|tail| tail.is_empty() || tail.starts_with(['.', '[']))
        };
        let known = fields.and_then(|f| f.keys().filter(starts).max_by_key(|key| key.len()));
        let length = known.map_or_else(|| trimmed.find(['.', '[']).unwrap_or(trimmed.len()), String::len);
        let (key, tail) = trimmed.split_at(length);
        pointer = down(&pointer, key);
        value = value.and_then(|v| v.get(key));
        rest = tail;
    }
    pointer
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_with_dots_is_found_again() {
        let value = json!({"spec": {"labels": {"a.b/c": "x"}, "list": [{"n": 1}]}});
        assert_eq!(pointer_of("spec.labels.a.b/c", &value), "/spec/labels/a.b~1c");
        assert_eq!(pointer_of("spec.list[0].n", &value), "/spec/list/0/n");
        assert_eq!(pointer_of("spec.missing.deeper", &value), "/spec/missing/deeper");
        assert_eq!(pointer_of("", &value), "");
        assert_eq!(dotted("/spec/list/0/a.b~1c"), "spec.list[0].a.b/c");
    }
}
