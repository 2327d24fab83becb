//! A run as a page of text: findings, what it was, and its tree.

use std::collections::BTreeMap;

use graflow_model::{ExecutionStatus, TaskStatus, Timestamp};
use graflow_wire::{Execution, Finding, Graph, TaskExecution};

use crate::output::{Terminal, Tone, age, clean, count, cut, duration, execution_mark, plural, when, wrap};
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

fn header_lines(
    terminal: Terminal,
    execution: &Execution,
    rows: Option<&[TaskExecution]>,
    seconds: f64,
    now: Timestamp,
) -> Vec<String> {
    let mark = execution_mark(execution.status);
    let name = terminal
        .paint(Tone::Bold, &cut(terminal, &clean(execution.workflow_name.as_str()), terminal.width / 2));
    let word = terminal.paint(mark.tone, execution.status.as_str());
    let preposition = match execution.status {
        ExecutionStatus::Completed | ExecutionStatus::Running => "in",
        _ => "after",
    };
    let preposition = if execution.status == ExecutionStatus::Running { "for" } else { preposition };
    let mut lines =
        vec![format!("{} {name}  {word} {preposition} {}", mark.painted(terminal), duration(seconds))];
    let mut fact = |name: &str, text: String| {
        for (index, line) in wrap(&text, terminal.width - 12).into_iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            lines.push(format!("  {} {line}", terminal.paint(Tone::Dim, &format!("{name:<9}"))));
        }
    };
    if let Some(error) = &execution.error {
        let at = execution.failed_task.as_ref().and_then(|task| task.task_id.as_ref());
        let at = at.map(|task| format!("{}: ", clean(task.as_str()))).unwrap_or_default();
        fact("error", format!("{at}{}: {}", clean(&error.error_type), clean(&error.message)));
    }
    if let Some(since) = execution.lost_since {
        fact("lost", format!("no sign of life since {}", when(since)));
    }
    for open in &execution.waiting_for {
        let asks =
            open.task_id.as_ref().map(|task| format!("{} asks: ", clean(task.as_str()))).unwrap_or_default();
        let prompt = open.question.prompt.as_deref().unwrap_or("a person must answer");
        fact("waiting", format!("{asks}{} (since {})", clean(prompt), when(open.since)));
    }
    if let Some(reason) = &execution.reason {
        fact("reason", clean(reason));
    }
    fact("id", execution.execution_id.as_str().to_owned());
    fact("started", format!("{} ({})", when(execution.start_time), age(now, execution.start_time)));
    fact("tasks", task_counts(execution, rows));
    if !execution.labels.is_empty() {
        let labels: Vec<String> =
            execution.labels.iter().map(|(key, value)| format!("{}={}", clean(key), clean(value))).collect();
        fact("labels", labels.join(" "));
    }
    if !execution.inputs.is_empty() {
        let inputs: Vec<String> = (execution.inputs.iter())
            .map(|(key, value)| format!("{}={}", clean(key), cut(terminal, &clean(&value.to_string()), 40)))
            .collect();
        fact("inputs", inputs.join(" "));
    }
    if let Some(code) = &execution.code {
        let commit = code.git_commit.as_deref().map(|commit| commit.chars().take(12).collect::<String>());
        let dirty = if code.dirty == Some(true) { ", with uncommitted changes" } else { "" };
        let parts: Vec<String> =
            [code.entry.as_deref().map(clean), commit.map(|commit| format!("git {}{dirty}", clean(&commit)))]
                .into_iter()
                .flatten()
                .collect();
        if !parts.is_empty() {
            fact("code", parts.join(", "));
        }
    }
    if execution.llm.calls > 0 {
        let llm = &execution.llm;
        let cost = if llm.cost_usd > 0.0 { format!(", ${:.4}", llm.cost_usd) } else { String::new() };
        let tokens = format!("{} tokens in, {} out", count(llm.input_tokens), count(llm.output_tokens));
        fact("models", format!("{}, {tokens}{cost}, {}", plural(llm.calls, "call"), duration(llm.duration)));
    }
    lines
}

/// How many task executions are in which state; where the rows are not known, the row of the run says most of it.
fn task_counts(execution: &Execution, rows: Option<&[TaskExecution]>) -> String {
    let mut by_status: BTreeMap<&str, u64> = BTreeMap::new();
    if let Some(rows) = rows {
        for row in rows.iter().filter(|row| !row.will_retry) {
            *by_status.entry(row.status.as_str()).or_default() += 1;
        }
    } else {
        let done = execution.completed_tasks + execution.failed_tasks + execution.running_tasks;
        by_status.insert(TaskStatus::Completed.as_str(), execution.completed_tasks);
        by_status.insert(TaskStatus::Failed.as_str(), execution.failed_tasks);
        by_status.insert(TaskStatus::Running.as_str(), execution.running_tasks);
        by_status.insert("other", execution.total_tasks.saturating_sub(done));
    }
    let mut said: Vec<String> = by_status
        .iter()
        .filter(|(_, number)| **number > 0)
        .map(|(status, number)| format!("{} {status}", count(*number)))
        .collect();
    if said.is_empty() {
        said.push("none yet".to_owned());
    }
    let retried = match execution.retried_tasks {
        0 => String::new(),
        1 => "; 1 attempt retried".to_owned(),
        number => format!("; {} attempts retried", count(number)),
    };
    format!("{}{retried}", said.join(", "))
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
