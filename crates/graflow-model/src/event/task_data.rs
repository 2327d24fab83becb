//! `data` of what one task execution tells: its attempts, values, model calls, questions and log lines.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::payload::is_default;
use crate::id::{Channel, EventId, FeedbackId, Key, TaskExecutionId, TaskId};
use crate::state::CauseKind;
use crate::time::Timestamp;

/// A task was handed to the scheduler.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TaskQueued {
    /// The parallel group it is a member of.
    #[serde(skip_serializing_if = "is_default")]
    pub group: Option<TaskId>,
}

/// An attempt began.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TaskStarted {
    /// The parallel group it is a member of.
    #[serde(skip_serializing_if = "is_default")]
    pub group: Option<TaskId>,
    /// The thread it runs on.
    #[serde(skip_serializing_if = "is_default")]
    pub thread: Option<String>,
    /// The worker it runs on.
    #[serde(skip_serializing_if = "is_default")]
    pub worker: Option<String>,
    /// What led here; a join has several.
    #[serde(skip_serializing_if = "is_default")]
    pub causes: Vec<Cause>,
}

/// What led to a task execution. Out of a parallel group the member leads that ended last: the group is one cause,
/// however many members it has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cause {
    /// How.
    pub kind: CauseKind,
    /// Which task execution.
    pub task_execution_id: TaskExecutionId,
}

/// An attempt came to its end.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TaskCompleted {
    /// Bytes of the result.
    #[serde(skip_serializing_if = "is_default")]
    pub result_size: Option<u64>,
    /// The result's type, in the language's own words.
    #[serde(skip_serializing_if = "is_default")]
    pub result_type: Option<String>,
    /// The result's content hash.
    #[serde(skip_serializing_if = "is_default")]
    pub result_hash: Option<String>,
}

/// An attempt failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskFailed {
    /// What went wrong.
    pub error: ErrorInfo,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorInfo {
    /// The error's type, in the language's own words.
    #[serde(rename = "type")]
    pub error_type: String,
    /// The message.
    pub message: String,
    /// The stack, where the language gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
    /// What failures of one cause have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// `task_retried`, `task_skipped` and `task_cancelled`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TaskEnded {
    /// Why, in words.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: Option<String>,
    /// Microseconds until the next attempt.
    #[serde(skip_serializing_if = "is_default")]
    pub delay_us: Option<u64>,
}

/// A value was written; the event's id names the version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DataWritten {
    /// The channel.
    pub channel: Channel,
    /// The key.
    pub key: Key,
    /// The producer's own count; the fold gives the one that people see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The type, in the language's own words.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub value_type: Option<String>,
    /// Content hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The value, or its beginning, by the value policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Value>,
    /// Whether the engine wrote it (a result, a copy into a branch), not the task's own code.
    #[serde(default, skip_serializing_if = "is_default")]
    pub system: bool,
    /// Whether the key was deleted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deleted: bool,
    /// How it was written, where that is not a plain `set`: `append`, `prepend`, `atomic_add`. Such a write
    /// builds on the one before, which therefore is not lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

/// A value was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DataRead {
    /// The channel.
    pub channel: Channel,
    /// The key.
    pub key: Key,
    /// The producer's own count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Content hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// The parameter that the engine filled with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_parameter: Option<String>,
    /// The write that it saw, where the reading process knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_event_id: Option<EventId>,
    /// Whether nothing was there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub missing: bool,
}

/// A model was called.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct LlmCalled {
    /// The model, as its provider names it.
    #[serde(skip_serializing_if = "is_default")]
    pub model: Option<String>,
    /// Microseconds it took.
    #[serde(skip_serializing_if = "is_default")]
    pub duration_us: Option<u64>,
    /// Tokens read.
    #[serde(skip_serializing_if = "is_default")]
    pub input_tokens: Option<u64>,
    /// Tokens written.
    #[serde(skip_serializing_if = "is_default")]
    pub output_tokens: Option<u64>,
    /// What it cost, where the library says so.
    #[serde(skip_serializing_if = "is_default")]
    pub cost_usd: Option<f64>,
    /// The tools it called.
    #[serde(skip_serializing_if = "is_default")]
    pub tools: Vec<String>,
    /// Why there was no answer.
    #[serde(skip_serializing_if = "is_default")]
    pub error: Option<ErrorInfo>,
    /// What was asked, by the value policy.
    #[serde(skip_serializing_if = "is_default")]
    pub prompt: Option<Value>,
    /// What was answered, by the value policy.
    #[serde(skip_serializing_if = "is_default")]
    pub completion: Option<Value>,
}

/// A person is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Waiting {
    /// Names the question.
    pub feedback_id: FeedbackId,
    /// What kind of answer: approval, text, choice, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// What there is to choose from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Where to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_url: Option<String>,
    /// The checkpoint that the run goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
}

/// The question is no longer open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WaitingEnded {
    /// Names the question.
    pub feedback_id: FeedbackId,
    /// Microseconds it was open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_us: Option<u64>,
}

/// A log line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Log {
    /// `trace`, `debug`, `info`, `warning`, `error`, or the language's own word.
    pub level: String,
    /// Who logs: a module, a target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// The line.
    pub message: String,
    /// The source file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The source line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Structured fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<BTreeMap<String, Value>>,
    /// How many lines of this task execution were cut here, by the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<u64>,
}
