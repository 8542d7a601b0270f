//! A line of progress for a person who waits: only on a terminal, on standard error, and only when it takes long.
//!
//! Work counts into [`jiuzhou_intake::Progress`] or a number of days; a thread of its own looks at the counts now and then and draws, so
//! the work itself knows no terminal. Whoever pipes standard error, says `--quiet` or sets `CI` sees nothing.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiuzhou_intake::Progress;
use jiuzhou_report::words::Lang;

use crate::context::Context;
use crate::talk;

/// What takes less is not worth a line.
const PATIENCE: Duration = Duration::from_millis(700);
/// Between two drawings.
const STEP: Duration = Duration::from_millis(120);
/// Characters of the bar.
const BAR: usize = 24;

/// Draws until it is dropped.
pub(crate) struct Shown(Option<(Sender<()>, JoinHandle<()>)>);

/// Watches what is read.
pub(crate) fn show(progress: &Progress, context: &Context) -> Shown {
    let progress = progress.clone();
    watch(context, move |lang, ascii| line(&progress, lang, ascii))
}

/// Watches days that pass.
pub(crate) fn days(passed: &Arc<AtomicU32>, total: u32, context: &Context) -> Shown {
    let passed = Arc::clone(passed);
    watch(context, move |lang, ascii| {
        let done = passed.load(Ordering::Relaxed).min(total);
        let bar = bar(done as usize, total as usize, ascii);
        match lang {
            Lang::En => format!("simulating {bar} day {done}/{total}"),
            Lang::Zh => format!("正在仿真 {bar} 第 {done}/{total} 天"),
        }
    })
}

fn watch(context: &Context, line: impl Fn(Lang, bool) -> String + Send + 'static) -> Shown {
    if context.quiet || !talk::waits() {
        return Shown(None);
    }
    let (lang, ascii) = (context.lang, context.style.ascii);
    let (stop, stopped) = mpsc::channel();
    let draw = move || {
        let start = Instant::now();
        let mut drawn = false;
        while stopped.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
            if start.elapsed() >= PATIENCE {
                drawn = true;
                // A terminal that is gone ends nothing.
                let _ = write!(std::io::stderr(), "\r\u{1b}[K{}", line(lang, ascii));
                let _ = std::io::stderr().flush();
            }
        }
        if drawn {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    };
    Shown(std::thread::Builder::new().name("progress".to_owned()).spawn(draw).ok().map(|thread| (stop, thread)))
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            // The line is cleared before anything else is written.
            let _ = thread.join();
        }
    }
}

/// What is done, as one line.
fn line(progress: &Progress, lang: Lang, ascii: bool) -> String {
    let (files, checked, total) = (progress.files(), progress.checked(), progress.total());
    if total == 0 {
        return match lang {
            Lang::En => format!("reading: {files} files"),
            Lang::Zh => format!("正在读取：{files} 个文件"),
        };
    }
    let done = checked.min(total);
    let bar = bar(done, total, ascii);
    match (done == total, lang) {
        (false, Lang::En) => format!("checking {bar} {done}/{total} objects"),
        (false, Lang::Zh) => format!("正在检查 {bar} {done}/{total} 个对象"),
        (true, Lang::En) => format!("relating {total} objects"),
        (true, Lang::Zh) => format!("正在关联 {total} 个对象"),
    }
}

fn bar(done: usize, total: usize, ascii: bool) -> String {
    let full = BAR * done / total.max(1);
    let (on, off) = if ascii { ("#", "-") } else { ("█", "░") };
    format!("{}{}", on.repeat(full), off.repeat(BAR - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_the_step_and_how_far_it_is() {
        let progress = Progress::default();
        progress.read_file();
        assert_eq!(line(&progress, Lang::En, true), "reading: 1 files");
        progress.will_check(8);
        (0..2).for_each(|_| progress.check_one());
        assert_eq!(line(&progress, Lang::En, true), "checking ######------------------ 2/8 objects");
        (0..6).for_each(|_| progress.check_one());
        assert_eq!(line(&progress, Lang::Zh, false), "正在关联 8 个对象");
    }
}
