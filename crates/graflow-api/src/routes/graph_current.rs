use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::manager::At;
use graflow_lineage::store::ExecutionFilter;
use graflow_model::{ExecutionId, Project, WorkflowName};
use graflow_wire::{ErrorBody, Graph};
use serde::Deserialize;
use utoipa::IntoParams;

use super::ReadErrors;
use super::execution_graph::{Moment, graph_of};
use crate::error::ApiError;
use crate::extract::Parameters;
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct GraphCurrentParameters {
    /// Of this execution, instead of the newest.
    execution_id: Option<ExecutionId>,
    /// Of the newest execution of this workflow.
    workflow_name: Option<WorkflowName>,
    /// As it stood: digits are a sequence number, everything else an RFC 3339 time by the producers' clocks.
    #[param(value_type = Option<String>, example = "2026-11-23T12:00:00Z")]
    at: Option<Moment>,
}

/// The task graph of the newest execution, as it stands or stood
///
/// Nothing has run yet: 200, with empty arrays.
#[utoipa::path(
    get,
    path = "/api/graph/current",
    tag = "graph",
    params(GraphCurrentParameters),
    responses(
        (status = 200, description = "The graph.", body = Graph),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_current_graph(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Parameters(parameters): Parameters<GraphCurrentParameters>,
) -> Result<Json<Graph>, ApiError> {
    let at: Option<At> = parameters.at.map(|moment| moment.0);
    let GraphCurrentParameters { execution_id, workflow_name, .. } = parameters;
    if let Some(id) = execution_id {
        return graph_of(&api, project, id, at).await;
    }
    let filter = ExecutionFilter { workflow_name, ..ExecutionFilter::default() };
    let asked = project.clone();
    let newest = api.read(move |manager| manager.newest_execution(&asked, filter)).await?;
    match newest.value {
        Some(id) => graph_of(&api, project, id, at).await,
        None => Ok(Json(Graph { as_of_seq: newest.as_of_seq, ..Graph::default() })),
    }
}
