//! Workflows by name, each with its counts and newest run.

use graflow_lineage::store::{NameQuery, Page, WorkflowRow};
use graflow_model::{ExecutionStatus, Project, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::llm::llm_of_executions;
use super::select::{Select, number, page, text};
use crate::sqlite::codes;
use crate::sqlite::cursor::{Place, Question};
use crate::sqlite::error::{Result, TableError, unsigned};
use crate::sqlite::names::find_project;

/// A page of workflows.
pub(crate) fn workflows(
    connection: &Connection,
    project: &Project,
    query: &NameQuery,
) -> Result<Page<WorkflowRow>> {
    let question = Question::new(project, "workflows", &query.name);
    let place = question.place(query.cursor.as_ref())?;
    let Some(project) = find_project(connection, project)? else {
        return Ok(Page { rows: Vec::new(), next: None });
    };
    let limit = query.limit.max(1);
    let select = select(project, query, place.as_ref(), limit + 1);
    let names = select.rows(connection, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let Page { rows: names, next } =
        page(names, limit, &question, |(_, name)| Place { number: 0, text: name.clone() });
    let mut rows = Vec::with_capacity(names.len());
    for (workflow, name) in names {
        rows.extend(workflow_row(connection, project, workflow, name)?);
    }
    Ok(Page { rows, next })
}

/// Only workflows that still have a run: others were renamed or deleted.
pub(super) fn select(project: i64, query: &NameQuery, place: Option<&Place>, limit: usize) -> Select {
    let mut select = Select::new("id, name", "workflow AS w");
    select.filter("w.project = ?", [number(project)]);
    select.filter("EXISTS (SELECT 1 FROM execution WHERE workflow = w.id)", []);
    if let Some(name) = &query.name {
        select.filter("w.name = ?", [text(name)]);
    }
    if let Some(place) = place {
        select.filter("w.name > ?", [text(&place.text)]);
    }
    select.order("w.name", limit);
    select
}

/// Counts over all runs of one workflow.
#[derive(Default)]
struct Counts {
    executions: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    terminated: u64,
    max_steps: u64,
    open: u64,
    ended_with_duration: u64,
    duration_us: u64,
    last_success: Option<Timestamp>,
}

fn workflow_row(
    connection: &Connection,
    project: i64,
    workflow: i64,
    name: String,
) -> Result<Option<WorkflowRow>> {
    let mut counts = Counts::default();
    let mut statement = connection.prepare_cached(
        "SELECT status, count(*), count(duration_us), coalesce(sum(duration_us), 0), max(end_time)
         FROM execution INDEXED BY execution_of_workflow WHERE workflow = ? GROUP BY status",
    )?;
    let mut rows = statement.query((workflow,))?;
    while let Some(row) = rows.next()? {
        let status = codes::execution_status_of(row.get(0)?)
            .ok_or_else(|| TableError::bad_row("execution", "status", format!("of workflow {name}")))?;
        let count = unsigned(row.get(1)?);
        counts.executions += count;
        match status {
            ExecutionStatus::Completed => {
                counts.completed += count;
                counts.last_success = row.get::<_, Option<i64>>(4)?.map(Timestamp::from_micros);
            }
            ExecutionStatus::Failed => counts.failed += count,
            ExecutionStatus::Cancelled => counts.cancelled += count,
            ExecutionStatus::Terminated => counts.terminated += count,
            ExecutionStatus::MaxSteps => counts.max_steps += count,
            ExecutionStatus::Running | ExecutionStatus::Waiting | ExecutionStatus::Lost => {
                counts.open += count;
            }
        }
        if status.is_ended() {
            counts.ended_with_duration += unsigned(row.get(2)?);
            counts.duration_us += unsigned(row.get(3)?);
        }
    }
    let newest = connection
        .prepare_cached(
            "SELECT execution_id, start_time, status FROM execution INDEXED BY execution_of_workflow
             WHERE workflow = ? ORDER BY start_time DESC, execution_id LIMIT 1",
        )?
        .query_row((workflow,), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        })
        .optional()?;
    let Some((last_execution_id, last_start_time, last_status)) = newest else { return Ok(None) };
    let last_status = codes::execution_status_of(last_status)
        .ok_or_else(|| TableError::bad_row("execution", "status", &last_execution_id))?;
    Ok(Some(WorkflowRow {
        workflow_name: name.into(),
        executions: counts.executions,
        completed: counts.completed,
        failed: counts.failed,
        cancelled: counts.cancelled,
        terminated: counts.terminated,
        max_steps: counts.max_steps,
        open: counts.open,
        mean_duration_us: counts.duration_us.checked_div(counts.ended_with_duration),
        last_execution_id: last_execution_id.into(),
        last_start_time: Timestamp::from_micros(last_start_time),
        last_status,
        last_success_time: counts.last_success,
        llm: llm_of_executions(connection, project, Some(workflow), i64::MIN..i64::MAX)?,
    }))
}
