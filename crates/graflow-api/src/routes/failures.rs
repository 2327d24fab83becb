use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::analysis::group_failures;
use graflow_lineage::store::ExecutionFilter;
use graflow_model::{Project, Timestamp, WorkflowName};
use graflow_wire::{Failure, Failures};
use serde::Deserialize;
use utoipa::IntoParams;

use super::ReadErrors;
use crate::error::ApiError;
use crate::extract::{Limit, Parameters};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FailuresParameters {
    /// Of this workflow.
    workflow_name: Option<WorkflowName>,
    /// Runs that started at or after.
    from: Option<Timestamp>,
    /// Runs that started before.
    until: Option<Timestamp>,
    /// Groups of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Failed executions, those of one cause together, the newest first
///
/// What is one cause says the error's `fingerprint` where the producer sends one; else its type, its message without
/// numbers and quoted values, and the frames of the user's code nearest to it.
#[utoipa::path(
    get,
    path = "/api/failures",
    tag = "executions",
    params(FailuresParameters),
    responses((status = 200, description = "A page of groups.", body = Failures), ReadErrors)
)]
pub(crate) async fn list_failures(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Parameters(parameters): Parameters<FailuresParameters>,
) -> Result<Json<Failures>, ApiError> {
    // They are computed anew each time and in one order, so a place in it is a cursor.
    let from = match parameters.cursor {
        Some(cursor) => cursor.parse().map_err(|_| ApiError::bad_cursor())?,
        None => 0_usize,
    };
    let end = from.saturating_add(parameters.limit.unwrap_or_default().0);
    let filter = ExecutionFilter {
        workflow_name: parameters.workflow_name,
        started_after: parameters.from,
        started_before: parameters.until,
        ..ExecutionFilter::default()
    };
    let (groups, is_cut, as_of_seq) = api
        .read(move |manager| {
            let found = manager.failed_runs(&project, filter)?;
            Ok((group_failures(&found.value.rows), found.value.is_cut, found.as_of_seq))
        })
        .await?;
    let next_cursor = (groups.len() > end).then(|| end.to_string());
    let page = groups.into_iter().skip(from).take(end - from);
    let failures = page.map(|group| {
        let (task_id, task_execution_id) = group.failed_task.unzip();
        Failure {
            fingerprint: group.fingerprint,
            error_type: group.error_type,
            message: group.message,
            task_id,
            task_execution_id,
            workflow_names: group.workflow_names.into_iter().collect(),
            count: group.count,
            first_seen: group.first_seen,
            last_seen: group.last_seen,
            newest_execution_id: group.newest_execution_id,
        }
    });
    Ok(Json(Failures { failures: failures.collect(), is_cut, next_cursor, as_of_seq }))
}
