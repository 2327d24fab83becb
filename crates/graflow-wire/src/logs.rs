use std::collections::BTreeMap;

use graflow_model::{Seq, TaskExecutionId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `GET /api/executions/{id}/logs`
///
/// A page may hold fewer lines than asked for, or none, and still name a next one: lines below the level asked
/// for are passed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Logs {
    /// Lines, by number.
    pub logs: Vec<LogLine>,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// A log line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// The number of its event.
    pub seq: Seq,
    /// When it was written.
    pub time: Timestamp,
    /// `trace`, `debug`, `info`, `warning`, `error`, or the language's own word.
    pub level: String,
    /// The line.
    pub message: String,
    /// The task that wrote it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_id: Option<TaskId>,
    /// The attempt that wrote it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_execution_id: Option<TaskExecutionId>,
    /// Who logs: a module, a target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
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
