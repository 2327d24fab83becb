use std::borrow::Cow;

use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::manager::At;
use graflow_model::{ExecutionId, Project};
use graflow_wire::{ErrorBody, Graph};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::ReadErrors;
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Name, Parameters};
use crate::state::Api;

/// A moment, as a parameter.
pub(crate) struct Moment(pub(crate) At);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct GraphParameters {
    /// As it stood: digits are a sequence number, everything else an RFC 3339 time by the producers' clocks.
    #[param(value_type = Option<String>, example = "2026-11-23T12:00:00Z")]
    at: Option<Moment>,
}

/// The task graph of an execution, as it stands or stood
#[utoipa::path(
    get,
    path = "/api/executions/{id}/graph",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), GraphParameters),
    responses(
        (status = 200, description = "The graph.", body = Graph),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_execution_graph(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<GraphParameters>,
) -> Result<Json<Graph>, ApiError> {
    graph_of(&api, project, id.into(), parameters.at.map(|moment| moment.0)).await
}

pub(super) async fn graph_of(
    api: &Api,
    project: Project,
    id: ExecutionId,
    at: Option<At>,
) -> Result<Json<Graph>, ApiError> {
    let asked = id.clone();
    let found = api.read(move |manager| manager.graph(&project, &asked, at)).await?;
    let graph = found.value.ok_or_else(ApiError::execution_not_found)?;
    Ok(Json(convert::graph(graph, id, found.as_of_seq)))
}
