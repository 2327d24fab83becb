use axum::extract::State;
use axum::{Extension, Json};
use graflow_model::Project;
use graflow_wire::{ErrorBody, ExecutionDetail};
use serde::Deserialize;
use utoipa::IntoParams;

use super::first_page::execution_with_tasks;
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
    let ExecutionDetailParameters { limit, cursor } = parameters;
    let (execution, tasks) = execution_with_tasks(&api, project, id.into(), limit, cursor).await?;
    Ok(Json(ExecutionDetail {
        execution: convert::execution(execution),
        task_executions: tasks.value.rows.into_iter().map(convert::task_execution).collect(),
        next_cursor: next_cursor(tasks.value.next),
        as_of_seq: tasks.as_of_seq,
    }))
}
