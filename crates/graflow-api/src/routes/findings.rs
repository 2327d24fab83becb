use axum::extract::State;
use axum::{Extension, Json};
use graflow_model::{ExecutionId, Project};
use graflow_wire::{ErrorBody, Findings};
use serde::Deserialize;
use utoipa::IntoParams;

use super::ReadErrors;
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Limit, Name, Parameters};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FindingsParameters {
    /// Findings of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What people should know about an execution, each with its evidence
///
/// What explains most comes first; a clean run has none.
#[utoipa::path(
    get,
    path = "/api/executions/{id}/findings",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), FindingsParameters),
    responses(
        (status = 200, description = "A page of findings.", body = Findings),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_findings(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<FindingsParameters>,
) -> Result<Json<Findings>, ApiError> {
    let id = ExecutionId::from(id);
    let asked = id.clone();
    let found = api.read(move |manager| manager.findings(&project, &asked)).await?;
    let all = found.value.ok_or_else(ApiError::execution_not_found)?;
    let limit = parameters.limit.unwrap_or_default().0;
    // They are computed anew each time and in one order, so a place in it is a cursor.
    let from = match parameters.cursor {
        Some(cursor) => cursor.parse().map_err(|_| ApiError::bad_cursor())?,
        None => 0_usize,
    };
    let end = from.saturating_add(limit);
    let next_cursor = (all.len() > end).then(|| end.to_string());
    let findings = all.into_iter().skip(from).take(limit).map(convert::finding).collect();
    Ok(Json(Findings { execution_id: id, findings, next_cursor, as_of_seq: found.as_of_seq }))
}
