//! Values of an object's status that the hub asked for, because a copy that replaces this one is to be told them.
//!
//! A value is a text, or the JSON of what is none. What is too large, or looks like a secret of the workload, is told by its
//! size alone: it would be cut otherwise, and half a value is worse than none.

use jiuzhou_api::v1alpha1::{ObservedValue, STATE_VALUE_BYTES, WatchedValue};
use serde_json::Value;

/// The values that are there, by what was asked for. `plain` says whether a text may be shown.
pub(crate) fn observed(asked: &[WatchedValue], live: &Value, plain: impl Fn(&str) -> bool) -> Vec<ObservedValue> {
    let one = |watched: &WatchedValue| {
        let text = match at(live, &watched.json_path)? {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if text.is_empty() {
            return None;
        }
        let fits = text.len() <= STATE_VALUE_BYTES && plain(&text);
        let bytes = i32::try_from(text.len()).unwrap_or(i32::MAX);
        Some(ObservedValue { alias: watched.alias.clone(), value: fits.then(|| text.into()), bytes })
    };
    asked.iter().filter_map(one).collect()
}

/// The value at `.status.a.b[0]`; `None` when it leads nowhere or out of the status.
fn at<'v>(live: &'v Value, path: &str) -> Option<&'v Value> {
    let mut value = live.get("status")?;
    let rest = path.strip_prefix(".status.")?;
    for step in rest.split('.') {
        let (name, places) = step.split_once('[').map_or((step, ""), |(name, places)| (name, places));
        value = value.get(name)?;
        for place in places.split('[').filter(|place| !place.is_empty()) {
            value = value.get(place.strip_suffix(']')?.parse::<usize>().ok()?)?;
        }
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(path: &str) -> Vec<ObservedValue> {
        let live = json!({
            "spec": { "secret": "x" },
            "status": { "job": { "id": "j-1", "points": [[{ "path": "s3://a" }], 7], "empty": "", "none": null },
                "large": "x".repeat(1025), "just": "x".repeat(1024), "hidden": "token" },
        });
        let watched = WatchedValue { alias: "a".into(), json_path: path.into() };
        observed(&[watched], &live, |text| text != "token")
    }

    fn value(path: &str) -> Option<String> {
        asked(path).first().and_then(|one| one.value.as_ref().map(ToString::to_string))
    }

    #[test]
    fn a_value_is_found_by_names_and_places_and_is_json_where_it_is_no_text() {
        assert_eq!(value(".status.job.id").as_deref(), Some("j-1"));
        assert_eq!(value(".status.job.points[0][0].path").as_deref(), Some("s3://a"));
        assert_eq!(value(".status.job.points[1]").as_deref(), Some("7"));
        assert_eq!(value(".status.job.points[0]").as_deref(), Some(r#"[{"path":"s3://a"}]"#));
        for nowhere in
            [".status.job.points[2]", ".status.job.id[0]", ".status.other", ".status.job.empty", ".status.job.none"]
        {
            assert_eq!(asked(nowhere), [], "{nowhere}");
        }
        assert_eq!(asked(".spec.secret"), [], "never out of the status");
    }

    #[test]
    fn what_is_too_large_or_a_secret_is_told_by_its_size() {
        assert_eq!(value(".status.just").map(|text| text.len()), Some(1024));
        let large = asked(".status.large");
        assert_eq!((large[0].value.as_ref(), large[0].bytes), (None, 1025));
        assert_eq!((asked(".status.hidden")[0].value.as_ref(), asked(".status.hidden")[0].bytes), (None, 5));
    }
}
