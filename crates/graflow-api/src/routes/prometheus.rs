use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use graflow_model::Project;

use super::ReadErrors;
use crate::error::ApiError;
use crate::prometheus;
use crate::state::Api;

/// Metrics for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "server",
    responses(
        (status = 200, description = "In Prometheus' text format.", body = String, content_type = "text/plain"),
        ReadErrors,
    )
)]
pub(crate) async fn get_prometheus_metrics(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
) -> Result<Response, ApiError> {
    let text = api.read(move |manager| prometheus::render(manager, &project)).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
