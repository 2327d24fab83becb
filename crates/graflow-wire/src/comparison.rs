use graflow_model::{Channel, Key, Seq, TaskId, TaskStatus};
use serde::{Deserialize, Serialize};

use crate::{Execution, ValueWrite};

/// `GET /api/executions/{id}/compare`: what differs between two runs
///
/// "Here" is the execution of the path, "there" the one it is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Comparison {
    /// The execution.
    pub here: Execution,
    /// The one it is compared with; null when no run of the workflow completed before it.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub there: Option<Execution>,
    /// By how much longer it took, as a share: 0.38 is 38 percent longer, -0.2 is 20 percent shorter. Null while one of them is
    /// open.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub duration_change: Option<f64>,
    /// What differs, the first difference first; what follows from another is left out. At most 500.
    pub differences: Vec<Difference>,
    /// Every task that ran in one of them (dynamic ones by family), that whose work changed most first.
    pub tasks: Vec<TaskComparison>,
    /// Values with a version that differs, those written first come first. At most 500.
    pub values: Vec<ValueComparison>,
    /// Keys with a version that differs.
    pub values_differing: u64,
    /// Keys of which all versions are known to be equal.
    pub values_equal: u64,
    /// Keys that cannot be compared: a run has no content hash of them.
    pub values_unknown: u64,
    /// Whether only the first 50,000 task executions of a run were looked at.
    pub is_cut: bool,
    /// Every event up to here is taken into account.
    pub as_of_seq: Seq,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// `code`, `runtime`, `input`, `value`, `task_status`, `task_count`, `task_only_here`, `task_only_there` or `status`; more may be
    /// added.
    pub kind: String,
    /// It in a sentence.
    pub message: String,
    /// The task that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// The channel of the value that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Seconds after the run's start; null for what was so before.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub after: Option<f64>,
}

/// A task in the two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskComparison {
    /// The task; the family of dynamic ones.
    pub task: String,
    /// Whether `task` is a family.
    pub is_family: bool,
    /// In this run; null when it did not run.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub here: Option<ComparedTask>,
    /// In the other run; null when it did not run.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub there: Option<ComparedTask>,
}

/// A task in one of the runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ComparedTask {
    /// Task executions that began.
    pub executions: u64,
    /// Attempts that were tried again.
    pub retried: u64,
    /// Task executions that failed for good.
    pub failed: u64,
    /// Where it stood last; failed when one of it failed for good.
    pub status: TaskStatus,
    /// Seconds, over all of them.
    pub total: f64,
    /// Seconds that the longest took.
    pub longest: f64,
    /// Seconds it adds to the critical path.
    pub critical: f64,
}

/// A key with a version that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ValueComparison {
    /// The channel.
    pub channel: Channel,
    /// The key.
    pub key: Key,
    /// The first version that differs.
    pub version: u64,
    /// It in this run; null: the key was not written so often.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub here: Option<ValueWrite>,
    /// It in the other run.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub there: Option<ValueWrite>,
    /// Versions in this run.
    pub versions_here: u64,
    /// Versions in the other run.
    pub versions_there: u64,
    /// Whether its writer had read nothing that differs: the difference begins with it.
    pub is_origin: bool,
}
