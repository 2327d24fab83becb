//! What people read: one row a thing, computed from the state of an execution.
//!
//! Durations are whole microseconds here; the wire says them in seconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Cause, Code, ErrorInfo, Parent, Runtime, SourceLocation, Waiting};
use crate::id::{Channel, EventId, ExecutionId, Key, ProducerId, TaskExecutionId, TaskId, WorkflowName};
use crate::state::{EdgeKind, ExecutionStatus, NodeKind, TaskStatus};
use crate::time::Timestamp;

/// Which clock a duration was taken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DurationSource {
    /// The monotonic clock of one machine: exact.
    Mono,
    /// Two wall clocks: as good as they agree.
    Wall,
}

/// How long something took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Microseconds, never negative.
    pub micros: u64,
    /// How they were measured.
    pub source: DurationSource,
}

/// Sums over the model calls of a task execution or a run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct LlmTotals {
    /// Calls.
    pub calls: u64,
    /// Of these, without an answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed_calls: u64,
    /// Calls that say what they cost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priced_calls: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Dollars, over the calls that say what they cost.
    pub cost_usd: f64,
    /// Microseconds.
    pub duration_us: u64,
}

impl LlmTotals {
    /// Counts others in.
    pub fn add(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failed_calls = self.failed_calls.saturating_add(other.failed_calls);
        self.priced_calls = self.priced_calls.saturating_add(other.priced_calls);
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cost_usd += other.cost_usd;
        self.duration_us = self.duration_us.saturating_add(other.duration_us);
    }

    /// Tokens read and written.
    pub fn total_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// The model calls of a run, summed up. The most expensive first, then those of the most tokens.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LlmUse {
    /// Over all of them.
    pub total: LlmTotals,
    /// By task; none for calls outside of any.
    pub tasks: Vec<LlmUseOfTask>,
    /// By model; none where it was not said.
    pub models: Vec<(Option<String>, LlmTotals)>,
}

/// The model calls of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct LlmUseOfTask {
    /// The task.
    pub task_id: Option<TaskId>,
    /// Over all its iterations.
    pub totals: LlmTotals,
    /// By iteration, in their order.
    pub iterations: Vec<(u32, LlmTotals)>,
}

/// A question that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenQuestion {
    /// Since when.
    pub since: Timestamp,
    /// The task that asks.
    pub task_id: Option<TaskId>,
    /// The attempt that asks.
    pub task_execution_id: Option<TaskExecutionId>,
    /// What it asks.
    pub question: Waiting,
}

/// One run of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExecutionRow {
    /// Its id.
    pub execution_id: ExecutionId,
    /// Its workflow; `unknown` until an event names it.
    pub workflow_name: WorkflowName,
    /// When it began: the earliest that any event says.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// Where it stands, without the passage of time: never `lost`.
    pub status: ExecutionStatus,
    /// How long it took.
    pub duration: Option<Span>,
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
    /// Why it ended.
    pub reason: Option<String>,
    /// What went wrong.
    pub error: Option<ErrorInfo>,
    /// The first task execution that failed for good.
    pub failed_task: Option<(TaskId, TaskExecutionId)>,
    /// What people find it by.
    pub labels: BTreeMap<String, String>,
    /// What it was given.
    pub inputs: BTreeMap<String, Value>,
    /// The code that ran.
    pub code: Option<Code>,
    /// What ran it.
    pub runtime: Option<Runtime>,
    /// The task execution that started it.
    pub parent: Option<Parent>,
    /// The run it goes on from.
    pub resumed_from: Option<ExecutionId>,
    /// The producer's session.
    pub session_id: Option<String>,
    /// The trace it belongs to.
    pub trace_id: Option<String>,
    /// The runs that went on from a checkpoint of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed_by: Vec<ExecutionId>,
    /// Sums over its model calls.
    pub llm: LlmTotals,
    /// Questions that are open.
    pub waiting_for: Vec<OpenQuestion>,
    /// The latest time that any event says.
    pub last_event_time: Timestamp,
}

/// One attempt of one iteration of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskExecutionRow {
    /// Its id.
    pub task_execution_id: TaskExecutionId,
    /// Its run.
    pub execution_id: ExecutionId,
    /// Its run's workflow.
    pub workflow_name: WorkflowName,
    /// Its task.
    pub task_id: TaskId,
    /// The declared function of a dynamic task, where it is one.
    pub family: Option<String>,
    /// The pass of the loop, from 0.
    pub iteration: u32,
    /// The attempt, from 1.
    pub attempt: u32,
    /// Where it stands, without the passage of time: never `lost`.
    pub status: TaskStatus,
    /// When it was handed to the scheduler.
    pub queued_time: Option<Timestamp>,
    /// When it began.
    pub start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// How long it ran.
    pub duration: Option<Span>,
    /// How long it was queued before it ran.
    pub queued: Option<Span>,
    /// Bytes of the result.
    pub result_size: Option<u64>,
    /// The result's type.
    pub result_type: Option<String>,
    /// The result's content hash.
    pub result_hash: Option<String>,
    /// What went wrong.
    pub error: Option<ErrorInfo>,
    /// Why it was skipped, cancelled or tried again.
    pub reason: Option<String>,
    /// Whether it failed and was tried again.
    pub will_retry: bool,
    /// The parallel group it is a member of.
    pub group: Option<TaskId>,
    /// The thread it ran on.
    pub thread: Option<String>,
    /// The worker it ran on.
    pub worker: Option<String>,
    /// What led to it.
    pub causes: Vec<Cause>,
    /// The task execution that it runs inside of.
    pub parent_task_execution_id: Option<TaskExecutionId>,
    /// The process that ran it.
    pub producer: Option<ProducerId>,
    /// Values it wrote, the engine's own writes included.
    pub writes: u64,
    /// Values it read.
    pub reads: u64,
    /// Sums over its model calls.
    pub llm: LlmTotals,
}

