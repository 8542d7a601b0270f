//! The log of what runs for long: `operator` and `agent` write the same lines.

use jiuzhou_control::telemetry::{self, Format, TelemetryError};

use crate::args::LogForm;

/// Sets up the log on standard error. What of it is written, `JIUZHOU_LOG` says, else `--quiet`, else the usual.
///
/// # Errors
/// When the filter cannot be read.
pub(crate) fn start(form: LogForm, quiet: bool) -> Result<(), TelemetryError> {
    let format = match form {
        LogForm::Text => Format::Text,
        LogForm::Json => Format::Json,
    };
    let asked = std::env::var(telemetry::FILTER_VARIABLE).ok();
    telemetry::init(format, asked.as_deref().or(quiet.then_some("warn")))
}
