use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::{Deleted, ExecutionFilter};
use graflow_model::Project;
use graflow_wire::{DeleteRequest, DeletedAnswer, ErrorBody};

use super::ReadErrors;
use crate::error::ApiError;
use crate::extract::JsonBody;
use crate::state::Api;

/// Delete executions by filter, or say what would be deleted
///
/// Everything that is said must hold. Every execution goes only when `all` says so, alone.
#[utoipa::path(
    post,
    path = "/api/executions/delete",
    tag = "executions",
    request_body = DeleteRequest,
    responses(
        (status = 200, description = "What is gone, or would be.", body = DeletedAnswer),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 503, description = "Stopping; try again after `Retry-After`.", body = ErrorBody),
        (status = 507, description = "The disk is full; nothing was deleted.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn delete_executions(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    JsonBody(request): JsonBody<DeleteRequest>,
) -> Result<Json<DeletedAnswer>, ApiError> {
    let dry_run = request.dry_run;
    let filter = filter(request)?;
    let gone = api.read(move |manager| manager.delete(&project, filter, dry_run)).await?;
    Ok(Json(deleted(gone, dry_run)))
}

fn filter(request: DeleteRequest) -> Result<ExecutionFilter, ApiError> {
    let all = request.all;
    let filter = ExecutionFilter {
        ids: request.execution_ids.map(|ids| ids.into_iter().collect()),
        workflow_name: request.workflow_name,
        status: request.status,
        started_after: request.started_after,
        started_before: request.started_before,
        labels: request.labels.into_iter().collect(),
        ..ExecutionFilter::default()
    };
    match (filter == ExecutionFilter::default(), all) {
        (true, false) => Err(ApiError::bad_request(
            "no_filter",
            "nothing says which executions",
            r#"name a filter; {"all": true} deletes every execution, and "dry_run" says what would go"#,
        )),
        (false, true) => Err(ApiError::bad_request(
            "all_and_filter",
            "`all` and a filter contradict each other",
            "say one of the two",
        )),
        _ => Ok(filter),
    }
}

pub(super) fn deleted(gone: Deleted, dry_run: bool) -> DeletedAnswer {
    DeletedAnswer {
        dry_run,
        executions: gone.executions,
        task_executions: gone.task_executions,
        events: gone.events,
        execution_ids: gone.execution_ids,
    }
}
