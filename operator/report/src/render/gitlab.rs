//! GitLab Code Quality: a JSON list, an entry per problem, for the widget of a merge request.
//!
//! GitLab wants a path and a line for each; what has no file stands at the top of the project.

use jiuzhou_engine::terms::Severity;
use serde::Serialize;

use super::problem::problems;
use super::{Options, RenderError};
use crate::document::Document;

#[derive(Serialize)]
struct Entry<'a> {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

pub(super) fn render(document: &Document, options: &Options) -> Result<String, RenderError> {
    let problems = problems(document, options.lang);
    let entries: Vec<Entry<'_>> = problems
        .iter()
        .map(|problem| Entry {
            description: [problem.message.as_str(), problem.fix.as_str()].join(" ").trim_end().to_owned(),
            check_name: problem.rule.id(),
            fingerprint: problem.fingerprint.clone(),
            severity: match problem.severity {
                Severity::Error => "critical",
                Severity::Warning => "minor",
                Severity::Info => "info",
            },
            location: Location {
                // The widget links paths from the root of the project, without a leading `./`.
                path: problem.place.map_or(".", |place| place.file.trim_start_matches("./")),
                lines: Lines { begin: problem.place.map_or(1, |place| place.line.max(1)) },
            },
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&entries)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn every_entry_has_what_gitlab_asks_for() {
        let text = render(&sample::document(), &Options::default()).unwrap();
        let entries: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert!(!entries.is_empty());
        for entry in entries {
            for field in ["/description", "/check_name", "/fingerprint", "/severity", "/location/path"] {
                let value = entry.pointer(field).and_then(serde_json::Value::as_str);
                assert!(value.is_some_and(|text| !text.is_empty()), "{field} of {entry}");
            }
            assert!(entry.pointer("/location/lines/begin").and_then(serde_json::Value::as_u64) >= Some(1), "{entry}");
        }
    }
}
