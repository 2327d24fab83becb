use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::{Cursor, TaskExecutionQuery, TaskOrder};
use graflow_model::{ExecutionId, Project, TaskId, TaskStatus};
use graflow_wire::{ErrorBody, TaskExecutions};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ReadErrors, next_cursor};
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Limit, Name, Order, Parameters, Words};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TaskExecutionsParameters {
    /// Of this task.
    task_id: Option<TaskId>,
    /// In one of these states, with commas between.
    #[param(value_type = Option<String>, example = "failed,lost")]
    status: Option<Words<TaskStatus>>,
    /// Which first.
    #[param(inline)]
    order: Option<Order>,
    /// Rows of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Task executions of an execution
///
/// A page of running or lost ones may be short, and still name a next one.
#[utoipa::path(
    get,
    path = "/api/executions/{id}/task_executions",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), TaskExecutionsParameters),
    responses(
        (status = 200, description = "A page of task executions.", body = TaskExecutions),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn list_task_executions(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<TaskExecutionsParameters>,
) -> Result<Json<TaskExecutions>, ApiError> {
    let id = ExecutionId::from(id);
    let query = TaskExecutionQuery {
        execution_id: Some(id.clone()),
        task_id: parameters.task_id,
        workflow_name: None,
        status: parameters.status.unwrap_or_default().0,
        order: match parameters.order.unwrap_or_default() {
            Order::Oldest => TaskOrder::Oldest,
            Order::Newest => TaskOrder::Newest,
        },
        limit: parameters.limit.unwrap_or_default().0,
        cursor: parameters.cursor.map(Cursor),
    };
    let (is_known, found) = api
        .read(move |manager| {
            let found = manager.task_executions(&project, query)?;
            let is_known = !found.value.rows.is_empty() || manager.execution(&project, &id)?.value.is_some();
            Ok((is_known, found))
        })
        .await?;
    if !is_known {
        return Err(ApiError::execution_not_found());
    }
    Ok(Json(TaskExecutions {
        task_executions: found.value.rows.into_iter().map(convert::task_execution).collect(),
        next_cursor: next_cursor(found.value.next),
        as_of_seq: found.as_of_seq,
    }))
}
