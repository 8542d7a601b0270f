//! The JSON form written as YAML: same keys, same values, nothing of its own.

use super::{RenderError, json};
use crate::document::Document;

pub(super) fn render(document: &Document) -> Result<String, RenderError> {
    let mut text =
        serde_saphyr::to_string(&json::wire(document)).map_err(|error| RenderError::Yaml(error.to_string()))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "reads back what this room wrote, no input of a user")]
    fn reads_back_as_the_json_form() {
        let document = sample::document();
        let yaml: serde_json::Value = serde_saphyr::from_str(&render(&document).unwrap()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json::render(&document).unwrap()).unwrap();
        assert_eq!(yaml, json);
    }
}
