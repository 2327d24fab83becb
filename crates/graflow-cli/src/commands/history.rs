//! `graflow lineage history`

use graflow_model::{TaskId, WorkflowName};
use graflow_wire::TaskExecution;
use serde_json::json;

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Align, Table, Terminal, Tone, age, clean, cut, duration, task_mark};
use crate::source::Source;

/// Which task, and how far back.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The task.
    #[arg(value_name = "TASK")]
    task: TaskId,
    /// Only of this workflow.
    #[arg(long, value_name = "NAME")]
    workflow: Option<WorkflowName>,
    /// How many at most.
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: usize,
}

/// Lists them.
pub(crate) async fn run(config: &Config, options: Options) -> anyhow::Result<Exit> {
    let source = Source::open(config).await?;
    let rows = source.history(&options.task, options.workflow.as_ref(), options.limit).await?;
    if rows.is_empty() {
        let failure = Failure::new(Exit::NotFound, format!("no task called `{}` has run", options.task));
        return Err(failure.hint("names are exact; `graflow lineage show latest --all` lists them").into());
    }
    if config.json {
        config.print_json(&json!({ "task_id": options.task, "executions": rows }))?;
    } else {
        config.print_lines(&lines(config.terminal, config.now(), &rows))?;
    }
    Ok(Exit::Ok)
}

fn lines(terminal: Terminal, now: graflow_model::Timestamp, rows: &[TaskExecution]) -> Vec<String> {
    let mut table = Table::new(
        &[
            ("status", Align::Left),
            ("workflow", Align::Left),
            ("started", Align::Right),
            ("took", Align::Right),
            ("pass", Align::Right),
            ("attempt", Align::Right),
            ("run", Align::Left),
            ("error", Align::Left),
        ],
        7,
    );
    for row in rows {
        let mark = task_mark(row.status);
        let again = if row.will_retry { " (tried again)" } else { "" };
        table.row(vec![
            (format!("{} {}{again}", mark.shape(terminal), row.status), mark.tone),
            (cut(terminal, &clean(row.workflow_name.as_str()), 24), Tone::Plain),
            (row.start_time.map(|start| age(now, start)).unwrap_or_default(), Tone::Plain),
            (row.duration.map(duration).unwrap_or_default(), Tone::Plain),
            (row.iteration.to_string(), Tone::Dim),
            (row.attempt.to_string(), Tone::Dim),
            (clean(row.workflow_execution_id.as_str()).chars().take(13).collect(), Tone::Dim),
            (clean(row.error_message.as_deref().unwrap_or_default()), Tone::Bad),
        ]);
    }
    table.lines(terminal)
}
