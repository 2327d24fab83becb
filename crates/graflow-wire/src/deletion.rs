use std::collections::BTreeMap;

use graflow_model::{ExecutionId, ExecutionStatus, Timestamp, WorkflowName};
use serde::{Deserialize, Serialize};

/// `POST /api/executions/delete`: everything that is said must hold. To delete every execution say `all`, alone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DeleteRequest {
    /// Only say what would be deleted.
    pub dry_run: bool,
    /// Every execution.
    pub all: bool,
    /// These, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_ids: Option<Vec<ExecutionId>>,
    /// Of this workflow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_name: Option<WorkflowName>,
    /// In one of these states.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<ExecutionStatus>,
    /// Started at or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_after: Option<Timestamp>,
    /// Started before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_before: Option<Timestamp>,
    /// With these labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What a deletion took away, or would take away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeletedAnswer {
    /// Whether nothing was deleted, only counted.
    pub dry_run: bool,
    /// Executions.
    pub executions: u64,
    /// Their task executions.
    pub task_executions: u64,
    /// Their events.
    pub events: u64,
    /// The executions, the first thousand of them.
    pub execution_ids: Vec<ExecutionId>,
}
