//! The log of what runs for long: `operator` and `agent`.

use crate::args::LogForm;

/// The log of a long run: on standard error, `RUST_LOG` decides what of it.
pub(crate) fn start(form: LogForm, quiet: bool) {
    let level = if quiet { "jiuzhou=warn" } else { "jiuzhou=info" };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| level.into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // A second start in one process (a test) keeps the first log.
    let _ = match form {
        LogForm::Text => log.try_init(),
        LogForm::Json => log.json().try_init(),
    };
}
