//! What is recorded: typed values with shared names, no text made, nothing encoded.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use graflow_model::state::CauseKind;
use graflow_model::{EdgeKind, ExecutionId, ExecutionStatus, NodeKind, WorkflowName};

use crate::error::TaskError;
use crate::task::TaskSpec;
use crate::value::Value;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Record {
    /// The execution that it happened in.
    pub execution: Arc<Execution>,
    /// When.
    pub at: Moment,
    /// What.
    pub kind: RecordKind,
}

/// A run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// The workflow's name.
    pub workflow: WorkflowName,
}

/// A point in time, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Microseconds since 1970.
    pub wall_us: i64,
    /// Microseconds of the operating system's monotonic clock.
    pub mono_us: i64,
}

/// One attempt of one iteration of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskExecution {
    /// The node's number, as the [`GraphChange`] gave it.
    pub task: u32,
    /// The number of the task execution, unique in its execution.
    pub number: u32,
    /// The pass of the loop, from 0.
    pub iteration: u32,
    /// The attempt, from 1.
    pub attempt: u32,
}

/// What happened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RecordKind {
    /// An execution began. From here until its end it is open.
    WorkflowStarted(Box<WorkflowStart>),
    /// Nodes and edges were declared or added.
    GraphChanged(Box<GraphChange>),
    /// A task waits for a thread. Tasks that start at once are not recorded as queued.
    TaskQueued(TaskExecution),
    /// An attempt began.
    TaskStarted {
        /// Which.
        task: TaskExecution,
        /// What led here.
        causes: Vec<Cause>,
        /// What its parameters were filled with.
        reads: Vec<Read>,
        /// Whether it was recorded as queued before.
        was_queued: bool,
    },
    /// An attempt came to its end.
    TaskCompleted {
        /// Which.
        task: TaskExecution,
        /// The result; of a pass of a loop, what the next pass gets.
        result: Option<Value>,
    },
    /// An attempt failed.
    TaskFailed {
        /// Which.
        task: TaskExecution,
        /// Why.
        failure: Box<Failure>,
        /// The wait until the next attempt, if there is one.
        retry_after: Option<Duration>,
    },
    /// A task can no longer run.
    TaskSkipped {
        /// Which.
        task: TaskExecution,
        /// Why.
        reason: &'static str,
    },
    /// An attempt was cancelled.
    TaskCancelled {
        /// Which.
        task: TaskExecution,
        /// Why.
        reason: Arc<str>,
    },
    /// A channel key was written, or deleted when there is no value.
    DataWritten {
        /// Who wrote; nobody, for an input.
        task: Option<TaskExecution>,
        /// The key.
        key: &'static str,
        /// The number of the write, unique in its execution.
        write: u64,
        /// The value.
        value: Option<Value>,
        /// How it was written, where it builds on the value before: `append`, `prepend`, `atomic_add`, `update`.
        operation: Option<&'static str>,
    },
    /// A channel key was read by a task's own code.
    DataRead {
        /// Who read.
        task: Option<TaskExecution>,
        /// What.
        read: Read,
    },
    /// A task logged.
    Log {
        /// Who.
        task: TaskExecution,
        /// What.
        line: Box<LogLine>,
    },
    /// A task called a model.
    ModelCalled {
        /// Who.
        task: TaskExecution,
        /// What it used.
        usage: Box<Usage>,
    },
    /// An execution ended; it is no longer open.
    WorkflowEnded(Box<End>),
}

/// How an execution began.
#[derive(Debug, Clone)]
pub struct WorkflowStart {
    /// What it was given.
    pub inputs: Vec<(&'static str, Value)>,
    /// What people find it by.
    pub labels: BTreeMap<String, String>,
    /// The task execution that it runs inside of.
    pub parent: Option<(Arc<Execution>, TaskExecution)>,
}

/// Nodes and edges.
#[derive(Debug, Clone, Default)]
pub struct GraphChange {
    /// New nodes.
    pub nodes: Vec<NodeRecord>,
    /// New edges.
    pub edges: Vec<EdgeRecord>,
}

/// A node.
#[derive(Debug, Clone)]
pub struct NodeRecord {
    /// The number by which records speak of it.
    pub number: u32,
    /// The name.
    pub id: Arc<str>,
    /// How it came to be.
    pub kind: NodeKind,
    /// The number of the group that it is a member of.
    pub group: Option<u32>,
    /// What is known of a task.
    pub(crate) spec: Option<&'static TaskSpec>,
}

/// An edge, between nodes by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeRecord {
    /// Where it leaves.
    pub source: u32,
    /// Where it arrives.
    pub target: u32,
    /// How it came to be.
    pub kind: EdgeKind,
}

/// What led to a task execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// How.
    pub kind: CauseKind,
    /// The number of the task execution that led here.
    pub number: u32,
}

/// A value that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The parameter that was filled with it; none, when a task's own code read it.
    pub parameter: Option<&'static str>,
    /// What was read.
    pub from: ReadFrom,
}

/// Where a value was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadFrom {
    /// The result of a task.
    Result {
        /// The node.
        task: u32,
        /// The number of the task execution that gave it.
        number: u32,
    },
    /// A channel key.
    Key {
        /// Its name.
        key: &'static str,
        /// The number of the write; none when nothing was there.
        write: Option<u64>,
    },
    /// The result of a task that has none.
    NoResult {
        /// The node.
        task: u32,
    },
}

/// Why an attempt failed, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The error's type.
    pub error_type: &'static str,
    /// The message.
    pub message: String,
}

/// A line that a task logged.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogLine {
    /// `trace`, `debug`, `info`, `warning` or `error`.
    pub level: &'static str,
    /// Who logs: a module, a target.
    pub logger: Option<String>,
    /// The line.
    pub message: String,
    /// The source file.
    pub file: Option<String>,
    /// The source line.
    pub line: Option<u32>,
    /// Structured fields.
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// What a call of a model used.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Usage {
    /// The model, as its provider names it.
    pub model: String,
    /// How long the call took.
    pub duration: Duration,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// What it cost, in dollars.
    pub cost_usd: Option<f64>,
    /// The tools it called.
    pub tools: Vec<String>,
}

/// How an execution ended.
#[derive(Debug, Clone)]
pub struct End {
    /// The status.
    pub status: ExecutionStatus,
    /// Why.
    pub reason: Option<String>,
    /// What went wrong.
    pub failure: Option<Failure>,
}

impl Moment {
    /// Reads both clocks.
    pub fn now() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { wall_us: i64::try_from(wall.as_micros()).unwrap_or(i64::MAX), mono_us: mono_us() }
    }
}

#[cfg(unix)]
fn mono_us() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000)
}

/// Elsewhere the clock counts from the process's first look at it; comparable within the process.
#[cfg(not(unix))]
fn mono_us() -> i64 {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let first = FIRST.get_or_init(std::time::Instant::now);
    i64::try_from(first.elapsed().as_micros()).unwrap_or(i64::MAX)
}

impl Failure {
    pub(crate) fn of(error: &TaskError) -> Self {
        Self { error_type: error.type_name(), message: error.words() }
    }
}
