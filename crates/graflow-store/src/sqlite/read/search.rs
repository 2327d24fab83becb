//! Executions, workflows and tasks whose id or name holds a text.

use graflow_lineage::store::{ExecutionFilter, ExecutionQuery, Found, SearchQuery};
use graflow_model::Project;
use rusqlite::Connection;

use super::executions::executions;
use crate::sqlite::error::{Result, signed};
use crate::sqlite::names::find_project;

/// What was found: executions newest first, then workflows, then tasks by name.
pub(crate) fn search(connection: &Connection, project: &Project, query: &SearchQuery) -> Result<Vec<Found>> {
    let Some(number) = find_project(connection, project)? else { return Ok(Vec::new()) };
    let filter = ExecutionFilter { text: Some(query.text.clone()), ..ExecutionFilter::default() };
    let page = executions(connection, project, &ExecutionQuery { filter, limit: query.limit, cursor: None })?;
    let mut found: Vec<_> = page
        .rows
        .into_iter()
        .map(|row| Found::Execution {
            execution_id: row.execution_id,
            workflow_name: row.workflow_name,
            start_time: row.start_time,
            status: row.status,
        })
        .collect();
    let parameters = (number, query.text.to_lowercase(), signed(query.limit as u64));
    let mut workflows = connection.prepare_cached(
        "SELECT name FROM workflow AS w WHERE project = ? AND instr(lower(name), ?) > 0
         AND EXISTS (SELECT 1 FROM execution WHERE workflow = w.id) ORDER BY name LIMIT ?",
    )?;
    for name in workflows.query_map(parameters.clone(), |row| row.get::<_, String>(0))? {
        found.push(Found::Workflow { workflow_name: name?.into() });
    }
    let mut tasks = connection.prepare_cached(
        "SELECT t.name, w.name FROM task AS t CROSS JOIN workflow AS w ON w.id = t.workflow
         WHERE t.project = ? AND instr(lower(t.name), ?) > 0
         AND EXISTS (SELECT 1 FROM task_execution WHERE task = t.id) ORDER BY t.name, w.name LIMIT ?",
    )?;
    let names =
        tasks.query_map(parameters, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for name in names {
        let (task, workflow) = name?;
        found.push(Found::Task { task_id: task.into(), workflow_name: workflow.into() });
    }
    Ok(found)
}
