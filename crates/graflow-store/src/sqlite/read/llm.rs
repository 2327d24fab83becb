//! Sums over model calls. Only what called any model is looked at, and only in an index.

use std::ops::Range;

use graflow_model::row::LlmTotals;
use rusqlite::{Connection, Params};

use crate::sqlite::error::Result;
use crate::sqlite::row::llm_of;

/// Over the executions that began in a window: of a project, or of one of its workflows.
pub(super) fn llm_of_executions(
    connection: &Connection,
    project: i64,
    workflow: Option<i64>,
    window: Range<i64>,
) -> Result<LlmTotals> {
    let (start, end) = (window.start, window.end);
    match workflow {
        Some(workflow) => sum(
            connection,
            "SELECT llm FROM execution INDEXED BY execution_llm
             WHERE project = ? AND workflow = ? AND start_time >= ? AND start_time < ? AND llm IS NOT NULL",
            (project, workflow, start, end),
        ),
        None => sum(
            connection,
            "SELECT llm FROM execution INDEXED BY execution_llm
             WHERE project = ? AND start_time >= ? AND start_time < ? AND llm IS NOT NULL",
            (project, start, end),
        ),
    }
}

/// Over the executions of some tasks that began in a window.
pub(super) fn llm_of_tasks(connection: &Connection, tasks: &[i64], window: &Range<i64>) -> Result<LlmTotals> {
    let sql = "SELECT llm FROM task_execution INDEXED BY task_execution_llm
               WHERE task = ? AND sort_time >= ? AND sort_time < ? AND llm IS NOT NULL";
    let mut totals = LlmTotals::default();
    for task in tasks {
        totals.add(&sum(connection, sql, (task, window.start, window.end))?);
    }
    Ok(totals)
}

fn sum(connection: &Connection, sql: &str, parameters: impl Params) -> Result<LlmTotals> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut totals = LlmTotals::default();
    while let Some(row) = rows.next()? {
        totals.add(&llm_of(&row.get::<_, String>(0)?)?);
    }
    Ok(totals)
}
