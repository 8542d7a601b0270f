//! What every command knows of its run: language, style, and where talk goes.

use std::io::Write as _;

use jiuzhou_report::render::{Options, Style};
use jiuzhou_report::words::Lang;

use crate::args::Talk;
use crate::talk;

/// How this run talks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context {
    pub(crate) lang: Lang,
    pub(crate) quiet: bool,
    /// For standard output; a file never gets colour or wrapping.
    pub(crate) style: Style,
}

impl Context {
    pub(crate) fn new(args: &Talk) -> Self {
        let style = Style { colour: talk::colour(args), width: talk::width(), ascii: args.ascii };
        Self { lang: talk::language(args), quiet: args.quiet, style }
    }

    /// For words before the arguments are known.
    pub(crate) fn silent(lang: Lang) -> Self {
        Self { lang, quiet: true, style: Style::default() }
    }

    /// Rendering options for standard output or, uncoloured and unwrapped, for a file.
    pub(crate) fn options(&self, to_file: bool, max_bytes: Option<usize>) -> Options {
        let style = if to_file { Style { ascii: self.style.ascii, ..Style::default() } } else { self.style };
        Options { lang: self.lang, style, max_bytes }
    }

    /// One of two texts, by language.
    pub(crate) fn pick<'a>(&self, en: &'a str, zh: &'a str) -> &'a str {
        match self.lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    /// A line of talk to standard error.
    pub(crate) fn say(&self, line: &str) {
        // Nobody to talk to is no reason to fail.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// The same, unless `--quiet`.
    pub(crate) fn hint(&self, line: &str) {
        if !self.quiet {
            self.say(line);
        }
    }
}
