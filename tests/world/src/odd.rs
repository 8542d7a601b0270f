//! JSON that is not what it should be: values of every type at the ends of their ranges, and changes of single places.
//!
//! For properties at the doors (what is put on a hub, what a member answers): a change is chosen by two numbers, so that
//! any generator of random numbers makes them and a failing one can be written down.

use std::sync::LazyLock;

use serde_json::{Value, json};

/// Values that are put where others were: of every type, at the ends of ranges, and words with a meaning elsewhere.
pub static VALUES: LazyLock<Vec<Value>> = LazyLock::new(|| {
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

/// Pointers to everything in a value, itself first.
#[must_use]
pub fn places(value: &Value) -> Vec<String> {
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
    walk(value, "", &mut found);
    found
}

/// One change: a place becomes one of [`VALUES`], or goes, or is there twice.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Chooses the place.
    pub place: u64,
    /// Chooses what becomes of it.
    pub what: u64,
}

impl Change {
    /// The value with this change.
    #[must_use]
    pub fn of(self, mut value: Value) -> Value {
        let places = places(&value);
        let Some(place) = chosen(&places, self.place) else { return value };
        match self.what % 4 {
            0 => take(&mut value, place),
            1 => {
                if let Some(Value::Array(items)) = value.pointer_mut(place)
                    && let Some(first) = items.first().cloned()
                {
                    items.push(first);
                }
            }
            _ => {
                if let (Some(here), Some(odd)) = (value.pointer_mut(place), chosen(&VALUES, self.what / 4)) {
                    *here = odd.clone();
                }
            }
        }
        value
    }
}

/// Takes a field out; elements of lists stay.
pub fn take(value: &mut Value, place: &str) {
    let (above, last) = place.rsplit_once('/').unwrap_or_default();
    if let Some(Value::Object(fields)) = value.pointer_mut(above) {
        fields.remove(&last.replace("~1", "/").replace("~0", "~"));
    }
}

fn chosen<T>(from: &[T], number: u64) -> Option<&T> {
    let at = number.checked_rem(from.len() as u64)?;
    from.get(usize::try_from(at).ok()?)
}
