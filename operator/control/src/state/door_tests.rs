//! The door of API objects: whatever is put on a hub, everything else is decided.
//!
//! Objects of the example province are changed at random: a value becomes another (of another type, too large, of somebody
//! else), a field goes, an object comes again under another name. What the door refuses is a finding. What it takes may be
//! nonsense, and must neither end the program nor keep the snapshot from being made: one object stops nobody else's
//! decisions.

use std::sync::LazyLock;

use jiuzhou_engine::decide::{Changes, plan};
use proptest::prelude::*;
use serde_json::json;

use super::tests::{PROVINCE, listed, now};
use super::*;

/// Values that are put where others were: of every type, at the ends of ranges, and words with a meaning elsewhere.
static ODD: LazyLock<Vec<Value>> = LazyLock::new(|| {
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(0.5),
        json!(1e300),
        json!(""),
        json!("a"),
        json!("1Ti"),
        json!("-1"),
        json!("100%"),
        json!("999999999999999999999"),
        json!("2026-02-30"),
        json!("9999-12-31T23:59:59Z"),
        json!("Core"),
        json!("昆明"),
        json!("530000"),
        json!("{{object}}"),
        json!("x".repeat(300)),
        json!([]),
        json!([null]),
        json!({}),
        json!({ "a": { "b": [] } }),
    ]
});

/// One change of one object.
#[derive(Clone, Debug)]
struct Change {
    object: prop::sample::Index,
    place: prop::sample::Index,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// Another value, from the list.
    Odd(prop::sample::Index),
    /// A value that stands elsewhere in the same kind or another.
    Of(prop::sample::Index, prop::sample::Index),
    /// It goes.
    Gone,
    /// A list gets its first element twice.
    Twice,
    /// The object comes again under another name.
    Again,
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    let what = prop_oneof![
        4 => index().prop_map(What::Odd),
        3 => (index(), index()).prop_map(|(object, place)| What::Of(object, place)),
        1 => Just(What::Gone),
        1 => Just(What::Twice),
        2 => Just(What::Again),
    ];
    (index(), index(), what).prop_map(|(object, place, what)| Change { object, place, what })
}

/// Pointers to everything below `spec` and `status`.
fn places(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        found.push(at.to_owned());
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    walk(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, item)| walk(item, &format!("{at}/{n}"), found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for part in ["spec", "status"] {
        if !value[part].is_null() {
            walk(&value[part], &format!("/{part}"), &mut found);
        }
    }
    found
}

fn apply(change: &Change) -> Value {
    let mut value = change.object.get(&PROVINCE).clone();
    let places = places(&value);
    if places.is_empty() {
        return value;
    }
    let place = change.place.get(&places);
    match &change.what {
        What::Again => value["metadata"]["name"] = json!("again"),
        What::Gone => {
            let (above, last) = place.rsplit_once('/').unwrap_or_default();
            if let Some(Value::Object(fields)) = value.pointer_mut(above) {
                fields.remove(&last.replace("~1", "/").replace("~0", "~"));
            }
        }
        What::Odd(index) => {
            if let Some(here) = value.pointer_mut(place) {
                *here = index.get(&ODD).clone();
            }
        }
        What::Of(object, at) => {
            let other = object.get(&PROVINCE);
            let others = self::places(other);
            let found =
                (!others.is_empty()).then(|| other.pointer(at.get(others.as_slice()).as_str()).cloned()).flatten();
            if let (Some(here), Some(found)) = (value.pointer_mut(place), found) {
                *here = found;
            }
        }
        What::Twice => {
            if let Some(Value::Array(items)) = value.pointer_mut(place)
                && let Some(first) = items.first().cloned()
            {
                items.push(first);
            }
        }
    }
    value
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_put_on_a_hub_everything_else_is_decided(changes in prop::collection::vec(change(), 1..6)) {
        let mut state = listed();
        for change in &changes {
            let changed = apply(change);
            state.put(changed.clone());
            let made = state.refresh(now());
            prop_assert!(made.is_ok(), "{made:?} after {changed}");
        }
        let planned = plan(state.snapshot(), &Changes { all: true, ..Changes::default() }, now());
        prop_assert!(planned.is_ok(), "{:?}", planned.err());
    }
}
