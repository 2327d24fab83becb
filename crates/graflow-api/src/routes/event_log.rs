use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::{Cursor, EventQuery, StoredEvent};
use graflow_model::{EventType, ExecutionId, Project, Seq, TaskExecutionId, TaskId};
use graflow_wire::{ErrorBody, Events, LoggedEvent};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::IntoParams;

use super::{ReadErrors, next_cursor};
use crate::error::ApiError;
use crate::extract::{Limit, Name, Order, Parameters, Words};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventLogParameters {
    /// Of these types, with commas between.
    #[param(value_type = Option<String>, example = "task_failed,task_retried")]
    types: Option<Words<TypeWord>>,
    /// Of this task.
    task_id: Option<TaskId>,
    /// Of this task execution.
    task_execution_id: Option<TaskExecutionId>,
    /// After this number (before it, when newest first).
    after: Option<Seq>,
    /// Up to and with this number.
    until: Option<Seq>,
    /// Which first.
    #[param(inline)]
    order: Option<Order>,
    /// Events of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Any word may be a type: a newer producer's is kept too.
pub(crate) struct TypeWord(EventType);

impl FromStr for TypeWord {
    type Err = Infallible;
    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(Self(word.into()))
    }
}

/// The raw log of an execution, by sequence number
#[utoipa::path(
    get,
    path = "/api/executions/{id}/events",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), EventLogParameters),
    responses(
        (status = 200, description = "A page of events.", body = Events),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_events(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<EventLogParameters>,
) -> Result<Json<Events>, ApiError> {
    let id = ExecutionId::from(id);
    let types = parameters.types.unwrap_or_default().0;
    let query = EventQuery {
        execution_id: id.clone(),
        types: types.into_iter().map(|word| word.0).collect(),
        task_execution_id: parameters.task_execution_id,
        task_id: parameters.task_id,
        after: parameters.after,
        until: parameters.until,
        newest_first: parameters.order == Some(Order::Newest),
        limit: parameters.limit.unwrap_or_default().0,
        cursor: parameters.cursor.map(Cursor),
    };
    let (is_known, found) = api
        .read(move |manager| {
            let found = manager.store().events(&project, &query)?;
            let is_known = !found.value.rows.is_empty() || manager.execution(&project, &id)?.value.is_some();
            Ok((is_known, found))
        })
        .await?;
    if !is_known {
        return Err(ApiError::execution_not_found());
    }
    Ok(Json(Events {
        events: found.value.rows.into_iter().map(logged).collect(),
        next_cursor: next_cursor(found.value.next),
        as_of_seq: found.as_of_seq,
    }))
}

fn logged(stored: StoredEvent) -> LoggedEvent {
    LoggedEvent { seq: stored.seq, received_time: stored.received, event: raw(stored.json) }
}

/// The event's own text; it was JSON when it was taken.
pub(crate) fn raw(json: Box<str>) -> Box<RawValue> {
    RawValue::from_string(json.into()).unwrap_or_else(|error| {
        tracing::error!(error = %error, "a stored event is no JSON any more");
        RawValue::NULL.to_owned()
    })
}
