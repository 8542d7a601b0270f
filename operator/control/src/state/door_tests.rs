//! The door of API objects: whatever is put on a hub, everything else is decided.
//!
//! Objects of the example province are changed at random: a value becomes another (of another type, too large, of somebody
//! else), a field goes, an object comes again under another name. What the door refuses is a finding. What it takes may be
//! nonsense, and must neither end the program nor keep the snapshot from being made: one object stops nobody else's
//! decisions.

use jiuzhou_engine::decide::{Changes, plan};
use jiuzhou_world::odd;
use proptest::prelude::*;
use serde_json::json;

use super::tests::{PROVINCE, listed, now};
use super::*;

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
    let below = |part: &str| {
        let within = odd::places(&value[part]).into_iter().filter(|_| !value[part].is_null());
        within.map(|place| format!("/{part}{place}")).collect::<Vec<_>>()
    };
    ["spec", "status"].into_iter().flat_map(below).collect()
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
        What::Gone => odd::take(&mut value, place),
        What::Odd(index) => {
            if let Some(here) = value.pointer_mut(place) {
                *here = index.get(&odd::VALUES).clone();
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
