//! The formats. Each renders any document; none knows a report.
//!
//! One file per format. What goes in is a [`Document`] and [`Options`], what comes out is a text that is the same for
//! the same input everywhere: no clock, no terminal, no environment is looked at here.

mod cell;
mod csv;
mod github;
mod gitlab;
mod html;
mod json;
mod junit;
mod markdown;
mod problem;
mod sarif;
mod sheet;
mod summary;
mod svg;
mod text;
mod xlsx;
mod yaml;

#[cfg(test)]
mod equal_counts;
#[cfg(test)]
pub(crate) mod sample;

pub use json::schema;
pub use summary::{Summary, digest, summary};

use crate::document::Document;
use crate::words::Lang;

/// A form of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Aligned columns for a terminal.
    Text,
    /// The same with every column.
    Wide,
    /// Versioned JSON, the same in every language.
    Json,
    /// The JSON form written as YAML.
    Yaml,
    /// Markdown for a comment or a wiki.
    Markdown,
    /// JUnit XML for a test report.
    Junit,
    /// One self-contained page.
    Html,
    /// CSV for spreadsheets, a block per table.
    Csv,
    /// SARIF 2.1.0 for code scanning: problems only.
    Sarif,
    /// GitLab Code Quality: problems only.
    Gitlab,
    /// GitHub workflow commands: problems only.
    Github,
    /// A workbook, a sheet per table; bytes and not text.
    Xlsx,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 12] = [
        Self::Text,
        Self::Wide,
        Self::Json,
        Self::Yaml,
        Self::Markdown,
        Self::Junit,
        Self::Html,
        Self::Csv,
        Self::Sarif,
        Self::Gitlab,
        Self::Github,
        Self::Xlsx,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Wide => "wide",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Sarif => "sarif",
            Self::Gitlab => "gitlab",
            Self::Github => "github",
            Self::Xlsx => "xlsx",
        }
    }

    /// Whether it holds the tables of a report; the others know problems only.
    #[must_use]
    pub fn has_tables(self) -> bool {
        !matches!(self, Self::Sarif | Self::Gitlab | Self::Github)
    }

    /// Whether it is text; the others are bytes and belong into a file.
    #[must_use]
    pub fn is_text(self) -> bool {
        self != Self::Xlsx
    }

    /// Reads a name of the command line.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }
}

/// How a terminal is to be written to; the face finds out, this room does not look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Escape sequences for colour.
    pub colour: bool,
    /// Columns of the terminal; `None` when there is none, and then nothing is wrapped.
    pub width: Option<usize>,
    /// Marks and rules in ASCII only. Names keep their letters.
    pub ascii: bool,
}

impl Style {
    pub(crate) fn paint(self, style: anstyle::Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// Everything about an output but the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Language of texts.
    pub lang: Lang,
    /// The terminal.
    pub style: Style,
    /// Most bytes of Markdown; `None` for no limit.
    pub max_bytes: Option<usize>,
}

/// Why a document could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// JSON.
    #[error("failed to write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// YAML.
    #[error("failed to write YAML: {0}")]
    Yaml(String),
    /// HTML.
    #[error("failed to write HTML: {0}")]
    Html(#[from] askama::Error),
    /// A workbook.
    #[error("failed to write a workbook: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// The format is no text.
    #[error("failed to write {0} as text: it is bytes")]
    NotText(&'static str),
}

/// Renders a document in any format.
///
/// # Errors
/// [`RenderError`] when a serialiser fails, which no document made here causes, or a table is too long for a workbook.
pub fn render(document: &Document, format: Format, options: &Options) -> Result<Vec<u8>, RenderError> {
    match format {
        Format::Xlsx => xlsx::render(document, options),
        text => render_text(document, text, options).map(String::into_bytes),
    }
}

/// Renders a document in a format that is text. The text ends with a line break.
///
/// # Errors
/// As [`render`], and [`RenderError::NotText`].
pub fn render_text(document: &Document, format: Format, options: &Options) -> Result<String, RenderError> {
    match format {
        Format::Xlsx => Err(RenderError::NotText(format.name())),
        Format::Text => Ok(text::render(document, options, false)),
        Format::Wide => Ok(text::render(document, options, true)),
        Format::Json => json::render(document),
        Format::Yaml => yaml::render(document),
        Format::Markdown => Ok(markdown::render(document, options)),
        Format::Junit => Ok(junit::render(document, options)),
        Format::Html => html::render(document, options),
        Format::Csv => Ok(csv::render(document, options)),
        Format::Sarif => sarif::render(document, options),
        Format::Gitlab => gitlab::render(document, options),
        Format::Github => Ok(github::render(document, options)),
    }
}
