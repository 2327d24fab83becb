use axum::extract::State;
use axum::{Extension, Json};
use graflow_model::{ExecutionId, Project, row};
use graflow_wire::{ErrorBody, LlmUse, LlmUseOfIteration, LlmUseOfModel, LlmUseOfTask};

use super::ReadErrors;
use crate::error::ApiError;
use crate::extract::{Name, Parameters};
use crate::state::Api;

/// Tasks and models that are listed at most.
const MOST_ROWS: usize = 1_000;
/// Iterations that are listed at most, over all tasks.
const MOST_ITERATIONS: usize = 5_000;

/// No parameters: what is not known is refused here as everywhere.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LlmParameters {}

/// The model calls of an execution, summed up by task, iteration and model
#[utoipa::path(
    get,
    path = "/api/executions/{id}/llm",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id.")),
    responses(
        (status = 200, description = "The sums.", body = LlmUse),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_llm_use(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(LlmParameters {}): Parameters<LlmParameters>,
) -> Result<Json<LlmUse>, ApiError> {
    let execution_id = ExecutionId::from(id);
    let id = execution_id.clone();
    let found = api.read(move |manager| manager.llm_use(&project, &id)).await?;
    let row::LlmUse { total, mut tasks, mut models } =
        found.value.ok_or_else(ApiError::execution_not_found)?;
    let mut is_cut = tasks.len() > MOST_ROWS || models.len() > MOST_ROWS;
    tasks.truncate(MOST_ROWS);
    models.truncate(MOST_ROWS);
    let mut room = MOST_ITERATIONS;
    for task in &mut tasks {
        is_cut |= task.iterations.len() > room;
        task.iterations.truncate(room);
        room -= task.iterations.len();
    }
    let models = models.into_iter().map(|(model, totals)| LlmUseOfModel { model, llm: totals.into() });
    Ok(Json(LlmUse {
        execution_id,
        total: total.into(),
        tasks: tasks.into_iter().map(of_task).collect(),
        models: models.collect(),
        is_cut,
        as_of_seq: found.as_of_seq,
    }))
}

fn of_task(task: row::LlmUseOfTask) -> LlmUseOfTask {
    let iterations = task.iterations.into_iter();
    let iterations =
        iterations.map(|(iteration, totals)| LlmUseOfIteration { iteration, llm: totals.into() });
    LlmUseOfTask { task_id: task.task_id, llm: task.totals.into(), iterations: iterations.collect() }
}
