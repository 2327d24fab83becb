use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::{MetricsQuery, SeriesQuery};
use graflow_model::{Project, TaskId, Timestamp, WorkflowName};
use graflow_wire::{Series, SeriesPoint, seconds};
use serde::Deserialize;
use utoipa::IntoParams;

use super::ReadErrors;
use super::execution_list::micros;
use crate::convert;
use crate::error::ApiError;
use crate::extract::Parameters;
use crate::settings::PAGE_MAX;
use crate::state::Api;

const HOUR_US: u64 = 3_600_000_000;
const DAY_US: i64 = 24 * 3_600_000_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MetricsSeriesParameters {
    /// Of this workflow.
    workflow_name: Option<WorkflowName>,
    /// Of this task.
    task_id: Option<TaskId>,
    /// Started at or after; a day before `until` when not said.
    from: Option<Timestamp>,
    /// Started before; now when not said.
    until: Option<Timestamp>,
    /// Seconds a bucket; an hour when not said. At most 5,000 buckets fit between `from` and `until`.
    #[param(minimum = 1)]
    bucket: Option<f64>,
}

/// Counts and durations over time
#[utoipa::path(
    get,
    path = "/api/metrics/series",
    tag = "metrics",
    params(MetricsSeriesParameters),
    responses((status = 200, description = "The series.", body = Series), ReadErrors)
)]
pub(crate) async fn get_metrics_series(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Parameters(parameters): Parameters<MetricsSeriesParameters>,
) -> Result<Json<Series>, ApiError> {
    let bucket_us = micros("bucket", parameters.bucket)?.unwrap_or(HOUR_US);
    let until = parameters.until.unwrap_or_else(|| api.manager.clock().now());
    let day_before = Timestamp::from_micros(until.as_micros().saturating_sub(DAY_US));
    let from = parameters.from.unwrap_or(day_before);
    let window_us = u64::try_from(until.micros_since(from)).unwrap_or(0);
    if bucket_us < 1_000_000 || window_us / bucket_us > PAGE_MAX as u64 {
        return Err(ApiError::bad_request(
            "bad_parameter",
            format!("bucket: expected at least 1 s, and at most {PAGE_MAX} buckets between from and until"),
            "say a larger bucket, or a shorter window",
        ));
    }
    let metrics = MetricsQuery {
        workflow_name: parameters.workflow_name,
        task_id: parameters.task_id,
        from: Some(from),
        until: Some(until),
    };
    let query = SeriesQuery { metrics, bucket_us };
    let found = api.read(move |manager| manager.store().series(&project, &query)).await?;
    let points = found.value.into_iter().map(|point| SeriesPoint {
        time: point.time,
        executions: point.executions,
        failed_executions: point.failed_executions,
        total_tasks: point.tasks.total_tasks,
        completed_tasks: point.tasks.completed_tasks,
        failed_tasks: point.tasks.failed_tasks,
        retried_tasks: point.tasks.retried_tasks,
        task_duration: convert::durations(&point.tasks),
    });
    Ok(Json(Series { points: points.collect(), bucket: seconds(bucket_us), as_of_seq: found.as_of_seq }))
}
