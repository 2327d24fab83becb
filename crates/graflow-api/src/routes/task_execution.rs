use axum::extract::State;
use axum::{Extension, Json};
use graflow_model::{Project, TaskExecutionId};
use graflow_wire::{ErrorBody, TaskExecutionDetail};

use super::ReadErrors;
use crate::convert;
use crate::error::ApiError;
use crate::extract::Name;
use crate::state::Api;

/// One task execution in full
#[utoipa::path(
    get,
    path = "/api/task_executions/{id}",
    tag = "tasks",
    params(("id" = String, Path, description = "The task execution's id.")),
    responses(
        (status = 200, description = "The task execution.", body = TaskExecutionDetail),
        (status = 404, description = "There is no such task execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_task_execution(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
) -> Result<Json<TaskExecutionDetail>, ApiError> {
    let id = TaskExecutionId::from(id);
    let found = api.read(move |manager| manager.task_execution(&project, &id)).await?;
    let row = found.value.ok_or_else(|| {
        ApiError::not_found("Task execution", "GET /api/executions/{id}/task_executions lists those of a run")
    })?;
    Ok(Json(TaskExecutionDetail { task_execution: convert::task_execution(row), as_of_seq: found.as_of_seq }))
}
