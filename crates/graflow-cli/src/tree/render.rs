use crate::output::{Terminal, Tone, clean, count, cut, duration, pad, plural, task_mark, width};

use super::item::{Follows, Item, ItemKind, Tally};

/// How much of the terminal's width the names may take, in percent.
const NAMES_PERCENT: usize = 40;
/// Width from which on there is room for a time line.
const TIMELINE_FROM: usize = 96;
const STATUS_WIDTH: usize = 9;
const DURATION_WIDTH: usize = 9;

/// How long the run took: what the time lines are drawn against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extent {
    pub(crate) seconds: f64,
}

/// The lines of a tree.
pub(crate) fn render(terminal: Terminal, extent: Extent, items: &[Item]) -> Vec<String> {
    let mut rows = Vec::new();
    flatten(terminal, items, "", true, &mut rows);
    let most = terminal.width * NAMES_PERCENT / 100;
    let names = rows.iter().map(Row::name_width).max().unwrap_or(0).min(most);
    let timeline = if terminal.width >= TIMELINE_FROM && rows.iter().any(|row| row.item.span.is_some()) {
        terminal.width / 5
    } else {
        0
    };
    let columns = Columns { terminal, extent, names, timeline };
    rows.iter().flat_map(|row| columns.lines(row)).collect()
}

/// An item, and what stands before it.
struct Row<'a> {
    /// The branches of the tree that lead to it.
    branches: String,
    /// The branches for the lines under it.
    continued: String,
    item: &'a Item,
}

impl Row<'_> {
    fn name_width(&self) -> usize {
        width(&self.branches) + 2 + width(&name(self.item))
    }
}

fn flatten<'a>(terminal: Terminal, items: &'a [Item], before: &str, top: bool, rows: &mut Vec<Row<'a>>) {
    for (index, item) in items.iter().enumerate() {
        let last = index + 1 == items.len();
        let (branch, below) = match (top, last) {
            (true, _) => ("", ""),
            (false, true) => (terminal.pick("└─ ", "`- "), "   "),
            (false, false) => (terminal.pick("├─ ", "|- "), terminal.pick("│  ", "|  ")),
        };
        let continued = format!("{before}{below}");
        rows.push(Row { branches: format!("{before}{branch}"), continued: continued.clone(), item });
        flatten(terminal, &item.children, &continued, false, rows);
    }
}

fn name(item: &Item) -> String {
    match &item.kind {
        ItemKind::Task | ItemKind::Group(_) => clean(&item.name),
        ItemKind::Family(tally) => format!("{} ({})", clean(&item.name), count(tally.tasks)),
        ItemKind::Rest(tally) => format!("{} {}", count(tally.tasks), item.name),
    }
}

struct Columns {
    terminal: Terminal,
    extent: Extent,
    names: usize,
    timeline: usize,
}

impl Columns {
    fn lines(&self, row: &Row<'_>) -> Vec<String> {
        let Self { terminal, .. } = *self;
        let mark = task_mark(row.item.status);
        let branches = terminal.paint(Tone::Dim, &row.branches);
        let room = self.names.saturating_sub(width(&row.branches) + 2);
        let name = pad(&cut(terminal, &name(row.item), room), room);
        let name = if row.item.is_trouble() { terminal.paint(Tone::Bold, &name) } else { name };
        let word = terminal.paint(mark.tone, &pad(row.item.status.as_str(), STATUS_WIDTH));
        let time = row.item.seconds.map(duration).unwrap_or_default();
        let time = format!("{}{time}", " ".repeat(DURATION_WIDTH.saturating_sub(width(&time))));
        let mut line = format!("{branches}{} {name}  {word}  {time}", mark.painted(terminal));
        let mut used = self.names.max(width(&row.branches) + 2) + 2 + STATUS_WIDTH + 2 + DURATION_WIDTH;
        if self.timeline > 0 {
            line.push_str("  ");
            line.push_str(&self.timeline(row.item));
            used += 2 + self.timeline;
        }
        let notes = notes(terminal, row.item).join(terminal.pick(" · ", ", "));
        if !notes.is_empty() {
            let notes = cut(terminal, &notes, terminal.width.saturating_sub(used + 2));
            line.push_str("  ");
            line.push_str(&terminal.paint(Tone::Dim, &notes));
        }
        let mut lines = vec![line.trim_end().to_owned()];
        if let Some(error) = row.item.error.as_ref().filter(|_| row.item.is_trouble()) {
            let branches = terminal.paint(Tone::Dim, &row.continued);
            let room = terminal.width.saturating_sub(width(&row.continued) + 4);
            let error = cut(terminal, &clean(error), room);
            lines.push(format!("{branches}    {}", terminal.paint(Tone::Bad, &error)));
        }
        lines
    }

    /// When it ran, against the whole run.
    fn timeline(&self, item: &Item) -> String {
        let Some((from, to)) = item.span.filter(|_| self.extent.seconds > 0.0) else {
            return " ".repeat(self.timeline);
        };
        let column = |seconds: f64, round: fn(f64) -> f64| {
            place(round(seconds / self.extent.seconds * columns(self.timeline)))
        };
        let start = column(from, f64::floor).min(self.timeline.saturating_sub(1));
        let end = column(to, f64::ceil).clamp(start + 1, self.timeline);
        let bar = self.terminal.pick("━", "=").repeat(end - start);
        let tone = task_mark(item.status).tone;
        format!("{}{}{}", " ".repeat(start), self.terminal.paint(tone, &bar), " ".repeat(self.timeline - end))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a terminal has some hundred columns")]
fn columns(number: usize) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole and not negative; a cast of what is too large stays at the greatest number"
)]
fn place(column: f64) -> usize {
    column.max(0.0) as usize
}

/// What else there is to say, most telling first.
fn notes(terminal: Terminal, item: &Item) -> Vec<String> {
    let mut notes = Vec::new();
    match &item.kind {
        ItemKind::Task => {}
        ItemKind::Group(members) => notes.push(plural(*members, "member")),
        ItemKind::Family(tally) => notes.extend(of_many(tally)),
        ItemKind::Rest(tally) => {
            notes.extend(of_many(tally));
            notes.push("--all shows them".to_owned());
        }
    }
    if item.iterations > 1 {
        notes.push(format!("{}{}", terminal.pick("×", "x"), item.iterations));
    }
    if item.retried > 0 {
        notes.push(format!("{} retried", count(item.retried)));
    }
    notes.extend(item.reason.as_deref().map(clean));
    match &item.follows {
        Follows::RowAbove => {}
        Follows::Nothing => notes.push("start".to_owned()),
        Follows::Tasks(tasks) => {
            let shown: Vec<String> = tasks.iter().take(3).map(|task| clean(task.as_str())).collect();
            let more = tasks.len().saturating_sub(3);
            let more = if more > 0 { format!(" +{more}") } else { String::new() };
            notes.push(format!("{} {}{more}", terminal.pick("←", "<-"), shown.join(", ")));
        }
    }
    notes
}

fn of_many(tally: &Tally) -> Vec<String> {
    let mut notes = Vec::new();
    if tally.by_status.len() > 1 {
        let said: Vec<String> = tally
            .by_status
            .iter()
            .rev()
            .map(|(status, number)| format!("{} {status}", count(*number)))
            .collect();
        notes.push(said.join(", "));
    }
    if let (Some(median), Some(longest)) = (tally.median_seconds, tally.longest_seconds) {
        notes.push(format!("median {}, longest {}", duration(median), duration(longest)));
    }
    notes
}
