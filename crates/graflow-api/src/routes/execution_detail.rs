use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::{Cursor, TaskExecutionQuery, TaskOrder};
use graflow_model::{ExecutionId, Project};
use graflow_wire::{ErrorBody, ExecutionDetail};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ReadErrors, next_cursor};
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Limit, Name, Parameters};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExecutionDetailParameters {
    /// Task executions of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One execution, with its task executions
#[utoipa::path(
    get,
    path = "/api/executions/{id}",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), ExecutionDetailParameters),
    responses(
        (status = 200, description = "The execution, and a page of its task executions.", body = ExecutionDetail),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_execution(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<ExecutionDetailParameters>,
) -> Result<Json<ExecutionDetail>, ApiError> {
    let id = ExecutionId::from(id);
    let query = TaskExecutionQuery {
        execution_id: Some(id.clone()),
        task_id: None,
        workflow_name: None,
        status: Vec::new(),
        order: TaskOrder::Oldest,
        limit: parameters.limit.unwrap_or_default().0,
        cursor: parameters.cursor.map(Cursor),
    };
    let (execution, tasks) = api
        .read(move |manager| {
            // The tasks first: then the totals are never behind the rows.
            let tasks = manager.task_executions(&project, query)?;
            Ok((manager.execution(&project, &id)?, tasks))
        })
        .await?;
    let row = execution.value.ok_or_else(ApiError::execution_not_found)?;
    Ok(Json(ExecutionDetail {
        execution: convert::execution(row),
        task_executions: tasks.value.rows.into_iter().map(convert::task_execution).collect(),
        next_cursor: next_cursor(tasks.value.next),
        as_of_seq: tasks.as_of_seq.min(execution.as_of_seq),
    }))
}
