use graflow_model::{ExecutionId, Seq};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `GET /api/executions/{id}/findings`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Findings {
    /// The run.
    pub execution_id: ExecutionId,
    /// What people should know about it; empty on a clean run.
    pub findings: Vec<Finding>,
    /// Pass it as `cursor` for the next page; null at the end.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub next_cursor: Option<String>,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// Something that people should know about a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// What it is, for programs, such as `declared_never_ran`.
    pub code: String,
    /// What it is, in one sentence.
    pub message: String,
    /// What shows it: ids, keys and counts, by name.
    pub evidence: Value,
}
