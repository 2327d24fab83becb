use std::collections::BTreeMap;

use graflow_model::event::{Cause, ErrorInfo};
use graflow_model::row::{self, DurationSource};
use graflow_model::{
    ExecutionId, ProducerId, Seq, TaskExecutionId, TaskId, TaskStatus, Timestamp, WorkflowName,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::seconds::span_seconds;
use crate::{Expected, LlmTotals};

/// One attempt of one iteration of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskExecution {
    /// Its task.
    pub task_id: TaskId,
    /// Its own id, as `task_execution_id` says it too; its run is `workflow_execution_id`.
    pub execution_id: TaskExecutionId,
    /// When it began; none while it is queued, or when it was skipped.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub end_time: Option<Timestamp>,
    /// Where it stands.
    pub status: TaskStatus,
    /// Seconds it ran; none until it has ended.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub duration: Option<f64>,
    /// Bytes of the result.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub result_size: Option<u64>,
    /// What went wrong, in one text.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub error_message: Option<String>,
    /// Where it ran and what came of it, by name: `thread`, `worker`, `producer`, `group`, `result_type`, as far as known.
    pub metadata: BTreeMap<String, Value>,
    /// Its own id.
    pub task_execution_id: TaskExecutionId,
    /// Its run.
    pub workflow_execution_id: ExecutionId,
    /// Its run's workflow.
    pub workflow_name: WorkflowName,
    /// The pass of the loop, from 0.
    pub iteration: u32,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Which clock the duration was taken with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_source: Option<DurationSource>,
    /// Of a lost one: when it turned lost, one minute after the last sign of life of its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_since: Option<Timestamp>,
    /// When it was handed to the scheduler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_time: Option<Timestamp>,
    /// Seconds it was queued before it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_duration: Option<f64>,
    /// The result's type, in the language's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_type: Option<String>,
    /// The result's content hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_hash: Option<String>,
    /// What went wrong, in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// Why it was skipped, cancelled or tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it failed and was tried again.
    pub will_retry: bool,
    /// The parallel group it is a member of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<TaskId>,
    /// The declared function of a dynamic task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The thread it ran on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The worker it ran on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// What led to it; a join has several causes.
    pub causes: Vec<Cause>,
    /// The task execution that it runs inside of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_task_execution_id: Option<TaskExecutionId>,
    /// The process that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producer: Option<ProducerId>,
    /// Values it wrote, the engine's own writes included.
    pub writes: u64,
    /// Values it read.
    pub reads: u64,
    /// Sums over its model calls.
    pub llm: LlmTotals,
}

/// `GET /api/executions/{id}/task_executions`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskExecutions {
    /// As they were first heard of, or newest first when so asked.
    pub task_executions: Vec<TaskExecution>,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// `GET /api/task_executions/{id}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskExecutionDetail {
    /// The task execution.
    pub task_execution: TaskExecution,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// `GET /api/tasks/{task_id}/history`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskHistory {
    /// The task.
    pub task_id: TaskId,
    /// Its executions, newest first.
    pub executions: Vec<TaskExecution>,
    /// What one takes, by up to 50 that completed last.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub expected: Expected,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

impl From<row::TaskExecutionRow> for TaskExecution {
    fn from(row: row::TaskExecutionRow) -> Self {
        let facts = [
            ("thread", row.thread.as_deref()),
            ("worker", row.worker.as_deref()),
            ("producer", row.producer.as_ref().map(ProducerId::as_str)),
            ("group", row.group.as_ref().map(TaskId::as_str)),
            ("result_type", row.result_type.as_deref()),
        ];
        let metadata =
            facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?.into()))).collect();
        Self {
            task_id: row.task_id,
            execution_id: row.task_execution_id.clone(),
            start_time: row.start_time,
            end_time: row.end_time,
            status: row.status,
            duration: span_seconds(row.duration.as_ref()),
            result_size: row.result_size,
            error_message: row.error.as_ref().map(|error| error.message.clone()),
            metadata,
            task_execution_id: row.task_execution_id,
            workflow_execution_id: row.execution_id,
            workflow_name: row.workflow_name,
            iteration: row.iteration,
            attempt: row.attempt,
            duration_source: row.duration.map(|span| span.source),
            lost_since: None,
            queued_time: row.queued_time,
            queued_duration: span_seconds(row.queued.as_ref()),
            result_type: row.result_type,
            result_hash: row.result_hash,
            error: row.error,
            reason: row.reason,
            will_retry: row.will_retry,
            group: row.group,
            family: row.family,
            thread: row.thread,
            worker: row.worker,
            causes: row.causes,
            parent_task_execution_id: row.parent_task_execution_id,
            producer: row.producer,
            writes: row.writes,
            reads: row.reads,
            llm: row.llm.into(),
        }
    }
}
