use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::MetricsQuery;
use graflow_model::{Project, TaskId, Timestamp, WorkflowName};
use graflow_wire::MetricsSummary;
use serde::Deserialize;
use utoipa::IntoParams;

use super::ReadErrors;
use crate::convert;
use crate::error::ApiError;
use crate::extract::Parameters;
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MetricsSummaryParameters {
    /// Of this workflow.
    workflow_name: Option<WorkflowName>,
    /// Of this task.
    task_id: Option<TaskId>,
    /// Started at or after.
    from: Option<Timestamp>,
    /// Started before.
    until: Option<Timestamp>,
}

/// Counts and durations over all executions, or some
#[utoipa::path(
    get,
    path = "/api/metrics/summary",
    tag = "metrics",
    params(MetricsSummaryParameters),
    responses((status = 200, description = "The summary.", body = MetricsSummary), ReadErrors)
)]
pub(crate) async fn get_metrics_summary(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Parameters(parameters): Parameters<MetricsSummaryParameters>,
) -> Result<Json<MetricsSummary>, ApiError> {
    let query = MetricsQuery {
        workflow_name: parameters.workflow_name,
        task_id: parameters.task_id,
        from: parameters.from,
        until: parameters.until,
    };
    let found = api.read(move |manager| manager.metrics(&project, &query)).await?;
    let (metrics, tasks) = (&found.value, &found.value.tasks);
    Ok(Json(MetricsSummary {
        total_executions: metrics.total_executions,
        total_tasks: tasks.total_tasks,
        completed_tasks: tasks.completed_tasks,
        failed_tasks: tasks.failed_tasks,
        success_rate: rate(tasks.completed_tasks, tasks.total_tasks),
        average_task_duration: tasks.mean_us.map_or(0.0, |micros| micros / 1e6),
        retried_tasks: tasks.retried_tasks,
        executions_by_status: metrics.by_status.iter().copied().filter(|(_, count)| *count > 0).collect(),
        task_duration: convert::durations(tasks),
        llm: metrics.llm.into(),
        as_of_seq: found.as_of_seq,
    }))
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
