//! How the program talks to whoever runs it: language, colour, width. The only file that asks what a terminal is.

use std::ffi::OsString;
use std::io::IsTerminal as _;

use jiuzhou_report::words::Lang;

use crate::args::{ColorArg, LangArg, Talk};

/// The language of `--lang`, else of `JIUZHOU_LANG`, else of the locale, else English.
pub(crate) fn language(talk: &Talk) -> Lang {
    match talk.lang {
        Some(LangArg::Zh) => Lang::Zh,
        Some(LangArg::En) => Lang::En,
        None => locale(|name| std::env::var_os(name)),
    }
}

/// The language before clap has parsed, because the help text itself depends on it.
pub(crate) fn language_of(args: &[OsString]) -> Lang {
    let named = args.iter().enumerate().find_map(|(at, arg)| {
        let arg = arg.to_str()?;
        if arg == "--lang" {
            args.get(at + 1)?.to_str().map(str::to_owned)
        } else {
            arg.strip_prefix("--lang=").map(str::to_owned)
        }
    });
    let named = named.or_else(|| std::env::var("JIUZHOU_LANG").ok());
    match named.as_deref() {
        Some("zh") => Lang::Zh,
        Some(_) => Lang::En,
        None => locale(|name| std::env::var_os(name)),
    }
}

/// The POSIX order: the first of LC_ALL, LC_MESSAGES, LANG that is set and not empty decides.
fn locale(get: impl Fn(&str) -> Option<OsString>) -> Lang {
    let first = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| get(name).filter(|value| !value.is_empty()));
    match first {
        Some(value) if value.to_string_lossy().starts_with("zh") => Lang::Zh,
        _ => Lang::En,
    }
}

/// Whether standard output gets colour: `--color`, then NO_COLOR, then CLICOLOR_FORCE or FORCE_COLOR, then a terminal.
pub(crate) fn colour(talk: &Talk) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match talk.color {
        ColorArg::Always => true,
        ColorArg::Never => false,
        ColorArg::Auto if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
        ColorArg::Auto => set("CLICOLOR_FORCE") || set("FORCE_COLOR") || std::io::stdout().is_terminal(),
    }
}

/// Logs to standard error: `RUST_LOG` when set, else by the number of `-v`, else nothing.
pub(crate) fn start_log(talk: &Talk) {
    let level = match talk.verbose {
        0 => "off",
        1 => "jiuzhou=info",
        _ => "jiuzhou=debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| level.into());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // A second start in one process (a test) keeps the first log.
    let _ = log.without_time().try_init();
}

/// Whether a person waits and may be shown progress: a terminal at standard error, and no CI that only looks like one.
pub(crate) fn waits() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("CI").is_none_or(|value| value.is_empty())
}

/// Whether a person reads the result.
pub(crate) fn reads() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether a person types what is read.
pub(crate) fn types() -> bool {
    std::io::stdin().is_terminal()
}

/// The width to wrap at; `None` for a pipe or a file, where lines stay whole.
pub(crate) fn width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &'static [(&str, &str)]) -> Lang {
        locale(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        assert_eq!(with(&[("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(with(&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")]), Lang::En);
        assert_eq!(with(&[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")]), Lang::Zh);
        assert_eq!(with(&[]), Lang::En);
    }

    #[test]
    fn the_language_is_known_before_parsing() {
        let args = |list: &[&str]| list.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(language_of(&args(&["jiuzhou", "--lang", "zh", "plan"])), Lang::Zh);
        assert_eq!(language_of(&args(&["jiuzhou", "plan", "--lang=zh"])), Lang::Zh);
        assert_eq!(language_of(&args(&["jiuzhou", "--lang=en"])), Lang::En);
    }
}
