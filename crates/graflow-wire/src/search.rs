use graflow_model::{ExecutionId, ExecutionStatus, Seq, TaskId, Timestamp, WorkflowName};
use serde::{Deserialize, Serialize};

/// `GET /api/search`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SearchAnswer {
    /// What was found: executions, workflows and tasks whose id or name holds the text.
    pub results: Vec<Found>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// Something found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
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
