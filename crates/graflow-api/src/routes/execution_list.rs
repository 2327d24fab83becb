use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::{Cursor, ExecutionFilter, ExecutionQuery};
use graflow_model::{ExecutionStatus, Project, Timestamp, WorkflowName};
use graflow_wire::ExecutionList;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ReadErrors, next_cursor};
use crate::convert;
use crate::error::ApiError;
use crate::extract::{LabelledParameters, Limit, Words};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExecutionListParameters {
    /// Of this workflow.
    workflow_name: Option<WorkflowName>,
    /// In one of these states, with commas between.
    #[param(value_type = Option<String>, example = "failed,lost")]
    status: Option<Words<ExecutionStatus>>,
    /// Ids that begin so.
    id_prefix: Option<String>,
    /// Started at or after.
    started_after: Option<Timestamp>,
    /// Started before.
    started_before: Option<Timestamp>,
    /// Took at least so many seconds.
    duration_min: Option<f64>,
    /// Took at most so many seconds.
    duration_max: Option<f64>,
    /// Of this trace.
    trace_id: Option<String>,
    /// With a failure of this fingerprint.
    fingerprint: Option<String>,
    /// A text in id, workflow name, error or labels; upper and lower case alike.
    q: Option<String>,
    /// Rows of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Executions, newest first
///
/// Everything that is said must hold. `label.NAME=VALUE` may be said any number of times.
#[utoipa::path(
    get,
    path = "/api/executions",
    tag = "executions",
    params(ExecutionListParameters),
    responses((status = 200, description = "A page of executions.", body = ExecutionList), ReadErrors)
)]
pub(crate) async fn list_executions(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    LabelledParameters(parameters, labels): LabelledParameters<ExecutionListParameters>,
) -> Result<Json<ExecutionList>, ApiError> {
    let query = ExecutionQuery {
        filter: ExecutionFilter {
            id_prefix: parameters.id_prefix,
            workflow_name: parameters.workflow_name,
            status: parameters.status.unwrap_or_default().0,
            started_after: parameters.started_after,
            started_before: parameters.started_before,
            duration_min_us: micros("duration_min", parameters.duration_min)?,
            duration_max_us: micros("duration_max", parameters.duration_max)?,
            labels,
            trace_id: parameters.trace_id,
            fingerprint: parameters.fingerprint,
            text: parameters.q,
            ..ExecutionFilter::default()
        },
        limit: parameters.limit.unwrap_or_default().0,
        cursor: parameters.cursor.map(Cursor),
    };
    let found = api.read(move |manager| manager.executions(&project, query)).await?;
    Ok(Json(ExecutionList {
        executions: found.value.rows.into_iter().map(convert::execution).collect(),
        next_cursor: next_cursor(found.value.next),
        as_of_seq: found.as_of_seq,
    }))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
pub(super) fn micros(name: &str, seconds: Option<f64>) -> Result<Option<u64>, ApiError> {
    match seconds {
        None => Ok(None),
        Some(seconds) if (0.0..1e12).contains(&seconds) => Ok(Some((seconds * 1e6).round() as u64)),
        Some(_) => Err(ApiError::bad_request(
            "bad_parameter",
            format!("{name}: expected seconds, 0 or more"),
            "such as 1.5",
        )),
    }
}
