//! Logs: to stderr, as text for people or JSON for machines, with the id of the decision they are about.
//!
//! A log line never carries a manifest or a member's words about one. What belongs elsewhere: metrics, events, the audit
//! log (which is what may be relied upon). Traces stand in [`traces`].

pub mod traces;

use std::{fmt, str::FromStr};

use jiuzhou_engine::terms::Digest;
use tracing::Span;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One line for a person.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for Format {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, TelemetryError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(TelemetryError::Format(text.to_owned())),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// Why logs could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Neither text nor json.
    #[error("failed to read log format {0:?}: want text or json")]
    Format(String),
    /// A filter with a fault.
    #[error("failed to read log filter {0:?}: {1}")]
    Filter(String, tracing_subscriber::filter::ParseError),
    /// Somebody set up logs before.
    #[error("failed to set up logs twice")]
    Twice,
}

/// Environment variable with the filter, when no flag gives one.
pub const FILTER_VARIABLE: &str = "JIUZHOU_LOG";

/// What is logged when nobody says otherwise: ours, and only warnings of the libraries.
pub const DEFAULT_FILTER: &str = "info,kube=warn,kube_client=warn,kube_runtime=warn,hyper_util=warn,tower=warn";

/// Sets up logs to stderr for the whole process. `filter` is that of a flag, else of [`FILTER_VARIABLE`].
///
/// # Errors
/// [`TelemetryError`]; nothing is set up then.
pub fn init(format: Format, filter: Option<&str>) -> Result<(), TelemetryError> {
    let filter = filter.unwrap_or(DEFAULT_FILTER);
    let filter = EnvFilter::try_new(filter).map_err(|error| TelemetryError::Filter(filter.to_owned(), error))?;
    let subscriber = tracing_subscriber::registry().with(layer(format, std::io::stderr).with_filter(filter));
    subscriber.try_init().map_err(|_| TelemetryError::Twice)
}

/// The layer that writes lines.
fn layer<W>(format: Format, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        Format::Text => lines.with_ansi(false).with_target(false).boxed(),
        Format::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
    }
}

/// Everything logged inside is about this decision.
#[must_use]
pub fn decision(id: &Digest, namespace: &str, workload: &str) -> Span {
    tracing::info_span!("decision", decision = %id, namespace, workload)
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    /// Keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::registry().with(layer(format, move || writer.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let id = Digest::sha256(b"a decision");
            decision(&id, "civil-affairs", "web").in_scope(|| tracing::info!(cluster = "kunpeng-a", "delivered"));
        });
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_carries_the_decision() {
        let line: serde_json::Value = serde_json::from_str(&logged(Format::Json)).unwrap();
        assert_eq!(line["message"], "delivered");
        assert_eq!(line["cluster"], "kunpeng-a");
        assert_eq!(line["span"]["decision"], Digest::sha256(b"a decision").to_string());
        assert_eq!(line["span"]["workload"], "web");
    }

    #[test]
    fn a_text_line_carries_it_too_and_no_colours() {
        let line = logged(Format::Text);
        assert!(line.contains(&Digest::sha256(b"a decision").to_string()), "{line}");
        assert!(line.contains("delivered") && !line.contains('\u{1b}'), "{line}");
    }

    #[test]
    fn formats_and_filters_are_read_or_refused() {
        for format in [Format::Text, Format::Json] {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
        }
        assert!("xml".parse::<Format>().is_err());
        assert!(EnvFilter::try_new(DEFAULT_FILTER).is_ok());
        assert!(matches!(init(Format::Text, Some("kube=loudly")), Err(TelemetryError::Filter(..))));
    }
}