/// A node of the graph, as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRow {
    /// The task, or the parallel group.
    pub id: TaskId,
    /// The type, in the language's own words.
    pub task_type: Option<String>,
    /// How it came to be.
    pub kind: NodeKind,
    /// Where it stands.
    pub status: TaskStatus,
    /// When it was declared, or first seen.
    pub created_at: Timestamp,
    /// The attempt that runs now.
    pub current_execution: Option<TaskExecutionId>,
    /// How long the latest attempt took.
    pub last_duration: Option<Span>,
    /// What went wrong in the latest attempt.
    pub error: Option<ErrorInfo>,
    /// The parallel group it is a member of.
    pub group: Option<TaskId>,
    /// Of a group: its members.
    pub members: Vec<TaskId>,
    /// The declared function of a dynamic task.
    pub family: Option<String>,
    /// The engine's own name for it.
    pub native_id: Option<String>,
    /// Where its code stands.
    pub source: Option<SourceLocation>,
    /// The first paragraph of its documentation.
    pub doc: Option<String>,
    /// Task executions, all attempts counted.
    pub executions: u64,
    /// How many passes of a loop it made: greatest iteration + 1, or 0 when it never ran.
    pub iterations: u32,
    /// Attempts by where they stand.
    pub by_status: BTreeMap<TaskStatus, u64>,
    /// Attempts that were tried again.
    pub retried: u64,
    /// Whether its executions and values are told of.
    pub track_lineage: bool,
}

/// An edge of the graph, as it was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EdgeRow {
    /// Where it leaves.
    pub source: TaskId,
    /// Where it arrives.
    pub target: TaskId,
    /// How it came to be.
    pub kind: EdgeKind,
    /// Times it was taken; 0 = declared only.
    pub count: u64,
    /// Times it was taken, by how.
    pub taken: Taken,
}

/// Times an edge was taken, by how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Taken {
    /// As the way to the next task.
    pub successor: u64,
    /// By a task that was added while running.
    pub dynamic: u64,
    /// From one pass of a loop to the next.
    pub iteration: u64,
    /// By a jump.
    pub jump: u64,
}

/// The task graph, as it stands.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Graph {
    /// In the order of their declaration, then of their ids.
    pub nodes: Vec<NodeRow>,
    /// Ordered by source and target.
    pub edges: Vec<EdgeRow>,
}

/// One version of a value: one write of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WriteRow {
    /// The event that names it.
    pub event_id: EventId,
    /// The channel.
    pub channel: Channel,
    /// The key.
    pub key: Key,
    /// From 1, in the order (time, producer, `producer_seq`, event id).
    pub version: u64,
    /// The task that wrote it; none for an input.
    pub task_id: Option<TaskId>,
    /// The attempt that wrote it.
    pub task_execution_id: Option<TaskExecutionId>,
    /// When.
    pub time: Timestamp,
    /// Bytes.
    pub size: Option<u64>,
    /// The type.
    pub value_type: Option<String>,
    /// Content hash.
    pub hash: Option<String>,
    /// The value, or its beginning.
    pub preview: Option<Value>,
    /// Whether the engine wrote it.
    pub system: bool,
    /// Whether the key was deleted.
    pub deleted: bool,
    /// How it was written, where that is not a plain `set`.
    pub operation: Option<String>,
}

/// One read of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadRow {
    /// The event that tells it.
    pub event_id: EventId,
    /// The channel.
    pub channel: Channel,
    /// The key.
    pub key: Key,
    /// The version it saw, where that is known.
    pub version: Option<u64>,
    /// Whether the version was found by its hash, not told by the producer.
    pub inferred: bool,
    /// The write it saw.
    pub write_event_id: Option<EventId>,
    /// The task that read.
    pub task_id: Option<TaskId>,
    /// The attempt that read.
    pub task_execution_id: Option<TaskExecutionId>,
    /// When.
    pub time: Timestamp,
    /// The parameter that the engine filled with it.
    pub resolved_parameter: Option<String>,
    /// Whether nothing was there.
    pub missing: bool,
}

/// Who wrote what, and who read it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DataFlow {
    /// Ordered by channel, key and version.
    pub writes: Vec<WriteRow>,
    /// Ordered by time.
    pub reads: Vec<ReadRow>,
}

/// Rows that an event changed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ChangedRows {
    /// The execution.
    pub execution: Option<ExecutionRow>,
    /// Its task executions.
    pub task_executions: Vec<TaskExecutionRow>,
    /// Nodes of its graph.
    pub nodes: Vec<NodeRow>,
    /// Edges of its graph.
    pub edges: Vec<EdgeRow>,
    /// Nodes that are no longer there: an earlier event said otherwise.
    pub removed_nodes: Vec<TaskId>,
    /// Edges that are no longer there: an earlier event said otherwise.
    pub removed_edges: Vec<(TaskId, TaskId)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
