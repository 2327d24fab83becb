//! A bar for what takes longer than a second, on a terminal only.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Nobody wants to see a bar flash by.
const QUIET: Duration = Duration::from_secs(1);

/// How far something is, on standard error.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    start: Instant,
    hidden: bool,
}

impl Progress {
    /// Of `total` steps, or of nobody knows how many.
    pub(crate) fn new(what: &'static str, total: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let template = match total {
            Some(_) => "{msg} {bar:30} {human_pos}/{human_len} {eta}",
            None => "{msg} {spinner} {human_pos} in {elapsed}",
        };
        // A template that cannot be read is a mistake of ours, and no reason not to do the work.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> ").tick_chars("|/-\\ "));
        }
        bar.set_message(what);
        Self { bar, start: Instant::now(), hidden: true }
    }

    /// So many steps are done.
    pub(crate) fn at(&mut self, done: u64) {
        self.bar.set_position(done);
        if self.hidden && self.start.elapsed() > QUIET && std::io::stderr().is_terminal() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.hidden = false;
        }
    }

    /// It is done; the bar goes away.
    pub(crate) fn done(self) {
        self.bar.finish_and_clear();
    }
}
