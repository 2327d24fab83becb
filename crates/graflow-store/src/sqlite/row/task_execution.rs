//! Task executions: columns for what all of them have, JSON for what most of them lack.

use graflow_lineage::analysis::fingerprint;
use graflow_model::event::{Cause, ErrorInfo};
use graflow_model::row::{DurationSource, LlmTotals, Span, TaskExecutionRow};
use graflow_model::{ProducerId, TaskExecutionId, TaskId, Timestamp};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::sqlite::codes;
use crate::sqlite::error::{Result, TableError, signed, unsigned};
use crate::sqlite::row::llm_text;

/// A task execution's number is its execution's, shifted by this, plus its ordinal.
pub(crate) const ORDINAL_BITS: u32 = 24;

/// What [`task_execution_of`] reads, from [`TASK_EXECUTION_FROM`].
pub(crate) const TASK_EXECUTION_COLUMNS: &str = "te.id, te.task_execution_id, e.execution_id, w.name, t.name, te.status, \
     te.will_retry, te.iteration, te.attempt, te.queued_time, te.start_time, te.end_time, te.duration_us, \
     te.duration_wall, te.result_size, te.result_type, te.result_hash, te.detail, te.sort_time";

/// The joins that give a row its names.
pub(crate) const TASK_EXECUTION_FROM: &str = "task_execution AS te \
     CROSS JOIN task AS t ON t.id = te.task \
     CROSS JOIN workflow AS w ON w.id = t.workflow \
     CROSS JOIN execution AS e ON e.id = te.id >> 24";

/// What most task executions lack, for writing. Fields may be added; names stay.
#[derive(Default, PartialEq, Serialize)]
struct NewDetail<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queued: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ErrorInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a TaskId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Cause]>::is_empty")]
    causes: &'a [Cause],
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_task_execution_id: Option<&'a TaskExecutionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    producer: Option<&'a ProducerId>,
    #[serde(skip_serializing_if = "is_zero")]
    writes: u64,
    #[serde(skip_serializing_if = "is_zero")]
    reads: u64,
    #[serde(skip_serializing_if = "is_nothing")]
    llm: LlmTotals,
}

/// The same, as it is read back.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    family: Option<String>,
    queued: Option<Span>,
    error: Option<ErrorInfo>,
    reason: Option<String>,
    group: Option<TaskId>,
    thread: Option<String>,
    worker: Option<String>,
    causes: Vec<Cause>,
    parent_task_execution_id: Option<TaskExecutionId>,
    producer: Option<ProducerId>,
    writes: u64,
    reads: u64,
    llm: LlmTotals,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_nothing(llm: &LlmTotals) -> bool {
    *llm == LlmTotals::default()
}

/// When it began, or the nearest to it that is known: history is sorted by it.
pub(crate) fn sort_time(row: &TaskExecutionRow, execution_start: Timestamp) -> Timestamp {
    row.start_time.or(row.queued_time).or(row.end_time).unwrap_or(execution_start)
}

/// Writes a row, over the one with its number if there is one.
pub(crate) fn put_task_execution(
    connection: &Connection,
    number: i64,
    task: i64,
    execution_start: Timestamp,
    row: &TaskExecutionRow,
) -> Result<()> {
    let sort_time = sort_time(row, execution_start);
    let detail = NewDetail {
        family: row.family.as_deref(),
        queued: row.queued,
        error: row.error.as_ref(),
        reason: row.reason.as_deref(),
        group: row.group.as_ref(),
        thread: row.thread.as_deref(),
        worker: row.worker.as_deref(),
        causes: &row.causes,
        parent_task_execution_id: row.parent_task_execution_id.as_ref(),
        producer: row.producer.as_ref(),
        writes: row.writes,
        reads: row.reads,
        llm: row.llm,
    };
    let json = if detail == NewDetail::default() {
        None
    } else {
        let bad = TableError::bad_json("task_execution", "detail", &row.task_execution_id);
        Some(serde_json::to_string(&detail).map_err(bad)?)
    };
    let mut statement = connection.prepare_cached(
        "INSERT INTO task_execution (
             id, task_execution_id, task, status, will_retry, iteration, attempt, sort_time, queued_time, start_time,
             end_time, duration_us, duration_wall, result_size, result_type, result_hash, fingerprint, detail, llm
         ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
         ON CONFLICT (id) DO UPDATE SET
             task = ?3, status = ?4, will_retry = ?5, iteration = ?6, attempt = ?7, sort_time = ?8,
             queued_time = ?9, start_time = ?10, end_time = ?11, duration_us = ?12, duration_wall = ?13,
             result_size = ?14, result_type = ?15, result_hash = ?16, fingerprint = ?17, detail = ?18, llm = ?19",
    )?;
    statement.execute(params![
        number,
        row.task_execution_id.as_str(),
        task,
        codes::task_status(row.status),
        row.will_retry,
        row.iteration,
        row.attempt,
        sort_time.as_micros(),
        row.queued_time.map(Timestamp::as_micros),
        row.start_time.map(Timestamp::as_micros),
        row.end_time.map(Timestamp::as_micros),
        row.duration.map(|duration| signed(duration.micros)),
        row.duration.is_some_and(|duration| duration.source == DurationSource::Wall),
        row.result_size.map(signed),
        row.result_type,
        row.result_hash,
        row.error.as_ref().map(fingerprint),
        json,
        llm_text(&row.llm, "task_execution", &row.task_execution_id)?,
    ])?;
    Ok(())
}

/// Reads [`TASK_EXECUTION_COLUMNS`]; also gives the number and the sort time, which pages go on from.
pub(crate) fn task_execution_of(row: &Row<'_>) -> Result<(i64, i64, TaskExecutionRow)> {
    let number: i64 = row.get(0)?;
    let time = |column| -> Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros))
    };
    let text = |column| -> Result<String> { Ok(row.get(column)?) };
    let status = codes::task_status_of(row.get(5)?)
        .ok_or_else(|| TableError::bad_row("task_execution", "status", number))?;
    let source = if row.get(13)? { DurationSource::Wall } else { DurationSource::Mono };
    let detail: Detail = match row.get_ref(17)?.as_str_or_null() {
        Ok(Some(json)) => {
            serde_json::from_str(json).map_err(TableError::bad_json("task_execution", "detail", number))?
        }
        Ok(None) => Detail::default(),
        Err(_) => return Err(TableError::bad_row("task_execution", "detail", number)),
    };
    let read = TaskExecutionRow {
        task_execution_id: text(1)?.into(),
        execution_id: text(2)?.into(),
        workflow_name: text(3)?.into(),
        task_id: text(4)?.into(),
        family: detail.family,
        iteration: row.get(7)?,
        attempt: row.get(8)?,
        status,
        queued_time: time(9)?,
        start_time: time(10)?,
        end_time: time(11)?,
        duration: row.get::<_, Option<i64>>(12)?.map(|micros| Span { micros: unsigned(micros), source }),
        queued: detail.queued,
        result_size: row.get::<_, Option<i64>>(14)?.map(unsigned),
        result_type: row.get(15)?,
        result_hash: row.get(16)?,
        error: detail.error,
        reason: detail.reason,
        will_retry: row.get(6)?,
        group: detail.group,
        thread: detail.thread,
        worker: detail.worker,
        causes: detail.causes,
        parent_task_execution_id: detail.parent_task_execution_id,
        producer: detail.producer,
        writes: detail.writes,
        reads: detail.reads,
        llm: detail.llm,
    };
    Ok((number, row.get(18)?, read))
}
