//! What came of a run: one line an execution.

use std::time::Duration;

use graflow_client::Endpoint;
use graflow_model::ExecutionStatus;
use graflow_wire::Execution;

use crate::output::{Terminal, Tone, clean, cut, duration, execution_mark, plural};
use crate::source::{ExecutionsQuery, Source};

/// What a program left behind reaches the server within this time, or it left nothing.
const FIRST: Duration = Duration::from_secs(2);
/// The end of what has begun reaches it within this time, or there was none, as after `kill -9`.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);
/// Executions that have a line of their own.
const SHOWN: usize = 10;

/// The executions of a run, in the order in which they began, each with how many findings it has.
pub(super) struct Outcome {
    executions: Vec<(Execution, usize)>,
    more: bool,
}

impl Outcome {
    /// Waits until every execution has ended, as far as that can be known.
    pub(super) async fn wait_for(source: &Source, label: &str, run: &str) -> anyhow::Result<Self> {
        let query = ExecutionsQuery {
            labels: vec![(label.to_owned(), run.to_owned())],
            limit: SHOWN,
            ..ExecutionsQuery::default()
        };
        let start = tokio::time::Instant::now();
        let (mut newest, more) = loop {
            let (executions, more) = source.newest(query.clone()).await?;
            let is_open = |execution: &Execution| execution.status == ExecutionStatus::Running;
            let settled = !executions.is_empty() && !executions.iter().any(is_open);
            let patience = if executions.is_empty() { FIRST } else { PATIENCE };
            if settled || start.elapsed() > patience {
                break (executions, more);
            }
            tokio::time::sleep(PAUSE).await;
        };
        newest.reverse();
        let mut executions = Vec::with_capacity(newest.len());
        for execution in newest {
            let findings = source.findings(&execution.execution_id).await?.len();
            executions.push((execution, findings));
        }
        Ok(Self { executions, more })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.executions.is_empty()
    }

    pub(super) fn lines(&self, terminal: Terminal, endpoint: &Endpoint) -> Vec<String> {
        let mut lines: Vec<String> = self
            .executions
            .iter()
            .map(|(execution, findings)| line(terminal, execution, *findings, endpoint))
            .collect();
        if self.more {
            lines.insert(0, "and earlier ones; `graflow lineage list` shows them".to_owned());
        }
        lines
    }
}

/// `✗ etl failed after 3.2 s at validate: KeyError: 'ts'; 2 findings  http://…`
fn line(terminal: Terminal, execution: &Execution, findings: usize, endpoint: &Endpoint) -> String {
    let mark = execution_mark(execution.status);
    let name = terminal.paint(Tone::Bold, &clean(execution.workflow_name.as_str()));
    let took = execution.duration.map(|seconds| {
        let word = if execution.status == ExecutionStatus::Completed { "in" } else { "after" };
        format!(" {word} {}", duration(seconds))
    });
    let error = execution.error.as_ref().map(|error| {
        let task = execution.failed_task.as_ref().and_then(|task| task.task_id.as_ref());
        let task = task.map(|task| format!(" at {}", clean(task.as_str()))).unwrap_or_default();
        let message = clean(&format!("{}: {}", error.error_type, error.message));
        format!("{task}: {}", cut(terminal, &message, 120))
    });
    let findings = (findings > 0).then(|| format!("; {}", plural(findings as u64, "finding")));
    let facts: String = [took, error, findings].into_iter().flatten().collect();
    let address = endpoint.execution_page(&execution.execution_id).to_string();
    format!(
        "{} {name} {}{facts}  {}",
        mark.painted(terminal),
        execution.status.as_str(),
        terminal.paint(Tone::Dim, &address)
    )
}
