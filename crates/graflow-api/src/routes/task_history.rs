use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::analysis::{history, usual};
use graflow_lineage::store::{Cursor, TaskExecutionQuery, TaskOrder};
use graflow_model::{Project, TaskId, TaskStatus, WorkflowName};
use graflow_wire::TaskHistory;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ReadErrors, next_cursor};
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Limit, Name, Parameters, Words};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TaskHistoryParameters {
    /// Only in this workflow.
    workflow_name: Option<WorkflowName>,
    /// In one of these states, with commas between.
    #[param(value_type = Option<String>, example = "failed,lost")]
    status: Option<Words<TaskStatus>>,
    /// Rows of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A task over all executions, newest first
///
/// A task that never ran has an empty history.
#[utoipa::path(
    get,
    path = "/api/tasks/{task_id}/history",
    tag = "tasks",
    params(("task_id" = String, Path, description = "The task's name."), TaskHistoryParameters),
    responses((status = 200, description = "A page of task executions.", body = TaskHistory), ReadErrors)
)]
pub(crate) async fn get_task_history(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(task_id): Name,
    Parameters(parameters): Parameters<TaskHistoryParameters>,
) -> Result<Json<TaskHistory>, ApiError> {
    let task_id = TaskId::from(task_id);
    let query = TaskExecutionQuery {
        execution_id: None,
        task_id: Some(task_id.clone()),
        workflow_name: parameters.workflow_name,
        status: parameters.status.unwrap_or_default().0,
        order: TaskOrder::Newest,
        limit: parameters.limit.unwrap_or_default().0,
        cursor: parameters.cursor.map(Cursor),
    };
    let completed = TaskExecutionQuery {
        status: vec![TaskStatus::Completed],
        limit: history::RUNS,
        cursor: None,
        ..query.clone()
    };
    let (found, completed) = api
        .read(move |manager| {
            let completed = manager.task_executions(&project, completed)?;
            Ok((manager.task_executions(&project, query)?, completed.value.rows))
        })
        .await?;
    let durations: Vec<_> = completed.iter().filter_map(|read| Some(read.row.duration?.micros)).collect();
    Ok(Json(TaskHistory {
        task_id,
        executions: found.value.rows.into_iter().map(convert::task_execution).collect(),
        expected: convert::expected(&usual(&durations)),
        next_cursor: next_cursor(found.value.next),
        as_of_seq: found.as_of_seq,
    }))
}
