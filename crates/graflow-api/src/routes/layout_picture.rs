use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use graflow_model::{ExecutionId, Project};
use graflow_wire::ErrorBody;
use serde::Deserialize;
use utoipa::IntoParams;

use super::ReadErrors;
use super::layout::Ids;
use crate::error::ApiError;
use crate::extract::{Name, Parameters};
use crate::layouts::{Folding, svg};
use crate::state::{Api, blocking};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LayoutPictureParameters {
    /// Groups to draw as one card, as for `/layout`.
    #[param(value_type = Option<String>)]
    collapsed: Option<Ids>,
    /// Groups to draw as a frame around their members, as for `/layout`.
    #[param(value_type = Option<String>)]
    expanded: Option<Ids>,
}

/// The graph of an execution as a picture, for notebooks and documents
///
/// One SVG file that needs nothing else; light or dark as the reader's system is.
#[utoipa::path(
    get,
    path = "/api/executions/{id}/layout.svg",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), LayoutPictureParameters),
    responses(
        (status = 200, description = "The picture.", body = String, content_type = "image/svg+xml"),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_layout_picture(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<LayoutPictureParameters>,
) -> Result<Response, ApiError> {
    let id = ExecutionId::from(id);
    let (run, graph) = api
        .read(move |manager| Ok((manager.execution(&project, &id)?, manager.graph(&project, &id, None)?)))
        .await?;
    let (Some(run), Some(graph)) = (run.value, graph.value) else {
        return Err(ApiError::execution_not_found());
    };
    let folding = Folding {
        collapsed: parameters.collapsed.unwrap_or_default().0,
        expanded: parameters.expanded.unwrap_or_default().0,
    };
    let run = run.row;
    let title = format!("{} {}: {}", run.workflow_name, run.execution_id, run.status);
    let picture = blocking(move || svg(&graph, &folding, &title)).await?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml; charset=utf-8")], picture).into_response())
}
