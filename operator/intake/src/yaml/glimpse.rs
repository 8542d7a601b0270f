//! Which object a text is about that cannot be read.
//!
//! Whoever names the object makes no mistake because somebody else's line is wrong; so kind and name are looked for in
//! the text itself, line by line, the way people write manifests. It is a guess: it keeps findings away and decides
//! nothing, and where it finds nothing sensible it says so.

use jiuzhou_engine::terms::ObjectRef;

/// Lines and characters looked at: kind and name stand at the top.
const LINES: usize = 500;
const LENGTH: usize = 300;

/// The object of a document, as far as its text tells.
pub(super) fn object(text: &str) -> Option<ObjectRef> {
    let (mut kind, mut name, mut namespace) = (None, None, None);
    let mut inside: Option<Option<usize>> = None;
    let lines = text.lines().filter(|line| line.len() <= LENGTH && !line.trim_start().starts_with('#'));
    for line in lines.take(LINES) {
        let indent = line.len() - line.trim_start().len();
        if indent == 0 {
            inside = None;
            if let Some(value) = value(line, "kind") {
                kind = kind.or(Some(value));
            } else if let Some(rest) = line.strip_prefix("metadata:") {
                inside = Some(None);
                for pair in rest.trim().trim_matches(['{', '}']).split(',') {
                    name = name.or_else(|| value(pair, "name"));
                    namespace = namespace.or_else(|| value(pair, "namespace"));
                }
            }
        } else if let Some(depth) = &mut inside
            && *depth.get_or_insert(indent) == indent
        {
            name = name.or_else(|| value(line, "name"));
            namespace = namespace.or_else(|| value(line, "namespace"));
        }
    }
    Some(ObjectRef::new(kind?, namespace.unwrap_or_default(), name?))
}

/// The value of a key on its line, where it may be a name.
fn value<'t>(line: &'t str, key: &str) -> Option<&'t str> {
    let rest = line.trim().strip_prefix(key)?.strip_prefix(':')?;
    let rest = rest.split(" #").next().unwrap_or(rest).trim().trim_matches(['"', '\'']);
    let may_be = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (!rest.is_empty() && rest.chars().all(may_be)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_name_are_found_in_texts_that_cannot_be_read() {
        let table = [
            ("kind: Tenant\nmetadata:\n  name: kunming # 昆明\n   bad: [\n", Some("Tenant/kunming")),
            (
                "# kind: Site\nmetadata: {name: \"a-1\", namespace: b}\nspec: {{\nkind: FleetWorkload\n",
                Some("FleetWorkload/b/a-1"),
            ),
            (
                "kind: Tenant\nmetadata:\n    labels:\n      name: other\n    name: kunming\n\tx\n",
                Some("Tenant/kunming"),
            ),
            ("kind: Tenant\nspec:\n  name: kunming\n", None),
            ("kind: 单位\nmetadata:\n  name: kunming\n", None),
            ("kind: Tenant\nmetadata:\n  name: [\n", None),
            ("", None),
        ];
        for (text, want) in table {
            assert_eq!(object(text).map(|object| object.to_string()).as_deref(), want, "{text}");
        }
    }
}
