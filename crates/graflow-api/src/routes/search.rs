use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::SearchQuery;
use graflow_model::Project;
use graflow_wire::SearchAnswer;
use serde::Deserialize;
use utoipa::IntoParams;

use super::ReadErrors;
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Limit, Parameters};
use crate::state::Api;

/// Results of each kind when nothing is said: what fits on a screen.
const RESULTS: usize = 20;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParameters {
    /// The text.
    #[param(min_length = 1)]
    q: String,
    /// Results of each kind at most; 20 when not said.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
}

/// Executions, workflows and tasks whose id or name holds a text
#[utoipa::path(
    get,
    path = "/api/search",
    tag = "executions",
    params(SearchParameters),
    responses((status = 200, description = "What was found.", body = SearchAnswer), ReadErrors)
)]
pub(crate) async fn search(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Parameters(parameters): Parameters<SearchParameters>,
) -> Result<Json<SearchAnswer>, ApiError> {
    let text = parameters.q.trim().to_owned();
    if text.is_empty() {
        return Err(ApiError::bad_request("bad_parameter", "q: expected a text", "such as q=validate"));
    }
    let query = SearchQuery { text, limit: parameters.limit.map_or(RESULTS, |limit| limit.0) };
    let found = api.read(move |manager| manager.search(&project, &query)).await?;
    let results = found.value.into_iter().map(convert::found).collect();
    Ok(Json(SearchAnswer { results, as_of_seq: found.as_of_seq }))
}
