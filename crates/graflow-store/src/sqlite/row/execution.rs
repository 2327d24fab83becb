//! Executions: columns for what lists filter and sort by, and the whole row as JSON.

use graflow_lineage::analysis::fingerprint;
use graflow_model::Timestamp;
use graflow_model::row::ExecutionRow;
use rusqlite::{Connection, Row, params};

use crate::sqlite::codes;
use crate::sqlite::error::{Result, TableError, signed};
use crate::sqlite::row::llm_text;

/// What [`execution_of`] reads, from `execution AS e`.
pub(crate) const EXECUTION_COLUMNS: &str = "e.id, e.detail";

/// Writes a row, over the one with its number if there is one. Gives the number.
pub(crate) fn put_execution(
    connection: &Connection,
    project: i64,
    workflow: i64,
    number: Option<i64>,
    row: &ExecutionRow,
) -> Result<i64> {
    let detail =
        serde_json::to_string(row).map_err(TableError::bad_json("execution", "detail", &row.execution_id))?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO execution (
             id, project, execution_id, workflow, status, start_time, end_time, duration_us, trace_id, fingerprint,
             search, detail, llm
         ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (id) DO UPDATE SET
             workflow = ?4, status = ?5, start_time = ?6, end_time = ?7, duration_us = ?8, trace_id = ?9,
             fingerprint = ?10, search = ?11, detail = ?12, llm = ?13",
    )?;
    statement.execute(params![
        number,
        project,
        row.execution_id.as_str(),
        workflow,
        codes::execution_status(row.status),
        row.start_time.as_micros(),
        row.end_time.map(Timestamp::as_micros),
        row.duration.map(|duration| signed(duration.micros)),
        row.trace_id,
        row.error.as_ref().map(fingerprint),
        search_text(row),
        detail,
        llm_text(&row.llm, "execution", &row.execution_id)?,
    ])?;
    Ok(number.unwrap_or_else(|| connection.last_insert_rowid()))
}

/// Reads [`EXECUTION_COLUMNS`].
pub(crate) fn execution_of(row: &Row<'_>) -> Result<ExecutionRow> {
    let number: i64 = row.get(0)?;
    let detail = row.get_ref(1)?.as_str().map_err(|_| TableError::bad_row("execution", "detail", number))?;
    serde_json::from_str(detail).map_err(TableError::bad_json("execution", "detail", number))
}

fn search_text(row: &ExecutionRow) -> String {
    let mut text = format!("{}\n{}", row.execution_id, row.workflow_name);
    if let Some(error) = &row.error {
        text.push('\n');
        text.push_str(&error.message);
    }
    for (name, value) in &row.labels {
        text.push('\n');
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text.to_lowercase()
}
