//! Small numbers for names, and back.

use std::collections::HashMap;
use std::hash::Hash;

use graflow_model::{Project, TaskId, WorkflowName};
use rusqlite::{Connection, OptionalExtension};

use super::error::Result;

/// Names kept in memory of each kind; forgotten all at once when there are more.
const KEPT: usize = 50_000;

/// The numbers given to names, for the one connection that gives them.
#[derive(Debug, Default)]
pub(crate) struct Names {
    projects: HashMap<Project, i64>,
    workflows: HashMap<(i64, WorkflowName), i64>,
    tasks: HashMap<(i64, TaskId), i64>,
}

impl Names {
    /// Forgets everything, because numbers may have been taken back by a transaction that failed.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn project(&mut self, connection: &Connection, project: &Project) -> Result<i64> {
        number(&mut self.projects, project, || {
            let found = find_project(connection, project)?;
            found.map_or_else(
                || insert(connection, "INSERT INTO project (name) VALUES (?)", (project.as_str(),)),
                Ok,
            )
        })
    }

    pub(crate) fn workflow(
        &mut self,
        connection: &Connection,
        project: i64,
        workflow: &WorkflowName,
    ) -> Result<i64> {
        number(&mut self.workflows, &(project, workflow.clone()), || {
            let found = find_workflow(connection, project, workflow)?;
            found.map_or_else(
                || {
                    let sql = "INSERT INTO workflow (project, name) VALUES (?, ?)";
                    insert(connection, sql, (project, workflow.as_str()))
                },
                Ok,
            )
        })
    }

    /// The number of a task of a workflow.
    pub(crate) fn task(
        &mut self,
        connection: &Connection,
        project: i64,
        workflow: i64,
        task: &TaskId,
    ) -> Result<i64> {
        number(&mut self.tasks, &(workflow, task.clone()), || {
            let found: Option<i64> = connection
                .prepare_cached("SELECT id FROM task WHERE project = ? AND name = ? AND workflow = ?")?
                .query_row((project, task.as_str(), workflow), |row| row.get(0))
                .optional()?;
            found.map_or_else(
                || {
                    let sql = "INSERT INTO task (project, name, workflow) VALUES (?, ?, ?)";
                    insert(connection, sql, (project, task.as_str(), workflow))
                },
                Ok,
            )
        })
    }
}

pub(crate) fn find_project(connection: &Connection, project: &Project) -> Result<Option<i64>> {
    Ok(connection
        .prepare_cached("SELECT id FROM project WHERE name = ?")?
        .query_row((project.as_str(),), |row| row.get(0))
        .optional()?)
}

pub(crate) fn find_workflow(
    connection: &Connection,
    project: i64,
    workflow: &WorkflowName,
) -> Result<Option<i64>> {
    Ok(connection
        .prepare_cached("SELECT id FROM workflow WHERE project = ? AND name = ?")?
        .query_row((project, workflow.as_str()), |row| row.get(0))
        .optional()?)
}

fn number<K: Clone + Eq + Hash>(
    known: &mut HashMap<K, i64>,
    key: &K,
    find_or_insert: impl FnOnce() -> Result<i64>,
) -> Result<i64> {
    if let Some(number) = known.get(key) {
        return Ok(*number);
    }
    let number = find_or_insert()?;
    if known.len() >= KEPT {
        known.clear();
    }
    known.insert(key.clone(), number);
    Ok(number)
}

fn insert(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<i64> {
    connection.prepare_cached(sql)?.execute(parameters)?;
    Ok(connection.last_insert_rowid())
}
