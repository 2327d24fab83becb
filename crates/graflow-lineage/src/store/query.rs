//! Questions that a store answers, and the answers.

use std::collections::BTreeSet;

use graflow_model::row::LlmTotals;
use graflow_model::{
    EventType, ExecutionId, ExecutionStatus, Seq, TaskExecutionId, TaskId, TaskStatus, Timestamp,
    WorkflowName,
};

/// Where the next page begins: opaque, and bound to the query it came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(pub String);

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where it goes on; none at the end.
    pub next: Option<Cursor>,
}

/// Which executions. Everything that is said must hold; lists hold when one of them does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExecutionFilter {
    /// These, by id.
    pub ids: Option<BTreeSet<ExecutionId>>,
    /// Ids that begin so.
    pub id_prefix: Option<String>,
    /// Of this workflow.
    pub workflow_name: Option<WorkflowName>,
    /// In one of these states; empty = any. `lost` is looked up in [`Self::lost`].
    pub status: Vec<ExecutionStatus>,
    /// The executions that read as `lost` now: stored as running, and not found under `running`.
    pub lost: BTreeSet<ExecutionId>,
    /// Started at or after.
    pub started_after: Option<Timestamp>,
    /// Started before.
    pub started_before: Option<Timestamp>,
    /// Took at least, in microseconds.
    pub duration_min_us: Option<u64>,
    /// Took at most, in microseconds.
    pub duration_max_us: Option<u64>,
    /// Labels that it has.
    pub labels: Vec<(String, String)>,
    /// Of this trace.
    pub trace_id: Option<String>,
    /// With a failure of this fingerprint.
    pub fingerprint: Option<String>,
    /// A text in its id, workflow name, error or labels; upper and lower case alike.
    pub text: Option<String>,
}

/// A page of executions.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionQuery {
    /// Which.
    pub filter: ExecutionFilter,
    /// How many at most.
    pub limit: usize,
    /// From where.
    pub cursor: Option<Cursor>,
}

/// How task executions are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskOrder {
    /// Oldest first: as they were first heard of.
    Oldest,
    /// Newest first: (start time descending, id).
    Newest,
}

/// A page of task executions.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskExecutionQuery {
    /// Of this execution.
    pub execution_id: Option<ExecutionId>,
    /// Of this task. One of the two must be said.
    pub task_id: Option<TaskId>,
    /// Of this workflow.
    pub workflow_name: Option<WorkflowName>,
    /// In one of these states; empty = any.
    pub status: Vec<TaskStatus>,
    /// Which first.
    pub order: TaskOrder,
    /// How many at most.
    pub limit: usize,
    /// From where.
    pub cursor: Option<Cursor>,
}

/// A page of one execution's events.
#[derive(Debug, Clone, PartialEq)]
pub struct EventQuery {
    /// Whose.
    pub execution_id: ExecutionId,
    /// Of these types; empty = any.
    pub types: Vec<EventType>,
    /// Of this task execution.
    pub task_execution_id: Option<TaskExecutionId>,
    /// Of this task.
    pub task_id: Option<TaskId>,
    /// After this number (before it, when newest first).
    pub after: Option<Seq>,
    /// Up to and with this number.
    pub until: Option<Seq>,
    /// Newest first.
    pub newest_first: bool,
    /// How many at most.
    pub limit: usize,
    /// From where.
    pub cursor: Option<Cursor>,
}

/// A page of things by name.
#[derive(Debug, Clone, PartialEq)]
pub struct NameQuery {
    /// Only this one.
    pub name: Option<String>,
    /// How many at most.
    pub limit: usize,
    /// From where.
    pub cursor: Option<Cursor>,
}

/// A workflow over all its runs.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkflowRow {
    /// Its name.
    pub workflow_name: WorkflowName,
    /// Runs.
    pub executions: u64,
    /// Runs that completed.
    pub completed: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs that were cancelled.
    pub cancelled: u64,
    /// Runs that ended themselves early.
    pub terminated: u64,
    /// Runs that the limit of task executions cut off.
    pub max_steps: u64,
    /// Runs that have not ended.
    pub open: u64,
    /// Mean microseconds of the runs that ended.
    pub mean_duration_us: Option<u64>,
    /// The newest run.
    pub last_execution_id: ExecutionId,
    /// When that began.
    pub last_start_time: Timestamp,
    /// Where that stands.
    pub last_status: ExecutionStatus,
    /// When a run last completed.
    pub last_success_time: Option<Timestamp>,
    /// Over the model calls of its runs.
    pub llm: LlmTotals,
}

/// What to count.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricsQuery {
    /// Of this workflow.
    pub workflow_name: Option<WorkflowName>,
    /// Of this task.
    pub task_id: Option<TaskId>,
    /// Started at or after.
    pub from: Option<Timestamp>,
    /// Started before.
    pub until: Option<Timestamp>,
}

/// Counts and durations of task executions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// Task executions, attempts that were tried again left out.
    pub total_tasks: u64,
    /// Of these, completed.
    pub completed_tasks: u64,
    /// Of these, failed.
    pub failed_tasks: u64,
    /// Attempts that were tried again.
    pub retried_tasks: u64,
    /// Mean duration in microseconds, over those that have one.
    pub mean_us: Option<f64>,
    /// Median.
    pub p50_us: Option<u64>,
    /// Nine of ten are faster.
    pub p90_us: Option<u64>,
    /// Nineteen of twenty are faster.
    pub p95_us: Option<u64>,
    /// Ninety-nine of a hundred are faster.
    pub p99_us: Option<u64>,
    /// The fastest.
    pub min_us: Option<u64>,
    /// The slowest.
    pub max_us: Option<u64>,
}

/// Counts and durations over a window.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics {
    /// Executions.
    pub total_executions: u64,
    /// Executions by where they stand (never `lost`: the caller knows which are).
    pub by_status: Vec<(ExecutionStatus, u64)>,
    /// Over their task executions.
    pub tasks: Totals,
    /// Over their model calls; over those of the task, where the question names one.
    pub llm: LlmTotals,
}

/// What to count, over time.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesQuery {
    /// What.
    pub metrics: MetricsQuery,
    /// Microseconds a bucket.
    pub bucket_us: u64,
}

/// One bucket of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesPoint {
    /// Where the bucket begins.
    pub time: Timestamp,
    /// Executions that began in it.
    pub executions: u64,
    /// Of these, failed.
    pub failed_executions: u64,
    /// Task executions that began in it.
    pub tasks: Totals,
}

/// What to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// The text.
    pub text: String,
    /// How many at most, of each kind.
    pub limit: usize,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An execution.
    Execution {
        /// Its id.
        execution_id: ExecutionId,
        /// Its workflow.
        workflow_name: WorkflowName,
        /// When it began.
        start_time: Timestamp,
        /// Where it stands.
        status: ExecutionStatus,
    },
    /// A workflow.
    Workflow {
        /// Its name.
        workflow_name: WorkflowName,
    },
    /// A task.
    Task {
        /// Its name.
        task_id: TaskId,
        /// Its workflow.
        workflow_name: WorkflowName,
    },
}

/// What a deletion took away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deleted {
    /// Executions.
    pub executions: u64,
    /// Their task executions.
    pub task_executions: u64,
    /// Their events.
    pub events: u64,
    /// The executions, the first thousand of them.
    pub execution_ids: Vec<ExecutionId>,
}
