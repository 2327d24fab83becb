//! Task executions: of one execution, or of one task over all its executions.

use graflow_lineage::store::{Page, TaskExecutionQuery, TaskOrder};
use graflow_model::row::TaskExecutionRow;
use graflow_model::{Project, TaskExecutionId, TaskId, WorkflowName};
use rusqlite::{Connection, OptionalExtension};

use super::select::{Select, number, page, text};
use crate::sqlite::codes;
use crate::sqlite::cursor::{Place, Question};
use crate::sqlite::error::Result;
use crate::sqlite::names::find_project;
use crate::sqlite::readers::find_execution;
use crate::sqlite::row::{TASK_EXECUTION_COLUMNS, TASK_EXECUTION_FROM, task_execution_of};
use crate::sqlite::tables::number_range;

/// A row with what pages go on from: its number and its sort time.
type Placed = (i64, i64, TaskExecutionRow);

/// A page of task executions.
pub(crate) fn task_executions(
    connection: &Connection,
    project: &Project,
    query: &TaskExecutionQuery,
) -> Result<Page<TaskExecutionRow>> {
    let TaskExecutionQuery { execution_id, task_id, workflow_name, status, order, limit, cursor } = query;
    let filter = (execution_id, task_id, workflow_name, status, order);
    let question = Question::new(project, "task_executions", &filter);
    let place = question.place(cursor.as_ref())?;
    let limit = (*limit).max(1);
    let branches = branches(connection, project, query, place.as_ref(), limit + 1)?;
    let mut rows: Vec<Placed> = Vec::new();
    for branch in &branches {
        rows.extend(branch.rows(connection, task_execution_of)?);
    }
    if branches.len() > 1 {
        rows.sort_by(|a, b| {
            let by_time = if *order == TaskOrder::Newest { b.1.cmp(&a.1) } else { a.1.cmp(&b.1) };
            by_time.then_with(|| a.2.task_execution_id.cmp(&b.2.task_execution_id))
        });
        rows.truncate(limit + 1);
    }
    let by_number = execution_id.is_some() && *order == TaskOrder::Oldest;
    let Page { rows, next } = page(rows, limit, &question, |(number, sort_time, row)| {
        if by_number {
            Place { number: *number, text: String::new() }
        } else {
            Place { number: *sort_time, text: row.task_execution_id.as_str().to_owned() }
        }
    });
    Ok(Page { rows: rows.into_iter().map(|(_, _, row)| row).collect(), next })
}

/// One task execution; the newest where ids repeat.
pub(crate) fn task_execution(
    connection: &Connection,
    project: &Project,
    id: &TaskExecutionId,
) -> Result<Option<TaskExecutionRow>> {
    let Some(project) = find_project(connection, project)? else { return Ok(None) };
    let mut select = Select::new(TASK_EXECUTION_COLUMNS, TASK_EXECUTION_FROM);
    select.filter("te.task_execution_id = ?", [text(id.as_str())]);
    select.filter("e.project = ?", [number(project)]);
    select.order("te.sort_time DESC", 1);
    Ok(select.rows(connection, task_execution_of)?.pop().map(|(_, _, row)| row))
}

/// The numbers of tasks: of one name, of one workflow, of all.
pub(super) fn task_numbers(
    connection: &Connection,
    project: i64,
    task: Option<&TaskId>,
    workflow: Option<&WorkflowName>,
) -> Result<Vec<i64>> {
    let workflow = match workflow {
        None => None,
        Some(name) => {
            let sql = "SELECT id FROM workflow WHERE project = ? AND name = ?";
            let found: Option<i64> = connection
                .prepare_cached(sql)?
                .query_row((project, name.as_str()), |row| row.get(0))
                .optional()?;
            let Some(workflow) = found else { return Ok(Vec::new()) };
            Some(workflow)
        }
    };
    let sql = match (task, workflow) {
        (Some(_), Some(_)) => "SELECT id FROM task WHERE project = ?1 AND name = ?2 AND workflow = ?3",
        (Some(_), None) => "SELECT id FROM task WHERE project = ?1 AND name = ?2 AND ?3 IS NULL",
        (None, Some(_)) => "SELECT id FROM task WHERE workflow = ?3 AND project = ?1 AND ?2 IS NULL",
        (None, None) => "SELECT id FROM task WHERE project = ?1 AND ?2 IS NULL AND ?3 IS NULL",
    };
    let mut statement = connection.prepare_cached(sql)?;
    let numbers = statement.query_map((project, task.map(TaskId::as_str), workflow), |row| row.get(0))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}

/// One statement for an execution; for a task one for each workflow that has a task of that name.
pub(super) fn branches(
    connection: &Connection,
    project: &Project,
    query: &TaskExecutionQuery,
    place: Option<&Place>,
    limit: usize,
) -> Result<Vec<Select>> {
    let Some(project) = find_project(connection, project)? else { return Ok(Vec::new()) };
    let mut branches = Vec::new();
    if let Some(execution) = &query.execution_id {
        let Some(execution) = find_execution(connection, project, execution)? else { return Ok(Vec::new()) };
        let (first, last) = number_range(execution);
        let mut select = Select::new(TASK_EXECUTION_COLUMNS, TASK_EXECUTION_FROM);
        if query.order == TaskOrder::Oldest {
            let after = place.map_or(first - 1, |place| place.number);
            select.filter("te.id > ? AND te.id <= ?", [number(after), number(last)]);
        } else {
            // All of one execution lie side by side; few enough to sort.
            select.filter("te.id BETWEEN ? AND ?", [number(first), number(last)]);
        }
        if let Some(task) = &query.task_id {
            select.filter("t.name = ?", [text(task.as_str())]);
        }
        if let Some(workflow) = &query.workflow_name {
            select.filter("w.name = ?", [text(workflow.as_str())]);
        }
        branches.push(select);
    } else if let Some(task) = &query.task_id {
        for task in task_numbers(connection, project, Some(task), query.workflow_name.as_ref())? {
            let from = TASK_EXECUTION_FROM.replacen("AS te", "AS te INDEXED BY task_history", 1);
            let mut select = Select::new(TASK_EXECUTION_COLUMNS, from);
            select.filter("te.task = ?", [number(task)]);
            branches.push(select);
        }
    }
    let by_number = query.execution_id.is_some() && query.order == TaskOrder::Oldest;
    for select in &mut branches {
        if !query.status.is_empty() {
            let codes: Vec<_> = query.status.iter().map(|status| codes::task_status(*status)).collect();
            select.filter_one_of("te.status", &codes);
        }
        let (beyond, or_equal) = if query.order == TaskOrder::Newest { ("<", "<=") } else { (">", ">=") };
        if let Some(place) = place.filter(|_| !by_number) {
            select.filter(
                format!(
                    "te.sort_time {or_equal} ? AND (te.sort_time {beyond} ? OR te.task_execution_id > ?)"
                ),
                [number(place.number), number(place.number), text(&place.text)],
            );
        }
        let order = match (by_number, query.order) {
            (true, _) => "te.id",
            (false, TaskOrder::Newest) => "te.sort_time DESC, te.task_execution_id",
            (false, TaskOrder::Oldest) => "te.sort_time, te.task_execution_id",
        };
        select.order(order, limit);
    }
    Ok(branches)
}
