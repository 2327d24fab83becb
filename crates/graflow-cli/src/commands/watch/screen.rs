//! A page on the terminal that is drawn again and again.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context as _;

use crate::output::Terminal;

/// The terminal's second screen, until it is dropped: what stood on the first one comes back.
pub(super) struct Screen {
    terminal: Terminal,
}

const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

impl Screen {
    pub(super) fn open(terminal: Terminal) -> anyhow::Result<Self> {
        write(ENTER)?;
        Ok(Self { terminal })
    }

    /// Draws as many lines as there is room for.
    pub(super) fn draw(&mut self, lines: &[String]) -> anyhow::Result<()> {
        let rows = terminal_size::terminal_size().map_or(24, |(_, height)| usize::from(height.0)).max(2);
        let mut page = String::from("\u{1b}[H");
        let room = if lines.len() > rows { rows - 1 } else { lines.len() };
        for line in &lines[..room] {
            page.push_str(line);
            page.push_str("\u{1b}[K\r\n");
        }
        if room < lines.len() {
            let sign = self.terminal.pick("…", "...");
            // Writing to a string cannot fail.
            let _ = write!(page, "{sign} {} more lines\u{1b}[K", lines.len() - room);
        } else if page.ends_with("\r\n") {
            page.truncate(page.len() - 2);
        }
        page.push_str("\u{1b}[J");
        write(&page)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The terminal may be gone; there is nobody to tell.
        let _ = write(LEAVE);
    }
}

fn write(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("failed to write to the terminal")
}
