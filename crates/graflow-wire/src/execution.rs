use std::collections::BTreeMap;

use graflow_model::event::{Code, ErrorInfo, Parent, Runtime, Waiting};
use graflow_model::row::{self, DurationSource};
use graflow_model::{ExecutionId, ExecutionStatus, Seq, TaskExecutionId, TaskId, Timestamp, WorkflowName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::LlmTotals;
use crate::seconds::span_seconds;
use crate::{TaskExecution, TaskReference};

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Execution {
    /// Its id.
    pub execution_id: ExecutionId,
    /// Its workflow; `unknown` until an event names it.
    pub workflow_name: WorkflowName,
    /// When it began.
    pub start_time: Timestamp,
    /// When it ended.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub end_time: Option<Timestamp>,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// Task executions, attempts that were tried again left out.
    pub total_tasks: u64,
    /// Of these, completed.
    pub completed_tasks: u64,
    /// Of these, failed.
    pub failed_tasks: u64,
    /// Of these, running.
    pub running_tasks: u64,
    /// Attempts that were tried again.
    pub retried_tasks: u64,
    /// Seconds it took; none while it is open.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub duration: Option<f64>,
    /// Which clock the duration was taken with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_source: Option<DurationSource>,
    /// Of a lost one: when it turned lost, one minute after the last sign of life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_since: Option<Timestamp>,
    /// Why it ended, such as `max_steps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorInfo>,
    /// The first task execution that failed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_task: Option<TaskReference>,
    /// What people find it by.
    pub labels: BTreeMap<String, String>,
    /// What it was given.
    pub inputs: BTreeMap<String, Value>,
    /// The code that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// The task execution that started it, for nested workflows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
    /// The run that it goes on from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_from: Option<ExecutionId>,
    /// The producer's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The trace it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The runs that went on from a checkpoint of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed_by: Vec<ExecutionId>,
    /// Sums over its model calls.
    pub llm: LlmTotals,
    /// Questions that are open.
    pub waiting_for: Vec<OpenQuestion>,
    /// The latest time that any of its events says.
    pub last_event_time: Timestamp,
}

/// A question that is put to a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OpenQuestion {
    /// Since when.
    pub since: Timestamp,
    /// The task that asks.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_id: Option<TaskId>,
    /// The attempt that asks.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_execution_id: Option<TaskExecutionId>,
    /// What it asks.
    pub question: Waiting,
}

/// `GET /api/executions`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExecutionList {
    /// Newest first.
    pub executions: Vec<Execution>,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// `GET /api/executions/{id}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExecutionDetail {
    /// The run.
    pub execution: Execution,
    /// Its task executions, as they were first heard of.
    pub task_executions: Vec<TaskExecution>,
    /// Pass it as `cursor` for the next page of task executions; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

impl From<row::ExecutionRow> for Execution {
    fn from(row: row::ExecutionRow) -> Self {
        Self {
            execution_id: row.execution_id,
            workflow_name: row.workflow_name,
            start_time: row.start_time,
            end_time: row.end_time,
            status: row.status,
            total_tasks: row.total_tasks,
            completed_tasks: row.completed_tasks,
            failed_tasks: row.failed_tasks,
            running_tasks: row.running_tasks,
            retried_tasks: row.retried_tasks,
            duration: span_seconds(row.duration.as_ref()),
            duration_source: row.duration.map(|span| span.source),
            lost_since: None,
            reason: row.reason,
            error: row.error,
            failed_task: row.failed_task.map(|(task_id, task_execution_id)| TaskReference {
                task_id: Some(task_id),
                task_execution_id: Some(task_execution_id),
            }),
            labels: row.labels,
            inputs: row.inputs,
            code: row.code,
            runtime: row.runtime,
            parent: row.parent,
            resumed_from: row.resumed_from,
            session_id: row.session_id,
            trace_id: row.trace_id,
            resumed_by: row.resumed_by,
            llm: row.llm.into(),
            waiting_for: row.waiting_for.into_iter().map(Into::into).collect(),
            last_event_time: row.last_event_time,
        }
    }
}

impl From<row::OpenQuestion> for OpenQuestion {
    fn from(open: row::OpenQuestion) -> Self {
        Self {
            since: open.since,
            task_id: open.task_id,
            task_execution_id: open.task_execution_id,
            question: open.question,
        }
    }
}
