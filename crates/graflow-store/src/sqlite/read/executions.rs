//! Executions, newest first.

use std::collections::BTreeSet;

use graflow_lineage::store::{ExecutionFilter, ExecutionQuery, Page};
use graflow_model::row::ExecutionRow;
use graflow_model::{ExecutionId, ExecutionStatus, Project};
use rusqlite::{Connection, OptionalExtension};

use super::select::{Select, number, page, text};
use crate::sqlite::codes;
use crate::sqlite::cursor::{Place, Question};
use crate::sqlite::error::{Result, signed, unsigned};
use crate::sqlite::names::{find_project, find_workflow};
use crate::sqlite::readers::find_execution;
use crate::sqlite::row::{EXECUTION_COLUMNS, execution_of};
use crate::sqlite::tables::{Removed, number_range};

/// A page of executions.
pub(crate) fn executions(
    connection: &Connection,
    project: &Project,
    query: &ExecutionQuery,
) -> Result<Page<ExecutionRow>> {
    // Which executions are lost changes from page to page; which rows a page holds beside them does not.
    let filter = ExecutionFilter { lost: BTreeSet::default(), ..query.filter.clone() };
    let question = Question::new(project, "executions", &filter);
    let place = question.place(query.cursor.as_ref())?;
    let limit = query.limit.max(1);
    let Some(branches) = branches(connection, project, &query.filter, place.as_ref(), limit + 1)? else {
        return Ok(Page { rows: Vec::new(), next: None });
    };
    let mut rows = Vec::new();
    for branch in &branches {
        rows.extend(branch.rows(connection, execution_of)?);
    }
    if branches.len() > 1 {
        rows.sort_by(|a, b| {
            b.start_time.cmp(&a.start_time).then_with(|| a.execution_id.cmp(&b.execution_id))
        });
        rows.truncate(limit + 1);
    }
    Ok(page(rows, limit, &question, |row| Place {
        number: row.start_time.as_micros(),
        text: row.execution_id.as_str().to_owned(),
    }))
}

/// One execution.
pub(crate) fn execution(
    connection: &Connection,
    project: &Project,
    id: &ExecutionId,
) -> Result<Option<ExecutionRow>> {
    let Some(project) = find_project(connection, project)? else { return Ok(None) };
    let sql =
        format!("SELECT {EXECUTION_COLUMNS} FROM execution AS e WHERE e.project = ? AND e.execution_id = ?");
    connection
        .prepare_cached(&sql)?
        .query_row((project, id.as_str()), |row| Ok(execution_of(row)))
        .optional()?
        .transpose()
}

/// How many task executions and events an execution has.
pub(crate) fn count_of(connection: &Connection, project: &Project, id: &ExecutionId) -> Result<Removed> {
    let Some(project) = find_project(connection, project)? else { return Ok(Removed::default()) };
    let Some(number) = find_execution(connection, project, id)? else { return Ok(Removed::default()) };
    let (first, last) = number_range(number);
    let task_executions: i64 = connection
        .prepare_cached("SELECT count(*) FROM task_execution WHERE id BETWEEN ? AND ?")?
        .query_row((first, last), |row| row.get(0))?;
    let events: i64 = connection
        .prepare_cached("SELECT coalesce(sum(count), 0) FROM event_chunk WHERE execution = ?")?
        .query_row((number,), |row| row.get(0))?;
    Ok(Removed { task_executions: unsigned(task_executions), events: unsigned(events) })
}

