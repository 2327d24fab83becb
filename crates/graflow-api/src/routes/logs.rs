use axum::extract::State;
use axum::{Extension, Json};
use graflow_lineage::manager::LogQuery;
use graflow_lineage::store::Cursor;
use graflow_model::{ExecutionId, Project, Seq, TaskExecutionId, TaskId};
use graflow_wire::{ErrorBody, Logs};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ReadErrors, next_cursor};
use crate::convert;
use crate::error::ApiError;
use crate::extract::{Limit, Name, Order, Parameters};
use crate::state::Api;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogsParameters {
    /// Of this task.
    task_id: Option<TaskId>,
    /// Of this task execution.
    task_execution_id: Option<TaskExecutionId>,
    /// At least so bad.
    #[param(inline)]
    level: Option<Level>,
    /// After this number (before it, when newest first).
    after: Option<Seq>,
    /// Which first.
    #[param(inline)]
    order: Option<Order>,
    /// Lines that are looked through for a page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 5000)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// How bad a line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// Every step.
    Trace,
    /// What helps to find faults.
    Debug,
    /// What is worth knowing.
    Info,
    /// What may be wrong.
    Warning,
    /// What is wrong.
    Error,
}

impl Level {
    /// The level behind a language's own word; a word that nobody knows counts as info.
    fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "trace" => Self::Trace,
            "debug" => Self::Debug,
            "warning" | "warn" => Self::Warning,
            "error" | "critical" | "fatal" => Self::Error,
            _ => Self::Info,
        }
    }
}

/// Log lines of an execution
///
/// A page may hold fewer lines than asked for, or none, and still name a next one.
#[utoipa::path(
    get,
    path = "/api/executions/{id}/logs",
    tag = "executions",
    params(("id" = String, Path, description = "The execution's id."), LogsParameters),
    responses(
        (status = 200, description = "A page of lines.", body = Logs),
        (status = 404, description = "There is no such execution.", body = ErrorBody),
        ReadErrors,
    )
)]
pub(crate) async fn get_logs(
    State(api): State<Api>,
    Extension(project): Extension<Project>,
    Name(id): Name,
    Parameters(parameters): Parameters<LogsParameters>,
) -> Result<Json<Logs>, ApiError> {
    let id = ExecutionId::from(id);
    let query = LogQuery {
        execution_id: id.clone(),
        task_id: parameters.task_id,
        task_execution_id: parameters.task_execution_id,
        after: parameters.after,
        newest_first: parameters.order == Some(Order::Newest),
        limit: parameters.limit.unwrap_or_default().0,
        cursor: parameters.cursor.map(Cursor),
    };
    let (is_known, found) = api
        .read(move |manager| {
            let found = manager.logs(&project, query)?;
            let is_known = !found.value.rows.is_empty() || manager.execution(&project, &id)?.value.is_some();
            Ok((is_known, found))
        })
        .await?;
    if !is_known {
        return Err(ApiError::execution_not_found());
    }
    let lines = found.value.rows.into_iter();
    let lines = lines.filter(|line| parameters.level.is_none_or(|least| Level::of(&line.log.level) >= least));
    Ok(Json(Logs {
        logs: lines.map(convert::log_line).collect(),
        next_cursor: next_cursor(found.value.next),
        as_of_seq: found.as_of_seq,
    }))
}
