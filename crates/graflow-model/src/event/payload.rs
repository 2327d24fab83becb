//! The `data` of each type of event. Fields that are not known are passed over here; the event keeps them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Event, EventError, EventErrorCode, EventType};
use crate::id::{Channel, EventId, ExecutionId, FeedbackId, Key, TaskExecutionId, TaskId};
use crate::state::{CauseKind, EdgeKind, NodeKind};
use crate::time::Timestamp;

/// The `data` of an event, read by its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// `workflow_started`
    WorkflowStarted(Box<WorkflowStarted>),
    /// `workflow_completed`, `workflow_failed`, `workflow_cancelled`, `workflow_terminated`
    WorkflowEnded(WorkflowEnded),
    /// `graph_changed`
    GraphChanged(GraphChanged),
    /// `task_queued`
    TaskQueued(TaskQueued),
    /// `task_started`
    TaskStarted(TaskStarted),
    /// `task_completed`
    TaskCompleted(TaskCompleted),
    /// `task_failed`
    TaskFailed(TaskFailed),
    /// `task_retried`, `task_skipped`, `task_cancelled`
    TaskEnded(TaskEnded),
    /// `data_written`
    DataWritten(DataWritten),
    /// `data_read`
    DataRead(DataRead),
    /// `waiting`
    Waiting(Waiting),
    /// `waiting_ended`
    WaitingEnded(WaitingEnded),
    /// `log`
    Log(Log),
    /// `llm_called`
    LlmCalled(Box<LlmCalled>),
    /// `heartbeat`
    Heartbeat(Heartbeat),
    /// `note`, and every type that this version does not know.
    Opaque,
}

impl Event {
    /// Reads `data` by the event's type.
    ///
    /// # Errors
    /// `invalid_data`, naming the field, when `data` is not what the type asks for.
    pub fn payload(&self) -> Result<Payload, EventError> {
        fn read<'a, T: Deserialize<'a>>(event: &'a Event) -> Result<T, EventError> {
            serde_json::from_str(event.data.get()).map_err(|error| {
                EventError::new(EventErrorCode::InvalidData, format!("data of {}: {error}", event.event_type))
            })
        }
        Ok(match self.event_type {
            EventType::WorkflowStarted => Payload::WorkflowStarted(Box::new(read(self)?)),
            EventType::WorkflowCompleted
            | EventType::WorkflowFailed
            | EventType::WorkflowCancelled
            | EventType::WorkflowTerminated => Payload::WorkflowEnded(read(self)?),
            EventType::GraphChanged => Payload::GraphChanged(read(self)?),
            EventType::TaskQueued => Payload::TaskQueued(read(self)?),
            EventType::TaskStarted => Payload::TaskStarted(read(self)?),
            EventType::TaskCompleted => Payload::TaskCompleted(read(self)?),
            EventType::TaskFailed => Payload::TaskFailed(read(self)?),
            EventType::TaskRetried | EventType::TaskSkipped | EventType::TaskCancelled => {
                Payload::TaskEnded(read(self)?)
            }
            EventType::DataWritten => Payload::DataWritten(read(self)?),
            EventType::DataRead => Payload::DataRead(read(self)?),
            EventType::Waiting => Payload::Waiting(read(self)?),
            EventType::WaitingEnded => Payload::WaitingEnded(read(self)?),
            EventType::Log => Payload::Log(read(self)?),
            EventType::LlmCalled => Payload::LlmCalled(Box::new(read(self)?)),
            EventType::Heartbeat => Payload::Heartbeat(read(self)?),
            EventType::Note | EventType::Other(_) => Payload::Opaque,
        })
    }
}

impl Event {
    /// How many events a producer had to drop, where this is the note in which it says so.
    pub fn dropped_events(&self) -> Option<u64> {
        #[derive(Deserialize)]
        struct Dropped {
            code: String,
            count: u64,
        }
        if self.event_type != EventType::Note {
            return None;
        }
        // A note may say anything; only this one means something here.
        let dropped: Dropped = serde_json::from_str(self.data.get()).ok()?;
        (dropped.code == EVENTS_DROPPED).then_some(dropped.count)
    }
}

/// The `code` of the note in which a producer says that it had to drop events.
pub const EVENTS_DROPPED: &str = "events_dropped";

/// Declares a struct of `data`: absent optional fields are not written.
macro_rules! data {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(default)]
        pub struct $name {
            $($(#[$field_doc])* #[serde(skip_serializing_if = "is_default")] pub $field: $type,)*
        }
    )*};
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

