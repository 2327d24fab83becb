use axum::extract::State;
use axum::{Extension, Json};
use graflow_model::Project;
use graflow_wire::{Bar, ErrorBody, Timeline};
use serde::Deserialize;
use utoipa::IntoParams;

use super::first_page::execution_with_tasks;
use super::{ReadErrors, next_cursor};
use crate::error::ApiError;
use crate::extract::{Limit, Name, Parameters};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimelineParameters {
    /// Bars of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The task executions of an execution, as bars on a time axis
#[utoipa::path(
    get,
    path = "/api/executions/{id}/timeline",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), TimelineParameters),
    responses(
        (status = 200, description = "A page of bars.", body = Timeline),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_timeline(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<TimelineParameters>,
) -> Result<Json<Timeline>, ApiError> {
    let TimelineParameters { limit, cursor } = parameters;
    let (execution, tasks) = execution_with_tasks(&api, project, id.into(), limit, cursor).await?;
    Ok(Json(Timeline {
        execution_id: execution.row.execution_id,
        start_time: execution.row.start_time,
        end_time: execution.row.end_time,
        bars: tasks.value.rows.into_iter().map(|read| Bar::from(read.row)).collect(),
        next_cursor: next_cursor(tasks.value.next),
        as_of_seq: tasks.as_of_seq,
    }))
}
