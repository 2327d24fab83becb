use graflow_model::{ExecutionId, Seq, TaskExecutionId, TaskId, Timestamp, WorkflowName};
use serde::{Deserialize, Serialize};

/// `GET /api/failures`: failed runs, those of one cause together
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failures {
    /// The groups, that with the newest run first.
    pub failures: Vec<Failure>,
    /// Whether only the newest 10,000 failed runs of the window were looked at.
    pub is_cut: bool,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// Failures with one fingerprint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// What they have in common; `GET /api/executions?fingerprint=` lists the runs.
    pub fingerprint: String,
    /// The error's type, in the language's own words.
    pub error_type: String,
    /// The newest run's message.
    pub message: String,
    /// The newest run's task that failed; null when none did.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_id: Option<TaskId>,
    /// Its task execution.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub task_execution_id: Option<TaskExecutionId>,
    /// The workflows in which it happened, by name.
    pub workflow_names: Vec<WorkflowName>,
    /// Failed runs.
    pub count: u64,
    /// When the oldest of them failed.
    pub first_seen: Timestamp,
    /// When the newest of them failed.
    pub last_seen: Timestamp,
    /// The newest of them.
    pub newest_execution_id: ExecutionId,
}
