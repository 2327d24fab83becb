use graflow_model::{ExecutionId, ExecutionStatus, Seq, Timestamp, WorkflowName};
use serde::{Deserialize, Serialize};

use crate::{Execution, Expected, LlmTotals};

/// A workflow over all its runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Workflow {
    /// Its name.
    pub workflow_name: WorkflowName,
    /// Runs.
    pub executions: u64,
    /// Runs that completed.
    pub completed: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs that have not ended.
    pub open: u64,
    /// Mean seconds of the runs that ended.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub average_duration: Option<f64>,
    /// The newest run.
    pub last_execution_id: ExecutionId,
    /// When that began.
    pub last_start_time: Timestamp,
    /// Where that stands.
    pub last_status: ExecutionStatus,
    /// When a run last completed.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub last_success_time: Option<Timestamp>,
    /// Sums over the model calls of its runs.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub llm: LlmTotals,
}

/// `GET /api/workflows`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkflowList {
    /// By name.
    pub workflows: Vec<Workflow>,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// `GET /api/workflows/{name}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkflowDetail {
    /// The workflow.
    pub workflow: Workflow,
    /// Its runs, newest first.
    pub executions: Vec<Execution>,
    /// What a run takes, by up to 50 that completed last.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub expected: Expected,
    /// Pass it as `cursor` for the next page of runs; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}
