use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::store::{Cursor, EventQuery, StoredEvent};
use graflow_model::event::{EventType, Payload};
use graflow_model::{ExecutionId, Project, TaskExecutionId, TaskId};
use graflow_wire::{ErrorBody, LlmCall, LlmCalls, seconds};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ReadErrors, next_cursor};
use crate::error::ApiError;
use crate::extract::{Limit, Name, Order, Parameters};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LlmCallsParameters {
    /// Of this task.
    task_id: Option<TaskId>,
    /// Of this task execution.
    task_execution_id: Option<TaskExecutionId>,
    /// Which first.
    #[param(inline)]
    order: Option<Order>,
    /// Calls of a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The model calls of an execution, in the order in which they were told
#[utoipa::path(
    get,
    path = "/api/executions/{id}/llm/calls",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), LlmCallsParameters),
    responses(
        (status = 200, description = "A page of calls.", body = LlmCalls),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_llm_calls(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<LlmCallsParameters>,
) -> Result<Json<LlmCalls>, ApiError> {
    let id = ExecutionId::from(id);
    let query = EventQuery {
        execution_id: id.clone(),
        types: vec![EventType::LlmCalled],
        task_execution_id: parameters.task_execution_id,
        task_id: parameters.task_id,
        after: None,
        until: None,
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
    Ok(Json(LlmCalls {
        calls: found.value.rows.into_iter().filter_map(call).collect(),
        next_cursor: next_cursor(found.value.next),
        as_of_seq: found.as_of_seq,
    }))
}

/// None for an event whose data cannot be read; findings tell of those.
fn call(stored: StoredEvent) -> Option<LlmCall> {
    let Ok(Payload::LlmCalled(call)) = stored.event.payload() else { return None };
    let tokens = call.input_tokens.unwrap_or(0).saturating_add(call.output_tokens.unwrap_or(0));
    let is_known = call.input_tokens.is_some() || call.output_tokens.is_some();
    Some(LlmCall {
        seq: stored.seq,
        time: stored.event.time,
        task_id: stored.event.task_id,
        task_execution_id: stored.event.task_execution_id,
        iteration: stored.event.iteration,
        attempt: stored.event.attempt,
        model: call.model,
        duration: call.duration_us.map(seconds),
        input_tokens: call.input_tokens,
        output_tokens: call.output_tokens,
        total_tokens: is_known.then_some(tokens),
        cost_usd: call.cost_usd,
        tools: call.tools,
        prompt: call.prompt,
        completion: call.completion,
        error: call.error,
    })
}
