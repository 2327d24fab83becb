use graflow_model::event::ErrorInfo;
use graflow_model::{ExecutionId, Seq, TaskExecutionId, TaskId, Timestamp, row};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::seconds;

/// Sums over model calls.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LlmTotals {
    /// Calls.
    pub calls: u64,
    /// Of these, without an answer.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub failed_calls: u64,
    /// Calls that say what they cost.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub priced_calls: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Tokens read and written.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub total_tokens: u64,
    /// Dollars, over the calls that say what they cost.
    pub cost_usd: f64,
    /// Seconds spent in them.
    pub duration: f64,
}

/// `GET /api/executions/{id}/llm`
///
/// The most expensive first, then those of the most tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LlmUse {
    /// The run.
    pub execution_id: ExecutionId,
    /// Over all its model calls.
    pub total: LlmTotals,
    /// By task.
    pub tasks: Vec<LlmUseOfTask>,
    /// By model.
    pub models: Vec<LlmUseOfModel>,
    /// Whether there are more tasks, iterations or models than are listed; `total` is of all.
    pub is_cut: bool,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// The model calls of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LlmUseOfTask {
    /// The task; null for calls outside of any.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_id: Option<TaskId>,
    /// Over all its iterations.
    pub llm: LlmTotals,
    /// By iteration, in their order.
    pub iterations: Vec<LlmUseOfIteration>,
}

/// The model calls of one iteration of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LlmUseOfIteration {
    /// Which, from 0.
    pub iteration: u32,
    /// Over its attempts.
    pub llm: LlmTotals,
}

/// The calls of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LlmUseOfModel {
    /// The model, as its provider names it; null where that was not said.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub model: Option<String>,
    /// Over its calls.
    pub llm: LlmTotals,
}

/// `GET /api/executions/{id}/llm/calls`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LlmCalls {
    /// Model calls, by number.
    pub calls: Vec<LlmCall>,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// A model call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LlmCall {
    /// The number of its event.
    pub seq: Seq,
    /// When it had ended.
    pub time: Timestamp,
    /// The task that called.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_id: Option<TaskId>,
    /// The attempt that called.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_execution_id: Option<TaskExecutionId>,
    /// The pass of the loop, from 0.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub iteration: Option<u32>,
    /// The attempt, from 1.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub attempt: Option<u32>,
    /// The model, as its provider names it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub model: Option<String>,
    /// Seconds it took.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub duration: Option<f64>,
    /// Tokens read.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub input_tokens: Option<u64>,
    /// Tokens written.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub output_tokens: Option<u64>,
    /// Tokens read and written; null when neither is known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub total_tokens: Option<u64>,
    /// Dollars, where the library says so.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub cost_usd: Option<f64>,
    /// The tools that the model called.
    pub tools: Vec<String>,
    /// What was asked, as far as the value policy lets it through.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub prompt: Option<Value>,
    /// What was answered, as far as the value policy lets it through.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub completion: Option<Value>,
    /// Why there was no answer.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub error: Option<ErrorInfo>,
}

impl From<row::LlmTotals> for LlmTotals {
    fn from(totals: row::LlmTotals) -> Self {
        Self {
            calls: totals.calls,
            failed_calls: totals.failed_calls,
            priced_calls: totals.priced_calls,
            input_tokens: totals.input_tokens,
            output_tokens: totals.output_tokens,
            total_tokens: totals.total_tokens(),
            cost_usd: totals.cost_usd,
            duration: seconds(totals.duration_us),
        }
    }
}
