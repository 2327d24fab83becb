//! Columns that line up.

use super::{Terminal, Tone, cut, pad, width};

/// Where a cell's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A cell: its text, and its colour.
pub(crate) type Cell = (String, Tone);

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<(&'static str, Align)>,
    rows: Vec<Vec<Cell>>,
    /// The column that gives way when the terminal is narrow.
    gives_way: usize,
}

impl Table {
    /// An empty table; `gives_way` is the column that is cut when there is no room for all.
    pub(crate) fn new(headings: &[(&'static str, Align)], gives_way: usize) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new(), gives_way }
    }

    /// Adds a row, with a cell for each heading.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.headings.len(), "a cell for each heading");
        self.rows.push(cells);
    }

    /// The lines.
    pub(crate) fn lines(&self, terminal: Terminal) -> Vec<String> {
        let mut widths: Vec<usize> = self.headings.iter().map(|(heading, _)| width(heading)).collect();
        for row in &self.rows {
            for (widest, (text, _)) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(text));
            }
        }
        let whole = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        if let Some(column) = widths.get_mut(self.gives_way) {
            let over = whole.saturating_sub(terminal.width);
            *column = (*column).min(8).max(column.saturating_sub(over));
        }
        let headings: Vec<Cell> =
            self.headings.iter().map(|(heading, _)| ((*heading).to_owned(), Tone::Dim)).collect();
        std::iter::once(&headings).chain(&self.rows).map(|row| self.line(terminal, &widths, row)).collect()
    }

    fn line(&self, terminal: Terminal, widths: &[usize], row: &[Cell]) -> String {
        let mut line = String::new();
        for (((text, tone), columns), (_, align)) in row.iter().zip(widths).zip(&self.headings) {
            let text = cut(terminal, text, *columns);
            let space = " ".repeat(columns.saturating_sub(width(&text)));
            let painted = terminal.paint(*tone, &text);
            let cell = match align {
                Align::Left => format!("{painted}{space}"),
                Align::Right => format!("{space}{painted}"),
            };
            if !line.is_empty() {
                line.push_str("  ");
            }
            line.push_str(&cell);
        }
        line.trim_end().to_owned()
    }
}

/// Names and what they stand for, one a line.
pub(crate) fn pairs(terminal: Terminal, pairs: &[(&str, String)]) -> Vec<String> {
    let widest = pairs.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    pairs
        .iter()
        .map(|(name, what)| format!("{}  {what}", terminal.paint(Tone::Dim, &pad(name, widest))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_one_gives_way() {
        let mut table = Table::new(&[("name", Align::Left), ("took", Align::Right)], 0);
        for (name, took) in [("a", "1.20 s"), ("a much longer name that does not fit", "12 µs")] {
            table.row(vec![(name.to_owned(), Tone::Plain), (took.to_owned(), Tone::Plain)]);
        }
        let terminal = Terminal { width: 24, ..Terminal::plain(true) };
        assert_eq!(
            table.lines(terminal),
            ["name                took", "a                 1.20 s", "a much longer n…   12 µs"]
        );
    }
}
