use std::collections::BTreeSet;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use graflow_model::{ExecutionId, Project, TaskId};
use graflow_wire::{ErrorBody, Layout};
use serde::{Deserialize, Deserializer};
use utoipa::IntoParams;

use super::ReadErrors;
use crate::error::ApiError;
use crate::extract::{Name, Parameters};
use crate::layouts::{Folding, Stamp, Subject};
use crate::state::{Api, blocking};

/// Ids with commas between; `\,` is a comma in an id.
#[derive(Default)]
pub(crate) struct Ids(pub(crate) BTreeSet<TaskId>);

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (mut ids, mut id) = (BTreeSet::new(), String::new());
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                ',' => {
                    ids.insert(TaskId::from(std::mem::take(&mut id)));
                }
                '\\' => id.extend(characters.next()),
                _ => id.push(character),
            }
        }
        ids.insert(TaskId::from(id));
        ids.retain(|id| !id.as_str().is_empty());
        Ok(Self(ids))
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LayoutParameters {
    /// Groups to draw as one card, by id, with commas between (`\,` is a comma in an id). Of groups that are in neither
    /// list those of more than 12 tasks are.
    #[param(value_type = Option<String>, example = "transform")]
    collapsed: Option<Ids>,
    /// Groups to draw as a frame around their members, in the same way.
    #[param(value_type = Option<String>)]
    expanded: Option<Ids>,
    /// `version` of the answer before, with the same groups: only what changed since then is answered, and what stands
    /// keeps its place as far as it can.
    after: Option<String>,
}

/// Where the nodes of an execution's graph stand, and how its edges run
///
/// Loops are arcs, groups are frames or one card, and 16 or more tasks alike are a group too. Without `after` the graph is laid out
/// as a whole. A version that the server has forgotten is answered as a whole.
#[utoipa::path(
    get,
    path = "/api/executions/{id}/layout",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), LayoutParameters),
    responses(
        (status = 200, description = "The layout, or what changed of it.", body = Layout),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_layout(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<LayoutParameters>,
) -> Result<Response, ApiError> {
    let LayoutParameters { collapsed, expanded, after } = parameters;
    let folding =
        Folding { collapsed: collapsed.unwrap_or_default().0, expanded: expanded.unwrap_or_default().0 };
    let subject = Subject { project, execution_id: ExecutionId::from(id), folding };
    let asked = subject.clone();
    let stamp = api.read(move |manager| Stamp::read(manager, &asked.project, &asked.execution_id)).await?;
    let stamp = stamp.ok_or_else(ApiError::execution_not_found)?;
    if after.is_none()
        && let Some(body) = api.answers.find(&subject, stamp)
    {
        return Ok(answer(body));
    }
    let asked = subject.clone();
    let found = api.read(move |manager| manager.graph(&asked.project, &asked.execution_id, None)).await?;
    let graph = found.value.ok_or_else(ApiError::execution_not_found)?;
    let body = blocking(move || {
        let instance = &api.settings.instance_id;
        let layout = api.layouts.answer(instance, &subject, &graph, found.as_of_seq, after.as_deref());
        let body = serde_json::to_vec(&layout).map(Bytes::from);
        if let (None, Ok(body)) = (&after, &body) {
            api.answers.keep(subject, stamp, body.clone());
        }
        body
    });
    let body = body.await?.map_err(|error| {
        tracing::error!(error = %error, "a layout could not be written");
        ApiError::internal()
    })?;
    Ok(answer(body))
}

fn answer(body: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