data! {
    /// How a run began.
    WorkflowStarted {
        /// What it was given, by name.
        inputs: Option<BTreeMap<String, Value>>,
        /// What people find it by.
        labels: BTreeMap<String, String>,
        /// The code that ran.
        code: Option<Code>,
        /// What ran it.
        runtime: Option<Runtime>,
        /// The task execution that started this run, for nested workflows.
        parent: Option<Parent>,
        /// The run whose checkpoint this one goes on from.
        resumed_from: Option<ExecutionId>,
        /// The producer's session.
        session_id: Option<String>,
        /// The trace it belongs to.
        trace_id: Option<String>,
    }
    /// The code that ran.
    Code {
        /// The commit it was at.
        git_commit: Option<String>,
        /// Whether there were changes on top.
        dirty: Option<bool>,
        /// The program or script.
        entry: Option<String>,
    }
    /// What ran it.
    Runtime {
        /// `rust` or `python`.
        language: Option<String>,
        /// The language's version, or the library's.
        version: Option<String>,
        /// The machine.
        host: Option<String>,
        /// The process.
        pid: Option<u32>,
    }
    /// How a run ended.
    WorkflowEnded {
        /// `max_steps` when the limit of task executions cut it; else free words.
        reason: Option<String>,
        /// What went wrong.
        error: Option<ErrorInfo>,
    }
    /// Nodes and edges, declared or added.
    GraphChanged {
        /// The nodes.
        nodes: Vec<NodeDeclaration>,
        /// The edges.
        edges: Vec<EdgeDeclaration>,
    }
    /// A task was handed to the scheduler.
    TaskQueued {
        /// The parallel group it is a member of.
        group: Option<TaskId>,
    }
    /// An attempt began.
    TaskStarted {
        /// The parallel group it is a member of.
        group: Option<TaskId>,
        /// The thread it runs on.
        thread: Option<String>,
        /// The worker it runs on.
        worker: Option<String>,
        /// What led here; a join has several.
        causes: Vec<Cause>,
    }
    /// An attempt came to its end.
    TaskCompleted {
        /// Bytes of the result.
        result_size: Option<u64>,
        /// The result's type, in the language's own words.
        result_type: Option<String>,
        /// The result's content hash.
        result_hash: Option<String>,
    }
    /// `task_retried`, `task_skipped` and `task_cancelled`.
    TaskEnded {
        /// Why, in words.
        reason: Option<String>,
        /// Microseconds until the next attempt.
        delay_us: Option<u64>,
    }
    /// A model was called.
    LlmCalled {
        /// The model, as its provider names it.
        model: Option<String>,
        /// Microseconds it took.
        duration_us: Option<u64>,
        /// Tokens read.
        input_tokens: Option<u64>,
        /// Tokens written.
        output_tokens: Option<u64>,
        /// What it cost, where the library says so.
        cost_usd: Option<f64>,
        /// The tools it called.
        tools: Vec<String>,
        /// What was asked, by the value policy.
        prompt: Option<Value>,
        /// What was answered, by the value policy.
        completion: Option<Value>,
    }
    /// The producer lives, and so do these runs.
    Heartbeat {
        /// The runs it has open.
        executions: Vec<ExecutionId>,
    }
    /// A place in the source.
    SourceLocation {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u32,
    }
}

/// The task execution that started a nested run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Parent {
    /// Its run.
    pub execution_id: ExecutionId,
    /// The attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_execution_id: Option<TaskExecutionId>,
}

/// A node of the task graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NodeDeclaration {
    /// The task, or the parallel group.
    pub id: TaskId,
    /// The type, in the language's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// How it came to be.
    pub kind: NodeKind,
    /// The parallel group it is a member of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<TaskId>,
    /// The declared function of a dynamic task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// The engine's own name for it, where that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_id: Option<String>,
    /// Where its code stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLocation>,
    /// The first paragraph of its documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// Whether its executions and values are told of; they are unless this says `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track_lineage: Option<bool>,
}

impl NodeDeclaration {
    /// A node of which no more is known.
    pub fn new(id: TaskId, kind: NodeKind) -> Self {
        Self {
            id,
            task_type: None,
            kind,
            group: None,
            family: None,
            native_id: None,
            source: None,
            doc: None,
            track_lineage: None,
        }
    }
}

/// An edge of the task graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EdgeDeclaration {
    /// Where it leaves.
    pub source: TaskId,
    /// Where it arrives.
    pub target: TaskId,
    /// How it came to be; static where that is not said.
    #[serde(default)]
    pub kind: EdgeKind,
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
