use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::{Cursor, NameQuery};
use graflow_model::Project;
use graflow_wire::WorkflowList;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ReadErrors, next_cursor};
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Limit, Parameters};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WorkflowListParameters {
    /// Rows of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Workflows by name, each with its counts and newest run
#[utoipa::path(
    get,
    path = "/api/workflows",
    tag = "workflows",
    params(WorkflowListParameters),
    responses((status = 200, description = "A page of workflows.", body = WorkflowList), ReadErrors)
)]
pub(crate) async fn list_workflows(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Parameters(parameters): Parameters<WorkflowListParameters>,
) -> Result<Json<WorkflowList>, ApiError> {
    let query = NameQuery {
        name: None,
        limit: parameters.limit.unwrap_or_default().0,
        cursor: parameters.cursor.map(Cursor),
    };
    let found = api.read(move |manager| manager.workflows(&project, &query)).await?;
    Ok(Json(WorkflowList {
        workflows: found.value.rows.into_iter().map(convert::workflow).collect(),
        next_cursor: next_cursor(found.value.next),
        as_of_seq: found.as_of_seq,
    }))
}
