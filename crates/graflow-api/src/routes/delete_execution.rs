use std::collections::BTreeSet;

use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::ExecutionFilter;
use graflow_model::{ExecutionId, Project};
use graflow_wire::{DeletedAnswer, ErrorBody};

use super::ReadErrors;
use super::delete_executions::deleted;
use crate::error::ApiError;
use crate::extract::Name;
use crate::state::Api;

/// Delete one execution
///
/// Events of it that come later are counted and dropped.
#[utoipa::path(
    delete,
    path = "/api/executions/{id}",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id.")),
    responses(
        (status = 200, description = "It is gone.", body = DeletedAnswer),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        (status = 503, description = "Stopping; try again after `Retry-After`.", body = ErrorBody),
        (status = 507, description = "The disk is full; nothing was deleted.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn delete_execution(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
) -> Result<Json<DeletedAnswer>, ApiError> {
    let ids = BTreeSet::from([ExecutionId::from(id)]);
    let filter = ExecutionFilter { ids: Some(ids), ..ExecutionFilter::default() };
    let gone = api.read(move |manager| manager.delete(&project, filter, false)).await?;
    if gone.executions == 0 {
        return Err(ApiError::execution_not_found());
    }
    Ok(Json(deleted(gone, false)))
}
