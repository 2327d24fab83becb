//! What a run was: its state, times, labels, inputs, code and models.

use std::collections::BTreeMap;

use graflow_model::{ExecutionStatus, TaskStatus, Timestamp};
use graflow_wire::{Execution, TaskExecution};

use crate::output::{Terminal, Tone, age, clean, count, cut, duration, execution_mark, plural, when, wrap};

/// Everything but the tree, a fact a line.
pub(super) fn header_lines(
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
        fact("lost", format!("since {}, a minute after the last sign of life", when(since)));
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
        let label =
            |(key, value): (&String, &String)| format!("{}={}", clean(key), cut(terminal, &clean(value), 40));
        fact("labels", some_of(execution.labels.iter().map(label)));
    }
    if !execution.inputs.is_empty() {
        let input = |(key, value): (&String, &serde_json::Value)| {
            format!("{}={}", clean(key), cut(terminal, &clean(&value.to_string()), 40))
        };
        fact("inputs", some_of(execution.inputs.iter().map(input)));
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

/// The first of many pairs, and how many more there are.
fn some_of(pairs: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 12;
    let more = pairs.len().saturating_sub(SHOWN);
    let shown: Vec<String> = pairs.take(SHOWN).collect();
    let more = if more > 0 { format!(" and {more} more; --json shows each") } else { String::new() };
    shown.join(" ") + &more
}