/// Executions that have not ended, of every project.
pub(crate) fn open_executions(connection: &Connection) -> Result<Vec<(Project, ExecutionId)>> {
    let open = ExecutionStatus::ALL
        .iter()
        .filter(|status| !status.is_ended() && **status != ExecutionStatus::Lost)
        .map(|status| codes::execution_status(*status));
    let mut statement = connection.prepare_cached(
        "SELECT p.name, e.execution_id FROM project AS p
         CROSS JOIN execution AS e ON e.project = p.id AND e.status = ?",
    )?;
    let mut ids = Vec::new();
    for status in open {
        let rows =
            statement.query_map((status,), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        for row in rows {
            let (project, id) = row?;
            ids.push((project.into(), id.into()));
        }
    }
    Ok(ids)
}

/// One statement per state that is asked for, so that each is a range of one index; `None` when nothing can match.
pub(super) fn branches(
    connection: &Connection,
    project: &Project,
    filter: &ExecutionFilter,
    place: Option<&Place>,
    limit: usize,
) -> Result<Option<Vec<Select>>> {
    let Some(project) = find_project(connection, project)? else { return Ok(None) };
    let workflow = match &filter.workflow_name {
        None => None,
        Some(name) => match find_workflow(connection, project, name)? {
            None => return Ok(None),
            workflow => workflow,
        },
    };
    if filter.status.is_empty() {
        return Ok(Some(vec![branch(project, workflow, filter, None, place, limit)]));
    }
    let mut states = filter.status.clone();
    states.sort_unstable();
    states.dedup();
    Ok(Some(
        states
            .into_iter()
            .map(|state| branch(project, workflow, filter, Some(state), place, limit))
            .collect(),
    ))
}

fn branch(
    project: i64,
    workflow: Option<i64>,
    filter: &ExecutionFilter,
    state: Option<ExecutionStatus>,
    place: Option<&Place>,
    limit: usize,
) -> Select {
    let is_lost = state == Some(ExecutionStatus::Lost);
    let mut time = "e.start_time";
    // What narrows down most decides on the index; everything else is a condition on the rows found.
    let mut select = if is_lost || filter.ids.is_some() {
        from("e INDEXED BY sqlite_autoindex_execution_1")
    } else if let Some(fingerprint) = &filter.fingerprint {
        let mut select = from("e");
        select.filter(
            "e.id IN (SELECT id FROM execution WHERE project = ? AND fingerprint = ?
                      UNION SELECT id >> 24 FROM task_execution WHERE fingerprint = ?)",
            [number(project), text(fingerprint), text(fingerprint)],
        );
        select
    } else if filter.trace_id.is_some() {
        from("e INDEXED BY execution_of_trace")
    } else if let Some((name, value)) = filter.labels.first() {
        time = "l.start_time";
        let mut select =
            Select::new(EXECUTION_COLUMNS, "label AS l CROSS JOIN execution AS e ON e.id = l.execution");
        select.filter(
            "l.project = ? AND l.name = ? AND l.value = ?",
            [number(project), text(name), text(value)],
        );
        select
    } else if filter.id_prefix.is_some() {
        from("e INDEXED BY sqlite_autoindex_execution_1")
    } else {
        from(match (workflow.is_some(), state.is_some()) {
            (true, true) => "e INDEXED BY execution_of_workflow_by_status",
            (true, false) => "e INDEXED BY execution_of_workflow",
            (false, true) => "e INDEXED BY execution_by_status",
            (false, false) => "e INDEXED BY execution_newest",
        })
    };
    select.filter("e.project = ?", [number(project)]);
    if let Some(workflow) = workflow {
        select.filter("e.workflow = ?", [number(workflow)]);
    }
    if let Some(state) = state {
        select.filter("e.status = ?", [number(codes::execution_status(state))]);
        let lost = || text(serde_json::to_string(&filter.lost).unwrap_or_default());
        if is_lost {
            select.filter("e.execution_id IN (SELECT value FROM json_each(?))", [lost()]);
        } else if state == ExecutionStatus::Running && !filter.lost.is_empty() {
            select.filter("e.execution_id NOT IN (SELECT value FROM json_each(?))", [lost()]);
        }
    }
    filter_rows(&mut select, project, filter);
    if let Some(place) = place {
        select.filter(
            format!("{time} <= ? AND ({time} < ? OR e.execution_id > ?)"),
            [number(place.number), number(place.number), text(&place.text)],
        );
    }
    let order = if time == "e.start_time" {
        "e.start_time DESC, e.execution_id"
    } else {
        "l.start_time DESC, e.execution_id"
    };
    select.order(order, limit);
    select
}

fn from(alias: &str) -> Select {
    Select::new(EXECUTION_COLUMNS, format!("execution AS {alias}"))
}

fn filter_rows(select: &mut Select, project: i64, filter: &ExecutionFilter) {
    if let Some(ids) = &filter.ids {
        let ids = serde_json::to_string(ids).unwrap_or_default();
        select.filter("e.execution_id IN (SELECT value FROM json_each(?))", [text(ids)]);
    }
    if let Some(prefix) = &filter.id_prefix {
        // Text sorts by its bytes, so everything that begins so lies between the prefix and the prefix with the
        // greatest character behind it.
        let end = format!("{prefix}{}", char::MAX);
        select.filter("e.execution_id >= ? AND e.execution_id < ?", [text(prefix), text(end)]);
    }
    if let Some(time) = filter.started_after {
        select.filter("e.start_time >= ?", [number(time.as_micros())]);
    }
    if let Some(time) = filter.started_before {
        select.filter("e.start_time < ?", [number(time.as_micros())]);
    }
    if let Some(micros) = filter.duration_min_us {
        select.filter("e.duration_us >= ?", [number(signed(micros))]);
    }
    if let Some(micros) = filter.duration_max_us {
        select.filter("e.duration_us <= ?", [number(signed(micros))]);
    }
    for (name, value) in &filter.labels {
        select.filter(
            "EXISTS (SELECT 1 FROM label WHERE project = ? AND name = ? AND value = ?
                     AND start_time = e.start_time AND execution = e.id)",
            [number(project), text(name), text(value)],
        );
    }
    if let Some(trace) = &filter.trace_id {
        select.filter("e.trace_id = ?", [text(trace)]);
    }
    if let Some(words) = &filter.text {
        select.filter("instr(e.search, ?) > 0", [text(words.to_lowercase())]);
    }
}
