//! What the analysis needs from earlier runs.

use graflow_model::row::{ExecutionRow, TaskExecutionRow};
use graflow_model::{ExecutionId, ExecutionStatus, Project, Timestamp, WorkflowName};

use super::profile::RunOfProfile;
use crate::manager::LineageManager;
use crate::store::{AsOf, ExecutionFilter, ExecutionQuery, StoreError, TaskExecutionQuery, TaskOrder};

/// Earlier runs whose durations count.
pub const RUNS: usize = 50;
/// Of these, so many of the newest also say what each task takes.
pub const RUNS_WITH_TASKS: usize = 20;
/// Task executions that are looked at, in one run or over several.
pub const TASK_EXECUTIONS: usize = 50_000;
/// Failed runs that are looked at.
pub const FAILURES: usize = 10_000;
/// Rows read at once.
const PAGE: usize = 5_000;

/// Rows, and whether there were more than are looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether there were more.
    pub is_cut: bool,
}

impl LineageManager {
    /// The newest completed runs of a workflow that began before `until`, newest first, `limit` at most.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn completed_runs(
        &self,
        project: &Project,
        workflow_name: &WorkflowName,
        until: Option<Timestamp>,
        limit: usize,
    ) -> Result<AsOf<Vec<ExecutionRow>>, StoreError> {
        let filter = ExecutionFilter {
            workflow_name: Some(workflow_name.clone()),
            status: vec![ExecutionStatus::Completed],
            started_before: until,
            ..ExecutionFilter::default()
        };
        let found = self.store().executions(project, &ExecutionQuery { filter, limit, cursor: None })?;
        Ok(AsOf { value: found.value.rows, as_of_seq: found.as_of_seq })
    }

    /// The task executions of a run, `limit` at most, as they were first heard of.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn all_task_executions(
        &self,
        project: &Project,
        id: &ExecutionId,
        limit: usize,
    ) -> Result<Cut<TaskExecutionRow>, StoreError> {
        let mut query = TaskExecutionQuery {
            execution_id: Some(id.clone()),
            task_id: None,
            workflow_name: None,
            status: Vec::new(),
            order: TaskOrder::Oldest,
            limit: PAGE,
            cursor: None,
        };
        let mut rows = Vec::new();
        loop {
            let page = self.store().task_executions(project, &query)?.value;
            rows.extend(page.rows);
            let is_full = rows.len() >= limit;
            match page.next {
                Some(next) if !is_full => query.cursor = Some(next),
                next => {
                    let is_cut = next.is_some() || rows.len() > limit;
                    rows.truncate(limit);
                    return Ok(Cut { rows, is_cut });
                }
            }
        }
    }

    /// These runs with their task executions, as many of the first as have no more than [`TASK_EXECUTIONS`] together.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn runs_with_tasks(
        &self,
        project: &Project,
        runs: Vec<ExecutionRow>,
    ) -> Result<Cut<RunOfProfile>, StoreError> {
        let mut left = TASK_EXECUTIONS;
        let mut rows = Vec::with_capacity(runs.len());
        for execution in runs {
            let found = self.all_task_executions(project, &execution.execution_id, left)?;
            if found.is_cut {
                return Ok(Cut { rows, is_cut: true });
            }
            left -= found.rows.len();
            rows.push(RunOfProfile { execution, task_executions: found.rows });
        }
        Ok(Cut { rows, is_cut: false })
    }

    /// The newest failed runs that the filter names, [`FAILURES`] at most.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn failed_runs(
        &self,
        project: &Project,
        filter: ExecutionFilter,
    ) -> Result<AsOf<Cut<ExecutionRow>>, StoreError> {
        let filter = ExecutionFilter { status: vec![ExecutionStatus::Failed], ..filter };
        let mut query = ExecutionQuery { filter, limit: PAGE, cursor: None };
        let mut rows = Vec::new();
        loop {
            let page = self.store().executions(project, &query)?;
            rows.extend(page.value.rows);
            match page.value.next {
                Some(next) if rows.len() < FAILURES => query.cursor = Some(next),
                next => {
                    let is_cut = next.is_some() || rows.len() > FAILURES;
                    rows.truncate(FAILURES);
                    return Ok(AsOf { value: Cut { rows, is_cut }, as_of_seq: page.as_of_seq });
                }
            }
        }
    }
}
