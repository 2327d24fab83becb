use graflow_model::row;
use graflow_model::{ExecutionId, Seq, TaskExecutionId, TaskId, TaskStatus, Timestamp};
use serde::{Deserialize, Serialize};

use crate::seconds::span_seconds;

/// `GET /api/executions/{id}/timeline`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timeline {
    /// The run.
    pub execution_id: ExecutionId,
    /// When it began.
    pub start_time: Timestamp,
    /// When it ended.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub end_time: Option<Timestamp>,
    /// One bar a task execution, as they were first heard of.
    pub bars: Vec<Bar>,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// A task execution on the time axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bar {
    /// The task execution.
    pub task_execution_id: TaskExecutionId,
    /// Its task.
    pub task_id: TaskId,
    /// The parallel group it is a member of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<TaskId>,
    /// The pass of the loop, from 0.
    pub iteration: u32,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Where it stands.
    pub status: TaskStatus,
    /// Whether it failed and was tried again.
    pub will_retry: bool,
    /// When it was handed to the scheduler.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub queued_time: Option<Timestamp>,
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub end_time: Option<Timestamp>,
    /// Seconds it ran.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub duration: Option<f64>,
    /// The worker it ran on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The thread it ran on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The task executions that led to it.
    pub causes: Vec<TaskExecutionId>,
}

impl From<row::TaskExecutionRow> for Bar {
    fn from(row: row::TaskExecutionRow) -> Self {
        Self {
            task_execution_id: row.task_execution_id,
            task_id: row.task_id,
            group: row.group,
            iteration: row.iteration,
            attempt: row.attempt,
            status: row.status,
            will_retry: row.will_retry,
            queued_time: row.queued_time,
            start_time: row.start_time,
            end_time: row.end_time,
            duration: span_seconds(row.duration.as_ref()),
            worker: row.worker,
            thread: row.thread,
            causes: row.causes.into_iter().map(|cause| cause.task_execution_id).collect(),
        }
    }
}
