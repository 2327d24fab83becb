//! A run as a page of text: findings, what it was, and its tree.

mod header;

use graflow_model::{TaskStatus, Timestamp};
use graflow_wire::{Execution, Finding, Graph, TaskExecution};

use self::header::header_lines;
use crate::output::{Terminal, Tone, clean, plural, wrap};
use crate::tree::{Extent, Item, Picture, only_failed, render, summarise};

/// Everything that is known of a run, as far as it was asked for.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) execution: Execution,
    pub(crate) findings: Vec<Finding>,
    pub(crate) graph: Graph,
    /// None when there are too many to ask for.
    pub(crate) task_executions: Option<Vec<TaskExecution>>,
}

/// Which rows a person wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Up to a screenful; families of tasks become one row.
    Summary,
    /// Every one.
    All,
    /// What failed, in full.
    Failed,
}

impl Page {
    /// The lines.
    pub(crate) fn lines(&self, terminal: Terminal, now: Timestamp, rows: Rows) -> Vec<String> {
        let mut lines = finding_lines(terminal, &self.findings);
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let picture = Picture {
            execution: &self.execution,
            graph: &self.graph,
            task_executions: self.task_executions.as_deref(),
            now,
        };
        let seconds = picture.seconds();
        lines.extend(header_lines(terminal, &self.execution, self.task_executions.as_deref(), seconds, now));
        lines.push(String::new());
        let tree = match rows {
            Rows::All => picture.tree(),
            Rows::Summary => summarise(picture.tree()),
            Rows::Failed => only_failed(picture.tree()),
        };
        lines.extend(match (tree.is_empty(), rows) {
            (true, Rows::Failed) => vec!["nothing failed".to_owned()],
            (true, _) => vec!["no tasks yet".to_owned()],
            (false, _) => render(terminal, Extent { seconds }, &tree),
        });
        if rows == Rows::Failed {
            for row in failed_attempts(self.task_executions.as_deref().unwrap_or_default()) {
                lines.push(String::new());
                lines.extend(failure_lines(terminal, row));
            }
        } else if tree.iter().map(Item::rows).sum::<usize>() < self.graph.nodes.len() {
            let hint = format!("{} in all; --all shows each", plural(self.graph.nodes.len() as u64, "task"));
            lines.push(terminal.paint(Tone::Dim, &hint));
        }
        lines
    }
}

/// What people should know, one a line; nothing for a clean run.
fn finding_lines(terminal: Terminal, findings: &[Finding]) -> Vec<String> {
    const SHOWN: usize = 10;
    let mut lines = Vec::new();
    for finding in findings.iter().take(SHOWN) {
        let sentence = format!("{}: {}", clean(&finding.code), clean(&finding.message));
        for (index, line) in wrap(&sentence, terminal.width - 2).into_iter().enumerate() {
            let sign = if index == 0 { "!" } else { " " };
            lines.push(format!("{} {line}", terminal.paint(Tone::Warn, sign)));
        }
    }
    if findings.len() > SHOWN {
        lines.push(format!(
            "{} {} more findings; --json shows each",
            terminal.paint(Tone::Warn, "!"),
            findings.len() - SHOWN
        ));
    }
    lines
}

/// Attempts that failed, those that were tried again included.
fn failed_attempts(rows: &[TaskExecution]) -> impl Iterator<Item = &TaskExecution> {
    rows.iter().filter(|row| matches!(row.status, TaskStatus::Failed | TaskStatus::Lost))
}

fn failure_lines(terminal: Terminal, row: &TaskExecution) -> Vec<String> {
    let again = if row.will_retry { ", tried again" } else { "" };
    let pass = if row.iteration > 0 { format!("iteration {}, ", row.iteration) } else { String::new() };
    let title = format!("{} ({pass}attempt {}{again})", clean(row.task_id.as_str()), row.attempt);
    let mut lines = vec![terminal.paint(Tone::Bold, &title)];
    if let Some(error) = &row.error {
        let sentence = format!("{}: {}", error.error_type, error.message);
        lines.extend(
            sentence.lines().map(|line| format!("  {}", terminal.paint(Tone::Bad, &clean_indented(line)))),
        );
        lines.extend(
            error
                .traceback
                .iter()
                .flat_map(|text| text.lines())
                .map(|line| format!("  {}", clean_indented(line))),
        );
    } else if row.status == TaskStatus::Lost {
        lines.push("  its process went silent while it ran".to_owned());
    }
    lines
}

/// A line of a traceback keeps its indent.
fn clean_indented(line: &str) -> String {
    let indent = line.len() - line.trim_start_matches(' ').len();
    format!("{}{}", " ".repeat(indent), clean(line))
}

#[cfg(test)]
mod tests;
